//! The forms of a page and of a trace: text, Markdown, HTML; JSON, Graphviz, SVG.

mod anchors;
pub(super) mod animation;
pub mod diagram;
pub(super) mod html;
pub mod json;
mod markdown;
mod mathml;
pub(super) mod picture;
mod text;
