//! The special functions: `exp`, `ln`, `tanh`, `erf` and their kin, as our own formulas.
//!
//! A system's mathematical library differs from platform to platform and cannot be vectorized.
//! These formulas use only operations that IEEE 754 rounds in one way (`+ - * /`, fused multiply-add,
//! comparison, floor, shifts of the bit pattern), so they give the same bits everywhere (of a NaN, only
//! that it is one); and they choose by selection instead of branching, so that a loop over
//! them is vectorized. In a build without fused multiply-add each `mul_add` is a slow
//! call, with the same result: [`Isa::run`](crate::Isa::run) compiles the loops for processors that have it.
//!
//! Each formula is written once for both number types; `Parts` holds what differs.
//! Minimax coefficients were computed by `tests/reference/minimax.py` (Remez exchange, 60 digits).

#![expect(clippy::excessive_precision, reason = "coefficients stand as their sources print them")]

use super::Real;

/// A bound on an error, in units of the last place of the exact result, for each number type.
///
/// Of functions of one number, the largest error in `f32` is measured over all 2^32 of them, against the `libm` crate
/// in f64, rounded up: `cargo run --release -p pullback-kernels --example special_errors`, two minutes of a core for
/// each function. `f64` and `powf` are tested on samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ulps {
    /// The bound for `f32`.
    pub f32: f64,
    /// The bound for `f64`.
    pub f64: f64,
}

/// The error bound of [`Real::exp`]; the largest error in `f32` is 0.979.
pub const EXP_ERROR: Ulps = Ulps { f32: 1.0, f64: 1.0 };
/// The error bound of [`Real::exp_m1`]; the largest error in `f32` is 1.367.
pub const EXP_M1_ERROR: Ulps = Ulps { f32: 2.0, f64: 2.0 };
/// The error bound of [`Real::ln`]; the largest error in `f32` is 0.828.
pub const LN_ERROR: Ulps = Ulps { f32: 1.0, f64: 1.0 };
/// The error bound of [`Real::ln_1p`]; the largest error in `f32` is 0.828.
pub const LN_1P_ERROR: Ulps = Ulps { f32: 1.0, f64: 1.0 };
/// The error bound of [`Real::tanh`]; the largest error in `f32` is 1.511.
pub const TANH_ERROR: Ulps = Ulps { f32: 2.0, f64: 2.0 };
/// The error bound of [`Real::sigmoid`]; the largest error in `f32` is 1.480.
pub const SIGMOID_ERROR: Ulps = Ulps { f32: 2.0, f64: 2.0 };
/// The error bound of [`Real::erf`]; the largest error in `f32` is 1.129.
pub const ERF_ERROR: Ulps = Ulps { f32: 2.0, f64: 2.0 };
/// The error bound of [`Real::silu`]; the largest error in `f32` is 1.695.
pub const SILU_ERROR: Ulps = Ulps { f32: 2.0, f64: 2.0 };
/// The error bound of [`Real::softplus`]; the largest error in `f32` is 1.637.
pub const SOFTPLUS_ERROR: Ulps = Ulps { f32: 2.0, f64: 2.0 };
/// The error bound of [`Real::over_positive`], as long as the quotient is finite.
pub const OVER_POSITIVE_ERROR: Ulps = Ulps { f32: 0.51, f64: 0.5 };
/// The error bound of [`Real::powf`].
pub const POWF_ERROR: Ulps = Ulps { f32: 1.5, f64: 1.5 };

