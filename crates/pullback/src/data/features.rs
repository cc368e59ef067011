//! What a network is given: a block of numbers, of bytes, or of codes, one row an example.
//!
//! Bytes stay bytes until a batch is assembled: images take a quarter of the memory of f32, and
//! converting the rows of one batch costs little beside the step that uses them.
//!
//! Rows that memory does not hold are records in a [`Store`](super::Store): [`Features::load`] takes some of them into
//! memory, and `ahead` decides which.

use super::outside::{Outside, Rows};
use super::{Bytes, Records, Store};
use crate::error::{Error, Result};
use pullback_kernels::{ByteScale, Isa, Real, gather, gather_bytes};
use std::sync::Arc;

/// A block of inputs, `[rows, width]`. It cannot be wrong: its constructors check lengths, ranges and
/// that every number is finite.
///
/// ```
/// use pullback::data::Features;
/// let features = Features::dense(vec![0.5_f32, 1.0, 1.5, 2.0], 2)?;
/// assert_eq!((features.rows(), features.width()), (2, 2));
/// assert!(Features::dense(vec![0.5_f32, f32::NAN], 2).is_err());
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Features<T> {
    block: Block<T>,
    rows: usize,
    width: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Block<T> {
    Dense(Vec<T>),
    Bytes { bytes: Bytes, scale: ByteScale<T> },
    Codes { codes: Vec<u32>, levels: Vec<u32> },
    Parts { parts: Vec<Part>, numbers: Vec<T>, codes: Vec<u32> },
    Stored(Stored),
    Outside(Outside<T>),
}

/// Rows in a store: a record has a row's numbers, then its codes.
#[derive(Debug, Clone, PartialEq)]
struct Stored {
    records: Records,
    numbers: usize,
    /// What a row is made of, if it is kept as parts.
    parts: Option<Vec<Part>>,
    /// How many read rows ahead at the same time, and share the memory for that.
    readers: usize,
}

/// What one or several inputs, side by side, are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A number, which is the input.
    Number,
    /// A code below this number of levels: the input of the row's own level is 1, those of the others are 0. The number
    /// itself is the code of no level.
    Levels(u32),
}

impl Part {
    /// The number of inputs.
    pub fn width(self) -> usize {
        match self {
            Self::Number => 1,
            Self::Levels(levels) => levels as usize,
        }
    }
}

/// What a block of inputs holds, row after row.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum FeaturesView<'a, T> {
    /// Finite numbers.
    Dense(&'a [T]),
    /// Bytes, each of which stands for a number.
    Bytes {
        /// Shared with the table that they came from.
        bytes: &'a Bytes,
        /// The number that each byte stands for.
        scale: ByteScale<T>,
    },
    /// Codes, each below the number of levels of its column.
    Codes {
        /// `[rows, width]`.
        codes: &'a [u32],
        /// The number of levels of each column, `[width]`.
        levels: &'a [u32],
    },
    /// Numbers and codes of levels, each level an input.
    Parts {
        /// What the inputs are made of, in their order.
        parts: &'a [Part],
        /// The numbers of all parts that are numbers, row after row.
        numbers: &'a [T],
        /// The codes of all other parts, row after row.
        codes: &'a [u32],
    },
    /// Numbers, and codes of levels, that are in a store.
    Stored,
    /// Numbers that somebody else keeps.
    Outside,
}

/// The most levels of a column of codes: as many whole numbers as every [`Real`] holds exactly.
const MOST_LEVELS: u32 = 1 << 24;

impl<T: Real> Features<T> {
    /// Numbers, row after row, `width` a row.
    ///
    /// # Errors
    /// If `width` is 0, the numbers are no whole number of rows, or one is not finite.
    pub fn dense(values: Vec<T>, width: usize) -> Result<Self> {
        let rows = check_whole_rows(&values, width)?;
        Ok(Self { block: Block::Dense(values), rows, width })
    }

