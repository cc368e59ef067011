//! A page for the terminal.

use crate::explain::document::is_numeric;
use crate::explain::{Block, Document};
use crate::report::names::Columns;
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
                    let text = wrap(text, width, 0);
                    let longest = text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0);
                    let line = if *level == 1 { "=" } else { "-" }.repeat(longest.min(width));
                    let _ = writeln!(out, "\n{}\n{line}", paint("1", &text));
                }
                Block::Text(text) => {
                    let _ = writeln!(out, "{}", wrap(text, width, 0));
                }
                Block::Formula { text, .. } => {
                    let _ = writeln!(out, "  {}", wrap_formula(text, width - 2));
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

/// A text in lines of at most `width` columns of a terminal, after `indent` spaces each but the first.
fn wrap(text: &str, width: usize, indent: usize) -> String {
    wrap_by(UnicodeWidthStr::width, text, width, indent)
}

/// The same with columns counted another way.
pub(super) fn wrap_by(columns: Columns, text: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for (at, word) in text.split(' ').enumerate() {
        let length = columns(word);
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

/// A formula in lines of at most `width` columns: broken before its signs of equality where that is enough.
fn wrap_formula(text: &str, width: usize) -> String {
    const INDENT: usize = 4;
    if text.width() <= width {
        return text.to_owned();
    }
    let mut lines: Vec<String> = Vec::new();
    for (at, side) in text.split(" = ").enumerate() {
        match lines.last_mut() {
            Some(last) if at == 1 && last.width() + 3 + side.width() <= width => {
                last.push_str(" = ");
                last.push_str(side);
            }
            Some(_) => lines.push(format!("{:INDENT$}= {side}", "")),
            None => lines.push(side.to_owned()),
        }
    }
    let wrapped: Vec<String> = lines.iter().map(|line| wrap(line, width, INDENT + 4)).collect();
    // Two spaces stand before a formula.
    wrapped.join("\n").replace('\n', "\n  ")
}

/// The narrowest last column of a table.
const NARROWEST: usize = 20;

/// A table; where it is too wide for the terminal, its last column goes on below, and where there is no room for that
/// either, each row becomes lines of its own.
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
    let last = widths.last().copied().unwrap_or(0);
    let can_wrap = !is_numeric(rows, columns.len().saturating_sub(1));
    let needed = before + if can_wrap { last.min(NARROWEST) } else { last };
    if needed > width {
        return records(out, columns, rows, width, paint);
    }
    let line = |cells: &[String]| {
        let mut text = String::from("  ");
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                text.push_str("  ");
            }
            let room = widths[at].saturating_sub(cell.width());
            let is_last = at + 1 == cells.len();
            if is_numeric(rows, at) {
                text.push_str(&" ".repeat(room));
                text.push_str(cell);
            } else if is_last {
                let left = width.saturating_sub(before);
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

/// A table row by row: a line for each cell, behind the name of its column.
fn records(
    out: &mut String,
    columns: &[String],
    rows: &[Vec<String>],
    width: usize,
    paint: &impl Fn(&str, &str) -> String,
) {
    let longest = columns.iter().skip(1).map(|name| name.width()).max().unwrap_or(0).min(width / 2);
    for row in rows {
        let first = row.first().map_or("", String::as_str);
        if !first.is_empty() {
            let _ = writeln!(out, "  {}", wrap(first, width.saturating_sub(2), 2));
        }
        for (name, cell) in columns.iter().zip(row).skip(1).filter(|(_, cell)| !cell.is_empty()) {
            let room = longest.saturating_sub(name.width());
            let indent = 4 + longest.max(name.width()) + 2;
            let text = wrap(cell, width.saturating_sub(indent), 0);
            let text = text.replace('\n', &format!("\n{}", " ".repeat(indent)));
            let _ = writeln!(out, "    {}{}  {text}", paint("2", name), " ".repeat(room));
        }
    }
}
