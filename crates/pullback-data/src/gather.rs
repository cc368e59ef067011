//! Columns that grow part by part: their cells are in memory as long as it holds them, then in a store.

use crate::budget::Budget;
use crate::kind::Decided;
use crate::note::Note;
use crate::raw::{Builder, Coded, CodedCells, MISSING, PlainCells, Points, Raw};
use crate::sniff::ReadOptions;
use crate::spool;
use pullback::data::{Column, Records, Store, StoredValues};
use pullback::error::Result;
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// What a column is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum As {
    Plain,
    Coded,
    Skip,
}

/// A column of numbers grows by such a part.
const GROWTH: usize = 8;
/// So many missing cells are added at once.
const MISSING_AT_ONCE: usize = 1 << 16;

/// A column of which some parts were read; its cells are in memory, or in a store.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// Without cells, if these are in a store; [`None`] until a part comes that is not skipped.
    raw: Option<Raw>,
    known: HashMap<String, u32>,
    store: Option<Arc<dyn Store>>,
    records: Option<Records>,
    rows: usize,
    /// The number of rows up to the last cell that is not missing.
    present_end: usize,
    /// Rows that were taken back of cells that are in a store.
    removed: Vec<usize>,
    /// A cell was neither missing nor a plain number that says all that its text does.
    pub(crate) is_surprised: bool,
}

impl Gathered {
    pub(crate) fn new(store: Option<Arc<dyn Store>>) -> Self {
        Self {
            raw: None,
            known: HashMap::new(),
            store,
            records: None,
            rows: 0,
            present_end: 0,
            removed: Vec::new(),
            is_surprised: false,
        }
    }

    /// Adds a part.
    pub(crate) fn add(&mut self, part: Builder<'_>) -> Result<()> {
        match part {
            Builder::Skip => {}
            Builder::Plain(part) => {
                let PlainCells { numbers: own, points: more, is_surprised } = part;
                self.is_surprised |= is_surprised;
                if let Some(last) = own.iter().rposition(|number| !number.is_nan()) {
                    self.present_end = self.rows + last + 1;
                }
                self.rows += own.len();
                let empty = || Raw::Plain { numbers: Vec::new(), points: Points::default() };
                let Raw::Plain { numbers, points } = self.raw.get_or_insert_with(empty) else {
                    return Ok(());
                };
                points.between_thousands |= more.between_thousands;
                points.decimal |= more.decimal;
                match &self.store {
                    Some(store) => records(&mut self.records, store, size_of::<f64>()).push_numbers(&own)?,
                    None if numbers.is_empty() => *numbers = own,
                    None => {
                        // Not twice as much, as a vector grows: what is set aside for a cell is little more than it.
                        if numbers.capacity() - numbers.len() < own.len() {
                            numbers.reserve_exact(own.len().max(numbers.len() / GROWTH));
                        }
                        numbers.extend_from_slice(&own);
                    }
                }
            }
            Builder::Coded(part) => {
                if let Some(last) = part.codes.iter().rposition(|code| *code != MISSING) {
                    self.present_end = self.rows + last + 1;
                }
                self.rows += part.codes.len();
                let empty = || Raw::Coded(Coded::default());
                let Raw::Coded(coded) = self.raw.get_or_insert_with(empty) else { return Ok(()) };
                coded.add(part, &mut self.known);
                if let Some(store) = &self.store {
                    records(&mut self.records, store, size_of::<u32>()).push_codes(&coded.codes)?;
                    coded.codes.clear();
                }
            }
        }
        Ok(())
    }

    /// Adds rows without a value before what comes next; the cells are to be numbers, or texts.
    pub(crate) fn add_missing(&mut self, rows: usize, read_as: As) -> Result<()> {
        for from in (0..rows).step_by(MISSING_AT_ONCE) {
            let mut part = match read_as {
                As::Plain => Builder::plain(),
                As::Coded => Builder::Coded(CodedCells::default()),
                As::Skip => Builder::Skip,
            };
            part.fill((rows - from).min(MISSING_AT_ONCE));
            self.add(part)?;
        }
        Ok(())
    }

