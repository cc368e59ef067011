//! The library's integration tests, one binary.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod allocation;
mod architecture;
mod operations;
mod oracle;
mod plans;
mod random_graphs;
mod training;
mod worked_examples;
