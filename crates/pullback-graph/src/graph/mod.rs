//! The waist of the project: every operation of a network's forward pass, cost and backward pass
//! as a node.
//!
//! A graph is a list of nodes in which a node comes after the nodes that it reads, so the list is
//! a topological order by construction: run it forwards to compute, walk it backwards to
//! differentiate. Shapes are static. A graph holds no numbers but constants; the same graph is run
//! in `f32` and in `f64`.
//!
//! `graph` and `graph::ops` are one module by nature: a node holds an operation, and an
//! operation's derivative rules make nodes.
//!
//! ```
//! use pullback_graph::graph::Builder;
//!
//! let builder = Builder::new();
//! let (x, w) = (builder.input("x", [8, 3]), builder.parameter("w", [2, 3]));
//! let a = x.product_transposed(false, w, true).tanh(); // tanh(x w^T)
//! assert_eq!(a.shape().sizes(), [8, 2]);
//! let graph = builder.finish()?;
//! assert!(graph.to_string().contains("%3 [8, 2] = tanh: tanh(%2)"), "{graph}");
//! # Ok::<(), pullback_graph::Error>(())
//! ```

mod build;
pub mod ops;
mod print;
mod role;
mod shape;

pub use build::{Builder, Var};
pub use ops::Op;
pub use role::NodeRole;
pub use shape::Shape;

use crate::error::ShapeError;
use std::fmt;

/// A node's place in its graph.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    /// The position in [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

/// A number that is part of a graph's structure, compared and hashed by its bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scalar(u64);

impl Scalar {
    /// The number.
    pub fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl From<f64> for Scalar {
    fn from(value: f64) -> Self {
        Self(value.to_bits())
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value(), f)
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value(), f)
    }
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An array given anew at each run: features, targets, dropout masks.
    Input(String),
    /// An array kept between runs and changed by training: weights, biases.
    Parameter(String),
    /// One number, repeated to the node's shape.
    Constant(Scalar),
    /// The result of an operation on earlier nodes.
    Operation(Op, Vec<NodeId>),
}

/// Where a node came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Origin {
    /// The layer that it belongs to, counted from 0.
    pub layer: Option<usize>,
    /// Where that layer stands, if its number does not say it: `3.1` in a block, `image.0` of an input's own layers.
    pub path: String,
    /// What it is for: a weighted sum, an activation, the cost.
    pub role: NodeRole,
    /// For a node of a backward pass: the forward node through which the derivative is pulled back.
    pub pulls_back: Option<NodeId>,
    /// For a node of a tangent pass: the forward node through which the tangent is pushed forward.
    pub pushes_forward: Option<NodeId>,
}

impl Origin {
    /// The layer as people read it: `3`, `3.1`, `image.0`.
    pub fn place(&self) -> Option<String> {
        match self.layer {
            _ if !self.path.is_empty() => Some(self.path.clone()),
            layer => layer.map(|layer| layer.to_string()),
        }
    }
}

/// One value in a graph: what it is, its shape, and where it came from.
#[derive(Clone, Debug)]
pub struct Node {
    /// What the node is.
    pub kind: Kind,
    /// The shape of its value.
    pub shape: Shape,
    /// Where it came from.
    pub origin: Origin,
}

impl Node {
    /// The nodes that this one reads, in the operation's order.
    pub fn inputs(&self) -> &[NodeId] {
        match &self.kind {
            Kind::Operation(_, inputs) => inputs,
            _ => &[],
        }
    }

    /// The operation, unless the node is an input, a parameter or a constant.
    pub fn op(&self) -> Option<&Op> {
        match &self.kind {
            Kind::Operation(op, _) => Some(op),
            _ => None,
        }
    }
}

/// A list of nodes, each after the nodes that it reads.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
}

impl Graph {
    /// A graph without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// All nodes, in topological order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The ids of all nodes, in topological order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// One node.
    ///
    /// # Panics
    /// If `id` belongs to another, longer graph.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// The shape of a node's value.
    pub fn shape(&self, id: NodeId) -> &Shape {
        &self.node(id).shape
    }

    /// The input or parameter of that name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.ids().find(|&id| match &self.node(id).kind {
            Kind::Input(own) | Kind::Parameter(own) => own == name,
            _ => false,
        })
    }

    /// Appends an input, parameter or constant.
    pub(crate) fn push_leaf(&mut self, kind: Kind, shape: Shape, origin: Origin) -> NodeId {
        debug_assert!(!matches!(kind, Kind::Operation(..)), "operations go through `push`");
        self.append(Node { kind, shape, origin })
    }

    /// Appends the result of an operation on earlier nodes.
    ///
    /// # Errors
    /// If the operands' shapes do not fit the operation: the error names all of them and where
    /// they came from.
    pub fn push(
        &mut self,
        op: impl Into<Op>,
        inputs: &[NodeId],
        origin: Origin,
    ) -> Result<NodeId, ShapeError> {
        self.push_op(op.into(), inputs, origin)
    }

    fn push_op(&mut self, op: Op, inputs: &[NodeId], origin: Origin) -> Result<NodeId, ShapeError> {
        let shapes: Vec<&Shape> = inputs.iter().map(|&id| self.shape(id)).collect();
        let shape = op.shape(&shapes).map_err(|rule| ShapeError {
            operation: op.name().to_string(),
            rule,
            operands: inputs.iter().map(|&id| (self.shape(id).sizes().to_vec(), self.describe(id))).collect(),
        })?;
        Ok(self.append(Node { kind: Kind::Operation(op, inputs.to_vec()), shape, origin }))
    }

    /// How many multiply-adds the nodes cost that `outputs` depend on, each node counted once.
    pub fn multiply_adds(&self, outputs: &[NodeId]) -> u64 {
        let needed = self.ancestors(outputs);
        self.ids()
            .filter(|id| needed[id.index()])
            .filter_map(|id| {
                let node = self.node(id);
                let shapes: Vec<&Shape> = node.inputs().iter().map(|&input| self.shape(input)).collect();
                Some(node.op()?.multiply_adds(&shapes, &node.shape))
            })
            .sum()
    }

    /// For each node, whether `outputs` depend on it (or it is one of them).
    pub fn ancestors(&self, outputs: &[NodeId]) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        for id in outputs {
            needed[id.index()] = true;
        }
        for id in self.ids().rev() {
            if needed[id.index()] {
                for input in self.node(id).inputs() {
                    needed[input.index()] = true;
                }
            }
        }
        needed
    }

    /// For each node, whether it depends on one of `sources` (or is one of them).
    pub fn descendants(&self, sources: &[NodeId]) -> Vec<bool> {
        let mut reached = vec![false; self.nodes.len()];
        for id in sources {
            reached[id.index()] = true;
        }
        for id in self.ids() {
            reached[id.index()] |= self.node(id).inputs().iter().any(|input| reached[input.index()]);
        }
        reached
    }

    fn append(&mut self, node: Node) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).expect("a graph has fewer than 2^32 nodes"));
        self.nodes.push(node);
        id
    }
}
