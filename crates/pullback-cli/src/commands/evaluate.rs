//! `pullback evaluate`: how good a model is on rows with known targets.

use crate::failure::{Failure, Result};
use crate::machine::ISA_HELP;
use crate::source::{DataFlags, predict};
use crate::terminal::{entry, print, print_json, width};
use pullback::job::measure;
use pullback::model::Model;
use pullback::report::text;
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true, after_help = ISA_HELP)]
pub(crate) struct Evaluate {
    /// The model file
    model: PathBuf,
    #[command(flatten)]
    source: DataFlags,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// How many threads may work; the result does not depend on it [default: all]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

impl Evaluate {
    pub(super) fn run(&self) -> Result<()> {
        let model = Model::<f32>::load(&self.model)?;
        let trained = model.trained()?;
        let tested = self.source.chosen(&trained)?;
        self.source.warn_of_training(&trained, tested.is_trained_on);
        let target = trained.preprocessing.target();
        if let Some(name) = target.names().iter().find(|name| tested.table.get(name).is_none()) {
            return Err(Failure::new(
                format!("{} has no column \"{name}\" to compare predictions with", tested.table.source()),
                "give rows with their targets; `pullback predict` does without",
            ));
        }
        let prediction = predict(&model, &tested.table, self.threads)?;
        let report = measure(&model, &prediction, &tested.table)?;
        let report = if tested.is_trained_on { report.without_intervals() } else { report };
        if self.json {
            return print_json(&json!({
                "version": 1,
                "model": self.model.display().to_string(),
                "data": tested.table.source(),
                "rows": tested.table.rows(),
                "is_tested_on_training_rows": tested.is_trained_on,
                "report": report,
                "remarks": report.remarks(),
            }));
        }
        let mut out = String::new();
        entry(&mut out, "model", &self.model.display().to_string());
        entry(&mut out, "data", &tested.what);
        let where_from = if tested.is_trained_on { "training" } else { "test" };
        let _ = write!(out, "\n{where_from} {}", text::render(&report, width()));
        print(&out)
    }
}
