//! Subset accuracy: how many rows have all labels right.

use super::scored::THREE_LABELS;
use super::{For, IntervalBy, Item, Scored, weighted_mean};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "subset_accuracy",
    title: "subset accuracy",
    doc: "share of rows whose labels are all predicted right (exact match)",
    higher_is_better: true,
    targets: For::Labels,
    interval: IntervalBy::Share,
    value,
    example: (THREE_LABELS, 0.2),
};

fn value(scored: &Scored<'_>) -> Option<f64> {
    weighted_mean(
        scored,
        scored.label_rows().map(|mut row| f64::from(u8::from(row.all(|(predicted, yes)| predicted == yes)))),
    )
}
