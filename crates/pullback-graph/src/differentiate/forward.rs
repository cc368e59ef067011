//! Forward mode: how nodes change when others change in a given direction, in one forward walk.

use super::site;
use crate::graph::{Builder, Graph, NodeId, NodeRole, Origin, Var};

/// A graph with a tangent pass.
#[derive(Debug, Clone)]
pub struct Tangents {
    /// The given graph, its nodes under their old ids, followed by the tangent pass.
    pub graph: Graph,
    /// For each node of `wrt`, the new input that holds its direction, of the same shape.
    pub directions: Vec<NodeId>,
    /// For each node of `of`, the node that is its tangent, of the same shape.
    pub nodes: Vec<NodeId>,
}

/// Appends the tangents of the nodes `of` when each node of `wrt` changes in a direction that is a
/// new input of the graph, named after it.
pub fn forward(graph: &Graph, of: &[NodeId], wrt: &[NodeId]) -> Tangents {
    let reaches = graph.descendants(wrt);
    let needed = graph.ancestors(of);
    let builder = Builder::extend(graph.clone());
    let mut dots: Vec<Option<Var<'_>>> = vec![None; graph.nodes().len()];
    let mut directions = Vec::with_capacity(wrt.len());
    for &id in wrt {
        builder.set_origin(Origin { role: NodeRole::DirectionOf(id), ..Origin::default() });
        let direction = builder.input(&format!("direction of {}", graph.label(id)), graph.shape(id).clone());
        dots[id.index()] = Some(direction);
        directions.push(direction);
    }
    for id in graph.ids().filter(|id| needed[id.index()] && reaches[id.index()]) {
        let node = graph.node(id);
        if dots[id.index()].is_some() {
            continue; // A direction was given: what the node is computed from does not matter.
        }
        let Some(op) = node.op() else { continue };
        let x_dot: Vec<Option<Var<'_>>> = node.inputs().iter().map(|input| dots[input.index()]).collect();
        if x_dot.iter().all(Option::is_none) {
            continue;
        }
        builder.set_origin(Origin {
            layer: node.origin.layer,
            path: node.origin.path.clone(),
            role: NodeRole::TangentOf(id),
            pulls_back: None,
            pushes_forward: Some(id),
        });
        dots[id.index()] = op.pushforward(&site(&builder, graph, id), &x_dot);
    }
    let tangents: Vec<Var<'_>> = (of.iter())
        .map(|&id| dots[id.index()].unwrap_or_else(|| builder.filled(0.0, graph.shape(id).clone())))
        .collect();
    let ids = |var: Var<'_>| var.id().expect("pushforwards of a legal graph make legal nodes");
    let directions = directions.into_iter().map(ids).collect();
    let nodes = tangents.into_iter().map(ids).collect();
    let graph = builder.finish().expect("pushforwards of a legal graph make legal nodes");
    Tangents { graph, directions, nodes }
}
