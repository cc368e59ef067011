//! Blocks of a product of bf16 tiles without tile registers, by AVX-512-BF16.

use super::pack::SIDE;
use super::tiles::{Block, order};
use core::arch::x86_64::*;

/// A block by `vdpbf16ps`: 32 multiply-adds, of 16 pairs, an instruction.
///
/// # Safety
/// As [`Block`] says, for a processor with AVX-512-BF16.
#[target_feature(enable = "avx512bf16,avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
pub(super) unsafe fn block_avx512_bf16(job: &Block) {
    // SAFETY: the caller's promise.
    unsafe {
        // 16 sums each: enough to hide the latency of the instruction, and few enough to stay in registers beside the
        // operands.
        if job.columns > SIDE { avx512_bf16_rows::<8, 2>(job) } else { avx512_bf16_rows::<16, 1>(job) }
    }
}

/// # Safety
/// As [`block_avx512_bf16`]; the block has `VECTORS` tiles of columns, and `ROWS` divides a tile's.
#[target_feature(enable = "avx512bf16,avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
unsafe fn avx512_bf16_rows<const ROWS: usize, const VECTORS: usize>(job: &Block) {
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
                for &(a_part, b_part) in order(job.parts) {
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
