//! The list of layers, and the enum that is made from it.
//!
//! To add a layer: write one item in a file here (its settings, what it reads and makes, its parameters, its part
//! of the graph, and a test case) and add one line to the list. The tests loop over the list: gradients, files,
//! memory, a step without allocation, both modes, and its lines on the page of `explain`.

mod activation;
mod attention;
mod batch_norm;
mod convolution;
mod dense;
mod dropout;
mod embedding;
mod flatten;
mod global_average_pool;
mod item;
mod layer_norm;
mod level_embedding;
mod max_pool;
mod position;
mod residual;
mod rms_norm;

pub use activation::ActivationLayer;
pub use attention::Attention;
pub use batch_norm::BatchNorm;
pub use convolution::Convolution;
pub use dense::Dense;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use global_average_pool::GlobalAveragePool;
pub use item::{Item, LayerCase};
pub use layer_norm::LayerNorm;
pub use level_embedding::{EmbeddedLevels, LevelEmbedding};
pub use max_pool::MaxPool;
pub use position::Position;
pub use residual::Residual;
pub use rms_norm::RmsNorm;

use super::declare::Declaration;
use super::lower::Lowering;
use super::path::Refusal;
use super::{Activation, Form};
use crate::choice::Bound;
use crate::error::Error;
use crate::graph::Var;
use crate::graph::ops::Dice;
use pullback_kernels::Real;
use serde::de::Error as _;
use serde::de::value::MapDeserializer;
use serde::{Deserialize, Deserializer, Serialize};

/// Makes [`Layer`] from the list: one variant a layer, each method passed on.
macro_rules! layers {
    ($($name:ident($type:ident)),* $(,)?) => {
        /// One layer.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        #[allow(missing_docs, reason = "each variant is documented at the type it holds")]
        #[non_exhaustive]
        pub enum Layer {
            $($name($type)),*
        }

        $(impl From<$type> for Layer {
            fn from(layer: $type) -> Self {
                Layer::$name(layer)
            }
        })*

        impl<'de> Deserialize<'de> for Layer {
            /// Reads the settings of each kind from the fields beside it. A derived reader would be compiled for one more
            /// form of them, and to read lists of settings without names.
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let fields = serde_json::Map::deserialize(from)?;
                let kind = fields.get("kind").ok_or_else(|| D::Error::missing_field("kind"))?;
                let kind = String::deserialize(kind.clone()).map_err(D::Error::custom)?;
                let rest = fields.into_iter().filter(|(name, _)| name != "kind");
                let fields = MapDeserializer::<_, serde_json::Error>::new(rest);
                $(if kind == <$type as Item>::KIND {
                    return <$type>::deserialize(fields).map(Layer::$name).map_err(D::Error::custom);
                })*
                Err(D::Error::unknown_variant(&kind, Layer::KINDS))
            }
        }

        impl Layer {
            /// The names of all kinds, as files spell them, in the order of the list.
            pub const KINDS: &[&str] = &[$(<$type as Item>::KIND),*];

            /// A test case of the layer at `index` in the list.
            ///
            /// # Panics
            /// If the list is shorter than that.
            pub fn case(index: usize, dice: &mut Dice) -> LayerCase {
                const CASES: &[fn(&mut Dice) -> LayerCase] = &[$(<$type as Item>::case),*];
                CASES[index](dice)
            }

            /// How files spell the kind of layer.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Layer::$name(_) => <$type as Item>::KIND),*
                }
            }

            /// A short description: `dense 128`, `relu`, `dropout 0.2`.
            pub fn describe(&self) -> String {
                match self {
                    $(Layer::$name(layer) => Item::describe(layer)),*
                }
            }

            /// The layers inside, of a block.
            pub fn layers(&self) -> &[Layer] {
                match self {
                    $(Layer::$name(layer) => Item::layers(layer)),*
                }
            }

            /// Whether the layer works on images alone.
            pub fn needs_image(&self) -> bool {
                match self {
                    $(Layer::$name(layer) => Item::needs_image(layer)),*
                }
            }

            /// What a layer of weights before it takes as the activation that follows; nothing if what comes
            /// after this layer says it.
            pub(super) fn activation(&self) -> Option<Activation> {
                match self {
                    $(Layer::$name(layer) => Item::activation(layer)),*
                }
            }

            fn numbers(&self) -> Vec<(String, Bound, f64)> {
                match self {
                    $(Layer::$name(layer) => Item::numbers(layer)),*
                }
            }

            pub(super) fn check(&self) -> Result<(), Refusal> {
                match self {
                    $(Layer::$name(layer) => Item::check(layer)),*
                }
            }

            pub(super) fn form(&self, reads: Form) -> Result<Form, Refusal> {
                match self {
                    $(Layer::$name(layer) => Item::form(layer, reads)),*
                }
            }

            pub(super) fn declare(&self, reads: Form, to: &mut Declaration<'_>) {
                match self {
                    $(Layer::$name(layer) => Item::declare(layer, reads, to)),*
                }
            }

            pub(super) fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b> {
                match self {
                    $(Layer::$name(layer) => Item::lower(layer, at, reads, x)),*
                }
            }
        }
    };
}

