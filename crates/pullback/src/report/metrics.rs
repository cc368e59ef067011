//! Reports: the metrics of the list for a model's predictions, and figures a class or a target.

use super::baseline::verdict;
use super::{Baseline, Figures, Intervals, Labels};
use crate::data::{Target, Targets};
use crate::error::{Error, Result};
use crate::model::{Prediction, Trained};
use crate::network::Cost;
use crate::train::{Metric, Scored, Truth};
use pullback_kernels::Real;
use serde::Serialize;

/// How predictions are measured, beside themselves and the targets.
///
/// ```
/// use pullback::network::Cost;
/// use pullback::report::{Measure, Regression};
/// use pullback::train::Metric;
///
/// let measure = Measure { cost: Some(Cost::Quantile(0.9)), ..Measure::default() };
/// let report = Regression::measured(&[2.0, 2.0], &[1.0, 3.0], &["y".into()], &measure)?;
/// assert!((report.targets[0].figures.get(Metric::Pinball).unwrap() - 0.5).abs() < 1e-12);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Measure<'a> {
    /// The cost of the network that predicts, if it is known: some figures are of a cost.
    pub cost: Option<Cost>,
    /// The metric that was asked for; the cost, if none was.
    pub metric: Metric,
    /// Whether classes counted otherwise than by their rows in training.
    pub weighs_classes: bool,
    /// The column that says how many times each row counts, and what it says of each.
    pub weights: Option<(&'a str, &'a [f64])>,
    /// The classes as they are written in the data, where that is not as the target names them.
    pub classes: Option<&'a [String]>,
    /// The group of each row, where rows of a group are alike: intervals draw whole groups.
    pub groups: Option<&'a [u32]>,
    /// Whether nobody asks how sure the figures are, which takes longer than to find them.
    pub skips_intervals: bool,
}

impl Measure<'_> {
    /// How predictions of a model are measured, as far as it says so: by its cost, and what its run was asked for.
    pub fn of(trained: &Trained<'_>) -> Self {
        Self {
            cost: Some(trained.network.cost),
            metric: trained.training.metric,
            weighs_classes: trained.configuration.get("class_weights").is_some(),
            ..Self::default()
        }
    }

    /// The metric by which predictions are compared with others.
    pub fn judge(&self, has_classes: bool) -> Metric {
        match self.metric {
            // Where rare classes count more, a constant must not win by the commonest.
            Metric::Cost if has_classes && self.weighs_classes => Metric::BalancedAccuracy,
            Metric::Cost => Metric::of(self.cost, has_classes),
            asked => asked,
        }
    }

    pub(super) fn intervals(&self, scored: &Scored<'_>, figures: &Figures) -> Intervals {
        match self.skips_intervals {
            true => Intervals::default(),
            false => Intervals::new(scored, figures, self.groups),
        }
    }

    pub(super) fn check(&self, rows: usize) -> Result<()> {
        let lengths = [
            self.weights.map(|(column, weights)| (format!("\"{column}\" has"), "weights", weights.len())),
            self.groups.map(|groups| ("there are".to_owned(), "groups", groups.len())),
        ];
        match lengths.into_iter().flatten().find(|(_, _, length)| *length != rows) {
            None => Ok(()),
            Some((has, what, length)) => {
                Err(Error::data(format!("{has} {length} {what} for {rows} rows"))
                    .help("give one for each row"))
            }
        }
    }
}

/// How good predictions are.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Report {
    /// For classes, two or more.
    Classification(Classification),
    /// For numbers.
    Regression(Regression),
    /// For labels, of which a row has any number.
    Labels(Labels),
}

/// How good predicted classes are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Classification {
    /// The number of rows.
    pub rows: usize,
    /// The column that says how many times each row counts, in all figures but numbers of rows; absent if each counts
    /// once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weighted_by: Option<String>,
    /// The metric by which predictions are compared with others.
    pub judged_by: Metric,
    /// The metrics for classes.
    #[serde(flatten)]
    pub figures: Figures,
    /// How sure they are.
    pub intervals: Intervals,
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
    /// The column that says how many times each row counts; absent if each counts once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weighted_by: Option<String>,
    /// The metric by which predictions are compared with others.
    pub judged_by: Metric,
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
    /// How sure they are.
    pub intervals: Intervals,
    /// What is reached without a network.
    pub baselines: Vec<Baseline>,
}

