//! How much a prediction changes with a column, by the gradient of the prediction with respect to the network's inputs:
//! the graph that predicts, with its backward pass.
//!
//! A column that makes one input x changes the prediction, linear around a row, by `|dp/dx| sd(x)` when it varies by its
//! standard deviation. One that makes several inputs, such as a text, moves them together: with their covariance matrix V
//! and the gradient g of a row it is `sqrt(g' V g)`, the standard deviation of `g' x`.

use crate::data::{Encoding, Feature, Features, Table, Target};
use crate::differentiate::reverse;
use crate::error::{Error, Result};
use crate::execute::Executor;
use crate::graph::{Builder, Kind, NodeId};
use crate::model::{Model, Temperature};
use crate::network::Form;
use crate::plan::Plan;
use crate::random::{Purpose, Random};
use crate::train::{Machine, most_likely};
use pullback_kernels::Real;

/// The most rows whose gradients are averaged.
const MOST_ROWS: usize = 1000;
/// The most inputs of all these rows, which are in memory with their gradients.
const MOST_NUMBERS: usize = 4_000_000;
/// The rows of a pass.
const BATCH: usize = 32;

/// The mean change of the prediction with each column; absent where the network takes codes.
pub(super) fn of_columns<T: Real>(
    model: &Model<T>,
    table: &Table,
    seed: u64,
    machine: &Machine,
) -> Result<Option<Vec<f64>>> {
    let trained = model.trained()?;
    let preprocessing = trained.preprocessing;
    if matches!(&trained.network.named[..], [only] if matches!(only.form, Form::Index(_))) {
        return Ok(None);
    }
    let most = (MOST_NUMBERS / preprocessing.inputs().max(1)).clamp(1, MOST_ROWS);
    let chosen;
    let table = match table.rows() > most {
        false => table,
        true => {
            let random = Random::new(seed, Purpose::Permutation, u32::MAX);
            let rows = random.some_of(table.rows(), most);
            chosen = table.select(&rows)?;
            &chosen
        }
    };
    let (features, _): (Features<f64>, _) = preprocessing.apply_features(table)?;
    let inputs = features.to_dense()?;
    let (rows, width) = (table.rows(), preprocessing.inputs());
    let prediction = model.predict(table, machine)?;
    let outputs = prediction.outputs;
    // Which outputs are looked at: of classes the predicted one, of numbers and labels each.
    let (looks, spreads) = match preprocessing.target().target() {
        Target::Labels { .. } => (outputs, vec![1.0; outputs]),
        Target::Regression { scales } => {
            (outputs, scales.iter().map(|scale| scale.spread).collect::<Vec<_>>())
        }
        _ => (1, vec![1.0; outputs]),
    };
    let predicted: Vec<usize> = prediction.numbers.chunks_exact(outputs).map(most_likely).collect();
    let columns = columns(preprocessing.features(), &inputs, width);
    let mut sums = vec![0.0; columns.len()];
    for look in 0..looks {
        let mut gradients = vec![0.0; rows * width];
        for index in 0..model.member_count() {
            let member = model.member(index).expect("an index below the number of members").cast::<f64>()?;
            let weight = |row: usize, output: usize| match preprocessing.target().target() {
                Target::Regression { .. } | Target::Labels { .. } if output == look => spreads[output],
                // One output is the probability of the second class, and of the first it is what is left.
                Target::Binary { .. } if outputs == 1 && predicted[row] == 0 => -1.0,
                Target::Binary { .. } if outputs == 1 => 1.0,
                Target::Regression { .. } | Target::Labels { .. } => 0.0,
                _ if output == predicted[row] => 1.0,
                _ => 0.0,
            };
            let times = member.times() as f64;
            let weight = |row: usize, output: usize| times * weight(row, output);
            add_gradients(&member, &inputs, (rows, width), weight, machine, &mut gradients)?;
        }
        let members = model.votes() as f64;
        for row in gradients.chunks_exact_mut(width) {
            row.iter_mut().for_each(|number| *number /= members);
            for (sum, column) in sums.iter_mut().zip(&columns) {
                *sum += column.deviation(row);
            }
        }
    }
    Ok(Some(sums.into_iter().map(|sum| sum / (rows * looks) as f64).collect()))
}

