//! How good a job is by cross-validation: a report a fold, their mean and deviation, and the report of all rows, each
//! predicted by the networks that were not trained on it.

use super::{Figures, Report};
use crate::train::Metric;
use serde::Serialize;

/// What a cross-validation found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Folds {
    /// How good each fold's model is on the rows of the fold.
    pub folds: Vec<Report>,
    /// Mean and deviation of the folds' figures: of classes or labels one, of numbers one a target.
    pub summary: Vec<Spread>,
    /// How good the predictions for all rows of the folds are together.
    pub out_of_fold: Report,
}

/// Mean and deviation of one target's figures over the folds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spread {
    /// The target.
    pub name: String,
    /// The means of the figures that every fold has; each fold counts alike.
    pub mean: Figures,
    /// Their standard deviations, of a sample: with one less than the number of folds below.
    pub deviation: Figures,
}

impl Folds {
    /// Reports of the folds, and of all their rows; `names` are the target columns'.
    pub(crate) fn new(folds: Vec<Report>, out_of_fold: Report, names: &[String]) -> Self {
        let targets = match &out_of_fold {
            Report::Classification(_) | Report::Labels(_) => 1,
            Report::Regression(report) => report.targets.len(),
        };
        let spread = |(at, name): (usize, &String)| {
            let each: Vec<&Figures> = folds.iter().map(|fold| figures(fold, at)).collect();
            Spread::new(name, &each)
        };
        let summary = names.iter().enumerate().take(targets).map(spread).collect();
        Self { folds, summary, out_of_fold }
    }
}

/// The figures of a target.
pub(super) fn figures(report: &Report, target: usize) -> &Figures {
    match report {
        Report::Classification(report) => &report.figures,
        Report::Regression(report) => &report.targets[target].figures,
        Report::Labels(report) => &report.figures,
    }
}

impl Spread {
    fn new(name: &str, folds: &[&Figures]) -> Self {
        let count = folds.len() as f64;
        let all = Metric::ALL.iter().filter_map(|&metric| {
            let values = folds.iter().map(|figures| figures.get(metric)).collect::<Option<Vec<f64>>>()?;
            let mean = values.iter().sum::<f64>() / count;
            let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
            Some(((metric, mean), (metric, (squares / (count - 1.0).max(1.0)).sqrt())))
        });
        let (mean, deviation): (Vec<_>, Vec<_>) = all.unzip();
        Self { name: name.to_owned(), mean: Figures::of(mean), deviation: Figures::of(deviation) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Regression;

    #[test]
    fn mean_and_deviation_are_those_of_a_sample() {
        // numpy: np.mean([1, 2, 6]), np.std([1, 2, 6], ddof=1)
        let report = |error: f64| {
            Report::Regression(Regression::new(&[error, -error], &[0.0, 0.0], &["y".to_owned()]).unwrap())
        };
        let folds = Folds::new(vec![report(1.0), report(2.0), report(6.0)], report(3.0), &["y".to_owned()]);
        assert_eq!(folds.summary.len(), 1);
        let Spread { name, mean, deviation } = &folds.summary[0];
        assert_eq!(name, "y");
        assert!((mean.get(Metric::Mae).unwrap() - 3.0).abs() < 1e-12);
        assert!((deviation.get(Metric::Mae).unwrap() - 2.645_751_311_064_590_7).abs() < 1e-12);
        assert_eq!(mean.get(Metric::Accuracy), None);
    }
}