impl Report {
    /// Compares predictions with the targets of the same rows. `names` are the target columns'.
    ///
    /// # Errors
    /// As [`Classification::new`], [`Regression::new`] and [`Labels::new`], or if targets and `target` are not both
    /// classes, numbers or labels.
    pub fn new<T: Real>(
        prediction: &Prediction,
        targets: &Targets<T>,
        target: &Target,
        names: &[String],
    ) -> Result<Self> {
        Self::measured(prediction, targets, target, names, &Measure::default())
    }

    /// The same where more is known: a cost, a metric that was asked for, weights or groups of rows.
    ///
    /// # Errors
    /// As [`Report::new`], or if there is not a weight or a group for each row.
    pub fn measured<T: Real>(
        prediction: &Prediction,
        targets: &Targets<T>,
        target: &Target,
        names: &[String],
        measure: &Measure<'_>,
    ) -> Result<Self> {
        let (numbers, outputs) = (&prediction.numbers, prediction.outputs);
        match (targets.yes(), target) {
            (Some(yes), Target::Labels { .. }) => {
                return Labels::measured(numbers, yes, names, measure).map(Report::Labels);
            }
            (Some(_), _) => return Err(Error::data("the targets are labels, but others are predicted")),
            (None, Target::Labels { .. }) => {
                return Err(Error::data("labels are predicted, but the targets are others"));
            }
            (None, _) => {}
        }
        match (targets.ids(), target.classes()) {
            (Some(ids), Some(classes)) => {
                let names = measure.classes.filter(|names| names.len() == classes.len()).unwrap_or(classes);
                Classification::measured(numbers, outputs, ids, names, measure).map(Report::Classification)
            }
            (None, None) if outputs != names.len() => Err(Error::data(format!(
                "{outputs} numbers are predicted for a row, but {} columns are named",
                names.len()
            ))
            .help("give a name for each")),
            (None, None) => {
                Regression::measured(numbers, &target.restore(&targets.to_dense()), names, measure)
                    .map(Report::Regression)
            }
            (Some(_), None) => Err(Error::data("the targets are classes, but numbers are predicted")),
            (None, Some(_)) => Err(Error::data("the targets are numbers, but classes are predicted")),
        }
    }

    /// The same without intervals, as is true of rows that were trained on: they say nothing of other rows.
    #[must_use]
    pub fn without_intervals(mut self) -> Self {
        match &mut self {
            Report::Classification(report) => report.intervals = Intervals::default(),
            Report::Regression(report) => {
                report.targets.iter_mut().for_each(|target| target.intervals = Intervals::default());
            }
            Report::Labels(report) => report.intervals = Intervals::default(),
        }
        self
    }

    /// The same, compared with the report of a linear model for the same rows, trained by a cost.
    #[must_use]
    pub fn beside_linear(mut self, linear: &Report, cost: Option<Cost>) -> Self {
        match (&mut self, linear) {
            (Report::Classification(own), Report::Classification(linear)) => {
                own.baselines.push(Baseline::linear(linear.figures.clone(), cost, true));
            }
            (Report::Regression(own), Report::Regression(linear)) => {
                for (own, linear) in own.targets.iter_mut().zip(&linear.targets) {
                    own.baselines.push(Baseline::linear(linear.figures.clone(), cost, false));
                }
            }
            (Report::Labels(own), Report::Labels(linear)) => {
                own.baselines.push(Baseline::linear(linear.figures.clone(), cost, true));
            }
            _ => {}
        }
        self
    }

