//! How good a model is: figures from its predictions, as plain data and as text.
//!
//! [`Report`] is the document that machines get; [`text`] renders it for a terminal, beside what is
//! reached without a network ([`Baseline`]), with how sure each figure is ([`Intervals`]). [`number`] and
//! [`svg`] serve everything that is shown to people. The library prints nothing: it returns strings.
//!
//! ```
//! use pullback::explain::Catalog;
//! use pullback::report::{Classification, Report, text};
//! use pullback::train::Metric;
//!
//! let names = ["no".to_owned(), "yes".to_owned()];
//! let report = Classification::new(&[0.1, 0.9, 0.8, 0.4], 1, &[0, 1, 1, 1], &names)?;
//! assert_eq!(report.figures.get(Metric::Accuracy), Some(0.75));
//! let shown = text::render(&Report::Classification(report), 80, &Catalog::english());
//! assert!(shown.starts_with("accuracy 75.00 %"));
//! # Ok::<(), pullback::Error>(())
//! ```

mod baseline;
mod curve;
mod figures;
mod folds;
mod intervals;
mod labels;
mod metrics;
pub mod names;
pub mod number;
pub mod svg;
pub mod text;

pub use baseline::{Baseline, BaselineKind};
pub use curve::{Series, curve};
pub use figures::{Figures, shown};
pub use folds::{Folds, Spread};
pub use intervals::Intervals;
pub use labels::{Label, Labels};
pub use metrics::{Class, Classification, Measure, Numbers, Regression, Report};
