//! From a table to numbers.
#![allow(missing_docs, dead_code, unused)]
mod batches;
mod dataset;
mod preprocess;
pub use batches::{batches, epoch_order};
pub use dataset::{Dataset, Features, Targets};
