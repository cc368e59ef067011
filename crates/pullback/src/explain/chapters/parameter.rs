//! One number that is trained, whatever it belongs to: its gradient as a sum, largest first, its regularization, what a
//! nudge tells, and its update. What no other chapter says is followed along its largest part back to the cost.

use crate::compact::sort_by;
use crate::explain::nudge::Nudge;
use crate::explain::page::Page;
use crate::explain::reading::{Reading, With};
use crate::explain::steps::Place;
use crate::explain::update::{Stepped, clipped};
use crate::explain::worked::NetworkExample;
use crate::explain::written::{Written, equation};
use crate::graph::Kind;

/// The most rows on the way back to the cost.
const LONGEST_WAY: usize = 40;

impl Page<'_> {
    /// The page of one number of a parameter.
    pub(in crate::explain) fn element(&mut self, place: usize, element: usize) {
        let dense = self.trace.dense().iter();
        let position = dense.clone().position(|dense| dense.weight == place || dense.bias == Some(place));
        if let Some(position) = position {
            return self.dense_number(position, place, element);
        }
        let name = self.number_name(place, element);
        let role = self.trace.parameters()[place].name.clone();
        self.heading(self.say("one_number", &[("name", &name.text), ("parameter", &role)]));
        self.gradient_as_sum(place, element);
        self.gradient_of_number(place, element);
        self.update_of_number(place, element);
    }

    /// The page of a parameter: the gradients of its largest numbers.
    pub(super) fn parameter(&mut self, place: usize) {
        let (numbers, gradient) = (self.trace.parameter(place), self.trace.gradient(place));
        let next = self.next_numbers(place);
        let shown = self.shown(gradient);
        let [(_, cost), (_, _), (_, _), (_, w)] = self.letters();
        let row = |&at: &usize| {
            let mut row =
                vec![self.number_name(place, at).text, self.number(numbers[at]), self.number(gradient[at])];
            row.extend(next.as_ref().map(|next| self.number(next[at])));
            row
        };
        let rows = shown.iter().map(row).collect();
        let mut columns = self.names(&["weight", "value"]);
        columns.push(format!("d{cost}/d{w}"));
        columns.extend(next.is_some().then(|| self.catalog.get("after_step").to_owned()));
        self.heading(self.trace.parameters()[place].name.clone());
        self.table_of(columns, rows);
        self.weights_left_out(gradient, shown.len());
    }

    /// The address of a number of a parameter.
    pub(super) fn number_name(&self, place: usize, element: usize) -> Written {
        let node = self.trace.lowered().parameters[place];
        self.reading.labels.name(node, element).expect("every parameter has a name")
    }

    /// The gradient of the data's cost, without regularization.
    pub(super) fn data_gradient(&self, place: usize, element: usize) -> f64 {
        self.data_parts(place, element).into_iter().map(|part| self.reading.value(part)).sum()
    }

    /// The places whose sum is the gradient of a number by the data's cost.
    fn data_parts(&self, place: usize, element: usize) -> Vec<Place> {
        let gradient = Place { node: self.trace.gradient_node(place), element };
        let is_of_data = |part: &Place| {
            let through = self.trace.graph().node(part.node).origin.pulls_back;
            through.is_none_or(|forward| {
                let role = self.trace.graph().node(forward).origin.role;
                role != crate::graph::NodeRole::Regularization
            })
        };
        self.reading.parts(gradient).into_iter().filter(is_of_data).collect()
    }

    /// The gradient of a number as the sum that the backward pass computes, largest first; then what its largest part was
    /// made of, and so on back to the cost.
    fn gradient_as_sum(&mut self, place: usize, element: usize) {
        let parts = self.data_parts(place, element);
        let mut terms: Vec<Vec<Place>> = Vec::new();
        for part in &parts {
            match self.reading.addends(*part) {
                Some(addends) => {
                    // An addend that is a product of single numbers is told as one.
                    terms.extend(addends.all.into_iter().map(|term| match &term[..] {
                        [only] => self.reading.factors_of(*only),
                        _ => term,
                    }));
                }
                None => terms.push(vec![*part]),
            }
        }
        let value = |reading: &Reading<'_>, term: &[Place]| -> f64 {
            term.iter().map(|place| reading.value(*place)).product()
        };
        let count = terms.len();
        sort_by(&mut terms, |a, b| value(&self.reading, b).abs().total_cmp(&value(&self.reading, a).abs()));
        let shown = count.min(self.options.most_units);
        let rows = terms.iter().take(shown).map(|term| {
            let names = self.reading.product_of(term, With::Names, 0).text;
            let numbers = self.reading.product_of(term, With::Numbers, 0).text;
            vec![names, format!("{numbers} = {}", self.number(value(&self.reading, term)))]
        });
        let rows: Vec<Vec<String>> = rows.collect();
        let all: Vec<(Written, f64)> = (terms.iter())
            .map(|term| value(&self.reading, term))
            .map(|value| (self.written(value), value))
            .collect();
        let total: f64 = all.iter().map(|(_, value)| value).sum();
        let cost = if self.is_regularized() { Written::name("D", "D") } else { self.cost_name() };
        let name = Written::ratio(&cost, &self.number_name(place, element));
        let line = equation([name, self.sum_of(all), self.written(total)]);
        self.text(self.say("sum_text", &[("count", &count)]));
        self.table(&["term", "in_numbers"], rows);
        self.blocks.push(line);
        if let Some(first) = terms.first() {
            self.way_back(first);
        }
    }

    /// From the largest part of a gradient to the cost: each derivative on the way with how it was made.
    fn way_back(&mut self, term: &[Place]) {
        let forward = self.trace.lowered().graph.nodes().len();
        let derivative = |places: &[Place]| {
            let own = places.iter().copied().filter(|place| place.node.index() >= forward);
            own.filter(|place| self.trace.graph().node(place.node).op().is_some())
                .max_by(|a, b| a.node.cmp(&b.node).reverse())
        };
        let Some(mut at) = derivative(term) else { return };
        let mut lines = Vec::new();
        for _ in 0..LONGEST_WAY {
            let parts = self.reading.parts(at);
            let value = self.reading.value(at);
            let name = self.reading.labels.name(at.node, at.element);
            let (how, next) = match &parts[..] {
                [only] => {
                    let Some(step) = self.one_back(*only) else { break };
                    step
                }
                several => {
                    let terms = several.iter().map(|part| {
                        let value = self.reading.value(*part);
                        (self.written(value), value)
                    });
                    let largest = several
                        .iter()
                        .copied()
                        .max_by(|a, b| self.reading.value(*a).abs().total_cmp(&self.reading.value(*b).abs()));
                    (Some(self.sum_of(terms.collect())), largest.into_iter().collect())
                }
            };
            if let (Some(name), Some(how)) = (name, how) {
                lines.push(equation([name, how, self.written(value)]));
            }
            let Some(next) = derivative(&next) else { break };
            at = next;
        }
        if !lines.is_empty() {
            self.text(self.catalog.get("way_text").to_owned());
            self.blocks.extend(lines);
        }
    }

    /// How one derivative was made, in numbers, and what it was made of.
    fn one_back(&self, at: Place) -> Option<(Option<Written>, Vec<Place>)> {
        if let Some(addends) = self.reading.addends(at) {
            let value =
                |term: &Vec<Place>| term.iter().map(|place| self.reading.value(*place)).product::<f64>();
            let terms: Vec<(Written, f64)> = (addends.all.iter())
                .map(|term| (self.reading.product_of(term, With::Numbers, 0), value(term)))
                .collect();
            let largest = addends.all.iter().max_by(|a, b| value(a).abs().total_cmp(&value(b).abs()));
            let sum = self.sum_of(terms);
            let sum = if addends.factor == 1.0 {
                sum
            } else {
                Written::product([sum, self.written(addends.factor)])
            };
            return Some((Some(sum), largest.cloned().unwrap_or_default()));
        }
        let operands = self.reading.operands(at);
        match operands {
            Some(operands) => Some((self.reading.how(at, With::Numbers), operands)),
            // Of an operation on whole arrays: where the largest derivative went in.
            None => {
                let node = self.trace.graph().node(at.node);
                let forward = self.trace.lowered().graph.nodes().len();
                let back = node.inputs().iter().copied().find(|input| {
                    input.index() >= forward
                        && matches!(self.trace.graph().node(*input).kind, Kind::Operation(..))
                })?;
                let numbers = self.trace.value(back);
                let own = self.reading.value(at);
                let element = numbers.iter().position(|x| *x == own).unwrap_or_else(|| {
                    let size = |at: &usize| numbers[*at].abs();
                    (0..numbers.len()).max_by(|a, b| size(a).total_cmp(&size(b))).unwrap_or(0)
                });
                Some((None, vec![Place { node: back, element }]))
            }
        }
    }

    /// The gradient with regularization, the parts of the examples, and what a nudge tells.
    pub(super) fn gradient_of_number(&mut self, place: usize, element: usize) {
        let trace = self.trace;
        let w = self.number_name(place, element);
        let number = trace.parameter(place)[element];
        let gradient = trace.gradient(place)[element];
        let (l1, l2) = self.strengths(place);
        let is_regularized = l1 > 0.0 || l2 > 0.0;
        let data = self.data_gradient(place, element);
        let cost = self.cost_name();
        let data_name =
            Written::ratio(&if is_regularized { Written::name("D", "D") } else { cost.clone() }, &w);
        self.over_batch(place, element, &data_name, data);
        if is_regularized {
            let (mut names, mut numbers) = (vec![data_name], vec![self.written(data)]);
            if l2 > 0.0 {
                names.push(Written::product([self.written(l2), w.clone()]));
                numbers.push(Written::product([self.written(l2), self.written(number)]));
            }
            if l1 > 0.0 {
                let sign = |inside: Written| {
                    Written::name(
                        format!("sign({})", inside.text),
                        format!(r"\operatorname{{sign}}({})", inside.latex),
                    )
                };
                names.push(Written::product([self.written(l1), sign(w.clone())]));
                numbers.push(Written::product([self.written(l1), sign(self.written(number))]));
            }
            let name = Written::ratio(&cost, &w);
            let sides = [name, Written::sum(names), Written::sum(numbers), self.written(gradient)];
            self.blocks.push(equation(sides));
        }
        self.nudge(place, element, &w.text);
    }

    /// What the cost does when the number is nudged, beside its gradient.
    fn nudge(&mut self, place: usize, element: usize, weight: &str) {
        let Ok(nudge) = Nudge::of(self.trace, place, element) else { return };
        let gradient = self.trace.gradient(place)[element];
        let (key, by, change, divisor, other) = match nudge {
            Nudge::Above { by, change } => ("nudge", by, change, by, 0.0),
            Nudge::Around { by, change } => ("nudge_around", by, change, 2.0 * by, 0.0),
            Nudge::Kink { by, above, below } => ("nudge_kink", by, above, by, below),
            Nudge::Bends { by, change } => {
                ("nudge_bends", by, change, 2.0 * by, change / (2.0 * by) - gradient)
            }
            Nudge::Hidden { by, change, rounding } => ("nudge_hidden", by, change, by, rounding),
        };
        let cost = self.cost_name();
        let values: [(&str, &dyn std::fmt::Display); 7] = [
            ("weight", &weight),
            ("nudge", &self.number(by)),
            ("cost", &cost.text),
            ("change", &self.number(change)),
            ("divisor", &self.number(divisor)),
            ("other", &self.number(if key == "nudge_bends" { other.abs() } else { other })),
            ("gradient", &self.number(gradient)),
        ];
        self.text(self.say(key, &values));
        let quotient = |change: f64, by: f64| {
            equation([self.written(change).quotient(self.written(by)), self.written(change / by)])
        };
        let mut lines = vec![quotient(change, divisor)];
        if let Nudge::Kink { by, below, .. } = nudge {
            lines.push(quotient(below, -by));
        }
        self.blocks.extend(lines);
    }

    /// Of several examples: the sum of their parts, and, where it is one, the mean of what each would have alone.
    fn over_batch(&mut self, place: usize, element: usize, name: &Written, value: f64) {
        let rows = self.trace.rows();
        let dense = self.trace.dense().iter();
        let Some(dense) = dense.clone().find(|own| own.weight == place || own.bias == Some(place)) else {
            return;
        };
        if rows == 1 {
            return;
        }
        let unit = if dense.bias == Some(place) { element } else { element / dense.inputs };
        let part = |row: usize| {
            let x = match dense.bias == Some(place) {
                true => 1.0,
                false => self.trace.at(dense.input, row, element % dense.inputs),
            };
            self.trace.at(dense.delta, row, unit) * x
        };
        let terms =
            |scale: f64| (0..rows).map(|row| (self.written(scale * part(row)), scale * part(row))).collect();
        let sum = self.sum_of(terms(1.0));
        let mut sides = vec![name.clone()];
        if self.is_mean_of_examples() {
            let m = rows as f64;
            sides.push(self.sum_of(terms(m)).enclosed().quotient(self.written(m)));
        }
        sides.extend([sum, self.written(value)]);
        let line = equation(sides);
        self.text(
            self.catalog.get(if self.is_mean_of_examples() { "batch_mean" } else { "batch_sum" }).to_owned(),
        );
        self.blocks.push(line);
    }

    /// The optimizer's formula with its numbers, over the steps that are asked for, and the cost after each.
    pub(super) fn update_of_number(&mut self, place: usize, element: usize) {
        let training = &self.options.training;
        let rate = training.learning_rate();
        let optimizer = training.optimizer.name();
        self.heading(self.catalog.get("update").to_owned());
        if training.optimizer.is_searching() {
            self.text(self.say("searched_step", &[("optimizer", &optimizer)]));
            return;
        }
        let name = self.number_name(place, element);
        if self.options.fixed.contains(&place) {
            self.text(self.say("fixed_number", &[("weight", &name.text)]));
            return;
        }
        self.text(self.say("step_text", &[("optimizer", &optimizer), ("rate", &rate)]));
        let mut example = NetworkExample::of_trace(self.trace, self.options);
        let mut kept = example.kept.clone();
        let mut cost = self.trace.cost();
        for step in 1..=self.options.steps {
            let Ok(trace) = example.trace() else { return };
            let gradient = example.clipped(&trace)[place][element];
            let before = example.parameters[place][element];
            let states = kept.states.get(place).cloned().unwrap_or_default();
            if let Some((limit, norm)) = clipped(&trace, training) {
                let own = trace.gradient(place)[element];
                let share = self.written(own);
                let product = Written::product([share, self.written(limit)]).quotient(self.written(norm));
                self.text(self.catalog.get("clipped_text").to_owned());
                let g = Written::name("g", "g");
                self.blocks.push(equation([g, product, self.written(gradient)]));
            } else {
                let g = Written::name("g", "g");
                self.blocks.push(equation([
                    g,
                    Written::ratio(&self.cost_name(), &name),
                    self.written(gradient),
                ]));
            }
            if example.advance(&mut kept).is_err() {
                return;
            }
            let stepped = Stepped {
                training,
                parameter: &trace.parameters()[place],
                name: name.clone(),
                gradient_name: Written::name("g", "g"),
                step: kept.steps,
                before,
                gradient,
                kept: states.iter().map(|state| state[element]).collect(),
                after: example.parameters[place][element],
            };
            self.blocks.extend(stepped.lines(self.options.digits));
            let Ok(after) = example.trace() else { return };
            let values: [(&str, &dyn std::fmt::Display); 4] = [
                ("step", &step),
                ("cost", &self.cost_name().text),
                ("after", &self.number(after.cost())),
                ("before", &self.number(cost)),
            ];
            self.text(self.say("cost_after", &values));
            cost = after.cost();
        }
    }
}
