//! The figures.

use crate::data::{Target, Targets};
use crate::model::Prediction;
use crate::train::most_likely;
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

/// How good predicted classes are. Where a figure would be 0/0, it is 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Classification {
    /// The number of rows.
    pub rows: usize,
    /// The share of rows whose class is predicted.
    pub accuracy: f64,
    /// The mean of `-log(p)`, with p the predicted probability of a row's class (at least 1e-15).
    pub log_loss: f64,
    /// For two classes, the probability that a row of the second class gets a higher probability of it
    /// than a row of the first: the area under the receiver operating characteristic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roc_auc: Option<f64>,
    /// The mean of the classes' F1.
    pub macro_f1: f64,
    /// Figures a class.
    pub classes: Vec<Class>,
    /// How many rows of a class (first index) are predicted as another (second index).
    pub confusion: Vec<Vec<usize>>,
}

/// How good the predictions of one class are.
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
    /// The root of the mean square of the errors.
    pub rmse: f64,
    /// The mean of the absolute errors.
    pub mae: f64,
    /// One minus the squared errors' share of the squared differences from the mean: 1 is perfect, 0 as
    /// good as the mean. For a target that is constant: 1 if every prediction is exact, else 0.
    pub r2: f64,
}

/// `part / whole`, and 0 of nothing.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
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

    /// The figure that a person asks for first: accuracy, or the first target's R2.
    pub fn headline(&self) -> f64 {
        match self {
            Report::Classification(report) => report.accuracy,
            Report::Regression(report) => report.targets[0].r2,
        }
    }
}

impl Classification {
    /// Compares probabilities `[rows, outputs]` with classes. One output is the probability of the
    /// second of two classes.
    ///
    /// # Panics
    /// If there are not as many rows of probabilities as classes.
    pub fn new(probabilities: &[f64], outputs: usize, ids: &[u32], names: &[String]) -> Self {
        assert_eq!(probabilities.len(), ids.len() * outputs, "one row of probabilities for each class");
        let count = names.len();
        let mut confusion = vec![vec![0; count]; count];
        let mut log_loss = 0.0;
        for (row, &id) in probabilities.chunks_exact(outputs).zip(ids) {
            confusion[id as usize][most_likely(row)] += 1;
            let own = match row {
                [second] if id == 0 => 1.0 - second,
                [second] => *second,
                all => all[id as usize],
            };
            log_loss -= Real::ln(Real::max(own, 1e-15));
        }
        let classes: Vec<Class> = (0..count)
            .map(|class| {
                let right = confusion[class][class];
                let rows = confusion[class].iter().sum();
                let predicted = confusion.iter().map(|row| row[class]).sum();
                let (precision, recall) = (share(right, predicted), share(right, rows));
                Class {
                    name: names[class].clone(),
                    precision,
                    recall,
                    f1: share(2 * right, rows + predicted),
                    rows,
                }
            })
            .collect();
        let right = (0..count).map(|class| confusion[class][class]).sum();
        Self {
            rows: ids.len(),
            accuracy: share(right, ids.len()),
            log_loss: if ids.is_empty() { 0.0 } else { log_loss / ids.len() as f64 },
            roc_auc: match (count, outputs) {
                (2, 1) => roc_auc(probabilities.iter().copied(), ids),
                (2, 2) => roc_auc(probabilities.iter().skip(1).step_by(2).copied(), ids),
                _ => None,
            },
            macro_f1: classes.iter().map(|class| class.f1).sum::<f64>() / count as f64,
            classes,
            confusion,
        }
    }
}

/// By ranks (Mann and Whitney, 1947), ties counting half; absent if a class has no row.
fn roc_auc(scores: impl Iterator<Item = f64>, ids: &[u32]) -> Option<f64> {
    let mut ranked: Vec<(f64, u32)> = scores.zip(ids.iter().copied()).collect();
    ranked.sort_by(|left, right| left.0.total_cmp(&right.0));
    let positives = ids.iter().filter(|&&id| id == 1).count() as f64;
    let negatives = ids.len() as f64 - positives;
    let mut below = 0.0;
    let mut won = 0.0;
    for tied in ranked.chunk_by(|left, right| left.0 == right.0) {
        let own = tied.iter().filter(|(_, id)| *id == 1).count() as f64;
        let others = tied.len() as f64 - own;
        won += own * (below + others / 2.0);
        below += others;
    }
    (positives > 0.0 && negatives > 0.0).then(|| won / (positives * negatives))
}

