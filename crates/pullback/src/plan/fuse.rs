//! Joins steps, so that numbers are read and written while they are near: named rewrites over the list
//! of steps, each of which keeps the value.
//!
//! - *step of relu*: `step(z)` is `step(relu(z))`, so that z itself need not be kept.
//! - *broadcast*: an operation on pairs reads what a broadcast repeats, and repeats it itself.
//! - *gradient of a cost*: `softmax(z) * sum(t) - t` comes with softmax cross-entropy, whose exponentials it needs,
//!   and `sigmoid(z) - t` with sigmoid cross-entropy; scaled, if nothing else is done with it.
//! - *double*: `x + x` is `2 * x`, and of a scaled x, x scaled by twice as much.
//! - *sum of squares*: `sum(x * x)` does not write the squares.
//! - *bias*: a row added to a product or a convolution is what its sums start from.
//! - *scaled*: what adds `c * x` scales it itself.
//! - *slope*: `y_bar * (1 - y * y)`, `y_bar * (y * (1 - y))` and `y_bar * step(y)` are one stage.
//! - *stage*: what is done to each element of a result that nobody else reads is done in place.

use super::Action;
use super::share::Shared;
use crate::graph::ops::{Pattern, Scale, Sum};
use crate::graph::{Graph, Kind, NodeId, Op, Scalar, Shape};

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

/// Nodes that are computed together. Its result is the value of `tail`.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) op: Op,
    pub(super) operands: Vec<NodeId>,
    /// The row that a product starts from.
    pub(super) row: Option<NodeId>,
    /// Whether the operation is of the squares of its operand.
    pub(super) of_squares: bool,
    /// The node whose value is the gradient of a cost with respect to its logits, scaled by that.
    pub(super) gradient: Option<(NodeId, Scalar)>,
    pub(super) stages: Vec<Stage>,
    pub(super) tail: NodeId,
}

impl Group {
    /// Everything that it reads.
    pub(super) fn reads(&self) -> impl Iterator<Item = NodeId> {
        let others = self.stages.iter().filter_map(|stage| stage.other);
        self.operands.iter().copied().chain(self.row).chain(others)
    }

    /// Whether it computes that node's value.
    pub(super) fn makes(&self, id: NodeId) -> bool {
        self.tail == id || self.gradient.is_some_and(|(gradient, _)| gradient == id)
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
    /// The costs met so far that can bring their gradient.
    costs: Vec<NodeId>,
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
        // From the last node on, so that what is no longer read counts for nothing.
        for id in shared.kept.iter().rev() {
            if uses[id.index()] > 0 {
                for x in &operands[id.index()] {
                    uses[x.index()] += 1;
                }
            }
        }
        let groups = vec![None; graph.nodes().len()];
        Self { graph, operands, uses, groups, costs: Vec::new() }
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
            && self.groups[id.index()].is_some()
            && !self.costs.contains(&id)
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
        let has_gradient = match op {
            Op::SoftmaxCrossEntropy(_) => true,
            Op::SigmoidCrossEntropy(_) => self.shape(operands[0]) == self.shape(operands[1]),
            _ => false,
        };
        if has_gradient {
            self.costs.push(id);
        }
        self.groups[id.index()] = Some(Group {
            op: op.clone(),
            operands: operands.clone(),
            row: None,
            of_squares: false,
            gradient: None,
            stages: Vec::new(),
            tail: id,
        });
    }

