//! Accuracy: how many classes are right.

use super::scored::THREE_CLASSES;
use super::{For, IntervalBy, Item, Scored, weighted_mean};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "accuracy",
    title: "accuracy",
    doc: "share of rows whose class is predicted",
    higher_is_better: true,
    targets: For::Classes,
    interval: IntervalBy::Share,
    value,
    example: (THREE_CLASSES, 0.666_666_666_666_666_6),
};

fn value(scored: &Scored<'_>) -> Option<f64> {
    weighted_mean(
        scored,
        scored.decided_rows().map(|(predicted, class)| f64::from(u8::from(predicted == class))),
    )
}
