//! The report of labels: figures of all together, and of each.

use super::metrics::fits;
use super::{Baseline, Figures, Intervals, Measure};
use crate::error::{Error, Result};
use crate::train::{Metric, Scored, Truth};
use serde::Serialize;

/// How good predicted labels are, of which a row has any number.
///
/// ```
/// use pullback::report::Labels;
/// use pullback::train::Metric;
///
/// let names = ["red".to_owned(), "round".to_owned()];
/// let report = Labels::new(&[0.9, 0.8, 0.2, 0.7], &[true, true, false, false], &names)?;
/// assert_eq!(report.figures.get(Metric::HammingLoss), Some(0.25)); // one of four labels is wrong
/// assert_eq!(report.figures.get(Metric::SubsetAccuracy), Some(0.5));
/// assert_eq!(report.labels[0].figures.get(Metric::Accuracy), Some(1.0));
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Labels {
    /// The number of rows.
    pub rows: usize,
    /// The column that says how many times each row counts, in all figures but numbers of rows; absent if each counts
    /// once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weighted_by: Option<String>,
    /// The metric by which predictions are compared with others.
    pub judged_by: Metric,
    /// The metrics for labels. Those that are for classes are the means over the labels.
    #[serde(flatten)]
    pub figures: Figures,
    /// How sure they are.
    pub intervals: Intervals,
    /// Figures a label.
    pub labels: Vec<Label>,
    /// What is reached without a network.
    pub baselines: Vec<Baseline>,
}

/// How good the predictions of one label are. Where precision, recall or F1 would be 0/0, it is 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Label {
    /// The label.
    pub name: String,
    /// The share of rows predicted to have it that do.
    pub precision: f64,
    /// The share of rows that have it which are predicted so.
    pub recall: f64,
    /// The harmonic mean of precision and recall.
    pub f1: f64,
    /// The number of rows that have it.
    pub rows: usize,
    /// The metrics for two classes, of which the second has it.
    #[serde(flatten)]
    pub figures: Figures,
}

impl Labels {
    /// Compares probabilities with whether each row has each label, both `[rows, names.len()]`.
    ///
    /// # Errors
    /// If their lengths differ or are no whole rows, or there is no name.
    pub fn new(probabilities: &[f64], yes: &[bool], names: &[String]) -> Result<Self> {
        Self::measured(probabilities, yes, names, &Measure::default())
    }

    /// The same where more is known: a cost, a metric that was asked for, weights or groups of rows.
    ///
    /// # Errors
    /// As [`Labels::new`], or if there is not a weight or a group for each row.
    pub fn measured(
        probabilities: &[f64],
        yes: &[bool],
        names: &[String],
        measure: &Measure<'_>,
    ) -> Result<Self> {
        let outputs = names.len();
        if outputs == 0 || !yes.len().is_multiple_of(outputs) {
            return Err(Error::data(format!("{} labels are not whole rows of {outputs}", yes.len()))
                .help("give a name for each label"));
        }
        fits(probabilities.len(), yes.len() / outputs, outputs)?;
        let scored = Scored {
            weights: measure.weights.map(|(_, weights)| weights),
            trained_by: measure.cost,
            ..Scored::new(probabilities, outputs, Truth::Labels(yes))
        };
        measure.check(scored.rows())?;
        let rows_of = |at: usize| yes.iter().skip(at).step_by(outputs).filter(|yes| **yes).count();
        let each = scored.each_label(Figures::new);
        let labels = scored.counts().into_iter().zip(each).zip(names).enumerate();
        let labels = labels.map(|(at, ((counts, figures), name))| Label {
            name: name.clone(),
            precision: counts.precision(),
            recall: counts.recall(),
            f1: counts.f1(),
            rows: rows_of(at),
            figures,
        });
        let figures = Figures::new(&scored);
        Ok(Self {
            rows: scored.rows(),
            weighted_by: measure.weights.map(|(column, _)| column.to_owned()),
            judged_by: measure.judge(true),
            intervals: measure.intervals(&scored, &figures),
            figures,
            labels: labels.collect(),
            baselines: Baseline::commonest_labels(&scored).into_iter().collect(),
        })
    }
}