    fn gradient_of_softmax_cross_entropy(&mut self, id: NodeId, op: &Op) -> bool {
        let Op::Subtract(_) = op else { return false };
        let (scaled, targets) = (self.operands[id.index()][0], self.operands[id.index()][1]);
        let Some((Op::Multiply(_), [softmax, sum])) = self.inside(scaled) else { return false };
        let Some((Op::Softmax(_), [logits, _])) = self.inside(softmax) else { return false };
        let Some((Op::Sum(Sum { axes, .. }), [summed, _])) = self.inside(sum) else { return false };
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

    /// Lets a node, made of the nodes `inside`, come with the cost of these logits and targets.
    fn gradient_of_cost(
        &mut self,
        id: NodeId,
        operands: [NodeId; 2],
        inside: &[NodeId],
        is_kind: impl Fn(&Op) -> bool,
    ) -> bool {
        let cost = self.costs.iter().copied().find(|cost| self.operands[cost.index()] == operands);
        let Some(group) = cost.and_then(|cost| self.groups[cost.index()].as_mut()) else { return false };
        if group.gradient.is_some() || !is_kind(&group.op) {
            return false;
        }
        group.gradient = Some((id, 1.0.into()));
        for inner in inside {
            self.groups[inner.index()] = None;
        }
        true
    }

    fn scaled_gradient(&mut self, id: NodeId, op: &Op) -> bool {
        let Op::Scale(Scale(factor)) = op else { return false };
        let gradient = self.operands[id.index()][0];
        for cost in &self.costs {
            let group = self.groups[cost.index()].as_mut().expect("a cost's group takes no stages");
            if group.gradient == Some((gradient, 1.0.into())) && self.uses[gradient.index()] == 1 {
                group.gradient = Some((id, *factor));
                return true;
            }
        }
        false
    }

    /// The factor and the operand of a node that is nothing but a scaled other one, and read once.
    fn scale_of(&self, id: NodeId) -> Option<(f64, NodeId)> {
        let group = self.groups[id.index()].as_ref()?;
        match &group.op {
            Op::Scale(Scale(factor)) if group.stages.is_empty() && self.uses[id.index()] == 1 => {
                Some((factor.value(), group.operands[0]))
            }
            _ => None,
        }
    }

    fn double(&mut self, id: NodeId, op: &Op) -> bool {
        // Other factors would round otherwise.
        let Op::Scale(Scale(factor)) = op else { return false };
        let x = self.operands[id.index()][0];
        let Some((before, _)) = self.scale_of(x).filter(|_| factor.value() == 2.0) else { return false };
        let mut group = self.groups[x.index()].take().expect("checked above");
        (group.op, group.tail) = (Op::Scale(Scale((2.0 * before).into())), id);
        self.groups[id.index()] = Some(group);
        true
    }

    fn sum_of_squares(&mut self, id: NodeId, op: &Op) -> bool {
        let Op::Sum(_) = op else { return false };
        let squares = self.operands[id.index()][0];
        let Some((Op::Multiply(_), [x, again])) = self.inside(squares) else { return false };
        let is_bare = self.groups[squares.index()].as_ref().is_some_and(|group| group.stages.is_empty());
        if x != again || !is_bare || self.shape(id).elements() != 1 {
            return false;
        }
        self.groups[squares.index()] = None;
        self.groups[id.index()] = Some(Group {
            op: op.clone(),
            operands: vec![x],
            row: None,
            of_squares: true,
            gradient: None,
            stages: Vec::new(),
            tail: id,
        });
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
            let is_bare = |group: &Group| {
                matches!(group.op, Op::MatrixProduct(_) | Op::Convolution(_))
                    && group.row.is_none()
                    && group.stages.is_empty()
            };
            if self.is_open(product, shape)
                && self.groups[product.index()].as_ref().is_some_and(is_bare)
                && self.shape(row).rank() == 1
                && self.shape(row).last() == shape.last()
            {
                let mut group = self.groups[product.index()].take().expect("checked above");
                (group.row, group.tail) = (Some(row), id);
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
            if y_bar != factor && self.is_open(y_bar, shape) && self.shape(y) == shape {
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

    /// If a node that is read once is the slope of an activation: which, the activation, and the node
    /// between.
    fn slope_of(&self, factor: NodeId) -> Option<(Slope, NodeId, Option<NodeId>)> {
        match self.slope_formula(factor)? {
            found @ (_, _, Some(inner)) if self.groups[inner.index()].is_none() => {
                // The inner node was taken into the factor's own group as its head.
                let group = self.groups[factor.index()].as_ref()?;
                (group.stages.len() == 1 && group.row.is_none()).then_some((found.0, found.1, None))
            }
            found => {
                let group = self.groups[factor.index()].as_ref()?;
                group.stages.is_empty().then_some(found)
            }
        }
    }

    fn slope_formula(&self, factor: NodeId) -> Option<(Slope, NodeId, Option<NodeId>)> {
        let (op, [left, right]) = self.inside(factor)?;
        match op {
            Op::Step(_) => Some((Slope::Relu, left, None)),
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
            group.is_some_and(|group| matches!(group.op, Op::MatrixProduct(_) | Op::Convolution(_)))
        };
        // The end of a product before others: it is in cache piece by piece.
        let Some(position) = candidates.max_by_key(is_product) else { return false };
        let stage = Stage { action: Action::Apply(op.clone()), position, other: other(position) };
        self.extend(id, operands[position], stage);
        true
    }

    fn extend(&mut self, id: NodeId, tail: NodeId, stage: Stage) {
        let mut group = self.groups[tail.index()].take().expect("an open result ends a group");
        group.stages.push(stage);
        group.tail = id;
        self.groups[id.index()] = Some(group);
    }

    fn into_groups(mut self, kept: &[NodeId]) -> Vec<Group> {
        kept.iter().filter_map(|id| self.groups[id.index()].take()).collect()
    }
}
