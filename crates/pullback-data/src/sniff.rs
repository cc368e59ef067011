//! The list of readers, and which one fits a path.

use crate::container::{is_zip, only_file};
use crate::content::{self, Content, Part};
use crate::encoding::Decoded;
use crate::images::{self, ImageSize};
use crate::malformed;
use crate::note::Note;
use crate::spool::Spool;
use crate::text::Text;
use crate::{csv, encoding, idx, jsonl, npy, spool};
use encoding_rs::Encoding;
use pullback::data::{Column, ColumnType, Table, Values};
use pullback::error::{Place, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What a user can say about a file, where what is found out by looking is not what is meant.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// What stands between fields; found out by default.
    pub delimiter: Option<Delimiter>,
    /// Whether the first line names the columns; found out by default.
    pub has_header: Option<bool>,
    /// Columns whose inferred type is not what is meant.
    pub types: BTreeMap<String, ColumnType>,
    /// What columns hold in the data that a model was trained on: whatever they look like here, they are read as that.
    /// Cells that are no numbers are then missing ones, which a note says.
    pub known: BTreeMap<String, ColumnType>,
    /// Whether the day stood before the month in the dates that a model was trained on, for columns that told it: so
    /// dates are read that do not tell.
    pub day_first: BTreeMap<String, bool>,
    /// Columns in whose dates a year of two digits stood first in the data that a model was trained on.
    pub year_first: BTreeSet<String>,
    /// Between which dates, in seconds since 1970, most of a column's were in the data that a model was trained on: a day
    /// far from them that programs write where none is known, such as 1900-01-01, is missing.
    pub dates: BTreeMap<String, [f64; 2]>,
    /// Whether numbers had decimal commas in the data that a model was trained on, for columns that told it: so numbers
    /// are read that could mean either, such as `1.204`.
    pub decimal_commas: BTreeMap<String, bool>,
    /// The units of columns of numbers in the data that a model was trained on, as [`Column::unit`] has them: cells in
    /// another one are missing, which a note says.
    pub units: BTreeMap<String, String>,
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
    /// Whether each row counts, as where something is predicted for each: a line that could be a row is one, though it
    /// looks like sums or a remark.
    pub keeps_rows: bool,
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
            day_first: BTreeMap::new(),
            year_first: BTreeSet::new(),
            dates: BTreeMap::new(),
            decimal_commas: BTreeMap::new(),
            units: BTreeMap::new(),
            targets: None,
            expected: Vec::new(),
            missing: Vec::new(),
            encoding: None,
            image_size: None,
            keeps_rows: false,
            skips_bad_rows: false,
            limit_bytes: 4 << 30,
            memory_bytes: u64::MAX,
            spool: None,
            threads: 1,
        }
    }
}

/// What stands between fields: an ASCII character, or the same one twice, such as `::`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter {
    /// The character.
    pub character: u8,
    /// Whether it stands twice.
    pub is_doubled: bool,
}

impl From<u8> for Delimiter {
    fn from(character: u8) -> Self {
        Self { character, is_doubled: false }
    }
}

impl Delimiter {
    /// Reads it as people write it: `;`, `::`, `tab`; [`None`] if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            b"tab" | b"\\t" => Some(b'\t'.into()),
            &[character] if character.is_ascii() => Some(character.into()),
            &[character, other] if character == other && character.is_ascii_punctuation() => {
                Some(Self { character, is_doubled: true })
            }
            _ => None,
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
    read: Reader,
}

/// A function that reads a content.
#[derive(Debug, Clone, Copy)]
enum Reader {
    /// One that is in memory.
    Whole(fn(&Path, Vec<u8>, &ReadOptions, &mut Vec<Note>) -> Result<Table>),
    /// Part by part, one that memory does not hold too.
    Parts(fn(&Path, Content, &ReadOptions, &mut Vec<Note>) -> Result<Table>),
}

