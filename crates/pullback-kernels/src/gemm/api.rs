//! The products of two matrices: what a caller gives and gets.

use super::block::{Cut, Part, Pieces};
use super::kernel::Kernel;
use super::{reduced, sparse};
use crate::machine::tuning::PRODUCT_PER_NANOSECOND;
use crate::machine::{Exclusive, Panels, Work};
use crate::{Isa, Real, Workspace};
use core::ops::Range;

/// A matrix in row-major order, read as it is or as its transpose.
#[derive(Debug, Clone, Copy)]
pub struct Operand<'a, T> {
    pub(super) data: &'a [T],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

impl<'a, T: Real> Operand<'a, T> {
    /// A `[rows, columns]` matrix stored row by row.
    ///
    /// # Panics
    /// If `data` does not hold exactly `rows * columns` numbers.
    pub fn new(data: &'a [T], rows: usize, columns: usize) -> Self {
        assert_eq!(Some(data.len()), rows.checked_mul(columns), "operand size");
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

/// What the chains of multiply-adds start from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start<'a, T> {
    /// Zero: the output becomes the product.
    Zero,
    /// The numbers of the output: the product is added to them.
    Output,
    /// A row that is broadcast to all rows, as a bias: so it costs no addition.
    Row(&'a [T]),
}

/// Writes `left @ right` to `output`, a row-major `[left rows, right columns]` matrix.
///
/// `threads` bounds how many threads work on it; the result has the same bits for any number.
///
/// # Panics
/// If the inner sizes differ or `output` has the wrong size.
pub fn product<T: Real>(left: Operand<'_, T>, right: Operand<'_, T>, output: &mut [T], threads: usize) {
    let mut workspace = Workspace::new(Isa::best(), threads);
    product_with(left, right, output, Start::Zero, |_, _| (), &mut workspace);
}

/// Writes `left @ right` to `output`, with the same bits as [`product`] and little code: for whoever multiplies now and
/// then.
///
/// # Panics
/// If the inner sizes differ or `output` has the wrong size.
pub fn plain_product<T: Real>(left: Operand<'_, T>, right: Operand<'_, T>, output: &mut [T]) {
    assert_eq!(left.columns, right.rows, "inner sizes");
    assert_eq!(output.len(), left.rows * right.columns, "output size");
    output.fill(T::ZERO);
    Isa::best().run(
        #[inline(always)]
        || {
            for row in 0..left.rows {
                let sums = &mut output[row * right.columns..][..right.columns];
                for inner in 0..left.columns {
                    let a = left.data[row * left.row_stride + inner * left.column_stride];
                    for (column, sum) in sums.iter_mut().enumerate() {
                        let b = right.data[inner * right.row_stride + column * right.column_stride];
                        *sum = a.mul_add(b, *sum);
                    }
                }
            }
        },
    );
}

/// Writes `left @ right`, from `start` on, to `output`, and applies `epilogue` to it while it is in cache.
///
/// In a large product, zeros of an operand that has many are left out, so that there zero times infinity is zero.
///
/// `epilogue(first, numbers)` is called once for each finished piece of the output, whole rows or a part
/// of one, which begins at the index `first`: an activation there costs no pass over memory. It runs
/// compiled for the instruction set of the workspace if it is inlined; several threads may call it at once.
///
/// ```
/// use pullback_kernels::{Isa, Operand, Real, Start, Workspace, product_with};
/// let (x, w, bias) = ([1.0_f32, 2.0], [3.0, -4.0, 5.0, 6.0], [0.5, -20.0]);
/// let mut a = [0.0; 2];
/// let relu = |_first: usize, z: &mut [f32]| z.iter_mut().for_each(|z| *z = z.max(0.0));
/// let (x, w) = (Operand::new(&x, 1, 2), Operand::new(&w, 2, 2));
/// product_with(x, w, &mut a, Start::Row(&bias), relu, &mut Workspace::new(Isa::best(), 1));
/// assert_eq!(a, [13.5, 0.0]);
/// ```
///
/// # Panics
/// If the inner sizes differ, or `output` or the row to start from has the wrong size.
pub fn product_with<T: Real>(
    left: Operand<'_, T>,
    right: Operand<'_, T>,
    output: &mut [T],
    start: Start<'_, T>,
    epilogue: impl Fn(usize, &mut [T]) + Sync,
    workspace: &mut Workspace,
) {
    product_in(Pieces::Blocks, left, right, output, start, epilogue, workspace);
}

#[inline]
fn product_in<T: Real>(
    pieces: Pieces,
    left: Operand<'_, T>,
    right: Operand<'_, T>,
    output: &mut [T],
    start: Start<'_, T>,
    epilogue: impl Fn(usize, &mut [T]) + Sync,
    workspace: &mut Workspace,
) {
    let epilogue = shared(&epilogue);
    let whole = Part::whole(pieces, left, right, output, start);
    if output.is_empty() {
        return;
    }
    if let Some(engine) = reduced::Engine::of(&whole, workspace) {
        return reduced::product(engine, whole, &epilogue, workspace);
    }
    let sparse = sparse::side(workspace.isa(), left, right, whole.start.is_none());
    multiply(&whole, sparse, &epilogue, workspace);
}

/// Writes `left @ right` to `output`, and lets `epilogue` change other arrays of its size while it is in
/// cache: weights by their gradient.
///
/// `epilogue(first, numbers, others)` is called as that of [`product_with`], with the same piece of each other
/// array; of an empty one, nothing.
///
/// ```
/// use pullback_kernels::{Isa, Operand, Workspace, product_beside};
/// let (delta, x, mut w) = ([1.0_f32, -2.0], [3.0, 4.0], [0.5; 4]);
/// let (delta, x) = (Operand::new(&delta, 2, 1), Operand::new(&x, 1, 2));
/// let mut gradient = [0.0; 4];
/// let step = |_first: usize, g: &mut [f32], [w]: [&mut [f32]; 1]| {
///     w.iter_mut().zip(g).for_each(|(w, g)| *w -= 0.5 * *g);
/// };
/// product_beside(delta, x, &mut gradient, [&mut w], step, &mut Workspace::new(Isa::best(), 1));
/// assert_eq!((gradient, w), ([3.0, 4.0, -6.0, -8.0], [-1.0, -1.5, 3.5, 4.5]));
/// ```
///
/// # Panics
/// If the inner sizes differ, or `output` or one of `others` has the wrong size.
pub fn product_beside<T: Real, const N: usize>(
    left: Operand<'_, T>,
    right: Operand<'_, T>,
    output: &mut [T],
    others: [&mut [T]; N],
    epilogue: impl Fn(usize, &mut [T], [&mut [T]; N]) + Sync,
    workspace: &mut Workspace,
) {
    let size = output.len();
    for other in &others {
        assert!(other.is_empty() || other.len() == size, "size of an array beside a product");
    }
    let others = others.map(|other| (Exclusive::new(other), other.is_empty()));
    let epilogue = |first: usize, piece: &mut [T]| {
        let pieces = core::array::from_fn(|n| {
            let (other, is_empty) = &others[n];
            if *is_empty {
                return &mut [][..];
            }
            // SAFETY: the piece is one of the output's, so that it lies inside the other array too, whose size
            // was checked; no two pieces that are borrowed at the same time overlap.
            unsafe { core::slice::from_raw_parts_mut(other.at(first), piece.len()) }
        });
        epilogue(first, piece, pieces);
    };
    product_in(Pieces::Rows, left, right, output, Start::Zero, epilogue, workspace);
}

/// The epilogue of a product: where a vector has few numbers and each byte of the program is sent, products are compiled
/// once for all epilogues.
#[cfg(target_family = "wasm")]
pub(super) fn shared<'a, T>(
    epilogue: &'a (impl Fn(usize, &mut [T]) + Sync),
) -> &'a (dyn Fn(usize, &mut [T]) + Sync) {
    epilogue
}

