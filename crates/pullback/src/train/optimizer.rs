//! The list of optimizers: how a gradient changes a weight.
//!
//! The formulas stand at the kernels, [`pullback_kernels::update`].

use crate::choice::{Bound, choices};
use pullback_kernels::{Isa, Real, update};

/// How many arrays of a parameter's size an optimizer keeps for it at most.
pub(super) const MOST_STATES: usize = 3;

choices! {
    /// How a gradient changes a weight.
    #[non_exhaustive]
    "optimizer" Optimizer as table, default "adam" {
        /// Plain gradient descent.
        Sgd = "sgd",
        /// Gradient descent with momentum.
        Momentum {
            /// How much of the last velocity is kept.
            momentum: f64 = 0.9, Bound::Share;
        } = "momentum",
        /// Gradient descent with Nesterov's momentum.
        Nesterov {
            /// How much of the last velocity is kept.
            momentum: f64 = 0.9, Bound::Share;
        } = "nesterov",
        /// Adam.
        Adam {
            /// How much of the mean gradient is kept.
            beta_1: f64 = 0.9, Bound::Share;
            /// How much of the mean square is kept.
            beta_2: f64 = 0.999, Bound::Share;
            /// Added to the root of the mean square.
            epsilon: f64 = 1e-8, Bound::Positive;
        } = "adam",
        /// Adam with weight decay apart from the gradient, on weights and not on biases.
        AdamW {
            /// How much of the mean gradient is kept.
            beta_1: f64 = 0.9, Bound::Share;
            /// How much of the mean square is kept.
            beta_2: f64 = 0.999, Bound::Share;
            /// Added to the root of the mean square.
            epsilon: f64 = 1e-8, Bound::Positive;
            /// What share of a weight is taken off, times the learning rate.
            weight_decay: f64 = 0.01, Bound::AtLeastZero;
        } = "adamw",
        /// RMSProp.
        RmsProp {
            /// How much of the mean square is kept.
            decay: f64 = 0.99, Bound::Share;
            /// Added to the root of the mean square.
            epsilon: f64 = 1e-8, Bound::Positive;
        } = "rmsprop",
        /// AdaGrad.
        AdaGrad {
            /// Added to the root of the sum of squares.
            epsilon: f64 = 1e-10, Bound::Positive;
        } = "adagrad",
    }
}

impl Optimizer {
    /// The learning rate that is taken when none is given.
    pub fn conventional_rate(&self) -> f64 {
        match self {
            Optimizer::Sgd => 0.1,
            Optimizer::Momentum { .. } | Optimizer::Nesterov { .. } | Optimizer::AdaGrad { .. } => 0.01,
            Optimizer::Adam { .. } | Optimizer::AdamW { .. } | Optimizer::RmsProp { .. } => 0.001,
        }
    }

    /// How many arrays of a parameter's size it keeps for each parameter.
    pub(super) fn states(&self) -> usize {
        match self {
            Optimizer::Sgd => 0,
            Optimizer::Momentum { .. }
            | Optimizer::Nesterov { .. }
            | Optimizer::RmsProp { .. }
            | Optimizer::AdaGrad { .. } => 1,
            Optimizer::Adam { .. } | Optimizer::AdamW { .. } => 2,
        }
    }

    /// What the first step makes of one weight: the new weight, and what is kept for the next step.
    pub fn first_step(&self, rate: f64, weight: f64, gradient: f64, decays: bool) -> (f64, Vec<f64>) {
        let kept = |wanted: bool| if wanted { vec![0.0] } else { Vec::new() };
        let (mut first, mut second) = (kept(self.states() > 0), kept(self.states() > 1));
        let mut parameter = [weight];
        let [others, weights] = self.rules(rate, 1);
        let rule = if decays { weights } else { others };
        rule.update(Isa::portable(), &[gradient], [&mut parameter, &mut first, &mut second, &mut []]);
        first.append(&mut second);
        (parameter[0], first)
    }

    /// What step number `step`, counted from 1, does to a parameter that does not decay, and to one that does.
    pub(super) fn rules<T: Real>(&self, rate: f64, step: u64) -> [Rule<T>; 2] {
        let learning_rate = T::from_f64(rate);
        let real = T::from_f64;
        let adam = |beta_1, beta_2, epsilon, weight_decay| {
            let settings =
                update::AdamSettings { learning_rate: rate, beta_1, beta_2, epsilon, weight_decay };
            Rule::Adam(settings.at_step(step))
        };
        let rule = match *self {
            Optimizer::Sgd => Rule::Sgd(update::Sgd { learning_rate }),
            Optimizer::Momentum { momentum } => {
                Rule::Momentum(update::Momentum { learning_rate, momentum: real(momentum) })
            }
            Optimizer::Nesterov { momentum } => {
                Rule::Nesterov(update::Nesterov { learning_rate, momentum: real(momentum) })
            }
            Optimizer::Adam { beta_1, beta_2, epsilon } => adam(beta_1, beta_2, epsilon, 0.0),
            Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay } => {
                return [adam(beta_1, beta_2, epsilon, 0.0), adam(beta_1, beta_2, epsilon, weight_decay)];
            }
            Optimizer::RmsProp { decay, epsilon } => {
                Rule::RmsProp(update::RmsProp { learning_rate, decay: real(decay), epsilon: real(epsilon) })
            }
            Optimizer::AdaGrad { epsilon } => {
                Rule::AdaGrad(update::AdaGrad { learning_rate, epsilon: real(epsilon) })
            }
        };
        [rule, rule]
    }
}

/// An optimizer's constants at one step.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule<T> {
    Sgd(update::Sgd<T>),
    Momentum(update::Momentum<T>),
    Nesterov(update::Nesterov<T>),
    Adam(update::Adam<T>),
    RmsProp(update::RmsProp<T>),
    AdaGrad(update::AdaGrad<T>),
}

impl<T: Real> Rule<T> {
    /// Changes numbers of a parameter by their gradient, and what the optimizer keeps for them (empty where it keeps
    /// less).
    pub(super) fn update(&self, isa: Isa, g: &[T], [w, first, second, _]: [&mut [T]; 1 + MOST_STATES]) {
        match self {
            Rule::Sgd(rule) => rule.weights(isa, w, g),
            Rule::Momentum(rule) => rule.weights(isa, w, g, first),
            Rule::Nesterov(rule) => rule.weights(isa, w, g, first),
            Rule::Adam(rule) => rule.weights(isa, w, g, first, second),
            Rule::RmsProp(rule) => rule.weights(isa, w, g, first),
            Rule::AdaGrad(rule) => rule.weights(isa, w, g, first),
        }
    }
}
