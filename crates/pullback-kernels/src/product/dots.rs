//! Blocks of a product of bf16 tiles without tile registers: by AVX-512-BF16, and by widening to f32.

use super::pack::{SIDE, WORDS};
use super::tiles::Block;
use crate::Isa;

/// A block by `vdpbf16ps`: 32 multiply-adds, of 16 pairs, an instruction.
///
/// # Safety
/// As [`Block`] says, for a processor with AVX-512-BF16.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512bf16,avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
pub(super) unsafe fn block_avx512_bf16(job: &Block) {
    // SAFETY: the caller's promise.
    unsafe {
        // 16 sums each: enough for the latency of the instruction, and few enough to stay in registers beside
        // what is multiplied.
        if job.columns > SIDE { avx512_bf16_rows::<8, 2>(job) } else { avx512_bf16_rows::<16, 1>(job) }
    }
}

/// # Safety
/// As [`block_avx512_bf16`]; the block has `VECTORS` tiles of columns, and `ROWS` divides a tile's.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512bf16,avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
unsafe fn avx512_bf16_rows<const ROWS: usize, const VECTORS: usize>(job: &Block) {
    use core::arch::x86_64::*;

    debug_assert_eq!(VECTORS, job.columns.div_ceil(SIDE));
    let mask: [__mmask16; VECTORS] =
        core::array::from_fn(|v| ((1_u32 << (job.columns - v * SIDE).min(SIDE)) - 1) as __mmask16);
    // SAFETY: rows beyond those of the output are read from a padded tile and not written; masks have the
    // output's columns.
    unsafe {
        for first in (0..job.rows).step_by(ROWS) {
            let rows = ROWS.min(job.rows - first);
            let mut sums = [[_mm512_setzero_ps(); VECTORS]; ROWS];
            if let Some(start) = job.start {
                for (i, row) in sums.iter_mut().enumerate().take(rows) {
                    for (v, sum) in row.iter_mut().enumerate() {
                        let start = start.add((first + i) * job.start_row + v * SIDE);
                        *sum = _mm512_maskz_loadu_ps(mask[v], start);
                    }
                }
            }
            for at in 0..job.tiles {
                for &(a_part, b_part) in job.order {
                    let a = job.a_tile(at, a_part, first / SIDE).add(first % SIDE * SIDE).cast::<i32>();
                    let b: [_; VECTORS] =
                        core::array::from_fn(|v| job.b_tile(at, b_part, v).cast::<__m512i>());
                    for pair in 0..SIDE.min(job.pairs - at * SIDE) {
                        let factors = b.map(|b| core::mem::transmute::<__m512i, __m512bh>(*b.add(pair)));
                        for (i, row) in sums.iter_mut().enumerate() {
                            let left: __m512bh =
                                core::mem::transmute(_mm512_set1_epi32(*a.add(i * SIDE + pair)));
                            for (sum, factor) in row.iter_mut().zip(factors) {
                                *sum = _mm512_dpbf16_ps(*sum, left, factor);
                            }
                        }
                    }
                }
            }
            for (i, row) in sums.iter().enumerate().take(rows) {
                for (v, sum) in row.iter().enumerate() {
                    let c = job.c.add((first + i) * job.c_row + v * SIDE);
                    _mm512_mask_storeu_ps(c, mask[v], *sum);
                }
            }
        }
    }
}

/// A block by fused multiply-adds of f32, in ascending k: the same bits on every instruction set.
///
/// # Safety
/// As [`Block`] says; `isa` is one of this processor's.
pub(super) unsafe fn block_widened(isa: Isa, job: &Block) {
    isa.run(
        #[inline(always)]
        || {
            for first in (0..job.rows).step_by(4) {
                for tile in 0..job.columns.div_ceil(SIDE) {
                    // SAFETY: the caller's promise.
                    unsafe { widened_rows::<4>(job, first, tile) };
                }
            }
        },
    );
}

/// `ROWS` rows, or what is left, of one tile of columns.
///
/// # Safety
/// As [`block_widened`].
#[inline(always)]
unsafe fn widened_rows<const ROWS: usize>(job: &Block, first: usize, tile: usize) {
    let rows = ROWS.min(job.rows - first);
    let columns = SIDE.min(job.columns - tile * SIDE);
    let mut sums = [[0.0_f32; SIDE]; ROWS];
    // SAFETY: rows beyond those of the output are read from a padded tile and not written; of the output,
    // only the rows and columns that it has are touched.
    unsafe {
        if let Some(start) = job.start {
            for (i, row) in sums.iter_mut().enumerate().take(rows) {
                let start = start.add((first + i) * job.start_row + tile * SIDE);
                row[..columns].copy_from_slice(core::slice::from_raw_parts(start, columns));
            }
        }
        for at in 0..job.tiles {
            for &(a_part, b_part) in job.order {
                let a = job.a_tile(at, a_part, first / SIDE).add(first % SIDE * SIDE);
                let b = &*job.b_tile(at, b_part, tile).cast::<[u32; WORDS]>();
                for pair in 0..SIDE.min(job.pairs - at * SIDE) {
                    let words: [u32; SIDE] = core::array::from_fn(|l| b[pair * SIDE + l]);
                    for (i, row) in sums.iter_mut().enumerate() {
                        let left = *a.add(i * SIDE + pair);
                        for (sum, word) in row.iter_mut().zip(words) {
                            *sum = low(left).mul_add(low(word), *sum);
                        }
                        for (sum, word) in row.iter_mut().zip(words) {
                            *sum = high(left).mul_add(high(word), *sum);
                        }
                    }
                }
            }
        }
        for (i, row) in sums.iter().enumerate().take(rows) {
            let c = job.c.add((first + i) * job.c_row + tile * SIDE);
            core::slice::from_raw_parts_mut(c, columns).copy_from_slice(&row[..columns]);
        }
    }
}

/// The bf16 in the lower half of a word, as f32.
#[inline(always)]
pub(super) fn low(word: u32) -> f32 {
    f32::from_bits(word << 16)
}

/// The bf16 in the upper half of a word, as f32.
#[inline(always)]
pub(super) fn high(word: u32) -> f32 {
    f32::from_bits(word & 0xffff_0000)
}
