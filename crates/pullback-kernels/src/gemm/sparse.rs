//! Products that leave out the zeros of one operand: outputs of ReLU and dropout, and pictures, have many.
//!
//! A row of the output is held in registers while the nonzero numbers of the sparse operand's row are multiplied, each
//! with a row of a panel in the first-level cache; a bit for each number says which are not zero. A zero adds nothing
//! to a chain of multiply-adds, so the bits are those of the dense product, with two exceptions: zero times infinity
//! or NaN is left out too, and a result of zero may have another sign.
//! `cargo bench --manifest-path bench/Cargo.toml -p pullback-kernel-benches -- zeros` says what it gains.

use super::api::Operand;
use super::block::{Part, Pieces};
use super::kernel::Kernel;
use super::pack::Pack;
use super::skip::Skip;
use crate::machine::Panels;
use crate::machine::memory::{Line, room};
use crate::machine::tuning::{
    LEAST_SAMPLED_PRODUCT, LEAST_SPARSE_COLUMNS, LEAST_SPARSE_DEPTH, LEAST_SPARSE_ROWS, MOST_NONZERO,
    MOST_NONZERO_OF_RIGHT, PAGE, SAMPLED_ROWS, SPARSE_KC, SPARSE_MC, SPARSE_VECTORS,
};
use crate::{Isa, Real};

/// Which operand is full of zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    /// Then the output is computed as its transpose.
    Right,
}

/// Whether zeros are left out at all: in the page they would be few, and these kernels are many.
pub(super) const HAS_SPARSE: bool = !cfg!(target_family = "wasm");

/// The operand whose zeros are left out, if that pays. A sample of its rows decides, so it is the same on every
/// instruction set and for any number of threads.
#[inline]
pub(super) fn side<T: Real>(
    isa: Isa,
    left: Operand<'_, T>,
    right: Operand<'_, T>,
    starts_from_zero: bool,
) -> Option<Side> {
    let (rows, columns, depth) = (left.rows, right.columns, left.columns);
    if !HAS_SPARSE
        || (rows * columns).saturating_mul(depth) < LEAST_SAMPLED_PRODUCT
        || depth < LEAST_SPARSE_DEPTH
    {
        return None;
    }
    let fits = |rows: usize, columns: usize| rows >= LEAST_SPARSE_ROWS && columns >= LEAST_SPARSE_COLUMNS;
    let share_of_left = if fits(rows, columns) { nonzero_share(isa, left) } else { 1.0 };
    let share_of_right =
        if fits(columns, rows) && starts_from_zero { nonzero_share(isa, right) } else { 1.0 };
    if share_of_right <= MOST_NONZERO && share_of_right < MOST_NONZERO_OF_RIGHT * share_of_left {
        return Some(Side::Right);
    }
    (share_of_left <= MOST_NONZERO).then_some(Side::Left)
}

/// Whether it pays to leave out the zeros of the left operand, if those of the right one are not looked for.
pub(super) fn left_pays<T: Real>(isa: Isa, left: Operand<'_, T>, columns: usize) -> bool {
    let (rows, depth) = (left.rows, left.columns);
    HAS_SPARSE
        && (rows * columns).saturating_mul(depth) >= LEAST_SAMPLED_PRODUCT
        && depth >= LEAST_SPARSE_DEPTH
        && rows >= LEAST_SPARSE_ROWS
        && columns >= LEAST_SPARSE_COLUMNS
        && nonzero_share(isa, left) <= MOST_NONZERO
}

/// The share of nonzero numbers in a sample of the rows in memory.
fn nonzero_share<T: Real>(isa: Isa, operand: Operand<'_, T>) -> f64 {
    let width = if operand.column_stride == 1 { operand.columns } else { operand.rows };
    let rows = operand.data.len() / width;
    let step = rows.div_ceil(SAMPLED_ROWS);
    let (mut nonzero, mut all) = (0, 0);
    isa.run(
        #[inline(always)]
        || {
            for row in operand.data.chunks_exact(width).step_by(step) {
                nonzero += row.iter().map(|x| u32::from(*x != T::ZERO)).sum::<u32>();
                all += row.len();
            }
        },
    );
    f64::from(nonzero) / all as f64
}

