//! How much each class counts, beside the weights of rows.
//!
//! A row's weight says how many rows like it there are, so it counts in everything that is measured. A class's weight
//! says how bad it is to be wrong about it, so it counts in the cost, of training and validation, and in what is
//! watched; a report of tested rows says how good the predictions are for the rows as they come.

use super::configuration;
use crate::data::{Dataset, Preprocessing, Targets};
use crate::error::{Error, Result};
use pullback_kernels::Real;

/// The word for weights that make classes count alike: `n / (k n_c)` for a class with n_c of n rows, of k classes
/// (King and Zeng, 2001), rows counted by their weights.
const BALANCED: &str = "balanced";

/// The weight of each class, as `given`: `balanced`, or `class=weight` for some of them.
///
/// # Errors
/// If the target has no classes, a class is not known, or a weight cannot be meant.
pub(super) fn of_classes(
    given: &[String],
    preprocessing: &Preprocessing,
    (targets, weights_of_rows): (&Targets<f32>, Option<&[f64]>),
    rows: &[usize],
) -> Result<Option<Vec<f64>>> {
    let Some(first) = given.first() else { return Ok(None) };
    let target = preprocessing.target();
    if targets.yes().is_some() {
        return Err(configuration(
            "`--class-weights` is for classes, but the targets are labels, of which a row has several",
            "let rare labels count more with `--cost focal`, or rows with `--weights COLUMN`",
        ));
    }
    let (Some(classes), Some(ids)) = (target.target().classes(), targets.ids()) else {
        return Err(configuration(
            format!("`--class-weights` is given, but \"{}\" has no classes", target.names().join("\", \"")),
            "leave it out, or make the target classes with `--task classes`",
        ));
    };
    if first == BALANCED && given.len() == 1 {
        let mut counts = vec![0.0; classes.len()];
        for &row in rows {
            counts[ids[row] as usize] += weights_of_rows.map_or(1.0, |weights| weights[row]);
        }
        let (all, present) =
            (counts.iter().sum::<f64>(), counts.iter().filter(|count| **count > 0.0).count());
        let balanced = |&count: &f64| if count > 0.0 { all / (present as f64 * count) } else { 1.0 };
        return Ok(Some(counts.iter().map(balanced).collect()));
    }
    let spelled = preprocessing.spelled_classes().unwrap_or_default();
    let mut weights = vec![None; classes.len()];
    for text in given {
        let Some((name, weight)) = text.rsplit_once('=') else {
            return Err(configuration(
                format!("`{text}` gives no class a weight"),
                "write `balanced`, or classes with their weights: `--class-weights yes=5,no=1`",
            ));
        };
        let place = |classes: &[String]| classes.iter().position(|class| class == name);
        let Some(class) = place(&spelled).or_else(|| place(classes)) else {
            return Err(Error::unknown_name("class", name, spelled.iter().map(String::as_str)));
        };
        let weight: f64 = weight.parse().ok().filter(is_weight).ok_or_else(|| {
            configuration(
                format!("`{weight}` is no weight of class \"{name}\""),
                "give 0, or a number from 1e-30 to 1e30",
            )
        })?;
        if weights[class].replace(weight).is_some() {
            return Err(configuration(format!("class \"{name}\" is given two weights"), "leave out one"));
        }
    }
    Ok(Some(weights.into_iter().map(|weight| weight.unwrap_or(1.0)).collect()))
}

/// Whether a number is a weight in the precision of training too: what is too small there would be 0 without a word.
fn is_weight(weight: &f64) -> bool {
    *weight == 0.0 || (1e-30..=1e30).contains(weight)
}

/// The same data, where each row counts as much as its class besides.
///
/// # Errors
/// If then no row counts.
pub(super) fn times_classes<T: Real>(dataset: Dataset<T>, classes: &[f64]) -> Result<Dataset<T>> {
    let Some(ids) = dataset.targets().ids() else { return Ok(dataset) };
    let weight = |row: usize| dataset.weights().map_or(1.0, |weights| weights[row].to_f64());
    let weights = ids.iter().enumerate().map(|(row, &id)| T::from_f64(weight(row) * classes[id as usize]));
    let weights = weights.collect();
    dataset.with_weights(weights)
}
