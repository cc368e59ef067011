//! Normalization of each example by the root of its mean square.

use super::item::{any_numbers, epsilon, not_codes};
use super::layer_norm::{rows, width};
use super::{Item, LayerCase};
use crate::choice::Bound;
use crate::graph::ops::Dice;
use crate::graph::{NodeRole, Var};
use crate::network::declare::Declaration;
use crate::network::lower::Lowering;
use crate::network::path::Refusal;
use crate::network::{Form, Role};
use serde::{Deserialize, Serialize};

/// Divides each example, or each position of a sequence, by the root of its mean square, then multiplies by a
/// trained scale (Zhang, Sennrich, 2019): layer norm without the centering.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RmsNorm {
    /// Added to the mean square.
    #[serde(default = "millionth")]
    pub epsilon: f64,
}

fn millionth() -> f64 {
    1e-6
}

impl Default for RmsNorm {
    fn default() -> Self {
        Self { epsilon: millionth() }
    }
}

impl Item for RmsNorm {
    const KIND: &'static str = "rms_norm";

    fn describe(&self) -> String {
        "rms norm".into()
    }

    fn numbers(&self) -> Vec<(String, Bound, f64)> {
        vec![epsilon(self.epsilon)]
    }

    fn form(&self, reads: Form) -> Result<Form, Refusal> {
        not_codes(reads)
    }

    fn declare(&self, reads: Form, to: &mut Declaration<'_>) {
        to.add("scale", Role::Scale, [width(reads)]);
    }

    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b> {
        let value = rows(at, reads, x);
        at.role(NodeRole::MeanSquare);
        let square = (value * value).mean_keeping(&[1]);
        at.role(NodeRole::Normalized);
        let normalized = value * (square + self.epsilon).power(-0.5);
        at.role(NodeRole::Scaled);
        normalized * at.parameter("scale")
    }

    fn case(dice: &mut Dice) -> LayerCase {
        LayerCase::new(RmsNorm::default(), any_numbers(dice))
    }
}
