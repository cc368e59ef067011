//! Arrays, a classifier, a file, and predictions from it: `cargo run --release -p pullback --example classifier`.
#![allow(missing_docs, unreachable_pub)]

use pullback::{Classifier, Model};

pub fn main() -> pullback::Result<()> {
    // 400 points of two coordinates: is a point within the circle of radius 0.7?
    let x: Vec<f32> = (0..800).map(|i| (i as f32 * [0.7549, 0.5698][i % 2]).fract() * 2.0 - 1.0).collect();
    let y: Vec<u32> = x.chunks(2).map(|p| u32::from(p[0].hypot(p[1]) < 0.7)).collect();

    let path = std::env::temp_dir().join("circle.safetensors");
    Classifier::new().hidden([32, 32]).seed(1).fit(&x, 2, &y)?.save(&path)?;

    let model = Model::load(&path)?;
    assert_eq!(model.predict_classes(&[0.0, 0.1, 0.9, -0.8])?, [1, 0]);
    assert!(model.predict_probabilities(&[0.0, 0.1])?[1] > 0.9);
    Ok(())
}