    /// The number of rows that were added.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Puts the cells into a store, and all that are added from now on.
    fn put(&mut self, store: &Arc<dyn Store>) -> Result<()> {
        self.store = Some(store.clone());
        match &mut self.raw {
            Some(Raw::Plain { numbers, .. }) => {
                records(&mut self.records, store, size_of::<f64>()).push_numbers(&std::mem::take(numbers))
            }
            Some(Raw::Coded(coded)) => records(&mut self.records, store, size_of::<u32>())
                .push_codes(&std::mem::take(&mut coded.codes)),
            None => Ok(()),
        }
    }

    /// The column without its cells, if these are in a store.
    pub(crate) fn raw(&self) -> Option<&Raw> {
        self.raw.as_ref()
    }

    /// The number of rows up to the last cell that is not missing.
    pub(crate) fn present_end(&self) -> usize {
        self.present_end
    }

    /// Takes back all but the first rows, where no other has a value.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.rows = self.rows.min(rows);
        match &mut self.raw {
            Some(Raw::Plain { numbers, .. }) => numbers.truncate(rows),
            Some(Raw::Coded(coded)) => coded.codes.truncate(rows),
            None => {}
        }
        self.records.iter_mut().for_each(|records| records.truncate(rows));
    }

    /// Takes back rows, in ascending order; once.
    ///
    /// # Errors
    /// If a store cannot be read.
    pub(crate) fn remove(&mut self, rows: &[usize]) -> Result<()> {
        let of_rows: Vec<u32> = match self.codes()? {
            Some(codes) => rows.iter().map(|&row| codes[row]).collect(),
            None => Vec::new(),
        };
        if let Some(Raw::Coded(coded)) = &mut self.raw {
            for code in of_rows.into_iter().filter(|code| *code != MISSING) {
                coded.counts[code as usize] -= 1;
            }
        }
        if self.records.is_some() {
            self.removed = rows.to_vec();
            return Ok(());
        }
        self.rows -= rows.len();
        match &mut self.raw {
            Some(Raw::Plain { numbers, .. }) => without(numbers, rows),
            Some(Raw::Coded(coded)) => without(&mut coded.codes, rows),
            None => {}
        }
        Ok(())
    }

    /// The codes of its cells, if it is one of texts.
    ///
    /// # Errors
    /// If a store cannot be read.
    pub(crate) fn codes(&self) -> Result<Option<Cow<'_, [u32]>>> {
        Ok(match (&self.raw, &self.records) {
            (Some(Raw::Coded(coded)), None) => Some(Cow::Borrowed(&coded.codes[..])),
            (Some(Raw::Coded(_)), Some(records)) => Some(Cow::Owned(records.codes(0..self.rows)?)),
            _ => None,
        })
    }

    /// The numbers of its cells, if it is one of plain numbers.
    ///
    /// # Errors
    /// If a store cannot be read.
    pub(crate) fn numbers(&self) -> Result<Option<Cow<'_, [f64]>>> {
        Ok(match (&self.raw, &self.records) {
            (Some(Raw::Plain { numbers, .. }), None) => Some(Cow::Borrowed(&numbers[..])),
            (Some(Raw::Plain { .. }), Some(records)) => Some(Cow::Owned(records.numbers(0..self.rows)?)),
            _ => None,
        })
    }

    /// Where the cells are as they were read, if they are in a store.
    pub(crate) fn records(&self) -> Option<&Records> {
        self.records.as_ref().filter(|_| self.removed.is_empty())
    }

    /// The column with its cells, read from the store; [`None`] if it was skipped.
    pub(crate) fn into_raw(self) -> Result<Option<Raw>> {
        let (mut raw, rows) = (self.raw, 0..self.rows);
        if let Some(records) = self.records {
            match &mut raw {
                Some(Raw::Plain { numbers, .. }) => {
                    *numbers = records.numbers(rows)?;
                    without(numbers, &self.removed);
                }
                Some(Raw::Coded(coded)) => {
                    coded.codes = records.codes(rows)?;
                    without(&mut coded.codes, &self.removed);
                }
                None => {}
            }
        }
        Ok(raw)
    }
}

