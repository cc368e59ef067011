//! The forms of a page and of a trace: text, Markdown, HTML; JSON, Graphviz, SVG.

pub mod diagram;
mod html;
pub mod json;
mod markdown;
mod text;
