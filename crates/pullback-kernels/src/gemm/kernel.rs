//! Which functions compute a product on an instruction set: each is compiled for its vectors.

use super::microkernel::{MOST_ROWS, Tile, TileFunction, tile};
use super::pack::{Pack, PackFunction, pack};
use super::skip::{FindFunction, Skip, SkipFunction, find, skip};
use super::sparse::HAS_SPARSE;
use crate::machine::tuning::SPARSE_VECTORS;
use crate::machine::vector::{PortableF32, PortableF64, Vector};
use crate::machine::{Isa, Set};
use crate::number::{PerType, Real};

/// The micro-kernels and packing functions of one instruction set and number type.
pub(crate) struct Kernel<T: 'static> {
    /// How many numbers a vector holds.
    pub(crate) width: usize,
    /// The most rows of a tile.
    pub(crate) rows: usize,
    /// For 1 and 2 vectors in a row, then for 1 to `rows` rows.
    pub(crate) tiles: [[TileFunction<T>; MOST_ROWS]; 2],
    pub(crate) pack: PackFunction<T>,
    /// For 1 to `SPARSE_VECTORS` vectors in a row.
    pub(crate) skip: [SkipFunction<T>; SPARSE_VECTORS],
    pub(crate) find: FindFunction<T>,
}

/// A function for each number of rows; from the most that there are in a tile on, the same one.
macro_rules! by_rows {
    ($function:ident, $vectors:literal, $most:literal, $($rest:ty),+) => {
        by_rows!(@ $function, $vectors, $most, ($($rest),+), 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
    };
    (@ $function:ident, $vectors:literal, $most:literal, $rest:tt, $($rows:literal)+) => {
        [$(by_rows!(@@ $function, $vectors, $most, $rest, $rows)),+]
    };
    (@@ $function:ident, $vectors:literal, $most:literal, ($($rest:ty),+), $rows:literal) => {
        $function::<$($rest),+, { if $rows < $most { $rows } else { $most } }, $vectors>
    };
}

macro_rules! kernel {
    ($tile:ident, $pack:ident, $skip:ident, $find:ident, $float:ty, $vector:ty, $rows:literal) => {{
        static KERNEL: Kernel<$float> = Kernel {
            width: <$vector as Vector<$float>>::WIDTH,
            rows: $rows,
            tiles: [by_rows!($tile, 1, $rows, $float, $vector), by_rows!($tile, 2, $rows, $float, $vector)],
            pack: $pack::<$float, $vector>,
            // Else the first one stands for all, none of which is called.
            skip: if HAS_SPARSE {
                [
                    $skip::<$float, $vector, 1>,
                    $skip::<$float, $vector, 2>,
                    $skip::<$float, $vector, 3>,
                    $skip::<$float, $vector, 4>,
                    $skip::<$float, $vector, 5>,
                    $skip::<$float, $vector, 6>,
                    $skip::<$float, $vector, 7>,
                    $skip::<$float, $vector, 8>,
                ]
            } else {
                [$skip::<$float, $vector, 1>; SPARSE_VECTORS]
            },
            find: $find::<$float, $vector>,
        };
        &KERNEL
    }};
}

macro_rules! kernels {
    ($isa:expr, $float:ident, $avx512:ident, $avx2:ident, $plain:ident) => {
        match $isa.0 {
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
            Set::Avx2 => {
                kernel!(tile_avx2, pack_avx2, skip_avx2, find_avx2, $float, core::arch::x86_64::$avx2, 6)
            }
            #[cfg(target_arch = "aarch64")]
            Set::Neon => kernel!(tile, pack, skip, find, $float, $plain, 8),
            Set::Portable | Set::AmxEmulated => {
                kernel!(tile, pack, skip, find, $float, $plain, 4)
            }
        }
    };
}

impl<T: Real> Kernel<T> {
    /// The functions for an instruction set.
    #[inline(always)]
    pub(crate) fn of(isa: Isa) -> &'static Self {
        T::choose(Choice(isa))
    }
}

/// The functions of an instruction set, for each number type.
struct Choice(Isa);

impl PerType for Choice {
    type Of<T: Real> = &'static Kernel<T>;

    #[inline(always)]
    fn for_f32(self) -> &'static Kernel<f32> {
        kernels!(self.0, f32, __m512, __m256, PortableF32)
    }

    #[inline(always)]
    fn for_f64(self) -> &'static Kernel<f64> {
        kernels!(self.0, f64, __m512d, __m256d, PortableF64)
    }
}

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