layers! {
    Dense(Dense),
    Convolution(Convolution),
    MaxPool(MaxPool),
    GlobalAveragePool(GlobalAveragePool),
    Flatten(Flatten),
    Activation(ActivationLayer),
    Dropout(Dropout),
    BatchNorm(BatchNorm),
    LayerNorm(LayerNorm),
    RmsNorm(RmsNorm),
    Embedding(Embedding),
    LevelEmbedding(LevelEmbedding),
    Position(Position),
    Attention(Attention),
    Residual(Residual),
}

impl Layer {
    /// A dense layer with bias and all choices left open.
    pub fn dense(units: usize) -> Self {
        Dense::new(units).into()
    }

    /// A convolution with windows of `size` by `size` pixels inside the image, and all choices left open.
    pub fn convolution(filters: usize, size: usize) -> Self {
        Convolution::new(filters, size).into()
    }

    /// Max pooling with windows of `size` by `size` pixels that tile the image.
    pub fn max_pool(size: usize) -> Self {
        MaxPool { size, stride: None }.into()
    }

    /// A function of each number.
    pub fn function(function: Activation) -> Self {
        ActivationLayer { function }.into()
    }

    /// Dropout with that probability.
    pub fn dropout(rate: f64) -> Self {
        Dropout { rate }.into()
    }

    /// Batch norm with the usual momentum and epsilon.
    pub fn batch_norm() -> Self {
        BatchNorm::default().into()
    }

    /// Layer norm with the usual epsilon.
    pub fn layer_norm() -> Self {
        LayerNorm::default().into()
    }

    /// Layers whose result is added to what they read.
    pub fn residual(layers: impl Into<Vec<Layer>>) -> Self {
        Residual { layers: layers.into() }.into()
    }

    /// The units of a dense layer.
    pub fn units(&self) -> Option<usize> {
        match self {
            Layer::Dense(dense) => Some(dense.units),
            _ => None,
        }
    }
}

/// What an example is after some layers, one after the other.
pub(super) fn form_after(layers: &[Layer], mut form: Form) -> Result<Form, Refusal> {
    for (number, layer) in layers.iter().enumerate() {
        form = layer.form(form).map_err(|refusal| refusal.within(number, || layer.describe()))?;
    }
    Ok(form)
}

/// Checks the settings of some layers.
pub(super) fn check_all(layers: &[Layer]) -> Result<(), Refusal> {
    for (number, layer) in layers.iter().enumerate() {
        layer.check().map_err(|refusal| refusal.within(number, || layer.describe()))?;
    }
    Ok(())
}

/// Checks settings that are real numbers as numbers of `T`, of layers and of those inside them.
pub(super) fn check_numbers<T: Real>(layers: &[Layer]) -> Result<(), Refusal> {
    for (number, layer) in layers.iter().enumerate() {
        let own = layer.numbers();
        let checked = own.iter().try_for_each(|(what, bound, value)| bound.check::<T>(what, *value));
        let refusal = |error: Error| Refusal::setting(error.what(), error.help_text().unwrap_or_default());
        checked
            .map_err(refusal)
            .and_then(|()| check_numbers::<T>(layer.layers()))
            .map_err(|refusal| refusal.within(number, || layer.describe()))?;
    }
    Ok(())
}
