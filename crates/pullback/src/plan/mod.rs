//! From a graph to a flat list of instructions over buffers that are laid out once.
//!
//! The passes, in order: nodes that no output needs are dropped and equal nodes are merged
//! (`share`), then buffers are assigned by lifetime (`layout`). A plan holds no numbers: an
//! executor makes the buffers for `f32` or `f64`. Fusion and the split for threads fit between the
//! two passes, as rewrites of the list of steps.

mod layout;
mod share;

use crate::graph::{Graph, Kind, NodeId, Op, Shape};

/// Where an operand or an output lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a buffer that is reused during a step.
    Buffer(usize),
    /// Among the parameters, which live outside the executor.
    Parameter(usize),
    /// Among the inputs, which are filled before a step.
    Input(usize),
    /// Among the constants, which are filled once.
    Constant(usize),
}

/// One operation with resolved operands.
#[derive(Debug, Clone)]
pub struct Instruction {
    /// What to compute.
    pub op: Op,
    /// The operands: place and shape.
    pub inputs: Vec<(Place, Shape)>,
    /// The buffer of the result; never one of the operands'.
    pub buffer: usize,
    /// The result's shape.
    pub shape: Shape,
}

/// A named array that comes from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name in the graph.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
}

/// A graph made ready to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The inputs of the graph, in its order, needed or not.
    pub inputs: Vec<Named>,
    /// The parameters of the graph, in its order, needed or not.
    pub parameters: Vec<Named>,
    /// The constants: value and number of elements.
    pub constants: Vec<(f64, usize)>,
    /// The number of elements of each buffer.
    pub buffers: Vec<usize>,
    /// The steps, in the order they run.
    pub instructions: Vec<Instruction>,
    /// Where each requested output lies after a run, and its shape.
    pub outputs: Vec<(Place, Shape)>,
}

impl Plan {
    /// Plans the computation of `outputs`.
    pub fn new(graph: &Graph, outputs: &[NodeId]) -> Self {
        let shared = share::share(graph, outputs);
        layout::layout(graph, &shared)
    }

    /// The number of elements of all buffers and constants: what an executor allocates, in
    /// elements.
    pub fn elements(&self) -> usize {
        let constants: usize = self.constants.iter().map(|(_, elements)| elements).sum();
        self.buffers.iter().sum::<usize>() + constants
    }

    fn named(graph: &Graph, is_kind: impl Fn(&Kind) -> Option<&String>) -> Vec<Named> {
        let nodes = graph.nodes().iter();
        nodes
            .filter_map(|node| Some(Named { name: is_kind(&node.kind)?.clone(), shape: node.shape.clone() }))
            .collect()
    }
}
