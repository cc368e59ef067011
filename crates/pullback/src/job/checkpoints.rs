//! What a run comes to, handed on while it runs, so that it can be taken up again after whatever ended it.
//!
//! The library reads no clock and writes no file here: a [`Keeper`] of the front end says when a state is wanted, and
//! puts it where it likes.

use crate::error::{Error, Result};
use crate::train::{Epoch, Flow, Observer, State, StepReport, Stop, Trained, Trainer};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where a run begins, and who takes what it comes to.
#[derive(Clone, Default)]
pub struct Checkpoints<'a> {
    /// What each network has come to before, by its index; those that are missing begin with their first step. The
    /// state of a network that has ended is its result.
    pub states: Vec<Option<State<f32>>>,
    /// Who takes states.
    pub keeper: Option<&'a dyn Keeper>,
}

impl fmt::Debug for Checkpoints<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epochs: Vec<_> = self.states.iter().map(|state| state.as_ref().map(State::epoch)).collect();
        f.debug_struct("Checkpoints").field("epochs", &epochs).finish_non_exhaustive()
    }
}

/// Takes the states of a run's networks. Networks of an ensemble ask and hand on from their own threads.
pub trait Keeper: Sync {
    /// Whether a network's state is wanted now, after so many whole epochs and steps in all. It is asked after each
    /// step and after each epoch.
    fn is_due(&self, member: usize, epochs: usize, steps: usize) -> bool;

    /// Takes a state: one that was due, and the last one of a network, whatever ended its training. A state whose
    /// numbers are no longer finite is not handed on: the one before leads to the same end.
    fn keep(&self, member: usize, state: &State<f32>);
}

/// Trains a network to its end, and hands on its states.
pub(super) fn train(
    mut trainer: Trainer<'_, f32>,
    (member, keeper): (usize, &dyn Keeper),
    observer: &mut dyn Observer,
) -> Result<Trained<f32>> {
    let mut asking =
        Asking { observer, keeper, member, steps: trainer.steps(), is_due: false, is_stopped: false };
    loop {
        asking.is_due = false;
        let flow = trainer.epoch(&mut asking);
        let is_over = asking.is_stopped || flow == Flow::Stop && !asking.is_due;
        let at_end = flow == Flow::Continue && keeper.is_due(member, trainer.epochs(), trainer.steps());
        if is_over || asking.is_due || at_end {
            keep(&trainer, (member, keeper));
        }
        if is_over {
            return trainer.end(asking.observer);
        }
    }
}

fn keep(trainer: &Trainer<'_, f32>, (member, keeper): (usize, &dyn Keeper)) {
    let is_finite = trainer.parameters().flatten().all(|number| number.is_finite());
    if is_finite && !matches!(trainer.stop(), Some(Stop::Diverged { .. })) {
        keeper.keep(member, &trainer.state());
    }
}

/// Stops a trainer for a moment where its state is wanted.
struct Asking<'a> {
    observer: &'a mut dyn Observer,
    keeper: &'a dyn Keeper,
    member: usize,
    steps: usize,
    is_due: bool,
    /// Whether the observer ended the run.
    is_stopped: bool,
}

impl Observer for Asking<'_> {
    fn step(&mut self, report: &StepReport) -> Flow {
        self.steps += 1;
        self.is_stopped |= self.observer.step(report) == Flow::Stop;
        self.is_due = self.keeper.is_due(self.member, report.epoch, self.steps);
        if self.is_stopped || self.is_due { Flow::Stop } else { Flow::Continue }
    }

    fn epoch(&mut self, epoch: &mut Epoch<'_>) -> Flow {
        let flow = self.observer.epoch(epoch);
        self.is_stopped |= flow == Flow::Stop;
        flow
    }
}

/// How often states are kept. In a file and in a flag, `100` (epochs), `500 steps`, `30s`, `5m` or `1h`.
///
/// ```
/// use pullback::job::Interval;
/// assert_eq!("5m".parse::<Interval>()?, Interval::Seconds(300));
/// assert_eq!("100".parse::<Interval>()?, Interval::Epochs(100));
/// assert_eq!("500 steps".parse::<Interval>()?, Interval::Steps(500));
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "IntervalForm")]
pub enum Interval {
    /// After that many epochs.
    Epochs(usize),
    /// After that many steps.
    Steps(usize),
    /// After that many seconds, when the step that is running is done.
    Seconds(u64),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a number of epochs, or a text such as \"500 steps\" or \"5m\"")]
