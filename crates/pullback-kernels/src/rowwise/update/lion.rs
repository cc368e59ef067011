//! Lion.

use super::rule::{MOST_STATES, Rule, step_each};
use crate::{Isa, Real};

/// Lion (Chen et al., 2023, algorithm 2): the sign of a mean of gradients is the direction.
/// `c = beta_1 * m + (1 - beta_1) * g; m = beta_2 * m + (1 - beta_2) * g;`
/// `w = (1 - learning_rate * weight_decay) * w - learning_rate * sign(c)`
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lion<T> {
    /// The factor of the step.
    pub learning_rate: T,
    /// What is left of the mean gradient in the direction, in [0, 1).
    pub beta_1: T,
    /// What is left of the mean gradient after a step, in [0, 1).
    pub beta_2: T,
    /// What is left of a weight after decay: `1 - learning_rate * weight_decay`.
    pub keep: T,
}

impl<T: Real> Rule<T> for Lion<T> {
    fn update(&self, isa: Isa, g: &[T], [w, m, ..]: [&mut [T]; 1 + MOST_STATES]) {
        let Self { learning_rate, beta_1, beta_2, keep } = *self;
        step_each(
            isa,
            w,
            g,
            [m],
            #[inline(always)]
            move |w, g, [m]| {
                let c = beta_1.mul_add(m, (T::ONE - beta_1) * g);
                let m = beta_2.mul_add(m, (T::ONE - beta_2) * g).settled();
                let step = match (c > T::ZERO, c < T::ZERO) {
                    (true, _) => -learning_rate,
                    (_, true) => learning_rate,
                    // Zero stays; what is no number must not be taken for one.
                    _ => c,
                };
                (keep.mul_add(w, step), [m])
            },
        );
    }
}
