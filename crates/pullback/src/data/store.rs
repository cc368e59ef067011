//! Cells that memory does not hold: records of one size in a store, from which a column, a block of rows or rows in any
//! order are read when they are needed.
//!
//! The library opens no file: whoever reads a table that is too large brings a [`Store`]. What is read back is the same
//! to the bit, so nothing that is computed depends on where cells are kept.

use super::{Categories, Times, Values};
use crate::error::Result;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Where bytes are kept that memory does not hold: appended once, and read from any place.
pub trait Store: fmt::Debug + Send + Sync {
    /// Appends bytes; returns where they begin. Several threads may call it at once.
    ///
    /// # Errors
    /// If there is no room for them.
    fn append(&self, bytes: &[u8]) -> Result<u64>;

    /// Reads bytes from a place on, as many as there is room for.
    ///
    /// # Errors
    /// If they cannot be read.
    fn read(&self, at: u64, bytes: &mut [u8]) -> Result<()>;

    /// How much memory may be used for rows that are read ahead. It decides no bit.
    fn buffer_bytes(&self) -> usize;
}

/// Records of one size in a store, one a row.
#[derive(Debug, Clone)]
pub struct Records {
    store: Arc<dyn Store>,
    size: usize,
    rows: usize,
    /// The first row of each piece, and where it begins: pieces of other columns stand between them.
    pieces: Vec<(usize, u64)>,
}

/// Two are equal if they are the same records of the same store.
impl PartialEq for Records {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.store, &other.store)
            && (self.size, self.rows, &self.pieces) == (other.size, other.rows, &other.pieces)
    }
}

/// At most so many bytes are read at once.
const SPAN_BYTES: usize = 1 << 20;
/// Rows that are no further apart are read with what is between them: it takes no longer than to ask twice.
const GAP_BYTES: usize = 1 << 13;
/// So many records are written at once.
const CHUNK_ROWS: usize = 1 << 16;

impl Records {
    /// No records yet, of so many bytes each.
    pub fn new(store: Arc<dyn Store>, size: usize) -> Self {
        Self { store, size: size.max(1), rows: 0, pieces: Vec::new() }
    }

