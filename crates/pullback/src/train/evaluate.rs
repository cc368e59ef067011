//! A network forwards: its cost and predictions on given rows.

use super::Machine;
use crate::data::{Dataset, Features, FeaturesView, Targets};
use crate::error::{Error, Result};
use crate::execute::Executor;
use crate::network::{Form, Mode, Network};
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
    let blocks = check_data(network, data)?;
    network.check_parameters(parameters)?;
    data.check_rows(rows)?;
    let evaluation = Evaluator::new(network, rows.len(), true, &entries(&blocks), machine)?.run(
        parameters,
        &blocks,
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
    let blocks = check_inputs(network, &[("features", features)])?;
    network.check_parameters(parameters)?;
    let rows: Vec<usize> = (0..features.rows()).collect();
    let mut evaluator = Evaluator::new(network, rows.len(), false, &entries(&blocks), machine)?;
    Ok(evaluator.run(parameters, &blocks, None, &rows).predictions)
}

/// The blocks that a network's inputs take, in their order; refuses data that it cannot take.
pub(super) fn check_data<'a, T: Real>(
    network: &Network,
    data: &'a Dataset<T>,
) -> Result<Vec<&'a Features<T>>> {
    let given: Vec<_> = data.inputs().iter().map(|input| (input.name(), input.features())).collect();
    let blocks = check_inputs(network, &given)?;
    let outputs = data.outputs();
    if network.outputs() != outputs {
        return Err(Error::configuration(format!(
            "the network has {} outputs, but the targets need {outputs}",
            network.outputs()
        ))
        .help(format!("give the last dense layer {outputs} units")));
    }
    Ok(blocks)
}

/// The same without targets. One block fits one input whatever their names are; several are found by name.
fn check_inputs<'a, T: Real>(
    network: &Network,
    given: &[(&str, &'a Features<T>)],
) -> Result<Vec<&'a Features<T>>> {
    let wanted = network.named.len().max(1);
    if given.len() != wanted {
        let counted = |count: usize| if count == 1 { "one block".into() } else { format!("{count} blocks") };
        let (wanted, has) = (counted(wanted), counted(given.len()));
        return Err(Error::configuration(format!(
            "the network takes {wanted} of inputs, but the data has {has}"
        ))
        .help(format!("give {wanted}")));
    }
    if network.named.is_empty() {
        let (features, inputs) = (given[0].1, given[0].1.width());
        if network.inputs != inputs {
            return Err(Error::configuration(format!(
                "the network takes {} features, but the data has {inputs}",
                network.inputs
            ))
            .help(format!("give the network {inputs} inputs, or data of {} features", network.inputs)));
        }
        return Ok(vec![features]);
    }
    let block = |input: &crate::network::Input| {
        let name = &input.name[..];
        let found = given.iter().find(|(own, _)| wanted == 1 || *own == name);
        let Some(&(_, features)) = found else {
            return Err(Error::configuration(format!(
                "the data has no block `{name}` for the network's input"
            ))
            .unknown(name, given.iter().map(|(own, _)| *own)));
        };
        let (width, takes) = (features.width(), input.form.elements());
        if width != takes {
            return Err(Error::configuration(format!(
                "input `{name}` takes {takes} numbers, but its block has {width}"
            ))
            .help("correct the input, or the block"));
        }
        if let Form::Index(index) = input.form {
            match features.view() {
                FeaturesView::Codes { levels, .. } => {
                    if let Some(most) = levels.iter().find(|&&most| most as usize > index.levels) {
                        let has = index.levels;
                        let what = format!(
                            "input `{name}` takes {has} levels, but a column of its block has {most}"
                        );
                        return Err(Error::configuration(what).help(format!("give the input {most} levels")));
                    }
                }
                FeaturesView::Dense(numbers) => index.check(numbers)?,
                FeaturesView::Bytes { .. } | FeaturesView::Parts { .. } => {
                    return Err(Error::configuration(format!(
                        "input `{name}` takes codes, but its block has {}",
                        if matches!(features.view(), FeaturesView::Bytes { .. }) { "bytes" } else { "parts" }
                    ))
                    .help("give a block of codes"));
                }
            }
        }
        Ok(features)
    };
    network.named.iter().map(block).collect()
}

