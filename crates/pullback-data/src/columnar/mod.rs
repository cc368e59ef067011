//! Files that store columns with their types: Parquet, and Arrow IPC (`.arrow`, `.feather`) as a file or a stream.
//!
//! `parquet` and `ipc` bound what a file may ask for before the official decoders see it, and hand over batches of
//! rows; `cells` makes columns of them. A column's type is the one that the file's schema names; what has rows within
//! rows (lists, structs, maps) is no table, and is refused by the column's name. The decoders run behind `guard`: what
//! they refuse, or panic about, ends in an error with the file's name.

mod cells;
mod ipc;
mod parquet;
mod thrift;

pub(crate) use ipc::{is_file, is_stream, read_file, read_stream};
pub(crate) use parquet::{is_parquet, read_parquet};
