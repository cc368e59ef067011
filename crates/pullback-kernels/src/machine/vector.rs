//! Vectors: the registers of each instruction set, and the operations that kernels need of them.
//!
//! A method compiles to its instructions only where it is inlined into a function that is compiled for them; the
//! wrappers in `gemm/kernel.rs` and `image/convolution.rs` are.

use crate::Real;

/// A register of numbers.
///
/// # Safety
/// The processor must have the implementor's instruction set whenever a method is called. A pointer must be
/// valid for the numbers that the method names; none needs alignment beyond a number's own.
pub(crate) unsafe trait Vector<T: Real>: Copy {
    /// How many numbers it holds.
    const WIDTH: usize;
    /// The side of the square that `transpose` moves; 1 if it moves single numbers.
    const SQUARE: usize = 1;
    /// Which lanes are read or written, counted from the first.
    type Mask: Copy;

    /// The mask of the first `count` lanes.
    unsafe fn mask(count: usize) -> Self::Mask;
    unsafe fn splat(value: T) -> Self;
    /// Reads `WIDTH` numbers.
    unsafe fn load(from: *const T) -> Self;
    /// Reads the numbers of the mask; the others are zero and not touched.
    unsafe fn load_masked(from: *const T, mask: Self::Mask) -> Self;
    /// Writes `WIDTH` numbers.
    unsafe fn store(self, to: *mut T);
    /// Writes the numbers of the mask; the others are not touched.
    unsafe fn store_masked(self, to: *mut T, mask: Self::Mask);
    /// `self * factor + term`, rounded once.
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self;
    /// A bit for each lane, from the lowest on: whether its number is not zero. NaN is not zero.
    unsafe fn nonzero_bits(self) -> u64;
    /// `to[j * to_stride + i] = from[i * from_stride + j]` for i and j below `SQUARE`.
    unsafe fn transpose(from: *const T, from_stride: usize, to: *mut T, to_stride: usize) {
        let _ = (from_stride, to_stride);
        // SAFETY: with a SQUARE of 1 both pointers are valid for their first number.
        unsafe { *to = *from }
    }
}

/// A vector as an array, which the compiler may vectorize.
#[derive(Clone, Copy)]
pub(crate) struct Plain<T, const WIDTH: usize>([T; WIDTH]);

// SAFETY: uses no instructions beyond the baseline; reads and writes only the numbers named.
unsafe impl<T: Real, const WIDTH: usize> Vector<T> for Plain<T, WIDTH> {
    const WIDTH: usize = WIDTH;
    type Mask = usize;

    #[inline(always)]
    unsafe fn mask(count: usize) -> usize {
        count
    }
    #[inline(always)]
    unsafe fn splat(value: T) -> Self {
        Self([value; WIDTH])
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller promises WIDTH numbers.
        Self(unsafe { from.cast::<[T; WIDTH]>().read() })
    }
    #[inline(always)]
    unsafe fn load_masked(from: *const T, mask: usize) -> Self {
        // SAFETY: the caller promises the numbers of the mask.
        Self(core::array::from_fn(|l| if l < mask { unsafe { *from.add(l) } } else { T::ZERO }))
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller promises WIDTH numbers.
        unsafe { to.cast::<[T; WIDTH]>().write(self.0) }
    }
    #[inline(always)]
    unsafe fn store_masked(self, to: *mut T, mask: usize) {
        for l in 0..mask.min(WIDTH) {
            // SAFETY: the caller promises the numbers of the mask.
            unsafe { *to.add(l) = self.0[l] }
        }
    }
    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        Self(core::array::from_fn(|l| self.0[l].mul_add(factor.0[l], term.0[l])))
    }
    #[inline(always)]
    unsafe fn nonzero_bits(self) -> u64 {
        (0..WIDTH).fold(0, |bits, l| bits | u64::from(self.0[l] != T::ZERO) << l)
    }
}

/// What the portable set computes f32 with: the compiler leaves a `Plain` in single numbers on WebAssembly.
#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
pub(crate) type PortableF32 = core::arch::wasm32::v128;
/// What the portable set computes f32 with.
#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
pub(crate) type PortableF32 = Plain<f32, 4>;
/// What the portable set computes f64 with.
pub(crate) type PortableF64 = Plain<f64, 2>;

#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
mod wasm32 {
    use core::arch::wasm32::*;

    use super::Vector;

    // SAFETY: built only where the whole program may use vectors; reads and writes only the numbers named.
    unsafe impl Vector<f32> for v128 {
        const WIDTH: usize = 4;
        type Mask = usize;

