//! Vectors of channels. If a pixel has fewer channels than a vector has lanes, what is written beyond it is overwritten
//! with the next pixel: that is faster than a mask.

use crate::Real;

/// Reads a vector of numbers from `at` on.
#[inline(always)]
pub(super) fn load<T: Real, const LANES: usize>(x: &[T], at: usize) -> [T; LANES] {
    *x[at..].first_chunk().expect("the caller checked the length")
}

/// Writes the first `count` numbers, and the others after them if there is room: the next call overwrites them.
#[inline(always)]
pub(super) fn store<T: Real, const LANES: usize>(y: &mut [T], at: usize, numbers: [T; LANES], count: usize) {
    match y[at..].first_chunk_mut() {
        Some(to) => *to = numbers,
        None => store_exactly(y, at, numbers, count),
    }
}

/// Writes the first `count` numbers, at most `LANES`.
#[inline(always)]
pub(super) fn store_exactly<T: Real, const LANES: usize>(
    y: &mut [T],
    at: usize,
    numbers: [T; LANES],
    count: usize,
) {
    match y[at..].first_chunk_mut() {
        Some(to) if count >= LANES => *to = numbers,
        _ => {
            let count = count.min(LANES);
            for (to, number) in y[at..][..count].iter_mut().zip(numbers) {
                *to = number;
            }
        }
    }
}

/// Calls a function with the number of lanes that suits `$numbers` numbers.
macro_rules! by_lanes {
    ($isa:expr, $numbers:expr, $function:ident($($argument:expr),*)) => {
        $isa.run(
            #[inline(always)]
            || match $numbers {
                0..=8 => $function::<T, 8>($($argument),*),
                _ => $function::<T, 16>($($argument),*),
            },
        )
    };
}

pub(super) use by_lanes;
