//! What is predicted, and how it becomes targets of a network.

use super::cells::{names_in, numbers_of, places};
use super::{labels, task, too_far, zeros};
use crate::data::{DataOptions, Table, TargetScaling, Targets, Task, Values};
use crate::error::{Error, Place, Result};
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The column or columns that are predicted. It cannot be wrong: names and classes are distinct, and there is a scale
/// for each number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ColumnDocument", into = "ColumnDocument")]
pub struct TargetColumn {
    names: Vec<String>,
    target: Target,
    reason: String,
}

/// As a model file has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnDocument {
    names: Vec<String>,
    target: TargetDocument,
    reason: String,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case", deny_unknown_fields)]
enum TargetDocument {
    Binary { classes: [String; 2] },
    Classes { classes: Vec<String> },
    Regression { centers: Vec<f64>, spreads: Vec<f64> },
    Labels { words: Vec<[String; 2]> },
}

impl TryFrom<ColumnDocument> for TargetColumn {
    type Error = Error;
    fn try_from(ColumnDocument { names, target, reason }: ColumnDocument) -> Result<Self> {
        let target = match target {
            TargetDocument::Binary { classes } => Target::Binary { classes },
            TargetDocument::Classes { classes } => Target::Classes { classes },
            TargetDocument::Labels { words } => Target::Labels { words },
            TargetDocument::Regression { centers, spreads } => {
                if centers.len() != spreads.len() {
                    return Err(Error::data(format!(
                        "there are {} centers of targets, but {} spreads",
                        centers.len(),
                        spreads.len()
                    ))
                    .help("give both for each"));
                }
                let scales = centers.into_iter().zip(spreads);
                Target::Regression {
                    scales: scales.map(|(center, spread)| Scale { center, spread }).collect(),
                }
            }
        };
        Self::new(names, target, reason)
    }
}

impl From<TargetColumn> for ColumnDocument {
    fn from(TargetColumn { names, target, reason }: TargetColumn) -> Self {
        let target = match target {
            Target::Binary { classes } => TargetDocument::Binary { classes },
            Target::Classes { classes } => TargetDocument::Classes { classes },
            Target::Labels { words } => TargetDocument::Labels { words },
            Target::Regression { scales } => TargetDocument::Regression {
                centers: scales.iter().map(|scale| scale.center).collect(),
                spreads: scales.iter().map(|scale| scale.spread).collect(),
            },
        };
        Self { names, target, reason }
    }
}

/// What a prediction means.
#[derive(Debug, Clone, PartialEq)]
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
        /// The scale of each column.
        scales: Vec<Scale>,
    },
    /// One output a column, which is a label: the probability that it is given.
    Labels {
        /// What stands in each column where the label is not given, and where it is: `0` and `1`.
        words: Vec<[String; 2]>,
    },
}

/// What the numbers of a target stand for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// What a prediction of 0 stands for.
    pub center: f64,
    /// What a difference of 1 stands for.
    pub spread: f64,
}

impl Target {
    /// The names of the classes, if each row is of one.
    pub fn classes(&self) -> Option<&[String]> {
        match self {
            Target::Binary { classes } => Some(classes),
            Target::Classes { classes } => Some(classes),
            Target::Regression { .. } | Target::Labels { .. } => None,
        }
    }

    /// Whether predictions are probabilities: of classes or labels.
    pub fn has_probabilities(&self) -> bool {
        !matches!(self, Target::Regression { .. })
    }

    /// The number of outputs of a network.
    pub fn outputs(&self) -> usize {
        match self {
            Target::Binary { .. } => 1,
            Target::Classes { classes } => classes.len(),
            Target::Regression { scales } => scales.len(),
            Target::Labels { words } => words.len(),
        }
    }

    /// The task.
    pub fn task(&self) -> Task {
        match self {
            Target::Binary { .. } => Task::Binary,
            Target::Classes { .. } => Task::Classes,
            Target::Regression { .. } => Task::Regression,
            Target::Labels { .. } => Task::Labels,
        }
    }

