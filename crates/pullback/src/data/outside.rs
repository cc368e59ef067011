//! Rows that somebody else keeps: arrays of another language, whose numbers are copied into a batch row by row and never
//! as a whole.

use crate::error::{Error, Result};
use pullback_kernels::Real;
use std::fmt;
use std::sync::Arc;

/// Rows of numbers that lie outside of the library, in whatever order and type. They do not change as long as somebody
/// may ask for them.
pub trait Rows<T>: fmt::Debug + Send + Sync {
    /// The number of rows.
    fn rows(&self) -> usize;

    /// The number of numbers of a row.
    fn width(&self) -> usize;

    /// Writes rows, all of which are below [`Rows::rows`], to `out`, `[rows.len(), width]`.
    fn gather(&self, rows: &[usize], out: &mut [T]);
}

/// Those of one block of features; two are equal if they are the same.
#[derive(Debug, Clone)]
pub(super) struct Outside<T>(pub(super) Arc<dyn Rows<T>>);

impl<T> PartialEq for Outside<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// So many numbers are looked at at once.
const NUMBERS_AT_ONCE: usize = 1 << 16;

impl<T: Real> Outside<T> {
    /// Refuses rows without numbers, and numbers that are not finite.
    pub(super) fn check(&self) -> Result<()> {
        let (count, width) = (self.0.rows(), self.0.width());
        if width == 0 {
            return Err(Error::data("inputs of width 0 are no rows").help("give at least one column"));
        }
        let at_once = (NUMBERS_AT_ONCE / width).max(1);
        let mut numbers = vec![T::ZERO; at_once.min(count.max(1)) * width];
        let mut rows = Vec::with_capacity(at_once);
        for first in (0..count).step_by(at_once) {
            rows.clear();
            rows.extend(first..(first + at_once).min(count));
            let numbers = &mut numbers[..rows.len() * width];
            self.0.gather(&rows, numbers);
            if let Some(at) = numbers.iter().position(|number| !number.is_finite()) {
                return Err(Error::data(format!(
                    "row {}, column {} of the inputs: {} is not a finite number",
                    first + at / width + 1,
                    at % width + 1,
                    numbers[at].to_f64()
                ))
                .help("correct it or leave the row out"));
            }
        }
        Ok(())
    }
}