/// The epilogue of a product: compiled into it.
#[cfg(not(target_family = "wasm"))]
#[inline(always)]
pub(super) fn shared<T, E: Fn(usize, &mut [T]) + Sync>(epilogue: &E) -> &E {
    epilogue
}

/// Computes a product whose operands' and output's sizes were checked, leaving out the zeros of one side.
pub(super) fn multiply<T: Real>(
    whole: &Part<T>,
    sparse: Option<sparse::Side>,
    epilogue: &(impl Fn(usize, &mut [T]) + Sync),
    workspace: &mut Workspace,
) {
    let isa = workspace.isa();
    let sparse = sparse.filter(|_| sparse::HAS_SPARSE);
    let kernel = Kernel::of(isa);
    let multiply_adds = (whole.rows * whole.columns).saturating_mul(whole.depth);
    let parts = workspace.parts(multiply_adds / PRODUCT_PER_NANOSECOND);
    if parts == 1 && whole.is_panel(kernel) && sparse.is_none() {
        // SAFETY: as below.
        return unsafe { whole.compute_panel(kernel, isa, epilogue, workspace.own_panels()) };
    }
    let Cut { by_rows, turns } = whole.cut(parts, sparse, kernel);
    let compute = |range: Range<usize>, panels: &mut Panels| {
        let part = match by_rows {
            true => whole.at(range.start, 0, range.len(), whole.columns),
            false => whole.at(0, range.start, whole.rows, range.len()),
        };
        // SAFETY: the sizes were checked; the caller of `product_with` has borrowed the output mutably, so it
        // overlaps neither operand, and the parts share no number of it; `isa` is one that this processor has.
        unsafe {
            match sparse {
                Some(side) => part.compute_sparse(side, kernel, isa, epilogue, panels),
                None if part.transposing_pays(kernel) => {
                    part.compute_transposed(kernel, isa, epilogue, panels)
                }
                None => part.compute(kernel, isa, epilogue, panels),
            }
        }
    };
    // Tiles divide any number of rows evenly.
    let (size, unit) = if by_rows { (whole.rows, 1) } else { (whole.columns, 2 * kernel.width) };
    match turns {
        None => workspace.share(Work::Vectors, parts, size, unit, compute),
        Some(turns) => workspace.share_in_turn(turns, size, unit, compute),
    }
}

/// Computes a whole product on one thread, zeros included.
///
/// # Safety
/// As [`Part::compute`].
#[inline]
pub(super) unsafe fn multiply_dense<T: Real>(
    whole: Part<T>,
    kernel: &Kernel<T>,
    isa: Isa,
    epilogue: &impl Fn(usize, &mut [T]),
    panels: &mut Panels,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if whole.is_panel(kernel) {
            whole.compute_panel(kernel, isa, epilogue, panels);
        } else if whole.transposing_pays(kernel) {
            whole.compute_transposed(kernel, isa, epilogue, panels);
        } else {
            whole.compute(kernel, isa, epilogue, panels);
        }
    }
}
