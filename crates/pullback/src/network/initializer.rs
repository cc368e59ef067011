//! The list of initializers: where weights start.

use super::Activation;
use crate::choice::{Bound, choices};
use crate::random::Random;

choices! {
    /// The distribution of a layer's initial weights; biases start at zero.
    ///
    /// With the number of inputs n and of outputs m of the layer; for a convolution the numbers of a window
    /// and the sums that one number goes into:
    #[non_exhaustive]
    "initializer" Initializer as text {
        /// Uniform within sqrt(6 / (n + m)) (Glorot, Bengio, 2010).
        XavierUniform = "xavier_uniform" | "glorot_uniform",
        /// Normal with variance 2 / (n + m) (Glorot, Bengio, 2010).
        XavierNormal = "xavier_normal" | "glorot_normal",
        /// Uniform within sqrt(6 / n) (He, Zhang, Ren, Sun, 2015).
        HeUniform = "he_uniform" | "kaiming_uniform",
        /// Normal with variance 2 / n (He, Zhang, Ren, Sun, 2015).
        HeNormal = "he_normal" | "kaiming_normal",
        /// Normal with variance 1 / n (LeCun, Bottou, Orr, Müller, 1998).
        LecunNormal = "lecun_normal",
        /// Uniform within sqrt(3 / n) (LeCun, Bottou, Orr, Müller, 1998).
        LecunUniform = "lecun_uniform",
        /// Uniform within the given bound, as in Ng's course.
        Uniform(
            /// The largest absolute value.
            bound: f64 = 0.12, Bound::Positive
        ) = "uniform",
        /// Normal with the given standard deviation.
        Normal(
            /// The standard deviation.
            deviation: f64 = 1.0, Bound::Positive
        ) = "normal",
        /// All zero: every unit of a hidden layer stays the same as its neighbors.
        Zeros = "zeros" | "zero",
    }
}

impl Initializer {
    /// The conventional choice before an activation.
    pub fn conventional(activation: Activation) -> Self {
        match activation {
            Activation::Relu
            | Activation::LeakyRelu(_)
            | Activation::Elu(_)
            | Activation::Gelu
            | Activation::Silu
            | Activation::Softplus => Initializer::HeNormal,
            Activation::Identity | Activation::Sigmoid | Activation::Tanh => Initializer::XavierUniform,
        }
    }

    /// The initial weights of a layer with `[n, m]` inputs and outputs.
    pub(super) fn weights(self, count: usize, fans: [usize; 2], random: &Random) -> Vec<f64> {
        let [n, m] = fans.map(|fan| fan as f64);
        let count = count as u64;
        let uniform =
            |bound: f64| (0..count).map(|index| (2.0 * random.uniform(index) - 1.0) * bound).collect();
        let normal = |variance: f64| (0..count).map(|index| random.normal(index) * variance.sqrt()).collect();
        match self {
            Initializer::XavierUniform => uniform((6.0 / (n + m)).sqrt()),
            Initializer::XavierNormal => normal(2.0 / (n + m)),
            Initializer::HeUniform => uniform((6.0 / n).sqrt()),
            Initializer::HeNormal => normal(2.0 / n),
            Initializer::LecunNormal => normal(1.0 / n),
            Initializer::LecunUniform => uniform((3.0 / n).sqrt()),
            Initializer::Uniform(bound) => uniform(bound),
            Initializer::Normal(deviation) => normal(deviation * deviation),
            Initializer::Zeros => vec![0.0; count as usize],
        }
    }
}
