//! The commands, one file each.

mod check;
mod compare;
mod datasets;
mod evaluate;
mod explain;
mod gradients;
mod inspect;
mod predict;
mod rows;
mod source;
mod train;

use crate::choices::checked_threads;
use crate::failure::{Failure, Result};
use pullback::execute::{Isa, Machine};
use pullback::model::write_atomically;
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;

/// Which instruction set computes, instead of the best one; it changes no bit of the result.
const ISA: &str = "PULLBACK_ISA";

const ISA_HELP: &str = "\
PULLBACK_ISA=portable in the environment computes without vector instructions, avx2, avx512, avx512_bf16, amx or neon \
with those; the result is the same, bit for bit, unless --precision is not f32. PULLBACK_ISA=amx_emulated makes the \
model of a processor with AMX, slowly.";

const EXAMPLES: &str = "\
Examples:
  pullback train                               the built-in handwritten digits
  pullback train iris.csv --target species     a table
  pullback train fashion-mnist/ --hidden 128   a folder of IDX images
  pullback evaluate model.safetensors          on the rows held out
  pullback predict model.safetensors new.csv --out predictions.csv";

/// Trains neural networks by back propagation, and shows how it did it.
#[derive(Debug, clap::Parser)]
#[command(name = "pullback", version, max_term_width = 80, arg_required_else_help = true)]
#[command(after_help = EXAMPLES)]
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
    /// Show one forward and backward pass with every number
    Explain(Box<explain::Explain>),
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
        match &self.command {
            Command::Train(command) => command.run(),
            Command::Evaluate(command) => command.run(),
            Command::Predict(command) => command.run(),
            Command::Inspect(command) => command.run(),
            Command::Explain(command) => command.run(),
            Command::Check(command) => command.run(),
            Command::Gradients(command) => command.run(),
            Command::Compare(command) => command.run(),
            Command::Datasets(command) => command.run(),
        }
    }
}

/// What commands compute on.
fn machine(threads: usize) -> Result<Machine> {
    Ok(Machine { isa: instruction_set()?, ..Machine::with_threads(checked_threads(threads)?) })
}

/// The instruction set that the environment asks for, or the best one.
fn instruction_set() -> Result<Isa> {
    let name = std::env::var_os(ISA).unwrap_or_default();
    if name.is_empty() {
        return Ok(Isa::best());
    }
    let name = name.to_string_lossy();
    Isa::from_name(&name).ok_or_else(|| {
        let available: Vec<&str> = Isa::available().map(Isa::name).collect();
        Failure::usage(
            format!("{ISA} is `{name}`, an instruction set that this processor does not have"),
            format!("available are {}", available.join(", ")),
        )
    })
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

/// Writes a file whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomically(path, bytes).map_err(|error| Failure::unwritable(path, &error))
}

/// Refuses a place where a file could not be written after all the work, or where it would replace what
/// it is made from.
fn check_writable(path: &Path, made_from: &[&Path]) -> Result<()> {
    let is_source =
        |place: &Path| made_from.iter().any(|source| source.canonicalize().is_ok_and(|it| it == place));
    if path.is_file() && path.canonicalize().is_ok_and(|place| is_source(&place)) {
        return Err(Failure::usage(
            format!("{} would be replaced by what is made from it", path.display()),
            "give another file with `--out`",
        ));
    }
    let found = std::fs::metadata(path);
    if found.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
        return Err(Failure::unwritable(path, &io::ErrorKind::IsADirectory.into()));
    }
    if found.is_ok_and(|found| !found.is_file()) {
        return Ok(()); // A pipe or a device tells only when it is written to.
    }
    // Whether a folder takes files is seen by giving it one.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let trial = path.with_file_name(format!(".{name}.{}.trial", std::process::id()));
    let tried = std::fs::File::create_new(&trial).and_then(|_| std::fs::remove_file(&trial));
    tried.map_err(|error| Failure::unwritable(path, &error))
}
