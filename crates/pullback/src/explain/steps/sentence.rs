//! One sentence a step, in the language of a catalog: what a page says, a subtitle, a cue.

use super::program::groups;
use super::terms::{Action, Term};
use super::{Level, Makes, Pass, Step, Steps};
use crate::explain::Catalog;
use crate::explain::expression::{Circuit, Gate};
use crate::graph::Kind;
use crate::report::number::significant;

/// The most numbers that a sentence lists.
const MOST_LISTED: usize = 3;

type Values<'a> = &'a [(&'a str, &'a dyn std::fmt::Display)];

impl Steps {
    pub(super) fn sentence(&self, step: &Step, own: &[Term], catalog: &Catalog) -> String {
        match step.level {
            Level::Pass => {
                let key = match step.pass {
                    Pass::Forward => "step.pass.forward",
                    Pass::Cost => "step.pass.cost",
                    Pass::Backward => "step.pass.backward",
                    Pass::Update => "step.pass.update",
                };
                // A formula has no cost and no weights.
                let key = if self.circuit.is_some() { format!("{key}_of_formula") } else { key.to_owned() };
                catalog.say(&key, &[("count", &step.multiply_adds)])
            }
            Level::Layer => self.of_layer(step, catalog),
            Level::Example => catalog.say("step.example", &[("example", &(step.example.unwrap_or(0) + 1))]),
            Level::Unit => self.told_unit(step, own, catalog),
            Level::Term => self.told_term(step, own, catalog),
        }
    }

    fn of_layer(&self, step: &Step, catalog: &Catalog) -> String {
        if let Some((circuit, gate)) = self.gate(step) {
            return self.told_gate(step.pass, circuit, gate, catalog);
        }
        let key = match (step.pass, step.makes, step.layer) {
            (Pass::Cost, ..) => "step.layer.cost",
            (Pass::Backward, Makes::Deltas, None) => "step.layer.from_cost",
            (Pass::Backward, Makes::Gradients, None) => "step.layer.gradients_of_none",
            (Pass::Update, _, None) => "step.layer.weights_of_none",
            (_, Makes::Values, _) => "step.layer.values",
            (_, Makes::Deltas, _) => "step.layer.deltas",
            (_, Makes::Gradients, _) => "step.layer.gradients",
            (_, Makes::Weights, _) => "step.layer.weights",
        };
        let (optimizer, rate) = self.optimizer();
        let sentence = catalog.say(
            key,
            &[
                ("layer", &self.layer_name(step.layer.unwrap_or(0), catalog)),
                ("count", &step.multiply_adds),
                ("optimizer", &optimizer),
                ("rate", &rate),
            ],
        );
        // A sentence may begin with the name of a layer.
        let mut letters = sentence.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    }

    /// What a layer is called, as on a page: by its number where it has weights, else by what it does.
    fn layer_name(&self, group: usize, catalog: &Catalog) -> String {
        let Some((_, trace)) = self.network() else { return String::new() };
        let network = trace.network();
        let Some(first) = groups(network).iter().position(|own| *own == group) else { return String::new() };
        if let Some(at) = trace.dense().iter().position(|dense| dense.layer == first) {
            return catalog.say("layer_name", &[("layer", &(at + 1))]);
        }
        let mut filters = trace.images().iter().filter(|images| images.filters.is_some());
        match filters.position(|images| images.layer == first) {
            Some(at) => catalog.say("convolution_name", &[("layer", &(at + 1))]),
            None => catalog.described(&network.layers[first].describe()),
        }
    }

    /// The gate of a step, and the formula that it is in.
    pub(super) fn gate(&self, step: &Step) -> Option<(&Circuit, &Gate)> {
        let circuit = self.circuit.as_ref()?;
        Some((circuit, circuit.gates.get(step.gate?)?))
    }

    fn told_gate(&self, pass: Pass, circuit: &Circuit, gate: &Gate, catalog: &Catalog) -> String {
        let number = |x: f64| significant(x, self.digits);
        let value = number(circuit.value(gate.node));
        if pass == Pass::Forward {
            let numbers = gate.with_numbers(self.digits);
            return catalog
                .say("step.gate.value", &[("gate", &gate.name), ("numbers", &numbers), ("value", &value)]);
        }
        let arrives = number(circuit.derivative(gate.node));
        let passed: Vec<String> = (gate.operands.iter())
            .filter_map(|own| {
                own.local?;
                let values: Values<'_> = &[("passed", &number(own.passed?)), ("operand", &own.name)];
                Some(catalog.say("step.gate.passed", values))
            })
            .collect();
        let key = if gate.node == circuit.output { "step.gate.begins" } else { "step.gate.passes" };
        let list = passed.join(", ");
        catalog.say(key, &[("gate", &gate.name), ("arrives", &arrives), ("list", &list)])
    }

