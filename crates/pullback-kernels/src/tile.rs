//! The innermost part of the matrix product: one tile of the output, held in registers over k.
//!
//! Each output number has one chain of fused multiply-adds in ascending k, so its bits depend neither on
//! the tile's shape nor on the vector's width.

use crate::Real;
use crate::dispatch::{Isa, Set};
use crate::vector::{Plain, Vector};

/// The most rows that a tile of any instruction set has.
pub(crate) const MOST_ROWS: usize = 14;

/// One tile's work: `c = (start or 0) + a @ b`, with `rows` fixed by the function that is called.
pub(crate) struct Tile<T> {
    pub(crate) depth: usize,
    pub(crate) a: *const T,
    pub(crate) a_row: usize,
    pub(crate) a_step: usize,
    pub(crate) b: *const T,
    pub(crate) b_step: usize,
    pub(crate) c: *mut T,
    pub(crate) c_row: usize,
    /// The columns of the tile: more than all but one of its vectors hold.
    pub(crate) columns: usize,
    /// What to start from instead of zero: `c` itself, or a row that serves all rows.
    pub(crate) start: Option<*const T>,
    pub(crate) start_row: usize,
}

/// # Safety
/// `a`, `b`, `c` and `start` must be valid for what the fields of [`Tile`] and the function's number of rows
/// span, `c` overlapping neither `a` nor `b`, and the processor must have the instruction set.
pub(crate) type TileFunction<T> = unsafe fn(&Tile<T>);
/// # Safety
/// `from` must be valid for the numbers `l * lane_stride + k * step_stride` of l below `lanes` and k below
/// `depth`, `to` for `depth * width`, without overlap, and the processor must have the instruction set.
pub(crate) type PackFunction<T> = unsafe fn(&Pack<T>);

/// One panel's packing: `to[k * width + l] = from[l * lane_stride + k * step_stride]` for l below `lanes`;
/// the tile's mask keeps it from reading the others.
pub(crate) struct Pack<T> {
    pub(crate) from: *const T,
    pub(crate) lane_stride: usize,
    pub(crate) step_stride: usize,
    pub(crate) lanes: usize,
    pub(crate) depth: usize,
    pub(crate) width: usize,
    pub(crate) to: *mut T,
}

/// So many steps before a row of the right operand is read, it is asked for.
const AHEAD: usize = 16;
/// Fewer steps are not worth that.
const LEAST_AHEAD: usize = 128;

/// The most vectors of a row that a function of `skip` holds.
pub(crate) const SKIP_VECTORS: usize = 8;
/// So many steps of k have a word of bits together; with the vectors above, what a first-level cache holds.
pub(crate) const SKIP_DEPTH: usize = 64;

/// Rows of `c = (start or 0) + a @ b` over at most `SKIP_DEPTH` steps, of which those are left out where `a`
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
    /// More than all but one of the vectors hold.
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
/// `a` must be valid for the rows, of at most `SKIP_DEPTH` steps side by side, `bits` for a word each, and the
/// processor must have the instruction set.
pub(crate) type FindFunction<T> = unsafe fn(*const T, usize, usize, usize, *mut u64, usize);

/// The functions of one instruction set and number type.
pub(crate) struct Kernel<T: 'static> {
    /// How many numbers a vector holds.
    pub(crate) width: usize,
    /// The most rows of a tile.
    pub(crate) rows: usize,
    /// By vectors in a row, less one, then by rows, less one.
    pub(crate) tiles: [[TileFunction<T>; MOST_ROWS]; 2],
    pub(crate) pack: PackFunction<T>,
    /// By vectors in a row, less one.
    pub(crate) skip: [SkipFunction<T>; SKIP_VECTORS],
    pub(crate) find: FindFunction<T>,
}

/// A number type that the product has kernels for.
pub trait HasKernels: Sized + 'static {
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "only this crate calls it")]
    fn kernel(isa: Isa) -> &'static Kernel<Self>;
}

