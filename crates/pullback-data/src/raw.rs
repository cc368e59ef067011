//! Raw columns: cells as they were read, before anyone decides what they are.
//!
//! Cells that are plain numbers are kept as numbers, others as codes into a list of distinct texts. A builder that
//! expects plain numbers and meets something else says so, and the reader reads that column again as texts.

use crate::budget::Budget;
use crate::cell::is_missing;
use crate::number::{Fraction, Plain};
use pullback::data::{Records, Store};
use pullback::error::Result;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// The code of a missing cell.
pub(crate) const MISSING: u32 = u32::MAX;

/// What a caller says is missing, beside the usual spellings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens {
    texts: Vec<String>,
    numbers: Vec<f64>,
}

impl Tokens {
    pub(crate) fn new(tokens: &[String]) -> Self {
        Self {
            texts: tokens.iter().map(|token| token.trim().to_owned()).collect(),
            numbers: tokens.iter().filter_map(|token| token.trim().parse().ok()).collect(),
        }
    }

    pub(crate) fn has(&self, text: &[u8]) -> bool {
        !self.texts.is_empty() && self.texts.iter().any(|token| token.as_bytes() == text)
    }

    #[inline]
    pub(crate) fn has_number(&self, number: f64) -> bool {
        !self.numbers.is_empty() && self.numbers.contains(&number)
    }
}

/// The cells of a column, in the making.
#[derive(Debug)]
pub(crate) enum Builder<'a> {
    /// Cells that nobody asks for.
    Skip,
    Plain(PlainCells),
    Coded(CodedCells<'a>),
}

/// Numbers as programs write them; NaN for a missing cell.
#[derive(Debug, Default)]
pub(crate) struct PlainCells {
    pub(crate) numbers: Vec<f64>,
    /// A cell was neither a plain number nor missing.
    pub(crate) is_surprised: bool,
    pub(crate) points: Points,
}

/// What the points in plain numbers could be.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Points {
    /// Some stand where one between thousands could.
    pub(crate) between_thousands: bool,
    /// Some can only be decimal points.
    pub(crate) decimal: bool,
}

/// Distinct texts and which cell has which.
#[derive(Debug, Default)]
pub(crate) struct CodedCells<'a> {
    pub(crate) codes: Vec<u32>,
    pub(crate) names: Vec<Cow<'a, [u8]>>,
    known: HashMap<Cow<'a, [u8]>, u32>,
    /// What texts are counted against.
    budget: Option<&'a Budget>,
    /// A text was left out, for which there is no memory.
    pub(crate) is_full: bool,
}

impl<'a> CodedCells<'a> {
    fn push(&mut self, text: Cow<'a, [u8]>) {
        if let Some(&code) = self.known.get(text.as_ref()) {
            self.codes.push(code);
            return;
        }
        if self.is_full || self.budget.is_some_and(|budget| !budget.text(text.len())) {
            self.is_full = true;
            self.codes.push(MISSING);
            return;
        }
        let code = self.names.len() as u32;
        self.names.push(text.clone());
        self.known.insert(text, code);
        self.codes.push(code);
    }
}

impl<'a> Builder<'a> {
    pub(crate) fn plain() -> Self {
        Self::Plain(PlainCells::default())
    }

    pub(crate) fn coded(budget: &'a Budget) -> Self {
        Self::Coded(CodedCells { budget: Some(budget), ..CodedCells::default() })
    }

    #[inline]
    pub(crate) fn push_plain(cells: &mut PlainCells, plain: Plain, tokens: &Tokens) {
        match plain.fraction {
            Fraction::None => {}
            Fraction::Three => cells.points.between_thousands = true,
            Fraction::Other => cells.points.decimal = true,
        }
        cells.numbers.push(if tokens.has_number(plain.value) { f64::NAN } else { plain.value });
    }

