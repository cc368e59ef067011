//! Reports: the metrics of the list for a model's predictions, and figures a class or a target.

use super::baseline::verdict;
use super::{Baseline, Figures};
use crate::data::{Target, Targets};
use crate::model::Prediction;
use crate::train::{Metric, Scored, Truth};
use pullback_kernels::Real;
use serde::Serialize;

/// How good predictions are.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Report {
    /// For classes, two or more.
    Classification(Classification),
    /// For numbers.
    Regression(Regression),
}

/// How good predicted classes are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Classification {
    /// The number of rows.
    pub rows: usize,
    /// The metrics for classes.
    #[serde(flatten)]
    pub figures: Figures,
    /// Figures a class.
    pub classes: Vec<Class>,
    /// How many rows of a class (first index) are predicted as another (second index).
    pub confusion: Vec<Vec<usize>>,
    /// What is reached without a network.
    pub baselines: Vec<Baseline>,
}

/// How good the predictions of one class are. Where a figure would be 0/0, it is 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Class {
    /// The class.
    pub name: String,
    /// The share of rows predicted as this class that are of it.
    pub precision: f64,
    /// The share of rows of this class that are predicted so.
    pub recall: f64,
    /// The harmonic mean of precision and recall.
    pub f1: f64,
    /// The number of rows of this class.
    pub rows: usize,
}

/// How good predicted numbers are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Regression {
    /// The number of rows.
    pub rows: usize,
    /// Figures a target.
    pub targets: Vec<Numbers>,
}

/// How good the predictions of one target are, in its own units.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Numbers {
    /// The target.
    pub name: String,
    /// The metrics for numbers.
    #[serde(flatten)]
    pub figures: Figures,
    /// What is reached without a network.
    pub baselines: Vec<Baseline>,
}

impl Report {
    /// Compares predictions with the targets of the same rows. `names` are the target columns'.
    ///
    /// # Panics
    /// If there are not as many predictions as targets.
    pub fn new<T: Real>(
        prediction: &Prediction,
        targets: &Targets<T>,
        target: &Target,
        names: &[String],
    ) -> Self {
        match (targets.ids(), target.classes()) {
            (Some(ids), Some(classes)) => Report::Classification(Classification::new(
                &prediction.numbers,
                prediction.outputs,
                ids,
                classes,
            )),
            _ => Report::Regression(Regression::new(
                &prediction.numbers,
                &target.restore(&targets.to_dense()),
                names,
            )),
        }
    }

    /// The same, compared with the report of a linear model for the same rows.
    #[must_use]
    pub fn beside_linear(mut self, linear: &Report) -> Self {
        match (&mut self, linear) {
            (Report::Classification(own), Report::Classification(linear)) => {
                own.baselines.push(Baseline::linear(linear.figures.clone(), true));
            }
            (Report::Regression(own), Report::Regression(linear)) => {
                for (own, linear) in own.targets.iter_mut().zip(&linear.targets) {
                    own.baselines.push(Baseline::linear(linear.figures.clone(), false));
                }
            }
            _ => {}
        }
        self
    }

    /// What is said where predictions are no better than what is reached without a network: by accuracy, or by the
    /// root mean square error of each target.
    pub fn remarks(&self) -> Vec<String> {
        match self {
            Report::Classification(report) => {
                verdict(&report.figures, &report.baselines, Metric::Accuracy).into_iter().collect()
            }
            Report::Regression(report) => {
                let remark = |target: &Numbers| {
                    let words = verdict(&target.figures, &target.baselines, Metric::Rmse)?;
                    Some(match report.targets.len() {
                        1 => words,
                        _ => format!("{}: {words}", target.name),
                    })
                };
                report.targets.iter().filter_map(remark).collect()
            }
        }
    }

    /// The figure that a person asks for first: accuracy, or the first target's R2; 0 of no rows.
    pub fn headline(&self) -> f64 {
        match self {
            Report::Classification(report) => report.figures.get(Metric::Accuracy),
            Report::Regression(report) => report.targets[0].figures.get(Metric::R2),
        }
        .unwrap_or(0.0)
    }
}

impl Classification {
    /// Compares probabilities `[rows, outputs]` with classes. One output is the probability of the
    /// second of two classes.
    ///
    /// # Panics
    /// If there are not as many rows of probabilities as classes.
    pub fn new(probabilities: &[f64], outputs: usize, ids: &[u32], names: &[String]) -> Self {
        let scored = Scored::new(probabilities, outputs, Truth::Classes { ids, count: names.len() });
        let classes = scored.counts().into_iter().zip(names).map(|(class, name)| Class {
            name: name.clone(),
            precision: class.precision(),
            recall: class.recall(),
            f1: class.f1(),
            rows: class.rows,
        });
        Self {
            rows: ids.len(),
            figures: Figures::new(&scored),
            classes: classes.collect(),
            confusion: scored.confusion(),
            baselines: Baseline::commonest(ids, names).into_iter().collect(),
        }
    }
}

