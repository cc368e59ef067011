//! A network's cost and predictions on given rows.

use super::{Forward, Machine};
use crate::data::{Ahead, Dataset, Features, FeaturesView, check_whole_rows};
use crate::error::{Error, Result};
use crate::execute::{Backend, Executor};
use crate::network::{Cost, Form, Mode, Network};
use crate::plan::Plan;
use pullback_kernels::{Isa, Real, sum};
use std::borrow::Borrow;

/// A network's cost and predictions on given rows.
#[derive(Debug, Clone)]
pub struct Evaluation<T> {
    /// The mean cost, without regularization; of rows with weights, `sum(w c) / sum(w)`.
    pub cost: f64,
    /// `[rows, outputs]`: probabilities, or numbers in the units of the targets.
    pub predictions: Vec<T>,
}

/// How many rows are evaluated at a time, if they need no more memory than [`EVALUATION_BYTES`]. Costs are averaged
/// over so many rows whatever is evaluated at a time, so it decides bits.
const EVALUATION_ROWS: usize = 256;
/// How much memory the numbers of the rows that are evaluated at a time may take. The first layer of a network for
/// photographs of 224 by 224 pixels would need 3.3 GB for 256 of them.
const EVALUATION_BYTES: usize = 256 << 20;

/// How many rows of a network are evaluated at a time, of `rows` in all: at most 256, and fewer if their numbers would
/// need more than 256 MiB, but at least one. No bit of a prediction or a cost depends on it, but for the sign of a zero
/// after a product that left out zeros.
///
/// # Errors
/// If the network contradicts itself.
pub fn evaluation_batch<T: Real>(network: &Network, rows: usize) -> Result<usize> {
    Ok(BatchPlan::within::<T>(network, rows, EVALUATION_BYTES)?.batch)
}

/// The plan of a forward pass for the rows that are evaluated at a time.
struct BatchPlan {
    batch: usize,
    plan: Plan,
}

impl BatchPlan {
    fn new(network: &Network, batch: usize) -> Result<Self> {
        let lowered = network.lower(batch, Mode::Evaluation)?;
        let outputs = [lowered.prediction, lowered.costs];
        Ok(Self { batch, plan: Plan::new(&lowered.graph, &outputs) })
    }

    /// For as many rows as so many bytes allow.
    fn within<T: Real>(network: &Network, rows: usize, limit_bytes: usize) -> Result<Self> {
        let all = Self::new(network, rows.clamp(1, EVALUATION_ROWS))?;
        let inputs: usize = all.plan.inputs.iter().map(|input| input.shape.elements()).sum();
        let bytes = (all.plan.elements() + inputs).saturating_mul(size_of::<T>());
        if bytes <= limit_bytes || all.batch == 1 {
            return Ok(all);
        }
        // A power of two, so that the rows over which costs are averaged are whole batches.
        let fitting = (all.batch as f64 * (limit_bytes as f64 / bytes as f64)) as usize;
        Self::new(network, 1 << fitting.max(1).ilog2())
    }
}

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
    let mut evaluator = Evaluator::new(network, rows.len(), &entries(&blocks), machine)?;
    evaluator.run(parameters, &blocks, data, rows)
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
    Forward::new(network, parameters, 1.0, machine)?.features(&[("features", features)])
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
    check_targets(network.cost, data)?;
    Ok(blocks)
}

/// Refuses targets that the cost does not take.
fn check_targets<T: Real>(cost: Cost, data: &Dataset<T>) -> Result<()> {
    if !cost.has_log_link() {
        return Ok(());
    }
    let (takes, outputs) = (cost.takes(), data.outputs());
    let numbers = data.targets().to_dense();
    match numbers.iter().position(|number| !takes.allows(number.to_f64())) {
        None => Ok(()),
        Some(at) => Err(Error::data(format!(
            "row {}, column {} of the targets is {}, but the cost {cost} takes {}",
            at / outputs + 1,
            at % outputs + 1,
            numbers[at],
            takes.describe()
        ))
        .help("correct the target, leave the row out, or take another cost")),
    }
}

/// The same without targets. One block fits one input whatever their names are; several are found by name.
pub(super) fn check_inputs<'a, T: Real>(
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
                other => {
                    let has = match other {
                        FeaturesView::Bytes { .. } => "bytes",
                        FeaturesView::Outside => "numbers that are not at hand",
                        _ => "parts",
                    };
                    return Err(Error::configuration(format!(
                        "input `{name}` takes codes, but its block has {has}"
                    ))
                    .help("give a block of codes"));
                }
            }
        }
        Ok(features)
    };
    network.named.iter().map(block).collect()
}

