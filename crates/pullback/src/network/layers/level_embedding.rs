//! A trained row of numbers for each level of a category whose levels are inputs.

use super::item::{check_count, makes};
use super::{Item, LayerCase};
use crate::graph::ops::{ColumnsProduct, Dice};
use crate::graph::{NodeRole, Var};
use crate::network::declare::Declaration;
use crate::network::lower::Lowering;
use crate::network::path::Refusal;
use crate::network::{Form, Initializer, Role};
use serde::{Deserialize, Serialize};

/// A trained row of numbers for each level of some categories, whose levels are inputs side by side: 1 for the row's
/// own, 0 for the others. All other inputs pass through, and all stay in order. A row without a level has zeros.
///
/// It is a product with a matrix of blocks, one a category, and zeros elsewhere, which are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelEmbedding {
    /// The categories, in the order of the inputs.
    pub categories: Vec<EmbeddedLevels>,
    /// Where the rows start; by default normal, with a length of about 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initializer: Option<Initializer>,
}

/// A category whose levels are inputs, and how many numbers each level becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddedLevels {
    /// The input of the first level, counted from 0.
    pub first: usize,
    /// The number of levels.
    pub levels: usize,
    /// The numbers of each.
    pub width: usize,
}

impl LevelEmbedding {
    /// Of these categories, with all choices left open.
    pub fn new(categories: Vec<EmbeddedLevels>) -> Self {
        Self { categories, initializer: None }
    }

    fn parameter(number: usize) -> String {
        format!("weight_{}", number + 1)
    }
}

impl Item for LevelEmbedding {
    const KIND: &'static str = "level_embedding";

    fn describe(&self) -> String {
        /// Of more categories the widths are not listed.
        const MOST_WIDTHS: usize = 4;
        let widths: Vec<String> = self.categories.iter().map(|category| category.width.to_string()).collect();
        match widths.len() {
            ..=MOST_WIDTHS => format!("level embedding {}", widths.join("+")),
            count => format!("level embedding of {count} categories"),
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.categories.is_empty() {
            return Err(Refusal::setting(
                "no category is embedded",
                "give at least one, or leave the layer out",
            ));
        }
        let mut end = 0;
        for EmbeddedLevels { first, levels, width } in &self.categories {
            check_count("an embedding", *width, "columns")?;
            check_count("a category", *levels, "levels")?;
            if *first < end {
                return Err(Refusal::setting(
                    format!("the category at input {first} begins before the one before it ends, at {end}"),
                    "list categories in the order of the inputs",
                ));
            }
            end = first.saturating_add(*levels);
        }
        Ok(())
    }

    fn form(&self, reads: Form) -> Result<Form, Refusal> {
        let Form::Row(inputs) = reads else {
            return Err(Refusal::form(
                format!("reads {reads}, not a row of inputs"),
                "make it the first layer of a table's inputs; codes have `embedding`",
            ));
        };
        let end = self.categories.last().map_or(0, |category| category.first.saturating_add(category.levels));
        if end > inputs {
            return Err(Refusal::form(
                format!("reads {inputs} inputs, but its last category ends at {end}"),
                "correct the places of the categories",
            ));
        }
        let levels: usize = self.categories.iter().map(|category| category.levels).sum();
        let made = self.categories.iter().fold(0_usize, |sum, category| sum.saturating_add(category.width));
        makes(Form::Row((inputs - levels).saturating_add(made)))
    }

    fn declare(&self, _reads: Form, to: &mut Declaration<'_>) {
        for (number, EmbeddedLevels { levels, width, .. }) in self.categories.iter().enumerate() {
            let initializer = self.initializer.unwrap_or(Initializer::Normal(1.0 / (*width as f64).sqrt()));
            let name = Self::parameter(number);
            to.add(&name, Role::Weight(initializer), [*width, *levels]).fans = [*levels, *width];
        }
    }

    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b> {
        let rows = at.rows(reads, x);
        let mut parts = Vec::new();
        let mut from = 0;
        for (number, &EmbeddedLevels { first, levels, .. }) in self.categories.iter().enumerate() {
            if from < first {
                at.role(NodeRole::Unnamed);
                parts.push(rows.slice(1, from, first));
            }
            at.role(NodeRole::Embedded);
            let weight = at.parameter(&Self::parameter(number));
            parts.push(rows.builder().apply(ColumnsProduct { start: first }, &[rows, weight]));
            from = first + levels;
        }
        if from < reads.elements() {
            at.role(NodeRole::Unnamed);
            parts.push(rows.slice(1, from, reads.elements()));
        }
        at.role(NodeRole::Joined);
        at.concatenated(parts)
    }

    fn case(dice: &mut Dice) -> LayerCase {
        let mut inputs = 0;
        let mut category = |dice: &mut Dice| {
            let (first, levels) = (inputs + dice.below(3), dice.size());
            inputs = first + levels;
            EmbeddedLevels { first, levels, width: dice.size() }
        };
        let categories = (0..1 + dice.below(3)).map(|_| category(dice)).collect();
        LayerCase::new(LevelEmbedding::new(categories), Form::Row(inputs + dice.below(3)))
    }
}
