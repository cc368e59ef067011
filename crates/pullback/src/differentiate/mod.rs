//! Derivatives of graphs, as graphs.
//!
//! [`reverse`] is back propagation: one walk over the nodes from the cost backwards, asking each
//! operation for its pullback. [`forward`] carries tangents the other way. Both return the graph
//! they were given with the derivative's nodes appended, so a derivative can be printed, counted,
//! checked, and differentiated again. [`check_gradients`] holds one against the other and both
//! against differences.

mod check;
pub mod differences;
mod forward;
mod reverse;

pub use check::{Check, check_gradients, compare_gradients};
pub use forward::{Tangents, forward};
pub use reverse::{Gradients, reverse};

use crate::graph::{Builder, Graph, NodeId, ops::Site};

/// The place of an operation in a graph under construction.
fn site<'b>(builder: &'b Builder, graph: &Graph, id: NodeId) -> Site<'b> {
    Site {
        inputs: graph.node(id).inputs().iter().map(|&input| builder.var(input)).collect(),
        output: builder.var(id),
    }
}
