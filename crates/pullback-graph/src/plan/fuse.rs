//! Operator fusion: joins steps, so that numbers are read and written while they are in registers or cache. Each
//! rewrite of this list keeps the value:
//!
//! - *step of relu*: `step(z)` is `step(relu(z))`, so that z itself need not be kept.
//! - *broadcast*: a pairwise operation reads the operand of a broadcast, and repeats it itself.
//! - *gradient of a cost*: `softmax(z) * sum(t) - t` is computed with softmax cross-entropy, whose exponentials it
//!   needs, and `sigmoid(z) - t` with sigmoid cross-entropy; scaled, if it is only read to be scaled.
//! - *double*: `x + x` is `2 * x`, and of a scaled x, x scaled by twice as much.
//! - *sum of squares*: `sum(x * x)` does not write the squares.
//! - *bias*: the sums of a product or a convolution start from the row that is added to it.
//! - *scaled*: a sum with `c * x` does the scaling itself.
//! - *slope*: `y_bar * (1 - y * y)`, `y_bar * (y * (1 - y))` and `y_bar * step(y)` are one stage.
//! - *stage*: an element-wise operation on a result that nobody else reads is done in place, in its epilogue.

use super::share::Shared;
use super::{Action, Kernel};
use crate::graph::ops::{Pattern, Scale, Sum};
use crate::graph::{Graph, Kind, NodeId, Op, Shape};
use std::collections::HashMap;

/// The slopes of the common activations, from their results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slope {
    /// 1 - y^2
    Tanh,
    /// y (1 - y)
    Sigmoid,
    /// 1 where y is positive, else 0
    Relu,
}

/// One action with its other operand; `position` is the place of the result itself among the operands.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) action: Action,
    pub(super) position: usize,
    pub(super) other: Option<NodeId>,
}

/// Nodes that are computed together.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) kernel: Kernel,
    pub(super) reads: Vec<NodeId>,
    /// The nodes whose values are its results. What is done in place is done to the first.
    pub(super) writes: Vec<NodeId>,
    pub(super) epilogue: Vec<Stage>,
    /// Which parameter it changes, as a position among the targets.
    pub(super) changes: Option<usize>,
}

impl Group {
    /// A group of one node.
    fn of(kernel: Kernel, reads: Vec<NodeId>, id: NodeId) -> Self {
        Self { kernel, reads, writes: vec![id], epilogue: Vec::new(), changes: None }
    }

    /// Everything that it reads.
    pub(super) fn reads(&self) -> impl Iterator<Item = NodeId> {
        let others = self.epilogue.iter().filter_map(|stage| stage.other);
        self.reads.iter().copied().chain(others)
    }

    /// The operation, if it computes nothing else.
    fn op(&self) -> Option<&Op> {
        match &self.kernel {
            Kernel::Value(op) if self.epilogue.is_empty() => Some(op),
            _ => None,
        }
    }
}

/// The kept nodes with operations, in the order of their results.
pub(super) fn fuse(graph: &Graph, shared: &Shared) -> Vec<Group> {
    let mut fusion = Fusion::new(graph, shared);
    for &id in &shared.kept {
        match &graph.node(id).kind {
            Kind::Operation(op, _) if fusion.uses[id.index()] > 0 => fusion.add(id, op),
            _ => {}
        }
    }
    fusion.into_groups(&shared.kept)
}

struct Fusion<'a> {
    graph: &'a Graph,
    /// The operands of each kept node, as they are read.
    operands: Vec<Vec<NodeId>>,
    /// How often each node is read, as an output too.
    uses: Vec<usize>,
    /// The group that ends in a node.
    groups: Vec<Option<Group>>,
    /// The costs met so far that can bring their gradient, by logits and targets: the first of each.
    costs: HashMap<[NodeId; 2], NodeId>,
    /// The costs by the gradient, not scaled yet, that comes with them.
    cost_of: HashMap<NodeId, NodeId>,
}

