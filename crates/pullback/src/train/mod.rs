//! Gradient descent: batches, optimizer, schedule, validation, early stopping, progress.
//!
//! [`train`] is the loop over a [`Trainer`], whose [`State`] can be saved and taken up again; the command line, Python
//! and the browser watch it through an [`Observer`] and share its configuration, [`Training`].

mod augment;
mod blame;
mod configuration;
mod evaluate;
mod exact;
mod forward;
mod gradient;
mod history;
pub mod metric;
mod observer;
mod optimizer;
mod rate;
mod schedule;
mod state;
mod stepper;
mod trainer;

pub use crate::execute::Machine;
pub use augment::Augmentation;
pub use blame::{Blame, Cause};
pub use configuration::{Batch, EarlyStopping, GradientMethod, Precision, Training, Unrecorded};
pub use evaluate::{Evaluation, evaluate, evaluation_batch, most_likely, predict};
pub(crate) use forward::Forward;
pub use gradient::OneByOne;
pub(crate) use history::MOST_REPORTS;
pub use history::{History, Stop, Trained};
pub use metric::{For, IntervalBy, Metric, Scored, Truth, best_constant};
pub use observer::{CandidateReport, Epoch, EpochReport, Flow, MemberReport, Observer, Silent, StepReport};
pub use optimizer::{NextStep, Optimizer, StepFormulas};
pub use rate::{RatePoint, RateRange, RateTest, test_rates};
pub use schedule::{Schedule, Shape};
pub use state::State;
pub use trainer::{Trainer, train};
