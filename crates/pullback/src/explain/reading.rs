//! How a number of a graph was made, over names or over numbers: its operation's formula, or the sum that it is.
//!
//! Which numbers are added up is said by the operation ([`Op::sums`]), what a derivative is by the nodes that the
//! operation's own rule appended to the graph. Numbers without a name are written out.

use super::labels::Labels;
use super::steps::{Moves, Place, is_move};
use super::written::Written;
use crate::graph::ops::{Addend, View, ViewMut};
use crate::graph::{Graph, Kind, NodeId, Op, Shape};
use std::cell::OnceCell;

/// The most addends of a sum that are written out inside another formula.
const MOST_INSIDE: usize = 4;
/// How deep what has no name is written out.
const DEEPEST: usize = 10;

/// Whether formulas are written with names or with numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum With {
    Names,
    Numbers,
}

/// A graph with its numbers and their names.
pub(super) struct Reading<'a> {
    pub(super) graph: &'a Graph,
    values: &'a [Vec<f64>],
    pub(super) labels: Labels,
    digits: usize,
    moves: OnceCell<Moves>,
}

/// What a number is the sum of: addends as products of places, and the factor of the sum.
pub(super) struct Addends {
    /// Each with one place or, of a product, two.
    pub(super) all: Vec<Vec<Place>>,
    pub(super) factor: f64,
}

impl<'a> Reading<'a> {
    pub(super) fn new(graph: &'a Graph, values: &'a [Vec<f64>], labels: Labels, digits: usize) -> Self {
        Self { graph, values, labels, digits, moves: OnceCell::new() }
    }

    /// The number at a place.
    pub(super) fn value(&self, place: Place) -> f64 {
        self.values[place.node.index()][place.element]
    }

    fn number(&self, place: Place) -> Written {
        Written::number(self.value(place), self.digits)
    }

    /// Where a moved number came from.
    pub(super) fn resolve(&self, place: Place) -> Place {
        if !is_move(self.graph, place.node) {
            return place;
        }
        let moves = self.moves.get_or_init(|| Moves::of(self.graph, self.values));
        moves.resolve(place).unwrap_or(place)
    }

    /// A number: its name, or how it was made where it has none; its digits.
    pub(super) fn write(&self, place: Place, with: With) -> Written {
        self.inside(place, with, 0)
    }

    fn inside(&self, place: Place, with: With, depth: usize) -> Written {
        let place = if self.labels.has(place.node) { place } else { self.resolve(place) };
        let node = self.graph.node(place.node);
        if let Some(name) = self.labels.name(place.node, place.element) {
            return if with == With::Names { name } else { self.number(place) };
        }
        match &node.kind {
            Kind::Constant(_) => self.number(place),
            Kind::Operation(..) if depth < DEEPEST => {
                self.made(place, with, depth).unwrap_or_else(|| self.unnamed(place, with))
            }
            _ => self.unnamed(place, with),
        }
    }

    fn unnamed(&self, place: Place, with: With) -> Written {
        if with == With::Numbers {
            return self.number(place);
        }
        let label = self.graph.label(place.node).replace('%', "v");
        let is_single = self.graph.node(place.node).shape.elements() == 1;
        let latex = super::page::latex_name(&label);
        match is_single {
            true => Written::name(label, latex),
            false => {
                Written::name(format!("{label}[{}]", place.element), format!("{latex}_{{{}}}", place.element))
            }
        }
    }

    /// How a number was made. In a product of numbers a factor without a name is its number: `0.75 * 0.25`.
    pub(super) fn how(&self, place: Place, with: With) -> Option<Written> {
        let place = self.resolve(place);
        if with == With::Numbers
            && let Some(Op::Multiply(_)) = self.graph.node(place.node).op()
        {
            let factors = self.factors(place)?;
            return match &factors[..] {
                // Of a factor that counts, how it was made.
                [only] => self.made(*only, with, 0).or_else(|| Some(self.number(*only))),
                _ => Some(Written::product(factors.into_iter().map(|own| self.number(own)))),
            };
        }
        self.made(place, with, 0)
    }

    fn made(&self, place: Place, with: With, depth: usize) -> Option<Written> {
        let node = self.graph.node(place.node);
        let op = node.op()?;
        if let Some(Addends { all, factor }) = self.addends(place) {
            if all.len() > MOST_INSIDE {
                return None;
            }
            let terms = all.into_iter().map(|term| self.product_of(&term, with, depth));
            let sum = Written::sum(terms);
            return Some(if factor == 1.0 {
                sum
            } else {
                Written::product([sum, Written::number(factor, self.digits)])
            });
        }
        if !op.is_elementwise() {
            return None;
        }
        if let Op::Multiply(_) = op {
            let factors = self.factors(place)?;
            return Some(match &factors[..] {
                [only] => self.inside(*only, with, depth),
                _ => Written::product(factors.into_iter().map(|own| self.inside(own, with, depth + 1))),
            });
        }
        let operands: Vec<Written> =
            self.operands(place)?.into_iter().map(|own| self.inside(own, with, depth + 1)).collect();
        Some(Written::applied(op, &operands))
    }