impl<'a> Fusion<'a> {
    fn new(graph: &'a Graph, shared: &Shared) -> Self {
        let mut operands: Vec<Vec<NodeId>> = vec![Vec::new(); graph.nodes().len()];
        let mut relu_of = vec![None; graph.nodes().len()];
        let mut uses = vec![0; graph.nodes().len()];
        for &id in &shared.kept {
            let Kind::Operation(op, inputs) = &graph.node(id).kind else { continue };
            let mut read: Vec<NodeId> = inputs.iter().map(|x| shared.stands_for[x.index()]).collect();
            match op {
                Op::Relu(_) => relu_of[read[0].index()] = Some(id),
                Op::Step(_) => read[0] = relu_of[read[0].index()].unwrap_or(read[0]),
                Op::Add(_) if read[0] == read[1] => read.truncate(1),
                op if op.is_in_place() && read.len() == 2 => {
                    let shape = graph.shape(id);
                    for at in 0..2 {
                        let is_broadcast = matches!(graph.node(read[at]).op(), Some(Op::Broadcast(_)));
                        if is_broadcast && graph.shape(read[1 - at]) == shape {
                            let source = operands[read[at].index()][0];
                            if Pattern::of(graph.shape(source), shape) != Pattern::Other {
                                read[at] = source;
                            }
                        }
                    }
                }
                _ => {}
            }
            operands[id.index()] = read;
        }
        for id in &shared.outputs {
            uses[id.index()] += 1;
        }
        // Backwards, so that nodes that are no longer read do not count as readers.
        for id in shared.kept.iter().rev() {
            if uses[id.index()] > 0 {
                for x in &operands[id.index()] {
                    uses[x.index()] += 1;
                }
            }
        }
        let groups = vec![None; graph.nodes().len()];
        Self { graph, operands, uses, groups, costs: HashMap::new(), cost_of: HashMap::new() }
    }

