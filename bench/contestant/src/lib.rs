//! What every Rust contestant does, as `peers/contestant.py` says for the Python ones: read the workload, make
//! its data, then time epochs whenever it is told to.

use serde::Deserialize;
use std::error::Error;
use std::io::{BufRead, Write};

/// One line of `workloads.json`.
#[derive(Deserialize)]
pub struct Workload {
    pub inputs: usize,
    pub hidden: Vec<usize>,
    pub outputs: usize,
    pub activation: String,
    pub cost: String,
    pub optimizer: String,
    pub l2: f64,
    /// Of products: `f32` unless it is given.
    #[serde(default)]
    pub precision: Option<String>,
    /// Rows of a batch.
    pub batch: usize,
    /// Batches of an epoch.
    pub batches: usize,
    /// Height, width and channels of what a row shows, before convolutions.
    #[serde(default)]
    pub image: Option<serde_json::Value>,
    /// Each with its activation and a pooling, before the dense layers.
    #[serde(default)]
    pub convolutions: Vec<Convolution>,
}

/// A convolution, and the pooling that follows it.
#[derive(Deserialize)]
pub struct Convolution {
    pub filters: usize,
    pub size: usize,
    pub pool: usize,
}

impl Workload {
    /// The workload and the number of threads that the command line gives.
    pub fn from_arguments() -> Result<(Self, usize), Box<dyn Error>> {
        let arguments: Vec<String> = std::env::args().collect();
        let [_, work, threads] = &arguments[..] else {
            return Err("usage: CONTESTANT WORKLOAD_JSON THREADS".into());
        };
        Ok((serde_json::from_str(work)?, threads.parse()?))
    }

    /// Ends with an error if the workload is not of dense layers in f32, for contestants that were written for
    /// those only.
    pub fn refuse_others_than_dense(&self) -> Result<(), Box<dyn Error>> {
        if self.convolutions.is_empty() && self.precision.as_deref().unwrap_or("f32") == "f32" {
            Ok(())
        } else {
            Err("neither convolutions nor reduced precision here".into())
        }
    }

    /// Rows of an epoch.
    pub fn rows(&self) -> usize {
        self.batch * self.batches
    }

    /// The units of each layer, from the inputs to the outputs.
    pub fn sizes(&self) -> Vec<usize> {
        [&[self.inputs][..], &self.hidden, &[self.outputs]].concat()
    }

    /// The learning rate that all contestants take for the workload's optimizer.
    pub fn learning_rate(&self) -> f64 {
        match self.optimizer.as_str() {
            "sgd" => 0.1,
            "momentum" => 0.01,
            _ => 0.001,
        }
    }

    /// The features of an epoch's rows, row by row: mean 0, variance 1, as standardized features have.
    pub fn features(&self) -> Vec<f32> {
        let uniform = |at| (random(at) >> 40) as f32 / (1u64 << 24) as f32;
        (0..self.rows() * self.inputs).map(|at| (uniform(at) - 0.5) * 12.0_f32.sqrt()).collect()
    }

    /// The class of each of an epoch's rows: 0 or 1 for a single output.
    pub fn classes(&self) -> Vec<u32> {
        let first = self.rows() * self.inputs;
        (0..self.rows()).map(|row| (random(first + row) >> 33) as u32 % self.outputs.max(2) as u32).collect()
    }

    /// The classes as numbers: one column, or one for each class.
    pub fn targets(&self) -> Vec<f32> {
        let classes = self.classes();
        if self.outputs == 1 {
            return classes.iter().map(|&class| class as f32).collect();
        }
        let one_hot = |class: u32| (0..self.outputs).map(move |output| f32::from(output == class as usize));
        classes.into_iter().flat_map(one_hot).collect()
    }
}

/// The random number of an index (splitmix64, Steele, Lea and Flood 2014).
fn random(index: usize) -> u64 {
    let mut bits = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Answers each line `run SECONDS` with the samples, seconds and cost of about as long a training.
///
/// `epochs(count)` trains that many epochs and returns the seconds that they took and the last cost.
pub fn serve<E: Into<Box<dyn Error>>>(
    work: &Workload,
    mut epochs: impl FnMut(usize) -> Result<(f64, f64), E>,
) -> Result<(), Box<dyn Error>> {
    epochs(1).map_err(Into::into)?;
    let (mut once, _) = epochs(1).map_err(Into::into)?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let seconds: f64 = line?.split(' ').nth(1).ok_or("no time is given")?.parse()?;
        let count = (seconds / once).round().max(1.0) as usize;
        let (seconds, cost) = epochs(count).map_err(Into::into)?;
        once = seconds / count as f64;
        println!("{} {seconds} {cost}", work.rows() * count);
        std::io::stdout().flush()?;
    }
    Ok(())
}
