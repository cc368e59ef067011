//! What a training run is told, beside the network and the data.

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