macro_rules! by_rows {
    ($function:ident, $vectors:literal, $($rest:ty),+) => {
        [
            $function::<$($rest),+, 1, $vectors>, $function::<$($rest),+, 2, $vectors>,
            $function::<$($rest),+, 3, $vectors>, $function::<$($rest),+, 4, $vectors>,
            $function::<$($rest),+, 5, $vectors>, $function::<$($rest),+, 6, $vectors>,
            $function::<$($rest),+, 7, $vectors>, $function::<$($rest),+, 8, $vectors>,
            $function::<$($rest),+, 9, $vectors>, $function::<$($rest),+, 10, $vectors>,
            $function::<$($rest),+, 11, $vectors>, $function::<$($rest),+, 12, $vectors>,
            $function::<$($rest),+, 13, $vectors>, $function::<$($rest),+, 14, $vectors>,
        ]
    };
}

macro_rules! kernel {
    ($tile:ident, $pack:ident, $skip:ident, $find:ident, $float:ty, $vector:ty, $rows:literal) => {{
        static KERNEL: Kernel<$float> = Kernel {
            width: <$vector as Vector<$float>>::WIDTH,
            rows: $rows,
            tiles: [by_rows!($tile, 1, $float, $vector), by_rows!($tile, 2, $float, $vector)],
            pack: $pack::<$float, $vector>,
            skip: [
                $skip::<$float, $vector, 1>,
                $skip::<$float, $vector, 2>,
                $skip::<$float, $vector, 3>,
                $skip::<$float, $vector, 4>,
                $skip::<$float, $vector, 5>,
                $skip::<$float, $vector, 6>,
                $skip::<$float, $vector, 7>,
                $skip::<$float, $vector, 8>,
            ],
            find: $find::<$float, $vector>,
        };
        &KERNEL
    }};
}

macro_rules! has_kernels {
    ($float:ident, $avx512:ident, $avx2:ident, $plain:literal) => {
        impl HasKernels for $float {
            #[expect(private_interfaces, reason = "only this crate calls it")]
            fn kernel(isa: Isa) -> &'static Kernel<Self> {
                match isa.0 {
                    #[cfg(target_arch = "x86_64")]
                    Set::Amx | Set::Avx512Bf16 | Set::Avx512 => kernel!(
                        tile_avx512,
                        pack_avx512,
                        skip_avx512,
                        find_avx512,
                        $float,
                        core::arch::x86_64::$avx512,
                        14
                    ),
                    #[cfg(target_arch = "x86_64")]
                    Set::Avx2 => kernel!(
                        tile_avx2,
                        pack_avx2,
                        skip_avx2,
                        find_avx2,
                        $float,
                        core::arch::x86_64::$avx2,
                        6
                    ),
                    #[cfg(target_arch = "aarch64")]
                    Set::Neon => kernel!(tile, pack, skip, find, $float, Plain<$float, $plain>, 8),
                    Set::Portable | Set::AmxEmulated => {
                        kernel!(tile, pack, skip, find, $float, Plain<$float, $plain>, 4)
                    }
                }
            }
        }
    };
}

has_kernels!(f32, __m512, __m256, 4);
has_kernels!(f64, __m512d, __m256d, 2);

/// # Safety
/// As [`TileFunction`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
unsafe fn tile_avx512<T: Real, V: Vector<T>, const ROWS: usize, const VECTORS: usize>(job: &Tile<T>) {
    // SAFETY: the caller's promise.
    unsafe { tile::<T, V, ROWS, VECTORS>(job) }
}

/// # Safety
/// As [`TileFunction`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn tile_avx2<T: Real, V: Vector<T>, const ROWS: usize, const VECTORS: usize>(job: &Tile<T>) {
    // SAFETY: the caller's promise.
    unsafe { tile::<T, V, ROWS, VECTORS>(job) }
}

/// # Safety
/// As [`PackFunction`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
unsafe fn pack_avx512<T: Real, V: Vector<T>>(job: &Pack<T>) {
    // SAFETY: the caller's promise.
    unsafe { pack::<T, V>(job) }
}

/// # Safety
/// As [`PackFunction`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn pack_avx2<T: Real, V: Vector<T>>(job: &Pack<T>) {
    // SAFETY: the caller's promise.
    unsafe { pack::<T, V>(job) }
}

/// # Safety
/// As [`SkipFunction`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,bmi1")]
unsafe fn skip_avx512<T: Real, V: Vector<T>, const VECTORS: usize>(job: &Skip<T>) {
    // SAFETY: the caller's promise.
    unsafe { skip::<T, V, VECTORS>(job) }
}

