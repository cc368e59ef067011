//! A person's own example: a network or an expression with its numbers, examples, optimizer, notation and names.
//!
//! A [`WorkedExample`] is a file that a lecturer writes by hand (TOML), the JSON form that programs read, and what a page is
//! made of. File, example and file are the same. What it [expects](WorkedExample::expect) makes the file a test.
//!
//! ```
//! use pullback::explain::WorkedExample;
//!
//! let example = WorkedExample::parse(
//!     r#"
//!     inputs = [0.05, 0.1]
//!     targets = [0.01]
//!     learning_rate = 0.5
//!
//!     [[layer]]
//!     weights = [[0.4, 0.45]]
//!     biases = [0.6]
//!     activation = "sigmoid"
//!     weight_names = [["w1", "w2"]]
//!     "#,
//!     "own.toml",
//! )?;
//! assert_eq!(WorkedExample::parse(&example.to_toml(), "again")?, example);
//! assert!(WorkedExample::parse("inputs = [1]\ntarget = [1]", "own.toml").unwrap_err().to_string().contains("line 2"));
//! # Ok::<(), pullback::Error>(())
//! ```

mod advance;
mod keys;
mod names;
mod quantity;
mod read;
pub(super) mod table;
pub(super) mod tree;
mod write;

pub use advance::Kept;
pub use keys::{VERSION, schema};
pub use names::Names;
pub use quantity::quantities;

use super::examples::Claim;
use super::expression::{Circuit, Expression};
use super::{Notation, Trace};
use crate::error::{Error, Result};
use crate::network::{Mode, Network};
use crate::train::Training;
use tree::Node;

/// An example with everything that its page depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkedExample {
    /// What its page is called; empty where nothing is said.
    pub title: String,
    /// Who published it, where.
    pub source: String,
    /// Whose symbols are used.
    pub notation: Notation,
    /// The code of the language; absent where the reader chooses.
    pub language: Option<String>,
    /// What is computed.
    pub subject: Subject,
    /// Numbers that must come out.
    pub expect: Vec<Expectation>,
}

/// What a state is of.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// A network with its numbers.
    Network(Box<NetworkExample>),
    /// A formula of single numbers.
    Expression(Expression),
}

/// A network with its numbers, on examples.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkExample {
    /// The network.
    pub network: Network,
    /// The numbers of its parameters, in their order.
    pub parameters: Vec<Vec<f64>>,
    /// The inputs of each example, one after the other.
    pub inputs: Vec<f64>,
    /// The targets of each example.
    pub targets: Vec<f64>,
    /// How often each example counts.
    pub weights: Option<Vec<f64>>,
    /// How many examples there are.
    pub rows: usize,
    /// Optimizer, learning rate and seed.
    pub training: Training,
    /// Whether dropout drops, and batch norm takes the batch's own figures.
    pub mode: Mode,
    /// What the optimizer keeps from the steps before; nothing where the next step is the first.
    pub kept: Kept,
    /// The places of the parameters that a step leaves as they are.
    pub fixed: Vec<usize>,
    /// What inputs, outputs, units, weights and biases are called.
    pub names: Names,
}

/// A number that must come out.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// What it is: `out_h1`, `dE/dw5`, `w5 after a step`.
    pub quantity: String,
    /// The number.
    pub number: Expected,
    /// Where the number comes from; empty where nothing is said.
    pub source: String,
    /// Why the number is wrong, where it is known to be.
    pub erratum: Option<String>,
}

/// What a number must be.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// This, to its last digit.
    Digits(String),
    /// Below this.
    Below(f64),
    /// At least this.
    AtLeast(f64),
}

impl WorkedExample {
    /// Reads a file: TOML, or JSON if it begins with `{`. `source` is what the file is called.
    ///
    /// # Errors
    /// With the line, the key, and the known name that was probably meant; for numbers that do not fit, both shapes.
    pub fn parse(text: &str, source: &str) -> Result<Self> {
        if !text.trim_start().starts_with('{') {
            return read::state(&Node::from_toml(text, source)?, source);
        }
        let json = serde_json::from_str(text).map_err(|error| {
            let place = crate::error::Place::source(source).line(error.line() as u64);
            Error::configuration(error.to_string()).at(place).help("correct it: the file begins like JSON")
        })?;
        Self::from_json(&json, source)
    }

    /// Reads the JSON form, or the document of `explain --format json`, which holds it as `state`.
    ///
    /// # Errors
    /// As [`WorkedExample::parse`], without lines.
    pub fn from_json(json: &serde_json::Value, source: &str) -> Result<Self> {
        read::state(&Node::from_json(json.get("state").unwrap_or(json)), source)
    }

    /// Reads a file's tree, or a part of another file's.
    pub(super) fn from_node(node: &Node, source: &str) -> Result<Self> {
        read::state(node, source)
    }

    /// The file.
    pub fn to_toml(&self) -> String {
        write::tree(self).to_toml()
    }

    /// The JSON form.
    pub fn to_json(&self) -> serde_json::Value {
        let mut json = write::tree(self).to_json();
        json["version"] = VERSION.into();
        json
    }

    /// The forward and backward pass of its network, if it is of one.
    ///
    /// # Errors
    /// If the network contradicts itself.
    pub fn trace(&self) -> Result<Option<Trace>> {
        match &self.subject {
            Subject::Network(example) => example.trace().map(Some),
            Subject::Expression(_) => Ok(None),
        }
    }

    /// The graph of its expression with all numbers, if it is of one.
    ///
    /// # Errors
    /// If the expression has no number for a variable.
    pub fn circuit(&self) -> Result<Option<Circuit>> {
        match &self.subject {
            Subject::Network(_) => Ok(None),
            Subject::Expression(expression) => expression.circuit().map(Some),
        }
    }

    /// The expected numbers beside ours.
    ///
    /// # Errors
    /// If a quantity is not known: with the nearest that is.
    pub fn claims(&self) -> Result<Vec<Claim>> {
        quantity::claims(self)
    }
}

impl NetworkExample {
    /// The forward and backward pass.
    ///
    /// # Errors
    /// If the network contradicts itself.
    pub fn trace(&self) -> Result<Trace> {
        Trace::weighted(
            &self.network,
            &self.parameters,
            (&self.inputs, &self.targets, self.weights.as_deref()),
            self.rows,
            self.mode,
            self.training.seed,
        )
    }
}
