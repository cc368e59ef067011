//! The glass box: every number of one forward and backward pass, and how it was computed.
//!
//! [`Trace`] reads the numbers off the graph that the trainer runs. [`describe`] puts them into a [`Document`], chapter
//! by chapter, in the language of a [`Catalog`]; `render` makes text, Markdown or HTML of a document, and JSON or a
//! drawing of a trace. A [`WorkedExample`] is a person's own: a file with a network or an expression and its numbers;
//! [`examples`] holds well-known ones, with their published numbers.
//!
//! ```
//! use pullback::explain::{Catalog, Options, Trace, describe};
//! use pullback::network::{Activation, Cost, Network};
//!
//! let network = Network::dense(2, &[2], 1, Activation::Sigmoid, Cost::SquaredError);
//! let trace = Trace::new(&network, &network.initialize(0)?, &[0.5, -1.0], &[1.0], 1)?;
//! let page = describe(&trace, "One example", &Options::default(), &Catalog::english());
//! assert!(page.text(80, false).contains("Backward pass"));
//! // A weight's gradient is its unit's delta times the unit's input.
//! let layer = &trace.dense()[0];
//! let product = trace.at(layer.delta, 0, 1) * trace.at(layer.input, 0, 0);
//! assert!((trace.gradient(layer.weight)[2] - product).abs() < 1e-15);
//! # Ok::<(), pullback::Error>(())
//! ```

mod address;
mod against;
mod chapters;
mod check;
mod document;
pub mod examples;
mod expression;
mod figures;
mod findings;
pub mod four_ways;
mod labels;
mod lesson;
mod mistakes;
mod notation;
mod nudge;
mod page;
mod reading;
mod render;
mod rows;
mod scene;
mod steps;
mod trace;
mod update;
mod worked;
mod written;

pub use crate::catalog::{CODES, Catalog, LANGUAGES, with_particle};
pub use address::{Address, Addresses};
pub use against::{Beside, Layout, against};
pub use chapters::{MeanOptions, Vote, describe_circuit, describe_claims, describe_mean};
pub use check::{CheckOptions, ParameterCheck, check, check_size, check_watched};
pub use document::{Block, Document, SECTIONS};
pub use expression::{Circuit, Expression, Gate, Operand};
pub use figures::{FLAT, LayerFigures, layer_figures};
pub use findings::{Blame, BlamedFactor, Finding, diagnose};
pub use lesson::{Lesson, LessonQuestion, LessonStep, Moment as LessonMoment};
pub use mistakes::{
    Answered, Answers, Asked, Judged, Mistake, NEAR_RIGHT, Question, Verdict, Wrong, answers,
};
pub use notation::{Notation, Symbol};
pub use page::{Focus, MOST_LAYERS_IN_FULL, Options, describe, describe_number};
pub use render::animation::{Animation, Cue, animation};
pub use render::html::Drawings;
pub use render::picture::{picture, picture_at};
pub use render::{diagram, json};
pub use rows::{NamedInput, PredictedRow, named_inputs, predicted_row, trace_rows, worked_rows};
pub use scene::{Anchor, Figure, MOST_GATES, MOST_UNITS, READABLE, Role, Scene, Shape, Size, scene};
pub use steps::{Action, Level, Makes, Pass, Place, Said, Step, Steps, Term};
pub use trace::{
    Activated, Dense, Factor, FactorKind, Filters, Imaging, LayerName, Link, Part, Trace, Weighted,
};
pub use worked::{
    Expectation, Expected, Kept, Names, NetworkExample, Subject, VERSION, WorkedExample, quantities, schema,
};
