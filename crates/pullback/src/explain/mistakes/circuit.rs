//! The wrong derivatives of a formula.

use super::{Answers, Mistake, Values, Wrong, shown};
use crate::error::{Error, Result};
use crate::explain::expression::{Circuit, Gate};

pub(super) fn answers(circuit: &Circuit, name: &str) -> Result<Answers> {
    let of_gates = circuit.gates.iter().map(|gate| (&gate.name, gate.node));
    let known: Vec<(&String, _)> =
        circuit.variables.iter().map(|(name, node)| (name, *node)).chain(of_gates).collect();
    let Some((_, node)) = known.iter().find(|(own, _)| *own == name) else {
        let names = known.iter().map(|(own, _)| own.as_str());
        return Err(Error::unknown_name("value", name, names));
    };
    let right = circuit.derivative(*node);
    let parts: Vec<(&Gate, f64)> = circuit.passed_to(*node);
    let mut wrong = Vec::new();
    let mut add = |mistake, number, key, values: Values| {
        wrong.push(Wrong { mistake, number, key, values });
    };
    for (gate, passed) in &parts {
        let arrives = circuit.derivative(gate.node);
        let local = passed / arrives;
        let values = |part: f64| {
            vec![
                ("gate", gate.formula.clone()),
                ("name", gate.name.clone()),
                ("arrives", shown(arrives)),
                ("slope", shown(local)),
                ("part", shown(part)),
                ("count", parts.len().to_string()),
            ]
        };
        add(Mistake::Slope, right - passed + arrives, "mistake.local", values(arrives));
        if parts.len() > 1 {
            add(Mistake::Path, right - passed, "mistake.use", values(*passed));
        }
        let above = circuit.passed_to(gate.node);
        if let (true, Some((_, first))) = (above.len() > 1, above.first()) {
            // All that the gate passes on to the value is passed on then.
            let own = parts.iter().filter(|(other, _)| other.node == gate.node);
            let number = own.fold(right, |sum, (_, passed)| sum + passed * (first / arrives - 1.0));
            add(Mistake::Order, number, "mistake.order_of_gate", values(*first));
        }
    }
    if let (true, Some((_, last))) = (parts.len() > 2, parts.last()) {
        let values = vec![("part", shown(*last)), ("count", parts.len().to_string())];
        add(Mistake::Accumulated, *last, "mistake.last_use", values);
    }
    Ok(Answers::new(format!("d{}/d{name}", circuit.output_name), right, wrong))
}
