//! The steps of the optimizers, each in one pass over the memory of weights, gradient and state.
//!
//! A step is a rule for one weight (`weight`), which can also be applied while a gradient is in a register, and a
//! loop over slices (`weights`). `w` is a weight, `g` the gradient dC/dw.

mod adamax;
mod amsgrad;
mod lion;
mod muon;
mod nadam;
mod rule;

pub use adamax::Adamax;
pub use amsgrad::AmsGrad;
pub use lion::Lion;
pub use muon::Muon;
pub use nadam::{Nadam, NadamSettings};
pub use rule::{AnyRule, MOST_STATES, Product, Rule};

use crate::{Isa, Real};

/// Gradient descent: `w -= learning_rate * g`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd<T> {
    /// The factor of the step.
    pub learning_rate: T,
}

impl<T: Real> Sgd<T> {
    /// The weight after the step.
    #[inline(always)]
    pub fn weight(self, w: T, g: T) -> T {
        (-self.learning_rate).mul_add(g, w)
    }

    /// Steps all weights.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn weights(self, isa: Isa, w: &mut [T], g: &[T]) {
        crate::zip_in_place(
            isa,
            w,
            g,
            #[inline(always)]
            move |w, g| self.weight(w, g),
        );
    }
}

/// Momentum (Polyak, 1964): `v = momentum * v + g; w -= learning_rate * v`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Momentum<T> {
    /// The factor of the step.
    pub learning_rate: T,
    /// The factor of the old velocity, in [0, 1).
    pub momentum: T,
}

impl<T: Real> Momentum<T> {
    /// Weight and velocity after the step.
    #[inline(always)]
    pub fn weight(self, w: T, g: T, v: T) -> (T, T) {
        let v = self.momentum.mul_add(v, g).settled();
        ((-self.learning_rate).mul_add(v, w), v)
    }

    /// Steps all weights and their velocities.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn weights(self, isa: Isa, w: &mut [T], g: &[T], v: &mut [T]) {
        step_with_state(
            isa,
            w,
            g,
            v,
            #[inline(always)]
            move |w, g, v| self.weight(w, g, v),
        );
    }
}

/// Nesterov's momentum, as Sutskever et al. (2013) and PyTorch write it:
/// `v = momentum * v + g; w -= learning_rate * (g + momentum * v)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nesterov<T> {
    /// The factor of the step.
    pub learning_rate: T,
    /// The factor of the old velocity, in [0, 1).
    pub momentum: T,
}

impl<T: Real> Nesterov<T> {
    /// Weight and velocity after the step.
    #[inline(always)]
    pub fn weight(self, w: T, g: T, v: T) -> (T, T) {
        let v = self.momentum.mul_add(v, g).settled();
        ((-self.learning_rate).mul_add(self.momentum.mul_add(v, g), w), v)
    }

    /// Steps all weights and their velocities.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn weights(self, isa: Isa, w: &mut [T], g: &[T], v: &mut [T]) {
        step_with_state(
            isa,
            w,
            g,
            v,
            #[inline(always)]
            move |w, g, v| self.weight(w, g, v),
        );
    }
}

/// RMSProp (Hinton, 2012): `s = decay * s + (1 - decay) * g^2; w -= learning_rate * g / (sqrt(s) + epsilon)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsProp<T> {
    /// The factor of the step.
    pub learning_rate: T,
    /// The factor of the old mean square, in [0, 1).
    pub decay: T,
    /// Keeps the divisor from zero.
    pub epsilon: T,
}

impl<T: Real> RmsProp<T> {
    /// Weight and mean square after the step.
    #[inline(always)]
    pub fn weight(self, w: T, g: T, s: T) -> (T, T) {
        let s = self.decay.mul_add(s, (T::ONE - self.decay) * g * g).without_subnormals();
        (w - self.learning_rate * g / (s.sqrt() + self.epsilon), s)
    }

    /// Steps all weights and their mean squares.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn weights(self, isa: Isa, w: &mut [T], g: &[T], s: &mut [T]) {
        step_with_state(
            isa,
            w,
            g,
            s,
            #[inline(always)]
            move |w, g, s| self.weight(w, g, s),
        );
    }
}

