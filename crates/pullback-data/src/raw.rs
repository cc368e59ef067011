//! Raw columns: cells as they were read, before anyone decides what they are.
//!
//! Cells that are plain numbers are kept as numbers, others as codes into a list of distinct texts. A builder that
//! expects plain numbers and meets something else says so, and the reader reads that column again as texts.

use crate::budget::Budget;
use crate::cell::is_missing;
use crate::number::{Fraction, LARGEST_EXACT, Plain};
use pullback::data::{Categories, Values};
use std::borrow::Cow;
use std::collections::HashMap;

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
    /// A cell was neither missing nor a plain number that says all that its text does.
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
    pub(crate) fn new(budget: &'a Budget) -> Self {
        Self { budget: Some(budget), ..Self::default() }
    }

    pub(crate) fn push(&mut self, text: Cow<'a, [u8]>) {
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
        Self::Coded(CodedCells::new(budget))
    }

    #[inline]
    pub(crate) fn push_plain(cells: &mut PlainCells, plain: Plain, tokens: &Tokens) {
        match plain.fraction {
            // Its digits are more than the number tells.
            Fraction::None => cells.is_surprised |= plain.value.abs() >= LARGEST_EXACT as f64,
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

    /// Gives the memory of its texts back: its cells are not asked for.
    pub(crate) fn give_up(self) {
        if let Self::Coded(CodedCells { names, budget: Some(budget), .. }) = self {
            names.iter().for_each(|name| budget.give_text(name.len()));
        }
    }

    /// Adds missing cells up to so many rows.
    pub(crate) fn fill(&mut self, rows: usize) {
        match self {
            Self::Skip => {}
            Self::Plain(cells) => cells.numbers.resize(rows, f64::NAN),
            Self::Coded(cells) => cells.codes.resize(rows, MISSING),
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

impl Coded {
    /// The categories that the texts are.
    pub(crate) fn into_values(self) -> Values {
        let texts =
            self.codes.iter().map(|&code| (code != MISSING).then(|| self.names[code as usize].as_str()));
        Values::Categories(Categories::from_texts(texts))
    }

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

    /// Adds the cells of a part, whose texts are counted once.
    pub(crate) fn add(&mut self, part: CodedCells<'_>, known: &mut HashMap<String, u32>) {
        let CodedCells { codes, names, known: own, budget, .. } = part;
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
                // Spaces that are no ASCII are none of a text either.
                let text = text.trim();
                if text.is_empty() {
                    self.codes.push(MISSING);
                    continue;
                }
                *place = match known.get(text) {
                    Some(&place) => {
                        if let Some(budget) = budget {
                            budget.give_text(names[code as usize].len());
                        }
                        place
                    }
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
