//! Gradient descent: batches, optimizer, schedule, validation, early stopping, progress.
//!
//! [`train`] is the loop; the command line, Python and the browser watch it through an
//! [`Observer`] and share its configuration, [`Training`].

mod configuration;
mod gradient;
mod observer;
mod optimizer;
mod schedule;
mod trainer;

pub use crate::execute::Machine;
pub use configuration::{Batch, EarlyStopping, GradientMethod, Precision, Training, Unrecorded};
pub use observer::{EpochReport, Flow, Observer, Silent, StepReport};
pub use optimizer::Optimizer;
pub use schedule::{Schedule, Shape};
pub use trainer::{Evaluation, History, Stop, Trained, evaluate, most_likely, predict, train};
