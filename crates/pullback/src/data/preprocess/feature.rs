//! How a column becomes inputs of a network.

use super::{Warning, categories_of, is_categorical, names_in, numbers_of, places};
use crate::data::{Bytes, Column, ColumnType, DataOptions, Imputation, Scaling, Table, Values};
use crate::error::{Error, Place, Result};
use serde::{Deserialize, Serialize};

/// A column that is an input, or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// The column's name.
    pub name: String,
    /// How its values become numbers.
    pub encoding: Encoding,
}

/// How the values of a column become numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Encoding {
    /// One input: `(x - center) / spread`.
    Numeric {
        /// What becomes 0: the mean, the smallest value, or 0.
        center: f64,
        /// What becomes 1 above it: the standard deviation, the range, or 1. A column without
        /// spread has 1 here, so that it becomes 0.
        spread: f64,
        /// What stands in for a missing cell, before scaling.
        fill: f64,
    },
    /// One input a category: 1 for the row's own, 0 for the others.
    Categorical {
        /// The categories seen in training.
        categories: Vec<String>,
        /// What a missing cell counts as: the position of a category. Without it, as none.
        missing: Option<usize>,
    },
    /// One input a byte, all scaled alike: what a pixel says does not depend on its place.
    Bytes {
        /// The shape of a row's block.
        shape: Vec<usize>,
        /// The byte that becomes 0: the mean of all bytes, or 0.
        center: f64,
        /// What becomes 1 above it: the standard deviation, the largest possible byte, or 1.
        spread: f64,
    },
}

/// The name of the category that missing cells make.
const MISSING: &str = "(missing)";

/// A column of texts with more distinct values than this may be an identifier.
const MANY_CATEGORIES: usize = 50;

impl Feature {
    /// Decides how to encode a column; the inner error says why it should be left out.
    pub(super) fn fit(
        table: &Table,
        column: &Column,
        rows: &[usize],
        options: &DataOptions,
        declared: Option<ColumnType>,
    ) -> Result<std::result::Result<Self, String>> {
        let name = &column.name;
        let feature = |encoding| Ok(Ok(Self { name: name.clone(), encoding }));
        match &column.values {
            Values::Bytes(bytes) if declared.is_none() => {
                let maximum = f64::from(bytes.maximum());
                let (center, spread) = match options.scaling {
                    Scaling::None => (0.0, 1.0),
                    Scaling::MinMax => (0.0, maximum),
                    Scaling::Standardize => match mean_and_deviation(bytes, rows) {
                        (mean, 0.0) => (mean, maximum),
                        figures => figures,
                    },
                };
                feature(Encoding::Bytes { shape: bytes.shape().to_vec(), center, spread })
            }
            values if is_categorical(values, declared) => {
                let cells = categories_of(values);
                let counts = cells.counts(rows.iter().copied());
                let mut categories = names_in(&cells, rows.iter().copied());
                let distinct = categories.len();
                if declared.is_none() && distinct > MANY_CATEGORIES && 2 * distinct > rows.len() {
                    return Ok(Err(format!(
                        "{distinct} distinct texts in {} rows, so it identifies rows; declare it categorical to keep it",
                        rows.len()
                    )));
                }
                let is_complete = counts.iter().sum::<usize>() == rows.len();
                let missing = match options.imputation {
                    _ if is_complete => None,
                    Imputation::MostFrequent if distinct > 0 => {
                        let mut frequency = vec![0; distinct];
                        for (place, count) in places(&cells, &categories).into_iter().zip(counts) {
                            if let Some(place) = place {
                                frequency[place] = count;
                            }
                        }
                        // Of equally frequent categories the first one.
                        (0..distinct).rev().max_by_key(|&place| frequency[place])
                    }
                    _ => {
                        categories.push(MISSING.to_owned());
                        Some(categories.len() - 1)
                    }
                };
                feature(Encoding::Categorical { categories, missing })
            }
            values => {
                let numbers = numbers_of(table, name, values)?;
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
                    Imputation::Median => {
                        let (low, high) = (present[(present.len() - 1) / 2], present[present.len() / 2]);
                        low + (high - low) / 2.0
                    }
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
                if !(center.is_finite() && spread.is_finite() && spread > 0.0) {
                    return Err(Error::data("the numbers are too far apart to be scaled")
                        .at(Place::source(table.source()).column(name))
                        .help("leave the column out, or take the logarithm"));
                }
                feature(Encoding::Numeric { center, spread, fill })
            }
        }
    }

