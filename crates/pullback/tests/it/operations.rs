//! Every operation of the list, on random shapes and numbers: its rules against each other, against
//! differences, and against the executor; and that a broken rule would be noticed.

use pullback::differentiate::{Gradients, check_gradients, compare_gradients, reverse};
use pullback::execute::{Executor, Machine, reference};
use pullback::graph::ops::{Case, Dice};
use pullback::graph::{Builder, Graph, Kind, NodeId, NodeRole, Op, Origin, Var};
use pullback::plan::Plan;
use pullback_kernels::{Isa, Real};
use std::collections::{BTreeMap, BTreeSet};

/// Back propagation against five-point differences in f64: their rounding bounds this.
pub(crate) const DIFFERENCES: f64 = 1e-7;
/// Back propagation against forward mode: both exact but for rounding.
pub(crate) const FORWARD: f64 = 1e-12;
/// Random cases an operation.
const CASES: u64 = 40;
/// Sizes at which kernels change their way: a lane of f64 and of f32 more or less one, two lanes, and primes.
const LANES: &[usize] = &[7, 8, 9, 13, 15, 16, 17, 31, 33];

/// An operation on random operands, and the sum of its result in a random direction.
struct Trial {
    graph: Graph,
    operands: Vec<NodeId>,
    /// The interval that operands are drawn from.
    range: (f64, f64),
    result: NodeId,
    cost: NodeId,
    values: Vec<Vec<f64>>,
}

fn draw(dice: &mut Dice, count: usize, (low, high): (f64, f64)) -> Vec<f64> {
    (0..count).map(|_| dice.between(low, high)).collect()
}

/// A number away from zero, of either sign.
fn direction(dice: &mut Dice) -> f64 {
    let size = dice.between(0.5, 1.5);
    if dice.coin() { size } else { -size }
}

impl Trial {
    /// With operands at which differences can measure the derivative.
    fn new(index: usize, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut trial = Self::drawn(index, &mut dice);
        for attempt in 0.. {
            assert!(attempt < 200, "operation {} has a kink everywhere", Op::NAMES[index]);
            if is_smooth(&trial.graph, trial.cost, &trial.operands, &trial.values) {
                return trial;
            }
            trial.draw_operands(&mut dice);
        }
        unreachable!("the loop ends by returning")
    }

    fn drawn(index: usize, dice: &mut Dice) -> Self {
        let Case { op, shapes, range, .. } = Op::case(index, dice);
        let builder = Builder::new();
        let operands: Vec<Var<'_>> =
            (0..).zip(&shapes).map(|(at, shape)| builder.input(&format!("x{at}"), shape.clone())).collect();
        let result = builder.apply(op, &operands);
        let weights = builder.input("direction", result.shape());
        let cost = (result * weights).sum_all();
        let ids = |var: Var<'_>| var.id().unwrap();
        let (operands, result, weights, cost) =
            (operands.into_iter().map(ids).collect::<Vec<_>>(), ids(result), ids(weights), ids(cost));
        let graph = builder.finish().unwrap();
        let values = vec![Vec::new(); graph.nodes().len()];
        let mut trial = Self { values, graph, operands, range, result, cost };
        trial.values[weights.index()] =
            (0..trial.graph.shape(weights).elements()).map(|_| direction(dice)).collect();
        trial.draw_operands(dice);
        trial
    }

    fn draw_operands(&mut self, dice: &mut Dice) {
        for &operand in &self.operands {
            let elements = self.graph.shape(operand).elements();
            self.values[operand.index()] = draw(dice, elements, self.range);
        }
    }
}

/// Whether differences can measure the cost's derivative along each element: neither a jump nor a kink
/// nearby. The second derivative is about the same on both sides, and the five-point differences of three
/// steps agree: that finds kinks of the derivative, as huber's, that are to one side of the point.
pub(crate) fn is_smooth(graph: &Graph, cost: NodeId, wrt: &[NodeId], values: &[Vec<f64>]) -> bool {
    const STEP: f64 = 2e-3;
    wrt.iter().all(|id| {
        (0..values[id.index()].len()).all(|element| {
            let at = |change: f64| {
                let mut moved = values.to_vec();
                moved[id.index()][element] += change;
                reference(graph, &moved)[cost.index()][0]
            };
            let second = |step: f64| (at(2.0 * step) - 2.0 * at(step) + at(0.0)) / (step * step);
            let first = |step: f64| {
                (8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step))) / (12.0 * step)
            };
            let whole = first(STEP / 2.0);
            (second(STEP) - second(-STEP)).abs() < 0.4
                && [0.27, 0.36].iter().all(|part| (first(part * STEP) - whole).abs() < DIFFERENCES / 5.0)
        })
    })
}