impl<T: Real> Part<T> {
    /// Computes the rectangle, leaving out the zeros of one side.
    ///
    /// # Safety
    /// As [`Part::compute`]; what the chains start from must be zero for [`Side::Right`].
    pub(super) unsafe fn compute_sparse(
        self,
        side: Side,
        kernel: &Kernel<T>,
        isa: Isa,
        epilogue: &impl Fn(usize, &mut [T]),
        panels: &mut Panels,
    ) {
        let is_transposed = side == Side::Right;
        let product = if is_transposed { self.transposed() } else { self };
        let most_width = SPARSE_VECTORS * kernel.width;
        let width = product.columns.div_ceil(kernel.width);
        // Panels of about the same width.
        let width = width.div_ceil(width.div_ceil(SPARSE_VECTORS)) * kernel.width;
        let blocks = self.depth.div_ceil(SPARSE_KC);
        for first in (0..product.rows).step_by(SPARSE_MC) {
            let rows = SPARSE_MC.min(product.rows - first);
            let left = Self { a: product.a.wrapping_add(first * product.a_row), rows, ..product };
            // SAFETY: the rows are inside the rectangle.
            let left = unsafe { left.find_zeros(kernel, &mut panels.left, &mut panels.bits) };
            for column in (0..product.columns).step_by(width) {
                let columns = width.min(product.columns - column);
                let vectors = columns.div_ceil(kernel.width);
                let sums = room::<T>(&mut panels.sums, product.most_rows.min(SPARSE_MC) * most_width);
                for block in 0..blocks {
                    let step = block * SPARSE_KC;
                    let depth = SPARSE_KC.min(self.depth - step);
                    let right = room::<T>(&mut panels.right, SPARSE_KC * most_width);
                    // The vectors of an operand that was packed before lie in several panels.
                    let most_lanes = if product.is_packed { kernel.width } else { columns };
                    for lane in (0..columns).step_by(most_lanes) {
                        let pack = Pack {
                            from: product.right_at(step, column + lane),
                            lane_stride: if product.is_packed { 1 } else { product.b_column },
                            step_stride: product.b_step,
                            lanes: most_lanes.min(columns - lane),
                            depth,
                            width: vectors * kernel.width,
                            to: right.wrapping_add(lane),
                        };
                        // SAFETY: the block is inside the rectangle; `room` made room for it.
                        unsafe { (kernel.pack)(&pack) };
                    }
                    let (mut c, mut c_row) = (sums, width);
                    if block + 1 == blocks && !is_transposed {
                        (c, c_row) = (self.c.wrapping_add(first * self.c_row + column), self.c_row);
                    }
                    let (start, start_row) = if block > 0 {
                        (Some(sums.cast_const()), width)
                    } else {
                        let start =
                            self.start.map(|start| start.wrapping_add(first * self.start_row + column));
                        (start, self.start_row)
                    };
                    let skip = Skip {
                        rows,
                        a: left.a.wrapping_add(block * left.block),
                        a_row: left.row,
                        bits: left.bits.wrapping_add(block),
                        bits_row: blocks,
                        b: right,
                        c,
                        c_row,
                        columns,
                        start,
                        start_row,
                    };
                    // SAFETY: the rows and columns are inside the rectangle, or of `sums`, which has room for
                    // them; the panel was packed above, and bits were found for these steps.
                    unsafe { (kernel.skip[vectors - 1])(&skip) };
                }
                let done = if is_transposed {
                    let done = self.at(column, first, columns, rows);
                    let transposition = Pack {
                        from: sums,
                        lane_stride: width,
                        step_stride: 1,
                        lanes: rows,
                        depth: columns,
                        width: self.c_row,
                        to: done.c,
                    };
                    // SAFETY: `sums` holds these rows and columns, finished, and `done` is the place of their
                    // transpose in the output.
                    unsafe { (kernel.pack)(&transposition) };
                    done
                } else {
                    self.at(first, column, rows, columns)
                };
                if self.pieces == Pieces::Blocks {
                    // SAFETY: this part of the output is finished, and `c` may write it.
                    unsafe { done.finish(isa, epilogue) };
                }
            }
            if self.pieces == Pieces::Rows && !is_transposed {
                // SAFETY: as above.
                unsafe { self.at(first, 0, rows, self.columns).finish(isa, epilogue) };
            }
        }
        if self.pieces == Pieces::Rows && is_transposed {
            // SAFETY: as above.
            unsafe { self.finish(isa, epilogue) };
        }
    }

    /// Where `right` has the number of a step and a column.
    fn right_at(&self, step: usize, column: usize) -> *const T {
        let in_panel = if self.is_packed { column % self.b_step } else { 0 };
        self.b.wrapping_add(step * self.b_step + (column - in_panel) * self.b_column + in_panel)
    }

    /// The bits of the rows of `a`, and the rows with contiguous steps. They are packed if their steps are not
    /// contiguous, or if the rows are too far apart for the processor's prefetcher.
    ///
    /// # Safety
    /// As [`Part::compute`].
    unsafe fn find_zeros(&self, kernel: &Kernel<T>, memory: &mut Vec<Line>, bits: &mut Vec<u64>) -> Left<T> {
        let blocks = self.depth.div_ceil(SPARSE_KC);
        let most = self.most_rows.min(SPARSE_MC);
        bits.resize(bits.len().max(most * blocks), 0);
        let mut left = Left { a: self.a, row: self.a_row, block: SPARSE_KC, bits: bits.as_mut_ptr() };
        let is_packed = self.a_step != 1 || self.a_row * size_of::<T>() >= PAGE;
        if is_packed {
            let panel = self.rows * SPARSE_KC;
            let to = room::<T>(memory, blocks * most * SPARSE_KC);
            left = Left { a: to, row: SPARSE_KC, block: panel, ..left };
        }
        for block in 0..blocks {
            let step = block * SPARSE_KC;
            let depth = SPARSE_KC.min(self.depth - step);
            let a = left.a.wrapping_add(block * left.block);
            if is_packed {
                let pack = Pack {
                    from: self.a.wrapping_add(step * self.a_step),
                    lane_stride: self.a_step,
                    step_stride: self.a_row,
                    lanes: depth,
                    depth: self.rows,
                    width: SPARSE_KC,
                    to: a.cast_mut(),
                };
                // SAFETY: the block is inside the rectangle, and `room` made room for every block.
                unsafe { (kernel.pack)(&pack) };
            }
            // SAFETY: as above; `bits` has a word for each row and block.
            unsafe { (kernel.find)(a, left.row, self.rows, depth, left.bits.add(block), blocks) };
        }
        left
    }
}

/// Rows of the sparse operand: step k of row i is at `a + i * row + k / SPARSE_KC * block + k % SPARSE_KC`.
struct Left<T> {
    a: *const T,
    row: usize,
    block: usize,
    bits: *mut u64,
}
