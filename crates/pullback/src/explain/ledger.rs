//! How the update of a weight is computed, and what hinders learning.

use super::{Catalog, Trace};
use crate::graph::{NodeRole, Op};
use crate::network::Role;
use crate::report::number::significant;
use crate::train::{NextStep, Training};

/// One line of a ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The key of its message.
    pub key: &'static str,
    /// The example, where it is of a single one.
    pub row: Option<usize>,
    /// Its number.
    pub value: f64,
}

/// From the examples' gradients to the change of one weight, for the first step of an optimizer.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    /// The lines, in the order of computation.
    pub members: Vec<Member>,
    /// The gradient that the optimizer is given.
    pub gradient: f64,
    /// The weight after the step; absent where the optimizer searches for it.
    pub new_weight: Option<f64>,
}

/// The ledger of the weight `[unit, input]` of a dense layer (its position among them).
pub fn ledger(trace: &Trace, training: &Training, dense: usize, unit: usize, input: usize) -> Ledger {
    let layer = &trace.dense()[dense];
    let element = unit * layer.inputs + input;
    let weight = trace.parameter(layer.weight)[element];
    let mut members = Vec::new();
    for row in 0..trace.rows() {
        if let Some(weights) = trace.weights() {
            // The factor by which the example's cost counts in the batch's.
            let value = weights[row] / weights.iter().sum::<f64>();
            members.push(Member { key: "ledger_share", row: Some(row), value });
        }
        // The cost is a mean, so delta already holds the division by the number of examples, or that factor.
        let value = trace.at(layer.delta, row, unit) * trace.at(layer.input, row, input);
        members.push(Member { key: "ledger_example", row: Some(row), value });
    }
    let parts = trace.parts(layer.weight, element);
    for part in &parts {
        let key = if part.role == NodeRole::WeightedSum { "ledger_data" } else { "ledger_regularization" };
        members.push(Member { key, row: None, value: part.value });
    }
    let mut gradients = trace.gradient(layer.weight).to_vec();
    let mut gradient = gradients[element];
    members.push(Member { key: "ledger_gradient", row: None, value: gradient });
    if let Some(limit) = training.clip_norm {
        let trained = trace.parameters().iter().enumerate().filter(|(_, p)| p.role.is_trained());
        let squares = trained.flat_map(|(place, _)| trace.gradient(place)).map(|g| g * g);
        let norm = squares.sum::<f64>().sqrt();
        members.push(Member { key: "ledger_norm", row: None, value: norm });
        if norm > limit {
            gradients.iter_mut().for_each(|gradient| *gradient *= limit / norm);
            gradient = gradients[element];
            members.push(Member { key: "ledger_clipped", row: None, value: gradient });
        }
    }
    let decays = matches!(trace.parameters()[layer.weight].role, Role::Weight(_));
    // Of the whole matrix, which some optimizers need.
    let first = training.optimizer.first_step(
        training.learning_rate(),
        [layer.units, layer.inputs],
        trace.parameter(layer.weight),
        &gradients,
        decays,
    );
    let Some(NextStep { numbers, states }) = first else {
        return Ledger { members, gradient, new_weight: None };
    };
    let new_weight = numbers[element];
    let keys = ["ledger_first_state", "ledger_second_state", "ledger_third_state"];
    for (key, state) in keys.into_iter().zip(states) {
        members.push(Member { key, row: None, value: state[element] });
    }
    members.push(Member { key: "ledger_change", row: None, value: new_weight - weight });
    Ledger { members, gradient, new_weight: Some(new_weight) }
}

/// Something that slows training down or breaks it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The key of its message.
    pub key: &'static str,
    /// The dense layer, counted from 1; 0 where it is of none.
    pub layer: usize,
    /// The unit, counted from 0.
    pub unit: usize,
    /// The number of such units.
    pub count: usize,
    /// The number to blame.
    pub value: f64,
    /// The operation to blame, where there is one.
    pub operation: String,
}

impl Finding {
    /// The finding in the language of a catalog.
    pub fn text(&self, catalog: &Catalog) -> String {
        let value = significant(self.value, 3);
        catalog.say(
            self.key,
            &[
                ("layer", &self.layer),
                ("unit", &self.unit),
                ("count", &self.count),
                ("value", &value),
                ("operation", &self.operation),
            ],
        )
    }
}

/// A slope below this leaves less than a thousandth of what arrives.
const FLAT: f64 = 1e-3;
/// Layers whose deltas differ by this factor, the first from the last, do not learn at one rate.
const APART: f64 = 1e4;

/// What hinders learning from these examples.
pub fn diagnose(trace: &Trace) -> Vec<Finding> {
    let mut findings = Vec::new();
    let graph = trace.graph();
    if let Some(id) = graph.ids().find(|&id| trace.value(id).iter().any(|x| !x.is_finite())) {
        let operation = graph.describe(id);
        return vec![Finding { key: "not_finite", layer: 0, unit: 0, count: 1, value: f64::NAN, operation }];
    }
    for (position, dense) in trace.dense().iter().enumerate() {
        for link in dense.links.iter().filter(|link| !link.is_cost) {
            let Some(op) = trace.lowered().graph.node(link.node).op() else { continue };
            let slope = |unit: usize| {
                (0..trace.rows()).map(|row| trace.at(link.slope, row, unit).abs()).fold(0.0, f64::max)
            };
            let flat: Vec<(usize, f64)> =
                (0..dense.units).map(|unit| (unit, slope(unit))).filter(|(_, slope)| *slope < FLAT).collect();
            let Some(&(unit, value)) = flat.iter().min_by(|left, right| left.1.total_cmp(&right.1)) else {
                continue;
            };
            let key = match op {
                Op::Relu(_) if trace.rows() > 1 => "dead",
                Op::Relu(_) => "inactive",
                _ => "saturated",
            };
            let operation = op.name().to_owned();
            findings.push(Finding { key, layer: position + 1, unit, count: flat.len(), value, operation });
        }
    }
    let norm = |dense: &super::Dense| trace.value(dense.delta).iter().map(|d| d * d).sum::<f64>().sqrt();
    if let [first, .., last] = trace.dense() {
        let ratio = norm(first) / norm(last);
        let key = match ratio {
            _ if ratio < 1.0 / APART => "vanishing",
            _ if ratio > APART => "exploding",
            _ => return findings,
        };
        let finding =
            Finding { key, layer: 1, unit: 0, count: first.units, value: ratio, operation: String::new() };
        findings.push(finding);
    }
    findings
}
