//! The commands, one file each.

mod check;
mod compare;
mod datasets;
mod evaluate;
mod explain;
mod gradients;
mod importance;
mod inspect;
mod lab;
mod look;
mod predict;
mod sweep;
mod train;

use crate::failure::Result;
use crate::machine::{self, Bytes};

const EXAMPLES: &str = "\
Examples:
  pullback train                               the built-in handwritten digits
  pullback train iris.csv --target species     a table
  pullback train fashion-mnist/ --hidden 128   a folder of IDX images
  pullback look iris.csv                       what is in a table
  pullback evaluate model.safetensors iris.csv --held-out
  pullback predict model.safetensors new.csv --out predictions.csv";

/// Trains neural networks by back propagation, and shows how it did it.
#[derive(Debug, clap::Parser)]
#[command(name = "pullback", version, max_term_width = 80, arg_required_else_help = true)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// The most memory to use, such as 500MB or 1GiB; a larger table is kept in a temporary file [default: what is
    /// free]
    #[arg(long, global = true, value_name = "SIZE")]
    memory: Option<Bytes>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Train a network on a table, on images, or on built-in data
    Train(Box<train::Train>),
    /// Train with many settings, and rank what comes of them
    Sweep(sweep::Sweep),
    /// Show what is in a table, and what `train` would do with it
    Look(look::Look),
    /// Measure a model on rows with known targets
    Evaluate(evaluate::Evaluate),
    /// Predict for raw rows
    Predict(predict::Predict),
    /// Show what a model is and how it was trained
    Inspect(inspect::Inspect),
    /// Show which columns a model relies on
    Importance(importance::Importance),
    /// Show one forward and backward pass with every number
    Explain(Box<explain::Explain>),
    /// Open a page in the browser in which the error is sent back, step by step
    Lab(Box<lab::Lab>),
    /// Check a model's gradients by differences and forward mode
    Check(check::Check),
    /// Write every derivative of the cost as tensors
    Gradients(gradients::Gradients),
    /// Count and measure four ways to one gradient
    Compare(compare::Compare),
    /// List the built-in data sets, or write one as CSV
    Datasets(datasets::Datasets),
}

impl Cli {
    pub(crate) fn run(&self) -> Result<()> {
        if let Some(limit) = self.memory {
            machine::limit_memory(limit);
        }
        match &self.command {
            Command::Train(command) => command.run(),
            Command::Sweep(command) => command.run(),
            Command::Look(command) => command.run(),
            Command::Evaluate(command) => command.run(),
            Command::Predict(command) => command.run(),
            Command::Inspect(command) => command.run(),
            Command::Importance(command) => command.run(),
            Command::Explain(command) => command.run(),
            Command::Lab(command) => command.run(),
            Command::Check(command) => command.run(),
            Command::Gradients(command) => command.run(),
            Command::Compare(command) => command.run(),
            Command::Datasets(command) => command.run(),
        }
    }
}
