//! The library's integration tests, one binary.

mod oracle;
mod training;
