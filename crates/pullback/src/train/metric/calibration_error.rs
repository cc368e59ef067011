//! The expected calibration error: whether predictions are right as often as they say.

use super::scored::THREE_CLASSES;
use super::{For, IntervalBy, Item, Scored};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "calibration_error",
    title: "calibration error",
    doc: "expected calibration error, in 15 bins: how far the probability of the predicted class is from the share of \
          right rows",
    higher_is_better: false,
    targets: For::Classes,
    // What chance alone makes of it grows with each draw: its interval would not hold it.
    interval: IntervalBy::None,
    value,
    example: (THREE_CLASSES, 0.283_333_333_333_333_3),
};

/// Between 0 and 1 there are so many bins of the same width, each with its upper end.
const BINS: usize = 15;

/// The differences between right rows and mean probability of each bin, weighted by its rows (Guo and others, 2017,
/// eq. 3).
fn value(scored: &Scored<'_>) -> Option<f64> {
    let mut bins = [0.0; BINS];
    let mut total = 0.0;
    for (at, ((row, _), (predicted, class))) in scored.class_rows().zip(scored.decided_rows()).enumerate() {
        let sure = match row {
            [second] if predicted == 0 => 1.0 - second,
            [second] => *second,
            all => all[predicted],
        };
        let bin = ((sure * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
        let right = if predicted == class { 1.0 } else { 0.0 };
        bins[bin] += scored.weight(at) * (right - sure);
        total += scored.weight(at);
    }
    (total > 0.0).then(|| bins.iter().map(|off| off.abs()).sum::<f64>() / total)
}
