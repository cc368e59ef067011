//! `pullback evaluate`: how good a model is on rows with known targets.

use super::source::load;
use super::train::measure;
use super::{print, print_json};
use crate::failure::Result;
use crate::settings::Settings;
use pullback::model::Model;
use pullback::report::text;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Evaluate {
    /// The model file
    model: PathBuf,
    /// A built-in data set, a CSV file, or a folder or file of IDX images; of a folder the test part.
    /// By default the data that the model was trained on
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
        let table = parts.test.unwrap_or(parts.train);
        let training = pullback::train::Training { threads: self.threads, ..model.card.training.clone() };
        let report = measure(&model, &table, training.thread_count())?;
        if self.json {
            return print_json(&json!({
                "version": 1,
                "model": self.model.display().to_string(),
                "data": table.source(),
                "rows": table.rows(),
                "report": report,
            }));
        }
        print(&format!("{}\n\n{}", table.source(), text::render(&report)))
    }
}

/// The settings that a model was trained with; those of a model from elsewhere say nothing.
pub(super) fn settings_of(model: &Model<f32>) -> Settings {
    serde_json::from_value(model.card.configuration.clone()).unwrap_or_default()
}
