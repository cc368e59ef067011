//! Parquet: columns in pages, and at the end of the file the metadata that say where they are.
//!
//! Before the official decoder runs, the headers of all pages are walked: a page is unpacked only if the size that it
//! tells is within the limit. Rows come in batches, so that a few bytes that stand for billions of rows end at the
//! limit too. Texts are read as dictionaries, in which a text that stands in many rows is kept once.

use super::cells::Making;
use super::thrift::{Reader, Value};
use crate::guard::{damaged, guarded};
use crate::malformed;
use crate::note::Note;
use crate::sniff::ReadOptions;
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ParquetMetaData;
use pullback::data::Table;
use pullback::error::{Place, Result};
use std::path::Path;
use std::sync::Arc;

const MAGIC: &[u8] = b"PAR1";
const WHAT: &str = "Parquet";
/// Groups in groups, so deep.
const DEEPEST_SCHEMA: usize = 64;

/// Whether a content begins like a file.
pub(crate) fn is_parquet(content: &[u8]) -> bool {
    content.starts_with(MAGIC)
}

/// Reads a file.
pub(crate) fn read_parquet(
    path: &Path,
    content: Vec<u8>,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    guarded(path, WHAT, || {
        let wrong = |why: &dyn std::fmt::Display| damaged(path, WHAT, why);
        if !content.ends_with(MAGIC) {
            return Err(wrong(&"it is cut off"));
        }
        match schema_depth(&content) {
            None => return Err(wrong(&"its metadata cannot be read")),
            Some(depth) if depth > DEEPEST_SCHEMA => {
                return Err(wrong(&format!("groups in groups, more than {DEEPEST_SCHEMA} deep")));
            }
            Some(_) => {}
        }
        let content = Bytes::from(content);
        let metadata =
            ArrowReaderMetadata::load(&content, ArrowReaderOptions::new()).map_err(|why| wrong(&why))?;
        refuse_large_pages(path, &content, metadata.metadata(), options.limit_bytes)?;
        let mut making = Making::new(path, WHAT, metadata.schema(), options, notes)?;
        let with_dictionaries = dictionaries(metadata.schema());
        let metadata = ArrowReaderMetadata::try_new(
            metadata.metadata().clone(),
            ArrowReaderOptions::new().with_schema(Arc::new(with_dictionaries)),
        )
        .map_err(|why| wrong(&why))?;
        let columns = metadata.schema().fields().len();
        let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(content, metadata)
            .with_batch_size(Making::batch_rows(columns))
            .build()
            .map_err(|why| wrong(&why))?;
        for batch in batches {
            making.add(&batch.map_err(|why| wrong(&why))?)?;
        }
        making.finish(notes)
    })
}

/// The same schema with texts as dictionaries.
fn dictionaries(schema: &Schema) -> Schema {
    let field = |field: &Arc<Field>| match field.data_type() {
        text @ (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => {
            let text = if *text == DataType::LargeUtf8 { DataType::LargeUtf8 } else { DataType::Utf8 };
            let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(text));
            Arc::new(field.as_ref().clone().with_data_type(kind))
        }
        _ => field.clone(),
    };
    Schema::new_with_metadata(
        schema.fields().iter().map(field).collect::<Vec<_>>(),
        schema.metadata().clone(),
    )
}

/// How deep groups stand in groups in the metadata's schema.
fn schema_depth(content: &[u8]) -> Option<usize> {
    let end = content.len().checked_sub(8)?;
    let length = u32::from_le_bytes(content[end..end + 4].try_into().ok()?) as usize;
    let metadata = &content[end.checked_sub(length)?..end];
    let mut depth = None;
    Reader::new(metadata, 0).fields(|reader, field, value| {
        if (field, value) != (2, Value::Other(9)) {
            return reader.skip(value);
        }
        let (_, count) = reader.list()?;
        // How many of its elements each open group still has.
        let mut open: Vec<i64> = Vec::new();
        let mut deepest = 0;
        for _ in 0..count {
            let mut children = 0;
            reader.fields(|reader, field, value| match (field, value) {
                (5, Value::Integer(number)) => {
                    children = number;
                    Some(())
                }
                (_, value) => reader.skip(value),
            })?;
            if let Some(left) = open.last_mut() {
                *left -= 1;
            }
            if children > 0 {
                open.push(children);
                deepest = deepest.max(open.len());
            }
            while open.last().is_some_and(|left| *left <= 0) {
                open.pop();
            }
        }
        depth = Some(deepest);
        Some(())
    })?;
    depth
}

/// Refuses pages that tell of more than the limit once they are unpacked.
fn refuse_large_pages(
    path: &Path,
    content: &[u8],
    metadata: &ParquetMetaData,
    limit_bytes: u64,
) -> Result<()> {
    for chunk in metadata.row_groups().iter().flat_map(|group| group.columns()) {
        let (start, length) =
            (chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset()), chunk.compressed_size());
        let start = start.min(chunk.data_page_offset());
        let (Ok(start), Ok(length)) = (usize::try_from(start), usize::try_from(length)) else {
            return Err(damaged(path, WHAT, "a column begins before the file"));
        };
        let end = start.saturating_add(length).min(content.len());
        let mut at = start;
        while at < end {
            let mut reader = Reader::new(&content[..end], at);
            let (mut unpacked, mut packed) = (0i64, 0i64);
            let header = reader.fields(|reader, field, value| match (field, value) {
                (2, Value::Integer(bytes)) => {
                    unpacked = bytes;
                    Some(())
                }
                (3, Value::Integer(bytes)) => {
                    packed = bytes;
                    Some(())
                }
                (_, value) => reader.skip(value),
            });
            let next = usize::try_from(packed).ok().and_then(|packed| reader.at.checked_add(packed));
            let (Some(()), Some(next), Ok(unpacked)) = (header, next, u64::try_from(unpacked)) else {
                return Err(damaged(path, WHAT, "the header of a page cannot be read"));
            };
            if unpacked > limit_bytes {
                return Err(malformed(
                    Place::file(path),
                    format!("a page of {unpacked} bytes, more than the {limit_bytes} that may be read"),
                    "give a smaller file, or part of it",
                ));
            }
            at = next;
        }
    }
    Ok(())
}
