//! A trace of a model on rows of a table, and what its inputs are called there.

use super::{Kept, Names, NetworkExample, Notation, Subject, Trace, WorkedExample};
use crate::data::{Dataset, Features, Preprocessing, Table, Values, written};
use crate::differentiate::reverse;
use crate::error::Result;
use crate::execute::reference;
use crate::graph::{Builder, Kind, NodeId};
use crate::model::{Model, Prediction, Temperature};
use crate::network::{Form, Mode};
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

/// What a network predicts for a row, and how much each of its inputs moves that.
#[derive(Debug)]
pub struct PredictedRow {
    /// As [`Model::predict`] says it.
    pub prediction: Prediction,
    /// The derivative of the likely output, or of the first one where there are no classes, with respect to each input;
    /// absent for a network that takes codes or several inputs.
    pub gradient: Option<Vec<f64>>,
}

/// What the network of a model, of an ensemble the first, predicts for the first row of a table. The graph is run node by
/// node: a page that asks for a row now and then needs no plan.
///
/// # Errors
/// If a column that the model takes is missing or of another kind, or the model is not of a table.
///
/// # Panics
/// If the table has no row.
pub fn predicted_row(model: &Model<f64>, table: &Table) -> Result<PredictedRow> {
    let preprocessing = model.trained()?.preprocessing;
    let (features, warnings): (Features<f64>, _) = preprocessing.apply_features(&table.select(&[0])?)?;
    let features = features.to_dense()?;
    let network = model.network();
    let lowered = network.lower_calibrated(1, model.temperature().unwrap_or(Temperature::ONE).get())?;
    let graph = &lowered.graph;
    let inputs: Vec<NodeId> =
        graph.ids().filter(|id| matches!(graph.node(*id).kind, Kind::Input(_))).collect();
    // What the prediction does not read, such as targets, is zero.
    let mut given: Vec<Vec<f64>> = graph.ids().map(|id| vec![0.0; graph.shape(id).elements()]).collect();
    for (at, input) in lowered.inputs.iter().enumerate() {
        let numbers = lowered.columns(&features, at);
        if let Form::Index(index) = input.form {
            index.check(&numbers)?;
        }
        given[inputs[input.place].index()] = numbers;
    }
    for (id, numbers) in lowered.parameters.iter().zip(model.parameters()) {
        given[id.index()].clone_from(numbers);
    }
    let values = reference(graph, &given);
    let prediction = model.read(model.restored(&values[lowered.prediction.index()]), warnings);
    let gradient = if network.named.is_empty() {
        let likely = prediction.classes.as_ref().and_then(|classes| classes.first().copied()).unwrap_or(0);
        let mut chosen = vec![0.0; network.outputs()];
        chosen[likely.min(network.outputs() - 1)] = 1.0;
        given.push(chosen);
        let builder = Builder::extend(graph.clone());
        let chosen = builder.input("chosen output", [1, network.outputs()]);
        let output = (builder.var(lowered.prediction) * chosen).sum_all();
        let output = output.id().expect("a product of equal shapes is legal");
        let gradients = reverse(&builder.finish()?, output, &[inputs[lowered.inputs[0].place]])?;
        Some(reference(&gradients.graph, &given).swap_remove(gradients.nodes[0].index()))
    } else {
        None
    };
    Ok(PredictedRow { prediction, gradient })
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