    /// The number of records.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many bytes a record has.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Adds whole records.
    ///
    /// # Errors
    /// If there is no room for them.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let at = self.store.append(bytes)?;
        let end = |&(first, at): &(usize, u64)| at + ((self.rows - first) * self.size) as u64;
        if self.pieces.last().map(end) != Some(at) {
            self.pieces.push((self.rows, at));
        }
        self.rows += bytes.len() / self.size;
        Ok(())
    }

    /// Adds numbers, a record of 8 bytes each.
    ///
    /// # Errors
    /// If there is no room for them.
    pub fn push_numbers(&mut self, numbers: &[f64]) -> Result<()> {
        numbers.chunks(CHUNK_ROWS).try_for_each(|numbers| {
            self.push(&numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())
        })
    }

    /// Adds codes, a record of 4 bytes each.
    ///
    /// # Errors
    /// If there is no room for them.
    pub fn push_codes(&mut self, codes: &[u32]) -> Result<()> {
        codes.chunks(CHUNK_ROWS).try_for_each(|codes| {
            self.push(&codes.iter().flat_map(|code| code.to_le_bytes()).collect::<Vec<u8>>())
        })
    }

    /// Only the first rows.
    pub fn truncate(&mut self, rows: usize) {
        self.rows = self.rows.min(rows);
        self.pieces.retain(|(first, _)| *first < rows);
    }

    /// Fills `bytes` with the records from a row on.
    fn fill(&self, from: usize, bytes: &mut [u8]) -> Result<()> {
        let mut row = from;
        let mut bytes = bytes;
        let mut piece = self.pieces.partition_point(|(first, _)| *first <= row).saturating_sub(1);
        while !bytes.is_empty() {
            let (first, at) = self.pieces[piece];
            let end = self.pieces.get(piece + 1).map_or(self.rows, |(next, _)| *next);
            let length = ((end - row) * self.size).min(bytes.len());
            let (now, rest) = bytes.split_at_mut(length);
            self.store.read(at + ((row - first) * self.size) as u64, now)?;
            (bytes, row, piece) = (rest, end, piece + 1);
        }
        Ok(())
    }

    /// Calls `take` with the records of a range of rows, in their order, some at a time.
    fn each(&self, rows: Range<usize>, mut take: impl FnMut(&[u8])) -> Result<()> {
        let at_once = (SPAN_BYTES / self.size).max(1);
        let mut bytes = vec![0; at_once.min(rows.len()) * self.size];
        let mut row = rows.start;
        while row < rows.end {
            let count = at_once.min(rows.end - row);
            let bytes = &mut bytes[..count * self.size];
            self.fill(row, bytes)?;
            take(bytes);
            row += count;
        }
        Ok(())
    }

    /// The numbers of a range of rows.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn numbers(&self, rows: Range<usize>) -> Result<Vec<f64>> {
        let mut numbers = Vec::with_capacity(rows.len());
        self.each(rows, |bytes| {
            numbers.extend(bytes.as_chunks().0.iter().map(|eight| f64::from_le_bytes(*eight)))
        })?;
        Ok(numbers)
    }

    /// The codes of a range of rows.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn codes(&self, rows: Range<usize>) -> Result<Vec<u32>> {
        let mut codes = Vec::with_capacity(rows.len());
        self.each(rows, |bytes| {
            codes.extend(bytes.as_chunks().0.iter().map(|four| u32::from_le_bytes(*four)))
        })?;
        Ok(codes)
    }

    /// Calls `take` with the position in the list and the record of each of the given rows, which the caller has
    /// checked. They are read in the order of the store, so that a disk is swept and not searched.
    pub(super) fn visit(&self, rows: &[usize], take: &mut dyn FnMut(usize, &[u8])) -> Result<()> {
        let sorted: Vec<u32>;
        let order: Option<&[u32]> = match rows.is_sorted() {
            true => None,
            false => {
                let mut order: Vec<u32> = (0..rows.len() as u32).collect();
                order.sort_unstable_by_key(|&position| rows[position as usize]);
                sorted = order;
                Some(&sorted)
            }
        };
        let position = |at: usize| order.map_or(at, |order| order[at] as usize);
        let mut bytes = Vec::new();
        let mut at = 0;
        while at < rows.len() {
            let first = rows[position(at)];
            let (mut last, mut end) = (first, at + 1);
            while end < rows.len() {
                let row = rows[position(end)];
                if (row - last) * self.size > GAP_BYTES || (row - first + 1) * self.size > SPAN_BYTES {
                    break;
                }
                (last, end) = (row, end + 1);
            }
            bytes.resize((last - first + 1) * self.size, 0);
            self.fill(first, &mut bytes)?;
            for at in at..end {
                let position = position(at);
                take(position, &bytes[(rows[position] - first) * self.size..][..self.size]);
            }
            at = end;
        }
        Ok(())
    }

    /// The given rows, which the caller has checked, as records of their own in the same store.
    fn copied(&self, rows: &[usize]) -> Result<Self> {
        let mut copy = Self::new(self.store.clone(), self.size);
        for rows in rows.chunks(CHUNK_ROWS) {
            copy.push(&self.gathered(rows)?)?;
        }
        Ok(copy)
    }

    /// The records of the given rows, in the order of the list.
    fn gathered(&self, rows: &[usize]) -> Result<Vec<u8>> {
        let mut bytes = vec![0; rows.len() * self.size];
        self.visit(rows, &mut |position, record| {
            bytes[position * self.size..][..self.size].copy_from_slice(record)
        })?;
        Ok(bytes)
    }
}

/// The values of a column in a store.
#[derive(Debug, Clone, PartialEq)]
pub enum StoredValues {
    /// As [`Values::Numbers`], each as [`Records::push_numbers`] keeps it.
    Numbers(Records),
    /// As [`Values::Categories`]: codes as [`Records::push_codes`] keeps them.
    Categories {
        /// Each is the place of a name, or `u32::MAX` for a missing cell.
        codes: Records,
        /// What codes stand for.
        names: Arc<Vec<String>>,
    },
    /// As [`Values::Times`].
    Times {
        /// As [`Times::seconds`].
        seconds: Records,
        /// As [`Times::is_day_first`].
        is_day_first: Option<bool>,
    },
}