/// AdaGrad (Duchi, Hazan, Singer, 2011): `s += g^2; w -= learning_rate * g / (sqrt(s) + epsilon)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaGrad<T> {
    /// The factor of the step.
    pub learning_rate: T,
    /// Keeps the divisor from zero.
    pub epsilon: T,
}

impl<T: Real> AdaGrad<T> {
    /// Weight and sum of squares after the step.
    #[inline(always)]
    pub fn weight(self, w: T, g: T, s: T) -> (T, T) {
        let s = g.mul_add(g, s);
        (w - self.learning_rate * g / (s.sqrt() + self.epsilon), s)
    }

    /// Steps all weights and their sums of squares.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn weights(self, isa: Isa, w: &mut [T], g: &[T], s: &mut [T]) {
        step_with_state(
            isa,
            w,
            g,
            s,
            #[inline(always)]
            move |w, g, s| self.weight(w, g, s),
        );
    }
}

/// The constants of one step of Adam (Kingma, Ba, 2015) or AdamW (Loshchilov, Hutter, 2019):
/// `m = beta_1 * m + (1 - beta_1) * g; v = beta_2 * v + (1 - beta_2) * g^2;`
/// `w = (1 - learning_rate * weight_decay) * w - learning_rate * m' / (sqrt(v') + epsilon)`,
/// where m' and v' are m and v divided by `1 - beta^step`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam<T> {
    beta_1: T,
    beta_2: T,
    /// The factor of a weight by decay.
    keep: T,
    /// learning_rate / (1 - beta_1^step)
    rate: T,
    /// 1 / sqrt(1 - beta_2^step)
    root_correction: T,
    epsilon: T,
}

/// The settings of [`Adam`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamSettings {
    /// The factor of the step.
    pub learning_rate: f64,
    /// The factor of the old mean gradient, in [0, 1).
    pub beta_1: f64,
    /// The factor of the old mean square, in [0, 1).
    pub beta_2: f64,
    /// Keeps the divisor from zero.
    pub epsilon: f64,
    /// The decay of the weights, decoupled from the gradient (AdamW); 0 for Adam.
    pub weight_decay: f64,
}

impl AdamSettings {
    /// The constants of step number `step`, counted from 1.
    pub fn at_step<T: Real>(self, step: u64) -> Adam<T> {
        Adam {
            beta_1: T::from_f64(self.beta_1),
            beta_2: T::from_f64(self.beta_2),
            keep: T::ONE,
            rate: of_power(self.beta_1, step, |power| self.learning_rate / (1.0 - power)),
            root_correction: of_power(self.beta_2, step, |power| 1.0 / (1.0 - power).sqrt()),
            epsilon: T::from_f64(self.epsilon),
        }
        .decaying(self.learning_rate, self.weight_decay)
    }
}

/// `f(base^step)` as [`Real::powf`] gives it, for a base in [0, 1] and an `f` that grows with the power and is made of
/// operations that are rounded correctly.
///
/// Repeated squaring takes a few multiplications and encloses the power. Where both ends of that interval lead to the
/// same number of type `T`, so does what lies between; else, and in f64, it is computed in full (Ziv, ACM Transactions on
/// Mathematical Software 17, 1991). In WebAssembly, which has no fused multiply-add, `powf` is a large part of a small
/// network's step.
pub(crate) fn of_power<T: Real>(base: f64, step: u64, f: impl Fn(f64) -> f64) -> T {
    if T::EPSILON.to_f64() > f64::EPSILON {
        let (mut power, mut square, mut left) = (1.0, base, step);
        while left > 0 {
            if left & 1 == 1 {
                power *= square;
            }
            square *= square;
            left >>= 1;
        }
        // Each factor of the product is rounded once at most: twice what they come to together, and what underflows.
        let error = power * (2.0 * f64::EPSILON) * (step as f64 + 1.0) + f64::MIN_POSITIVE;
        let (low, high) = (T::from_f64(f(power - error)), T::from_f64(f(power + error)));
        if low == high {
            return low;
        }
    }
    T::from_f64(f(Real::powf(base, step as f64)))
}

