//! Compressed files and archives: gzip, Zstandard, bzip2, xz and zip, told by their first bytes.
//!
//! What a container says of its content's size is believed no further than its own size bears it out, and
//! nothing is unpacked beyond the limit.

use crate::malformed;
use crate::note::{Note, NoteKind, quoted};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder};
use lzma_rust2::XzReader;
use pullback::error::{Place, Result};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use std::io::{self, BufRead, Cursor, Read};
use std::path::Path;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTANDARD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const BZIP2: &[u8] = b"BZh";
const XZ: &[u8] = b"\xfd7zX";
const ZIP: &[u8] = b"PK\x03\x04";
/// How many first bytes tell a container.
pub(crate) const HEAD_BYTES: usize = 4;
/// The most memory of a block of an xz file: `xz -9` needs 65 MiB, of which nothing is touched that is not written.
const XZ_KIB: u32 = 80 << 10;
/// Nothing is compressed by deflate to a smaller part.
const MOST_COMPRESSED: u64 = 1032;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstandard,
    Bzip2,
    Xz,
}

impl Compression {
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(GZIP) {
            Some(Self::Gzip)
        } else if head.starts_with(ZSTANDARD) {
            Some(Self::Zstandard)
        } else if head.starts_with(BZIP2) && head.get(3).is_some_and(u8::is_ascii_digit) {
            Some(Self::Bzip2)
        } else if head.starts_with(XZ) {
            Some(Self::Xz)
        } else {
            None
        }
    }

    /// The program that checks such a file.
    pub(crate) fn checker(self) -> &'static str {
        match self {
            Self::Gzip => "gzip -t",
            Self::Zstandard => "zstd -t",
            Self::Bzip2 => "bzip2 -t",
            Self::Xz => "xz -t",
        }
    }

    /// What a source holds, unpacked.
    pub(crate) fn unpack<'a>(self, source: impl BufRead + 'a) -> Box<dyn Read + 'a> {
        match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(source)),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(source)),
            Self::Zstandard => Box::new(Frames::Between(Some(source))),
            Self::Xz => Box::new(XzReader::new_mem_limit(source, true, XZ_KIB)),
        }
    }
}

/// The frames of a Zstandard file, of which it may hold several.
enum Frames<S: Read> {
    Between(Option<S>),
    Within(Box<StreamingDecoder<S, FrameDecoder>>),
}

impl<S: BufRead> Read for Frames<S> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            match self {
                Self::Between(source) => {
                    let Some(own) = source else { return Ok(0) };
                    if own.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    let Some(source) = source.take() else { return Ok(0) };
                    let decoder = StreamingDecoder::new(source)
                        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                    *self = Self::Within(Box::new(decoder));
                }
                Self::Within(decoder) => {
                    let read = decoder.read(bytes)?;
                    if read > 0 || bytes.is_empty() {
                        return Ok(read);
                    }
                    let Self::Within(decoder) = std::mem::replace(self, Self::Between(None)) else {
                        return Ok(0);
                    };
                    *self = Self::Between(Some(decoder.into_inner()));
                }
            }
        }
    }
}

/// Why a content cannot be unpacked. Decoders say in many ways that their file ends too early.
pub(crate) fn why_damaged(error: &io::Error) -> String {
    if ends_early(error) { "it is cut off".into() } else { error.to_string() }
}

