//! From a table to numbers: how each column is encoded, by figures of the training rows alone.
//!
//! A [`Preprocessing`] is plain data that a model file stores, so that a model takes raw rows.
//!
//! What is decided here when the options do not say:
//! - The task: texts are classes; two distinct values are a binary choice; whole numbers with at
//!   most 20 distinct values and at least 5 rows a value are classes; other numbers are a regression.
//! - A column that identifies rows says nothing of others; it is left out, and the model says so: texts with fewer
//!   than five rows each (more than 50 of them, or a text for each of at least ten rows), whole numbers that count
//!   the rows, and distinct whole numbers under a name such as `id`. If no other column is left, they are kept.
//! - A date becomes, of these parts, those that differ between the rows that are trained on: a trend (the time since
//!   1970, scaled), the year (scaled), and one input each for the months, the days of the week and the hours.
//! - A category that was not seen in training is encoded as none of the known ones, with a warning.

mod feature;
mod target;

pub use feature::{Encoding, Feature, TimePart};
pub use target::{Target, TargetColumn, strata};

use super::features::check_rows;
use super::{Categories, ColumnType, DataOptions, Dataset, Features, Table, Values};
use crate::error::{Error, Place, Result};
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// How the columns of a table become inputs and targets of a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// The columns that are inputs, in the order of the inputs.
    pub features: Vec<Feature>,
    /// Columns that were left out though nobody asked for it, and why.
    pub left_out: Vec<(String, String)>,
    /// What is predicted.
    pub target: TargetColumn,
}

/// What preprocessing met that it could not represent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The column.
    pub column: String,
    /// The first row, counted from 0.
    pub row: usize,
    /// What stands there.
    pub value: String,
    /// In how many rows something unknown stands.
    pub rows: usize,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "column \"{}\": {} of {} not seen in training, first \"{}\" in row {}; encoded as none of the known ones",
            self.column,
            self.rows,
            if self.rows == 1 { "row has a category" } else { "rows have categories" },
            self.value,
            self.row + 1
        )
    }
}

impl Preprocessing {
    /// Decides how to encode each column by what the given rows hold.
    ///
    /// # Errors
    /// If a row is out of range, a column that the options name does not exist, the target cannot be predicted as asked (a
    /// missing cell, one class only), or no feature is left.
    pub fn fit(table: &Table, rows: &[usize], options: &DataOptions) -> Result<Self> {
        if rows.is_empty() {
            return Err(Error::data(format!("{} has no rows left to train on", table.source()))
                .help("give more rows, or hold fewer out"));
        }
        check_rows(rows, table.rows())?;
        for name in options.ignore.iter().chain(options.types.keys()) {
            table.column(name)?;
        }
        let target = TargetColumn::fit(table, rows, options)?;
        let mut features = Vec::new();
        let mut left_out = Vec::new();
        for column in table.columns() {
            if target.names.contains(&column.name) || options.ignore.contains(&column.name) {
                continue;
            }
            let declared = options.types.get(&column.name).copied();
            match Feature::fit(table, column, rows, options, declared)? {
                Ok(feature) => features.push(feature),
                Err(why) => left_out.push((column.name.clone(), why)),
            }
        }
        if features.is_empty() {
            // A counter or a name is better than nothing to learn from.
            for (name, _) in std::mem::take(&mut left_out) {
                let column = table.column(&name)?;
                let declared = match &column.values {
                    Values::Numbers(_) => ColumnType::Numeric,
                    Values::Times(_) => ColumnType::Time,
                    _ => ColumnType::Categorical,
                };
                match Feature::fit(table, column, rows, options, Some(declared))? {
                    Ok(feature) => features.push(feature),
                    Err(why) => left_out.push((name, why)),
                }
            }
        }
        if features.iter().map(Feature::width).sum::<usize>() == 0 {
            return Err(Error::data(format!(
                "{} has no column to predict \"{}\" from",
                table.source(),
                target.names.join("\", \"")
            ))
            .help(format!(
                "give at least one other column{}",
                left_out
                    .first()
                    .map_or(String::new(), |(name, why)| format!(" (\"{name}\" is left out: {why})"))
            )));
        }
        Ok(Self { features, left_out, target })
    }

    /// The number of inputs of a network.
    pub fn inputs(&self) -> usize {
        self.features.iter().map(Feature::width).sum()
    }

    /// The names of the inputs: a column's name, with the category or the position where it has many.
    pub fn input_names(&self) -> Vec<String> {
        self.features.iter().flat_map(Feature::input_names).collect()
    }

    /// Features and targets of all rows.
    ///
    /// # Errors
    /// If a column is missing or of another kind, or a target is missing or of an unknown class.
    pub fn apply<T: Real>(&self, table: &Table) -> Result<Dataset<T>> {
        let (features, warnings) = self.apply_features(table)?;
        Ok(Dataset::new(features, self.target.apply(table)?)?.with_warnings(warnings))
    }

