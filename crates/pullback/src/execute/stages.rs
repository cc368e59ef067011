//! What is done in place to each element of a result.

use super::step::{Numbers, Source};
use crate::graph::ops::{Other, Pattern};
use crate::plan::{Action, Slope, Stage};
use pullback_kernels::{Isa, Real};

/// So many numbers go through all stages at a time: they stay in the nearest cache.
const PIECE: usize = 1024;

/// Applies stages to a piece of a result that begins at the index `first`.
pub(super) fn in_place<T: Real>(
    stages: &[Stage],
    first: usize,
    values: &mut [T],
    numbers: &Numbers<'_, T, impl AsRef<[T]> + Sync>,
    isa: Isa,
) {
    if stages.is_empty() {
        return;
    }
    for (i, values) in values.chunks_mut(PIECE).enumerate() {
        for Stage { action, position, other } in stages {
            let other = match *other {
                Some((place, elements, pattern)) => {
                    let data = numbers.at(Source { place, elements });
                    Other { pattern, data, first: first + i * PIECE }
                }
                None => Other { pattern: Pattern::Single, data: &[], first: 0 },
            };
            isa.run(
                #[inline(always)]
                || match action {
                    Action::Apply(op) => op.in_place(values, *position, other),
                    Action::TimesSlope(slope) => times_slope(*slope, values, other),
                    Action::AddScaled(factor) => {
                        let factor = T::from_f64(factor.value());
                        other.apply(
                            values,
                            #[inline(always)]
                            |value, x| value + factor * x,
                        );
                    }
                },
            );
        }
    }
}

/// The product with an activation's slope, from its results y: rounded as the separate operations are.
#[inline(always)]
fn times_slope<T: Real>(slope: Slope, values: &mut [T], y: Other<'_, T>) {
    match slope {
        Slope::Tanh => y.apply(
            values,
            #[inline(always)]
            |y_bar, y| y_bar * (T::ONE - y * y),
        ),
        Slope::Sigmoid => y.apply(
            values,
            #[inline(always)]
            |y_bar, y| y_bar * (y * (T::ONE - y)),
        ),
        Slope::Relu => y.apply(
            values,
            #[inline(always)]
            |y_bar, y| y_bar * if y > T::ZERO { T::ONE } else { T::ZERO },
        ),
    }
}
