//! How the update of a weight is computed.

use super::Trace;
use crate::graph::NodeRole;
use crate::network::Role;
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
        let norm = gradient_norm(trace);
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

/// The norm of the whole gradient, which clipping limits.
pub(super) fn gradient_norm(trace: &Trace) -> f64 {
    let trained = trace.parameters().iter().enumerate().filter(|(_, p)| p.role.is_trained());
    trained.flat_map(|(place, _)| trace.gradient(place)).map(|g| g * g).sum::<f64>().sqrt()
}
