//! Derivatives of graphs, as graphs.
//!
//! [`reverse`] is back propagation: one walk over the nodes from the cost backwards, asking each
//! operation for its pullback. [`forward`] carries tangents the other way. Both return the graph
//! they were given with the derivative's nodes appended, so a derivative can be printed, counted,
//! checked, and differentiated again. [`check_gradients`] holds one against the other and both
//! against differences.
//!
//! ```
//! use pullback_graph::differentiate::reverse;
//! use pullback_graph::execute::reference;
//! use pullback_graph::graph::Builder;
//!
//! // The second derivative of x^3 at 5 is 6 x = 30: the gradient of the gradient.
//! let builder = Builder::new();
//! let x = builder.input("x", []);
//! let (cost, x) = (x.power(3.0).id().expect("legal"), x.id().expect("legal"));
//! let first = reverse(&builder.finish()?, cost, &[x])?;
//! let second = reverse(&first.graph, first.nodes[0], &[x])?;
//! let values = reference(&second.graph, &[vec![5.0_f64]]);
//! assert_eq!(values[second.nodes[0].index()], [30.0]);
//! # Ok::<(), pullback_graph::Error>(())
//! ```

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
