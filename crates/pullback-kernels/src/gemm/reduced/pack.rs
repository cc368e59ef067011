//! Packing f32 into tiles of bf16: numbers are rounded, or split into parts, and stored in the order in which the
//! products read them.
//!
//! A tile holds 16 lanes (rows of the left operand, columns of the right one) and 32 steps of k, two of which
//! make one 32-bit word, the earlier in its lower half: 16 by 16 words. What is outside the operand is zero.

use crate::number::bf16::{flushed, rounded, take_part};

/// The lanes of a tile, and its words of one lane.
pub(super) const SIDE: usize = 16;
/// The steps of k of a tile.
pub(super) const STEPS: usize = 2 * SIDE;
/// The words of a tile.
pub(super) const WORDS: usize = SIDE * SIDE;

/// One tile's packing.
pub(super) struct PackTile {
    pub(super) from: *const f32,
    pub(super) lane_stride: usize,
    pub(super) step_stride: usize,
    /// At least 1, at most `SIDE`.
    pub(super) lanes: usize,
    /// At least 1, at most `STEPS`.
    pub(super) steps: usize,
    /// Whether the words of a lane are contiguous, as of a left operand; else those of a pair of steps are.
    pub(super) is_left: bool,
    /// The number of parts into which numbers are split: one tile for each, `part_words` apart.
    pub(super) parts: usize,
    pub(super) part_words: usize,
    pub(super) to: *mut u32,
}

/// # Safety
/// `from` must be valid for the numbers `l * lane_stride + k * step_stride` of l below `lanes` and k below
/// `steps`, `to` for `parts` tiles, and the processor must have the function's instruction set.
pub(super) type PackFunction = unsafe fn(&PackTile);

/// Packs a tile number by number. Numbers below 2^-126 count as zero, as for AVX-512-BF16.
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