    /// Adds a cell, trimmed.
    pub(crate) fn push(&mut self, text: Cow<'a, [u8]>, tokens: &Tokens) {
        match self {
            Self::Skip => {}
            Self::Plain(cells) => {
                match crate::number::plain(&text).filter(|plain| plain.length == text.len()) {
                    Some(plain) => Self::push_plain(cells, plain, tokens),
                    None => {
                        cells.is_surprised |= !is_missing(&text) && !tokens.has(&text);
                        cells.numbers.push(f64::NAN);
                    }
                }
            }
            Self::Coded(cells) => {
                let is_number_missing = || {
                    !tokens.numbers.is_empty()
                        && crate::number::plain(&text)
                            .is_some_and(|plain| plain.length == text.len() && tokens.has_number(plain.value))
                };
                if is_missing(&text) || tokens.has(&text) || is_number_missing() {
                    cells.codes.push(MISSING);
                } else {
                    cells.push(text);
                }
            }
        }
    }

    /// Takes back all but the first rows.
    pub(crate) fn truncate(&mut self, rows: usize) {
        match self {
            Self::Skip => {}
            Self::Plain(cells) => cells.numbers.truncate(rows),
            Self::Coded(cells) => cells.codes.truncate(rows),
        }
    }
}

/// The cells of a column.
#[derive(Debug)]
pub(crate) enum Raw {
    /// All are plain numbers, or missing: NaN.
    Plain {
        numbers: Vec<f64>,
        points: Points,
    },
    Coded(Coded),
}

/// Distinct texts, how often each stands, and which cell has which.
#[derive(Debug, Default)]
pub(crate) struct Coded {
    pub(crate) codes: Vec<u32>,
    pub(crate) names: Vec<String>,
    pub(crate) counts: Vec<usize>,
}

impl Raw {
    /// One column of several parts, one after the other; [`None`] if it was skipped.
    pub(crate) fn joined(parts: Vec<Builder<'_>>) -> Option<Self> {
        let mut gathered = Gathered::new(None);
        for part in parts {
            // There is no store that could have no room.
            gathered.add(part).ok()?;
        }
        gathered.into_raw().ok()?
    }
}

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
    /// A cell was neither a plain number nor missing.
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
                    None => numbers.extend_from_slice(&own),
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

    /// Where the cells are, if they are in a store.
    pub(crate) fn records(&self) -> Option<&Records> {
        self.records.as_ref()
    }

    /// The column with its cells, read from the store; [`None`] if it was skipped.
    pub(crate) fn into_raw(self) -> Result<Option<Raw>> {
        let (mut raw, rows) = (self.raw, 0..self.rows);
        if let Some(records) = self.records {
            match &mut raw {
                Some(Raw::Plain { numbers, .. }) => *numbers = records.numbers(rows)?,
                Some(Raw::Coded(coded)) => coded.codes = records.codes(rows)?,
                None => {}
            }
        }
        Ok(raw)
    }
}

fn records<'a>(records: &'a mut Option<Records>, store: &Arc<dyn Store>, size: usize) -> &'a mut Records {
    records.get_or_insert_with(|| Records::new(store.clone(), size))
}

impl Coded {
    /// Takes the cells of some of the texts as missing.
    pub(crate) fn forget(&mut self, is_missing: &[bool]) {
        for code in &mut self.codes {
            if *code != MISSING && is_missing[*code as usize] {
                *code = MISSING;
            }
        }
        self.counts
            .iter_mut()
            .zip(is_missing)
            .filter(|(_, is_missing)| **is_missing)
            .for_each(|(count, _)| *count = 0);
    }

    fn add(&mut self, part: CodedCells<'_>, known: &mut HashMap<String, u32>) {
        let CodedCells { codes, names, known: own, .. } = part;
        drop(own);
        // The place of each of its names here: found when a cell has it, so that names stand in order of rows.
        let mut places = vec![MISSING; names.len()];
        self.codes.reserve(codes.len());
        for code in codes {
            if code == MISSING {
                self.codes.push(MISSING);
                continue;
            }
            let place = &mut places[code as usize];
            if *place == MISSING {
                let text = String::from_utf8_lossy(&names[code as usize]);
                let text = text.trim();
                *place = match known.get(text) {
                    Some(&place) => place,
                    None => {
                        let new = self.names.len() as u32;
                        self.names.push(text.to_owned());
                        self.counts.push(0);
                        known.insert(text.to_owned(), new);
                        new
                    }
                };
            }
            self.counts[*place as usize] += 1;
            self.codes.push(*place);
        }
    }
}
