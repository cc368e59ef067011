//! What a training run is told, beside the network and the data.

use super::optimizer::lbfgs::HISTORY;
use super::{Augmentation, Metric, Optimizer, Schedule};
use crate::choice::{Bound, choices};
use crate::error::{Error, Result};
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};

/// The configuration of a training run. Every field has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// How many times all examples are seen.
    pub epochs: usize,
    /// How many examples make one step.
    pub batch: Batch,
    /// How a gradient changes a weight.
    pub optimizer: Optimizer,
    /// The factor of each step; by default what is conventional for the optimizer.
    pub learning_rate: Option<f64>,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// How gradients are found.
    #[serde(skip_serializing_if = "GradientMethod::is_back")]
    pub gradient: GradientMethod,
    /// The precision of the products in a step. Weights, and all that is no product, stay in f32.
    #[serde(skip_serializing_if = "Precision::is_full")]
    pub precision: Precision,
    /// How many batches make one step: their gradients count as that of one batch of as many rows, and take the memory
    /// of one of them.
    #[serde(skip_serializing_if = "is_one")]
    pub accumulate: usize,
    /// How much of an average of the weights is kept at each step; then the average is what is measured and kept. With
    /// the correction of Adam (Kingma, Ba, 2015, section 3), so that the first weights do not count for more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    /// The largest norm of the whole gradient; a larger one is scaled down to it.
    pub clip_norm: Option<f64>,
    /// The metric of the validation rows that tells how good an epoch was: for early stopping, a plateau and the
    /// history.
    #[serde(skip_serializing_if = "Metric::is_cost")]
    pub metric: Metric,
    /// When to stop before the last epoch; by default never.
    pub early_stopping: Option<EarlyStopping>,
    /// Whether the order of the examples changes with each epoch, if they make more than one batch.
    pub shuffle: bool,
    /// What is changed in the images of a step.
    #[serde(skip_serializing_if = "Augmentation::is_none")]
    pub augment: Augmentation,
    /// Where all random numbers come from.
    pub seed: u64,
    /// What files have always said of the number of threads: nothing. A [`Machine`](super::Machine) has it.
    pub threads: Unrecorded,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            epochs: 20,
            batch: Batch::default(),
            optimizer: Optimizer::default(),
            learning_rate: None,
            schedule: Schedule::default(),
            gradient: GradientMethod::default(),
            precision: Precision::default(),
            accumulate: 1,
            ema: None,
            clip_norm: None,
            metric: Metric::Cost,
            early_stopping: None,
            shuffle: true,
            augment: Augmentation::default(),
            seed: 0,
            threads: Unrecorded,
        }
    }
}

impl Training {
    /// The learning rate: the given one, or the optimizer's conventional one.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate.unwrap_or(self.optimizer.conventional_rate())
    }

    /// Refuses numbers that cannot be meant, or that are none any more when they are rounded to numbers of `T`.
    ///
    /// # Errors
    /// Names the first such number and what it must be.
    pub fn check<T: Real>(&self) -> Result<()> {
        let wrong = |what: String, help: &str| Err(Error::configuration(what).help(help));
        Bound::Positive.check::<T>("the learning rate", self.learning_rate())?;
        if let Batch::Of(0) = self.batch {
            return wrong("a batch of 0 examples makes no step".into(), "give at least 1, or `full`");
        }
        if let Some(norm) = self.clip_norm {
            Bound::Positive.check::<T>("the norm to which gradients are clipped", norm)?;
        }
        if let Some(stopping) = &self.early_stopping
            && stopping.patience == 0
        {
            return wrong(
                "early stopping with a patience of 0 epochs would never train".into(),
                "give at least 1",
            );
        }
        if self.accumulate == 0 {
            return wrong("a step of 0 batches changes nothing".into(), "give at least 1");
        }
        if let Some(share) = self.ema {
            Bound::Share.check::<T>("the share that is kept of the average of the weights", share)?;
        }
        if self.accumulate > 1 && !self.gradient.is_back() {
            return wrong(
                "gradients of several batches are accumulated by back propagation alone".into(),
                "take back propagation, or make a step of each batch",
            );
        }
        if self.optimizer.is_searching() {
            self.check_search()?;
        }
        if !self.precision.is_full() && !self.gradient.is_back() {
            return wrong(
                format!("products in {} are too coarse to find gradients one by one", self.precision.name()),
                "take the precision f32, or back propagation",
            );
        }
        self.optimizer.check::<T>()?;
        self.schedule.check()
    }
}

impl Training {
    /// Whether the gradients of a step are kept apart from the change of the weights.
    pub(super) fn keeps_gradients(&self) -> bool {
        self.accumulate > 1 || self.optimizer.is_searching()
    }

    /// About how many numbers of f32 training takes for each weight: it, its gradient, the best one, two that the
    /// optimizer keeps, and its initial value in f64; and what is kept beside.
    pub fn numbers_per_weight(&self) -> f64 {
        // Its pairs, and the points and gradients of a search, in f64.
        let search = if self.optimizer.is_searching() { 2.0 * (2.0 * HISTORY as f64 + 12.0) } else { 0.0 };
        let sums = if self.accumulate > 1 { 2.0 } else { 0.0 };
        let average = if self.ema.is_some() { 2.0 } else { 0.0 };
        7.0 + search + sums + average
    }