impl Regression {
    /// Compares predictions with targets, both `[rows, names.len()]` in the targets' own units.
    ///
    /// # Panics
    /// If their lengths differ.
    pub fn new(predictions: &[f64], targets: &[f64], names: &[String]) -> Self {
        assert_eq!(predictions.len(), targets.len(), "one prediction for each target");
        let width = names.len();
        let rows = targets.len() / width;
        let count = rows.max(1) as f64;
        let column =
            |numbers: &[f64], at: usize| numbers.iter().skip(at).step_by(width).copied().collect::<Vec<_>>();
        let numbers = |(at, name): (usize, &String)| {
            let (predictions, targets) = (column(predictions, at), column(targets, at));
            let errors: Vec<f64> = predictions.iter().zip(&targets).map(|(p, t)| p - t).collect();
            let squares: f64 = errors.iter().map(|error| error * error).sum();
            let mean = targets.iter().sum::<f64>() / count;
            let spread: f64 = targets.iter().map(|target| (target - mean) * (target - mean)).sum();
            let r2 = match (spread > 0.0, squares == 0.0) {
                (true, _) => 1.0 - squares / spread,
                (false, true) => 1.0,
                (false, false) => 0.0,
            };
            let mae = errors.iter().map(|error| error.abs()).sum::<f64>() / count;
            Numbers { name: name.clone(), rmse: (squares / count).sqrt(), mae, r2 }
        };
        Self { rows, targets: names.iter().enumerate().map(numbers).collect() }
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
        assert!((found.accuracy - 0.5).abs() < TOLERANCE);
        assert!((found.log_loss - 0.918_915_458_035_511_6).abs() < TOLERANCE, "{}", found.log_loss);
        assert!((found.macro_f1 - 0.5).abs() < TOLERANCE);
        assert_eq!(found.roc_auc, None);
    }

    #[test]
    fn the_area_under_the_curve_agrees_with_scikit_learn() {
        // roc_auc_score of scikit-learn 1.9.1: tests/oracle/metrics.py
        let names: Vec<String> = ["no", "yes"].map(String::from).to_vec();
        let found = Classification::new(&[0.1, 0.4, 0.35, 0.8, 0.4], 1, &[0, 0, 1, 1, 1], &names);
        assert!((found.roc_auc.unwrap() - 0.75).abs() < TOLERANCE);
    }

    #[test]
    fn a_class_that_is_never_predicted_has_figures_of_zero() {
        let names: Vec<String> = ["no", "yes"].map(String::from).to_vec();
        let found = Classification::new(&[0.1, 0.2], 1, &[0, 1], &names);
        assert_eq!(
            (found.classes[1].precision, found.classes[1].recall, found.classes[1].f1),
            (0.0, 0.0, 0.0)
        );
        assert!(found.log_loss.is_finite());
    }

    #[test]
    fn figures_of_numbers_agree_with_scikit_learn() {
        // r2_score, mean_absolute_error, root_mean_squared_error of scikit-learn 1.9.1: tests/oracle/metrics.py
        let found = Regression::new(&[2.5, 0.0, 2.0, 8.0], &[3.0, -0.5, 2.0, 7.0], &["y".into()]);
        let numbers = &found.targets[0];
        assert!((numbers.r2 - 0.948_608_137_044_967_9).abs() < TOLERANCE);
        assert!((numbers.mae - 0.5).abs() < TOLERANCE);
        assert!((numbers.rmse - 0.612_372_435_695_794_5).abs() < TOLERANCE);
        assert_eq!(Regression::new(&[1.0, 2.0], &[1.0, 1.0], &["y".into()]).targets[0].r2, 0.0);
        assert_eq!(Regression::new(&[1.0, 1.0], &[1.0, 1.0], &["y".into()]).targets[0].r2, 1.0);
    }
}
