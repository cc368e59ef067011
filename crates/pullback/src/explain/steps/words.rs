//! Steps in words: a formula, the same in numbers, and one sentence in the language of a catalog.

use super::terms::{Action, Place, Term};
use super::{Level, Step, Steps};
use crate::compact::Map;
use crate::explain::Catalog;
use crate::explain::expression::Circuit;
use crate::explain::labels::Labels;
use crate::explain::reading::With;
use crate::explain::update::{Stepped, clipped};
use crate::explain::written::{Binds, Written};
use crate::graph::ops::Addend;
use crate::graph::{Kind, NodeId, Op};
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
/// The most lines of a step.
const MOST_LINES: usize = 8;
/// Of more classes than this, the cost is written with those alone whose target is not 0.
const MOST_CLASSES: usize = 4;
/// How deep an intermediate result is written out.
const DEEPEST: usize = 8;
/// The most addends of a sum without a name inside another formula.
const MOST_INSIDE: usize = 4;

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

/// A formula and the same in numbers; what is computed has no name where it is only a part of what follows.
pub(super) type Line = [String; 2];

impl Steps {
    /// A step in words.
    pub fn describe(&self, step: &Step, catalog: &Catalog) -> Said {
        // Passes and layers are told without their terms, which may be many.
        let terms = if step.level >= Level::Example { self.terms_of(step.stages.0) } else { Vec::new() };
        let own = self.terms_in(step, &terms);
        let lines: Vec<Line> = match (&step.term, step.level) {
            (Some(term), _) => self.of_term(term),
            (None, Level::Unit | Level::Example) => self.of_unit(own),
            (None, Level::Layer) if step.gate.is_some() => self.of_gate(step),
            _ => Vec::new(),
        };
        let sources = step.term.iter().flat_map(|term| self.sources(term)).map(|(place, made_in)| Source {
            name: self.name(place, With::Names, 1).text,
            number: significant(self.number(place), self.digits),
            made_in,
        });
        let more = if lines.len() > MOST_LINES { "; ..." } else { "" };
        let join = |side: usize| {
            lines.iter().take(MOST_LINES).map(|line| &line[side][..]).collect::<Vec<_>>().join("; ") + more
        };
        let (formula, numbers) = (join(0), join(1));
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
        self.name(place, With::Names, 1).text
    }

    /// Where the result of a term is named: a sum without its bias yet is called as the whole.
    pub(super) fn shown(&self, term: &Term) -> Place {
        let place = term.result;
        let is_sum = matches!(term.action, Action::Add | Action::MultiplyAdd);
        if self.labels.has(place.node) || !is_sum {
            return place;
        }
        let shape = self.graph.shape(place.node);
        let origin = &self.graph.node(place.node).origin;
        // A bias; another sum would be a part as large as this one.
        let is_given = |id: NodeId| {
            let place = self.resolved(Place { node: id, element: 0 });
            self.graph.node(place.node).op().is_none()
        };
        let is_whole = |id: &NodeId| {
            let other = self.graph.node(*id);
            self.labels.has(*id)
                && matches!(other.op(), Some(Op::Add(_)))
                && other.shape == *shape
                && other.origin.role == origin.role
                && other.origin.layer == origin.layer
                && other.inputs().contains(&place.node)
                && other.inputs().iter().all(|own| *own == place.node || is_given(*own))
        };
        match self.graph.ids().find(is_whole) {
            Some(node) => Place { node, element: place.element },
            None => place,
        }
    }

