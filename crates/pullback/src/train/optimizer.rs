//! The list of optimizers: how a gradient changes a weight.
//!
//! The formulas stand at the kernels, [`pullback_kernels::update`].

use crate::error::{Error, Result};
use pullback_kernels::{Isa, Real, update};
use serde::{Deserialize, Serialize};

/// How many arrays of a parameter's size an optimizer keeps for it at most.
pub(super) const MOST_STATES: usize = 3;

/// How a gradient changes a weight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// Plain gradient descent.
    Sgd,
    /// Gradient descent with momentum.
    Momentum {
        /// How much of the last velocity is kept.
        #[serde(default = "nine_tenths")]
        momentum: f64,
    },
    /// Gradient descent with Nesterov's momentum.
    Nesterov {
        /// How much of the last velocity is kept.
        #[serde(default = "nine_tenths")]
        momentum: f64,
    },
    /// Adam.
    Adam {
        /// How much of the mean gradient is kept.
        #[serde(default = "nine_tenths")]
        beta_1: f64,
        /// How much of the mean square is kept.
        #[serde(default = "beta_2")]
        beta_2: f64,
        /// Added to the root of the mean square.
        #[serde(default = "hundred_millionth")]
        epsilon: f64,
    },
    /// Adam with weight decay apart from the gradient, on weights and not on biases.
    #[serde(rename = "adamw")]
    AdamW {
        /// How much of the mean gradient is kept.
        #[serde(default = "nine_tenths")]
        beta_1: f64,
        /// How much of the mean square is kept.
        #[serde(default = "beta_2")]
        beta_2: f64,
        /// Added to the root of the mean square.
        #[serde(default = "hundred_millionth")]
        epsilon: f64,
        /// What share of a weight is taken off, times the learning rate.
        #[serde(default = "hundredth")]
        weight_decay: f64,
    },
    /// RMSProp.
    #[serde(rename = "rmsprop")]
    RmsProp {
        /// How much of the mean square is kept.
        #[serde(default = "decay")]
        decay: f64,
        /// Added to the root of the mean square.
        #[serde(default = "hundred_millionth")]
        epsilon: f64,
    },
    /// AdaGrad.
    #[serde(rename = "adagrad")]
    AdaGrad {
        /// Added to the root of the sum of squares.
        #[serde(default = "ten_billionth")]
        epsilon: f64,
    },
}

fn nine_tenths() -> f64 {
    0.9
}
fn beta_2() -> f64 {
    0.999
}
fn decay() -> f64 {
    0.99
}
fn hundredth() -> f64 {
    0.01
}
fn hundred_millionth() -> f64 {
    1e-8
}
fn ten_billionth() -> f64 {
    1e-10
}

impl Default for Optimizer {
    fn default() -> Self {
        Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }
    }
}

impl Optimizer {
    /// The names, in the order of the list.
    pub const NAMES: &[&str] = &["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop", "adagrad"];

    /// The optimizer of that name with its default settings.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "sgd" => Optimizer::Sgd,
            "momentum" => Optimizer::Momentum { momentum: 0.9 },
            "nesterov" => Optimizer::Nesterov { momentum: 0.9 },
            "adam" => Optimizer::default(),
            "adamw" => Optimizer::AdamW { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.01 },
            "rmsprop" => Optimizer::RmsProp { decay: 0.99, epsilon: 1e-8 },
            "adagrad" => Optimizer::AdaGrad { epsilon: 1e-10 },
            _ => return None,
        })
    }

    /// The name.
    pub fn name(&self) -> &'static str {
        match self {
            Optimizer::Sgd => "sgd",
            Optimizer::Momentum { .. } => "momentum",
            Optimizer::Nesterov { .. } => "nesterov",
            Optimizer::Adam { .. } => "adam",
            Optimizer::AdamW { .. } => "adamw",
            Optimizer::RmsProp { .. } => "rmsprop",
            Optimizer::AdaGrad { .. } => "adagrad",
        }
    }

    /// The learning rate that is taken when none is given.
    pub fn conventional_rate(&self) -> f64 {
        match self {
            Optimizer::Sgd => 0.1,
            Optimizer::Momentum { .. } | Optimizer::Nesterov { .. } | Optimizer::AdaGrad { .. } => 0.01,
            Optimizer::Adam { .. } | Optimizer::AdamW { .. } | Optimizer::RmsProp { .. } => 0.001,
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let share = |name: &str, value: f64| {
            if (0.0..1.0).contains(&value) {
                Ok(())
            } else {
                Err(Error::configuration(format!("{name} is {value}"))
                    .help("it must be at least 0 and below 1"))
            }
        };
        let positive = |name: &str, value: f64| {
            if value > 0.0 && value.is_finite() {
                Ok(())
            } else {
                Err(Error::configuration(format!("{name} is {value}")).help("it must be a positive number"))
            }
        };
        match *self {
            Optimizer::Sgd => Ok(()),
            Optimizer::Momentum { momentum } | Optimizer::Nesterov { momentum } => {
                share("momentum", momentum)
            }
            Optimizer::Adam { beta_1, beta_2, epsilon } => {
                share("beta_1", beta_1)?;
                share("beta_2", beta_2)?;
                positive("epsilon", epsilon)
            }
            Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay } => {
                share("beta_1", beta_1)?;
                share("beta_2", beta_2)?;
                positive("epsilon", epsilon)?;
                if weight_decay >= 0.0 && weight_decay.is_finite() {
                    Ok(())
                } else {
                    Err(Error::configuration(format!("weight_decay is {weight_decay}"))
                        .help("it must be zero or a positive number"))
                }
            }
            Optimizer::RmsProp { decay, epsilon } => {
                share("decay", decay)?;
                positive("epsilon", epsilon)
            }
            Optimizer::AdaGrad { epsilon } => positive("epsilon", epsilon),
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
