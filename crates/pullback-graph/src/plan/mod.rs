//! From a graph to a flat list of instructions over places that are laid out once.
//!
//! The passes, in order: `share` drops nodes that no output needs (dead code) and merges equal ones (common
//! subexpressions); `fuse` joins element-wise operations to the operation whose result they change, as its epilogue;
//! `change` puts the update of a parameter behind its last reader, or inside the product that computes its gradient;
//! `layout` assigns buffers by lifetime. A plan holds no numbers: a backend makes the buffers for `f32` or `f64`.

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
    /// Among the residents, which outlive a step: parameters and the states that an optimizer keeps for them. They live
    /// outside the backend.
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

/// How a parameter is changed, together with its optimizer states. The residents that are written are the parameter and
/// the states that follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It becomes the operand.
    Store,
    /// A rule of the optimizer changes it by its gradient, the operand. If there is a second operand, it is a factor of
    /// the gradient.
    Update(Update),
}

/// How an optimizer changes a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Update {
    /// Which of the rules that the backend is given.
    pub rule: usize,
    /// The number of optimizer states, arrays of the parameter's size: at most [`MOST_STATES`].
    pub states: usize,
    /// Whether each number changes by its own gradient alone, so that an update by pieces gives the same result.
    pub is_piecewise: bool,
}

/// What the epilogue does in place to each element of a result.
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

/// A kernel with resolved operands and results, and the epilogue: what is then done in place to its first result.
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
    /// Its name: in the graph, or for an optimizer state, that of its parameter with a number.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
}

/// A graph made ready to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The inputs of the graph, in its order, needed or not.
    pub inputs: Vec<Named>,
    /// What outlives a step: for each parameter of the graph, in its order, needed or not, the parameter and its
    /// optimizer states. Every parameter has the same number of places; a place that is not needed has no elements.
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

    /// Plans the computation of `outputs` and, after them, changes of parameters. The memory of a gradient can be used
    /// again once its parameter is changed; but to clip the norm of all gradients together, all must be known first.
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
        layout::layout(graph, outputs, &groups, outputs_after, &targets)
    }

    /// The number of elements of all buffers and constants: what an executor allocates, in
    /// elements.
    pub fn elements(&self) -> usize {
        let constants: usize = self.constants.iter().map(|(_, elements)| elements).sum();
        self.buffers.iter().sum::<usize>() + constants
    }

    /// Whether nothing is done with an input but to multiply it by transposed weights, `x w^T`, and to find their
    /// gradient, `delta^T x`: then the zeros in it need not be there.
    pub fn only_multiplies(&self, input: usize) -> bool {
        let place = Place::Input(input);
        let is_product = |instruction: &Instruction, at: usize| match &instruction.kernel {
            Kernel::Value(Op::MatrixProduct(op)) | Kernel::FromRow(Op::MatrixProduct(op)) => {
                (op.transpose_left, op.transpose_right) == (at == 1, at == 0)
            }
            Kernel::Value(Op::ColumnsProduct(_)) => at == 0,
            Kernel::Value(Op::ColumnsGradient(_)) => at == 1,
            Kernel::Value(Op::Slice(slice)) => slice.axis == 1,
            _ => false,
        };
        self.outputs.iter().all(|(output, _)| *output != place)
            && self.instructions.iter().all(|instruction| {
                let reads = instruction.reads.iter().enumerate().filter(|(_, (read, _))| *read == place);
                let mut others = instruction.epilogue.iter().filter_map(|stage| stage.other.as_ref());
                let is_alone = reads.clone().count() <= 1;
                is_alone
                    && reads.map(|(at, _)| at).all(|at| is_product(instruction, at))
                    && others.all(|(other, ..)| *other != place)
            })
    }

    fn named(graph: &Graph, is_kind: impl Fn(&Kind) -> Option<&String>) -> Vec<Named> {
        let nodes = graph.nodes().iter();
        nodes
            .filter_map(|node| Some(Named { name: is_kind(&node.kind)?.clone(), shape: node.shape.clone() }))
            .collect()
    }
}
