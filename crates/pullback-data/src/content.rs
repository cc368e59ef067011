//! The bytes of a source, unpacked: in memory, or in a file where memory does not hold them.

use crate::budget::Budget;
use crate::container::{Compression, HEAD_BYTES, gzip_size, refuse_large, take, why_damaged};
use crate::malformed;
use crate::sniff::{InParts, ReadOptions, SNIFFED_BYTES, in_parts};
use crate::spool::{Positioned, Spool};
use crate::text::count;
use pullback::data::Store;
use pullback::error::{Error, Place, Result};
use std::borrow::Cow;
use std::fs;
use std::io::{self, BufReader, Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a source holds, unpacked.
pub(crate) enum Content {
    Memory(Vec<u8>),
    /// What memory does not hold.
    File(Part),
}

/// A part of a file.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) file: Arc<Positioned>,
    pub(crate) from: u64,
    pub(crate) length: u64,
}

impl Part {
    /// All of a file of that length.
    pub(crate) fn whole((file, length): (Positioned, u64)) -> Self {
        Self { file: Arc::new(file), from: 0, length }
    }

    /// Fills `bytes` from a place on.
    pub(crate) fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        let end = at.checked_add(bytes.len() as u64);
        if end.is_none_or(|end| end > self.length) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.file.read(self.from + at, bytes)
    }
}

/// Reads a part in order.
#[cfg(feature = "parquet")]
pub(crate) struct InOrder {
    part: Part,
    at: u64,
}

#[cfg(feature = "parquet")]
impl Part {
    /// Reads it in order, from a place on.
    pub(crate) fn reader(self, at: u64) -> InOrder {
        InOrder { part: self, at }
    }
}

#[cfg(feature = "parquet")]
impl Read for InOrder {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = self.part.length.saturating_sub(self.at);
        let length = (bytes.len() as u64).min(left) as usize;
        self.part.read(self.at, &mut bytes[..length])?;
        self.at += length as u64;
        Ok(length)
    }
}

impl Content {
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(part) => part.length,
        }
    }

    /// How many bytes of it are in memory.
    pub(crate) fn memory_bytes(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_) => 0,
        }
    }

    /// Some of its bytes, which the caller has checked to be there.
    pub(crate) fn part(&self, path: &Path, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        match self {
            Self::Memory(bytes) => Ok(Cow::Borrowed(&bytes[range.start as usize..range.end as usize])),
            Self::File(part) => {
                let mut bytes = vec![0; (range.end - range.start) as usize];
                part.read(range.start, &mut bytes).map_err(|cause| Error::io(path, cause))?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// What is said of a content that has to be in memory.
    pub(crate) fn refuse_in_parts(&self, path: &Path, options: &ReadOptions) -> Error {
        match refuse_large(path, self.len(), options.limit_bytes) {
            Err(error) => error,
            Ok(()) => Error::data("the file changed while it was read").at(Place::file(path)),
        }
    }

    /// Its first bytes, at most so many.
    pub(crate) fn head(&self, path: &Path, most: u64) -> Result<Cow<'_, [u8]>> {
        self.part(path, 0..self.len().min(most))
    }
}

/// Reads the bytes of a source, decompressed if it is compressed, `size` is that of a file. What is beyond the limit and
/// can be read part by part goes to a file, if the options name a folder for it.
pub(crate) fn of_source(path: &Path, source: impl Read, options: &ReadOptions) -> Result<Content> {
    unpacked(path, source, 0, |_| Ok([0; 4]), options.limit_bytes, Some(options))
}

/// The same of a file.
pub(crate) fn of_file(path: &Path, options: &ReadOptions) -> Result<Content> {
    let (file, size) = opened(path)?;
    unpacked(path, file, size, |size| file_end(path, size), options.limit_bytes, Some(options))
}

/// The folder for temporary files.
pub(crate) fn folder_of(options: &ReadOptions) -> Result<&Path> {
    options.spool.as_deref().ok_or_else(|| Error::data("there is no folder for temporary files"))
}

/// The size of the buffer that a file is read through, in bytes: it stays in the second-level cache.
const BUFFER_BYTES: usize = 64 << 10;

/// The bytes of a file, decompressed if it is compressed.
pub(crate) fn in_memory(path: &Path, limit_bytes: u64) -> Result<Vec<u8>> {
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
            format!("the compressed content is damaged: {}", why_damaged(&cause)),
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
        if in_parts(path, &head) == InParts::Never {
            return refuse_large(path, size, limit_bytes).map(|()| Content::Memory(head));
        }
        let file = fs::File::open(path).map_err(refused)?;
        return Ok(Content::File(Part::whole((Positioned::new(file), size))));
    }
    let threads = options.map_or(1, |options| options.threads);
    if compression.is_none()
        && size <= limit_bytes
        && let Some(content) = read_side_by_side(path, size as usize, threads)
    {
        return Ok(Content::Memory(content));
    }
    let content = take(&mut source, size, limit_bytes).map_err(damaged)?;
    let told = in_parts(path, &content[..content.len().min(SNIFFED_BYTES as usize)]);
    let options = match folder {
        Some(options) if content.len() as u64 > limit_bytes && told != InParts::Never => options,
        _ => return refuse_large(path, content.len() as u64, limit_bytes).map(|()| Content::Memory(content)),
    };
    let spool = Spool::new(folder_of(options)?, 0)?;
    let mut rows = Rows { path, memory_bytes: options.memory_bytes, lines: 0, line_bytes: 0 };
    let mut add = |part: &[u8]| {
        if told == InParts::Lines {
            rows.add(part)?;
        }
        spool.append(part).map(|_| ())
    };
    add(&content)?;
    drop(content);
    let mut part = Vec::with_capacity(PART_BYTES as usize);
    loop {
        part.clear();
        (&mut source).take(PART_BYTES).read_to_end(&mut part).map_err(damaged)?;
        if part.is_empty() {
            return Ok(Content::File(Part::whole(spool.into_file())));
        }
        add(&part)?;
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
        refuse_large(self.path, self.line_bytes as u64, self.memory_bytes)?;
        Budget::new(self.memory_bytes).rows(self.path, 0, self.lines, 1)
    }
}

pub(crate) fn unreadable(path: &Path, cause: io::Error) -> Error {
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
