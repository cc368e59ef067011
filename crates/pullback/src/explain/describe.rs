//! From a trace to a page: forward pass, cost, backward pass, gradients, the way of one weight.

use super::examples::{Example, Published};
use super::notation::Symbol;
use super::trace::FactorKind;
use super::{Block, Catalog, Dense, Document, Imaging, Notation, Trace, diagnose, ledger};
use crate::graph::{Graph, NodeId, NodeRole};
use crate::network::Layer;
use crate::report::number::{exponent, significant};
use crate::train::Training;

/// What a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Focus {
    /// Everything: in full for a small network, the largest units of a large one.
    #[default]
    All,
    /// One unit of a dense layer: layer from 1, unit from 0.
    Unit(usize, usize),
    /// One weight: dense layer from 1, to a unit, from a unit.
    Weight(usize, usize, usize),
}

/// How a page is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// What it is about.
    pub focus: Focus,
    /// Whose symbols it uses.
    pub notation: Notation,
    /// The significant digits of numbers.
    pub digits: usize,
    /// A layer with more units than this is shown by its largest.
    pub most_units: usize,
    /// The names of the outputs: classes or targets.
    pub outputs: Vec<String>,
    /// How it was, or is to be, trained: for the update of a weight.
    pub training: Training,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            focus: Focus::All,
            notation: Notation::Plain,
            digits: 6,
            most_units: 10,
            outputs: Vec::new(),
            training: Training::default(),
        }
    }
}

/// Describes one forward and backward pass.
pub fn describe(trace: &Trace, title: &str, options: &Options, catalog: &Catalog) -> Document {
    let mut page = Page { trace, options, catalog, blocks: Vec::new() };
    page.blocks.push(Block::Heading(1, title.to_owned()));
    match options.focus {
        Focus::All => page.all(),
        Focus::Unit(layer, unit) => page.unit(layer - 1, unit),
        Focus::Weight(layer, unit, input) => page.weight(layer - 1, unit, input),
    }
    Document { language: catalog.language, blocks: page.blocks }
}

/// A page with the published numbers of worked examples beside ours.
pub fn describe_claims(examples: &[&Example], catalog: &Catalog) -> Document {
    let name = |key: &str| catalog.get(key).to_owned();
    let mut rows = Vec::new();
    let mut errata = Vec::new();
    let mut blocks = vec![Block::Heading(2, name("checked_against"))];
    for example in examples {
        for claim in &example.claims {
            let published = match claim.published {
                Published::Digits(digits) => digits.to_owned(),
                Published::Below(bound) => format!("< {bound}"),
                Published::AtLeast(bound) => format!(">= {bound}"),
            };
            let verdict = match (claim.agrees(), claim.erratum) {
                (true, _) => name("pass"),
                (false, Some(why)) => {
                    errata.push(format!("{}: {}, {}: {why}", name("erratum"), example.name, claim.quantity));
                    name("erratum")
                }
                (false, None) => name("fail"),
            };
            let mut row = if examples.len() > 1 { vec![example.name.to_owned()] } else { Vec::new() };
            row.extend([claim.quantity.clone(), published, significant(claim.computed, 10), verdict]);
            rows.push(row);
        }
    }
    let mut columns = if examples.len() > 1 { vec![name("example_name")] } else { Vec::new() };
    columns.extend(["quantity", "published", "ours", "verdict"].map(name));
    if examples.len() == 1 {
        blocks.push(Block::Text(catalog.say("source", &[("source", &examples[0].source)])));
    }
    blocks.push(Block::Table { columns, rows });
    blocks.extend(errata.into_iter().map(Block::Text));
    Document { language: catalog.language, blocks }
}