fn ends_early(error: &(dyn std::error::Error + 'static)) -> bool {
    match error.downcast_ref::<io::Error>() {
        Some(own) if own.kind() == io::ErrorKind::UnexpectedEof => true,
        Some(own) => own.get_ref().is_some_and(|inner| ends_early(inner)),
        None => error.source().is_some_and(ends_early),
    }
}

/// Reads a source to its end, or one byte beyond the limit. The memory for `size` bytes is asked for at once,
/// as growing takes time; whether there is so much, and whether it is needed, shows later.
pub(crate) fn take(source: impl Read, size: u64, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let _ = content.try_reserve_exact(size.min(limit_bytes) as usize);
    source.take(limit_bytes.saturating_add(1)).read_to_end(&mut content)?;
    Ok(content)
}

/// How large a gzip file's content can be: it ends with its size, which is believed as far as it can be true.
pub(crate) fn gzip_size(end: [u8; 4], compressed: u64) -> u64 {
    u64::from(u32::from_le_bytes(end)).min(compressed.saturating_mul(MOST_COMPRESSED))
}

/// Whether a content begins like a zip archive.
pub(crate) fn is_zip(content: &[u8]) -> bool {
    content.starts_with(ZIP)
}

/// A file in a zip archive.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    method: u16,
    compressed: usize,
    /// Where its local header begins.
    header: usize,
}

