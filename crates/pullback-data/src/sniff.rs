//! The list of readers, and which one fits a path.

use crate::budget::Budget;
use crate::container::{Compression, HEAD_BYTES, gzip_size, is_zip, only_file, refuse_large, take};
use crate::encoding::Decoded;
use crate::images::{self, ImageSize};
use crate::malformed;
use crate::note::Note;
use crate::spool::{Positioned, Spool};
use crate::text::{Text, count};
use crate::{csv, encoding, idx, jsonl, npy, spool};
use encoding_rs::Encoding;
use pullback::data::{Column, ColumnType, Store, Table, Values};
use pullback::error::{Error, Place, Result};
use std::collections::{BTreeMap, BTreeSet};
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
    /// What columns hold in the data that a model was trained on: whatever they look like here, they are read as that.
    /// Cells that are no numbers are then missing ones, which a note says.
    pub known: BTreeMap<String, ColumnType>,
    /// Columns in whose dates the day stands before the month, where the cells do not tell.
    pub day_first: BTreeSet<String>,
    /// A file with the targets, where the data are an array without.
    pub targets: Option<PathBuf>,
    /// Names of columns that the file should have, such as the target's: the line with one is the header.
    pub expected: Vec<String>,
    /// What stands for a missing cell, beside the usual spellings.
    pub missing: Vec<String>,
    /// The encoding of text; found out by default.
    pub encoding: Option<String>,
    /// The size that images are given; by default the commonest of them, made smaller until no side is above 64.
    pub image_size: Option<ImageSize>,
    /// Whether rows that do not fit the table are left out and counted; by default they are refused.
    pub skips_bad_rows: bool,
    /// The largest size of a file, decompressed.
    pub limit_bytes: u64,
    /// How many bytes of memory reading may use, all together.
    pub memory_bytes: u64,
    /// The folder for temporary files, in which the cells of a table are kept that memory does not hold, and a text
    /// that is larger than `limit_bytes`; without one, such a table is refused.
    pub spool: Option<PathBuf>,
    /// On how many threads a file, or the files of a folder, may be read.
    pub threads: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            delimiter: None,
            has_header: None,
            types: BTreeMap::new(),
            known: BTreeMap::new(),
            day_first: BTreeSet::new(),
            targets: None,
            expected: Vec::new(),
            missing: Vec::new(),
            encoding: None,
            image_size: None,
            skips_bad_rows: false,
            limit_bytes: 4 << 30,
            memory_bytes: u64::MAX,
            spool: None,
            threads: 1,
        }
    }
}

/// What was read: rows to train on, and rows to test on if the source sets some apart.
#[derive(Debug, Clone)]
pub struct Parts {
    /// All rows, or those to train on.
    pub train: Table,
    /// The rows that the source sets apart.
    pub test: Option<Table>,
    /// What the reader decided that its user may want to know of.
    pub notes: Vec<Note>,
}

