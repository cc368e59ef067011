//! The Brier score: how far probabilities are from what is true.

use super::scored::THREE_CLASSES;
use super::{For, IntervalBy, Item, Scored, weighted_mean};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "brier",
    title: "Brier score",
    doc: "mean square of what probabilities are off by (Brier, 1950): of the second of two classes, else summed over \
          the classes",
    higher_is_better: false,
    targets: For::Classes,
    interval: IntervalBy::Resamples,
    value,
    example: (THREE_CLASSES, 0.466_666_666_666_666_6),
};

fn value(scored: &Scored<'_>) -> Option<f64> {
    let score = |(row, class): (&[f64], usize)| -> f64 {
        let off = |at: usize, p: f64| if at == class { (p - 1.0) * (p - 1.0) } else { p * p };
        match row {
            [second] => off(1, *second),
            // Of two classes both are off by the same.
            [_, second] => off(1, *second),
            all => all.iter().enumerate().map(|(at, &p)| off(at, p)).sum(),
        }
    };
    weighted_mean(scored, scored.class_rows().map(score))
}
