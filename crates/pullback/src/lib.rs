//! Train neural networks by back propagation, and see how it was done.
#![forbid(unsafe_code)]

pub mod differentiate;
pub mod error;
pub mod execute;
pub mod graph;
pub mod plan;
pub mod random;

pub use error::{Error, Result};
pub use pullback_kernels::Real;
