//! Prints the largest error of each special function over all 2^32 floats, against the `libm` crate in f64,
//! and holds that all vector instruction sets give the same bits (`tests/it/special.rs` has the portable one):
//! `cargo run --release -p pullback-kernels --example special_errors [stride] [function]`.

#![expect(clippy::print_stdout, reason = "an example that prints a table")]

use pullback_kernels::special::{
    ERF_ERROR, EXP_ERROR, EXP_M1_ERROR, LN_1P_ERROR, LN_ERROR, SIGMOID_ERROR, SILU_ERROR, SOFTPLUS_ERROR,
    TANH_ERROR, Ulps,
};
use pullback_kernels::{Isa, Real, map};
use std::thread;

/// Numbers in a block.
const BLOCK: usize = 4096;

/// A function, what it should be, and what is found.
macro_rules! check {
    ($name:literal, $method:ident, $exact:expr, $bound:expr) => {
        check(
            $name,
            #[inline(always)]
            |x: f32| Real::$method(x),
            $exact,
            $bound,
        )
    };
}

fn main() {
    check!("exp", exp, libm::exp, EXP_ERROR);
    check!("exp_m1", exp_m1, libm::expm1, EXP_M1_ERROR);
    check!("ln", ln, libm::log, LN_ERROR);
    check!("ln_1p", ln_1p, libm::log1p, LN_1P_ERROR);
    check!("tanh", tanh, libm::tanh, TANH_ERROR);
    check!("sigmoid", sigmoid, sigmoid, SIGMOID_ERROR);
    check!("erf", erf, libm::erf, ERF_ERROR);
    check!("silu", silu, |x| if x == f64::NEG_INFINITY { -0.0 } else { x * sigmoid(x) }, SILU_ERROR);
    check!("softplus", softplus, |x| x.max(0.0) + libm::log1p(libm::exp(-x.abs())), SOFTPLUS_ERROR);
}

fn sigmoid(x: f64) -> f64 {
    if x < 0.0 { libm::exp(x) / (1.0 + libm::exp(x)) } else { 1.0 / (1.0 + libm::exp(-x)) }
}

fn check(name: &str, ours: impl Fn(f32) -> f32 + Copy + Send + Sync, exact: fn(f64) -> f64, bound: Ulps) {
    let mut arguments = std::env::args().skip(1);
    let stride: usize = arguments.next().map_or(1, |stride| stride.parse().expect("the stride is a number"));
    if arguments.next().is_some_and(|wanted| wanted != name) {
        return;
    }
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (error, place) = thread::scope(|scope| {
        let parts: Vec<_> =
            (0..threads).map(|part| scope.spawn(move || worst(part, threads, stride, ours, exact))).collect();
        parts
            .into_iter()
            .map(|part| part.join().expect("all instruction sets give the same bits"))
            .fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a })
    });
    let verdict = if error <= bound.f32 { "within" } else { "BEYOND" };
    println!("{name:8} {error:.4} ulp at {place:e}, {verdict} {} ulp", bound.f32);
}

/// The worst error, and where, of one thread's share of the blocks.
fn worst(
    part: usize,
    threads: usize,
    stride: usize,
    ours: impl Fn(f32) -> f32 + Copy,
    exact: fn(f64) -> f64,
) -> (f64, f32) {
    let vectors: Vec<Isa> = Isa::available().filter(|isa| *isa != Isa::portable()).collect();
    let (mut first, mut other) = (vec![0.0; BLOCK], vec![0.0; BLOCK]);
    let mut worst = (0.0, 0.0);
    for block in (part * BLOCK * stride..1 << 32).step_by(threads * BLOCK * stride) {
        let x: Vec<f32> = (0..BLOCK).map(|i| f32::from_bits((block + i * stride) as u32)).collect();
        map(Isa::best(), &x, &mut first, ours);
        for isa in &vectors {
            map(*isa, &x, &mut other, ours);
            let is_same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
            assert!(first.iter().zip(&other).all(is_same), "{} from {:e}", isa.name(), x[0]);
        }
        for (x, got) in x.iter().zip(&first) {
            let error = ulps(*got, exact(f64::from(*x)));
            if error > worst.0 {
                worst = (error, *x);
            }
        }
    }
    worst
}

/// The error of `got` in units of the last place of `want`; infinite for a wrong infinity or NaN.
fn ulps(got: f32, want: f64) -> f64 {
    let rounded = want as f32;
    if got.is_nan() || want.is_nan() {
        return if got.is_nan() && want.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if got.is_infinite() || rounded.is_infinite() {
        // At the border of the infinite, the largest number and infinity are neighbors.
        let [least, most] =
            if got.abs() < rounded.abs() { [got.abs(), rounded.abs()] } else { [rounded.abs(), got.abs()] };
        let same_sign = got.is_sign_negative() == rounded.is_sign_negative();
        return match same_sign && most == f32::INFINITY {
            true if least == f32::INFINITY => 0.0,
            true if least == f32::MAX => 1.0,
            _ => f64::INFINITY,
        };
    }
    let exponent = ((rounded.to_bits() >> 23) & 0xff).clamp(1, 254) as i32 - 127;
    (f64::from(got) - want).abs() / 2f64.powi(exponent - 23)
}
