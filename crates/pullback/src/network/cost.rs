//! The list of costs. An item has what a user reads of it, its settings, the targets that it takes, its operation, and
//! what the network predicts; all else follows from the list.

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
}

/// Makes the list of costs: for each item its documentation, variant, setting and name as in `choices!`, the targets
/// that it takes, its operation, and what is predicted from the outputs.
macro_rules! costs {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident
        $((
            $(#[doc = $number_doc:literal])*
            $number:ident = $number_default:literal, $number_bound:expr
        ))?
        = $name:literal $(| $alias:literal)*, takes $takes:ident, $operation:expr, predicts |$output:ident| $prediction:expr;
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

            /// The cost of each example, from outputs and targets.
            fn operation(self) -> Op {
                match self {
                    $(Cost::$variant $(($number))? => $operation.into()),*
                }
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
}

impl Cost {
    /// Whether it is for classes only, so that the predictions are probabilities.
    pub fn is_for_classes(self) -> bool {
        self.takes() != Takes::Numbers
    }

    /// Whether it has one number a row, not one for each output.
    pub(super) fn is_one_a_row(self) -> bool {
        self.takes() == Takes::Classes
    }

    /// The costs of a batch of `[batch, outputs]`, whose sum over the batch is divided by its size: `[batch]`, or
    /// `[batch, outputs]`.
    pub(super) fn lower<'b>(self, output: Var<'b>, targets: Var<'b>) -> Var<'b> {
        output.builder().apply(self.operation(), &[output, targets])
    }
}
