//! Normalization of each example by itself.

use super::item::{any_numbers, epsilon, hundred_thousandth, not_codes};
use super::{Item, LayerCase};
use crate::choice::Bound;
use crate::graph::ops::Dice;
use crate::graph::{NodeRole, Var};
use crate::network::declare::Declaration;
use crate::network::lower::Lowering;
use crate::network::path::Refusal;
use crate::network::{Form, Role};
use serde::{Deserialize, Serialize};

/// Centers and scales each example, or each position of a sequence, by its own mean and variance, then by a
/// trained scale and shift (Ba, Kiros, Hinton, 2016).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerNorm {
    /// Added to the variance.
    #[serde(default = "hundred_thousandth")]
    pub epsilon: f64,
}

impl Default for LayerNorm {
    fn default() -> Self {
        Self { epsilon: hundred_thousandth() }
    }
}

/// How many numbers are normalized together: those of a position, or of an example.
pub(super) fn width(reads: Form) -> usize {
    match reads {
        Form::Sequence(sequence) => sequence.width,
        form => form.elements(),
    }
}

/// What is normalized together, in a row.
pub(super) fn rows<'b>(at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b> {
    match reads {
        Form::Sequence(_) => at.matrix(reads, x),
        _ => at.rows(reads, x),
    }
}

impl Item for LayerNorm {
    const KIND: &'static str = "layer_norm";

    fn describe(&self) -> String {
        "layer norm".into()
    }

    fn numbers(&self) -> Vec<(String, Bound, f64)> {
        vec![epsilon(self.epsilon)]
    }

    fn form(&self, reads: Form) -> Result<Form, Refusal> {
        not_codes(reads)
    }

    fn declare(&self, reads: Form, to: &mut Declaration<'_>) {
        to.add("scale", Role::Scale, [width(reads)]);
        to.add("shift", Role::Shift, [width(reads)]);
    }

    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b> {
        let value = rows(at, reads, x);
        at.role(NodeRole::Mean);
        let mean = value.mean_keeping(&[1]);
        at.role(NodeRole::Variance);
        let centered = value - mean;
        let variance = (centered * centered).mean_keeping(&[1]);
        at.normalize(value, mean, variance, self.epsilon)
    }

    fn case(dice: &mut Dice) -> LayerCase {
        LayerCase::new(LayerNorm::default(), any_numbers(dice))
    }
}
