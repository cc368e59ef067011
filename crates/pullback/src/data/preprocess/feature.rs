//! How a column becomes inputs of a network.

use super::{Warning, categories_of, is_categorical, names_in, numbers_of, places};
use crate::data::time::{Parts, parts};
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
    /// Some inputs for each part of a date that differs between the rows; 0 in all for a missing cell.
    Time {
        /// The parts.
        parts: Vec<TimePart>,
        /// Whether the day stands before the month where it is written in numbers.
        is_day_first: bool,
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

/// What a network is given of a date.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case", deny_unknown_fields)]
pub enum TimePart {
    /// One input: `(seconds since 1970 - center) / spread`, so that what grows or falls can be learnt.
    Trend {
        /// The mean.
        center: f64,
        /// The standard deviation.
        spread: f64,
    },
    /// One input: `(year - center) / spread`.
    Year {
        /// The mean.
        center: f64,
        /// The standard deviation.
        spread: f64,
    },
    /// Twelve inputs: 1 for the month, 0 for the others.
    Month,
    /// Seven inputs, from Monday on.
    Weekday,
    /// Twenty-four inputs: 1 for the hour of the day.
    Hour,
}

impl TimePart {
    /// The parts that differ between some times.
    fn fit(present: &[f64]) -> Vec<Self> {
        let parts: Vec<Parts> = present.iter().map(|&seconds| parts(seconds)).collect();
        let differs = |of: fn(&Parts) -> i64| parts.windows(2).any(|pair| of(&pair[0]) != of(&pair[1]));
        let figures = |numbers: Vec<f64>| {
            let count = numbers.len() as f64;
            let mean = numbers.iter().sum::<f64>() / count;
            let squares = numbers.iter().map(|number| (number - mean) * (number - mean));
            (mean, (squares.sum::<f64>() / count).sqrt())
        };
        let mut found = Vec::new();
        if present.windows(2).any(|pair| pair[0] != pair[1]) {
            let (center, spread) = figures(present.to_vec());
            found.push(Self::Trend { center, spread });
        }
        if differs(|parts| parts.year) {
            let (center, spread) = figures(parts.iter().map(|parts| parts.year as f64).collect());
            found.push(Self::Year { center, spread });
        }
        let others = [
            (differs(|parts| parts.month as i64), Self::Month),
            (differs(|parts| parts.weekday as i64), Self::Weekday),
            (differs(|parts| parts.hour as i64), Self::Hour),
        ];
        found.extend(others.into_iter().filter(|(differs, _)| *differs).map(|(_, part)| part));
        found
    }

    fn width(self) -> usize {
        match self {
            Self::Trend { .. } | Self::Year { .. } => 1,
            Self::Month => 12,
            Self::Weekday => 7,
            Self::Hour => 24,
        }
    }

    fn names(self, column: &str) -> Vec<String> {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        match self {
            Self::Trend { .. } => vec![format!("{column}: trend")],
            Self::Year { .. } => vec![format!("{column}: year")],
            Self::Month => (1..=12).map(|month| format!("{column}: month={month}")).collect(),
            Self::Weekday => DAYS.iter().map(|day| format!("{column}: weekday={day}")).collect(),
            Self::Hour => (0..24).map(|hour| format!("{column}: hour={hour}")).collect(),
        }
    }

    /// Which of its inputs is not zero, and what it is.
    fn value(self, seconds: f64) -> (usize, f64) {
        let parts = parts(seconds);
        match self {
            Self::Trend { center, spread } => (0, (seconds - center) / spread),
            Self::Year { center, spread } => (0, (parts.year as f64 - center) / spread),
            Self::Month => (parts.month, 1.0),
            Self::Weekday => (parts.weekday, 1.0),
            Self::Hour => (parts.hour, 1.0),
        }
    }
}

/// The name of the category that missing cells make.
const MISSING: &str = "(missing)";

/// A column of texts with more distinct values than this may be an identifier...
const MANY_CATEGORIES: usize = 50;
/// ...if each has fewer rows than this on average.
const ROWS_PER_CATEGORY: usize = 5;
/// From so many rows on, a column with another text in each identifies them.
const FEWEST_NAMES: usize = 10;
/// From so many rows on, a first column of ascending whole numbers identifies them.
const FEWEST_ASCENDING: usize = 20;

impl Feature {
    /// How a column would be encoded if all rows were trained on; the inner error says why it would be left out.
    ///
    /// # Errors
    /// If the column cannot be what the options declare.
    pub fn of(
        table: &Table,
        column: &Column,
        options: &DataOptions,
    ) -> Result<std::result::Result<Self, String>> {
        let rows: Vec<usize> = (0..table.rows()).collect();
        Self::fit(table, column, &rows, options, options.types.get(&column.name).copied())
    }

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
            Values::Times(times) => {
                let present: Vec<f64> =
                    rows.iter().map(|&row| times.seconds[row]).filter(|seconds| !seconds.is_nan()).collect();
                match TimePart::fit(&present) {
                    parts if parts.is_empty() => {
                        Ok(Err("all rows that are trained on have the same date".into()))
                    }
                    parts => feature(Encoding::Time { parts, is_day_first: times.is_day_first }),
                }
            }
            values if is_categorical(values, declared) => {
                let cells = categories_of(values);
                let counts = cells.counts(rows.iter().copied());
                let mut categories = names_in(&cells, rows.iter().copied());
                let distinct = categories.len();
                let present = counts.iter().sum::<usize>();
                let is_many = distinct > MANY_CATEGORIES && ROWS_PER_CATEGORY * distinct > present;
                let are_names = distinct == present && present >= FEWEST_NAMES;
                if declared.is_none() && (is_many || are_names) {
                    return Ok(Err(format!(
                        "{distinct} distinct texts in {present} rows, so it identifies rows; `--type '{name}=categorical'` \
                         keeps it"
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
                let is_first = table.columns().first().is_some_and(|first| first.name == *name);
                if let (None, Some(why)) = (declared, identifies(name, &numbers, is_first)) {
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
            Encoding::Time { parts, .. } => parts.iter().map(|part| part.width()).sum(),
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
            Encoding::Time { parts, .. } => parts.iter().flat_map(|part| part.names(name)).collect(),
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
            Encoding::Time { parts, .. } => {
                let Values::Times(times) = &column.values else {
                    return Err(Error::data("no dates, as the model was trained on")
                        .at(Place::source(table.source()).column(&self.name))
                        .help("give dates, written as in the data that it was trained on"));
                };
                for (row, &seconds) in
                    times.seconds.iter().enumerate().filter(|(_, seconds)| !seconds.is_nan())
                {
                    let mut first = 0;
                    for part in parts {
                        let (at, value) = part.value(seconds);
                        write(row, first + at, value);
                        first += part.width();
                    }
                }
                Ok(None)
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

/// Why numbers identify rows, if they do: they count them, or each is another whole number under such a name.
fn identifies(name: &str, numbers: &[f64], is_first: bool) -> Option<String> {
    let (first, last) = (*numbers.first()?, *numbers.last()?);
    if numbers.len() < 2 || numbers.iter().any(|number| number.fract() != 0.0) {
        return None; // NaN has a fraction that is not 0.
    }
    let counts_up = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0);
    let is_ascending = || numbers.windows(2).all(|pair| pair[1] > pair[0]);
    let is_distinct = || {
        let mut sorted = numbers.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted.windows(2).all(|pair| pair[0] != pair[1])
    };
    let counts_rows = counts_up && (first == 0.0 || first == 1.0);
    if counts_rows && (names_rows(name) || numbers.len() >= FEWEST_NAMES && !names_time(name)) {
        return Some(format!("it counts the rows from {first} to {last}, which says nothing of new ones"));
    }
    if names_rows(name) && numbers.len() >= FEWEST_NAMES && is_distinct() {
        return Some("another whole number in each row, so it identifies rows".to_owned());
    }
    let is_row_number = is_first && numbers.len() >= FEWEST_ASCENDING && !names_time(name);
    (is_row_number && is_ascending()).then(|| {
        format!("ascending whole numbers from {first} to {last} in the first column, so it identifies rows")
    })
}

/// Whether a column's name is one that people give to identifiers and row numbers; a reader calls a first column
/// without a name `c1`.
fn names_rows(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "c1",
        "id",
        "ids",
        "index",
        "idx",
        "row",
        "rows",
        "rownames",
        "row_names",
        "row.names",
        "rownum",
        "rownumber",
        "row_number",
        "row_id",
        "rowid",
        "no",
        "no.",
        "nr",
        "nr.",
        "#",
        "key",
        "uid",
        "uuid",
        "guid",
        "obs",
        "obs.",
        "observation",
        "record",
        "serial",
        "sno",
        "s.no",
        "s.no.",
        "sl no",
        "seq",
        "번호",
        "순번",
    ];
    let lower = name.trim().to_lowercase();
    NAMES.contains(&lower.as_str())
        || lower.starts_with("unnamed: ")
        || ["_id", "-id", " id", ".id", "_no", "_nr", " number", "_number", "_idx", "_index"]
            .iter()
            .any(|end| lower.ends_with(end))
        || ["Id", "ID"]
            .iter()
            .any(|end| name.strip_suffix(end).is_some_and(|stem| stem.ends_with(char::is_lowercase)))
}

/// Whether a column's name says that its numbers are a time, which tells of new rows too.
fn names_time(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "year",
        "month",
        "week",
        "day",
        "hour",
        "minute",
        "second",
        "date",
        "time",
        "t",
        "trend",
        "period",
        "quarter",
        "epoch",
        "step",
        "age",
        "timestamp",
        "years",
        "months",
        "weeks",
        "days",
        "hours",
        "jahr",
        "monat",
        "tag",
    ];
    let lower = name.trim().to_lowercase();
    NAMES.iter().any(|time| lower.split(|c: char| !c.is_alphanumeric()).any(|word| word == *time))
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
