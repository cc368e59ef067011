//! A table as it was read: typed columns of equal length, and where they came from.
//!
//! A [`Table`] cannot be wrong: names are unique, columns equally long, numbers finite or missing.
//! Rows are counted from 0 here and from 1, the header left aside, in messages.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::column::{Bytes, Categories, Column, Times, Values};
use super::features::check_rows;
use super::store::Store;
use crate::error::{Error, Place, Result};

/// Named, typed columns of equal length.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    source: String,
    columns: Vec<Column>,
    /// The position of each name: tables can have a hundred thousand columns.
    places: BTreeMap<String, usize>,
    rows: usize,
    target: Option<String>,
}

impl Table {
    /// A table of the given columns; `source` is the file or data set that messages name.
    ///
    /// # Errors
    /// If there is no column or no row, columns differ in length, two have the same name, or a
    /// number is infinite.
    pub fn new(source: impl Into<String>, columns: Vec<Column>) -> Result<Self> {
        let source = source.into();
        let Some(rows) = columns.first().map(Column::rows).filter(|&rows| rows > 0) else {
            return Err(
                Error::data(format!("{source} has no rows")).help("give at least one row and one column")
            );
        };
        let mut places = BTreeMap::new();
        for (place, column) in columns.iter().enumerate() {
            let name = &column.name;
            if places.insert(name.clone(), place).is_some() {
                return Err(Error::data(format!("{source} has two columns \"{name}\"")).help("rename one"));
            }
            if column.rows() != rows {
                return Err(Error::data(format!(
                    "column \"{name}\" has {} rows, but column \"{}\" has {rows}",
                    column.rows(),
                    columns[0].name,
                ))
                .at(Place::source(source))
                .help("give all columns the same number of rows"));
            }
            if let Some(row) = column.infinite()? {
                return Err(Error::data("an infinite number")
                    .at(Place::source(source).row(row + 1).column(name))
                    .help("correct it, or leave the cell empty"));
            }
        }
        Ok(Self { source, columns, places, rows, target: None })
    }