    fn shape(&self, id: NodeId) -> &'a Shape {
        self.graph.shape(id)
    }

    fn op(&self, id: NodeId) -> Option<&'a Op> {
        self.graph.node(id).op()
    }

    fn is_one(&self, id: NodeId) -> bool {
        matches!(&self.graph.node(id).kind, Kind::Constant(value) if value.value() == 1.0)
    }

    /// The operands of a node that only one other node reads.
    fn inside(&self, id: NodeId) -> Option<(&'a Op, [NodeId; 2])> {
        let operands = &self.operands[id.index()];
        let first = *operands.first()?;
        (self.uses[id.index()] == 1).then_some(())?;
        Some((self.op(id)?, [first, operands.get(1).copied().unwrap_or(first)]))
    }

    /// Whether a result can be changed in place into one of that shape.
    fn is_open(&self, id: NodeId, shape: &Shape) -> bool {
        self.uses[id.index()] == 1
            && self.shape(id) == shape
            && self.groups[id.index()].as_ref().is_some_and(|group| !self.can_have_gradient(group))
    }

    /// Whether it is a cost whose gradient can come with it: nothing is done to it in place.
    fn can_have_gradient(&self, group: &Group) -> bool {
        match &group.kernel {
            Kernel::WithGradient(..) => true,
            Kernel::Value(Op::SoftmaxCrossEntropy(_)) => true,
            Kernel::Value(Op::SigmoidCrossEntropy(_)) => {
                self.shape(group.reads[0]) == self.shape(group.reads[1])
            }
            _ => false,
        }
    }

    fn add(&mut self, id: NodeId, op: &Op) {
        let double = Op::Scale(Scale(2.0.into()));
        let is_double = matches!(op, Op::Add(_)) && self.operands[id.index()].len() == 1;
        let op = if is_double { &double } else { op };
        let is_done = self.gradient_of_softmax_cross_entropy(id, op)
            || self.gradient_of_sigmoid_cross_entropy(id, op)
            || self.scaled_gradient(id, op)
            || self.double(id, op)
            || self.sum_of_squares(id, op)
            || self.bias(id, op)
            || self.scaled(id, op)
            || self.slope(id, op)
            || self.stage(id, op);
        if is_done {
            return;
        }
        let operands = &self.operands[id.index()];
        let group = Group::of(Kernel::Value(op.clone()), operands.clone(), id);
        if let [logits, targets] = operands[..]
            && self.can_have_gradient(&group)
        {
            self.costs.entry([logits, targets]).or_insert(id);
        }
        self.groups[id.index()] = Some(group);
    }

    fn gradient_of_softmax_cross_entropy(&mut self, id: NodeId, op: &Op) -> bool {
        let Op::Subtract(_) = op else { return false };
        let (scaled, targets) = (self.operands[id.index()][0], self.operands[id.index()][1]);
        let Some((Op::Multiply(_), [softmax, sum])) = self.inside(scaled) else { return false };
        let Some((Op::Softmax(_), [logits, _])) = self.inside(softmax) else { return false };
        let Some((Op::Sum(Sum { axes, keep_axes: true }), [summed, _])) = self.inside(sum) else {
            return false;
        };
        let is_last = axes[..] == [self.shape(targets).rank().wrapping_sub(1)];
        is_last
            && summed == targets
            && self.gradient_of_cost(id, [logits, targets], &[scaled, softmax, sum], |cost| {
                matches!(cost, Op::SoftmaxCrossEntropy(_))
            })
    }

    fn gradient_of_sigmoid_cross_entropy(&mut self, id: NodeId, op: &Op) -> bool {
        let Op::Subtract(_) = op else { return false };
        let (sigmoid, targets) = (self.operands[id.index()][0], self.operands[id.index()][1]);
        let Some((Op::Sigmoid(_), [logits, _])) = self.inside(sigmoid) else { return false };
        self.gradient_of_cost(id, [logits, targets], &[sigmoid], |cost| {
            matches!(cost, Op::SigmoidCrossEntropy(_))
        })
    }

    /// Computes a node, made of the nodes `inside`, together with the cost of these logits and targets.
    fn gradient_of_cost(
        &mut self,
        id: NodeId,
        operands: [NodeId; 2],
        inside: &[NodeId],
        is_kind: impl Fn(&Op) -> bool,
    ) -> bool {
        let Some(cost) = self.costs.get(&operands).copied() else { return false };
        let group = self.groups[cost.index()].as_mut().expect("a cost's group takes no stages");
        let Some(op) = group.op().filter(|op| is_kind(op)).cloned() else { return false };
        group.kernel = Kernel::WithGradient(op, 1.0.into());
        group.writes.push(id);
        self.cost_of.insert(id, cost);
        for inner in inside {
            self.groups[inner.index()] = None;
        }
        true
    }

    fn scaled_gradient(&mut self, id: NodeId, op: &Op) -> bool {
        let Op::Scale(Scale(factor)) = op else { return false };
        let gradient = self.operands[id.index()][0];
        if self.uses[gradient.index()] > 1 {
            return false;
        }
        // Scaled once: other factors would round otherwise.
        let Some(cost) = self.cost_of.remove(&gradient) else { return false };
        let group = self.groups[cost.index()].as_mut().expect("a cost's group takes no stages");
        let Kernel::WithGradient(_, scale) = &mut group.kernel else { return false };
        *scale = *factor;
        group.writes[1] = id;
        true
    }

    /// The factor and the operand of a node that is nothing but a scaled other one, and read once.
    fn scale_of(&self, id: NodeId) -> Option<(f64, NodeId)> {
        let group = self.groups[id.index()].as_ref()?;
        match group.op()? {
            Op::Scale(Scale(factor)) if self.uses[id.index()] == 1 => Some((factor.value(), group.reads[0])),
            _ => None,
        }
    }

    fn double(&mut self, id: NodeId, op: &Op) -> bool {
        // Other factors would round otherwise.
        let Op::Scale(Scale(factor)) = op else { return false };
        let x = self.operands[id.index()][0];
        let Some((before, _)) = self.scale_of(x).filter(|_| factor.value() == 2.0) else { return false };
        let mut group = self.groups[x.index()].take().expect("checked above");
        (group.kernel, group.writes) = (Kernel::Value(Op::Scale(Scale((2.0 * before).into()))), vec![id]);
        self.groups[id.index()] = Some(group);
        true
    }

    fn sum_of_squares(&mut self, id: NodeId, op: &Op) -> bool {
        let Op::Sum(_) = op else { return false };
        let squares = self.operands[id.index()][0];
        let Some((Op::Multiply(_), [x, again])) = self.inside(squares) else { return false };
        if x != again || self.shape(id).elements() != 1 {
            return false;
        }
        self.groups[squares.index()] = None;
        self.groups[id.index()] = Some(Group::of(Kernel::SumOfSquares, vec![x], id));
        true
    }

    fn scaled(&mut self, id: NodeId, op: &Op) -> bool {
        let Op::Add(_) = op else { return false };
        let [left, right] = self.operands[id.index()][..] else { return false };
        let shape = self.shape(id);
        for (sum, scaled) in [(left, right), (right, left)] {
            let Some((factor, x)) = self.scale_of(scaled) else { continue };
            if self.is_open(sum, shape) && self.shape(x) == shape {
                self.groups[scaled.index()] = None;
                let action = Action::AddScaled(factor.into());
                self.extend(id, sum, Stage { action, position: 0, other: Some(x) });
                return true;
            }
        }
        false
    }

    fn bias(&mut self, id: NodeId, op: &Op) -> bool {
        let Op::Add(_) = op else { return false };
        let [left, right] = self.operands[id.index()][..] else { return false };
        for (product, row) in [(left, right), (right, left)] {
            let shape = self.shape(id);
            let is_bare =
                |group: &Group| matches!(group.op(), Some(Op::MatrixProduct(_) | Op::Convolution(_)));
            if self.is_open(product, shape)
                && self.groups[product.index()].as_ref().is_some_and(is_bare)
                && self.shape(row).rank() == 1
                && self.shape(row).last() == shape.last()
            {
                let mut group = self.groups[product.index()].take().expect("checked above");
                if let Kernel::Value(op) = group.kernel {
                    group.kernel = Kernel::FromRow(op);
                }
                group.reads.push(row);
                group.writes = vec![id];
                self.groups[id.index()] = Some(group);
                return true;
            }
        }
        false
    }

    fn slope(&mut self, id: NodeId, op: &Op) -> bool {
        let Op::Multiply(_) = op else { return false };
        let [left, right] = self.operands[id.index()][..] else { return false };
        for (y_bar, factor) in [(left, right), (right, left)] {
            let Some((slope, y, inner)) = self.slope_of(factor) else { continue };
            let shape = self.shape(id);
            if self.is_open(y_bar, shape) && self.shape(y) == shape {
                for inner in [Some(factor), inner].into_iter().flatten() {
                    self.groups[inner.index()] = None;
                }
                self.extend(
                    id,
                    y_bar,
                    Stage { action: Action::TimesSlope(slope), position: 0, other: Some(y) },
                );
                return true;
            }
        }
        false
    }

    /// If a node that is read once is the slope of an activation: which, the activation's result y, and the node
    /// between them. No other rewrite has changed the node between: y is read twice, so its group is not open.
    fn slope_of(&self, factor: NodeId) -> Option<(Slope, NodeId, Option<NodeId>)> {
        let (op, [left, right]) = self.inside(factor)?;
        match op {
            // A step in place of relu(z) would leave no y to read.
            Op::Step(_) => {
                let is_apart = self.groups[factor.index()].as_ref()?.epilogue.is_empty();
                is_apart.then_some((Slope::Relu, left, None))
            }
            Op::Subtract(_) if self.is_one(left) => {
                let (Op::Multiply(_), [y, again]) = self.inside(right)? else { return None };
                (y == again).then_some((Slope::Tanh, y, Some(right)))
            }
            Op::Multiply(_) => [(left, right), (right, left)].into_iter().find_map(|(y, rest)| {
                let (Op::Subtract(_), [one, again]) = self.inside(rest)? else { return None };
                (self.is_one(one) && again == y).then_some((Slope::Sigmoid, y, Some(rest)))
            }),
            _ => None,
        }
    }

    fn stage(&mut self, id: NodeId, op: &Op) -> bool {
        if !op.is_in_place() {
            return false;
        }
        let shape = self.shape(id);
        let operands = self.operands[id.index()].clone();
        let other = |position: usize| (operands.len() == 2).then(|| operands[1 - position]);
        let candidates = (0..operands.len()).filter(|&position| {
            self.is_open(operands[position], shape)
                && other(position).is_none_or(|other| Pattern::of(self.shape(other), shape) != Pattern::Other)
        });
        let is_product = |position: &usize| {
            let group = self.groups[operands[*position].index()].as_ref();
            group.is_some_and(|group| {
                use Kernel::{FromRow, Value};
                let (Value(op) | FromRow(op)) = &group.kernel else { return false };
                matches!(op, Op::MatrixProduct(_) | Op::Convolution(_))
            })
        };
        // The epilogue of a product is preferred: it works on blocks that are in cache.
        let Some(position) = candidates.max_by_key(is_product) else { return false };
        let stage = Stage { action: Action::Apply(op.clone()), position, other: other(position) };
        self.extend(id, operands[position], stage);
        true
    }

    fn extend(&mut self, id: NodeId, tail: NodeId, stage: Stage) {
        let mut group = self.groups[tail.index()].take().expect("an open result ends a group");
        group.epilogue.push(stage);
        group.writes = vec![id];
        self.groups[id.index()] = Some(group);
    }

    fn into_groups(mut self, kept: &[NodeId]) -> Vec<Group> {
        kept.iter().filter_map(|id| self.groups[id.index()].take()).collect()
    }
}
