//! The list of optimizers.

use super::{At, optimizers, real};
use crate::choice::{Bound, choices};
use pullback_kernels::Real;
use pullback_kernels::update::{self, AnyRule};

optimizers! {
    default "adam",

    /// Plain gradient descent.
    Sgd = "sgd", rate 0.1, states 0, piecewise,
    |at| update::Sgd { learning_rate: real(at.rate) };

    /// Gradient descent with momentum (Polyak, 1964).
    Momentum {
        /// How much of the last velocity is kept.
        momentum = 0.9, Bound::Share;
    } = "momentum", rate 0.01, states 1, piecewise,
    |at| update::Momentum { learning_rate: real(at.rate), momentum: real(momentum) };

    /// Gradient descent with Nesterov's momentum (Sutskever et al., 2013).
    Nesterov {
        /// How much of the last velocity is kept.
        momentum = 0.9, Bound::Share;
    } = "nesterov", rate 0.01, states 1, piecewise,
    |at| update::Nesterov { learning_rate: real(at.rate), momentum: real(momentum) };

    /// Adam (Kingma, Ba, 2015).
    Adam {
        /// How much of the mean gradient is kept.
        beta_1 = 0.9, Bound::Share;
        /// How much of the mean square is kept.
        beta_2 = 0.999, Bound::Share;
        /// Added to the root of the mean square.
        epsilon = 1e-8, Bound::Positive;
    } = "adam", rate 0.001, states 2, piecewise,
    |at| at.adam(beta_1, beta_2, epsilon);

    /// Adam with weight decay apart from the gradient, on weights and not on biases (Loshchilov, Hutter, 2019).
    AdamW {
        /// How much of the mean gradient is kept.
        beta_1 = 0.9, Bound::Share;
        /// How much of the mean square is kept.
        beta_2 = 0.999, Bound::Share;
        /// Added to the root of the mean square.
        epsilon = 1e-8, Bound::Positive;
        /// What share of a weight is taken off, times the learning rate.
        weight_decay = 0.01, Bound::AtLeastZero;
    } = "adamw", rate 0.001, states 2, piecewise,
    |at| at.adam_w(beta_1, beta_2, epsilon, weight_decay);

    /// RMSProp (Hinton, 2012).
    RmsProp {
        /// How much of the mean square is kept.
        decay = 0.99, Bound::Share;
        /// Added to the root of the mean square.
        epsilon = 1e-8, Bound::Positive;
    } = "rmsprop", rate 0.001, states 1, piecewise,
    |at| update::RmsProp { learning_rate: real(at.rate), decay: real(decay), epsilon: real(epsilon) };

    /// AdaGrad (Duchi, Hazan, Singer, 2011).
    AdaGrad {
        /// Added to the root of the sum of squares.
        epsilon = 1e-10, Bound::Positive;
    } = "adagrad", rate 0.01, states 1, piecewise,
    |at| update::AdaGrad { learning_rate: real(at.rate), epsilon: real(epsilon) };

    /// Adamax: Adam with the largest gradient for the mean square (Kingma, Ba, 2015).
    Adamax {
        /// How much of the mean gradient is kept.
        beta_1 = 0.9, Bound::Share;
        /// How much of the largest gradient is kept.
        beta_2 = 0.999, Bound::Share;
        /// Added to the largest gradient.
        epsilon = 1e-8, Bound::Positive;
    } = "adamax", rate 0.002, states 2, piecewise,
    |at| update::Adamax {
        rate: real(at.rate / (1.0 - Real::powf(beta_1, at.step as f64))),
        beta_1: real(beta_1),
        beta_2: real(beta_2),
        epsilon: real(epsilon),
    };

    /// Nadam: Adam with Nesterov's momentum (Dozat, 2016).
    Nadam {
        /// How much of the mean gradient is kept.
        beta_1 = 0.9, Bound::Share;
        /// How much of the mean square is kept.
        beta_2 = 0.999, Bound::Share;
        /// Added to the root of the mean square.
        epsilon = 1e-8, Bound::Positive;
        /// How fast the momentum rises to `beta_1`.
        momentum_decay = 0.004, Bound::AtLeastZero;
    } = "nadam", rate 0.002, states 2, piecewise,
    |at| update::NadamSettings { learning_rate: at.rate, beta_1, beta_2, epsilon, momentum_decay }
        .at_step(at.step);

    /// AMSGrad: Adam whose divisor never falls (Reddi, Kale, Kumar, 2018).
    AmsGrad {
        /// How much of the mean gradient is kept.
        beta_1 = 0.9, Bound::Share;
        /// How much of the mean square is kept.
        beta_2 = 0.999, Bound::Share;
        /// Added to the root of the largest mean square.
        epsilon = 1e-8, Bound::Positive;
    } = "amsgrad", rate 0.001, states 3, piecewise,
    |at| update::AdamSettings { learning_rate: at.rate, beta_1, beta_2, epsilon, weight_decay: 0.0 }
        .amsgrad_at_step(at.step);

    /// Lion: the sign of a mean gradient; takes a third to a tenth of Adam's learning rate (Chen et al., 2023).
    Lion {
        /// How much of the mean gradient is in the direction.
        beta_1 = 0.9, Bound::Share;
        /// How much of the mean gradient is kept.
        beta_2 = 0.99, Bound::Share;
        /// What share of a weight is taken off, times the learning rate.
        weight_decay = 0.0, Bound::AtLeastZero;
    } = "lion", rate 0.0001, states 1, piecewise,
    |at| update::Lion {
        learning_rate: real(at.rate),
        beta_1: real(beta_1),
        beta_2: real(beta_2),
        keep: at.keep(weight_decay),
    };

    /// Muon: the momentum of a matrix of weights, made orthogonal; AdamW for the rest (Jordan et al., 2024).
    Muon {
        /// How much of the last velocity is kept.
        momentum = 0.95, Bound::Share;
        /// What share of a weight is taken off, times the learning rate.
        weight_decay = 0.1, Bound::AtLeastZero;
    } = "muon", rate 0.001, states 2, whole,
    |at| update::Muon {
        adam: at.adam(0.9, 0.999, 1e-8),
        learning_rate: real(at.rate),
        momentum: real(momentum),
        keep: at.keep(weight_decay),
    };

    @searching

    /// L-BFGS: quasi-Newton steps of all rows by a line search; for small data (Liu, Nocedal, 1989).
    Lbfgs {
        /// The largest derivative by a weight at which the search is over.
        tolerance = 1e-5, Bound::AtLeastZero;
    } = "lbfgs", rate 1.0;
}