    /// Features of all rows; the table need not have a target.
    ///
    /// # Errors
    /// If a column is missing or of another kind.
    pub fn apply_features<T: Real>(&self, table: &Table) -> Result<(Features<T>, Vec<Warning>)> {
        if let [only @ Feature { encoding: Encoding::Bytes { center, spread, .. }, .. }] =
            self.features.as_slice()
        {
            let bytes = only.bytes(table)?.clone();
            return Ok((Features::bytes(bytes, *center, *spread)?, Vec::new()));
        }
        let width = self.inputs();
        let rows = table.rows();
        let mut values = zeros(rows, width, table)?;
        let mut warnings = Vec::new();
        let mut first = 0;
        for feature in &self.features {
            let own = feature.width();
            let mut write =
                |row: usize, at: usize, value: f64| values[row * width + first + at] = T::from_f64(value);
            warnings.extend(feature.write(table, &mut write)?);
            first += own;
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(too_far(table, &self.input_names()[at % width], at / width));
        }
        Ok((Features::dense(values, width)?, warnings))
    }
}

/// So many zeros for each row of a table, if there is memory for them.
fn zeros<T: Real>(rows: usize, width: usize, table: &Table) -> Result<Vec<T>> {
    let mut values = Vec::new();
    let numbers = rows.checked_mul(width).filter(|&numbers| values.try_reserve_exact(numbers).is_ok());
    let Some(numbers) = numbers else {
        return Err(Error::data(format!(
            "{}: {rows} rows of {width} inputs need {:.0} GB of memory, more than there is",
            table.source(),
            rows as f64 * width as f64 * size_of::<T>() as f64 / 1e9
        ))
        .help("give fewer rows, or leave columns out"));
    };
    values.resize(numbers, T::ZERO);
    Ok(values)
}

/// What is said of a number that is beyond what can be computed with.
fn too_far(table: &Table, input: &str, row: usize) -> Error {
    Error::data("the number is too large to compute with, once scaled by what was seen in training")
        .at(Place::source(table.source()).row(row + 1).column(input))
        .help("correct the cell, or leave the row out")
}

/// A column's cells as texts; blocks of bytes have none.
pub(super) fn categories_of(values: &Values) -> Cow<'_, Categories> {
    match values {
        Values::Numbers(numbers) => Cow::Owned(Categories::from_numbers(numbers)),
        Values::Categories(categories) => Cow::Borrowed(categories),
        Values::Bytes(_) | Values::Times(_) => Cow::Owned(Categories::missing(values.rows())),
    }
}

/// The names that some of the given rows have, in the order of [`sorted`].
fn names_in(categories: &Categories, rows: impl IntoIterator<Item = usize>) -> Vec<String> {
    let counts = categories.counts(rows);
    sorted(
        categories.names().iter().zip(counts).filter(|(_, count)| *count > 0).map(|(name, _)| name.clone()),
    )
}

/// The position of each of the categories' names in a list, by which a row's code finds its own. A name that
/// is not in the list is that of the same number, if there is one such: another program writes 1 as `1.0`, or `01`.
fn places(categories: &Categories, list: &[String]) -> Vec<Option<usize>> {
    let known: BTreeMap<&str, usize> =
        list.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
    let number =
        |name: &str| Some((name.parse::<f64>().ok().filter(|number| number.is_finite())? + 0.0).to_bits());
    let mut numbers: BTreeMap<u64, Option<usize>> = BTreeMap::new();
    for (place, name) in list.iter().enumerate() {
        if let Some(number) = number(name) {
            numbers.entry(number).and_modify(|place| *place = None).or_insert(Some(place));
        }
    }
    let find = |name: &String| {
        let same = known.get(name.as_str()).copied();
        same.or_else(|| number(name).and_then(|number| numbers.get(&number).copied().flatten()))
    };
    categories.names().iter().map(find).collect()
}

/// Names in the order in which a person expects them: numbers by value, then texts by letters.
fn sorted(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> =
        names.into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let number = |name: &String| name.parse::<f64>().ok();
    names.sort_by(|left, right| match (number(left), number(right)) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => left.cmp(right),
    });
    names
}

/// The numbers of a column that is declared or inferred to be numeric.
fn numbers_of<'a>(table: &Table, name: &str, values: &'a Values) -> Result<Cow<'a, [f64]>> {
    match values {
        Values::Numbers(numbers) => Ok(Cow::Borrowed(numbers)),
        Values::Categories(categories) => (0..categories.rows())
            .map(|row| match categories.text(row) {
                None => Ok(f64::NAN),
                Some(text) => {
                    text.trim().parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| {
                        Error::data(format!("\"{text}\" is not a number"))
                            .at(Place::source(table.source()).row(row + 1).column(name))
                            .help("correct the cell, or declare the column categorical")
                    })
                }
            })
            .collect(),
        Values::Times(times) => Ok(Cow::Borrowed(&times.seconds)),
        Values::Bytes(_) => Err(Error::data("images, not numbers")
            .at(Place::source(table.source()).column(name))
            .help("leave the column out, or do not declare its type")),
    }
}

/// Whether a column counts as categorical.
fn is_categorical(values: &Values, declared: Option<ColumnType>) -> bool {
    match declared {
        Some(declared) => declared == ColumnType::Categorical,
        None => matches!(values, Values::Categories(_)),
    }
}
