//! A column of numbers as one input.

use super::cells::numbers_of;
use super::identifier::identifies;
use crate::data::{DataOptions, Imputation, Scaling, Table, Values};
use crate::error::{Error, Place, Result};
use serde::{Deserialize, Serialize};

/// One input: `(x - center) / spread`. All three figures are finite, and the spread positive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Figures", into = "Figures")]
pub struct Numeric {
    figures: Figures,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Figures {
    center: f64,
    spread: f64,
    fill: f64,
}

impl TryFrom<Figures> for Numeric {
    type Error = Error;
    fn try_from(Figures { center, spread, fill }: Figures) -> Result<Self> {
        Numeric::new(center, spread, fill)
    }
}

impl From<Numeric> for Figures {
    fn from(numeric: Numeric) -> Self {
        numeric.figures
    }
}

impl Numeric {
    /// The encoding of these figures.
    ///
    /// # Errors
    /// If one is not finite, or the spread is not positive.
    pub fn new(center: f64, spread: f64, fill: f64) -> Result<Self> {
        if !(center.is_finite() && spread.is_finite() && spread > 0.0 && fill.is_finite()) {
            return Err(Error::data(format!("numbers cannot be scaled by a center of {center} and a spread of {spread}, with {fill} for missing ones")).help("give finite figures and a positive spread"));
        }
        Ok(Self { figures: Figures { center, spread, fill } })
    }

    /// Decides by the numbers that stand in the given rows; the inner error says why the column should be left out.
    pub(super) fn fit(
        (table, name, values): (&Table, &str, &Values),
        rows: &[usize],
        options: &DataOptions,
        is_declared: bool,
    ) -> Result<std::result::Result<Self, String>> {
        let numbers = numbers_of(table, name, values)?;
        let is_first = table.columns().first().is_some_and(|first| first.name == *name);
        if !is_declared && let Some(why) = identifies(name, &numbers, is_first) {
            return Ok(Err(format!("{why}; `--type '{name}=numeric'` keeps it")));
        }
        let mut present: Vec<f64> =
            rows.iter().map(|&row| numbers[row]).filter(|number| !number.is_nan()).collect();
        if present.is_empty() {
            return Ok(Err("no row that is trained on has a value".into()));
        }
        present.sort_by(f64::total_cmp);
        let count = present.len() as f64;
        let mean = present.iter().sum::<f64>() / count;
        let fill = match options.imputation {
            Imputation::Mean => mean,
            Imputation::Median => median(&present),
            Imputation::MostFrequent => most_frequent(&present),
        };
        let (low, high) = (present[0], present[present.len() - 1]);
        let (center, spread) = match options.scaling {
            Scaling::None => (0.0, 1.0),
            // Exactly, where rounding of the mean would leave a constant column some spread.
            _ if low == high => (low, 1.0),
            Scaling::MinMax => (low, high - low),
            Scaling::Standardize => {
                let squares = present.iter().map(|number| (number - mean) * (number - mean));
                (mean, (squares.sum::<f64>() / count).sqrt())
            }
        };
        Numeric::new(center, spread, fill).map(Ok).map_err(|_| {
            Error::data("the numbers are too far apart to be scaled")
                .at(Place::source(table.source()).column(name))
                .help("leave the column out, or take the logarithm")
        })
    }

    /// What becomes 0: the mean, the smallest value, or 0.
    pub fn center(&self) -> f64 {
        self.figures.center
    }

    /// What becomes 1 above the center: the standard deviation, the range, or 1. A column without spread has 1 here,
    /// so that it becomes 0.
    pub fn spread(&self) -> f64 {
        self.figures.spread
    }

    /// What stands in for a missing cell, before scaling.
    pub fn fill(&self) -> f64 {
        self.figures.fill
    }

    /// What a number becomes; NaN is a missing one.
    pub(super) fn scaled(&self, number: f64) -> f64 {
        let Figures { center, spread, fill } = self.figures;
        ((if number.is_nan() { fill } else { number }) - center) / spread
    }
}

/// The middle of sorted numbers: of an even count, half way between the middle two.
fn median(sorted: &[f64]) -> f64 {
    let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    low + (high - low) / 2.0
}

/// The most frequent of sorted numbers; of equally frequent ones the smallest.
fn most_frequent(sorted: &[f64]) -> f64 {
    let runs = sorted.chunk_by(|left, right| left == right);
    let longest = runs.rev().max_by_key(|run| run.len()).expect("called with at least one number");
    longest[0]
}
