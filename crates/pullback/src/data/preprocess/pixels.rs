//! A column of blocks of bytes as one input a byte.

use super::MOST_INPUTS;
use crate::data::{Bytes, Features, Scaling, Table, Values};
use crate::error::{Error, Place, Result};
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};

/// One input a byte, `(byte - center) / spread`, all scaled alike: what a pixel says does not depend on its place.
/// The shape has numbers that can be counted, and the figures are finite, the spread positive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Block", into = "Block")]
pub struct Pixels {
    block: Block,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    shape: Vec<usize>,
    center: f64,
    spread: f64,
}

impl TryFrom<Block> for Pixels {
    type Error = Error;
    fn try_from(Block { shape, center, spread }: Block) -> Result<Self> {
        Pixels::new(shape, center, spread)
    }
}

impl From<Pixels> for Block {
    fn from(pixels: Pixels) -> Self {
        pixels.block
    }
}

impl Pixels {
    /// The encoding of blocks of that shape by these figures.
    ///
    /// # Errors
    /// If the shape is empty or of too many bytes, a figure is not finite, or the spread is not positive.
    pub fn new(shape: Vec<usize>, center: f64, spread: f64) -> Result<Self> {
        let bytes = shape.iter().try_fold(1_usize, |size, &side| size.checked_mul(side));
        if shape.is_empty() || !bytes.is_some_and(|bytes| (1..=MOST_INPUTS).contains(&bytes)) {
            return Err(Error::data(format!("blocks of shape {shape:?} cannot be inputs"))
                .help(format!("give sizes from 1 on whose product is at most {MOST_INPUTS}")));
        }
        if !(center.is_finite() && spread.is_finite() && spread > 0.0) {
            return Err(Error::data(format!(
                "bytes cannot be scaled by a center of {center} and a spread of {spread}"
            ))
            .help("give a finite center and a positive spread"));
        }
        Ok(Self { block: Block { shape, center, spread } })
    }

    /// Decides by the bytes that stand in the given rows.
    pub(super) fn fit(bytes: &Bytes, rows: &[usize], scaling: Scaling) -> Result<Self> {
        let maximum = f64::from(bytes.maximum());
        let (center, spread) = match scaling {
            Scaling::None => (0.0, 1.0),
            Scaling::MinMax => (0.0, maximum),
            Scaling::Standardize | Scaling::Robust | Scaling::Adaptive | Scaling::Quantile => {
                match mean_and_deviation(bytes, rows) {
                    (mean, 0.0) => (mean, maximum),
                    figures => figures,
                }
            }
        };
        Pixels::new(bytes.shape().to_vec(), center, spread)
    }

    /// The shape of a row's block.
    pub fn shape(&self) -> &[usize] {
        &self.block.shape
    }

    /// The byte that becomes 0: the mean of all bytes, or 0.
    pub fn center(&self) -> f64 {
        self.block.center
    }

    /// What becomes 1 above the center: the standard deviation, the largest possible byte, or 1.
    pub fn spread(&self) -> f64 {
        self.block.spread
    }

    /// The number of inputs.
    pub(super) fn width(&self) -> usize {
        self.block.shape.iter().product()
    }

    /// The values of a column, if they are blocks of bytes of the right shape.
    pub(super) fn of<'a>(&self, table: &Table, name: &str, values: &'a Values) -> Result<&'a Bytes> {
        let shape = self.shape();
        match values {
            Values::Bytes(bytes) if bytes.shape() == shape => Ok(bytes),
            Values::Bytes(bytes) => Err(Error::data(format!(
                "images of shape {:?}, but the model takes {shape:?}",
                bytes.shape()
            ))
            .at(Place::source(table.source()).column(name))
            .help("give images of that size")),
            _ => Err(Error::data("no images, on which the model was trained")
                .at(Place::source(table.source()).column(name))
                .help(format!("give images of shape {shape:?}"))),
        }
    }

    /// Blocks of bytes as features that stay bytes.
    pub(super) fn features<T: Real>(&self, bytes: &Bytes) -> Result<Features<T>> {
        Features::bytes(bytes.clone(), self.center(), self.spread())
    }

    /// Calls `write(row, input, number)` for each byte of each row.
    pub(super) fn write(&self, bytes: &Bytes, write: &mut impl FnMut(usize, usize, f64)) {
        for row in 0..bytes.rows() {
            for (at, &byte) in bytes.row(row).iter().enumerate() {
                write(row, at, (f64::from(byte) - self.center()) / self.spread());
            }
        }
    }
}

/// Mean and standard deviation of all bytes of the rows, exact up to the division at the end.
fn mean_and_deviation(bytes: &Bytes, rows: &[usize]) -> (f64, f64) {
    let counts = bytes.counts(rows);
    let moment = |term: &dyn Fn(f64) -> f64| -> f64 {
        let total: u64 = counts.iter().sum();
        let sum: f64 = (0..256).map(|byte| counts[byte] as f64 * term(byte as f64)).sum();
        sum / total.max(1) as f64
    };
    let mean = moment(&|byte| byte);
    (mean, moment(&|byte| (byte - mean) * (byte - mean)).sqrt())
}
