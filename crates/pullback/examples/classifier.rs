//! Arrays, a classifier, a file, and predictions from it: `cargo run --release -p pullback --example classifier`.
#![allow(missing_docs, unreachable_pub)]

use pullback::{Classifier, Model};

pub fn main() -> pullback::Result<()> {
    // 400 points of two coordinates: is a point within the circle of radius 0.7?
    let spread = |i: u32, step: f32| (i as f32 * step).fract() * 2.0 - 1.0;
    let x: Vec<f32> = (0..400).flat_map(|i| [spread(i, 0.7549), spread(i, 0.5698)]).collect();
    let y: Vec<u32> = x.chunks(2).map(|p| u32::from(p[0].hypot(p[1]) < 0.7)).collect();

    let model = Classifier::new().hidden([32, 32]).seed(1).fit(&x, 2, &y)?;
    let path = std::env::temp_dir().join(format!("circle-{}.safetensors", std::process::id()));
    model.save(&path)?;

    let again = Model::load(&path)?;
    let predicted = again.predict_classes(&x)?;
    let right = predicted.iter().zip(&y).filter(|(predicted, class)| predicted == class).count();
    assert!(right > 380);
    assert!(again.predict_probabilities(&[0.0, 0.1])?[1] > 0.9);
    std::fs::remove_file(&path).map_err(|error| pullback::Error::io(&path, error))
}
