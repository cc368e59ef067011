//! Precision: how often a predicted class is right.

use super::scored::THREE_CLASSES;
use super::{For, IntervalBy, Item, Scored, mean};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "macro_precision",
    title: "macro precision",
    doc: "mean of the classes' shares of right rows among those predicted",
    higher_is_better: true,
    targets: For::ClassesOrLabels,
    interval: IntervalBy::Resamples,
    value,
    example: (THREE_CLASSES, 0.722_222_222_222_222_2),
};

fn value(scored: &Scored<'_>) -> Option<f64> {
    mean(scored.counts_of_present().map(|class| class.precision()))
}
