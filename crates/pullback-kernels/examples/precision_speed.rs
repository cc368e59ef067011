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
/// Multiply-adds of a measurement.
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
        // SAFETY: the caller checked that the processor has the instructions.
        black_box(unsafe { chains(black_box(0.999)) });
        (STEPS * multiply_adds) as f64 / start.elapsed().as_secs_f64() * 1e-9
    };
    (speed(16 * 16, of_f32), speed(16 * 32, of_bf16))
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
