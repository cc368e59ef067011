//! What all optimizers' steps have in common: they change a parameter by its gradient, and what is kept for it.

use super::{AdaGrad, Adam, Adamax, AmsGrad, Lion, Momentum, Muon, Nadam, Nesterov, RmsProp, Sgd};
use crate::{Isa, Operand, Real};

/// The most arrays of a parameter's size that an optimizer keeps for it from step to step.
pub const MOST_STATES: usize = 3;

/// Writes the product of two matrices.
pub type Product<'a, T> = &'a mut dyn FnMut(Operand<'_, T>, Operand<'_, T>, &mut [T]);

/// An optimizer's constants at one step.
pub trait Rule<T: Real>: Send + Sync {
    /// Changes a piece of a parameter by its gradient: `[w, state, state, state]`, where states that the optimizer does
    /// not keep are empty. Where a parameter is cut into pieces changes no bit.
    ///
    /// # Panics
    /// If lengths differ.
    fn update(&self, isa: Isa, g: &[T], arrays: [&mut [T]; 1 + MOST_STATES]);

    /// Changes a whole matrix of weights, which some optimizers need to see at once, and multiply by `product`;
    /// `scratch` is memory to keep for the next call.
    ///
    /// # Panics
    /// If lengths differ, or are not `rows * columns`.
    fn update_matrix(
        &self,
        [_rows, _columns]: [usize; 2],
        g: &[T],
        arrays: [&mut [T]; 1 + MOST_STATES],
        _scratch: &mut Vec<T>,
        isa: Isa,
        _product: Product<'_, T>,
    ) {
        self.update(isa, g, arrays);
    }
}

/// Steps all weights by the rule of one weight: `rule(w, g, states)` gives the new weight and states.
///
/// # Panics
/// If lengths differ.
#[inline(always)]
pub(super) fn step_each<T: Real, const STATES: usize>(
    isa: Isa,
    w: &mut [T],
    g: &[T],
    states: [&mut [T]; STATES],
    rule: impl Fn(T, T, [T; STATES]) -> (T, [T; STATES]),
) {
    let length = w.len();
    assert!(g.len() == length && states.iter().all(|state| state.len() == length), "lengths of a step");
    isa.run(
        #[inline(always)]
        move || {
            for at in 0..length {
                let old = core::array::from_fn(|state| states[state][at]);
                let (new_weight, new) = rule(w[at], g[at], old);
                w[at] = new_weight;
                for state in 0..STATES {
                    states[state][at] = new[state];
                }
            }
        },
    );
}

macro_rules! rules {
    ($($rule:ident($($state:ident),*)),*) => {
        $(impl<T: Real> Rule<T> for $rule<T> {
            fn update(&self, isa: Isa, g: &[T], [w, $($state,)* ..]: [&mut [T]; 1 + MOST_STATES]) {
                self.weights(isa, w, g $(, $state)*);
            }
        })*
    };
}

rules! {
    Sgd(), Momentum(v), Nesterov(v), RmsProp(s), AdaGrad(s), Adam(m, v)
}

macro_rules! any_rule {
    ($($rule:ident),*) => {
        /// The constants of a step of any optimizer.
        #[derive(Debug, Clone, Copy)]
        pub enum AnyRule<T> {
            $(
                #[doc = concat!("[`", stringify!($rule), "`].")]
                $rule($rule<T>)
            ),*
        }

        $(impl<T> From<$rule<T>> for AnyRule<T> {
            fn from(rule: $rule<T>) -> Self {
                Self::$rule(rule)
            }
        })*

        impl<T: Real> Rule<T> for AnyRule<T> {
            fn update(&self, isa: Isa, g: &[T], arrays: [&mut [T]; 1 + MOST_STATES]) {
                match self {
                    $(Self::$rule(rule) => rule.update(isa, g, arrays)),*
                }
            }

            fn update_matrix(
                &self,
                shape: [usize; 2],
                g: &[T],
                arrays: [&mut [T]; 1 + MOST_STATES],
                scratch: &mut Vec<T>,
                isa: Isa,
                product: Product<'_, T>,
            ) {
                match self {
                    $(Self::$rule(rule) => rule.update_matrix(shape, g, arrays, scratch, isa, product)),*
                }
            }
        }
    };
}

any_rule!(AdaGrad, Adam, Adamax, AmsGrad, Lion, Momentum, Muon, Nadam, Nesterov, RmsProp, Sgd);
