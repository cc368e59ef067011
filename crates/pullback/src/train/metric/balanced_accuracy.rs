//! Balanced accuracy: rare classes count as much as frequent ones.

use super::scored::THREE_CLASSES;
use super::{For, IntervalBy, Item, Scored, mean};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "balanced_accuracy",
    title: "balanced accuracy",
    doc: "mean of the recalls of the classes that have rows",
    higher_is_better: true,
    targets: For::Classes,
    interval: IntervalBy::Resamples,
    value,
    example: (THREE_CLASSES, 0.666_666_666_666_666_6),
};

fn value(scored: &Scored<'_>) -> Option<f64> {
    mean(scored.counts().iter().filter(|class| class.rows > 0.0).map(|class| class.recall()))
}
