//! The library's integration tests, one binary.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod allocation;
mod architecture;
mod oracle;
mod training;
