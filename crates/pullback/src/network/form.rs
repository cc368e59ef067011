//! What one example is between two layers: a row of numbers, an image, a sequence, or codes.

use super::Image;
use super::path::Refusal;
use crate::error::{Error, Result};
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};

/// The most numbers of an example, and of a layer's weights along each axis: sizes up to it can be multiplied.
pub(super) const MOST_NUMBERS: usize = 1 << 31;

/// A row of numbers for each of several positions: the words of a text, the steps of a time series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// The number of positions.
    pub length: usize,
    /// The numbers of a position.
    pub width: usize,
}

/// Codes: whole numbers from 0 that name categories or words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The number of codes of an example.
    pub count: usize,
    /// The number of different codes: each is below it.
    pub levels: usize,
}

impl Index {
    /// The most different codes: up to here, every code is a number of `f32`.
    pub const MOST_LEVELS: usize = 1 << 24;

    /// Checks that numbers are codes.
    ///
    /// # Errors
    /// With the place of the first that is not whole, or not from 0 to below `levels`.
    pub fn check<T: Real>(self, numbers: &[T]) -> Result<()> {
        let is_code = |x: f64| x >= 0.0 && x < self.levels as f64 && x == (x as usize) as f64;
        match numbers.iter().position(|x| !is_code(x.to_f64())) {
            None => Ok(()),
            Some(at) => {
                let (row, column) = (at / self.count.max(1), at % self.count.max(1));
                let last = self.levels.saturating_sub(1);
                Err(Error::data(format!("code {column} of row {row} is {}", numbers[at].to_f64()))
                    .help(format!("give whole numbers from 0 to {last}")))
            }
        }
    }
}

/// What one example is between two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A row of that many numbers.
    Row(usize),
    /// An image; to a dense layer, all its numbers.
    Image(Image),
    /// A row of numbers for each position; a dense layer works on each.
    Sequence(Sequence),
    /// Codes, which an embedding reads.
    Index(Index),
}

impl Form {
    /// How many numbers an example has.
    pub fn elements(self) -> usize {
        match self {
            Form::Row(units) => units,
            Form::Image(Image { height, width, channels }) => height * width * channels,
            Form::Sequence(Sequence { length, width }) => length * width,
            Form::Index(Index { count, .. }) => count,
        }
    }

    /// How many columns there are in the matrix of a batch: it has a row for each example, pixel or position.
    pub fn columns(self) -> usize {
        match self {
            Form::Row(units) => units,
            Form::Image(image) => image.channels,
            Form::Sequence(sequence) => sequence.width,
            Form::Index(index) => index.count,
        }
    }

    /// How many rows of that matrix an example has: its pixels or positions.
    pub fn places(self) -> usize {
        match self {
            Form::Image(image) => image.height * image.width,
            Form::Sequence(sequence) => sequence.length,
            Form::Row(_) | Form::Index(_) => 1,
        }
    }

    /// The shape of that matrix.
    pub(super) fn matrix(self, batch: usize) -> [usize; 2] {
        [batch * self.places(), self.columns()]
    }

    /// The same form with that many columns.
    pub(super) fn with_columns(self, columns: usize) -> Self {
        match self {
            Form::Row(_) => Form::Row(columns),
            Form::Image(image) => Form::Image(Image { channels: columns, ..image }),
            Form::Sequence(sequence) => Form::Sequence(Sequence { width: columns, ..sequence }),
            Form::Index(index) => Form::Index(index),
        }
    }

    /// The same, if its numbers can be counted. The message begins with `verb`: what there is to do with it.
    pub(super) fn checked(self, verb: &str) -> Result<Self, Refusal> {
        let sizes: [usize; 3] = match self {
            Form::Row(units) => [units, 1, 1],
            Form::Image(Image { height, width, channels }) => [height, width, channels],
            Form::Sequence(Sequence { length, width }) => [length, width, 1],
            Form::Index(Index { count, levels }) => {
                if !(1..=Index::MOST_LEVELS).contains(&levels) {
                    let most = Index::MOST_LEVELS;
                    let help = format!("give levels from 1 to {most}, so that every code is a number of f32");
                    return Err(Refusal::form(format!("{verb} {self}"), help));
                }
                [count, 1, 1]
            }
        };
        match sizes.iter().try_fold(1, |product: usize, &size| product.checked_mul(size)) {
            Some(1..=MOST_NUMBERS) => Ok(self),
            _ => Err(Refusal::form(
                format!("{verb} {self}"),
                format!("give sizes from 1 on whose product is at most {MOST_NUMBERS}"),
            )),
        }
    }
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Form::Row(units) => write!(f, "a row of {units} numbers"),
            Form::Image(image) => write!(f, "an image of {image} numbers"),
            Form::Sequence(Sequence { length, width }) => {
                write!(f, "a sequence of {length} positions with {width} numbers each")
            }
            Form::Index(Index { count, levels }) => write!(f, "{count} codes below {levels}"),
        }
    }
}
