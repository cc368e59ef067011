//! What metrics compare: predictions and what is true.

use crate::network::Cost;
use crate::train::most_likely;

/// Predictions of some rows and their targets.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a> {
    /// `[rows, outputs]`: probabilities, or numbers in the units of the targets. One output for classes is the
    /// probability of the second of two.
    pub predictions: &'a [f64],
    /// The number of outputs.
    pub outputs: usize,
    /// The targets.
    pub truth: Truth<'a>,
    /// The mean cost of the rows, where it was computed.
    pub cost: Option<f64>,
    /// How many times each row counts; without them, once.
    pub weights: Option<&'a [f64]>,
    /// The cost of the network that predicts, where it is known: some metrics are of a cost.
    pub trained_by: Option<Cost>,
    /// The class that is predicted for each row, where it has been looked up before.
    pub decided: Option<&'a [u32]>,
}

/// What is true of some rows.
#[derive(Debug, Clone, Copy)]
pub enum Truth<'a> {
    /// The class of each row.
    Classes {
        /// Below `count`.
        ids: &'a [u32],
        /// The number of classes.
        count: usize,
    },
    /// Numbers, `[rows, outputs]`.
    Numbers(&'a [f64]),
    /// Whether each row has each label, `[rows, outputs]`; predictions are the probabilities.
    Labels(&'a [bool]),
}

/// What the predictions of one class are counted from: rows, or their weights.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ClassCounts {
    /// The rows of this class that are predicted so.
    pub right: f64,
    /// The rows of this class.
    pub rows: f64,
    /// The rows that are predicted as this class.
    pub predicted: f64,
}

impl<'a> Scored<'a> {
    /// Predictions beside what is true.
    ///
    /// # Panics
    /// If there are not as many predictions as targets.
    pub const fn new(predictions: &'a [f64], outputs: usize, truth: Truth<'a>) -> Self {
        let expected = match truth {
            Truth::Classes { ids, .. } => ids.len() * outputs,
            Truth::Numbers(numbers) => numbers.len(),
            Truth::Labels(yes) => yes.len(),
        };
        assert!(predictions.len() == expected, "one prediction for each target");
        Self { predictions, outputs, truth, cost: None, weights: None, trained_by: None, decided: None }
    }

