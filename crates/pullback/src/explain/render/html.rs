//! A page as HTML.

use crate::explain::document::is_numeric;
use crate::explain::{Block, Document};
use crate::report::svg::escaped;
use std::fmt::Write;

impl Document {
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
