//! F1 of all labels together: each label of each row counts alike.

use super::scored::{ClassCounts, THREE_LABELS};
use super::{For, IntervalBy, Item, Scored};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "micro_f1",
    title: "micro F1",
    doc: "harmonic mean of precision and recall of all labels together",
    higher_is_better: true,
    targets: For::Labels,
    interval: IntervalBy::Resamples,
    value,
    example: (THREE_LABELS, 0.666_666_666_666_666_6),
};

fn value(scored: &Scored<'_>) -> Option<f64> {
    let all = scored.counts().into_iter().fold(ClassCounts::default(), |all, label| ClassCounts {
        right: all.right + label.right,
        rows: all.rows + label.rows,
        predicted: all.predicted + label.predicted,
    });
    Some(all.f1())
}
