//! Watching a training run.

use super::Metric;

/// What a run has done after one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// The epoch, counted from 0.
    pub epoch: usize,
    /// Examples seen in this epoch.
    pub examples: usize,
    /// Examples in an epoch.
    pub examples_per_epoch: usize,
    /// The cost of the step's batch, with regularization.
    pub cost: f64,
}

/// What a run has done after one epoch.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochReport {
    /// The epoch, counted from 0.
    pub epoch: usize,
    /// The mean cost over the epoch's examples, each before the step that it was part of.
    pub cost: f64,
    /// The mean cost of the validation examples after the epoch, if there are any.
    pub validation_cost: Option<f64>,
    /// The share of validation examples that are classified right, for classes.
    pub validation_accuracy: Option<f64>,
    /// The value of the watched metric for the validation examples, if it is another than the cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<f64>,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// The largest norm of the whole gradient in this epoch, before clipping; measured only when
    /// clipping is on.
    pub gradient_norm: Option<f64>,
}

impl EpochReport {
    /// Whether an epoch can have gone so.
    pub(super) fn is_possible(&self) -> bool {
        self.cost.is_finite()
            && self.validation_accuracy.is_none_or(|share| (0.0..=1.0).contains(&share))
            && self.watched.is_none_or(f64::is_finite)
            && self.learning_rate.is_finite()
            && self.learning_rate >= 0.0
            && self.gradient_norm.is_none_or(|norm| norm >= 0.0)
    }
}

/// What one of several networks has done after one epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemberReport {
    /// Which network, counted from 0.
    pub member: usize,
    /// How many are trained.
    pub members: usize,
    /// How the epoch went.
    pub epoch: EpochReport,
}

/// What a choice among candidates has done after one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CandidateReport {
    /// Which candidate, counted from 0.
    pub candidate: usize,
    /// How many are trained at most.
    pub candidates: usize,
}

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop after this step or epoch, and keep what is reached.
    Stop,
}

/// A run after an epoch: what there is to see, computed only where it is asked for.
pub struct Epoch<'a> {
    /// How the epoch went.
    pub report: &'a EpochReport,
    /// The metric that the run watches.
    pub metric: Metric,
    reached: &'a dyn Reached,
    is_kept: bool,
}

/// What a run has come to, in numbers of any type.
pub(super) trait Reached {
    fn parameters(&self) -> Vec<Vec<f64>>;
    fn predictions(&self) -> Vec<f64>;
    fn targets(&self) -> Vec<f64>;
    fn value(&self, metric: Metric) -> Option<f64>;
}

impl<'a> Epoch<'a> {
    pub(super) fn new(report: &'a EpochReport, metric: Metric, reached: &'a dyn Reached) -> Self {
        Self { report, metric, reached, is_kept: false }
    }

    /// The parameters after the epoch, in the order of [`Network::parameters`](crate::network::Network::parameters).
    pub fn parameters(&self) -> Vec<Vec<f64>> {
        self.reached.parameters()
    }

    /// What the network predicts for the validation rows, in their order: `[rows, outputs]`; of no length without
    /// validation rows.
    pub fn predictions(&self) -> Vec<f64> {
        self.reached.predictions()
    }

    /// What is true of the validation rows, in their order: the number of each row's class, `[rows]`, or the numbers to
    /// predict, `[rows, outputs]`.
    pub fn targets(&self) -> Vec<f64> {
        self.reached.targets()
    }

    /// The value of a metric for the validation rows; absent without rows, or where it has none.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        self.reached.value(metric)
    }

    /// Says that these are the best parameters so far: the run ends with the last ones that were kept. If early
    /// stopping is on, it still decides when to stop.
    pub fn keep(&mut self) {
        self.is_kept = true;
    }

    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }
}

impl std::fmt::Debug for Epoch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Epoch").field("report", self.report).field("is_kept", &self.is_kept).finish()
    }
}

/// Someone who watches a run, may stop it, and may say which parameters are the best. A closure watches epochs.
///
/// An own measure, an own stop, and the best weights back:
///
/// ```
/// use pullback::data::{DataOptions, Preprocessing, builtin};
/// use pullback::network::{Activation, Cost, Network};
/// use pullback::train::{Epoch, Flow, Machine, Training, train};
///
/// let table = builtin::load("iris", 0)?;
/// let (rows, held_out): (Vec<_>, Vec<_>) = (0..table.rows()).partition(|row| row % 5 > 0);
/// let data = Preprocessing::fit(&table, &rows, &DataOptions::default())?.apply::<f32>(&table)?;
/// let network = Network::dense(4, &[8], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
/// let training = Training { epochs: 200, ..Training::default() };
/// let (mut best, mut best_epoch) = (0.0, 0); // the smallest probability of a right class
/// let mut own = |epoch: &mut Epoch<'_>| {
///     let (predictions, classes) = (epoch.predictions(), epoch.targets());
///     let right = predictions.chunks(3).zip(&classes).map(|(row, class)| row[*class as usize]);
///     let worst = right.fold(1.0, f64::min);
///     if worst > best {
///         (best, best_epoch) = (worst, epoch.report.epoch);
///         epoch.keep();
///     }
///     if epoch.report.epoch > best_epoch + 20 { Flow::Stop } else { Flow::Continue }
/// };
/// let trained = train(&network, &training, &data, &rows, &held_out, &Machine::default(), &mut own)?;
/// assert_eq!(trained.history.kept_epoch, Some(best_epoch));
/// # Ok::<(), pullback::Error>(())
/// ```
pub trait Observer {
    /// After each step.
    fn step(&mut self, _report: &StepReport) -> Flow {
        Flow::Continue
    }

    /// After each epoch.
    fn epoch(&mut self, _epoch: &mut Epoch<'_>) -> Flow {
        Flow::Continue
    }

    /// After each epoch of each network of an ensemble, in no certain order: they are trained side by side. The other
    /// two are not called then.
    fn member(&mut self, _report: &MemberReport) -> Flow {
        Flow::Continue
    }

    /// Each time no network of an ensemble has ended an epoch for a twentieth of a second. Epochs may be long, and steps
    /// are not told; to stop here stops each network after its current step.
    fn wait(&mut self) -> Flow {
        Flow::Continue
    }

    /// After each candidate, where some are trained to choose among them; who stops then has the choice among those
    /// that are trained.
    fn candidate(&mut self, _report: &CandidateReport) -> Flow {
        Flow::Continue
    }
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}

impl<F: FnMut(&mut Epoch<'_>) -> Flow> Observer for F {
    fn epoch(&mut self, epoch: &mut Epoch<'_>) -> Flow {
        self(epoch)
    }
}