impl From<Table> for Parts {
    fn from(train: Table) -> Self {
        Self { train, test: None, notes: Vec::new() }
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
    read: fn(&Path, Vec<u8>, &ReadOptions, &mut Vec<Note>) -> Result<Table>,
}

/// The list of formats. The last one takes everything.
pub const FORMATS: &[Format] = &[
    Format {
        name: "IDX",
        is_format: idx::is_idx,
        read: |path, content, options, _notes| idx::read_images(path, content, options),
    },
    Format {
        name: "NumPy",
        is_format: npy::is_npy,
        read: |path, content, options, _notes| npy::read(path, &content, options),
    },
    #[cfg(feature = "parquet")]
    Format { name: "Parquet", is_format: crate::columnar::is_parquet, read: crate::columnar::read_parquet },
    #[cfg(feature = "parquet")]
    Format { name: "Arrow IPC", is_format: crate::columnar::is_file, read: crate::columnar::read_file },
    #[cfg(feature = "parquet")]
    Format {
        name: "Arrow IPC stream",
        is_format: crate::columnar::is_stream,
        read: crate::columnar::read_stream,
    },
    Format {
        name: "image",
        is_format: images::is_image,
        read: |path, content, options, _notes| images::read_image(path, &content, options),
    },
    Format {
        name: "JSON lines",
        is_format: jsonl::is_json,
        read: |path, content, options, notes| {
            let text = encoding::decode(path, content, options.encoding.as_deref(), notes)?;
            jsonl::read(path, &text, options, notes)
        },
    },
    Format {
        name: "CSV",
        is_format: |_| true,
        read: |path, content, options, notes| {
            refuse_known(path, &content)?;
            let text = encoding::decode(path, content, options.encoding.as_deref(), notes)?;
            csv::read(path, Text::in_memory(path, &text), options, notes)
        },
    },
];

/// How to come to a build that reads it, or to another file.
#[cfg(not(feature = "parquet"))]
const NEEDS_PARQUET: &str = "this build of pullback leaves it out; the releases read it, as does `cargo install pullback-cli \
                             --features parquet`; or convert it to CSV";

/// A format that is not read: its first bytes, what it is, and what to do.
const NOT_READ: &[(&[u8], &str, &str)] = &[
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Excel or Office file (.xls)",
        "open it and save the sheet as CSV UTF-8",
    ),
    (
        b"SQLite format 3\0",
        "an SQLite database",
        "export a table: `sqlite3 -header -csv FILE 'select * from TABLE' > table.csv`",
    ),
    #[cfg(not(feature = "parquet"))]
    (b"PAR1", "a Parquet file", NEEDS_PARQUET),
    #[cfg(not(feature = "parquet"))]
    (b"ARROW1", "an Arrow IPC file", NEEDS_PARQUET),
    #[cfg(not(feature = "parquet"))]
    (b"\xff\xff\xff\xff", "an Arrow IPC stream", NEEDS_PARQUET),
    (b"PARE", "an encrypted Parquet file", "decrypt it first"),
    (
        b"FEA1",
        "a Feather file of version 1",
        "convert it: `python3 -c \"import pandas as p; p.read_feather('FILE').to_csv('table.csv', index=False)\"`",
    ),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "convert the table to CSV, for example with pandas' `read_hdf`"),
    (b"GIF8", "a GIF image", "save it as PNG"),
    (b"%PDF-", "a PDF document", "copy its table into a spreadsheet and save that as CSV"),
    (b"\xfd7zXZ\0", "a file compressed by xz", "unpack it first: `xz -d FILE`"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\x04\x22\x4d\x18", "a file compressed by lz4", "unpack it first: `lz4 -d FILE`"),
    (b"\x1f\x9d", "a file compressed by compress (.Z)", "unpack it first: `gzip -d FILE`"),
    (b"RDX", "an R data file", "write the table in R: `write.csv(x, \"table.csv\", row.names = FALSE)`"),
    (
        b"X\n\0\0\0",
        "an R object (.rds)",
        "write the table in R: `write.csv(x, \"table.csv\", row.names = FALSE)`",
    ),
    (b"MATLAB 5.0", "a MATLAB file", "write the table in MATLAB with `writetable`"),
    (b"$FL2", "an SPSS file", "save it as CSV in SPSS"),
    (b"<stata_dta>", "a Stata file", "write the table in Stata: `export delimited using table.csv`"),
    (b"Obj\x01", "an Avro file", "convert it to CSV"),
    (b"ORC", "an ORC file", "convert it to CSV"),
    (
        b"\x80\x04\x95",
        "a Python pickle, which can run code when it is read",
        "save the table in Python with `to_csv`, or an array with `numpy.save`",
    ),
    (
        b"\x80\x05\x95",
        "a Python pickle, which can run code when it is read",
        "save the table in Python with `to_csv`, or an array with `numpy.save`",
    ),
    (
        b"\x80\x03",
        "a Python pickle, which can run code when it is read",
        "save the table in Python with `to_csv`, or an array with `numpy.save`",
    ),
    (
        b"\x80\x02",
        "a Python pickle, which can run code when it is read",
        "save the table in Python with `to_csv`, or an array with `numpy.save`",
    ),
    (b"<!DOCTYPE html", "an HTML page", "download the table itself; this may be a page that asks to log in"),
    (b"<!doctype html", "an HTML page", "download the table itself; this may be a page that asks to log in"),
    (b"<html", "an HTML page", "download the table itself; this may be a page that asks to log in"),
    (b"<?xml", "an XML file", "convert it to CSV"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "get the file: `git lfs pull`"),
];