fn for_each_trial(mut check: impl FnMut(&str, u64, Trial)) {
    for (index, name) in Op::NAMES.iter().enumerate() {
        for seed in 0..CASES {
            check(name, seed, Trial::new(index, seed));
        }
    }
}

#[test]
fn back_propagation_agrees_with_differences_and_forward_mode() {
    for_each_trial(|name, seed, trial| {
        let Trial { graph, operands, cost, values, .. } = &trial;
        let check = check_gradients(graph, *cost, operands, values, reference).unwrap();
        assert!(check.differences < DIFFERENCES, "{name}, seed {seed}: {check:?}\n{graph}");
        assert!(check.forward < FORWARD, "{name}, seed {seed}: {check:?}\n{graph}");
    });
}

#[test]
fn gradients_of_gradients_agree_with_differences_and_forward_mode() {
    // Differences of a gradient carry the rounding of two passes.
    const SECOND: f64 = 1e-6;
    for_each_trial(|name, seed, trial| {
        let Trial { graph, operands, cost, mut values, .. } = trial;
        let gradients = reverse(&graph, cost, &operands).unwrap();
        let builder = Builder::extend(gradients.graph);
        let mut dice = Dice::new(seed + 1000);
        let mut given = Vec::new();
        let product = (gradients.nodes.iter())
            .map(|&node| {
                let gradient = builder.var(node);
                let vector = builder.input("v", gradient.shape());
                let numbers = (0..gradient.shape().elements()).map(|_| direction(&mut dice)).collect();
                given.push((vector.id().unwrap(), numbers));
                (gradient * vector).sum_all()
            })
            .reduce(|left, right| left + right)
            .unwrap();
        let cost = product.id().unwrap();
        let graph = builder.finish().unwrap();
        values.resize(graph.nodes().len(), Vec::new());
        for (id, numbers) in given {
            values[id.index()] = numbers;
        }
        if !is_smooth(&graph, cost, &operands, &values) {
            return; // A kink of the derivative, as huber's.
        }
        let check = check_gradients(&graph, cost, &operands, &values, reference).unwrap();
        assert!(check.differences < SECOND, "{name}, seed {seed}: {check:?}\n{graph}");
        assert!(check.forward < FORWARD * 10.0, "{name}, seed {seed}: {check:?}\n{graph}");
    });
}

/// Value and derivatives of a trial on the executor, against the reference; the same bits on every instruction set and
/// number of threads.
fn check_executor<T: Real>(name: &str, seed: u64, trial: &Trial, tolerance: f64) {
    let values: Vec<Vec<T>> =
        (trial.values.iter()).map(|numbers| numbers.iter().map(|&x| T::from_f64(x)).collect()).collect();
    let gradients = reverse(&trial.graph, trial.cost, &trial.operands).unwrap();
    let mut outputs = vec![trial.result];
    outputs.extend(gradients.nodes.iter().filter(|&&id| gradients.graph.node(id).op().is_some()));
    let expected = reference(&gradients.graph, &values);
    let mut bits: Option<Vec<Vec<u64>>> = None;
    for isa in Isa::available() {
        for threads in [1, 2, 7] {
            let plan = Plan::new(&gradients.graph, &outputs);
            let mut executor = Executor::new(plan, &Machine { isa, ..Machine::with_threads(threads) });
            let inputs = trial.graph.ids().filter(|&id| matches!(trial.graph.node(id).kind, Kind::Input(_)));
            for (position, id) in inputs.enumerate() {
                executor.input_mut(position).copy_from_slice(&values[id.index()]);
            }
            executor.run::<Vec<T>>(&[]);
            let mut own_bits = Vec::new();
            for (position, id) in outputs.iter().enumerate() {
                let (found, right) = (executor.output(position), &expected[id.index()]);
                assert_eq!(found.len(), right.len());
                let size = right.iter().fold(1.0, |most: f64, x| Real::max(most, x.to_f64().abs()));
                for (found, right) in found.iter().zip(right) {
                    let error = (found.to_f64() - right.to_f64()).abs() / size;
                    assert!(error < tolerance, "{name}, seed {seed}, {isa:?}: {found:?} for {right:?}");
                }
                own_bits.push(found.iter().map(|x| x.to_f64().to_bits()).collect());
            }
            let first = bits.get_or_insert_with(|| own_bits.clone());
            assert_eq!(*first, own_bits, "{name}, seed {seed}: other bits on {isa:?}, {threads} threads");
        }
    }
}

#[test]
fn the_executor_agrees_with_the_reference_on_every_instruction_set_and_thread_count() {
    for_each_trial(|name, seed, trial| {
        check_executor::<f64>(name, seed, &trial, 1e-13);
        check_executor::<f32>(name, seed, &trial, 1e-5);
    });
}

