//! Computation graphs: built, differentiated, planned and executed.
//!
//! A [`graph::Graph`] holds every operation, [`differentiate::reverse`] appends its backward pass, a [`plan::Plan`]
//! makes it a list of instructions, and an [`execute::Executor`] runs that:
//!
//! ```
//! use pullback_graph::differentiate::reverse;
//! use pullback_graph::execute::reference;
//! use pullback_graph::graph::Builder;
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
//! # Ok::<(), pullback_graph::Error>(())
//! ```
//!
//! The crate `pullback` has these modules under its own name. They are a crate so that what computes can be compiled to
//! be fast where all around it is compiled to be small, as in the Python package.
#![forbid(unsafe_code)]
// The page has no use for all of it.
#![cfg_attr(target_family = "wasm", allow(dead_code))]

pub mod compact;
pub mod differentiate;
pub mod error;
pub mod execute;
pub mod graph;
pub mod plan;
pub mod random;

pub use error::{Error, ErrorKind, Result};
