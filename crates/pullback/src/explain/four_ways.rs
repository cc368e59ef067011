//! Four ways to one gradient: back propagation, forward mode, forward evaluation, the sum over all paths.
//!
//! All return the same numbers. What each costs is counted by the operations' own rule, in
//! multiply-adds: for the first three from the graphs that are run, for the paths by their number and
//! length (in a dense network every choice of one unit a layer is a path).

use super::Trace;
use crate::differentiate::differences::{central, central_step};
use crate::differentiate::forward;
use crate::error::{Error, Result};
use crate::execute::{Machine, reference};
use crate::graph::{Kind, NodeRole};
use crate::train::{GradientMethod, OneByOne};

/// A way to the gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// One backward pass for all weights.
    Back,
    /// One sweep a weight with its tangent, exact.
    Forward,
    /// Two runs a weight with the weight moved.
    Differences,
    /// Each path from the weight to the cost, multiplied out on its own.
    Paths,
}

impl Way {
    /// All, the cheapest first.
    pub const ALL: [Way; 4] = [Way::Back, Way::Forward, Way::Differences, Way::Paths];
}

/// What the ways cost for one network and batch, in multiply-adds.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Counts {
    /// Trained numbers: weights and biases.
    pub weights: f64,
    /// One forward pass.
    pub pass: f64,
    /// Forward and backward pass together.
    pub back: f64,
    /// A sweep for each weight.
    pub forward: f64,
    /// Two forward passes for each weight.
    pub differences: f64,
    /// The paths of all weights.
    pub paths: f64,
    /// How many paths there are.
    pub path_count: f64,
}

impl Counts {
    /// What a way costs.
    pub fn of(&self, way: Way) -> f64 {
        match way {
            Way::Back => self.back,
            Way::Forward => self.forward,
            Way::Differences => self.differences,
            Way::Paths => self.paths,
        }
    }
}

/// The largest number of paths that is walked.
pub const MOST_PATHS: f64 = 5e7;

/// Counts what each way costs.
pub fn count(trace: &Trace) -> Counts {
    let lowered = trace.lowered();
    let weights = trained(trace).map(|place| trace.parameters()[place].shape.elements() as f64).sum::<f64>();
    let pass = lowered.graph.multiply_adds(&[lowered.cost]) as f64;
    let mut outputs = vec![lowered.cost];
    outputs.extend(trained(trace).map(|place| trace.gradient_node(place)));
    let back = trace.graph().multiply_adds(&outputs) as f64;
    let wrt: Vec<_> = trained(trace).map(|place| lowered.parameters[place]).collect();
    let tangents = forward(&lowered.graph, &[lowered.cost], &wrt);
    let sweep = tangents.graph.multiply_adds(&tangents.nodes) as f64;
    let (mut paths, mut path_count) = (0.0, 0.0);
    let (mut later, mut factors) = (1.0, 0.0);
    for dense in trace.dense().iter().rev() {
        // A path of this layer: its own slopes, then for each later layer a weight and its slopes.
        factors += dense.links.len() as f64;
        let starts = (dense.units * dense.inputs + dense.bias.map_or(0, |_| dense.units)) as f64;
        path_count += starts * later;
        paths += starts * later * (factors + 1.0) * trace.rows() as f64;
        later *= dense.units as f64;
        factors += 1.0;
    }
    Counts {
        weights,
        pass,
        back,
        forward: weights * sweep,
        differences: 2.0 * weights * pass,
        paths,
        path_count: path_count * trace.rows() as f64,
    }
}

fn trained(trace: &Trace) -> impl Iterator<Item = usize> {
    let parameters = trace.parameters();
    (0..parameters.len()).filter(|&place| parameters[place].role.is_trained())
}

/// The gradient by one way: for each parameter in order, nothing where it is not trained. `most` bounds how many
/// derivatives are computed weight by weight; the others stay zero. Also returns how many were computed.
///
/// # Errors
/// For paths, if there are too many, or a layer does not work unit by unit.
pub fn gradient(trace: &Trace, way: Way, most: usize) -> Result<(Vec<Vec<f64>>, usize)> {
    match way {
        Way::Back => {
            let all = (0..trace.parameters().len()).map(|place| trace.gradient(place).to_vec()).collect();
            Ok((all, usize::MAX))
        }
        Way::Forward | Way::Differences => Ok(weight_by_weight(trace, way, most)),
        Way::Paths => by_paths(trace, most),
    }
}

/// Computes the derivatives of a gradient one by one, by forward mode or by differences.
pub fn one_by_one(trace: &Trace, way: Way) -> OneByOne<f64> {
    let lowered = trace.lowered();
    let wrt: Vec<_> = trained(trace).map(|place| lowered.parameters[place]).collect();
    let method = if way == Way::Forward { GradientMethod::Forward } else { GradientMethod::Differences };
    let mut found = OneByOne::new(method, lowered, &wrt, &Machine::with_threads(1))
        .expect("the method is not back propagation");
    let inputs = lowered.graph.ids().filter(|&id| matches!(lowered.graph.node(id).kind, Kind::Input(_)));
    for (position, id) in inputs.enumerate() {
        found.set_input(position, trace.value(id));
    }
    found.set_parameters((0..trace.parameters().len()).map(|place| trace.parameter(place)));
    found
}

