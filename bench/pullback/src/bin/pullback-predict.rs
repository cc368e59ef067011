//! Pullback predicting: `pullback-predict SIZES`, the sizes of the layers with commas. Of each line `ROWS SECONDS` of
//! standard input it prints how many predictions of so many rows it made, and the seconds that they took; of the line
//! `ROWS 0`, what it predicts. `bench/predict` compares it with `peers/onnx_predict.py`, whose numbers are the same.

use pullback::Model;
use pullback::network::{Activation, Cost, Network};
use pullback::train::Machine;
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

fn numbers(count: usize, scale: f64) -> Vec<f32> {
    (0..count).map(|i| (scale * ((i * 7919 % 2003) as f64 / 1001.5 - 1.0)) as f32).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let sizes = std::env::args().nth(1).ok_or("usage: pullback-predict SIZES")?;
    let sizes: Vec<usize> = sizes.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let [inputs, hidden @ .., outputs] = &sizes[..] else { return Err("give two sizes at least".into()) };
    let network = Network::dense(*inputs, hidden, *outputs, Activation::Relu, Cost::SoftmaxCrossEntropy);
    let counts = network.parameters()?.into_iter().map(|parameter| parameter.shape.elements());
    let model = Model::new(network, counts.map(|count| numbers(count, 0.1)).collect())?;
    let predictor = model.predictor(&Machine::with_threads(1))?;
    for line in std::io::stdin().lines() {
        let line = line?;
        let (rows, seconds) = line.split_once(' ').ok_or("a line is ROWS SECONDS")?;
        let (rows, seconds) = (rows.parse::<usize>()?, seconds.parse::<f64>()?);
        let (x, mut predictions) = (numbers(rows * inputs, 1.0), vec![0.0; rows * outputs]);
        predictor.write(&x, &mut predictions)?;
        if seconds == 0.0 {
            println!("{}", predictions.iter().map(f32::to_string).collect::<Vec<_>>().join(" "));
            continue;
        }
        let (start, limit) = (Instant::now(), Duration::from_secs_f64(seconds));
        let mut calls = 0;
        while start.elapsed() < limit {
            predictor.write(black_box(&x), black_box(&mut predictions))?;
            calls += 1;
        }
        println!("{calls} {}", start.elapsed().as_secs_f64());
    }
    Ok(())
}
