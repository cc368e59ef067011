//! The terms of a stage: single additions, multiplications and functions, with where their numbers stand.

use super::program::multiply_adds;
use super::{Makes, Pass, Steps};
use crate::compact::Map;
use crate::explain::reading::computed;
use crate::graph::ops::{Addend, View, ViewMut};
use crate::graph::{Graph, Kind, NodeId, NodeRole, Op, Shape};
use pullback_kernels::Real;

/// An element of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The node.
    pub node: NodeId,
    /// The element, in row-major order.
    pub element: usize,
}

/// What a term does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    /// Adds a number to a sum.
    Add,
    /// Adds a product to a sum, rounded once.
    MultiplyAdd,
    /// Multiplies a finished sum by a number.
    Scale(f64),
    /// Applies the node's operation to single numbers.
    Apply,
    /// Applies the node's operation to a row, or to all its operands.
    ApplyToAll,
    /// Changes a number of a parameter by its gradient.
    Change,
}

/// One addition, multiplication or function.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// The result; of a change, the number that is changed.
    pub result: Place,
    /// How many elements it makes: more than one where it is applied to a row.
    pub count: usize,
    /// What it does.
    pub action: Action,
    /// The numbers that it reads, with moves resolved.
    pub operands: Vec<Place>,
    /// The sum before it; absent where it begins one, or makes none.
    pub before: Option<f64>,
    /// The result's number after it.
    pub value: f64,
    /// The multiply-adds in it.
    pub multiply_adds: u64,
    /// The example, where there are several.
    pub example: Option<usize>,
    /// The unit.
    pub unit: Option<usize>,
}

/// Whether an operation only moves numbers.
pub(in crate::explain) fn is_move(graph: &Graph, id: NodeId) -> bool {
    matches!(
        graph.node(id).op(),
        Some(
            Op::Reshape(_)
                | Op::Broadcast(_)
                | Op::Transpose(_)
                | Op::Concatenate(_)
                | Op::Slice(_)
                | Op::Pad(_)
                | Op::LowerTriangle(_)
                | Op::GatherRows(_)
        )
    )
}

/// Where moved numbers came from: by node, for each element its place, or none where a number was filled in.
#[derive(Debug)]
pub(in crate::explain) struct Moves(Vec<Option<Vec<Option<Place>>>>);

impl Moves {
    /// Moves numbered elements through each operation that only moves.
    pub(in crate::explain) fn of(graph: &Graph, values: &[Vec<f64>]) -> Self {
        let mut moves: Vec<Option<Vec<Option<Place>>>> = Vec::new();
        for id in graph.ids() {
            let node = graph.node(id);
            let (true, Some(op)) = (is_move(graph, id), node.op()) else {
                moves.push(None);
                continue;
            };
            // Numbers from 1, so that 0 is none; codes stay codes.
            let (mut places, mut tags) = (Vec::new(), Vec::new());
            for (at, &input) in node.inputs().iter().enumerate() {
                if at > 0 && matches!(op, Op::GatherRows(_)) {
                    tags.push(values[input.index()].clone());
                    continue;
                }
                let elements = graph.shape(input).elements();
                tags.push((0..elements).map(|element| (places.len() + element + 1) as f64).collect());
                places.extend((0..elements).map(|element| Place { node: input, element }));
            }
            let views: Vec<View<'_, f64>> = (node.inputs().iter().zip(&tags))
                .map(|(&input, data)| View { shape: graph.shape(input), data })
                .collect();
            let mut moved = vec![0.0; node.shape.elements()];
            op.value(&views, ViewMut { shape: &node.shape, data: &mut moved });
            let place = |tag: &f64| {
                let own: Place = *places.get((*tag as usize).checked_sub(1)?).filter(|_| *tag > 0.0)?;
                match &moves[own.node.index()] {
                    None => Some(own),
                    Some(before) => before[own.element],
                }
            };
            moves.push(Some(moved.iter().map(place).collect()));
        }
        Self(moves)
    }

    /// Where a number really stands: absent if it was filled in by a move.
    pub(in crate::explain) fn resolve(&self, place: Place) -> Option<Place> {
        match &self.0[place.node.index()] {
            None => Some(place),
            Some(sources) => sources[place.element],
        }
    }
}

/// The terms of one node, element by element.
type OfNode = Vec<Vec<Term>>;