impl<T: Real> Adam<T> {
    /// The same step with another weight decay.
    #[must_use]
    pub fn decaying(self, learning_rate: f64, weight_decay: f64) -> Self {
        Self { keep: T::from_f64(1.0 - learning_rate * weight_decay), ..self }
    }

    /// Weight, mean gradient and mean square after the step.
    #[inline(always)]
    pub fn weight(self, w: T, g: T, m: T, v: T) -> (T, T, T) {
        let m = self.beta_1.mul_add(m, (T::ONE - self.beta_1) * g).settled();
        let v = self.beta_2.mul_add(v, (T::ONE - self.beta_2) * g * g).without_subnormals();
        let divisor = v.sqrt().mul_add(self.root_correction, self.epsilon);
        (self.keep.mul_add(w, -(self.rate * m).over_positive(divisor)), m, v)
    }

    /// Steps all weights, their mean gradients and mean squares.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn weights(self, isa: Isa, w: &mut [T], g: &[T], m: &mut [T], v: &mut [T]) {
        let length = w.len();
        assert!(g.len() == length && m.len() == length && v.len() == length, "lengths of a step");
        isa.run(
            #[inline(always)]
            || {
                for (((w, g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
                    (*w, *m, *v) = self.weight(*w, *g, *m, *v);
                }
            },
        );
    }
}

#[inline(always)]
fn step_with_state<T: Real>(
    isa: Isa,
    w: &mut [T],
    g: &[T],
    state: &mut [T],
    rule: impl Fn(T, T, T) -> (T, T),
) {
    assert!(g.len() == w.len() && state.len() == w.len(), "lengths of a step");
    isa.run(
        #[inline(always)]
        move || {
            for ((w, g), state) in w.iter_mut().zip(g).zip(state) {
                (*w, *state) = rule(*w, *g, *state);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::{AdamSettings, of_power};
    use crate::Real;

    /// A power that is enclosed leads to the same bits as one that is computed in full.
    fn check<T: Real>(beta: f64, step: u64) {
        let power = Real::powf(beta, step as f64);
        for rate in [0.01, 1e-3, 0.3, 7.123_456e-5] {
            let (own, full) = (of_power::<T>(beta, step, |power| rate / (1.0 - power)), rate / (1.0 - power));
            let is_same = own.to_f64().to_bits() == T::from_f64(full).to_f64().to_bits();
            assert!(is_same, "{rate} / (1 - {beta}^{step}) is {full}, not {own:?}");
        }
        let (own, full) =
            (of_power::<T>(beta, step, |power| 1.0 / (1.0 - power).sqrt()), 1.0 / (1.0 - power).sqrt());
        let is_same = own.to_f64().to_bits() == T::from_f64(full).to_f64().to_bits();
        assert!(is_same, "1 / sqrt(1 - {beta}^{step}) is {full}, not {own:?}");
    }

    #[test]
    fn powers_by_squaring_lead_to_the_bits_of_powf() {
        for beta in [0.0, 1e-8, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.999_999, 1.0 - 1e-12] {
            let all = (1..3000).chain((12..60).flat_map(|bits| [(1_u64 << bits) - 1, (1 << bits) + 7]));
            for step in all.chain((3000..200_000).step_by(97)) {
                check::<f32>(beta, step);
                if step % 31 == 0 {
                    check::<f64>(beta, step);
                }
            }
        }
    }

    #[test]
    fn the_first_step_of_adam_is_as_long_as_the_rate() {
        let settings =
            AdamSettings { learning_rate: 0.01, beta_1: 0.9, beta_2: 0.999, epsilon: 0.0, weight_decay: 0.0 };
        let (w, ..) = settings.at_step::<f32>(1).weight(1.0, 0.5, 0.0, 0.0);
        assert!((w - 0.99).abs() < 1e-6, "{w}");
    }
}
