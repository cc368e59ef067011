//! Are a network's gradients right? Every parameter's, against central differences and forward mode.
//!
//! Everything runs in `f64` on the graph that the trainer runs. Differences are taken with five points (error of order
//! h^4) at steps of 1e-3 down to 1e-7, as a kink of the cost may be close, and where the cost has no derivative at all
//! (ReLU at 0, two largest numbers in a pooling's window), the weight is reported as at a kink instead of as wrong.

use super::Trace;
use crate::differentiate::differences::{FIVE_POINT_STEP, beside, five_point};
use crate::differentiate::forward;
use crate::error::Result;
use crate::execute::{Executor, Machine};
use crate::graph::Kind;
use crate::network::Network;
use crate::plan::Plan;
use crate::random::{Purpose, Random};

/// The settings of a check.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheckOptions {
    /// The largest number of elements that are checked of each parameter: a random sample of more.
    pub samples: usize,
    /// The largest relative error against differences that passes.
    pub differences: f64,
    /// The largest relative error against forward mode that passes.
    pub forward: f64,
    /// The seed of the sample.
    pub seed: u64,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self { samples: 100, differences: 1e-6, forward: 1e-10, seed: 0 }
    }
}

/// The result for one parameter. Errors are relative to the larger of the two numbers, but at least to
/// 1e-4 of the largest of the parameter's whole gradient: below, rounding is all there is.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ParameterCheck {
    /// The parameter's name.
    pub name: String,
    /// How many numbers were checked.
    pub checked: usize,
    /// How many it has.
    pub all: usize,
    /// The largest error against differences, kinks left out.
    pub differences: f64,
    /// The median error against differences.
    pub median: f64,
    /// The largest error against forward mode.
    pub forward: f64,
    /// The number with the largest error: `layers.2.weight[1,0]`.
    pub worst: String,
    /// How many numbers are at a kink of the cost.
    pub kinks: usize,
    /// Whether both errors are within what passes.
    pub passes: bool,
}

/// Checks the gradients of a trace. `gradients` are those to check, by parameter: the trace's own, or
/// another's.
///
/// # Errors
/// If the network contradicts itself.
pub fn check(trace: &Trace, gradients: &[Vec<f64>], options: &CheckOptions) -> Result<Vec<ParameterCheck>> {
    let network: &Network = trace.network();
    let lowered = trace.lowered();
    let machine = Machine::with_threads(1);
    let mut cost = Executor::<f64>::new(Plan::new(&lowered.graph, &[lowered.cost]), &machine);
    let tangents = forward(&lowered.graph, &[lowered.cost], &lowered.parameters);
    let mut tangent = Executor::<f64>::new(Plan::new(&tangents.graph, &tangents.nodes), &machine);
    let inputs = lowered.graph.ids().filter(|&id| matches!(lowered.graph.node(id).kind, Kind::Input(_)));
    let mut given = 0;
    for (position, id) in inputs.enumerate() {
        cost.input_mut(position).copy_from_slice(trace.value(id));
        tangent.input_mut(position).copy_from_slice(trace.value(id));
        given = position + 1;
    }
    let mut parameters: Vec<Vec<f64>> =
        (0..trace.parameters().len()).map(|place| trace.parameter(place).to_vec()).collect();
    let mut checks = Vec::new();
    let specification = network.parameters()?;
    for (place, parameter) in specification.iter().enumerate().filter(|(_, p)| p.role.is_trained()) {
        let gradient = &gradients[place];
        let largest = gradient.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
        let mut checked = ParameterCheck {
            name: parameter.name.clone(),
            checked: 0,
            all: gradient.len(),
            differences: 0.0,
            median: 0.0,
            forward: 0.0,
            worst: String::new(),
            kinks: 0,
            passes: true,
        };
        let mut errors = Vec::new();
        let mut worst = -1.0;
        for element in sample(gradient.len(), options, place) {
            let relative = |other: f64| {
                let size = gradient[element].abs().max(other.abs()).max(1e-4 * largest).max(1e-12);
                (gradient[element] - other).abs() / size
            };
            tangent.input_mut(given + place)[element] = 1.0;
            tangent.run(&parameters);
            let by_forward = relative(tangent.output(0)[0]);
            tangent.input_mut(given + place)[element] = 0.0;

            let cost_of = |parameters: &[Vec<f64>]| {
                cost.run(parameters);
                cost.output(0)[0]
            };
            let (by_differences, is_kink) = beside(&mut parameters, (place, element), cost_of, |x, f| {
                // Smaller steps cross fewer kinks but round more: the best of a few is the fair one.
                let steps = [1.0, 1e-1, 1e-2, 1e-3, 1e-4].map(|factor| factor * FIVE_POINT_STEP);
                let errors = steps.map(|step| relative(five_point(x, step, f)));
                let wide = 2.0 * steps[steps.len() - 1];
                let center = f(x);
                let (right, left) = ((f(x + wide) - center) / wide, (center - f(x - wide)) / wide);
                let is_kink = (right - left).abs() > 0.01 * right.abs().max(left.abs()).max(1e-4 * largest);
                (errors.into_iter().fold(f64::INFINITY, f64::min), is_kink)
            });
            checked.checked += 1;
            let error = if is_kink && by_differences > options.differences {
                checked.kinks += 1;
                by_forward
            } else {
                checked.differences = checked.differences.max(by_differences);
                errors.push(by_differences);
                by_differences.max(by_forward)
            };
            checked.forward = checked.forward.max(by_forward);
            if error > worst {
                worst = error;
                checked.worst = format!("{}{}", parameter.name, index(element, parameter.shape.sizes()));
            }
        }
        errors.sort_by(f64::total_cmp);
        checked.median = errors.get(errors.len() / 2).copied().unwrap_or(0.0);
        // NaN counts as the largest error.
        checked.passes = checked.differences <= options.differences && checked.forward <= options.forward;
        checks.push(checked);
    }
    Ok(checks)
}

/// Which numbers of a parameter are checked, ascending.
fn sample(count: usize, options: &CheckOptions, place: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..count).collect();
    if count > options.samples {
        Random::new(options.seed, Purpose::Sample, place as u32).shuffle(&mut all);
        all.truncate(options.samples);
        all.sort_unstable();
    }
    all
}

/// An element's place: `[1,0]`.
fn index(element: usize, sizes: &[usize]) -> String {
    match sizes {
        [_, columns] => format!("[{},{}]", element / columns, element % columns),
        _ => format!("[{element}]"),
    }
}