#[test]
fn the_executor_agrees_with_the_reference_at_the_sizes_of_vectors_and_at_primes() {
    // Sums of up to 33^3 numbers, in another order than the reference's.
    for (index, name) in Op::NAMES.iter().enumerate() {
        for seed in 0..4 {
            let trial = Trial::drawn(index, &mut Dice::with_sizes(seed, LANES));
            check_executor::<f64>(name, seed, &trial, 1e-11);
            check_executor::<f32>(name, seed, &trial, 1e-3);
        }
    }
}

#[test]
fn formulas_say_something_of_their_own_and_work_is_counted() {
    let mut texts = BTreeSet::new();
    let mut free = Vec::new();
    for (index, name) in Op::NAMES.iter().enumerate() {
        let trial = Trial::new(index, 1);
        let node = trial.graph.node(trial.result);
        let op = node.op().unwrap();
        let operands = ["x".to_owned(), "y".to_owned(), "w".to_owned()];
        let formula = op.formula();
        assert!(
            !formula.text(&operands).contains("{0}") && !formula.latex(&operands).contains("{0}"),
            "{name}"
        );
        // An operand in the place of a fraction's numerator or denominator would stand without braces.
        let own = node.inputs().len().min(operands.len());
        let latex = formula.latex(&operands[..own]);
        assert!(!latex.is_empty());
        assert!(latex.split("frac").skip(1).all(|part| part.starts_with(['{', '1'])), "{name}: {latex}");
        assert_eq!(latex.matches('{').count(), latex.matches('}').count(), "{name}: {latex}");
        assert!(texts.insert(formula.text(&operands)), "{name} has another operation's formula");
        let shapes: Vec<_> = node.inputs().iter().map(|&id| trial.graph.shape(id)).collect();
        if op.multiply_adds(&shapes, &node.shape) == 0 {
            free.push(*name);
        }
    }
    // What only moves numbers costs none.
    let movers = ["reshape", "broadcast", "transpose", "concatenate", "slice", "pad", "lower triangle"];
    assert_eq!(free, [&["gather rows"], &movers[..]].concat());
}

