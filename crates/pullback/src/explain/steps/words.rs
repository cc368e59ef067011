//! Steps in words: a formula, the same in numbers, and one sentence in the language of a catalog.

use super::terms::{Action, Place, Term};
use super::{Level, Step, Steps};
use crate::explain::Catalog;
use crate::explain::expression::Circuit;
use crate::explain::labels::Labels;
use crate::graph::ops::Addend;
use crate::graph::{Kind, NodeId};
use crate::report::number::significant;

/// A step in words.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Said {
    /// What is computed: `net_h1 = w1 * i1`; empty for a step of several numbers.
    pub formula: String,
    /// The same in numbers: `0.15 * 0.05 = 0.0075`.
    pub numbers: String,
    /// What is read, with its number and where that came from.
    pub sources: Vec<Source>,
    /// One sentence.
    pub sentence: String,
}

/// A number that a step reads.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Source {
    /// What it is called.
    pub name: String,
    /// The number.
    pub number: String,
    /// The step at the level of layers that made it, counted from 0; absent where it is given.
    pub made_in: Option<usize>,
}

/// The most addends that a formula shows.
const MOST_ADDENDS: usize = 8;
/// How deep an intermediate result is written out.
const DEEPEST: usize = 4;

/// The names of the numbers of a formula.
pub(super) fn labels_of_circuit(circuit: &Circuit) -> Labels {
    let mut labels = Labels::of_singles();
    let gates = circuit.gates.iter().map(|gate| (&gate.name, gate.node));
    let named = circuit.variables.iter().map(|(name, node)| (name, *node)).chain(gates);
    for (name, node) in named {
        labels.single(node, name, None);
        if let Some(bar) = circuit.adjoints[node.index()] {
            labels.single(bar, "", Some((&circuit.output_name, name)));
        }
    }
    labels
}

/// Whether formulas are written with names or with numbers.
#[derive(Clone, Copy, PartialEq)]
enum With {
    Names,
    Numbers,
}

impl Steps {
    /// A step in words.
    pub fn describe(&self, step: &Step, catalog: &Catalog) -> Said {
        // Passes and layers are told without their terms, which may be many.
        let terms = if step.level > Level::Example { self.terms_of(step.stages.0) } else { Vec::new() };
        let own = self.terms_in(step, &terms);
        let (formula, numbers) = match (&step.term, step.level) {
            (Some(term), _) => self.of_term(term),
            (None, Level::Unit) => self.of_unit(own),
            (None, Level::Layer) if step.gate.is_some() => self.of_gate(step).unwrap_or_default(),
            _ => (String::new(), String::new()),
        };
        let sources = step.term.iter().flat_map(|term| self.sources(term)).map(|(place, made_in)| Source {
            name: self.name(place, With::Names, 1),
            number: significant(self.number(place), self.digits),
            made_in,
        });
        Said { formula, numbers, sources: sources.collect(), sentence: self.sentence(step, own, catalog) }
    }

