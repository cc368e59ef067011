//! A page under construction: what it is about, and the pieces that chapters put together.

use super::labels::Labels;
use super::notation::Symbol;
use super::reading::Reading;
use super::worked::Kept;
use super::written::Written;
use super::{Block, Catalog, Document, NamedInput, Notation, Trace};
use crate::compact::{Map, sort_by};
use crate::data::Scale;
use crate::graph::{Kind, NodeId};
use crate::report::number::{exponent, significant};
use crate::train::Training;

/// A network with more dense layers and convolutions is shown a line a layer.
pub const MOST_LAYERS_IN_FULL: usize = 6;

/// What a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Focus {
    /// Everything: in full for a small network, the largest units of a large one, and a line a layer of a deep one,
    /// which has more than [`MOST_LAYERS_IN_FULL`] layers with weights.
    #[default]
    All,
    /// Every layer with its units, however many layers there are.
    EveryLayer,
    /// One dense layer, counted from 1.
    Layer(usize),
    /// One convolution, counted from 1.
    Convolution(usize),
    /// One unit of a dense layer: layer from 1, unit from 0.
    Unit(usize, usize),
    /// One weight: dense layer from 1, to a unit, from a unit.
    Weight(usize, usize, usize),
    /// One number of a parameter: its place among the parameters, and the element's in row-major order.
    Element(usize, usize),
    /// A parameter: its place among the parameters.
    Parameter(usize),
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
    /// What the inputs are called, and the cells that they are made of, if they are a table's.
    pub inputs: Vec<NamedInput>,
    /// The names of the outputs: classes or targets.
    pub outputs: Vec<String>,
    /// What the outputs stand for, where they are numbers in another unit than the network's.
    pub scales: Vec<Scale>,
    /// By what weighted sums are divided before they become the probabilities that the model predicts, if by anything.
    pub temperature: Option<f64>,
    /// What units, weights and biases are called instead of their symbols.
    pub names: Map<Symbol, String>,
    /// The settings of training: for the update of a weight.
    pub training: Training,
    /// How many steps of training are followed.
    pub steps: u64,
    /// The places of the parameters that a step leaves as they are.
    pub fixed: Vec<usize>,
    /// What the optimizer keeps from the steps before; nothing where the next step is the first.
    pub kept: Kept,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            focus: Focus::All,
            notation: Notation::Plain,
            digits: 6,
            most_units: 10,
            inputs: Vec::new(),
            outputs: Vec::new(),
            scales: Vec::new(),
            temperature: None,
            names: Map::new(),
            training: Training::default(),
            steps: 1,
            fixed: Vec::new(),
            kept: Kept::default(),
        }
    }
}

/// Describes one forward and backward pass.
pub fn describe(trace: &Trace, title: &str, options: &Options, catalog: &Catalog) -> Document {
    let mut page = Page::new(trace, options, catalog);
    page.blocks.push(Block::Heading(1, title.to_owned()));
    page.write();
    Document::new(catalog.language, page.blocks)
}

/// The chapter of one number alone, of a parameter at its place: its gradient as a sum, what each part of it was made of
/// back to the cost, what a nudge tells, and its update. It is what [`describe`] writes about [`Focus::Element`].
///
/// # Panics
/// If there is no such number.
pub fn describe_number(
    trace: &Trace,
    (place, element): (usize, usize),
    options: &Options,
    catalog: &Catalog,
) -> Document {
    let mut page = Page::new(trace, options, catalog);
    page.element(place, element);
    Document::new(catalog.language, page.blocks)
}

/// A page under construction. Its chapters are in `chapters/`.
pub(super) struct Page<'a> {
    pub(super) trace: &'a Trace,
    pub(super) options: &'a Options,
    pub(super) catalog: &'a Catalog,
    names: Map<Symbol, String>,
    pub(super) reading: Reading<'a>,
    pub(super) blocks: Vec<Block>,
}

impl<'a> Page<'a> {
    fn new(trace: &'a Trace, options: &'a Options, catalog: &'a Catalog) -> Self {
        let mut names = options.notation.names(trace);
        names.extend(options.names.iter().map(|(symbol, name)| (*symbol, name.clone())));
        let labels = Labels::of_network(trace, &names, options.notation);
        let reading = Reading::new(trace.graph(), trace.values(), labels, options.digits);
        Page { trace, options, catalog, names, reading, blocks: Vec::new() }
    }

    pub(super) fn heading(&mut self, text: String) {
        self.blocks.push(Block::Heading(2, text));
    }

    pub(super) fn text(&mut self, text: String) {
        self.blocks.push(Block::Text(text));
    }

    pub(super) fn say(&self, key: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
        self.catalog.say(key, values)
    }

