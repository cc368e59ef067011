//! A column of a table: its name and its values, numbers, categories or blocks of bytes.
//!
//! A missing cell is part of the type: NaN among numbers (readers refuse a NaN that stands in a
//! file), [`None`] among categories. Bytes are never missing.
//!
//! Where memory does not hold a table, its columns are in a [`Store`]: [`Column::values`] reads one when it is needed,
//! so whoever goes through a table has one column in memory at a time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::store::{Store, StoredValues};

use crate::choice::choices;
use crate::error::{Error, Result};

/// A named column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name, unique in its table.
    pub name: String,
    /// Why the values are what they are, for people; empty if nobody had to decide.
    pub reason: String,
    /// The unit or currency that stands at its numbers, in one spelling; [`None`] if none does.
    pub unit: Option<String>,
    /// Whether its numbers are written with decimal commas, if they tell it.
    pub has_decimal_commas: Option<bool>,
    /// Whether a year of two digits stands first in its dates.
    pub has_years_first: bool,
    /// How a few distinct numbers are written, where that is not as Pullback writes them: `1.0`, `10%`.
    pub spellings: Vec<(f64, String)>,
    cells: Cells,
}

/// Where the values of a column are, one a row.
#[derive(Debug, Clone, PartialEq)]
enum Cells {
    Memory(Values),
    Store(StoredValues),
}

impl Column {
    /// A column of a name and its values.
    pub fn new(name: impl Into<String>, values: Values) -> Self {
        Self::of(name.into(), Cells::Memory(values))
    }

    /// A column of a name and values that are in a store.
    pub fn stored(name: impl Into<String>, values: StoredValues) -> Self {
        Self::of(name.into(), Cells::Store(values))
    }

    fn of(name: String, cells: Cells) -> Self {
        Self {
            name,
            reason: String::new(),
            unit: None,
            has_decimal_commas: None,
            has_years_first: false,
            spellings: Vec::new(),
            cells,
        }
    }

