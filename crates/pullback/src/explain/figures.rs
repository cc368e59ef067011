//! A line a layer: the figures by which one sees where a deep network stops to learn.
//!
//! All are read off a trace. A norm is the root of the sum of all squares, over units and examples.

use super::{LayerName, Trace, Weighted};
use crate::graph::NodeId;
use crate::network::Role;
use crate::train::Training;

/// A slope below this leaves less than a thousandth of what arrives.
pub const FLAT: f64 = 1e-3;

/// The figures of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerFigures {
    /// What it is called.
    pub name: LayerName,
    /// The number of its units or filters.
    pub units: usize,
    /// The norm of its activations a; of z where there is no activation.
    pub activation: f64,
    /// The norm of its deltas.
    pub delta: f64,
    /// The mean size of its activation's derivative, over units and examples.
    pub slope: Option<f64>,
    /// The units whose slope is below [`FLAT`] for every example and pixel: dead under ReLU, else saturated.
    pub flat: Option<usize>,
    /// The norm of the gradient of its weights.
    pub gradient: f64,
    /// The norm of the weights.
    pub weights: f64,
    /// The norm of what the optimizer's first step adds to the weights, over that of the weights. Absent where the
    /// optimizer searches for its step, or all weights are 0.
    pub update: Option<f64>,
}

/// The figures of every layer with weights, from the inputs on.
pub fn layer_figures(trace: &Trace, training: &Training) -> Vec<LayerFigures> {
    let whole = gradient_norm(trace);
    let scale = training.clip_norm.filter(|limit| whole > *limit).map_or(1.0, |limit| limit / whole);
    trace.weighted_layers().iter().map(|layer| figures(trace, layer, training, scale)).collect()
}

fn figures(trace: &Trace, layer: &Weighted, training: &Training, scale: f64) -> LayerFigures {
    let result = layer.activation.map_or(layer.sum, |activation| activation.result);
    let units = trace.graph().shape(layer.sum).sizes().last().copied().unwrap_or(1);
    let slopes = layer.activation.and_then(|activation| activation.slope).map(|slope| trace.value(slope));
    let weights = trace.parameter(layer.weight);
    let size = norm(weights);
    let update = change(trace, layer.weight, training, scale).map(|change| norm(&change) / size);
    LayerFigures {
        name: layer.name.clone(),
        units,
        activation: norm(trace.value(result)),
        delta: norm(trace.value(layer.delta)),
        slope: slopes.map(|slopes| slopes.iter().map(|s| s.abs()).sum::<f64>() / slopes.len() as f64),
        flat: slopes.map(|slopes| flat_units(slopes, units)),
        gradient: norm(trace.gradient(layer.weight)),
        weights: size,
        update: update.filter(|_| size > 0.0),
    }
}

/// The units whose slope is below [`FLAT`] in every row; one slope for all is each unit's.
fn flat_units(slopes: &[f64], units: usize) -> usize {
    let is_flat = |unit: usize| {
        let mut own = slopes.iter().skip(unit % slopes.len()).step_by(units);
        own.all(|slope| slope.abs() < FLAT)
    };
    (0..units).filter(|&unit| is_flat(unit)).count()
}

/// What the optimizer's first step adds to a parameter.
fn change(trace: &Trace, place: usize, training: &Training, scale: f64) -> Option<Vec<f64>> {
    let parameter = &trace.parameters()[place];
    let shape = match *parameter.shape.sizes() {
        [rows, columns] => [rows, columns],
        _ => [1, parameter.shape.elements()],
    };
    let weights = trace.parameter(place);
    let gradient: Vec<f64> = trace.gradient(place).iter().map(|g| g * scale).collect();
    let decays = matches!(parameter.role, Role::Weight(_));
    let step = training.optimizer.first_step(training.learning_rate(), shape, weights, &gradient, decays)?;
    Some(step.numbers.iter().zip(weights).map(|(new, old)| new - old).collect())
}

/// The root of the sum of all squares.
pub(super) fn norm(numbers: &[f64]) -> f64 {
    numbers.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The norm of a node's numbers.
pub(super) fn norm_of(trace: &Trace, id: NodeId) -> f64 {
    norm(trace.value(id))
}

/// The norm of the whole gradient, which clipping limits.
pub(super) fn gradient_norm(trace: &Trace) -> f64 {
    let trained = trace.parameters().iter().enumerate().filter(|(_, p)| p.role.is_trained());
    trained.flat_map(|(place, _)| trace.gradient(place)).map(|g| g * g).sum::<f64>().sqrt()
}
