//! Products of many pairs of small matrices: what attention multiplies.

use super::api::{Operand, Start, multiply, multiply_dense, shared};
use super::block::{Part, Pieces};
use super::kernel::Kernel;
use crate::machine::tuning::SMALL_PRODUCT_PER_NANOSECOND;
use crate::{Real, Workspace};

/// Matrices of one size, stored one after another in row-major order, each read as it is or as its transpose.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a, T> {
    data: &'a [T],
    count: usize,
    rows: usize,
    columns: usize,
    is_transposed: bool,
}

impl<'a, T: Real> Batch<'a, T> {
    /// The matrices of `data`, `[count, rows, columns]`.
    ///
    /// # Panics
    /// If `data` does not hold exactly `count * rows * columns` numbers.
    pub fn new(data: &'a [T], [count, rows, columns]: [usize; 3]) -> Self {
        let size = rows.checked_mul(columns).and_then(|size| size.checked_mul(count));
        assert_eq!(Some(data.len()), size, "size of a batch of matrices");
        Self { data, count, rows, columns, is_transposed: false }
    }

    /// The same numbers with each matrix read as its transpose, without moving them.
    pub fn transposed(self) -> Self {
        Self { is_transposed: !self.is_transposed, ..self }
    }

    /// The rows and columns of each matrix, as it is read.
    fn sizes(&self) -> [usize; 2] {
        if self.is_transposed { [self.columns, self.rows] } else { [self.rows, self.columns] }
    }

    fn matrix(&self, i: usize) -> Operand<'a, T> {
        let size = self.rows * self.columns;
        let matrix = Operand::new(&self.data[i * size..][..size], self.rows, self.columns);
        if self.is_transposed { matrix.transposed() } else { matrix }
    }
}

/// Writes the product of each matrix of `left` with that of `right` to `output`, `[count, left rows, right columns]`,
/// and applies `epilogue` to it while it is in cache.
///
/// Each output number is one chain of fused multiply-adds in ascending k: the bits are those of
/// [`product_with`](crate::product_with) for each pair in full precision, which is the precision of all batched
/// products. No zeros are left out. `epilogue(first, numbers)` is called once for each finished piece, which
/// begins at the index `first` of the whole output.
///
/// ```
/// use pullback_kernels::{Batch, Isa, Workspace, batched_product};
/// // Two queries and two keys of length 2, in two batches: all scores.
/// let queries = [1.0_f32, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 2.0];
/// let keys = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
/// let (queries, keys) = (Batch::new(&queries, [2, 2, 2]), Batch::new(&keys, [2, 2, 2]));
/// let mut scores = [0.0; 8];
/// batched_product(queries, keys.transposed(), &mut scores, |_, _| (), &mut Workspace::new(Isa::best(), 1));
/// assert_eq!(scores, [1.0, 3.0, 2.0, 4.0, 10.0, 14.0, 12.0, 16.0]);
/// ```
///
/// # Panics
/// If the counts or inner sizes differ or `output` has the wrong size.
pub fn batched_product<T: Real>(
    left: Batch<'_, T>,
    right: Batch<'_, T>,
    output: &mut [T],
    epilogue: impl Fn(usize, &mut [T]) + Sync,
    workspace: &mut Workspace,
) {
    let epilogue = shared(&epilogue);
    let ([rows, depth], [right_rows, columns]) = (left.sizes(), right.sizes());
    assert_eq!(left.count, right.count, "counts of a batched product");
    assert_eq!(depth, right_rows, "inner sizes of a batched product");
    let size = rows.checked_mul(columns);
    let all = size.and_then(|size| size.checked_mul(left.count));
    assert_eq!(Some(output.len()), all, "output size of a batched product");
    if output.is_empty() {
        return;
    }
    let (isa, size) = (workspace.isa(), rows * columns);
    let kernel = Kernel::of(isa);
    let whole = |i: usize, output: &mut [T]| Part {
        first_row: i * rows,
        ..Part::whole(Pieces::Blocks, left.matrix(i), right.matrix(i), output, Start::Zero)
    };
    let nanoseconds = output.len().saturating_mul(depth) / SMALL_PRODUCT_PER_NANOSECOND;
    // Few large matrices: all threads share each of them.
    if left.count < workspace.parts(nanoseconds) {
        for (i, output) in output.chunks_exact_mut(size).enumerate() {
            multiply(&whole(i, output), None, &epilogue, workspace);
        }
        return;
    }
    workspace.share_rows_and_panels(
        left.count,
        1,
        nanoseconds,
        [output],
        [size],
        |matrices, [output], panels| {
            for (i, output) in matrices.zip(output.chunks_exact_mut(size)) {
                let part = whole(i, output);
                // SAFETY: the sizes were checked, `output` is borrowed mutably, and `isa` is one that this
                // processor has.
                unsafe { multiply_dense(part, kernel, isa, &epilogue, panels) };
            }
        },
    );
}
