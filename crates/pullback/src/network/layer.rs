//! The list of activations, and what a parameter is.

use super::Initializer;
use crate::choice::{Bound, choices};
use crate::graph::{Shape, Var, ops};
use crate::random::Random;

choices! {
    /// The function that a unit applies to its weighted sum z.
    #[non_exhaustive]
    "activation" Activation as text {
        /// z itself.
        Identity = "identity" | "linear" | "none",
        /// 1 / (1 + exp(-z))
        Sigmoid = "sigmoid" | "logistic",
        /// tanh(z)
        Tanh = "tanh",
        /// max(0, z)
        Relu = "relu",
        /// z, or the given slope times z below zero.
        LeakyRelu(
            /// The slope below zero.
            slope: f64 = 0.01, Bound::Finite
        ) = "leaky_relu" | "lrelu" | "leakyrelu",
        /// z, or alpha (exp(z) - 1) below zero.
        Elu(
            /// The negative of the limit far below zero.
            alpha: f64 = 1.0, Bound::Finite
        ) = "elu",
        /// z Phi(z), with the normal distribution's function Phi.
        Gelu = "gelu",
        /// z sigmoid(z)
        Silu = "silu" | "swish",
        /// log(1 + exp(z))
        Softplus = "softplus",
    }
}

impl Activation {
    pub(super) fn lower(self, z: Var<'_>) -> Var<'_> {
        let apply = |op: ops::Op| z.builder().apply(op, &[z]);
        match self {
            Activation::Identity => apply(ops::Identity.into()),
            Activation::Sigmoid => apply(ops::Sigmoid.into()),
            Activation::Tanh => apply(ops::Tanh.into()),
            Activation::Relu => apply(ops::Relu.into()),
            Activation::LeakyRelu(slope) => apply(ops::LeakyRelu { slope: slope.into() }.into()),
            Activation::Elu(alpha) => apply(ops::Elu { alpha: alpha.into() }.into()),
            Activation::Gelu => apply(ops::Gelu.into()),
            Activation::Silu => apply(ops::Silu.into()),
            Activation::Softplus => apply(ops::Softplus.into()),
        }
    }
}

/// What a parameter is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    /// Weights `[outputs, inputs]`; of a convolution `[filters, size * size * channels]`, row by row of the
    /// window, pixel by pixel, channel by channel; of an embedding `[levels, width]`.
    Weight(Initializer),
    /// Biases `[outputs]`, from zero.
    Bias,
    /// The scale of a normalization `[width]`, from one.
    Scale,
    /// The shift of a normalization `[width]`, from zero.
    Shift,
    /// A running mean `[width]`, from zero; not trained.
    RunningMean,
    /// A running variance `[width]`, from one; not trained.
    RunningVariance,
}

impl Role {
    /// Whether gradient descent changes it.
    pub fn is_trained(self) -> bool {
        !matches!(self, Role::RunningMean | Role::RunningVariance)
    }
}

/// An array of a network that is kept between steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// `layers.0.weight`, with the layer's place in the network; `layers.3.1.weight` in a block, and
    /// `inputs.image.0.weight` in an input's own layers.
    pub name: String,
    /// The number of the layer that it belongs to or is inside of; absent for an input's own layers.
    pub layer: Option<usize>,
    /// What it is for.
    pub role: Role,
    /// Its shape.
    pub shape: Shape,
    /// How many numbers go into a sum that it is part of, and into how many sums one of them goes: n and m
    /// of the initializers.
    pub fans: [usize; 2],
    /// The strength of L1 on it.
    pub l1: f64,
    /// The strength of L2 on it.
    pub l2: f64,
}

impl Parameter {
    pub(crate) fn initialize(&self, random: &Random) -> Vec<f64> {
        let count = self.shape.elements();
        match self.role {
            Role::Weight(initializer) => initializer.weights(count, self.fans, random),
            Role::Bias | Role::Shift | Role::RunningMean => vec![0.0; count],
            Role::Scale | Role::RunningVariance => vec![1.0; count],
        }
    }
}
