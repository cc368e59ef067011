//! D2: R2 for scores other than squares (Hastie, Tibshirani and Wainwright, 2015, eq. 3.11).

use super::own::{best_constant, score};
use super::scored::AMOUNTS;
use super::{For, IntervalBy, Item, Scored, mean, weighted_mean};
use crate::network::Cost;

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "d2",
    title: "D2",
    doc: "share of the deviance, pinball loss or absolute error of the best constant that is explained: 1 is perfect",
    higher_is_better: true,
    targets: For::OwnScores,
    interval: IntervalBy::Resamples,
    value,
    example: (Scored { trained_by: Some(Cost::Tweedie(1.5)), ..AMOUNTS }, 0.810_234_766_829_768_2),
};

fn value(scored: &Scored<'_>) -> Option<f64> {
    let cost = scored.trained_by?;
    let explained = |(predictions, targets): (Vec<f64>, Vec<f64>)| {
        let constant = best_constant(Some(cost), &targets, scored.weights);
        let of = |predicted: &dyn Fn(usize) -> f64| {
            let scores: Option<Vec<f64>> = targets
                .iter()
                .enumerate()
                .map(|(row, &target)| score(cost, predicted(row), target))
                .collect();
            weighted_mean(scored, scores?)
        };
        let (own, best) = (of(&|row| predictions[row])?, of(&|_| constant)?);
        Some(match (best > 0.0, own == 0.0) {
            (true, _) => 1.0 - own / best,
            (false, true) => 1.0,
            (false, false) => 0.0,
        })
    };
    mean(scored.columns().map(explained).collect::<Option<Vec<f64>>>()?)
}
