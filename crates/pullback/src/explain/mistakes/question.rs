//! Questions about an example, and what an answer to one is told.

use super::{Asked, Mistake, Verdict, answers, is_near, shown};
use crate::error::{Error, Result};
use crate::explain::{Catalog, Subject, WorkedExample};
use std::fmt;
use std::str::FromStr;

/// A question of one of three kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// A number: `number:gradient.2.0.0`.
    Number(Asked),
    /// Whether a number is above zero, below it, or zero: `sign:gradient.2.0.0`.
    Sign(Asked),
    /// Which of two numbers is larger, without their signs: `larger:norm.1,norm.2`.
    Larger(Asked, Asked),
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(asked) => write!(f, "number:{asked}"),
            Self::Sign(asked) => write!(f, "sign:{asked}"),
            Self::Larger(first, second) => write!(f, "larger:{first},{second}"),
        }
    }
}

impl FromStr for Question {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (kind, of) = text.split_once(':').unwrap_or(("", text));
        match (kind.trim(), of.split_once(',')) {
            ("number", None) => Ok(Self::Number(of.trim().parse()?)),
            ("sign", None) => Ok(Self::Sign(of.trim().parse()?)),
            ("larger", Some((first, second))) => {
                Ok(Self::Larger(first.trim().parse()?, second.trim().parse()?))
            }
            _ => Err(Error::configuration(format!("`{text}` is no question"))
                .help("write number:gradient.2.0.0, sign:delta.1.0 or larger:norm.1,norm.2")),
        }
    }
}

/// What a learner answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answered {
    /// A number.
    Number(f64),
    /// A choice, counted from 0, of [`Question::choices`].
    Choice(usize),
}

/// What is said of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Whether it is right.
    pub is_right: bool,
    /// The mistake that leads to it, where one is known.
    pub mistake: Option<Mistake>,
    /// Why, in one or two sentences.
    pub text: String,
}

impl Question {
    /// The numbers that it is about.
    pub fn asked(&self) -> Vec<&Asked> {
        match self {
            Self::Number(asked) | Self::Sign(asked) => vec![asked],
            Self::Larger(first, second) => vec![first, second],
        }
    }

    /// The question in words.
    ///
    /// # Errors
    /// If the example has no such number.
    pub fn text(&self, worked: &WorkedExample, catalog: &Catalog) -> Result<String> {
        let name = |asked: &Asked| answers(worked, asked).map(|answers| answers.name);
        Ok(match self {
            Self::Number(asked) => {
                let layer = if let Asked::Norm(layer) = asked { *layer } else { 0 };
                catalog.say(
                    &format!("lab.ask_number_{}", asked.kind()),
                    &[("name", &name(asked)?), ("layer", &layer)],
                )
            }
            Self::Sign(asked) => catalog.say("lab.ask_sign", &[("name", &name(asked)?)]),
            Self::Larger(first, second) => {
                let key = match (first, second) {
                    (Asked::Norm(_), Asked::Norm(_)) => "lab.ask_larger_norm",
                    _ => "lab.ask_larger",
                };
                let [first, second] = [called(worked, first, catalog)?, called(worked, second, catalog)?];
                catalog.say(key, &[("first", &first), ("second", &second)])
            }
        })
    }

    /// What can be chosen; nothing where a number is asked for.
    ///
    /// # Errors
    /// If the example has no such number.
    pub fn choices(&self, worked: &WorkedExample, catalog: &Catalog) -> Result<Vec<String>> {
        let get = |key: &'static str| catalog.get(key).to_owned();
        match self {
            Self::Number(_) => Ok(Vec::new()),
            Self::Sign(_) => Ok(vec![get("lab.ask_above"), get("lab.ask_below"), get("lab.ask_zero")]),
            Self::Larger(first, second) => Ok(vec![
                called(worked, first, catalog)?,
                called(worked, second, catalog)?,
                get("lab.ask_equal"),
            ]),
        }
    }