/// What the formulas need to know of a number type.
pub(crate) trait Parts: Real {
    /// 1.5 times the number from which on whole numbers are one apart: adding it rounds to a whole
    /// number, which is then in the low bits.
    const ROUND: Self;
    const HALF: Self;
    const TWO: Self;
    const LOG2_E: Self;
    /// The upper bits of ln 2: few enough that a whole exponent times it is exact (Sun, fdlibm, `e_log.c`).
    const LN_2_HIGH: Self;
    /// ln 2 minus `LN_2_HIGH`.
    const LN_2_LOW: Self;
    /// Where `exp` has become zero.
    const EXP_LOWEST: Self;
    /// Where `exp` has become infinite.
    const EXP_HIGHEST: Self;
    /// Where x `exp`(x) has become zero.
    const SILU_LOWEST: Self;
    /// Where `exp_m1` has become -1.
    const EXP_M1_LOWEST: Self;
    /// Where `tanh(x / 2)` has become 1.
    const TANH_HIGHEST: Self;
    /// (e^r - 1 - r) / r^2 for |r| up to ln 2 / 2, by powers of r.
    const EXP: &'static [Self];
    /// (ln((1 + s) / (1 - s)) - 2 s) / s^3 by powers of s^2.
    const LN: &'static [Self];
    const NAN: Self;
    const SMALLEST_NORMAL: Self;
    /// A power of two that makes every subnormal number normal, and its exponent.
    const LIFT: (Self, Self);
    /// Where the two formulas of `erf` meet.
    const ERF_BORDER: Self;
    /// Where `erf` has become 1.
    const ERF_HIGHEST: Self;
    /// erf(x) / x - 1 by powers of x^2, up to the border.
    const ERF_SMALL: &'static [Self];
    /// ln(1 - erf(x)) by powers of x, from the border.
    const ERF_LARGE: &'static [Self];

    /// Two powers of two whose product is 2^n, where `rounded` is n + `ROUND`: one alone cannot
    /// reach the subnormal numbers, nor the border of the infinite.
    fn two_powers(rounded: Self) -> (Self, Self);
    /// 2^(n-1), where `rounded` is n + `ROUND`; n must be in the range of normal numbers.
    fn half_power(rounded: Self) -> Self;
    /// (m, k) with self = m 2^k and m in [sqrt(1/2), sqrt(2)), for a positive normal number.
    fn mantissa_and_exponent(self) -> (Self, Self);
    fn with_sign_of(self, other: Self) -> Self;
    fn floor(self) -> Self;
    fn is_nan(self) -> bool;
    /// `self / divisor`, as [`Real::over_positive`] says.
    fn over_positive(self, divisor: Self) -> Self;
    /// |self|^exponent for finite or infinite arguments, neither |self| = 1 nor exponent = 0.
    fn power_of_magnitude(self, exponent: Self) -> Self;
}

macro_rules! bit_patterns {
    ($float:ident, $bits:ident) => {
        const NAN: Self = $float::NAN;
        const SMALLEST_NORMAL: Self = $float::MIN_POSITIVE;
        const HALF: Self = 0.5;
        const TWO: Self = 2.0;
        const LOG2_E: Self = core::$float::consts::LOG2_E;

        #[inline(always)]
        fn two_powers(rounded: Self) -> (Self, Self) {
            const BIAS: $bits = $float::MAX_EXP as $bits - 1;
            let exponent = rounded.to_bits().wrapping_sub(Self::ROUND.to_bits()).wrapping_add(2 * BIAS);
            let first = exponent >> 1;
            let second = exponent.wrapping_sub(first);
            let shift = $float::MANTISSA_DIGITS - 1;
            ($float::from_bits(first << shift), $float::from_bits(second << shift))
        }
        #[inline(always)]
        fn half_power(rounded: Self) -> Self {
            const BIAS: $bits = $float::MAX_EXP as $bits - 1;
            // The shift drops the bits of ROUND, which are all above those of n.
            $float::from_bits(rounded.to_bits().wrapping_add(BIAS - 1) << ($float::MANTISSA_DIGITS - 1))
        }
        #[inline(always)]
        fn mantissa_and_exponent(self) -> (Self, Self) {
            const SHIFT: u32 = $float::MANTISSA_DIGITS - 1;
            const BIAS: $bits = $float::MAX_EXP as $bits - 1;
            const ROOT_OF_HALF: $bits = core::$float::consts::FRAC_1_SQRT_2.to_bits();
            const MANTISSA: $bits = (1 << SHIFT) - 1;
            // The exponent changes at sqrt(1/2) instead of at 1.
            let from_root = self.to_bits().wrapping_sub(ROOT_OF_HALF).wrapping_add(BIAS << SHIFT);
            let mantissa = $float::from_bits((from_root & MANTISSA).wrapping_add(ROOT_OF_HALF));
            // A small whole number in the low bits of 2^SHIFT is that number more.
            let whole = (1.0 / $float::EPSILON).to_bits();
            let exponent =
                $float::from_bits((from_root >> SHIFT) | whole) - (1.0 / $float::EPSILON + BIAS as $float);
            (mantissa, exponent)
        }
        #[inline(always)]
        fn with_sign_of(self, other: Self) -> Self {
            $float::copysign(self, other)
        }
        #[inline(always)]
        fn floor(self) -> Self {
            $float::floor(self)
        }
        #[inline(always)]
        fn is_nan(self) -> bool {
            $float::is_nan(self)
        }
    };
}

