//! A column of texts as one input a category.
//!
//! Of more levels than [`DataOptions::max_levels`](crate::data::DataOptions::max_levels), the most frequent stay (of
//! equally frequent ones, the first in order), and all others are one category: what is seen rarely teaches little of
//! itself. Then a text that was never seen is a rare one too.

use super::Warning;
use super::cells::{categories_of, names_in, places};
use super::identifier::are_names;
use crate::data::{DataOptions, Imputation, Values};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// One input a category: 1 for the row's own, 0 for the others. There is at least one, all are different, and what
/// missing cells count as is one of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Names", into = "Names")]
pub struct Categorical {
    names: Names,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    categories: Vec<String>,
    missing: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rare: Option<Rare>,
}

/// The category that rare levels make together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rare {
    /// Its position among the categories.
    pub place: usize,
    /// How many levels it stands for.
    pub levels: usize,
}

impl TryFrom<Names> for Categorical {
    type Error = Error;
    fn try_from(Names { categories, missing, rare }: Names) -> Result<Self> {
        Categorical::new(categories, missing)?.with_rare(rare)
    }
}

impl From<Categorical> for Names {
    fn from(categorical: Categorical) -> Self {
        categorical.names
    }
}

/// The name of the category that missing cells make.
const MISSING: &str = "(missing)";
/// The name of the category that rare levels make.
const RARE: &str = "(rare)";

impl Categorical {
    /// The encoding of these categories; `missing` is the position of the one that missing cells count as.
    ///
    /// # Errors
    /// If there is no category, two are the same, or `missing` is the position of none.
    pub fn new(categories: Vec<String>, missing: Option<usize>) -> Result<Self> {
        if categories.is_empty() {
            return Err(Error::data("there are no categories").help("give at least one"));
        }
        let mut distinct = BTreeSet::new();
        if let Some(twice) = categories.iter().find(|category| !distinct.insert(*category)) {
            return Err(
                Error::data(format!("the category \"{twice}\" is listed twice")).help("leave out one")
            );
        }
        if let Some(missing) = missing.filter(|&missing| missing >= categories.len()) {
            return Err(Error::data(format!(
                "missing cells count as category {missing}, but there are {} categories, which count from 0",
                categories.len()
            )));
        }
        Ok(Self { names: Names { categories, missing, rare: None } })
    }

    /// The same with a category that stands for all others.
    ///
    /// # Errors
    /// If it is the position of none.
    pub fn with_rare(mut self, rare: Option<Rare>) -> Result<Self> {
        let count = self.names.categories.len();
        if let Some(Rare { place, .. }) = rare.filter(|rare| rare.place >= count) {
            return Err(Error::data(format!(
                "rare levels count as category {place}, but there are {count} categories, which count from 0"
            )));
        }
        self.names.rare = rare;
        Ok(self)
    }

    /// Decides by the texts that stand in the given rows; the inner error says why the column should be left out.
    pub(super) fn fit(
        (name, values): (&str, &Values),
        rows: &[usize],
        options: &DataOptions,
        is_declared: bool,
    ) -> Result<std::result::Result<Self, String>> {
        let cells = categories_of(values);
        let counts = cells.counts(rows.iter().copied());
        let mut categories = names_in(&cells, rows.iter().copied());
        let distinct = categories.len();
        let present = counts.iter().sum::<usize>();
        if !is_declared && are_names(distinct, present) {
            return Ok(Err(format!(
                "{distinct} distinct texts in {present} rows, so it identifies rows; `--type '{name}=categorical'` keeps it"
            )));
        }
        let mut frequency = vec![0; distinct];
        for (place, count) in places(&cells, &categories).into_iter().zip(counts) {
            if let Some(place) = place {
                frequency[place] = count;
            }
        }
        let levels = distinct.saturating_sub(options.max_levels);
        if levels > 0 {
            let mut order: Vec<usize> = (0..distinct).collect();
            // Of equally frequent levels the first ones stay.
            order.sort_by_key(|&place| Reverse(frequency[place]));
            let mut is_rare = vec![false; distinct];
            order[options.max_levels..].iter().for_each(|&place| is_rare[place] = true);
            let mut at = is_rare.iter();
            categories.retain(|_| at.next() == Some(&false));
            let mut at = is_rare.iter();
            frequency.retain(|_| at.next() == Some(&false));
        }
        let is_complete = present == rows.len();
        // A text that says so already counts as such too.
        let named = |name: &str, categories: &mut Vec<String>| {
            categories.iter().position(|category| category == name).unwrap_or_else(|| {
                categories.push(name.to_owned());
                categories.len() - 1
            })
        };
        let missing = match options.imputation {
            _ if is_complete => None,
            Imputation::MostFrequent if distinct > 0 => {
                // Of equally frequent categories the first one.
                (0..frequency.len()).rev().max_by_key(|&place| frequency[place])
            }
            _ => Some(named(MISSING, &mut categories)),
        };
        let rare = (levels > 0).then(|| Rare { place: named(RARE, &mut categories), levels });
        Categorical::new(categories, missing)?.with_rare(rare).map(Ok)
    }

    /// The categories seen in training, in the order of the inputs.
    pub fn categories(&self) -> &[String] {
        &self.names.categories
    }

    /// What a missing cell counts as: the position of a category. Without it, as none.
    pub fn missing(&self) -> Option<usize> {
        self.names.missing
    }

    /// The category that all others make together, if there were more than could be told apart.
    pub fn rare(&self) -> Option<Rare> {
        self.names.rare
    }

    /// Calls `write(row, input, 1)` for each row that is of a known category; the others are in the warning, unless
    /// they count as rare.
    pub(super) fn write(
        &self,
        column: &str,
        values: &Values,
        write: &mut impl FnMut(usize, usize, f64),
    ) -> Option<Warning> {
        let cells = categories_of(values);
        let places = places(&cells, self.categories());
        let mut warning: Option<Warning> = None;
        for row in 0..values.rows() {
            let place = match cells.code(row) {
                Some(code) => places[code].or(self.rare().map(|rare| rare.place)),
                None => self.missing(),
            };
            match place {
                Some(place) => write(row, place, 1.0),
                None => {
                    let value = cells.text(row).unwrap_or(MISSING).to_owned();
                    let first = Warning { column: column.to_owned(), row, value, rows: 0 };
                    warning.get_or_insert(first).rows += 1;
                }
            }
        }
        warning
    }
}
