//! Epilogues: what is done in place to each element of a result.

use super::step::{Numbers, Source};
use crate::graph::ops::{Other, Pattern};
use crate::plan::{Action, Place, Slope, Stage};
use pullback_kernels::{Isa, Real};

/// Block size of the epilogue, in numbers: a block goes through all stages while it is in the first-level cache.
const PIECE: usize = 1024;

/// Applies stages to a piece of a result that begins at the index `first`.
pub(super) fn in_place<T: Real>(
    stages: &[Stage],
    first: usize,
    values: &mut [T],
    numbers: &Numbers<'_, T>,
    isa: Isa,
) {
    if values.len() <= PIECE {
        return apply(stages, first, values, &[], numbers, isa);
    }
    for (i, values) in values.chunks_mut(PIECE).enumerate() {
        apply(stages, first + i * PIECE, values, &[], numbers, isa);
    }
}

/// Applies stages to a piece of a gradient, and lets `update` change the same piece of its parameter and of its states.
pub(super) fn in_place_then_update<T: Real>(
    stages: &[Stage],
    first: usize,
    gradient: &mut [T],
    others: [&mut [T]; 4],
    numbers: &Numbers<'_, T>,
    update: impl Fn(&[T], [&mut [T]; 4]),
    isa: Isa,
) {
    if stages.is_empty() {
        return update(gradient, others);
    }
    let [parameter, states @ ..] = others;
    let mut states = states.map(|state| state.chunks_mut(PIECE));
    let pieces = gradient.chunks_mut(PIECE).zip(parameter.chunks_mut(PIECE));
    for (i, (gradient, parameter)) in pieces.enumerate() {
        apply(stages, first + i * PIECE, gradient, parameter, numbers, isa);
        let [first, second, third] = states.each_mut().map(|state| state.next().unwrap_or_default());
        update(gradient, [parameter, first, second, third]);
    }
}

/// Applies stages to `values`; `own` is the same piece of the parameter that is being changed, if one is.
fn apply<T: Real>(
    stages: &[Stage],
    first: usize,
    values: &mut [T],
    own: &[T],
    numbers: &Numbers<'_, T>,
    isa: Isa,
) {
    for Stage { action, position, other } in stages {
        let other = match *other {
            Some((Place::Resident(index), _, pattern)) if numbers.is_changing(index) => {
                Other { pattern, data: own, first: 0 }
            }
            Some((place, elements, pattern)) => {
                Other { pattern, data: numbers.at(Source { place, elements }), first }
            }
            None => Other { pattern: Pattern::Single, data: &[], first: 0 },
        };
        match action {
            Action::Apply(op) => op.in_place(isa, values, *position, other),
            Action::TimesSlope(slope) => isa.run(
                #[inline(always)]
                || times_slope(*slope, values, other),
            ),
            Action::Update(_) => {}
            Action::AddScaled(factor) => {
                let factor = T::from_f64(factor.value());
                isa.run(
                    #[inline(always)]
                    || {
                        other.apply(
                            values,
                            #[inline(always)]
                            |value, x| value + factor * x,
                        );
                    },
                );
            }
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
