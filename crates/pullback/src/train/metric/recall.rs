//! Recall: how much of a class is found.

use super::scored::THREE_CLASSES;
use super::{For, IntervalBy, Item, Scored, mean};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "macro_recall",
    title: "macro recall",
    doc: "mean of the classes' shares of rows that are found",
    higher_is_better: true,
    targets: For::ClassesOrLabels,
    interval: IntervalBy::Resamples,
    value,
    example: (THREE_CLASSES, 0.666_666_666_666_666_6),
};

fn value(scored: &Scored<'_>) -> Option<f64> {
    mean(scored.counts_of_present().map(|class| class.recall()))
}
