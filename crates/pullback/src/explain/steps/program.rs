//! Which node belongs to which pass and layer, in an order in which each comes after what it reads.

use super::{DIGITS, Makes, Notation, Pass, Steps, Update};
use crate::compact::Map;
use crate::error::Result;
use crate::explain::expression::Circuit;
use crate::explain::labels::Labels;
use crate::explain::steps::terms::{Moves, is_move};
use crate::explain::worked::NetworkExample;
use crate::graph::{Graph, NodeId, NodeRole};
use crate::network::{Layer, Network};

/// What one layer does in one pass.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) pass: Pass,
    pub(super) makes: Makes,
    /// The layer, counted from 1.
    pub(super) layer: Option<usize>,
    /// The gate, counted from 0.
    pub(super) gate: Option<usize>,
    pub(super) nodes: Vec<NodeId>,
    /// The parameters that an update changes.
    pub(super) parameters: Vec<usize>,
    pub(super) multiply_adds: u64,
    /// Whether it is regularization, which comes after the cost of the data.
    pub(super) is_penalty: bool,
}

impl Steps {
    pub(super) fn of_network(example: &NetworkExample, notation: Notation) -> Result<Self> {
        let trace = example.trace()?;
        let lowered = trace.lowered();
        let trained = |place: &usize| trace.parameters()[*place].role.is_trained();
        let places: Vec<usize> = (0..trace.parameters().len()).filter(trained).collect();
        let mut outputs = vec![lowered.cost];
        outputs.extend(places.iter().map(|&place| trace.gradient_node(place)));
        let graph = trace.graph().clone();
        let groups = groups(&example.network);
        let forward = lowered.graph.nodes().len();
        let layer_of = |id: NodeId| {
            let origin = &graph.node(id).origin;
            origin.layer.and_then(|layer| groups.get(layer).copied())
        };
        let kind = |id: NodeId| {
            let role = graph.node(id).origin.role;
            if id.index() < forward {
                let is_cost = matches!(
                    role,
                    NodeRole::Cost | NodeRole::WeightedCost | NodeRole::Regularization | NodeRole::Prediction
                );
                let is_penalty = role == NodeRole::Regularization;
                return if is_cost {
                    (Pass::Cost, None, Makes::Values, is_penalty)
                } else {
                    (Pass::Forward, layer_of(id), Makes::Values, false)
                };
            }
            let is_parameter = matches!(role, NodeRole::GradientOf(of) if lowered.parameters.contains(&of));
            (Pass::Backward, layer_of(id), if is_parameter { Makes::Gradients } else { Makes::Deltas }, false)
        };
        let mut stages = staged(&graph, &outputs, kind);
        let gradients = example.clipped(&trace);
        let mut after = example.clone();
        after.advance(&mut example.kept.clone())?;
        for group in (0..=groups.last().copied().unwrap_or(0)).rev() {
            let is_own = |place: &usize| {
                let layer = trace.parameters()[*place].layer.and_then(|layer| groups.get(layer).copied());
                layer.unwrap_or(0) == group && !example.fixed.contains(place)
            };
            let parameters: Vec<usize> = places.iter().copied().filter(is_own).collect();
            if !parameters.is_empty() {
                stages.push(Stage {
                    pass: Pass::Update,
                    makes: Makes::Weights,
                    layer: Some(group).filter(|group| *group > 0),
                    gate: None,
                    nodes: Vec::new(),
                    parameters,
                    multiply_adds: 0,
                    is_penalty: false,
                });
            }
        }
        let values: Vec<Vec<f64>> = graph.ids().map(|id| trace.value(id).to_vec()).collect();
        Ok(Self {
            moves: Moves::of(&graph, &values),
            labels: Labels::of_network(&trace, &example.names.symbols(&trace, notation), notation)
                .with_parts(&trace),
            rows: example.rows,
            graph,
            values,
            stages,
            update: Some(Update { example: example.clone(), trace, gradients, new: after.parameters }),
            circuit: None,
            digits: DIGITS,
        })
    }

