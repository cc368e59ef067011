//! Times training steps of a few networks on one thread, and their full gradients over their forward
//! passes: `cargo run --release -p pullback --example steps`.
#![allow(clippy::print_stdout)]

use pullback::data::{Dataset, Features, Targets};
use pullback::differentiate::reverse;
use pullback::execute::Executor;
use pullback::network::{Activation, Cost, Mode, Network};
use pullback::plan::Plan;
use pullback::random::{Purpose, Random};
use pullback::train::{Batch, Optimizer, Silent, Training, train};
use std::time::Instant;

fn main() -> pullback::Result<()> {
    println!(
        "{:<24} {:>6} {:>12} {:>9} {:>17}",
        "network", "batch", "samples/s", "GFLOP/s", "gradient/forward"
    );
    check("2-4-1 sigmoid", 2, &[4], 1, Activation::Sigmoid, 4, Optimizer::Sgd)?;
    check("4-16-3 tanh", 4, &[16], 3, Activation::Tanh, 32, Optimizer::Momentum { momentum: 0.9 })?;
    check("400-25-10 sigmoid", 400, &[25], 10, Activation::Sigmoid, 32, Optimizer::Sgd)?;
    check("784-128-10 relu", 784, &[128], 10, Activation::Relu, 128, Optimizer::default())?;
    check("784-512-512-10 relu", 784, &[512, 512], 10, Activation::Relu, 256, Optimizer::default())?;
    check("64, 100 x 64 tanh, 10", 64, &[64; 100], 10, Activation::Tanh, 32, Optimizer::Sgd)
}

fn check(
    name: &str,
    inputs: usize,
    hidden: &[usize],
    outputs: usize,
    activation: Activation,
    batch: usize,
    optimizer: Optimizer,
) -> pullback::Result<()> {
    let cost = if outputs == 1 { Cost::SigmoidCrossEntropy } else { Cost::SoftmaxCrossEntropy };
    let network = Network::dense(inputs, hidden, outputs, activation, cost);
    let rows = batch * 32;
    let random = Random::new(1, Purpose::Sample, 0);
    let values = (0..rows * inputs).map(|index| random.uniform(index as u64) as f32).collect();
    let ids: Vec<u32> = (0..rows).map(|row| random.below(row as u64, outputs.max(2)) as u32).collect();
    let data = Dataset {
        features: Features::Dense { values, width: inputs, rows },
        targets: if outputs == 1 { Targets::Binary(ids) } else { Targets::Classes { ids, classes: outputs } },
        warnings: Vec::new(),
    };
    let order: Vec<usize> = (0..rows).collect();
    let run = |epochs| -> pullback::Result<f64> {
        let training =
            Training { epochs, batch: Batch::Of(batch), optimizer, threads: 1, ..Training::default() };
        let start = Instant::now();
        train(&network, &training, &data, &order, &[], &mut Silent)?;
        Ok(start.elapsed().as_secs_f64())
    };
    let once = run(2)?;
    let epochs = ((0.5 / once) as usize).clamp(4, 4000);
    let seconds = run(epochs + 1)? - run(1)?;
    let samples = (rows * epochs) as f64 / seconds;
    let weights = network.parameter_count()? as f64;
    let flops = samples * (6.0 * weights - 2.0 * (inputs * hidden.first().unwrap_or(&outputs)) as f64);
    let ratio = gradient_over_forward(&network, batch)?;
    println!("{name:<24} {batch:>6} {samples:>12.0} {:>9.1} {ratio:>17.2}", flops / 1e9);
    Ok(())
}

/// The time of cost and full gradient over that of the cost alone: the median of pairs, taken in turns.
fn gradient_over_forward(network: &Network, batch: usize) -> pullback::Result<f64> {
    let lowered = network.lower(batch, Mode::Training)?;
    let gradients = reverse(&lowered.graph, lowered.cost, &lowered.parameters)?;
    let mut outputs = vec![lowered.cost];
    outputs.extend(&gradients.nodes);
    let mut forward = Executor::<f32>::new(Plan::new(&lowered.graph, &[lowered.cost]), 1);
    let mut full = Executor::<f32>::new(Plan::new(&gradients.graph, &outputs), 1);
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