    /// What is said where predictions are no better than what is reached without a network: by the metric that was asked
    /// for, or by the one that fits the cost.
    pub fn remarks(&self) -> Vec<String> {
        match self {
            Report::Classification(report) => {
                verdict(&report.figures, &report.baselines, report.judged_by).into_iter().collect()
            }
            Report::Regression(report) => {
                let remark = |target: &Numbers| {
                    let words = verdict(&target.figures, &target.baselines, report.judged_by)?;
                    Some(match report.targets.len() {
                        1 => words,
                        _ => format!("{}: {words}", target.name),
                    })
                };
                report.targets.iter().filter_map(remark).collect()
            }
            Report::Labels(report) => {
                verdict(&report.figures, &report.baselines, report.judged_by).into_iter().collect()
            }
        }
    }

    /// The value of a metric: of several numbers to predict, the mean of theirs.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        match self {
            Report::Classification(report) => report.figures.get(metric),
            Report::Labels(report) => report.figures.get(metric),
            Report::Regression(report) => {
                let values = report.targets.iter().map(|target| target.figures.get(metric));
                let values: Vec<f64> = values.collect::<Option<_>>()?;
                Some(values.iter().sum::<f64>() / values.len() as f64)
            }
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Report::Classification(report) => report.rows,
            Report::Regression(report) => report.rows,
            Report::Labels(report) => report.rows,
        }
    }

    /// The figure that a person asks for first: accuracy (of labels, of all of them), or the first target's R2; 0 of no
    /// rows.
    pub fn headline(&self) -> f64 {
        match self {
            Report::Classification(report) => report.figures.get(Metric::Accuracy),
            Report::Regression(report) => report.targets[0].figures.get(Metric::R2),
            Report::Labels(report) => report.figures.get(Metric::Accuracy),
        }
        .unwrap_or(0.0)
    }
}

impl Classification {
    /// Compares probabilities `[rows, outputs]` with classes. One output is the probability of the
    /// second of two classes.
    ///
    /// # Errors
    /// If there are not as many rows of probabilities as classes, not as many outputs as names (or one for two), or a
    /// class has no name.
    pub fn new(probabilities: &[f64], outputs: usize, ids: &[u32], names: &[String]) -> Result<Self> {
        Self::measured(probabilities, outputs, ids, names, &Measure::default())
    }

    /// The same where more is known: a cost, a metric that was asked for, weights or groups of rows.
    ///
    /// # Errors
    /// As [`Classification::new`], or if there is not a weight or a group for each row.
    pub fn measured(
        probabilities: &[f64],
        outputs: usize,
        ids: &[u32],
        names: &[String],
        measure: &Measure<'_>,
    ) -> Result<Self> {
        let count = names.len();
        let fits_classes = if outputs == 1 { count == 2 } else { outputs == count && count > 0 };
        if !fits_classes {
            return Err(Error::data(format!(
                "predictions of {outputs} numbers a row do not fit {count} classes"
            ))
            .help("give a probability for each class, or one number a row for two classes"));
        }
        if let Some(id) = ids.iter().find(|id| **id as usize >= count) {
            return Err(Error::data(format!("class {id} has no name: there are {count}, counted from 0"))
                .help("give a name for each class"));
        }
        fits(probabilities.len(), ids.len(), outputs)?;
        measure.check(ids.len())?;
        let scored = Scored {
            weights: measure.weights.map(|(_, weights)| weights),
            trained_by: measure.cost,
            ..Scored::new(probabilities, outputs, Truth::Classes { ids, count })
        };
        let confusion = scored.confusion();
        let rows_of = confusion.iter().map(|row| row.iter().sum());
        let classes =
            scored.counts().into_iter().zip(names).zip(rows_of).map(|((class, name), rows)| Class {
                name: name.clone(),
                precision: class.precision(),
                recall: class.recall(),
                f1: class.f1(),
                rows,
            });
        let figures = Figures::new(&scored);
        Ok(Self {
            rows: ids.len(),
            weighted_by: measure.weights.map(|(column, _)| column.to_owned()),
            judged_by: measure.judge(true),
            intervals: measure.intervals(&scored, &figures),
            figures,
            classes: classes.collect(),
            confusion,
            baselines: Baseline::commonest(&scored, ids, names).into_iter().collect(),
        })
    }
}

