//! Weighted sums of all inputs.

use super::item::{any_numbers, check_count, makes, not_codes, strengths, yes};
use super::{Item, LayerCase};
use crate::choice::Bound;
use crate::graph::ops::Dice;
use crate::graph::{NodeRole, Var};
use crate::network::declare::Declaration;
use crate::network::lower::Lowering;
use crate::network::path::Refusal;
use crate::network::{Activation, Form, Initializer, Role};
use serde::{Deserialize, Serialize};

/// Weighted sums of all inputs: `z = W x + b`. Of a sequence, those of each position, with the same weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    /// The number of weighted sums.
    pub units: usize,
    /// Whether a bias is added.
    #[serde(default = "yes")]
    pub has_bias: bool,
    /// Where the weights start; by default what is conventional before the next activation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initializer: Option<Initializer>,
    /// The strength of L1 on this layer's weights, instead of the network's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l1: Option<f64>,
    /// The strength of L2 on this layer's weights, instead of the network's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l2: Option<f64>,
}

impl Dense {
    /// With bias, and all choices left open.
    pub fn new(units: usize) -> Self {
        Self { units, has_bias: true, initializer: None, l1: None, l2: None }
    }

    /// Weights and biases of `sums` over windows of that many places with `inputs` numbers each.
    pub(super) fn declare_sums(
        to: &mut Declaration<'_>,
        [sums, area, inputs]: [usize; 3],
        initializer: Option<Initializer>,
        [l1, l2]: [Option<f64>; 2],
        has_bias: bool,
    ) {
        let weight = to.weight("weight", initializer, [sums, area * inputs], [area * inputs, area * sums]);
        weight.l1 = l1.unwrap_or(weight.l1);
        weight.l2 = l2.unwrap_or(weight.l2);
        if has_bias {
            to.add("bias", Role::Bias, [sums]);
        }
    }
}

/// How many numbers go into each sum.
fn inputs(reads: Form) -> usize {
    match reads {
        Form::Sequence(sequence) => sequence.width,
        form => form.elements(),
    }
}

impl Item for Dense {
    const KIND: &'static str = "dense";

    fn describe(&self) -> String {
        format!("dense {}{}", self.units, if self.has_bias { "" } else { " without bias" })
    }

    fn numbers(&self) -> Vec<(String, Bound, f64)> {
        strengths(self.l1, self.l2)
    }

    fn check(&self) -> Result<(), Refusal> {
        check_count("a dense layer", self.units, "units")
    }

    fn form(&self, reads: Form) -> Result<Form, Refusal> {
        makes(match not_codes(reads)? {
            Form::Sequence(_) => reads.with_columns(self.units),
            _ => Form::Row(self.units),
        })
    }

    fn declare(&self, reads: Form, to: &mut Declaration<'_>) {
        let sizes = [self.units, 1, inputs(reads)];
        Self::declare_sums(to, sizes, self.initializer, [self.l1, self.l2], self.has_bias);
    }

    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b> {
        let rows = match reads {
            Form::Sequence(_) => at.matrix(reads, x),
            _ => at.rows(reads, x),
        };
        at.role(NodeRole::WeightedSum);
        let weight = at.parameter("weight");
        let sum = rows.product_transposed(false, weight, true);
        match at.take_background() {
            0.0 => at.with_bias(sum, self.has_bias),
            background => sum + at.with_bias(weight.sum(&[1]).scale(background), self.has_bias),
        }
    }

    fn activation(&self) -> Option<Activation> {
        Some(Activation::Identity)
    }

    fn case(dice: &mut Dice) -> LayerCase {
        let layer = Dense { has_bias: dice.coin(), ..Dense::new(dice.size()) };
        LayerCase::new(layer, any_numbers(dice))
    }
}
