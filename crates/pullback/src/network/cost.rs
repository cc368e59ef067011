//! The list of costs. An item has what a user reads of it, its settings, the targets that it takes, its operation, and
//! what the network predicts; all else follows from the list.
//!
//! A cost with a log link is the part of a distribution's negative log likelihood, or of half its deviance, that depends
//! on the network: the output z is the logarithm of the mean, and `exp(z)` is what is predicted.

use crate::choice::{Bound, choices};
use crate::graph::{Op, Var, ops};

/// The targets that a cost takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Takes {
    /// Classes, each of which has an output: at least two.
    Classes,
    /// Outputs that are each yes or no: two classes, or several classes apart.
    YesOrNo,
    /// Numbers, and classes as zeros and ones.
    Numbers,
    /// Counts and amounts, none negative. The network's output is the logarithm of their mean.
    NotNegative,
    /// Positive amounts. The network's output is the logarithm of their mean.
    Positive,
}

impl Takes {
    /// Whether a number can be a target.
    ///
    /// ```
    /// use pullback::network::Takes;
    /// assert!(Takes::NotNegative.allows(0.0) && !Takes::Positive.allows(0.0));
    /// ```
    pub fn allows(self, target: f64) -> bool {
        match self {
            Takes::Classes | Takes::YesOrNo | Takes::Numbers => true,
            Takes::NotNegative => target >= 0.0,
            Takes::Positive => target > 0.0,
        }
    }

    /// Which targets it takes, to follow "takes": `positive numbers`.
    pub fn describe(self) -> &'static str {
        match self {
            Takes::Classes => "classes",
            Takes::YesOrNo => "classes, or outputs that are each yes or no",
            Takes::Numbers => "numbers",
            Takes::NotNegative => "numbers from 0 on",
            Takes::Positive => "positive numbers",
        }
    }
}