    /// The same column, with why its values are what they are.
    pub fn with_reason(self, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..self }
    }

    /// The same column, with the unit of its numbers.
    pub fn with_unit(self, unit: Option<String>) -> Self {
        Self { unit, ..self }
    }

    /// The same column, with whether its numbers are written with decimal commas.
    pub fn with_decimal_commas(self, has_decimal_commas: Option<bool>) -> Self {
        Self { has_decimal_commas, ..self }
    }

    /// The same column, with whether a year of two digits stands first in its dates.
    pub fn with_years_first(self, has_years_first: bool) -> Self {
        Self { has_years_first, ..self }
    }

    /// The same column, with how its numbers are written.
    pub fn with_spellings(self, spellings: Vec<(f64, String)>) -> Self {
        Self { spellings, ..self }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        match &self.cells {
            Cells::Memory(values) => values.rows(),
            Cells::Store(values) => values.rows(),
        }
    }

    /// One value a row; read from the store if they are in one.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn values(&self) -> Result<Cow<'_, Values>> {
        match &self.cells {
            Cells::Memory(values) => Ok(Cow::Borrowed(values)),
            Cells::Store(values) => values.range(0..values.rows()).map(Cow::Owned),
        }
    }

    /// What the values are, as it can be declared; [`None`] for blocks of bytes.
    pub fn kind(&self) -> Option<ColumnType> {
        match &self.cells {
            Cells::Memory(Values::Numbers(_)) | Cells::Store(StoredValues::Numbers(_)) => {
                Some(ColumnType::Numeric)
            }
            Cells::Memory(Values::Categories(_)) | Cells::Store(StoredValues::Categories { .. }) => {
                Some(ColumnType::Categorical)
            }
            Cells::Memory(Values::Times(_)) | Cells::Store(StoredValues::Times { .. }) => {
                Some(ColumnType::Time)
            }
            Cells::Memory(Values::Bytes(_)) => None,
        }
    }

    /// The values, if they are blocks of bytes.
    pub fn bytes(&self) -> Option<&Bytes> {
        match &self.cells {
            Cells::Memory(Values::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// The store that the values are in; [`None`] if they are in memory.
    pub fn store(&self) -> Option<&Arc<dyn Store>> {
        match &self.cells {
            Cells::Memory(_) => None,
            Cells::Store(values) => Some(values.store()),
        }
    }

    /// The first row with an infinite number.
    pub(super) fn infinite(&self) -> Result<Option<usize>> {
        match &self.cells {
            Cells::Memory(Values::Numbers(numbers)) => {
                Ok(numbers.iter().position(|number| number.is_infinite()))
            }
            Cells::Memory(_) => Ok(None),
            Cells::Store(values) => values.infinite(),
        }
    }

    /// The same column of the given rows, which the caller has checked, in their order; in its store if it `is_stored`.
    pub(super) fn select(&self, rows: &[usize], is_stored: bool) -> Result<Self> {
        self.with(match &self.cells {
            Cells::Memory(values) => Cells::Memory(values.select(rows)),
            Cells::Store(values) if is_stored => Cells::Store(values.copied(rows)?),
            Cells::Store(values) => Cells::Memory(values.select(rows)?),
        })
    }

    /// The same column of a range of rows, in memory.
    pub(super) fn slice(&self, rows: Range<usize>) -> Result<Self> {
        self.with(Cells::Memory(match &self.cells {
            Cells::Memory(values) => values.select(&rows.collect::<Vec<_>>()),
            Cells::Store(values) => values.range(rows)?,
        }))
    }

    fn with(&self, cells: Cells) -> Result<Self> {
        Ok(Self {
            cells,
            name: self.name.clone(),
            reason: self.reason.clone(),
            unit: self.unit.clone(),
            has_decimal_commas: self.has_decimal_commas,
            has_years_first: self.has_years_first,
            spellings: self.spellings.clone(),
        })
    }
}

choices! {
    /// What a column can be declared to hold, where what was inferred is not what was meant.
    #[derive(Eq)]
    #[non_exhaustive]
    "column type" ColumnType as text {
        /// Numbers.
        Numeric = "numeric" | "number" | "numerical" | "float" | "int",
        /// Texts that name categories; numbers are taken as their texts.
        Categorical = "categorical" | "category" | "text" | "string" | "factor" | "str",
        /// Dates, times, or both.
        Time = "time" | "date" | "datetime",
    }
}

/// The values of a column, one a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Finite numbers; NaN marks a missing cell.
    Numbers(Vec<f64>),
    /// Texts, each one of a list of names.
    Categories(Categories),
    /// A block of bytes of fixed size a row: the pixels of an image.
    Bytes(Bytes),
    /// Dates, times, or both.
    Times(Times),
}

/// Dates, times, or both.
#[derive(Debug, Clone, PartialEq)]
pub struct Times {
    /// Seconds since the beginning of 1970 of each row, on the clock of the place that it was written at; NaN marks
    /// a missing cell.
    pub seconds: Vec<f64>,
    /// Whether the day stands before the month; [`None`] where no date is written so that one could ask.
    pub is_day_first: Option<bool>,
}

impl Values {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Categories(categories) => categories.rows(),
            Self::Bytes(bytes) => bytes.rows(),
            Self::Times(times) => times.seconds.len(),
        }
    }

    /// The values of the given rows, which the caller has checked, in their order.
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Numbers(numbers) => Self::Numbers(rows.iter().map(|&row| numbers[row]).collect()),
            Self::Categories(categories) => Self::Categories(Categories {
                codes: rows.iter().map(|&row| categories.codes[row]).collect(),
                names: categories.names.clone(),
            }),
            Self::Bytes(bytes) => Self::Bytes(bytes.of(rows)),
            Self::Times(times) => Self::Times(Times {
                seconds: rows.iter().map(|&row| times.seconds[row]).collect(),
                is_day_first: times.is_day_first,
            }),
        }
    }
}

/// Texts that repeat, kept as codes into a list of names; a cell may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Categories {
    codes: Vec<u32>,
    /// Shared: a block of a column's rows has the names of all.
    names: Arc<Vec<String>>,
}

/// The code of a missing cell.
const MISSING: u32 = u32::MAX;

impl Categories {
    /// The categories of a column of texts, [`None`] for a missing cell; names in order of appearance.
    pub fn from_texts<S: AsRef<str>>(texts: impl IntoIterator<Item = Option<S>>) -> Self {
        let mut known: BTreeMap<String, u32> = BTreeMap::new();
        let mut names: Vec<String> = Vec::new();
        let codes = texts
            .into_iter()
            .map(|text| {
                let Some(text) = text else { return MISSING };
                let text = text.as_ref();
                if let Some(&code) = known.get(text) {
                    return code;
                }
                let code = names.len() as u32;
                names.push(text.to_owned());
                known.insert(text.to_owned(), code);
                code
            })
            .collect();
        Self { codes, names: Arc::new(names) }
    }

