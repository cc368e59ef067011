//! F1: precision and recall in one figure.

use super::scored::THREE_CLASSES;
use super::{For, IntervalBy, Item, Scored, mean};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "macro_f1",
    title: "macro F1",
    doc: "mean of the classes' harmonic means of precision and recall",
    higher_is_better: true,
    targets: For::ClassesOrLabels,
    interval: IntervalBy::Resamples,
    value,
    example: (THREE_CLASSES, 0.655_555_555_555_555_6),
};

fn value(scored: &Scored<'_>) -> Option<f64> {
    mean(scored.counts_of_present().map(|class| class.f1()))
}