/// Refuses numbers that are no whole rows of the network's only input; returns how many a row has.
pub(super) fn check_numbers<T: Real>(network: &Network, numbers: &[T]) -> Result<usize> {
    let width = match &network.named[..] {
        [] => network.inputs,
        [only] => only.form.elements(),
        several => {
            let names: Vec<String> = several.iter().map(|input| format!("`{}`", input.name)).collect();
            return Err(Error::configuration(format!(
                "the network takes {} blocks of inputs, not one row of numbers",
                names.len()
            ))
            .help(format!("give each block with its name: {}", names.join(", "))));
        }
    };
    check_whole_rows(numbers, width)?;
    if let Some(Form::Index(index)) = network.named.first().map(|only| only.form) {
        index.check(numbers)?;
    }
    Ok(width)
}

/// Fills the inputs of a graph, which take `blocks` in their order, with some rows that are in memory.
pub(super) fn fill<T: Real>(
    backend: &mut (impl Backend<T> + ?Sized),
    isa: Isa,
    blocks: &[impl Borrow<Features<T>>],
    rows: &[usize],
) {
    for (place, features) in blocks.iter().map(Borrow::borrow).enumerate() {
        if let Some((columns, numbers)) = backend.listed_mut(place) {
            features.write_entries(rows, columns, numbers);
            continue;
        }
        backend.gather(place, rows.len(), &|range, piece| features.write(isa, &rows[range], piece));
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
    /// Of rows that are in a store, those in memory.
    ahead: Option<Ahead<T>>,
}

impl<T: Real> Evaluator<T> {
    /// For that many rows; `entries` says how many entries of a row are listed, for each block.
    pub(super) fn new(
        network: &Network,
        rows: usize,
        entries: &[Option<usize>],
        machine: &Machine,
    ) -> Result<Self> {
        Self::within(network, rows, entries, machine, EVALUATION_BYTES)
    }

    /// The same with so many bytes for the rows that are evaluated at a time.
    fn within(
        network: &Network,
        rows: usize,
        entries: &[Option<usize>],
        machine: &Machine,
        limit_bytes: usize,
    ) -> Result<Self> {
        let BatchPlan { batch, plan } = BatchPlan::within::<T>(network, rows, limit_bytes)?;
        let left = rows % batch;
        let last = (left > 0).then(|| BatchPlan::new(network, left)).transpose()?;
        Ok(Self {
            isa: machine.isa,
            outputs: network.outputs(),
            batch,
            whole: Executor::with_listed(plan, machine, entries),
            last: last.map(|last| Executor::with_listed(last.plan, machine, entries)),
            ahead: None,
        })
    }

    /// The same rows are given each time.
    pub(super) fn run(
        &mut self,
        parameters: &[impl AsRef<[T]> + Sync],
        blocks: &[&Features<T>],
        data: &Dataset<T>,
        rows: &[usize],
    ) -> Result<Evaluation<T>> {
        let mut predictions = Vec::with_capacity(rows.len() * self.outputs);
        let (mut cost, mut total, mut costs, mut done) = (0.0, 0.0, Vec::new(), 0);
        if self.ahead.is_none() {
            self.ahead = Ahead::of(blocks, 1);
        }
        for averaged in rows.chunks(EVALUATION_ROWS) {
            costs.clear();
            for now in averaged.chunks(self.batch) {
                let executor = match &mut self.last {
                    Some(last) if now.len() < self.batch => last,
                    _ => &mut self.whole,
                };
                match &mut self.ahead {
                    None => fill(executor, self.isa, blocks, now),
                    Some(ahead) => {
                        let (loaded, places) = ahead.rows(blocks, rows, done..done + now.len())?;
                        fill(executor, self.isa, loaded, places);
                    }
                }
                done += now.len();
                data.targets().write(now, executor.input_mut(blocks.len()));
                executor.run(parameters);
                costs.extend_from_slice(executor.output(1));
                predictions.extend_from_slice(executor.output(0));
            }
            // In the order in which a step of training sums the costs of as many rows.
            let weight = weigh(data, averaged, &mut costs);
            if weight > 0.0 {
                let mean = sum(self.isa, &costs) * T::from_f64(1.0 / weight);
                cost += mean.to_f64() * weight;
                total += weight;
            }
        }
        Ok(Evaluation { cost: cost / if total > 0.0 { total } else { 1.0 }, predictions })
    }
}

/// Multiplies the costs of some rows, one or several a row, by their weights; gives the sum of the weights.
fn weigh<T: Real>(data: &Dataset<T>, rows: &[usize], costs: &mut [T]) -> f64 {
    let Some(weights) = data.weights() else { return rows.len() as f64 };
    let each = costs.len() / rows.len().max(1);
    for (costs, &row) in costs.chunks_exact_mut(each.max(1)).zip(rows) {
        costs.iter_mut().for_each(|cost| *cost *= weights[row]);
    }
    weight_of(data, rows)
}

/// The sum of the weights of some rows: their number, where they have none.
pub(super) fn weight_of<T: Real>(data: &Dataset<T>, rows: &[usize]) -> f64 {
    match data.weights() {
        Some(weights) => rows.iter().map(|&row| weights[row].to_f64()).sum(),
        None => rows.len() as f64,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Targets};
    use crate::network::{Activation, Cost, Image, Layer};

    #[test]
    fn how_many_rows_are_evaluated_at_a_time_changes_no_bit() {
        const ROWS: usize = 301;
        let mut image = Network::dense(36, &[], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
        image.image = Some(Image { height: 6, width: 6, channels: 1 });
        image
            .layers
            .splice(0..0, [Layer::convolution(4, 3), Layer::batch_norm(), Layer::function(Activation::Relu)]);
        let dense = |cost| Network::dense(36, &[33, 17], 3, Activation::Gelu, cost);
        let networks = [
            image,
            dense(Cost::SoftmaxCrossEntropy),
            dense(Cost::SigmoidCrossEntropy),
            dense(Cost::Huber(0.5)),
        ];
        let numbers = |count: usize, seed: usize| {
            (0..count).map(|i| ((i * i + 7 * i + seed) % 101) as f32 * 0.02 - 1.0).collect::<Vec<_>>()
        };
        let features = Features::dense(numbers(ROWS * 36, 1), 36).unwrap();
        let targets = Targets::values(numbers(ROWS * 3, 5), 3).unwrap();
        let data = Dataset::new(features, targets).unwrap();
        let machine = Machine::with_threads(1);
        for network in networks {
            let parameters = network.initialize::<f32>(3).unwrap();
            let blocks = check_data(&network, &data).unwrap();
            let rows: Vec<usize> = (0..ROWS).collect();
            let whole = BatchPlan::new(&network, EVALUATION_ROWS).unwrap().plan;
            let each = (whole.elements() + EVALUATION_ROWS * 39) * size_of::<f32>() / EVALUATION_ROWS;
            let mut batches = Vec::new();
            let evaluations = [usize::MAX, 200 * each, 40 * each, 0].map(|limit| {
                let mut evaluator = Evaluator::within(&network, ROWS, &[], &machine, limit).unwrap();
                batches.push(evaluator.batch);
                let Evaluation { cost, predictions } =
                    evaluator.run(&parameters, &blocks, &data, &rows).unwrap();
                let bits: Vec<u32> = predictions.iter().map(|x| x.to_bits()).collect();
                (cost.to_bits(), bits)
            });
            assert_eq!(batches, [256, 128, 32, 1]);
            assert!(evaluations.iter().all(|evaluation| *evaluation == evaluations[0]), "{network:?}");
        }
    }

    #[test]
    fn a_network_whose_rows_need_much_memory_is_evaluated_in_few_rows() {
        // A row of 3 million numbers takes 12 MB: 21 of them take 256 MiB.
        let wide = Network::dense(2, &[3_000_000], 1, Activation::Tanh, Cost::SquaredError);
        assert_eq!(evaluation_batch::<f32>(&wide, 1000).unwrap(), 16);
        assert_eq!(evaluation_batch::<f64>(&wide, 1000).unwrap(), 8);
        assert_eq!(evaluation_batch::<f32>(&wide, 10).unwrap(), 10);
        let narrow = Network::dense(2, &[30], 1, Activation::Tanh, Cost::SquaredError);
        assert_eq!(evaluation_batch::<f32>(&narrow, 1000).unwrap(), 256);
        assert_eq!(evaluation_batch::<f32>(&narrow, 0).unwrap(), 1);
    }
}
