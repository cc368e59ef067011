//! A trace of a model on rows of a table, and what its inputs are called there.

use super::{Kept, Names, NetworkExample, Notation, Subject, Trace, WorkedExample};
use crate::data::{Dataset, Preprocessing, Table, Values, written};
use crate::error::Result;
use crate::model::Model;
use crate::network::Mode;
use crate::train::{Batch, Optimizer, Training};
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
    example(model, table, rows, mode)?.trace()
}

/// Some rows of a table and a model as a worked example, whose inputs are the numbers that the network gets.
///
/// # Errors
/// As [`trace_rows`].
///
/// # Panics
/// As [`trace_rows`].
pub fn worked_rows<T: Real>(
    model: &Model<T>,
    table: &Table,
    rows: Range<usize>,
    mode: Mode,
    outputs: Vec<String>,
) -> Result<WorkedExample> {
    let row = rows.start;
    let mut network = example(model, table, rows, mode)?;
    let named = named_inputs(model.trained()?.preprocessing, table, row)?;
    let names = named.into_iter().map(|input| input.name).collect::<Vec<_>>();
    let is_whole = names.len() == network.network.inputs;
    let has_all = outputs.len() == network.network.outputs();
    network.names = Names {
        inputs: if is_whole { names } else { Vec::new() },
        outputs: if has_all { outputs } else { Vec::new() },
        ..Names::default()
    };
    Ok(WorkedExample {
        title: String::new(),
        source: String::new(),
        notation: Notation::default(),
        language: None,
        subject: Subject::Network(Box::new(network)),
        expect: Vec::new(),
    })
}

fn example<T: Real>(
    model: &Model<T>,
    table: &Table,
    rows: Range<usize>,
    mode: Mode,
) -> Result<NetworkExample> {
    let chosen: Vec<usize> = rows.collect();
    let count = chosen.len();
    let trained = model.trained()?;
    let dataset: Dataset<f64> = trained.preprocessing.apply(&table.select(&chosen)?)?;
    let wide = |numbers: &Vec<T>| numbers.iter().map(|number| number.to_f64()).collect();
    let own = trained.training;
    Ok(NetworkExample {
        network: trained.network.clone(),
        parameters: model.parameters().iter().map(wide).collect(),
        inputs: dataset.features().to_dense()?.to_vec(),
        targets: dataset.targets().to_dense().to_vec(),
        weights: dataset.weights().map(<[f64]>::to_vec),
        rows: count,
        training: Training {
            // One that searches for its step has none to show; the page says so by the run's own settings.
            optimizer: if own.optimizer.is_searching() { Optimizer::Sgd } else { own.optimizer },
            learning_rate: own.learning_rate,
            clip_norm: own.clip_norm,
            seed: own.seed,
            batch: Batch::Full,
            ..Training::default()
        },
        mode,
        kept: Kept::default(),
        fixed: Vec::new(),
        names: Names::default(),
    })
}
