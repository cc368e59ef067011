//! The mean of the absolute errors.

use super::scored::NUMBERS;
use super::{For, IntervalBy, Item, Scored, mean, weighted_mean};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "mae",
    title: "MAE",
    doc: "mean of the absolute errors, in the targets' units; their mean for several targets",
    higher_is_better: false,
    targets: For::Numbers,
    interval: IntervalBy::Resamples,
    value,
    example: (NUMBERS, 0.287_5),
};

fn value(scored: &Scored<'_>) -> Option<f64> {
    mean(scored.columns().map(|(predictions, targets)| {
        let errors = predictions.iter().zip(&targets).map(|(p, t)| (p - t).abs());
        weighted_mean(scored, errors).unwrap_or(0.0)
    }))
}
