//! A network forwards: its cost and predictions on given rows.

use super::Machine;
use crate::data::{Dataset, Features, Targets};
use crate::error::{Error, Result};
use crate::execute::Executor;
use crate::network::{FEATURES, Mode, Network, TARGETS};
use crate::plan::Plan;
use pullback_kernels::{Isa, Real};

/// A network's cost and predictions on given rows.
#[derive(Debug, Clone)]
pub struct Evaluation<T> {
    /// The mean cost, without regularization.
    pub cost: f64,
    /// `[rows, outputs]`: probabilities, or numbers in the units of the targets.
    pub predictions: Vec<T>,
}

/// How many rows are evaluated at a time.
const EVALUATION_BATCH: usize = 256;

/// Runs a network forwards on some rows of a data set.
///
/// # Errors
/// If the network or its parameters do not fit the data.
pub fn evaluate<T: Real>(
    network: &Network,
    parameters: &[Vec<T>],
    data: &Dataset<T>,
    rows: &[usize],
    machine: &Machine,
) -> Result<Evaluation<T>> {
    check_data(network, data)?;
    network.check_parameters(parameters)?;
    data.check_rows(rows)?;
    let evaluation = Evaluator::new(network, rows.len(), machine)?.run(
        parameters,
        data.features(),
        Some(data.targets()),
        rows,
    );
    Ok(evaluation)
}

/// What a network predicts for all rows, `[rows, outputs]`.
///
/// # Errors
/// If the network or its parameters do not fit the features.
pub fn predict<T: Real>(
    network: &Network,
    parameters: &[Vec<T>],
    features: &Features<T>,
    machine: &Machine,
) -> Result<Vec<T>> {
    check_inputs(network, features.width())?;
    network.check_parameters(parameters)?;
    let rows: Vec<usize> = (0..features.rows()).collect();
    Ok(Evaluator::new(network, rows.len(), machine)?.run(parameters, features, None, &rows).predictions)
}

/// Refuses data that a network cannot take.
pub(super) fn check_data<T: Real>(network: &Network, data: &Dataset<T>) -> Result<()> {
    if let blocks @ 2.. = data.inputs().len() {
        return Err(Error::configuration(format!(
            "the network takes one block of inputs, but the data has {blocks}"
        ))
        .help("give one block"));
    }
    check_inputs(network, data.width())?;
    let outputs = data.outputs();
    if network.outputs() != outputs {
        return Err(Error::configuration(format!(
            "the network has {} outputs, but the targets need {outputs}",
            network.outputs()
        ))
        .help(format!("give the last dense layer {outputs} units")));
    }
    Ok(())
}

fn check_inputs(network: &Network, inputs: usize) -> Result<()> {
    if network.inputs != inputs {
        return Err(Error::configuration(format!(
            "the network takes {} features, but the data has {inputs}",
            network.inputs
        ))
        .help(format!("give the network {inputs} inputs, or data of {} features", network.inputs)));
    }
    Ok(())
}

/// The forward pass in evaluation, for whole batches and for the rows left over.
pub(super) struct Evaluator<T> {
    isa: Isa,
    outputs: usize,
    batch: usize,
    whole: Executor<T>,
    last: Option<Executor<T>>,
}

impl<T: Real> Evaluator<T> {
    pub(super) fn new(network: &Network, rows: usize, machine: &Machine) -> Result<Self> {
        let batch = rows.clamp(1, EVALUATION_BATCH);
        let executor = |batch| -> Result<Executor<T>> {
            let lowered = network.lower(batch, Mode::Evaluation)?;
            let plan = Plan::new(&lowered.graph, &[lowered.data_cost, lowered.prediction]);
            Ok(Executor::new(plan, machine))
        };
        let left = rows % batch;
        Ok(Self {
            isa: machine.isa,
            outputs: network.outputs(),
            batch,
            whole: executor(batch)?,
            last: (left > 0).then(|| executor(left)).transpose()?,
        })
    }

    pub(super) fn run(
        &mut self,
        parameters: &[impl AsRef<[T]> + Sync],
        features: &Features<T>,
        targets: Option<&Targets<T>>,
        rows: &[usize],
    ) -> Evaluation<T> {
        let mut predictions = Vec::with_capacity(rows.len() * self.outputs);
        let mut cost = 0.0;
        for rows in rows.chunks(self.batch) {
            let executor = match &mut self.last {
                Some(last) if rows.len() < self.batch => last,
                _ => &mut self.whole,
            };
            let isa = self.isa;
            executor.fill_rows(FEATURES, rows.len(), |range, piece| {
                features.write(isa, &rows[range], piece);
            });
            if let Some(targets) = targets {
                targets.write(rows, executor.input_mut(TARGETS));
            }
            executor.run(parameters);
            cost += executor.output(0)[0].to_f64() * rows.len() as f64;
            predictions.extend_from_slice(executor.output(1));
        }
        Evaluation { cost: cost / rows.len().max(1) as f64, predictions }
    }
}

/// The share of rows whose class is predicted; absent for numbers.
pub(super) fn accuracy<T: Real>(predictions: &[T], targets: &Targets<T>, rows: &[usize]) -> Option<f64> {
    let classes = targets.ids()?;
    let width = targets.outputs();
    let right = (predictions.chunks_exact(width).zip(rows))
        .filter(|(prediction, row)| most_likely(prediction) == classes[**row] as usize)
        .count();
    Some(right as f64 / rows.len() as f64)
}

/// The class that a row of probabilities says: the most probable (of equal ones the first), or for
/// one output, the second class if it is more probable than not.
pub fn most_likely<T: Real>(prediction: &[T]) -> usize {
    if let [probability] = prediction {
        return usize::from(*probability > T::from_f64(0.5));
    }
    (1..prediction.len())
        .fold(0, |best, class| if prediction[class] > prediction[best] { class } else { best })
}
