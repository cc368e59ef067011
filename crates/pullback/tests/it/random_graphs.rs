//! Graphs of random operations: their gradients against differences and forward mode, their plans
//! against the reference.

use crate::operations::{DIFFERENCES, FORWARD, is_smooth};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use pullback::differentiate::{check_gradients, reverse};
use pullback::execute::{Executor, Machine, reference};
use pullback::graph::ops::{Case, Dice};
use pullback::graph::{Builder, Graph, Kind, NodeId, Op, Origin};
use pullback::plan::Plan;

/// A graph with numbers for its inputs.
#[derive(Debug)]
struct Sample {
    graph: Graph,
    inputs: Vec<NodeId>,
    cost: NodeId,
    values: Vec<Vec<f64>>,
}

/// Values stay in this range, so that differences keep their digits.
const LARGEST: f64 = 4.0;

/// Grows a graph operation by operation. An operation that fits no operands, or whose values grow too
/// large, is drawn again.
fn sample(seed: u64, operations: usize) -> Sample {
    let mut dice = Dice::new(seed);
    let builder = Builder::new();
    let (a, b) = (1 + dice.below(4), 1 + dice.below(4));
    let shapes = [vec![a, b], vec![b], vec![a, 1], vec![b, a]];
    let inputs: Vec<NodeId> = (shapes.iter().enumerate())
        .map(|(at, shape)| builder.input(&format!("x{at}"), shape.clone()).id().unwrap())
        .collect();
    let mut graph = builder.finish().unwrap();
    let given: Vec<Vec<f64>> = (shapes.iter())
        .map(|shape| (0..shape.iter().product()).map(|_| dice.between(0.3, 1.7)).collect())
        .collect();
    let mut made = 0;
    let mut attempts = 0;
    while made < operations {
        attempts += 1;
        assert!(attempts < 100 * operations, "seed {seed}: no operation fits any more");
        let Case { op, shapes, .. } = Op::case(dice.below(Op::NAMES.len()), &mut dice);
        let nodes: Vec<NodeId> = graph.ids().collect();
        // Mostly recent ones, so that graphs become deep.
        let operands: Vec<NodeId> = (0..shapes.len())
            .map(|_| {
                let recent = if dice.coin() { nodes.len().min(4) } else { nodes.len() };
                nodes[nodes.len() - 1 - dice.below(recent)]
            })
            .collect();
        // Powers, logarithms and quotients have no derivative at zero, and what is added to no row has none.
        let before = reference(&graph, &given);
        let is_defined = match op {
            Op::ScatterAddRows(ref op) => {
                before[operands[1].index()].iter().all(|code| (0.0..op.rows as f64).contains(code))
            }
            Op::Power(_) | Op::Log(_) => before[operands[0].index()].iter().all(|&x| x > 0.2),
            Op::Divide(_) => before[operands[1].index()].iter().all(|&x| x.abs() > 0.2),
            _ => true,
        };
        if !is_defined {
            continue;
        }
        let mut grown = graph.clone();
        let Ok(id) = grown.push(op, &operands, Origin::default()) else { continue };
        let numbers = &reference(&grown, &given)[id.index()];
        let is_small = numbers.iter().all(|x| x.abs() < LARGEST);
        if is_small && numbers.len() <= 64 {
            graph = grown;
            made += 1;
        }
    }
    // The cost depends on every operation: it sums what nobody reads.
    let mut is_read = vec![false; graph.nodes().len()];
    for node in graph.nodes() {
        for input in node.inputs() {
            is_read[input.index()] = true;
        }
    }
    let unread: Vec<NodeId> = graph.ids().filter(|id| !is_read[id.index()]).collect();
    let builder = Builder::extend(graph);
    let cost = (unread.iter())
        .map(|&id| builder.var(id).sum_all())
        .reduce(|left, right| left + right)
        .and_then(|sum| sum.id())
        .unwrap();
    let graph = builder.finish().unwrap();
    let mut values = given;
    values.resize(graph.nodes().len(), Vec::new());
    Sample { graph, inputs, cost, values }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        max_global_rejects: 4000,
        // The same graphs each time; PROPTEST_RNG_SEED and PROPTEST_CASES look for others.
        rng_seed: match ProptestConfig::default().rng_seed {
            RngSeed::Random => RngSeed::Fixed(1986),
            given => given,
        },
        ..ProptestConfig::default()
    })]

    #[test]
    fn gradients_of_random_graphs_agree_with_differences_and_forward_mode(
        seed in any::<u64>(), operations in 5usize..=40,
    ) {
        let Sample { graph, inputs, cost, values } = sample(seed, operations);
        prop_assume!(is_smooth(&graph, cost, &inputs, &values));
        let check = check_gradients(&graph, cost, &inputs, &values, reference).unwrap();
        prop_assert!(check.differences < DIFFERENCES, "{check:?}\n{graph}");
        prop_assert!(check.forward < FORWARD, "{check:?}\n{graph}");
    }

    #[test]
    fn plans_of_random_graphs_keep_every_value(seed in any::<u64>(), operations in 5usize..=40) {
        let Sample { graph, inputs, cost, values } = sample(seed, operations);
        let gradients = reverse(&graph, cost, &inputs).unwrap();
        let mut given = values;
        given.resize(gradients.graph.nodes().len(), Vec::new());
        let right = reference(&gradients.graph, &given);
        let mut outputs = vec![cost];
        outputs.extend(gradients.nodes.iter().filter(|&&id| gradients.graph.node(id).op().is_some()));
        let mut executor = Executor::new(Plan::new(&gradients.graph, &outputs), &Machine::with_threads(2));
        let places = graph.ids().filter(|&id| matches!(graph.node(id).kind, Kind::Input(_)));
        for (position, id) in places.enumerate() {
            executor.input_mut(position).copy_from_slice(&given[id.index()]);
        }
        // Twice: a run leaves nothing behind that changes the next.
        for _ in 0..2 {
            executor.run::<Vec<f64>>(&[]);
            for (position, id) in outputs.iter().enumerate() {
                let size = right[id.index()].iter().fold(1.0, |most: f64, x| most.max(x.abs()));
                for (found, right) in executor.output(position).iter().zip(&right[id.index()]) {
                    prop_assert!((found - right).abs() <= 1e-12 * size, "{found} for {right} in\n{graph}");
                }
            }
        }
    }
}
