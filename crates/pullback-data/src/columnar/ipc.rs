//! Arrow IPC: a stream of messages, each a header (a flatbuffer) and a body; a file is the same stream between two
//! marks.
//!
//! The messages are cut apart here, so that no length in a header is believed beyond the bytes that are there, and no
//! message is read or unpacked for which there is no memory; then the official decoder reads one after the other.

use super::cells::Making;
use crate::budget::Budget;
use crate::content::{Content, Part};
use crate::guard::{damaged, guarded};
use crate::note::Note;
use crate::sniff::{ReadOptions, SNIFFED_BYTES};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::{RecordBatch, root_as_message};
use pullback::data::Table;
use pullback::error::{Error, Result};
use std::path::Path;

const FILE: &[u8] = b"ARROW1";
/// The stream in a file begins at a multiple of this, after the mark and zeros: writers align it as they like.
const ALIGNMENT: usize = 8;
const CONTINUED: u32 = u32::MAX;
const WHAT: &str = "Arrow IPC";

/// Whether a content begins like a file.
pub(crate) fn is_file(content: &[u8]) -> bool {
    content.starts_with(FILE)
}

/// Whether a content begins like a stream: the mark of a message, and its length.
pub(crate) fn is_stream(content: &[u8]) -> bool {
    word(content, 0) == Some(CONTINUED)
        && word(content, 4).is_some_and(|length| length > 0 && (length as usize) < content.len())
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// Reads a file.
pub(crate) fn read_file(
    path: &Path,
    content: Content,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    let head = content.head(path, SNIFFED_BYTES)?;
    let start = head[FILE.len()..].iter().take_while(|&&byte| byte == 0).count() + FILE.len();
    drop(head);
    // The first byte of a message is not zero.
    let start = start / ALIGNMENT * ALIGNMENT;
    read(path, content, start as u64, options, notes)
}

/// Reads a stream.
pub(crate) fn read_stream(
    path: &Path,
    content: Content,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    read(path, content, 0, options, notes)
}

fn read(
    path: &Path,
    content: Content,
    from: u64,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    guarded(path, WHAT, || {
        let budget = Budget::of(options);
        // What is in memory of the content was within its limit.
        budget.take(content.memory_bytes());
        let source = Source::new(path, content, &budget);
        let mut decoder = StreamDecoder::new();
        let mut making: Option<Making<'_>> = None;
        let mut at = from;
        while let Some(message) = source.message(at)? {
            let Message { mut buffer, end, bytes } = message;
            let share = end as f64 / source.length as f64;
            at = end;
            // A message with an empty body is read when the next begins.
            loop {
                let batch = decoder.decode(&mut buffer).map_err(|why| damaged(path, WHAT, why))?;
                if making.is_none()
                    && let Some(schema) = decoder.schema()
                {
                    making = Some(Making::new(path, WHAT, &schema, options, &budget, notes)?);
                }
                match (batch, &mut making) {
                    (Some(batch), Some(making)) => making.add(&batch, share, notes)?,
                    _ => break,
                }
            }
            budget.give(bytes);
        }
        match making {
            Some(making) => making.finish(notes),
            None => Err(damaged(path, WHAT, "it has no schema")),
        }
    })
}

/// The messages of a content.
struct Source<'a> {
    path: &'a Path,
    content: Bytes,
    length: u64,
    budget: &'a Budget,
}

/// The bytes of a source.
enum Bytes {
    Memory(Buffer),
    File(Part),
}

/// A message, where it ends, and what was set aside for it until it is read.
struct Message {
    buffer: Buffer,
    end: u64,
    bytes: u64,
}

impl<'a> Source<'a> {
    fn new(path: &'a Path, content: Content, budget: &'a Budget) -> Self {
        let length = content.len();
        let content = match content {
            Content::Memory(bytes) => Bytes::Memory(Buffer::from_vec(bytes)),
            Content::File(part) => Bytes::File(part),
        };
        Self { path, content, length, budget }
    }

