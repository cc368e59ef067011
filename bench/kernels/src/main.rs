//! Runs a kernel or a training step some times, for `bench/count` to count its instructions:
//! `pullback-repeat NAME TIMES`; without arguments it lists the names and how often each is repeated at once.

use pullback::data::{Dataset, Features, Targets};
use pullback::network::{Activation, Cost, Network};
use pullback::random::{Purpose, Random};
use pullback::train::{Batch, Machine, Optimizer, Silent, Training, train};
use pullback_kernels::update::AdamSettings;
use pullback_kernels::{Isa, Operand, Real, Start, Workspace, map, product_with, softmax_cross_entropy};
use std::error::Error;
use std::hint::black_box;

/// A name, how often the work is repeated, and the work, which repeats it.
type Work = (String, usize, Box<dyn Fn(usize) -> pullback::Result<()>>);

fn main() -> Result<(), Box<dyn Error>> {
    let works = works();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => works.iter().for_each(|(name, at_once, _)| println!("{at_once} {name}")),
        [name, times] => {
            let (_, at_once, work) = works.iter().find(|work| work.0 == *name).ok_or("no such work")?;
            work(at_once * times.parse::<usize>()?)?;
        }
        _ => return Err("usage: pullback-repeat [NAME TIMES]".into()),
    }
    Ok(())
}

fn works() -> Vec<Work> {
    let mut works = Vec::new();
    for (batch, outputs, inputs) in
        [(32, 64, 64), (32, 25, 400), (32, 128, 784), (128, 10, 128), (64, 512, 784)]
    {
        let [x, w, delta] = [[batch, inputs], [inputs, outputs], [batch, outputs]];
        works.push(product(format!("{batch} x {inputs} @ {inputs} x {outputs}"), (x, false), (w, false)));
        works.push(product(
            format!("({batch} x {inputs})^T @ {batch} x {outputs}"),
            (x, true),
            (delta, false),
        ));
        works.push(product(
            format!("{batch} x {outputs} @ ({inputs} x {outputs})^T"),
            (delta, false),
            (w, true),
        ));
    }
    works.push(function("exp", Real::exp));
    works.push(function("ln", Real::ln));
    works.push(function("tanh", Real::tanh));
    works.push(function("sigmoid", Real::sigmoid));
    works.push(function("erf", Real::erf));
    works.extend([3, 10, 100].map(entropy));
    works.push(adam());
    let softmax = Cost::SoftmaxCrossEntropy;
    works.push(step(
        "2-4-1 sigmoid, sgd",
        2,
        &[4],
        1,
        Activation::Sigmoid,
        Cost::SigmoidCrossEntropy,
        "sgd",
        4,
    ));
    works.push(step("4-16-3 tanh, momentum", 4, &[16], 3, Activation::Tanh, softmax, "momentum", 32));
    let per_output = Cost::SigmoidCrossEntropy;
    works.push(step("400-25-10 sigmoid, sgd", 400, &[25], 10, Activation::Sigmoid, per_output, "sgd", 32));
    works.push(step("784-128-10 relu, adam", 784, &[128], 10, Activation::Relu, softmax, "adam", 128));
    works.push(step("64-(10 x 64)-10 tanh, sgd", 64, &[64; 10], 10, Activation::Tanh, softmax, "sgd", 32));
    works
}

fn work(name: String, at_once: usize, work: impl Fn(usize) -> pullback::Result<()> + 'static) -> Work {
    (name, at_once, Box::new(work))
}

/// Numbers in [-4, 4].
fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i * 37 % 101) as f32 * 0.08 - 4.0).collect()
}

/// A matrix of given size, read as it is or as its transpose.
fn operand(data: &[f32], ([rows, columns], is_transposed): ([usize; 2], bool)) -> Operand<'_, f32> {
    let operand = Operand::new(data, rows, columns);
    if is_transposed { operand.transposed() } else { operand }
}