    /// A term of a sum; a weight stands first.
    pub(super) fn product_of(&self, term: &[Place], with: With, depth: usize) -> Written {
        let mut factors = term.to_vec();
        if let [_, right] = term
            && matches!(self.graph.node(self.resolve(*right).node).kind, Kind::Parameter(_))
        {
            factors.reverse();
        }
        Written::product(factors.into_iter().map(|place| self.inside(place, with, depth + 1)))
    }

    /// What a number is the sum of, with moves resolved; absent where it is no sum.
    pub(super) fn addends(&self, place: Place) -> Option<Addends> {
        let node = self.graph.node(place.node);
        let inputs = node.inputs();
        let shapes: Vec<&Shape> = inputs.iter().map(|&input| self.graph.shape(input)).collect();
        let mut all = Vec::new();
        let read = |input: usize, element: usize| self.resolve(Place { node: inputs[input], element });
        let factor = node.op()?.sums(&shapes, &node.shape, &mut |to, addend| {
            if to == place.element {
                all.push(match addend {
                    Addend::Element(at) => vec![read(0, at)],
                    Addend::Product(left, right) => vec![read(0, left), read(1, right)],
                });
            }
        })?;
        Some(Addends { all, factor })
    }

    /// The number of each operand that a number of an operation in place is computed from.
    pub(super) fn operands(&self, place: Place) -> Option<Vec<Place>> {
        let node = self.graph.node(place.node);
        if !node.op()?.is_elementwise() {
            return None;
        }
        let of = |&input: &NodeId| {
            let element = source(self.graph.shape(input), &node.shape, place.element);
            self.resolve(Place { node: input, element })
        };
        Some(node.inputs().iter().map(of).collect())
    }

    /// The numbers whose product a number is, itself where it is no product.
    pub(super) fn factors_of(&self, place: Place) -> Vec<Place> {
        let place = self.resolve(place);
        match self.graph.node(place.node).op() {
            Some(Op::Multiply(_)) => self.factors(place).unwrap_or_else(|| vec![place]),
            _ => vec![place],
        }
    }

    /// The factors of a product; a sum that is 1, as that of the targets of one example, is left out.
    fn factors(&self, place: Place) -> Option<Vec<Place>> {
        let all = self.operands(place)?;
        let is_one = |own: &Place| {
            let is_sum = matches!(self.graph.node(own.node).op(), Some(Op::Sum(_)));
            is_sum && !self.labels.has(own.node) && self.value(*own) == 1.0
        };
        let kept: Vec<Place> = all.iter().copied().filter(|own| !is_one(own)).collect();
        Some(if kept.is_empty() { all } else { kept })
    }

    /// The operands of the last additions that made a number: what is summed where a value is used several times.
    pub(super) fn parts(&self, place: Place) -> Vec<Place> {
        let place = self.resolve(place);
        let node = self.graph.node(place.node);
        let is_whole = node.inputs().iter().all(|&input| self.graph.shape(input) == &node.shape);
        match node.op() {
            Some(Op::Add(_)) if is_whole => {
                self.operands(place).unwrap_or_default().into_iter().flat_map(|own| self.parts(own)).collect()
            }
            _ => vec![place],
        }
    }
}

/// For an element of a result, the element of an operand that broadcasts to it.
fn source(operand: &Shape, output: &Shape, element: usize) -> usize {
    let missing = output.rank() - operand.rank();
    let (mut rest, mut at, mut stride) = (element, 0, 1);
    for axis in (0..output.rank()).rev() {
        let size = output.sizes()[axis];
        let index = rest % size.max(1);
        rest /= size.max(1);
        if let Some(own) = axis.checked_sub(missing).map(|axis| operand.sizes()[axis]) {
            at += if own == 1 { 0 } else { index * stride };
            stride *= own;
        }
    }
    at
}

/// All numbers of an operation on some operands; absent where their shapes do not fit it.
pub(super) fn computed(op: &Op, parts: &[(Shape, &[f64])]) -> Option<Vec<f64>> {
    let shapes: Vec<&Shape> = parts.iter().map(|(shape, _)| shape).collect();
    let shape = op.shape(&shapes).ok()?;
    let views: Vec<View<'_, f64>> = parts.iter().map(|(shape, data)| View { shape, data }).collect();
    let mut data = vec![0.0; shape.elements()];
    op.value(&views, ViewMut { shape: &shape, data: &mut data });
    Some(data)
}
