//! One sentence a step, in the language of a catalog: what a page says, a subtitle, a cue.

use super::program::groups;
use super::terms::{Action, Term};
use super::words::Line;
use super::{Level, Makes, Pass, Step, Steps};
use crate::compact::sort_by_key;
use crate::explain::Catalog;
use crate::explain::expression::{Circuit, Gate};
use crate::explain::update::clipped;
use crate::explain::written::Written;
use crate::graph::{Kind, NodeId, NodeRole, Op};
use crate::network::{Layer, Role};
use crate::report::number::significant;

/// The most numbers that a sentence lists.
const MOST_LISTED: usize = 3;

/// What a layer is, as far as sentences tell of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KindOfLayer {
    /// Dense or a convolution: weighted sums.
    Weighted,
    /// With a scale and a shift.
    Norm,
    /// With a scale alone.
    Scale,
    Dropout,
    Other,
}

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
            Level::Example => self.told_example(step, own, catalog),
            Level::Unit => self.told_unit(step, own, catalog),
            Level::Term => self.told_term(step, own, catalog),
        }
    }

    fn of_layer(&self, step: &Step, catalog: &Catalog) -> String {
        if let Some((circuit, gate)) = self.gate(step) {
            return self.told_gate(step.pass, circuit, gate, catalog);
        }
        let kind = self.kind_of(step.layer.unwrap_or(0));
        let is_penalty = self.stages[step.stages.0].is_penalty;
        let key = match (step.pass, step.makes, step.layer, kind) {
            (Pass::Cost, ..) if is_penalty => "step.layer.penalty",
            (Pass::Cost, ..) => "step.layer.cost",
            (Pass::Backward, Makes::Deltas, None, _) => "step.layer.from_cost",
            (Pass::Backward, Makes::Gradients, None, _) => "step.layer.gradients_of_none",
            (Pass::Update, _, None, _) => "step.layer.weights_of_none",
            (_, Makes::Values, _, KindOfLayer::Dropout) => "step.layer.dropout",
            (_, Makes::Values, ..) => "step.layer.values",
            (_, Makes::Deltas, _, KindOfLayer::Weighted) => "step.layer.deltas",
            (_, Makes::Deltas, ..) => "step.layer.deltas_through",
            (_, Makes::Gradients, _, KindOfLayer::Weighted) => match self.is_regularized(step) {
                true => "step.layer.gradients_regularized",
                false => "step.layer.gradients",
            },
            (_, Makes::Gradients, _, KindOfLayer::Norm) => "step.layer.gradients_of_norm",
            (_, Makes::Gradients, _, KindOfLayer::Scale) => "step.layer.gradients_of_scale",
            (_, Makes::Gradients, ..) => "step.layer.gradients_found",
            (_, Makes::Weights, _, KindOfLayer::Weighted) => "step.layer.weights",
            (_, Makes::Weights, ..) => "step.layer.parameters",
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
        let clipping = match step.pass {
            Pass::Update => self.told_clipping(catalog),
            _ => String::new(),
        };
        // A sentence may begin with the name of a layer.
        let sentence = capital(&sentence);
        if clipping.is_empty() { sentence } else { format!("{clipping} {sentence}") }
    }

    fn is_regularized(&self, step: &Step) -> bool {
        let Some((_, trace)) = self.network() else { return false };
        let groups = groups(trace.network());
        let is_own = |layer: Option<usize>| layer.and_then(|layer| groups.get(layer).copied()) == step.layer;
        trace.parameters().iter().any(|own| is_own(own.layer) && (own.l1 > 0.0 || own.l2 > 0.0))
    }

    /// What a layer is, as far as sentences tell of it.
    fn kind_of(&self, group: usize) -> KindOfLayer {
        let Some((_, trace)) = self.network() else { return KindOfLayer::Other };
        let network = trace.network();
        let groups = groups(network);
        let Some(first) = groups.iter().position(|own| *own == group) else { return KindOfLayer::Other };
        let is_weighted = trace.dense().iter().any(|dense| dense.layer == first)
            || trace.images().iter().any(|images| images.layer == first && images.filters.is_some());
        let roles = || trace.parameters().iter().filter(|own| own.layer == Some(first)).map(|own| own.role);
        match network.layers[first] {
            _ if is_weighted => KindOfLayer::Weighted,
            Layer::Dropout(_) => KindOfLayer::Dropout,
            _ if roles().any(|role| matches!(role, Role::Weight(_))) => KindOfLayer::Other,
            _ if roles().any(|role| role == Role::Shift) => KindOfLayer::Norm,
            _ if roles().any(|role| role == Role::Scale) => KindOfLayer::Scale,
            _ => KindOfLayer::Other,
        }
    }

    /// What a layer is called, as on a page: by its number where it has weights, else by what it does, and by its place
    /// where several do the same.
    fn layer_name(&self, group: usize, catalog: &Catalog) -> String {
        let Some((_, trace)) = self.network() else { return String::new() };
        let network = trace.network();
        let Some(first) = groups(network).iter().position(|own| *own == group) else { return String::new() };
        if let Some(at) = trace.dense().iter().position(|dense| dense.layer == first) {
            return catalog.say("layer_name", &[("layer", &(at + 1))]);
        }
        let mut filters = trace.images().iter().filter(|images| images.filters.is_some());
        if let Some(at) = filters.position(|images| images.layer == first) {
            return catalog.say("convolution_name", &[("layer", &(at + 1))]);
        }
        let own = network.layers[first].describe();
        let described = catalog.described(&own);
        let same = network.layers.iter().filter(|layer| layer.describe() == own).count();
        match same {
            1 => described,
            _ => catalog.say("layer_of_several", &[("described", &described), ("layer", &(first + 1))]),
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

    /// A gate as a formula, and in numbers; backwards, what it passes on to each operand, and what has arrived at an
    /// operand in all, once it is all there.
    pub(super) fn of_gate(&self, step: &Step) -> Vec<Line> {
        let Some((circuit, gate)) = self.gate(step) else { return Vec::new() };
        let number = |x: f64| significant(x, self.digits);
        if step.pass == Pass::Forward {
            let value = number(circuit.value(gate.node));
            let formula = format!("{} = {}", gate.name, gate.formula);
            return vec![[formula, format!("{} = {value}", gate.with_numbers(self.digits))]];
        }
        let f = &circuit.output_name;
        let arrives = in_product(number(circuit.derivative(gate.node)));
        let mut lines = Vec::new();
        for (at, own) in gate.operands.iter().enumerate() {
            let (Some(local), Some(passed)) = (own.local, own.passed) else { continue };
            let derivative = format!("d{f}/d{}", own.name);
            let product = format!("d{f}/d{} * d{}/d{}", gate.name, gate.name, own.name);
            let numbers = format!("{arrives} * {} = {}", in_product(number(local)), number(passed));
            let all = circuit.passed_to(own.node);
            if all.len() < 2 {
                lines.push([format!("{derivative} = {product}"), numbers]);
                continue;
            }
            // Of a value that is used several times, this is a part; the gates before it in the formula are still to come.
            lines.push([product, numbers]);
            let is_last_use = gate.operands[at + 1..].iter().all(|other| other.node != own.node)
                && circuit.gates.iter().all(|other| {
                    other.node >= gate.node || other.operands.iter().all(|operand| operand.node != own.node)
                });
            if is_last_use {
                let users: Vec<String> = all
                    .iter()
                    .map(|(user, _)| format!("d{f}/d{0} * d{0}/d{1}", user.name, own.name))
                    .collect();
                let parts = Written::sum(all.iter().map(|(_, passed)| Written::number(*passed, self.digits)));
                let total = number(circuit.derivative(own.node));
                lines.push([
                    format!("{derivative} = {}", users.join(" + ")),
                    format!("{} = {total}", parts.text),
                ]);
            }
        }
        lines
    }

    fn told_unit(&self, step: &Step, own: &[Term], catalog: &Catalog) -> String {
        let finished = self.finished(own);
        let named: Vec<&Term> =
            finished.iter().copied().filter(|term| self.has_label(term.result.node)).collect();
        let told = match (step.pass, step.makes) {
            (Pass::Cost, _) => self.told_cost(step, &finished, catalog),
            (_, Makes::Values) => self.told_values(own, &named, catalog),
            (_, Makes::Deltas) => self.told_deltas(own, &named, catalog),
            (_, Makes::Gradients) => self.told_gradients(&named, catalog),
            (_, Makes::Weights) => Some(self.told_changes(own, catalog)),
        };
        told.unwrap_or_else(|| self.told_on_the_way(&finished, &named, catalog))
    }

    fn value_of(&self, term: &Term) -> String {
        significant(term.value, self.digits)
    }

    fn called(&self, term: &Term) -> String {
        self.label(term.result)
    }

    /// `name = number` of the first few.
    fn listed(&self, terms: &[&Term], of: impl Fn(&Term) -> String) -> String {
        let more = if terms.len() > MOST_LISTED { ", ..." } else { "" };
        terms.iter().take(MOST_LISTED).map(|term| of(term)).collect::<Vec<_>>().join(", ") + more
    }

    fn equal(&self, term: &Term) -> String {
        format!("{} = {}", self.called(term), self.value_of(term))
    }

    /// What has no sentence of its own: each result by its role, or a part of a formula by itself.
    fn told_on_the_way(&self, finished: &[&Term], named: &[&Term], catalog: &Catalog) -> String {
        if named.is_empty() {
            let Some(last) = finished.last() else { return String::new() };
            // Of a sum, all of it and not what was added last.
            let lines = match last.action {
                Action::ApplyToAll => self.of_term(last),
                _ => self.result_lines(last.result, last.value),
            };
            let list = lines.last().map_or(String::new(), |[how, numbers]| {
                let value = numbers.rsplit_once(" = ").map_or("", |(_, value)| value);
                format!("{} = {value}", how.split(" = ").next().unwrap_or_default())
            });
            return catalog.say("step.unit.on_the_way", &[("list", &list)]);
        }
        let list = self.listed(named, |term| self.equal(term));
        // What is found is told by its role, where all have the same.
        let role = |term: &Term| self.graph.node(term.result.node).origin.role.word();
        let first = role(named[0]);
        let is_result = named.iter().all(|term| !self.called(term).starts_with("centered"));
        let is_one = is_result && !first.is_empty() && named.iter().all(|term| role(term) == first);
        match is_one {
            true => {
                let what = capital(catalog.get(&format!("role.{first}")));
                catalog.say("step.unit.of_role", &[("role", &what), ("list", &list)])
            }
            false => catalog.say("step.unit.on_the_way", &[("list", &list)]),
        }
    }

    fn told_cost(&self, step: &Step, finished: &[&Term], catalog: &Catalog) -> Option<String> {
        let (_, trace) = self.network()?;
        let lowered = trace.lowered();
        let last = *finished.last()?;
        let node = last.result.node;
        let number = |x: f64| significant(x, self.digits);
        let rows = self.rows;
        let name = |node| self.label(super::Place { node, element: 0 });
        let unit = step.unit.map_or(String::new(), |unit| self.output_name(unit));
        let (value, data) = (self.value_of(last), trace.data_cost());
        let example = step.example.unwrap_or(0) + 1;
        let is_whole = node == lowered.cost || node == lowered.data_cost;
        let key = if node == lowered.cost && lowered.cost != lowered.data_cost {
            "step.unit.cost_regularized"
        } else if is_whole && rows > 1 {
            match (trace.weights().is_some(), lowered.cost == lowered.data_cost) {
                (true, true) => "step.unit.cost_weighted",
                (true, false) => "step.unit.data_cost_weighted",
                (false, true) => "step.unit.cost_mean",
                (false, false) => "step.unit.data_cost_mean",
            }
        } else if is_whole {
            if lowered.cost == lowered.data_cost { "step.unit.cost" } else { "step.unit.data_cost" }
        } else if node == lowered.costs && step.unit.is_some() {
            if rows > 1 { "step.unit.cost_part_of_example" } else { "step.unit.cost_part" }
        } else if node == lowered.costs && step.example.is_some() {
            "step.unit.cost_of_example"
        } else {
            return None;
        };
        let (added, count) = (number(trace.cost() - data), rows);
        let (made, data_name) = (self.called(last), name(lowered.data_cost));
        let values: Values<'_> = &[
            ("made", &made),
            ("value", &value),
            ("unit", &unit),
            ("example", &example),
            ("count", &count),
            ("added", &added),
            ("before", &data_name),
            ("arrived", &number(data)),
        ];
        Some(catalog.say(key, values))
    }

    fn told_values(&self, own: &[Term], named: &[&Term], catalog: &Catalog) -> Option<String> {
        let last = *named.last()?;
        let (is_weighted, has_bias) = (
            own.iter().any(|term| term.action == Action::MultiplyAdd),
            own.iter().any(|term| term.operands.iter().any(|place| self.is_bias(*place))),
        );
        let role = |term: &Term| self.graph.node(term.result.node).origin.role;
        if let ([only], NodeRole::Dropout, [left, right]) = (named, role(last), &last.operands[..]) {
            let number = |place: &super::Place| significant(self.number(*place), self.digits);
            let values: Values<'_> = &[
                ("made", &self.called(only)),
                ("value", &self.value_of(only)),
                ("before", &self.label(*left)),
                ("arrived", &number(left)),
                ("mask", &self.label(*right)),
                ("factor", &number(right)),
            ];
            return Some(catalog.say("step.unit.dropout", values));
        }
        let (before, key) = match (named, is_weighted) {
            ([sum, made], true)
                if role(sum) == NodeRole::WeightedSum && role(made) == NodeRole::Activation =>
            {
                (
                    Some(*sum),
                    if has_bias { "step.unit.sum_bias_activation" } else { "step.unit.sum_activation" },
                )
            }
            ([sum], true) if role(sum) == NodeRole::WeightedSum => {
                (None, if has_bias { "step.unit.sum_bias" } else { "step.unit.sum" })
            }
            _ => return None,
        };
        let values: Values<'_> = &[
            ("made", &self.called(last)),
            ("value", &self.value_of(last)),
            ("before", &before.map_or(String::new(), |term| self.called(term))),
            ("arrived", &before.map_or(String::new(), |term| self.value_of(term))),
        ];
        Some(catalog.say(key, values))
    }

    fn told_deltas(&self, own: &[Term], named: &[&Term], catalog: &Catalog) -> Option<String> {
        let (_, trace) = self.network()?;
        let last = *named.last()?;
        let lowered = trace.lowered();
        let is_delta = |node: NodeId| trace.dense().iter().any(|dense| dense.delta == node);
        let through = |node: NodeId| self.graph.node(node).origin.pulls_back;
        let is_from_cost = |node: NodeId| {
            through(node).is_some_and(|forward| {
                matches!(lowered.graph.node(forward).origin.role, NodeRole::Cost | NodeRole::WeightedCost)
            })
        };
        // A sum of deltas times weights, which tells how many there are.
        let brought = |term: &Term| {
            let all: Vec<&Term> = own.iter().filter(|own| own.result == term.result).collect();
            let is_brought = |own: &&Term| {
                let of_weight = own.operands.iter().any(|place| self.is_parameter(*place));
                let of_delta = own.operands.iter().any(|place| is_delta(place.node));
                own.action == Action::MultiplyAdd && of_weight && of_delta
            };
            (!all.is_empty() && all.iter().all(is_brought)).then_some(all.len())
        };
        if matches!(self.graph.node(last.result.node).op(), Some(Op::Softmax(_))) {
            let places = (0..last.count.max(1))
                .map(|at| super::Place { element: last.result.element + at, ..last.result });
            let list: Vec<String> = places
                .take(MOST_LISTED + 1)
                .map(|at| format!("{} = {}", self.label(at), significant(self.number(at), self.digits)))
                .collect();
            let more = if list.len() > MOST_LISTED { ", ..." } else { "" };
            let list = list[..list.len().min(MOST_LISTED)].join(", ") + more;
            return Some(catalog.say("step.unit.softmax", &[("list", &list)]));
        }
        let is_product =
            |term: &Term| matches!(self.graph.node(term.result.node).op(), Some(Op::Multiply(_)));
        let factors = if is_product(last) && last.operands.len() == 2 { &last.operands[..] } else { &[] };
        let is_slope = |place: &super::Place| self.labels.is_ratio(place.node);
        let is_mask = |place: &super::Place| matches!(self.graph.node(place.node).kind, Kind::Input(_));
        let number = |place: &super::Place| significant(self.number(*place), self.digits);
        let (key, count, before, factor) = match factors {
            [arrives, slope]
                if is_delta(last.result.node) && is_slope(slope) && self.has_label(arrives.node) =>
            {
                let found = named.iter().find(|term| term.result == *arrives);
                match (found.and_then(|term| brought(term)), is_from_cost(arrives.node)) {
                    (Some(count), _) => ("step.unit.delta_of_sum", count, Some(arrives), Some(slope)),
                    (None, true) => ("step.unit.delta_of_cost", 0, Some(arrives), Some(slope)),
                    (None, false) => ("step.unit.delta_arrives", 0, Some(arrives), Some(slope)),
                }
            }
            [arrives, mask] if is_mask(mask) && self.has_label(arrives.node) && named.len() == 1 => {
                ("step.unit.dropout_back", 0, Some(arrives), Some(mask))
            }
            _ if named.len() == 1 && is_delta(last.result.node) && is_from_cost(last.result.node) => {
                ("step.unit.delta", 0, None, None)
            }
            _ if named.len() == 1 => match brought(last) {
                Some(count) => ("step.unit.delta_straight", count, None, None),
                None => return None,
            },
            _ => return None,
        };
        let values: Values<'_> = &[
            ("made", &self.called(last)),
            ("value", &self.value_of(last)),
            ("count", &count),
            ("before", &before.map_or(String::new(), |place| self.label(*place))),
            ("arrived", &before.map_or(String::new(), number)),
            ("slope", &factor.map_or(String::new(), |place| self.label(*place))),
            ("factor", &factor.map_or(String::new(), number)),
        ];
        Some(catalog.say(key, values))
    }

    fn told_gradients(&self, named: &[&Term], catalog: &Catalog) -> Option<String> {
        let (_, trace) = self.network()?;
        let parameter_of = |term: &Term| {
            (0..trace.parameters().len()).find(|place| trace.gradient_node(*place) == term.result.node)
        };
        let mut whole: Vec<&Term> =
            named.iter().copied().filter(|term| parameter_of(term).is_some()).collect();
        sort_by_key(&mut whole, |term| self.is_of_bias(term));
        let first = parameter_of(whole.first()?)?;
        let role = |term: &Term| parameter_of(term).map(|place| trace.parameters()[place].role);
        let is_dense = |term: &Term| {
            let place = parameter_of(term);
            trace.dense().iter().any(|dense| Some(dense.weight) == place || dense.bias == place)
        };
        // With regularization, a gradient is the sum of what the data and the regularization give.
        let part = |term: &Term, by: &str| {
            let wanted = self.called(term).replacen(&self.called(term)[..2], by, 1);
            named.iter().find(|own| self.called(own) == wanted).copied()
        };
        let is_regularized = whole.iter().any(|term| part(term, "dR").is_some());
        let tell = |term: &Term| match (part(term, "dD"), part(term, "dR")) {
            (Some(data), Some(added)) => {
                let sum = Written::sum([data, added].map(|own| Written::number(own.value, self.digits)));
                format!("{} = {} = {}", self.called(term), sum.text, self.value_of(term))
            }
            _ => self.equal(term),
        };
        let roles: Vec<_> = whole.iter().filter_map(|term| role(term)).collect();
        let is_norm = roles.iter().all(|role| matches!(role, Role::Scale | Role::Shift));
        let is_convolution = trace.images().iter().any(|images| {
            images
                .filters
                .as_ref()
                .is_some_and(|filters| filters.weight == first || filters.bias == Some(first))
        });
        let key = match () {
            () if whole.iter().all(|term| is_dense(term)) => match (is_regularized, self.rows > 1) {
                (false, false) => "step.unit.gradients",
                (false, true) => "step.unit.gradients_of_examples",
                (true, false) => "step.unit.gradients_regularized",
                (true, true) => "step.unit.gradients_of_examples_regularized",
            },
            () if is_norm => match (roles.contains(&Role::Scale), roles.contains(&Role::Shift)) {
                (true, true) => "step.unit.gradients_of_norm",
                (true, false) => "step.unit.gradients_of_scale",
                _ => "step.unit.gradients_of_shift",
            },
            () if is_convolution && !is_regularized => "step.unit.gradients_of_filter",
            () => "step.unit.gradients_found",
        };
        let penalty = whole.iter().find(|term| part(term, "dR").is_some()).map_or(String::new(), |term| {
            let added = part(term, "dR").expect("found so");
            self.of_term(added).pop().map_or(String::new(), |[how, _]| {
                how.split_once(" = ").map_or(String::new(), |(_, how)| how.to_owned())
            })
        });
        let list = self.listed(&whole, tell);
        Some(catalog.say(key, &[("list", &list), ("penalty", &penalty)]))
    }

    fn told_changes(&self, own: &[Term], catalog: &Catalog) -> String {
        let number = |x: f64| significant(x, self.digits);
        let (optimizer, rate) = self.optimizer();
        let changes = |term: &&Term| term.before.filter(|_| term.action == Action::Change);
        let stays = |term: &&Term| changes(term).is_some_and(|old| number(old) == number(term.value));
        // Weights before biases; what a step leaves as it is is said apart.
        let mut listed: Vec<&Term> = own.iter().collect();
        sort_by_key(&mut listed, |term| self.is_of_bias(term));
        let (still, listed): (Vec<&Term>, Vec<&Term>) = listed.into_iter().partition(stays);
        let biases = listed.iter().filter(|term| self.is_of_bias(term)).count();
        let moved = match (biases, listed.len() - biases) {
            (0, _) => "weights",
            (_, 0) => "biases",
            _ => "weights_and_biases",
        };
        let tell = |term: &Term| match changes(&term).filter(|_| !stays(&term)) {
            Some(old) => format!("{} {} → {}", self.called(term), number(old), number(term.value)),
            None => self.equal(term),
        };
        let unmoved = match still.is_empty() {
            true => String::new(),
            false => catalog.say("step.unit.stays", &[("list", &self.listed(&still, tell))]),
        };
        if listed.is_empty() {
            return unmoved;
        }
        let by = if optimizer == "sgd" { "" } else { "_by" };
        let list = self.listed(&listed, tell);
        let values: Values<'_> = &[("list", &list), ("optimizer", &optimizer), ("rate", &rate)];
        let told =
            [self.told_clipping(catalog), catalog.say(&format!("step.unit.{moved}{by}"), values), unmoved];
        told.into_iter().filter(|own| !own.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// That gradients are made smaller before the optimizer gets them, where they are.
    fn told_clipping(&self, catalog: &Catalog) -> String {
        let Some(update) = &self.update else { return String::new() };
        let Some((limit, norm)) = clipped(&update.trace, &update.example.training) else {
            return String::new();
        };
        let number = |x: f64| significant(x, self.digits);
        catalog.say("step.clipped", &[("limit", &number(limit)), ("norm", &number(norm))])
    }

    /// What is done for one example, by the results that go on.
    fn told_example(&self, step: &Step, own: &[Term], catalog: &Catalog) -> String {
        // What belongs to no example: the mean over all.
        let Some(example) = step.example else { return self.told_unit(step, own, catalog) };
        let finished = self.finished(own);
        let named: Vec<&Term> =
            finished.iter().copied().filter(|term| self.has_label(term.result.node)).collect();
        let Some(node) = named.last().map(|term| term.result.node) else {
            let told = self.told_on_the_way(&finished, &named, catalog);
            return catalog.say("step.example.else", &[("example", &(example + 1)), ("told", &told)]);
        };
        let last: Vec<&Term> = named.into_iter().filter(|term| term.result.node == node).collect();
        let mut list = match last[..] {
            // Of a row, all of it.
            [only] if only.count > 1 => {
                let places = (0..only.count)
                    .map(|at| super::Place { element: only.result.element + at, ..only.result });
                let all: Vec<String> = places
                    .take(MOST_LISTED + 1)
                    .map(|at| format!("{} = {}", self.label(at), significant(self.number(at), self.digits)))
                    .collect();
                let more = if all.len() > MOST_LISTED { ", ..." } else { "" };
                all[..all.len().min(MOST_LISTED)].join(", ") + more
            }
            _ => self.listed(&last, |term| self.equal(term)),
        };
        let key = match (step.pass, step.makes) {
            (Pass::Cost, _) => {
                // The parts of the outputs add up to the example's cost.
                if last.len() > 1 && last.len() <= MOST_LISTED {
                    let sum: f64 = last.iter().map(|term| term.value).sum();
                    let parts = last.iter().map(|term| Written::number(term.value, self.digits));
                    list = format!("{} = {}", Written::sum(parts).text, significant(sum, self.digits));
                }
                "step.example.cost"
            }
            (Pass::Backward, _) => "step.example.deltas",
            _ => "step.example.values",
        };
        let layer = self.layer_name(step.layer.unwrap_or(0), catalog);
        let values: Values<'_> = &[("example", &(example + 1)), ("layer", &layer), ("list", &list)];
        catalog.say(key, values)
    }

    fn told_term(&self, step: &Step, own: &[Term], catalog: &Catalog) -> String {
        let Some(term) = step.term.as_ref().or(own.last()) else { return String::new() };
        let is_named = self.has_label(self.shown(term).node);
        let lines = self.of_term(term);
        let [how, numbers] = lines.last().cloned().unwrap_or_default();
        let value = significant(term.value, self.digits);
        if !is_named && term.action != Action::ApplyToAll {
            // A sum that goes on is what was there before it, and what is added.
            let so_far = numbers.rsplit_once(" = ").map_or(&how[..], |(so_far, _)| so_far);
            let how = if term.before.is_some() { so_far } else { &how[..] };
            return catalog.say("step.term.part", &[("how", &how), ("value", &value)]);
        }
        let action = match (term.action, term.before.is_some()) {
            (Action::MultiplyAdd, false) => "multiply",
            (Action::MultiplyAdd, true) => "multiply_add",
            (Action::Add, false) => "begin",
            (Action::Add, true) => "add",
            (Action::Scale(_), _) => "scale",
            (Action::Apply, _) => "apply",
            (Action::ApplyToAll, _) => {
                let list: Vec<String> = lines
                    .iter()
                    .filter_map(|[how, numbers]| {
                        let made = how.split_once(" = ").map_or(&how[..], |(made, _)| made);
                        let (_, value) = numbers.rsplit_once(" = ")?;
                        Some(format!("{made} = {value}"))
                    })
                    .collect();
                let more = if list.len() > MOST_LISTED { ", ..." } else { "" };
                let list = list[list.len().saturating_sub(MOST_LISTED)..].join(", ");
                let list = if more.is_empty() { list } else { format!("{list}{more}") };
                return catalog.say("step.unit.on_the_way", &[("list", &list)]);
            }
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
        let how = how.split_once(" = ").map_or(how.clone(), |(_, how)| how.to_owned());
        catalog.say(
            &format!("step.term.{action}"),
            &[
                ("made", &self.label(self.shown(term))),
                ("value", &value),
                ("left", &operand(0)),
                ("right", &operand(1)),
                ("how", &how),
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

/// With a capital letter at its beginning.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().map(|first| first.to_ascii_uppercase()).chain(letters).collect()
}