    /// Turns a network's numbers `[rows, outputs]` into the target's own units. Probabilities stay; numbers that a cost
    /// for other targets makes of classes become probabilities: none is negative, and those of a row sum to 1.
    pub fn restore<T: Real>(&self, numbers: &[T]) -> Vec<f64> {
        let wide = numbers.iter().map(|number| number.to_f64());
        match self {
            Target::Binary { .. } => wide.map(|number| number.clamp(0.0, 1.0)).collect(),
            Target::Labels { .. } => wide.collect(),
            Target::Classes { classes } => {
                let mut numbers: Vec<f64> = wide.collect();
                numbers.chunks_exact_mut(classes.len().max(1)).for_each(to_probabilities);
                numbers
            }
            Target::Regression { scales } => (numbers.iter().zip(scales.iter().cycle()))
                .map(|(number, Scale { center, spread })| number.to_f64() * spread + center)
                .collect(),
        }
    }
}

/// What is not a distribution over classes becomes one; a softmax, whose sum is 1 but for rounding, keeps its bits.
fn to_probabilities(row: &mut [f64]) {
    const ROUNDING: f64 = 1e-3;
    let sum: f64 = row.iter().sum();
    if row.iter().all(|number| *number >= 0.0) && (sum - 1.0).abs() <= ROUNDING {
        return;
    }
    row.iter_mut().for_each(|number| *number = number.max(0.0));
    let sum: f64 = row.iter().sum();
    let count = row.len() as f64;
    row.iter_mut().for_each(|number| *number = if sum > 0.0 { *number / sum } else { 1.0 / count });
}

impl TargetColumn {
    /// What is predicted, of the columns of these names: one, or several for a regression or for labels.
    ///
    /// # Errors
    /// If there are not as many columns as the target needs, two are the same, there are fewer than two classes or
    /// two are the same, a label's words are the same, or a scale is not finite and positive.
    pub fn new(names: Vec<String>, target: Target, reason: String) -> Result<Self> {
        let columns = if target.classes().is_some() { 1 } else { target.outputs().max(1) };
        if names.len() != columns {
            return Err(Error::data(format!(
                "{} columns are to be predicted, but the target is of {columns}",
                names.len()
            ))
            .help("give a name for each"));
        }
        let twice = |names: &[String]| {
            let mut distinct = BTreeSet::new();
            names.iter().find(|name| !distinct.insert(*name)).cloned()
        };
        if let Some(name) = twice(&names) {
            return Err(
                Error::data(format!("column \"{name}\" is to be predicted twice")).help("name it once")
            );
        }
        if let Some(classes) = target.classes() {
            if let Some(class) = twice(classes) {
                return Err(
                    Error::data(format!("the class \"{class}\" is listed twice")).help("leave out one")
                );
            }
            if classes.len() < 2 {
                return Err(Error::data("there are fewer than two classes: there is nothing to tell apart"));
            }
        }
        if let Target::Labels { words } = &target
            && let Some(at) = words.iter().position(|[no, yes]| no == yes)
        {
            return Err(Error::data(format!(
                "label \"{}\" has the same word for yes and no, \"{}\"",
                names[at], words[at][0]
            )));
        }
        if let Target::Regression { scales } = &target {
            let is_right =
                |Scale { center, spread }: &Scale| center.is_finite() && spread.is_finite() && *spread > 0.0;
            if scales.is_empty() || !scales.iter().all(is_right) {
                return Err(Error::data(
                    "a target's center is not finite, or its spread not a positive number",
                ));
            }
        }
        Ok(Self { names, target, reason })
    }

    /// The names of the columns: one, or several for a regression or for labels.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What the outputs are called: the classes, of two the one whose probability is the output; else the columns.
    pub fn output_names(&self) -> Vec<String> {
        match self.target.classes() {
            Some(classes) if self.target.outputs() > 1 => classes.to_vec(),
            Some(classes) => vec![classes.last().cloned().unwrap_or_default()],
            None => self.names.clone(),
        }
    }

