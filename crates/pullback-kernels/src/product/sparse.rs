//! Products that leave out the zeros of one operand: what ReLU, dropout and pictures are full of.
//!
//! A row of the output is held in registers while its numbers of the sparse operand are walked through, the
//! zeros skipped by their bits; what each of the others is multiplied with, a row of a panel, is in the
//! first-level cache. A zero adds nothing to a chain of multiply-adds, so the bits are those of the
//! dense product, unless it meets an infinite number or NaN, which it leaves out too (and but for the
//! sign of a zero).
//! `cargo bench --manifest-path bench/Cargo.toml -p pullback-kernel-benches -- zeros` says what it gains.

use super::{Operand, PAGE, Part, Pieces, room};
use crate::array::Line;
use crate::tile::{Kernel, Pack, SKIP_DEPTH, SKIP_VECTORS, Skip};
use crate::workspace::Panels;
use crate::{Isa, Real};

/// Which operand is full of zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    /// Then the output is computed as its transpose.
    Right,
}

/// From so many multiply-adds on, a look for zeros costs next to nothing.
const WORTH_A_LOOK: usize = 1 << 18;
/// Fewer columns than this waste vectors, or the work on each row.
const LEAST_COLUMNS: usize = 64;
/// Fewer rows do not pay for repacking the other operand.
const LEAST_ROWS: usize = 24;
const LEAST_DEPTH: usize = 16;
/// So many rows of an operand are looked at, spread over all of it.
const ROWS_LOOKED_AT: usize = 32;
/// Up to this share of numbers that are not zero, leaving out the others pays.
const MOST_PART: f64 = 0.7;
/// The right operand has to be so much emptier than the left: the output has to be turned.
const TURNING: f64 = 0.8;
/// So many rows at a time: with a panel's width, their sums stay in a second-level cache.
const ROWS: usize = 512;

/// The operand whose zeros are to be left out, if that pays: as seen by a sample of its rows, and so the same on
/// every instruction set and for any number of threads.
pub(super) fn side<T: Real>(
    isa: Isa,
    left: Operand<'_, T>,
    right: Operand<'_, T>,
    starts_from_zero: bool,
) -> Option<Side> {
    let (rows, columns, depth) = (left.rows, right.columns, left.columns);
    if (rows * columns).saturating_mul(depth) < WORTH_A_LOOK || depth < LEAST_DEPTH {
        return None;
    }
    let fits = |rows: usize, columns: usize| rows >= LEAST_ROWS && columns >= LEAST_COLUMNS;
    let part_of_left = if fits(rows, columns) { part_not_zero(isa, left) } else { 1.0 };
    let part_of_right = if fits(columns, rows) && starts_from_zero { part_not_zero(isa, right) } else { 1.0 };
    if part_of_right <= MOST_PART && part_of_right < TURNING * part_of_left {
        return Some(Side::Right);
    }
    (part_of_left <= MOST_PART).then_some(Side::Left)
}