/// A page of a circuit of single numbers: each node with its value and the output's derivative.
pub fn describe_circuit(
    graph: &Graph,
    values: &[f64],
    derivatives: &[Option<f64>],
    title: &str,
    catalog: &Catalog,
) -> Document {
    let name = |key: &str| catalog.get(key).to_owned();
    let rows = graph
        .ids()
        .map(|id| {
            let derivative = derivatives[id.index()].map_or(String::new(), |x| significant(x, 6));
            let label = graph.label(id);
            let formula = match graph.node(id).op() {
                Some(op) => {
                    let operands: Vec<String> =
                        graph.node(id).inputs().iter().map(|&input| graph.label(input)).collect();
                    op.formula().text(&operands)
                }
                None => String::new(),
            };
            vec![label, significant(values[id.index()], 6), derivative, formula]
        })
        .collect();
    let columns = vec![name("node"), name("value"), name("derivative"), name("equation")];
    Document {
        language: catalog.language,
        blocks: vec![
            Block::Heading(1, title.to_owned()),
            Block::Text(name("circuit_text")),
            Block::Table { columns, rows },
        ],
    }
}

struct Page<'a> {
    trace: &'a Trace,
    options: &'a Options,
    catalog: &'a Catalog,
    blocks: Vec<Block>,
}