    pub(super) fn names(&self, keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| self.catalog.get(key).to_owned()).collect()
    }

    pub(super) fn number(&self, x: f64) -> String {
        significant(x, self.options.digits)
    }

    pub(super) fn symbol(&self, symbol: Symbol) -> String {
        self.named(symbol).text
    }

    /// A symbol in both forms.
    pub(super) fn named(&self, symbol: Symbol) -> Written {
        match self.names.get(&symbol) {
            Some(name) => Written::name(name, latex_name(name)),
            None => Written::name(self.options.notation.text(symbol), self.options.notation.latex(symbol)),
        }
    }

    /// A number in both forms.
    pub(super) fn written(&self, x: f64) -> Written {
        Written::number(x, self.options.digits)
    }

    /// The letter of the cost in both forms.
    pub(super) fn cost_name(&self) -> Written {
        Written::name(self.options.notation.cost(), self.options.notation.cost())
    }

    /// By what deltas are multiplied to be those of single examples, where the notation has them so.
    pub(super) fn delta_scale(&self) -> f64 {
        let is_of_example = self.options.notation.delta_is_of_example() && self.trace.weights().is_none();
        if is_of_example { self.trace.rows() as f64 } else { 1.0 }
    }

    /// The letters of cost, activation, weighted sum and weight, for messages and heads of columns.
    pub(super) fn letters(&self) -> [(&'static str, &'static str); 4] {
        let notation = self.options.notation;
        let [z, a] = notation.of_named_unit();
        [("cost", notation.cost()), ("a", a), ("z", z), ("w", notation.weight())]
    }

    /// A message with the letters of the notation.
    pub(super) fn say_in_letters(&self, key: &str) -> String {
        let letters = self.letters();
        let values: Vec<(&str, &dyn std::fmt::Display)> =
            letters.iter().map(|(name, letter)| (*name, letter as &dyn std::fmt::Display)).collect();
        self.say(key, &values)
    }

    /// A sum: all of a few terms, of many the two largest and the rest as one number.
    pub(super) fn sum_of(&self, terms: Vec<(Written, f64)>) -> Written {
        const FEW: usize = 4;
        if terms.len() <= FEW {
            return Written::sum(terms.into_iter().map(|(written, _)| written));
        }
        let mut shown = terms;
        sort_by(&mut shown, |left, right| right.1.abs().total_cmp(&left.1.abs()));
        let rest = shown.split_off(2);
        let count = rest.len();
        let rest = self.written(rest.iter().map(|(_, value)| value).sum());
        let note = self.say("more_terms", &[("count", &count)]);
        Written::sum(shown.into_iter().map(|(written, _)| written).chain([rest.noted(&note)]))
    }

    /// The units to show: all of a small layer, else those with the largest of these numbers.
    pub(super) fn shown(&self, numbers: &[f64]) -> Vec<usize> {
        let mut units: Vec<usize> = (0..numbers.len()).collect();
        if units.len() > self.options.most_units {
            sort_by(&mut units, |&left, &right| numbers[right].abs().total_cmp(&numbers[left].abs()));
            units.truncate(self.options.most_units);
            units.sort_unstable();
        }
        units
    }

    /// What an input of a dense layer is called, if the layer reads the network's inputs.
    pub(super) fn input_name(&self, position: usize, input: usize) -> Option<&NamedInput> {
        let dense = self.trace.dense().get(position)?;
        let is_input = matches!(self.trace.graph().node(dense.input).kind, Kind::Input(_));
        (is_input && self.options.inputs.len() == dense.inputs).then(|| &self.options.inputs[input])
    }

    pub(super) fn row_of(&self, id: NodeId, units: usize) -> Vec<f64> {
        (0..units).map(|unit| self.trace.at(id, 0, unit)).collect()
    }

    /// The remark on numbers of which [`Page::shown`] shows only some.
    pub(super) fn left_out(&mut self, numbers: &[f64]) {
        let (shown, units) = (self.options.most_units, numbers.len());
        if units > shown {
            let key = if numbers.iter().all(|x| *x == 0.0) { "left_out_zeros" } else { "left_out" };
            self.text(self.say(key, &[("shown", &shown), ("units", &units)]));
        }
    }

    /// A table whose heads are words, not keys of messages.
    pub(super) fn table_of(&mut self, columns: Vec<String>, rows: Vec<Vec<String>>) {
        self.blocks.push(Block::Table { columns, rows });
    }

    pub(super) fn table(&mut self, columns: &[&str], rows: Vec<Vec<String>>) {
        self.blocks.push(Block::Table { columns: self.names(columns), rows });
    }

    /// The remark on a gradient of which only the largest numbers are shown.
    pub(super) fn weights_left_out(&mut self, gradient: &[f64], shown: usize) {
        if gradient.len() > shown {
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let zeros = gradient.iter().filter(|g| **g == 0.0).count();
            if zeros == gradient.len() {
                self.text(self.say("left_out_zeros", &[("shown", &shown), ("units", &zeros)]));
                return;
            }
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
}

/// A name as LaTeX: `w5` with an index, `net_h1` with a name below.
pub(super) fn latex_name(name: &str) -> String {
    let upright = |part: &str| match part {
        "delta" => r"\delta".to_owned(),
        part if part.chars().count() == 1 => part.to_owned(),
        part => format!(r"\mathrm{{{}}}", part.replace(['{', '}', '\\', '$', '%', '&', '#', '^', '~'], "")),
    };
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
    match name.split_once('_') {
        Some((letter, below)) => format!("{}_{{{}}}", upright(letter), upright(&below.replace('_', " "))),
        None if letters.chars().count() == 1 && letters.len() < name.len() => {
            format!("{letters}_{{{}}}", &name[letters.len()..])
        }
        None => upright(name),
    }
}

/// The orders of magnitude of some numbers: `1e-3: 40 %, 1e-4: 60 %`.
fn histogram(numbers: &[f64]) -> String {
    let mut counts = crate::compact::Map::new();
    for x in numbers.iter().filter(|x| **x != 0.0) {
        *counts.or_insert(exponent(*x), 0usize) += 1;
    }
    let total = numbers.len() as f64;
    let parts = counts.iter().rev().take(6);
    let parts =
        parts.map(|(exponent, count)| format!("1e{exponent}: {:.0} %", 100.0 * *count as f64 / total));
    parts.collect::<Vec<_>>().join(", ")
}
