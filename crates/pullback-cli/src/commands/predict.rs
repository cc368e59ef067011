//! `pullback predict`: what a model says of raw rows, as CSV.

use super::evaluate::settings_of;
use super::print;
use super::source::load;
use crate::failure::{Failure, Result};
use pullback::model::{Model, Prediction, write_atomically};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Predict {
    /// The model file
    model: PathBuf,
    /// A built-in data set, a CSV file, or a folder or file of IDX images; targets are not needed
    data: String,
    /// Where the predictions go; by default to standard output
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Add the probability of each class
    #[arg(long)]
    probabilities: bool,
    /// How many threads may work; the result does not depend on it [default: all]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

impl Predict {
    pub(super) fn run(&self) -> Result<()> {
        let model = Model::<f32>::load(&self.model)?;
        let settings = settings_of(&model);
        let mut options = settings.read_options()?;
        // The rows to predict for need not have every column that was declared.
        options.types.clear();
        let parts = load(&self.data, settings.seed(), &options)?;
        let table = parts.test.unwrap_or(parts.train);
        let training = pullback::train::Training { threads: self.threads, ..model.card.training.clone() };
        let prediction = model.predict(&table, training.thread_count())?;
        for warning in &prediction.warnings {
            eprintln!("warning: {warning}");
        }
        let csv = self.csv(&model, &prediction)?;
        match &self.out {
            Some(path) if path != Path::new("-") => {
                write_atomically(path, csv.as_bytes()).map_err(|error| {
                    Failure::new(
                        format!("{} cannot be written: {error}", path.display()),
                        "check the path and the disk; nothing was written",
                    )
                })?;
                eprintln!("{} predictions in {}", table.rows(), path.display());
                Ok(())
            }
            _ => print(&csv),
        }
    }

    fn csv(&self, model: &Model<f32>, prediction: &Prediction) -> Result<String> {
        let target = &model.card.preprocessing.target;
        let mut writer = csv::Writer::from_writer(Vec::new());
        let bug =
            |error: csv::Error| Failure::new(format!("the predictions make no CSV: {error}"), "report this");
        let mut header = target.names.clone();
        let classes = target.target.classes();
        if let (Some(classes), true) = (classes, self.probabilities) {
            header.extend(classes.iter().map(|class| format!("p({class})")));
        }
        writer.write_record(&header).map_err(bug)?;
        for (row, numbers) in prediction.numbers.chunks_exact(prediction.outputs).enumerate() {
            let shown = |number: &f64| (*number as f32).to_string();
            let mut record: Vec<String> = match (classes, &prediction.classes) {
                (Some(names), Some(predicted)) => vec![names[predicted[row]].clone()],
                _ => numbers.iter().map(shown).collect(),
            };
            if classes.is_some() && self.probabilities {
                match numbers {
                    [second] => record.extend([shown(&(1.0 - second)), shown(second)]),
                    all => record.extend(all.iter().map(shown)),
                }
            }
            writer.write_record(&record).map_err(bug)?;
        }
        let bytes = writer
            .into_inner()
            .map_err(|error| Failure::new(format!("the predictions make no CSV: {error}"), "report this"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