impl StoredValues {
    /// Puts values into a store; [`None`] for bytes, which stay where they are.
    ///
    /// # Errors
    /// If there is no room for them.
    pub fn put(values: &Values, store: &Arc<dyn Store>) -> Result<Option<Self>> {
        let numbers = |numbers: &[f64]| {
            let mut records = Records::new(store.clone(), size_of::<f64>());
            records.push_numbers(numbers).map(|()| records)
        };
        Ok(Some(match values {
            Values::Numbers(own) => Self::Numbers(numbers(own)?),
            Values::Times(Times { seconds, is_day_first }) => {
                Self::Times { seconds: numbers(seconds)?, is_day_first: *is_day_first }
            }
            Values::Categories(categories) => {
                let mut codes = Records::new(store.clone(), size_of::<u32>());
                codes.push_codes(categories.codes())?;
                Self::Categories { codes, names: categories.shared_names() }
            }
            Values::Bytes(_) => return Ok(None),
        }))
    }

    fn records(&self) -> &Records {
        match self {
            Self::Numbers(records)
            | Self::Categories { codes: records, .. }
            | Self::Times { seconds: records, .. } => records,
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.records().rows()
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        self.records().store()
    }

    /// The values of a range of rows.
    pub(super) fn range(&self, rows: Range<usize>) -> Result<Values> {
        Ok(match self {
            Self::Numbers(records) => Values::Numbers(records.numbers(rows)?),
            Self::Times { seconds, is_day_first } => {
                Values::Times(Times { seconds: seconds.numbers(rows)?, is_day_first: *is_day_first })
            }
            Self::Categories { codes, names } => {
                Values::Categories(Categories::of_codes(codes.codes(rows)?, names.clone()))
            }
        })
    }

    /// The values of the given rows, which the caller has checked, in their order.
    pub(super) fn select(&self, rows: &[usize]) -> Result<Values> {
        let numbers = |records: &Records| -> Result<Vec<f64>> {
            let bytes = records.gathered(rows)?;
            Ok(bytes.as_chunks().0.iter().map(|eight| f64::from_le_bytes(*eight)).collect())
        };
        Ok(match self {
            Self::Numbers(records) => Values::Numbers(numbers(records)?),
            Self::Times { seconds, is_day_first } => {
                Values::Times(Times { seconds: numbers(seconds)?, is_day_first: *is_day_first })
            }
            Self::Categories { codes, names } => {
                let bytes = codes.gathered(rows)?;
                let codes = bytes.as_chunks().0.iter().map(|four| u32::from_le_bytes(*four)).collect();
                Values::Categories(Categories::of_codes(codes, names.clone()))
            }
        })
    }

    /// The same as values of their own in the same store.
    pub(super) fn copied(&self, rows: &[usize]) -> Result<Self> {
        let records = self.records().copied(rows)?;
        Ok(match self {
            Self::Numbers(_) => Self::Numbers(records),
            Self::Times { is_day_first, .. } => Self::Times { seconds: records, is_day_first: *is_day_first },
            Self::Categories { names, .. } => Self::Categories { codes: records, names: names.clone() },
        })
    }

    /// The first row with an infinite number.
    pub(super) fn infinite(&self) -> Result<Option<usize>> {
        let Self::Numbers(records) = self else { return Ok(None) };
        let (mut row, mut found) = (0, None);
        records.each(0..records.rows(), |bytes| {
            let numbers = bytes.as_chunks().0;
            let is_infinite = |eight: &[u8; 8]| f64::from_le_bytes(*eight).is_infinite();
            found = found.or_else(|| numbers.iter().position(is_infinite).map(|at| row + at));
            row += numbers.len();
        })?;
        Ok(found)
    }
}
