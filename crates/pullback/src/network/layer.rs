//! The list of layers, and the parameters that each has.

use super::regularization::strength;
use super::{Form, Image, Initializer, Padding, Regularization};
use crate::choice::{Bound, choices};
use crate::error::{Error, Place, Result};
use crate::graph::{Shape, Var, ops};
use crate::random::Random;
use pullback_kernels::{Real, Windows};
use serde::{Deserialize, Serialize};

choices! {
    /// The function that a unit applies to its weighted sum z.
    #[non_exhaustive]
    "activation" Activation as text {
        /// z itself.
        Identity = "identity",
        /// 1 / (1 + exp(-z))
        Sigmoid = "sigmoid",
        /// tanh(z)
        Tanh = "tanh",
        /// max(0, z)
        Relu = "relu",
        /// z, or the given slope times z below zero.
        LeakyRelu(
            /// The slope below zero.
            slope: f64 = 0.01, Bound::Finite
        ) = "leaky_relu",
        /// z, or alpha (exp(z) - 1) below zero.
        Elu(
            /// The negative of the limit far below zero.
            alpha: f64 = 1.0, Bound::Finite
        ) = "elu",
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
    /// Weighted sums of each window of an image, with the same weights for all windows: an image again, with
    /// a channel for each filter.
    Convolution {
        /// The number of weighted sums of a window.
        filters: usize,
        /// How many rows and columns of pixels a window has.
        size: usize,
        /// How many pixels one window begins after its neighbor.
        #[serde(default = "one")]
        stride: usize,
        /// Where windows may be.
        #[serde(default = "valid")]
        padding: Padding,
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
    /// The largest number of each window of an image, channel by channel.
    MaxPool {
        /// How many rows and columns of pixels a window has.
        size: usize,
        /// How many pixels one window begins after its neighbor; by default as many as it has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<usize>,
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
    /// Centers and scales each column, or each channel of an image, by its mean and variance over the batch
    /// (in evaluation: by running averages), then by a trained scale and shift (Ioffe, Szegedy, 2015).
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

fn one() -> usize {
    1
}

fn valid() -> Padding {
    Padding::Valid
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
    /// Weights `[outputs, inputs]`; of a convolution `[filters, size * size * channels]`, row by row of the
    /// window, pixel by pixel, channel by channel.
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
    /// How many numbers go into a sum that it is part of, and into how many sums one of them goes: n and m
    /// of the initializers.
    pub fans: [usize; 2],
    /// The strength of L1 on it.
    pub l1: f64,
    /// The strength of L2 on it.
    pub l2: f64,
}

impl Parameter {
    pub(super) fn initialize(&self, random: &Random) -> Vec<f64> {
        let sizes = self.shape.sizes();
        match self.role {
            Role::Weight(initializer) => initializer.weights(self.shape.elements(), self.fans, random),
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

    /// A convolution with windows of `size` by `size` pixels inside the image, and all choices left open.
    pub fn convolution(filters: usize, size: usize) -> Self {
        Layer::Convolution {
            filters,
            size,
            stride: 1,
            padding: Padding::Valid,
            has_bias: true,
            initializer: None,
            l1: None,
            l2: None,
        }
    }

    /// Max pooling with windows of `size` by `size` pixels that tile the image.
    pub fn max_pool(size: usize) -> Self {
        Layer::MaxPool { size, stride: None }
    }

    /// The units of a dense layer.
    pub fn units(&self) -> Option<usize> {
        match self {
            Layer::Dense { units, .. } => Some(*units),
            _ => None,
        }
    }

    /// Whether the layer works on images.
    pub fn needs_image(&self) -> bool {
        matches!(self, Layer::Convolution { .. } | Layer::MaxPool { .. })
    }

    /// The windows of a convolution or a pooling on what it reads.
    ///
    /// # Errors
    /// If it reads no image, or one that is too small.
    pub(super) fn windows(&self, index: usize, form: Form) -> Result<Option<(Windows, Image)>> {
        let (padding, size, stride) = match self {
            Layer::Convolution { padding, size, stride, .. } => (*padding, *size, *stride),
            Layer::MaxPool { size, stride } => (Padding::Valid, *size, stride.unwrap_or(*size)),
            _ => return Ok(None),
        };
        padding.windows(form, size, stride, &format!("layer {index}, {},", self.describe())).map(Some)
    }

    /// What an example is after the layer.
    ///
    /// # Errors
    /// As [`Layer::windows`].
    pub(super) fn form(&self, index: usize, form: Form) -> Result<Form> {
        let windows = self.windows(index, form)?;
        Ok(match (self, windows) {
            (Layer::Dense { units, .. }, _) => Form::Row(*units),
            (_, Some((windows, image))) => {
                let channels = match self {
                    Layer::Convolution { filters, .. } => *filters,
                    _ => image.channels,
                };
                let made = Image { height: windows.down(), width: windows.across(), channels };
                Form::Image(made.checked(&format!("layer {index}, {}, makes", self.describe()))?)
            }
            _ => form,
        })
    }

    /// A short description: `dense 128`, `relu`, `dropout 0.2`.
    pub fn describe(&self) -> String {
        match self {
            Layer::Dense { units, has_bias: true, .. } => format!("dense {units}"),
            Layer::Dense { units, has_bias: false, .. } => format!("dense {units} without bias"),
            Layer::Convolution { filters, size, stride, padding, has_bias, .. } => {
                let mut text = format!("convolution {filters} of {size}x{size}");
                if *stride != 1 {
                    text.push_str(&format!(" every {stride}"));
                }
                if *padding != Padding::Valid {
                    text.push_str(&format!(", padding {padding}"));
                }
                if !has_bias {
                    text.push_str(" without bias");
                }
                text
            }
            Layer::MaxPool { size, stride } => match stride {
                Some(stride) if stride != size => format!("max pool {size}x{size} every {stride}"),
                _ => format!("max pool {size}x{size}"),
            },
            Layer::Activation { function } => function.to_string(),
            Layer::Dropout { rate } => format!("dropout {rate}"),
            Layer::BatchNorm { .. } => "batch norm".into(),
            Layer::LayerNorm { .. } => "layer norm".into(),
        }
    }

    pub(super) fn check(&self, index: usize) -> Result<()> {
        let wrong =
            |what: String, help: &str| Err(Error::configuration(what).at(Place::layer(index)).help(help));
        match self {
            Layer::Dense { units: 0, .. } => wrong("a dense layer of 0 units".into(), "give at least 1"),
            Layer::Convolution { filters: 0, .. } => {
                wrong("a convolution of 0 filters".into(), "give at least 1")
            }
            Layer::Dense { l1, l2, .. } | Layer::Convolution { l1, l2, .. } => {
                strength::<f64>("l1", l1.unwrap_or(0.0))?;
                strength::<f64>("l2", l2.unwrap_or(0.0))
            }
            Layer::Dropout { rate } if !(0.0..1.0).contains(rate) => {
                wrong(format!("a dropout rate of {rate}"), "it must be at least 0 and below 1")
            }
            Layer::BatchNorm { momentum, .. } if !(0.0..=1.0).contains(momentum) => {
                wrong(format!("a batch norm momentum of {momentum}"), "it must be between 0 and 1")
            }
            Layer::BatchNorm { epsilon, .. } | Layer::LayerNorm { epsilon }
                if epsilon.is_nan() || *epsilon <= 0.0 =>
            {
                wrong(format!("a normalization epsilon of {epsilon}"), "it must be positive")
            }
            _ => Ok(()),
        }
    }

    /// Refuses settings that are none any more when they are rounded to numbers of `T`.
    pub(super) fn check_in<T: Real>(&self, index: usize) -> Result<()> {
        let checked = match self {
            Layer::Dense { l1, l2, .. } | Layer::Convolution { l1, l2, .. } => {
                strength::<T>("l1", l1.unwrap_or(0.0)).and_then(|()| strength::<T>("l2", l2.unwrap_or(0.0)))
            }
            Layer::Dropout { rate } => Bound::Share.check::<T>("the dropout rate", *rate),
            Layer::BatchNorm { epsilon, .. } | Layer::LayerNorm { epsilon } => {
                Bound::Positive.check::<T>("the epsilon of the normalization", *epsilon)
            }
            Layer::Activation { function } => function.check::<T>(),
            Layer::MaxPool { .. } => Ok(()),
        };
        checked.map_err(|error| error.at(Place::layer(index)))
    }

    /// The layer's parameters for what it reads.
    pub(super) fn parameters(
        &self,
        layer: usize,
        form: Form,
        next: Activation,
        regularization: &Regularization,
    ) -> Vec<Parameter> {
        let parameter = |name: &str, role, shape: Shape| Parameter {
            name: format!("layers.{layer}.{name}"),
            layer,
            role,
            shape,
            fans: [0; 2],
            l1: 0.0,
            l2: 0.0,
        };
        let row = || Shape::from([form.columns()]);
        // The weights of sums that are made at so many places of the image at once.
        let weighted = |sums: usize, area: usize, inputs: usize| {
            let (Layer::Dense { has_bias, initializer, l1, l2, .. }
            | Layer::Convolution { has_bias, initializer, l1, l2, .. }) = self
            else {
                return Vec::new();
            };
            let role = Role::Weight(initializer.unwrap_or(Initializer::conventional(next)));
            let weight = Parameter {
                fans: [area * inputs, area * sums],
                l1: l1.unwrap_or(regularization.l1),
                l2: l2.unwrap_or(regularization.l2),
                ..parameter("weight", role, [sums, area * inputs].into())
            };
            let bias = has_bias.then(|| parameter("bias", Role::Bias, [sums].into()));
            std::iter::once(weight).chain(bias).collect()
        };
        match self {
            Layer::Dense { units, .. } => weighted(*units, 1, form.elements()),
            Layer::Convolution { filters, size, .. } => weighted(*filters, size * size, form.columns()),
            Layer::MaxPool { .. } | Layer::Activation { .. } | Layer::Dropout { .. } => Vec::new(),
            Layer::BatchNorm { .. } => vec![
                parameter("scale", Role::Scale, row()),
                parameter("shift", Role::Shift, row()),
                parameter("running_mean", Role::RunningMean, row()),
                parameter("running_variance", Role::RunningVariance, row()),
            ],
            Layer::LayerNorm { .. } => {
                let all = || Shape::from([form.elements()]);
                vec![parameter("scale", Role::Scale, all()), parameter("shift", Role::Shift, all())]
            }
        }
    }
}
