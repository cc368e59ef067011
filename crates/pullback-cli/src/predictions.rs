//! Predictions as CSV, as `predict` and cross-validation write them.

use crate::failure::{Failure, Result};
use pullback::data::{Preprocessing, Target};
use pullback::model::Prediction;
use pullback::train::most_likely;

/// A CSV file of predictions in the making: some cells of each row, then what is predicted.
pub(crate) struct Predictions {
    writer: csv::Writer<Vec<u8>>,
    has_probabilities: bool,
}

impl Predictions {
    /// With these columns before those of the predictions; of classes and labels with the probability of each, if
    /// wanted.
    pub(crate) fn new(
        before: &[String],
        preprocessing: &Preprocessing,
        has_probabilities: bool,
    ) -> Result<Self> {
        let target = preprocessing.target();
        let mut header = before.to_vec();
        header.extend_from_slice(target.names());
        if let (Some(classes), true) = (target.target().classes(), has_probabilities) {
            header.extend(classes.iter().map(|class| format!("p({})", preprocessing.spelled(class))));
        }
        if let (Target::Labels { .. }, true) = (target.target(), has_probabilities) {
            header.extend(target.names().iter().map(|label| format!("p({label})")));
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&header).map_err(bug)?;
        Ok(Self { writer, has_probabilities })
    }

    /// Adds all rows of a prediction; `before` gives the cells before each.
    pub(crate) fn add(
        &mut self,
        preprocessing: &Preprocessing,
        prediction: &Prediction,
        before: impl Fn(usize) -> Vec<String>,
    ) -> Result<()> {
        let target = preprocessing.target().target();
        for (row, numbers) in prediction.numbers.chunks_exact(prediction.outputs).enumerate() {
            let mut record = before(row);
            match (target, &prediction.classes) {
                (Target::Regression { scales }, _) => {
                    record.extend(
                        numbers.iter().zip(scales).map(|(&number, scale)| resolved(number, scale.spread)),
                    );
                }
                (Target::Labels { words }, _) => {
                    let word = |(&p, words): (&f64, &[String; 2])| words[most_likely(&[p])].clone();
                    record.extend(numbers.iter().zip(words).map(word));
                    if self.has_probabilities {
                        record.extend(numbers.iter().copied().map(shown));
                    }
                }
                (target, predicted) => {
                    let class = target
                        .classes()
                        .zip(predicted.as_ref())
                        .map(|(names, predicted)| &names[predicted[row]]);
                    record.extend(class.map(|class| preprocessing.spelled(class).to_owned()));
                    match numbers {
                        _ if !self.has_probabilities => {}
                        [second] => record.extend([shown(1.0 - second), shown(*second)]),
                        all => record.extend(all.iter().copied().map(shown)),
                    }
                }
            }
            self.writer.write_record(&record).map_err(bug)?;
        }
        Ok(())
    }

    /// The file.
    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        self.writer.into_inner().map_err(bug)
    }
}

fn bug(error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("the predictions make no CSV: {error}"), "report this")
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
