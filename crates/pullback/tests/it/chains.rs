//! The chain of a weight's page leads from the cost to the weight: each factor begins with what the one before it ends with.

use crate::worked::random;
use pullback::explain::{
    Block, Catalog, Expression, Focus, NetworkExample, Notation, Options, Subject, describe,
    describe_circuit, examples,
};
use pullback::network::Mode;
use pullback::report::number::significant;

/// Above and below the line of a factor `dE/dout_o1`.
fn parts(factor: &str) -> Option<(&str, &str)> {
    let (above, below) = factor.split_once("/d")?;
    Some((above.strip_prefix('d')?, below))
}

/// The chains on the pages of an example's weights and biases that belong to dense layers: how many there are.
fn check(example: &NetworkExample, notation: Notation, what: &str) -> usize {
    let trace = example.trace().unwrap();
    let mut chains = 0;
    for dense in trace.dense() {
        for place in [Some(dense.weight), dense.bias].into_iter().flatten() {
            for element in 0..trace.parameter(place).len() {
                let options =
                    Options { focus: Focus::Element(place, element), notation, ..Options::default() };
                let page = describe(&trace, "t", &options, &Catalog::english());
                let mut formulas = page.blocks.iter().filter_map(|block| match block {
                    Block::Formula { text, .. } => Some(text.as_str()),
                    _ => None,
                });
                let sides: Vec<&str> = formulas.next().unwrap().split(" = ").collect();
                let (whole, factors) = (sides[0], sides[1]);
                let factors: Vec<(&str, &str)> = factors.split(" * ").filter_map(parts).collect();
                let Some((cost, weight)) = parts(whole).filter(|_| factors.len() > 1) else { continue };
                chains += 1;
                // With regularization, the chain is that of the cost of the data.
                let begins = factors[0].0 == cost || cost == "D";
                let ends = factors.last().unwrap().1 == weight;
                let is_joined = factors.windows(2).all(|pair| pair[0].1 == pair[1].0);
                assert!(begins && ends && is_joined, "{what}: {whole} = {}", sides[1]);
            }
        }
    }
    chains
}

#[test]
fn the_chain_of_a_weight_leads_from_the_cost_to_it() {
    let mut chains = 0;
    for name in Notation::NAMES {
        let notation = Notation::from_name(name).unwrap();
        for worked in examples::NAMES {
            let example = examples::find(worked).unwrap().unwrap();
            if let Subject::Network(own) = &example.worked.subject {
                chains += check(own, notation, worked);
            }
        }
        for seed in 0..40 {
            let worked = random(seed);
            let Subject::Network(own) = &worked.subject else { continue };
            if own.mode == Mode::Evaluation {
                chains += check(own, notation, &format!("network {seed}"));
            }
        }
    }
    assert!(chains > 500, "{chains} chains");
}

/// On the page of a formula, what a gate passes on is what arrives at it times its local derivative, and what arrives at
/// the gate before is the sum of what was passed to it: the derivative is a chain of the page's own numbers.
#[test]
fn the_gates_of_a_formula_pass_on_what_arrives_at_the_ones_before() {
    let at = vec![("x".to_owned(), 0.5), ("y".to_owned(), -2.0)];
    let circuit =
        Expression::parse("a = x * y\nb = sigmoid(a)\nc = b * b + a", at).unwrap().circuit().unwrap();
    for gate in &circuit.gates {
        for operand in &gate.operands {
            let (Some(passed), Some(local)) = (operand.passed, operand.local) else { continue };
            assert_eq!(passed, circuit.derivative(gate.node) * local, "{} to {}", gate.name, operand.name);
        }
    }
    for (name, node) in circuit.variables.iter().map(|(name, node)| (name, *node)) {
        let sum: f64 = circuit.passed_to(node).iter().map(|(_, passed)| passed).sum();
        assert!((sum - circuit.derivative(node)).abs() < 1e-15, "{name}");
    }
    let page = describe_circuit(&circuit, "t", 17, &Catalog::english()).text(200, false);
    for gate in &circuit.gates {
        for operand in gate.operands.iter().filter(|own| own.passed.is_some()) {
            assert!(page.contains(&significant(operand.passed.unwrap(), 17)), "{page}");
        }
    }
}
