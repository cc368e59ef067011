//! `pullback evaluate`: how good a model is on rows with known targets.

use crate::failure::{Failure, Result};
use crate::language;
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
    /// The language of the report: en, ko [default: by the locale]
    #[arg(long)]
    lang: Option<String>,
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
        let catalog = language::catalog(self.lang.as_deref(), None)?;
        let tested = self.source.chosen(&trained, &catalog)?;
        self.source.warn_of_training(&trained, tested.is_trained_on, &catalog);
        let target = trained.preprocessing.target();
        if let Some(name) = target.names().iter().find(|name| tested.table.get(name).is_none()) {
            return Err(Failure::new(
                format!("{} has no column \"{name}\" to compare predictions with", tested.table.source()),
                "give rows with their targets; `pullback predict` does without",
            ));
        }
        let prediction = predict(&model, &tested.table, self.threads, &catalog)?;
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
        entry(&mut out, catalog.get("report.entry.model"), &self.model.display().to_string());
        entry(&mut out, catalog.get("report.entry.data"), &tested.what);
        let key = if tested.is_trained_on { "report.on_training" } else { "report.on_test" };
        let report = text::render(&report, width(), &catalog);
        let _ = write!(out, "\n{}", catalog.say(key, &[("report", &report)]));
        print(&out)
    }
}
