//! Parquet: columns in pages, and at the end of the file the metadata that say where they are.
//!
//! Before the official decoder runs, the headers of all pages are walked: the memory for the largest page of each column
//! is set aside, packed and unpacked, or the file refused. Pages are read when their rows are, which come in batches, so
//! that a few bytes that stand for billions of rows end at the limit too. Texts are read as dictionaries, in which a text
//! that stands in many rows is kept once.

use super::cells::Making;
use super::thrift::{Reader, Value};
use crate::budget::Budget;
use crate::content::{Content, Part};
use crate::guard::{damaged, guarded};
use crate::note::Note;
use crate::sniff::ReadOptions;
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{ChunkReader, Length};
use pullback::data::Table;
use pullback::error::Result;
use std::io::{BufReader, Read};
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
    content: Content,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    guarded(path, WHAT, || {
        let wrong = |why: &dyn std::fmt::Display| damaged(path, WHAT, why);
        let budget = Budget::of(options);
        // What is in memory of the content was within its limit.
        budget.take(content.memory_bytes());
        let source = Source::new(content);
        let length = source.len();
        let end = length.checked_sub(END).ok_or_else(|| wrong(&"it is cut off"))?;
        let end_bytes = source.part(path, end, END as usize)?;
        if !end_bytes.ends_with(MAGIC) {
            return Err(wrong(&"it is cut off"));
        }
        let told = u32::from_le_bytes([end_bytes[0], end_bytes[1], end_bytes[2], end_bytes[3]]);
        let from = end.checked_sub(u64::from(told)).ok_or_else(|| wrong(&"its metadata cannot be read"))?;
        // They are read as bytes, and made to values.
        take(path, &budget, u64::from(told).saturating_mul(2), "the metadata need")?;
        match schema_depth(&source.part(path, from, told as usize)?) {
            None => return Err(wrong(&"its metadata cannot be read")),
            Some(depth) if depth > DEEPEST_SCHEMA => {
                return Err(wrong(&format!("groups in groups, more than {DEEPEST_SCHEMA} deep")));
            }
            Some(_) => {}
        }
        let metadata =
            ArrowReaderMetadata::load(&source, ArrowReaderOptions::new()).map_err(|why| wrong(&why))?;
        let pages = largest_pages(path, &source, metadata.metadata())?;
        let columns = metadata.schema().fields().len();
        let batch = Making::batch_bytes(columns, options);
        take(path, &budget, pages.saturating_add(batch), "the pages of a row of all columns need")?;
        let mut making = Making::new(path, WHAT, metadata.schema(), options, &budget, notes)?;
        let with_dictionaries = dictionaries(metadata.schema());
        let metadata = ArrowReaderMetadata::try_new(
            metadata.metadata().clone(),
            ArrowReaderOptions::new().with_schema(Arc::new(with_dictionaries)),
        )
        .map_err(|why| wrong(&why))?;
        let all = metadata.metadata().file_metadata().num_rows();
        let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(source, metadata)
            .with_batch_size(Making::batch_rows(columns, options))
            .build()
            .map_err(|why| wrong(&why))?;
        let mut rows = 0;
        for batch in batches {
            let batch = batch.map_err(|why| wrong(&why))?;
            rows += batch.num_rows();
            making.add(&batch, rows as f64 / all as f64, notes)?;
        }
        making.finish(notes)
    })
}

/// Sets memory aside, or says for what there is none.
fn take(path: &Path, budget: &Budget, bytes: u64, what: &str) -> Result<()> {
    if budget.take(bytes) {
        return Ok(());
    }
    let what = format!("{what} {} MB of memory", bytes.div_ceil(1_000_000));
    let help = "write the file in smaller pages, or give more memory with `--memory`";
    Err(budget.refused(path, what).help(help))
}

/// The mark at the end, and before it the length of the metadata.
const END: u64 = 8;
/// So many bytes of a page are read first; its header is hardly ever longer.
const PAGE_HEAD_BYTES: usize = 1 << 10;
/// A header is no longer: it may have the smallest and the largest text of the page.
const LONGEST_PAGE_HEAD: usize = 1 << 24;
/// The decoder reads a page through a buffer of so many bytes.
const BUFFER_BYTES: usize = 1 << 16;

