//! From a graph to a flat list of instructions over buffers that are laid out once.
//!
//! The passes, in order: nodes that no output needs are dropped and equal nodes are merged (`share`),
//! what is done element by element is joined to what it is done to (`fuse`), gradients are put off until their
//! parameter is no longer read (`delay`), then buffers are assigned by lifetime (`layout`). A plan holds no
//! numbers: an executor makes the buffers for `f32` or `f64`.

mod delay;
mod fuse;
mod layout;
mod share;

pub use fuse::Slope;

use crate::graph::ops::Pattern;
use crate::graph::{Graph, Kind, NodeId, Op, Scalar, Shape};

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

/// What is done in place to each element of a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// An operation that can be applied in place.
    Apply(Op),
    /// The product with the slope of an activation, whose result is the other operand.
    TimesSlope(Slope),
    /// The sum with the other operand times a number.
    AddScaled(Scalar),
}

/// One action with its other operand.
#[derive(Debug, Clone)]
pub struct Stage {
    /// What is done.
    pub action: Action,
    /// The place of the result itself among the operation's operands.
    pub position: usize,
    /// The other operand, if there is one: where it lies, how many elements it has, how it repeats.
    pub other: Option<(Place, usize, Pattern)>,
}

/// One operation with resolved operands, and what is then done in place to its result.
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
    /// The row that the sums of a product start from.
    pub row: Option<(Place, usize)>,
    /// Whether a sum is of the operand's squares.
    pub of_squares: bool,
    /// The buffer of the gradient with respect to the logits, for a cost, and what it is scaled by.
    pub gradient: Option<(usize, Scalar)>,
    /// What is done to the result, in this order.
    pub stages: Vec<Stage>,
}

impl Instruction {
    /// The names of what it does, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let stages = self.stages.iter().map(|stage| match &stage.action {
            Action::Apply(op) => op.name(),
            Action::TimesSlope(_) => "times slope",
            Action::AddScaled(_) => "add scaled",
        });
        let first = if self.of_squares { "sum of squares" } else { self.op.name() };
        [first].into_iter().chain(self.row.map(|_| "add row")).chain(stages)
    }
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
    /// How many instructions run before all outputs are known.
    pub outputs_after: usize,
    /// The gradients to hand out, in the order in which they become ready.
    pub gradients: Vec<Gradient>,
}

/// A gradient that is handed out once it is known and its parameter no longer read, so that the parameter
/// can be updated at once and the buffer used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gradient {
    /// Its position among the gradients that were asked for.
    pub position: usize,
    /// After how many instructions it is ready; never before the outputs.
    pub after: usize,
    /// The place of its parameter.
    pub parameter: usize,
    /// Where it lies: not among the parameters, which change.
    pub place: Place,
    /// How many elements it has.
    pub elements: usize,
    /// Whether the last instruction before is the product that it is the result of, which can update the parameter
    /// piece by piece: nothing else reads it, of its parameter the product reads the same piece at most, and it is large
    /// enough for that to pay.
    pub is_updated_inside: bool,
}

impl Plan {
    /// Plans the computation of `outputs`.
    pub fn new(graph: &Graph, outputs: &[NodeId]) -> Self {
        Self::with_gradients(graph, outputs, &[])
    }

    /// Plans the computation of `outputs` and, after them, of gradients that are handed out as they become
    /// ready: each a node with the parameter that it is to change.
    ///
    /// # Panics
    /// If a node of `gradients` is a parameter itself, or what it is paired with none.
    pub fn with_gradients(graph: &Graph, outputs: &[NodeId], gradients: &[(NodeId, NodeId)]) -> Self {
        let mut asked = outputs.to_vec();
        asked.extend(gradients.iter().map(|(gradient, _)| gradient));
        let shared = share::share(graph, &asked);
        let mut groups = fuse::fuse(graph, &shared);
        let parameters: Vec<NodeId> = gradients.iter().map(|(_, parameter)| *parameter).collect();
        delay::delay(&mut groups, &shared.outputs, &parameters);
        layout::layout(graph, &shared, &groups, &parameters)
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
