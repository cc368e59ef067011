//! What is predicted, and how it becomes targets of a network.

use super::{categories_of, is_categorical, names_in, numbers_of, places, too_far, zeros};
use crate::data::{Categories, DataOptions, Table, Targets, Task, Values};
use crate::error::{Error, Place, Result};
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The column or columns that are predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetColumn {
    /// Their names: one, or several for a regression.
    pub names: Vec<String>,
    /// How predictions are to be read.
    pub target: Target,
    /// Why the task is what it is, for people.
    pub reason: String,
}

/// What a prediction means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// One output: the probability of the second class.
    Binary {
        /// The two classes.
        classes: [String; 2],
    },
    /// One output a class: its probability.
    Classes {
        /// The classes.
        classes: Vec<String>,
    },
    /// One output a column: a number, standardized in training.
    Regression {
        /// What a prediction of 0 stands for, for each column.
        centers: Vec<f64>,
        /// What a difference of 1 stands for, for each column.
        spreads: Vec<f64>,
    },
}

impl Target {
    /// The names of the classes, for a classification.
    pub fn classes(&self) -> Option<&[String]> {
        match self {
            Target::Binary { classes } => Some(classes),
            Target::Classes { classes } => Some(classes),
            Target::Regression { .. } => None,
        }
    }

    /// The number of outputs of a network.
    pub fn outputs(&self) -> usize {
        match self {
            Target::Binary { .. } => 1,
            Target::Classes { classes } => classes.len(),
            Target::Regression { centers, .. } => centers.len(),
        }
    }

    /// The task.
    pub fn task(&self) -> Task {
        match self {
            Target::Binary { .. } => Task::Binary,
            Target::Classes { .. } => Task::Classes,
            Target::Regression { .. } => Task::Regression,
        }
    }

    /// Turns a network's numbers `[rows, outputs]` into the target's own units. Probabilities stay.
    pub fn restore<T: Real>(&self, numbers: &[T]) -> Vec<f64> {
        match self {
            Target::Binary { .. } | Target::Classes { .. } => {
                numbers.iter().map(|number| number.to_f64()).collect()
            }
            Target::Regression { centers, spreads } => (numbers.iter().enumerate())
                .map(|(at, number)| {
                    let column = at % centers.len();
                    number.to_f64() * spreads[column] + centers[column]
                })
                .collect(),
        }
    }
}

/// Whole numbers with at most so many distinct values can be classes...
const MOST_CLASSES: usize = 20;
/// ...if there are so many rows a value.
const ROWS_PER_CLASS: usize = 5;
/// More classes of texts than this are refused if most have but one row.
const MOST_RARE_CLASSES: usize = 20;

/// The names of the columns to predict.
fn names(table: &Table, options: &DataOptions) -> Result<Vec<String>> {
    if options.target.is_empty() {
        return match table.target() {
            Some(name) => Ok(vec![name.to_owned()]),
            None => {
                Err(Error::configuration(format!("{} does not say which column to predict", table.source()))
                    .help(format!(
                        "name it as the target; its columns are {}",
                        crate::data::table::listed(table.names())
                    )))
            }
        };
    }
    options.target.iter().map(|name| Ok(table.column(name)?.name.clone())).collect()
}

/// The task, and why.
fn task(table: &Table, names: &[String], options: &DataOptions) -> Result<(Task, String)> {
    if let Some(task) = options.task {
        if names.len() > 1 && task != Task::Regression {
            return Err(Error::configuration("several targets can be predicted together only as numbers")
                .help("name one, or make it a regression"));
        }
        return Ok((task, "as asked".into()));
    }
    if names.len() > 1 {
        return Ok((Task::Regression, "several targets".into()));
    }
    let column = table.column(&names[0])?;
    let values = &column.values;
    let categories = categories_of(values);
    let distinct = categories.counts(0..table.rows()).into_iter().filter(|&count| count > 0).count();
    let declared = options.types.get(&names[0]).copied();
    Ok(match (distinct, values) {
        (2, _) => (Task::Binary, "two distinct values".into()),
        (count, values) if is_categorical(values, declared) => {
            if count > MOST_RARE_CLASSES && 2 * count > table.rows() {
                return Err(Error::data(format!(
                    "the target has {count} distinct texts in {} rows, so there is hardly a class to learn",
                    table.rows()
                ))
                .at(Place::source(table.source()).column(&names[0]))
                .help("predict another column, or insist with `--task classes`"));
            }
            (Task::Classes, format!("{count} distinct texts"))
        }
        (count, Values::Numbers(numbers))
            if count <= MOST_CLASSES
                && table.rows() >= ROWS_PER_CLASS * count
                && numbers.iter().all(|number| number.is_nan() || number.fract() == 0.0) =>
        {
            (Task::Classes, format!("{count} distinct whole numbers"))
        }
        (count, _) => (Task::Regression, format!("{count} distinct numbers")),
    })
}

/// The class of each row, by which a split can keep proportions; [`None`] for a regression.
///
/// # Errors
/// If the target does not exist or a cell of it is missing.
pub fn strata(table: &Table, options: &DataOptions) -> Result<Option<Vec<u32>>> {
    let names = names(table, options)?;
    let (task, _) = task(table, &names, options)?;
    if task == Task::Regression {
        return Ok(None);
    }
    let texts = texts(table, &names[0])?;
    let places = places(&texts, &names_in(&texts, 0..table.rows()));
    let class = |row| texts.code(row).and_then(|code| places[code]).expect("every text is one of its own");
    Ok(Some((0..table.rows()).map(|row| class(row) as u32).collect()))
}

