//! The special functions against the `libm` crate in double precision.
//!
//! `libm`'s own error, below one unit in the last place, is negligible for f32 and allowed for in f64.
//! The vector instruction sets are held against the portable one, bit for bit. All floats: `cargo run --release -p
//! pullback-kernels --example special_errors`.

use pullback_kernels::special::{
    ERF_ERROR, EXP_ERROR, EXP_M1_ERROR, LN_1P_ERROR, LN_ERROR, OVER_POSITIVE_ERROR, POWF_ERROR,
    SIGMOID_ERROR, SILU_ERROR, SOFTPLUS_ERROR, TANH_ERROR, Ulps,
};
use pullback_kernels::{Isa, Real, map};

/// How far `libm` may be off in f64, in units of the last place.
const LIBM_ERROR: f64 = 1.0;
/// The distance between tested floats: prime, so that all mantissas are tested.
const STRIDE: usize = 97;

fn libm_sigmoid(x: f64) -> f64 {
    if x < 0.0 { libm::exp(x) / (1.0 + libm::exp(x)) } else { 1.0 / (1.0 + libm::exp(-x)) }
}

/// The error of `got` in units of the last place of `want` as an f32.
fn ulps_f32(got: f32, want: f64) -> f64 {
    let rounded = want as f32;
    if got.to_bits() == rounded.to_bits() || (got.is_nan() && want.is_nan()) {
        return 0.0;
    }
    // Beyond the largest number the next one counts as a number, though it is written as infinity.
    let value = |x: f32| if x.is_infinite() { 2f64.powi(128).copysign(f64::from(x)) } else { f64::from(x) };
    let exponent = ((rounded.to_bits() >> 23) & 0xff).clamp(1, 254) as i32 - 127;
    (value(got) - want.clamp(-2f64.powi(128), 2f64.powi(128))).abs() / 2f64.powi(exponent - 23)
}

fn ulps_f64(got: f64, want: f64) -> f64 {
    if got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan()) {
        return 0.0;
    }
    if got.is_infinite() != want.is_infinite() {
        let finite = if got.is_infinite() { want } else { got };
        return if finite.abs() == f64::MAX { 1.0 } else { f64::INFINITY };
    }
    // The distance in the order of all doubles.
    let place = |x: f64| {
        let bits = x.to_bits() as i64;
        if bits < 0 { i64::MIN - bits } else { bits }
    };
    (i128::from(place(got)) - i128::from(place(want))).unsigned_abs() as f64
}

/// Holds that every vector instruction set gives the portable one's bits (of a NaN, that it is one).
fn check_sets<T: Real>(name: &str, x: &[T], want: &[T], ours: impl Fn(T) -> T + Copy) {
    let mut got = vec![T::ZERO; x.len()];
    for isa in Isa::available() {
        map(isa, x, &mut got, ours);
        for ((x, got), want) in x.iter().zip(&got).zip(want) {
            // The widening is exact, and tells -0 from 0.
            let is_same = got.to_f64().to_bits() == want.to_f64().to_bits()
                || (got.to_f64().is_nan() && want.to_f64().is_nan());
            assert!(is_same, "{name}({x}) = {got} on {}, {want} elsewhere", isa.name());
        }
    }
}