/// Refuses what is known and not read.
fn refuse_known(path: &Path, content: &[u8]) -> Result<()> {
    let is_tar = content.get(257..262) == Some(b"ustar");
    let known =
        NOT_READ.iter().find(|(head, ..)| content.starts_with(head)).map(|&(_, what, help)| (what, help));
    match known.or(is_tar.then_some(("a tar archive", "unpack it first: `tar -xf FILE`"))) {
        None => Ok(()),
        Some((what, help)) => {
            let help = help.replace("FILE", &path.display().to_string());
            Err(malformed(Place::file(path), format!("this is {what}, which is not read"), help))
        }
    }
}

/// Reads a file, a folder of the four IDX files, or one with a folder of images for each class.
///
/// # Errors
/// If there is no such file, or it cannot be read, or its content is damaged; the message says where
/// and what to do.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Parts> {
    let found = fs::metadata(path).map_err(|cause| unreadable(path, cause))?;
    if found.is_dir() {
        if let Some(parts) = idx::read_folder(path, options)? {
            return Ok(parts);
        }
        return images::read_folder(path, options)?.ok_or_else(|| {
            malformed(
                Place::file(path),
                "a folder without images",
                "give a file; or a folder that holds a folder of PNG or JPEG images for each class, or the IDX files train-images-idx3-ubyte and train-labels-idx1-ubyte, .gz or not",
            )
        });
    }
    let (file, size) = opened(path)?;
    let end = |size| file_end(path, size);
    read_content(path, unpacked(path, file, size, end, options.limit_bytes, Some(options))?, options)
}

/// Reads what is no file of its own, such as standard input; `name` stands for it in messages.
///
/// # Errors
/// As [`read`].
pub fn read_from(name: &str, source: impl Read, options: &ReadOptions) -> Result<Parts> {
    let path = Path::new(name);
    read_content(
        path,
        unpacked(path, source, 0, |_| Ok([0; 4]), options.limit_bytes, Some(options))?,
        options,
    )
}

/// Refuses a declared type of a column that is not there; says so with the nearest name.
pub(crate) fn refuse_unknown_types<'a>(
    path: &Path,
    names: impl Iterator<Item = &'a str> + Clone,
    options: &ReadOptions,
) -> Result<()> {
    let Some(unknown) = options.types.keys().find(|declared| !names.clone().any(|name| name == **declared))
    else {
        return Ok(());
    };
    let columns = names.map(|name| Column::new(name, Values::Numbers(vec![0.0]))).collect();
    Table::new(path.display().to_string(), columns)?.column(unknown).map(|_| ())
}

/// What a source holds, unpacked.
enum Content {
    Memory(Vec<u8>),
    /// A text that memory does not hold.
    File(Positioned, u64),
}

fn read_content(path: &Path, content: Content, options: &ReadOptions) -> Result<Parts> {
    match content {
        Content::Memory(content) => read_bytes(path, content, options),
        Content::File(file, length) => {
            let mut notes = Vec::new();
            let train = read_text(path, (file, length), options, &mut notes)?;
            Ok(Parts { train, test: None, notes })
        }
    }
}

/// Reads a table from a text that memory does not hold.
fn read_text(
    path: &Path,
    (file, length): (Positioned, u64),
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    let window = spool::window_bytes(options.memory_bytes);
    let other = || Spool::new(folder_of(options)?, 0);
    let decoded =
        encoding::decode_file(path, (&file, length), window, options.encoding.as_deref(), other, notes)?;
    let (file, from, length, facts) = match decoded {
        Decoded::InPlace { from, facts } => (file, from, length - from, Some(facts)),
        Decoded::Apart(spool) => {
            let (file, length) = spool.into_file();
            (file, 0, length, None)
        }
    };
    let Ok(length) = usize::try_from(length) else {
        return Err(malformed(
            Place::file(path),
            "the text is longer than a program of 32 bits can count",
            "give a smaller file, or part of it",
        ));
    };
    csv::read(path, Text::in_file(path, &file, (from, length), facts, window), options, notes)
}

fn folder_of(options: &ReadOptions) -> Result<&Path> {
    options.spool.as_deref().ok_or_else(|| Error::data("there is no folder for temporary files"))
}

