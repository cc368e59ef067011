//! A formula as people write it, `(x + y) * z`, or lines like `c = a + b`.
//!
//! `parse` reads it, `circuit` makes a graph of gates of it, `write` prints it in text and LaTeX.

mod circuit;
mod parse;
mod write;

pub use circuit::{Circuit, Gate, Operand};

use crate::error::{Error, Place, Result};
use crate::graph::Var;
use crate::graph::ops::{self, Op};

/// A formula, and the numbers of its variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    text: String,
    at: Vec<(String, f64)>,
    lines: Vec<Line>,
}

/// A line of a formula: the last one is the output.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    name: Option<String>,
    term: Term,
}

#[derive(Debug, Clone, PartialEq)]
enum Term {
    Number(f64),
    Name(String),
    Gate(Operation, Vec<Term>),
}

/// What a gate does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Negative,
    /// A function of the list.
    Function(usize),
}

/// A function that formulas have: name, other name, number of operands, and how it is built.
struct Function {
    name: &'static str,
    also: &'static str,
    operands: usize,
    build: for<'b> fn(&[Var<'b>]) -> Var<'b>,
}

fn apply<'b>(x: &[Var<'b>], op: impl Into<Op>) -> Var<'b> {
    x[0].builder().apply(op, &x[..1])
}

/// The larger of two numbers. Where they are equal, each gets half of the derivative.
fn larger<'b>(x: &[Var<'b>]) -> Var<'b> {
    let numbers: Vec<Var<'b>> = x.iter().map(|x| x.reshape([1])).collect();
    let both = x[0].builder().apply(ops::Concatenate { axis: 0 }, &numbers);
    both.builder().apply(ops::Max { axes: vec![0], keep_axes: false }, &[both])
}

const FUNCTIONS: &[Function] = &[
    Function { name: "exp", also: "", operands: 1, build: |x| x[0].exp() },
    Function { name: "log", also: "ln", operands: 1, build: |x| x[0].log() },
    Function { name: "sqrt", also: "", operands: 1, build: |x| x[0].power(0.5) },
    Function { name: "abs", also: "", operands: 1, build: |x| x[0].abs() },
    Function { name: "sign", also: "", operands: 1, build: |x| x[0].sign() },
    Function { name: "erf", also: "", operands: 1, build: |x| apply(x, ops::Erf) },
    Function { name: "sigmoid", also: "logistic", operands: 1, build: |x| x[0].sigmoid() },
    Function { name: "tanh", also: "", operands: 1, build: |x| x[0].tanh() },
    Function { name: "relu", also: "", operands: 1, build: |x| apply(x, ops::Relu) },
    Function {
        name: "leaky_relu",
        also: "lrelu",
        operands: 1,
        build: |x| apply(x, ops::LeakyRelu { slope: 0.01.into() }),
    },
    Function { name: "elu", also: "", operands: 1, build: |x| apply(x, ops::Elu { alpha: 1.0.into() }) },
    Function { name: "gelu", also: "", operands: 1, build: |x| apply(x, ops::Gelu) },
    Function { name: "silu", also: "swish", operands: 1, build: |x| apply(x, ops::Silu) },
    Function { name: "softplus", also: "", operands: 1, build: |x| apply(x, ops::Softplus) },
    Function { name: "max", also: "", operands: 2, build: larger },
    Function { name: "min", also: "", operands: 2, build: |x| -larger(&[-x[0], -x[1]]) },
];

impl Operation {
    fn build<'b>(self, x: &[Var<'b>], exponent: Option<f64>) -> Var<'b> {
        match (self, exponent) {
            (Operation::Add, _) => x[0] + x[1],
            (Operation::Subtract, _) => x[0] - x[1],
            (Operation::Multiply, _) => x[0] * x[1],
            (Operation::Divide, _) => x[0] / x[1],
            // Also to the power of 1, so that the gate is there.
            (Operation::Power, Some(exponent)) => apply(x, ops::Power(exponent.into())),
            (Operation::Power, None) => (x[1] * x[0].log()).exp(),
            (Operation::Negative, _) => apply(x, ops::Scale((-1.0).into())),
            (Operation::Function(at), _) => (FUNCTIONS[at].build)(x),
        }
    }
}

/// The longest formula, in characters.
const LONGEST: usize = 20_000;
/// The most lines.
const MOST_LINES: usize = 1000;

