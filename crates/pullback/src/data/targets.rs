//! What a network is to predict: classes, numbers or labels, one row an example.

use super::Task;
use super::features::{check_finite, check_rows, whole_rows};
use crate::error::{Error, Result};
use pullback_kernels::{Real, gather};

/// Targets, `[rows, outputs]`. They cannot be wrong: their constructors check lengths, classes and that every
/// number is finite.
///
/// ```
/// use pullback::data::Targets;
/// let targets = Targets::<f32>::classes(vec![0, 2, 1], 3)?;
/// assert_eq!((targets.rows(), targets.outputs()), (3, 3));
/// assert!(Targets::<f32>::classes(vec![3], 3).is_err());
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Targets<T>(Kind<T>);

#[derive(Debug, Clone, PartialEq)]
enum Kind<T> {
    Binary(Vec<u32>),
    Classes { ids: Vec<u32>, classes: usize },
    Values { values: Vec<T>, width: usize },
    Labels { yes: Vec<bool>, width: usize },
}

impl<T: Real> Targets<T> {
    /// 0 or 1 a row, for one output.
    ///
    /// # Errors
    /// If one is neither 0 nor 1.
    pub fn binary(ids: Vec<u32>) -> Result<Self> {
        check_classes(&ids, 2)?;
        Ok(Self(Kind::Binary(ids)))
    }

    /// The class of each row, below `classes`, for one output a class.
    ///
    /// # Errors
    /// If there is no class, or one is out of range.
    pub fn classes(ids: Vec<u32>, classes: usize) -> Result<Self> {
        if classes == 0 {
            return Err(Error::data("targets of 0 classes").help("give at least one"));
        }
        check_classes(&ids, classes)?;
        Ok(Self(Kind::Classes { ids, classes }))
    }

    /// Numbers, row after row, for `width` outputs.
    ///
    /// # Errors
    /// If `width` is 0, the numbers are no whole number of rows, or one is not finite.
    pub fn values(values: Vec<T>, width: usize) -> Result<Self> {
        whole_rows(values.len(), width, "targets")?;
        check_finite(&values, width, "targets")?;
        Ok(Self(Kind::Values { values, width }))
    }

    /// Whether each of `width` labels is given to a row, row after row, for an output a label.
    ///
    /// ```
    /// use pullback::data::Targets;
    /// let targets = Targets::<f32>::labels(vec![true, false, true, true], 2)?;
    /// assert_eq!((targets.rows(), targets.outputs()), (2, 2));
    /// assert_eq!(targets.to_dense(), [1.0, 0.0, 1.0, 1.0]);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// If `width` is 0, or they are no whole number of rows.
    pub fn labels(yes: Vec<bool>, width: usize) -> Result<Self> {
        whole_rows(yes.len(), width, "targets")?;
        Ok(Self(Kind::Labels { yes, width }))
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        match &self.0 {
            Kind::Binary(ids) | Kind::Classes { ids, .. } => ids.len(),
            Kind::Values { values, width } => values.len() / width,
            Kind::Labels { yes, width } => yes.len() / width,
        }
    }

    /// The number of outputs of a network for them, at least 1.
    pub fn outputs(&self) -> usize {
        match &self.0 {
            Kind::Binary(_) => 1,
            Kind::Classes { classes, .. } => *classes,
            Kind::Values { width, .. } | Kind::Labels { width, .. } => *width,
        }
    }

    /// What they are.
    pub fn task(&self) -> Task {
        match &self.0 {
            Kind::Binary(_) => Task::Binary,
            Kind::Classes { .. } => Task::Classes,
            Kind::Values { .. } => Task::Regression,
            Kind::Labels { .. } => Task::Labels,
        }
    }

    /// The class of each row; [`None`] for numbers and labels.
    pub fn ids(&self) -> Option<&[u32]> {
        match &self.0 {
            Kind::Binary(ids) | Kind::Classes { ids, .. } => Some(ids),
            Kind::Values { .. } | Kind::Labels { .. } => None,
        }
    }

    /// Whether each label is given to each row, `[rows, outputs]`; [`None`] for other targets.
    pub fn yes(&self) -> Option<&[bool]> {
        match &self.0 {
            Kind::Labels { yes, .. } => Some(yes),
            _ => None,
        }
    }

    /// The numbers of the given rows, `[rows.len(), outputs]`: a class as one 1 among 0, a label as 1 or 0.
    ///
    /// # Errors
    /// If a row is out of range.
    pub fn select(&self, rows: &[usize]) -> Result<Vec<T>> {
        check_rows(rows, self.rows())?;
        let mut out = vec![T::ZERO; rows.len() * self.outputs()];
        self.write(rows, &mut out);
        Ok(out)
    }

    /// The numbers of all rows, `[rows, outputs]`: a class as one 1 among 0.
    pub fn to_dense(&self) -> Vec<T> {
        let rows: Vec<usize> = (0..self.rows()).collect();
        self.select(&rows).expect("all rows are in range")
    }

    /// Writes the given rows, which the caller has checked, to `out`, `[rows.len(), outputs]`.
    pub(crate) fn write(&self, rows: &[usize], out: &mut [T]) {
        debug_assert_eq!(out.len(), rows.len() * self.outputs(), "the output is [rows, outputs]");
        match &self.0 {
            Kind::Binary(ids) => {
                for (out, &row) in out.iter_mut().zip(rows) {
                    *out = if ids[row] == 1 { T::ONE } else { T::ZERO };
                }
            }
            Kind::Classes { ids, classes } => {
                out.fill(T::ZERO);
                for (out, &row) in out.chunks_exact_mut(*classes).zip(rows) {
                    out[ids[row] as usize] = T::ONE;
                }
            }
            Kind::Values { values, width } => gather(values, *width, rows, out),
            Kind::Labels { yes, width } => {
                for (out, &row) in out.chunks_exact_mut(*width).zip(rows) {
                    for (out, &yes) in out.iter_mut().zip(&yes[row * width..]) {
                        *out = if yes { T::ONE } else { T::ZERO };
                    }
                }
            }
        }
    }
}

fn check_classes(ids: &[u32], classes: usize) -> Result<()> {
    match ids.iter().position(|&id| id as usize >= classes) {
        None => Ok(()),
        Some(row) => Err(Error::data(format!(
            "row {}: there is no class {} among {classes}: classes count from 0",
            row + 1,
            ids[row]
        ))),
    }
}
