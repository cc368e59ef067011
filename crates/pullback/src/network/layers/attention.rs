//! Self-attention: each position of a sequence reads the others, weighted by how well its query fits their keys.

use super::item::{check_count, yes};
use super::{Item, LayerCase};
use crate::graph::ops::{Dice, LowerTriangle};
use crate::graph::{NodeRole, Var};
use crate::network::declare::Declaration;
use crate::network::form::MOST_NUMBERS;
use crate::network::lower::Lowering;
use crate::network::path::Refusal;
use crate::network::{Activation, Form, Initializer, Role, Sequence};
use serde::{Deserialize, Serialize};

/// Multi-head self-attention (Vaswani and others, 2017): in each head, every position takes a mean of the values
/// of all positions, weighted by `softmax(Q K^T / sqrt(width of a head))`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attention {
    /// The number of heads, which share the sequence's width in equal parts.
    pub heads: usize,
    /// Whether a position sees itself and earlier ones only.
    #[serde(default)]
    pub is_causal: bool,
    /// Whether biases are added to queries, keys, values and the result.
    #[serde(default = "yes")]
    pub has_bias: bool,
    /// Where the weights start; by default Xavier's uniform distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initializer: Option<Initializer>,
}

/// The score of a position that must not be seen: its exponential is zero, and it is a number of `f32`.
const UNSEEN: f64 = -1e30;

impl Attention {
    /// So many heads that see all positions, and all choices left open.
    pub fn new(heads: usize) -> Self {
        Self { heads, is_causal: false, has_bias: true, initializer: None }
    }

    /// Weighted sums of each position, with the parameters of these names.
    fn sums<'b>(&self, at: &Lowering<'_, 'b>, x: Var<'b>, [weight, bias]: [&str; 2]) -> Var<'b> {
        let sum = x.product_transposed(false, at.parameter(weight), true);
        if self.has_bias { sum + at.parameter(bias) } else { sum }
    }
}

impl Item for Attention {
    const KIND: &'static str = "attention";

    fn describe(&self) -> String {
        let causal = if self.is_causal { "causal " } else { "" };
        let without = if self.has_bias { "" } else { " without bias" };
        format!("{causal}attention {}{without}", self.heads)
    }

    fn check(&self) -> Result<(), Refusal> {
        check_count("attention", self.heads, "heads")
    }

    fn form(&self, reads: Form) -> Result<Form, Refusal> {
        let Form::Sequence(Sequence { length, width }) = reads else {
            return Err(Refusal::form(
                format!("reads {reads}, not a sequence"),
                "give its input as `sequence = { length = 16, width = 8 }`, or put an embedding before it",
            ));
        };
        if width % self.heads != 0 {
            let heads = self.heads;
            return Err(Refusal::form(
                format!(
                    "reads positions of {width} numbers, which {heads} heads cannot share in equal parts"
                ),
                "change one of them",
            ));
        }
        match length.checked_mul(length).and_then(|scores| scores.checked_mul(self.heads)) {
            Some(1..=MOST_NUMBERS) => Ok(reads),
            _ => Err(Refusal::form(
                format!("has scores of {length} x {length} positions in {} heads", self.heads),
                "make the sequence shorter",
            )),
        }
    }

    fn declare(&self, reads: Form, to: &mut Declaration<'_>) {
        let width = reads.columns();
        let initializer = Some(self.initializer.unwrap_or(Initializer::XavierUniform));
        to.weight("weight", initializer, [3 * width, width], [width, width]);
        if self.has_bias {
            to.add("bias", Role::Bias, [3 * width]);
        }
        to.weight("output_weight", initializer, [width, width], [width, width]);
        if self.has_bias {
            to.add("output_bias", Role::Bias, [width]);
        }
    }

    /// With the weights of queries, keys and values below each other, one product makes all three.
    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b> {
        let (batch, length, width) = (at.batch(), reads.places(), reads.columns());
        let (heads, part) = (self.heads, width / self.heads);
        let rows = at.matrix(reads, x);
        at.role(NodeRole::AttentionSums);
        let all = self.sums(at, rows, ["weight", "bias"]);
        at.role(NodeRole::Heads);
        let all = all.reshape([batch, length, 3, heads, part]).transpose(&[2, 0, 3, 1, 4]);
        let third = |at: usize| all.slice(0, at, at + 1).reshape([batch * heads, length, part]);
        at.role(NodeRole::Queries);
        let queries = third(0);
        at.role(NodeRole::Keys);
        let keys = third(1);
        at.role(NodeRole::Values);
        let values = third(2);
        at.role(NodeRole::Scores);
        let mut scores = queries.batched_product(false, keys, true).scale(1.0 / (part as f64).sqrt());
        if self.is_causal {
            at.role(NodeRole::SeenScores);
            scores = x.builder().apply(LowerTriangle { above: UNSEEN.into() }, &[scores]);
        }
        at.role(NodeRole::AttentionWeights);
        let weights = scores.softmax();
        at.role(NodeRole::WeightedValues);
        let seen = weights.batched_product(false, values, false);
        let seen = seen.reshape([batch, heads, length, part]).transpose(&[0, 2, 1, 3]);
        let seen = seen.reshape([batch * length, width]);
        at.role(NodeRole::WeightedSum);
        self.sums(at, seen, ["output_weight", "output_bias"])
    }

    fn activation(&self) -> Option<Activation> {
        Some(Activation::Identity)
    }

    fn case(dice: &mut Dice) -> LayerCase {
        let heads = 1 + dice.below(3);
        let layer = Attention { is_causal: dice.coin(), has_bias: dice.coin(), ..Attention::new(heads) };
        let width = heads * (1 + dice.below(3));
        LayerCase::new(layer, Form::Sequence(Sequence { length: dice.size(), width }))
    }
}