/// The list of formats. The last one takes everything.
pub const FORMATS: &[Format] = &[
    Format {
        name: "IDX",
        is_format: idx::is_idx,
        read: Reader::Whole(|path, content, options, _notes| idx::read_images(path, content, options)),
    },
    Format { name: "NumPy", is_format: npy::is_npy, read: Reader::Parts(npy::read) },
    #[cfg(feature = "parquet")]
    Format {
        name: "Parquet",
        is_format: crate::columnar::is_parquet,
        read: Reader::Parts(crate::columnar::read_parquet),
    },
    #[cfg(feature = "parquet")]
    Format {
        name: "Arrow IPC",
        is_format: crate::columnar::is_file,
        read: Reader::Parts(crate::columnar::read_file),
    },
    #[cfg(feature = "parquet")]
    Format {
        name: "Arrow IPC stream",
        is_format: crate::columnar::is_stream,
        read: Reader::Parts(crate::columnar::read_stream),
    },
    Format {
        name: "image",
        is_format: images::is_image,
        read: Reader::Whole(|path, content, options, _notes| images::read_image(path, &content, options)),
    },
    Format {
        name: "JSON lines",
        is_format: jsonl::is_json,
        read: Reader::Parts(|path, content, options, notes| {
            read_text(path, content, options, notes, jsonl::read)
        }),
    },
    Format {
        name: "CSV",
        is_format: |_| true,
        read: Reader::Parts(|path, content, options, notes| {
            refuse_known(path, &content.head(path, SNIFFED_BYTES)?)?;
            read_text(path, content, options, notes, csv::read)
        }),
    },
];

/// So many first bytes tell what a content is.
pub(crate) const SNIFFED_BYTES: u64 = 1 << 16;

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
    (b"$FL3", "an SPSS file", "save it as CSV in SPSS"),
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
    (b"<?xml", "an XML file", "convert it to CSV"),
    (
        b"SIMPLE  =",
        "a FITS file",
        "convert the table to CSV, for example with astropy's `Table.read('FILE').write('table.csv')`",
    ),
    (
        b"CDF\x01",
        "a netCDF file",
        "convert it to CSV, for example with xarray's `to_dataframe().to_csv('table.csv')`",
    ),
    (
        b"CDF\x02",
        "a netCDF file",
        "convert it to CSV, for example with xarray's `to_dataframe().to_csv('table.csv')`",
    ),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "get the file: `git lfs pull`"),
];