impl Regression {
    /// Compares predictions with targets, both `[rows, names.len()]` in the targets' own units.
    ///
    /// # Errors
    /// If their lengths differ or are no whole rows, or there is no name.
    pub fn new(predictions: &[f64], targets: &[f64], names: &[String]) -> Result<Self> {
        Self::measured(predictions, targets, names, &Measure::default())
    }

    /// The same where more is known: a cost, a metric that was asked for, weights or groups of rows.
    ///
    /// # Errors
    /// As [`Regression::new`], or if there is not a weight or a group for each row.
    pub fn measured(
        predictions: &[f64],
        targets: &[f64],
        names: &[String],
        measure: &Measure<'_>,
    ) -> Result<Self> {
        let outputs = names.len();
        if outputs == 0 || !targets.len().is_multiple_of(outputs) {
            return Err(Error::data(format!("{} targets are not whole rows of {outputs}", targets.len()))
                .help("give a name for each column"));
        }
        fits(predictions.len(), targets.len() / outputs, outputs)?;
        let all = Scored::new(predictions, outputs, Truth::Numbers(targets));
        measure.check(all.rows())?;
        let weights = measure.weights.map(|(_, weights)| weights);
        let numbers = |(name, (predictions, targets)): (&String, (Vec<f64>, Vec<f64>))| {
            let scored = Scored {
                weights,
                trained_by: measure.cost,
                ..Scored::new(&predictions, 1, Truth::Numbers(&targets))
            };
            let figures = Figures::new(&scored);
            Numbers {
                name: name.clone(),
                intervals: measure.intervals(&scored, &figures),
                figures,
                baselines: Baseline::constant(&targets, weights, measure.cost).into_iter().collect(),
            }
        };
        Ok(Self {
            rows: all.rows(),
            weighted_by: measure.weights.map(|(column, _)| column.to_owned()),
            judged_by: measure.judge(false),
            targets: names.iter().zip(all.columns()).map(numbers).collect(),
        })
    }
}