/// The bytes of a file, read when they are asked for.
enum Source {
    Memory(Bytes),
    File(Part),
}

impl Source {
    fn new(content: Content) -> Self {
        match content {
            Content::Memory(bytes) => Self::Memory(Bytes::from(bytes)),
            Content::File(part) => Self::File(part),
        }
    }

    /// Some of its bytes, as far as they are there.
    fn part(&self, path: &Path, at: u64, most: usize) -> Result<Bytes> {
        let length = (self.len().saturating_sub(at)).min(most as u64) as usize;
        self.get_bytes(at.min(self.len()), length).map_err(|why| damaged(path, WHAT, why))
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(part) => part.length,
        }
    }
}

impl ChunkReader for Source {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(match self {
            Self::Memory(bytes) => Box::new(bytes.get_read(start)?),
            Self::File(part) => Box::new(BufReader::with_capacity(BUFFER_BYTES, part.clone().reader(start))),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        match self {
            Self::Memory(bytes) => bytes.get_bytes(start, length),
            Self::File(part) => {
                let mut bytes = vec![0; length];
                part.read(start, &mut bytes)?;
                Ok(bytes.into())
            }
        }
    }
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
fn schema_depth(metadata: &[u8]) -> Option<usize> {
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

/// What the largest page of each column takes, packed and unpacked, and its dictionary, for all columns together.
fn largest_pages(path: &Path, source: &Source, metadata: &ParquetMetaData) -> Result<u64> {
    let mut largest: Vec<u64> = Vec::new();
    for (column, chunk) in metadata.row_groups().iter().flat_map(|group| group.columns().iter().enumerate()) {
        let (start, length) =
            (chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset()), chunk.compressed_size());
        let start = start.min(chunk.data_page_offset());
        let (Ok(start), Ok(length)) = (u64::try_from(start), u64::try_from(length)) else {
            return Err(damaged(path, WHAT, "a column begins before the file"));
        };
        let end = start.saturating_add(length).min(source.len());
        let (mut at, mut dictionary, mut page) = (start, 0u64, 0u64);
        while at < end {
            let header = page_header(path, source, at, end)?;
            let bytes = header.packed.saturating_add(header.unpacked);
            match header.is_dictionary {
                true => dictionary = dictionary.saturating_add(bytes),
                false => page = page.max(bytes),
            }
            at = header.end.saturating_add(header.packed);
        }
        if largest.len() <= column {
            largest.resize(column + 1, 0);
        }
        largest[column] = largest[column].max(dictionary.saturating_add(page));
    }
    Ok(largest.into_iter().fold(0, u64::saturating_add))
}

/// What the header of a page tells, and where it ends.
struct PageHeader {
    is_dictionary: bool,
    unpacked: u64,
    packed: u64,
    end: u64,
}

fn page_header(path: &Path, source: &Source, at: u64, end: u64) -> Result<PageHeader> {
    const DICTIONARY: i64 = 2;
    let mut length = PAGE_HEAD_BYTES;
    loop {
        let bytes = source.part(path, at, length.min((end - at) as usize))?;
        let mut reader = Reader::new(&bytes, 0);
        let (mut kind, mut unpacked, mut packed) = (0i64, 0i64, 0i64);
        let header = reader.fields(|reader, field, value| match (field, value) {
            (1, Value::Integer(number)) => {
                kind = number;
                Some(())
            }
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
        match (header, u64::try_from(unpacked), u64::try_from(packed)) {
            (Some(()), Ok(unpacked), Ok(packed)) => {
                let end = at + reader.at as u64;
                return Ok(PageHeader { is_dictionary: kind == DICTIONARY, unpacked, packed, end });
            }
            (None, ..) if bytes.len() == length && length < LONGEST_PAGE_HEAD => length *= 8,
            _ => return Err(damaged(path, WHAT, "the header of a page cannot be read")),
        }
    }
}
