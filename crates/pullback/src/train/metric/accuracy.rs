//! Accuracy: how many classes are right.

use super::scored::THREE_CLASSES;
use super::{For, Item, Scored, weighted_mean};
use crate::train::most_likely;

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "accuracy",
    doc: "share of rows whose class is predicted",
    higher_is_better: true,
    targets: For::Classes,
    value,
    example: (THREE_CLASSES, 0.666_666_666_666_666_6),
};

fn value(scored: &Scored<'_>) -> Option<f64> {
    weighted_mean(
        scored,
        scored.class_rows().map(|(row, class)| f64::from(u8::from(most_likely(row) == class))),
    )
}
