//! The number types that Pullback computes with, and the few functions that a formula needs.

use core::fmt::{Debug, Display};
use core::iter::Sum;
use core::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use super::special;

/// Something of which there is one for each number type, as a table of kernels: so that what is built on numbers
/// can be chosen by their type, and numbers know nothing of it.
#[doc(hidden)]
pub trait PerType {
    /// The one for `T`.
    type Of<T: Real>;
    /// The one for `f32`.
    fn for_f32(self) -> Self::Of<f32>;
    /// The one for `f64`.
    fn for_f64(self) -> Self::Of<f64>;
}

mod sealed {
    /// Only this crate implements it: unsafe code relies on that a number is an `f32` or an `f64`.
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// A real number type: `f32` or `f64`.
pub trait Real:
    Copy
    + Debug
    + Display
    + Default
    + PartialEq
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + Sum
    + sealed::Sealed
{
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// Positive infinity.
    const INFINITY: Self;
    /// The distance from one to the next larger number.
    const EPSILON: Self;
    /// The type's name as safetensors spells it: `F32` or `F64`.
    const NAME: &'static str;

    #[doc(hidden)]
    fn choose<C: PerType>(choice: C) -> C::Of<Self>;
    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// This number in double precision, exactly.
    fn to_f64(self) -> f64;
    /// `self * factor + term`, rounded once. WebAssembly has no instruction for it: there, f64 is still rounded once, by
    /// software, so that what is explained has the same bits everywhere, and f32, in which networks are trained, twice.
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// The exponential function.
    fn exp(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// The natural logarithm of `1 + self`, accurate near zero.
    fn ln_1p(self) -> Self;
    /// `exp(self) - 1`, accurate near zero.
    fn exp_m1(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The logistic function `1 / (1 + exp(-self))`.
    fn sigmoid(self) -> Self;
    /// The sigmoid linear unit `self / (1 + exp(-self))`.
    fn silu(self) -> Self;
    /// `ln(1 + exp(self))`, a smooth form of `max(self, 0)`.
    fn softplus(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
    /// `self` to the power `exponent`.
    fn powf(self, exponent: Self) -> Self;
    /// `self / divisor` for a divisor from 2^-125 to 2^125, by multiplications, since processors divide slowly.
    ///
    /// The error is at most [`special::OVER_POSITIVE_ERROR`], or a millionth of the result if `self` is below 2^-100.
    /// A larger divisor counts as 2^125. With a smaller divisor, or if the quotient overflows, the result may be
    /// infinite or NaN.
    fn over_positive(self, divisor: Self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
    /// The larger of two numbers; NaN if either is NaN.
    fn max(self, other: Self) -> Self;
    /// The smaller of two numbers; NaN if either is NaN.
    fn min(self, other: Self) -> Self;
    /// Whether the number is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// The number, or 0 if it is below 2^-100 (f64: 2^-996): a running mean that only decays would else come to
    /// subnormal numbers, with which processors compute up to a hundred times as slowly, and round to the smallest of
    /// them for ever.
    fn settled(self) -> Self;
    /// The number, or 0 if it is subnormal. A running mean of squares, whose root stands beside a positive epsilon, needs
    /// no more of [`settled`](Self::settled).
    fn without_subnormals(self) -> Self;
}

/// A special function, inlined so that a loop over it is vectorized. In the page, f64 is what is explained, a few numbers
/// at a time: there, each function is compiled once.
macro_rules! special {
    (for_f32, $function:ident, $($x:expr),+) => {
        special::$function($($x),+)
    };
    (for_f64, $function:ident, $($x:expr),+) => {{
        #[cfg(target_family = "wasm")]
        let result = once(|| special::$function($($x),+));
        #[cfg(not(target_family = "wasm"))]
        let result = special::$function($($x),+);
        result
    }};
}

#[cfg(target_family = "wasm")]
#[inline(never)]
fn once(function: impl FnOnce() -> f64) -> f64 {
    function()
}

macro_rules! fused {
    (for_f32, $x:expr, $factor:expr, $term:expr) => {
        if cfg!(target_family = "wasm") { $x * $factor + $term } else { f32::mul_add($x, $factor, $term) }
    };
    (for_f64, $x:expr, $factor:expr, $term:expr) => {{
        #[cfg(target_family = "wasm")]
        let sum = super::fused::mul_add($x, $factor, $term);
        #[cfg(not(target_family = "wasm"))]
        let sum = f64::mul_add($x, $factor, $term);
        sum
    }};
}

macro_rules! real {
    ($float:ident, $name:literal, $choose:ident) => {
        impl Real for $float {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const INFINITY: Self = $float::INFINITY;
            const EPSILON: Self = $float::EPSILON;
            const NAME: &'static str = $name;

            #[inline(always)]
            fn choose<C: PerType>(choice: C) -> C::Of<Self> {
                choice.$choose()
            }
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $float
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, term: Self) -> Self {
                fused!($choose, self, factor, term)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                special!($choose, exp, self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                special!($choose, ln, self)
            }
            #[inline(always)]
            fn ln_1p(self) -> Self {
                special!($choose, ln_1p, self)
            }
            #[inline(always)]
            fn exp_m1(self) -> Self {
                special!($choose, exp_m1, self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                special!($choose, tanh, self)
            }
            #[inline(always)]
            fn sigmoid(self) -> Self {
                special!($choose, sigmoid, self)
            }
            #[inline(always)]
            fn silu(self) -> Self {
                special!($choose, silu, self)
            }
            #[inline(always)]
            fn softplus(self) -> Self {
                special!($choose, softplus, self)
            }
            #[inline(always)]
            fn erf(self) -> Self {
                special!($choose, erf, self)
            }
            #[inline(always)]
            fn powf(self, exponent: Self) -> Self {
                special!($choose, powf, self, exponent)
            }
            #[inline(always)]
            fn over_positive(self, divisor: Self) -> Self {
                special::Parts::over_positive(self, divisor)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $float::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $float::abs(self)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if self > other || self.is_nan() { self } else { other }
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                if self < other || self.is_nan() { self } else { other }
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $float::is_finite(self)
            }
            #[inline(always)]
            fn settled(self) -> Self {
                const LEAST: $float = $float::MIN_POSITIVE * (1 << 26) as $float;
                // A NaN stays.
                if $float::abs(self) < LEAST { 0.0 } else { self }
            }
            #[inline(always)]
            fn without_subnormals(self) -> Self {
                // A NaN stays.
                if $float::abs(self) < $float::MIN_POSITIVE { 0.0 } else { self }
            }
        }
    };
}

real!(f32, "F32", for_f32);
real!(f64, "F64", for_f64);
