//! A page of headings, sentences, formulas and tables, and its forms: text, Markdown, HTML.

use crate::report::svg::escaped;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

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
    /// Something to take care of.
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

fn is_number(cell: &str) -> bool {
    cell.is_empty() || cell.parse::<f64>().is_ok()
}

/// A text in lines of at most `width` columns, after `indent` spaces each but the first.
fn wrap(text: &str, width: usize, indent: usize) -> String {
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

    /// The page as Markdown, with LaTeX between dollar signs.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        for block in &self.blocks {
            let _ = match block {
                Block::Heading(level, text) => {
                    writeln!(out, "{} {text}\n", "#".repeat(usize::from(*level)))
                }
                Block::Text(text) => writeln!(out, "{text}\n"),
                Block::Formula { latex, .. } => writeln!(out, "$${latex}$$\n"),
                Block::Warning(text) => writeln!(out, "> **!** {text}\n"),
                Block::Table { columns, rows } => {
                    let line = |cells: &[String]| {
                        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
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

    /// The page as one HTML file that needs nothing else; `figure` is put under the first heading.
    pub fn html(&self, figure: Option<&str>) -> String {
        let title = self.blocks.iter().find_map(|block| match block {
            Block::Heading(_, text) => Some(escaped(text)),
            _ => None,
        });
        let mut out = format!(
            "<!doctype html>\n<html lang=\"{}\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{}</title>\n<style>{STYLE}</style>\n<main>\n",
            self.language,
            title.unwrap_or_default()
        );
        let mut figure = figure;
        for block in &self.blocks {
            let _ = match block {
                Block::Heading(level, text) => writeln!(out, "<h{level}>{}</h{level}>", escaped(text)),
                Block::Text(text) => writeln!(out, "<p>{}</p>", escaped(text)),
                Block::Formula { text, .. } => writeln!(out, "<p class=\"formula\">{}</p>", escaped(text)),
                Block::Warning(text) => writeln!(out, "<p class=\"warning\">{}</p>", escaped(text)),
                Block::Table { columns, rows } => {
                    let class = |at| if is_numeric(rows, at) { " class=\"n\"" } else { "" };
                    let cells = |tag: &str, cells: &[String]| -> String {
                        let cells = cells.iter().enumerate();
                        cells
                            .map(|(at, cell)| format!("<{tag}{}>{}</{tag}>", class(at), escaped(cell)))
                            .collect()
                    };
                    let _ = writeln!(out, "<div class=\"wide\"><table>\n<tr>{}</tr>", cells("th", columns));
                    for row in rows {
                        let _ = writeln!(out, "<tr>{}</tr>", cells("td", row));
                    }
                    writeln!(out, "</table></div>")
                }
            };
            if let (Block::Text(_), Some(drawing)) = (block, figure) {
                let _ = writeln!(out, "<div class=\"wide\">{drawing}</div>");
                figure = None;
            }
        }
        out.push_str("</main>\n</html>\n");
        out
    }
}

const STYLE: &str = "body{margin:0;background:#fff;color:#1c2430;font:16px/1.55 system-ui,sans-serif}\
main{max-width:60rem;margin:0 auto;padding:1.5rem}h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem;\
border-bottom:1px solid #d8dee6;padding-bottom:.2rem}.formula{font-family:ui-monospace,monospace;font-size:.92rem;\
background:#f4f6f9;border-left:3px solid #3367d6;padding:.4rem .8rem;overflow-x:auto}.wide{overflow-x:auto}\
table{border-collapse:collapse;font-size:.92rem;margin:.6rem 0}th,td{padding:.2rem .7rem;text-align:left;\
border-bottom:1px solid #e6eaf0;white-space:nowrap}th{color:#56606e;font-weight:600}.n{text-align:right;\
font-variant-numeric:tabular-nums;font-family:ui-monospace,monospace}.warning{background:#fff6e0;\
border-left:3px solid #d98e00;padding:.4rem .8rem}\
@media(prefers-color-scheme:dark){body{background:#14181f;color:#e3e8ef}.formula{background:#1d232c}\
th{color:#9aa5b4}th,td{border-color:#2b333f}h2{border-color:#2b333f}.warning{background:#33280f}}";

fn is_numeric(rows: &[Vec<String>], at: usize) -> bool {
    !rows.is_empty() && rows.iter().all(|row| row.get(at).is_some_and(|cell| is_number(cell)))
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