    fn wrong(&self, why: &str) -> Error {
        damaged(self.path, WHAT, why)
    }

    /// Some of the bytes, if the source has them.
    fn part(&self, at: u64, length: u64) -> Result<Buffer> {
        if at.checked_add(length).is_none_or(|end| end > self.length) {
            return Err(self.wrong("it is cut off"));
        }
        match &self.content {
            Bytes::Memory(bytes) => Ok(bytes.slice_with_length(at as usize, length as usize)),
            Bytes::File(part) => {
                let mut bytes = vec![0; length as usize];
                part.read(at, &mut bytes).map_err(|cause| Error::io(self.path, cause))?;
                Ok(Buffer::from_vec(bytes))
            }
        }
    }

    fn word(&self, at: u64) -> Result<u32> {
        word(&self.part(at, 4)?, 0).ok_or_else(|| self.wrong("it is cut off"))
    }

    /// Sets the memory aside for a message.
    fn take(&self, bytes: u64) -> Result<u64> {
        if self.budget.take(bytes) {
            return Ok(bytes);
        }
        let what = format!("a batch of rows needs {} MB of memory", bytes.div_ceil(1_000_000));
        let error = self.budget.refused(self.path, what);
        Err(error.help("write the file in batches of fewer rows, or give more memory with `--memory`"))
    }

    /// The message at `at`; [`None`] at the end of the stream.
    fn message(&self, at: u64) -> Result<Option<Message>> {
        if at == self.length {
            return Ok(None);
        }
        let mut start = at + 4;
        let mut length = self.word(at)?;
        if length == CONTINUED {
            length = self.word(at + 4)?;
            start = at + 8;
        }
        if length == 0 {
            return Ok(None);
        }
        let body = start + u64::from(length);
        if body > self.length {
            return Err(self.wrong("it is cut off"));
        }
        // What is in memory already is set aside.
        let of_file = |bytes: u64| if matches!(self.content, Bytes::File(_)) { bytes } else { 0 };
        let header_bytes = self.take(of_file(u64::from(length)))?;
        let header = self.part(start, u64::from(length))?;
        let message = root_as_message(&header).map_err(|_| self.wrong("a message cannot be read"))?;
        let end = u64::try_from(message.bodyLength()).ok().and_then(|length| body.checked_add(length));
        let end = end.filter(|&end| end <= self.length).ok_or_else(|| self.wrong("it is cut off"))?;
        let read_bytes = self.take(of_file(end - at))?;
        let buffer = self.part(at, end - at)?;
        let dictionary = message.header_as_dictionary_batch();
        let batch = message
            .header_as_record_batch()
            .or_else(|| dictionary.as_ref().and_then(|dictionary| dictionary.data()));
        let unpacked = match batch {
            None => 0,
            Some(batch) => unpacked_bytes(&batch, &buffer[(body - at) as usize..])
                .ok_or_else(|| self.wrong("a buffer stands outside its message"))?,
        };
        let unpacked_bytes = self.take(unpacked)?;
        self.budget.give(header_bytes);
        // The decoder keeps a dictionary.
        let bytes = if dictionary.is_some() { 0 } else { read_bytes + unpacked_bytes };
        Ok(Some(Message { buffer, end, bytes }))
    }
}

/// How many bytes the buffers of a batch take; [`None`] if one is not within the body.
fn unpacked_bytes(batch: &RecordBatch<'_>, body: &[u8]) -> Option<u64> {
    let is_compressed = batch.compression().is_some();
    let mut bytes = 0u64;
    for buffer in batch.buffers()? {
        let start = usize::try_from(buffer.offset()).ok()?;
        let length = usize::try_from(buffer.length()).ok()?;
        let own = body.get(start..start.checked_add(length)?)?;
        let unpacked = match own.first_chunk::<8>().map(|eight| i64::from_le_bytes(*eight)) {
            Some(told) if is_compressed && told >= 0 => told as u64,
            _ => length as u64,
        };
        bytes = bytes.saturating_add(unpacked);
    }
    Some(bytes)
}