fn check(
    name: &str,
    ours_f32: impl Fn(f32) -> f32 + Copy,
    ours_f64: impl Fn(f64) -> f64 + Copy,
    libm: fn(f64) -> f64,
    bound: Ulps,
) {
    let all: Vec<f32> = (0..=u32::MAX).step_by(STRIDE).map(f32::from_bits).collect();
    for x in all.chunks(10_000) {
        let got: Vec<f32> = x.iter().map(|x| ours_f32(*x)).collect();
        check_sets(name, x, &got, ours_f32);
        for (x, got) in x.iter().zip(got) {
            let error = ulps_f32(got, libm(f64::from(*x)));
            assert!(
                error <= bound.f32,
                "{name}({x:e}) = {got:e} is {error} ulp off, of {} allowed",
                bound.f32
            );
        }
    }
    // All exponents, and densely where the functions bend.
    let everywhere = (0..1_000_000u64).map(|i| f64::from_bits(i.wrapping_mul(u64::MAX / 1_000_000)));
    let dense = (0..2_000_000).map(|i| f64::from(i - 1_000_000) * 1.000_3e-5);
    let small = (0..500_000).map(|i| f64::from(i - 250_000) * 7.1e-6);
    let wide = (0..500_000).map(|i| f64::from(i - 250_000) * 3.01e-3);
    let all: Vec<f64> = everywhere.chain(dense).chain(small).chain(wide).collect();
    for x in all.chunks(10_000) {
        let got: Vec<f64> = x.iter().map(|x| ours_f64(*x)).collect();
        check_sets(name, x, &got, ours_f64);
        for (x, got) in x.iter().zip(got) {
            let (error, allowed) = (ulps_f64(got, libm(*x)), bound.f64 + LIBM_ERROR);
            assert!(error <= allowed, "{name}({x:e}) = {got:e} is {error} ulp off, of {allowed} allowed");
        }
    }
    for x in
        [0.0, -0.0, f64::INFINITY, -f64::INFINITY, f64::NAN, 5e-324, -5e-324, 1.0, -1.0, f64::MAX, -f64::MAX]
    {
        let (got, want) = (ours_f64(x), libm(x));
        assert!(ulps_f64(got, want) <= bound.f64, "{name}({x}) = {got}, not {want}");
        assert!(
            want != 0.0 || got.is_sign_negative() == want.is_sign_negative(),
            "{name}({x}): sign of zero"
        );
        let (got, want) = (ours_f32(x as f32), libm(f64::from(x as f32)) as f32);
        assert!(ulps_f32(got, f64::from(want)) <= bound.f32, "{name}({x}) = {got}, not {want} in f32");
        assert!(
            want != 0.0 || got.is_sign_negative() == want.is_sign_negative(),
            "{name}({x}): sign of zero"
        );
    }
}

/// `check` with closures, which are compiled for each instruction set where a function's address is not.
macro_rules! check {
    ($name:ident, $libm:expr, $bound:expr) => {
        check(
            stringify!($name),
            #[inline(always)]
            |x: f32| Real::$name(x),
            #[inline(always)]
            |x: f64| Real::$name(x),
            $libm,
            $bound,
        )
    };
}

#[test]
fn exp_is_within_its_bound() {
    check!(exp, libm::exp, EXP_ERROR);
}

#[test]
fn exp_m1_is_within_its_bound() {
    check!(exp_m1, libm::expm1, EXP_M1_ERROR);
}

#[test]
fn ln_is_within_its_bound() {
    check!(ln, libm::log, LN_ERROR);
}

#[test]
fn ln_1p_is_within_its_bound() {
    check!(ln_1p, libm::log1p, LN_1P_ERROR);
}

#[test]
fn tanh_is_within_its_bound() {
    check!(tanh, libm::tanh, TANH_ERROR);
}

#[test]
fn sigmoid_is_within_its_bound() {
    check!(sigmoid, libm_sigmoid, SIGMOID_ERROR);
}

#[test]
fn erf_is_within_its_bound() {
    check!(erf, libm::erf, ERF_ERROR);
}

#[test]
fn silu_is_within_its_bound() {
    // By halves where e^x is subnormal, though x e^x is not.
    let silu = |x: f64| match x {
        f64::NEG_INFINITY => -0.0,
        x if x < -700.0 => x * libm::exp(x / 2.0) * libm::exp(x / 2.0),
        x => x * libm_sigmoid(x),
    };
    // The reference rounds twice more in f64 than a function of `libm` alone.
    let bound = Ulps { f64: SILU_ERROR.f64 + 2.0, ..SILU_ERROR };
    check!(silu, silu, bound);
}

#[test]
fn softplus_is_within_its_bound() {
    let softplus = |x: f64| if x.is_nan() { x } else { x.max(0.0) + libm::log1p(libm::exp(-x.abs())) };
    check!(softplus, softplus, SOFTPLUS_ERROR);
}

#[test]
fn powf_is_within_its_bound() {
    for i in 0..2_000_000u64 {
        let mixed = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let x = f64::from_bits(mixed >> 1);
        let x = if i % 3 == 0 { 0.5 + (mixed >> 11) as f64 * 2f64.powi(-53) } else { x };
        // Such that the result is mostly neither zero nor infinite.
        let y = ((mixed.rotate_left(29) >> 11) as f64 * 2f64.powi(-52) - 1.0) * 700.0 / libm::log(x).abs();
        let y = if i % 7 == 0 { (y % 1000.0).round() } else { y };
        let (got, want) = (Real::powf(x, y), libm::pow(x, y));
        let error = ulps_f64(got, want);
        assert!(error <= POWF_ERROR.f64 + LIBM_ERROR, "{x:e}^{y:e} = {got:e}, not {want:e}: {error} ulp off");
        let (x, y) = (x as f32, (y * 0.12) as f32);
        let (got, want) = (Real::powf(x, y), libm::pow(f64::from(x), f64::from(y)));
        let error = ulps_f32(got, want);
        assert!(error <= POWF_ERROR.f32, "{x:e}^{y:e} = {got:e}, not {want:e}: {error} ulp off");
    }
}

