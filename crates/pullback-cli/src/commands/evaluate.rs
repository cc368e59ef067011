//! `pullback evaluate`: how good a model is on rows with known targets.

use super::predict::predict;
use super::rows::Rows;
use super::source::{load, load_for, settings_of};
use super::{ISA_HELP, print, print_json};
use crate::failure::{Failure, Result};
use crate::terminal::{entry, say};
use pullback::data::Table;
use pullback::model::{Fingerprint, Model, Prediction};
use pullback::report::{Report, text};
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true, after_help = ISA_HELP)]
pub(crate) struct Evaluate {
    /// The model file
    model: PathBuf,
    /// A built-in data set, a CSV file, or a folder or file of IDX images; of a folder the test part.
    /// By default the rows that were held out from training
    data: Option<String>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// How many threads may work; the result does not depend on it [default: all]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

/// Rows to evaluate on.
struct Tested {
    table: Table,
    what: String,
    /// Whether the model was trained on all of them.
    is_trained_on: bool,
}

impl Evaluate {
    pub(super) fn run(&self) -> Result<()> {
        let model = Model::<f32>::load(&self.model)?;
        let tested = match &self.data {
            Some(data) => given(&model, data)?,
            None => held_out(&model)?,
        };
        let target = &model.card.preprocessing.target;
        if let Some(name) = target.names.iter().find(|name| tested.table.get(name).is_none()) {
            return Err(Failure::new(
                format!("{} has no column \"{name}\" to compare predictions with", tested.table.source()),
                "give rows with their targets; `pullback predict` does without",
            ));
        }
        let prediction = predict(&model, &tested.table, self.threads)?;
        let report = compare(&model, &prediction, &tested.table)?;
        if self.json {
            return print_json(&json!({
                "version": 1,
                "model": self.model.display().to_string(),
                "data": tested.table.source(),
                "rows": tested.table.rows(),
                "is_tested_on_training_rows": tested.is_trained_on,
                "report": report,
            }));
        }
        let mut out = String::new();
        entry(&mut out, "model", &self.model.display().to_string());
        entry(&mut out, "data", &tested.what);
        let where_from = if tested.is_trained_on { "training" } else { "test" };
        let _ = write!(out, "\n{where_from} {}", text::render(&report));
        print(&out)
    }
}

fn given(model: &Model<f32>, data: &str) -> Result<Tested> {
    let table = load_for(model, data)?;
    let trained = &model.card.data;
    if Fingerprint::of(&table, trained.trained_rows).hash == trained.hash {
        say(format_args!(
            "warning: {} of these {} rows were trained on; without DATA the others are taken",
            trained.trained_rows, trained.rows
        ));
    }
    let what = format!("{}: {} rows", table.source(), table.rows());
    Ok(Tested { table, what, is_trained_on: false })
}

/// The rows that were held out when the model was trained, chosen again the same way.
fn held_out(model: &Model<f32>) -> Result<Tested> {
    let settings = settings_of(model);
    let trained = &model.card.data;
    let data = settings.data.as_deref().unwrap_or(&trained.source);
    let elsewhere =
        |failure: Failure| failure.with_help("give the rows to evaluate on: a file, or a built-in set");
    let parts = load(data, settings.seed(), &settings.read_options()?).map_err(elsewhere)?;
    let rows = Rows::choose(&settings, &parts).map_err(elsewhere)?;
    if Fingerprint::of(&parts.train, rows.training.len()) != *trained {
        return Err(Failure::new(
            format!("{data} has changed since the model was trained on it"),
            "give the rows to evaluate on: a file, or a built-in set",
        ));
    }
    let table = rows.tested(&parts.train)?.into_owned();
    let is_trained_on = rows.is_tested_on_training_rows();
    let how = if is_trained_on { "the same as in training" } else { "held out from training" };
    let what = format!("{}: {} rows, {how}", table.source(), table.rows());
    Ok(Tested { table, what, is_trained_on })
}

/// The rows of `data`, or without it those held out from training; and what they are.
pub(super) fn chosen(model: &Model<f32>, data: Option<&str>) -> Result<(Table, String)> {
    let Tested { table, what, .. } = match data {
        Some(data) => {
            let table = load_for(model, data)?;
            let what = format!("{}: {} rows", table.source(), table.rows());
            Tested { table, what, is_trained_on: false }
        }
        None => held_out(model)?,
    };
    Ok((table, what))
}

/// How good predictions for the rows of a table are.
pub(super) fn compare(model: &Model<f32>, prediction: &Prediction, table: &Table) -> Result<Report> {
    let target = &model.card.preprocessing.target;
    Ok(Report::new(prediction, &target.apply::<f32>(table)?, &target.target, &target.names))
}
