//! A metric of one's own, watched after each epoch: it says when to stop and which weights to keep:
//! `cargo run --release -p pullback --example own_metric`.
#![allow(missing_docs, unreachable_pub)]

use pullback::Classifier;
use pullback::train::{Epoch, Flow};

pub fn main() -> pullback::Result<()> {
    let x: Vec<f32> = (0..800).map(|i| (i as f32 * [0.7549, 0.5698][i % 2]).fract() * 2.0 - 1.0).collect();
    let y: Vec<u32> = x.chunks(2).map(|p| u32::from(p[0].hypot(p[1]) < 0.7)).collect();
    // The Brier score of the validation rows: the mean square of what a probability is off by.
    let (mut best, mut best_epoch) = (f64::INFINITY, 0);
    let mut watch = |epoch: &mut Epoch<'_>| {
        let (p, classes) = (epoch.predictions(), epoch.targets());
        let brier = p.iter().zip(&classes).map(|(p, y)| (p - y) * (p - y)).sum::<f64>() / p.len() as f64;
        if brier < best {
            (best, best_epoch) = (brier, epoch.report.epoch);
            epoch.keep();
        }
        if epoch.report.epoch > best_epoch + 10 { Flow::Stop } else { Flow::Continue }
    };
    let model = Classifier::new().validation(0.2).early_stopping(0).fit_watched(&x, 2, &y, &mut watch)?;
    assert_eq!(model.trained()?.history.kept_epoch, Some(best_epoch)); // its weights are the model's
    Ok(())
}