/// Fills the inputs of a graph, which take `blocks` in their order, with some rows.
pub(super) fn fill<T: Real>(executor: &mut Executor<T>, isa: Isa, blocks: &[&Features<T>], rows: &[usize]) {
    for (place, features) in blocks.iter().enumerate() {
        if let Some((columns, numbers)) = executor.listed_mut(place) {
            features.write_entries(rows, columns, numbers);
            continue;
        }
        executor.fill_rows(place, rows.len(), |range, piece| features.write(isa, &rows[range], piece));
    }
}

/// How many entries of a row are listed, for each block.
pub(super) fn entries<T: Real>(blocks: &[&Features<T>]) -> Vec<Option<usize>> {
    blocks.iter().map(|features| features.entries()).collect()
}

/// The forward pass in evaluation, for whole batches and for the rows left over.
#[derive(Debug)]
pub(super) struct Evaluator<T> {
    isa: Isa,
    outputs: usize,
    batch: usize,
    whole: Executor<T>,
    last: Option<Executor<T>>,
}

impl<T: Real> Evaluator<T> {
    /// For that many rows; measures the cost, if that is asked for.
    pub(super) fn new(
        network: &Network,
        rows: usize,
        has_cost: bool,
        entries: &[Option<usize>],
        machine: &Machine,
    ) -> Result<Self> {
        let batch = rows.clamp(1, EVALUATION_BATCH);
        let executor = |batch| -> Result<Executor<T>> {
            let lowered = network.lower(batch, Mode::Evaluation)?;
            let outputs = [lowered.prediction, lowered.data_cost];
            let plan = Plan::new(&lowered.graph, &outputs[..1 + usize::from(has_cost)]);
            Ok(Executor::with_listed(plan, machine, entries))
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
        blocks: &[&Features<T>],
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
            fill(executor, self.isa, blocks, rows);
            if let Some(targets) = targets {
                targets.write(rows, executor.input_mut(blocks.len()));
            }
            executor.run(parameters);
            if targets.is_some() {
                cost += executor.output(1)[0].to_f64() * rows.len() as f64;
            }
            predictions.extend_from_slice(executor.output(0));
        }
        Evaluation { cost: cost / rows.len().max(1) as f64, predictions }
    }
}

/// A network's forward pass made ready for a number of rows.
#[derive(Debug)]
pub struct Forward<T> {
    network: Network,
    evaluator: Evaluator<T>,
    rows: Vec<usize>,
}

impl<T: Real> Forward<T> {
    /// Makes plans and buffers for that many rows.
    ///
    /// # Errors
    /// If the network contradicts itself.
    pub fn new(network: &Network, rows: usize, machine: &Machine) -> Result<Self> {
        Ok(Self {
            network: network.clone(),
            evaluator: Evaluator::new(network, rows, false, &[], machine)?,
            rows: (0..rows).collect(),
        })
    }

    /// What the network predicts for the rows, `[rows, outputs]`.
    ///
    /// # Errors
    /// If the features do not fit the network, or their rows are not as many.
    pub fn run(&mut self, parameters: &[Vec<T>], features: &Features<T>) -> Result<Vec<T>> {
        let blocks = check_inputs(&self.network, &[("features", features)])?;
        self.network.check_parameters(parameters)?;
        if features.rows() != self.rows.len() {
            let (given, wanted) = (features.rows(), self.rows.len());
            return Err(Error::data(format!("{given} rows are given, but {wanted} were prepared for")));
        }
        Ok(self.evaluator.run(parameters, &blocks, None, &self.rows).predictions)
    }
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
