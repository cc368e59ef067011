//! A page as HTML: every row and number has an anchor, and what is read leads to where it came from.

use super::anchors::Anchors;
use super::mathml::mathml;
use crate::explain::document::is_numeric;
use crate::explain::{Block, Catalog, Document};
use crate::report::svg::escaped;
use std::fmt::Write;

/// The drawings of a page.
#[derive(Debug, Clone, Default)]
pub struct Drawings {
    /// What is drawn first: units, weights and gradients, or gates.
    pub picture: Option<String>,
    /// The graph of all operations, which is folded up.
    pub graph: Option<String>,
}

impl Document {
    /// The page as one HTML file that needs nothing else.
    pub fn html(&self, drawings: &Drawings) -> String {
        let catalog = Catalog::find(self.language).unwrap_or_else(Catalog::english);
        let title = self.blocks.iter().find_map(|block| match block {
            Block::Heading(_, text) => Some(escaped(text)),
            _ => None,
        });
        let mut out = format!(
            "<!doctype html>\n<html lang=\"{}\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{}</title>\n<style>{STYLE}</style>\n<main>\n",
            self.language,
            title.unwrap_or_default()
        );
        let anchors = Anchors::of(self);
        let mut drawing = drawn(drawings, &catalog);
        let has_heading = matches!(self.blocks.first(), Some(Block::Heading(1, _)));
        if !has_heading {
            out.push_str(&std::mem::take(&mut drawing));
        }
        let mut heading = String::new();
        for (at, block) in self.blocks.iter().enumerate() {
            let _ = match block {
                // A section alone begins the page.
                Block::Heading(level, text) => {
                    heading.clone_from(text);
                    let level = if at == 0 { 1 } else { (*level).max(2) };
                    writeln!(out, "<h{level} id=\"s{at}\">{}</h{level}>", escaped(text))
                }
                Block::Text(text) => writeln!(out, "<p>{}</p>", anchors.linked(text, None)),
                Block::Formula { text, latex } => {
                    let content = match mathml(latex) {
                        Some(math) => math,
                        None => format!("<code>{}</code>", escaped(text)),
                    };
                    writeln!(out, "<div class=\"formula\" tabindex=\"0\">{content}</div>")
                }
                Block::Warning(text) => {
                    writeln!(out, "<p class=\"warning\" role=\"note\">{}</p>", escaped(text))
                }
                Block::Table { columns, rows } => {
                    table(&mut out, (at, &heading), columns, rows, &anchors);
                    Ok(())
                }
            };
            if at == 0 {
                out.push_str(&std::mem::take(&mut drawing));
            }
        }
        out.push_str("</main>\n</html>\n");
        out
    }
}

fn drawn(drawings: &Drawings, catalog: &Catalog) -> String {
    let mut out = String::new();
    if let Some(picture) = &drawings.picture {
        let caption = escaped(catalog.get("picture_caption"));
        let _ = writeln!(out, "<figure>{picture}<figcaption>{caption}</figcaption></figure>");
    }
    if let Some(graph) = &drawings.graph {
        let summary = escaped(catalog.get("graph_summary"));
        let _ = writeln!(
            out,
            "<details><summary>{summary}</summary><div class=\"wide\" tabindex=\"0\">{graph}</div></details>"
        );
    }
    out
}

/// A table whose caption is its heading; the first cell of a row is its name.
fn table(
    out: &mut String,
    (at, heading): (usize, &str),
    columns: &[String],
    rows: &[Vec<String>],
    anchors: &Anchors,
) {
    let class = |at| if is_numeric(rows, at) { " class=\"n\"" } else { "" };
    let _ = writeln!(
        out,
        "<div class=\"wide\" tabindex=\"0\"><table>\n<caption>{}</caption>\n<thead><tr>{}</tr></thead>\n<tbody>",
        escaped(heading),
        columns
            .iter()
            .enumerate()
            .map(|(at, name)| format!("<th scope=\"col\"{}>{}</th>", class(at), escaped(name)))
            .collect::<String>()
    );
    for (number, row) in rows.iter().enumerate() {
        let own = anchors.row(at, number);
        let _ = write!(out, "<tr id=\"{own}\">");
        for (column, cell) in row.iter().enumerate() {
            if column == 0 && !cell.is_empty() {
                let _ = write!(out, "<th scope=\"row\"{}>{}</th>", class(column), escaped(cell));
                continue;
            }
            // A number is told by its row and column, wherever one points at it.
            let name = columns.get(column).map_or("", String::as_str);
            let title = format!("{}: {name}", row[0]).replace('"', "&quot;");
            let _ = write!(
                out,
                "<td id=\"{own}-{column}\" title=\"{}\"{}>{}</td>",
                escaped(&title).replace("&amp;quot;", "&quot;"),
                class(column),
                anchors.linked(cell, Some((at, number, column)))
            );
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

const STYLE: &str = ":root{--paper:#fff;--ink:#1c2430;--dim:#56606e;--line:#d8dee6;--soft:#f4f6f9;--link:#1a56c4;\
--mark:#fff3c4;--warn:#fff6e0}@media(prefers-color-scheme:dark){:root{--paper:#14181f;--ink:#e3e8ef;--dim:#9aa5b4;\
--line:#2b333f;--soft:#1d232c;--link:#8db8ff;--mark:#4a3f10;--warn:#33280f}}\
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif;overflow-wrap:anywhere}\
main{max-width:60rem;margin:0 auto;padding:1.5rem}h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem;\
border-bottom:1px solid var(--line);padding-bottom:.2rem}.formula{font-size:1.05rem;background:var(--soft);\
border-left:3px solid var(--link);padding:.4rem .8rem;margin:.5rem 0;overflow-x:auto}.formula code{font-size:.92rem;\
overflow-wrap:normal;white-space:pre}math{margin:0}figure{margin:1rem 0}figure svg{display:block;width:100%;height:auto;\
border:1px solid var(--line);border-radius:10px}figcaption{color:var(--dim);font-size:.92rem;padding:.4rem 0}\
.wide{overflow-x:auto}details{margin:1rem 0}summary{cursor:pointer}table{border-collapse:collapse;font-size:.92rem;\
margin:.6rem 0}caption{text-align:left;color:var(--dim);font-size:.85rem;padding-bottom:.2rem}th,td{padding:.2rem .7rem;\
text-align:left;border-bottom:1px solid var(--line);white-space:nowrap;scroll-margin-top:4rem}thead th{color:var(--dim);\
font-weight:600}tbody th{font-weight:500}.n{text-align:right;font-variant-numeric:tabular-nums;\
font-family:ui-monospace,monospace}a{color:var(--link)}td a{text-decoration-style:dotted}tr:target,td:target{\
background:var(--mark)}.warning{background:var(--warn);border-left:3px solid #d98e00;padding:.4rem .8rem}\
@media(max-width:480px){main{padding:.8rem}th,td{padding:.15rem .4rem}}";