/// The target's cells as texts, none missing.
fn texts<'a>(table: &'a Table, name: &str) -> Result<Cow<'a, Categories>> {
    let values = &table.column(name)?.values;
    if matches!(values, Values::Bytes(_)) {
        return Err(Error::data("images cannot be predicted")
            .at(Place::source(table.source()).column(name))
            .help("name another column as the target"));
    }
    let texts = categories_of(values);
    match (0..table.rows()).find(|&row| texts.code(row).is_none()) {
        Some(row) => Err(missing(table, name, row)),
        None => Ok(texts),
    }
}

fn missing(table: &Table, name: &str, row: usize) -> Error {
    Error::data("the target is missing")
        .at(Place::source(table.source()).row(row + 1).column(name))
        .help("fill the cell or leave the row out")
}

impl TargetColumn {
    pub(super) fn fit(table: &Table, rows: &[usize], options: &DataOptions) -> Result<Self> {
        let names = names(table, options)?;
        let (task, reason) = task(table, &names, options)?;
        let target = match task {
            Task::Regression => {
                let (mut centers, mut spreads) = (Vec::new(), Vec::new());
                for name in &names {
                    let numbers = target_numbers(table, name)?;
                    let count = rows.len() as f64;
                    let mean = rows.iter().map(|&row| numbers[row]).sum::<f64>() / count;
                    let squares = rows.iter().map(|&row| (numbers[row] - mean) * (numbers[row] - mean));
                    let deviation = (squares.sum::<f64>() / count).sqrt();
                    let is_standardized =
                        options.standardize_targets && deviation > 0.0 && deviation.is_finite();
                    let (center, spread) = if is_standardized { (mean, deviation) } else { (0.0, 1.0) };
                    centers.push(center);
                    spreads.push(spread);
                }
                Target::Regression { centers, spreads }
            }
            Task::Binary | Task::Classes => {
                let name = &names[0];
                let texts = texts(table, name)?;
                let classes = names_in(&texts, rows.iter().copied());
                if classes.len() < 2 {
                    return Err(Error::data(format!(
                        "every row has \"{}\" in column \"{name}\": there is nothing to tell apart",
                        classes[0]
                    ))
                    .at(Place::source(table.source()))
                    .help("give rows of at least two classes, or another target"));
                }
                match (task, <[String; 2]>::try_from(classes)) {
                    (Task::Binary, Ok(classes)) => Target::Binary { classes },
                    (Task::Binary, Err(classes)) => {
                        return Err(Error::configuration(format!(
                            "column \"{name}\" has {} classes, so the task is not binary",
                            classes.len()
                        ))
                        .help("leave the task open or make it classes"));
                    }
                    (_, Ok(classes)) => Target::Classes { classes: classes.to_vec() },
                    (_, Err(classes)) => Target::Classes { classes },
                }
            }
        };
        Ok(Self { names, target, reason })
    }

    /// The targets of all rows.
    ///
    /// # Errors
    /// If a target is missing, not a number, or of a class that was not seen in training.
    pub fn apply<T: Real>(&self, table: &Table) -> Result<Targets<T>> {
        let Some(classes) = self.target.classes() else {
            let Target::Regression { centers, spreads } = &self.target else {
                unreachable!("it has no classes")
            };
            let width = self.names.len();
            let mut values = zeros(table.rows(), width, table)?;
            for (at, name) in self.names.iter().enumerate() {
                for (row, &number) in target_numbers(table, name)?.iter().enumerate() {
                    values[row * width + at] = T::from_f64((number - centers[at]) / spreads[at]);
                }
            }
            if let Some(at) = values.iter().position(|value| !value.is_finite()) {
                return Err(too_far(table, &self.names[at % width], at / width));
            }
            return Targets::values(values, width);
        };
        let name = &self.names[0];
        let texts = texts(table, name)?;
        let places = places(&texts, classes);
        let ids = (0..table.rows())
            .map(|row| {
                let place = texts.code(row).and_then(|code| places[code]);
                place.map(|place| place as u32).ok_or_else(|| {
                    Error::data(format!(
                        "class \"{}\" was not seen in training, which knows {}",
                        texts.text(row).unwrap_or_default(),
                        crate::data::table::listed(classes.iter().map(String::as_str))
                    ))
                    .at(Place::source(table.source()).row(row + 1).column(name))
                    .help("leave the row out, or train again with rows of that class")
                })
            })
            .collect::<Result<Vec<u32>>>()?;
        match &self.target {
            Target::Binary { .. } => Targets::binary(ids),
            _ => Targets::classes(ids, classes.len()),
        }
    }
}

/// The numbers of a target, none missing.
fn target_numbers<'a>(table: &'a Table, name: &str) -> Result<Cow<'a, [f64]>> {
    let numbers = numbers_of(table, name, &table.column(name)?.values)?;
    match numbers.iter().position(|number| number.is_nan()) {
        Some(row) => Err(missing(table, name, row)),
        None => Ok(numbers),
    }
}