/// Whether a content is one that is read from a file if memory does not hold it, by its first bytes.
fn is_text(path: &Path, head: &[u8]) -> bool {
    let is_other = |format: &Format| (format.is_format)(head);
    let (_csv, others) = FORMATS.split_last().expect("there are formats");
    let has_zeros = Encoding::for_bom(head).is_none() && head.iter().all(|byte| *byte == 0);
    !is_zip(head) && !others.iter().any(is_other) && refuse_known(path, head).is_ok() && !has_zeros
}

fn read_bytes(path: &Path, content: Vec<u8>, options: &ReadOptions) -> Result<Parts> {
    let mut notes = Vec::new();
    if is_zip(&content)
        && let Some(arrays) = npy::arrays(path, &content)?
    {
        let (train, test) = npy::read_archive(path, &content, &arrays, options, &mut notes)?;
        return Ok(Parts { train, test, notes });
    }
    let content =
        if is_zip(&content) { only_file(path, &content, options.limit_bytes, &mut notes)? } else { content };
    if content.is_empty() {
        return Err(malformed(Place::file(path), "the file is empty", "give a file with at least one row"));
    }
    let format =
        FORMATS.iter().find(|format| (format.is_format)(&content)).expect("the last one takes everything");
    let train = (format.read)(path, content, options, &mut notes)?;
    Ok(Parts { train, test: None, notes })
}

/// The size of the buffer that a file is read through, in bytes: it stays in the second-level cache.
const BUFFER_BYTES: usize = 64 << 10;

/// The bytes of a file, decompressed if it is compressed.
pub(crate) fn content(path: &Path, limit_bytes: u64) -> Result<Vec<u8>> {
    let (file, size) = opened(path)?;
    match unpacked(path, file, size, |size| file_end(path, size), limit_bytes, None)? {
        Content::Memory(content) => Ok(content),
        Content::File(..) => unreachable!("there is no folder for one"),
    }
}

/// A file and its size; that of what is no file of its own is unknown, and told as 0.
fn opened(path: &Path) -> Result<(fs::File, u64)> {
    let refused = |cause| unreadable(path, cause);
    let file = fs::File::open(path).map_err(refused)?;
    let metadata = file.metadata().map_err(refused)?;
    let size = if metadata.is_file() { metadata.len() } else { 0 };
    Ok((file, size))
}

/// The last bytes of a file of that size: one compressed by gzip ends with the size of what it holds.
fn file_end(path: &Path, size: u64) -> io::Result<[u8; 4]> {
    let mut end = [0; 4];
    if size >= 18 {
        let mut file = fs::File::open(path)?;
        file.seek(SeekFrom::End(-4))?;
        file.read_exact(&mut end)?;
    }
    Ok(end)
}

