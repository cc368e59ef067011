//! Train neural networks by back propagation, and see how it was done.
#![forbid(unsafe_code)]

pub mod data;
pub mod differentiate;
pub mod error;
pub mod execute;
pub mod graph;
pub mod model;
pub mod network;
pub mod plan;
pub mod random;
pub mod report;
pub mod train;

pub use error::{Error, Result};
pub use pullback_kernels::Real;
