//! Prints the largest error of each special function over all 2^32 floats, against the `libm` crate in f64:
//! `cargo run --release -p pullback-kernels --example special_errors [stride]`.

#![expect(clippy::print_stdout, reason = "an example that prints a table")]

use pullback_kernels::Real;
use std::thread;

type Function = (&'static str, fn(f32) -> f32, fn(f64) -> f64);

const FUNCTIONS: [Function; 7] = [
    ("exp", Real::exp, libm::exp),
    ("exp_m1", Real::exp_m1, libm::expm1),
    ("ln", Real::ln, libm::log),
    ("ln_1p", Real::ln_1p, libm::log1p),
    ("tanh", Real::tanh, libm::tanh),
    ("sigmoid", Real::sigmoid, |x| {
        if x < 0.0 { libm::exp(x) / (1.0 + libm::exp(x)) } else { 1.0 / (1.0 + libm::exp(-x)) }
    }),
    ("erf", Real::erf, libm::erf),
];

/// The error of `got` in units of the last place of `want`; infinite for a wrong infinity or NaN.
fn ulps(got: f32, want: f64) -> f64 {
    let rounded = want as f32;
    if got == rounded || (got.is_nan() && want.is_nan()) {
        return if got.is_finite() { in_ulps(got, want) } else { 0.0 };
    }
    if got.is_infinite() || rounded.is_infinite() || got.is_nan() {
        // At the border of the infinite, the largest number and infinity are neighbors.
        let neighbors =
            got.abs().max(rounded.abs()) == f32::INFINITY && got.abs().min(rounded.abs()) == f32::MAX;
        return if neighbors { 1.0 } else { f64::INFINITY };
    }
    in_ulps(got, want)
}

fn in_ulps(got: f32, want: f64) -> f64 {
    let exponent = (((want as f32).to_bits() >> 23) & 0xff).clamp(1, 254) as i32 - 127;
    (f64::from(got) - want).abs() / 2f64.powi(exponent - 23)
}

fn main() {
    let stride = std::env::args().nth(1).map_or(1, |stride| stride.parse().expect("the stride is a number"));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    for (name, ours, exact) in FUNCTIONS {
        let worst = thread::scope(|scope| {
            let parts: Vec<_> = (0..threads)
                .map(|part| {
                    scope.spawn(move || {
                        (part as u32..=u32::MAX).step_by(threads * stride).fold(
                            (0.0_f64, 0.0_f32),
                            |worst, bits| {
                                let x = f32::from_bits(bits);
                                let error = ulps(ours(x), exact(f64::from(x)));
                                if error > worst.0 { (error, x) } else { worst }
                            },
                        )
                    })
                })
                .collect();
            parts
                .into_iter()
                .map(|part| part.join().expect("the test threads do not panic"))
                .fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a })
        });
        println!("{name:8} {:.4} ulp at {:e}", worst.0, worst.1);
    }
}
