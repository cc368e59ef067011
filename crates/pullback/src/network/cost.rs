//! The list of costs.

use super::named::named;
use crate::error::{Error, Result};
use crate::graph::{Var, ops};

named! {
    /// What training makes small: summed over the outputs, averaged over the batch.
    ///
    /// The fitting one for a task is the default: softmax cross-entropy for classes, sigmoid
    /// cross-entropy for two classes, squared error for numbers.
    "cost" Cost {
        /// Classes: `-sum(t * log(softmax(z)))`, from the weighted sums z of the last layer.
        SoftmaxCrossEntropy = "softmax_cross_entropy",
        /// Independent yes-or-no outputs: `-t log(sigmoid(z)) - (1 - t) log(1 - sigmoid(z))`.
        SigmoidCrossEntropy = "sigmoid_cross_entropy",
        /// Numbers: `(a - t)^2 / 2`.
        SquaredError = "squared_error",
        /// Numbers with outliers: `|a - t|`.
        AbsoluteError = "absolute_error",
        /// Numbers with outliers: a square up to the given difference, a line beyond.
        Huber(1.0) = "huber",
    }
}

impl Cost {
    pub(super) fn check(self) -> Result<()> {
        match self {
            Cost::Huber(delta) if !(delta > 0.0 && delta.is_finite()) => Err(Error::configuration(format!(
                "the huber cost turns into a line at a difference of {delta}"
            ))
            .help("it must be positive")),
            _ => Ok(()),
        }
    }

    /// The mean cost of a batch of `[batch, outputs]`.
    pub(super) fn lower<'b>(self, output: Var<'b>, targets: Var<'b>) -> Var<'b> {
        let builder = output.builder();
        let costs = match self {
            Cost::SoftmaxCrossEntropy => builder.apply(ops::SoftmaxCrossEntropy, &[output, targets]),
            Cost::SigmoidCrossEntropy => builder.apply(ops::SigmoidCrossEntropy, &[output, targets]),
            Cost::SquaredError => builder.apply(ops::SquaredError, &[output, targets]),
            Cost::AbsoluteError => builder.apply(ops::AbsoluteError, &[output, targets]),
            Cost::Huber(delta) => builder.apply(ops::Huber { delta: delta.into() }, &[output, targets]),
        };
        let batch = output.shape().sizes().first().copied().unwrap_or(1);
        costs.sum_all().scale(1.0 / batch as f64)
    }

    /// What the network predicts: probabilities for the cross-entropies, else the outputs.
    pub(super) fn prediction<'b>(self, output: Var<'b>) -> Var<'b> {
        match self {
            Cost::SoftmaxCrossEntropy => output.softmax(),
            Cost::SigmoidCrossEntropy => output.sigmoid(),
            Cost::SquaredError | Cost::AbsoluteError | Cost::Huber(_) => output,
        }
    }
}
