//! What predictions are compared with: what is reached without a network.

use super::figures::shown;
use super::{Figures, number};
use crate::network::Cost;
use crate::train::{Metric, Scored, Truth, best_constant};
use serde::Serialize;

/// What takes no network, and how good it is for the same rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Baseline {
    /// Which one.
    pub kind: BaselineKind,
    /// What it predicts, in words: `always "no"`.
    pub words: String,
    /// How good it is.
    #[serde(flatten)]
    pub figures: Figures,
}

/// The list of baselines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BaselineKind {
    /// One prediction for all rows: the commonest class, and as probabilities the classes' shares; the same of each label;
    /// or the constant that is
    /// best by the cost, such as the mean of the targets. It is of the rows that are tested on (the no-information rate).
    Constant,
    /// A network without hidden layers on the same inputs, by the same cost, weights and classes' weights, with the ridge
    /// penalty: logistic or linear regression, or their like for another cost.
    Linear,
}

/// Two figures that differ by less are equal.
const EQUAL: f64 = 1e-12;
/// A log loss below this part of another's is clearly lower.
const CLEARLY: f64 = 0.98;
/// Errors as many times those of the mean are absurd, not only bad.
const ABSURD: f64 = 10.0;

impl Baseline {
    /// The best constant for classes: always the commonest, and as probabilities the classes' shares; absent of no rows.
    pub(super) fn commonest(scored: &Scored<'_>, ids: &[u32], names: &[String]) -> Option<Self> {
        let mut counts = vec![0.0; names.len()];
        ids.iter().enumerate().for_each(|(row, &id)| counts[id as usize] += scored.weight(row));
        // Of equally common classes the first one.
        let class = (0..counts.len()).rev().max_by(|&one, &other| counts[one].total_cmp(&counts[other]))?;
        let rows: f64 = counts.iter().sum();
        let shares: Vec<f64> = counts.iter().map(|&count| count / rows).collect();
        let constant = if scored.outputs == 1 { &shares[1..] } else { &shares[..] };
        // All rows of a class are alike: one that counts as often stands for them.
        let present: Vec<u32> =
            (0..).zip(&counts).filter(|(_, count)| **count > 0.0).map(|(id, _)| id).collect();
        let weights: Vec<f64> = present.iter().map(|&id| counts[id as usize]).collect();
        let predictions = constant.repeat(present.len());
        let truth = Truth::Classes { ids: &present, count: names.len() };
        let constant = Scored { weights: Some(&weights), ..Scored::new(&predictions, scored.outputs, truth) };
        (rows > 0.0).then(|| Self {
            kind: BaselineKind::Constant,
            words: format!("always \"{}\"", names[class]),
            figures: Figures::new(&constant),
        })
    }

    /// The best constant for labels: of each whatever more rows have, and as probabilities the shares of rows; absent of
    /// no rows.
    pub(super) fn commonest_labels(scored: &Scored<'_>) -> Option<Self> {
        let rows: f64 = (0..scored.rows()).map(|row| scored.weight(row)).sum();
        let shares: Vec<f64> = scored.counts().iter().map(|label| label.rows / rows).collect();
        let are_none = shares.iter().all(|share| *share <= 0.5);
        let constant = Scored { predictions: &shares.repeat(scored.rows()), ..*scored };
        (rows > 0.0).then(|| Self {
            kind: BaselineKind::Constant,
            words: if are_none {
                "never any label".to_owned()
            } else {
                "always the commonest labels".to_owned()
            },
            figures: Figures::new(&constant),
        })
    }

    /// The constant that is best for some targets by a cost; absent of no rows.
    pub(super) fn constant(targets: &[f64], weights: Option<&[f64]>, cost: Option<Cost>) -> Option<Self> {
        let constant = best_constant(cost, targets, weights);
        let predictions = vec![constant; targets.len()];
        let what = match cost {
            Some(Cost::AbsoluteError | Cost::Huber(_)) => "the median".to_owned(),
            Some(Cost::Quantile(tau)) => format!("the {} quantile", number::setting(tau)),
            _ => "the mean".to_owned(),
        };
        (!targets.is_empty()).then(|| Self {
            kind: BaselineKind::Constant,
            words: format!("always {what}, {}", number::significant(constant, 4)),
            figures: Figures::new(&Scored {
                weights,
                trained_by: cost,
                ..Scored::new(&predictions, 1, Truth::Numbers(targets))
            }),
        })
    }

    /// What the figures of a linear model, trained by a cost, are compared as.
    pub(super) fn linear(figures: Figures, cost: Option<Cost>, has_classes: bool) -> Self {
        let words = match cost {
            Some(Cost::Quantile(_)) => "quantile regression",
            Some(Cost::Poisson) => "Poisson regression",
            Some(Cost::Gamma) => "gamma regression",
            Some(Cost::Tweedie(_)) => "Tweedie regression",
            Some(Cost::AbsoluteError) => "median regression",
            Some(Cost::Huber(_)) => "Huber regression",
            Some(Cost::SmoothedCrossEntropy(_) | Cost::Focal(_)) => "a linear model",
            Some(Cost::SquaredError) if has_classes => "a linear model",
            _ if has_classes => "logistic regression",
            _ => "linear regression",
        };
        Self { kind: BaselineKind::Linear, words: words.to_owned(), figures }
    }
}

/// What is said where predictions are no better than a baseline, by `metric`; nothing where they are.
pub(super) fn verdict(figures: &Figures, baselines: &[Baseline], metric: Metric) -> Option<String> {
    let own = figures.get(metric)?;
    let shown = |value: f64| match metric {
        Metric::Accuracy => shown(metric, value),
        _ => format!("{} {}", metric.item().title, shown(metric, value)),
    };
    let loss = |value: f64| metric.to_minimize(value);
    let losses =
        |baseline: &Baseline| figures.get(Metric::LogLoss).zip(baseline.figures.get(Metric::LogLoss));
    let matched: Vec<(&Baseline, f64)> = baselines
        .iter()
        .filter_map(|baseline| Some((baseline, baseline.figures.get(metric)?)))
        // Not a number is better than nothing.
        .filter(|(baseline, value)| {
            let is_better = loss(own) < loss(*value) - EQUAL * value.abs();
            // As many right answers, but surer of them.
            let is_surer = metric == Metric::Accuracy
                && baseline.kind == BaselineKind::Linear
                && own == *value
                && losses(baseline).is_some_and(|(own, its)| own < CLEARLY * its);
            !is_better && !is_surer
        })
        .collect();
    let (first, value) = matched.first()?;
    let is_constant = first.kind == BaselineKind::Constant;
    let is_near = own < ABSURD * value;
    if is_constant && matches!(metric, Metric::Rmse | Metric::Mae) && !is_near {
        return Some(format!(
            "the predictions are useless: their errors are {} times those of {}",
            number::magnitude(own / value),
            first.words
        ));
    }
    let told = |(baseline, value): &(&Baseline, f64)| format!("{} ({})", baseline.words, shown(*value));
    let all: Vec<String> = matched.iter().map(told).collect();
    let mut text = format!("the network is no better than {}", all.join(", nor than "));
    // Of rare classes the commonest is right nearly always; probabilities can tell more.
    if let (true, Some((own, its))) = (is_constant && metric == Metric::Accuracy, losses(first))
        && own < CLEARLY * its
    {
        text += &format!(
            "; its probabilities tell more: log loss {} against {}",
            number::significant(own, 4),
            number::significant(its, 4)
        );
    }
    Some(text)
}