    /// Bytes, of which `center` becomes 0 and `center + spread` becomes 1.
    ///
    /// # Errors
    /// If `center` is not finite, or `spread` not a positive number.
    pub fn bytes(bytes: Bytes, center: f64, spread: f64) -> Result<Self> {
        let scale = ByteScale::<T>::new(center, spread);
        if !(spread > 0.0 && scale.number(0).is_finite() && scale.number(u8::MAX).is_finite()) {
            return Err(Error::data(format!(
                "bytes cannot be scaled by a center of {center} and a spread of {spread}"
            ))
            .help("give a finite center and a positive spread"));
        }
        Ok(Self { rows: bytes.rows(), width: bytes.width(), block: Block::Bytes { bytes, scale } })
    }

    /// Codes, row after row; a code of a column is below that column's number of levels.
    ///
    /// # Errors
    /// If there is no column, a column has no level or too many, the codes are no whole number of rows, or one
    /// is out of range.
    pub fn codes(codes: Vec<u32>, levels: Vec<u32>) -> Result<Self> {
        let width = levels.len();
        let rows = whole_rows(codes.len(), width, "codes")?;
        if let Some((column, levels)) =
            levels.iter().enumerate().find(|(_, levels)| !(1..=MOST_LEVELS).contains(*levels))
        {
            return Err(Error::data(format!("column {} of the codes has {levels} levels", column + 1))
                .help(format!("give from 1 to {MOST_LEVELS}")));
        }
        for (row, codes) in codes.chunks_exact(width).enumerate() {
            if let Some(column) = (0..width).find(|&column| codes[column] >= levels[column]) {
                return Err(Error::data(format!(
                    "row {}, column {} of the codes: {} is no code of {} levels, which count from 0",
                    row + 1,
                    column + 1,
                    codes[column],
                    levels[column]
                )));
            }
        }
        Ok(Self { block: Block::Codes { codes, levels }, rows, width })
    }

    /// Numbers, and codes whose levels are an input each: 4 bytes a code instead of a number a level. `numbers` are
    /// those of all parts that are numbers, row after row, and `codes` those of the others. All else is as if the
    /// inputs were [dense](Features::dense).
    ///
    /// ```
    /// use pullback::data::{Features, Part};
    /// let parts = vec![Part::Number, Part::Levels(3)];
    /// let features = Features::parts(parts, vec![0.5_f32, 1.5], vec![2, 0])?;
    /// assert_eq!(features.to_dense()?, [0.5, 0.0, 0.0, 1.0, 1.5, 1.0, 0.0, 0.0]);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no part, a part has no level or too many, numbers and codes are not for the same whole rows, a
    /// number is not finite, or a code is out of range.
    pub fn parts(parts: Vec<Part>, numbers: Vec<T>, codes: Vec<u32>) -> Result<Self> {
        let levels: Vec<u32> = (parts.iter())
            .filter_map(|part| if let Part::Levels(levels) = part { Some(*levels) } else { None })
            .collect();
        if let Some(levels) = levels.iter().find(|levels| !(1..=MOST_LEVELS).contains(*levels)) {
            return Err(Error::data(format!("a part of the inputs has {levels} levels"))
                .help(format!("give from 1 to {MOST_LEVELS}")));
        }
        let count = parts.len() - levels.len();
        let rows = match (count, levels.len()) {
            (0, levels) => whole_rows(codes.len(), levels, "codes")?,
            (count, _) => whole_rows(numbers.len(), count, "inputs")?,
        };
        if Some(codes.len()) != rows.checked_mul(levels.len()) {
            return Err(Error::data(format!(
                "{} codes are not for {rows} rows of {} codes",
                codes.len(),
                levels.len()
            ))
            .help("give numbers and codes of the same rows"));
        }
        check_finite(&numbers, count.max(1), "inputs")?;
        if let Some(at) = (0..codes.len()).find(|&at| codes[at] > levels[at % levels.len()]) {
            let (row, column) = (at / levels.len() + 1, at % levels.len());
            return Err(Error::data(format!(
                "row {row}, column {} of the codes: {} is no code of {} levels, which count from 0",
                column + 1,
                codes[at],
                levels[column]
            )));
        }
        let width = parts.iter().map(|part| part.width()).sum();
        Ok(Self { block: Block::Parts { parts, numbers, codes }, rows, width })
    }

