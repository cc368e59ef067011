//! Dense layers: weighted sums with their terms, deltas and where they come from, gradients of weights and biases.

use crate::explain::notation::Symbol;
use crate::explain::page::Page;
use crate::explain::reading::With;
use crate::explain::steps::Place;
use crate::explain::worked::NetworkExample;
use crate::explain::written::{Binds, Written, equation};
use crate::explain::{Dense, Link};
use crate::graph::{Kind, NodeId, Op};

/// The longest formula of a slope in numbers that a table has room for.
const LONGEST_SLOPE: usize = 24;

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
        } else if first.inputs != self.trace.network().inputs {
            self.text(self.say("dense_reads_made", &[("count", &first.inputs)]));
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

    /// The place of a number of a row of a node.
    pub(super) fn place(&self, node: NodeId, row: usize, unit: usize) -> Place {
        let sizes = self.trace.graph().shape(node).sizes();
        let (rows, units) = match sizes {
            [] => (1, 1),
            [units] => (1, *units),
            [rows, rest @ ..] => (*rows, rest.iter().product()),
        };
        let element = if rows == 1 { 0 } else { row } * units + if units == 1 { 0 } else { unit };
        Place { node, element }
    }

    /// A weighted sum with its terms: all if they are few, else the largest and the rest.
    pub(super) fn terms(&self, position: usize, unit: usize) -> String {
        let dense = &self.trace.dense()[position];
        let mut terms: Vec<(Written, f64)> = (0..dense.inputs)
            .map(|input| {
                let (w, x) = (self.weight_at(dense, unit, input), self.trace.at(dense.input, 0, input));
                (Written::product([self.written(w), self.written(x)]), w * x)
            })
            .collect();
        let bias = dense.bias.map(|bias| self.trace.parameter(bias)[unit]);
        if let (Some(bias), true) = (bias, terms.len() <= 4) {
            terms.push((self.written(bias), f64::INFINITY));
            return Written::sum(terms.into_iter().map(|(term, _)| term)).text;
        }
        let sum = self.sum_of(terms);
        Written::sum([sum].into_iter().chain(bias.map(|bias| self.written(bias)))).text
    }

    pub(super) fn dense_forward(&mut self, position: usize) {
        let dense = self.trace.dense()[position].clone();
        self.heading(self.layer_name(position));
        self.matrices(position);
        let z = self.row_of(dense.sum, dense.units);
        let outs: Vec<_> = dense.links.iter().filter(|link| !link.is_cost).map(|link| link.node).collect();
        let mut rows = Vec::new();
        for unit in self.shown(&z) {
            let mut row = vec![self.symbol(Symbol::Sum(position + 1, unit)), self.number(z[unit])];
            row.extend(outs.iter().map(|&node| self.number(self.trace.at(node, 0, unit))));
            row.push(self.terms(position, unit));
            rows.push(row);
        }
        let letter = self.options.notation.of_named_unit()[0].to_owned();
        let mut columns = vec![self.catalog.get("unit").to_owned(), letter];
        columns.extend(outs.iter().enumerate().map(|(at, &node)| self.link_value(node, at == 0)));
        columns.push(self.catalog.get("terms").to_owned());
        self.table_of(columns, rows);
        self.left_out(&z);
    }

    /// A small layer as matrices, in the notation that has them: `Z1 = W1 X + b1`.
    fn matrices(&mut self, position: usize) {
        const MOST: usize = 6;
        let dense = self.trace.dense()[position].clone();
        let is_small = dense.inputs <= MOST && dense.units <= MOST;
        if self.options.notation != crate::explain::Notation::Matrix || !is_small {
            return;
        }
        let number = |x: f64| self.written(x);
        let column = |numbers: Vec<f64>| matrix(numbers.into_iter().map(|x| vec![number(x)]).collect());
        let weights = (0..dense.units)
            .map(|unit| (0..dense.inputs).map(|input| number(self.weight_at(&dense, unit, input))).collect());
        let weights = matrix(weights.collect());
        let layer = position + 1;
        let named =
            |letter: &str| Written::name(format!("{letter}{layer}"), format!("{letter}^{{({layer})}}"));
        let input = match position {
            0 => Written::name("X", "X"),
            _ => Written::name(format!("A{position}"), format!("A^{{({position})}}")),
        };
        let product = Written::product([named("W"), input]);
        let numbers = Written::product([weights, column(self.row_of(dense.input, dense.inputs))]);
        let (mut names, mut sum) = (vec![product], vec![numbers]);
        if let Some(bias) = dense.bias {
            names.push(named("b"));
            sum.push(column(self.trace.parameter(bias).to_vec()));
        }
        let z = column(self.row_of(dense.sum, dense.units));
        self.blocks.push(equation([named("Z"), Written::sum(names), Written::sum(sum), z]));
    }

    /// The derivative that arrives at a unit for an example, before its own slopes, and how it was computed.
    pub(super) fn arrival(&self, position: usize, unit: usize, row: usize) -> (f64, Option<[Written; 2]>) {
        let dense = &self.trace.dense()[position];
        let scale = self.delta_scale();
        let Some(last) = dense.links.last() else {
            // It comes on several paths, which have a table of their own.
            return (scale * self.trace.at(dense.delta, row, unit), None);
        };
        let upstream = last.upstream.map_or(1.0, |id| self.trace.at(id, row, unit));
        // From the cost itself arrive its slope and the example's share in the mean.
        let value =
            scale * if last.is_cost { upstream * self.trace.at(last.slope, row, unit) } else { upstream };
        let how = match self.trace.dense().get(position + 1) {
            Some(next) if !last.is_cost && self.reads(next, last.node) => {
                Some(self.sum_over_next(position + 1, unit, row))
            }
            _ if last.is_cost => self.slope_of_cost(last, unit, row),
            _ => last
                .upstream
                .and_then(|id| self.both_ways(self.place(id, row, unit)))
                .filter(|_| scale == 1.0),
        };
        (value, how)
    }

    /// Whether a dense layer reads a node, as it is.
    pub(super) fn reads(&self, next: &Dense, node: NodeId) -> bool {
        next.input == node || self.trace.adjoint(next.input) == self.trace.adjoint(node)
    }

    /// What arrives at a unit from the next layer: the sum of its deltas times the weights between, over names and over
    /// numbers.
    fn sum_over_next(&self, next_position: usize, unit: usize, row: usize) -> [Written; 2] {
        let next = &self.trace.dense()[next_position];
        let scale = self.delta_scale();
        let terms = |with: With| {
            let of = |k: usize| {
                let delta = scale * self.trace.at(next.delta, row, k);
                let w = self.weight_at(next, k, unit);
                let written = match with {
                    With::Names => Written::product([
                        self.at_row(self.named(Symbol::Delta(next_position + 1, k)), row),
                        self.named(Symbol::Weight(next_position + 1, k, unit)),
                    ]),
                    With::Numbers => Written::product([self.written(delta), self.written(w)]),
                };
                (written, delta * w)
            };
            (0..next.units).map(of).collect::<Vec<_>>()
        };
        let names = match next.units {
            0..=4 => self.sum_of(terms(With::Names)),
            _ => {
                let [delta, w] = [r"\delta", "w"].map(str::to_owned);
                Written {
                    text: format!("sum(delta * {})", self.options.notation.weight()),
                    latex: format!(r"\sum {delta} {w}"),
                    binds: Binds::Whole,
                }
            }
        };
        [names, self.sum_of(terms(With::Numbers))]
    }

    /// How a number was made, over names and over numbers.
    pub(super) fn both_ways(&self, place: Place) -> Option<[Written; 2]> {
        Some([self.reading.how(place, With::Names)?, self.reading.how(place, With::Numbers)?])
    }

    /// The derivative of the cost over names and in numbers, where its rule is one operation: `0.751365 - 0.01`, a
    /// prediction minus its target; of several examples, times the share of this one.
    pub(super) fn slope_of_cost(&self, link: &Link, unit: usize, row: usize) -> Option<[Written; 2]> {
        let (place, folded) = self.without_share(link, row, unit);
        let [names, numbers] = self.both_ways(place)?;
        let share = folded * link.upstream.map_or(1.0, |id| self.trace.at(id, row, unit));
        let scaled = Some(share * self.delta_scale()).filter(|share| (share - 1.0).abs() > 1e-12);
        Some(match scaled {
            None => [names, numbers],
            Some(share) => {
                let name = match self.trace.weights() {
                    None => Written::name("1/m", r"\tfrac{1}{m}"),
                    Some(_) => Written::name("share", r"\mathrm{share}"),
                };
                [Written::product([names, name]), Written::product([numbers, self.written(share)])]
            }
        })
    }

    /// The slope of the cost without the share of the example, which may be a factor of the slope itself, and that factor.
    pub(super) fn without_share(&self, link: &Link, row: usize, unit: usize) -> (Place, f64) {
        let place = self.place(link.slope, row, unit);
        match self.trace.graph().node(place.node).op() {
            Some(Op::Scale(factor))
                if link.is_cost
                    && self.trace.rows() > 1
                    && (factor.0.value() * self.trace.rows() as f64 - 1.0).abs() < 1e-12 =>
            {
                let operands = self.reading.operands(place).unwrap_or_default();
                (operands.first().copied().unwrap_or(place), factor.0.value())
            }
            _ => (place, 1.0),
        }
    }

    pub(super) fn dense_backward(&mut self, position: usize) {
        let dense = self.trace.dense()[position].clone();
        self.heading(self.layer_name(position));
        let scale = self.delta_scale();
        let delta: Vec<f64> = self.row_of(dense.delta, dense.units).iter().map(|x| scale * x).collect();
        // Where there is no activation, what arrives is the delta.
        let slopes: Vec<_> = dense.links.iter().rev().filter(|link| !link.is_cost).copied().collect();
        let [(_, cost), (_, a), ..] = self.letters();
        let head = |key: &str| self.say(key, &[("cost", &cost), ("a", &a)]);
        let mut columns = vec![self.catalog.get("unit").to_owned()];
        if !slopes.is_empty() {
            columns.push(head("arriving"));
        }
        let count = slopes.len();
        columns.extend(slopes.iter().enumerate().map(|(at, link)| self.link_slope(link, at + 1 == count)));
        let from = if slopes.is_empty() { "delta_from" } else { "arriving_from" };
        columns.extend([head("delta"), head(from)]);
        let mut rows = Vec::new();
        for unit in self.shown(&delta) {
            let (arriving, how) = self.arrival(position, unit, 0);
            let mut row = vec![self.symbol(Symbol::Delta(position + 1, unit))];
            if !slopes.is_empty() {
                row.push(self.number(arriving));
            }
            row.extend(slopes.iter().map(|link| self.slope_cell(link, unit)));
            row.extend([self.number(delta[unit]), how.map(|[_, numbers]| numbers.text).unwrap_or_default()]);
            rows.push(row);
        }
        self.table_of(columns, rows);
        self.left_out(&delta);
        let units = self.shown(&delta).into_iter();
        let units = units.map(|unit| (self.symbol(Symbol::Delta(position + 1, unit)), unit)).collect();
        self.paths(dense.delta, "unit", units);
    }

    /// The slope of a link by the numbers that it is made of, where there is room: `0.751365 * 0.248635`.
    fn slope_cell(&self, link: &Link, unit: usize) -> String {
        let value = self.number(self.trace.at(link.slope, 0, unit));
        let how = self.reading.how(self.place(link.slope, 0, unit), With::Numbers);
        let is_short = |how: &Written| how.text.len() <= LONGEST_SLOPE && how.binds > Binds::Cases;
        match how.filter(|how| is_short(how) && how.text != value) {
            Some(how) => how.text,
            None => value,
        }
    }

    pub(super) fn dense_gradients(&mut self, position: usize) {
        let dense = self.trace.dense()[position].clone();
        self.heading(self.layer_name(position));
        let gradient = self.trace.gradient(dense.weight);
        let shown = self.shown(gradient);
        let biases = dense.bias.map(|bias| {
            let gradient = self.trace.gradient(bias);
            (bias, self.shown(gradient))
        });
        let next = self.next_numbers(dense.weight);
        let next_biases = dense.bias.and_then(|bias| self.next_numbers(bias));
        let parameter = &self.trace.parameters()[dense.weight];
        let is_regularized = parameter.l1 > 0.0 || parameter.l2 > 0.0;
        let is_batch = self.trace.rows() > 1;
        let mut rows = Vec::new();
        let row = |name: String, place: usize, at: usize, unit: usize, x: f64, new: Option<f64>| {
            let gradient = self.trace.gradient(place)[at];
            let mut row = vec![name, self.number(self.trace.parameter(place)[at])];
            if !is_batch {
                row.extend([self.number(self.trace.at(dense.delta, 0, unit)), self.number(x)]);
            }
            if is_regularized {
                let added = self.regularization_of(place, at);
                row.extend([self.number(self.data_gradient(place, at)), self.number(added)]);
            }
            row.push(self.number(gradient));
            row.extend(new.map(|new| self.number(new)));
            if is_batch {
                row.push(self.over_examples(&dense, unit, place, at));
            }
            row
        };
        for &at in &shown {
            let (unit, input) = (at / dense.inputs, at % dense.inputs);
            let name = self.symbol(Symbol::Weight(position + 1, unit, input));
            let x = self.trace.at(dense.input, 0, input);
            rows.push(row(name, dense.weight, at, unit, x, next.as_ref().map(|next| next[at])));
        }
        for (bias, shown) in biases.iter() {
            for &unit in shown {
                let name = self.symbol(Symbol::Bias(position + 1, unit));
                rows.push(row(name, *bias, unit, unit, 1.0, next_biases.as_ref().map(|next| next[unit])));
            }
        }
        let [(_, cost), (_, _), (_, z), (_, w)] = self.letters();
        let mut columns = self.names(&["weight", "value"]);
        if !is_batch {
            columns.extend([self.catalog.get("delta").to_owned(), format!("d{z}/d{w}")]);
        }
        let data = if is_regularized { "D" } else { cost };
        if is_regularized {
            columns.extend([format!("dD/d{w}"), format!("dR/d{w}")]);
        }
        columns.push(format!("d{cost}/d{w}"));
        if next.is_some() {
            columns.push(self.catalog.get("after_step").to_owned());
        }
        if is_batch {
            columns.push(self.say("gradient_is", &[("data", &data), ("w", &w)]));
        }
        self.table_of(columns, rows);
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

    /// The part of each example in the gradient of the data's cost: delta times what the unit reads; of a mean, what each
    /// example would have alone, and their mean.
    fn over_examples(&self, dense: &Dense, unit: usize, place: usize, at: usize) -> String {
        let is_bias = Some(place) == dense.bias;
        let part = |row: usize| {
            let x = if is_bias { 1.0 } else { self.trace.at(dense.input, row, at % dense.inputs) };
            self.trace.at(dense.delta, row, unit) * x
        };
        let rows = self.trace.rows();
        let is_mean = self.is_mean_of_examples();
        let scale = if is_mean { rows as f64 } else { 1.0 };
        let terms = (0..rows).map(|row| (self.written(scale * part(row)), scale * part(row)));
        let sum = self.sum_of(terms.collect());
        match is_mean {
            true => Written::quotient(sum.enclosed(), self.written(rows as f64)).text,
            false => sum.text,
        }
    }

    /// Whether the gradient is the mean of what single examples would have: nothing else couples them.
    pub(super) fn is_mean_of_examples(&self) -> bool {
        let graph = &self.trace.lowered().graph;
        let couples = graph.ids().any(|id| {
            let is_statistic = matches!(
                graph.node(id).origin.role,
                crate::graph::NodeRole::RunningMean | crate::graph::NodeRole::RunningVariance
            );
            is_statistic && matches!(graph.node(id).kind, Kind::Operation(..))
        });
        self.trace.rows() > 1 && self.trace.weights().is_none() && !couples
    }

    /// What regularization adds to the gradient of a number.
    pub(super) fn regularization_of(&self, place: usize, at: usize) -> f64 {
        let (l1, l2) = self.strengths(place);
        let w = self.trace.parameter(place)[at];
        let sign = if w == 0.0 { 0.0 } else { w.signum() };
        l2 * w + l1 * sign
    }

    /// The strengths of L1 and L2 on a parameter, as its gradient has them.
    pub(super) fn strengths(&self, place: usize) -> (f64, f64) {
        let parameter = &self.trace.parameters()[place];
        let is_divided = self.trace.network().regularization.divide_by_batch;
        // An example of weight 2 counts as two.
        let examples = self.trace.weights().map_or(self.trace.rows() as f64, |weights| weights.iter().sum());
        let divisor = if is_divided { examples } else { 1.0 };
        (parameter.l1 / divisor, parameter.l2 / divisor)
    }

    /// What the optimizer's next step makes of a parameter; absent where it searches for its step.
    pub(super) fn next_numbers(&self, place: usize) -> Option<Vec<f64>> {
        let training = &self.options.training;
        if training.optimizer.is_searching() {
            return None;
        }
        if self.options.fixed.contains(&place) {
            return Some(self.trace.parameter(place).to_vec());
        }
        let example = NetworkExample::of_trace(self.trace, self.options);
        let gradients = example.clipped(self.trace);
        Some(
            example
                .stepped(
                    self.trace,
                    (place, &gradients[place]),
                    example.kept.of(place),
                    example.kept.steps + 1,
                )
                .numbers,
        )
    }
}

/// Rows of numbers as a matrix: `[[1, 2], [3, 4]]`; of one column, `[1, 2]`.
fn matrix(rows: Vec<Vec<Written>>) -> Written {
    let is_column = rows.iter().all(|row| row.len() == 1);
    let text: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells = row.iter().map(|cell| cell.text.clone()).collect::<Vec<_>>().join(", ");
            if is_column { cells } else { format!("[{cells}]") }
        })
        .collect();
    let latex: Vec<String> = rows
        .iter()
        .map(|row| row.iter().map(|cell| cell.latex.clone()).collect::<Vec<_>>().join(" & "))
        .collect();
    Written {
        text: format!("[{}]", text.join(", ")),
        latex: format!(r"\begin{{bmatrix}} {} \end{{bmatrix}}", latex.join(r" \\ ")),
        binds: Binds::Whole,
    }
}