    /// Of a gradient of several examples, what a picture of one does not show: each example's own delta, before the mean
    /// is taken, and the input that it is multiplied with.
    ///
    /// # Errors
    /// If the network contradicts itself.
    pub fn parts(&self, worked: &WorkedExample) -> Result<Vec<[f64; 2]>> {
        let (Self::Number(Asked::Gradient(layer, unit, input)), Some(trace)) = (self, worked.trace()?) else {
            return Ok(Vec::new());
        };
        let (Some(dense), 2..) = (trace.dense().get(layer.wrapping_sub(1)), trace.rows()) else {
            return Ok(Vec::new());
        };
        let rows = trace.rows();
        let part =
            |row| [rows as f64 * trace.at(dense.delta, row, *unit), trace.at(dense.input, row, *input)];
        Ok((0..rows).map(part).collect())
    }

    /// What is said of an answer.
    ///
    /// # Errors
    /// If the example has no such number, or the answer is of another kind than the question.
    pub fn judge(&self, worked: &WorkedExample, answered: Answered, catalog: &Catalog) -> Result<Judged> {
        match (self, answered) {
            (Self::Number(asked), Answered::Number(given)) => {
                let answers = answers(worked, asked)?;
                let (is_right, mistake, text) = match answers.judge(given) {
                    Verdict::Right => {
                        let values: [(&str, &dyn fmt::Display); 2] =
                            [("name", &answers.name), ("value", &shown(answers.right))];
                        // A number of paths is not what the weight is.
                        let is_named = !answers.name.is_empty() && !matches!(asked, Asked::Paths(..));
                        let key = if is_named { "lab.ask_is_number" } else { "lab.ask_is" };
                        (true, None, catalog.say(key, &values))
                    }
                    Verdict::Mistaken(wrong) => (false, Some(wrong.mistake), wrong.text(catalog)),
                    Verdict::Other => {
                        let hint = format!("lab.ask_hint_{}", asked.kind());
                        let key = match (worked.subject.rows(), asked) {
                            (2.., Asked::Gradient(..)) => "lab.ask_hint_examples",
                            _ => &hint,
                        };
                        (false, None, catalog.get(key).to_owned())
                    }
                };
                Ok(Judged { is_right, mistake, text })
            }
            (Self::Sign(asked), Answered::Choice(choice)) => {
                let answers = answers(worked, asked)?;
                let right = match answers.right {
                    x if x > 0.0 => 0,
                    x if x < 0.0 => 1,
                    _ => 2,
                };
                let text = catalog
                    .say("lab.ask_is_number", &[("name", &answers.name), ("value", &shown(answers.right))]);
                Ok(Judged { is_right: choice == right, mistake: None, text })
            }
            (Self::Larger(first, second), Answered::Choice(choice)) => {
                let (first, second) = (answers(worked, first)?, answers(worked, second)?);
                let (one, other) = (first.right.abs(), second.right.abs());
                let right = match () {
                    () if is_near(one, other, super::SAME) => 2,
                    () if one > other => 0,
                    () => 1,
                };
                let text = catalog.say(
                    "lab.ask_are",
                    &[
                        ("first", &first.name),
                        ("one", &shown(first.right)),
                        ("second", &second.name),
                        ("other", &shown(second.right)),
                    ],
                );
                Ok(Judged { is_right: choice == right, mistake: None, text })
            }
            (Self::Number(_), _) => Err(Error::configuration("the question asks for a number")),
            _ => Err(Error::configuration("the question asks for a choice")),
        }
    }
}

/// What a number is called where it can be chosen; of a norm, its layer.
fn called(worked: &WorkedExample, asked: &Asked, catalog: &Catalog) -> Result<String> {
    let name = answers(worked, asked)?.name;
    Ok(match asked {
        Asked::Norm(layer) => catalog.say("layer_name", &[("layer", layer)]),
        _ => name,
    })
}

impl Asked {
    /// Its kind, as it begins: `gradient`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sum(..) => "sum",
            Self::Activation(..) => "activation",
            Self::Cost => "cost",
            Self::Passed(..) => "passed",
            Self::Arriving(..) => "arriving",
            Self::Delta(..) => "delta",
            Self::Gradient(..) => "gradient",
            Self::NewWeight(..) => "weight",
            Self::Norm(_) => "norm",
            Self::Tries => "tries",
            Self::Paths(..) => "paths",
            Self::Derivative(_) => "derivative",
        }
    }
}

impl Subject {
    /// How many examples there are.
    fn rows(&self) -> usize {
        match self {
            Self::Network(example) => example.rows,
            Self::Expression(_) => 1,
        }
    }
}