impl Expression {
    /// Reads a formula, or lines of them; `#` begins a remark.
    ///
    /// # Errors
    /// With the line, and what is wrong there; for an unknown function or variable, with the nearest known.
    pub fn parse(text: &str, at: Vec<(String, f64)>) -> Result<Self> {
        let lines = Self::lines_of(text)?;
        if let Some(own) = (1..at.len()).find(|&own| at[..own].iter().any(|(name, _)| *name == at[own].0)) {
            return Err(Error::configuration(format!("`{}` has two numbers", at[own].0)).help("give it one"));
        }
        let expression = Self { text: text.to_owned(), at, lines };
        expression.check()?;
        Ok(expression)
    }

    fn lines_of(text: &str) -> Result<Vec<Line>> {
        if text.len() > LONGEST {
            return Err(Error::configuration(format!("the formula has {} characters", text.len()))
                .help(format!("write at most {LONGEST}")));
        }
        let mut lines = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let code = line.split('#').next().unwrap_or_default();
            for part in code.split(';').filter(|part| !part.trim().is_empty()) {
                let placed = |error: Error| {
                    let place = Place::source("the expression").line(number as u64 + 1);
                    if text.contains('\n') { error.at(place) } else { error }
                };
                lines.push(parse::line_of(part).map_err(placed)?);
            }
        }
        if lines.len() > MOST_LINES {
            return Err(Error::configuration(format!("the formula has {} lines", lines.len()))
                .help(format!("write at most {MOST_LINES}")));
        }
        if lines.is_empty() {
            return Err(Error::configuration("there is no formula").help("write one, such as `(x + y) * z`"));
        }
        Ok(lines)
    }

    /// The variables that need numbers, in the order in which a formula, or lines of them, names them.
    ///
    /// # Errors
    /// As [`Expression::parse`], but for missing numbers.
    pub fn needs(text: &str) -> Result<Vec<String>> {
        Ok(Self { text: text.to_owned(), at: Vec::new(), lines: Self::lines_of(text)? }.variables())
    }

    /// The names that a formula needs numbers for; absent where it cannot be read.
    pub(in crate::explain) fn names(text: &str) -> Option<Vec<String>> {
        let line = parse::line_of(text).ok()?;
        Some(Self { text: text.to_owned(), at: Vec::new(), lines: vec![line] }.variables())
    }

    /// The formula as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The numbers of its variables.
    pub fn at(&self) -> &[(String, f64)] {
        &self.at
    }

    /// The variables that the formula needs, in the order in which it names them.
    pub fn variables(&self) -> Vec<String> {
        fn walk(term: &Term, defined: &[&str], found: &mut Vec<String>) {
            match term {
                Term::Name(name) if !defined.contains(&name.as_str()) && !found.contains(name) => {
                    found.push(name.clone());
                }
                Term::Gate(_, operands) => operands.iter().for_each(|term| walk(term, defined, found)),
                Term::Name(_) | Term::Number(_) => {}
            }
        }
        let (mut defined, mut found) = (Vec::new(), Vec::new());
        for line in &self.lines {
            walk(&line.term, &defined, &mut found);
            defined.extend(line.name.as_deref());
        }
        found
    }

    /// Each variable has a number, and each number a variable.
    fn check(&self) -> Result<()> {
        let variables = self.variables();
        if variables.is_empty() && self.at.is_empty() {
            return Err(Error::configuration(
                "the formula has no variable, so there is nothing to derive by",
            )
            .help("name a number and give it, as `2 * x` with x=3"));
        }
        let given = || self.at.iter().map(|(name, _)| name.as_str());
        if let Some(missing) = variables.iter().find(|name| given().all(|own| own != name.as_str())) {
            let error = Error::configuration(format!("`{missing}` has no number"));
            let near = crate::error::nearest_name(
                missing,
                given().filter(|own| !variables.iter().any(|v| v == own)),
            );
            return Err(match near {
                Some(near) => error.help(format!("did you mean `{near}`, which has one?")),
                None => error.help(format!("give one, as `{missing}=2`, or name an earlier line so")),
            });
        }
        match given().find(|name| variables.iter().all(|own| own != name)) {
            Some(unused) if variables.is_empty() => {
                Err(Error::configuration(format!("`{unused}` has a number, but the formula has no variable"))
                    .help(format!("write `{unused}` in the formula, as `2 * {unused}`")))
            }
            Some(unused) => Err(Error::configuration(format!(
                "`{unused}` has a number, but the formula has no such variable"
            ))
            .unknown(unused, &variables)),
            None => Ok(()),
        }
    }
}