    /// Numbers that somebody else keeps: a batch's rows are copied from there when they are needed. All else is as if
    /// the inputs were [dense](Features::dense).
    ///
    /// ```
    /// use pullback::data::{Features, Rows};
    /// use std::sync::Arc;
    ///
    /// /// Two columns, one after the other.
    /// #[derive(Debug)]
    /// struct Columns([Vec<f64>; 2]);
    ///
    /// impl Rows<f32> for Columns {
    ///     fn rows(&self) -> usize {
    ///         self.0[0].len()
    ///     }
    ///     fn width(&self) -> usize {
    ///         2
    ///     }
    ///     fn gather(&self, rows: &[usize], out: &mut [f32]) {
    ///         for (&row, out) in rows.iter().zip(out.chunks_exact_mut(2)) {
    ///             out.copy_from_slice(&[self.0[0][row] as f32, self.0[1][row] as f32]);
    ///         }
    ///     }
    /// }
    ///
    /// let columns = Columns([vec![1.0, 2.0], vec![0.5, 0.25]]);
    /// let features = Features::outside(Arc::new(columns))?;
    /// assert_eq!(features.to_dense()?, [1.0, 0.5, 2.0, 0.25]);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no column, or a number is not finite.
    pub fn outside(rows: Arc<dyn Rows<T>>) -> Result<Self> {
        let (count, width) = (rows.rows(), rows.width());
        let outside = Outside(rows);
        outside.check()?;
        Ok(Self { block: Block::Outside(outside), rows: count, width })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of inputs of a row, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// What the block holds.
    pub fn view(&self) -> FeaturesView<'_, T> {
        match &self.block {
            Block::Dense(values) => FeaturesView::Dense(values),
            Block::Bytes { bytes, scale } => FeaturesView::Bytes { bytes, scale: *scale },
            Block::Codes { codes, levels } => FeaturesView::Codes { codes, levels },
            Block::Parts { parts, numbers, codes } => FeaturesView::Parts { parts, numbers, codes },
            Block::Stored(_) => FeaturesView::Stored,
            Block::Outside(_) => FeaturesView::Outside,
        }
    }

    /// No rows yet of numbers, or of parts, in a store.
    pub(super) fn stored(store: &Arc<dyn Store>, width: usize, parts: Option<Vec<Part>>) -> Self {
        let codes = parts.iter().flatten().filter(|part| matches!(part, Part::Levels(_))).count();
        let numbers = parts.as_ref().map_or(width, |parts| parts.len() - codes);
        let size = numbers * size_of::<T>() + codes * size_of::<u32>();
        let records = Records::new(store.clone(), size);
        Self { block: Block::Stored(Stored { records, numbers, parts, readers: 1 }), rows: 0, width }
    }

    /// Adds rows of the same width and parts to those in a store.
    pub(super) fn push(&mut self, block: &Self) -> Result<()> {
        let Block::Stored(own) = &mut self.block else { return Ok(()) };
        let (numbers, codes) = match &block.block {
            Block::Dense(numbers) => (&numbers[..], &[][..]),
            Block::Parts { numbers, codes, .. } => (&numbers[..], &codes[..]),
            _ => return Err(Error::data("only numbers and codes of levels are kept in a store")),
        };
        let codes_per_row = codes.len() / block.rows.max(1);
        let mut bytes = Vec::with_capacity(size_of_val(numbers) + size_of_val(codes));
        for row in 0..block.rows {
            for number in &numbers[row * own.numbers..][..own.numbers] {
                match size_of::<T>() {
                    4 => bytes.extend((number.to_f64() as f32).to_le_bytes()),
                    _ => bytes.extend(number.to_f64().to_le_bytes()),
                }
            }
            codes[row * codes_per_row..][..codes_per_row]
                .iter()
                .for_each(|code| bytes.extend(code.to_le_bytes()));
        }
        own.records.push(&bytes)?;
        self.rows += block.rows;
        Ok(())
    }

