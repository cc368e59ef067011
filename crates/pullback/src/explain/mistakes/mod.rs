//! The classic wrong answers to "which number comes here?", and what each of them shows.
//!
//! Of a number that a learner is asked for, [`answers`] knows the right value and those that come out if one of eight
//! mistakes is made on the way. They are computed as a learner would: by the passes written out by hand, with one thing
//! changed. What is right is the trace's own number, and the passes by hand must give it before any mistake is believed.
//!
//! ```
//! use pullback::explain::{Asked, Catalog, Mistake, Verdict, answers, examples};
//!
//! let mazur = examples::find("mazur").expect("an example")?.worked;
//! let asked: Asked = "gradient.2.0.0".parse()?;
//! let answers = answers(&mazur, &asked)?;
//! assert!(matches!(answers.judge(0.0822), Verdict::Right));
//! // What arrives times the input, 0.7414 * 0.5933: the slope is forgotten.
//! let Verdict::Mistaken(wrong) = answers.judge(0.4398) else { panic!("a mistake") };
//! assert_eq!(wrong.mistake, Mistake::Slope);
//! assert!(wrong.text(&Catalog::english()).contains("0.1868"));
//! # Ok::<(), pullback::Error>(())
//! ```

mod circuit;
mod hand;
mod question;

pub use question::{Answered, Judged, Question};

use super::{Catalog, Subject, WorkedExample};
use crate::compact::sort_by_key;
use crate::error::{Error, Result};
use crate::report::number::significant;
use std::fmt;
use std::str::FromStr;

/// A number that can be asked for. Layers are counted from 1, units and inputs from 0; of several examples, the numbers
/// of units are those of the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A weighted sum: `sum.1.0`.
    Sum(usize, usize),
    /// An activation: `activation.1.0`.
    Activation(usize, usize),
    /// The cost: `cost`.
    Cost,
    /// What a unit's delta brings back over one weight: `passed.2.1.0`.
    Passed(usize, usize, usize),
    /// What arrives at a unit over all its paths: `arriving.1.0`.
    Arriving(usize, usize),
    /// The derivative of the cost with respect to a weighted sum: `delta.1.0`.
    Delta(usize, usize),
    /// The gradient of a weight: `gradient.2.1.0`.
    Gradient(usize, usize, usize),
    /// A weight after a step: `weight.2.1.0`.
    NewWeight(usize, usize, usize),
    /// The norm of a layer's deltas: `norm.5`.
    Norm(usize),
    /// How many forward passes it takes to try every weight once: `tries`.
    Tries,
    /// How many paths lead from a weight to the cost: `paths.1.0.0`.
    Paths(usize, usize, usize),
    /// The derivative of a formula's result: `derivative.a`.
    Derivative(String),
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sum(l, j) => write!(f, "sum.{l}.{j}"),
            Self::Activation(l, j) => write!(f, "activation.{l}.{j}"),
            Self::Cost => write!(f, "cost"),
            Self::Passed(l, j, i) => write!(f, "passed.{l}.{j}.{i}"),
            Self::Arriving(l, j) => write!(f, "arriving.{l}.{j}"),
            Self::Delta(l, j) => write!(f, "delta.{l}.{j}"),
            Self::Gradient(l, j, i) => write!(f, "gradient.{l}.{j}.{i}"),
            Self::NewWeight(l, j, i) => write!(f, "weight.{l}.{j}.{i}"),
            Self::Norm(l) => write!(f, "norm.{l}"),
            Self::Tries => write!(f, "tries"),
            Self::Paths(l, j, i) => write!(f, "paths.{l}.{j}.{i}"),
            Self::Derivative(name) => write!(f, "derivative.{name}"),
        }
    }
}

impl FromStr for Asked {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (kind, rest) = text.split_once('.').unwrap_or((text, ""));
        if let ("derivative", false) = (kind, rest.is_empty()) {
            return Ok(Self::Derivative(rest.to_owned()));
        }
        let numbers: Option<Vec<usize>> =
            rest.split('.').filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect();
        Ok(match (kind, numbers.as_deref()) {
            ("sum", Some(&[l, j])) => Self::Sum(l, j),
            ("activation", Some(&[l, j])) => Self::Activation(l, j),
            ("cost", Some([])) => Self::Cost,
            ("passed", Some(&[l, j, i])) => Self::Passed(l, j, i),
            ("arriving", Some(&[l, j])) => Self::Arriving(l, j),
            ("delta", Some(&[l, j])) => Self::Delta(l, j),
            ("gradient", Some(&[l, j, i])) => Self::Gradient(l, j, i),
            ("weight", Some(&[l, j, i])) => Self::NewWeight(l, j, i),
            ("norm", Some(&[l])) => Self::Norm(l),
            ("tries", Some([])) => Self::Tries,
            ("paths", Some(&[l, j, i])) => Self::Paths(l, j, i),
            _ => {
                return Err(Error::configuration(format!("`{text}` names no number that can be asked for"))
                    .help("write it as gradient.LAYER.TO.FROM, delta.LAYER.UNIT or derivative.NAME"));
            }
        })
    }
}

