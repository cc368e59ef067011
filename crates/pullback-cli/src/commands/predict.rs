//! `pullback predict`: what a model says of raw rows, as CSV.

use crate::failure::Result;
use crate::files::Files;
use crate::machine::ISA_HELP;
use crate::predictions::Predictions;
use crate::source::{load_as_in_training, predict};
use crate::terminal::say;
use pullback::data::{Column, Values};
use pullback::explain::Catalog;
use pullback::job::Names;
use pullback::model::Model;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true, after_help = ISA_HELP)]
pub(crate) struct Predict {
    /// The model file
    model: PathBuf,
    /// Built-in data sets, tables, images or folders of them, or `-` for standard input; targets are not needed
    #[arg(required = true)]
    data: Vec<String>,
    /// Where the predictions go; by default to standard output
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Add the probability of each class
    #[arg(long)]
    probabilities: bool,
    /// Columns to write before the predictions, as they are in the data
    #[arg(long, value_name = "COLUMN")]
    keep: Vec<String>,
    /// How many threads may work; the result does not depend on it [default: all]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

impl Predict {
    pub(super) fn run(&self) -> Result<()> {
        let sources = self.data.iter().map(Path::new);
        let mut files = Files::reading(sources.chain([&*self.model]));
        let out = files.output(self.out.as_deref(), "--out")?;
        let model = Model::<f32>::load(&self.model)?;
        let preprocessing = model.trained()?.preprocessing;
        let keep = Names(self.keep.iter().flat_map(|text| Names::split(text).0).collect());
        let mut predictions = None;
        let mut rows = 0;
        for data in &self.data {
            let (table, kept) =
                load_as_in_training(&model.trained()?, data, None, Some(&keep), &Catalog::english())?;
            let names: Vec<String> = kept.iter().map(|column| column.name.clone()).collect();
            let predictions = match &mut predictions {
                Some(predictions) => predictions,
                none => none.insert(Predictions::new(&names, preprocessing, self.probabilities)?),
            };
            let prediction = predict(&model, &table, self.threads, &Catalog::english())?;
            let kept = kept.iter().map(Column::values).collect::<pullback::Result<Vec<_>>>()?;
            predictions.add(preprocessing, &prediction, |row| {
                kept.iter().map(|values| cell(values, row)).collect()
            })?;
            rows += table.rows();
        }
        if let Some(predictions) = predictions {
            out.write(&predictions.finish()?)?;
        }
        if let Some(path) = out.path() {
            say(format_args!("{rows} predictions in {}", path.display()));
        }
        Ok(())
    }
}

/// A cell of the data, as it was written.
fn cell(values: &Values, row: usize) -> String {
    match values {
        Values::Numbers(numbers) if numbers[row].is_nan() => String::new(),
        Values::Numbers(numbers) => numbers[row].to_string(),
        Values::Categories(texts) => texts.text(row).unwrap_or_default().to_owned(),
        Values::Bytes(_) | Values::Times(_) => String::new(),
    }
}