/// The gradient of what a network predicts for each row, its outputs weighted, with respect to the row's inputs:
/// `[rows, inputs]`. `inputs` are rows of numbers as the network takes them, `weight` is given a row and an output.
///
/// ```
/// use pullback::importance::input_gradients;
/// use pullback::model::Model;
/// use pullback::network::{Activation, Cost, Network};
/// use pullback::train::Machine;
///
/// // y = 2 a - 3 b + 1
/// let network = Network::dense(2, &[], 1, Activation::Identity, Cost::SquaredError);
/// let model = Model::new(network, vec![vec![2.0, -3.0], vec![1.0]])?;
/// let gradients = input_gradients(&model, &[0.5, 0.1], |_row, _output| 1.0, &Machine::default())?;
/// assert_eq!(gradients, [2.0, -3.0]);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// If the numbers are no whole rows of the network's, or the network takes codes or several inputs.
pub fn input_gradients(
    model: &Model<f64>,
    inputs: &[f64],
    weight: impl Fn(usize, usize) -> f64,
    machine: &Machine,
) -> Result<Vec<f64>> {
    let network = model.network();
    let width = network.inputs;
    if !network.named.is_empty() || width == 0 || !inputs.len().is_multiple_of(width) {
        return Err(Error::configuration(
            "the gradient is of whole rows of numbers, which the network takes",
        )
        .help(
            "give as many numbers as the network has inputs for each row, to a network that takes no codes",
        ));
    }
    let mut gradients = vec![0.0; inputs.len()];
    if !inputs.is_empty() {
        add_gradients(model, inputs, (inputs.len() / width, width), weight, machine, &mut gradients)?;
    }
    Ok(gradients)
}

/// Adds the gradient of what a network predicts for each row, its outputs weighted, with respect to the row's inputs.
fn add_gradients(
    model: &Model<f64>,
    inputs: &[f64],
    (rows, width): (usize, usize),
    weight: impl Fn(usize, usize) -> f64,
    machine: &Machine,
    to: &mut [f64],
) -> Result<()> {
    let temperature = model.temperature().unwrap_or(Temperature::ONE).get();
    let outputs = model.network().outputs();
    let batch = BATCH.min(rows);
    let lowered = model.network().lower_calibrated(batch, temperature)?;
    let is_input = |id: &NodeId| matches!(lowered.graph.node(*id).kind, Kind::Input(_));
    let given: Vec<NodeId> = lowered.graph.ids().filter(is_input).collect();
    let builder = Builder::extend(lowered.graph.clone());
    let weights = builder.input("weights of outputs", [batch, outputs]);
    let looked_at = (builder.var(lowered.prediction) * weights).sum_all();
    let looked_at = looked_at.id().expect("a product of equal shapes is legal");
    let gradients = reverse(&builder.finish()?, looked_at, &[given[lowered.inputs[0].place]])?;
    let mut executor = Executor::<f64>::new(Plan::new(&gradients.graph, &gradients.nodes), machine);
    for first in (0..rows).step_by(batch) {
        let now = batch.min(rows - first);
        let own = &inputs[first * width..(first + now) * width];
        executor.input_mut(lowered.inputs[0].place)[..own.len()].copy_from_slice(own);
        let weights = executor.input_mut(given.len());
        weights.fill(0.0);
        for row in 0..now {
            for output in 0..outputs {
                weights[row * outputs + output] = weight(first + row, output);
            }
        }
        executor.run(model.parameters());
        for (to, number) in to[first * width..(first + now) * width].iter_mut().zip(executor.output(0)) {
            *to += number;
        }
    }
    Ok(())
}

/// How the inputs of a column vary together.
enum Variation {
    /// Their covariances, `[inputs, inputs]`.
    Numbers { first: usize, covariances: Vec<f64> },
    /// The share of rows of each text, of which one input is 1 and the others 0.
    Texts { first: usize, shares: Vec<f64> },
}

impl Variation {
    /// The standard deviation of the inputs times a gradient.
    fn deviation(&self, gradient: &[f64]) -> f64 {
        let variance = match self {
            Self::Numbers { first, covariances } => {
                let count = covariances.len().isqrt();
                let own = &gradient[*first..first + count];
                let sums = covariances.chunks_exact(count.max(1)).map(|row| dot(row, own));
                sums.zip(own).map(|(sum, own)| sum * own).sum::<f64>()
            }
            Self::Texts { first, shares } => {
                let own = &gradient[*first..first + shares.len()];
                let squares: f64 = shares.iter().zip(own).map(|(share, own)| share * own * own).sum();
                squares - dot(shares, own) * dot(shares, own)
            }
        };
        // Rounding may leave a little less than nothing.
        variance.max(0.0).sqrt()
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// How the inputs of each column vary in rows `[rows, width]`.
fn columns(features: &[Feature], inputs: &[f64], width: usize) -> Vec<Variation> {
    let rows = inputs.len() / width;
    let mean = |at: usize| inputs.iter().skip(at).step_by(width).sum::<f64>() / rows as f64;
    let mut next = 0;
    let column = |feature: &Feature| {
        let (first, count) = (next, feature.width());
        next += count;
        let means: Vec<f64> = (first..next).map(mean).collect();
        if matches!(feature.encoding, Encoding::Categorical(_)) {
            return Variation::Texts { first, shares: means };
        }
        let mut covariances = vec![0.0; count * count];
        for row in inputs.chunks_exact(width) {
            let own: Vec<f64> = row[first..next].iter().zip(&means).map(|(x, mean)| x - mean).collect();
            for (sums, left) in covariances.chunks_exact_mut(count).zip(&own) {
                sums.iter_mut().zip(&own).for_each(|(sum, right)| *sum += left * right / rows as f64);
            }
        }
        Variation::Numbers { first, covariances }
    };
    features.iter().map(column).collect()
}
