//! A metric of one's own, watched after each epoch: it says when to stop and which weights to keep:
//! `cargo run --release -p pullback --example own_metric`.
#![allow(missing_docs, unreachable_pub)]

use pullback::Classifier;
use pullback::train::{Epoch, Flow, Observer};

/// The fraction of the validation rows for which the network is sure.
struct Sureness {
    best: f64,
    epoch: usize,
}

impl Observer for Sureness {
    fn epoch(&mut self, epoch: &mut Epoch<'_>) -> Flow {
        let predictions = epoch.predictions();
        let sure = predictions.iter().filter(|p| (**p - 0.5).abs() > 0.4).count();
        let sureness = sure as f64 / predictions.len() as f64;
        if sureness > self.best {
            (self.best, self.epoch) = (sureness, epoch.report.epoch);
            epoch.keep();
        }
        if epoch.report.epoch > self.epoch + 10 { Flow::Stop } else { Flow::Continue }
    }
}

pub fn main() -> pullback::Result<()> {
    let x: Vec<f32> = (0..800).map(|i| (i as f32 * 0.618).fract() * 2.0 - 1.0).collect();
    let y: Vec<u32> = x.chunks(2).map(|p| u32::from(p[0].hypot(p[1]) < 0.7)).collect();
    let mut sureness = Sureness { best: 0.0, epoch: 0 };
    let classifier = Classifier::new().hidden([32]).validation(0.2).early_stopping(0);
    let model = classifier.fit_watched(&x, 2, &y, &mut sureness)?;
    assert_eq!(model.trained()?.history.kept_epoch, Some(sureness.epoch)); // its weights are the model's
    Ok(())
}