enum IntervalForm {
    Epochs(usize),
    Text(String),
}

impl TryFrom<IntervalForm> for Interval {
    type Error = String;
    fn try_from(form: IntervalForm) -> Result<Self, String> {
        let text = match form {
            IntervalForm::Epochs(epochs) => epochs.to_string(),
            IntervalForm::Text(text) => text,
        };
        text.parse().map_err(|error: Error| error.one_line())
    }
}

impl FromStr for Interval {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let count = number.parse().ok().filter(|&count: &u64| count > 0);
        let whole = count.and_then(|count| usize::try_from(count).ok());
        let seconds = |each: u64| count.and_then(|count| count.checked_mul(each)).map(Self::Seconds);
        let interval = match unit.trim() {
            "" | "epoch" | "epochs" => whole.map(Self::Epochs),
            "step" | "steps" => whole.map(Self::Steps),
            "s" => seconds(1),
            "m" | "min" => seconds(60),
            "h" => seconds(3600),
            _ => None,
        };
        interval.ok_or_else(|| match number.bytes().all(|digit| digit == b'0') && !number.is_empty() {
            true => super::configuration(
                format!("`{text}` is nothing"),
                "give at least 1: epochs as `100`, steps as `500steps`, a time as `30s`, `5m` or `1h`",
            ),
            false => super::configuration(
                format!("`{text}` does not say how often"),
                "give epochs as `100`, steps as `500steps`, or a time as `30s`, `5m` or `1h`",
            ),
        })
    }
}

/// How long something may take: `30s`, `5m` or `1h`.
///
/// ```
/// use pullback::job::Time;
/// assert_eq!("5m".parse::<Time>()?, Time { seconds: 300 });
/// assert!("5".parse::<Time>().is_err()); // five of what?
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "IntervalForm")]
pub struct Time {
    /// Seconds, at least one.
    pub seconds: u64,
}

impl FromStr for Time {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text.parse() {
            Ok(Interval::Seconds(seconds)) => Ok(Self { seconds }),
            _ => Err(super::configuration(
                format!("`{text}` is no time"),
                "give seconds, minutes or hours, at least one: `30s`, `5m`, `1h`",
            )),
        }
    }
}

impl TryFrom<IntervalForm> for Time {
    type Error = String;
    fn try_from(form: IntervalForm) -> Result<Self, String> {
        let text = match form {
            IntervalForm::Epochs(number) => number.to_string(),
            IntervalForm::Text(text) => text,
        };
        text.parse().map_err(|error: Error| error.one_line())
    }
}

impl From<Time> for String {
    fn from(time: Time) -> Self {
        Interval::Seconds(time.seconds).to_string()
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Epochs(epochs) => write!(f, "{epochs}"),
            Self::Steps(steps) => write!(f, "{steps}steps"),
            Self::Seconds(seconds) if seconds % 3600 == 0 => write!(f, "{}h", seconds / 3600),
            Self::Seconds(seconds) if seconds % 60 == 0 => write!(f, "{}m", seconds / 60),
            Self::Seconds(seconds) => write!(f, "{seconds}s"),
        }
    }
}

impl From<Interval> for String {
    fn from(interval: Interval) -> Self {
        interval.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_read_as_it_is_written() {
        let texts =
            [("7", Interval::Epochs(7)), ("20steps", Interval::Steps(20)), ("90s", Interval::Seconds(90))];
        let more = [("1m", Interval::Seconds(60)), ("2h", Interval::Seconds(7200))];
        for (text, interval) in texts.into_iter().chain(more) {
            assert_eq!(
                (text.parse::<Interval>().unwrap(), interval.to_string()),
                (interval, text.to_owned())
            );
        }
        for text in
            ["", "0", "m", "0s", "-1", "5 weeks", "1.5m", "99999999999999999999", "9999999999999999999h"]
        {
            assert!(text.parse::<Interval>().is_err(), "{text}");
        }
        for json in ["3", "\"3\"", "\"3 epochs\""] {
            assert_eq!(serde_json::from_str::<Interval>(json).unwrap(), Interval::Epochs(3));
        }
    }
}
