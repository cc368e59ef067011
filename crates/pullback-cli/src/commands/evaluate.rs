//! `pullback evaluate`: how good a model is on rows with known targets.

use super::rows::{TestRows, rows};
use super::source::load;
use super::train::measure;
use super::{print, print_json};
use crate::failure::{Failure, Result};
use crate::settings::Settings;
use pullback::model::{Fingerprint, Model};
use pullback::report::text;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Evaluate {
    /// The model file
    model: PathBuf,
    /// A built-in data set, a CSV file, or a folder or file of IDX images; of a folder the test part.
    /// By default the rows that were held out to test on when the model was trained
    data: Option<String>,
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
        let settings = settings_of(&model);
        let data = self.data.as_deref().unwrap_or(&model.card.data.source);
        let parts = load(data, settings.seed(), &settings.read_options()?)?;
        let is_own = Fingerprint::of(&parts.train, model.card.data.trained_rows) == model.card.data;
        let trained_rows = model.card.data.trained_rows;
        let (table, what) = match (&self.data, rows(&settings, &parts)) {
            (None, Ok(rows)) if is_own => match rows.test {
                TestRows::HeldOut(held_out) => {
                    (parts.train.select(&held_out)?, format!("the {} rows held out", held_out.len()))
                }
                TestRows::Apart(table) => (*table, "test rows".to_owned()),
                TestRows::Training => (parts.train, "the rows it was trained on".to_owned()),
            },
            (None, _) => {
                return Err(Failure::new(
                    format!(
                        "{data} is no longer what the model was trained on, so its test rows are unknown"
                    ),
                    format!("say what to measure it on: `pullback evaluate {} DATA`", self.model.display()),
                ));
            }
            (Some(_), _) => match parts.test {
                Some(test) => (test, "test rows".to_owned()),
                None if is_own => {
                    let all = parts.train.rows();
                    (parts.train, format!("all {all} rows, {trained_rows} of which it was trained on"))
                }
                None => (parts.train, "all rows".to_owned()),
            },
        };
        let training = pullback::train::Training { threads: self.threads, ..model.card.training.clone() };
        let report = measure(&model, &table, training.thread_count())?;
        if self.json {
            return print_json(&json!({
                "version": 1,
                "model": self.model.display().to_string(),
                "data": table.source(),
                "rows": table.rows(),
                "what": what,
                "report": report,
            }));
        }
        print(&format!("data {}: {what}\n\n{}", table.source(), text::render(&report)))
    }
}

/// The settings that a model was trained with; those of a model from elsewhere say nothing.
pub(super) fn settings_of(model: &Model<f32>) -> Settings {
    serde_json::from_value(model.card.configuration.clone()).unwrap_or_default()
}