        #[inline(always)]
        unsafe fn mask(count: usize) -> usize {
            count
        }
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            f32x4_splat(value)
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the trait's contract; no alignment is needed.
            unsafe { v128_load(from.cast()) }
        }
        #[inline(always)]
        unsafe fn load_masked(from: *const f32, mask: usize) -> Self {
            // SAFETY: the trait's contract; each case reads the first `mask` numbers.
            unsafe {
                match mask {
                    0 => f32x4_splat(0.0),
                    1 => v128_load32_zero(from.cast()),
                    2 => v128_load64_zero(from.cast()),
                    3 => v128_load32_lane::<2>(v128_load64_zero(from.cast()), from.add(2).cast()),
                    _ => v128_load(from.cast()),
                }
            }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the trait's contract.
            unsafe { v128_store(to.cast(), self) }
        }
        #[inline(always)]
        unsafe fn store_masked(self, to: *mut f32, mask: usize) {
            // SAFETY: the trait's contract; each case writes the first `mask` numbers.
            unsafe {
                match mask {
                    0 => (),
                    1 => v128_store32_lane::<0>(self, to.cast()),
                    2 => v128_store64_lane::<0>(self, to.cast()),
                    3 => {
                        v128_store64_lane::<0>(self, to.cast());
                        v128_store32_lane::<2>(self, to.add(2).cast());
                    }
                    _ => v128_store(to.cast(), self),
                }
            }
        }
        // Rounded twice: WebAssembly has no fused multiply-add that gives the same bits in every browser.
        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
            f32x4_add(f32x4_mul(self, factor), term)
        }
        #[inline(always)]
        unsafe fn nonzero_bits(self) -> u64 {
            u64::from(i32x4_bitmask(f32x4_ne(self, f32x4_splat(0.0))))
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use core::arch::x86_64::*;

    use super::Vector;

    // SAFETY: AVX-512F and AVX2; masked loads and stores do not touch the other numbers.
    unsafe impl Vector<f32> for __m512 {
        const WIDTH: usize = 16;
        const SQUARE: usize = 8;
        type Mask = __mmask16;

        #[inline(always)]
        unsafe fn mask(count: usize) -> __mmask16 {
            ((1_u32 << count) - 1) as __mmask16
        }
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm512_set1_ps(value) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm512_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn load_masked(from: *const f32, mask: __mmask16) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm512_maskz_loadu_ps(mask, from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the trait's contract.
            unsafe { _mm512_storeu_ps(to, self) }
        }
        #[inline(always)]
        unsafe fn store_masked(self, to: *mut f32, mask: __mmask16) {
            // SAFETY: the trait's contract.
            unsafe { _mm512_mask_storeu_ps(to, mask, self) }
        }
        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm512_fmadd_ps(self, factor, term) }
        }
        #[inline(always)]
        unsafe fn nonzero_bits(self) -> u64 {
            // SAFETY: the trait's contract.
            unsafe { u64::from(_mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(self, _mm512_setzero_ps())) }
        }
        #[inline(always)]
        unsafe fn transpose(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
            // SAFETY: the trait's contract; AVX-512 has all of AVX2.
            unsafe { transpose_f32(from, from_stride, to, to_stride) }
        }
    }

    // SAFETY: as for f32.
    unsafe impl Vector<f64> for __m512d {
        const WIDTH: usize = 8;
        const SQUARE: usize = 4;
        type Mask = __mmask8;

        #[inline(always)]
        unsafe fn mask(count: usize) -> __mmask8 {
            ((1_u32 << count) - 1) as __mmask8
        }
        #[inline(always)]
        unsafe fn splat(value: f64) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm512_set1_pd(value) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f64) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm512_loadu_pd(from) }
        }
        #[inline(always)]
        unsafe fn load_masked(from: *const f64, mask: __mmask8) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm512_maskz_loadu_pd(mask, from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f64) {
            // SAFETY: the trait's contract.
            unsafe { _mm512_storeu_pd(to, self) }
        }
        #[inline(always)]
        unsafe fn store_masked(self, to: *mut f64, mask: __mmask8) {
            // SAFETY: the trait's contract.
            unsafe { _mm512_mask_storeu_pd(to, mask, self) }
        }
        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm512_fmadd_pd(self, factor, term) }
        }
        #[inline(always)]
        unsafe fn nonzero_bits(self) -> u64 {
            // SAFETY: the trait's contract.
            unsafe { u64::from(_mm512_cmp_pd_mask::<_CMP_NEQ_UQ>(self, _mm512_setzero_pd())) }
        }
        #[inline(always)]
        unsafe fn transpose(from: *const f64, from_stride: usize, to: *mut f64, to_stride: usize) {
            // SAFETY: the trait's contract; AVX-512 has all of AVX2.
            unsafe { transpose_f64(from, from_stride, to, to_stride) }
        }
    }

    // SAFETY: AVX2 and FMA; masked loads and stores do not touch the other numbers.
    unsafe impl Vector<f32> for __m256 {
        const WIDTH: usize = 8;
        const SQUARE: usize = 8;
        type Mask = __m256i;

        #[inline(always)]
        unsafe fn mask(count: usize) -> __m256i {
            // SAFETY: the trait's contract.
            unsafe {
                _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
            }
        }
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm256_set1_ps(value) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm256_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn load_masked(from: *const f32, mask: __m256i) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm256_maskload_ps(from, mask) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the trait's contract.
            unsafe { _mm256_storeu_ps(to, self) }
        }
        #[inline(always)]
        unsafe fn store_masked(self, to: *mut f32, mask: __m256i) {
            // SAFETY: the trait's contract.
            unsafe { _mm256_maskstore_ps(to, mask, self) }
        }
        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm256_fmadd_ps(self, factor, term) }
        }
        #[inline(always)]
        unsafe fn nonzero_bits(self) -> u64 {
            // SAFETY: the trait's contract.
            unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NEQ_UQ>(self, _mm256_setzero_ps())) as u64 }
        }
        #[inline(always)]
        unsafe fn transpose(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
            // SAFETY: the trait's contract.
            unsafe { transpose_f32(from, from_stride, to, to_stride) }
        }
    }

    // SAFETY: as for f32.
    unsafe impl Vector<f64> for __m256d {
        const WIDTH: usize = 4;
        const SQUARE: usize = 4;
        type Mask = __m256i;

        #[inline(always)]
        unsafe fn mask(count: usize) -> __m256i {
            // SAFETY: the trait's contract.
            unsafe { _mm256_cmpgt_epi64(_mm256_set1_epi64x(count as i64), _mm256_setr_epi64x(0, 1, 2, 3)) }
        }
        #[inline(always)]
        unsafe fn splat(value: f64) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm256_set1_pd(value) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f64) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm256_loadu_pd(from) }
        }
        #[inline(always)]
        unsafe fn load_masked(from: *const f64, mask: __m256i) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm256_maskload_pd(from, mask) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f64) {
            // SAFETY: the trait's contract.
            unsafe { _mm256_storeu_pd(to, self) }
        }
        #[inline(always)]
        unsafe fn store_masked(self, to: *mut f64, mask: __m256i) {
            // SAFETY: the trait's contract.
            unsafe { _mm256_maskstore_pd(to, mask, self) }
        }
        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
            // SAFETY: the trait's contract.
            unsafe { _mm256_fmadd_pd(self, factor, term) }
        }
        #[inline(always)]
        unsafe fn nonzero_bits(self) -> u64 {
            // SAFETY: the trait's contract.
            unsafe { _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_NEQ_UQ>(self, _mm256_setzero_pd())) as u64 }
        }
        #[inline(always)]
        unsafe fn transpose(from: *const f64, from_stride: usize, to: *mut f64, to_stride: usize) {
            // SAFETY: the trait's contract.
            unsafe { transpose_f64(from, from_stride, to, to_stride) }
        }
    }

    /// Transposes 8 by 8 numbers: pairs, then fours within halves, then halves.
    #[inline(always)]
    unsafe fn transpose_f32(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: the caller promises AVX2 and the 8 rows of 8 numbers on both sides.
        unsafe {
            let row = |i: usize| _mm256_loadu_ps(from.add(i * from_stride));
            let store = |j: usize, v: __m256| _mm256_storeu_ps(to.add(j * to_stride), v);
            let fours = |i: usize| {
                let (a, b, c, d) = (row(i), row(i + 1), row(i + 2), row(i + 3));
                let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                [
                    _mm256_shuffle_ps::<0x44>(ab_low, cd_low),
                    _mm256_shuffle_ps::<0xee>(ab_low, cd_low),
                    _mm256_shuffle_ps::<0x44>(ab_high, cd_high),
                    _mm256_shuffle_ps::<0xee>(ab_high, cd_high),
                ]
            };
            let (upper, lower) = (fours(0), fours(4));
            for j in 0..4 {
                store(j, _mm256_permute2f128_ps::<0x20>(upper[j], lower[j]));
                store(j + 4, _mm256_permute2f128_ps::<0x31>(upper[j], lower[j]));
            }
        }
    }

    /// Transposes 4 by 4 numbers: pairs within halves, then halves.
    #[inline(always)]
    unsafe fn transpose_f64(from: *const f64, from_stride: usize, to: *mut f64, to_stride: usize) {
        // SAFETY: the caller promises AVX2 and the 4 rows of 4 numbers on both sides.
        unsafe {
            let row = |i: usize| _mm256_loadu_pd(from.add(i * from_stride));
            let store = |j: usize, v: __m256d| _mm256_storeu_pd(to.add(j * to_stride), v);
            let (a, b, c, d) = (row(0), row(1), row(2), row(3));
            let (ab_low, ab_high) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
            let (cd_low, cd_high) = (_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
            store(0, _mm256_permute2f128_pd::<0x20>(ab_low, cd_low));
            store(1, _mm256_permute2f128_pd::<0x20>(ab_high, cd_high));
            store(2, _mm256_permute2f128_pd::<0x31>(ab_low, cd_low));
            store(3, _mm256_permute2f128_pd::<0x31>(ab_high, cd_high));
        }
    }
}
