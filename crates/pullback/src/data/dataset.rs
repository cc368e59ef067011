//! Numbers to train on: blocks of inputs, and the targets of the same rows.

use super::features::check_rows;
use super::preprocess::Warning;
use super::{Features, Targets};
use crate::error::{Error, Result};
use pullback_kernels::Real;
use std::collections::BTreeSet;

/// Inputs and targets of the same rows. It cannot be wrong: what is not of equal length is refused.
///
/// ```
/// use pullback::data::{Dataset, Features, Targets};
/// let features = Features::dense(vec![0.0_f32, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], 2)?;
/// let data = Dataset::new(features, Targets::binary(vec![0, 1, 1, 0])?)?;
/// assert_eq!((data.rows(), data.width(), data.outputs()), (4, 2, 1));
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset<T> {
    inputs: Vec<Input<T>>,
    targets: Targets<T>,
    weights: Option<Vec<T>>,
    warnings: Vec<Warning>,
}

/// A named block of inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Input<T> {
    name: String,
    features: Features<T>,
}

impl<T> Input<T> {
    /// A block of inputs and its name, to predict for.
    pub fn new(name: impl Into<String>, features: Features<T>) -> Self {
        Self { name: name.into(), features }
    }

    /// Its name, by which a network takes it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds.
    pub fn features(&self) -> &Features<T> {
        &self.features
    }
}

/// The name of a block that is the only one.
const ONLY: &str = "features";

impl<T: Real> Dataset<T> {
    /// One block of inputs, which is named `features`, and targets.
    ///
    /// # Errors
    /// If they are not of the same number of rows.
    pub fn new(features: Features<T>, targets: Targets<T>) -> Result<Self> {
        Self::with_inputs(vec![(ONLY.to_owned(), features)], targets)
    }

    /// Several blocks of inputs, each with a name of its own, and targets.
    ///
    /// # Errors
    /// If there is no block, two have the same name or one has none, or they are not all of the same number of rows.
    pub fn with_inputs(inputs: Vec<(String, Features<T>)>, targets: Targets<T>) -> Result<Self> {
        if inputs.is_empty() {
            return Err(Error::data("there is no block of inputs").help("give at least one"));
        }
        let mut names = BTreeSet::new();
        for (name, features) in &inputs {
            if name.is_empty() || !names.insert(name) {
                return Err(Error::data(format!(
                    "there are two blocks of inputs named \"{name}\", or one without a name"
                ))
                .help("give each its own"));
            }
            if features.rows() != targets.rows() {
                return Err(Error::data(format!(
                    "the inputs \"{name}\" have {} rows, but the targets {}",
                    features.rows(),
                    targets.rows()
                ))
                .help("give both for the same rows"));
            }
        }
        let inputs = inputs.into_iter().map(|(name, features)| Input { name, features }).collect();
        Ok(Self { inputs, targets, weights: None, warnings: Vec::new() })
    }

    /// The same, where each row counts as many times as its weight says: in the cost, which is `sum(w c) / sum(w)`, and
    /// in metrics. A row of weight 0 counts as if it were not there.
    ///
    /// ```
    /// use pullback::data::{Dataset, Features, Targets};
    /// let features = Features::dense(vec![0.0_f32, 1.0, 2.0], 1)?;
    /// let data = Dataset::new(features, Targets::binary(vec![0, 1, 1])?)?;
    /// assert!(data.clone().with_weights(vec![1.0, -1.0, 2.0]).is_err());
    /// assert_eq!(data.with_weights(vec![1.0, 0.5, 2.0])?.weights(), Some(&[1.0, 0.5, 2.0][..]));
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is not one for each row, one is negative or not finite, or all are 0.
    pub fn with_weights(self, weights: Vec<T>) -> Result<Self> {
        if weights.len() != self.rows() {
            return Err(Error::data(format!("{} weights for {} rows", weights.len(), self.rows()))
                .help("give one for each row"));
        }
        if let Some(row) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= T::ZERO)) {
            return Err(Error::data(format!("row {}: {} is not a weight", row + 1, weights[row].to_f64()))
                .help("give finite numbers of at least 0"));
        }
        if !weights.iter().any(|weight| *weight > T::ZERO) {
            return Err(
                Error::data("all rows have a weight of 0: nothing counts").help("give some a larger one")
            );
        }
        Ok(Self { weights: Some(weights), ..self })
    }

    /// The weight of each row, if rows have weights.
    pub fn weights(&self) -> Option<&[T]> {
        self.weights.as_deref()
    }

    /// The same, with what preprocessing met that it could not represent.
    pub(super) fn with_warnings(self, warnings: Vec<Warning>) -> Self {
        Self { warnings, ..self }
    }

    /// The same data for one of so many that are trained on it at the same time, and share the memory for what is read
    /// ahead; [`None`] if all of it is in memory.
    pub(crate) fn read_by(&self, readers: usize) -> Option<Self> {
        self.inputs.iter().find(|input| input.features.rows_ahead().is_some())?;
        let mut data = self.clone();
        data.inputs.iter_mut().for_each(|input| input.features = input.features.read_by(readers));
        Some(data)
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.targets.rows()
    }

    /// The blocks of inputs, at least one.
    pub fn inputs(&self) -> &[Input<T>] {
        &self.inputs
    }

    /// The first block of inputs: for most data, the only one.
    pub fn features(&self) -> &Features<T> {
        &self.inputs[0].features
    }

    /// The number of inputs of a row, of all blocks.
    pub fn width(&self) -> usize {
        self.inputs.iter().map(|input| input.features.width()).sum()
    }

    /// What is to be predicted, `[rows, outputs]`.
    pub fn targets(&self) -> &Targets<T> {
        &self.targets
    }

    /// The number of outputs of a network for this data.
    pub fn outputs(&self) -> usize {
        self.targets.outputs()
    }

    /// What preprocessing met that it could not represent.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Refuses rows that there are not.
    ///
    /// # Errors
    /// If a row is out of range.
    pub fn check_rows(&self, rows: &[usize]) -> Result<()> {
        check_rows(rows, self.rows())
    }
}
