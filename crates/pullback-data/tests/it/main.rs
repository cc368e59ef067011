//! The readers' tests, one binary: what is read, what is refused, and that no file makes a reader panic or takes
//! memory that it has no right to.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

#[cfg(feature = "parquet")]
mod columnar;
mod csv;
mod damage;
mod files;
mod formats;
mod forms;
mod idx;
mod images;
mod memory;
mod rows;
mod spooled;

use pullback::data::Values;
use pullback_data::{Parts, ReadOptions, read};

/// Reads a content as a file of that name.
fn read_as(name: &str, content: &[u8], options: &ReadOptions) -> Result<Parts, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    read(&path, options).map_err(|error| error.one_line())
}

/// The numbers of a column.
fn numbers(parts: &Parts, name: &str) -> Vec<f64> {
    match &*parts.train.column(name).unwrap().values().unwrap() {
        Values::Numbers(numbers) => numbers.clone(),
        other => panic!("column {name} holds {other:?}"),
    }
}

/// The texts of a column.
fn texts(parts: &Parts, name: &str) -> Vec<Option<String>> {
    match &*parts.train.column(name).unwrap().values().unwrap() {
        Values::Categories(categories) => {
            (0..categories.rows()).map(|row| categories.text(row).map(str::to_owned)).collect()
        }
        other => panic!("column {name} holds {other:?}"),
    }
}