/// The share of numbers that are not zero, of some rows as they lie in memory.
fn part_not_zero<T: Real>(isa: Isa, operand: Operand<'_, T>) -> f64 {
    let width = if operand.column_stride == 1 { operand.columns } else { operand.rows };
    let rows = operand.data.len() / width;
    let step = rows.div_ceil(ROWS_LOOKED_AT);
    let (mut others, mut all) = (0, 0);
    isa.run(
        #[inline(always)]
        || {
            for row in operand.data.chunks_exact(width).step_by(step) {
                others += row.iter().map(|x| u32::from(*x != T::ZERO)).sum::<u32>();
                all += row.len();
            }
        },
    );
    f64::from(others) / all as f64
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
        let is_turned = side == Side::Right;
        let turned = if is_turned { self.with_operands_turned() } else { self };
        let most_width = SKIP_VECTORS * kernel.width;
        let width = turned.columns.div_ceil(kernel.width);
        // Panels of much the same width.
        let width = width.div_ceil(width.div_ceil(SKIP_VECTORS)) * kernel.width;
        let blocks = self.depth.div_ceil(SKIP_DEPTH);
        for first in (0..turned.rows).step_by(ROWS) {
            let rows = ROWS.min(turned.rows - first);
            let left = Self { a: turned.a.wrapping_add(first * turned.a_row), rows, ..turned };
            // SAFETY: the rows are inside the rectangle.
            let left = unsafe { left.find_zeros(kernel, &mut panels.left, &mut panels.bits) };
            for column in (0..turned.columns).step_by(width) {
                let columns = width.min(turned.columns - column);
                let vectors = columns.div_ceil(kernel.width);
                let sums = room::<T>(&mut panels.sums, turned.most_rows.min(ROWS) * most_width);
                for block in 0..blocks {
                    let step = block * SKIP_DEPTH;
                    let depth = SKIP_DEPTH.min(self.depth - step);
                    let pack = Pack {
                        from: turned.b.wrapping_add(step * turned.b_step + column * turned.b_column),
                        lane_stride: turned.b_column,
                        step_stride: turned.b_step,
                        lanes: columns,
                        depth,
                        width: vectors * kernel.width,
                        to: room::<T>(&mut panels.right, SKIP_DEPTH * most_width),
                    };
                    // SAFETY: the block is inside the rectangle; `room` made room for it.
                    unsafe { (kernel.pack)(&pack) };
                    let (mut c, mut c_row) = (sums, width);
                    if block + 1 == blocks && !is_turned {
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
                        b: pack.to,
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
                let done = if is_turned {
                    let done = self.at(column, first, columns, rows);
                    let turn = Pack {
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
                    unsafe { (kernel.pack)(&turn) };
                    done
                } else {
                    self.at(first, column, rows, columns)
                };
                if self.pieces == Pieces::Blocks {
                    // SAFETY: this part of the output is finished, and `c` may write it.
                    unsafe { done.finish(isa, epilogue) };
                }
            }
            if self.pieces == Pieces::Rows && !is_turned {
                // SAFETY: as above.
                unsafe { self.at(first, 0, rows, self.columns).finish(isa, epilogue) };
            }
        }
        if self.pieces == Pieces::Rows && is_turned {
            // SAFETY: as above.
            unsafe { self.finish(isa, epilogue) };
        }
    }

    /// The bits of the rows of `a`, and the rows themselves with their steps side by side, repacked if need be, or if
    /// the rows are so far apart that no prefetcher follows.
    ///
    /// # Safety
    /// As [`Part::compute`].
    unsafe fn find_zeros(&self, kernel: &Kernel<T>, memory: &mut Vec<Line>, bits: &mut Vec<u64>) -> Left<T> {
        let blocks = self.depth.div_ceil(SKIP_DEPTH);
        let most = self.most_rows.min(ROWS);
        bits.resize(bits.len().max(most * blocks), 0);
        let mut left = Left { a: self.a, row: self.a_row, block: SKIP_DEPTH, bits: bits.as_mut_ptr() };
        let is_packed = self.a_step != 1 || self.a_row * size_of::<T>() >= PAGE;
        if is_packed {
            let panel = self.rows * SKIP_DEPTH;
            let to = room::<T>(memory, blocks * most * SKIP_DEPTH);
            left = Left { a: to, row: SKIP_DEPTH, block: panel, ..left };
        }
        for block in 0..blocks {
            let step = block * SKIP_DEPTH;
            let depth = SKIP_DEPTH.min(self.depth - step);
            let a = left.a.wrapping_add(block * left.block);
            if is_packed {
                let pack = Pack {
                    from: self.a.wrapping_add(step * self.a_step),
                    lane_stride: self.a_step,
                    step_stride: self.a_row,
                    lanes: depth,
                    depth: self.rows,
                    width: SKIP_DEPTH,
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

/// Rows of the sparse operand: step k of row i is at `a + i * row + k / SKIP_DEPTH * block + k % SKIP_DEPTH`.
struct Left<T> {
    a: *const T,
    row: usize,
    block: usize,
    bits: *mut u64,
}
