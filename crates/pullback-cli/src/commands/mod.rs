//! The commands, one file each.

mod datasets;
mod evaluate;
mod inspect;
mod predict;
mod rows;
mod source;
mod train;

use crate::failure::{Failure, Result};
use serde::Serialize;
use std::io::Write;

/// Trains neural networks by back propagation, and shows how it did it.
#[derive(Debug, clap::Parser)]
#[command(name = "pullback", version, max_term_width = 80, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Train a network on a table, on images, or on built-in data
    Train(Box<train::Train>),
    /// Measure a model on rows with known targets
    Evaluate(evaluate::Evaluate),
    /// Predict for raw rows
    Predict(predict::Predict),
    /// Show what a model is and how it was trained
    Inspect(inspect::Inspect),
    /// List the built-in data sets, or write one as CSV
    Datasets(datasets::Datasets),
}

impl Cli {
    pub(crate) fn run(&self) -> Result<()> {
        match &self.command {
            Command::Train(command) => command.run(),
            Command::Evaluate(command) => command.run(),
            Command::Predict(command) => command.run(),
            Command::Inspect(command) => command.run(),
            Command::Datasets(command) => command.run(),
        }
    }
}

/// Prints to standard output.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// Prints a JSON document to standard output.
fn print_json(document: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(document).map_err(|error| {
        Failure::new(format!("the report cannot be written as JSON: {error}"), "report this")
    })?;
    print(&format!("{text}\n"))
}
