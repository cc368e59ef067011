//! Addresses of what is trained: the names that pages, reports and messages print, and that every command takes.
//!
//! A number is called by the symbol of a notation (`w[2][1,0]`, `Theta(1)[2,0]`, `w5`), by the name that a file gives it,
//! or by its parameter and index, as a model file has them (`layers.1.scale[3]`), which is so in every notation. A
//! parameter as a whole is called as in a model file: `layers.0.weight`.

use super::labels::Labels;
use super::{Notation, Symbol, Trace};
use crate::compact::{Map, sort_by};
use crate::error::{Error, Result};

/// What an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// A parameter, by its place.
    Parameter(usize),
    /// One of its numbers: the parameter's place, and the number's in row-major order.
    Element(usize, usize),
}

/// The addresses of a network's trained numbers, in a notation and with the names that a file gives.
#[derive(Debug)]
pub struct Addresses<'a> {
    trace: &'a Trace,
    labels: Labels,
    /// The names that a file gives to several numbers, in their order: Mazur's b1 stands for the biases of h1 and h2.
    shared: Vec<String>,
    /// Those by a file's own names, which are known in every notation.
    of_file: Option<Box<Addresses<'a>>>,
}

/// So many addresses are searched for the nearest to a wrong one.
const MOST_COMPARED: usize = 20_000;

impl<'a> Addresses<'a> {
    /// The addresses of a trace's network.
    pub fn new(trace: &'a Trace, names: &Map<Symbol, String>, notation: Notation) -> Self {
        let mut all = notation.names(trace);
        all.extend(names.iter().map(|(symbol, name)| (*symbol, name.clone())));
        let mut given: Vec<&String> = all.values().collect();
        sort_by(&mut given, Ord::cmp);
        let twice = given.windows(2).filter(|two| two[0] == two[1]);
        let shared = twice.map(|two| two[0].clone()).collect();
        Self { trace, labels: Labels::of_network(trace, &all, notation), shared, of_file: None }
    }

    /// With the names of a file too, by which numbers are found in every notation.
    #[must_use]
    pub fn with_names_of_file(self, names: &Map<Symbol, String>, notation: Notation) -> Self {
        Self { of_file: Some(Box::new(Self::new(self.trace, names, notation))), ..self }
    }

    /// The address of a number: its name, or parameter and index where others have the same name.
    pub fn of(&self, place: usize, element: usize) -> String {
        let name = self.name(place, element);
        if self.is_shared(&name) { self.indexed(place, element) } else { name }
    }

    /// Whether several numbers are called so.
    fn is_shared(&self, name: &str) -> bool {
        self.shared.binary_search_by(|own| own.as_str().cmp(name)).is_ok()
    }

    fn name(&self, place: usize, element: usize) -> String {
        let node = self.trace.lowered().parameters[place];
        self.labels.name(node, element).map(|name| name.text).unwrap_or_default()
    }

    /// `layers.0.weight[1,0]`.
    fn indexed(&self, place: usize, element: usize) -> String {
        let parameter = &self.trace.parameters()[place];
        let mut rest = element;
        let mut index: Vec<String> = (parameter.shape.sizes().iter().rev())
            .map(|size| {
                let own = rest % size;
                rest /= size;
                own.to_string()
            })
            .collect();
        index.reverse();
        format!("{}[{}]", parameter.name, index.join(","))
    }

    /// The address of a parameter.
    pub fn of_parameter(&self, place: usize) -> String {
        self.trace.parameters()[place].name.clone()
    }

    /// What an address names: also a number of a dense layer as LAYER.TO.FROM, layers counted from 1, units from 0.
    ///
    /// # Errors
    /// For one that names nothing that is trained, with the nearest that does.
    pub fn find(&self, text: &str) -> Result<Address> {
        let found = self.find_by_label(text);
        match &self.of_file {
            // Of a name that stands for several, the file's own says which.
            Some(others) => found.or_else(|error| {
                others.find_by_label(text).map_err(|own| match others.is_shared(text.trim()) {
                    true => own,
                    false => error,
                })
            }),
            None => found,
        }
    }