/// Takes some cells away, by their places in ascending order.
fn without<T>(cells: &mut Vec<T>, rows: &[usize]) {
    let mut at = 0;
    let mut rows = rows.iter().peekable();
    cells.retain(|_| {
        at += 1;
        rows.next_if_eq(&&(at - 1)).is_none()
    });
}

fn records<'a>(records: &'a mut Option<Records>, store: &Arc<dyn Store>, size: usize) -> &'a mut Records {
    records.get_or_insert_with(|| Records::new(store.clone(), size))
}

/// The columns of a table in the making, from a source that does not tell before how many rows it has.
pub(crate) struct Gathering<'a> {
    path: &'a Path,
    options: &'a ReadOptions,
    budget: &'a Budget,
    store: Option<Arc<dyn Store>>,
    columns: Vec<Gathered>,
    /// What is set aside: for cells in memory, and for rows of which cells are in a store.
    cell_bytes: u64,
    stored_rows: usize,
}

impl<'a> Gathering<'a> {
    pub(crate) fn new(path: &'a Path, options: &'a ReadOptions, budget: &'a Budget) -> Self {
        let (columns, store) = (Vec::new(), None);
        Self { path, options, budget, store, columns, cell_bytes: 0, stored_rows: 0 }
    }

    /// The column at a place, a new one if it is the next.
    pub(crate) fn column(&mut self, at: usize) -> &mut Gathered {
        if at == self.columns.len() {
            self.columns.push(Gathered::new(self.store.clone()));
        }
        &mut self.columns[at]
    }

    pub(crate) fn columns(&self) -> &[Gathered] {
        &self.columns
    }

    /// Gives up the cells of a column, which is read again.
    pub(crate) fn clear(&mut self, at: usize) {
        self.columns[at] = Gathered::new(self.store.clone());
    }

    pub(crate) fn store(&self) -> Option<&Arc<dyn Store>> {
        self.store.as_ref()
    }

    pub(crate) fn into_columns(self) -> Vec<Gathered> {
        self.columns
    }

    /// Sets memory aside for so many rows in all, which are such a share of the source: for their cells, or, where it
    /// does not hold them, for what is in memory while they are in a store.
    ///
    /// # Errors
    /// If there is not so much memory, or no room for a store.
    pub(crate) fn reserve(
        &mut self,
        (rows, columns): (usize, usize),
        share: f64,
        notes: &mut Vec<Note>,
    ) -> Result<()> {
        let mut content = 0;
        if self.store.is_none() {
            let bytes = Budget::cell_bytes(rows, columns);
            let more = bytes.saturating_sub(self.cell_bytes);
            if self.budget.take(more) {
                self.cell_bytes += more;
                return Ok(());
            }
            let Some(folder) = self.options.spool.as_deref() else {
                return self.budget.cells(self.path, 0, rows, columns);
            };
            let all = (rows as f64 / share.clamp(1e-9, 1.0)) as usize;
            let store = spool::for_rows(folder, (all, columns), self.options, notes)?;
            for column in &mut self.columns {
                column.put(&store)?;
            }
            self.store = Some(store);
            self.budget.give(std::mem::take(&mut self.cell_bytes));
            content = spool::windows_bytes(self.options);
        }
        let more = rows.saturating_sub(self.stored_rows);
        self.stored_rows += more;
        self.budget.rows(self.path, content, more, columns)
    }
}

/// A column where its cells are to be: of a table whose cells are in a store its values are put there, if they are not
/// there as they were read.
pub(crate) fn placed(
    name: &str,
    decided: Decided,
    store: Option<&Arc<dyn Store>>,
    as_read: Option<StoredValues>,
) -> Result<Column> {
    let column = match (store, as_read) {
        (None, _) => Column::new(name, decided.values),
        (Some(_), Some(stored)) => Column::stored(name, stored),
        (Some(store), None) => match StoredValues::put(&decided.values, store)? {
            Some(stored) => Column::stored(name, stored),
            None => Column::new(name, decided.values),
        },
    };
    Ok(column
        .with_reason(decided.reason)
        .with_unit(decided.unit)
        .with_decimal_commas(decided.has_decimal_commas)
        .with_years_first(decided.is_year_first)
        .with_spellings(decided.spellings))
}