impl Steps {
    /// The terms of a stage, in the order in which they are computed: as far as they do not depend on each other
    /// otherwise, example by example and unit by unit.
    pub(super) fn terms_of(&self, stage: usize) -> Vec<Term> {
        let stage = &self.stages[stage];
        if stage.pass == Pass::Update {
            return stage.parameters.iter().flat_map(|&place| self.changes(place)).collect();
        }
        let mut terms = Vec::new();
        let mut segment: Vec<(NodeId, OfNode)> = Vec::new();
        for &id in &stage.nodes {
            let own = self.terms_of_node(id, stage.makes);
            let is_own = |place: &Place, term: &Term| {
                segment.iter().find(|(node, _)| *node == place.node).is_none_or(|(_, of_node)| {
                    let made = of_node.get(place.element).and_then(|terms| terms.last());
                    made.is_some_and(|made| (made.example, made.unit) == (term.example, term.unit))
                })
            };
            let fits = own.iter().flatten().all(|term| term.operands.iter().all(|place| is_own(place, term)));
            if !fits {
                flush(&mut segment, &mut terms);
            }
            segment.push((id, own));
        }
        flush(&mut segment, &mut terms);
        terms
    }

    fn terms_of_node(&self, id: NodeId, makes: Makes) -> OfNode {
        let node = self.graph.node(id);
        let Kind::Operation(op, inputs) = &node.kind else { return Vec::new() };
        let shapes: Vec<&Shape> = inputs.iter().map(|&input| self.graph.shape(input)).collect();
        let elements = node.shape.elements();
        let value = &self.values[id.index()];
        let key = |element: usize| self.key(id, element, makes);
        let blank = |element: usize, action: Action| {
            let (example, unit) = key(element);
            Term {
                result: Place { node: id, element },
                count: 1,
                action,
                operands: Vec::new(),
                before: None,
                value: value[element],
                multiply_adds: 1,
                example,
                unit,
            }
        };
        let read = |input: usize, element: usize| Place { node: inputs[input], element };
        let mut all: OfNode = vec![Vec::new(); elements];
        let factor = op.sums(&shapes, &node.shape, &mut |to, addend| {
            let (action, operands) = match addend {
                Addend::Element(at) => (Action::Add, vec![read(0, at)]),
                Addend::Product(left, right) => (Action::MultiplyAdd, vec![read(0, left), read(1, right)]),
            };
            let number = |at: usize| self.number(operands[at]);
            let before = all[to].last().map(|last: &Term| last.value);
            let sum = before.unwrap_or(0.0);
            let value = match action {
                Action::Add => sum + number(0),
                _ => Real::mul_add(number(0), number(1), sum),
            };
            let operands =
                operands.into_iter().map(|place| self.moves.resolve(place).unwrap_or(place)).collect();
            all[to].push(Term { operands, before, value, ..blank(to, action) });
        });
        if let Some(factor) = factor {
            if factor != 1.0 {
                for (element, terms) in all.iter_mut().enumerate() {
                    let before = terms.last().map(|last| last.value);
                    terms.push(Term { before, multiply_adds: 0, ..blank(element, Action::Scale(factor)) });
                }
            }
            return all;
        }
        if op.is_elementwise() {
            // Each element by the elements that it is made of.
            let sources: Vec<Vec<usize>> = shapes.iter().map(|shape| broadcast(shape, &node.shape)).collect();
            for (element, terms) in all.iter_mut().enumerate() {
                let place = |(input, source): (usize, &Vec<usize>)| {
                    let place = read(input, source[element]);
                    self.moves.resolve(place).unwrap_or(place)
                };
                let operands = sources.iter().enumerate().map(place).collect();
                terms.push(Term { operands, ..blank(element, Action::Apply) });
            }
            return all;
        }
        let whole = multiply_adds(&self.graph, id);
        let rows = self.by_rows(id).unwrap_or(1);
        let count = elements / rows;
        for row in 0..rows {
            let of_operand = |(at, shape): (usize, &&Shape)| {
                let own = shape.elements() / rows;
                (row * own..(row + 1) * own).map(|element| read(at, element)).collect::<Vec<_>>()
            };
            let operands = shapes.iter().enumerate().flat_map(of_operand);
            let operands = operands.map(|place| self.moves.resolve(place).unwrap_or(place)).collect();
            let (example, _) = key(row * count);
            let first = Term {
                count,
                operands,
                multiply_adds: whole / rows as u64,
                example: if rows > 1 { example } else { None },
                unit: None,
                ..blank(row * count, Action::ApplyToAll)
            };
            all[row * count].push(first);
        }
        // Those that a row makes are known under its first.
        for row in 0..rows {
            let first = all[row * count][0].clone();
            for element in 1..count {
                all[row * count + element].push(Term {
                    count: 0,
                    multiply_adds: 0,
                    operands: Vec::new(),
                    ..first.clone()
                });
            }
        }
        all
    }