#[test]
fn a_shape_mistake_names_both_operands_and_their_sources() {
    let builder = Builder::new();
    let features = builder.input("features", [32, 784]);
    builder.set_origin(Origin { layer: Some(2), ..Origin::default() });
    let weight = builder.parameter("layers.2.weight", [10, 128]);
    builder.set_origin(Origin { layer: Some(2), role: NodeRole::WeightedSum, ..Origin::default() });
    let _ = features.product_transposed(false, weight, true);
    let message = builder.finish().unwrap_err().to_string();
    for part in ["[32, 784]", "features", "[10, 128]", "layers.2.weight", "layer 2", "784", "128"] {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

/// The graph with one node's value replaced by what `change` makes of it; `None` where it makes nothing.
fn mutate(
    gradients: &Gradients,
    place: NodeId,
    change: impl for<'b> Fn(&Op, &[Var<'b>], Var<'b>) -> Option<Var<'b>>,
) -> Option<Gradients> {
    let builder = Builder::new();
    let mut vars: Vec<Var<'_>> = Vec::new();
    for id in gradients.graph.ids() {
        let node = gradients.graph.node(id);
        let var = match &node.kind {
            Kind::Input(name) => builder.input(name, node.shape.clone()),
            Kind::Parameter(name) => builder.parameter(name, node.shape.clone()),
            Kind::Constant(value) => builder.filled(value.value(), node.shape.clone()),
            Kind::Operation(op, inputs) => {
                let inputs: Vec<Var<'_>> = inputs.iter().map(|input| vars[input.index()]).collect();
                let right = builder.apply(op.clone(), &inputs);
                if id == place { change(op, &inputs, right)? } else { right }
            }
        };
        if var.id().is_none() || var.shape() != node.shape {
            return None;
        }
        vars.push(var);
    }
    // Where it lies now: a mutant may have more nodes than the original.
    let nodes = gradients.nodes.iter().map(|id| vars[id.index()].id()).collect::<Option<Vec<_>>>()?;
    let graph = builder.finish().ok()?;
    Some(Gradients { graph, nodes, adjoints: Vec::new() })
}

/// The ways in which a rule is broken.
const MUTATIONS: &[&str] =
    &["sign", "double", "slightly larger", "operands swapped", "transposed", "operand dropped"];

fn mutant(gradients: &Gradients, place: NodeId, mutation: &str) -> Option<Gradients> {
    mutate(gradients, place, |op, inputs, right| {
        let builder = right.builder();
        match (mutation, op) {
            ("sign", _) => Some(right.scale(-1.0)),
            ("double", _) => Some(right.scale(2.0)),
            ("slightly larger", _) => Some(right.scale(1.0 + 1e-5)),
            ("operands swapped", Op::Subtract(_) | Op::Divide(_)) => {
                Some(builder.apply(op.clone(), &[inputs[1], inputs[0]]))
            }
            ("operands swapped", Op::MatrixProduct(_))
                if inputs
                    .iter()
                    .all(|x| x.shape().sizes()[0] == x.shape().sizes()[1] && x.shape().elements() > 1) =>
            {
                Some(builder.apply(op.clone(), &[inputs[1], inputs[0]]))
            }
            ("transposed", Op::MatrixProduct(product)) => {
                let sizes = |at: usize| inputs[at].shape().sizes().to_vec();
                let mut wrong = product.clone();
                // A matrix of one number is its own transpose.
                if sizes(0)[0] == sizes(0)[1] && sizes(0)[0] > 1 {
                    wrong.transpose_left ^= true;
                } else if sizes(1)[0] == sizes(1)[1] && sizes(1)[0] > 1 {
                    wrong.transpose_right ^= true;
                } else {
                    return None;
                }
                Some(builder.apply(wrong, inputs))
            }
            ("operand dropped", Op::Add(_) | Op::Subtract(_) | Op::Multiply(_) | Op::Divide(_)) => {
                Some(inputs[0].broadcast(right.shape()))
            }
            _ => None,
        }
    })
}

#[test]
fn no_broken_pullback_passes_the_check() {
    // Each way of breaking each kind of node in each operation's rule: how often it was tried, and noticed.
    let mut noticed: BTreeMap<(&str, String, &str), [usize; 2]> = BTreeMap::new();
    for (index, name) in Op::NAMES.iter().enumerate() {
        for seed in 0..12 {
            let trial = Trial::new(index, seed);
            let Trial { graph, operands, cost, mut values, .. } = trial;
            let gradients = reverse(&graph, cost, &operands).unwrap();
            values.truncate(graph.nodes().len());
            // What the rule itself made: the nodes that pull back through the operation.
            let made = gradients.graph.ids().skip(graph.nodes().len());
            let needed = gradients.graph.ancestors(&gradients.nodes);
            for place in made.filter(|id| needed[id.index()]) {
                let node = gradients.graph.node(place);
                let Some(op) = node.op() else { continue };
                for mutation in MUTATIONS {
                    let Some(mutant) = mutant(&gradients, place, mutation) else { continue };
                    let check =
                        compare_gradients(&graph, cost, &operands, &mutant, &values, |graph, given| {
                            let mut given = given.to_vec();
                            given.resize(graph.nodes().len(), Vec::new());
                            reference(graph, &given)
                        });
                    let [tried, caught] = noticed.entry((name, op.name().to_owned(), mutation)).or_default();
                    *tried += 1;
                    *caught += usize::from(check.differences > DIFFERENCES && check.forward > FORWARD);
                }
            }
        }
    }
    assert!(noticed.len() > 200, "only {} kinds of mutants", noticed.len());
    let survivors = noticed
        .iter()
        .filter(|(_, [_, caught])| *caught == 0)
        .map(|((op, node, how), _)| (*op, node.as_str(), *how));
    // These compute the same: the sign of twice a number, a share of what is scaled alike, and, where
    // no two elements are equally large, a division by one.
    const SAME: &[(&str, &str, &str)] = &[
        ("absolute error", "subtract", "double"),
        ("absolute error", "subtract", "slightly larger"),
        ("max", "divide", "operand dropped"),
        ("max", "divide", "operands swapped"),
        ("max", "equal", "double"),
        ("max", "equal", "sign"),
        ("max", "equal", "slightly larger"),
        ("quantile", "subtract", "double"),
        ("quantile", "subtract", "slightly larger"),
    ];
    assert_eq!(survivors.collect::<Vec<_>>(), SAME, "mutants that survive, of {} kinds", noticed.len());
}

#[test]
fn equally_large_elements_share_the_gradient_of_their_maximum() {
    let builder = Builder::new();
    let x = builder.input("x", [2, 3]);
    let (id, cost) = (x.id().unwrap(), x.max(&[1]).sum_all().id().unwrap());
    let graph = builder.finish().unwrap();
    let gradients = reverse(&graph, cost, &[id]).unwrap();
    let values = reference(&gradients.graph, &[vec![1.0, 3.0, 3.0, 5.0, 4.0, -5.0]]);
    assert_eq!(values[gradients.nodes[0].index()], [0.0, 0.5, 0.5, 1.0, 0.0, 0.0]);
}
