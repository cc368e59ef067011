//! From a graph to a flat list of instructions over places that are laid out once.
//!
//! The passes, in order: nodes that no output needs are dropped and equal nodes are merged (`share`),
//! what is done element by element is joined to what it is done to (`fuse`), what changes a parameter is put after
//! whatever reads it, and joined to the product that finds its gradient (`change`), then buffers are assigned by
//! lifetime (`layout`). A plan holds no numbers: a backend makes the buffers for `f32` or `f64`.

mod change;
mod fuse;
mod layout;
mod print;
mod share;

pub use fuse::Slope;

use crate::graph::ops::Pattern;
use crate::graph::{Graph, Kind, NodeId, Op, Scalar, Shape};

pub use pullback_kernels::update::MOST_STATES;

/// Where an operand or a result lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a buffer that is reused during a step.
    Buffer(usize),
    /// Among the inputs, which are filled before a step.
    Input(usize),
    /// Among the constants, which are filled once.
    Constant(usize),
    /// Among what outlives a step: parameters and what is kept for them. They live outside the backend.
    Resident(usize),
}

/// What an instruction computes.
#[derive(Debug, Clone, PartialEq)]
pub enum Kernel {
    /// An operation's value.
    Value(Op),
    /// A product or a convolution whose sums start from a row, the last operand.
    FromRow(Op),
    /// The sum of the squares of all elements.
    SumOfSquares,
    /// A cost, and the gradient with respect to its logits times a number, the second result.
    WithGradient(Op, Scalar),
    /// The norm of the whole gradient, all operands together, and as a result the factor that clips it to this limit.
    Norm(Scalar),
    /// Nothing but a change of a parameter, by the operand.
    Change(Change),
}

/// How a parameter is changed, and what is kept for it with it. The residents that are written are the parameter and
/// what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It becomes the operand.
    Store,
    /// A rule of the optimizer changes it by its gradient, the operand, times the factor, a second operand if there is
    /// one.
    Update(Update),
}

/// How an optimizer changes a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Update {
    /// Which of the rules that the backend is given.
    pub rule: usize,
    /// How many arrays of the parameter's size are kept for it: at most [`MOST_STATES`].
    pub states: usize,
    /// Whether it does the same to pieces as to the whole: each number changes by its own gradient.
    pub is_piecewise: bool,
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
    /// The change of a parameter by the result, its gradient.
    Update(Update),
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

/// A kernel with resolved operands and results, and what is then done in place to its first result.
#[derive(Debug, Clone)]
pub struct Instruction {
    /// What to compute.
    pub kernel: Kernel,
    /// The operands.
    pub reads: Vec<(Place, Shape)>,
    /// The results: buffers, none of which is among the operands; for a change, the residents from the parameter on.
    pub writes: Vec<(Place, Shape)>,
    /// What is done to the first result, in this order. An update writes the residents that come last in `writes`.
    pub epilogue: Vec<Stage>,
}

impl Instruction {
    /// The names of what it does, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let (first, second) = match &self.kernel {
            Kernel::Value(op) => (op.name(), None),
            Kernel::FromRow(op) => (op.name(), Some("add row")),
            Kernel::SumOfSquares => ("sum of squares", None),
            Kernel::WithGradient(op, _) => (op.name(), None),
            Kernel::Norm(_) => ("norm", None),
            Kernel::Change(Change::Store) => ("store", None),
            Kernel::Change(Change::Update(_)) => ("update", None),
        };
        let stages = self.epilogue.iter().map(|stage| match &stage.action {
            Action::Apply(op) => op.name(),
            Action::TimesSlope(_) => "times slope",
            Action::AddScaled(_) => "add scaled",
            Action::Update(_) => "update",
        });
        [first].into_iter().chain(second).chain(stages)
    }
}

/// A named array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name: in the graph, or that of a parameter with a number for what is kept for it.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
}

/// A graph made ready to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The inputs of the graph, in its order, needed or not.
    pub inputs: Vec<Named>,
    /// What outlives a step: for each parameter of the graph, in its order, needed or not, the parameter and what is kept
    /// for it. All have as many places; of those that are not needed, the shape is of no elements.
    pub residents: Vec<Named>,
    /// How many residents there are for each parameter.
    pub residents_per_parameter: usize,
    /// The constants: value and number of elements.
    pub constants: Vec<(f64, usize)>,
    /// The number of elements of each buffer.
    pub buffers: Vec<usize>,
    /// The steps, in the order they run.
    pub instructions: Vec<Instruction>,
    /// Where each requested output lies after a run, and its shape.
    pub outputs: Vec<(Place, Shape)>,
    /// How many instructions run before all outputs are known. The rest changes residents.
    pub outputs_after: usize,
}

/// What changes a parameter of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The parameter.
    pub parameter: NodeId,
    /// Its gradient, or its new value.
    pub node: NodeId,
    /// How the latter changes the former.
    pub change: Change,
}

impl Plan {
    /// Plans the computation of `outputs`.
    pub fn new(graph: &Graph, outputs: &[NodeId]) -> Self {
        Self::with_changes(graph, outputs, &[], None)
    }

    /// Plans the computation of `outputs` and, after them, changes of parameters. What a parameter is changed by can be
    /// found, and its memory used again, before the next one is; but to clip the norm of all gradients together, they have
    /// to be known first.
    ///
    /// # Panics
    /// If what is to be changed is no parameter, or is changed by a parameter or by a node of another shape.
    pub fn with_changes(
        graph: &Graph,
        outputs: &[NodeId],
        targets: &[Target],
        clip_norm: Option<f64>,
    ) -> Self {
        for target in targets {
            let [shape, own] = [target.node, target.parameter].map(|id| graph.shape(id));
            assert_eq!(shape, own, "shape of what changes `{}`", graph.label(target.parameter));
        }
        let mut asked = outputs.to_vec();
        asked.extend(targets.iter().map(|target| target.node));
        let shared = share::share(graph, &asked);
        let groups = fuse::fuse(graph, &shared);
        let (outputs, nodes) = shared.outputs.split_at(outputs.len());
        let targets: Vec<Target> =
            targets.iter().zip(nodes).map(|(target, node)| Target { node: *node, ..*target }).collect();
        let (groups, outputs_after) = change::change(graph, groups, outputs, &targets, clip_norm);
        layout::layout(graph, &shared.kept, outputs, &groups, outputs_after, &targets)
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