/// What is known by more than its first bytes: what it is, and what to do.
fn known_otherwise(content: &[u8]) -> Option<(&'static str, &'static str)> {
    const PICKLE: (&str, &str) = (
        "a Python pickle, which can run code when it is read",
        "save the table in Python with `to_csv`, or an array with `numpy.save`",
    );
    let begin = content[..content.len().min(1024)].trim_ascii_start();
    let lower = begin.to_ascii_lowercase();
    let has = |what: &[u8]| lower.windows(what.len()).any(|part| part == what);
    let tag = |name: &[u8]| {
        lower.strip_prefix(name).is_some_and(|rest| matches!(rest.first(), Some(b' ' | b'>' | b'\n')))
    };
    if content.get(257..262) == Some(b"ustar") {
        return Some(("a tar archive", "unpack it first: `tar -xf FILE`"));
    }
    if tag(b"<!doctype html")
        || tag(b"<html")
        || tag(b"<table")
        || tag(b"<meta")
        || tag(b"<head")
        || tag(b"<body")
    {
        return Some(match has(b"<table") {
            true => (
                "an HTML page with a table, as some programs name .xls",
                "open it in a spreadsheet and save the sheet as CSV UTF-8",
            ),
            false => ("an HTML page", "download the table itself; this may be a page that asks to log in"),
        });
    }
    if lower.starts_with(b"@relation") || lower.starts_with(b"%") && has(b"\n@relation") {
        return Some((
            "an ARFF file of Weka",
            "save it as CSV in Weka; or take the lines below @data, with a line of names above",
        ));
    }
    if lower.starts_with(b"-[ record ") || lower.starts_with(b"*********") && has(b". row *********") {
        return Some((
            "a listing with a line for each field, as psql's \\x and MySQL's \\G print it",
            "print the table without that, or export it: `\\copy TABLE to 'table.csv' csv header`, `mysql --batch`",
        ));
    }
    if is_svmlight(begin) {
        return Some((
            "a file of svmlight or LIBSVM",
            "write it as CSV in Python: `from sklearn.datasets import load_svmlight_file as l; import pandas as p; \
             x, y = l('FILE'); p.DataFrame(x.toarray()).assign(y=y).to_csv('table.csv', index=False)`",
        ));
    }
    let words: Vec<&[u8]> =
        lower.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).take(2).collect();
    if matches!(words[..], [b"insert", b"into"] | [b"create", b"table"])
        || lower.starts_with(b"-- mysql dump")
    {
        return Some(("statements of SQL", "load them into a database, and export the table as CSV"));
    }
    // Pickles of protocol 0 are text: a mark, a dictionary or list, and its place in the memo.
    if (begin.starts_with(b"(dp0\n") || begin.starts_with(b"(lp0\n") || begin.starts_with(b"ccopy_reg\n"))
        || begin.starts_with(b"cnumpy") && has(b"\n(")
        || begin.starts_with(b"cpandas") && has(b"\n(")
    {
        return Some(PICKLE);
    }
    if content.len() > 32
        && content[12..].starts_with(b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\x00\x09\xc7\x31\x8c")
    {
        return Some((
            "a SAS data set (.sas7bdat)",
            "write it in SAS with `proc export`, or convert it with pandas' `read_sas`",
        ));
    }
    // Version, byte order, type of file, a zero.
    if let [0x69..=0x73, 1 | 2, 1, 0, ..] = content {
        return Some(("a Stata file", "write the table in Stata: `export delimited using table.csv`"));
    }
    // The year since 1900, the month and the day of the last change; after 32 bytes of header the names of fields.
    if let [0x03 | 0x30 | 0x31 | 0x43 | 0x63 | 0x83 | 0x8b | 0xf5, _, 1..=12, 1..=31, ..] = content
        && content.len() >= 32
        && content[12..28].iter().filter(|byte| **byte == 0).count() >= 12
    {
        return Some(("a dBASE file (.dbf)", "open it in a spreadsheet and save it as CSV UTF-8"));
    }
    let is_portable = has(b"spssport") || has(b"spss port file");
    is_portable.then_some(("an SPSS portable file (.por)", "save it as CSV in SPSS"))
}

/// Whether each of the first lines is a number and then pairs of places, which grow, and numbers: `1 1:0.5 7:2`.
fn is_svmlight(begin: &[u8]) -> bool {
    let Ok(text) =
        std::str::from_utf8(begin.utf8_chunks().next().map_or(b"", |chunk| chunk.valid().as_bytes()))
    else {
        return false;
    };
    // The last line may be cut.
    let lines = text.lines().take(text.matches('\n').count()).filter(|line| !line.trim().is_empty());
    let mut pairs = 0;
    let mut is_line = |line: &str| {
        let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
        let is_label = words.next().is_some_and(|label| label.parse::<f64>().is_ok());
        let mut last = None;
        is_label
            && words.all(|word| {
                let pair =
                    word.split_once(':').map(|(place, number)| (place.parse::<u32>(), number.parse::<f64>()));
                let Some((Ok(place), Ok(_))) = pair else { return false };
                pairs += 1;
                last.replace(place).is_none_or(|before| before < place)
            })
    };
    lines.into_iter().all(&mut is_line) && pairs > 1
}