    /// How many rows may be read ahead, for rows that are in a store; the others are in memory.
    pub(crate) fn rows_ahead(&self) -> Option<usize> {
        /// The place of a row among those read, and where it is in their order.
        const PLACE_BYTES: usize = size_of::<usize>() + size_of::<u32>();
        let Block::Stored(Stored { records, readers, .. }) = &self.block else { return None };
        Some((records.store().buffer_bytes() / readers.max(&1) / (records.size() + PLACE_BYTES)).max(1))
    }

    /// The same features for one of so many that read rows ahead at the same time.
    pub(super) fn read_by(&self, readers: usize) -> Self {
        let mut features = self.clone();
        if let Block::Stored(stored) = &mut features.block {
            stored.readers = readers;
        }
        features
    }

    /// The given rows, which the caller has checked, in memory.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(crate) fn load(&self, rows: &[usize]) -> Result<Self> {
        let pick = |codes: &[u32], width: usize| -> Vec<u32> {
            rows.iter().flat_map(|row| &codes[row * width..][..width]).copied().collect()
        };
        let per_row = |all: usize| all / self.rows.max(1);
        let block = match &self.block {
            Block::Dense(values) => {
                let mut own = vec![T::ZERO; rows.len() * self.width];
                gather(values, self.width, rows, &mut own);
                Block::Dense(own)
            }
            Block::Bytes { bytes, scale } => Block::Bytes { bytes: bytes.of(rows), scale: *scale },
            Block::Codes { codes, levels } => {
                Block::Codes { codes: pick(codes, self.width), levels: levels.clone() }
            }
            Block::Parts { parts, numbers, codes } => {
                let width = per_row(numbers.len());
                let mut own = vec![T::ZERO; rows.len() * width];
                gather(numbers, width, rows, &mut own);
                Block::Parts { parts: parts.clone(), numbers: own, codes: pick(codes, per_row(codes.len())) }
            }
            Block::Stored(stored) => stored.load(rows)?,
            Block::Outside(outside) => {
                let mut own = vec![T::ZERO; rows.len() * self.width];
                outside.0.gather(rows, &mut own);
                Block::Dense(own)
            }
        };
        Ok(Self { block, rows: rows.len(), width: self.width })
    }

    /// The numbers of the given rows, `[rows.len(), width]`.
    ///
    /// # Errors
    /// If a row is out of range, or cannot be read.
    pub fn select(&self, rows: &[usize]) -> Result<Vec<T>> {
        check_rows(rows, self.rows)?;
        let mut out = vec![T::ZERO; rows.len() * self.width];
        match &self.block {
            Block::Stored(_) => {
                let loaded = self.load(rows)?;
                loaded.write(Isa::best(), &(0..rows.len()).collect::<Vec<_>>(), &mut out);
            }
            _ => self.write(Isa::best(), rows, &mut out),
        }
        Ok(out)
    }

    /// The numbers of all rows, `[rows, width]`.
    ///
    /// # Errors
    /// If a row cannot be read.
    pub fn to_dense(&self) -> Result<Vec<T>> {
        self.select(&(0..self.rows).collect::<Vec<_>>())
    }

    /// Writes the given rows, which are in memory and which the caller has checked, to `out`, `[rows.len(), width]`.
    /// The instruction set changes no bit of the result.
    pub(crate) fn write(&self, isa: Isa, rows: &[usize], out: &mut [T]) {
        match &self.block {
            Block::Dense(values) => gather(values, self.width, rows, out),
            Block::Bytes { bytes, scale } => gather_bytes(isa, bytes.data(), self.width, *scale, rows, out),
            Block::Codes { codes, .. } => {
                for (out, &row) in out.chunks_exact_mut(self.width).zip(rows) {
                    for (number, &code) in out.iter_mut().zip(&codes[row * self.width..]) {
                        *number = T::from_f64(f64::from(code));
                    }
                }
            }
            Block::Outside(outside) => outside.0.gather(rows, out),
            Block::Stored(_) => unreachable!("rows of a store are loaded before they are written"),
            Block::Parts { .. } => {
                out.fill(T::ZERO);
                for (out, &row) in out.chunks_exact_mut(self.width).zip(rows) {
                    self.for_each_entry(row, |column, number| {
                        if number != T::ZERO {
                            out[column] = number;
                        }
                    });
                }
            }
        }
    }

    /// Whether so many rows of these parts, `width` inputs, should be kept as parts.
    pub(super) fn parts_pay(parts: &[Part], width: usize, rows: usize) -> bool {
        Self::are_listed(parts, width)
            || parts.len() * LEAST_SAVED <= width && rows.saturating_mul(width) >= LARGE
    }

    /// Whether the entries of these parts, `width` inputs, are listed in a batch.
    pub(super) fn are_listed(parts: &[Part], width: usize) -> bool {
        parts.len() * COLUMNS_PER_ENTRY <= width
    }

    /// How many entries there are at most in a row that are not zero, where they are so few that products do better to
    /// leave out all else.
    pub(crate) fn entries(&self) -> Option<usize> {
        match &self.block {
            Block::Parts { parts, .. } | Block::Stored(Stored { parts: Some(parts), .. })
                if Self::are_listed(parts, self.width) =>
            {
                Some(parts.len())
            }
            _ => None,
        }
    }

    /// Writes the given rows' entries: their columns, ascending in each row, and the numbers there.
    pub(crate) fn write_entries(&self, rows: &[usize], columns: &mut [u32], numbers: &mut [T]) {
        let mut entries = columns.iter_mut().zip(numbers);
        for &row in rows {
            self.for_each_entry(row, |column, number| {
                let entry = entries.next().expect("there is room for all parts of a row");
                (*entry.0, *entry.1) = (column as u32, number);
            });
        }
    }

    /// Calls `entry` with column and number of each part of a row, in their order; a code of no level is a zero in the
    /// part's first column.
    #[inline(always)]
    fn for_each_entry(&self, row: usize, mut entry: impl FnMut(usize, T)) {
        let Block::Parts { parts, numbers, codes } = &self.block else { return };
        let per_row = |all: usize| all / self.rows.max(1) * row;
        let (mut numbers, mut codes) =
            (numbers[per_row(numbers.len())..].iter(), codes[per_row(codes.len())..].iter());
        let mut first = 0;
        for part in parts {
            match part {
                Part::Number => entry(first, numbers.next().copied().unwrap_or(T::ZERO)),
                Part::Levels(levels) => match codes.next() {
                    Some(code) if code < levels => entry(first + *code as usize, T::ONE),
                    _ => entry(first, T::ZERO),
                },
            }
            first += part.width();
        }
    }

    /// The same features less their most frequent number, and that number, if a sample of the given rows has so much
    /// of it that zeros in its place pay: products leave them out. Pictures are mostly such a background.
    pub(crate) fn less_background(&self, rows: &[usize]) -> Option<(Self, f64)> {
        let Block::Bytes { bytes, scale } = &self.block else { return None };
        let counts = bytes.counts(rows.iter().step_by(rows.len().div_ceil(BACKGROUND_ROWS).max(1)));
        let background = (0..=u8::MAX).max_by_key(|byte| counts[usize::from(*byte)])?;
        let pays =
            counts[usize::from(background)] as f64 >= BACKGROUND_SHARE * counts.iter().sum::<u64>() as f64;
        let number = scale.number(background).to_f64();
        (pays && number != 0.0).then(|| {
            let block = Block::Bytes { bytes: bytes.clone(), scale: scale.with_zero(background) };
            (Self { block, ..*self }, number)
        })
    }
}

