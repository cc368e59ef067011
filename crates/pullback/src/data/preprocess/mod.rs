//! From a table to numbers: how each column is encoded, by figures of the training rows alone.
//!
//! A [`Preprocessing`] is plain data that a model file stores, so that a model takes raw rows.
//!
//! What is decided here when the options do not say:
//! - The task: texts are classes; two distinct values are a binary choice; whole numbers with at
//!   most 20 distinct values and at least 5 rows a value are classes; other numbers are a regression. Several columns
//!   of yes and no are labels.
//! - A column that identifies rows says nothing of others; it is left out, and the model says so: texts with fewer
//!   than five rows each (more than 50 of them, or a text for each of at least ten rows), whole numbers that count
//!   the rows, and distinct whole numbers under a name such as `id`. If no other column is left, they are kept.
//! - A date becomes, of these parts, those that differ between the rows that are trained on: a trend (the time since
//!   1970, scaled), the year (scaled), and one input each for the months, the days of the week and the hours.
//! - Of a column with more texts than [`DataOptions::max_levels`], the most frequent are told apart; the others are one
//!   category, `(rare)`.
//! - A category that was not seen in training is encoded as none of the known ones, with a warning.

mod categorical;
mod cells;
mod feature;
mod identifier;
mod labels;
mod normal;
mod numeric;
mod pixels;
mod target;
mod task;
mod time;

pub use categorical::{Categorical, Rare};
pub(super) use cells::categories_of;
pub use feature::{Encoding, Feature};
pub use numeric::{MOST_PIECES, Numeric};
pub use pixels::Pixels;
pub use target::{Scale, Target, TargetColumn};
pub use task::strata;
pub use time::{Time, TimePart};

use super::features::check_rows;
use super::{Column, ColumnType, DataOptions, Dataset, Features, Part, Store, Table};
use crate::compact::sort_by_key;
use crate::error::{Error, Place, Result};
use pullback_kernels::Real;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// The most inputs of a row: whatever a file says, sizes can be multiplied.
const MOST_INPUTS: usize = 1 << 31;

/// How the columns of a table become inputs and targets of a network. It cannot be wrong: columns are distinct, no
/// target is an input, and inputs can be counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub struct Preprocessing {
    document: Document,
    inputs: usize,
}

/// As a model file has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    features: Vec<Feature>,
    left_out: Vec<(String, String)>,
    target: TargetColumn,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weights: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "units_of_file")]
    units: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    decimal_commas: BTreeMap<String, bool>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    year_first: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    spellings: BTreeMap<String, String>,
}

impl TryFrom<Document> for Preprocessing {
    type Error = Error;
    fn try_from(document: Document) -> Result<Self> {
        let Document { features, target, weights, units, decimal_commas, year_first, .. } = &document;
        let mut names: BTreeSet<&str> = target.names().iter().map(String::as_str).collect();
        if let Some(weights) = weights
            && !names.insert(weights)
        {
            return Err(Error::data(format!("column \"{weights}\" is the target and the weights of rows")));
        }
        if let Some(twice) = features.iter().find(|feature| !names.insert(&feature.name)) {
            return Err(Error::data(format!(
                "column \"{}\" is an input twice, or an input and the target or the weights of rows",
                twice.name
            )));
        }
        if let Some(name) = units.keys().find(|name| !names.contains(name.as_str())) {
            return Err(Error::data(format!(
                "column \"{name}\" has a unit, and is neither an input nor the target"
            )));
        }
        if let Some(name) =
            decimal_commas.keys().chain(year_first).find(|name| !names.contains(name.as_str()))
        {
            return Err(Error::data(format!(
                "the cells of column \"{name}\" are described, which is neither an input nor the target"
            )));
        }
        let inputs = features.iter().try_fold(0_usize, |sum, feature| sum.checked_add(feature.width()));
        match inputs {
            Some(inputs @ 1..=MOST_INPUTS) => Ok(Self { document, inputs }),
            _ => Err(Error::data("the columns make no inputs, or too many")
                .help(format!("give columns of 1 to {MOST_INPUTS} inputs"))),
        }
    }
}

impl From<Preprocessing> for Document {
    fn from(preprocessing: Preprocessing) -> Self {
        preprocessing.document
    }
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
            "column \"{}\": {} not seen in training, first \"{}\" in row {}; encoded as none of the known ones",
            self.column,
            match self.rows {
                1 => "1 row has a category".to_owned(),
                rows => format!("{rows} rows have categories"),
            },
            self.value,
            self.row + 1
        )
    }
}

