//! The mean over all pixels or positions.

use super::item::{any_image, any_sequence};
use super::{Item, LayerCase};
use crate::graph::ops::Dice;
use crate::graph::{NodeRole, Var};
use crate::network::Form;
use crate::network::lower::Lowering;
use crate::network::path::Refusal;
use serde::{Deserialize, Serialize};

/// The mean of each channel over all pixels of an image, or of each column over all positions of a sequence
/// (Lin, Chen, Yan, 2013): a row.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalAveragePool {}

impl Item for GlobalAveragePool {
    const KIND: &'static str = "global_average_pool";

    fn describe(&self) -> String {
        "global average pool".into()
    }

    fn form(&self, reads: Form) -> Result<Form, Refusal> {
        match reads {
            Form::Image(_) | Form::Sequence(_) => Ok(Form::Row(reads.columns())),
            _ => {
                Err(Refusal::form(format!("reads {reads}, which has no pixels or positions"), "leave it out"))
            }
        }
    }

    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b> {
        at.role(NodeRole::Places);
        let places = x.reshape([at.batch(), reads.places(), reads.columns()]);
        at.role(NodeRole::PlaceMean);
        places.mean(&[1])
    }

    fn case(dice: &mut Dice) -> LayerCase {
        let reads = if dice.coin() { any_image(dice, 1) } else { any_sequence(dice) };
        LayerCase::new(GlobalAveragePool {}, reads)
    }
}
