//! Nadam.

use super::of_power;
use super::rule::{MOST_STATES, Rule, step_each};
use crate::{Isa, Real};

/// Nadam (Dozat, 2016), as PyTorch writes it: Adam with Nesterov's momentum.
/// `m = beta_1 * m + (1 - beta_1) * g; v = beta_2 * v + (1 - beta_2) * g^2;`
/// `w -= (gradient_rate * g + mean_rate * m) / (sqrt(v / (1 - beta_2^step)) + epsilon)`
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nadam<T> {
    gradient_rate: T,
    mean_rate: T,
    beta_1: T,
    beta_2: T,
    /// 1 / sqrt(1 - beta_2^step)
    root_correction: T,
    epsilon: T,
}

/// What the user of [`Nadam`] chooses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NadamSettings {
    /// The factor of the step.
    pub learning_rate: f64,
    /// What is left of the mean gradient after a step, in [0, 1).
    pub beta_1: f64,
    /// What is left of the mean square after a step, in [0, 1).
    pub beta_2: f64,
    /// Keeps the divisor from zero.
    pub epsilon: f64,
    /// How fast the momentum rises from `beta_1 / 2` to `beta_1`; 0.004 in the paper.
    pub momentum_decay: f64,
}

impl NadamSettings {
    /// The constants of step number `step`, counted from 1. With the momentum
    /// `mu_t = beta_1 * (1 - 0.96^(t * momentum_decay) / 2)` and the product `p_t = mu_1 * ... * mu_t`:
    /// `gradient_rate = learning_rate * (1 - mu_t) / (1 - p_t)` and
    /// `mean_rate = learning_rate * mu_(t + 1) / (1 - p_(t + 1))`.
    pub fn at_step<T: Real>(self, step: u64) -> Nadam<T> {
        let momentum =
            |step: u64| self.beta_1 * (1.0 - 0.5 * Real::powf(0.96, step as f64 * self.momentum_decay));
        let mut product = 1.0;
        for earlier in 1..=step {
            product *= momentum(earlier);
            // What is taken off 1 in what follows.
            if product < 0.25 * f64::EPSILON {
                break;
            }
        }
        let (now, next) = (momentum(step), momentum(step + 1));
        Nadam {
            gradient_rate: T::from_f64(self.learning_rate * (1.0 - now) / (1.0 - product)),
            mean_rate: T::from_f64(self.learning_rate * next / (1.0 - product * next)),
            beta_1: T::from_f64(self.beta_1),
            beta_2: T::from_f64(self.beta_2),
            root_correction: of_power(self.beta_2, step, |power| 1.0 / (1.0 - power).sqrt()),
            epsilon: T::from_f64(self.epsilon),
        }
    }
}

impl<T: Real> Rule<T> for Nadam<T> {
    fn update(&self, isa: Isa, g: &[T], [w, m, v, ..]: [&mut [T]; 1 + MOST_STATES]) {
        let Self { gradient_rate, mean_rate, beta_1, beta_2, root_correction, epsilon } = *self;
        step_each(
            isa,
            w,
            g,
            [m, v],
            #[inline(always)]
            move |w, g, [m, v]| {
                let m = beta_1.mul_add(m, (T::ONE - beta_1) * g).settled();
                let v = beta_2.mul_add(v, (T::ONE - beta_2) * g * g).without_subnormals();
                let step = gradient_rate.mul_add(g, mean_rate * m);
                (w - step / v.sqrt().mul_add(root_correction, epsilon), [m, v])
            },
        );
    }
}
