//! `pullback predict`: what a model says of raw rows, as CSV.

use crate::failure::{Failure, Result};
use crate::files::Files;
use crate::machine::ISA_HELP;
use crate::source::{load_for, predict};
use crate::terminal::say;
use pullback::model::{Model, Prediction};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true, after_help = ISA_HELP)]
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
        let files = Files::reading([&*self.model, Path::new(&self.data)]);
        let out = files.output(self.out.as_deref(), "--out")?;
        let model = Model::<f32>::load(&self.model)?;
        let table = load_for(&model.card, &self.data)?;
        let prediction = predict(&model, &table, self.threads)?;
        let csv = self.csv(&model, &prediction)?;
        out.write(&csv)?;
        if let Some(path) = out.path() {
            say(format_args!("{} predictions in {}", table.rows(), path.display()));
        }
        Ok(())
    }

    fn csv(&self, model: &Model<f32>, prediction: &Prediction) -> Result<Vec<u8>> {
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
        writer
            .into_inner()
            .map_err(|error| Failure::new(format!("the predictions make no CSV: {error}"), "report this"))
    }
}

/// A predicted number, to the digits that it was computed with.
fn shown(number: &f64) -> String {
    let number = *number as f32;
    let (plain, exponential) = (number.to_string(), format!("{number:e}"));
    if plain.len() <= exponential.len() + 4 { plain } else { exponential }
}
