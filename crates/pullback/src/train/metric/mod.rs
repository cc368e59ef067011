//! How good predictions are: the list of metrics.
//!
//! A metric is one item in a file of its own: name, words, which way is better, for which targets, its value, and an
//! example with the right value. What reports show, what early stopping may watch and what is tested follow from the
//! list.

mod accuracy;
mod balanced_accuracy;
mod brier;
mod calibration_error;
mod cost;
mod d2;
mod deviance;
mod f1;
mod hamming_loss;
mod log_loss;
mod mae;
mod micro_f1;
mod own;
mod pinball;
mod precision;
mod r2;
mod recall;
mod rmse;
mod roc_auc;
mod scored;
mod subset_accuracy;

pub use own::best_constant;
pub use scored::{ClassCounts, Scored, Truth};

use super::Evaluation;
use crate::data::{Dataset, Targets, Task};
use crate::error::Error;
use crate::network::Cost;
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One metric.
#[derive(Debug)]
pub struct Item {
    /// Its name, as in files and flags.
    pub name: &'static str,
    /// Its name as people write it.
    pub title: &'static str,
    /// What it is, in a sentence.
    pub doc: &'static str,
    /// Whether more of it is better.
    pub higher_is_better: bool,
    /// The targets that it is for.
    pub targets: For,
    /// Where an interval for it comes from.
    pub interval: IntervalBy,
    /// Its value; absent where it has none, as for no rows.
    pub value: fn(&Scored<'_>) -> Option<f64>,
    /// Predictions, and the value for them by another program: tests/oracle/metrics.py.
    pub example: (Scored<'static>, f64),
}

/// Where an interval comes from that says how sure a metric's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalBy {
    /// It is a share of rows: Wilson's score.
    Share,
    /// Rows are drawn again and again.
    Resamples,
    /// There is none.
    None,
}

/// The targets that a metric is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// All.
    All,
    /// Classes, two or more. Of labels it is the mean over the labels, each two classes.
    Classes,
    /// Classes, and labels, of which each counts as the class yes.
    ClassesOrLabels,
    /// Two classes. Of labels it is the mean over those for which it has a value.
    TwoClasses,
    /// Labels.
    Labels,
    /// Numbers.
    Numbers,
    /// Numbers of which the cost makes the network predict a quantile.
    Quantiles,
    /// Numbers of whose mean the cost makes the network predict the logarithm.
    LogLinks,
    /// Numbers whose cost has a score of its own, other than squares.
    OwnScores,
}

/// Makes the enum of metrics from the list of their items.
macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident = $item:path),+ $(,)?) => {
        /// A metric of the list.
        ///
        /// ```
        /// use pullback::train::{Metric, Scored, Truth};
        /// let truth = Truth::Classes { ids: &[0, 1, 1, 1], count: 2 };
        /// let scored = Scored::new(&[0.1, 0.9, 0.8, 0.4], 1, truth);
        /// assert_eq!(Metric::Accuracy.value(&scored), Some(0.75));
        /// assert_eq!("r2".parse::<Metric>()?, Metric::R2);
        /// # Ok::<(), pullback::Error>(())
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(into = "&str", try_from = "String")]
        #[non_exhaustive]
        pub enum Metric {
            $($(#[$doc])* $name,)+
        }

        impl Metric {
            /// All, in the order of the list.
            pub const ALL: &[Metric] = &[$(Metric::$name,)+];
            /// Their names, in the order of the list.
            pub const NAMES: &[&str] = &[$($item.name,)+];

            /// Everything that the list says about it.
            pub fn item(self) -> &'static Item {
                match self {
                    $(Metric::$name => &$item,)+
                }
            }
        }
    };
}

metrics! {
    /// The cost that is minimized, without regularization.
    #[default]
    Cost = cost::ITEM,
    /// The share of rows whose class is predicted.
    Accuracy = accuracy::ITEM,
    /// The mean of `-log(p)`.
    LogLoss = log_loss::ITEM,
    /// The mean square of what probabilities are off by.
    Brier = brier::ITEM,
    /// How far probabilities are from how often they are right.
    CalibrationError = calibration_error::ITEM,
    /// The area under the receiver operating characteristic.
    RocAuc = roc_auc::ITEM,
    /// The mean of the classes' F1.
    MacroF1 = f1::ITEM,
    /// The mean of the classes' precisions.
    MacroPrecision = precision::ITEM,
    /// The mean of the classes' recalls, of predicted classes too.
    MacroRecall = recall::ITEM,
    /// The mean of the recalls of classes that have rows.
    BalancedAccuracy = balanced_accuracy::ITEM,
    /// F1 of all labels together.
    MicroF1 = micro_f1::ITEM,
    /// The share of rows whose labels are all predicted right.
    SubsetAccuracy = subset_accuracy::ITEM,
    /// The share of labels that are predicted wrong.
    HammingLoss = hamming_loss::ITEM,
    /// The root of the mean square of the errors.
    Rmse = rmse::ITEM,
    /// The mean of the absolute errors.
    Mae = mae::ITEM,
    /// One minus the squared errors' share of the targets' variance.
    R2 = r2::ITEM,
    /// The mean pinball loss, where a quantile is predicted.
    Pinball = pinball::ITEM,
    /// The mean deviance of the distribution that the cost is of.
    Deviance = deviance::ITEM,
    /// One minus the share that the cost's own score has of that of the best constant.
    D2 = d2::ITEM,
}