/// The same by AVX-512-BF16.
///
/// # Safety
/// As [`PackFunction`], for AVX-512-BF16.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512bf16,avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
pub(super) unsafe fn pack_avx512_bf16(job: &PackTile) {
    let are_lanes_contiguous = job.lane_stride == 1;
    // SAFETY: the caller's promise.
    unsafe {
        if !are_lanes_contiguous && job.step_stride != 1 {
            return pack(job);
        }
        match (job.parts, are_lanes_contiguous, job.is_left) {
            (1, false, true) => avx512_bf16::pack::<1, false, true>(job),
            (1, false, false) => avx512_bf16::pack::<1, false, false>(job),
            (1, true, true) => avx512_bf16::pack::<1, true, true>(job),
            (1, true, false) => avx512_bf16::pack::<1, true, false>(job),
            (3, false, true) => avx512_bf16::pack::<3, false, true>(job),
            (3, false, false) => avx512_bf16::pack::<3, false, false>(job),
            (3, true, true) => avx512_bf16::pack::<3, true, true>(job),
            (3, true, false) => avx512_bf16::pack::<3, true, false>(job),
            _ => pack(job),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512_bf16 {
    use super::{PackTile, SIDE, STEPS};
    use core::arch::x86_64::*;

    /// A tile's words.
    type Words = [__m512i; SIDE];

    /// Packs a tile in `PARTS` parts, whose lanes, or else steps, are contiguous in memory.
    ///
    /// # Safety
    /// As [`super::PackFunction`].
    #[target_feature(enable = "avx512bf16,avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
    pub(super) unsafe fn pack<const PARTS: usize, const LANES_CONTIGUOUS: bool, const IS_LEFT: bool>(
        job: &PackTile,
    ) {
        let &PackTile { from, lane_stride, step_stride, lanes, steps, part_words, to, .. } = job;
        debug_assert!((1..=SIDE).contains(&lanes) && (1..=STEPS).contains(&steps));
        // A vector's words are 16 pairs of steps of a lane, or one pair of 16 lanes.
        let (apart, halves_apart) =
            if LANES_CONTIGUOUS { (2 * step_stride, step_stride) } else { (lane_stride, SIDE) };
        // SAFETY: a whole tile has all numbers that are read; else masks have the lanes and steps of the job and no
        // others. The words are those of the job's tiles.
        unsafe {
            let mut words: [Words; PARTS] = [[_mm512_setzero_si512(); SIDE]; PARTS];
            if (lanes, steps) == (SIDE, STEPS) {
                for i in 0..SIDE {
                    let from = from.add(i * apart);
                    let pair = [_mm512_loadu_ps(from), _mm512_loadu_ps(from.add(halves_apart))];
                    put::<PARTS, LANES_CONTIGUOUS>(pair, &mut words, i);
                }
            } else {
                let mask = |numbers: usize| ((1_u32 << numbers.min(SIDE)) - 1) as __mmask16;
                let count = if LANES_CONTIGUOUS { steps.div_ceil(2) } else { lanes };
                for i in 0..count {
                    let [first, second] = match LANES_CONTIGUOUS {
                        true if 2 * i + 1 < steps => [mask(lanes); 2],
                        true => [mask(lanes), 0],
                        false => [mask(steps), mask(steps.saturating_sub(SIDE))],
                    };
                    let from = from.add(i * apart);
                    let pair = [
                        _mm512_maskz_loadu_ps(first, from),
                        _mm512_maskz_loadu_ps(second, from.wrapping_add(halves_apart)),
                    ];
                    put::<PARTS, LANES_CONTIGUOUS>(pair, &mut words, i);
                }
            }
            for (part, words) in words.iter().enumerate() {
                // Lanes that were read in vectors are stored in vectors only for a right operand.
                let words = if LANES_CONTIGUOUS == IS_LEFT { transposed(*words) } else { *words };
                for (i, words) in words.iter().enumerate() {
                    _mm512_storeu_si512(to.add(part * part_words + i * SIDE).cast(), *words);
                }
            }
        }
    }

    /// Converts a pair of vectors, of the first steps and the second ones, or else halves of a lane, to words.
    #[inline(always)]
    unsafe fn put<const PARTS: usize, const LANES_CONTIGUOUS: bool>(
        mut pair: [__m512; 2],
        words: &mut [Words; PARTS],
        i: usize,
    ) {
        // SAFETY: the caller has AVX-512-BF16.
        unsafe {
            let interleaved = _mm512_set_epi16(
                31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19,
                3, 18, 2, 17, 1, 16, 0,
            );
            for words in words {
                let halves: __m512i = core::mem::transmute(_mm512_cvtne2ps_pbh(pair[1], pair[0]));
                let halves = if PARTS == 1 { halves } else { taken(&mut pair, halves) };
                words[i] =
                    if LANES_CONTIGUOUS { _mm512_permutexvar_epi16(interleaved, halves) } else { halves };
            }
        }
    }

    /// The transpose of 16 by 16 words: of pairs of words, of fours, of quarters of vectors, and of halves.
    #[inline(always)]
    unsafe fn transposed(words: Words) -> Words {
        // SAFETY: the caller has AVX-512.
        unsafe {
            let mut twos = words;
            for i in (0..SIDE).step_by(2) {
                twos[i] = _mm512_unpacklo_epi32(words[i], words[i + 1]);
                twos[i + 1] = _mm512_unpackhi_epi32(words[i], words[i + 1]);
            }
            // Of rows i to i + 3: quarter q of the vector i + j has column 4 q + j.
            let mut fours = twos;
            for i in (0..SIDE).step_by(4) {
                fours[i] = _mm512_unpacklo_epi64(twos[i], twos[i + 2]);
                fours[i + 1] = _mm512_unpackhi_epi64(twos[i], twos[i + 2]);
                fours[i + 2] = _mm512_unpacklo_epi64(twos[i + 1], twos[i + 3]);
                fours[i + 3] = _mm512_unpackhi_epi64(twos[i + 1], twos[i + 3]);
            }
            let mut transposed = words;
            for j in 0..4 {
                let [a, b, c, d] = [fours[j], fours[j + 4], fours[j + 8], fours[j + 12]];
                // Quarters 0 and 2, then 1 and 3, of two each.
                let even = [_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0x88>(c, d)];
                let odd = [_mm512_shuffle_i32x4::<0xdd>(a, b), _mm512_shuffle_i32x4::<0xdd>(c, d)];
                transposed[j] = _mm512_shuffle_i32x4::<0x88>(even[0], even[1]);
                transposed[j + 8] = _mm512_shuffle_i32x4::<0xdd>(even[0], even[1]);
                transposed[j + 4] = _mm512_shuffle_i32x4::<0x88>(odd[0], odd[1]);
                transposed[j + 12] = _mm512_shuffle_i32x4::<0xdd>(odd[0], odd[1]);
            }
            transposed
        }
    }

    /// [`super::take_part`] of two vectors, of which `halves` are the nearest bf16.
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
