//! AMSGrad.

use super::rule::{MOST_STATES, Rule, step_each};
use super::{AdamSettings, of_power};
use crate::{Isa, Real};

/// AMSGrad (Reddi, Kale, Kumar, 2018), as PyTorch writes it: Adam whose divisor never falls.
/// `m = beta_1 * m + (1 - beta_1) * g; v = beta_2 * v + (1 - beta_2) * g^2; largest = max(largest, v);`
/// `w -= rate * m / (sqrt(largest / (1 - beta_2^step)) + epsilon)` with `rate = learning_rate / (1 - beta_1^step)`
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AmsGrad<T> {
    rate: T,
    beta_1: T,
    beta_2: T,
    /// 1 / sqrt(1 - beta_2^step)
    root_correction: T,
    epsilon: T,
}

impl AdamSettings {
    /// The constants of AMSGrad at step number `step`, counted from 1; weights do not decay.
    pub fn amsgrad_at_step<T: Real>(self, step: u64) -> AmsGrad<T> {
        AmsGrad {
            rate: of_power(self.beta_1, step, |power| self.learning_rate / (1.0 - power)),
            beta_1: T::from_f64(self.beta_1),
            beta_2: T::from_f64(self.beta_2),
            root_correction: of_power(self.beta_2, step, |power| 1.0 / (1.0 - power).sqrt()),
            epsilon: T::from_f64(self.epsilon),
        }
    }
}

impl<T: Real> Rule<T> for AmsGrad<T> {
    fn update(&self, isa: Isa, g: &[T], [w, m, v, largest]: [&mut [T]; 1 + MOST_STATES]) {
        let Self { rate, beta_1, beta_2, root_correction, epsilon } = *self;
        step_each(
            isa,
            w,
            g,
            [m, v, largest],
            #[inline(always)]
            move |w, g, [m, v, largest]| {
                let m = beta_1.mul_add(m, (T::ONE - beta_1) * g).settled();
                let v = beta_2.mul_add(v, (T::ONE - beta_2) * g * g).without_subnormals();
                let largest = largest.max(v);
                (w - rate * m / largest.sqrt().mul_add(root_correction, epsilon), [m, v, largest])
            },
        );
    }
}
