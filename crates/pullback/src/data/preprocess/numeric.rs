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
        let count = present.len() as f64;
        let mean = sum(present.iter().copied()) / count;
        let (low, high) = (present.iter())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &number| {
                (low.min(number), high.max(number))
            });
        let (center, spread) = match options.scaling {
            Scaling::None => (0.0, 1.0),
            // Exactly, where rounding of the mean would leave a constant column some spread.
            _ if low == high => (low, 1.0),
            Scaling::MinMax => (low, high - low),
            Scaling::Standardize => {
                let squares = present.iter().map(|number| (number - mean) * (number - mean));
                (mean, (sum(squares) / count).sqrt())
            }
        };
        // Last, as both move the numbers.
        let fill = match options.imputation {
            Imputation::Mean => mean,
            Imputation::Median => median(&mut present),
            Imputation::MostFrequent => most_frequent(&mut present),
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

/// So many numbers are added one after the other, then the sums of such blocks: rounding errors grow with the block
/// and the number of blocks, not with the number of rows.
const BLOCK: usize = 1024;

/// The sum of numbers in their order, by blocks.
fn sum(numbers: impl Iterator<Item = f64>) -> f64 {
    let (mut whole, mut block, mut left) = (0.0, 0.0, BLOCK);
    for number in numbers {
        block += number;
        left -= 1;
        if left == 0 {
            whole += block;
            (block, left) = (0.0, BLOCK);
        }
    }
    whole + block
}

/// The middle of numbers: of an even count, half way between the middle two. It moves them.
fn median(numbers: &mut [f64]) -> f64 {
    let middle = numbers.len() / 2;
    let is_even = numbers.len().is_multiple_of(2);
    let (below, high, _) = numbers.select_nth_unstable_by(middle, f64::total_cmp);
    match is_even {
        true => {
            let low = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            low + (*high - low) / 2.0
        }
        false => *high,
    }
}

/// The most frequent of numbers; of equally frequent ones the smallest. It sorts them.
fn most_frequent(numbers: &mut [f64]) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    let runs = numbers.chunk_by(|left, right| left == right);
    let longest = runs.rev().max_by_key(|run| run.len()).expect("called with at least one number");
    longest[0]
}