    /// The number of inputs.
    pub fn width(&self) -> usize {
        match &self.encoding {
            Encoding::Numeric { .. } => 1,
            Encoding::Categorical { categories, .. } => categories.len(),
            Encoding::Bytes { shape, .. } => shape.iter().product(),
        }
    }

    /// The names of the inputs.
    pub fn input_names(&self) -> Vec<String> {
        let name = &self.name;
        match &self.encoding {
            Encoding::Numeric { .. } => vec![name.clone()],
            Encoding::Categorical { categories, .. } => {
                categories.iter().map(|category| format!("{name}={category}")).collect()
            }
            Encoding::Bytes { .. } => (0..self.width()).map(|at| format!("{name}[{at}]")).collect(),
        }
    }

    /// The column of this name, if it holds blocks of bytes of the right shape.
    pub(super) fn bytes<'a>(&self, table: &'a Table) -> Result<&'a Bytes> {
        let column = table.column(&self.name)?;
        let Encoding::Bytes { shape, .. } = &self.encoding else {
            unreachable!("asked of a feature of bytes only");
        };
        match &column.values {
            Values::Bytes(bytes) if bytes.shape() == shape => Ok(bytes),
            Values::Bytes(bytes) => Err(Error::data(format!(
                "images of shape {:?}, but the model takes {shape:?}",
                bytes.shape()
            ))
            .at(Place::source(table.source()).column(&self.name))
            .help("give images of that size")),
            _ => Err(Error::data("no images, on which the model was trained")
                .at(Place::source(table.source()).column(&self.name))
                .help(format!("give images of shape {shape:?}"))),
        }
    }

    /// Calls `write(row, input, number)` for what is not zero (for numbers: all) of each row.
    pub(super) fn write(
        &self,
        table: &Table,
        write: &mut impl FnMut(usize, usize, f64),
    ) -> Result<Option<Warning>> {
        let column = table.column(&self.name)?;
        match &self.encoding {
            Encoding::Numeric { center, spread, fill } => {
                for (row, &number) in numbers_of(table, &self.name, &column.values)?.iter().enumerate() {
                    let number = if number.is_nan() { *fill } else { number };
                    write(row, 0, (number - center) / spread);
                }
                Ok(None)
            }
            Encoding::Categorical { categories, missing } => {
                let cells = categories_of(&column.values);
                let places = places(&cells, categories);
                let mut warning: Option<Warning> = None;
                for row in 0..table.rows() {
                    let place = match cells.code(row) {
                        Some(code) => places[code],
                        None => *missing,
                    };
                    match place {
                        Some(place) => write(row, place, 1.0),
                        None => {
                            let value = cells.text(row).unwrap_or(MISSING).to_owned();
                            let first = Warning { column: self.name.clone(), row, value, rows: 0 };
                            warning.get_or_insert(first).rows += 1;
                        }
                    }
                }
                Ok(warning)
            }
            Encoding::Bytes { center, spread, .. } => {
                let bytes = self.bytes(table)?;
                for row in 0..table.rows() {
                    for (at, &byte) in bytes.row(row).iter().enumerate() {
                        write(row, at, (f64::from(byte) - center) / spread);
                    }
                }
                Ok(None)
            }
        }
    }
}

/// Mean and standard deviation of all bytes of the rows, exact up to the division at the end.
fn mean_and_deviation(bytes: &Bytes, rows: &[usize]) -> (f64, f64) {
    let counts = bytes.counts(rows);
    let moment = |term: &dyn Fn(f64) -> f64| -> f64 {
        let total: u64 = counts.iter().sum();
        let sum: f64 = (0..256).map(|byte| counts[byte] as f64 * term(byte as f64)).sum();
        sum / total.max(1) as f64
    };
    let mean = moment(&|byte| byte);
    (mean, moment(&|byte| (byte - mean) * (byte - mean)).sqrt())
}

/// The most frequent of sorted numbers; of equally frequent ones the smallest.
fn most_frequent(sorted: &[f64]) -> f64 {
    let runs = sorted.chunk_by(|left, right| left == right);
    let longest = runs.rev().max_by_key(|run| run.len()).expect("called with at least one number");
    longest[0]
}
