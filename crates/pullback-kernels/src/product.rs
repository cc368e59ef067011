//! The product of two matrices, each possibly read as its transpose.

use crate::Real;

/// A matrix in row-major order, read as it is or as its transpose.
#[derive(Debug, Clone, Copy)]
pub struct Operand<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T: Real> Operand<'a, T> {
    /// A `[rows, columns]` matrix stored row by row.
    ///
    /// # Panics
    /// If `data` does not hold exactly `rows * columns` numbers.
    pub fn new(data: &'a [T], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns, "operand size");
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same numbers read as the transpose, without moving them.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// Writes `left @ right` to `output`, a row-major `[left rows, right columns]` matrix.
///
/// `threads` bounds how many threads work on it; the result has the same bits for any number.
///
/// # Panics
/// If the inner sizes differ or `output` has the wrong size.
pub fn product<T: Real>(left: Operand<'_, T>, right: Operand<'_, T>, output: &mut [T], threads: usize) {
    assert_eq!(left.columns, right.rows, "inner sizes of a product");
    assert_eq!(output.len(), left.rows * right.columns, "output size of a product");
    if output.is_empty() {
        return;
    }
    if left.columns == 0 {
        output.fill(T::ZERO);
        return;
    }
    const WORTH_THREADS: usize = 1 << 21; // multiply-adds
    let work = left.rows * right.columns * left.columns;
    let parallelism = if threads > 1 && work >= WORTH_THREADS {
        gemm::Parallelism::Rayon(threads)
    } else {
        gemm::Parallelism::None
    };
    // SAFETY: `Operand::new` checked that each operand's slice holds rows * columns numbers, so
    // every address that its strides reach is inside it; the output's size is checked above, its
    // strides are those of a row-major matrix, and `&mut` proves that it overlaps no operand.
    unsafe {
        gemm::gemm(
            left.rows,
            right.columns,
            left.columns,
            output.as_mut_ptr(),
            1,
            right.columns as isize,
            false,
            left.data.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.data.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            T::ZERO,
            T::ONE,
            false,
            false,
            false,
            parallelism,
        );
    }
}
