//! Central differences: a derivative from the values of a function beside a point.
//!
//! [`beside`] moves one number of some arrays, lets the caller evaluate, and restores it; the arrays may be the numbers
//! of a graph's nodes or the parameters of an executor. [`central`] and [`five_point`] are the formulas.

use pullback_kernels::Real;
use std::ops::DerefMut;

/// The step for a central difference at x in numbers of type T: `epsilon^(1/3) max(|x|, 1)`, where truncation
/// (step^2) and rounding (epsilon / step) of [`central`] balance (Press et al., Numerical Recipes, 3rd edition, 5.7).
pub fn central_step<T: Real>(x: T) -> f64 {
    Real::powf(T::EPSILON.to_f64(), 1.0 / 3.0) * Real::max(x.to_f64().abs(), 1.0)
}

/// The step of [`five_point`] in f64 for numbers of size one: near the fifth root of the rounding error, where
/// truncation (step^4) and rounding (epsilon / step) balance.
pub const FIVE_POINT_STEP: f64 = 1e-3;

/// Calls `derive` with a function that evaluates `value` where `arrays[place.0][place.1]` is another number, and
/// restores the number.
pub fn beside<T: Real, A: DerefMut<Target = [T]>, R>(
    arrays: &mut [A],
    place: (usize, usize),
    mut value: impl FnMut(&[A]) -> f64,
    derive: impl FnOnce(T, &mut dyn FnMut(T) -> f64) -> R,
) -> R {
    let (array, element) = place;
    let middle = arrays[array][element];
    let derivative = derive(middle, &mut |moved| {
        arrays[array][element] = moved;
        value(arrays)
    });
    arrays[array][element] = middle;
    derivative
}

/// `(f(x + h) - f(x - h)) / 2h` with error h^2; x + h and x - h as they are after rounding to T, so that their own
/// distance divides.
pub fn central<T: Real>(x: T, step: f64, f: &mut dyn FnMut(T) -> f64) -> f64 {
    let (below, above) = (T::from_f64(x.to_f64() - step), T::from_f64(x.to_f64() + step));
    let difference = f(above) - f(below);
    difference / (above.to_f64() - below.to_f64())
}

/// `(8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12h` with error h^4 (Abramowitz and Stegun, 1964, 25.3.6).
pub fn five_point(x: f64, step: f64, f: &mut dyn FnMut(f64) -> f64) -> f64 {
    let near = f(x + step) - f(x - step);
    let far = f(x + 2.0 * step) - f(x - 2.0 * step);
    (8.0 * near - far) / (12.0 * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_of_an_exponential_is_found_and_the_point_restored() {
        let mut arrays = [vec![5.0], vec![7.0, 0.5]];
        let exp = |arrays: &[Vec<f64>]| Real::exp(arrays[1][1]);
        let exact = Real::exp(0.5_f64);
        let two = beside(&mut arrays, (1, 1), exp, |x, f| central(x, central_step(x), f));
        let four = beside(&mut arrays, (1, 1), exp, |x, f| five_point(x, FIVE_POINT_STEP, f));
        // Truncation: exp(0.5) h^2 / 6 with h = 6e-6, and exp(0.5) h^4 / 30 with h = 1e-3; then rounding.
        assert!((two - exact).abs() < 1e-10, "{two}");
        assert!((four - exact).abs() < 1e-12, "{four}");
        assert_eq!(arrays, [vec![5.0], vec![7.0, 0.5]]);
    }

    #[test]
    fn in_f32_the_rounded_distance_divides() {
        let x = 3.0_f32;
        let slope = central(x, central_step(x), &mut |x: f32| x.to_f64() * 2.0);
        assert_eq!(slope, 2.0);
    }
}
