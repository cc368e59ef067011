//! Drops nodes that no output needs (dead code) and merges nodes that compute the same from the same operands (common
//! subexpressions).

use crate::graph::{Graph, Kind, NodeId, Op, Shape};
use std::collections::HashMap;

/// What is left of a graph: which nodes run, and which earlier node stands for each.
#[derive(Debug)]
pub(super) struct Shared {
    /// The nodes that are left, in topological order.
    pub(super) kept: Vec<NodeId>,
    /// For each node of the graph, the node that has its value (itself, for those that are left).
    pub(super) stands_for: Vec<NodeId>,
    /// The requested outputs.
    pub(super) outputs: Vec<NodeId>,
}

/// Two nodes with the same key have the same value.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    kind: Kind,
    shape: Shape,
}

/// The identity computes nothing, and a reshape or broadcast to the same shape neither.
fn is_copy(graph: &Graph, id: NodeId) -> Option<NodeId> {
    let node = graph.node(id);
    match node.op()? {
        Op::Identity(_) => Some(node.inputs()[0]),
        Op::Reshape(_) | Op::Broadcast(_) if *graph.shape(node.inputs()[0]) == node.shape => {
            Some(node.inputs()[0])
        }
        _ => None,
    }
}

pub(super) fn share(graph: &Graph, outputs: &[NodeId]) -> Shared {
    let needed = graph.ancestors(outputs);
    let mut known: HashMap<Key, NodeId> = HashMap::new();
    let mut stands_for: Vec<NodeId> = graph.ids().collect();
    let mut kept = Vec::new();
    for id in graph.ids().filter(|id| needed[id.index()]) {
        if let Some(source) = is_copy(graph, id) {
            stands_for[id.index()] = stands_for[source.index()];
            continue;
        }
        let node = graph.node(id);
        let kind = match &node.kind {
            Kind::Operation(op, inputs) => {
                Kind::Operation(op.clone(), inputs.iter().map(|input| stands_for[input.index()]).collect())
            }
            leaf => leaf.clone(),
        };
        let first = *known.entry(Key { kind, shape: node.shape.clone() }).or_insert(id);
        stands_for[id.index()] = first;
        if first == id {
            kept.push(id);
        }
    }
    // No node is left that only merged ones read: a merged node reads the same nodes as the one that stands for it.
    let outputs = outputs.iter().map(|id| stands_for[id.index()]).collect();
    Shared { kept, stands_for, outputs }
}