/// Makes the list of costs: for each item its documentation, variant, setting and name as in `choices!`, the targets
/// that it takes, its operation, what it is given instead of the targets, and what is predicted from the outputs.
macro_rules! costs {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident
        $((
            $(#[doc = $number_doc:literal])*
            $number:ident = $number_default:literal, $number_bound:expr
        ))?
        = $name:literal $(| $alias:literal)*, takes $takes:ident, $operation:expr
        $(, given |$target:ident| $given:expr)?, predicts |$output:ident| $prediction:expr;
    )*) => {
        choices! {
            /// What training makes small: summed over the outputs, averaged over the batch.
            ///
            /// The fitting one for a task is the default: softmax cross-entropy for classes, sigmoid
            /// cross-entropy for two classes, squared error for numbers.
            #[non_exhaustive]
            "cost" Cost as text {
                $(
                    $(#[doc = $doc])*
                    $variant
                    $(($(#[doc = $number_doc])* $number: f64 = $number_default, $number_bound))?
                    = $name $(| $alias)*
                ),*
            }
        }

        impl Cost {
            /// The targets that it takes.
            pub fn takes(self) -> Takes {
                match self {
                    $(Cost::$variant { .. } => Takes::$takes),*
                }
            }

            /// The costs of a batch of `[batch, outputs]`, whose sum over the batch is divided by its size: `[batch]`,
            /// or `[batch, outputs]`.
            pub(super) fn lower<'b>(self, output: Var<'b>, targets: Var<'b>) -> Var<'b> {
                let (operation, given): (Op, _) = match self {
                    $(Cost::$variant $(($number))? => {
                        $(let targets = (|$target: Var<'b>| $given)(targets);)?
                        ($operation.into(), targets)
                    }),*
                };
                output.builder().apply(operation, &[output, given])
            }

            /// What the network predicts from its outputs.
            pub(super) fn prediction<'b>(self, outputs: Var<'b>) -> Var<'b> {
                match self {
                    $(Cost::$variant { .. } => {
                        let $output = outputs;
                        $prediction
                    })*
                }
            }
        }
    };
}

costs! {
    /// Classes: `-sum(t * log(softmax(z)))`, from the weighted sums z of the last layer.
    SoftmaxCrossEntropy = "softmax_cross_entropy" | "cross_entropy" | "crossentropy" | "categorical_crossentropy" | "sparse_categorical_crossentropy" | "categorical_cross_entropy" | "nll" | "ce", takes Classes,
    ops::SoftmaxCrossEntropy, predicts |z| z.softmax();

    /// Independent yes-or-no outputs: `-t log(sigmoid(z)) - (1 - t) log(1 - sigmoid(z))`.
    SigmoidCrossEntropy = "sigmoid_cross_entropy" | "bce" | "binary_crossentropy" | "binary_cross_entropy" | "bce_with_logits", takes YesOrNo,
    ops::SigmoidCrossEntropy, predicts |z| z.sigmoid();

    /// Numbers: `(a - t)^2 / 2`.
    SquaredError = "squared_error" | "mse" | "l2" | "mean_squared_error", takes Numbers,
    ops::SquaredError, predicts |a| a;

    /// Numbers with outliers: `|a - t|`.
    AbsoluteError = "absolute_error" | "mae" | "l1" | "mean_absolute_error", takes Numbers,
    ops::AbsoluteError, predicts |a| a;

    /// Numbers with outliers: a square up to the given difference, a line beyond.
    Huber(
        /// Up to which difference it is a square.
        difference = 1.0, Bound::Positive
    ) = "huber" | "smooth_l1", takes Numbers,
    ops::Huber { delta: difference.into() }, predicts |a| a;

    /// A quantile of numbers, the median by default: `tau (t - a)` where a is too low, `(1 - tau) (a - t)` where it is
    /// too high.
    Quantile(
        /// Which quantile: 0.9 is what 9 of 10 targets stay below.
        tau = 0.5, Bound::Inside
    ) = "quantile" | "pinball" | "quantile_loss", takes Numbers,
    ops::Quantile { tau: tau.into() }, predicts |a| a;

    /// Counts, none negative: `exp(z) - t z`. The output z is the logarithm of the mean, `exp(z)` the prediction.
    Poisson = "poisson" | "poisson_nll", takes NotNegative,
    ops::Poisson, predicts |z| z.exp();

    /// Positive amounts whose deviation grows with their mean: `z + t exp(-z)`. The output z is the logarithm of the
    /// mean, `exp(z)` the prediction.
    Gamma = "gamma", takes Positive,
    ops::Gamma, predicts |z| z.exp();

    /// Amounts that are often exactly 0, none negative: `exp((2 - p) z) / (2 - p) - t exp((1 - p) z) / (1 - p)`. The
    /// output z is the logarithm of the mean, `exp(z)` the prediction.
    Tweedie(
        /// The power p of the mean to which the variance is proportional: near 1 as counts, near 2 as amounts.
        power = 1.5, Bound::BetweenOneAndTwo
    ) = "tweedie", takes NotNegative,
    ops::Tweedie { power: power.into() }, predicts |z| z.exp();

    /// Classes, of which none is quite certain: softmax cross-entropy, for targets of which a part is spread over all
    /// classes alike (label smoothing).
    SmoothedCrossEntropy(
        /// The part of each target that is spread.
        smoothing = 0.1, Bound::Share
    ) = "smoothed_cross_entropy" | "label_smoothing", takes Classes,
    ops::SoftmaxCrossEntropy, given |t| t * (1.0 - smoothing) + smoothing / t.shape().last().max(1) as f64,
    predicts |z| z.softmax();

    /// Independent yes-or-no outputs, of which few are yes: sigmoid cross-entropy times the gamma-th power of how wrong
    /// the output is, so that what is learned already counts less.
    Focal(
        /// The power; at 0 it is sigmoid cross-entropy.
        gamma = 2.0, Bound::AtLeastZero
    ) = "focal" | "focal_loss" | "sigmoid_focal", takes YesOrNo,
    ops::Focal { gamma: gamma.into() }, predicts |z| z.sigmoid();
}

impl Cost {
    /// Whether it is for classes only, so that the predictions are probabilities.
    pub fn is_for_classes(self) -> bool {
        matches!(self.takes(), Takes::Classes | Takes::YesOrNo)
    }

    /// Whether it has one number a row, not one for each output.
    pub(super) fn is_one_a_row(self) -> bool {
        self.takes() == Takes::Classes
    }

    /// Whether the network's output is the logarithm of what it predicts.
    pub fn has_log_link(self) -> bool {
        matches!(self.takes(), Takes::NotNegative | Takes::Positive)
    }
}