    /// How predictions are to be read.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Why the task is what it is, for people.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    pub(super) fn fit(table: &Table, rows: &[usize], options: &DataOptions) -> Result<Self> {
        let names = task::names(table, options)?;
        let (task, reason) = task::task(table, &names, options)?;
        let target = match task {
            Task::Regression => {
                let mut scales = Vec::new();
                for name in &names {
                    let numbers = target_numbers(table, name)?;
                    let count = rows.len() as f64;
                    let mean = rows.iter().map(|&row| numbers[row]).sum::<f64>() / count;
                    let squares = rows.iter().map(|&row| (numbers[row] - mean) * (numbers[row] - mean));
                    let deviation = (squares.sum::<f64>() / count).sqrt();
                    let (center, spread) = match options.target_scaling {
                        TargetScaling::Standardize => (mean, deviation),
                        TargetScaling::Mean => (0.0, mean),
                        TargetScaling::None => (0.0, 1.0),
                    };
                    let is_scale = spread > 0.0 && spread.is_finite();
                    let (center, spread) = if is_scale { (center, spread) } else { (0.0, 1.0) };
                    scales.push(Scale { center, spread });
                }
                Target::Regression { scales }
            }
            Task::Labels => {
                let words = names.iter().map(|name| labels::words(table, name));
                Target::Labels { words: words.collect::<Result<_>>()? }
            }
            Task::Binary | Task::Classes => {
                let name = &names[0];
                let texts = task::texts(table, name)?;
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
        Self::new(names, target, reason)
    }

    /// The targets of all rows.
    ///
    /// # Errors
    /// If a target is missing, not a number, or of a class that was not seen in training.
    pub fn apply<T: Real>(&self, table: &Table) -> Result<Targets<T>> {
        if let Target::Labels { words } = &self.target {
            return Targets::labels(labels::apply(table, &self.names, words)?, words.len());
        }
        let Some(classes) = self.target.classes() else {
            let Target::Regression { scales } = &self.target else { unreachable!("it has no classes") };
            let width = self.names.len();
            let mut values = zeros(table.rows(), width, table)?;
            for (at, (name, Scale { center, spread })) in self.names.iter().zip(scales).enumerate() {
                for (row, &number) in target_numbers(table, name)?.iter().enumerate() {
                    values[row * width + at] = T::from_f64((number - center) / spread);
                }
            }
            if let Some(at) = values.iter().position(|value: &T| !value.is_finite()) {
                let (name, row) = (&self.names[at % width], at / width);
                let number = target_numbers(table, name)?[row];
                return Err(match number.abs() > f64::from(f32::MAX) {
                    true => too_large(table, name, row, number),
                    false => too_far(table, name, row),
                });
            }
            return Targets::values(values, width);
        };
        let name = &self.names[0];
        let texts = task::texts(table, name)?;
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
    let numbers = match table.column(name)?.values()? {
        Cow::Borrowed(values) => numbers_of(table, name, values)?,
        Cow::Owned(Values::Numbers(numbers)) => Cow::Owned(numbers),
        Cow::Owned(values) => Cow::Owned(numbers_of(table, name, &values)?.into_owned()),
    };
    match numbers.iter().position(|number| number.is_nan()) {
        Some(row) => Err(task::missing(table, name, row)),
        None => Ok(numbers),
    }
}

/// What is said of a target that is too large for the numbers of a network, whatever the others are.
fn too_large(table: &Table, name: &str, row: usize, number: f64) -> Error {
    let written = format!("{number:e}");
    let unit = written.rsplit('e').next().unwrap_or_default();
    Error::data(format!("the target {written} is too large to train on"))
        .at(Place::source(table.source()).row(row + 1).column(name))
        .help(format!("give the column in a larger unit: each number divided by 1e{unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_distribution_becomes_one() {
        let classes = Target::Classes { classes: ["a", "b", "c"].map(str::to_owned).to_vec() };
        // Of softmax the bits stay.
        let softmax = [0.1_f32, 0.2, 0.7];
        assert_eq!(classes.restore(&softmax), softmax.map(f64::from));
        let others = classes.restore(&[0.5, 0.25, 0.75, -1.0, 1.0, 1.0]);
        assert_eq!(others, [0.5 / 1.5, 0.25 / 1.5, 0.75 / 1.5, 0.0, 0.5, 0.5]);
        assert_eq!(classes.restore(&[-1.0, -2.0, 0.0]), [1.0 / 3.0; 3]);
        let binary = Target::Binary { classes: ["a", "b"].map(str::to_owned) };
        assert_eq!(binary.restore(&[-0.25, 0.5, 1.5]), [0.0, 0.5, 1.0]);
        let labels = Target::Labels { words: vec![["0", "1"].map(str::to_owned); 2] };
        assert_eq!(labels.restore(&[0.9, 0.8]), [0.9, 0.8]);
    }
}