    /// How many times a row counts.
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.predictions.len() / self.outputs.max(1)
    }

    /// The predictions of each row and its class; none for numbers and labels.
    pub fn class_rows(&self) -> impl Iterator<Item = (&'a [f64], usize)> + use<'a> {
        let ids: &[u32] = match self.truth {
            Truth::Classes { ids, .. } => ids,
            Truth::Numbers(_) | Truth::Labels(_) => &[],
        };
        self.predictions.chunks_exact(self.outputs).zip(ids.iter().map(|&id| id as usize))
    }

    /// The class that is predicted for each row, and its class; none for numbers and labels.
    pub fn decided_rows(&self) -> impl Iterator<Item = (usize, usize)> + use<'a> {
        let decided = self.decided;
        self.class_rows().enumerate().map(move |(at, (row, class))| {
            (decided.map_or_else(|| most_likely(row), |decided| decided[at] as usize), class)
        })
    }

    /// How many rows of a class (first index) are predicted as another (second index), each counted once.
    pub fn confusion(&self) -> Vec<Vec<usize>> {
        let Truth::Classes { count, .. } = self.truth else { return Vec::new() };
        let mut confusion = vec![vec![0; count]; count];
        for (predicted, class) in self.decided_rows() {
            confusion[class][predicted] += 1;
        }
        confusion
    }

    /// Of each row, of each label whether it is predicted and whether it is given; none for classes and numbers.
    pub fn label_rows(&self) -> impl Iterator<Item = impl Iterator<Item = (bool, bool)> + use<'a>> + use<'a> {
        let yes: &[bool] = match self.truth {
            Truth::Labels(yes) => yes,
            Truth::Classes { .. } | Truth::Numbers(_) => &[],
        };
        let rows = self.predictions.chunks_exact(self.outputs).zip(yes.chunks_exact(self.outputs));
        rows.map(|(row, yes)| row.iter().zip(yes).map(|(p, &yes)| (most_likely(&[*p]) == 1, yes)))
    }

    /// Calls `of` with each label as two classes, of which the second is yes, in their order; never for classes and
    /// numbers.
    pub fn each_label<R>(&self, mut of: impl FnMut(&Scored<'_>) -> R) -> Vec<R> {
        let Truth::Labels(yes) = self.truth else { return Vec::new() };
        let Self { predictions, outputs, weights, trained_by, .. } = *self;
        let label = |at: usize| {
            let predictions: Vec<f64> = predictions.iter().skip(at).step_by(outputs).copied().collect();
            let ids: Vec<u32> = yes.iter().skip(at).step_by(outputs).map(|&yes| u32::from(yes)).collect();
            let truth = Truth::Classes { ids: &ids, count: 2 };
            of(&Scored { weights, trained_by, ..Scored::new(&predictions, 1, truth) })
        };
        (0..outputs).map(label).collect()
    }

    /// The counts of each class, or of yes of each label.
    pub fn counts(&self) -> Vec<ClassCounts> {
        let Truth::Classes { count, .. } = self.truth else {
            let mut counts = vec![ClassCounts::default(); if self.has_labels() { self.outputs } else { 0 }];
            for (at, row) in self.label_rows().enumerate() {
                let weight = self.weight(at);
                for (count, (predicted, yes)) in counts.iter_mut().zip(row) {
                    count.rows += if yes { weight } else { 0.0 };
                    count.predicted += if predicted { weight } else { 0.0 };
                    count.right += if predicted && yes { weight } else { 0.0 };
                }
            }
            return counts;
        };
        let mut counts = vec![ClassCounts::default(); count];
        for (at, (predicted, class)) in self.decided_rows().enumerate() {
            let weight = self.weight(at);
            counts[class].rows += weight;
            counts[predicted].predicted += weight;
            counts[class].right += if predicted == class { weight } else { 0.0 };
        }
        counts
    }

    /// The counts of the classes that have a row or are predicted, since the others say nothing; of labels, all, as
    /// scikit-learn does.
    pub fn counts_of_present(&self) -> impl Iterator<Item = ClassCounts> + use<> {
        let is_all = self.has_labels();
        self.counts().into_iter().filter(move |class| is_all || class.rows + class.predicted > 0.0)
    }

    /// Whether the targets are labels.
    pub fn has_labels(&self) -> bool {
        matches!(self.truth, Truth::Labels(_))
    }

    /// The predictions and targets of each output, for numbers.
    pub fn columns(&self) -> impl Iterator<Item = (Vec<f64>, Vec<f64>)> + use<'a> {
        let (predictions, width) = (self.predictions, self.outputs);
        let targets: &[f64] = match self.truth {
            Truth::Numbers(numbers) => numbers,
            Truth::Classes { .. } | Truth::Labels(_) => &[],
        };
        let column = move |numbers: &[f64], at: usize| -> Vec<f64> {
            numbers.iter().skip(at).step_by(width).copied().collect()
        };
        (0..width).map(move |at| (column(predictions, at), column(targets, at)))
    }
}

impl ClassCounts {
    /// The share of rows predicted as this class that are of it; 0 of none.
    pub fn precision(&self) -> f64 {
        share(self.right, self.predicted)
    }

    /// The share of rows of this class that are predicted so; 0 of none.
    pub fn recall(&self) -> f64 {
        share(self.right, self.rows)
    }

    /// The harmonic mean of precision and recall.
    pub fn f1(&self) -> f64 {
        share(2.0 * self.right, self.rows + self.predicted)
    }
}

/// `part / whole`, and 0 of nothing.
fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// Six rows of three classes: the example of several metrics.
pub(super) const THREE_CLASSES: Scored<'static> = Scored::new(
    &[0.7, 0.2, 0.1, 0.1, 0.8, 0.1, 0.2, 0.5, 0.3, 0.3, 0.3, 0.4, 0.6, 0.3, 0.1, 0.5, 0.1, 0.4],
    3,
    Truth::Classes { ids: &[0, 1, 2, 2, 1, 0], count: 3 },
);

/// Five rows of three labels: the example of several metrics.
pub(super) const THREE_LABELS: Scored<'static> = Scored::new(
    &[0.9, 0.2, 0.6, 0.4, 0.7, 0.1, 0.8, 0.6, 0.3, 0.3, 0.45, 0.2, 0.7, 0.9, 0.4],
    3,
    Truth::Labels(&[
        true, false, false, true, true, false, true, false, true, false, true, false, true, true, false,
    ]),
);

/// Four rows of numbers, and of two targets: the example of several metrics.
pub(super) const NUMBERS: Scored<'static> = Scored::new(
    &[2.5, 0.1, 0.0, 0.2, 2.0, 0.3, 8.0, 0.1],
    2,
    Truth::Numbers(&[3.0, 0.2, -0.5, 0.2, 2.0, 0.5, 7.0, 0.1]),
);

/// Five positive amounts: the example of the metrics of a cost.
pub(super) const AMOUNTS: Scored<'static> =
    Scored::new(&[2.5, 0.5, 1.0, 8.0, 3.5], 1, Truth::Numbers(&[3.0, 0.25, 2.0, 7.0, 3.0]));