    /// Refuses what an optimizer that searches along a line cannot do.
    fn check_search(&self) -> Result<()> {
        let name = self.optimizer.name();
        let refused = [
            (
                self.batch != Batch::Full,
                format!("{name} takes all rows at each step, not batches of {}", self.batch),
                "leave out the batch size, or make it `full`",
            ),
            (
                self.accumulate > 1,
                format!("{name} takes all rows at each step, so that there are no batches to accumulate"),
                "leave that out",
            ),
            (
                self.schedule != Schedule::default(),
                format!("{name} searches for the length of each step, so that a schedule has no use"),
                "leave the schedule out, or make it `constant`",
            ),
            (
                !self.augment.is_none(),
                format!("{name} compares costs of several steps, but images are changed in each epoch"),
                "leave the changes of images out",
            ),
            (
                self.clip_norm.is_some(),
                format!("{name} learns the curvature from gradients, which clipping would change"),
                "leave the clipping out",
            ),
            (
                self.ema.is_some(),
                format!("{name} comes to a minimum in few steps, and an average of them would stay behind"),
                "leave the average out",
            ),
            (
                self.precision == Precision::Bf16,
                format!("{name} compares costs that bf16 rounds too coarsely"),
                "take the precision f32",
            ),
            (
                !self.gradient.is_back(),
                format!(
                    "{name} takes several gradients at each step, which only back propagation finds in time"
                ),
                "take back propagation",
            ),
        ];
        match refused.into_iter().find(|(is_refused, ..)| *is_refused) {
            None => Ok(()),
            Some((_, what, help)) => Err(Error::configuration(what).help(help)),
        }
    }
}

fn is_one(number: &usize) -> bool {
    *number == 1
}

/// A number that files hold and nothing depends on: written as 0, read as any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "usize", into = "usize")]
pub struct Unrecorded;

impl From<usize> for Unrecorded {
    fn from(_: usize) -> Self {
        Self
    }
}

impl From<Unrecorded> for usize {
    fn from(_: Unrecorded) -> Self {
        0
    }
}

choices! {
    /// How gradients are found. All give the same numbers; only one of them does so in time.
    #[derive(Eq)]
    "gradient method" GradientMethod as text, default "back" {
        /// Back propagation: one backward pass for all weights.
        Back = "back" | "backprop" | "backward" | "reverse",
        /// Forward mode: one sweep a weight, exact.
        Forward = "forward",
        /// Central differences: two runs of the network a weight.
        Differences = "differences",
    }
}

impl GradientMethod {
    /// Whether it is back propagation.
    pub fn is_back(&self) -> bool {
        *self == GradientMethod::Back
    }
}

choices! {
    /// The precision in which the matrices of a step are multiplied.
    #[derive(Eq)]
    #[non_exhaustive]
    "precision" Precision as text, default "f32" {
        /// f32.
        F32 = "f32" | "float32",
        /// Operands rounded to bf16, which has 8 significant bits; products are summed in f32.
        Bf16 = "bf16" | "bfloat16",
        /// Operands split into three numbers of bf16: as exact as f32, for processors with AMX.
        Bf16x3 = "bf16x3",
    }
}

impl Precision {
    /// Whether it is f32.
    pub fn is_full(&self) -> bool {
        *self == Precision::F32
    }

    /// The precision as the kernels know it, which say what its products err at most.
    pub fn of_products(self) -> pullback_kernels::Precision {
        match self {
            Precision::F32 => pullback_kernels::Precision::F32,
            Precision::Bf16 => pullback_kernels::Precision::Bf16,
            Precision::Bf16x3 => pullback_kernels::Precision::Bf16x3,
        }
    }
}

/// How many examples make one step. In a file, a number or `"full"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "BatchForm", try_from = "BatchForm")]
pub enum Batch {
    /// That many; the last step of an epoch takes what is left.
    Of(usize),
    /// All.
    Full,
}

impl Default for Batch {
    fn default() -> Self {
        Batch::Of(32)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "a number of examples or \"full\"")]
enum BatchForm {
    Number(usize),
    Word(String),
}

impl From<Batch> for BatchForm {
    fn from(batch: Batch) -> Self {
        match batch {
            Batch::Of(count) => BatchForm::Number(count),
            Batch::Full => BatchForm::Word("full".into()),
        }
    }
}

impl TryFrom<BatchForm> for Batch {
    type Error = String;
    fn try_from(form: BatchForm) -> Result<Self, String> {
        match form {
            BatchForm::Number(count) => Ok(Batch::Of(count)),
            BatchForm::Word(word) => word.parse().map_err(|error: Error| error.one_line()),
        }
    }
}

impl std::str::FromStr for Batch {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "full" => Ok(Batch::Full),
            _ => text.parse().map(Batch::Of).map_err(|_| {
                Error::configuration(format!("`{text}` is not a batch size"))
                    .help("give a number of examples or `full`")
            }),
        }
    }
}

impl std::fmt::Display for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Batch::Of(count) => write!(f, "{count}"),
            Batch::Full => f.write_str("full"),
        }
    }
}

/// Stops when the watched metric of the validation rows has not improved for a while, and goes back to the best
/// weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStopping {
    /// How many epochs without improvement are waited for.
    pub patience: usize,
    /// By how much the metric must get better to count as an improvement.
    pub least_improvement: f64,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { patience: 10, least_improvement: 0.0 }
    }
}