impl Parts for f32 {
    bit_patterns!(f32, u32);

    const ROUND: Self = 12_582_912.0;
    const LN_2_HIGH: Self = 6.931_381_225_6e-01;
    const LN_2_LOW: Self = 9.058_000_614_5e-06;
    const EXP_LOWEST: Self = -104.0;
    const EXP_HIGHEST: Self = 89.0;
    const SILU_LOWEST: Self = -112.0;
    const EXP_M1_LOWEST: Self = -20.0;
    const TANH_HIGHEST: Self = 20.0;
    // Minimax, relative error of e^r - 1: 2^-28.7.
    const EXP: &'static [Self] =
        &[0.5, 0.166_666_657, 0.041_666_358_7, 0.008_333_390_58, 0.001_394_071_97, 0.000_198_452_079];
    // fdlibm, `e_logf.c` (FreeBSD): relative error of the logarithm below 2^-34.24.
    const LN: &'static [Self] = &[0.666_666_626_93, 0.400_009_721_52, 0.284_987_866_88, 0.242_790_788_41];
    const LIFT: (Self, Self) = (16_777_216.0, 24.0);
    const ERF_BORDER: Self = 0.921_875;
    const ERF_HIGHEST: Self = 4.0;
    // Minimax, relative error of erf: 2^-30.
    const ERF_SMALL: &'static [Self] = &[
        0.128_379_166,
        -0.376_126_289,
        0.112_836_257,
        -0.026_855_729_5,
        0.005_192_392_97,
        -0.000_804_952_986,
        7.995_164_92e-05,
    ];
    // Minimax, relative error of erf: 2^-33.
    const ERF_LARGE: &'static [Self] = &[
        0.000_175_179_768,
        -1.129_517_32,
        -0.633_342_087,
        -0.108_285_367,
        0.025_122_806_4,
        -0.004_172_326_07,
        0.000_434_719_055,
        -2.111_728_28e-05,
    ];

    /// Newton's iteration for the reciprocal, from the number whose bits are a constant minus those of the divisor: it
    /// is off by an eighth at most, since those bits are about a logarithm (Blinn, "Floating-point tricks", 1997).
    /// Two steps leave 2^-12 of that, and the last one, on the quotient, its rounding.
    #[inline(always)]
    fn over_positive(self, divisor: Self) -> Self {
        if cfg!(target_family = "wasm") {
            // Without fused multiply-add the last step would correct nothing.
            return self / divisor;
        }
        const LARGEST: f32 = f32::from_bits(0x7e00_0000);
        // Also for NaN, which stays one.
        let divisor = if divisor > LARGEST { LARGEST } else { divisor };
        let guess = f32::from_bits(0x7ef3_11c7_u32.wrapping_sub(divisor.to_bits()));
        let guess = guess * (-divisor).mul_add(guess, 2.0);
        let reciprocal = guess * (-divisor).mul_add(guess, 2.0);
        let quotient = self * reciprocal;
        (-divisor).mul_add(quotient, self).mul_add(reciprocal, quotient)
    }
    // In double precision, whose error is some 2^-45 of the result.
    #[inline(always)]
    fn power_of_magnitude(self, exponent: Self) -> Self {
        exp(f64::from(exponent) * ln(f64::from(self).abs())) as f32
    }
}

impl Parts for f64 {
    bit_patterns!(f64, u64);

