//! A fused multiply-add of f64 by additions and multiplications, for processors that have none.
//!
//! What the compiler calls there adds integers of 128 bits, and the page explains in f64.
//! Boldo, Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to odd", IEEE
//! Transactions on Computers 57, 2008, figure 2.

/// Factors and terms from here to there: no part of a product is subnormal, and nothing overflows.
const LEAST: f64 = f64::from_bits((1023 - 900) << 52);
const MOST: f64 = f64::from_bits((1023 + 900) << 52);

/// `a * b + c`, rounded once.
#[inline]
pub(crate) fn mul_add(a: f64, b: f64, c: f64) -> f64 {
    let high = a * b;
    let is_usual =
        high.abs() > LEAST && high.abs() < MOST && a.abs() < MOST && b.abs() < MOST && c.abs() < MOST;
    if !is_usual {
        // Also for numbers that are not finite. A product with zero is exact.
        return if a == 0.0 || b == 0.0 { high + c } else { f64::mul_add(a, b, c) };
    }
    let low = error_of_product(a, b, high);
    let (t_high, t_low) = sum(c, low);
    let (v_high, v_low) = sum(high, t_high);
    v_high + sum_to_odd(t_low, v_low)
}

/// `a * b - product` (Dekker, 1971; Veltkamp's splitting).
#[inline(always)]
fn error_of_product(a: f64, b: f64, product: f64) -> f64 {
    let split = |x: f64| {
        let scaled = 134_217_729.0 * x;
        let high = scaled - (scaled - x);
        (high, x - high)
    };
    let ((a_high, a_low), (b_high, b_low)) = (split(a), split(b));
    ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
}

/// The sum and its error (Knuth).
#[inline(always)]
fn sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

/// The sum; if it is not exact, that neighbor of it whose last bit is 1. It can be rounded again to fewer digits as if
/// it were exact.
#[inline(always)]
fn sum_to_odd(a: f64, b: f64) -> f64 {
    let (sum, error) = sum(a, b);
    let bits = sum.to_bits();
    if error == 0.0 || bits & 1 == 1 {
        return sum;
    }
    // The exact sum lies away from zero, or towards it.
    f64::from_bits(if (error > 0.0) == (sum > 0.0) { bits + 1 } else { bits - 1 })
}

#[cfg(test)]
mod tests {
    use super::mul_add;

    /// The processor's instruction, or the integers of the compiler's library, is the other source.
    #[test]
    fn it_is_rounded_once() {
        let mut state = 1_u64;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state ^ (state >> 29)
        };
        let check = |a: f64, b: f64, c: f64| {
            let (own, exact) = (mul_add(a, b, c), f64::mul_add(a, b, c));
            let is_same = own.to_bits() == exact.to_bits() || own.is_nan() && exact.is_nan();
            assert!(is_same, "{a:e} * {b:e} + {c:e} is {exact:e}, not {own:e}");
        };
        // Any bits, among them zeros, subnormals, infinities and NaN.
        for _ in 0..300_000 {
            check(f64::from_bits(next()), f64::from_bits(next()), f64::from_bits(next()));
        }
        for _ in 0..1_000_000 {
            // Exponents that make the term and the product overlap anywhere, with few or many bits set.
            let mut number = |spread: u64| {
                let exponent = 1023 - spread / 2 + next() % (spread + 1);
                let mantissa = next() >> 12 & (u64::MAX << (next() % 53));
                f64::from_bits(next() & (1 << 63) | exponent << 52 | mantissa & ((1 << 52) - 1))
            };
            let (a, b, c) = (number(20), number(20), number(160));
            check(a, b, c);
            // Nearly everything cancels, or the sum is half way between two numbers.
            check(a, b, -(a * b));
            check(a, b, (a * b) * 2.0_f64.powi(53));
            check(a, b, (a * b) * 2.0_f64.powi(-53));
        }
        for edge in [0.0, -0.0, f64::INFINITY, f64::NAN, f64::MIN_POSITIVE, f64::MAX, 5e-324, 1.0] {
            for b in [0.0, -0.0, 1.0, -1.0, f64::INFINITY, 5e-324, f64::MAX] {
                for c in [0.0, -0.0, 1.0, -1.0, f64::INFINITY, f64::NEG_INFINITY, 5e-324] {
                    check(edge, b, c);
                }
            }
        }
    }
}