    /// A gate as a formula, and in numbers; backwards, what it passes on.
    pub(super) fn of_gate(&self, step: &Step) -> Option<(String, String)> {
        let (circuit, gate) = self.gate(step)?;
        let number = |x: f64| significant(x, self.digits);
        if step.pass == Pass::Forward {
            let value = number(circuit.value(gate.node));
            let formula = format!("{} = {}", gate.name, gate.formula);
            return Some((formula, format!("{} = {value}", gate.with_numbers(self.digits))));
        }
        let f = &circuit.output_name;
        let arrives = in_product(number(circuit.derivative(gate.node)));
        let passed = gate.operands.iter().filter_map(|own| {
            let (local, passed) = (in_product(number(own.local?)), number(own.passed?));
            let sign = if circuit.passed_to(own.node).len() > 1 { "+=" } else { "=" };
            Some((
                format!("d{f}/d{} {sign} d{f}/d{} * d{}/d{}", own.name, gate.name, gate.name, own.name),
                format!("{arrives} * {local} = {passed}"),
            ))
        });
        let (formulas, numbers): (Vec<String>, Vec<String>) = passed.unzip();
        Some((formulas.join("; "), numbers.join("; ")))
    }

    fn told_unit(&self, step: &Step, own: &[Term], catalog: &Catalog) -> String {
        let number = |x: f64| significant(x, self.digits);
        // The last term of each result.
        let mut made: Vec<&Term> = Vec::new();
        for term in own {
            match made.iter_mut().find(|known| known.result == term.result) {
                Some(known) => *known = term,
                None => made.push(term),
            }
        }
        let name = |term: &Term| self.label(self.shown(term));
        let named: Vec<&Term> =
            made.iter().copied().filter(|term| self.has_label(term.result.node)).collect();
        let Some(&last) = named.last().or(made.last()) else { return String::new() };
        let before = if let [.., before, _] = &named[..] { Some(*before) } else { None };
        let (is_weighted, has_bias) = (
            own.iter().any(|term| term.action == Action::MultiplyAdd),
            own.iter().any(|term| term.operands.iter().any(|place| self.is_bias(*place))),
        );
        let (optimizer, rate) = self.optimizer();
        let changes = |term: &&Term| term.before.filter(|_| term.action == Action::Change);
        let stays = |term: &&Term| changes(term).is_some_and(|old| number(old) == number(term.value));
        // Weights before biases; what a step leaves as it is is said apart.
        let mut listed = if named.is_empty() { vec![last] } else { named.clone() };
        listed.sort_by_key(|term| self.is_of_bias(term));
        let (still, listed): (Vec<&Term>, Vec<&Term>) = listed.into_iter().partition(stays);
        let biases = listed.iter().filter(|term| self.is_of_bias(term)).count();
        let moved = match (biases, listed.len() - biases) {
            (0, _) => "weights",
            (_, 0) => "biases",
            _ => "weights_and_biases",
        };
        let moves = format!("step.unit.{moved}");
        let moves_by = format!("step.unit.{moved}_by");
        let key = match (step.pass, step.makes) {
            (Pass::Cost, _) if self.has_label(last.result.node) && step.unit.is_none() => "step.unit.cost",
            (Pass::Cost, _) => "step.unit.cost_part",
            (_, Makes::Values) => match (is_weighted, has_bias, before.is_some()) {
                (true, true, true) => "step.unit.sum_bias_activation",
                (true, false, true) => "step.unit.sum_activation",
                (true, true, false) => "step.unit.sum_bias",
                (true, false, false) => "step.unit.sum",
                (false, ..) => "step.unit.value",
            },
            (_, Makes::Deltas) => match (before, is_weighted) {
                (Some(_), true) => "step.unit.delta_of_sum",
                (Some(_), false) => "step.unit.delta_of_cost",
                (None, true) => "step.unit.delta_straight",
                (None, false) => "step.unit.delta",
            },
            (_, Makes::Gradients) => "step.unit.gradients",
            (_, Makes::Weights) if optimizer == "sgd" => &moves,
            (_, Makes::Weights) => &moves_by,
        };
        let tell = |term: &&Term| match changes(term).filter(|_| !stays(term)) {
            Some(old) => format!("{} {} → {}", name(term), number(old), number(term.value)),
            None => format!("{} = {}", name(term), number(term.value)),
        };
        let list_of = |terms: &[&Term]| {
            let more = if terms.len() > MOST_LISTED { ", ..." } else { "" };
            terms.iter().take(MOST_LISTED).map(tell).collect::<Vec<_>>().join(", ") + more
        };
        let unmoved = match still.is_empty() {
            true => String::new(),
            false => catalog.say("step.unit.stays", &[("list", &list_of(&still))]),
        };
        if listed.is_empty() {
            return unmoved;
        }
        let arriving = before.map_or(String::new(), name);
        let arrived = before.map_or(String::new(), |term| number(term.value));
        let sources = before.or(Some(last)).map_or(0, |term| {
            own.iter().filter(|own| own.result == term.result && own.action == Action::MultiplyAdd).count()
        });
        let unit = step.unit.map_or(String::new(), |unit| self.output_name(unit));
        let told = catalog.say(
            key,
            &[
                ("made", &name(last)),
                ("value", &number(last.value)),
                ("before", &arriving),
                ("arrived", &arrived),
                ("count", &sources),
                ("unit", &unit),
                ("list", &list_of(&listed)),
                ("optimizer", &optimizer),
                ("rate", &rate),
            ],
        );
        if unmoved.is_empty() { told } else { format!("{told} {unmoved}") }
    }