/// Refuses what is known and not read.
fn refuse_known(path: &Path, content: &[u8]) -> Result<()> {
    let known =
        NOT_READ.iter().find(|(head, ..)| content.starts_with(head)).map(|&(_, what, help)| (what, help));
    match known.or_else(|| known_otherwise(content)) {
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
    let found = fs::metadata(path).map_err(|cause| content::unreadable(path, cause))?;
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
    read_content(path, content::of_file(path, options)?, options)
}

/// Reads what is no file of its own, such as standard input; `name` stands for it in messages.
///
/// # Errors
/// As [`read`].
pub fn read_from(name: &str, source: impl Read, options: &ReadOptions) -> Result<Parts> {
    let path = Path::new(name);
    read_content(path, content::of_source(path, source, options)?, options)
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

/// Calls `read` with a content as UTF-8.
fn read_text(
    path: &Path,
    content: Content,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
    read: fn(&Path, Text<'_>, &ReadOptions, &mut Vec<Note>) -> Result<Table>,
) -> Result<Table> {
    let declared = options.encoding.as_deref();
    let part = match content {
        Content::Memory(content) => {
            let text = encoding::decode(path, content, declared, notes)?;
            return read(path, Text::in_memory(path, &text), options, notes);
        }
        Content::File(part) => part,
    };
    let window = spool::window_bytes(options.memory_bytes);
    let other = || Spool::new(content::folder_of(options)?, 0);
    let (part, facts) = match encoding::decode_file(path, &part, window, declared, other, notes)? {
        Decoded::InPlace { from, facts } => {
            (Part { from: part.from + from, length: part.length - from, ..part }, Some(facts))
        }
        Decoded::Apart(spool) => (Part::whole(spool.into_file()), None),
    };
    let Ok(length) = usize::try_from(part.length) else {
        return Err(malformed(
            Place::file(path),
            "the text is longer than a program of 32 bits can count",
            "give a smaller file, or part of it",
        ));
    };
    read(path, Text::in_file(path, &part.file, (part.from, length), facts, window), options, notes)
}

/// How a content is read that memory does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InParts {
    Never,
    Yes,
    /// As one that has a row a line.
    Lines,
}

/// How a content can be read, by its first bytes.
pub(crate) fn in_parts(path: &Path, head: &[u8]) -> InParts {
    let (_csv, others) = FORMATS.split_last().expect("there are formats");
    let has_zeros = Encoding::for_bom(head).is_none() && head.iter().all(|byte| *byte == 0);
    match others.iter().find(|format| (format.is_format)(head)).map(|format| format.read) {
        _ if is_zip(head) => InParts::Never,
        Some(Reader::Parts(_)) => InParts::Yes,
        Some(Reader::Whole(_)) => InParts::Never,
        None if has_zeros || refuse_known(path, head).is_err() => InParts::Never,
        None => InParts::Lines,
    }
}

fn read_content(path: &Path, content: Content, options: &ReadOptions) -> Result<Parts> {
    let mut notes = Vec::new();
    let content = match content {
        Content::Memory(content) if is_zip(&content) => {
            if let Some(arrays) = npy::arrays(path, &content)? {
                let (train, test) = npy::read_archive(path, &content, &arrays, options, &mut notes)?;
                return Ok(Parts { train, test, notes });
            }
            if let Some(parts) = images::read_archive(path, &content, options)? {
                return Ok(parts);
            }
            Content::Memory(only_file(path, &content, options.limit_bytes, &mut notes)?)
        }
        other => other,
    };
    if content.len() == 0 {
        return Err(malformed(Place::file(path), "the file is empty", "give a file with at least one row"));
    }
    let head = content.head(path, SNIFFED_BYTES)?;
    let format =
        FORMATS.iter().find(|format| (format.is_format)(&head)).expect("the last one takes everything");
    drop(head);
    let train = match (format.read, content) {
        (Reader::Parts(read), content) => read(path, content, options, &mut notes)?,
        (Reader::Whole(read), Content::Memory(content)) => read(path, content, options, &mut notes)?,
        (Reader::Whole(_), content) => return Err(content.refuse_in_parts(path, options)),
    };
    Ok(Parts { train, test: None, notes })
}