    const ROUND: Self = 6_755_399_441_055_744.0;
    const LN_2_HIGH: Self = 6.931_471_803_691_238_164_90e-01;
    const LN_2_LOW: Self = 1.908_214_929_270_587_700_02e-10;
    const EXP_LOWEST: Self = -746.0;
    const EXP_HIGHEST: Self = 710.0;
    const SILU_LOWEST: Self = -760.0;
    const EXP_M1_LOWEST: Self = -40.0;
    const TANH_HIGHEST: Self = 40.0;
    // Minimax, relative error of e^r - 1: 2^-59.7.
    const EXP: &'static [Self] = &[
        0.5,
        0.166_666_666_666_666_77,
        0.041_666_666_666_666_505,
        0.008_333_333_333_321_608,
        0.001_388_888_888_896_287_5,
        0.000_198_412_698_862_079_48,
        2.480_158_717_188_642e-05,
        2.755_724_410_403_134e-06,
        2.755_740_290_541_049e-07,
        2.510_908_147_745_988e-08,
        2.087_533_886_391_433e-09,
    ];
    // fdlibm, `e_log.c` (Sun): relative error of the logarithm below 2^-58.45.
    const LN: &'static [Self] = &[
        6.666_666_666_666_735_130e-01,
        3.999_999_999_940_941_908e-01,
        2.857_142_874_366_239_149e-01,
        2.222_219_843_214_978_396e-01,
        1.818_357_216_161_805_012e-01,
        1.531_383_769_920_937_332e-01,
        1.479_819_860_511_658_591e-01,
    ];
    const LIFT: (Self, Self) = (18_014_398_509_481_984.0, 54.0);
    const ERF_BORDER: Self = 1.0;
    const ERF_HIGHEST: Self = 6.0;
    // Minimax, relative error of erf: 2^-56.
    const ERF_SMALL: &'static [Self] = &[
        0.128_379_167_095_512_6,
        -0.376_126_389_031_841,
        0.112_837_916_709_711_81,
        -0.026_866_170_648_102_997,
        0.005_223_977_653_930_254,
        -0.000_854_832_863_330_174_7,
        0.000_120_553_905_449_729_2,
        -1.492_700_183_236_842_2e-05,
        1.648_320_093_398_812_9e-06,
        -1.658_172_304_624_148_2e-07,
        1.618_942_475_869_744e-08,
        -1.718_154_931_421_145e-09,
        1.560_842_526_917_373e-10,
    ];
    // Minimax, relative error of erf: 2^-58.
    const ERF_LARGE: &'static [Self] = &[
        -1.796_090_738_939_172e-07,
        -1.128_377_329_372_689_3,
        -0.636_628_488_429_644_7,
        -0.102_747_253_462_574_64,
        0.019_078_157_450_997_994,
        0.000_280_486_495_602_257_57,
        -0.001_768_998_712_672_609_9,
        0.000_641_171_341_787_493_5,
        -4.482_177_145_050_461e-05,
        -7.036_684_787_834_368e-05,
        4.503_737_963_505_415e-05,
        -1.651_390_834_941_638_8e-05,
        4.327_026_984_957_41e-06,
        -8.505_705_063_128_125e-07,
        1.257_044_959_511_442_5e-07,
        -1.362_671_338_708_231_4e-08,
        1.025_713_704_012_225_8e-09,
        -4.796_225_430_998_402e-11,
        1.049_719_137_037_714_7e-12,
    ];

    #[inline(always)]
    fn over_positive(self, divisor: Self) -> Self {
        self / divisor
    }
    // exp(y ln x) with ln x and its product with y in twice the digits: y ln x reaches 745, which
    // would multiply the logarithm's rounding error.
    #[inline(always)]
    fn power_of_magnitude(self, exponent: Self) -> Self {
        let (ln_high, ln_low) = ln_in_twice_the_digits(self.abs());
        let high = exponent * ln_high;
        let low = Real::mul_add(exponent, ln_high, -high) + exponent * ln_low;
        exp_of_sum(high, if high.abs() < 800.0 { low } else { 0.0 })
    }
}