impl Metric {
    /// Its name, as in files and flags.
    pub fn name(self) -> &'static str {
        self.item().name
    }

    /// The metric that says how good predictions are where none is asked for: accuracy for classes, and for numbers the
    /// score of the cost.
    ///
    /// ```
    /// use pullback::network::Cost;
    /// use pullback::train::Metric;
    /// assert_eq!(Metric::of(Some(Cost::Quantile(0.9)), false), Metric::Pinball);
    /// assert_eq!(Metric::of(Some(Cost::SquaredError), false), Metric::Rmse);
    /// ```
    pub fn of(cost: Option<Cost>, has_classes: bool) -> Self {
        match cost {
            _ if has_classes => Metric::Accuracy,
            Some(Cost::Quantile(_)) => Metric::Pinball,
            Some(Cost::AbsoluteError | Cost::Huber(_)) => Metric::Mae,
            Some(cost) if cost.has_log_link() => Metric::Deviance,
            _ => Metric::Rmse,
        }
    }

    /// Refuses to be watched for targets or a cost that it is not for.
    pub(super) fn check<T: Real>(self, targets: &Targets<T>, cost: Cost) -> Result<(), Error> {
        let truth = match targets.task() {
            Task::Binary | Task::Classes => Truth::Classes { ids: &[], count: targets.outputs().max(2) },
            Task::Regression => Truth::Numbers(&[]),
            Task::Labels => Truth::Labels(&[]),
        };
        if self.fits(&truth, Some(cost)) {
            return Ok(());
        }
        let fits_targets = matches!(truth, Truth::Numbers(_))
            && matches!(self.item().targets, For::Quantiles | For::LogLinks | For::OwnScores);
        let what = if fits_targets { format!("the cost {cost}") } else { "these targets".to_owned() };
        let known = Self::ALL.iter().filter(|metric| metric.fits(&truth, Some(cost)));
        let known: Vec<&str> = known.map(|metric| metric.name()).collect();
        Err(Error::configuration(format!("a run cannot watch {self}, which is not for {what}"))
            .help(format!("watch one of {}", known.join(", "))))
    }

    /// Whether it is for these targets, predicted by a network with this cost.
    pub fn fits(self, truth: &Truth<'_>, cost: Option<Cost>) -> bool {
        match (self.item().targets, truth) {
            (For::All, _) | (For::Numbers, Truth::Numbers(_)) | (For::Labels, Truth::Labels(_)) => true,
            (For::Classes | For::ClassesOrLabels, Truth::Classes { .. } | Truth::Labels(_)) => true,
            (For::TwoClasses, Truth::Classes { count, .. }) => *count == 2,
            (For::TwoClasses, Truth::Labels(_)) => true,
            (For::Quantiles, Truth::Numbers(_)) => matches!(cost, Some(Cost::Quantile(_))),
            (For::LogLinks, Truth::Numbers(_)) => cost.is_some_and(Cost::has_log_link),
            (For::OwnScores, Truth::Numbers(_)) => cost.is_some_and(own::has_score),
            _ => false,
        }
    }

    /// Its value; absent where it has none: for other targets, for no rows.
    pub fn value(self, scored: &Scored<'_>) -> Option<f64> {
        let Item { targets, value, .. } = self.item();
        if scored.rows() == 0 || !self.fits(&scored.truth, scored.trained_by) {
            return None;
        }
        match targets {
            For::Classes | For::TwoClasses if scored.has_labels() => {
                mean(scored.each_label(value).into_iter().flatten())
            }
            _ => value(scored),
        }
    }

    /// A value of it as something to be minimized.
    pub fn to_minimize(self, value: f64) -> f64 {
        if self.item().higher_is_better { -value } else { value }
    }

    /// Whether it is the cost.
    pub fn is_cost(&self) -> bool {
        *self == Metric::Cost
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Metric> for &'static str {
    fn from(metric: Metric) -> Self {
        metric.name()
    }
}

