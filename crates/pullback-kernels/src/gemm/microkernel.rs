//! The micro-kernel: one tile of the output, held in registers over all steps of a block of k.
//!
//! Each output number is one chain of fused multiply-adds in ascending k, so its bits depend neither on the shape of
//! the tile nor on the width of the vectors.

use crate::Real;
use crate::machine::memory::prefetch;
use crate::machine::tuning::{LEAST_PREFETCH_DEPTH, PREFETCH_STEPS};
use crate::machine::vector::Vector;

/// The most rows that a tile of any instruction set has.
pub(super) const MOST_ROWS: usize = 14;

/// The job of a micro-kernel: the tile `c = (start or 0) + a @ b`. Its number of rows is that of the function.
pub(crate) struct Tile<T> {
    pub(crate) depth: usize,
    pub(crate) a: *const T,
    pub(crate) a_row: usize,
    pub(crate) a_step: usize,
    pub(crate) b: *const T,
    pub(crate) b_step: usize,
    pub(crate) c: *mut T,
    pub(crate) c_row: usize,
    /// The columns of the tile: all of its vectors are full, except the last one, which may be.
    pub(crate) columns: usize,
    /// What the chains start from, if not zero: `c` itself, or one row for all rows (a stride of 0).
    pub(crate) start: Option<*const T>,
    pub(crate) start_row: usize,
}

/// # Safety
/// `a`, `b`, `c` and `start` must be valid for what the fields of [`Tile`] and the function's number of rows
/// span, `c` overlapping neither `a` nor `b`, and the processor must have the instruction set.
pub(crate) type TileFunction<T> = unsafe fn(&Tile<T>);

/// # Safety
/// As [`TileFunction`].
#[inline(always)]
pub(super) unsafe fn tile<T: Real, V: Vector<T>, const ROWS: usize, const VECTORS: usize>(job: &Tile<T>) {
    let &Tile { depth, a, a_row, a_step, b, b_step, c, c_row, columns, start, start_row } = job;
    let last = VECTORS - 1;
    debug_assert!(columns > last * V::WIDTH && columns <= VECTORS * V::WIDTH);
    // SAFETY: `columns` fills every vector but the last, of which the mask has the rest; so the loads and
    // stores below touch only numbers of a, b and c that the caller promises.
    unsafe {
        let mask = V::mask(columns - last * V::WIDTH);
        let mut sums = [[V::splat(T::ZERO); VECTORS]; ROWS];
        if let Some(start) = start {
            for (i, row) in sums.iter_mut().enumerate() {
                let start = start.add(i * start_row);
                for (v, sum) in row.iter_mut().enumerate() {
                    let start = start.add(v * V::WIDTH);
                    *sum = if v < last { V::load(start) } else { V::load_masked(start, mask) };
                }
            }
        }
        let mut at =
            Steps { a: core::array::from_fn(|i| a.wrapping_add(3 * i * a_row)), a_row, a_step, b, b_step };
        let prefetching = if depth >= LEAST_PREFETCH_DEPTH { depth - PREFETCH_STEPS } else { 0 };
        for _ in 0..prefetching {
            for v in 0..VECTORS {
                prefetch(at.b.wrapping_add(PREFETCH_STEPS * b_step + v * V::WIDTH));
            }
            at.step::<V, ROWS, VECTORS>(&mut sums, mask);
        }
        for _ in prefetching..depth {
            at.step::<V, ROWS, VECTORS>(&mut sums, mask);
        }
        let is_full = columns == VECTORS * V::WIDTH;
        for (i, row) in sums.iter().enumerate() {
            let c = c.add(i * c_row);
            for (v, sum) in row.iter().enumerate() {
                let c = c.add(v * V::WIDTH);
                if v < last || is_full { sum.store(c) } else { sum.store_masked(c, mask) }
            }
        }
    }
}

/// Where a micro-kernel reads its operands at a step of k.
struct Steps<T> {
    /// A pointer to every third row: one for each row would need more registers than there are, and one pointer that
    /// moves from row to row would be computed too late for the multiply-adds.
    a: [*const T; MOST_ROWS.div_ceil(3)],
    a_row: usize,
    a_step: usize,
    b: *const T,
    b_step: usize,
}

impl<T: Real> Steps<T> {
    /// Adds one step's products to the sums.
    ///
    /// # Safety
    /// The step must be one that `a` and `b` have, `b` for the columns of the mask in its last vector.
    #[inline(always)]
    unsafe fn step<V: Vector<T>, const ROWS: usize, const VECTORS: usize>(
        &mut self,
        sums: &mut [[V; VECTORS]; ROWS],
        mask: V::Mask,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut factors = [V::splat(T::ZERO); VECTORS];
            for (v, factor) in factors.iter_mut().enumerate() {
                let b = self.b.add(v * V::WIDTH);
                *factor = if v < VECTORS - 1 { V::load(b) } else { V::load_masked(b, mask) };
            }
            for (threes, a) in sums.chunks_mut(3).zip(&mut self.a) {
                for (i, row) in threes.iter_mut().enumerate() {
                    let left = V::splat(*a.add(i * self.a_row));
                    for (sum, factor) in row.iter_mut().zip(factors) {
                        *sum = left.mul_add(factor, *sum);
                    }
                }
                *a = in_a_register(a.wrapping_add(self.a_step));
            }
        }
        self.b = self.b.wrapping_add(self.b_step);
    }
}

/// The pointer, in a register. Else the compiler would put the computation of its address into each load, and a
/// multiply-add that loads from such an address takes one more slot on Intel's processors.
#[inline(always)]
pub(super) fn in_a_register<T>(pointer: *const T) -> *const T {
    #[cfg(target_arch = "x86_64")]
    {
        let mut pointer = pointer;
        // SAFETY: the assembly is empty.
        unsafe {
            core::arch::asm!("/* {} */", inout(reg) pointer, options(pure, readonly, nostack, preserves_flags))
        };
        pointer
    }
    #[cfg(not(target_arch = "x86_64"))]
    pointer
}