/// The sum of `coefficients[i] * x^i`, by Horner's rule.
#[inline(always)]
fn polynomial<T: Parts>(x: T, coefficients: &[T]) -> T {
    let (last, rest) = coefficients.split_last().expect("every polynomial here has coefficients");
    rest.iter().rev().fold(*last, |sum, coefficient| sum.mul_add(x, *coefficient))
}

/// `x` moved into `[low, high]`; NaN stays NaN.
#[inline(always)]
fn clamped<T: Parts>(x: T, low: T, high: T) -> T {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

#[inline(always)]
pub(crate) fn exp<T: Parts>(x: T) -> T {
    exp_of_sum(x, T::ZERO)
}

/// e^(x + low), whatever x.
#[inline(always)]
fn exp_of_sum<T: Parts>(x: T, low: T) -> T {
    let (a, b) = exp_as_product(clamped(x, T::EXP_LOWEST, T::EXP_HIGHEST), low);
    a * b
}

/// e^(x + low) = a b, where a is normal even if the result is not, and b is a power of two:
/// x + low = n ln 2 + r, so e^(x + low) = 2^n (1 + r + r^2 Q(r)).
#[inline(always)]
fn exp_as_product<T: Parts>(x: T, low: T) -> (T, T) {
    let rounded = x.mul_add(T::LOG2_E, T::ROUND);
    let n = rounded - T::ROUND;
    let r = (-n).mul_add(T::LN_2_LOW, (-n).mul_add(T::LN_2_HIGH, x)) + low;
    let scaled = T::ONE + (r * r).mul_add(polynomial(r, T::EXP), r);
    let (first, second) = T::two_powers(rounded);
    (scaled * first, second)
}

/// e^x - 1 = 2^n (r + r^2 Q(r)) + (2^n - 1), plus the rounding error of r.
///
/// Computed as twice its half, for the border of the infinite. Does not keep the sign of -0.
#[inline(always)]
fn exp_m1_unsigned<T: Parts>(x: T) -> T {
    let rounded = x.mul_add(T::LOG2_E, T::ROUND);
    let n = rounded - T::ROUND;
    let high = (-n).mul_add(T::LN_2_HIGH, x);
    let r = (-n).mul_add(T::LN_2_LOW, high);
    let r_error = (-n).mul_add(T::LN_2_LOW, high - r);
    let scaled = r + (r * r).mul_add(polynomial(r, T::EXP), r_error);
    let half = T::half_power(rounded);
    T::TWO * scaled.mul_add(half, half - T::HALF)
}

#[inline(always)]
pub(crate) fn exp_m1<T: Parts>(x: T) -> T {
    let result = exp_m1_unsigned(clamped(x, T::EXP_M1_LOWEST, T::EXP_HIGHEST));
    if x == T::ZERO { x } else { result }
}

/// ln(m 2^k) + c for m = 1 + f: with s = f / (2 + f), ln m = f - (f^2/2 - s (f^2/2 + s^2 P(s^2))).
///
/// Source: Sun, fdlibm, `e_log.c`.
#[inline(always)]
fn ln_of_parts<T: Parts>(f: T, k: T, c: T) -> T {
    let s = f / (T::TWO + f);
    let z = s * s;
    let half_square = T::HALF * f * f;
    let tail = s.mul_add(z.mul_add(polynomial(z, T::LN), half_square), k.mul_add(T::LN_2_LOW, c));
    k.mul_add(T::LN_2_HIGH, f - (half_square - tail))
}

/// Positive `x` as m and k, also where `x` is subnormal.
#[inline(always)]
fn lifted_mantissa_and_exponent<T: Parts>(x: T) -> (T, T) {
    let (lift, lift_exponent) = T::LIFT;
    let is_small = x < T::SMALLEST_NORMAL;
    let (m, k) = (if is_small { x * lift } else { x }).mantissa_and_exponent();
    (m, if is_small { k - lift_exponent } else { k })
}

#[inline(always)]
pub(crate) fn ln<T: Parts>(x: T) -> T {
    let (m, k) = lifted_mantissa_and_exponent(x);
    let result = ln_of_parts(m - T::ONE, k, T::ZERO);
    let result = if x == T::INFINITY { x } else { result };
    let result = if x == T::ZERO { -T::INFINITY } else { result };
    if x >= T::ZERO { result } else { T::NAN }
}

/// ln(1 + x) = ln u + (1 + x - u) / u, where u is 1 + x rounded (Kahan; Sun, fdlibm, `s_log1p.c`).
#[inline(always)]
pub(crate) fn ln_1p<T: Parts>(x: T) -> T {
    let u = T::ONE + x;
    let x_rounded = u - T::ONE;
    let u_error = (T::ONE - (u - x_rounded)) + (x - x_rounded);
    let (m, k) = u.mantissa_and_exponent();
    let is_near_zero = k == T::ZERO;
    let f = if is_near_zero { x } else { m - T::ONE };
    let c = if is_near_zero { T::ZERO } else { u_error / u };
    let result = ln_of_parts(f, k, c);
    let result = if x == T::INFINITY || x == T::ZERO { x } else { result };
    let result = if x == -T::ONE { -T::INFINITY } else { result };
    if x >= -T::ONE { result } else { T::NAN }
}

/// `(numerator + low) / (a + b)` for positive a and b, plus what the rounding error of the sum changes.
#[inline(always)]
fn over_sum<T: Parts>(numerator: T, low: T, a: T, b: T) -> T {
    let (larger, smaller) = if a > b { (a, b) } else { (b, a) };
    let sum = larger + smaller;
    let sum_error = smaller - (sum - larger);
    let reciprocal = T::ONE / sum;
    let quotient = numerator * reciprocal;
    let rest = (-quotient).mul_add(sum_error, (-quotient).mul_add(sum, numerator)) + low;
    rest.mul_add(reciprocal, quotient)
}

/// tanh x = t / (t + 2) with t = e^(2|x|) - 1, and the sign of x.
#[inline(always)]
pub(crate) fn tanh<T: Parts>(x: T) -> T {
    let doubled = T::TWO * Real::abs(x);
    let t = exp_m1_unsigned(if doubled > T::TANH_HIGHEST { T::TANH_HIGHEST } else { doubled });
    over_sum(t, T::ZERO, t, T::TWO).with_sign_of(x)
}

/// 1 / (1 + e^-x); for negative x as e^x / (1 + e^x), which does not overflow.
#[inline(always)]
pub(crate) fn sigmoid<T: Parts>(x: T) -> T {
    let e = exp(-Real::abs(x));
    over_sum(if x < T::ZERO { e } else { T::ONE }, T::ZERO, T::ONE, e)
}

/// x / (1 + e^-x); for negative x as x e^x / (1 + e^x), plus the rounding error of x e^x.
#[inline(always)]
pub(crate) fn silu<T: Parts>(x: T) -> T {
    // Beyond, x e^x has become zero; an infinite x would make NaN of it.
    let x = if x < T::SILU_LOWEST { T::SILU_LOWEST } else { x };
    let (a, b) = exp_as_product(-clamped(Real::abs(x), T::ZERO, -T::SILU_LOWEST), T::ZERO);
    let (factor, power) = if x < T::ZERO { (a, b) } else { (T::ONE, T::ONE) };
    let numerator = x * factor;
    let result = over_sum(numerator, x.mul_add(factor, -numerator), T::ONE, a * b) * power;
    // Also keeps the sign of -0.
    if x == T::INFINITY { x } else { result.with_sign_of(x) }
}

/// ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|), which does not overflow.
#[inline(always)]
pub(crate) fn softplus<T: Parts>(x: T) -> T {
    Real::max(x, T::ZERO) + ln_1p(exp(-Real::abs(x)))
}

/// erf x = x + x P(x^2) for small |x|, 1 - e^R(|x|) with the sign of x for large
/// (the form of N. Juffa's single-precision erf, 2015; our coefficients).
#[inline(always)]
pub(crate) fn erf<T: Parts>(x: T) -> T {
    let magnitude = clamped(Real::abs(x), T::ZERO, T::ERF_HIGHEST);
    let small = x.mul_add(polynomial(magnitude * magnitude, T::ERF_SMALL), x);
    let large = (T::ONE - exp(polynomial(magnitude, T::ERF_LARGE))).with_sign_of(x);
    if magnitude > T::ERF_BORDER { large } else { small }
}

/// x^y, with the special cases of IEEE 754-2019 (9.2.1) for `pow`.
#[inline(always)]
pub(crate) fn powf<T: Parts>(x: T, y: T) -> T {
    let magnitude = Real::abs(x);
    let power = x.power_of_magnitude(y);
    let power = if magnitude == T::ONE && !y.is_nan() { T::ONE } else { power };
    let is_whole = Parts::floor(y) == y;
    let half = y * T::HALF;
    let is_odd = is_whole && Parts::floor(half) != half;
    let power = if is_odd { power.with_sign_of(x) } else { power };
    let is_undefined = x < T::ZERO && x > -T::INFINITY && !is_whole;
    let power = if is_undefined { T::NAN } else { power };
    // Squares and cubes, which formulas are full of, as the products that they are.
    let power = if y == T::TWO { x * x } else { power };
    let power = if y == T::TWO + T::ONE { x * x * x } else { power };
    let power = if y == T::ONE { x } else { power };
    if y == T::ZERO || x == T::ONE { T::ONE } else { power }
}

/// ln x as the sum of two numbers, with an error of some 2^-64 of it, for x not negative.
///
/// ln m = 2 s (1 + s^2/3 + s^4/5 + ...), s = (m - 1) / (m + 1): the series of the inverse hyperbolic
/// tangent (Abramowitz and Stegun, 1964, 4.6.22). Sums and products that matter carry their rounding
/// errors along (Dekker, 1971).
#[inline(always)]
fn ln_in_twice_the_digits(x: f64) -> (f64, f64) {
    const THIRD_LOW: f64 = 1.850_371_707_708_594e-17; // 1/3 minus the nearest number
    const SERIES: [f64; 11] = [
        1.0 / 5.0,
        1.0 / 7.0,
        1.0 / 9.0,
        1.0 / 11.0,
        1.0 / 13.0,
        1.0 / 15.0,
        1.0 / 17.0,
        1.0 / 19.0,
        1.0 / 21.0,
        1.0 / 23.0,
        1.0 / 25.0,
    ];
    let third = 1.0 / 3.0;
    let (m, k) = lifted_mantissa_and_exponent(x);
    // s = s_high + s_low
    let f = m - 1.0;
    let sum = m + 1.0;
    let sum_low = m - (sum - 1.0);
    let s_high = f / sum;
    let s_low = (Real::mul_add(-s_high, sum, f) - s_high * sum_low) / sum;
    // s^2
    let z_high = s_high * s_high;
    let z_low = Real::mul_add(s_high, s_high, -z_high) + 2.0 * s_high * s_low;
    // u = s^2/3 + s^4/5 + ...
    let a_high = z_high * third;
    let a_low = Real::mul_add(z_high, third, -a_high) + Real::mul_add(z_high, THIRD_LOW, z_low * third);
    let b = z_high * z_high * polynomial(z_high, &SERIES);
    let u_high = a_high + b;
    let u_low = ((a_high - u_high) + b) + a_low;
    // ln m = 2 s + 2 s u
    let (s_high, s_low) = (2.0 * s_high, 2.0 * s_low);
    let w_high = s_high * u_high;
    let w_low = Real::mul_add(s_high, u_high, -w_high) + Real::mul_add(s_high, u_low, s_low * u_high);
    let m_high = s_high + w_high;
    let m_low = ((s_high - m_high) + w_high) + (w_low + s_low);
    // + k ln 2, whose high part is exact
    let k_high = k * f64::LN_2_HIGH;
    let high = k_high + m_high;
    let low = ((k_high - high) + m_high) + Real::mul_add(k, f64::LN_2_LOW, m_low);
    let is_infinite = x == 0.0 || x == f64::INFINITY;
    let infinite = if x == 0.0 { -f64::INFINITY } else { f64::INFINITY };
    let high = if is_infinite { infinite } else { high };
    (if x.is_nan() { x } else { high }, if is_infinite { 0.0 } else { low })
}
