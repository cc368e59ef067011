//! The processor's peak: multiply-adds in registers, in enough chains that none waits for another.

use pullback_kernels::Isa;
use std::hint::black_box;

/// Does `multiply_adds` multiply-adds of f32 in the processor's widest vectors; false on an architecture without them
/// here. With loads, one factor is loaded for each from 16 KiB, and the other for every eight, as in a product that
/// leaves out zeros; else all numbers stay in registers.
#[cfg(target_arch = "x86_64")]
pub fn vectors(multiply_adds: usize, with_loads: bool) -> bool {
    use core::arch::x86_64::*;

    #[target_feature(enable = "avx512f")]
    fn chains_avx512(steps: usize, factor: f32) -> f32 {
        let (factor, term) = (_mm512_set1_ps(factor), _mm512_set1_ps(1e-3));
        let mut sums = [_mm512_set1_ps(1.0); 12];
        for _ in 0..steps {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(*sum, factor, term);
            }
        }
        sums.iter().map(|sum| _mm512_reduce_add_ps(*sum)).sum()
    }

    #[target_feature(enable = "avx,fma")]
    fn chains_avx2(steps: usize, factor: f32) -> f32 {
        let (factor, term) = (_mm256_set1_ps(factor), _mm256_set1_ps(1e-3));
        let mut sums = [_mm256_set1_ps(1.0); 12];
        for _ in 0..steps {
            for sum in &mut sums {
                *sum = _mm256_fmadd_ps(*sum, factor, term);
            }
        }
        sums.iter().map(|sum| _mm256_cvtss_f32(*sum)).sum()
    }

    #[repr(align(64))]
    struct Rows([[f32; 128]; 32]);

    #[target_feature(enable = "avx512f")]
    fn rows_avx512(steps: usize, rows: &Rows, left: &[f32; 32]) -> f32 {
        let mut sums = [_mm512_setzero_ps(); 8];
        for step in 0..steps {
            let left = _mm512_set1_ps(left[step % 32]);
            for (sum, row) in sums.iter_mut().zip(rows.0[step % 32].as_chunks::<16>().0) {
                // SAFETY: a chunk is a vector's numbers.
                *sum = _mm512_fmadd_ps(left, unsafe { _mm512_loadu_ps(row.as_ptr()) }, *sum);
            }
        }
        sums.iter().map(|sum| _mm512_reduce_add_ps(*sum)).sum()
    }

    #[target_feature(enable = "avx,fma")]
    fn rows_avx2(steps: usize, rows: &Rows, left: &[f32; 32]) -> f32 {
        let mut sums = [_mm256_setzero_ps(); 8];
        for step in 0..steps {
            let left = _mm256_set1_ps(left[step % 32]);
            for (sum, row) in sums.iter_mut().zip(rows.0[step % 32].as_chunks::<8>().0) {
                // SAFETY: as above.
                *sum = _mm256_fmadd_ps(left, unsafe { _mm256_loadu_ps(row.as_ptr()) }, *sum);
            }
        }
        sums.iter().map(|sum| _mm256_cvtss_f32(*sum)).sum()
    }

    let has = |name| Isa::from_name(name).is_some();
    if with_loads && (has("avx512") || has("avx2")) {
        let (rows, left) = (black_box(Rows([[0.5; 128]; 32])), black_box([0.25; 32]));
        black_box(match has("avx512") {
            // SAFETY: `Isa::from_name` found the instructions.
            true => unsafe { rows_avx512(multiply_adds / (8 * 16), &rows, &left) },
            // SAFETY: as above.
            false => unsafe { rows_avx2(multiply_adds / (8 * 8), &rows, &left) },
        });
        return true;
    }
    let factor = black_box(0.999);
    if has("avx512") {
        // SAFETY: as above.
        black_box(unsafe { chains_avx512(multiply_adds / (12 * 16), factor) });
    } else if has("avx2") {
        // SAFETY: as above.
        black_box(unsafe { chains_avx2(multiply_adds / (12 * 8), factor) });
    } else {
        return false;
    }
    true
}

/// Nobody has written them for other processors.
#[cfg(not(target_arch = "x86_64"))]
pub fn vectors(_multiply_adds: usize, _with_loads: bool) -> bool {
    false
}

/// Does `multiply_adds` multiply-adds of bf16 in the tile registers of AMX; false if this process may not use them.
/// With loads, two tiles of each operand are loaded from the same lines for every four products; else all stay in
/// registers.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub fn tiles(multiply_adds: usize, with_loads: bool) -> bool {
    use core::arch::asm;

    #[repr(align(64))]
    struct Lines([u16; 512]);

    // This asks the system for permission to use them.
    if Isa::from_name("amx").is_none() {
        return false;
    }
    // Palette 1; eight registers of 16 rows of 64 bytes.
    let mut layout = [0_u8; 64];
    layout[0] = 1;
    for register in 0..8 {
        layout[16 + 2 * register] = 64;
        layout[48 + register] = 16;
    }
    // Ones.
    let numbers = Lines([0x3f80; 512]);
    let from = numbers.0.as_ptr();
    // SAFETY: the processor has the instructions, and the system permits them; `layout` has the 64 bytes that are read,
    // `numbers` the 1024 of each load; the compiler uses no tile registers, and these are given back.
    unsafe {
        asm!(
            "ldtilecfg [{layout}]",
            "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
            "tileloadd tmm4, [{from} + {stride}*1]", "tileloadd tmm5, [{from} + {stride}*1]",
            "tileloadd tmm6, [{from} + {stride}*1]", "tileloadd tmm7, [{from} + {stride}*1]",
            layout = in(reg) layout.as_ptr(), from = in(reg) from, stride = in(reg) 64_usize,
        );
        for _ in 0..multiply_adds / (4 * 16 * 16 * 32) {
            if with_loads {
                asm!(
                    "tileloadd tmm6, [{from} + {stride}*1]", "tileloadd tmm4, [{from} + {stride}*1]",
                    "tileloadd tmm7, [{from} + {stride}*1]", "tileloadd tmm5, [{from} + {stride}*1]",
                    from = in(reg) from, stride = in(reg) 64_usize,
                );
            }
            asm!(
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
            );
        }
        asm!("tilerelease");
    }
    true
}

/// Nobody has tried tiles elsewhere.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub fn tiles(_multiply_adds: usize, _with_loads: bool) -> bool {
    false
}
