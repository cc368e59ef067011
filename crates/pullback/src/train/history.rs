//! How a training run went.

use super::{Blame, EpochReport};
use serde::{Deserialize, Serialize};

/// What came out of a training run.
#[derive(Debug, Clone)]
pub struct Trained<T> {
    /// The parameters, in the order of [`Network::parameters`](crate::network::Network::parameters).
    pub parameters: Vec<Vec<T>>,
    /// How it went.
    pub history: History,
}

/// How a training run went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// One report an epoch.
    pub epochs: Vec<EpochReport>,
    /// The epoch whose parameters were kept, counted from 0: the best one with early stopping or an observer that
    /// keeps, else the last one. Absent if no epoch was finished.
    pub kept_epoch: Option<usize>,
    /// Why it ended.
    pub stop: Stop,
    /// Where the first number arose that is not finite, if the run diverged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blame: Option<Blame>,
}

/// Why a training run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Stop {
    /// All epochs are done.
    Finished,
    /// The validation cost had not improved for as long as early stopping waits.
    NoImprovement,
    /// The observer said so.
    Observer,
    /// The cost stopped being a finite number at this step; the parameters are the best ones so far, or those from
    /// before the epoch.
    Diverged {
        /// The epoch, counted from 0.
        epoch: usize,
        /// The step of the epoch, counted from 0.
        step: usize,
    },
}
