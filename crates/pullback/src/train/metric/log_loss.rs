//! Log loss: how sure predictions are of what is true.

use super::scored::THREE_CLASSES;
use super::{For, IntervalBy, Item, Scored, weighted_mean};
use pullback_kernels::Real;

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "log_loss",
    title: "log loss",
    doc: "mean of -log(p), with p the probability that was predicted of a row's class",
    higher_is_better: false,
    targets: For::Classes,
    interval: IntervalBy::Resamples,
    value,
    example: (THREE_CLASSES, 0.766_200_336_056_485_7),
};

/// A probability of zero is taken for this.
const LEAST: f64 = 1e-15;

fn value(scored: &Scored<'_>) -> Option<f64> {
    weighted_mean(
        scored,
        scored.class_rows().map(|(row, class)| {
            let own = match row {
                [second] if class == 0 => 1.0 - second,
                [second] => *second,
                all => all[class],
            };
            -Real::ln(Real::max(own, LEAST))
        }),
    )
}
