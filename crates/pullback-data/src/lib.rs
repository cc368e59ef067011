//! Readers of data files for Pullback: bytes in, tables out.
//!
//! [`read`] looks at what is there and takes the reader that fits: comma- (semicolon-, tab-, bar-)
//! separated text, IDX images with labels, either compressed by gzip or not. Every refusal says what
//! was wrong, where, and what to do; no file, however damaged, makes a reader panic or take more
//! memory than [`ReadOptions::limit_bytes`] and the table itself.
#![forbid(unsafe_code)]

mod csv;
mod idx;
mod sniff;

use pullback::error::{Error, Place};

/// Content that is not what its format says.
fn malformed(place: Place, what: impl Into<String>, help: impl Into<String>) -> Error {
    Error::data(what).at(place).help(help)
}

pub use sniff::{FORMATS, Format, Parts, ReadOptions, read};