/// One number of the gradient by forward mode: the tangent of the cost when that number alone changes. The graph is run
/// node by node, so that a page that asks for a number now and then needs no plan.
pub fn by_tangent(trace: &Trace, place: usize, element: usize) -> f64 {
    let lowered = trace.lowered();
    let tangents = forward(&lowered.graph, &[lowered.cost], &[lowered.parameters[place]]);
    let (direction, tangent) = (tangents.directions[0], tangents.nodes[0]);
    let mut given = trace.values()[..lowered.graph.nodes().len()].to_vec();
    given.resize(direction.index(), Vec::new());
    let mut numbers = vec![0.0; trace.parameter(place).len()];
    numbers[element] = 1.0;
    given.push(numbers);
    reference(&tangents.graph, &given)[tangent.index()][0]
}

/// The same by central differences, with their step: the cost of that number moved a little up and down.
pub fn by_differences(trace: &Trace, place: usize, element: usize) -> (f64, f64) {
    let number = trace.parameter(place)[element];
    let step = central_step(number);
    (central(number, step, &mut |moved| trace.cost_with(place, element, moved)), step)
}

fn weight_by_weight(trace: &Trace, way: Way, most: usize) -> (Vec<Vec<f64>>, usize) {
    let mut one = one_by_one(trace, way);
    let mut all: Vec<Vec<f64>> = trace.parameters().iter().map(|p| vec![0.0; p.shape.elements()]).collect();
    let mut found = 0;
    for (position, place) in trained(trace).enumerate() {
        for element in 0..all[place].len() {
            if found == most {
                return (all, found);
            }
            all[place][element] = one.number(position, place, element);
            found += 1;
        }
    }
    (all, found)
}

/// Walks every path from every weight to the cost.
fn by_paths(trace: &Trace, most: usize) -> Result<(Vec<Vec<f64>>, usize)> {
    let counts = count(trace);
    if !trace.images().is_empty() || trace.dense().iter().any(|dense| dense.links.is_empty()) {
        return Err(Error::configuration("a layer mixes its units on the way to the next")
            .help("paths are walked through dense layers and activations alone"));
    }
    let mut all: Vec<Vec<f64>> = trace.parameters().iter().map(|p| vec![0.0; p.shape.elements()]).collect();
    let mut found = 0;
    let mut walked = 0.0;
    for (at, dense) in trace.dense().iter().enumerate() {
        let later: f64 = trace.dense()[at + 1..].iter().map(|dense| dense.units as f64).product();
        for unit in 0..dense.units {
            let starts = (0..dense.inputs).map(Some).chain(dense.bias.map(|_| None));
            for start in starts {
                if found == most {
                    return Ok((all, found));
                }
                walked += later * trace.rows() as f64;
                if walked > MOST_PATHS {
                    return Err(Error::configuration(format!(
                        "there are {:.3e} paths, too many to be walked",
                        counts.path_count
                    ))
                    .help("take a smaller network"));
                }
                let sum: f64 = (0..trace.rows())
                    .map(|row| {
                        let x = start.map_or(1.0, |input| trace.at(dense.input, row, input));
                        walk(trace, at, unit, row, x)
                    })
                    .sum();
                match (start, dense.bias) {
                    (Some(input), _) => all[dense.weight][unit * dense.inputs + input] += sum,
                    (None, Some(bias)) => all[bias][unit] += sum,
                    (None, None) => {}
                }
                found += 1;
            }
        }
    }
    // Regularization reaches the cost without passing the layers: a path of its own, with one factor.
    for dense in trace.dense() {
        for element in 0..all[dense.weight].len() {
            let parts = trace.parts(dense.weight, element);
            let own = parts.iter().filter(|part| part.role != NodeRole::WeightedSum);
            all[dense.weight][element] += own.map(|part| part.value).sum::<f64>();
        }
    }
    Ok((all, found))
}

/// The sum over the paths from one unit's weighted sum to the cost; `product` holds the factors before.
fn walk(trace: &Trace, at: usize, unit: usize, row: usize, product: f64) -> f64 {
    let dense = &trace.dense()[at];
    let mut product = product;
    for link in &dense.links {
        product *= trace.at(link.slope, row, unit);
        if link.is_cost {
            return product * link.upstream.map_or(1.0, |id| trace.at(id, row, unit));
        }
    }
    let Some(next) = trace.dense().get(at + 1) else { return product };
    let weights = trace.parameter(next.weight);
    (0..next.units).map(|k| walk(trace, at + 1, k, row, product * weights[k * next.inputs + unit])).sum()
}