impl Stored {
    fn load<T: Real>(&self, rows: &[usize]) -> Result<Block<T>> {
        let codes_per_row = self.parts.as_ref().map_or(0, |parts| parts.len() - self.numbers);
        let mut numbers = vec![T::ZERO; rows.len() * self.numbers];
        let mut codes = vec![0_u32; rows.len() * codes_per_row];
        let bytes_of_numbers = self.numbers * size_of::<T>();
        self.records.visit(rows, &mut |position, record| {
            let own = &mut numbers[position * self.numbers..][..self.numbers];
            match size_of::<T>() {
                4 => own.iter_mut().zip(record.as_chunks().0).for_each(|(number, four)| {
                    *number = T::from_f64(f64::from(f32::from_le_bytes(*four)));
                }),
                _ => own.iter_mut().zip(record.as_chunks().0).for_each(|(number, eight)| {
                    *number = T::from_f64(f64::from_le_bytes(*eight));
                }),
            }
            let own = &mut codes[position * codes_per_row..][..codes_per_row];
            let codes = record[bytes_of_numbers..].as_chunks().0;
            own.iter_mut().zip(codes).for_each(|(code, four)| *code = u32::from_le_bytes(*four));
        })?;
        Ok(match &self.parts {
            Some(parts) => Block::Parts { parts: parts.clone(), numbers, codes },
            None => Block::Dense(numbers),
        })
    }
}

