//! The library's integration tests, one binary.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod allocation;
mod architecture;
mod border;
mod calibration;
mod costs;
mod cross_validation;
mod ensembles;
mod estimators;
mod examples;
mod explain;
mod explain_check;
mod fine_tuning;
mod four_ways;
mod images;
mod importance;
mod intervals;
mod layers;
mod learning;
mod metrics;
mod model_file;
mod mutations;
mod operations;
mod oracle;
mod parts;
mod plans;
mod predictor;
mod preprocessing;
mod random_graphs;
mod remarks;
mod resume;
mod rules;
mod stored;
mod training;
mod weights;
mod worked_examples;