impl Preprocessing {
    /// Decides how to encode each column by what the given rows hold.
    ///
    /// # Errors
    /// If a row is out of range, a column that the options name does not exist, the target cannot be predicted as asked
    /// (a missing cell, one class only), or no feature is left.
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
        let weights = options.weights.clone();
        if let Some(name) = &weights {
            table.column(name)?;
        }
        let mut features = Vec::new();
        let mut left_out = Vec::new();
        for column in table.columns() {
            if target.names().contains(&column.name)
                || options.ignore.contains(&column.name)
                || weights.as_ref() == Some(&column.name)
            {
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
                let declared = column.kind().unwrap_or(ColumnType::Categorical);
                match Feature::fit(table, column, rows, options, Some(declared))? {
                    Ok(feature) => features.push(feature),
                    Err(why) => left_out.push((name, why)),
                }
            }
        }
        if features.is_empty() {
            return Err(Error::data(format!(
                "{} has no column to predict \"{}\" from",
                table.source(),
                target.names().join("\", \"")
            ))
            .help(format!(
                "give at least one other column{}",
                left_out
                    .first()
                    .map_or(String::new(), |(name, why)| format!(" (\"{name}\" is left out: {why})"))
            )));
        }
        let (units, decimal_commas) = written_of(table, &features, &target);
        let is_year_first =
            |feature: &&Feature| table.get(&feature.name).is_some_and(|column| column.has_years_first);
        let year_first = features.iter().filter(is_year_first).map(|feature| feature.name.clone()).collect();
        let spellings = spellings_of(table, &target);
        Document { features, left_out, target, weights, units, decimal_commas, year_first, spellings }
            .try_into()
    }

    /// The same where each column of numbers has inputs for so many pieces between quantiles of the given rows, beside
    /// its first one. Fewer where quantiles are equal, none where only two differ.
    ///
    /// # Errors
    /// If a column is missing or of another kind, a row is out of range, or there are too many inputs to count.
    pub fn with_pieces(self, table: &Table, rows: &[usize], pieces: usize) -> Result<Self> {
        check_rows(rows, table.rows())?;
        if rows.is_empty() || pieces < 2 {
            return Ok(self);
        }
        let mut document = Document::from(self);
        for Feature { name, encoding } in &mut document.features {
            if let Encoding::Numeric(numeric) = encoding {
                let values = &*table.column(name)?.values()?;
                *numeric = numeric.clone().with_pieces((table, name, values), rows, pieces)?;
            }
        }
        document.try_into()
    }

    /// The same where each number is one input.
    #[must_use]
    pub fn without_pieces(&self) -> Self {
        let mut plain = self.clone();
        for Feature { encoding, .. } in &mut plain.document.features {
            if let Encoding::Numeric(numeric) = encoding {
                *numeric = numeric.clone().without_pieces();
            }
        }
        plain.inputs = plain.document.features.iter().map(Feature::width).sum();
        plain
    }

    /// The encoding of these columns, and what is predicted from them.
    ///
    /// # Errors
    /// If a column is an input twice or an input and a target, or there are no inputs or too many to count.
    pub fn new(features: Vec<Feature>, target: TargetColumn) -> Result<Self> {
        let (left_out, units, decimal_commas) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let (weights, year_first, spellings) = (None, BTreeSet::new(), BTreeMap::new());
        Document { features, left_out, target, weights, units, decimal_commas, year_first, spellings }
            .try_into()
    }

    /// The same inputs for another table, and what is predicted from them there. The table's other columns are left
    /// out, which `why` says.
    pub(crate) fn kept_for(
        self,
        table: &Table,
        target: TargetColumn,
        why: &str,
        weights: Option<String>,
    ) -> Result<Self> {
        let Document { features, left_out: before, mut units, mut decimal_commas, year_first, .. } =
            self.document;
        let is_taken = |name: &String| {
            target.names().contains(name)
                || weights.as_ref() == Some(name)
                || features.iter().any(|feature| feature.name == *name)
        };
        let others = table.columns().iter().map(|column| &column.name).filter(|name| !is_taken(name));
        let left_out = others.map(|name| {
            let reason = before.iter().find(|(other, _)| other == name).map_or(why, |(_, reason)| reason);
            (name.clone(), reason.to_owned())
        });
        let left_out = left_out.collect();
        units.retain(|name, _| features.iter().any(|feature| feature.name == *name));
        decimal_commas.retain(|name, _| features.iter().any(|feature| feature.name == *name));
        let (own_units, own_commas) = written_of(table, &[], &target);
        units.extend(own_units);
        decimal_commas.extend(own_commas);
        let spellings = spellings_of(table, &target);
        Document { features, left_out, target, weights, units, decimal_commas, year_first, spellings }
            .try_into()
    }

    /// The columns that are inputs, in the order of the inputs.
    pub fn features(&self) -> &[Feature] {
        &self.document.features
    }

    /// Columns that were left out though nobody asked for it, and why.
    pub fn left_out(&self) -> &[(String, String)] {
        &self.document.left_out
    }

    /// What is predicted.
    pub fn target(&self) -> &TargetColumn {
        &self.document.target
    }

    /// The units of columns of numbers, by their names, as [`Column::unit`](super::Column::unit) has them.
    pub fn units(&self) -> &BTreeMap<String, String> {
        &self.document.units
    }

    /// Whether the numbers of columns were written with decimal commas, by their names, for those that told it.
    pub fn decimal_commas(&self) -> &BTreeMap<String, bool> {
        &self.document.decimal_commas
    }

    /// The columns in whose dates a year of two digits stands first.
    pub fn year_first(&self) -> &BTreeSet<String> {
        &self.document.year_first
    }

    /// The classes of the target, as they are written in the data; absent if it has none.
    pub fn spelled_classes(&self) -> Option<Vec<String>> {
        let classes = self.target().target().classes()?;
        Some(classes.iter().map(|class| self.spelled(class).to_owned()).collect())
    }

    /// A class as it is written in the data, where it is a number that Pullback writes otherwise.
    pub fn spelled<'a>(&'a self, class: &'a str) -> &'a str {
        self.document.spellings.get(class).map_or(class, String::as_str)
    }

    /// The column that says how many times each row counts, if there is one.
    pub fn weights(&self) -> Option<&str> {
        self.document.weights.as_deref()
    }

    /// How many times each row of a table counts; absent if all count once.
    ///
    /// # Errors
    /// If the column is missing or not one of numbers, or a weight is missing, negative or infinite, or all are 0.
    pub fn row_weights(&self, table: &Table) -> Result<Option<Vec<f64>>> {
        let Some(name) = self.weights() else { return Ok(None) };
        let values = table.column(name)?.values()?;
        let numbers = cells::numbers_of(table, name, &values)?;
        let at = |row: usize, what: String| {
            Error::data(what)
                .at(Place::source(table.source()).row(row + 1).column(name))
                .help("correct the weight, or leave the row out; a weight is a number of at least 0")
        };
        for (row, &weight) in numbers.iter().enumerate() {
            if weight.is_nan() {
                return Err(at(row, "the weight is missing".to_owned()));
            }
            // What is too large for f32 is infinite in training.
            if weight < 0.0 || !(weight as f32).is_finite() {
                return Err(at(
                    row,
                    format!("the weight {weight} is {}", if weight < 0.0 { "negative" } else { "too large" }),
                ));
            }
        }
        if !numbers.iter().any(|&weight| weight > 0.0) {
            return Err(Error::data(format!(
                "all weights of rows are 0 in column \"{name}\": nothing counts"
            ))
            .at(Place::source(table.source()).column(name))
            .help("give some rows a larger weight"));
        }
        Ok(Some(numbers.into_owned()))
    }

    /// The number of inputs of a network.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// How many bytes the features of so many rows take.
    pub fn feature_bytes<T: Real>(&self, rows: usize) -> f64 {
        if let [Feature { encoding: Encoding::Bytes(_), .. }] = self.features() {
            return 0.0; // They are the table's own.
        }
        let numbers = self.kept_parts::<T>(rows).map_or(self.inputs(), |parts| parts.len());
        numbers as f64 * rows as f64 * size_of::<T>() as f64
    }

    /// How many inputs of an example are zeros that a batch leaves out.
    pub(crate) fn zeros<T: Real>(&self) -> usize {
        let parts: Vec<Part> = self.features().iter().flat_map(Feature::parts).collect();
        let is_listed = Features::<T>::are_listed(&parts, self.inputs());
        if is_listed { self.inputs() - parts.len() } else { 0 }
    }

    /// The names of the inputs: a column's name, with the category or the position where it has many.
    pub fn input_names(&self) -> Vec<String> {
        self.features().iter().flat_map(Feature::input_names).collect()
    }

    /// Features and targets of all rows, and their weights; the features of a table in a store are in that store.
    ///
    /// # Errors
    /// If a column is missing or of another kind, or a target is missing or of an unknown class.
    pub fn apply<T: Real>(&self, table: &Table) -> Result<Dataset<T>> {
        self.apply_in(table, table.store())
    }

    /// The same with the features in a store, if there is one.
    ///
    /// # Errors
    /// As [`Preprocessing::apply`], or if the store has no room for them.
    pub fn apply_in<T: Real>(&self, table: &Table, store: Option<&Arc<dyn Store>>) -> Result<Dataset<T>> {
        let (features, warnings) = match store {
            None => self.apply_features(table)?,
            Some(store) => {
                let parts = self.kept_parts::<T>(table.rows());
                let mut features = Features::stored(store, self.inputs(), parts);
                let warnings = self.each_block(table, |block| features.push(&block))?;
                (features, warnings)
            }
        };
        let dataset = Dataset::new(features, self.target().apply(table)?)?.with_warnings(warnings);
        match self.row_weights(table)? {
            Some(weights) => dataset.with_weights(weights.into_iter().map(T::from_f64).collect()),
            None => Ok(dataset),
        }
    }

    /// Calls `take` with the features of some rows at a time, in memory.
    ///
    /// # Errors
    /// As [`Preprocessing::apply_features`], or what `take` returns.
    pub(crate) fn each_block<T: Real>(
        &self,
        table: &Table,
        mut take: impl FnMut(Features<T>) -> Result<()>,
    ) -> Result<Vec<Warning>> {
        let parts = self.kept_parts::<T>(table.rows());
        let mut warnings: Vec<Warning> = Vec::new();
        for rows in table.blocks() {
            // What is said of a row of a block is meant of the table's.
            let first = rows.start;
            let block = match rows.len() == table.rows() && table.store().is_none() {
                true => Cow::Borrowed(table),
                false => Cow::Owned(table.slice(rows)?),
            };
            let (features, found) =
                self.features_of(&block, parts.clone()).map_err(|error| error.rows_later(first))?;
            for found in found {
                match warnings.iter_mut().find(|known| known.column == found.column) {
                    Some(known) => known.rows += found.rows,
                    None => warnings.push(Warning { row: first + found.row, ..found }),
                }
            }
            take(features)?;
        }
        let place =
            |warning: &Warning| self.features().iter().position(|feature| feature.name == warning.column);
        sort_by_key(&mut warnings, place);
        Ok(warnings)
    }

    /// What inputs are made of, where so many rows are kept as parts.
    fn kept_parts<T: Real>(&self, rows: usize) -> Option<Vec<Part>> {
        let parts: Vec<Part> = self.features().iter().flat_map(Feature::parts).collect();
        Features::<T>::parts_pay(&parts, self.inputs(), rows).then_some(parts)
    }

    /// Features of all rows, in memory; the table need not have a target.
    ///
    /// # Errors
    /// If a column is missing or of another kind.
    pub fn apply_features<T: Real>(&self, table: &Table) -> Result<(Features<T>, Vec<Warning>)> {
        self.features_of(table, self.kept_parts::<T>(table.rows()))
    }

    /// Features of all rows; as parts if they are given.
    fn features_of<T: Real>(
        &self,
        table: &Table,
        parts: Option<Vec<Part>>,
    ) -> Result<(Features<T>, Vec<Warning>)> {
        if let [Feature { name, encoding: Encoding::Bytes(pixels) }] = self.features() {
            let values = table.column(name)?.values()?;
            return Ok((pixels.features(pixels.of(table, name, &values)?)?, Vec::new()));
        }
        let width = self.inputs();
        let rows = table.rows();
        if let Some(parts) = parts {
            return self.apply_parts(table, parts);
        }
        let mut values = zeros(rows, width, table)?;
        let mut warnings = Vec::new();
        let mut first = 0;
        for feature in self.features() {
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

    /// The same as parts, which take less memory.
    fn apply_parts<T: Real>(&self, table: &Table, parts: Vec<Part>) -> Result<(Features<T>, Vec<Warning>)> {
        /// Where an input's number goes: among the numbers of a row, or as a level among its codes.
        #[derive(Clone, Copy)]
        enum Place {
            Number(usize),
            Code(usize, u32),
        }
        let rows = table.rows();
        let (mut places, mut levels) = (Vec::with_capacity(self.inputs()), Vec::new());
        for part in &parts {
            match *part {
                Part::Number => places.push(Place::Number(places.len())),
                Part::Levels(count) => {
                    places.extend((0..count).map(|level| Place::Code(levels.len(), level)));
                    levels.push(count);
                }
            }
        }
        // Numbers count among themselves.
        let mut count = 0;
        for place in &mut places {
            if let Place::Number(number) = place {
                *number = count;
                count += 1;
            }
        }
        let mut numbers: Vec<T> = zeros(rows, count, table)?;
        let mut codes: Vec<u32> = zeros(rows, levels.len(), table)?;
        for codes in codes.chunks_exact_mut(levels.len().max(1)) {
            codes.copy_from_slice(&levels);
        }
        let mut warnings = Vec::new();
        let mut first = 0;
        for feature in self.features() {
            let mut write = |row: usize, at: usize, value: f64| match places[first + at] {
                Place::Number(number) => numbers[row * count + number] = T::from_f64(value),
                Place::Code(code, level) => codes[row * levels.len() + code] = level,
            };
            warnings.extend(feature.write(table, &mut write)?);
            first += feature.width();
        }
        if let Some(at) = numbers.iter().position(|value| !value.is_finite()) {
            let input = (places.iter())
                .position(|place| matches!(place, Place::Number(number) if *number == at % count))
                .expect("every number is an input's");
            return Err(too_far(table, &self.input_names()[input], at / count));
        }
        Ok((Features::parts(parts, numbers, codes)?, warnings))
    }
}

/// The units of a file, which has them if there are some.
fn units_of_file<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<BTreeMap<String, String>, D::Error> {
    let units = BTreeMap::<String, String>::deserialize(deserializer)?;
    match units.values().any(String::is_empty) || units.is_empty() {
        true => Err(serde::de::Error::custom("units of columns are given, and are empty")),
        false => Ok(units),
    }
}

/// The units of the columns that are taken as numbers, and whether these have decimal commas.
fn written_of(
    table: &Table,
    features: &[Feature],
    target: &TargetColumn,
) -> (BTreeMap<String, String>, BTreeMap<String, bool>) {
    let numbers = features.iter().filter(|feature| matches!(feature.encoding, Encoding::Numeric(_)));
    let targets = target.names().iter().filter(|_| matches!(target.target(), Target::Regression { .. }));
    let columns = numbers.map(|feature| &feature.name).chain(targets).filter_map(|name| table.get(name));
    let columns: Vec<&Column> = columns.collect();
    let named = |column: &&Column| column.name.clone();
    (
        columns.iter().filter_map(|column| Some((named(column), column.unit.clone()?))).collect(),
        columns.iter().filter_map(|column| Some((named(column), column.has_decimal_commas?))).collect(),
    )
}

/// How the classes of a target of numbers are written, where that is not as they are called.
fn spellings_of(table: &Table, target: &TargetColumn) -> BTreeMap<String, String> {
    let classes = target.target().classes().unwrap_or_default();
    let column = target.names().first().and_then(|name| table.get(name));
    let of = |class: &String| {
        let number: f64 = class.parse().ok()?;
        let (_, text) = column?.spellings.iter().find(|(own, _)| *own == number)?;
        Some((class.clone(), text.clone()))
    };
    classes.iter().filter_map(of).collect()
}

/// So many zeros for each row of a table, if there is memory for them.
fn zeros<T: Copy + Default>(rows: usize, width: usize, table: &Table) -> Result<Vec<T>> {
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
    values.resize(numbers, T::default());
    Ok(values)
}

/// What is said of a number that is beyond what can be computed with.
fn too_far(table: &Table, input: &str, row: usize) -> Error {
    Error::data("the number is too large to compute with, once scaled by what was seen in training")
        .at(Place::source(table.source()).row(row + 1).column(input))
        .help("correct the cell, or leave the row out")
}
