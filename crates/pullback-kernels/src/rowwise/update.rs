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
pub use rule::{MOST_STATES, Rule};

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
        let correction = |beta: f64| 1.0 - Real::powf(beta, step as f64);
        Adam {
            beta_1: T::from_f64(self.beta_1),
            beta_2: T::from_f64(self.beta_2),
            keep: T::ONE,
            rate: T::from_f64(self.learning_rate / correction(self.beta_1)),
            root_correction: T::from_f64(1.0 / correction(self.beta_2).sqrt()),
            epsilon: T::from_f64(self.epsilon),
        }
        .decaying(self.learning_rate, self.weight_decay)
    }
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
