//! A trace of a model on rows of a table, and what its inputs are called there.

use super::Trace;
use crate::data::{Dataset, Preprocessing, Table, Values, written};
use crate::error::Result;
use crate::model::Model;
use crate::network::Mode;
use pullback_kernels::Real;
use std::ops::Range;

/// An input of a network, as the table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedInput {
    /// Its name: `Embarked=S`.
    pub name: String,
    /// The cell that it is made of, before it was scaled; empty if it is missing.
    pub cell: String,
}

/// The inputs of a row of a table, in their order.
///
/// # Errors
/// If a column is missing.
pub fn named_inputs(preprocessing: &Preprocessing, table: &Table, row: usize) -> Result<Vec<NamedInput>> {
    let mut inputs = Vec::new();
    for feature in preprocessing.features() {
        let values = &*table.column(&feature.name)?.values()?;
        let cell = match values {
            Values::Numbers(numbers) => {
                numbers.get(row).filter(|number| !number.is_nan()).map(f64::to_string)
            }
            Values::Categories(texts) => texts.text(row).map(str::to_owned),
            Values::Times(times) => {
                times.seconds.get(row).filter(|time| !time.is_nan()).map(|time| written(*time))
            }
            Values::Bytes(_) => None,
        };
        for (at, name) in feature.input_names().into_iter().enumerate() {
            let cell = match values {
                Values::Bytes(bytes) => bytes.row(row).get(at).map(u8::to_string),
                _ => cell.clone(),
            };
            inputs.push(NamedInput { name, cell: cell.unwrap_or_default() });
        }
    }
    Ok(inputs)
}

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
    let (features, targets) = (dataset.features().to_dense()?, dataset.targets().to_dense());
    let (network, seed) = (trained.network, trained.training.seed);
    let wide = |numbers: &Vec<T>| numbers.iter().map(|number| number.to_f64()).collect();
    let parameters: Vec<Vec<f64>> = model.parameters().iter().map(wide).collect();
    Trace::weighted(network, &parameters, (&features, &targets, dataset.weights()), count, mode, seed)
}
