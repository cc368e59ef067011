//! What a file expects, by the names that its page has: `out_h1`, `dE/dw5`, `cost after 100 steps`.

use super::{Expectation, NetworkExample, Subject, WorkedExample};
use crate::compact::{Map, sort_by_key};
use crate::error::{Error, Result};
use crate::explain::examples::Claim;
use crate::explain::expression::Circuit;
use crate::explain::{Notation, Symbol, Trace};

/// Names of the cost.
const COST: [&str; 4] = ["C", "E", "J", "cost"];

/// Where a quantity stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum At {
    Cost,
    Value(usize, usize),
    Gradient(usize, usize),
}

/// The quantities of a network under the names of a page, with their numbers.
pub fn quantities(example: &WorkedExample, trace: &Trace) -> Map<String, f64> {
    let Subject::Network(network) = &example.subject else { return Map::new() };
    let table = named(network, example.notation, trace);
    table.into_iter().map(|(name, at)| (name, read(trace, at))).collect()
}

pub(super) fn claims(example: &WorkedExample) -> Result<Vec<Claim>> {
    match &example.subject {
        Subject::Expression(expression) => {
            let circuit = expression.circuit()?;
            example.expect.iter().map(|expected| of_circuit(&circuit, expected)).collect()
        }
        Subject::Network(network) if !example.expect.is_empty() => of_network(example, network),
        Subject::Network(_) => Ok(Vec::new()),
    }
}

fn of_circuit(circuit: &Circuit, expected: &Expectation) -> Result<Claim> {
    let known = circuit.quantities();
    match known.iter().find(|(name, _)| *name == expected.quantity) {
        Some((_, value)) => Ok(Claim::new(expected, *value)),
        None => Err(unknown(&expected.quantity, known.iter().map(|(name, _)| name.as_str()))),
    }
}

fn unknown<'a>(quantity: &str, known: impl IntoIterator<Item = &'a str>) -> Error {
    Error::configuration(format!("`{quantity}` is expected, but the page has no such number"))
        .unknown(quantity, known)
}

/// Expectations in the order of their steps, so that training goes on once.
fn of_network(example: &WorkedExample, network: &NetworkExample) -> Result<Vec<Claim>> {
    let mut at_step: Vec<(usize, u64, &str)> = Vec::new();
    for (at, expected) in example.expect.iter().enumerate() {
        let (name, steps) = after(&expected.quantity)?;
        at_step.push((at, steps, name));
    }
    sort_by_key(&mut at_step, |(_, steps, _)| *steps);
    let mut claims: Vec<Option<Claim>> = vec![None; example.expect.len()];
    let (mut now, mut kept, mut done) = (network.clone(), network.kept.clone(), 0);
    let mut trace = now.trace()?;
    let table = named(network, example.notation, &trace);
    for (at, steps, name) in at_step {
        if steps > done {
            for _ in done..steps {
                now.advance(&mut kept)?;
            }
            (trace, done) = (now.trace()?, steps);
        }
        let place = match COST.contains(&name) {
            true => At::Cost,
            false => *table
                .get(name)
                .ok_or_else(|| unknown(name, table.keys().map(String::as_str).chain(["cost"])))?,
        };
        claims[at] = Some(Claim::new(&example.expect[at], read(&trace, place)));
    }
    Ok(claims.into_iter().flatten().collect())
}

/// A quantity and the number of steps that it is after.
fn after(quantity: &str) -> Result<(&str, u64)> {
    let Some((name, steps)) = quantity.split_once(" after ") else { return Ok((quantity.trim(), 0)) };
    let count = steps.trim().trim_end_matches('s').trim_end_matches("step").trim().replace([',', '_'], "");
    let count = if count == "a" || count == "one" { Some(1) } else { count.parse().ok() };
    /// More would take a while.
    const MOST: u64 = 10_000_000;
    match count {
        Some(count) if count <= MOST => Ok((name.trim(), count)),
        _ => Err(Error::configuration(format!("`{quantity}` is after no number of steps"))
            .help(format!("write `{} after 100 steps`, at most {MOST}", name.trim()))),
    }
}

fn read(trace: &Trace, at: At) -> f64 {
    let of = |numbers: &[f64], element: usize| numbers[if numbers.len() == 1 { 0 } else { element }];
    match at {
        At::Cost => trace.cost(),
        At::Value(node, element) => of(trace.value_at(node), element),
        At::Gradient(node, element) => {
            let id = trace.graph().ids().nth(node).expect("a node of the graph");
            trace.adjoint(id).map_or(0.0, |adjoint| of(trace.value(adjoint), element))
        }
    }
}

/// The names of all numbers of dense layers, of the first example, and of all parameters.
fn named(example: &NetworkExample, notation: Notation, trace: &Trace) -> Map<String, At> {
    let symbols = example.names.symbols(trace, notation);
    let text = |symbol: Symbol| symbols.get(&symbol).cloned().unwrap_or_else(|| notation.text(symbol));
    let mut table = Vec::new();
    let mut add = |name: String, node: usize, element: usize| {
        for cost in &COST[..3] {
            table.push((format!("d{cost}/d{name}"), At::Gradient(node, element)));
        }
        table.push((name, At::Value(node, element)));
    };
    let last = trace.dense().len();
    for (position, dense) in trace.dense().iter().enumerate() {
        let layer = position + 1;
        let place = |parameter: usize| trace.lowered().parameters[parameter].index();
        for unit in 0..dense.units {
            add(text(Symbol::Sum(layer, unit)), dense.sum.index(), unit);
            if let Some(link) = dense.links.iter().rfind(|link| !link.is_cost) {
                add(text(Symbol::Activation(layer, unit)), link.node.index(), unit);
            } else if layer == last {
                // Without an activation, what a unit gives is its sum; the cost makes a prediction of it.
                add(text(Symbol::Activation(layer, unit)), trace.lowered().prediction.index(), unit);
            }
            if let Some(bias) = dense.bias {
                add(text(Symbol::Bias(layer, unit)), place(bias), unit);
            }
            for input in 0..dense.inputs {
                add(
                    text(Symbol::Weight(layer, unit, input)),
                    place(dense.weight),
                    unit * dense.inputs + input,
                );
            }
        }
    }
    for (place, parameter) in trace.parameters().iter().enumerate() {
        for element in 0..parameter.shape.elements() {
            let index = match *parameter.shape.sizes() {
                [_, columns] => format!("[{},{}]", element / columns, element % columns),
                _ => format!("[{element}]"),
            };
            add(format!("{}{index}", parameter.name), trace.lowered().parameters[place].index(), element);
        }
    }
    for (position, dense) in trace.dense().iter().enumerate() {
        for unit in 0..dense.units {
            let name = text(Symbol::Delta(position + 1, unit));
            table.push((name, At::Value(dense.delta.index(), unit)));
        }
    }
    // What is named first keeps the name.
    table.into_iter().rev().collect()
}