/// A product of matrices with given sizes, each read as it is or as its transpose.
fn product(name: String, left: ([usize; 2], bool), right: ([usize; 2], bool)) -> Work {
    let read = |([rows, columns], is_transposed): ([usize; 2], bool)| {
        if is_transposed { [columns, rows] } else { [rows, columns] }
    };
    let [[rows, depth], [_, columns]] = [read(left), read(right)];
    work(name, 2_000_000_usize.div_ceil(rows * columns * depth), move |times| {
        let (a, b, mut c) = (numbers(rows * depth), numbers(depth * columns), vec![0.0; rows * columns]);
        let mut workspace = Workspace::new(Isa::best(), 1);
        for _ in 0..times {
            let (left, right) = (operand(black_box(&a), left), operand(black_box(&b), right));
            product_with(left, right, black_box(&mut c), Start::Zero, |_, _| (), &mut workspace);
        }
        Ok(())
    })
}

fn function(name: &str, f: impl Fn(f32) -> f32 + Copy + 'static) -> Work {
    work(format!("{name} of 4096"), 20, move |times| {
        let (x, mut y) = (numbers(4096), numbers(4096));
        (0..times).for_each(|_| map(Isa::best(), black_box(&x), black_box(&mut y), f));
        Ok(())
    })
}

fn entropy(columns: usize) -> Work {
    work(format!("softmax cross-entropy of 128 x {columns}"), 20, move |times| {
        let (x, t, mut cost) =
            (numbers(128 * columns), vec![1.0 / columns as f32; 128 * columns], [0.0; 128]);
        let mut gradient = numbers(128 * columns);
        for _ in 0..times {
            let gradient = Some((black_box(&mut gradient[..]), 1.0));
            softmax_cross_entropy(Isa::best(), black_box(&x), &t, columns, &mut cost, gradient);
        }
        Ok(())
    })
}

fn adam() -> Work {
    work("adam of 4096".into(), 20, |times| {
        let settings = AdamSettings {
            learning_rate: 0.01,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
        };
        let (mut w, g, mut m, mut v) = (numbers(4096), numbers(4096), numbers(4096), vec![1.0_f32; 4096]);
        for _ in 0..times {
            settings.at_step(9).weights(Isa::best(), black_box(&mut w), &g, &mut m, &mut v);
        }
        Ok(())
    })
}

/// Steps of training by the library's `train`, with the gathering of the batch.
#[expect(clippy::too_many_arguments, reason = "a line of a table")]
fn step(
    name: &str,
    inputs: usize,
    hidden: &[usize],
    outputs: usize,
    activation: Activation,
    cost: Cost,
    optimizer: &'static str,
    batch: usize,
) -> Work {
    const EPOCHS: usize = 4;
    let network = Network::dense(inputs, hidden, outputs, activation, cost);
    let multiply_adds = 3 * batch * network.parameter_count().unwrap_or(0);
    // Small networks make many steps an epoch, beside which its own work is small.
    let steps = (2_000_000 / (EPOCHS * multiply_adds)).clamp(2, 512);
    work(format!("step of {name}, batch {batch}"), EPOCHS * steps, move |times| {
        let rows = steps * batch;
        let random = Random::new(1, Purpose::Sample, 0);
        let values = (0..rows * inputs).map(|at| random.uniform(at as u64) as f32).collect();
        let ids: Vec<u32> = (0..rows).map(|row| random.below(row as u64, outputs.max(2)) as u32).collect();
        let targets = if outputs == 1 { Targets::binary(ids) } else { Targets::classes(ids, outputs) };
        let data = Features::dense(values, inputs)
            .and_then(|features| Dataset::new(features, targets?))
            .expect("as many targets as rows");
        let training = Training {
            epochs: times / steps,
            batch: Batch::Of(batch),
            optimizer: Optimizer::from_name(optimizer).expect("the table names an optimizer"),
            ..Training::default()
        };
        let order: Vec<usize> = (0..rows).collect();
        train(&network, &training, &data, &order, &[], &Machine::with_threads(1), &mut Silent).map(|_| ())
    })
}
