//! The list of layers, and the parameters that each has.

use super::named::named;
use super::regularization::strength;
use super::{Initializer, Regularization};
use crate::error::{Error, Result};
use crate::graph::{Shape, Var, ops};
use crate::random::Random;
use serde::{Deserialize, Serialize};

named! {
    /// The function that a unit applies to its weighted sum z.
    "activation" Activation {
        /// z itself.
        Identity = "identity",
        /// 1 / (1 + exp(-z))
        Sigmoid = "sigmoid",
        /// tanh(z)
        Tanh = "tanh",
        /// max(0, z)
        Relu = "relu",
        /// z, or the given slope times z below zero.
        LeakyRelu(0.01) = "leaky_relu",
        /// z, or alpha (exp(z) - 1) below zero.
        Elu(1.0) = "elu",
        /// z Phi(z), with the normal distribution's function Phi.
        Gelu = "gelu",
        /// z sigmoid(z)
        Silu = "silu",
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

/// One layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Layer {
    /// Weighted sums of all inputs: `z = W x + b`.
    Dense {
        /// The number of weighted sums.
        units: usize,
        /// Whether a bias is added.
        #[serde(default = "yes")]
        has_bias: bool,
        /// Where the weights start; by default what is conventional before the next activation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        initializer: Option<Initializer>,
        /// The strength of L1 on this layer's weights, instead of the network's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        l1: Option<f64>,
        /// The strength of L2 on this layer's weights, instead of the network's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        l2: Option<f64>,
    },
    /// A function of each weighted sum.
    Activation {
        /// Which one.
        function: Activation,
    },
    /// In training, sets each number to zero with probability `rate` and scales the others by
    /// `1 / (1 - rate)` (inverted dropout); in evaluation, nothing.
    Dropout {
        /// The probability, at least 0 and below 1.
        rate: f64,
    },
    /// Centers and scales each column by its mean and variance over the batch (in evaluation: by
    /// running averages), then by a trained scale and shift (Ioffe, Szegedy, 2015).
    BatchNorm {
        /// How much of each new mean and variance goes into the running ones.
        #[serde(default = "tenth")]
        momentum: f64,
        /// Added to the variance.
        #[serde(default = "hundred_thousandth")]
        epsilon: f64,
    },
    /// Centers and scales each example by its own mean and variance, then by a trained scale and
    /// shift (Ba, Kiros, Hinton, 2016).
    LayerNorm {
        /// Added to the variance.
        #[serde(default = "hundred_thousandth")]
        epsilon: f64,
    },
}

fn yes() -> bool {
    true
}

fn tenth() -> f64 {
    0.1
}

fn hundred_thousandth() -> f64 {
    1e-5
}

/// What a parameter is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    /// Weights `[outputs, inputs]`.
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
    /// `layers.0.weight`, with the layer's place in the network.
    pub name: String,
    /// The layer's place in the network.
    pub layer: usize,
    /// What it is for.
    pub role: Role,
    /// Its shape.
    pub shape: Shape,
    /// The strength of L1 on it.
    pub l1: f64,
    /// The strength of L2 on it.
    pub l2: f64,
}

impl Parameter {
    pub(super) fn initialize(&self, random: &Random) -> Vec<f64> {
        let sizes = self.shape.sizes();
        match self.role {
            Role::Weight(initializer) => initializer.weights(sizes[1], sizes[0], random),
            Role::Bias | Role::Shift | Role::RunningMean => vec![0.0; sizes[0]],
            Role::Scale | Role::RunningVariance => vec![1.0; sizes[0]],
        }
    }
}

impl Layer {
    /// A dense layer with bias and all choices left open.
    pub fn dense(units: usize) -> Self {
        Layer::Dense { units, has_bias: true, initializer: None, l1: None, l2: None }
    }

    /// The width of the layer's result, if it is not that of its operand.
    pub fn units(&self) -> Option<usize> {
        match self {
            Layer::Dense { units, .. } => Some(*units),
            _ => None,
        }
    }

    /// A short description: `dense 128`, `relu`, `dropout 0.2`.
    pub fn describe(&self) -> String {
        match self {
            Layer::Dense { units, has_bias: true, .. } => format!("dense {units}"),
            Layer::Dense { units, has_bias: false, .. } => format!("dense {units} without bias"),
            Layer::Activation { function } => function.to_string(),
            Layer::Dropout { rate } => format!("dropout {rate}"),
            Layer::BatchNorm { .. } => "batch norm".into(),
            Layer::LayerNorm { .. } => "layer norm".into(),
        }
    }

    pub(super) fn check(&self, index: usize) -> Result<()> {
        let wrong = |what: String| Err(Error::Configuration(format!("layer {index}: {what}")));
        match self {
            Layer::Dense { units: 0, .. } => wrong("a dense layer of 0 units; give at least 1".into()),
            Layer::Dense { l1, l2, .. } => {
                strength("l1", l1.unwrap_or(0.0))?;
                strength("l2", l2.unwrap_or(0.0))
            }
            Layer::Dropout { rate } if !(0.0..1.0).contains(rate) => {
                wrong(format!("a dropout rate of {rate}; it must be at least 0 and below 1"))
            }
            Layer::BatchNorm { momentum, .. } if !(0.0..=1.0).contains(momentum) => {
                wrong(format!("a batch norm momentum of {momentum}; it must be between 0 and 1"))
            }
            Layer::BatchNorm { epsilon, .. } | Layer::LayerNorm { epsilon }
                if epsilon.is_nan() || *epsilon <= 0.0 =>
            {
                wrong(format!("a normalization epsilon of {epsilon}; it must be positive"))
            }
            _ => Ok(()),
        }
    }

    /// The layer's parameters for an operand of `width` columns.
    pub(super) fn parameters(
        &self,
        layer: usize,
        width: usize,
        next: Activation,
        regularization: &Regularization,
    ) -> Vec<Parameter> {
        let parameter = |name: &str, role, shape: Shape| Parameter {
            name: format!("layers.{layer}.{name}"),
            layer,
            role,
            shape,
            l1: 0.0,
            l2: 0.0,
        };
        let row = || Shape::from([width]);
        match self {
            Layer::Dense { units, has_bias, initializer, l1, l2 } => {
                let role = Role::Weight(initializer.unwrap_or(Initializer::conventional(next)));
                let weight = Parameter {
                    l1: l1.unwrap_or(regularization.l1),
                    l2: l2.unwrap_or(regularization.l2),
                    ..parameter("weight", role, [*units, width].into())
                };
                let bias = has_bias.then(|| parameter("bias", Role::Bias, [*units].into()));
                std::iter::once(weight).chain(bias).collect()
            }
            Layer::Activation { .. } | Layer::Dropout { .. } => Vec::new(),
            Layer::BatchNorm { .. } => vec![
                parameter("scale", Role::Scale, row()),
                parameter("shift", Role::Shift, row()),
                parameter("running_mean", Role::RunningMean, row()),
                parameter("running_variance", Role::RunningVariance, row()),
            ],
            Layer::LayerNorm { .. } => {
                vec![parameter("scale", Role::Scale, row()), parameter("shift", Role::Shift, row())]
            }
        }
    }
}
