//! The area under the receiver operating characteristic: how well probabilities put rows in order.

use super::{For, IntervalBy, Item, Scored, Truth};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "roc_auc",
    title: "ROC AUC",
    doc: "probability that a row of the second class gets a higher probability of it than a row of the first",
    higher_is_better: true,
    targets: For::TwoClasses,
    interval: IntervalBy::Resamples,
    value,
    example: (
        Scored::new(&[0.1, 0.4, 0.35, 0.8, 0.4], 1, Truth::Classes { ids: &[0, 0, 1, 1, 1], count: 2 }),
        0.75,
    ),
};

/// By ranks (Mann and Whitney, 1947), ties counting half; absent if a class has no row.
fn value(scored: &Scored<'_>) -> Option<f64> {
    let rows = scored.class_rows().enumerate();
    let mut ranked: Vec<(f64, usize, f64)> =
        rows.map(|(at, (row, class))| (row[row.len() - 1], class, scored.weight(at))).collect();
    ranked.sort_by(|left, right| left.0.total_cmp(&right.0));
    let weight = |rows: &[(f64, usize, f64)], of: usize| -> f64 {
        rows.iter().filter(|(_, class, _)| *class == of).map(|(_, _, weight)| weight).sum()
    };
    let (positives, negatives) = (weight(&ranked, 1), weight(&ranked, 0));
    let mut below = 0.0;
    let mut won = 0.0;
    for tied in ranked.chunk_by(|left, right| left.0 == right.0) {
        let (own, others) = (weight(tied, 1), weight(tied, 0));
        won += own * (below + others / 2.0);
        below += others;
    }
    (positives > 0.0 && negatives > 0.0).then(|| won / (positives * negatives))
}