/// The bytes of a source, decompressed if it is compressed; `end` gives the last bytes of a file of that size. With
/// options that name a folder for it, a text beyond the limit goes to a file there.
fn unpacked(
    path: &Path,
    mut source: impl Read,
    size: u64,
    end: impl Fn(u64) -> io::Result<[u8; 4]>,
    limit_bytes: u64,
    options: Option<&ReadOptions>,
) -> Result<Content> {
    let refused = |cause| unreadable(path, cause);
    let mut head = Vec::new();
    (&mut source).take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(refused)?;
    let compression = Compression::of(&head);
    let damaged = |cause: io::Error| {
        // What the system says has a number, what the decoder says has none.
        let (Some(compression), None) = (compression, cause.raw_os_error()) else {
            return unreadable(path, cause);
        };
        malformed(
            Place::file(path),
            format!("the compressed content is damaged: {cause}"),
            format!("get the file again, or check it with `{}`", compression.checker()),
        )
    };
    let source = Cursor::new(head).chain(BufReader::with_capacity(BUFFER_BYTES, source));
    let (mut source, size): (Box<dyn Read>, u64) = match compression {
        None => (Box::new(source), size),
        Some(Compression::Gzip) => {
            (Compression::Gzip.unpack(source), gzip_size(end(size).map_err(refused)?, size))
        }
        Some(compression) => (compression.unpack(source), 0),
    };
    let folder = options.and_then(|options| options.spool.as_ref().map(|_| options));
    if folder.is_some() && compression.is_none() && size > limit_bytes {
        // It need not be copied to be read from a file.
        let mut head = Vec::new();
        (&mut source).take(SNIFFED_BYTES).read_to_end(&mut head).map_err(refused)?;
        if !is_text(path, &head) {
            return refuse_large(path, size as usize, limit_bytes).map(|()| Content::Memory(head));
        }
        let file = fs::File::open(path).map_err(refused)?;
        return Ok(Content::File(Positioned::new(file), size));
    }
    let threads = options.map_or(1, |options| options.threads);
    if compression.is_none()
        && size <= limit_bytes
        && let Some(content) = read_side_by_side(path, size as usize, threads)
    {
        return Ok(Content::Memory(content));
    }
    let content = take(&mut source, size, limit_bytes).map_err(damaged)?;
    match folder {
        Some(options) if content.len() as u64 > limit_bytes && is_text(path, &content) => {
            let spool = Spool::new(folder_of(options)?, 0)?;
            let mut rows = Rows { path, memory_bytes: options.memory_bytes, lines: 0, line_bytes: 0 };
            rows.add(&content)?;
            spool.append(&content)?;
            drop(content);
            let mut part = Vec::with_capacity(PART_BYTES as usize);
            loop {
                part.clear();
                (&mut source).take(PART_BYTES).read_to_end(&mut part).map_err(damaged)?;
                if part.is_empty() {
                    let (file, length) = spool.into_file();
                    return Ok(Content::File(file, length));
                }
                rows.add(&part)?;
                spool.append(&part)?;
            }
        }
        _ => refuse_large(path, content.len(), limit_bytes).map(|()| Content::Memory(content)),
    }
}

/// The bytes of a file of a known size, each thread reading a part: most of the time goes into memory that the system
/// hands out page by page. [`None`] if that is not worth it, or fails: whoever reads it in order says why.
fn read_side_by_side(path: &Path, size: usize, threads: usize) -> Option<Vec<u8>> {
    let threads = threads.min(size / SMALLEST_PART_BYTES);
    if threads < 2 {
        return None;
    }
    let file = Positioned::new(fs::File::open(path).ok()?);
    // Memory that `vec!` does not get ends the process, so it is tried first. Its zeros are the system's, written by no
    // thread.
    Vec::<u8>::new().try_reserve_exact(size).ok()?;
    let mut content = vec![0; size];
    let part = size.div_ceil(threads);
    let read = |(at, bytes): (usize, &mut [u8])| file.read((at * part) as u64, bytes);
    let are_read = std::thread::scope(|scope| {
        let mut parts = content.chunks_mut(part).enumerate();
        let own = parts.next();
        let readers: Vec<_> =
            parts.map(|part| std::thread::Builder::new().spawn_scoped(scope, || read(part))).collect();
        let is_read = own.is_none_or(|own| read(own).is_ok());
        readers
            .into_iter()
            .all(|reader| reader.is_ok_and(|reader| reader.join().is_ok_and(|read| read.is_ok())))
            && is_read
    });
    are_read.then_some(content)
}

/// A smaller part of a file is not worth a thread.
const SMALLEST_PART_BYTES: usize = 4 << 20;

/// So many first bytes tell whether a content is text.
const SNIFFED_BYTES: u64 = 1 << 16;
/// So many bytes of a stream go to a file at a time.
const PART_BYTES: u64 = 1 << 18;

/// What a stream has given: one without end is refused when memory could not hold what its rows need, wherever their
/// cells are.
struct Rows<'a> {
    path: &'a Path,
    memory_bytes: u64,
    lines: usize,
    line_bytes: usize,
}

impl Rows<'_> {
    fn add(&mut self, bytes: &[u8]) -> Result<()> {
        self.lines += count(b'\n', bytes);
        self.line_bytes = match bytes.iter().rposition(|&byte| byte == b'\n') {
            Some(last) => bytes.len() - last,
            None => self.line_bytes + bytes.len(),
        };
        refuse_large(self.path, self.line_bytes, self.memory_bytes)?;
        Budget::new(self.memory_bytes).rows(self.path, 0, self.lines, 1)
    }
}

fn unreadable(path: &Path, cause: io::Error) -> Error {
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
