//! The list of readers, and which one fits a path.

use crate::error::{Error, Place, Result};
use crate::{csv, idx};
use flate2::read::MultiGzDecoder;
use pullback::data::{ColumnType, Table};
use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// What a user can say about a file, where what is found out by looking is not what is meant.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// The character between fields; found out by default.
    pub delimiter: Option<u8>,
    /// Whether the first line names the columns; found out by default.
    pub has_header: Option<bool>,
    /// Columns whose inferred type is not what is meant.
    pub types: BTreeMap<String, ColumnType>,
    /// The largest size of a file, decompressed.
    pub limit_bytes: u64,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { delimiter: None, has_header: None, types: BTreeMap::new(), limit_bytes: 4 << 30 }
    }
}

/// What was read: rows to train on, and rows to test on if the source sets some apart.
#[derive(Debug, Clone)]
pub struct Parts {
    /// All rows, or those to train on.
    pub train: Table,
    /// The rows that the source sets apart.
    pub test: Option<Table>,
}

impl From<Table> for Parts {
    fn from(train: Table) -> Self {
        Self { train, test: None }
    }
}

/// A format that can be read.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// Whether a content looks like it, by its first bytes.
    is_format: fn(&[u8]) -> bool,
    /// Reads a content; the path is for messages, and for files that belong to it.
    read: fn(&Path, &[u8], &ReadOptions) -> Result<Table>,
}

/// The list of formats. The last one takes everything.
pub const FORMATS: &[Format] = &[
    Format { name: "IDX", is_format: idx::is_idx, read: idx::read_images },
    Format { name: "CSV", is_format: |_| true, read: csv::read },
];

/// Reads a file, or a folder of the four IDX files.
///
/// # Errors
/// If there is no such file, or it cannot be read, or its content is damaged; the message says where
/// and what to do.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Parts> {
    let found = fs::metadata(path).map_err(|cause| unreadable(path, cause))?;
    if found.is_dir() {
        return idx::read_folder(path, options);
    }
    let content = content(path, options.limit_bytes)?;
    if content.is_empty() {
        return Err(Error::malformed(
            Place::file(path),
            "the file is empty",
            "give a file with at least one row",
        ));
    }
    let format =
        FORMATS.iter().find(|format| (format.is_format)(&content)).expect("the last one takes everything");
    (format.read)(path, &content, options).map(Parts::from)
}

/// The bytes of a file, decompressed if it is compressed.
pub(crate) fn content(path: &Path, limit_bytes: u64) -> Result<Vec<u8>> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let raw = take(path, fs::File::open(path).map_err(|cause| unreadable(path, cause))?, limit_bytes)?;
    if !raw.starts_with(&GZIP) {
        return Ok(raw);
    }
    take(path, MultiGzDecoder::new(raw.as_slice()), limit_bytes).map_err(|error| match error {
        Error::Unreadable { cause, .. } => Error::malformed(
            Place::file(path),
            format!("the compressed content is damaged: {cause}"),
            "get the file again, or check it with `gzip -t`",
        ),
        error => error,
    })
}

fn take(path: &Path, source: impl Read, limit_bytes: u64) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    source.take(limit_bytes + 1).read_to_end(&mut content).map_err(|cause| unreadable(path, cause))?;
    if content.len() as u64 > limit_bytes {
        return Err(Error::malformed(
            Place::file(path),
            format!("the content is larger than {limit_bytes} bytes"),
            "give a smaller file, or part of it",
        ));
    }
    Ok(content)
}

fn unreadable(path: &Path, cause: std::io::Error) -> Error {
    let help = match cause.kind() {
        ErrorKind::NotFound => match neighbor(path) {
            Some(near) => format!("did you mean {}?", near.display()),
            None => "check the path".to_owned(),
        },
        ErrorKind::PermissionDenied => "check who may read the file".to_owned(),
        _ => "check the path and the disk".to_owned(),
    };
    Error::Unreadable { path: path.to_path_buf(), cause, help }
}

/// The file beside it whose name is nearest.
fn neighbor(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .take(10_000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    let near = pullback::error::nearest_name(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(path.with_file_name(near))
}
