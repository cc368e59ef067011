//! R2, the coefficient of determination.

use super::scored::NUMBERS;
use super::{For, Item, Scored, mean};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "r2",
    doc: "1 is perfect, 0 as good as the targets' mean; the mean for several targets",
    higher_is_better: true,
    targets: For::Numbers,
    value,
    example: (NUMBERS, 0.696_526_290_744_706_1),
};

/// One minus the squared errors' share of the squared differences from the mean. For a target that is constant: 1 if
/// every prediction is exact, else 0.
fn value(scored: &Scored<'_>) -> Option<f64> {
    mean(scored.columns().map(|(predictions, targets)| {
        let squares: f64 = predictions.iter().zip(&targets).map(|(p, t)| (p - t) * (p - t)).sum();
        let mean = targets.iter().sum::<f64>() / targets.len() as f64;
        let spread: f64 = targets.iter().map(|target| (target - mean) * (target - mean)).sum();
        match (spread > 0.0, squares == 0.0) {
            (true, _) => 1.0 - squares / spread,
            (false, true) => 1.0,
            (false, false) => 0.0,
        }
    }))
}
