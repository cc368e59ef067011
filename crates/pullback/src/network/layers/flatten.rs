//! All numbers of an example in a row.

use super::item::{any_numbers, makes, not_codes};
use super::{Item, LayerCase};
use crate::graph::Var;
use crate::graph::ops::Dice;
use crate::network::Form;
use crate::network::lower::Lowering;
use crate::network::path::Refusal;
use serde::{Deserialize, Serialize};

/// All numbers of an image or a sequence in one row. A dense layer does that to an image by itself; after a
/// sequence, this makes it read all positions at once.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

impl Item for Flatten {
    const KIND: &'static str = "flatten";

    fn describe(&self) -> String {
        "flatten".into()
    }

    fn form(&self, reads: Form) -> Result<Form, Refusal> {
        makes(Form::Row(not_codes(reads)?.elements()))
    }

    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b> {
        at.rows(reads, x)
    }

    fn case(dice: &mut Dice) -> LayerCase {
        LayerCase::new(Flatten {}, any_numbers(dice))
    }
}
