//! Arrow IPC: a stream of messages, each a header (a flatbuffer) and a body; a file is the same stream between two
//! marks.
//!
//! The messages are cut apart here, so that no length in a header is believed beyond the bytes that are there, and no
//! compressed buffer is unpacked beyond the limit; then the official decoder reads one after the other.

use super::cells::Making;
use crate::guard::{damaged, guarded};
use crate::note::Note;
use crate::sniff::ReadOptions;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::{RecordBatch, root_as_message};
use pullback::data::Table;
use pullback::error::Result;
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
    content: Vec<u8>,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    let start = content[FILE.len()..].iter().take_while(|&&byte| byte == 0).count() + FILE.len();
    // The first byte of a message is not zero.
    let start = start / ALIGNMENT * ALIGNMENT;
    read(path, content, start, options, notes)
}

/// Reads a stream.
pub(crate) fn read_stream(
    path: &Path,
    content: Vec<u8>,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    read(path, content, 0, options, notes)
}

fn read(
    path: &Path,
    content: Vec<u8>,
    from: usize,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    guarded(path, WHAT, || {
        let content = Buffer::from_vec(content);
        let mut decoder = StreamDecoder::new();
        let mut making: Option<Making<'_>> = None;
        let mut at = from;
        while let Some(end) =
            message_end(&content, at, options.limit_bytes).map_err(|why| damaged(path, WHAT, why))?
        {
            let mut message = content.slice_with_length(at, end - at);
            at = end;
            // A message with an empty body is read when the next begins.
            loop {
                let batch = decoder.decode(&mut message).map_err(|why| damaged(path, WHAT, why))?;
                if making.is_none()
                    && let Some(schema) = decoder.schema()
                {
                    making = Some(Making::new(path, WHAT, &schema, options, notes)?);
                }
                match (batch, &mut making) {
                    (Some(batch), Some(making)) => making.add(&batch)?,
                    _ => break,
                }
            }
        }
        match making {
            Some(making) => making.finish(notes),
            None => Err(damaged(path, WHAT, "it has no schema")),
        }
    })
}

/// Where the message at `at` ends; [`None`] at the end of the stream.
fn message_end(content: &[u8], at: usize, limit_bytes: u64) -> Result<Option<usize>, &'static str> {
    const CUT: &str = "it is cut off";
    if at == content.len() {
        return Ok(None);
    }
    let mut start = at + 4;
    let mut length = word(content, at).ok_or(CUT)?;
    if length == CONTINUED {
        length = word(content, at + 4).ok_or(CUT)?;
        start = at + 8;
    }
    if length == 0 {
        return Ok(None);
    }
    let body = start.checked_add(length as usize).filter(|&body| body <= content.len()).ok_or(CUT)?;
    let message = root_as_message(&content[start..body]).map_err(|_| "a message cannot be read")?;
    let end = usize::try_from(message.bodyLength()).ok().and_then(|length| body.checked_add(length));
    let end = end.filter(|&end| end <= content.len()).ok_or(CUT)?;
    let batch = message
        .header_as_record_batch()
        .or_else(|| message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data()));
    match batch.map(|batch| unpacked_bytes(&batch, &content[body..end])) {
        Some(None) => Err("a buffer stands outside its message"),
        Some(Some(bytes)) if bytes > limit_bytes => Err("a batch takes more memory than there is"),
        _ => Ok(Some(end)),
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
