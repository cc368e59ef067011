//! How good predictions are: the list of metrics.
//!
//! A metric is one item in a file of its own: name, words, which way is better, for which targets, its value, and an
//! example with the right value. What reports show, what early stopping may watch and what is tested follow from the
//! list.

mod accuracy;
mod balanced_accuracy;
mod cost;
mod f1;
mod log_loss;
mod mae;
mod precision;
mod r2;
mod recall;
mod rmse;
mod roc_auc;
mod scored;

pub use scored::{ClassCounts, Scored, Truth};

use super::Evaluation;
use crate::data::{Dataset, Targets};
use crate::error::Error;
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One metric.
#[derive(Debug)]
pub struct Item {
    /// Its name, as in files and flags.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub doc: &'static str,
    /// Whether more of it is better.
    pub higher_is_better: bool,
    /// The targets that it is for.
    pub targets: For,
    /// Its value; absent where it has none, as for no rows.
    pub value: fn(&Scored<'_>) -> Option<f64>,
    /// Predictions, and the value for them by another program: tests/oracle/metrics.py.
    pub example: (Scored<'static>, f64),
}

/// The targets that a metric is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// All.
    All,
    /// Classes, two or more.
    Classes,
    /// Two classes.
    TwoClasses,
    /// Numbers.
    Numbers,
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
    /// The root of the mean square of the errors.
    Rmse = rmse::ITEM,
    /// The mean of the absolute errors.
    Mae = mae::ITEM,
    /// One minus the squared errors' share of the targets' variance.
    R2 = r2::ITEM,
}

impl Metric {
    /// Its name, as in files and flags.
    pub fn name(self) -> &'static str {
        self.item().name
    }

    /// Refuses to be watched for targets that it is not for.
    pub(super) fn check<T: Real>(self, targets: &Targets<T>) -> Result<(), Error> {
        let truth = match targets.ids() {
            Some(_) => Truth::Classes { ids: &[], count: targets.outputs().max(2) },
            None => Truth::Numbers(&[]),
        };
        if self.fits(&truth) {
            return Ok(());
        }
        let known = Self::ALL.iter().filter(|metric| metric.fits(&truth)).map(|metric| metric.name());
        let known: Vec<&str> = known.collect();
        Err(Error::configuration(format!("a run cannot watch {self}, which is not for these targets"))
            .help(format!("watch one of {}", known.join(", "))))
    }

    /// Whether it is for these targets.
    pub fn fits(self, truth: &Truth<'_>) -> bool {
        match (self.item().targets, truth) {
            (For::All, _) | (For::Classes, Truth::Classes { .. }) | (For::Numbers, Truth::Numbers(_)) => true,
            (For::TwoClasses, Truth::Classes { count, .. }) => *count == 2,
            _ => false,
        }
    }

    /// Its value; absent where it has none: for other targets, for no rows.
    pub fn value(self, scored: &Scored<'_>) -> Option<f64> {
        (scored.rows() > 0 && self.fits(&scored.truth)).then(|| (self.item().value)(scored)).flatten()
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

impl std::str::FromStr for Metric {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self, Error> {
        (Self::ALL.iter().copied().find(|metric| metric.name() == name))
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
    evaluation: &Evaluation<T>,
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
        then(&Scored { cost, weights, ..Scored::new(&predictions, outputs, truth) })
    };
    match targets.ids() {
        Some(classes) => {
            let ids: Vec<u32> = rows.iter().map(|&row| classes[row]).collect();
            call(Truth::Classes { ids: &ids, count: outputs.max(2) })
        }
        None => {
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
                For::Classes => [true, false],
                For::TwoClasses => [false, false],
                For::Numbers => [false, true],
            };
            assert_eq!(valued, expected, "{metric}");
            let none = Scored::new(&[], 1, Truth::Classes { ids: &[], count: 2 });
            assert_eq!(metric.value(&none), None, "{metric}");
        }
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
