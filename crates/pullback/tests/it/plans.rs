//! What planning drops, merges and reuses.

use pullback::differentiate::reverse;
use pullback::execute::Executor;
use pullback::graph::{Builder, NodeId, Var};
use pullback::network::{Activation, Cost, Mode, Network};
use pullback::plan::Plan;

fn id(var: Var<'_>) -> NodeId {
    var.id().unwrap()
}

fn operations(plan: &Plan) -> Vec<&'static str> {
    plan.instructions.iter().map(|instruction| instruction.op.name()).collect()
}

#[test]
fn what_no_output_needs_is_dropped() {
    let builder = Builder::new();
    let x = builder.input("x", [3]);
    let wanted = id(x.exp());
    let _ = x.tanh().sum_all();
    let graph = builder.finish().unwrap();
    assert_eq!(operations(&Plan::new(&graph, &[wanted])), ["exp"]);
}

#[test]
fn equal_nodes_are_computed_once() {
    let builder = Builder::new();
    let x = builder.input("x", [3]);
    let y = builder.input("y", [3]);
    let wanted = id(x.exp() * y + x.exp() * y);
    let graph = builder.finish().unwrap();
    assert_eq!(operations(&Plan::new(&graph, &[wanted])), ["exp", "multiply", "add"]);
}

#[test]
fn copies_are_not_made() {
    let builder = Builder::new();
    let x = builder.input("x", [3]);
    let wanted = id(x.reshape([3]).broadcast([3]).exp());
    let graph = builder.finish().unwrap();
    assert_eq!(operations(&Plan::new(&graph, &[wanted])), ["exp"]);
}

#[test]
fn a_forward_pass_of_a_hundred_layers_needs_few_buffers() {
    let network = Network::dense(64, &[64; 100], 10, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let lowered = network.lower(32, Mode::Evaluation).unwrap();
    let plan = Plan::new(&lowered.graph, &[lowered.prediction]);
    assert!(plan.instructions.len() > 200);
    assert!(plan.buffers.len() <= 3, "{} buffers", plan.buffers.len());
    assert!(plan.buffers.iter().all(|&elements| elements <= 32 * 64));
}

#[test]
fn no_instruction_writes_what_it_reads_or_what_is_still_needed() {
    let network = Network::dense(6, &[5, 4], 3, Activation::Gelu, Cost::SoftmaxCrossEntropy);
    let lowered = network.lower(7, Mode::Training).unwrap();
    let gradients = reverse(&lowered.graph, lowered.cost, &lowered.parameters).unwrap();
    let mut outputs = vec![lowered.cost];
    outputs.extend(&gradients.nodes);
    let plan = Plan::new(&gradients.graph, &outputs);
    for instruction in &plan.instructions {
        let own = pullback::plan::Place::Buffer(instruction.buffer);
        assert!(instruction.inputs.iter().all(|(place, _)| *place != own), "{instruction:?}");
    }
    let shared = plan.elements();
    let all: usize = plan.instructions.iter().map(|instruction| instruction.shape.elements()).sum();
    assert!(shared < all, "{shared} elements for {all}");
    let mut places: Vec<_> = plan.outputs.iter().map(|(place, _)| format!("{place:?}")).collect();
    places.sort();
    places.dedup();
    assert_eq!(places.len(), outputs.len(), "outputs do not share a place");
}

#[test]
fn an_executor_runs_again_with_other_numbers() {
    let builder = Builder::new();
    let x = builder.input("x", [2]);
    let w = builder.parameter("w", [2]);
    let wanted = id((x * w).sum_all());
    let graph = builder.finish().unwrap();
    let mut executor = Executor::<f64>::new(Plan::new(&graph, &[wanted]), 1);
    executor.input_mut(0).copy_from_slice(&[1.0, 2.0]);
    executor.run(&[vec![3.0, 4.0]]);
    assert_eq!(executor.output(0), [11.0]);
    executor.input_mut(0).copy_from_slice(&[0.5, -1.0]);
    executor.run(&[vec![2.0, 3.0]]);
    assert_eq!(executor.output(0), [-2.0]);
}
