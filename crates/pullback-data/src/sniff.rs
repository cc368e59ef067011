//! The list of readers, and which one fits a path.

use crate::malformed;
use crate::{csv, idx};
use flate2::bufread::MultiGzDecoder;
use pullback::data::{ColumnType, Table};
use pullback::error::{Error, Place, Result};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufReader, Cursor, ErrorKind, Read, Seek, SeekFrom};
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
    /// On how many threads the files of a folder may be read.
    pub threads: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { delimiter: None, has_header: None, types: BTreeMap::new(), limit_bytes: 4 << 30, threads: 1 }
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
    read: fn(&Path, Vec<u8>, &ReadOptions) -> Result<Table>,
}

/// The list of formats. The last one takes everything.
pub const FORMATS: &[Format] = &[
    Format { name: "IDX", is_format: idx::is_idx, read: idx::read_images },
    Format {
        name: "CSV",
        is_format: |_| true,
        read: |path, content, options| csv::read(path, &content, options),
    },
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
        return Err(malformed(Place::file(path), "the file is empty", "give a file with at least one row"));
    }
    let format =
        FORMATS.iter().find(|format| (format.is_format)(&content)).expect("the last one takes everything");
    (format.read)(path, content, options).map(Parts::from)
}

/// So much of a file is read at a time: less than the nearest caches hold.
const BUFFER_BYTES: usize = 64 << 10;
/// Nothing is compressed by gzip to a smaller part.
const MOST_COMPRESSED: u64 = 1032;

/// The bytes of a file, decompressed if it is compressed.
pub(crate) fn content(path: &Path, limit_bytes: u64) -> Result<Vec<u8>> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let refused = |cause| unreadable(path, cause);
    let mut file = fs::File::open(path).map_err(refused)?;
    let mut head = Vec::new();
    (&mut file).take(GZIP.len() as u64).read_to_end(&mut head).map_err(refused)?;
    let is_compressed = head == GZIP;
    let size = size(&mut file, is_compressed).map_err(refused)?;
    let source = Cursor::new(head).chain(BufReader::with_capacity(BUFFER_BYTES, file));
    let content = match is_compressed {
        false => take(source, size, limit_bytes),
        true => take(MultiGzDecoder::new(source), size, limit_bytes),
    };
    let content = content.map_err(|cause| {
        // What the system says has a number, what the decoder says has none.
        if !is_compressed || cause.raw_os_error().is_some() {
            return unreadable(path, cause);
        }
        malformed(
            Place::file(path),
            format!("the compressed content is damaged: {cause}"),
            "get the file again, or check it with `gzip -t`",
        )
    })?;
    if content.len() as u64 > limit_bytes {
        return Err(malformed(
            Place::file(path),
            format!("the content is larger than {limit_bytes} bytes"),
            "give a smaller file, or part of it",
        ));
    }
    Ok(content)
}

/// How large the content of a file will be, as far as it says so; 0 if it is no regular file.
fn size(file: &mut fs::File, is_compressed: bool) -> io::Result<u64> {
    let metadata = file.metadata()?;
    let size = metadata.len();
    if !metadata.is_file() || !is_compressed || size < 18 {
        return Ok(if metadata.is_file() { size } else { 0 });
    }
    // A compressed file ends with the size of what it holds.
    let mut told = [0; 4];
    let here = file.stream_position()?;
    file.seek(SeekFrom::End(-4))?;
    file.read_exact(&mut told)?;
    file.seek(SeekFrom::Start(here))?;
    Ok(u64::from(u32::from_le_bytes(told)).min(size.saturating_mul(MOST_COMPRESSED)))
}

/// Reads a source to its end, or one byte beyond the limit. The memory for `size` bytes is asked for at once,
/// as growing takes time; whether there is so much, and whether it is needed, shows later.
fn take(source: impl Read, size: u64, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let _ = content.try_reserve_exact(size.min(limit_bytes) as usize);
    source.take(limit_bytes.saturating_add(1)).read_to_end(&mut content)?;
    Ok(content)
}

fn unreadable(path: &Path, cause: std::io::Error) -> Error {
    let near = if cause.kind() == ErrorKind::NotFound { neighbor(path) } else { None };
    let error = Error::io(path, cause);
    match near {
        Some(near) => error.help(format!("did you mean {}?", near.display())),
        None => error,
    }
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