    fn told_term(&self, step: &Step, own: &[Term], catalog: &Catalog) -> String {
        let Some(term) = step.term.as_ref().or(own.last()) else { return String::new() };
        let action = match (term.action, term.before.is_some()) {
            (Action::MultiplyAdd, false) => "multiply",
            (Action::MultiplyAdd, true) => "multiply_add",
            (Action::Add, false) => "begin",
            (Action::Add, true) => "add",
            (Action::Scale(_), _) => "scale",
            (Action::Apply | Action::ApplyToAll, _) => "apply",
            (Action::Change, _) => "change",
        };
        let is_swapped = term.action == Action::MultiplyAdd && self.is_parameter(term.operands[1]);
        let operand = |at: usize| {
            let at = if is_swapped { 1 - at } else { at };
            term.operands.get(at).map_or(String::new(), |place| self.label(*place))
        };
        let factor = match term.action {
            Action::Scale(factor) => significant(factor, self.digits),
            _ => String::new(),
        };
        catalog.say(
            &format!("step.term.{action}"),
            &[
                ("made", &self.label(self.shown(term))),
                ("value", &significant(term.value, self.digits)),
                ("left", &operand(0)),
                ("right", &operand(1)),
                ("operation", &self.graph.node(term.result.node).op().map_or("", |op| op.name())),
                ("factor", &factor),
            ],
        )
    }

    /// What an output is called: as the file names it, else its number from 1.
    pub(in crate::explain) fn output_name(&self, unit: usize) -> String {
        let names = self.update.as_ref().map(|update| &update.example.names.outputs);
        names.and_then(|names| names.get(unit).cloned()).unwrap_or_else(|| (unit + 1).to_string())
    }

    fn optimizer(&self) -> (String, String) {
        let Some(update) = &self.update else { return Default::default() };
        let training = &update.example.training;
        (training.optimizer.name().to_owned(), training.learning_rate().to_string())
    }

    /// Whether a number is a bias: a parameter of one number a unit.
    fn is_bias(&self, place: super::Place) -> bool {
        let node = self.graph.node(self.moves.resolve(place).unwrap_or(place).node);
        matches!(node.kind, Kind::Parameter(_)) && node.shape.rank() < 2
    }

    fn is_of_bias(&self, term: &Term) -> bool {
        self.graph.shape(term.result.node).rank() < 2
    }
}

/// A number as a factor: parentheses keep its sign from the sign before it.
fn in_product(number: String) -> String {
    if number.starts_with('-') { format!("({number})") } else { number }
}
