//! Back propagation: the gradient of a scalar with respect to any nodes, in one backwards walk.
//!
//! With `y_bar` the derivative of the cost with respect to the result of an operation, the chain
//! rule gives for each operand `x_bar += y_bar * dy/dx`; that product is the operation's pullback.
//! Because a node comes after what it reads, walking backwards meets every node after all nodes
//! that read it, when its `x_bar` is complete (Linnainmaa 1970; Rumelhart, Hinton, Williams 1986).

use super::site;
use crate::error::{Error, Result};
use crate::graph::{Builder, Graph, NodeId, NodeRole, Origin, Var};

/// A graph with a backward pass.
#[derive(Debug, Clone)]
pub struct Gradients {
    /// The given graph, its nodes under their old ids, followed by the backward pass.
    pub graph: Graph,
    /// For each node of `wrt`, the node that is the derivative of the cost with respect to it, of
    /// the same shape.
    pub nodes: Vec<NodeId>,
    /// For each node of the given graph, the node that is the derivative of the cost with respect
    /// to it, where the walk reaches it.
    pub adjoints: Vec<Option<NodeId>>,
}

/// Appends the derivatives of the scalar `cost` with respect to each node of `wrt`.
///
/// # Errors
/// If `cost` is not a single number.
pub fn reverse(graph: &Graph, cost: NodeId, wrt: &[NodeId]) -> Result<Gradients> {
    if graph.shape(cost).elements() != 1 {
        return Err(Error::configuration(format!(
            "only a single number has a gradient: {} has shape {}",
            graph.describe(cost),
            graph.shape(cost)
        ))
        .help("sum it, or take one of its elements"));
    }
    let reaches = graph.descendants(wrt);
    let needed = graph.ancestors(&[cost]);
    let builder = Builder::extend(graph.clone());
    let mut bars: Vec<Option<Var<'_>>> = vec![None; graph.nodes().len()];
    builder.set_origin(Origin { role: NodeRole::Seed, ..Origin::default() });
    bars[cost.index()] = Some(builder.filled(1.0, graph.shape(cost).clone()));
    for id in graph.ids().rev().filter(|id| needed[id.index()] && reaches[id.index()]) {
        let node = graph.node(id);
        let (Some(y_bar), Some(op)) = (bars[id.index()], node.op()) else { continue };
        let at = site(&builder, graph, id);
        for (position, input) in node.inputs().iter().enumerate().filter(|(_, x)| reaches[x.index()]) {
            let target = graph.node(*input);
            let of = if target.origin.place().is_some() { &target.origin } else { &node.origin };
            builder.set_origin(Origin {
                layer: of.layer,
                path: of.path.clone(),
                role: NodeRole::GradientOf(*input),
                pulls_back: Some(id),
                pushes_forward: None,
            });
            if let Some(x_bar) = op.pullback(&at, y_bar, position) {
                let bar = &mut bars[input.index()];
                *bar = Some(bar.map_or(x_bar, |sum| sum + x_bar));
            }
        }
    }
    let nodes: Vec<Var<'_>> = (wrt.iter())
        .map(|&id| bars[id.index()].unwrap_or_else(|| builder.filled(0.0, graph.shape(id).clone())))
        .collect();
    let ids = |var: Var<'_>| var.id().expect("pullbacks of a legal graph make legal nodes");
    let nodes = nodes.into_iter().map(ids).collect();
    let adjoints = bars.into_iter().map(|bar| bar.map(ids)).collect();
    let graph = builder.finish().expect("pullbacks of a legal graph make legal nodes");
    Ok(Gradients { graph, nodes, adjoints })
}
