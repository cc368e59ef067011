//! The glass box: what one forward and backward pass computed, and how.
//!
//! [`Trace`] reads the numbers off the graph that the trainer runs. [`describe`] puts them into a
//! [`Document`], in the language of a [`Catalog`]; a document becomes text, Markdown or a page, and
//! [`diagram`] draws the graph. [`examples`] holds well-known networks with their published numbers.

mod catalog;
mod check;
mod describe;
pub mod diagram;
mod document;
pub mod examples;
pub mod four_ways;
pub mod json;
mod ledger;
mod notation;
mod rows;
mod trace;

pub use catalog::{Catalog, LANGUAGES};
pub use check::{CheckOptions, ParameterCheck, check};
pub use describe::{Focus, Options, describe, describe_circuit, describe_claims};
pub use document::{Block, Document};
pub use ledger::{Finding, Ledger, Member, diagnose, ledger};
pub use notation::{Notation, Symbol};
pub use rows::trace_rows;
pub use trace::{Dense, Factor, FactorKind, Filters, Imaging, Link, Part, Trace};
