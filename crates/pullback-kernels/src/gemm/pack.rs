//! Packing: an operand is copied into panels, in the order in which the micro-kernel reads it.

use super::block::{Part, Shares};
use super::kernel::Kernel;
use crate::Real;
use crate::machine::memory::{Line, room};
use crate::machine::tuning::{MC_TILES, NC};
use crate::machine::vector::Vector;
use core::ops::Range;

/// # Safety
/// `from` must be valid for the numbers `l * lane_stride + k * step_stride` of l below `lanes` and k below
/// `depth`, `to` for `depth * width`, without overlap, and the processor must have the instruction set.
pub(crate) type PackFunction<T> = unsafe fn(&Pack<T>);

/// The packing of one panel: `to[k * width + l] = from[l * lane_stride + k * step_stride]` for l below `lanes`;
/// the micro-kernel's mask keeps it from reading the others.
pub(crate) struct Pack<T> {
    pub(crate) from: *const T,
    pub(crate) lane_stride: usize,
    pub(crate) step_stride: usize,
    pub(crate) lanes: usize,
    pub(crate) depth: usize,
    pub(crate) width: usize,
    pub(crate) to: *mut T,
}

/// # Safety
/// As [`PackFunction`].
#[inline(always)]
pub(super) unsafe fn pack<T: Real, V: Vector<T>>(job: &Pack<T>) {
    let &Pack { from, lane_stride, step_stride, lanes, depth, width, to } = job;
    debug_assert!(lanes <= width);
    // SAFETY: every index below is of a lane below `lanes` and a step below `depth`: squares that would reach beyond
    // are moved back inside, where they write the same numbers again.
    unsafe {
        if lane_stride == 1 {
            for k in 0..depth {
                let (from, to) = (from.add(k * step_stride), to.add(k * width));
                let mut l = 0;
                while l + V::WIDTH <= lanes {
                    V::load(from.add(l)).store(to.add(l));
                    l += V::WIDTH;
                }
                if l < lanes {
                    let mask = V::mask(lanes - l);
                    V::load_masked(from.add(l), mask).store_masked(to.add(l), mask);
                }
            }
        } else if step_stride == 1 && lanes >= V::SQUARE && depth >= V::SQUARE {
            // Steps in the outer loop, so that the panel is written from one end to the other.
            for k in (0..depth).step_by(V::SQUARE) {
                let k = k.min(depth - V::SQUARE);
                for l in (0..lanes).step_by(V::SQUARE) {
                    let l = l.min(lanes - V::SQUARE);
                    V::transpose(from.add(l * lane_stride + k), lane_stride, to.add(k * width + l), width);
                }
            }
        } else {
            for l in 0..lanes {
                for k in 0..depth {
                    *to.add(k * width + l) = *from.add(l * lane_stride + k * step_stride);
                }
            }
        }
    }
}

impl<T: Real> Part<T> {
    /// Packs `right` into panels of two vectors' columns, step by step; returns where they begin.
    ///
    /// # Safety
    /// As [`Part::compute`].
    pub(super) unsafe fn pack_right(&self, kernel: &Kernel<T>, memory: &mut Vec<Line>) -> *const T {
        let wide = 2 * kernel.width;
        let most = self.most_columns.min(NC).next_multiple_of(wide);
        let panels = room::<T>(memory, most * self.depth);
        for j in (0..self.columns).step_by(wide) {
            let pack = Pack {
                from: self.b.wrapping_add(j * self.b_column),
                lane_stride: self.b_column,
                step_stride: self.b_step,
                lanes: wide.min(self.columns - j),
                depth: self.depth,
                width: wide,
                to: panels.wrapping_add(j * self.depth),
            };
            // SAFETY: the columns are inside the rectangle, and `room` made room for every panel.
            unsafe { (kernel.pack)(&pack) };
        }
        panels
    }

    /// Packs the rows of `left` of some tiles into panels, step by step; returns where they begin.
    ///
    /// # Safety
    /// As [`Part::compute`]; `shares` says which rows of the whole each tile has.
    pub(super) unsafe fn pack_left(
        &self,
        kernel: &Kernel<T>,
        tiles: Range<usize>,
        shares: Shares,
        memory: &mut Vec<Line>,
    ) -> *const T {
        let panels = room::<T>(memory, self.most_rows.min(MC_TILES * kernel.rows) * self.depth);
        let first = shares.start(tiles.start);
        for t in tiles {
            let (skipped, rows) = (shares.start(t) - first, shares.size(t));
            let pack = Pack {
                from: self.a.wrapping_add(skipped * self.a_row),
                lane_stride: self.a_row,
                step_stride: self.a_step,
                lanes: rows,
                depth: self.depth,
                width: rows,
                to: panels.wrapping_add(skipped * self.depth),
            };
            // SAFETY: the rows are inside the rectangle, and `room` made room for every panel.
            unsafe { (kernel.pack)(&pack) };
        }
        panels
    }
}
