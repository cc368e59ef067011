//! A trained row of numbers for each position of a sequence.

use super::item::any_sequence;
use super::{Item, LayerCase};
use crate::graph::ops::Dice;
use crate::graph::{NodeRole, Var};
use crate::network::declare::Declaration;
use crate::network::lower::Lowering;
use crate::network::path::Refusal;
use crate::network::{Form, Initializer, Role};
use serde::{Deserialize, Serialize};

/// Adds a trained row of numbers to each position of a sequence, so that what follows can tell positions apart:
/// attention alone does not see their order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {}

/// Where the rows start, as is usual for transformers.
const DEVIATION: f64 = 0.02;

impl Item for Position {
    const KIND: &'static str = "position";

    fn describe(&self) -> String {
        "position".into()
    }

    fn form(&self, reads: Form) -> Result<Form, Refusal> {
        match reads {
            Form::Sequence(_) => Ok(reads),
            _ => Err(Refusal::form(format!("reads {reads}, which has no positions"), "leave it out")),
        }
    }

    fn declare(&self, reads: Form, to: &mut Declaration<'_>) {
        let shape = [reads.places(), reads.columns()];
        let weight = to.add("weight", Role::Weight(Initializer::Normal(DEVIATION)), shape);
        weight.fans = shape;
    }

    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b> {
        at.role(NodeRole::Positions);
        let positions = x.reshape([at.batch(), reads.places(), reads.columns()]);
        at.role(NodeRole::Positioned);
        positions + at.parameter("weight")
    }

    fn case(dice: &mut Dice) -> LayerCase {
        LayerCase::new(Position {}, any_sequence(dice))
    }
}