/// What went wrong, the most specific first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mistake {
    /// A slope was not multiplied by.
    Slope,
    /// What comes over one path is missing.
    Path,
    /// A unit's delta was passed on before all that arrives at it had arrived.
    Order,
    /// A weight was taken after its step.
    NewWeight,
    /// The activation stands for the weighted sum, or the other way round.
    Place,
    /// Only the last of the parts was taken.
    Accumulated,
    /// The mean over the examples was not taken.
    Mean,
    /// The target less the activation, for the activation less the target.
    Sign,
}

impl Mistake {
    /// All, in their order.
    pub const ALL: [Self; 8] = [
        Self::Slope,
        Self::Path,
        Self::Order,
        Self::NewWeight,
        Self::Place,
        Self::Accumulated,
        Self::Mean,
        Self::Sign,
    ];
}

/// The values of an explanation, by their names in its message.
type Values = Vec<(&'static str, String)>;

/// A wrong number.
#[derive(Debug, Clone, PartialEq)]
pub struct Wrong {
    /// How one comes to it.
    pub mistake: Mistake,
    /// What comes out.
    pub number: f64,
    /// The key of its explanation.
    pub key: &'static str,
    /// The values in that.
    values: Values,
}

impl Wrong {
    /// What went wrong, in the language of a catalog.
    pub fn text(&self, catalog: &Catalog) -> String {
        let values: Vec<(&str, &dyn fmt::Display)> =
            self.values.iter().map(|(name, value)| (*name, value as &dyn fmt::Display)).collect();
        catalog.say(self.key, &values)
    }
}

/// The right number, and the wrong ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// What the number is called.
    pub name: String,
    /// The right one.
    pub right: f64,
    /// The wrong ones, each different from the right one.
    pub wrong: Vec<Wrong>,
}

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict<'a> {
    /// It is right.
    Right,
    /// A known mistake was made.
    Mistaken(&'a Wrong),
    /// It is wrong, and nobody knows why.
    Other,
}

/// A learner rounds: an answer this near to the right one is right.
pub const NEAR_RIGHT: f64 = 0.02;
/// An answer this near to a wrong number is that.
const NEAR_WRONG: f64 = 0.005;
/// Wrong numbers this near to the right one are not told from it, nor from each other.
const SAME: f64 = 1e-6;
/// A wrong number beside the right one is believed if the answer is so much nearer to it.
const MUCH_NEARER: f64 = 0.05;
/// The significant digits of numbers in explanations.
const DIGITS: usize = 4;

impl Answers {
    fn new(name: String, right: f64, wrong: Vec<Wrong>) -> Self {
        let mut kept: Vec<Wrong> = Vec::new();
        let mut wrong = wrong;
        sort_by_key(&mut wrong, |own| own.mistake);
        for own in wrong {
            // What a more specific mistake leads to is told by that.
            let is_known = kept.iter().any(|known| is_near(own.number, known.number, SAME));
            if own.number.is_finite() && !is_near(own.number, right, SAME) && !is_known {
                kept.push(own);
            }
        }
        Self { name, right, wrong: kept }
    }

    /// What a learner's number is. Of several mistakes the nearest, of equals the most specific.
    pub fn judge(&self, given: f64) -> Verdict<'_> {
        let from_right = (given - self.right).abs();
        let is_right = is_near(given, self.right, NEAR_RIGHT);
        let is_meant = |own: &&Wrong| {
            let distance = (given - own.number).abs();
            is_near(given, own.number, NEAR_WRONG) && (!is_right || distance < MUCH_NEARER * from_right)
        };
        let mut best: Option<&Wrong> = None;
        for own in self.wrong.iter().filter(is_meant) {
            if best.is_none_or(|known| (given - own.number).abs() < (given - known.number).abs()) {
                best = Some(own);
            }
        }
        match best {
            Some(own) => Verdict::Mistaken(own),
            None if is_right => Verdict::Right,
            None => Verdict::Other,
        }
    }
}

fn is_near(x: f64, to: f64, tolerance: f64) -> bool {
    (x - to).abs() <= tolerance * to.abs() + f64::MIN_POSITIVE
}

fn shown(x: f64) -> String {
    significant(x, DIGITS)
}

/// The right answer to a question, and the wrong ones.
///
/// # Errors
/// If the example has no such number, or if its layers do more than a dense network's, so that the passes by hand do
/// not give it.
pub fn answers(worked: &WorkedExample, asked: &Asked) -> Result<Answers> {
    match (&worked.subject, asked) {
        (Subject::Network(example), asked) if !matches!(asked, Asked::Derivative(_)) => {
            hand::answers(example, worked.notation, asked)
        }
        (Subject::Expression(expression), Asked::Derivative(name)) => {
            circuit::answers(&expression.circuit()?, name)
        }
        (Subject::Network(_), _) => Err(Error::configuration("a network has no such derivative")
            .help("ask for a gradient, as gradient.2.1.0")),
        (Subject::Expression(_), _) => {
            Err(Error::configuration("a formula has no layers").help("ask for a derivative, as derivative.a"))
        }
    }
}
