//! Prints how much faster products of reduced precision are than those of f32, in interleaved rounds, one
//! thread, and before that how much faster their instructions are than fused multiply-adds of f32:
//! `cargo run --release -p pullback-kernels --example precision_speed [instruction set]`.

#![expect(clippy::print_stdout, reason = "an example that prints a table")]

use std::hint::black_box;
use std::time::Instant;

use pullback_kernels::{Isa, Operand, Precision, Start, Workspace, product_with};

/// Batch, outputs, inputs of a layer.
const SHAPES: [(usize, usize, usize); 9] = [
    (32, 10, 128),
    (32, 128, 784),
    (128, 10, 128),
    (128, 128, 784),
    (32, 25, 400),
    (256, 512, 784),
    (256, 512, 512),
    (1024, 2048, 2048),
    (16, 16, 16),
];
const ROUNDS: usize = 15;
/// Each measurement runs so many multiply-adds.
const WORK: usize = 50_000_000;

/// Multiply-adds a nanosecond of f32 and of bf16, in chains that stay in registers.
#[cfg(target_arch = "x86_64")]
fn chains() -> (f64, f64) {
    use core::arch::x86_64::*;

    const STEPS: usize = WORK / 512;

    #[target_feature(enable = "avx512f")]
    fn of_f32(factor: f32) -> f32 {
        let (factor, term) = (_mm512_set1_ps(factor), _mm512_set1_ps(1e-3));
        let mut sums = [term; 16];
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(factor, term, *sum);
            }
        }
        sums.iter().map(|sum| _mm512_reduce_add_ps(*sum)).sum()
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    fn of_bf16(factor: f32) -> f32 {
        let term = _mm512_set1_ps(1e-3);
        let both = _mm512_cvtne2ps_pbh(_mm512_set1_ps(factor), term);
        let mut sums = [term; 16];
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = _mm512_dpbf16_ps(*sum, both, both);
            }
        }
        sums.iter().map(|sum| _mm512_reduce_add_ps(*sum)).sum()
    }

    let speed = |multiply_adds: usize, chains: unsafe fn(f32) -> f32| {
        let start = Instant::now();
        // SAFETY: the caller asked for the instructions.
        black_box(unsafe { chains(black_box(0.999)) });
        (STEPS * multiply_adds) as f64 / start.elapsed().as_secs_f64() * 1e-9
    };
    (speed(16 * 16, of_f32), speed(16 * 32, of_bf16))
}

/// Multiply-adds a nanosecond of AMX's tiles of bf16: of those that stay in registers, or with two of each operand
/// loaded from the same lines for each four products.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn tiles(loads: bool) -> f64 {
    use core::arch::asm;

    #[repr(align(64))]
    struct Lines([u16; 512]);

    const STEPS: usize = 20_000;
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
    // SAFETY: the caller asked for the instructions, and the system for its permission; `layout` has the 64 bytes that
    // are read, `numbers` the 1024 of each load; the compiler uses no tile registers.
    unsafe {
        asm!(
            "ldtilecfg [{layout}]",
            "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
            "tileloadd tmm4, [{from} + {stride}*1]", "tileloadd tmm5, [{from} + {stride}*1]",
            "tileloadd tmm6, [{from} + {stride}*1]", "tileloadd tmm7, [{from} + {stride}*1]",
            layout = in(reg) layout.as_ptr(), from = in(reg) from, stride = in(reg) 64_usize,
        );
    }
    let start = Instant::now();
    for _ in 0..STEPS {
        // SAFETY: as above.
        unsafe {
            if loads {
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
    }
    let speed = (STEPS * 4 * 16 * 16 * 32) as f64 / start.elapsed().as_secs_f64() * 1e-9;
    // SAFETY: as above.
    unsafe { asm!("tilerelease") };
    speed
}

fn median(mut x: Vec<f64>) -> f64 {
    x.sort_by(f64::total_cmp);
    x[x.len() / 2]
}

fn check(isa: Isa, form: &str, left: Operand<'_, f32>, right: Operand<'_, f32>, size: [usize; 3]) {
    let [rows, columns, depth] = size;
    let mut c = vec![0.0; rows * columns];
    let mut precisions = [Precision::F32, Precision::Bf16, Precision::Bf16x3]
        .map(|precision| (Workspace::new(isa, 1).with_precision(precision), vec![]));
    for _ in 0..ROUNDS {
        for (workspace, speeds) in &mut precisions {
            let repeats = (WORK / (rows * columns * depth)).max(1);
            let start = Instant::now();
            for _ in 0..repeats {
                product_with(left, right, black_box(&mut c), Start::Zero, |_, _| (), workspace);
            }
            let nanoseconds = start.elapsed().as_secs_f64() * 1e9;
            speeds.push((repeats * rows * columns * depth) as f64 / nanoseconds);
        }
    }
    let [(_, f32), (_, bf16), (_, x3)] = precisions;
    let ratio = |x: &[f64]| median(x.iter().zip(&f32).map(|(x, f32)| x / f32).collect());
    println!(
        "{rows:5} x {columns:4} x {depth:4} {form:15} f32 {:6.1}  bf16 {:6.1}  bf16 over f32 {:5.2}  bf16x3 over f32 {:5.2}",
        median(f32.clone()),
        median(bf16.clone()),
        ratio(&bf16),
        ratio(&x3)
    );
}

fn main() {
    let isa = match std::env::args().nth(1) {
        Some(name) => Isa::from_name(&name).expect("the argument names an instruction set of this processor"),
        None => Isa::best(),
    };
    println!(
        "multiply-adds a nanosecond, median of {ROUNDS} interleaved rounds; on {}, bf16 by {}, bf16x3 by {}",
        isa.name(),
        Precision::Bf16.engine(isa),
        Precision::Bf16x3.engine(isa)
    );
    #[cfg(target_arch = "x86_64")]
    if Isa::from_name("avx512_bf16").is_some() {
        let speeds: Vec<_> = (0..ROUNDS).map(|_| chains()).collect();
        let ratios = speeds.iter().map(|(f32, bf16)| bf16 / f32).collect();
        println!(
            "registers: f32 {:.1}  bf16 {:.1}  bf16 over f32 {:.2}",
            median(speeds.iter().map(|speed| speed.0).collect()),
            median(speeds.iter().map(|speed| speed.1).collect()),
            median(ratios)
        );
    }
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    if Isa::from_name("amx").is_some() {
        let [alone, loaded] = [false, true].map(|loads| (0..ROUNDS).map(|_| tiles(loads)).collect());
        println!(
            "tiles: in registers {:.0}, loaded from the nearest cache {:.0}",
            median(alone),
            median(loaded)
        );
    }
    for (batch, outputs, inputs) in SHAPES {
        let numbers =
            |count: usize| -> Vec<f32> { (0..count).map(|i| (i % 17) as f32 * 0.1 - 0.8).collect() };
        let (x, w, delta) = (numbers(batch * inputs), numbers(inputs * outputs), numbers(batch * outputs));
        let (x, w) = (Operand::new(&x, batch, inputs), Operand::new(&w, inputs, outputs));
        let delta = Operand::new(&delta, batch, outputs);
        check(isa, "forward", x, w, [batch, outputs, inputs]);
        check(isa, "weight gradient", x.transposed(), delta, [inputs, outputs, batch]);
        check(isa, "delta", delta, w.transposed(), [batch, inputs, outputs]);
    }
}
