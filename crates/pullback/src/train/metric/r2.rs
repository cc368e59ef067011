//! R2, the coefficient of determination.

use super::scored::NUMBERS;
use super::{For, IntervalBy, Item, Scored, mean, weighted_mean};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "r2",
    title: "R2",
    doc: "1 is perfect, 0 as good as the targets' mean; the mean for several targets",
    higher_is_better: true,
    targets: For::Numbers,
    interval: IntervalBy::Resamples,
    value,
    example: (NUMBERS, 0.696_526_290_744_706_1),
};

/// One minus the squared errors' share of the squared differences from the mean. For a target that is constant: 1 if
/// every prediction is exact, else 0.
fn value(scored: &Scored<'_>) -> Option<f64> {
    mean(scored.columns().map(|(predictions, targets)| {
        let sum = |numbers: &mut dyn Iterator<Item = f64>| -> f64 {
            numbers.enumerate().map(|(row, number)| scored.weight(row) * number).sum()
        };
        let squares = sum(&mut predictions.iter().zip(&targets).map(|(p, t)| (p - t) * (p - t)));
        let mean = weighted_mean(scored, targets.iter().copied()).unwrap_or(0.0);
        let spread = sum(&mut targets.iter().map(|target| (target - mean) * (target - mean)));
        match (spread > 0.0, squares == 0.0) {
            (true, _) => 1.0 - squares / spread,
            (false, true) => 1.0,
            (false, false) => 0.0,
        }
    }))
}
