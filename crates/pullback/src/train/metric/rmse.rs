//! The root of the mean square of the errors.

use super::scored::NUMBERS;
use super::{For, IntervalBy, Item, Scored, mean, weighted_mean};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "rmse",
    title: "RMSE",
    doc: "root of the mean square of the errors, in the targets' units; their mean for several targets",
    higher_is_better: false,
    targets: For::Numbers,
    interval: IntervalBy::Resamples,
    value,
    example: (NUMBERS, 0.362_087_917_285_391_97),
};

fn value(scored: &Scored<'_>) -> Option<f64> {
    mean(scored.columns().map(|(predictions, targets)| {
        let squares = predictions.iter().zip(&targets).map(|(p, t)| (p - t) * (p - t));
        weighted_mean(scored, squares).unwrap_or(0.0).sqrt()
    }))
}