    /// The number of rows that an operation works on one by one, found by doing so.
    fn by_rows(&self, id: NodeId) -> Option<usize> {
        let node = self.graph.node(id);
        let op = node.op()?;
        let shapes: Vec<&Shape> = node.inputs().iter().map(|&input| self.graph.shape(input)).collect();
        let first = shapes.first()?;
        let rows = first.elements() / first.last().max(1);
        let fits = |elements: usize| rows > 0 && elements.is_multiple_of(rows);
        if rows < 2 || !shapes.iter().all(|shape| fits(shape.elements())) || !fits(node.shape.elements()) {
            return None;
        }
        let mut all = Vec::new();
        for row in 0..rows {
            let parts: Vec<(Shape, &[f64])> = (node.inputs().iter().zip(&shapes))
                .map(|(input, shape)| {
                    let own = shape.elements() / rows;
                    (Shape::from([1, own]), &self.values[input.index()][row * own..][..own])
                })
                .collect();
            all.extend(computed(op, &parts)?);
        }
        let is_same = |(left, right): (&f64, &f64)| left.to_bits() == right.to_bits();
        (all.len() == node.shape.elements() && all.iter().zip(&self.values[id.index()]).all(is_same))
            .then_some(rows)
    }

    /// The example and the unit that an element is of.
    fn key(&self, id: NodeId, element: usize, makes: Makes) -> (Option<usize>, Option<usize>) {
        let node = self.graph.node(id);
        let sizes = node.shape.sizes();
        let last = node.shape.last().max(1);
        if let (Makes::Gradients, NodeRole::GradientOf(of)) = (makes, node.origin.role)
            && self.graph.shape(of) == &node.shape
        {
            return (None, Some(if sizes.len() > 1 { element / last } else { element }));
        }
        // Regularization is of no unit: it counts all weights together.
        if node.origin.role == NodeRole::Regularization {
            return (None, None);
        }
        let outer = node.shape.elements() / last;
        if let ([rows], true) = (sizes, self.rows > 1)
            && *rows == self.rows
        {
            return (Some(element), None);
        }
        let has_examples = self.rows > 1 && sizes.len() > 1 && outer.is_multiple_of(self.rows);
        let example = has_examples.then(|| element / last / (outer / self.rows));
        (example, (!sizes.is_empty()).then_some(element % last))
    }

    /// The changes of a parameter's numbers.
    fn changes(&self, place: usize) -> Vec<Term> {
        let Some(update) = &self.update else { return Vec::new() };
        let node = update.trace.lowered().parameters[place];
        let shape = self.graph.shape(node);
        let gradient = update.trace.gradient_node(place);
        (0..shape.elements())
            .map(|element| {
                let own = Place { node, element };
                let gradient = Place { node: gradient, element };
                Term {
                    result: own,
                    count: 1,
                    action: Action::Change,
                    operands: vec![own, self.moves.resolve(gradient).unwrap_or(gradient)],
                    before: Some(self.values[node.index()][element]),
                    value: update.new[place][element],
                    multiply_adds: 0,
                    example: None,
                    unit: Some(if shape.rank() > 1 { element / shape.last() } else { element }),
                }
            })
            .collect()
    }

    /// The number at a place, moves resolved or not.
    pub(super) fn number(&self, place: Place) -> f64 {
        self.values[place.node.index()][place.element]
    }

