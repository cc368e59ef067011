//! Prints the speed of the matrix product in GFLOP/s beside the `gemm` crate's and a measured peak of
//! fused multiply-adds, one thread, f32, in interleaved rounds:
//! `cargo run --release -p pullback-kernels --example product_speed [instruction set]`.

#![expect(clippy::print_stdout, reason = "an example that prints a table")]

use std::hint::black_box;
use std::time::Instant;

use pullback_kernels::{Isa, Operand, Start, Workspace, product_with};

/// Rows (batch), columns (outputs), depth (inputs) of a layer's forward product.
const SHAPES: [(usize, usize, usize); 9] = [
    (32, 25, 400),
    (128, 128, 784),
    (128, 10, 128),
    (256, 512, 784),
    (256, 512, 512),
    (1024, 2048, 2048),
    (32, 64, 64),
    (128, 64, 64),
    (16, 16, 4),
];
const ROUNDS: usize = 15;
/// Each measurement runs so many floating-point operations.
const WORK: f64 = 1e8;

/// Chains of multiply-adds that stay in registers, in vectors as wide as the processor's widest.
#[cfg(target_arch = "x86_64")]
fn peak() -> f64 {
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

    let (has_avx512, has_avx2) = (Isa::from_name("avx512").is_some(), Isa::from_name("avx2").is_some());
    if !has_avx2 {
        return f64::NAN;
    }
    let lanes = 12 * if has_avx512 { 16 } else { 8 };
    let steps = (WORK / f64::from(2 * lanes)) as usize;
    let start = Instant::now();
    // SAFETY: `Isa::from_name` found the instructions.
    black_box(unsafe {
        if has_avx512 { chains_avx512(steps, black_box(0.999)) } else { chains_avx2(steps, black_box(0.999)) }
    });
    f64::from(2 * lanes) * steps as f64 / start.elapsed().as_secs_f64() * 1e-9
}

/// Measured only where the vectors are known.
#[cfg(not(target_arch = "x86_64"))]
fn peak() -> f64 {
    f64::NAN
}

fn speed(flops: f64, mut work: impl FnMut()) -> f64 {
    let repeats = (WORK / flops).ceil() as usize;
    let start = Instant::now();
    for _ in 0..repeats {
        work();
    }
    flops * repeats as f64 / start.elapsed().as_secs_f64() * 1e-9
}

fn median(mut x: Vec<f64>) -> f64 {
    x.sort_by(f64::total_cmp);
    x[x.len() / 2]
}

/// The form's name, whether left and right are stored transposed.
const FORMS: [(&str, bool, bool); 3] =
    [("forward", false, false), ("weight gradient", true, false), ("delta", false, true)];

fn check(isa: Isa, form: (&str, bool, bool), rows: usize, columns: usize, depth: usize) {
    let numbers = |count: usize| -> Vec<f32> { (0..count).map(|i| (i % 17) as f32 * 0.1 - 0.8).collect() };
    let (a, b, mut c) = (numbers(rows * depth), numbers(depth * columns), vec![0.0; rows * columns]);
    let (_, left_turned, right_turned) = form;
    let (a_row, a_step) = if left_turned { (1, rows) } else { (depth, 1) };
    let (b_step, b_column) = if right_turned { (1, depth) } else { (columns, 1) };
    let left =
        if left_turned { Operand::new(&a, depth, rows).transposed() } else { Operand::new(&a, rows, depth) };
    let right = if right_turned {
        Operand::new(&b, columns, depth).transposed()
    } else {
        Operand::new(&b, depth, columns)
    };
    let mut workspace = Workspace::new(isa, 1);
    let flops = 2.0 * (rows * columns * depth) as f64;
    let (mut ours, mut theirs, mut peaks) = (vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        ours.push(speed(flops, || {
            product_with(left, right, black_box(&mut c), Start::Zero, |_, _| (), &mut workspace);
        }));
        theirs.push(speed(flops, || {
            // SAFETY: sizes and strides describe the vectors made above.
            unsafe {
                gemm::gemm(
                    rows,
                    columns,
                    depth,
                    black_box(&mut c).as_mut_ptr(),
                    1,
                    columns as isize,
                    false,
                    a.as_ptr(),
                    a_step as isize,
                    a_row as isize,
                    b.as_ptr(),
                    b_column as isize,
                    b_step as isize,
                    0.0,
                    1.0,
                    false,
                    false,
                    false,
                    gemm::Parallelism::None,
                );
            }
        }));
        peaks.push(peak());
    }
    let ratios = median(ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect());
    let (ours, theirs, peak) = (median(ours), median(theirs), median(peaks));
    println!(
        "{rows:5} x {columns:4} x {depth:4} {:15} ours {ours:6.1}  gemm {theirs:6.1}  ratio {ratios:5.2}  peak {peak:6.1}  share {:3.0} %",
        form.0,
        100.0 * ours / peak
    );
}

fn main() {
    let isa = match std::env::args().nth(1) {
        Some(name) => Isa::from_name(&name).expect("the argument names an instruction set of this processor"),
        None => Isa::best(),
    };
    println!("{}, GFLOP/s, median of {ROUNDS} interleaved rounds", isa.name());
    for (batch, outputs, inputs) in SHAPES {
        check(isa, FORMS[0], batch, outputs, inputs);
        check(isa, FORMS[1], inputs, outputs, batch);
        check(isa, FORMS[2], batch, inputs, outputs);
    }
}
