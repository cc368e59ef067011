//! A page as Markdown.

use crate::explain::document::is_numeric;
use crate::explain::{Block, Document};
use std::fmt::Write;

impl Document {
    /// The page as Markdown, with LaTeX between dollar signs.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        for block in &self.blocks {
            let _ = match block {
                Block::Heading(level, text) => {
                    writeln!(out, "{} {text}\n", "#".repeat(usize::from(*level)))
                }
                Block::Text(text) => writeln!(out, "{}\n", plain(text)),
                Block::Formula { latex, .. } => writeln!(out, "$${latex}$$\n"),
                Block::Warning(text) => writeln!(out, "> **!** {}\n", plain(text)),
                Block::Table { columns, rows } => {
                    let line = |cells: &[String]| {
                        let cells: Vec<String> =
                            cells.iter().map(|cell| plain(cell).replace('|', "\\|")).collect();
                        format!("| {} |", cells.join(" | "))
                    };
                    let marks: Vec<String> = (0..columns.len())
                        .map(|at| if is_numeric(rows, at) { "---:" } else { "---" }.to_owned())
                        .collect();
                    let _ = writeln!(out, "{}\n{}", line(columns), line(&marks));
                    for row in rows {
                        let _ = writeln!(out, "{}", line(row));
                    }
                    writeln!(out)
                }
            };
        }
        out
    }
}

/// A text in which an asterisk is one, and begins no italics.
fn plain(text: &str) -> String {
    text.replace('*', "\\*")
}