/// The files of a zip archive, in its order; folders aside.
pub(crate) fn entries(path: &Path, content: &[u8]) -> Result<Vec<Entry>> {
    /// The directory's end without a comment.
    const END: usize = 22;
    const LONGEST_COMMENT: usize = 1 << 16;
    let damaged = |what: &str| {
        malformed(
            Place::file(path),
            format!("the zip archive is damaged: {what}"),
            "get the file again, or check it with `unzip -t`",
        )
    };
    let half =
        |at: usize| content.get(at..at + 2).map(|two| usize::from(u16::from_le_bytes([two[0], two[1]])));
    let word = |at: usize| {
        content.get(at..at + 4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]) as usize)
    };
    let last = content.len().checked_sub(END).ok_or_else(|| damaged("it is cut off"))?;
    let end = (last.saturating_sub(LONGEST_COMMENT)..=last)
        .rev()
        .find(|&at| content[at..].starts_with(b"PK\x05\x06"))
        .ok_or_else(|| damaged("its directory is missing, as in a file that is cut off"))?;
    let (count, mut at) = half(end + 10).zip(word(end + 16)).ok_or_else(|| damaged("it is cut off"))?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let read = || {
            if !content.get(at..)?.starts_with(b"PK\x01\x02") {
                return None;
            }
            let (name_length, extra, comment) = (half(at + 28)?, half(at + 30)?, half(at + 32)?);
            let name = content.get(at + 46..at + 46 + name_length)?;
            let entry = Entry {
                name: String::from_utf8_lossy(name).into_owned(),
                method: half(at + 10)? as u16,
                compressed: word(at + 20)?,
                header: word(at + 42)?,
            };
            let is_encrypted = half(at + 8)? & 1 == 1;
            Some((entry, is_encrypted, at + 46 + name_length + extra + comment))
        };
        let (entry, is_encrypted, next) = read().ok_or_else(|| damaged("its directory cannot be read"))?;
        at = next;
        if is_encrypted {
            return Err(malformed(
                Place::file(path),
                format!("\"{}\" in the archive is encrypted", entry.name),
                "unpack it first",
            ));
        }
        if !entry.name.ends_with('/') {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// Unpacks a file of a zip archive.
pub(crate) fn unpack_entry(path: &Path, content: &[u8], entry: &Entry, limit_bytes: u64) -> Result<Vec<u8>> {
    let damaged = |what: String| {
        malformed(
            Place::file(path),
            format!("\"{}\" in the archive is damaged: {what}", entry.name),
            "get the file again, or check it with `unzip -t`",
        )
    };
    let packed = (|| {
        let at = entry.header;
        let header = content.get(at..at.checked_add(30)?)?;
        if !header.starts_with(ZIP) {
            return None;
        }
        let skipped = 30
            + usize::from(u16::from_le_bytes([header[26], header[27]]))
            + usize::from(u16::from_le_bytes([header[28], header[29]]));
        let start = at.checked_add(skipped)?;
        content.get(start..start.checked_add(entry.compressed)?)
    })()
    .ok_or_else(|| damaged("it is cut off".into()))?;
    let unpacked = match entry.method {
        0 => take(packed, packed.len() as u64, limit_bytes),
        8 => take(DeflateDecoder::new(Cursor::new(packed)), 0, limit_bytes),
        other => {
            return Err(malformed(
                Place::file(path),
                format!(
                    "\"{}\" in the archive is compressed by method {other}, which is not read",
                    entry.name
                ),
                "unpack it first",
            ));
        }
    };
    let unpacked = unpacked.map_err(|error| damaged(why_damaged(&error)))?;
    refuse_large(path, unpacked.len() as u64, limit_bytes)?;
    Ok(unpacked)
}

/// Unpacks the one table in a zip archive.
pub(crate) fn only_file(
    path: &Path,
    content: &[u8],
    limit_bytes: u64,
    notes: &mut Vec<Note>,
) -> Result<Vec<u8>> {
    let entries = entries(path, content)?;
    let has = |name: &str| entries.iter().any(|entry| entry.name == name);
    let office = [
        ("xl/workbook.xml", "an Excel workbook (.xlsx)"),
        ("content.xml", "an OpenDocument file (.ods)"),
        ("Index/Document.iwa", "an Apple Numbers file (.numbers)"),
        ("word/document.xml", "a Word document"),
    ];
    if let Some((_, what)) = office.iter().find(|(name, _)| has(name)) {
        return Err(malformed(
            Place::file(path),
            format!("this is {what}, which is not read"),
            "open it and save the sheet as CSV UTF-8",
        ));
    }
    let files: Vec<&Entry> = entries.iter().filter(|entry| !is_hidden(&entry.name)).collect();
    let tables: Vec<&&Entry> = files.iter().filter(|entry| is_table(&entry.name)).collect();
    let only = match (&files[..], &tables[..]) {
        ([only], _) => only,
        (_, [only]) => only,
        ([], _) => {
            return Err(malformed(Place::file(path), "the archive is empty", "give one that holds a table"));
        }
        _ => {
            return Err(malformed(
                Place::file(path),
                format!(
                    "the archive holds {} files: {}",
                    files.len(),
                    quoted(files.iter().map(|entry| entry.name.as_str()), 5)
                ),
                "unpack it and give the one that is meant",
            ));
        }
    };
    notes.push(Note::new(NoteKind::Container, 1, format!("read \"{}\" from the zip archive", only.name)));
    unpack_entry(path, content, only, limit_bytes)
}

/// Whether a file in an archive is one that systems hide, or in such a folder.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.split(['/', '\\']).any(|part| part.starts_with('.') && part != "." || part == "__MACOSX")
}

/// Whether a name in an archive is that of a table, and not of what is said about it.
fn is_table(name: &str) -> bool {
    const ABOUT: &[&str] = &["readme", "license", "licence", "changelog", "notice"];
    const ENDINGS: &[&str] = &[".csv", ".tsv", ".tab", ".txt", ".dat", ".data", ".jsonl", ".ndjson"];
    let name = name.to_lowercase();
    let last = name.rsplit('/').next().unwrap_or_default();
    !ABOUT.iter().any(|about| last.starts_with(about)) && ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whether a zip archive holds a table, as its names tell.
pub(crate) fn has_table(path: &Path, content: &[u8]) -> Result<bool> {
    Ok(entries(path, content)?.iter().any(|entry| is_table(&entry.name) && !is_hidden(&entry.name)))
}

/// Refuses a content beyond the limit.
pub(crate) fn refuse_large(path: &Path, length: u64, limit_bytes: u64) -> Result<()> {
    if length <= limit_bytes {
        return Ok(());
    }
    Err(malformed(
        Place::file(path),
        format!(
            "the content is larger than {:.1} MB, which is what there is memory for",
            limit_bytes as f64 / 1e6
        ),
        "give a smaller file, or part of it, or more memory with `--memory`",
    ))
}
