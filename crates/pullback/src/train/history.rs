//! How a training run went.

use super::{Blame, EpochReport};
use crate::error::{Error, Result};
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
#[serde(try_from = "Document")]
pub struct History {
    /// One report an epoch; of a long run in a model file, those of some [epochs](Self::thinned).
    pub epochs: Vec<EpochReport>,
    /// How many epochs were run.
    pub epoch_count: usize,
    /// The epoch whose parameters were kept, counted from 0: the best one with early stopping or an observer that
    /// keeps, else the last one. Absent if no epoch was finished.
    pub kept_epoch: Option<usize>,
    /// Why it ended.
    pub stop: Stop,
    /// Where the first number arose that is not finite, if the run diverged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blame: Option<Blame>,
}

/// As a model file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    epochs: Vec<EpochReport>,
    /// Absent in the first format, which keeps all epochs.
    epoch_count: Option<usize>,
    kept_epoch: Option<usize>,
    stop: Stop,
    #[serde(default)]
    blame: Option<Blame>,
}

impl TryFrom<Document> for History {
    type Error = Error;
    fn try_from(document: Document) -> Result<Self> {
        let Document { epochs, epoch_count, kept_epoch, stop, blame } = document;
        let epoch_count = epoch_count.unwrap_or(epochs.len());
        let history = Self { epochs, epoch_count, kept_epoch, stop, blame };
        history.check()?;
        Ok(history)
    }
}

/// Why a training run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Stop {
    /// All epochs are done.
    Finished,
    /// The watched metric had not improved for as long as early stopping waits.
    NoImprovement,
    /// The optimizer's search is over: the gradient is within its tolerance, or no step lowers the cost.
    Converged,
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

/// The most epochs that a model file reports of.
pub(crate) const MOST_REPORTS: usize = 2000;

impl History {
    /// The report of the epoch whose parameters were kept, if there is one.
    pub fn kept(&self) -> Option<&EpochReport> {
        self.epochs.iter().find(|report| Some(report.epoch) == self.kept_epoch)
    }

    /// The same, with the reports of at most `most` epochs, at least 3: the first, the last and the kept one, and the
    /// others evenly spaced.
    #[must_use]
    pub fn thinned(&self, most: usize) -> Self {
        let (count, most) = (self.epochs.len(), most.max(3));
        if count <= most {
            return self.clone();
        }
        // One place is left for the kept epoch.
        let mut places: Vec<usize> = (0..most - 1).map(|at| at * (count - 1) / (most - 2)).collect();
        if let Some(kept) = self.epochs.iter().position(|report| Some(report.epoch) == self.kept_epoch) {
            places.push(kept);
            places.sort_unstable();
            places.dedup();
        }
        Self { epochs: places.into_iter().map(|place| self.epochs[place]).collect(), ..self.clone() }
    }

    /// Refuses reports that cannot be of one run.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong = |what: String| Err(Error::training(what));
        let Self { epochs, epoch_count, kept_epoch, .. } = self;
        let ascend = epochs.windows(2).all(|pair| pair[0].epoch < pair[1].epoch);
        if !ascend || epochs.last().is_some_and(|last| last.epoch >= *epoch_count) {
            return wrong(format!(
                "the reports of epochs do not ascend below the {epoch_count} that were run"
            ));
        }
        if epochs.is_empty() != (*epoch_count == 0) {
            return wrong(format!("{epoch_count} epochs were run, but there are {} reports", epochs.len()));
        }
        if kept_epoch.is_some() && self.kept().is_none() {
            return wrong(format!("epoch {} was kept, but not reported of", kept_epoch.unwrap_or(0)));
        }
        match epochs.iter().find(|report| !report.is_possible()) {
            None => Ok(()),
            Some(report) => {
                wrong(format!("epoch {} cannot have gone as is reported of it", report.epoch + 1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_history_keeps_its_ends_and_the_kept_epoch() {
        let report = |epoch| EpochReport {
            epoch,
            cost: 1.0,
            validation_cost: None,
            validation_accuracy: None,
            watched: None,
            learning_rate: 0.1,
            gradient_norm: None,
        };
        let history = |count: usize, kept: usize| History {
            epochs: (0..count).map(report).collect(),
            epoch_count: count,
            kept_epoch: Some(kept),
            stop: Stop::Finished,
            blame: None,
        };
        for (count, kept) in [(1, 0), (2000, 7), (2001, 1999), (5000, 4999), (1_000_000, 123_456)] {
            let whole = history(count, kept);
            let thin = whole.thinned(MOST_REPORTS);
            thin.check().unwrap();
            assert!(thin.epochs.len() <= MOST_REPORTS && thin.epochs.len() >= count.min(MOST_REPORTS - 1));
            assert_eq!((thin.epoch_count, thin.kept().unwrap().epoch), (count, kept));
            assert_eq!(thin.epochs[0].epoch, 0);
            assert_eq!(thin.epochs.last().unwrap().epoch, count - 1);
            let farthest = thin.epochs.windows(2).map(|pair| pair[1].epoch - pair[0].epoch).max();
            assert!(
                farthest.is_none_or(|gap| gap <= count.div_ceil(MOST_REPORTS - 2)),
                "{farthest:?} of {count}"
            );
            let text = serde_json::to_string(&thin).unwrap();
            assert_eq!(serde_json::from_str::<History>(&text).unwrap(), thin);
        }
        let mut lying = history(3, 1);
        lying.epoch_count = 2;
        assert!(lying.check().is_err());
        lying = history(3, 3);
        assert!(lying.check().is_err());
        lying = history(3, 1);
        lying.epochs[1].epoch = 0;
        assert!(lying.check().is_err());
        // The first format does not count epochs.
        let old = r#"{"epochs": [{"epoch": 0, "cost": 1.0, "validation_cost": null, "validation_accuracy": null,
            "learning_rate": 0.1, "gradient_norm": null}], "kept_epoch": 0, "stop": {"kind": "finished"}}"#;
        assert_eq!(serde_json::from_str::<History>(old).unwrap(), history(1, 0));
    }
}
