//! How a gradient changes a weight. `list` has one item an optimizer; here is what is common to all.
//!
//! The formulas stand at the kernels, [`pullback_kernels::update`].

mod formula;
pub(super) mod lbfgs;
mod list;
#[cfg(test)]
mod tests;

pub use formula::StepFormulas;
pub use list::Optimizer;

use crate::plan::MOST_STATES;
use pullback_kernels::update::{self, AnyRule, Rule};
use pullback_kernels::{Isa, Real, plain_product};

/// What an optimizer's constants at one step depend on, beside its settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    /// The learning rate.
    rate: f64,
    /// The number of the step, counted from 1.
    step: u64,
    /// Whether the parameter is a matrix of weights, which decays, or a bias, scale or shift, which does not.
    decays: bool,
}

impl At {
    /// What is left of a number after decay.
    fn keep<T: Real>(self, weight_decay: f64) -> T {
        real(if self.decays { 1.0 - self.rate * weight_decay } else { 1.0 })
    }

    /// Adam, without decay of weights.
    fn adam<T: Real>(self, beta_1: f64, beta_2: f64, epsilon: f64) -> update::Adam<T> {
        self.adam_w(beta_1, beta_2, epsilon, 0.0)
    }

    /// Adam, with decay of weights apart from the gradient.
    fn adam_w<T: Real>(self, beta_1: f64, beta_2: f64, epsilon: f64, decay: f64) -> update::Adam<T> {
        let weight_decay = if self.decays { decay } else { 0.0 };
        update::AdamSettings { learning_rate: self.rate, beta_1, beta_2, epsilon, weight_decay }
            .at_step(self.step)
    }
}

fn real<T: Real>(value: f64) -> T {
    T::from_f64(value)
}

/// What a step of an optimizer makes of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct NextStep {
    /// The parameter after it.
    pub numbers: Vec<f64>,
    /// What is kept for the next step: arrays of the parameter's size.
    pub states: Vec<Vec<f64>>,
}

impl Optimizer {
    /// What the first step makes of a matrix of weights (or of another parameter, which does not decay). Absent for an
    /// optimizer that searches for its step: the cost decides.
    pub fn first_step(
        &self,
        rate: f64,
        shape: [usize; 2],
        numbers: &[f64],
        gradient: &[f64],
        decays: bool,
    ) -> Option<NextStep> {
        self.next_step((rate, 1), shape, numbers, &[], gradient, decays)
    }

    /// What a step makes of it, with its rate, its number, counted from 1, and what is kept from the step before.
    pub fn next_step(
        &self,
        (rate, step): (f64, u64),
        shape: [usize; 2],
        numbers: &[f64],
        kept: &[Vec<f64>],
        gradient: &[f64],
        decays: bool,
    ) -> Option<NextStep> {
        let mut numbers = numbers.to_vec();
        let fresh = |state: usize| vec![0.0; if state < self.states() { numbers.len() } else { 0 }];
        let mut states: [Vec<f64>; MOST_STATES] =
            std::array::from_fn(|state| kept.get(state).cloned().unwrap_or_else(|| fresh(state)));
        let [first, second, third] = &mut states;
        let arrays = [&mut numbers[..], first, second, third];
        let rule = self.rule(At { rate, step, decays })?;
        if decays && !self.is_piecewise() {
            let scratch = &mut Vec::new();
            rule.update_matrix(shape, gradient, arrays, scratch, Isa::portable(), &mut plain_product);
        } else {
            rule.update(Isa::portable(), gradient, arrays);
        }
        Some(NextStep { numbers, states: states.into_iter().filter(|state| !state.is_empty()).collect() })
    }

    /// What step number `step`, counted from 1, does to a parameter that does not decay, and to one that does. Absent
    /// for an optimizer that searches for its step.
    #[inline]
    pub(super) fn rules<T: Real>(&self, rate: f64, step: u64) -> Option<[AnyRule<T>; 2]> {
        let rule = self.rule(At { rate, step, decays: false })?;
        let decaying = match (self, rule) {
            // Powers cost much beside the step of a small network: they are computed once for both.
            (Optimizer::Adam { .. }, rule) => rule,
            (Optimizer::AdamW { weight_decay, .. }, AnyRule::Adam(rule)) => {
                rule.decaying(rate, *weight_decay).into()
            }
            _ => self.rule(At { rate, step, decays: true })?,
        };
        Some([rule, decaying])
    }

    /// Whether it searches along a line for its step, by the cost of all rows at several points, instead of taking one
    /// by the gradient of a batch.
    pub fn is_searching(&self) -> bool {
        matches!(self, Optimizer::Lbfgs { .. })
    }
}

/// Makes the list of optimizers: for each item its documentation, variant, settings and name as in `choices!`, the
/// learning rate that is taken where none is given, the number of arrays of a parameter's size that it keeps, whether
/// it changes each number of a parameter by its own gradient alone (`piecewise`) or a matrix as a `whole`, and its
/// kernel with the constants of a step. After them those without a kernel, which search for their steps.
macro_rules! optimizers {
    (default $default:literal, $(
        $(#[doc = $doc:literal])*
        $variant:ident
        $({ $(
            $(#[doc = $field_doc:literal])*
            $field:ident = $field_default:literal, $field_bound:expr;
        )* })?
        = $name:literal, rate $rate:literal, states $states:literal, $form:ident, |$at:ident| $rule:expr;
    )*
    @searching $(
        $(#[doc = $searching_doc:literal])*
        $searching:ident { $(
            $(#[doc = $searching_field_doc:literal])*
            $searching_field:ident = $searching_default:literal, $searching_bound:expr;
        )* } = $searching_name:literal, rate $searching_rate:literal;
    )*) => {
        choices! {
            /// How a gradient changes a weight.
            #[non_exhaustive]
            "optimizer" Optimizer as table, default $default {
                $(
                    $(#[doc = $doc])*
                    $variant $({ $( $(#[doc = $field_doc])* $field: f64 = $field_default, $field_bound; )* })? = $name,
                )*
                $(
                    $(#[doc = $searching_doc])*
                    $searching {
                        $($(#[doc = $searching_field_doc])* $searching_field: f64 = $searching_default, $searching_bound;)*
                    } = $searching_name
                ),*
            }
        }

        impl Optimizer {
            /// The learning rate that is taken when none is given.
            pub fn conventional_rate(&self) -> f64 {
                match self {
                    $(Optimizer::$variant { .. } => $rate,)*
                    $(Optimizer::$searching { .. } => $searching_rate),*
                }
            }

            /// How many arrays of a parameter's size it keeps for each parameter.
            pub fn states(&self) -> usize {
                match self {
                    $(Optimizer::$variant { .. } => $states,)*
                    $(Optimizer::$searching { .. } => 0),*
                }
            }

            /// Whether each number of a parameter changes by its own gradient, so that pieces of it can be changed
            /// apart; else a matrix of weights is changed as a whole.
            pub fn is_piecewise(&self) -> bool {
                match self {
                    $(Optimizer::$variant { .. } => stringify!($form) == "piecewise",)*
                    $(Optimizer::$searching { .. } => true),*
                }
            }

            /// What a step does to a parameter, where its gradient decides that.
            pub(super) fn rule<T: Real>(&self, at: At) -> Option<AnyRule<T>> {
                match *self {
                    $(Optimizer::$variant $({ $($field),* })? => {
                        let $at = at;
                        Some(AnyRule::from($rule))
                    })*
                    $(Optimizer::$searching { .. } => None),*
                }
            }
        }
    };
}
use optimizers;
