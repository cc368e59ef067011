//! The list of costs.

use crate::choice::{Bound, choices};
use crate::graph::{Var, ops};

choices! {
    /// What training makes small: summed over the outputs, averaged over the batch.
    ///
    /// The fitting one for a task is the default: softmax cross-entropy for classes, sigmoid
    /// cross-entropy for two classes, squared error for numbers.
    #[non_exhaustive]
    "cost" Cost as text {
        /// Classes: `-sum(t * log(softmax(z)))`, from the weighted sums z of the last layer.
        SoftmaxCrossEntropy = "softmax_cross_entropy",
        /// Independent yes-or-no outputs: `-t log(sigmoid(z)) - (1 - t) log(1 - sigmoid(z))`.
        SigmoidCrossEntropy = "sigmoid_cross_entropy",
        /// Numbers: `(a - t)^2 / 2`.
        SquaredError = "squared_error",
        /// Numbers with outliers: `|a - t|`.
        AbsoluteError = "absolute_error",
        /// Numbers with outliers: a square up to the given difference, a line beyond.
        Huber(
            /// Up to which difference it is a square.
            difference: f64 = 1.0, Bound::Positive
        ) = "huber",
    }
}

impl Cost {
    /// The costs of a batch of `[batch, outputs]`, whose sum over the batch is divided by its size: `[batch]`, or
    /// `[batch, outputs]`.
    pub(super) fn lower<'b>(self, output: Var<'b>, targets: Var<'b>) -> Var<'b> {
        let builder = output.builder();
        match self {
            Cost::SoftmaxCrossEntropy => builder.apply(ops::SoftmaxCrossEntropy, &[output, targets]),
            Cost::SigmoidCrossEntropy => builder.apply(ops::SigmoidCrossEntropy, &[output, targets]),
            Cost::SquaredError => builder.apply(ops::SquaredError, &[output, targets]),
            Cost::AbsoluteError => builder.apply(ops::AbsoluteError, &[output, targets]),
            Cost::Huber(delta) => builder.apply(ops::Huber { delta: delta.into() }, &[output, targets]),
        }
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
