//! A circuit of gates: what each computes, what arrives at it, and what it passes on.

use crate::explain::page::latex_name;
use crate::explain::written::{Written, equation};
use crate::explain::{Block, Catalog, Circuit, Document};
use crate::graph::NodeId;
use crate::report::number::significant;

/// A page of a formula: its gates forwards, then backwards with local derivatives, and a sum where a value is used
/// several times.
pub fn describe_circuit(circuit: &Circuit, title: &str, digits: usize, catalog: &Catalog) -> Document {
    let name = |key: &str| catalog.get(key).to_owned();
    let names = |keys: &[&str]| keys.iter().map(|key| name(key)).collect::<Vec<_>>();
    let number = |x: f64| significant(x, digits);
    let mut blocks = vec![Block::Heading(1, title.to_owned()), Block::Text(name("circuit_text"))];
    // What is not a number makes nonsense of all that follows.
    if let Some(gate) = circuit.first_not_finite() {
        blocks.push(Block::Warning(catalog.say("not_finite", &[("operation", &gate.formula)])));
    }
    let rows = circuit.variables.iter().map(|(name, node)| vec![name.clone(), number(circuit.value(*node))]);
    blocks.push(Block::Table { columns: names(&["variable", "value"]), rows: rows.collect() });

    blocks.push(Block::Heading(2, name("forward")));
    let rows = circuit.gates.iter().map(|gate| {
        let with_numbers = gate.with_numbers(digits);
        vec![gate.name.clone(), gate.formula.clone(), with_numbers, number(circuit.value(gate.node))]
    });
    blocks.push(Block::Table {
        columns: names(&["gate", "equation", "in_numbers", "value"]),
        rows: rows.collect(),
    });

    blocks.push(Block::Heading(2, name("backward")));
    let f = &circuit.output_name;
    blocks.push(Block::Text(catalog.say("circuit_backward", &[("output", f)])));
    let mut rows = Vec::new();
    for gate in circuit.gates.iter().rev() {
        if circuit.adjoints[gate.node.index()].is_none() {
            continue;
        }
        let arrives = Written::number(circuit.derivative(gate.node), digits);
        // A constant has no derivative, and no row.
        let passing = gate.operands.iter().filter_map(|own| Some((own, own.local?, own.passed?)));
        for (at, (operand, local, passed)) in passing.enumerate() {
            let first = if at == 0 { gate.name.clone() } else { String::new() };
            let product = Written::product([arrives.clone(), Written::number(local, digits)]);
            let passing = format!("{} = {}", product.text, number(passed));
            rows.push(vec![first, operand.name.clone(), passing]);
        }
    }
    let columns = names(&["gate", "operand", "passing"]);
    blocks.push(Block::Table { columns, rows });

    // Values of lines and variables that several gates read.
    let mut sums = Vec::new();
    let gates = circuit.gates.iter().map(|gate| (&gate.name, gate.node));
    let used: Vec<(&String, NodeId)> =
        circuit.variables.iter().map(|(name, node)| (name, *node)).chain(gates).collect();
    for (name, node) in used.iter().rev() {
        let passed = circuit.passed_to(*node);
        if passed.len() > 1 {
            let written = |x: f64| Written::number(x, digits);
            let ratio = Written::ratio(&named(f), &named(name));
            let sum = Written::sum(passed.iter().map(|(_, passed)| written(*passed)));
            sums.push(equation([ratio, sum, written(circuit.derivative(*node))]));
        }
    }
    if !sums.is_empty() {
        blocks.push(Block::Text(name("used_twice")));
        blocks.extend(sums);
    }

    blocks.push(Block::Heading(2, name("gradients")));
    let rows = circuit
        .variables
        .iter()
        .map(|(name, node)| vec![format!("d{f}/d{name}"), number(circuit.derivative(*node))]);
    blocks.push(Block::Table { columns: names(&["derivative", "value"]), rows: rows.collect() });
    Document { language: catalog.language, blocks }
}

/// A name in both forms.
fn named(name: &str) -> Written {
    Written::name(name, latex_name(name))
}
