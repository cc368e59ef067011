//! Adamax.

use super::rule::{MOST_STATES, Rule, step_each};
use crate::{Isa, Real};

/// Adamax (Kingma, Ba, 2015, algorithm 2), as PyTorch writes it: Adam with the largest gradient, slowly forgotten, for
/// the mean square.
/// `m = beta_1 * m + (1 - beta_1) * g; u = max(beta_2 * u, |g| + epsilon); w -= rate * m / u`
/// with `rate = learning_rate / (1 - beta_1^step)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adamax<T> {
    /// `learning_rate / (1 - beta_1^step)`
    pub rate: T,
    /// What is left of the mean gradient after a step, in [0, 1).
    pub beta_1: T,
    /// What is left of the largest gradient after a step, in [0, 1).
    pub beta_2: T,
    /// Keeps the divisor from zero.
    pub epsilon: T,
}

impl<T: Real> Rule<T> for Adamax<T> {
    fn update(&self, isa: Isa, g: &[T], [w, m, u, ..]: [&mut [T]; 1 + MOST_STATES]) {
        let Self { rate, beta_1, beta_2, epsilon } = *self;
        step_each(
            isa,
            w,
            g,
            [m, u],
            #[inline(always)]
            move |w, g, [m, u]| {
                let m = beta_1.mul_add(m, (T::ONE - beta_1) * g).settled();
                let u = (beta_2 * u).max(g.abs() + epsilon);
                (w - rate * m / u, [m, u])
            },
        );
    }
}
