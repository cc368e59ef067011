//! The micro-kernel that leaves out zeros: a row of the output is held in registers while the nonzero numbers of a row
//! of the sparse operand are multiplied. And what finds them.

use super::microkernel::in_a_register;
use crate::Real;
use crate::machine::tuning::SPARSE_KC;
use crate::machine::vector::Vector;

/// Rows of `c = (start or 0) + a @ b` over at most `SPARSE_KC` steps, of which those are left out where `a`
/// is zero.
pub(crate) struct Skip<T> {
    pub(crate) rows: usize,
    /// The steps of a row stand side by side.
    pub(crate) a: *const T,
    pub(crate) a_row: usize,
    /// For each row a word: bit k says whether the number of step k is not zero.
    pub(crate) bits: *const u64,
    pub(crate) bits_row: usize,
    /// A panel: for each step the function's number of vectors.
    pub(crate) b: *const T,
    pub(crate) c: *mut T,
    pub(crate) c_row: usize,
    /// All vectors are full, except the last one, which may be.
    pub(crate) columns: usize,
    pub(crate) start: Option<*const T>,
    pub(crate) start_row: usize,
}

/// # Safety
/// `a`, `bits`, `b`, `c` and `start` must be valid for what the fields of [`Skip`] span, `b` for whole vectors,
/// a bit set only for a step that `a` and `b` have; `c` overlaps neither; the processor must have the
/// instruction set.
pub(crate) type SkipFunction<T> = unsafe fn(&Skip<T>);
/// Writes the words of `rows` rows of `steps` numbers: `find(a, a_row, rows, steps, bits, bits_row)`.
///
/// # Safety
/// `a` must be valid for the rows, of at most `SPARSE_KC` steps side by side, `bits` for a word each, and the
/// processor must have the instruction set.
pub(crate) type FindFunction<T> = unsafe fn(*const T, usize, usize, usize, *mut u64, usize);

/// # Safety
/// As [`SkipFunction`].
#[inline(always)]
pub(super) unsafe fn skip<T: Real, V: Vector<T>, const VECTORS: usize>(job: &Skip<T>) {
    let &Skip { rows, a, a_row, bits, bits_row, b, c, c_row, columns, start, start_row } = job;
    let last = VECTORS - 1;
    debug_assert!(columns > last * V::WIDTH && columns <= VECTORS * V::WIDTH);
    // SAFETY: `columns` fills every vector but the last, of which the mask has the rest; a panel has whole
    // vectors, and the bits name only steps of a and b.
    unsafe {
        let mask = V::mask(columns - last * V::WIDTH);
        let is_full = columns == VECTORS * V::WIDTH;
        for i in 0..rows {
            let (a, c) = (a.add(i * a_row), c.add(i * c_row));
            let mut sums = [V::splat(T::ZERO); VECTORS];
            if let Some(start) = start {
                let start = start.add(i * start_row);
                for (v, sum) in sums.iter_mut().enumerate() {
                    let start = start.add(v * V::WIDTH);
                    *sum = if v < last || is_full { V::load(start) } else { V::load_masked(start, mask) };
                }
            }
            let mut bits = *bits.add(i * bits_row);
            while bits != 0 {
                let k = bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let (left, b) = (V::splat(*a.add(k)), in_a_register(b.add(k * VECTORS * V::WIDTH)));
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = left.mul_add(V::load(b.add(v * V::WIDTH)), *sum);
                }
            }
            for (v, sum) in sums.iter().enumerate() {
                let c = c.add(v * V::WIDTH);
                if v < last || is_full { sum.store(c) } else { sum.store_masked(c, mask) }
            }
        }
    }
}

/// # Safety
/// As [`FindFunction`].
#[inline(always)]
pub(super) unsafe fn find<T: Real, V: Vector<T>>(
    a: *const T,
    a_row: usize,
    rows: usize,
    steps: usize,
    bits: *mut u64,
    bits_row: usize,
) {
    debug_assert!(steps <= SPARSE_KC);
    // SAFETY: the loads stay inside the steps of a row.
    unsafe {
        for i in 0..rows {
            let a = a.add(i * a_row);
            let (mut word, mut k) = (0, 0);
            while k + V::WIDTH <= steps {
                word |= V::load(a.add(k)).nonzero_bits() << k;
                k += V::WIDTH;
            }
            if k < steps {
                word |= V::load_masked(a.add(k), V::mask(steps - k)).nonzero_bits() << k;
            }
            *bits.add(i * bits_row) = word;
        }
    }
}
