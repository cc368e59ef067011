//! What a plan's input is given as: all of its numbers, or the entries that are not zero.

use crate::graph::Shape;
use pullback_kernels::{Array, Entries, Real};
use std::borrow::Cow;

/// The numbers of an input.
#[derive(Debug)]
pub(super) enum Given<T> {
    /// All of them.
    Numbers(Array<T>),
    /// Some entries of each row; the others are zero.
    Listed { columns: Vec<u32>, numbers: Vec<T>, per_row: usize, width: usize },
}

impl<T: Real> Given<T> {
    /// Room for so many entries of each row of a matrix.
    pub(super) fn listed(shape: &Shape, per_row: usize) -> Self {
        let (rows, width) = (shape.elements() / shape.last(), shape.last());
        let count = rows * per_row;
        Self::Listed { columns: vec![0; count], numbers: vec![T::ZERO; count], per_row, width }
    }

    /// All numbers.
    #[inline(always)]
    pub(super) fn numbers(&self) -> &[T] {
        match self {
            Self::Numbers(numbers) => numbers,
            Self::Listed { .. } => unreachable!("an input whose entries are listed is only multiplied"),
        }
    }

    /// All numbers, to be filled.
    ///
    /// # Panics
    /// If the entries are listed.
    pub(super) fn numbers_mut(&mut self) -> &mut [T] {
        match self {
            Self::Numbers(numbers) => numbers,
            Self::Listed { .. } => panic!("the entries of this input are listed"),
        }
    }

    /// All numbers, however they are given.
    pub(super) fn to_numbers(&self) -> Cow<'_, [T]> {
        match self {
            Self::Numbers(numbers) => Cow::Borrowed(numbers),
            Self::Listed { width, .. } => {
                let entries = self.entries();
                let mut numbers = vec![T::ZERO; entries.rows() * width];
                entries.write(&mut numbers);
                Cow::Owned(numbers)
            }
        }
    }

    /// The entries.
    pub(super) fn entries(&self) -> Entries<'_, T> {
        match self {
            Self::Numbers(_) => unreachable!("a step that takes entries was made for an input that has them"),
            Self::Listed { columns, numbers, per_row, width } => {
                Entries::new(columns, numbers, *per_row, *width)
            }
        }
    }
}
