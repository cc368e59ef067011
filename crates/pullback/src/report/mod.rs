//! How good a model is: figures from its predictions, as plain data and as text.
//!
//! [`Report`] is the document that machines get; [`text`] renders it for a terminal of 80 columns. [`number`] and
//! [`svg`] serve everything that is shown to people. The library prints nothing: it returns strings.

mod curve;
mod figures;
mod metrics;
pub mod number;
pub mod svg;
pub mod text;

pub use curve::{Series, curve};
pub use figures::Figures;
pub use metrics::{Class, Classification, Numbers, Regression, Report};