impl Page<'_> {
    fn heading(&mut self, text: String) {
        self.blocks.push(Block::Heading(2, text));
    }

    fn text(&mut self, text: String) {
        self.blocks.push(Block::Text(text));
    }

    fn say(&self, key: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
        self.catalog.say(key, values)
    }

    fn names(&self, keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| self.catalog.get(key).to_owned()).collect()
    }

    fn number(&self, x: f64) -> String {
        significant(x, self.options.digits)
    }

    fn symbol(&self, symbol: Symbol) -> String {
        self.options.notation.text(symbol)
    }

    /// The symbol of what a dense layer reads.
    fn input(&self, position: usize, unit: usize) -> Symbol {
        Symbol::Activation(position, unit)
    }

    /// The units to show: all of a small layer, else those with the largest of these numbers.
    fn shown(&self, numbers: &[f64]) -> Vec<usize> {
        let mut units: Vec<usize> = (0..numbers.len()).collect();
        if units.len() > self.options.most_units {
            units.sort_by(|&left, &right| numbers[right].abs().total_cmp(&numbers[left].abs()));
            units.truncate(self.options.most_units);
            units.sort_unstable();
        }
        units
    }

    fn row_of(&self, id: NodeId, units: usize) -> Vec<f64> {
        (0..units).map(|unit| self.trace.at(id, 0, unit)).collect()
    }

    fn all(&mut self) {
        let trace = self.trace;
        let network = trace.network();
        let count: usize =
            trace.parameters().iter().filter(|p| p.role.is_trained()).map(|p| p.shape.elements()).sum();
        let layers: Vec<String> = network.layers.iter().map(Layer::describe).collect();
        self.text(self.say(
            "network",
            &[("inputs", &network.inputs), ("layers", &layers.join(", ")), ("count", &count)],
        ));
        if trace.rows() > 1 {
            self.text(self.say("first_of_batch", &[("rows", &trace.rows())]));
        }
        self.heading(self.catalog.get("forward").to_owned());
        self.text(self.catalog.get("forward_text").to_owned());
        for position in 0..trace.images().len() {
            self.forward_images(position);
        }
        self.inputs();
        for position in 0..trace.dense().len() {
            self.forward(position);
        }
        self.cost();
        self.heading(self.catalog.get("backward").to_owned());
        self.text(self.catalog.get("backward_text").to_owned());
        for position in (0..trace.dense().len()).rev() {
            self.backward(position);
        }
        for position in (0..trace.images().len()).rev() {
            self.backward_images(position);
        }
        self.heading(self.catalog.get("gradients").to_owned());
        self.text(self.catalog.get("gradients_text").to_owned());
        for position in (0..trace.dense().len()).rev() {
            self.gradients(position);
        }
        for position in (0..trace.images().len()).rev() {
            self.filter_gradients(position);
        }
        self.work();
        self.findings();
    }

    fn inputs(&mut self) {
        let Some(first) = self.trace.dense().first() else { return };
        let x = self.row_of(first.input, first.inputs);
        if !self.trace.images().is_empty() {
            self.text(self.say("dense_reads", &[("count", &first.inputs)]));
        }
        let mut rows: Vec<Vec<String>> = Vec::new();
        for unit in self.shown(&x) {
            rows.push(vec![self.symbol(Symbol::Activation(0, unit)), self.number(x[unit])]);
        }
        self.table(&["input", "value"], rows);
        self.left_out(x.len());
    }

    fn left_out(&mut self, units: usize) {
        if units > self.options.most_units {
            self.text(self.say("left_out", &[("shown", &self.options.most_units), ("units", &units)]));
        }
    }

    fn table(&mut self, columns: &[&str], rows: Vec<Vec<String>>) {
        self.blocks.push(Block::Table { columns: self.names(columns), rows });
    }

    fn layer_name(&self, position: usize) -> String {
        let dense = &self.trace.dense()[position];
        self.say("layer", &[("layer", &(position + 1)), ("units", &dense.units), ("inputs", &dense.inputs)])
    }

    fn weight_at(&self, dense: &Dense, unit: usize, input: usize) -> f64 {
        self.trace.parameter(dense.weight)[unit * dense.inputs + input]
    }

    /// A weighted sum with its terms: all of few, else the largest.
    fn terms(&self, position: usize, unit: usize) -> String {
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

    fn forward(&mut self, position: usize) {
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
        for &node in &outs {
            let graph = &self.trace.lowered().graph;
            let name = graph.node(node).op().map_or("", |op| op.name());
            columns.push(match graph.node(node).origin.role {
                NodeRole::Dropout => self.catalog.get("dropped").to_owned(),
                NodeRole::Normalized => self.catalog.get("normalized").to_owned(),
                NodeRole::ScaledAndShifted => self.catalog.get("scaled").to_owned(),
                _ => format!("{name}(z)"),
            });
        }
        columns.push(self.catalog.get("terms").to_owned());
        self.blocks.push(Block::Table { columns, rows });
        self.left_out(dense.units);
    }

    fn image_layer(&self, position: usize) -> String {
        let layer = &self.trace.images()[position];
        let place = |at: &usize| self.trace.images()[*at].filters.is_some() == layer.filters.is_some();
        let number = (0..=position).filter(place).count();
        let key = if layer.filters.is_some() { "convolution" } else { "pooling" };
        let described = self.trace.network().layers[layer.layer].describe();
        self.say(
            key,
            &[("number", &number), ("layer", &described), ("reads", &layer.reads), ("makes", &layer.makes)],
        )
    }

    /// The formula of the operation that reads a layer's image.
    fn image_formula(&mut self, position: usize) {
        let layer = &self.trace.images()[position];
        let graph = &self.trace.lowered().graph;
        let node = layer.filters.as_ref().map_or(layer.result, |filters| filters.convolution);
        let Some(op) = graph.node(node).op() else { return };
        let formula = op.formula();
        let operands = ["x".to_owned(), "W".to_owned()];
        let (mut text, mut latex) = (formula.text(&operands), formula.latex(&operands));
        if let Some(filters) = &layer.filters {
            let bias = if filters.bias.is_some() { " + b" } else { "" };
            (text, latex) = (format!("z = {text}{bias}"), format!("z = {latex}{bias}"));
        }
        self.blocks.push(Block::Formula { text, latex });
    }

    /// Where the largest of some numbers of a channel of the first example stands: its place, and how it is told.
    fn peak(&self, layer: &Imaging, numbers: NodeId, channel: usize) -> (usize, String) {
        let (places, channels) = (layer.makes.height * layer.makes.width, layer.makes.channels);
        let values = self.trace.value(numbers);
        let size = |place: &usize| values[place * channels + channel].abs();
        let place = (0..places).max_by(|a, b| size(a).total_cmp(&size(b)).then(b.cmp(a))).unwrap_or(0);
        (place, format!("{},{}", place / layer.makes.width, place % layer.makes.width))
    }

    fn forward_images(&mut self, position: usize) {
        let layer = self.trace.images()[position].clone();
        self.heading(self.image_layer(position));
        self.image_formula(position);
        let Some(filters) = &layer.filters else {
            self.text(self.catalog.get("pooling_text").to_owned());
            return;
        };
        self.text(self.catalog.get("convolution_text").to_owned());
        let x = self.trace.value(layer.input);
        let (windows, channels) = (&filters.windows, layer.reads.channels);
        let weights = self.trace.parameter(filters.weight);
        let digits = self.options.digits.min(4);
        let mut rows = Vec::new();
        for filter in 0..layer.makes.channels.min(self.options.most_units) {
            let (place, told) = self.peak(&layer, layer.result, filter);
            let corner = [place / layer.makes.width, place % layer.makes.width];
            let mut terms: Vec<(f64, f64)> = Vec::new();
            for row in windows.rows_inside(corner[0]) {
                for column in windows.columns_inside(corner[1]) {
                    let pixel = windows.pixel(corner, [row, column]) * channels;
                    let weight = (filter * windows.area() + row * windows.size() + column) * channels;
                    terms.extend((0..channels).map(|at| (weights[weight + at], x[pixel + at])));
                }
            }
            terms.sort_by(|a, b| (b.0 * b.1).abs().total_cmp(&(a.0 * a.1).abs()));
            let mut parts: Vec<String> = (terms.iter().take(2))
                .map(|(w, x)| format!("{}*{}", significant(*w, digits), significant(*x, digits)))
                .collect();
            if terms.len() > 2 {
                parts.push(self.say("more_terms", &[("count", &(terms.len() - 2))]));
            }
            if let Some(bias) = filters.bias {
                parts.push(significant(self.trace.parameter(bias)[filter], digits));
            }
            let z = self.trace.value(layer.result)[place * layer.makes.channels + filter];
            rows.push(vec![filter.to_string(), told, self.number(z), parts.join(" + ").replace("+ -", "- ")]);
        }
        self.table(&["filter", "place", "z", "terms"], rows);
        self.left_out(layer.makes.channels);
    }

    fn backward_images(&mut self, position: usize) {
        let layer = self.trace.images()[position].clone();
        self.heading(self.image_layer(position));
        if layer.filters.is_none() {
            self.text(self.catalog.get("pooling_backward").to_owned());
            return;
        }
        self.text(self.catalog.get("convolution_backward").to_owned());
        let (deltas, channels) = (self.trace.value(layer.delta), layer.makes.channels);
        let of_one = &deltas[..deltas.len() / self.trace.rows()];
        let mut rows = Vec::new();
        for filter in 0..channels.min(self.options.most_units) {
            let (place, told) = self.peak(&layer, layer.delta, filter);
            let own: Vec<f64> = of_one.iter().skip(filter).step_by(channels).copied().collect();
            let zeros = own.iter().filter(|delta| **delta == 0.0).count();
            rows.push(vec![
                filter.to_string(),
                told,
                self.number(own[place]),
                self.number(own.iter().sum()),
                format!("{zeros} / {}", own.len()),
            ]);
        }
        self.table(&["filter", "place", "delta", "sum_of_deltas", "zero_deltas"], rows);
        self.left_out(channels);
    }

    fn filter_gradients(&mut self, position: usize) {
        let layer = self.trace.images()[position].clone();
        let Some(filters) = &layer.filters else { return };
        self.heading(self.image_layer(position));
        self.text(self.catalog.get("filter_gradients_text").to_owned());
        let (gradient, weights) = (self.trace.gradient(filters.weight), self.trace.parameter(filters.weight));
        let (size, channels) = (filters.windows.size(), layer.reads.channels);
        let width = size * size * channels;
        let shown = self.shown(gradient);
        let mut rows = Vec::new();
        for &at in &shown {
            let (filter, inner) = (at / width, at % width);
            let (pixel, channel) = (inner / channels, inner % channels);
            rows.push(vec![
                filter.to_string(),
                format!("{},{}", pixel / size, pixel % size),
                channel.to_string(),
                self.number(weights[at]),
                self.number(gradient[at]),
            ]);
        }
        self.table(&["filter", "place", "channel", "weight", "gradient"], rows);
        self.weights_left_out(gradient, shown.len());
    }

    fn cost(&mut self) {
        let trace = self.trace;
        let lowered = trace.lowered();
        self.heading(self.catalog.get("cost").to_owned());
        let outputs = trace.network().outputs();
        let target = lowered.graph.find("targets").expect("every network has targets");
        let prediction = self.row_of(lowered.prediction, outputs);
        let t = self.row_of(target, outputs);
        let name = |unit: usize| self.options.outputs.get(unit).cloned().unwrap_or_else(|| unit.to_string());
        let important: Vec<f64> = prediction.iter().zip(&t).map(|(p, t)| p.abs() + 10.0 * t.abs()).collect();
        let rows = self.shown(&important).into_iter();
        let rows =
            rows.map(|unit| vec![name(unit), self.number(prediction[unit]), self.number(t[unit])]).collect();
        self.table(&["output", "prediction", "target"], rows);
        self.left_out(outputs);
        let formula = lowered.graph.ids().filter(|&id| lowered.graph.node(id).origin.role == NodeRole::Cost);
        if let Some(op) = formula.filter_map(|id| lowered.graph.node(id).op()).next() {
            // What the cost reads: activations, or weighted sums where the last layer has none.
            let last = trace.dense().len();
            let has_activation =
                trace.dense().last().is_some_and(|dense| dense.links.iter().any(|link| !link.is_cost));
            let read = if has_activation { Symbol::Activation(last, 0) } else { Symbol::Sum(last, 0) };
            let symbols = [self.options.notation.text(read), "t".to_owned()];
            let symbols = symbols.map(|symbol| symbol.trim_end_matches("[0]").to_owned());
            let text = format!("C = {}", op.formula().text(&symbols));
            self.blocks.push(Block::Formula { text, latex: format!("C = {}", op.formula().latex(&symbols)) });
        }
        let regularization = trace.cost() - trace.data_cost();
        let mut rows = vec![vec![self.catalog.get("data_cost").to_owned(), self.number(trace.data_cost())]];
        if trace.parameters().iter().any(|p| p.l1 > 0.0 || p.l2 > 0.0) {
            rows.push(vec![self.catalog.get("regularization").to_owned(), self.number(regularization)]);
            rows.push(vec![self.catalog.get("total_cost").to_owned(), self.number(trace.cost())]);
        }
        self.table(&["part", "value"], rows);
    }

    /// The derivative that arrives at a unit, before its own slopes, and how it came about.
    fn arrival(&self, position: usize, unit: usize) -> (f64, String) {
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
            _ => self.catalog.get("from_cost").to_owned(),
        };
        (value, how)
    }

    fn backward(&mut self, position: usize) {
        let dense = self.trace.dense()[position].clone();
        self.heading(self.layer_name(position));
        let delta = self.row_of(dense.delta, dense.units);
        // Where there is no activation, what arrives is the delta.
        let slopes: Vec<_> = dense.links.iter().rev().filter(|link| !link.is_cost).copied().collect();
        let mut columns = vec![self.catalog.get("unit").to_owned()];
        if !slopes.is_empty() {
            columns.push(self.catalog.get("arriving").to_owned());
        }
        for link in &slopes {
            let op = self.trace.lowered().graph.node(link.node).op().map_or("", |op| op.name());
            columns.push(match self.trace.kind(link) {
                FactorKind::Mask => self.catalog.get("mask").to_owned(),
                FactorKind::Normalization => self.catalog.get("normalization").to_owned(),
                _ => format!("{op}'(z)"),
            });
        }
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
        self.left_out(dense.units);
    }

    fn gradients(&mut self, position: usize) {
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
            row.extend([self.number(gradient[at]), self.number(ledger.new_weight)]);
            rows.push(row);
        }
        let columns: &[&str] = if self.trace.rows() == 1 {
            &["weight", "value", "delta", "times_input", "gradient", "after_step"]
        } else {
            &["weight", "value", "gradient", "after_step"]
        };
        self.table(columns, rows);
        self.weights_left_out(gradient, shown.len());
    }

    /// What is to be said of a gradient of which only the largest numbers are shown.
    fn weights_left_out(&mut self, gradient: &[f64], shown: usize) {
        if gradient.len() > shown {
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let zeros = gradient.iter().filter(|g| **g == 0.0).count();
            self.text(self.say(
                "weights_left_out",
                &[
                    ("shown", &shown),
                    ("count", &gradient.len()),
                    ("norm", &self.number(norm)),
                    ("zeros", &zeros),
                    ("histogram", &histogram(gradient)),
                ],
            ));
        }
    }

    /// What the passes cost, and what other ways would.
    fn work(&mut self) {
        let trace = self.trace;
        let forward = trace.lowered().graph.multiply_adds(&[trace.lowered().cost]);
        let places = (0..trace.parameters().len()).filter(|&at| trace.parameters()[at].role.is_trained());
        let nodes: Vec<_> = places.clone().map(|at| trace.gradient_node(at)).collect();
        let mut outputs = vec![trace.lowered().cost];
        outputs.extend(nodes);
        let full = trace.graph().multiply_adds(&outputs);
        let count: usize = places.map(|at| trace.parameters()[at].shape.elements()).sum();
        self.heading(self.catalog.get("work").to_owned());
        let ratio = significant(full as f64 / forward.max(1) as f64, 3);
        self.text(self.say(
            "work_text",
            &[
                ("forward", &forward),
                ("full", &full),
                ("ratio", &ratio),
                ("count", &count),
                ("differences", &significant(2.0 * count as f64 * forward as f64, 3)),
            ],
        ));
    }

    fn findings(&mut self) {
        for finding in diagnose(self.trace) {
            self.blocks.push(Block::Warning(finding.text(self.catalog)));
        }
    }

    fn unit(&mut self, position: usize, unit: usize) {
        let dense = self.trace.dense()[position].clone();
        self.heading(self.say("one_unit", &[("layer", &(position + 1)), ("unit", &unit)]));
        let z = self.trace.at(dense.sum, 0, unit);
        self.text(self.catalog.get("unit_forward").to_owned());
        let x = self.row_of(dense.input, dense.inputs);
        let terms: Vec<f64> = (0..dense.inputs).map(|at| self.weight_at(&dense, unit, at) * x[at]).collect();
        let mut rows = Vec::new();
        for at in self.shown(&terms) {
            rows.push(vec![
                self.symbol(Symbol::Weight(position + 1, unit, at)),
                self.number(self.weight_at(&dense, unit, at)),
                self.symbol(self.input(position, at)),
                self.number(x[at]),
                self.number(terms[at]),
            ]);
        }
        self.table(&["weight", "value", "input", "value", "term"], rows);
        self.left_out(dense.inputs);
        let sum = self.symbol(Symbol::Sum(position + 1, unit));
        let text = match dense.bias {
            Some(bias) => format!(
                "{sum} = {} {} = {}",
                self.number(terms.iter().sum()),
                format!("+ {}", self.number(self.trace.parameter(bias)[unit])).replace("+ -", "- "),
                self.number(z)
            ),
            None => format!("{sum} = {}", self.number(z)),
        };
        self.blocks.push(Block::Formula { latex: text.clone(), text });
        for link in dense.links.iter().filter(|link| !link.is_cost) {
            let op = self.trace.lowered().graph.node(link.node).op().map_or("", |op| op.name());
            let text = format!(
                "{} = {op}({}) = {}",
                self.symbol(Symbol::Activation(position + 1, unit)),
                self.number(z),
                self.number(self.trace.at(link.node, 0, unit))
            );
            self.blocks.push(Block::Formula { latex: text.clone(), text });
        }
        self.text(self.catalog.get("unit_backward").to_owned());
        self.tree(position, unit);
    }

    /// A delta down to the cost: each unit on the way once, however many paths lead through it.
    fn tree(&mut self, position: usize, unit: usize) {
        let dense = self.trace.dense();
        let mut rows = Vec::new();
        // (multiplications with sharing, multiplications along all paths)
        let mut shared: u64 = 0;
        let mut paths: f64 = 1.0;
        let mut units = vec![unit];
        for at in position..dense.len() {
            let own = &dense[at];
            for unit in units.iter().copied().take(self.options.most_units) {
                let (arriving, how) = self.arrival(at, unit);
                let is_sum = dense.get(at + 1).is_some() && !how.is_empty();
                let mut factors = vec![if is_sum { format!("({how})") } else { self.number(arriving) }];
                let slopes = own.links.iter().rev().filter(|link| !link.is_cost);
                factors.extend(slopes.map(|link| self.number(self.trace.at(link.slope, 0, unit))));
                let delta = self.trace.at(own.delta, 0, unit);
                rows.push(vec![
                    self.symbol(Symbol::Delta(at + 1, unit)),
                    self.number(delta),
                    factors.join(" * "),
                ]);
            }
            shared += units.len() as u64 * own.links.len() as u64;
            if let Some(next) = dense.get(at + 1) {
                shared += (units.len() * next.units) as u64;
                paths *= next.units as f64;
                units = (0..next.units).collect();
            }
        }
        if position + 1 == dense.len() {
            self.table(&["delta", "value", "equation"], rows);
            return;
        }
        let steps: usize = dense[position..].iter().map(|own| own.links.len() + 1).sum();
        self.table(&["delta", "value", "equation"], rows);
        self.text(self.say(
            "sharing",
            &[
                ("shared", &shared),
                ("paths", &significant(paths, 4)),
                ("alone", &significant(paths * (steps.saturating_sub(1)) as f64, 4)),
            ],
        ));
    }

    fn weight(&mut self, position: usize, unit: usize, input: usize) {
        let dense = self.trace.dense()[position].clone();
        let at = unit * dense.inputs + input;
        let weight = self.symbol(Symbol::Weight(position + 1, unit, input));
        self.heading(self.say(
            "one_weight",
            &[("weight", &weight), ("layer", &(position + 1)), ("unit", &unit), ("input", &input)],
        ));
        self.text(self.catalog.get("chain_text").to_owned());
        for row in 0..self.trace.rows().min(self.options.most_units) {
            if self.trace.rows() > 1 {
                self.text(self.say("example", &[("row", &row)]));
            }
            self.chain(position, unit, input, row);
        }
        self.text(self.catalog.get("ledger_text").to_owned());
        let ledger = ledger(self.trace, &self.options.training, position, unit, input);
        let mut rows = Vec::new();
        rows.push(vec![self.say("ledger_weight", &[]), self.number(self.trace.parameter(dense.weight)[at])]);
        let examples = self.trace.rows();
        for member in &ledger.members {
            if member.row.is_some_and(|row| row >= self.options.most_units)
                || member.row.is_some() && examples == 1
            {
                continue;
            }
            let row = member.row.unwrap_or(0);
            rows.push(vec![self.say(member.key, &[("row", &row)]), self.number(member.value)]);
        }
        rows.push(vec![self.say("ledger_new", &[]), self.number(ledger.new_weight)]);
        self.table(&["part", "value"], rows);
        let name = self.options.training.optimizer.name();
        let rate = self.options.training.learning_rate();
        self.text(self.say("first_step", &[("optimizer", &name), ("rate", &rate)]));
        self.text(self.catalog.get("unit_backward").to_owned());
        self.tree(position, unit);
    }

    /// The named factors of one example's gradient, and their product.
    fn chain(&mut self, position: usize, unit: usize, input: usize, row: usize) {
        let dense = self.trace.dense()[position].clone();
        let notation = self.options.notation;
        let layer = position + 1;
        let w = (
            notation.text(Symbol::Weight(layer, unit, input)),
            notation.latex(Symbol::Weight(layer, unit, input)),
        );
        let z = (notation.text(Symbol::Sum(layer, unit)), notation.latex(Symbol::Sum(layer, unit)));
        let a =
            (notation.text(Symbol::Activation(layer, unit)), notation.latex(Symbol::Activation(layer, unit)));
        let mut factors: Vec<(String, String, f64)> = Vec::new();
        let ratio = |top: &(String, String), below: &(String, String)| {
            (
                format!("d{}/d{}", top.0, below.0),
                format!(r"\frac{{\partial {}}}{{\partial {}}}", top.1, below.1),
            )
        };
        let cost = ("C".to_owned(), "C".to_owned());
        for factor in self.trace.factors(&dense, unit, row) {
            let (text, latex) = match factor.kind {
                FactorKind::Cost if dense.links.len() > 1 => ratio(&cost, &a),
                FactorKind::Cost => ratio(&cost, &z),
                FactorKind::Mean => (self.catalog.get("mean_factor").to_owned(), r"\tfrac{1}{m}".to_owned()),
                FactorKind::Arriving => ratio(&cost, if dense.links.is_empty() { &z } else { &a }),
                FactorKind::Slope => ratio(&a, &z),
                FactorKind::Mask => (self.catalog.get("mask").to_owned(), r"\mathrm{mask}".to_owned()),
                FactorKind::Normalization => {
                    (self.catalog.get("normalization").to_owned(), r"\mathrm{norm}".to_owned())
                }
            };
            factors.push((text, latex, factor.value));
        }
        let x = self.trace.at(dense.input, row, input);
        let (text, latex) = ratio(&z, &w);
        factors.push((text, latex, x));
        let product: f64 = factors.iter().map(|factor| factor.2).product();
        let (left, left_latex) = ratio(&cost, &w);
        let join = |part: fn(&(String, String, f64)) -> String, by: &str| {
            factors.iter().map(part).collect::<Vec<_>>().join(by)
        };
        let text = format!("{left} = {}", join(|factor| factor.0.clone(), " * "));
        let latex = format!("{left_latex} = {}", join(|factor| factor.1.clone(), r" \cdot "));
        self.blocks.push(Block::Formula { text, latex });
        let digits = self.options.digits;
        let numbers = factors.iter().map(|factor| significant(factor.2, digits)).collect::<Vec<_>>();
        let (text, latex) = (numbers.join(" * "), numbers.join(r" \cdot "));
        let product = significant(product, digits);
        self.blocks.push(Block::Formula {
            text: format!("= {text} = {product}"),
            latex: format!("= {latex} = {product}"),
        });
        let rows =
            factors.iter().map(|factor| vec![factor.0.clone(), significant(factor.2, digits)]).collect();
        self.table(&["factor", "value"], rows);
    }
}

/// The orders of magnitude of some numbers: `1e-3: 40 %, 1e-4: 60 %`.
fn histogram(numbers: &[f64]) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for x in numbers.iter().filter(|x| **x != 0.0) {
        *counts.entry(exponent(*x)).or_insert(0usize) += 1;
    }
    let total = numbers.len() as f64;
    let parts = counts.iter().rev().take(6);
    let parts =
        parts.map(|(exponent, count)| format!("1e{exponent}: {:.0} %", 100.0 * *count as f64 / total));
    parts.collect::<Vec<_>>().join(", ")
}