    /// The same table, with the name of the column that its source is known to predict.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn with_target(mut self, name: &str) -> Result<Self> {
        self.target = Some(self.column(name)?.name.clone());
        Ok(self)
    }

    /// The file or data set that the table came from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The number of rows, at least 1.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns, in the order of the source.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// The column that the source is known to predict, if it is.
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// The column of a name, if there is one.
    pub fn get(&self, name: &str) -> Option<&Column> {
        self.places.get(name).map(|&place| &self.columns[place])
    }

    /// The column of a name.
    ///
    /// # Errors
    /// If there is none; the message offers the nearest name.
    pub fn column(&self, name: &str) -> Result<&Column> {
        self.get(name).ok_or_else(|| {
            let error = Error::data(format!("{} has no column \"{name}\"", self.source));
            let error = error.unknown(name, self.names());
            let help = match error.nearest() {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("its columns are {}", listed(self.names())),
            };
            error.help(help)
        })
    }

    /// The store that holds its columns, where memory does not.
    pub fn store(&self) -> Option<&Arc<dyn Store>> {
        self.columns.iter().find_map(Column::store)
    }

    /// The given rows, in their order. Many rows of columns in a store are again in that store.
    ///
    /// # Errors
    /// If `rows` is empty, a row is out of range, or the store has no room for them.
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        check_rows(rows, self.rows)?;
        let is_stored = rows.len().saturating_mul(self.columns.len()) > self.block_cells();
        self.of(self.columns.iter().map(|column| column.select(rows, is_stored)))
    }

    /// The same table, where the cells of one column are those of other rows.
    ///
    /// # Errors
    /// If there is no such column, `rows` are not as many as the table has, or a row is out of range.
    pub fn with_cells_of(&self, name: &str, rows: &[usize]) -> Result<Self> {
        check_rows(rows, self.rows)?;
        self.column(name)?;
        self.of(self.columns.iter().map(|column| match column.name == name {
            true => column.select(rows, false),
            false => Ok(column.clone()),
        }))
    }

    /// The rows of a range, in memory.
    ///
    /// # Errors
    /// If the range is empty, or a row is out of range or cannot be read.
    pub(crate) fn slice(&self, rows: Range<usize>) -> Result<Self> {
        check_rows(&[rows.end.saturating_sub(1)], self.rows)?;
        self.of(self.columns.iter().map(|column| column.slice(rows.clone())))
    }

    fn of(&self, columns: impl Iterator<Item = Result<Column>>) -> Result<Self> {
        let columns = columns.collect::<Result<_>>()?;
        Ok(Self { target: self.target.clone(), ..Self::new(&*self.source, columns)? })
    }

    /// How many cells are taken into memory at a time.
    fn block_cells(&self) -> usize {
        let of_store = |store: &Arc<dyn Store>| store.buffer_bytes() / BUFFER_BYTES_PER_CELL;
        self.store().map_or(MOST_BLOCK_CELLS, of_store).clamp(1, MOST_BLOCK_CELLS)
    }

    /// How many rows are in memory as numbers at a time, at most, when something is predicted for all.
    pub fn rows_at_a_time(&self) -> usize {
        self.blocks().next().map_or(self.rows, |rows| rows.len())
    }

    /// All rows in ranges of so many that memory holds them easily, each a whole number of the rows that are predicted
    /// at a time but for the last.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        const WHOLE: usize = 256;
        let size = (self.block_cells() / self.columns.len()).next_multiple_of(WHOLE).max(WHOLE);
        let rows = self.rows;
        (0..rows).step_by(size).map(move |first| first..(first + size).min(rows))
    }

    /// The rows in which none of the named columns is missing, and how many others there are; [`None`] if there
    /// are no others.
    ///
    /// # Errors
    /// If there is no such column, or one is missing in every row.
    pub fn without_missing<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Option<(Self, usize)>> {
        let names: Vec<&str> = names.into_iter().collect();
        let mut is_known = vec![true; self.rows];
        for name in &names {
            let values = self.column(name)?.values()?;
            match &*values {
                Values::Numbers(numbers) => {
                    is_known.iter_mut().zip(numbers).for_each(|(known, number)| *known &= !number.is_nan());
                }
                Values::Categories(texts) => {
                    is_known
                        .iter_mut()
                        .enumerate()
                        .for_each(|(row, known)| *known &= texts.code(row).is_some());
                }
                Values::Times(times) => {
                    is_known
                        .iter_mut()
                        .zip(&times.seconds)
                        .for_each(|(known, time)| *known &= !time.is_nan());
                }
                Values::Bytes(_) => {}
            }
        }
        let rows: Vec<usize> = (0..self.rows).filter(|&row| is_known[row]).collect();
        let others = self.rows - rows.len();
        if others == 0 {
            return Ok(None);
        }
        if rows.is_empty() {
            let (what, help) = match &names[..] {
                [name] => (
                    format!("has no value in column \"{name}\""),
                    "give rows with values there, or choose another column",
                ),
                _ => (
                    format!("lacks a value in at least one of {}", listed(names.iter().copied())),
                    "leave out the columns with the fewest values, or predict each by itself",
                ),
            };
            return Err(Error::data(format!("every row {what}")).at(Place::source(&self.source)).help(help));
        }
        Ok(Some((self.select(&rows)?, others)))
    }

    /// The rows of `self`, then those of `other`, whose columns are found by name.
    ///
    /// # Errors
    /// If a column of `self` is not in `other`, or is of another kind there.
    pub fn concat(&self, other: &Self) -> Result<Self> {
        let mut columns = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let second = other.column(&column.name)?;
            let values = concat_values(&*column.values()?, &*second.values()?);
            let Some(values) = values else {
                return Err(Error::data(format!(
                    "column \"{}\" is of one kind in {} and of another in {}",
                    column.name, self.source, other.source
                ))
                .help(format!("say which, for example `--type '{}=categorical'`", column.name)));
            };
            let unit = column.unit.clone().filter(|unit| second.unit.as_ref() == Some(unit));
            columns.push(
                Column::new(&*column.name, values)
                    .with_reason(&*column.reason)
                    .with_unit(unit)
                    .with_decimal_commas(column.has_decimal_commas)
                    .with_years_first(column.has_years_first)
                    .with_spellings(column.spellings.clone()),
            );
        }
        let source = format!("{} and {}", self.source, other.source);
        Ok(Self { target: self.target.clone(), ..Self::new(source, columns)? })
    }
}

/// At most so many cells are taken into memory at a time from a table that it does not hold.
const MOST_BLOCK_CELLS: usize = 1 << 21;
/// A cell, the number that is made of it, and both as bytes of a store take about half of what a store allows for a
/// cell.
const BUFFER_BYTES_PER_CELL: usize = 64;

/// Both columns' values, one after the other; [`None`] if they are of different kinds.
fn concat_values(first: &Values, second: &Values) -> Option<Values> {
    let texts = |categories: &Categories| {
        (0..categories.rows()).map(|row| categories.text(row).map(str::to_owned)).collect::<Vec<_>>()
    };
    match (first, second) {
        (Values::Numbers(first), Values::Numbers(second)) => {
            Some(Values::Numbers([first.as_slice(), second].concat()))
        }
        (Values::Categories(first), Values::Categories(second)) => {
            Some(Values::Categories(Categories::from_texts(texts(first).into_iter().chain(texts(second)))))
        }
        (Values::Bytes(first), Values::Bytes(second)) if first.shape() == second.shape() => {
            let maximum = first.maximum().max(second.maximum());
            let data = [first.data(), second.data()].concat();
            Bytes::new(data, first.shape().to_vec(), maximum).ok().map(Values::Bytes)
        }
        (Values::Times(first), Values::Times(second)) => Some(Values::Times(Times {
            seconds: [first.seconds.as_slice(), &second.seconds].concat(),
            is_day_first: first.is_day_first.or(second.is_day_first),
        })),
        _ => None,
    }
}

/// Names for a message: quoted, at most ten, then how many more.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    let shown = names[..names.len().min(10)].join(", ");
    if names.len() > 10 { format!("{shown} and {} more", names.len() - 10) } else { shown }
}
