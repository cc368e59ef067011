//! `pullback check`: are a model's gradients right? By differences and forward mode, layer by layer.

use crate::failure::{Failure, Result};
use crate::machine::free_memory;
use crate::progress::Counting;
use crate::source::{Chosen, DataFlags, load_network};
use crate::terminal::{entry, print, print_json, shortened, width, wrapped};
use pullback::explain::{CheckOptions, ParameterCheck, check_size, check_watched, trace_rows};
use pullback::job::memory;
use pullback::network::Mode;
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// The model file
    model: PathBuf,
    #[command(flatten)]
    source: DataFlags,
    /// Which network of an ensemble, counted from 1
    #[arg(long, value_name = "NUMBER")]
    member: Option<usize>,
    /// As in training: batch norm with the statistics of the batch, and the dropout masks of the first step
    #[arg(long)]
    training: bool,
    /// How many rows make the batch, the first ones [default: 32, fewer where they would take long]
    #[arg(long)]
    rows: Option<usize>,
    /// At most so many numbers of each weight or bias array are checked [default: 100, fewer where they would take long]
    #[arg(long, value_name = "COUNT")]
    samples: Option<usize>,
    /// The largest relative error against differences that passes
    #[arg(long, value_name = "ERROR", default_value_t = 1e-6)]
    tolerance: f64,
    /// From which the sample is drawn
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Finer than that no difference in `f64` can be.
const FINEST: f64 = 1e-12;

impl Check {
    pub(super) fn run(&self) -> Result<()> {
        if self.rows == Some(0) || self.samples == Some(0) {
            return Err(Failure::usage("nothing would be checked", "give at least 1 row and 1 sample"));
        }
        if !(FINEST..1.0).contains(&self.tolerance) {
            return Err(Failure::usage(
                format!("no gradient can be compared within {:e}", self.tolerance),
                format!(
                    "give a tolerance from {FINEST:e}, which is as fine as differences in f64 can be, to below 1"
                ),
            ));
        }
        let model = load_network(&self.model, self.member)?;
        let Chosen { table, what, .. } = self.source.chosen(&model.trained()?)?;
        let size = check_size(model.network())?;
        let (rows, samples) = (self.rows.unwrap_or(size.0).min(table.rows()), self.samples.unwrap_or(size.1));
        let mode = if self.training { Mode::Training } else { Mode::Evaluation };
        memory::check(model.network(), rows, memory::Work::Trace, free_memory())?;
        let trace = trace_rows(&model, &table, 0..rows, mode)?;
        let gradients: Vec<Vec<f64>> =
            (0..trace.parameters().len()).map(|place| trace.gradient(place).to_vec()).collect();
        let options =
            CheckOptions { samples, differences: self.tolerance, seed: self.seed, ..CheckOptions::default() };
        let mut counting = Counting::new("numbers are checked", self.json);
        let checks = check_watched(&trace, &gradients, &options, &mut |done, all| counting.at(done, all))?;
        let wrong: Vec<&ParameterCheck> = checks.iter().filter(|found| !found.passes).collect();
        if self.json {
            print_json(&json!({
                "version": 1,
                "model": self.model.display().to_string(),
                "data": table.source(),
                "rows": rows,
                "training": self.training,
                "tolerance": self.tolerance,
                "passes": wrong.is_empty(),
                "parameters": checks,
            }))?;
        } else {
            let mut out = String::new();
            // The columns of numbers take the rest, with room for a place.
            let name = width().saturating_sub(56).clamp(8, 20);
            let how = if self.training { ", as in training" } else { "" };
            entry(&mut out, "model", &self.model.display().to_string());
            entry(&mut out, "data", &format!("{what}; a batch of the first {rows}{how}"));
            let _ = writeln!(
                out,
                "\n{:name$} {:>11} {:>11} {:>8} {:>6} {:>5}  worst",
                "gradient of", "checked", "differences", "forward", "hidden", "kinks"
            );
            for found in &checks {
                let place = found.worst.strip_prefix(&found.name).unwrap_or(&found.worst);
                let _ = writeln!(
                    out,
                    "{:name$} {:>11} {:>11.1e} {:>8.1e} {:>6} {:>5}  {place}",
                    shortened(&found.name, name),
                    format!("{}/{}", found.checked, found.all),
                    found.differences,
                    found.forward,
                    found.hidden,
                    found.kinks
                );
            }
            let _ = writeln!(
                out,
                "\n{}",
                wrapped(
                    "differences, forward: largest relative error of back propagation against central differences and \
                     against forward mode; all in f64",
                    0
                )
            );
            let sum = |count: fn(&ParameterCheck) -> usize| checks.iter().map(count).sum::<usize>();
            if sum(|found| found.hidden) > 0 {
                let why = "hidden: so small that rounding of the cost hides digits from differences; forward mode shows \
                           them all";
                let _ = writeln!(out, "{}", wrapped(why, 0));
            }
            if sum(|found| found.kinks) > 0 {
                let why = "kinks: at a kink of the cost, which has no derivative there; forward mode alone is compared";
                let _ = writeln!(out, "{}", wrapped(why, 0));
            }
            if wrong.is_empty() {
                let _ = writeln!(out, "the gradients are right, within {:e} or rounding", self.tolerance);
            }
            print(&out)?;
        }
        match wrong.first() {
            None => Ok(()),
            Some(found) => Err(Failure::new(
                format!("the gradient of {} is wrong, or the tolerance too small", found.worst),
                format!(
                    "its error is {:.1e} against differences, {:.1e} against forward mode",
                    found.differences, found.forward
                ),
            )),
        }
    }
}