#[test]
fn powf_follows_the_standard_in_special_cases() {
    let values =
        [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 1e300, 9_007_199_254_740_991.0, f64::INFINITY, f64::NAN, 5e-324];
    for x in values.iter().flat_map(|x| [*x, -*x]) {
        for y in values.iter().flat_map(|y| [*y, -*y]) {
            let (got, want) = (Real::powf(x, y), libm::pow(x, y));
            assert!(ulps_f64(got, want) <= 1.0, "{x}^{y} = {got}, not {want}");
            assert_eq!(
                got == 0.0 && got.is_sign_negative(),
                want == 0.0 && want.is_sign_negative(),
                "{x}^{y}"
            );
            let (x, y) = (x as f32, y as f32);
            let (got, want) = (Real::powf(x, y), libm::powf(x, y));
            assert!(ulps_f32(got, f64::from(want)) <= 1.0, "{x}^{y} = {got}, not {want} in f32");
        }
    }
}

#[test]
fn over_positive_is_within_its_bound() {
    // The error depends on the mantissas alone, while the quotient is a normal number.
    let mantissa = |bits: u64| f32::from_bits(1 << 30 | (bits & 0x7f_ffff) as u32) / 2.0;
    let mut worst = 0.0_f64;
    for i in 0..4_000_000_u64 {
        let mixed = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (x, divisor) = (mantissa(mixed >> 40), mantissa(mixed >> 17));
        let error = ulps_f32(x.over_positive(divisor), f64::from(x) / f64::from(divisor));
        worst = worst.max(error);
    }
    assert!(worst <= OVER_POSITIVE_ERROR.f32, "{worst} ulp off");
    let x: Vec<f32> = (0..2000).map(|i| f32::from_bits(0x9e37_79b9_u32.wrapping_mul(i + 1))).collect();
    for exponent in -125..=125 {
        let divisor = 2f32.powi(exponent) * mantissa(exponent.unsigned_abs().into());
        let divisor = divisor.min(2f32.powi(125));
        let ours = |x: f32| x.over_positive(divisor);
        let got: Vec<f32> = x.iter().map(|x| ours(*x)).collect();
        check_sets("over_positive", &x, &got, ours);
        for (x, got) in x.iter().zip(&got) {
            let want = f64::from(*x) / f64::from(divisor);
            if (want as f32).is_finite() && x.abs() < 2f32.powi(-100) {
                assert!(
                    (f64::from(*got) - want).abs() <= 1e-6 * want.abs() + 1e-45,
                    "{x:e} / {divisor:e} = {got:e}"
                );
            } else if (want as f32).is_finite() {
                let error = ulps_f32(*got, want);
                assert!(error <= OVER_POSITIVE_ERROR.f32, "{x:e} / {divisor:e} = {got:e}, {error} ulp off");
            } else {
                assert!(!got.is_finite(), "{x:e} / {divisor:e} = {got:e}");
            }
        }
    }
    assert_eq!(3.0_f64.over_positive(7.0), 3.0 / 7.0);
    assert_eq!(1.0_f32.over_positive(f32::INFINITY), 2f32.powi(-125));
    assert!(0.0_f32.over_positive(0.0).is_nan() && 1.0_f32.over_positive(f32::NAN).is_nan());
}

#[test]
fn known_values_are_exact() {
    assert_eq!(Real::exp(0.0_f32), 1.0);
    assert_eq!(Real::ln(1.0_f64), 0.0);
    assert_eq!(Real::sigmoid(0.0_f32), 0.5);
    assert_eq!(Real::tanh(f32::INFINITY), 1.0);
    assert_eq!(Real::powf(3.0_f64, 2.0), 9.0);
    assert_eq!(Real::powf(2.0_f32, 10.0), 1024.0);
    assert!(Real::ln(-1.0_f32).is_nan());
}
