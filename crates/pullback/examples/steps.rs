//! Times a training step of a few networks and their forward passes: `cargo run --release --example steps`.
#![allow(clippy::print_stdout)]

use pullback::data::{Dataset, Features, Targets};
use pullback::network::{Activation, Cost, Network};
use pullback::random::{Purpose, Random};
use pullback::train::{Batch, Optimizer, Silent, Training, train};
use std::time::Instant;

fn main() -> pullback::Result<()> {
    println!("{:<28} {:>6} {:>14} {:>10}", "network", "batch", "samples/s", "GFLOP/s");
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
    println!("{name:<28} {batch:>6} {samples:>14.0} {:>10.1}", flops / 1e9);
    Ok(())
}