/// # Safety
/// As [`FindFunction`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
unsafe fn find_avx512<T: Real, V: Vector<T>>(
    a: *const T,
    a_row: usize,
    rows: usize,
    steps: usize,
    bits: *mut u64,
    bits_row: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { find::<T, V>(a, a_row, rows, steps, bits, bits_row) }
}

/// # Safety
/// As [`SkipFunction`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi1")]
unsafe fn skip_avx2<T: Real, V: Vector<T>, const VECTORS: usize>(job: &Skip<T>) {
    // SAFETY: the caller's promise.
    unsafe { skip::<T, V, VECTORS>(job) }
}

/// # Safety
/// As [`FindFunction`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn find_avx2<T: Real, V: Vector<T>>(
    a: *const T,
    a_row: usize,
    rows: usize,
    steps: usize,
    bits: *mut u64,
    bits_row: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { find::<T, V>(a, a_row, rows, steps, bits, bits_row) }
}

/// # Safety
/// As [`TileFunction`].
#[inline(always)]
unsafe fn tile<T: Real, V: Vector<T>, const ROWS: usize, const VECTORS: usize>(job: &Tile<T>) {
    let &Tile { depth, a, a_row, a_step, b, b_step, c, c_row, columns, start, start_row } = job;
    let last = VECTORS - 1;
    debug_assert!(columns > last * V::WIDTH && columns <= VECTORS * V::WIDTH);
    // SAFETY: `columns` fills every vector but the last, of which the mask has the rest; so the loads and
    // stores below touch only the numbers of a, b and c that the caller vouches for.
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
        let asking = if depth >= LEAST_AHEAD { depth - AHEAD } else { 0 };
        for _ in 0..asking {
            for v in 0..VECTORS {
                V::ask_for(at.b.wrapping_add(AHEAD * b_step + v * V::WIDTH));
            }
            at.step::<V, ROWS, VECTORS>(&mut sums, mask);
        }
        for _ in asking..depth {
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

/// Where a tile stands on its way over k.
struct Steps<T> {
    /// Every third row: a pointer to each would take more registers than there are, and one that goes from
    /// row to row is ready later than the sums are.
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

/// # Safety
/// As [`PackFunction`].
#[inline(always)]
unsafe fn pack<T: Real, V: Vector<T>>(job: &Pack<T>) {
    let &Pack { from, lane_stride, step_stride, lanes, depth, width, to } = job;
    debug_assert!(lanes <= width);
    // SAFETY: every index below is of a lane below `lanes` and a step below `depth`: squares that would stick out are moved back inside, where they write the same numbers again.
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
            // Steps outside, so that the panel is written from one end to the other.
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

/// # Safety
/// As [`SkipFunction`].
#[inline(always)]
unsafe fn skip<T: Real, V: Vector<T>, const VECTORS: usize>(job: &Skip<T>) {
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

/// The pointer, computed. Several loads from it would else compute it each for itself, for which an instruction
/// that multiplies what it loads takes a slot more on processors of Intel.
#[inline(always)]
fn in_a_register<T>(pointer: *const T) -> *const T {
    #[cfg(target_arch = "x86_64")]
    {
        let mut pointer = pointer;
        // SAFETY: does nothing.
        unsafe {
            core::arch::asm!("/* {} */", inout(reg) pointer, options(pure, readonly, nostack, preserves_flags))
        };
        pointer
    }
    #[cfg(not(target_arch = "x86_64"))]
    pointer
}

/// # Safety
/// As [`FindFunction`].
#[inline(always)]
unsafe fn find<T: Real, V: Vector<T>>(
    a: *const T,
    a_row: usize,
    rows: usize,
    steps: usize,
    bits: *mut u64,
    bits_row: usize,
) {
    debug_assert!(steps <= SKIP_DEPTH);
    // SAFETY: the loads stay inside the steps of a row.
    unsafe {
        for i in 0..rows {
            let a = a.add(i * a_row);
            let (mut word, mut k) = (0, 0);
            while k + V::WIDTH <= steps {
                word |= V::load(a.add(k)).bits_of_others_than_zero() << k;
                k += V::WIDTH;
            }
            if k < steps {
                word |= V::load_masked(a.add(k), V::mask(steps - k)).bits_of_others_than_zero() << k;
            }
            *bits.add(i * bits_row) = word;
        }
    }
}
