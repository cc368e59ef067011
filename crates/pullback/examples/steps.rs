//! Times full gradients over forward passes, on one thread: `cargo run --release -p pullback --example steps`.
//! How many samples a second are trained, `bench/compare --peers ""` prints.
#![allow(clippy::print_stdout)]

use pullback::differentiate::reverse;
use pullback::execute::{Executor, Machine};
use pullback::network::{Activation, Cost, Mode, Network};
use pullback::plan::Plan;
use pullback::random::{Purpose, Random};
use std::time::Instant;

fn main() -> pullback::Result<()> {
    println!("{:<26} {:>6} {:>17}", "network", "batch", "gradient/forward");
    check("400-25-10 sigmoid", 400, &[25], Activation::Sigmoid, 32)?;
    check("784-128-10 relu", 784, &[128], Activation::Relu, 128)?;
    check("784-512-512-10 relu", 784, &[512, 512], Activation::Relu, 256)?;
    check("784-2048-2048-2048-10 relu", 784, &[2048; 3], Activation::Relu, 1024)?;
    check("64, 100 x 64 tanh, 10", 64, &[64; 100], Activation::Tanh, 32)
}

fn check(
    name: &str,
    inputs: usize,
    hidden: &[usize],
    activation: Activation,
    batch: usize,
) -> pullback::Result<()> {
    let network = Network::dense(inputs, hidden, 10, activation, Cost::SoftmaxCrossEntropy);
    println!("{name:<26} {batch:>6} {:>17.2}", gradient_over_forward(&network, batch)?);
    Ok(())
}

/// The time of cost and full gradient over that of the cost alone: the median of pairs, taken in turns.
fn gradient_over_forward(network: &Network, batch: usize) -> pullback::Result<f64> {
    let lowered = network.lower(batch, Mode::Training)?;
    let gradients = reverse(&lowered.graph, lowered.cost, &lowered.parameters)?;
    let mut outputs = vec![lowered.cost];
    outputs.extend(&gradients.nodes);
    let machine = Machine::with_threads(1);
    let mut forward = Executor::<f32>::new(Plan::new(&lowered.graph, &[lowered.cost]), &machine);
    let mut full = Executor::<f32>::new(Plan::new(&gradients.graph, &outputs), &machine);
    // Numbers as standardized features have them: products would leave out zeros.
    let random = Random::new(0, Purpose::Sample, 0);
    for executor in [&mut forward, &mut full] {
        for (index, x) in (0..).zip(executor.input_mut(0)) {
            *x = random.normal(index) as f32;
        }
        for (row, targets) in executor.input_mut(1).chunks_exact_mut(network.outputs()).enumerate() {
            targets[row % targets.len()] = 1.0;
        }
    }
    let parameters = network.initialize(0)?;
    let time = |executor: &mut Executor<f32>, runs: usize| {
        let start = Instant::now();
        for _ in 0..runs {
            executor.run(&parameters);
        }
        start.elapsed().as_secs_f64()
    };
    let runs = (0.01 / time(&mut full, 3)).ceil() as usize * 3;
    let mut ratios: Vec<f64> = (0..15).map(|_| time(&mut full, runs) / time(&mut forward, runs)).collect();
    ratios.sort_by(f64::total_cmp);
    Ok(ratios[ratios.len() / 2])
}