/// What other libraries call some of them.
const ALIASES: &[(&str, &str)] = &[
    ("loss", "cost"),
    ("acc", "accuracy"),
    ("f1", "macro_f1"),
    ("f1_macro", "macro_f1"),
    ("auc", "roc_auc"),
    ("auroc", "roc_auc"),
    ("logloss", "log_loss"),
    ("neg_log_loss", "log_loss"),
    ("cross_entropy", "log_loss"),
    ("root_mean_squared_error", "rmse"),
    ("mean_absolute_error", "mae"),
    ("l1", "mae"),
];

impl std::str::FromStr for Metric {
    type Err = Error;
    /// Also by the names that other libraries have for them.
    fn from_str(name: &str) -> Result<Self, Error> {
        let own = ALIASES.iter().find(|(known, _)| *known == name).map_or(name, |(_, own)| own);
        (Self::ALL.iter().copied().find(|metric| metric.name() == own))
            .ok_or_else(|| Error::unknown_name("metric", name, Self::NAMES))
    }
}

impl TryFrom<String> for Metric {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        name.parse().map_err(|error: Error| error.one_line())
    }
}

/// Calls `then` with an evaluation of some rows of targets.
pub(super) fn with_scored<T: Real, R>(
    (evaluation, trained_by): (&Evaluation<T>, Cost),
    data: &Dataset<T>,
    rows: &[usize],
    then: impl FnOnce(&Scored<'_>) -> R,
) -> R {
    let wide = |numbers: &[T]| numbers.iter().map(|number| number.to_f64()).collect::<Vec<f64>>();
    let targets = data.targets();
    let (predictions, outputs) = (wide(&evaluation.predictions), targets.outputs());
    let weights: Option<Vec<f64>> =
        data.weights().map(|weights| rows.iter().map(|&row| weights[row].to_f64()).collect());
    let call = |truth| {
        let (cost, weights) = (Some(evaluation.cost), weights.as_deref());
        let trained_by = Some(trained_by);
        then(&Scored { cost, weights, trained_by, ..Scored::new(&predictions, outputs, truth) })
    };
    match (targets.ids(), targets.yes()) {
        (Some(classes), _) => {
            let ids: Vec<u32> = rows.iter().map(|&row| classes[row]).collect();
            call(Truth::Classes { ids: &ids, count: outputs.max(2) })
        }
        (None, Some(yes)) => {
            let yes: Vec<bool> =
                rows.iter().flat_map(|&row| &yes[row * outputs..][..outputs]).copied().collect();
            call(Truth::Labels(&yes))
        }
        (None, None) => {
            let mut numbers = vec![T::ZERO; rows.len() * outputs];
            targets.write(rows, &mut numbers);
            call(Truth::Numbers(&wide(&numbers)))
        }
    }
}

/// The mean of a number for each row, each with its weight; absent where nothing counts.
fn weighted_mean(scored: &Scored<'_>, numbers: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut total) = (0.0, 0.0);
    for (row, number) in numbers.into_iter().enumerate() {
        let weight = scored.weight(row);
        sum += weight * number;
        total += weight;
    }
    (total > 0.0).then(|| sum / total)
}

/// The mean score of the predictions by their cost, of several targets their mean; absent where one has none.
fn mean_score(scored: &Scored<'_>) -> Option<f64> {
    let cost = scored.trained_by?;
    let of = |(predictions, targets): (Vec<f64>, Vec<f64>)| {
        let each =
            predictions.iter().zip(&targets).map(|(&predicted, &target)| own::score(cost, predicted, target));
        weighted_mean(scored, each.collect::<Option<Vec<f64>>>()?)
    };
    mean(scored.columns().map(of).collect::<Option<Vec<f64>>>()?)
}

/// The mean of some numbers; absent of none.
fn mean(numbers: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for number in numbers {
        sum += number;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sum of a few numbers, each rounded.
    const ROUNDING: f64 = 1e-14;

    #[test]
    fn each_metric_has_the_value_that_another_program_finds() {
        for &metric in Metric::ALL {
            let (scored, right) = &metric.item().example;
            let found = metric.value(scored).expect("the example has a value");
            assert!((found - right).abs() < ROUNDING, "{metric}: {found} for {right}");
        }
    }

    #[test]
    fn nothing_is_said_of_other_targets_or_of_no_rows() {
        let classes = Scored::new(&[0.5, 0.25, 0.25], 3, Truth::Classes { ids: &[0], count: 3 });
        let numbers = Scored::new(&[1.0], 1, Truth::Numbers(&[1.5]));
        for &metric in Metric::ALL.iter().filter(|metric| !metric.is_cost()) {
            let valued = [&classes, &numbers].map(|scored| metric.value(scored).is_some());
            let expected = match metric.item().targets {
                For::All => [true, true],
                For::Classes | For::ClassesOrLabels => [true, false],
                For::Labels | For::TwoClasses | For::Quantiles | For::LogLinks | For::OwnScores => {
                    [false, false]
                }
                For::Numbers => [false, true],
            };
            assert_eq!(valued, expected, "{metric}");
            let none = Scored::new(&[], 1, Truth::Classes { ids: &[], count: 2 });
            assert_eq!(metric.value(&none), None, "{metric}");
        }
    }

    #[test]
    fn scores_of_costs_agree_with_scikit_learn() {
        // tests/oracle/metrics.py: deviances and d2_tweedie_score, mean_pinball_loss and d2_pinball_score, and
        // d2_absolute_error_score; without weights, and with them.
        let weights = [1.0, 0.5, 2.0, 0.0, 3.0];
        let (quantile, tweedie) = (Cost::Quantile(0.9), Cost::Tweedie(1.5));
        let expected = [
            (Cost::Poisson, Metric::Deviance, [0.245_120_179_403_333_9, 0.298_631_962_032_715_9]),
            (Cost::Gamma, Metric::Deviance, [0.215_001_349_120_273_3, 0.234_411_779_469_684_2]),
            (tweedie, Metric::Deviance, [0.214_983_699_659_825_42, 0.257_700_453_302_326_7]),
            (quantile, Metric::Pinball, [0.305, 0.371_153_846_153_846_17]),
            (Cost::Poisson, Metric::D2, [0.855_704_924_592_440_1, 0.142_604_596_754_662_64]),
            (Cost::Gamma, Metric::D2, [0.747_142_958_705_353_1, 0.068_771_336_816_162_32]),
            (tweedie, Metric::D2, [0.810_234_766_829_768_2, 0.094_241_898_355_651]),
            (quantile, Metric::D2, [0.227_848_101_265_822_44, -6.148_148_148_148_15]),
            (Cost::AbsoluteError, Metric::D2, [0.580_645_161_290_322_5, -0.222_222_222_222_222_1]),
        ];
        for (cost, metric, [plain, weighted]) in expected {
            for (weights, right) in [(None, plain), (Some(&weights[..]), weighted)] {
                let scored = Scored { weights, trained_by: Some(cost), ..scored::AMOUNTS };
                let found = metric.value(&scored).expect("there are rows");
                assert!(
                    (found - right).abs() < ROUNDING * right.abs().max(1.0),
                    "{cost} {metric}: {found} for {right}"
                );
            }
        }
        let zero = Scored {
            trained_by: Some(Cost::Poisson),
            ..Scored::new(&[0.5, 2.0], 1, Truth::Numbers(&[0.0, 3.0]))
        };
        let found = Metric::Deviance.value(&zero).expect("a count may be 0");
        assert!((found - 0.716_395_324_324_493_2).abs() < ROUNDING, "{found}");
        // What the distribution cannot be has no deviance.
        let negative =
            Scored { trained_by: Some(Cost::Gamma), ..Scored::new(&[0.5], 1, Truth::Numbers(&[0.0])) };
        assert_eq!(Metric::Deviance.value(&negative), None);
    }

    #[test]
    fn a_class_without_a_row_counts_as_in_scikit_learn() {
        // Of four classes, 2 has no row but is predicted once, 3 appears nowhere: tests/oracle/metrics.py.
        let predictions =
            [[0.9, 0.1, 0.0, 0.0], [0.8, 0.1, 0.1, 0.0], [0.2, 0.7, 0.1, 0.0], [0.1, 0.3, 0.6, 0.0]].concat();
        let scored = Scored::new(&predictions, 4, Truth::Classes { ids: &[0, 0, 1, 1], count: 4 });
        let expected = [
            (Metric::MacroPrecision, 2.0 / 3.0),
            (Metric::MacroRecall, 0.5),
            (Metric::MacroF1, 0.555_555_555_555_555_5),
            (Metric::BalancedAccuracy, 0.75),
        ];
        for (metric, right) in expected {
            let found = metric.value(&scored).expect("there are rows");
            assert!((found - right).abs() < ROUNDING, "{metric}: {found} for {right}");
        }
    }
}
