//! What the user describes: layers, cost and regularization, as plain data.
//!
//! A [`Network`] says nothing about batches, number types or threads. [`Network::lower`] turns it
//! into a graph for one batch size; every choice that has a conventional default can be left open.

mod check;
mod cost;
mod declare;
mod file;
mod form;
mod image;
mod initializer;
mod inputs;
mod layer;
pub mod layers;
mod lower;
mod memory;
mod path;
mod regularization;

pub use cost::{Cost, Takes};
pub use declare::Declaration;
pub use form::{Form, Index, Sequence};
pub use image::{Image, Padding};
pub use initializer::Initializer;
pub use inputs::Input;
pub use layer::{Activation, Parameter, Role};
pub use layers::Layer;
pub use lower::{Given, Lowered, Lowering, Mask, Mode};
pub use memory::Memory;
pub use path::Refusal;
pub use regularization::Regularization;

use crate::error::{Error, Result};
use crate::random::{Purpose, Random};
use path::Path;
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
#[serde(from = "file::NetworkFile", into = "file::NetworkFile")]
pub struct Network {
    /// The number of numbers of an example, over all inputs.
    pub inputs: usize,
    /// The shape of an example, where it is an image: convolutions and poolings need it.
    pub image: Option<Image>,
    /// Several inputs side by side, or one that is neither a row nor an image; none for a row or an image.
    pub named: Vec<Input>,
    /// The layers, from the inputs to the outputs.
    pub layers: Vec<Layer>,
    /// What training makes small. Costs that contain the last activation (softmax or sigmoid
    /// cross-entropy) take the last layer's weighted sums.
    pub cost: Cost,
    /// What is added to the cost for large weights.
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
            layers.push(Layer::function(activation));
        }
        layers.push(Layer::dense(outputs));
        Self {
            inputs,
            image: None,
            named: Vec::new(),
            layers,
            cost,
            regularization: Regularization::default(),
        }
    }

    /// Layers over several inputs side by side, each with its own layers, or over one of any form.
    pub fn with_inputs(inputs: impl Into<Vec<Input>>, layers: impl Into<Vec<Layer>>, cost: Cost) -> Self {
        let named = inputs.into();
        let elements = |input: &Input| input.form.checked("is").map_or(0, Form::elements);
        Self {
            inputs: named.iter().map(elements).fold(0, usize::saturating_add),
            image: None,
            named,
            layers: layers.into(),
            cost,
            regularization: Regularization::default(),
        }
    }

    /// The number of outputs: the units of the last dense layer, or the numbers of an image after it.
    pub fn outputs(&self) -> usize {
        self.forms().ok().and_then(|forms| forms.last().copied()).map_or(self.inputs, Form::elements)
    }

    /// What the network's layers read: an example, or what its several inputs make together.
    ///
    /// # Errors
    /// As [`Network::forms`].
    pub fn form(&self) -> Result<Form> {
        let wrong = |what: String, help: &str| Err(Error::configuration(what).help(help));
        let form = match (&self.named[..], self.image) {
            ([], None) if self.inputs == 0 => {
                return wrong("the network has no inputs".into(), "give at least one feature");
            }
            ([], image) => {
                let form = image.map_or(Form::Row(self.inputs), Form::Image);
                form.checked("reads").map_err(|refusal| refusal.without_place("the network"))?
            }
            (_, Some(_)) => {
                return wrong(
                    "the network has named inputs and an image".into(),
                    "give the image a name among the inputs",
                );
            }
            (named, None) => inputs::joined(named)?,
        };
        let elements = match &self.named[..] {
            [] => form.elements(),
            named => named.iter().map(|input| input.form.elements()).sum(),
        };
        match self.image {
            _ if elements == self.inputs => Ok(form),
            Some(image) => wrong(
                format!("an image of {image} has {elements} numbers, but an example has {}", self.inputs),
                "correct height, width and channels",
            ),
            None => wrong(
                format!(
                    "the named inputs have {elements} numbers together, but an example has {}",
                    self.inputs
                ),
                "make networks of several inputs with `Network::with_inputs`",
            ),
        }
    }

    /// What an example is before the first layer, and after each.
    ///
    /// # Errors
    /// If a layer cannot read what the one before makes, or the image is not of as many numbers as there are inputs.
    pub fn forms(&self) -> Result<Vec<Form>> {
        let mut forms = vec![self.form()?];
        for (number, layer) in self.layers.iter().enumerate() {
            let reads = *forms.last().expect("there is a first form");
            let refused =
                |refusal: Refusal| refusal.within(number, || layer.describe()).error(Path::network());
            forms.push(layer.form(reads).map_err(refused)?);
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
        for Input { name, layers, .. } in &self.named {
            layers::check_numbers::<T>(layers).map_err(|refusal| refusal.error(Path::input(name)))?;
        }
        layers::check_numbers::<T>(&self.layers).map_err(|refusal| refusal.error(Path::network()))
    }

    /// Checks everything that the description says: sizes, rates, forms.
    ///
    /// # Errors
    /// If it contradicts itself: no inputs, a layer without units, a rate out of range, a layer that cannot read
    /// what is before it. The message names the layer's place.
    pub fn check(&self) -> Result<()> {
        self.form()?;
        if self.layers.is_empty() {
            return Err(
                Error::configuration("the network has no layers").help("give at least one dense layer")
            );
        }
        layers::check_all(&self.layers).map_err(|refusal| refusal.error(Path::network()))?;
        self.check_in::<f64>()?;
        match self.forms()?.last() {
            Some(form @ Form::Index(_)) => {
                Err(Error::configuration(format!("the network's outputs are {form}"))
                    .help("put an embedding and a dense layer after its input"))
            }
            _ => Ok(()),
        }
    }

    /// The parameters in the order of the graph, with names, shapes and initial distributions.
    ///
    /// # Errors
    /// As [`Network::check`].
    pub fn parameters(&self) -> Result<Vec<Parameter>> {
        self.check()?;
        let mut declaration = Declaration::new(&self.regularization);
        let first = self.layers.first().and_then(Layer::activation).unwrap_or(Activation::Identity);
        for input in &self.named {
            declaration.begin(Path::input(&input.name), first);
            declaration.layers(&input.layers, input.form);
        }
        declaration.begin(Path::network(), Activation::Identity);
        declaration.layers(&self.layers, self.form()?);
        /// So many numbers can be counted, whatever is summed over them.
        const MOST_PARAMETERS: u128 = 1 << 48;
        let mut total = 0_u128;
        for parameter in &declaration.list {
            total += parameter.shape.sizes().iter().map(|&size| size as u128).product::<u128>();
            if total > MOST_PARAMETERS {
                let Parameter { name, shape, .. } = parameter;
                let what = format!("with `{name}` of shape {shape}, the network has {total} parameters");
                return Err(Error::configuration(what).help("make its layers smaller"));
            }
        }
        Ok(declaration.list)
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
}
