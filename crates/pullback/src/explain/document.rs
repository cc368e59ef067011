//! A page of headings, sentences, formulas and tables. Its forms are in `render/`.

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

/// Whether all cells of a column are numbers.
pub(super) fn is_numeric(rows: &[Vec<String>], at: usize) -> bool {
    !rows.is_empty() && rows.iter().all(|row| row.get(at).is_some_and(|cell| is_number(cell)))
}

fn is_number(cell: &str) -> bool {
    cell.is_empty() || cell.parse::<f64>().is_ok()
}
