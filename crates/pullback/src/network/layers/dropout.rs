//! Numbers set to zero at random, in training.

use super::item::{any_numbers, not_codes};
use super::{Item, LayerCase};
use crate::choice::Bound;
use crate::graph::ops::Dice;
use crate::graph::{NodeRole, Var};
use crate::network::Form;
use crate::network::lower::{Lowering, Mode};
use crate::network::path::Refusal;
use serde::{Deserialize, Serialize};

/// In training, sets each number to zero with probability `rate` and scales the others by
/// `1 / (1 - rate)` (inverted dropout); in evaluation, nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// The probability, at least 0 and below 1.
    pub rate: f64,
}

impl Item for Dropout {
    const KIND: &'static str = "dropout";

    fn describe(&self) -> String {
        format!("dropout {}", self.rate)
    }

    fn numbers(&self) -> Vec<(String, Bound, f64)> {
        vec![("the dropout rate".into(), Bound::Share, self.rate)]
    }

    fn form(&self, reads: Form) -> Result<Form, Refusal> {
        not_codes(reads)
    }

    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, _reads: Form, x: Var<'b>) -> Var<'b> {
        if at.mode() == Mode::Evaluation || self.rate == 0.0 {
            return x;
        }
        at.role(NodeRole::Dropout);
        x * at.mask(self.rate, x.shape())
    }

    fn case(dice: &mut Dice) -> LayerCase {
        LayerCase::new(Dropout { rate: 0.5 }, any_numbers(dice))
    }
}
