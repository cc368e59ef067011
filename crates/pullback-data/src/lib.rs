//! Readers of data files for Pullback: bytes in, tables out.
//!
//! [`read`] looks at what is there and takes the reader that fits: comma- (semicolon-, tab-, bar-, space-)
//! separated text in any usual encoding, JSON lines, NumPy arrays, IDX images with labels, either compressed (gzip,
//! Zstandard, bzip2, xz, zip) or not, and folders of PNG and JPEG images; with the feature `parquet`, Parquet and Arrow
//! IPC. A reader makes raw columns of cells; what a column is, `kind` alone decides. What was decided that a user may
//! want to know of comes back as [`Note`]s. Every refusal says what was wrong, where, and what to do; no file, however
//! damaged, makes a reader panic or take more memory than [`ReadOptions::limit_bytes`] and the table itself.
#![forbid(unsafe_code)]

mod budget;
mod cell;
#[cfg(feature = "parquet")]
mod columnar;
mod container;
mod content;
mod csv;
mod date;
mod encoding;
mod gather;
mod guard;
mod idx;
mod images;
mod json_forms;
mod jsonl;
mod kind;
mod note;
mod npy;
mod number;
mod raw;
mod sniff;
mod spool;
mod text;
mod unit;

use pullback::error::{Error, Place};

/// Content that is not what its format says.
fn malformed(place: Place, what: impl Into<String>, help: impl Into<String>) -> Error {
    Error::data(what).at(place).help(help)
}

pub use images::{ENDINGS as IMAGE_ENDINGS, ImageSize};
pub use note::{Note, NoteKind};
pub use sniff::{Delimiter, FORMATS, Format, Parts, ReadOptions, read, read_from};
pub use spool::Spool;