    fn find_by_label(&self, text: &str) -> Result<Address> {
        let text = text.trim();
        let parameters = self.trace.parameters();
        let trained = || (0..parameters.len()).filter(|&place| parameters[place].role.is_trained());
        if let Some(place) = trained().find(|&place| parameters[place].name == text) {
            return Ok(Address::Parameter(place));
        }
        if let Some(found) = self.by_index(text).or_else(|| self.by_numbers(text)) {
            return found;
        }
        let all = || {
            trained().flat_map(|place| {
                let count = parameters[place].shape.elements();
                (0..count).map(move |element| (place, element))
            })
        };
        if self.is_shared(text) {
            let own = all().filter(|(place, element)| self.name(*place, *element) == text);
            let own: Vec<String> = own.map(|(place, element)| self.indexed(place, element)).collect();
            let error = Error::configuration(format!("`{text}` is the name of {} numbers", own.len()));
            return Err(error.help(format!("write the one that is meant: {}", own.join(", "))));
        }
        if let Some((place, element)) = all().find(|(place, element)| self.name(*place, *element) == text) {
            return Ok(Address::Element(place, element));
        }
        let known = all();
        let known = known.take(MOST_COMPARED).map(|(place, element)| self.of(place, element));
        let known: Vec<String> = known.chain(trained().map(|place| self.of_parameter(place))).collect();
        let example = known.first().cloned().unwrap_or_default();
        let error = Error::unknown_name("weight", text, known);
        let help = error.help_text().unwrap_or_default().to_owned();
        Err(match help.ends_with('?') {
            true => error.help(format!("{help} or write LAYER.TO.FROM, as 2.1.0")),
            false => error.help(format!("write it as {example}, or as LAYER.TO.FROM, as 2.1.0")),
        })
    }

    /// `layers.0.weight[1,0]`.
    fn by_index(&self, text: &str) -> Option<Result<Address>> {
        let (name, index) = text.strip_suffix(']')?.rsplit_once('[')?;
        let parameters = self.trace.parameters();
        let place = parameters.iter().position(|own| own.name == name && own.role.is_trained())?;
        let sizes = parameters[place].shape.sizes();
        let numbers: Option<Vec<usize>> = index.split(',').map(|part| part.trim().parse().ok()).collect();
        let wrong =
            |help: String| Error::configuration(format!("`{text}` names no number of {name}")).help(help);
        let shape = &parameters[place].shape;
        let fits = |numbers: &Vec<usize>| {
            numbers.len() == sizes.len() && numbers.iter().zip(sizes).all(|(own, size)| own < size)
        };
        Some(match numbers.filter(fits) {
            Some(numbers) => {
                let element = numbers.iter().zip(sizes).fold(0, |at, (own, size)| at * size + own);
                Ok(Address::Element(place, element))
            }
            None => Err(wrong(format!("its shape is {shape}, counted from 0"))),
        })
    }

    /// `2.1.0`: the weight of layer 2 to unit 1 from unit 0.
    fn by_numbers(&self, text: &str) -> Option<Result<Address>> {
        let numbers: Option<Vec<usize>> = text.split('.').map(|part| part.parse().ok()).collect();
        let [layer, unit, input] = numbers?[..] else { return None };
        let layers = self.trace.dense().len();
        let Some(dense) = layer.checked_sub(1).and_then(|at| self.trace.dense().get(at)) else {
            let error = Error::configuration(format!("there is no dense layer {layer}"));
            return Some(Err(error.help(format!("the network has {layers}, counted from 1"))));
        };
        for (number, size, what) in [(unit, dense.units, "unit"), (input, dense.inputs, "input")] {
            if number >= size {
                let error = Error::configuration(format!("layer {layer} has no {what} {number}"));
                return Some(Err(error.help(format!("it has {size}, counted from 0"))));
            }
        }
        Some(Ok(Address::Element(dense.weight, unit * dense.inputs + input)))
    }
}