/// Products leave out what is not listed from so many columns for each entry on: below, multiplying vectors by zeros is
/// faster. It decides no bit.
const COLUMNS_PER_ENTRY: usize = 16;

/// Parts are kept as such if numbers would take so many times their memory...
const LEAST_SAVED: usize = 4;
/// ...and be so many: fewer are copied to a batch in less time as they are.
const LARGE: usize = 1 << 24;

/// The number of rows that are looked at for a background.
const BACKGROUND_ROWS: usize = 256;
/// From this share on, a background is left out: below, products do not leave out its zeros.
const BACKGROUND_SHARE: f64 = 0.3;

/// Refuses numbers that are no whole rows of inputs, or not finite; returns how many rows they are.
pub(crate) fn check_whole_rows<T: Real>(numbers: &[T], width: usize) -> Result<usize> {
    let rows = whole_rows(numbers.len(), width, "inputs")?;
    check_finite(numbers, width, "inputs")?;
    Ok(rows)
}

/// The number of rows that so many numbers make.
pub(super) fn whole_rows(numbers: usize, width: usize, what: &str) -> Result<usize> {
    if width == 0 {
        return Err(Error::data(format!("{what} of width 0 are no rows")).help("give at least one column"));
    }
    if !numbers.is_multiple_of(width) {
        return Err(Error::data(format!("{numbers} numbers are no whole number of rows of {width} {what}"))
            .help(format!("give {width} for each row")));
    }
    Ok(numbers / width)
}

/// Refuses numbers that are not finite.
pub(super) fn check_finite<T: Real>(values: &[T], width: usize, what: &str) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::data(format!(
            "row {}, column {} of the {what}: {} is not a finite number",
            at / width + 1,
            at % width + 1,
            values[at].to_f64()
        ))
        .help("correct it or leave the row out")),
    }
}

/// Refuses rows that there are not.
pub(super) fn check_rows(rows: &[usize], count: usize) -> Result<()> {
    match rows.iter().find(|&&row| row >= count) {
        None => Ok(()),
        Some(row) => Err(Error::data(format!(
            "there is no row {row}: the data has {count} rows, which count from 0 here"
        ))),
    }
}
