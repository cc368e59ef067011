//! A page for the terminal.

use crate::explain::document::is_numeric;
use crate::explain::{Block, Document};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

impl Document {
    /// The page for a terminal of `width` columns, with escape codes for weight and color or without.
    pub fn text(&self, width: usize, has_color: bool) -> String {
        let paint = |code: &str, text: &str| {
            if has_color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
        };
        let mut out = String::new();
        for block in &self.blocks {
            match block {
                Block::Heading(level, text) => {
                    let line = if *level == 1 { "=" } else { "-" }.repeat(text.width().min(width));
                    let _ = writeln!(out, "\n{}\n{line}", paint("1", text));
                }
                Block::Text(text) => {
                    let _ = writeln!(out, "{}", wrap(text, width, 0));
                }
                Block::Formula { text, .. } => {
                    let _ = writeln!(out, "  {}", wrap(text, width - 2, 6));
                }
                Block::Warning(text) => {
                    let _ = writeln!(out, "{}", paint("33", &wrap(&format!("! {text}"), width, 2)));
                }
                Block::Table { columns, rows } => table(&mut out, columns, rows, width, &paint),
            }
        }
        out.trim_start_matches('\n').to_owned()
    }
}

/// A text in lines of at most `width` columns, after `indent` spaces each but the first.
pub(super) fn wrap(text: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for (at, word) in text.split(' ').enumerate() {
        let length = word.width();
        if at > 0 && column + 1 + length > width {
            let _ = write!(out, "\n{:indent$}", "");
            column = indent;
        } else if at > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

/// A table; where it is too wide for the terminal, its last column goes on below.
fn table(
    out: &mut String,
    columns: &[String],
    rows: &[Vec<String>],
    width: usize,
    paint: &impl Fn(&str, &str) -> String,
) {
    let mut widths: Vec<usize> = columns.iter().map(|name| name.width()).collect();
    for row in rows {
        for (own, cell) in widths.iter_mut().zip(row) {
            *own = (*own).max(cell.width());
        }
    }
    let before: usize = 2 + widths.iter().rev().skip(1).map(|own| own + 2).sum::<usize>();
    let line = |cells: &[String]| {
        let mut text = String::from("  ");
        let mut is_first = true;
        for (at, cell) in cells.iter().enumerate() {
            if !is_first {
                text.push_str("  ");
            }
            is_first = false;
            let room = widths[at].saturating_sub(cell.width());
            let is_last = at + 1 == cells.len();
            if is_numeric(rows, at) {
                text.push_str(&" ".repeat(room));
                text.push_str(cell);
            } else if is_last {
                let left = width.saturating_sub(before).max(24);
                text.push_str(&wrap(cell, left, 0).replace('\n', &format!("\n{}", " ".repeat(before))));
            } else {
                text.push_str(cell);
                text.push_str(&" ".repeat(room));
            }
        }
        text.trim_end().to_owned()
    };
    let _ = writeln!(out, "{}", paint("2", &line(columns)));
    for row in rows {
        let _ = writeln!(out, "{}", line(row));
    }
}