    /// The terms of a step, of those of its first stage.
    pub(super) fn terms_in<'t>(&self, step: &Step, terms: &'t [Term]) -> &'t [Term] {
        &terms[step.terms.0.min(terms.len())..step.terms.1.min(terms.len())]
    }

    /// Whether a number has a name of its own.
    pub(in crate::explain) fn has_label(&self, node: NodeId) -> bool {
        self.labels.has(node)
    }

    /// What a number is called.
    pub fn label(&self, place: Place) -> String {
        self.name(place, With::Names, 1)
    }

    /// Where the result of a term is named: a sum without its bias yet is called as the whole.
    pub(super) fn shown(&self, term: &Term) -> Place {
        let place = term.result;
        if self.labels.has(place.node) {
            return place;
        }
        let shape = self.graph.shape(place.node);
        let origin = &self.graph.node(place.node).origin;
        let is_whole = |id: &NodeId| {
            let other = self.graph.node(*id);
            self.labels.has(*id)
                && other.shape == *shape
                && other.origin.role == origin.role
                && other.origin.layer == origin.layer
                && other.inputs().contains(&place.node)
        };
        match self.graph.ids().find(is_whole) {
            Some(node) => Place { node, element: place.element },
            None => place,
        }
    }

    fn of_term(&self, term: &Term) -> (String, String) {
        let name = |place: Place| self.name(place, With::Names, 1);
        let number = |x: f64| significant(x, self.digits);
        let made = name(self.shown(term));
        let value = number(term.value);
        let read: Vec<(String, String)> = term
            .operands
            .iter()
            .map(|place| (name(*place), in_product(&number(self.number(*place)))))
            .collect();
        let before = term.before.map(number);
        let sum = |addend: &str| match &before {
            Some(before) => plus(before, addend),
            None => addend.to_owned(),
        };
        match term.action {
            Action::Add => (
                if before.is_some() {
                    format!("{made} += {}", read[0].0)
                } else {
                    format!("{made} = {}", read[0].0)
                },
                format!("{} = {value}", sum(&number(self.number(term.operands[0])))),
            ),
            Action::MultiplyAdd => {
                let [left, right] = if self.is_parameter(term.operands[1]) { [1, 0] } else { [0, 1] };
                let formula = format!("{} * {}", read[left].0, read[right].0);
                let product = format!("{} * {}", read[left].1, read[right].1);
                let sign = if before.is_some() { "+=" } else { "=" };
                (format!("{made} {sign} {formula}"), format!("{} = {value}", sum(&product)))
            }
            Action::Scale(factor) => {
                let before = in_product(&before.unwrap_or_default());
                (format!("{made} *= {}", number(factor)), format!("{before} * {} = {value}", number(factor)))
            }
            Action::Apply => (
                format!("{made} = {}", self.applied_text(term.result, With::Names, 0)),
                format!("{} = {value}", self.applied_text(term.result, With::Numbers, 0)),
            ),
            Action::ApplyToAll => {
                let node = self.graph.node(term.result.node);
                let operands: Vec<String> = node.inputs().iter().map(|&id| self.name_of_node(id)).collect();
                let formula = node.op().map_or(String::new(), |op| op.formula().text(&operands));
                (format!("{} = {formula}", self.name_of_node(term.result.node)), format!("= {value}"))
            }
            Action::Change => self.of_change(term, &read, &value),
        }
    }

    /// Plain gradient descent has a formula of the numbers at hand; the others are told by their names.
    fn of_change(&self, term: &Term, read: &[(String, String)], value: &str) -> (String, String) {
        let Some(update) = &self.update else { return Default::default() };
        let training = &update.example.training;
        let (w, g) = (&read[0].0, &read[1].0);
        let rate = training.learning_rate();
        let old = significant(self.number(term.operands[0]), self.digits);
        match training.optimizer {
            crate::train::Optimizer::Sgd if training.clip_norm.is_none() => {
                (format!("{w} = {w} - rate * {g}"), format!("{old} - {rate} * {} = {value}", read[1].1))
            }
            _ => (format!("{w} = {}({w}, {g})", training.optimizer.name()), format!("{old} -> {value}")),
        }
    }

    /// The named results of a unit, each with its formula.
    fn of_unit(&self, own: &[Term]) -> (String, String) {
        let mut last: Vec<&Term> = Vec::new();
        for term in own {
            match last.iter_mut().find(|known| known.result == term.result) {
                Some(known) => *known = term,
                None => last.push(term),
            }
        }
        let has_name = |term: &&&Term| self.labels.has(term.result.node);
        let named: Vec<&&Term> = last.iter().filter(has_name).collect();
        let shown: Vec<&Term> = if named.is_empty() {
            last.last().copied().into_iter().collect()
        } else {
            named.into_iter().copied().collect()
        };
        let few = &shown[..shown.len().min(MOST_ADDENDS)];
        let line = |term: &Term| match term.action {
            Action::Change | Action::ApplyToAll => self.of_term(term),
            _ => (
                format!(
                    "{} = {}",
                    self.name(term.result, With::Names, 1),
                    self.applied_text(term.result, With::Names, 0)
                ),
                format!(
                    "{} = {}",
                    self.applied_text(term.result, With::Numbers, 0),
                    significant(term.value, self.digits)
                ),
            ),
        };
        let (names, numbers): (Vec<String>, Vec<String>) = few.iter().map(|term| line(term)).unzip();
        let more = if shown.len() > few.len() { "; ..." } else { "" };
        (names.join("; ") + more, numbers.join("; ") + more)
    }

    /// The name of a number, or its number; without a name, how it was made.
    fn name(&self, place: Place, with: With, depth: usize) -> String {
        let node = self.graph.node(place.node);
        if let (With::Numbers, true) = (with, depth > 0) {
            let is_inside = node.op().is_some() && !self.labels.has(place.node) && depth < DEEPEST;
            if !is_inside {
                return in_product(&significant(self.number(place), self.digits));
            }
        }
        if let Some(name) = self.labels.name(place.node, place.element) {
            return name.text;
        }
        match &node.kind {
            Kind::Constant(number) => significant(number.value(), self.digits),
            Kind::Operation(op, _) if depth < DEEPEST && (op.is_in_place() || self.is_sum(place)) => {
                format!("({})", self.applied_text(place, with, depth))
            }
            Kind::Input(name) | Kind::Parameter(name) => format!("{name}[{}]", place.element),
            Kind::Operation(..) => match self.moves.resolve(place) {
                Some(source) if source != place => self.name(source, with, depth),
                _ if node.shape.elements() == 1 => self.graph.label(place.node),
                _ => format!("{}[{}]", self.graph.label(place.node), place.element),
            },
        }
    }

    /// Whether a factor is a weight, which people write first.
    pub(super) fn is_parameter(&self, place: Place) -> bool {
        let source = self.moves.resolve(place).unwrap_or(place);
        matches!(self.graph.node(source.node).kind, Kind::Parameter(_))
    }

    fn is_sum(&self, place: Place) -> bool {
        self.addends(place).is_some_and(|(addends, _)| addends.len() <= MOST_ADDENDS)
    }

    /// What a number is the sum of.
    fn addends(&self, place: Place) -> Option<(Vec<Addend>, f64)> {
        let node = self.graph.node(place.node);
        let shapes: Vec<_> = node.inputs().iter().map(|&input| self.graph.shape(input)).collect();
        let mut own = Vec::new();
        let factor = node.op()?.sums(&shapes, &node.shape, &mut |to, addend| {
            if to == place.element {
                own.push(addend);
            }
        })?;
        Some((own, factor))
    }

    /// How a number was made, over names or numbers.
    fn applied_text(&self, place: Place, with: With, depth: usize) -> String {
        let node = self.graph.node(place.node);
        let Kind::Operation(op, inputs) = &node.kind else { return self.name(place, with, depth + 1) };
        let read = |input: usize, element: usize| {
            let place = Place { node: inputs[input], element };
            self.name(self.moves.resolve(place).unwrap_or(place), with, depth + 1)
        };
        if let Some((addends, factor)) = self.addends(place) {
            let shown = addends.iter().take(MOST_ADDENDS).map(|addend| match *addend {
                Addend::Element(at) => read(0, at),
                Addend::Product(left, right) => {
                    let is_weight = self.is_parameter(Place { node: inputs[1], element: right });
                    let (left, right) = (read(0, left), read(1, right));
                    if is_weight { format!("{right} * {left}") } else { format!("{left} * {right}") }
                }
            });
            let mut text =
                shown.reduce(|sum, addend| format!("{sum} + {addend}")).unwrap_or_else(|| "0".into());
            if addends.len() > MOST_ADDENDS {
                text.push_str(" + ...");
            }
            return if factor == 1.0 {
                text
            } else {
                format!("({text}) * {}", significant(factor, self.digits))
            };
        }
        if op.is_in_place() {
            // The same elements as those of the term.
            let terms = self.operands_of(place);
            let operands: Vec<String> =
                terms.iter().map(|place| self.name(*place, with, depth + 1)).collect();
            return op.formula().text(&operands);
        }
        let operands: Vec<String> = inputs.iter().map(|&id| self.name_of_node(id)).collect();
        op.formula().text(&operands)
    }

    fn operands_of(&self, place: Place) -> Vec<Place> {
        let node = self.graph.node(place.node);
        node.inputs()
            .iter()
            .map(|&input| {
                let source = super::terms::broadcast(self.graph.shape(input), &node.shape)[place.element];
                let own = Place { node: input, element: source };
                self.moves.resolve(own).unwrap_or(own)
            })
            .collect()
    }

    /// What all numbers of a node are called together.
    fn name_of_node(&self, id: NodeId) -> String {
        self.labels.common(id).unwrap_or_else(|| self.graph.label(id))
    }
}

/// A number as a factor: parentheses keep its sign from the sign before it.
fn in_product(number: &str) -> String {
    if number.starts_with('-') { format!("({number})") } else { number.to_owned() }
}

fn plus(left: &str, right: &str) -> String {
    match right.strip_prefix('-') {
        Some(rest) => format!("{left} - {rest}"),
        None => format!("{left} + {right}"),
    }
}