    /// The categories that numbers name by their texts: `3`, `2.5`; NaN marks a missing cell.
    pub fn from_numbers(numbers: &[f64]) -> Self {
        let mut known: BTreeMap<u64, u32> = BTreeMap::new();
        let mut names: Vec<String> = Vec::new();
        let codes = (numbers.iter())
            .map(|number| match number.is_nan() {
                true => MISSING,
                // Numbers of different bits have different texts.
                false => *known.entry(number.to_bits()).or_insert_with(|| {
                    names.push(number.to_string());
                    names.len() as u32 - 1
                }),
            })
            .collect();
        Self { codes, names: Arc::new(names) }
    }

    /// Codes as [`Categories::codes`] has them, and what they stand for.
    pub(super) fn of_codes(codes: Vec<u32>, names: Arc<Vec<String>>) -> Self {
        Self { codes, names }
    }

    /// The place of each row's name, or `u32::MAX`.
    pub(super) fn codes(&self) -> &[u32] {
        &self.codes
    }

    pub(super) fn shared_names(&self) -> Arc<Vec<String>> {
        self.names.clone()
    }

    /// So many rows whose cells are missing.
    pub(super) fn missing(rows: usize) -> Self {
        Self { codes: vec![MISSING; rows], names: Arc::default() }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.codes.len()
    }

    /// How many of the given rows, which the caller has checked, have each of [`Categories::names`].
    pub(super) fn counts(&self, rows: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut counts = vec![0; self.names.len()];
        for code in rows.into_iter().filter_map(|row| self.code(row)) {
            counts[code] += 1;
        }
        counts
    }

    /// The names that codes refer to.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// A row's position in [`Categories::names`]; [`None`] if the cell is missing, or there is no such row.
    pub fn code(&self, row: usize) -> Option<usize> {
        let code = *self.codes.get(row)?;
        (code != MISSING).then_some(code as usize)
    }

    /// A row's text; [`None`] if the cell is missing, or there is no such row.
    pub fn text(&self, row: usize) -> Option<&str> {
        self.code(row).map(|code| self.names[code].as_str())
    }
}

/// A block of bytes of fixed size a row. A clone shares them: images fill most of the memory of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes {
    data: Arc<Vec<u8>>,
    rows: usize,
    shape: Vec<usize>,
    maximum: u8,
}

impl Bytes {
    /// Blocks of a shape (`[height, width]` for an image), row after row, and the largest byte that
    /// the source can hold: 255 for most images.
    ///
    /// # Errors
    /// If the shape is empty, or the data is not a whole number of blocks, or a byte is above the maximum.
    pub fn new(data: Vec<u8>, shape: Vec<usize>, maximum: u8) -> Result<Self> {
        let width: usize = shape.iter().try_fold(1usize, |size, &side| size.checked_mul(side)).unwrap_or(0);
        if shape.is_empty() || width == 0 || !data.len().is_multiple_of(width) {
            return Err(Error::data(format!(
                "{} bytes are no whole number of blocks of shape {shape:?}",
                data.len()
            ))
            .help("give one block for each row"));
        }
        if maximum == 0 || maximum < 255 && data.iter().any(|&byte| byte > maximum) {
            return Err(Error::data(format!("bytes above the stated maximum {maximum}"))
                .help("state the largest byte that the source can hold"));
        }
        Ok(Self { rows: data.len() / width, data: Arc::new(data), shape, maximum })
    }

    /// The given rows, which the caller has checked, in their order.
    pub(super) fn of(&self, rows: &[usize]) -> Self {
        Self {
            data: Arc::new(rows.iter().flat_map(|&row| self.row(row)).copied().collect()),
            rows: rows.len(),
            shape: self.shape.clone(),
            maximum: self.maximum,
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of bytes of a row.
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// The shape of a row's block.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The largest byte that the source can hold.
    pub fn maximum(&self) -> u8 {
        self.maximum
    }

    /// All bytes, row after row.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The bytes of a row; none if there is no such row.
    pub fn row(&self, row: usize) -> &[u8] {
        if row >= self.rows {
            return &[];
        }
        let width = self.width();
        &self.data[row * width..(row + 1) * width]
    }

    /// How often each byte stands in the rows.
    pub(crate) fn counts<'a>(&self, rows: impl IntoIterator<Item = &'a usize>) -> [u64; 256] {
        // Images have equal pixels side by side: each of four tables need not wait for what the last one wrote.
        let mut tables = [[0_u64; 256]; 4];
        for &row in rows {
            let (fours, rest) = self.row(row).as_chunks::<4>();
            for four in fours {
                for (table, &byte) in tables.iter_mut().zip(four) {
                    table[usize::from(byte)] += 1;
                }
            }
            for &byte in rest {
                tables[0][usize::from(byte)] += 1;
            }
        }
        std::array::from_fn(|byte| tables.iter().map(|table| table[byte]).sum())
    }
}
