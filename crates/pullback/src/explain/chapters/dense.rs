//! Dense layers: weighted sums with their terms, deltas and where they come from, gradients of weights.

use crate::explain::notation::Symbol;
use crate::explain::page::Page;
use crate::explain::{Block, Dense, Link, ledger};
use crate::report::number::significant;

impl Page<'_> {
    /// The symbol of what a dense layer reads.
    pub(super) fn input(&self, position: usize, unit: usize) -> Symbol {
        Symbol::Activation(position, unit)
    }

    pub(super) fn inputs(&mut self) {
        let Some(first) = self.trace.dense().first() else { return };
        let x = self.row_of(first.input, first.inputs);
        if !self.trace.images().is_empty() {
            self.text(self.say("dense_reads", &[("count", &first.inputs)]));
        }
        let mut rows: Vec<Vec<String>> = Vec::new();
        for unit in self.shown(&x) {
            let mut row = vec![self.symbol(Symbol::Activation(0, unit))];
            row.extend(self.input_name(0, unit).map(|input| input.name.clone()));
            row.extend(self.input_name(0, unit).map(|input| input.cell.clone()));
            row.push(self.number(x[unit]));
            rows.push(row);
        }
        let columns: &[&str] = match self.input_name(0, 0) {
            Some(_) => &["input", "column", "cell", "value"],
            None => &["input", "value"],
        };
        self.table(columns, rows);
        self.left_out(&x);
    }

    pub(super) fn layer_name(&self, position: usize) -> String {
        let dense = &self.trace.dense()[position];
        self.say("layer", &[("layer", &(position + 1)), ("units", &dense.units), ("inputs", &dense.inputs)])
    }

    pub(super) fn weight_at(&self, dense: &Dense, unit: usize, input: usize) -> f64 {
        self.trace.parameter(dense.weight)[unit * dense.inputs + input]
    }

    /// A weighted sum with its terms: all if they are few, else the largest.
    pub(super) fn terms(&self, position: usize, unit: usize) -> String {
        let dense = &self.trace.dense()[position];
        let terms: Vec<f64> = (0..dense.inputs)
            .map(|input| self.weight_at(dense, unit, input) * self.trace.at(dense.input, 0, input))
            .collect();
        let few = dense.inputs <= 4;
        let mut shown: Vec<usize> = (0..dense.inputs).collect();
        if !few {
            shown.sort_by(|&left, &right| terms[right].abs().total_cmp(&terms[left].abs()));
            shown.truncate(2);
        }
        let digits = self.options.digits.min(4);
        let mut parts: Vec<String> = shown
            .iter()
            .map(|&input| {
                let (w, x) = (self.weight_at(dense, unit, input), self.trace.at(dense.input, 0, input));
                format!("{}*{}", significant(w, digits), significant(x, digits))
            })
            .collect();
        if !few {
            parts.push(self.say("more_terms", &[("count", &(dense.inputs - shown.len()))]));
        }
        if let Some(bias) = dense.bias {
            parts.push(significant(self.trace.parameter(bias)[unit], digits));
        }
        parts.join(" + ").replace("+ -", "- ")
    }

    pub(super) fn dense_forward(&mut self, position: usize) {
        let dense = self.trace.dense()[position].clone();
        self.heading(self.layer_name(position));
        let z = self.row_of(dense.sum, dense.units);
        let outs: Vec<_> = dense.links.iter().filter(|link| !link.is_cost).map(|link| link.node).collect();
        let mut rows = Vec::new();
        for unit in self.shown(&z) {
            let mut row = vec![self.symbol(Symbol::Sum(position + 1, unit)), self.number(z[unit])];
            row.extend(outs.iter().map(|&node| self.number(self.trace.at(node, 0, unit))));
            row.push(self.terms(position, unit));
            rows.push(row);
        }
        let mut columns = vec![self.catalog.get("unit").to_owned(), self.catalog.get("z").to_owned()];
        columns.extend(outs.iter().map(|&node| self.link_value(node)));
        columns.push(self.catalog.get("terms").to_owned());
        self.blocks.push(Block::Table { columns, rows });
        self.left_out(&z);
    }

    /// The derivative that arrives at a unit, before its own slopes, and how it was computed.
    pub(super) fn arrival(&self, position: usize, unit: usize) -> (f64, String) {
        let dense = &self.trace.dense()[position];
        let Some(last) = dense.links.last() else {
            return (self.trace.at(dense.delta, 0, unit), String::new());
        };
        let upstream = last.upstream.map_or(1.0, |id| self.trace.at(id, 0, unit));
        // From the cost itself arrive its slope and the example's share in the mean.
        let value = if last.is_cost { upstream * self.trace.at(last.slope, 0, unit) } else { upstream };
        let how = match self.trace.dense().get(position + 1) {
            Some(next) if !last.is_cost => {
                let terms: Vec<(usize, f64, f64)> = (0..next.units)
                    .map(|k| (k, self.trace.at(next.delta, 0, k), self.weight_at(next, k, unit)))
                    .collect();
                let mut shown: Vec<&(usize, f64, f64)> = terms.iter().collect();
                let few = terms.len() <= 4;
                if !few {
                    shown.sort_by(|a, b| (b.1 * b.2).abs().total_cmp(&(a.1 * a.2).abs()));
                    shown.truncate(2);
                }
                let digits = self.options.digits.min(4);
                let mut parts: Vec<String> = (shown.iter())
                    .map(|(_, delta, w)| {
                        format!("{}*{}", significant(*delta, digits), significant(*w, digits))
                    })
                    .collect();
                if !few {
                    parts.push(self.say("more_terms", &[("count", &(terms.len() - 2))]));
                }
                parts.join(" + ").replace("+ -", "- ")
            }
            _ => self.slope_of_cost(last, unit).unwrap_or_else(|| self.catalog.get("from_cost").to_owned()),
        };
        (value, how)
    }

    /// The derivative of the cost in numbers, where its rule is one operation: `0.7514 - 0.01`, a prediction minus its
    /// target; of several examples, times the share of this one.
    fn slope_of_cost(&self, link: &Link, unit: usize) -> Option<String> {
        let node = self.trace.graph().node(link.slope);
        let op = node.op().filter(|op| link.is_cost && op.is_in_place())?;
        let digits = self.options.digits.min(4);
        let number = |at: usize, x: f64| match significant(x, digits) {
            text if x < 0.0 && at > 0 => format!("({text})"),
            text => text,
        };
        let operands = node.inputs().iter().enumerate();
        let operands: Vec<String> =
            operands.map(|(at, &id)| number(at, self.trace.at(id, 0, unit))).collect();
        let slope = op.formula().text(&operands);
        Some(match link.upstream.map(|id| self.trace.at(id, 0, unit)) {
            None | Some(1.0) => slope,
            Some(share) => format!("({slope}) * {}", significant(share, digits)),
        })
    }

    pub(super) fn dense_backward(&mut self, position: usize) {
        let dense = self.trace.dense()[position].clone();
        self.heading(self.layer_name(position));
        let delta = self.row_of(dense.delta, dense.units);
        // Where there is no activation, what arrives is the delta.
        let slopes: Vec<_> = dense.links.iter().rev().filter(|link| !link.is_cost).copied().collect();
        let mut columns = vec![self.catalog.get("unit").to_owned()];
        if !slopes.is_empty() {
            columns.push(self.catalog.get("arriving").to_owned());
        }
        columns.extend(slopes.iter().map(|link| self.link_slope(link)));
        let from = if slopes.is_empty() { "delta_from" } else { "arriving_from" };
        columns.extend(self.names(&["delta", from]));
        let mut rows = Vec::new();
        for unit in self.shown(&delta) {
            let (arriving, how) = self.arrival(position, unit);
            let mut row = vec![self.symbol(Symbol::Delta(position + 1, unit))];
            if !slopes.is_empty() {
                row.push(self.number(arriving));
            }
            row.extend(slopes.iter().map(|link| self.number(self.trace.at(link.slope, 0, unit))));
            row.extend([self.number(delta[unit]), how]);
            rows.push(row);
        }
        self.blocks.push(Block::Table { columns, rows });
        self.left_out(&delta);
    }

    pub(super) fn dense_gradients(&mut self, position: usize) {
        let dense = self.trace.dense()[position].clone();
        let gradient = self.trace.gradient(dense.weight);
        let weights = self.trace.parameter(dense.weight);
        self.heading(self.layer_name(position));
        let name =
            |at: usize| self.symbol(Symbol::Weight(position + 1, at / dense.inputs, at % dense.inputs));
        let shown = self.shown(gradient);
        let mut rows = Vec::new();
        for &at in &shown {
            let (unit, input) = (at / dense.inputs, at % dense.inputs);
            let ledger = ledger(self.trace, &self.options.training, position, unit, input);
            let mut row = vec![name(at), self.number(weights[at])];
            if self.trace.rows() == 1 {
                let (delta, x) = (self.trace.at(dense.delta, 0, unit), self.trace.at(dense.input, 0, input));
                row.extend([self.number(delta), self.number(x)]);
            }
            row.push(self.number(gradient[at]));
            row.extend(ledger.new_weight.map(|new_weight| self.number(new_weight)));
            rows.push(row);
        }
        let mut columns = vec!["weight", "value"];
        if self.trace.rows() == 1 {
            columns.extend(["delta", "times_input"]);
        }
        columns.push("gradient");
        if !self.options.training.optimizer.is_searching() {
            columns.push("after_step");
        }
        self.table(&columns, rows);
        self.weights_left_out(gradient, shown.len());
        // Whose weights these are: `x[105]: Embarked=S`.
        let inputs: std::collections::BTreeSet<usize> = shown.iter().map(|at| at % dense.inputs).collect();
        let named = |&input: &usize| {
            let name = &self.input_name(position, input)?.name;
            Some(format!("{}: {name}", self.symbol(Symbol::Activation(0, input))))
        };
        let named: Vec<String> = inputs.iter().filter_map(named).collect();
        if !named.is_empty() {
            self.text(named.join(", "));
        }
    }
}
