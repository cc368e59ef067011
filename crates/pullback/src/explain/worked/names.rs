//! What inputs, outputs, units, weights and biases are called, beside the symbols of a notation.

use crate::compact::Map;
use crate::explain::{Notation, Symbol, Trace};

/// The names that a file gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The inputs.
    pub inputs: Vec<String>,
    /// The outputs: classes or targets.
    pub outputs: Vec<String>,
    /// The units of layers, by their place in the network.
    pub units: Map<usize, Vec<String>>,
    /// The numbers of parameters, by the parameter's name.
    pub parameters: Map<String, Vec<String>>,
}

impl Names {
    /// The symbols of a network's dense layers that have a name, with it.
    pub fn symbols(&self, trace: &Trace, notation: Notation) -> Map<Symbol, String> {
        let mut symbols = notation.names(trace);
        let outputs = trace.network().outputs();
        for (unit, name) in self.outputs.iter().enumerate().take(outputs).filter(is_plain) {
            symbols.insert(Symbol::Target(unit), format!("{}_{name}", notation.target()));
        }
        for (unit, name) in self.inputs.iter().enumerate().filter(is_plain) {
            symbols.insert(Symbol::Activation(0, unit), name.clone());
        }
        for (position, dense) in trace.dense().iter().enumerate() {
            let layer = position + 1;
            for (unit, name) in
                self.units.get(&dense.layer).into_iter().flatten().enumerate().filter(is_plain)
            {
                let [sum, activation] = notation.of_named_unit();
                symbols.insert(Symbol::Sum(layer, unit), format!("{sum}_{name}"));
                symbols.insert(Symbol::Activation(layer, unit), format!("{activation}_{name}"));
                symbols.insert(Symbol::Delta(layer, unit), format!("delta_{name}"));
            }
            let named = |place: usize| self.parameters.get(&trace.parameters()[place].name);
            for (at, name) in named(dense.weight).into_iter().flatten().enumerate().filter(is_plain) {
                symbols.insert(Symbol::Weight(layer, at / dense.inputs, at % dense.inputs), name.clone());
            }
            for (unit, name) in dense.bias.and_then(named).into_iter().flatten().enumerate().filter(is_plain)
            {
                symbols.insert(Symbol::Bias(layer, unit), name.clone());
            }
        }
        symbols
    }
}

/// Whether a name can stand in a formula: one with a space or a sign of arithmetic would be read as several.
fn is_plain((_, name): &(usize, &String)) -> bool {
    let begins = name.chars().next().is_some_and(char::is_alphabetic);
    begins && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '[' | ']' | '.'))
}