    /// Computes everything again, term by term, from what is given alone: the numbers of all nodes, and the new
    /// parameters.
    pub fn replay(&self) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let mut found: Vec<Vec<f64>> = (self.graph.ids())
            .map(|id| match self.graph.node(id).kind {
                Kind::Operation(..) => vec![f64::NAN; self.values[id.index()].len()],
                _ => self.values[id.index()].clone(),
            })
            .collect();
        let mut changed =
            self.update.as_ref().map_or_else(Vec::new, |update| update.example.parameters.clone());
        for stage in 0..self.stages.len() {
            if self.stages[stage].pass == Pass::Update {
                self.replay_update(stage, &found, &mut changed);
                continue;
            }
            for term in self.terms_of(stage).iter().filter(|term| term.count > 0) {
                let Place { node, element } = term.result;
                // A number that a move filled in stands in the graph alone.
                let is_filled = |place: &Place| is_move(&self.graph, place.node);
                let read = |place: &Place| match is_filled(place) {
                    true => self.number(*place),
                    false => found[place.node.index()][place.element],
                };
                let numbers: Vec<f64> = term.operands.iter().map(read).collect();
                let before = if term.before.is_some() { found[node.index()][element] } else { 0.0 };
                let made = match term.action {
                    Action::Add => vec![before + numbers[0]],
                    Action::MultiplyAdd => vec![Real::mul_add(numbers[0], numbers[1], before)],
                    Action::Scale(factor) => vec![before * factor],
                    Action::Apply | Action::ApplyToAll => self.applied(term, &numbers),
                    Action::Change => Vec::new(),
                };
                found[node.index()][element..element + made.len()].copy_from_slice(&made);
            }
        }
        for id in self.graph.ids().filter(|id| is_move(&self.graph, *id)) {
            for element in 0..found[id.index()].len() {
                let place = Place { node: id, element };
                let number = match self.moves.resolve(place) {
                    Some(source) => found[source.node.index()][source.element],
                    None => self.number(place),
                };
                found[id.index()][element] = number;
            }
        }
        (found, changed)
    }

    /// The operation of a term on its numbers.
    fn applied(&self, term: &Term, numbers: &[f64]) -> Vec<f64> {
        let node = self.graph.node(term.result.node);
        let op = node.op().expect("terms are of operations");
        let shapes: Vec<&Shape> = node.inputs().iter().map(|&input| self.graph.shape(input)).collect();
        let is_row = term.count < node.shape.elements();
        let mut rest = numbers;
        let parts: Vec<(Shape, &[f64])> = (shapes.iter())
            .map(|shape| {
                let (shape, own) = match term.action {
                    Action::Apply => (Shape::scalar(), 1),
                    _ if is_row => {
                        let own = shape.elements() * term.count / node.shape.elements();
                        (Shape::from([1, own]), own)
                    }
                    _ => ((*shape).clone(), shape.elements()),
                };
                let (part, later) = rest.split_at(own);
                rest = later;
                (shape, part)
            })
            .collect();
        computed(op, &parts).unwrap_or_default()
    }

    /// The optimizer's own kernel on the gradients that were found.
    fn replay_update(&self, stage: usize, found: &[Vec<f64>], changed: &mut [Vec<f64>]) {
        let Some(update) = &self.update else { return };
        let limit = update.example.training.clip_norm;
        for &place in &self.stages[stage].parameters {
            let node = update.trace.gradient_node(place);
            let at = |element: usize| {
                let own = Place { node, element };
                self.moves.resolve(own).map_or(self.number(own), |own| found[own.node.index()][own.element])
            };
            let elements = self.values[node.index()].len();
            // The whole gradient's norm is no part of the graph.
            let gradient: Vec<f64> = match limit {
                Some(_) => update.gradients[place].clone(),
                None => (0..elements).map(at).collect(),
            };
            let kept = &update.example.kept;
            let step = kept.steps + 1;
            changed[place] =
                update.example.stepped(&update.trace, (place, &gradient), kept.of(place), step).numbers;
        }
    }

    /// Where each number of a step was made: the steps that made what its terms read, by the layer's step and the
    /// place. What is given was made in none.
    pub fn sources(&self, term: &Term) -> Vec<(Place, Option<usize>)> {
        let made = |place: &Place| self.stages.iter().position(|stage| stage.nodes.contains(&place.node));
        term.operands.iter().map(|place| (*place, made(place))).collect()
    }
}

/// Puts the terms of a segment one after another: example by example, unit by unit, node by node.
fn flush(segment: &mut Vec<(NodeId, OfNode)>, terms: &mut Vec<Term>) {
    let mut by_key: Map<(Option<usize>, Option<usize>), Vec<Term>> = Map::new();
    for (_, of_node) in segment.drain(..) {
        for term in of_node.into_iter().flatten().filter(|term| term.count > 0) {
            by_key.or_insert((term.example, term.unit), Vec::new()).push(term);
        }
    }
    terms.extend(by_key.into_iter().flat_map(|(_, own)| own));
}

/// For each element of a result, the element of an operand that broadcasts to it.
pub(super) fn broadcast(operand: &Shape, output: &Shape) -> Vec<usize> {
    let numbers: Vec<f64> = (0..operand.elements()).map(|element| element as f64).collect();
    let mut data = vec![0.0; output.elements()];
    let op = Op::from(crate::graph::ops::Broadcast { shape: output.clone() });
    op.value(&[View { shape: operand, data: &numbers }], ViewMut { shape: output, data: &mut data });
    data.into_iter().map(|element| element as usize).collect()
}
