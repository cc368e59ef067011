//! From f32 to tiles of bf16: numbers are rounded, or split into parts, and laid out as the products read them.
//!
//! A tile holds 16 lanes (rows of the left operand, columns of the right one) and 32 steps of k, two of which
//! make one 32-bit word, the earlier in its lower half: 16 by 16 words. What is outside the operand is zero.

/// The lanes of a tile, and its words of one lane.
pub(super) const SIDE: usize = 16;
/// The steps of k of a tile.
pub(super) const STEPS: usize = 2 * SIDE;
/// The words of a tile.
pub(super) const WORDS: usize = SIDE * SIDE;

/// The most parts of a number.
#[cfg(target_arch = "x86_64")]
const MOST_PARTS: usize = 3;

/// One tile's packing.
pub(super) struct PackTile {
    pub(super) from: *const f32,
    pub(super) lane_stride: usize,
    pub(super) step_stride: usize,
    /// At least 1, at most `SIDE`.
    pub(super) lanes: usize,
    /// At least 1, at most `STEPS`.
    pub(super) steps: usize,
    /// Whether the words of a lane follow each other, as of a left operand; else those of a pair of steps do.
    pub(super) is_left: bool,
    /// In so many tiles, each of a part of the numbers, `part_words` apart.
    pub(super) parts: usize,
    pub(super) part_words: usize,
    pub(super) to: *mut u32,
}

/// # Safety
/// `from` must be valid for the numbers `l * lane_stride + k * step_stride` of l below `lanes` and k below
/// `steps`, `to` for `parts` tiles, and the processor must have the function's instruction set.
pub(super) type PackFunction = unsafe fn(&PackTile);

/// The nearest bf16, ties to the one with an even last bit; NaN stays one.
#[inline(always)]
fn rounded(x: f32) -> u16 {
    let bits = x.to_bits();
    let nearest = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    // A NaN must not be rounded up to another number: it is made quiet instead.
    (if x.is_nan() { bits >> 16 | 0x40 } else { nearest }) as u16
}

#[inline(always)]
fn widened(x: u16) -> f32 {
    f32::from_bits(u32::from(x) << 16)
}

/// The nearest number of bf16, as f32.
#[inline(always)]
pub(super) fn to_bf16(x: f32) -> f32 {
    widened(rounded(x))
}

/// Takes the largest part out of a number: what is left is exact.
///
/// Of a number too large for bf16, the part is the largest bf16; of infinity and NaN, nothing is left.
#[inline(always)]
fn take_part(x: &mut f32) -> u16 {
    let mut part = rounded(flushed(*x));
    if widened(part).is_infinite() && x.is_finite() {
        part -= 1;
    }
    *x = if x.is_finite() { *x - widened(part) } else { 0.0 };
    part
}

/// The number, or zero of its sign if it is below 2^-126.
#[inline(always)]
pub(super) fn flushed(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0.0_f32.copysign(x) } else { x }
}

/// Packs a tile number by number. Numbers below 2^-126 are taken for zero, as AVX-512-BF16 does.
///
/// # Safety
/// As [`PackFunction`].
pub(super) unsafe fn pack(job: &PackTile) {
    let &PackTile { from, lane_stride, step_stride, lanes, steps, is_left, parts, part_words, to } = job;
    debug_assert!((1..=SIDE).contains(&lanes) && (1..=STEPS).contains(&steps));
    for lane in 0..SIDE {
        for pair in 0..SIDE {
            let mut numbers: [f32; 2] = core::array::from_fn(|i| {
                let step = 2 * pair + i;
                if lane < lanes && step < steps {
                    // SAFETY: a lane and a step of the job.
                    unsafe { *from.add(lane * lane_stride + step * step_stride) }
                } else {
                    0.0
                }
            });
            let at = if is_left { lane * SIDE + pair } else { pair * SIDE + lane };
            for part in 0..parts {
                let [low, high] = if parts == 1 {
                    numbers.map(|x| rounded(flushed(x)))
                } else {
                    [take_part(&mut numbers[0]), take_part(&mut numbers[1])]
                };
                // SAFETY: a word of one of the job's tiles.
                unsafe { *to.add(part * part_words + at) = u32::from(low) | u32::from(high) << 16 };
            }
        }
    }
}

