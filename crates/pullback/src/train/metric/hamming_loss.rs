//! Hamming loss: how many labels are wrong.

use super::scored::THREE_LABELS;
use super::{For, IntervalBy, Item, Scored, weighted_mean};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "hamming_loss",
    title: "Hamming loss",
    doc: "share of the labels of all rows that are predicted wrong: one minus their accuracy",
    higher_is_better: false,
    targets: For::Labels,
    interval: IntervalBy::Resamples,
    value,
    example: (THREE_LABELS, 0.333_333_333_333_333_3),
};

fn value(scored: &Scored<'_>) -> Option<f64> {
    let wrong = scored.label_rows().map(|row| row.filter(|(predicted, yes)| predicted != yes).count());
    weighted_mean(scored, wrong.map(|wrong| wrong as f64 / scored.outputs as f64))
}