    /// The terms that finish each result, in the order in which the results begin.
    pub(super) fn finished<'t>(&self, own: &'t [Term]) -> Vec<&'t Term> {
        let mut at: Map<Place, usize> = Map::new();
        let mut last: Vec<&Term> = Vec::new();
        for term in own {
            match at.get(&term.result) {
                Some(&known) => last[known] = term,
                None => {
                    at.insert(term.result, last.len());
                    last.push(term);
                }
            }
        }
        last
    }

    fn written(&self, x: f64) -> Written {
        Written::number(x, self.digits)
    }

    pub(super) fn of_term(&self, term: &Term) -> Vec<Line> {
        let name = |place: Place| self.name(place, With::Names, 1);
        let place = self.shown(term);
        let is_named = self.labels.has(place.node);
        let made = name(place).text;
        let value = significant(term.value, self.digits);
        let before = term.before.map(|before| self.written(before));
        let after = |addend: Written| Written::sum(before.clone().into_iter().chain([addend])).text;
        // A number without a name is told by how it was made.
        let line = |sign: &str, how: Written, numbers: String| match is_named {
            true => vec![[format!("{made} {sign} {}", how.text), format!("{numbers} = {value}")]],
            // What a sum without a name had before has none either.
            false if before.is_some() => {
                vec![[format!("... + {}", how.text), format!("{numbers} = {value}")]]
            }
            false => vec![[how.text, format!("{numbers} = {value}")]],
        };
        let sign = if before.is_some() { "+=" } else { "=" };
        match term.action {
            Action::Add => {
                let own = term.operands[0];
                let mut how = name(own);
                // The sum of one number is called as that number is.
                if how.text == made {
                    how = self.how(own, With::Names, 0);
                }
                line(sign, how, after(self.written(self.number(own))))
            }
            Action::MultiplyAdd => {
                let [left, right] = if self.is_parameter(term.operands[1]) { [1, 0] } else { [0, 1] };
                let both = [term.operands[left], term.operands[right]];
                let numbers = Written::product(both.map(|place| self.written(self.number(place))));
                line(sign, Written::product(both.map(name)), after(numbers))
            }
            Action::Scale(factor) => {
                let before = before.clone().unwrap_or_else(|| self.written(0.0));
                let share = whole_share(factor);
                let numbers = self.times(before, factor).text;
                let sign = if share.is_some() { "/=" } else { "*=" };
                let by = share.map_or_else(|| significant(factor, self.digits), |n| n.to_string());
                match is_named {
                    true => vec![[format!("{made} {sign} {by}"), format!("{numbers} = {value}")]],
                    false => line("=", self.how(term.result, With::Names, 0), numbers),
                }
            }
            Action::Apply => self.result_lines(term.result, term.value),
            Action::ApplyToAll => self.of_whole(term),
            Action::Change => self.of_change(term),
        }
    }

    /// What made a number, over names and over numbers.
    pub(super) fn result_lines(&self, place: Place, value: f64) -> Vec<Line> {
        let (how, numbers) = (self.how(place, With::Names, 0), self.how(place, With::Numbers, 0));
        let value = significant(value, self.digits);
        let numbers = format!("{} = {value}", numbers.at_least(Binds::Sum).text);
        let how = how.at_least(Binds::Sum).text;
        match self.labels.name(place.node, place.element) {
            Some(name) if name.text != how => vec![[format!("{} = {how}", name.text), numbers]],
            _ => vec![[how, numbers]],
        }
    }

    /// What an operation on a row, or on whole arrays, made.
    fn of_whole(&self, term: &Term) -> Vec<Line> {
        let node = self.graph.node(term.result.node);
        let places =
            || (0..term.count.max(1)).map(|at| Place { element: term.result.element + at, ..term.result });
        match node.op() {
            Some(Op::Softmax(_)) => {
                places().flat_map(|place| self.result_lines(place, self.number(place))).collect()
            }
            Some(Op::SoftmaxCrossEntropy(_)) => self.of_cross_entropy(term),
            _ => {
                let list = places().take(MOST_LINES + 1).map(|place| {
                    let own = self.name(place, With::Names, 1).text;
                    [own.clone(), format!("{own} = {}", significant(self.number(place), self.digits))]
                });
                let operands: Vec<Written> = node.inputs().iter().map(|&id| self.name_of_node(id)).collect();
                let how =
                    node.op().map_or_else(|| Written::name("", ""), |op| Written::applied(op, &operands));
                let whole = self.name_of_node(term.result.node).text;
                // All of it by the arrays that it is made of, then its numbers.
                let mut lines: Vec<Line> = list.collect();
                if let Some(first) = lines.first_mut() {
                    first[0] = if whole == how.text { whole } else { format!("{whole} = {}", how.text) };
                }
                lines
            }
        }
    }

    /// The cost of an example whose outputs are classes: the predictions, then minus the sum of target times logarithm.
    fn of_cross_entropy(&self, term: &Term) -> Vec<Line> {
        let node = self.graph.node(term.result.node);
        let [logits, targets] = node.inputs() else { return Vec::new() };
        let classes = self.graph.shape(*logits).last();
        let first = term.result.element * classes;
        let prediction = self.graph.ids().find(|id| {
            let own = self.graph.node(*id);
            matches!(own.op(), Some(Op::Softmax(_))) && own.inputs() == [*logits]
        });
        let Some(prediction) = prediction else { return self.result_lines(term.result, term.value) };
        let mut lines = Vec::new();
        let (mut names, mut numbers) = (Vec::new(), Vec::new());
        for element in first..first + classes {
            let p = Place { node: prediction, element };
            let t = self.resolved(Place { node: *targets, element });
            // A target of 0 adds nothing.
            if classes > MOST_CLASSES && self.number(t) == 0.0 {
                continue;
            }
            lines.extend(self.result_lines(p, self.number(p)));
            let log = |own: Written| {
                Written::name(format!("log({})", own.text), format!(r"\ln\left({}\right)", own.latex))
            };
            names.push(Written::product([self.name(t, With::Names, 1), log(self.name(p, With::Names, 1))]));
            numbers.push(Written::product([self.written(self.number(t)), log(self.written(self.number(p)))]));
        }
        let negative = |all: Vec<Written>| format!("-{}", Written::sum(all).enclosed().text);
        let value = significant(term.value, self.digits);
        let made = self.labels.name(term.result.node, term.result.element);
        let how = negative(names);
        // Of a single example, the cost of all.
        let made = made.map(|own| own.text).or_else(|| {
            let is_sum = |id: &NodeId| {
                self.labels.has(*id)
                    && self.graph.node(*id).inputs().contains(&term.result.node)
                    && self.values[id.index()] == [term.value]
            };
            self.graph.ids().find(is_sum).map(|node| self.label(Place { node, element: 0 }))
        });
        let how = made.map_or(how.clone(), |made| format!("{made} = {how}"));
        lines.push([how, format!("{} = {value}", negative(numbers))]);
        lines
    }

    /// The optimizer's formulas for a number, with its gradient as it gets it.
    fn of_change(&self, term: &Term) -> Vec<Line> {
        let Some(update) = &self.update else { return Vec::new() };
        let training = &update.example.training;
        let lowered = update.trace.lowered();
        let Some(parameter) = lowered.parameters.iter().position(|own| *own == term.result.node) else {
            return Vec::new();
        };
        let element = term.result.element;
        let gradient = update.gradients[parameter][element];
        let (own, derivative) = (term.operands[0], term.operands[1]);
        let w = self.name(own, With::Names, 1);
        let mut g = self.gradient_name(parameter, element);
        let mut lines: Vec<Line> = Vec::new();
        if let Some((limit, norm)) = clipped(&update.trace, training) {
            let clipped = Written::name("g", "g");
            let of =
                |g: Written| Written::product([g, self.written(limit)]).quotient(self.written(norm)).text;
            lines.push([
                format!("g = {}", of(g)),
                format!(
                    "{} = {}",
                    of(self.written(self.number(derivative))),
                    significant(gradient, self.digits)
                ),
            ]);
            g = clipped;
        }
        let stepped = Stepped {
            training,
            parameter: &update.trace.parameters()[parameter],
            name: w,
            gradient_name: g,
            step: update.example.kept.steps + 1,
            before: self.number(own),
            gradient,
            kept: update.example.kept.of(parameter).iter().map(|state| state[element]).collect(),
            after: term.value,
        };
        lines.extend(stepped.sides(self.digits).into_iter().map(|[made, names, numbers, value]| {
            [format!("{} = {}", made.text, names.text), format!("{} = {}", numbers.text, value.text)]
        }));
        lines
    }

    /// What the gradient of a number of a parameter is called.
    fn gradient_name(&self, parameter: usize, element: usize) -> Written {
        let Some((_, trace)) = self.network() else { return Written::name("g", "g") };
        let node = trace.gradient_node(parameter);
        self.labels.name(node, element).unwrap_or_else(|| Written::name("g", "g"))
    }

    /// The results of a unit that have names, each with its formula; without any, the last one.
    fn of_unit(&self, own: &[Term]) -> Vec<Line> {
        let finished = self.finished(own);
        let is_told = |term: &&&Term| self.labels.has(term.result.node) || is_cross_entropy(self, term);
        let told: Vec<&&Term> = finished.iter().filter(is_told).collect();
        let shown: Vec<&Term> = match told.is_empty() {
            true => finished.last().copied().into_iter().collect(),
            false => told.into_iter().copied().collect(),
        };
        let is_changing = shown.iter().any(|term| term.action == Action::Change);
        let mut lines: Vec<Line> = Vec::new();
        for term in shown.iter().take(MOST_LINES + 1) {
            let own = match term.action {
                Action::Change => {
                    // Of an optimizer of several lines, the last one says what the others came to.
                    let mut all = self.of_change(term);
                    let is_long = all.len() > 2;
                    if is_long && is_changing && shown.len() > 1 { all.split_off(all.len() - 1) } else { all }
                }
                Action::ApplyToAll => self.of_whole(term),
                _ => self.result_lines(term.result, term.value),
            };
            for line in own {
                // Two nodes may hold the same number by the same name, and a sum of one number says nothing.
                let made = |line: &Line| line[0].split_once(" = ").map(|(made, _)| made.to_owned());
                let is_told = made(&line).is_some_and(|own| {
                    lines.iter().any(|known| made(known).as_ref() == Some(&own))
                        && line[1].split_once(" = ").is_some_and(|(left, right)| left == right)
                });
                if !lines.contains(&line) && !is_told {
                    lines.push(line);
                }
            }
        }
        lines
    }

    fn resolved(&self, place: Place) -> Place {
        self.moves.resolve(place).unwrap_or(place)
    }

    /// The name of a number, or its number; without a name, how it was made.
    fn name(&self, place: Place, with: With, depth: usize) -> Written {
        let place = if self.labels.has(place.node) { place } else { self.resolved(place) };
        let node = self.graph.node(place.node);
        if let Some(name) = self.labels.name(place.node, place.element) {
            return if with == With::Numbers && depth > 0 { self.written(self.number(place)) } else { name };
        }
        let is_short_sum = || {
            let most = if depth > 2 { 0 } else { MOST_INSIDE };
            self.addends(place).is_some_and(|(addends, _)| depth == 0 || addends.len() <= most)
        };
        let is_written_out = matches!(&node.kind, Kind::Operation(op, _)
            if depth < DEEPEST && (op.is_elementwise() || is_short_sum()));
        // What has no name and is too long to be written out is its number.
        let is_too_long = matches!(&node.kind, Kind::Operation(op, _)
            if op.is_elementwise() || self.addends(place).is_some());
        match &node.kind {
            Kind::Operation(..) if is_written_out => self.how(place, with, depth),
            _ if with == With::Numbers && depth > 0 => self.written(self.number(place)),
            Kind::Operation(..) if is_too_long => self.written(self.number(place)),
            Kind::Constant(number) => self.written(number.value()),
            Kind::Input(name) | Kind::Parameter(name) => {
                let text = format!("{name}[{}]", place.element);
                Written::name(text.clone(), text)
            }
            Kind::Operation(op, inputs) => {
                let whole: Vec<Written> = inputs.iter().map(|&id| self.name_of_node(id)).collect();
                let how = Written::applied(op, &whole);
                match node.shape.elements() {
                    1 => how,
                    _ => {
                        let text = format!("{}[{}]", how.enclosed().text, place.element);
                        Written::name(text.clone(), text)
                    }
                }
            }
        }
    }

    /// Whether a factor is a weight, which people write first.
    pub(super) fn is_parameter(&self, place: Place) -> bool {
        matches!(self.graph.node(self.resolved(place).node).kind, Kind::Parameter(_))
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

    /// A sum times a factor; a mean is a sum divided by how many there are.
    fn times(&self, sum: Written, factor: f64) -> Written {
        match whole_share(factor) {
            _ if factor == 1.0 => sum,
            Some(count) => {
                sum.at_least(Binds::Product).quotient(Written::name(count.to_string(), count.to_string()))
            }
            None => Written::product([sum, self.written(factor)]),
        }
    }

    /// How a number was made, over names or numbers.
    fn how(&self, place: Place, with: With, depth: usize) -> Written {
        let node = self.graph.node(place.node);
        let Kind::Operation(op, inputs) = &node.kind else { return self.name(place, with, depth + 1) };
        if let Some(penalty) = self.penalty(place, with) {
            return penalty;
        }
        let read = |input: usize, element: usize| {
            self.name(self.resolved(Place { node: inputs[input], element }), with, depth + 1)
        };
        if let Some((addends, factor)) = self.addends(place) {
            let shown = addends.iter().take(MOST_ADDENDS).map(|addend| match *addend {
                Addend::Element(at) => read(0, at),
                Addend::Product(left, right) => {
                    let is_weight = self.is_parameter(Place { node: inputs[1], element: right });
                    let (left, right) = (read(0, left), read(1, right));
                    Written::product(if is_weight { [right, left] } else { [left, right] })
                }
            });
            let more = (addends.len() > MOST_ADDENDS).then(|| Written::name("...", r"\dots"));
            return self.times(Written::sum(shown.chain(more)), factor);
        }
        let operands = || -> Vec<Written> {
            self.operands_of(place).into_iter().map(|own| self.name(own, with, depth + 1)).collect()
        };
        match op {
            Op::Multiply(_) => {
                // A sum that is 1, as that of the targets of one example, is left out.
                let is_one = |own: &Place| {
                    let is_sum = matches!(self.graph.node(own.node).op(), Some(Op::Sum(_)));
                    is_sum && !self.labels.has(own.node) && self.number(*own) == 1.0
                };
                let all = self.operands_of(place);
                let kept: Vec<Place> = all.iter().copied().filter(|own| !is_one(own)).collect();
                let kept = if kept.is_empty() { all } else { kept };
                let count = kept.len();
                let depth = if count == 1 { depth } else { depth + 1 };
                let mut factors = kept.into_iter().map(|own| self.name(own, with, depth.max(1)));
                match count {
                    1 => factors.next().unwrap_or_else(|| Written::name("1", "1")),
                    _ => Written::product(factors),
                }
            }
            Op::Scale(_) => {
                let own = operands().pop().unwrap_or_else(|| Written::name("0", "0"));
                let factor = self.scale_of(place);
                match factor.and_then(whole_share) {
                    Some(_) => self.times(own, factor.unwrap_or(1.0)),
                    None if factor == Some(1.0) => own,
                    None => Written::applied(op, &[own]),
                }
            }
            Op::Softmax(_) => {
                let width = node.shape.last().max(1);
                let first = place.element / width * width;
                let exp = |element: usize| {
                    let own = read(0, element);
                    Written::name(format!("exp({})", own.text), format!("e^{{{}}}", own.latex))
                };
                let all = (first..first + width.min(MOST_ADDENDS)).map(exp);
                let more = (width > MOST_ADDENDS).then(|| Written::name("...", r"\dots"));
                exp(place.element).quotient(Written::sum(all.chain(more)))
            }
            _ if op.is_elementwise() => Written::applied(op, &operands()),
            _ => {
                let whole: Vec<Written> = inputs.iter().map(|&id| self.name_of_node(id)).collect();
                Written::applied(op, &whole)
            }
        }
    }

    /// The factor of a node that scales.
    fn scale_of(&self, place: Place) -> Option<f64> {
        match self.graph.node(place.node).op()? {
            Op::Scale(scale) => Some(scale.0.value()),
            _ => None,
        }
    }

    /// What regularization gives to a gradient, as people write it: `lambda * w`, and not as the sum of the two equal
    /// derivatives of a square.
    fn penalty(&self, place: Place, with: With) -> Option<Written> {
        let (example, trace) = self.network()?;
        let [text] = [self.labels.name(place.node, place.element)?.text];
        if !text.starts_with("dR/d") {
            return None;
        }
        let is_own = |at: &usize| {
            crate::explain::labels::added_all(trace.graph(), trace.gradient_node(*at)).contains(&place.node)
        };
        let parameter = (0..trace.parameters().len()).find(is_own)?;
        let own = Place { node: trace.lowered().parameters[parameter], element: place.element };
        let w = || self.name(own, with, 1);
        let [l1, l2] = strengths(example, trace, parameter);
        let mut terms = Vec::new();
        if l2 > 0.0 {
            terms.push(Written::product([self.written(l2), w()]));
        }
        if l1 > 0.0 {
            let sign = Written::name(
                format!("sign({})", w().text),
                format!(r"\operatorname{{sign}}({})", w().latex),
            );
            terms.push(Written::product([self.written(l1), sign]));
        }
        Some(Written::sum(terms))
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
    pub(super) fn name_of_node(&self, id: NodeId) -> Written {
        if let Some(common) = self.labels.common(id) {
            return Written::name(common.clone(), common);
        }
        let node = self.graph.node(id);
        match &node.kind {
            Kind::Operation(op, inputs) => {
                let whole: Vec<Written> = inputs.iter().map(|&id| self.name_of_node(id)).collect();
                Written::applied(op, &whole)
            }
            Kind::Constant(number) => self.written(number.value()),
            Kind::Input(name) | Kind::Parameter(name) => Written::name(name, name),
        }
    }
}

/// A factor that divides by a whole number: how many there are in a mean.
fn whole_share(factor: f64) -> Option<u64> {
    let count = (1.0 / factor).round();
    ((2.0..1e9).contains(&count) && 1.0 / count == factor).then_some(count as u64)
}

/// The cost of classes, told also where a single example's has no name beside the cost of all.
fn is_cross_entropy(steps: &Steps, term: &Term) -> bool {
    matches!(steps.graph.node(term.result.node).op(), Some(Op::SoftmaxCrossEntropy(_)))
}

/// How strongly a parameter is regularized: by absolute values and by squares.
pub(super) fn strengths(
    example: &crate::explain::NetworkExample,
    trace: &crate::explain::Trace,
    place: usize,
) -> [f64; 2] {
    let parameter = &trace.parameters()[place];
    let is_divided = example.network.regularization.divide_by_batch;
    // An example of weight 2 counts as two.
    let examples = trace.weights().map_or(trace.rows() as f64, |weights| weights.iter().sum());
    let divisor = if is_divided { examples } else { 1.0 };
    [parameter.l1 / divisor, parameter.l2 / divisor]
}
