//! `pullback predict`: what a model says of raw rows, as CSV.

use crate::failure::{Failure, Result};
use crate::files::Files;
use crate::machine::ISA_HELP;
use crate::source::{load_as_in_training, predict};
use crate::terminal::say;
use pullback::data::{Column, Target, Values};
use pullback::model::{Model, Prediction};
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
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    keep: Vec<String>,
    /// How many threads may work; the result does not depend on it [default: all]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

impl Predict {
    pub(super) fn run(&self) -> Result<()> {
        let sources = self.data.iter().map(Path::new);
        let files = Files::reading(sources.chain([&*self.model]));
        let out = files.output(self.out.as_deref(), "--out")?;
        let model = Model::<f32>::load(&self.model)?;
        let mut writer = csv::Writer::from_writer(Vec::new());
        self.write_header(&mut writer, &model)?;
        let mut rows = 0;
        for data in &self.data {
            let (table, kept) = load_as_in_training(&model.trained()?, data, None, &self.keep)?;
            let prediction = predict(&model, &table, self.threads)?;
            self.write_rows(&mut writer, &model, &prediction, &kept)?;
            rows += table.rows();
        }
        out.write(&writer.into_inner().map_err(bug)?)?;
        if let Some(path) = out.path() {
            say(format_args!("{rows} predictions in {}", path.display()));
        }
        Ok(())
    }

    fn write_header(&self, writer: &mut Writer, model: &Model<f32>) -> Result<()> {
        let target = model.trained()?.preprocessing.target();
        let mut header = self.keep.clone();
        header.extend_from_slice(target.names());
        if let (Some(classes), true) = (target.target().classes(), self.probabilities) {
            header.extend(classes.iter().map(|class| format!("p({class})")));
        }
        writer.write_record(&header).map_err(bug)
    }

    fn write_rows(
        &self,
        writer: &mut Writer,
        model: &Model<f32>,
        prediction: &Prediction,
        kept: &[Column],
    ) -> Result<()> {
        let target = model.trained()?.preprocessing.target().target();
        let kept = kept.iter().map(Column::values).collect::<pullback::Result<Vec<_>>>()?;
        for (row, numbers) in prediction.numbers.chunks_exact(prediction.outputs).enumerate() {
            let mut record: Vec<String> = kept.iter().map(|values| cell(values, row)).collect();
            match (target, &prediction.classes) {
                (Target::Regression { scales }, _) => {
                    record.extend(
                        numbers.iter().zip(scales).map(|(&number, scale)| resolved(number, scale.spread)),
                    );
                }
                (target, predicted) => {
                    let class = target
                        .classes()
                        .zip(predicted.as_ref())
                        .map(|(names, predicted)| &names[predicted[row]]);
                    record.extend(class.cloned());
                    match numbers {
                        _ if !self.probabilities => {}
                        [second] => record.extend([shown(1.0 - second), shown(*second)]),
                        all => record.extend(all.iter().copied().map(shown)),
                    }
                }
            }
            writer.write_record(&record).map_err(bug)?;
        }
        Ok(())
    }
}

type Writer = csv::Writer<Vec<u8>>;

fn bug(error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("the predictions make no CSV: {error}"), "report this")
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

/// A probability, to the digits that it was computed with.
fn shown(number: f64) -> String {
    let number = number as f32;
    let (plain, exponential) = (number.to_string(), format!("{number:e}"));
    if plain.len() <= exponential.len() + 4 { plain } else { exponential }
}

/// A predicted number of a target with that spread: networks compute in f32, which has seven digits of the spread.
fn resolved(number: f64, spread: f64) -> String {
    const DIGITS: i32 = 7;
    const LONGEST: usize = 24;
    let decimals = DIGITS - 1 - spread.abs().log10().floor().clamp(-300.0, 300.0) as i32;
    let significant =
        (number.abs().log10().floor().clamp(-300.0, 300.0) as i32 + decimals).clamp(0, 16) as usize;
    let plain = format!("{number:.*}", decimals.clamp(0, 17) as usize);
    let plain = match plain.contains('.') {
        true => plain.trim_end_matches('0').trim_end_matches('.'),
        false => &plain,
    };
    let is_lost = number != 0.0 && plain.parse() == Ok(0.0) && number.abs() > spread * 1e-7;
    if plain.len() <= LONGEST && !is_lost { plain.to_owned() } else { format!("{number:.significant$e}") }
}
