//! A function of each weighted sum.

use super::item::{any_numbers, not_codes};
use super::{Item, LayerCase};
use crate::choice::{Bound, Choices, Field};
use crate::graph::ops::Dice;
use crate::graph::{NodeRole, Var};
use crate::network::lower::Lowering;
use crate::network::path::Refusal;
use crate::network::{Activation, Form};
use serde::{Deserialize, Serialize};

/// A function of each weighted sum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivationLayer {
    /// Which one.
    pub function: Activation,
}

impl Item for ActivationLayer {
    const KIND: &'static str = "activation";

    fn describe(&self) -> String {
        self.function.to_string()
    }

    fn numbers(&self) -> Vec<(String, Bound, f64)> {
        let item = self.function.item();
        let name = |field: &Field| format!("{} of {}", field.name, item.name);
        let values = item.fields.iter().zip(self.function.values());
        values.map(|(field, value)| (name(field), field.bound, value)).collect()
    }

    fn form(&self, reads: Form) -> Result<Form, Refusal> {
        not_codes(reads)
    }

    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, _reads: Form, x: Var<'b>) -> Var<'b> {
        at.role(NodeRole::Activation);
        self.function.lower(x)
    }

    fn activation(&self) -> Option<Activation> {
        Some(self.function)
    }

    fn case(dice: &mut Dice) -> LayerCase {
        let name = Activation::NAMES[dice.below(Activation::NAMES.len())];
        let function = name.parse().expect("a name of the list is an activation");
        LayerCase::new(ActivationLayer { function }, any_numbers(dice))
    }
}
