//! Watching a training run.

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
pub struct EpochReport {
    /// The epoch, counted from 0.
    pub epoch: usize,
    /// The mean cost over the epoch's examples, each before the step that it was part of.
    pub cost: f64,
    /// The mean cost of the validation examples after the epoch, if there are any.
    pub validation_cost: Option<f64>,
    /// The share of validation examples that are classified right, for classes.
    pub validation_accuracy: Option<f64>,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// The largest norm of the whole gradient in this epoch, before clipping; measured only when
    /// clipping is on.
    pub gradient_norm: Option<f64>,
}

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop after this step or epoch, and keep what is reached.
    Stop,
}

/// Someone who watches a run and may stop it.
pub trait Observer {
    /// After each step.
    fn step(&mut self, _report: &StepReport) -> Flow {
        Flow::Continue
    }

    /// After each epoch.
    fn epoch(&mut self, _report: &EpochReport) -> Flow {
        Flow::Continue
    }
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}
