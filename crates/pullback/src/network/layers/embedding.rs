//! A trained row of numbers for each code.

use super::item::{check_count, makes};
use super::{Item, LayerCase};
use crate::graph::ops::{Dice, GatherRows};
use crate::graph::{NodeRole, Var};
use crate::network::declare::Declaration;
use crate::network::lower::Lowering;
use crate::network::path::Refusal;
use crate::network::{Form, Index, Initializer, Role, Sequence};
use serde::{Deserialize, Serialize};

/// A trained row of numbers for each code: a sequence with a position for each code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// The numbers of a row.
    pub width: usize,
    /// Where the rows start; by default normal with a deviation of 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initializer: Option<Initializer>,
}

impl Embedding {
    /// Rows of that width, and all choices left open.
    pub fn new(width: usize) -> Self {
        Self { width, initializer: None }
    }
}

impl Item for Embedding {
    const KIND: &'static str = "embedding";

    fn describe(&self) -> String {
        format!("embedding {}", self.width)
    }

    fn check(&self) -> Result<(), Refusal> {
        check_count("an embedding", self.width, "columns")
    }

    fn form(&self, reads: Form) -> Result<Form, Refusal> {
        match reads {
            Form::Index(Index { count, .. }) => {
                makes(Form::Sequence(Sequence { length: count, width: self.width }))
            }
            _ => Err(Refusal::form(
                format!("reads {reads}, not codes"),
                "give its input as `index = { count = 3, levels = 1000 }`",
            )),
        }
    }

    fn declare(&self, reads: Form, to: &mut Declaration<'_>) {
        let Form::Index(Index { levels, .. }) = reads else { unreachable!("an embedding reads codes") };
        let initializer = self.initializer.unwrap_or(Initializer::Normal(1.0));
        to.add("weight", Role::Weight(initializer), [levels, self.width]).fans = [levels, self.width];
    }

    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b> {
        at.role(NodeRole::Codes);
        let codes = x.reshape([at.batch() * reads.elements()]);
        at.role(NodeRole::Embedded);
        codes.builder().apply(GatherRows, &[at.parameter("weight"), codes])
    }

    fn case(dice: &mut Dice) -> LayerCase {
        let reads = Form::Index(Index { count: dice.size(), levels: 1 + dice.size() });
        LayerCase::new(Embedding::new(dice.size()), reads)
    }
}
