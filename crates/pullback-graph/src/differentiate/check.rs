//! Are these gradients right? Back propagation against central differences and forward mode.
//!
//! Everything runs in `f64` by the operations' reference values. Differences are taken with five
//! points (error of order h^4), so that their rounding, not their truncation, bounds the check.

use super::differences::{FIVE_POINT_STEP, beside, five_point};
use super::{Gradients, forward, reverse};
use crate::error::Result;
use crate::graph::{Graph, NodeId};
use pullback_kernels::Real;

/// How far two ways to one gradient lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Check {
    /// The largest relative error of back propagation against central differences.
    pub differences: f64,
    /// The largest relative error of back propagation against forward mode.
    pub forward: f64,
}

/// Compares the gradient of `cost` with respect to each node of `wrt`, which must be inputs or
/// parameters. `values` gives for each node of the graph its numbers; only those of inputs and
/// parameters are read. `evaluate` is the reference executor, or what should give
/// the same.
///
/// An error is relative to the largest element of the same gradient, or to one if that is larger.
///
/// # Errors
/// If `cost` is not a single number.
pub fn check_gradients(
    graph: &Graph,
    cost: NodeId,
    wrt: &[NodeId],
    values: &[Vec<f64>],
    evaluate: impl Fn(&Graph, &[Vec<f64>]) -> Vec<Vec<f64>>,
) -> Result<Check> {
    let backward = reverse(graph, cost, wrt)?;
    Ok(compare_gradients(graph, cost, wrt, &backward, values, evaluate))
}

/// The same for a backward pass that is given: whether it is right, wherever it comes from.
pub fn compare_gradients(
    graph: &Graph,
    cost: NodeId,
    wrt: &[NodeId],
    backward: &Gradients,
    values: &[Vec<f64>],
    evaluate: impl Fn(&Graph, &[Vec<f64>]) -> Vec<Vec<f64>>,
) -> Check {
    let by_reverse = evaluate(&backward.graph, values);
    let tangents = forward(graph, &[cost], wrt);
    let mut moved = values.to_vec();
    let mut check = Check { differences: 0.0, forward: 0.0 };
    for (position, &id) in wrt.iter().enumerate() {
        let gradient = &by_reverse[backward.nodes[position].index()];
        let size = gradient.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
        for (element, &expected) in gradient.iter().enumerate() {
            let cost_of = |values: &[Vec<f64>]| evaluate(graph, values)[cost.index()][0];
            let difference =
                beside(&mut moved, (id.index(), element), cost_of, |x, f| five_point(x, FIVE_POINT_STEP, f));
            check.differences = Real::max(check.differences, (expected - difference).abs() / size);

            let mut with_directions = values.to_vec();
            with_directions.resize(tangents.graph.nodes().len(), Vec::new());
            for (other, &direction) in tangents.directions.iter().enumerate() {
                let mut unit = vec![0.0; graph.shape(wrt[other]).elements()];
                if other == position {
                    unit[element] = 1.0;
                }
                with_directions[direction.index()] = unit;
            }
            let tangent = evaluate(&tangents.graph, &with_directions)[tangents.nodes[0].index()][0];
            check.forward = Real::max(check.forward, (expected - tangent).abs() / size);
        }
    }
    check
}
