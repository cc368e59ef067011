//! Pullback as a contestant: `pullback-contestant WORKLOAD_JSON THREADS`; see `peers/contestant.py` for
//! what it reads and prints. It trains by the library's own `train`: the shuffling and gathering of
//! batches, which the other contestants are spared, is in its time; initializing, in a first epoch, is not.

use pullback::data::{Dataset, Features, Targets};
use pullback::network::{Activation, Cost, Network};
use pullback::random::{Purpose, Random};
use pullback::train::{Batch, EpochReport, Flow, Observer, Optimizer, Training, train};
use serde_json::Value;
use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, work, threads] = &arguments[..] else {
        return Err("usage: pullback-contestant WORKLOAD_JSON THREADS".into());
    };
    let work: Value = serde_json::from_str(work)?;
    let number = |name: &str| work[name].as_u64().ok_or("a number is missing").map(|n| n as usize);
    let text = |name: &str| work[name].as_str().ok_or("a name is missing");
    let (inputs, outputs) = (number("inputs")?, number("outputs")?);
    let hidden: Vec<usize> = work["hidden"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .map(|n| n as usize)
        .collect();
    let activation: Activation = text("activation")?.parse()?;
    let cost: Cost = text("cost")?.parse()?;
    let mut network = Network::dense(inputs, &hidden, outputs, activation, cost);
    network.regularization.l2 = work["l2"].as_f64().unwrap_or(0.0);

    let (batch, rows) = (number("batch")?, number("batch")? * number("batches")?);
    let random = Random::new(1, Purpose::Sample, 0);
    // Mean 0, variance 1, as standardized features have.
    let values =
        (0..rows * inputs).map(|at| ((random.uniform(at as u64) - 0.5) * 12.0_f64.sqrt()) as f32).collect();
    let ids: Vec<u32> = (0..rows).map(|row| random.below(row as u64, outputs.max(2)) as u32).collect();
    let data = Dataset {
        features: Features::Dense { values, width: inputs, rows },
        targets: if outputs == 1 { Targets::Binary(ids) } else { Targets::Classes { ids, classes: outputs } },
        warnings: Vec::new(),
    };
    let order: Vec<usize> = (0..rows).collect();
    let optimizer = Optimizer::from_name(text("optimizer")?).ok_or("unknown optimizer")?;
    // The seconds of so many epochs after a first one, and the last cost.
    let epochs = |epochs: usize| -> pullback::Result<(f64, f64)> {
        let training = Training {
            epochs: epochs + 1,
            batch: Batch::Of(batch),
            optimizer,
            threads: threads.parse().unwrap_or(1),
            ..Training::default()
        };
        let mut clock = Clock { first_end: None };
        let trained = train(&network, &training, &data, &order, &[], &mut clock)?;
        let seconds = clock.first_end.map_or(f64::NAN, |end| end.elapsed().as_secs_f64());
        Ok((seconds, trained.history.epochs.last().map_or(f64::NAN, |epoch| epoch.cost)))
    };
    let (mut once, _) = epochs(1)?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let seconds: f64 = line?.split(' ').nth(1).ok_or("no time is given")?.parse()?;
        let count = (seconds / once).round().max(1.0) as usize;
        let (seconds, cost) = epochs(count)?;
        once = seconds / count as f64;
        println!("{} {seconds} {cost}", rows * count);
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// Notes when the first epoch ended.
struct Clock {
    first_end: Option<Instant>,
}

impl Observer for Clock {
    fn epoch(&mut self, _report: &EpochReport) -> Flow {
        self.first_end.get_or_insert_with(Instant::now);
        Flow::Continue
    }
}