impl Regression {
    /// Compares predictions with targets, both `[rows, names.len()]` in the targets' own units.
    ///
    /// # Panics
    /// If their lengths differ.
    pub fn new(predictions: &[f64], targets: &[f64], names: &[String]) -> Self {
        let all = Scored::new(predictions, names.len(), Truth::Numbers(targets));
        let numbers = |(name, (predictions, targets)): (&String, (Vec<f64>, Vec<f64>))| Numbers {
            name: name.clone(),
            figures: Figures::new(&Scored::new(&predictions, 1, Truth::Numbers(&targets))),
            baselines: Baseline::mean(&targets).into_iter().collect(),
        };
        Self { rows: all.rows(), targets: names.iter().zip(all.columns()).map(numbers).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: f64 = 1e-12;

    #[test]
    fn figures_of_classes_agree_with_scikit_learn() {
        // accuracy_score, log_loss, precision_recall_fscore_support, confusion_matrix of scikit-learn 1.9.1:
        // tests/oracle/metrics.py
        let probabilities =
            [0.7, 0.2, 0.1, 0.1, 0.8, 0.1, 0.2, 0.5, 0.3, 0.3, 0.3, 0.4, 0.6, 0.3, 0.1, 0.2, 0.2, 0.6];
        let names: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        let found = Classification::new(&probabilities, 3, &[0, 1, 2, 2, 1, 0], &names);
        assert_eq!(found.confusion, [[1, 0, 1], [1, 1, 0], [0, 1, 1]]);
        assert!((found.figures.get(Metric::Accuracy).unwrap() - 0.5).abs() < TOLERANCE);
        assert!((found.figures.get(Metric::LogLoss).unwrap() - 0.918_915_458_035_511_6).abs() < TOLERANCE);
        assert!((found.figures.get(Metric::MacroF1).unwrap() - 0.5).abs() < TOLERANCE);
        assert_eq!(found.figures.get(Metric::RocAuc), None);
    }

    #[test]
    fn the_area_under_the_curve_agrees_with_scikit_learn() {
        // roc_auc_score of scikit-learn 1.9.1: tests/oracle/metrics.py
        let names: Vec<String> = ["no", "yes"].map(String::from).to_vec();
        let found = Classification::new(&[0.1, 0.4, 0.35, 0.8, 0.4], 1, &[0, 0, 1, 1, 1], &names);
        assert!((found.figures.get(Metric::RocAuc).unwrap() - 0.75).abs() < TOLERANCE);
    }

    #[test]
    fn a_class_that_is_never_predicted_has_figures_of_zero() {
        let names: Vec<String> = ["no", "yes"].map(String::from).to_vec();
        let found = Classification::new(&[0.1, 0.2], 1, &[0, 1], &names);
        assert_eq!(
            (found.classes[1].precision, found.classes[1].recall, found.classes[1].f1),
            (0.0, 0.0, 0.0)
        );
        assert!(found.figures.get(Metric::LogLoss).unwrap().is_finite());
    }

    #[test]
    fn figures_of_numbers_agree_with_scikit_learn() {
        // r2_score, mean_absolute_error, root_mean_squared_error of scikit-learn 1.9.1: tests/oracle/metrics.py
        let found = Regression::new(&[2.5, 0.0, 2.0, 8.0], &[3.0, -0.5, 2.0, 7.0], &["y".into()]);
        let figure = |report: &Regression, metric| report.targets[0].figures.get(metric).unwrap();
        assert!((figure(&found, Metric::R2) - 0.948_608_137_044_967_9).abs() < TOLERANCE);
        assert!((figure(&found, Metric::Mae) - 0.5).abs() < TOLERANCE);
        assert!((figure(&found, Metric::Rmse) - 0.612_372_435_695_794_5).abs() < TOLERANCE);
        assert_eq!(figure(&Regression::new(&[1.0, 2.0], &[1.0, 1.0], &["y".into()]), Metric::R2), 0.0);
        assert_eq!(figure(&Regression::new(&[1.0, 1.0], &[1.0, 1.0], &["y".into()]), Metric::R2), 1.0);
    }
}