    pub(super) fn of_circuit(circuit: &Circuit) -> Self {
        let mut outputs = vec![circuit.output];
        outputs.extend(circuit.variables.iter().filter_map(|(_, node)| circuit.adjoints[node.index()]));
        let graph = circuit.graph.clone();
        let values = circuit.values.clone();
        let needed = graph.ancestors(&outputs);
        let is_computed =
            |id: &NodeId| needed[id.index()] && graph.node(*id).op().is_some() && !is_move(&graph, *id);
        // A gate may be of several nodes, of which the last has its name.
        let gate_of = |id: NodeId| {
            let forward = graph.node(id).origin.pulls_back.unwrap_or(id);
            let own = circuit.gates.iter().position(|gate| gate.node >= forward);
            own.or(circuit.gates.len().checked_sub(1))
        };
        let is_forward = |id: &NodeId| id.index() < circuit.forward;
        let stage = |pass: Pass, gate: Option<usize>| Stage {
            pass,
            makes: if pass == Pass::Forward { Makes::Values } else { Makes::Deltas },
            layer: None,
            gate,
            nodes: Vec::new(),
            parameters: Vec::new(),
            multiply_adds: 0,
            is_penalty: false,
        };
        // A gate that only passes on what arrives has a step too, though nothing is computed in it.
        let gates = circuit.gates.len();
        let mut stages: Vec<Stage> = (0..gates).map(|gate| stage(Pass::Forward, Some(gate))).collect();
        let passing =
            (0..gates).rev().filter(|&gate| circuit.adjoints[circuit.gates[gate].node.index()].is_some());
        stages.extend(passing.map(|gate| stage(Pass::Backward, Some(gate))));
        for id in graph.ids().filter(is_computed) {
            let pass = if is_forward(&id) { Pass::Forward } else { Pass::Backward };
            let gate = gate_of(id);
            let own = stages.iter_mut().find(|stage| stage.pass == pass && stage.gate == gate);
            if let Some(own) = own.filter(|_| gate.is_some()) {
                own.nodes.push(id);
                own.multiply_adds += multiply_adds(&graph, id);
            }
        }
        Self {
            moves: Moves::of(&graph, &values),
            labels: super::words::labels_of_circuit(circuit),
            rows: 1,
            graph,
            values,
            stages,
            update: None,
            circuit: Some(circuit.clone()),
            digits: DIGITS,
        }
    }
}

/// The group of each layer, counted from 1: an activation belongs to the layer before it.
pub(in crate::explain) fn groups(network: &Network) -> Vec<usize> {
    let mut group = 0;
    let next = |(at, layer): (usize, &Layer)| {
        if !(matches!(layer, Layer::Activation(_)) && at > 0) {
            group += 1;
        }
        group
    };
    network.layers.iter().enumerate().map(next).collect()
}

pub(super) fn multiply_adds(graph: &Graph, id: NodeId) -> u64 {
    let node = graph.node(id);
    let shapes: Vec<_> = node.inputs().iter().map(|&input| graph.shape(input)).collect();
    node.op().map_or(0, |op| op.multiply_adds(&shapes, &node.shape))
}

/// The last one says whether it is regularization.
type Kind = (Pass, Option<usize>, Makes, bool);

/// The nodes that `outputs` need, by kind: backwards, a layer's deltas before its gradients. Where nodes depend on each
/// other otherwise, a layer has several stages.
fn staged(graph: &Graph, outputs: &[NodeId], kind: impl Fn(NodeId) -> Kind) -> Vec<Stage> {
    let needed = graph.ancestors(outputs);
    let mut left: Vec<NodeId> = graph
        .ids()
        .filter(|id| needed[id.index()] && graph.node(*id).op().is_some() && !is_move(graph, *id))
        .collect();
    let mut is_done: Vec<bool> =
        graph.ids().map(|id| !needed[id.index()] || graph.node(id).op().is_none()).collect();
    // A move is done with what it moves.
    let settle = |is_done: &mut Vec<bool>| {
        for id in graph.ids() {
            if !is_done[id.index()] && is_move(graph, id) {
                is_done[id.index()] = graph.node(id).inputs().iter().all(|input| is_done[input.index()]);
            }
        }
    };
    settle(&mut is_done);
    let rank = |(pass, layer, makes, is_penalty): Kind| {
        // Backwards from the last layer; what is of no layer stands between it and the cost.
        let place = match (pass, layer) {
            (Pass::Backward, Some(layer)) => -(layer as i64),
            (Pass::Backward, None) => i64::MIN,
            (_, layer) => layer.unwrap_or(0) as i64,
        };
        (pass, place, makes, is_penalty)
    };
    let mut stages: Vec<Stage> = Vec::new();
    while !left.is_empty() {
        // All nodes of the first kind that can be computed, with what they make possible.
        let mut ready: Map<_, NodeId> = Map::new();
        for &id in &left {
            if graph.node(id).inputs().iter().all(|input| is_done[input.index()]) {
                ready.or_insert(rank(kind(id)), id);
            }
        }
        let (_, &first) = ready.iter().next().expect("a graph is in topological order");
        let wanted = kind(first);
        let mut nodes = Vec::new();
        loop {
            let before = nodes.len();
            left.retain(|&id| {
                let can =
                    kind(id) == wanted && graph.node(id).inputs().iter().all(|input| is_done[input.index()]);
                if can {
                    is_done[id.index()] = true;
                    nodes.push(id);
                }
                !can
            });
            settle(&mut is_done);
            if nodes.len() == before {
                break;
            }
        }
        let multiply_adds = nodes.iter().map(|id| multiply_adds(graph, *id)).sum();
        let (pass, layer, makes, is_penalty) = wanted;
        let parameters = Vec::new();
        stages.push(Stage { pass, makes, layer, gate: None, nodes, parameters, multiply_adds, is_penalty });
    }
    stages
}
