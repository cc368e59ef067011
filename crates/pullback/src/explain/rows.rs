//! A trace of a model on rows of a table.

use super::Trace;
use crate::data::{Dataset, Table};
use crate::error::Result;
use crate::model::Model;
use crate::network::Mode;
use pullback_kernels::Real;
use std::ops::Range;

/// One forward and backward pass of a model over some rows of a table, as one batch, in `f64`.
///
/// # Errors
/// If the rows have no targets, or columns that the model does not take.
///
/// # Panics
/// If the table has fewer rows.
pub fn trace_rows<T: Real>(model: &Model<T>, table: &Table, rows: Range<usize>, mode: Mode) -> Result<Trace> {
    let chosen: Vec<usize> = rows.collect();
    let count = chosen.len();
    let trained = model.trained()?;
    let dataset: Dataset<f64> = trained.preprocessing.apply(&table.select(&chosen)?)?;
    let (features, targets) = (dataset.features().to_dense(), dataset.targets().to_dense());
    let (network, seed) = (trained.network, trained.training.seed);
    let wide = |numbers: &Vec<T>| numbers.iter().map(|number| number.to_f64()).collect();
    let parameters: Vec<Vec<f64>> = model.parameters().iter().map(wide).collect();
    Trace::with_mode(network, &parameters, &features, &targets, count, mode, seed)
}
