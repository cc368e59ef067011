//! Numbers to train on: features and targets, one row an example.
//!
//! Bytes stay bytes until a batch is assembled: images take a quarter of the memory of f32, and
//! converting the rows of one batch costs little beside the step that uses them.

use pullback_kernels::{ByteScale, Isa, Real, gather, gather_bytes};

use super::Bytes;
use super::preprocess::Warning;

/// Features and targets of the same rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset<T> {
    /// What a network is given, `[rows, inputs]`.
    pub features: Features<T>,
    /// What it is to predict, `[rows, outputs]`.
    pub targets: Targets<T>,
    /// What preprocessing met that it could not represent.
    pub warnings: Vec<Warning>,
}

impl<T: Real> Dataset<T> {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.features.rows()
    }

    /// The number of inputs of a network for this data.
    pub fn inputs(&self) -> usize {
        self.features.inputs()
    }

    /// The number of outputs of a network for this data.
    pub fn outputs(&self) -> usize {
        self.targets.outputs()
    }

    /// Writes the features of the given rows to `out`, `[rows.len(), inputs]`.
    ///
    /// # Panics
    /// If a row is out of range or `out` has another size.
    pub fn write_features(&self, rows: &[usize], out: &mut [T]) {
        self.features.write(rows, out);
    }

    /// Writes the targets of the given rows to `out`, `[rows.len(), outputs]`.
    ///
    /// # Panics
    /// If a row is out of range or `out` has another size.
    pub fn write_targets(&self, rows: &[usize], out: &mut [T]) {
        self.targets.write(rows, out);
    }
}

/// What a network is given.
#[derive(Debug, Clone, PartialEq)]
pub enum Features<T> {
    /// Numbers, row after row.
    Dense {
        /// `[rows, width]`.
        values: Vec<T>,
        /// The number of inputs.
        width: usize,
        /// The number of rows.
        rows: usize,
    },
    /// Bytes, and the number that each byte stands for.
    Bytes {
        /// `[rows, width]`, shared with the table that they came from.
        bytes: Bytes,
        /// What each of the 256 bytes stands for.
        scale: ByteScale<T>,
    },
}

impl<T: Real> Features<T> {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Dense { rows, .. } => *rows,
            Self::Bytes { bytes, .. } => bytes.rows(),
        }
    }

    /// The number of inputs.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Dense { width, .. } => *width,
            Self::Bytes { bytes, .. } => bytes.width(),
        }
    }

    /// Writes the given rows to `out`, `[rows.len(), inputs]`.
    ///
    /// # Panics
    /// If a row is out of range or `out` has another size.
    pub fn write(&self, rows: &[usize], out: &mut [T]) {
        self.write_on(Isa::best(), rows, out);
    }

    /// The same as [`write`](Self::write) on a given instruction set, which changes no bit of the result.
    ///
    /// # Panics
    /// As [`write`](Self::write).
    pub fn write_on(&self, isa: Isa, rows: &[usize], out: &mut [T]) {
        match self {
            Self::Dense { values, width, .. } => gather(values, *width, rows, out),
            Self::Bytes { bytes, scale } => {
                gather_bytes(isa, bytes.data(), bytes.width(), *scale, rows, out);
            }
        }
    }

    /// The same features less their most frequent number, and that number, if a sample of the given rows has so much
    /// of it that zeros in its place pay: products leave them out. Pictures are mostly such a background.
    pub(crate) fn less_background(&self, rows: &[usize]) -> Option<(Self, f64)> {
        let Self::Bytes { bytes, scale } = self else { return None };
        let counts = bytes.counts(rows.iter().step_by(rows.len().div_ceil(BACKGROUND_ROWS).max(1)));
        let background = (0..=u8::MAX).max_by_key(|byte| counts[usize::from(*byte)])?;
        let pays =
            counts[usize::from(background)] as f64 >= BACKGROUND_SHARE * counts.iter().sum::<u64>() as f64;
        let number = scale.number(background).to_f64();
        (pays && number != 0.0)
            .then(|| (Self::Bytes { bytes: bytes.clone(), scale: scale.with_zero(background) }, number))
    }
}

/// So many rows are looked at for a background.
const BACKGROUND_ROWS: usize = 256;
/// From this share on, a background is left out: below, products do not leave out its zeros.
const BACKGROUND_SHARE: f64 = 0.3;

/// What a network is to predict.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets<T> {
    /// 0 or 1 a row, for one output.
    Binary(Vec<u32>),
    /// The class of each row, for one output a class.
    Classes {
        /// The class of each row, below `classes`.
        ids: Vec<u32>,
        /// The number of classes.
        classes: usize,
    },
    /// Numbers, standardized if the options say so.
    Values {
        /// `[rows, width]`.
        values: Vec<T>,
        /// The number of outputs.
        width: usize,
    },
}

impl<T: Real> Targets<T> {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Binary(ids) | Self::Classes { ids, .. } => ids.len(),
            Self::Values { values, width } => values.len() / width,
        }
    }

    /// The number of outputs.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Binary(_) => 1,
            Self::Classes { classes, .. } => *classes,
            Self::Values { width, .. } => *width,
        }
    }

    /// The class of each row; [`None`] for a regression.
    pub fn classes(&self) -> Option<&[u32]> {
        match self {
            Self::Binary(ids) | Self::Classes { ids, .. } => Some(ids),
            Self::Values { .. } => None,
        }
    }

    /// Writes the given rows to `out`, `[rows.len(), outputs]`: a class as one 1 among 0.
    ///
    /// # Panics
    /// If a row is out of range or `out` has another size.
    pub fn write(&self, rows: &[usize], out: &mut [T]) {
        assert_eq!(out.len(), rows.len() * self.outputs(), "the output is [rows, outputs]");
        match self {
            Self::Binary(ids) => {
                for (out, &row) in out.iter_mut().zip(rows) {
                    *out = if ids[row] == 1 { T::ONE } else { T::ZERO };
                }
            }
            Self::Classes { ids, classes } => {
                out.fill(T::ZERO);
                for (out, &row) in out.chunks_exact_mut(*classes).zip(rows) {
                    out[ids[row] as usize] = T::ONE;
                }
            }
            Self::Values { values, width } => gather(values, *width, rows, out),
        }
    }
}
