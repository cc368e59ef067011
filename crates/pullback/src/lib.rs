//! Train neural networks by back propagation, and see how it was done.
//!
//! A [`data::Table`] becomes a [`data::Dataset`]; a [`network::Network`] describes layers and cost;
//! [`train::train`] returns the parameters; [`model::Model`] is the file. Underneath, a
//! [`graph::Graph`] holds every operation, [`differentiate::reverse`] appends its backward pass, a
//! [`plan::Plan`] makes it a list of instructions, and an [`execute::Executor`] runs that:
//!
//! ```
//! use pullback::differentiate::reverse;
//! use pullback::execute::reference;
//! use pullback::graph::Builder;
//!
//! let builder = Builder::new();
//! let (x, w) = (builder.input("x", []), builder.parameter("w", []));
//! let a = (w * x).sigmoid();
//! let (w, a) = (w.id().expect("a legal node"), a.id().expect("a legal node"));
//! let graph = builder.finish()?;
//!
//! let gradient = reverse(&graph, a, &[w])?; // da/dw = a (1 - a) x, as further nodes of the graph
//! let values = reference(&gradient.graph, &[vec![2.0_f64], vec![0.0]]);
//! assert_eq!(values[gradient.nodes[0].index()], [0.5]);
//! # Ok::<(), pullback::Error>(())
//! ```
#![forbid(unsafe_code)]
// The page has no use for all of it.
#![cfg_attr(target_family = "wasm", allow(dead_code))]

mod catalog;
pub mod choice;
pub mod data;
mod decimal;
// Not in the page: what it trains in f32 must first be compiled in pullback-wasm, where it is compiled to be fast.
#[cfg(not(target_family = "wasm"))]
pub mod estimator;
pub mod explain;
pub mod files;
pub mod importance;
#[cfg(not(target_family = "wasm"))]
pub mod job;
pub mod model;
pub mod network;
pub mod report;
pub mod train;

#[cfg(not(target_family = "wasm"))]
pub use estimator::{Classifier, LabelClassifier, Regressor};
pub use model::Model;
#[doc(inline)]
pub use pullback_graph::{
    Error, ErrorKind, Result, compact, differentiate, differentiate::check_gradients, error, execute, graph,
    plan, random,
};
#[doc(inline)]
pub use pullback_kernels::Real;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