/// The same with AVX-512-BF16.
///
/// # Safety
/// As [`PackFunction`], for AVX-512-BF16.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512bf16,avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
pub(super) unsafe fn pack_avx512_bf16(job: &PackTile) {
    use crate::vector::Vector;
    use core::arch::x86_64::*;

    let &PackTile { from, lane_stride, step_stride, lanes, steps, is_left, parts, part_words, to } = job;
    debug_assert!((1..=SIDE).contains(&lanes) && (1..=STEPS).contains(&steps));
    let lanes_follow = lane_stride == 1;
    if !lanes_follow && step_stride != 1 || parts > MOST_PARTS {
        // SAFETY: the caller's promise.
        return unsafe { pack(job) };
    }
    // A vector's words are 16 pairs of steps of a lane, or one pair of 16 lanes.
    let (count, vector_stride) =
        if lanes_follow { (steps.div_ceil(2), 2 * step_stride) } else { (lanes, lane_stride) };
    let halves_apart = if lanes_follow { step_stride } else { SIDE };
    let mask = |numbers: usize| ((1_u32 << numbers.min(SIDE)) - 1) as __mmask16;
    let masks = |i: usize| match lanes_follow {
        true if 2 * i + 1 < steps => [mask(lanes); 2],
        true => [mask(lanes), 0],
        false => [mask(steps), mask(steps.saturating_sub(SIDE))],
    };
    let interleaved = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18,
        2, 17, 1, 16, 0,
    );
    // Whether the words stand the other way round: then they are turned when all are there.
    let must_turn = lanes_follow == is_left;
    let mut turned = [core::mem::MaybeUninit::<[u32; WORDS]>::uninit(); MOST_PARTS];
    let (words, words_apart) =
        if must_turn { (turned.as_mut_ptr().cast::<u32>(), WORDS) } else { (to, part_words) };
    // SAFETY: the masks have the lanes and steps of the job and no others; the words are those of its tiles,
    // or of `turned`, which has one for each part and is filled before it is read.
    unsafe {
        for i in 0..SIDE {
            let mut pair = [_mm512_setzero_ps(); 2];
            if i < count {
                let (from, [first, second]) = (from.add(i * vector_stride), masks(i));
                pair = [
                    _mm512_maskz_loadu_ps(first, from),
                    _mm512_maskz_loadu_ps(second, from.wrapping_add(halves_apart)),
                ];
            }
            for part in 0..parts {
                let halves: __m512i = core::mem::transmute(_mm512_cvtne2ps_pbh(pair[1], pair[0]));
                let halves = if parts == 1 { halves } else { taken(&mut pair, halves) };
                let halves =
                    if lanes_follow { _mm512_permutexvar_epi16(interleaved, halves) } else { halves };
                _mm512_storeu_si512(words.add(part * words_apart + i * SIDE).cast(), halves);
            }
        }
        if must_turn {
            for part in 0..parts {
                let (from, to) =
                    (words.add(part * WORDS).cast::<f32>(), to.add(part * part_words).cast::<f32>());
                for i in (0..SIDE).step_by(__m512::SQUARE) {
                    for j in (0..SIDE).step_by(__m512::SQUARE) {
                        __m512::transpose(from.add(i * SIDE + j), SIDE, to.add(j * SIDE + i), SIDE);
                    }
                }
            }
        }
    }

    /// [`take_part`] of two vectors, of which `halves` are the nearest bf16.
    #[inline(always)]
    unsafe fn taken(numbers: &mut [__m512; 2], halves: __m512i) -> __m512i {
        // SAFETY: the caller has AVX-512.
        unsafe {
            let largest = _mm512_set1_epi32(0x7f80_0000);
            let sign = _mm512_set1_epi32(i32::MIN);
            let lower = _mm512_castsi512_si256(halves);
            let upper = _mm512_extracti64x4_epi64::<1>(halves);
            let mut parts = [lower, upper].map(|half| _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(half)));
            for (x, part) in numbers.iter_mut().zip(&mut parts) {
                let is_finite =
                    _mm512_cmplt_epu32_mask(_mm512_andnot_si512(sign, _mm512_castps_si512(*x)), largest);
                let is_infinite = _mm512_cmpeq_epi32_mask(_mm512_andnot_si512(sign, *part), largest);
                let one = _mm512_set1_epi32(0x1_0000);
                *part = _mm512_mask_sub_epi32(*part, is_finite & is_infinite, *part, one);
                *x = _mm512_maskz_sub_ps(is_finite, *x, _mm512_castsi512_ps(*part));
            }
            let halves = parts.map(|part| _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(part)));
            _mm512_inserti64x4::<1>(_mm512_castsi256_si512(halves[0]), halves[1])
        }
    }
}
