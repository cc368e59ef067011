//! A page of headings, sentences, formulas and tables. Its forms are in `render/`.

use super::Catalog;
use crate::report::names::put_in_a_line;

/// A part of a page.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A heading, of level 1 or 2.
    Heading(u8, String),
    /// A paragraph.
    Text(String),
    /// A line of mathematics, as text and as LaTeX.
    Formula {
        /// For the terminal.
        text: String,
        /// For paper.
        latex: String,
    },
    /// Rows under column names. Columns of numbers are aligned to the right.
    Table {
        /// The names of the columns.
        columns: Vec<String>,
        /// The cells, a row each.
        rows: Vec<Vec<String>>,
    },
    /// A warning.
    Warning(String),
}

/// A page.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The language's code.
    pub language: &'static str,
    /// Its parts, in order.
    pub blocks: Vec<Block>,
}

/// The sections of a page by the names under which one asks for them, and the key of each heading.
pub const SECTIONS: [(&str, &str); 9] = [
    ("layers", "overview"),
    ("forward", "forward"),
    ("cost", "cost"),
    ("backward", "backward"),
    ("gradients", "gradients"),
    ("update", "update"),
    ("work", "work"),
    ("ensemble", "ensemble_mean"),
    ("expected", "checked_against"),
];

impl Document {
    /// A page of these blocks. Line ends and marks of direction in its texts are those of names and cells, and shown.
    pub(super) fn new(language: &'static str, mut blocks: Vec<Block>) -> Self {
        for block in &mut blocks {
            match block {
                Block::Heading(_, text) | Block::Text(text) | Block::Warning(text) => put_in_a_line(text),
                Block::Table { columns, rows } => {
                    columns.iter_mut().chain(rows.iter_mut().flatten()).for_each(put_in_a_line);
                }
                Block::Formula { .. } => {}
            }
        }
        Self { language, blocks }
    }

    /// One section alone, from its heading to that of the next; absent if the page has none of that name.
    pub fn section(&self, name: &str, catalog: &Catalog) -> Option<Self> {
        let heading = |key: &str| Block::Heading(2, catalog.get(key).to_owned());
        let (_, key) = SECTIONS.iter().find(|(own, _)| *own == name)?;
        let first = self.blocks.iter().position(|block| *block == heading(key))?;
        let is_next = |block: &&Block| SECTIONS.iter().any(|(_, key)| **block == heading(key));
        let count = self.blocks[first + 1..].iter().take_while(|block| !is_next(block)).count();
        Some(Self { language: self.language, blocks: self.blocks[first..=first + count].to_vec() })
    }
}

/// Whether all cells of a column are numbers.
pub(super) fn is_numeric(rows: &[Vec<String>], at: usize) -> bool {
    !rows.is_empty() && rows.iter().all(|row| row.get(at).is_some_and(|cell| is_number(cell)))
}

fn is_number(cell: &str) -> bool {
    cell.is_empty() || cell.parse::<f64>().is_ok()
}