/// Refuses predictions that are not `[rows, outputs]`.
pub(super) fn fits(predictions: usize, rows: usize, outputs: usize) -> Result<()> {
    if rows.checked_mul(outputs) == Some(predictions) {
        return Ok(());
    }
    Err(Error::data(format!("{predictions} predictions are not {outputs} for each of {rows} rows"))
        .help("give predictions and targets of the same rows"))
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
        let found = Classification::new(&probabilities, 3, &[0, 1, 2, 2, 1, 0], &names).unwrap();
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
        let found = Classification::new(&[0.1, 0.4, 0.35, 0.8, 0.4], 1, &[0, 0, 1, 1, 1], &names).unwrap();
        assert!((found.figures.get(Metric::RocAuc).unwrap() - 0.75).abs() < TOLERANCE);
    }

    #[test]
    fn a_class_that_is_never_predicted_has_figures_of_zero() {
        let names: Vec<String> = ["no", "yes"].map(String::from).to_vec();
        let found = Classification::new(&[0.1, 0.2], 1, &[0, 1], &names).unwrap();
        assert_eq!(
            (found.classes[1].precision, found.classes[1].recall, found.classes[1].f1),
            (0.0, 0.0, 0.0)
        );
        assert!(found.figures.get(Metric::LogLoss).unwrap().is_finite());
    }

    #[test]
    fn figures_of_numbers_agree_with_scikit_learn() {
        // r2_score, mean_absolute_error, root_mean_squared_error of scikit-learn 1.9.1: tests/oracle/metrics.py
        let found = Regression::new(&[2.5, 0.0, 2.0, 8.0], &[3.0, -0.5, 2.0, 7.0], &["y".into()]).unwrap();
        let figure = |report: &Regression, metric| report.targets[0].figures.get(metric).unwrap();
        assert!((figure(&found, Metric::R2) - 0.948_608_137_044_967_9).abs() < TOLERANCE);
        assert!((figure(&found, Metric::Mae) - 0.5).abs() < TOLERANCE);
        assert!((figure(&found, Metric::Rmse) - 0.612_372_435_695_794_5).abs() < TOLERANCE);
        let constant = |predictions| Regression::new(predictions, &[1.0, 1.0], &["y".into()]).unwrap();
        assert_eq!(figure(&constant(&[1.0, 2.0]), Metric::R2), 0.0);
        assert_eq!(figure(&constant(&[1.0, 1.0]), Metric::R2), 1.0);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let names = |count: usize| (0..count).map(|name| name.to_string()).collect::<Vec<_>>();
        let classes = |numbers: &[f64], outputs, ids: &[u32], count| {
            Classification::new(numbers, outputs, ids, &names(count)).map(|report| report.rows)
        };
        assert_eq!(classes(&[0.2, 0.4], 1, &[0, 1], 2).unwrap(), 2);
        assert_eq!(classes(&[0.2, 0.8, 0.4, 0.6], 2, &[0, 1], 2).unwrap(), 2);
        assert_eq!(classes(&[], 3, &[], 3).unwrap(), 0);
        let wrong = |found: Result<usize>, what: &str| {
            let text = found.unwrap_err().to_string();
            assert!(text.contains(what), "{text}");
        };
        wrong(classes(&[0.2, 0.4], 1, &[0, 1, 1], 2), "2 predictions are not 1 for each of 3 rows");
        wrong(classes(&[0.2, 0.4, 0.1], 2, &[0], 2), "3 predictions are not 2 for each of 1 rows");
        wrong(classes(&[0.2, 0.4], 1, &[0, 2], 2), "class 2 has no name");
        wrong(classes(&[0.2, 0.4], 1, &[0, 1], 3), "of 1 numbers a row");
        wrong(classes(&[0.2], 1, &[0], 1), "of 1 numbers a row");
        wrong(classes(&[0.2, 0.4], 2, &[0], 3), "of 2 numbers a row do not fit 3");
        wrong(classes(&[], 0, &[0], 0), "do not fit 0 classes");
        let numbers = |predictions: &[f64], targets: &[f64], count| {
            Regression::new(predictions, targets, &names(count)).map(|report| report.rows)
        };
        assert_eq!(numbers(&[1.0, 2.0], &[1.0, 2.0], 2).unwrap(), 1);
        wrong(numbers(&[1.0], &[1.0, 2.0], 2), "1 predictions are not 2 for each of 1 rows");
        wrong(numbers(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], 2), "3 targets are not whole rows of 2");
        wrong(numbers(&[], &[], 0), "0 targets");
    }

    #[test]
    fn predictions_and_targets_are_of_one_kind() {
        let report = |numbers: &[f64], outputs, targets: Targets<f64>, target: &Target, names: &[&str]| {
            let prediction =
                Prediction { numbers: numbers.to_vec(), outputs, classes: None, warnings: Vec::new() };
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Report::new(&prediction, &targets, target, &names).map_err(|error| error.to_string())
        };
        let ids = || Targets::binary(vec![0, 1]).unwrap();
        let values = || Targets::values(vec![1.0, 2.0], 1).unwrap();
        let classes = Target::Binary { classes: ["no".into(), "yes".into()] };
        let scale = crate::data::Scale { center: 0.0, spread: 1.0 };
        let numbers = Target::Regression { scales: vec![scale] };
        assert!(report(&[0.1, 0.9], 1, ids(), &classes, &["y"]).is_ok());
        assert!(report(&[1.0, 2.0], 1, values(), &numbers, &["y"]).is_ok());
        assert!(report(&[0.1, 0.9], 1, ids(), &numbers, &["y"]).unwrap_err().contains("are classes"));
        assert!(report(&[1.0, 2.0], 1, values(), &classes, &["y"]).unwrap_err().contains("are numbers"));
        assert!(report(&[1.0, 2.0], 1, values(), &numbers, &["y", "z"]).unwrap_err().contains("2 columns"));
    }
}
