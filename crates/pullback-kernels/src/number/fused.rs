//! `x * factor + term`, rounded once: of one number, and of a register of them.
//!
//! WebAssembly has no instruction for it. What its target does instead is a call for each number; by way of f64, in which
//! the product of two f32 is exact, the same bits take a few instructions that the compiler vectorizes.

/// As the target does it: by an instruction, where it has one.
pub(super) mod of_target {
    use core::array;

    pub(crate) trait Fused: Copy {
        fn fused(self, factor: Self, term: Self) -> Self;
    }

    impl Fused for f32 {
        #[inline(always)]
        fn fused(self, factor: Self, term: Self) -> Self {
            self.mul_add(factor, term)
        }
    }

    impl Fused for f64 {
        #[inline(always)]
        fn fused(self, factor: Self, term: Self) -> Self {
            self.mul_add(factor, term)
        }
    }

    #[inline(always)]
    pub(crate) fn one<T: Fused>(x: T, factor: T, term: T) -> T {
        x.fused(factor, term)
    }

    #[inline(always)]
    pub(crate) fn all<T: Fused, const N: usize>(x: [T; N], factor: [T; N], term: [T; N]) -> [T; N] {
        array::from_fn(|lane| x[lane].fused(factor[lane], term[lane]))
    }
}

/// Through f64.
///
/// The sum is rounded to f64 and then to f32. That is another number than rounding once only where the first rounding
/// ended in the middle of two numbers of f32, or where f32 has fewer digits because the result is subnormal; there the
/// target does it.
#[cfg(any(test, target_family = "wasm"))]
pub(super) mod through_f64 {
    use core::array;

    #[inline(always)]
    pub(crate) fn one(x: f32, factor: f32, term: f32) -> f32 {
        let sum = in_f64(x, factor, term);
        if is_rounded_once(sum) { sum as f32 } else { x.mul_add(factor, term) }
    }

    #[inline(always)]
    pub(crate) fn all<const N: usize>(x: [f32; N], factor: [f32; N], term: [f32; N]) -> [f32; N] {
        let sums: [f64; N] = array::from_fn(|lane| in_f64(x[lane], factor[lane], term[lane]));
        let mut is_rounded = true;
        for sum in sums {
            is_rounded &= is_rounded_once(sum);
        }
        if is_rounded {
            sums.map(|sum| sum as f32)
        } else {
            array::from_fn(|lane| x[lane].mul_add(factor[lane], term[lane]))
        }
    }

    #[inline(always)]
    fn in_f64(x: f32, factor: f32, term: f32) -> f64 {
        f64::from(x) * f64::from(factor) + f64::from(term)
    }

    /// Whether rounding to f32 gives what rounding once would have given.
    #[inline(always)]
    fn is_rounded_once(sum: f64) -> bool {
        /// The digits that f32 does not have, and those of the middle between two of its numbers.
        const DROPPED: u64 = (1 << 29) - 1;
        const MIDDLE: u64 = 1 << 28;
        let is_small = (sum.abs() < f64::from(f32::MIN_POSITIVE)) & (sum != 0.0);
        (sum.to_bits() & DROPPED != MIDDLE) & !is_small
    }
}

#[cfg(test)]
mod tests {
    use super::through_f64;
    use crate::philox;

    fn check(x: f32, factor: f32, term: f32) {
        let wanted = x.mul_add(factor, term);
        let all = through_f64::all([x, 1.0, x, 0.5], [factor, 2.0, factor, 4.0], [term, 3.0, term, 5.0]);
        for ours in [through_f64::one(x, factor, term), all[0], all[2]] {
            let is_same = ours.to_bits() == wanted.to_bits() || (ours.is_nan() && wanted.is_nan());
            assert!(is_same, "{x:e} * {factor:e} + {term:e}: {ours:e}, not {wanted:e}");
        }
        assert_eq!((all[1], all[3]), (5.0, 7.0));
    }

    #[test]
    fn through_f64_a_sum_is_rounded_once() {
        let edges = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            f32::EPSILON,
            1.0 + f32::EPSILON,
            1.0 - f32::EPSILON / 2.0,
            f32::MIN_POSITIVE,
            f32::from_bits(1),
            f32::from_bits(0x7f_ffff),
            f32::MAX,
            f32::INFINITY,
            f32::NAN,
            3e-20,
            -3e-20,
            4096.0,
            4097.0,
            0.1,
            8_388_609.0,
        ];
        for x in edges {
            for factor in edges {
                edges.iter().for_each(|&term| check(x, factor, term));
            }
        }
        for block in 0..100_000_u32 {
            let [[a], [b], [c], [d]] = philox([[block], [0], [0], [0]], [7, 9]);
            check(f32::from_bits(a), f32::from_bits(b), f32::from_bits(c));
            // Of like size, so that digits of product and term overlap.
            let near = |bits: u32, spread: u32| {
                f32::from_bits((bits & 1) << 31 | (127 - spread / 2 + (bits >> 1) % spread) << 23 | bits >> 9)
            };
            check(near(a, 4), near(b, 4), near(c, 60));
            // Of few digits: then the sum is often a middle.
            let few = |bits: u32| f32::from_bits(near(bits, 30).to_bits() & 0xffff_f000);
            check(few(a), few(b), few(c));
            // A middle, and a little more or less than one.
            let one = 1.0 + f32::EPSILON * (d % 1000) as f32;
            check(one, f32::EPSILON / 2.0, one);
            // Subnormal results.
            check(near(a, 40) * 1e-20, near(b, 40) * 1e-20, near(c, 40) * 1e-38);
        }
    }
}
