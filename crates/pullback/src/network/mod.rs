//! What the user describes: layers, cost and regularization, as plain data.
//!
//! A [`Network`] says nothing about batches, number types or threads. [`Network::lower`] turns it
//! into a graph for one batch size; every choice that has a conventional default can be left open.

mod check;
mod cost;
mod image;
mod initializer;
mod layer;
mod lower;
mod regularization;

pub use cost::Cost;
pub use image::{Form, Image, Padding};
pub use initializer::Initializer;
pub use layer::{Activation, Layer, Parameter, Role};
pub(crate) use lower::{FEATURES, TARGETS};
pub use lower::{Lowered, Mask, Mode};
pub use regularization::Regularization;

use crate::error::{Error, Result};
use crate::random::{Purpose, Random};
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};

/// A feed-forward network with its cost.
///
/// ```
/// use pullback::network::{Activation, Cost, Network};
/// let network = Network::dense(784, &[128], 10, Activation::Relu, Cost::SoftmaxCrossEntropy);
/// assert_eq!(network.parameter_count()?, 784 * 128 + 128 + 128 * 10 + 10);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The number of features of an example.
    pub inputs: usize,
    /// The shape of an example, where it is an image: convolutions and poolings need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// The layers, from the inputs to the outputs.
    pub layers: Vec<Layer>,
    /// What training makes small. Costs that contain the last activation (softmax or sigmoid
    /// cross-entropy) take the last layer's weighted sums.
    pub cost: Cost,
    /// What is added to the cost for large weights.
    #[serde(default)]
    pub regularization: Regularization,
}

impl Network {
    /// Dense layers with one activation between them; the last one has `outputs` units and none.
    pub fn dense(
        inputs: usize,
        hidden: &[usize],
        outputs: usize,
        activation: Activation,
        cost: Cost,
    ) -> Self {
        let mut layers = Vec::new();
        for &units in hidden {
            layers.push(Layer::dense(units));
            layers.push(Layer::Activation { function: activation });
        }
        layers.push(Layer::dense(outputs));
        Self { inputs, image: None, layers, cost, regularization: Regularization::default() }
    }

    /// The number of outputs: the units of the last dense layer, or the numbers of an image after it.
    pub fn outputs(&self) -> usize {
        self.forms().ok().and_then(|forms| forms.last().copied()).map_or(self.inputs, Form::elements)
    }

    /// What an example is before the first layer, and after each.
    ///
    /// # Errors
    /// If a layer needs an image and reads none, or one that is too small for it, or the image is not of as
    /// many numbers as there are inputs.
    pub fn forms(&self) -> Result<Vec<Form>> {
        let mut form = match self.image {
            Some(image) => Form::Image(image.checked("the network reads")?),
            None => Form::Row(self.inputs),
        };
        if let (Some(image), true) = (self.image, form.elements() != self.inputs) {
            return Err(Error::configuration(format!(
                "an image of {image} has {} numbers, but an example has {}",
                form.elements(),
                self.inputs
            ))
            .help("correct height, width and channels"));
        }
        let mut forms = vec![form];
        for (index, layer) in self.layers.iter().enumerate() {
            form = layer.form(index, form)?;
            forms.push(form);
        }
        Ok(forms)
    }

    /// Refuses settings that are none any more when they are rounded to numbers of `T`: strengths that are then
    /// zero or infinite, for example.
    ///
    /// # Errors
    /// Names the first such setting and its bound.
    pub(crate) fn check_in<T: Real>(&self) -> Result<()> {
        self.cost.check::<T>()?;
        self.regularization.check::<T>()?;
        self.layers.iter().enumerate().try_for_each(|(index, layer)| layer.check_in::<T>(index))
    }

    /// The parameters in the order of the graph, with names, shapes and initial distributions.
    ///
    /// # Errors
    /// If the description contradicts itself: no inputs, a layer without units, a rate out of range.
    pub fn parameters(&self) -> Result<Vec<Parameter>> {
        if self.inputs == 0 {
            return Err(Error::configuration("the network has no inputs").help("give at least one feature"));
        }
        if self.layers.is_empty() {
            return Err(
                Error::configuration("the network has no layers").help("give at least one dense layer")
            );
        }
        self.cost.check::<f64>()?;
        self.regularization.check::<f64>()?;
        let mut parameters = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            layer.check(index)?;
        }
        for (index, (layer, form)) in self.layers.iter().zip(self.forms()?).enumerate() {
            let next = self.activation_after(index);
            parameters.extend(layer.parameters(index, form, next, &self.regularization));
        }
        Ok(parameters)
    }

    /// The number of trained numbers: weights, biases, scales and shifts.
    ///
    /// # Errors
    /// As [`Network::parameters`].
    pub fn parameter_count(&self) -> Result<usize> {
        let parameters = self.parameters()?;
        Ok(parameters.iter().filter(|p| p.role.is_trained()).map(|p| p.shape.elements()).sum())
    }

    /// The parameters' initial values: a function of the description and the seed.
    ///
    /// # Errors
    /// As [`Network::parameters`].
    pub fn initialize<T: Real>(&self, seed: u64) -> Result<Vec<Vec<T>>> {
        let parameters = self.parameters()?;
        Ok((0u32..)
            .zip(&parameters)
            .map(|(index, parameter)| {
                let random = Random::new(seed, Purpose::Initializer, index);
                parameter.initialize(&random).into_iter().map(T::from_f64).collect()
            })
            .collect())
    }

    /// The activation that follows a layer, for the default of its initializer: the next one
    /// before another layer of weights, or the one in the cost.
    fn activation_after(&self, layer: usize) -> Activation {
        for next in &self.layers[layer + 1..] {
            match next {
                Layer::Activation { function } => return *function,
                Layer::Dense { .. } | Layer::Convolution { .. } => return Activation::Identity,
                Layer::MaxPool { .. }
                | Layer::Dropout { .. }
                | Layer::BatchNorm { .. }
                | Layer::LayerNorm { .. } => {}
            }
        }
        Activation::Identity
    }
}
