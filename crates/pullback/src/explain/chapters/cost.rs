//! The cost: predictions beside targets, each output's part, their sum, the mean over examples, regularization.

use crate::explain::Block;
use crate::explain::notation::Symbol;
use crate::explain::page::Page;
use crate::explain::reading::With;
use crate::explain::steps::Place;
use crate::explain::written::{Binds, Written, equation};
use crate::graph::ops::Formula;
use crate::graph::{Graph, Kind, NodeId, Op};

/// The most outputs whose parts are written out.
const MOST_PARTS: usize = 4;

impl Page<'_> {
    pub(super) fn cost(&mut self) {
        let trace = self.trace;
        let lowered = trace.lowered();
        self.heading(self.catalog.get("cost").to_owned());
        let outputs = trace.network().outputs();
        let target = lowered.graph.find("targets").expect("every network has targets");
        let prediction = self.row_of(lowered.prediction, outputs);
        let t = self.row_of(target, outputs);
        let name = |unit: usize| self.options.outputs.get(unit).cloned().unwrap_or_else(|| unit.to_string());
        let important: Vec<f64> = prediction.iter().zip(&t).map(|(p, t)| p.abs() + 10.0 * t.abs()).collect();
        let mut rows = Vec::new();
        for unit in self.shown(&important) {
            let mut row = vec![name(unit), self.number(prediction[unit]), self.number(t[unit])];
            if let Some(scale) = self.options.scales.get(unit) {
                let own = |x: f64| self.number(x * scale.spread + scale.center);
                row.extend([own(prediction[unit]), own(t[unit])]);
            }
            rows.push(row);
        }
        let columns: &[&str] = match self.options.scales.len() {
            0 => &["output", "prediction", "target"],
            _ => &["output", "prediction", "target", "own_prediction", "own_target"],
        };
        self.table(columns, rows);
        self.left_out(&important);
        if let Some(temperature) = self.options.temperature.filter(|temperature| *temperature != 1.0) {
            self.text(self.say("calibrated", &[("temperature", &self.number(temperature))]));
        }
        self.parts_of_cost();
        let own = self.own_costs();
        self.batch(own.as_deref());
        self.sums_of_cost(own.as_deref());
        let regularization = trace.cost() - trace.data_cost();
        let mut rows = Vec::new();
        if let Some(own) = &own {
            rows.push(vec![self.catalog.get("data_cost").to_owned(), self.number(own[0])]);
        }
        if trace.rows() > 1 {
            let count = trace.rows().to_string();
            let key = if trace.weights().is_some() { "weighted_data_cost" } else { "mean_data_cost" };
            rows.push(vec![self.say(key, &[("count", &count)]), self.number(trace.data_cost())]);
        }
        if self.is_regularized() {
            rows.push(vec![self.catalog.get("regularization").to_owned(), self.number(regularization)]);
            rows.push(vec![self.catalog.get("total_cost").to_owned(), self.number(trace.cost())]);
        }
        self.table(&["part", "value"], rows);
    }

    /// The examples of a batch in a line each: what is predicted, what is true, and the cost.
    fn batch(&mut self, own: Option<&[f64]>) {
        const MOST_OUTPUTS: usize = 3;
        let (trace, Some(own)) = (self.trace, own) else { return };
        if trace.rows() < 2 {
            return;
        }
        let outputs = trace.network().outputs();
        let target = trace.lowered().graph.find("targets").expect("every network has targets");
        let numbers = |node: NodeId, row: usize| {
            let shown = (0..outputs.min(MOST_OUTPUTS)).map(|unit| self.number(trace.at(node, row, unit)));
            let more = if outputs > MOST_OUTPUTS { ", ..." } else { "" };
            shown.collect::<Vec<_>>().join(", ") + more
        };
        let shown = trace.rows().min(self.options.most_units);
        let rows = (0..shown).map(|row| {
            let mut line = vec![(row + 1).to_string(), numbers(trace.lowered().prediction, row)];
            line.push(numbers(target, row));
            line.extend(trace.weights().map(|weights| self.number(weights[row])));
            line.push(self.number(own[row]));
            line
        });
        let rows = rows.collect();
        let weight = trace.weights().map(|_| "example_weight");
        let columns: Vec<&str> = ["example_head", "prediction", "target"]
            .into_iter()
            .chain(weight)
            .chain(["cost_of_it"])
            .collect();
        self.table(&columns, rows);
        if trace.rows() > shown {
            self.text(self.say("left_out_first", &[("shown", &shown), ("units", &trace.rows())]));
        }
    }

    pub(super) fn is_regularized(&self) -> bool {
        self.trace.parameters().iter().any(|p| p.l1 > 0.0 || p.l2 > 0.0)
    }

    /// The name of an output's part of the first example's cost.
    fn part_name(&self, unit: usize) -> Written {
        let cost = self.cost_name();
        let target = self.named(Symbol::Target(unit));
        let letter = self.options.notation.target();
        match target.text.strip_prefix(letter) {
            Some(rest) if !rest.is_empty() => Written::name(
                format!("{}{rest}", cost.text),
                format!("{}{}", cost.latex, target.latex.strip_prefix(letter).unwrap_or("")),
            ),
            _ => Written::name(format!("{}[{unit}]", cost.text), format!("{}_{{{unit}}}", cost.latex)),
        }
    }

    /// What the cost of an example is: formula, numbers, and its sum over the outputs.
    fn parts_of_cost(&mut self) {
        let trace = self.trace;
        let lowered = trace.lowered();
        let graph = &lowered.graph;
        let node = graph.node(lowered.costs);
        let (Some(op), outputs) = (node.op(), trace.network().outputs()) else { return };
        if !op.is_elementwise() {
            return self.cost_of_classes();
        }
        let costs = trace.value(lowered.costs);
        if costs.len() != trace.rows() * outputs {
            return;
        }
        let place = |unit: usize| Place { node: lowered.costs, element: unit };
        let shown = outputs.min(MOST_PARTS);
        let mut lines = Vec::new();
        for (unit, cost) in costs.iter().enumerate().take(shown) {
            let read = |with: With| {
                let operands = self.reading.operands(place(unit)).unwrap_or_default();
                let operands: Vec<Written> =
                    operands.into_iter().map(|own| self.reading.write(own, with)).collect();
                Written::applied(op, &operands)
            };
            let name = if outputs == 1 && trace.rows() == 1 && !self.is_regularized() {
                self.cost_name()
            } else {
                self.part_name(unit)
            };
            lines.push(equation([name, read(With::Names), read(With::Numbers), self.written(*cost)]));
        }
        self.blocks.extend(lines);
        if outputs > 1 {
            let terms: Vec<(Written, f64)> =
                costs[..outputs].iter().map(|cost| (self.written(*cost), *cost)).collect();
            let names = (0..outputs).map(|unit| self.part_name(unit));
            let names = if outputs <= MOST_PARTS {
                Written::sum(names)
            } else {
                let first = self.part_name(0);
                Written::name(format!("sum({})", self.cost_name().text), format!(r"\sum {}", first.latex))
            };
            let whole: f64 = costs[..outputs].iter().sum();
            let name = self.name_of_example(0);
            self.blocks.push(equation([name, names, self.sum_of(terms), self.written(whole)]));
        }
    }

    /// The cost of an example whose outputs are classes: `-log(p)` of its own, with the formula before it.
    fn cost_of_classes(&mut self) {
        let trace = self.trace;
        let lowered = trace.lowered();
        let outputs = trace.network().outputs();
        let costs = trace.value(lowered.costs);
        let Some(op) = lowered.graph.node(lowered.costs).op() else { return };
        let last = trace.dense().len();
        let has_activation =
            trace.dense().last().is_some_and(|dense| dense.links.iter().any(|link| !link.is_cost));
        let read = if has_activation { Symbol::Activation(last, 0) } else { Symbol::Sum(last, 0) };
        let letter = |symbol: Symbol| {
            let text = self.options.notation.text(symbol);
            text.split(['[', '_']).next().unwrap_or_default().to_owned()
        };
        let given = lowered.graph.node(lowered.costs).inputs().get(1).copied();
        let target = lowered.graph.find("targets").expect("every network has targets");
        let of = |fill: fn(&Formula, &[String]) -> String| {
            let read = letter(read);
            let given =
                of_targets(&lowered.graph, given.unwrap_or(target), self.options.notation.target(), fill);
            fill(&op.formula(), &[read, given])
        };
        let formula = Written { text: of(Formula::text), latex: of(Formula::latex), binds: Binds::Sum };
        let is_softmax = matches!(op, Op::SoftmaxCrossEntropy(_));
        let name = self.name_of_example(0);
        if !is_softmax || costs.len() != trace.rows() {
            self.blocks.push(equation([name, formula]));
            return;
        }
        // Smoothed targets are made of those that are given.
        let t = self.row_of(given.unwrap_or(target), outputs);
        let p = self.row_of(lowered.prediction, outputs);
        let log = |p: f64| {
            let p = self.written(p);
            Written {
                text: format!("log({})", p.text),
                latex: format!(r"\ln\left({}\right)", p.latex),
                binds: Binds::Whole,
            }
        };
        let terms: Vec<(Written, f64)> = (0..outputs)
            .filter(|&unit| t[unit] != 0.0)
            .map(|unit| {
                let written = match t[unit] == 1.0 {
                    true => log(p[unit]),
                    false => Written::product([self.written(t[unit]), log(p[unit])]),
                };
                (written, t[unit] * pullback_kernels::Real::ln(p[unit]))
            })
            .collect();
        let sum = match terms.len() {
            1 => self.sum_of(terms),
            _ => self.sum_of(terms).enclosed(),
        };
        let numbers =
            Written { text: format!("-{}", sum.text), latex: format!("-{}", sum.latex), binds: Binds::Sum };
        self.blocks.push(equation([name, formula, numbers, self.written(costs[0])]));
    }

    /// The cost of one example: the cost itself where there is no other and no regularization.
    fn name_of_example(&self, row: usize) -> Written {
        let cost = self.cost_name();
        match (self.trace.rows() > 1, self.is_regularized()) {
            (true, _) => {
                let number = row + 1;
                Written::name(format!("{}^({number})", cost.text), format!("{}^{{({number})}}", cost.latex))
            }
            (false, true) => Written::name("D", "D"),
            (false, false) => cost,
        }
    }

    /// The mean over the examples, and the sum with regularization.
    fn sums_of_cost(&mut self, own: Option<&[f64]>) {
        let trace = self.trace;
        let data = if self.is_regularized() { Written::name("D", "D") } else { self.cost_name() };
        if let (Some(own), true) = (own, trace.rows() > 1) {
            let count = trace.rows() as f64;
            let value = self.written(trace.data_cost());
            let term = |(row, cost): (usize, &f64)| match trace.weights() {
                None => (self.written(*cost), *cost),
                Some(weights) => {
                    let w = weights[row];
                    (Written::product([self.written(w), self.written(*cost)]), w * cost)
                }
            };
            let terms: Vec<(Written, f64)> = own.iter().enumerate().map(term).collect();
            let divisor = trace.weights().map_or(count, |weights| weights.iter().sum());
            let mean = self.sum_of(terms).enclosed().quotient(self.written(divisor));
            let line = equation([data.clone(), mean, value]);
            self.blocks.push(line);
        }
        if self.is_regularized() {
            let regularization = trace.cost() - trace.data_cost();
            let r = Written::name("R", "R");
            self.blocks.push(self.regularization(r.clone(), regularization));
            self.blocks.push(equation([
                self.cost_name(),
                Written::sum([data, r]),
                Written::sum([self.written(trace.data_cost()), self.written(regularization)]),
                self.written(trace.cost()),
            ]));
        }
    }

    /// `R = lambda / 2 * sum(w^2)`, with the sums over all weights that it is of.
    fn regularization(&self, name: Written, value: f64) -> Block {
        let (mut names, mut numbers) = (Vec::new(), Vec::new());
        let mut strengths: Vec<(f64, f64, f64, f64)> = Vec::new();
        for (place, parameter) in self.trace.parameters().iter().enumerate() {
            if parameter.l1 == 0.0 && parameter.l2 == 0.0 {
                continue;
            }
            let own = self.strengths(place);
            let numbers = self.trace.parameter(place);
            let absolute: f64 = numbers.iter().map(|w| w.abs()).sum();
            let squares: f64 = numbers.iter().map(|w| w * w).sum();
            match strengths.iter_mut().find(|(l1, l2, ..)| (*l1, *l2) == own) {
                Some(known) => {
                    known.2 += absolute;
                    known.3 += squares;
                }
                None => strengths.push((own.0, own.1, absolute, squares)),
            }
        }
        let w = self.options.notation.weight();
        for (l1, l2, absolute, squares) in strengths {
            if l2 > 0.0 {
                let half = self.written(l2).quotient(self.written(2.0));
                names.push(Written::product([
                    half.clone(),
                    Written::name(format!("sum({w}^2)"), format!(r"\sum {{{w}}}^2")),
                ]));
                numbers.push(Written::product([half, self.written(squares)]));
            }
            if l1 > 0.0 {
                names.push(Written::product([
                    self.written(l1),
                    Written::name(format!("sum(|{w}|)"), format!(r"\sum \lvert {w} \rvert")),
                ]));
                numbers.push(Written::product([self.written(l1), self.written(absolute)]));
            }
        }
        equation([name, Written::sum(names), Written::sum(numbers), self.written(value)])
    }

    /// The cost of each example, with its weight where it has one. Absent where the graph has no cost of each example.
    fn own_costs(&self) -> Option<Vec<f64>> {
        let trace = self.trace;
        let costs = trace.value(trace.lowered().costs);
        let each = costs.len() / trace.rows();
        if each == 0 || costs.len() != each * trace.rows() {
            return None;
        }
        let own: Vec<f64> = costs.chunks_exact(each).map(|own| own.iter().sum()).collect();
        let shares: f64 = trace.weights().map_or(trace.rows() as f64, |weights| weights.iter().sum());
        let counted = |(row, cost): (usize, &f64)| cost * trace.weights().map_or(1.0, |weights| weights[row]);
        let mean = own.iter().enumerate().map(counted).sum::<f64>() / shares;
        // Any other cost is the mean of what is said to be one's.
        ((mean - trace.data_cost()).abs() <= 1e-9 * mean.abs()).then_some(own)
    }
}

/// What a cost is given instead of the targets t, as a formula of them; mostly t itself.
fn of_targets(graph: &Graph, id: NodeId, letter: &str, fill: fn(&Formula, &[String]) -> String) -> String {
    let node = graph.node(id);
    match &node.kind {
        Kind::Operation(op, inputs) => {
            let operands: Vec<String> =
                inputs.iter().map(|input| of_targets(graph, *input, letter, fill)).collect();
            format!("({})", fill(&op.formula(), &operands))
        }
        Kind::Constant(number) => number.to_string(),
        Kind::Input(_) | Kind::Parameter(_) => letter.to_owned(),
    }
}
