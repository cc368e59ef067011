//! A model made ready to predict, many times and from many threads.

use super::{Model, Prediction};
use crate::data::{Features, Input, Table};
use crate::error::Result;
use crate::train::{Forward, Machine};
use pullback_kernels::Real;

/// A model whose weights are packed for products once, and whose plans, buffers and threads are kept. Threads may call it
/// at the same time: each call takes buffers of its own, which later calls use again.
///
/// It predicts the same bits as [`Model::predict`].
///
/// ```
/// # use pullback::model::Model;
/// # use pullback::network::{Activation, Cost, Network};
/// # use pullback::train::Machine;
/// # let network = Network::dense(4, &[8], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
/// # let parameters = network.initialize::<f32>(0)?;
/// # let model = Model::new(network, parameters)?;
/// let predictor = model.predictor(&Machine::default())?;
/// let probabilities = predictor.row(&[0.1, -0.3, 1.2, 0.7])?; // inputs as the network takes them
/// assert_eq!(probabilities.len(), 3);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Debug)]
pub struct Predictor<'a, T> {
    model: &'a Model<T>,
    forward: Forward<'a, T>,
}

impl<T: Real> Model<T> {
    /// The model made ready to predict many times.
    ///
    /// # Errors
    /// If the network needs more memory than there is address space.
    pub fn predictor(&self, machine: &Machine) -> Result<Predictor<'_, T>> {
        Ok(Predictor { model: self, forward: Forward::new(&self.card.network, &self.parameters, machine)? })
    }
}

impl<T: Real> Predictor<'_, T> {
    /// What the network says of one row of its inputs: `[outputs]`, probabilities or numbers in the scale of training.
    ///
    /// # Errors
    /// If the row is not of the network's inputs.
    pub fn row(&self, inputs: &[T]) -> Result<Vec<T>> {
        let mut outputs = vec![T::ZERO; self.forward.outputs()];
        self.write(inputs, &mut outputs)?;
        Ok(outputs)
    }

    /// Writes what the network says of rows of its inputs, which stand one after the other, to `outputs`,
    /// `[rows, outputs]`. From the second call for so many rows on, it allocates nothing and starts no thread.
    ///
    /// # Errors
    /// If the inputs are no whole rows of the network's, or `outputs` is of another size.
    pub fn write(&self, inputs: &[T], outputs: &mut [T]) -> Result<()> {
        self.forward.numbers(inputs, outputs)
    }

    /// What the network says of rows of its inputs: `[rows, outputs]`.
    ///
    /// # Errors
    /// If the features are not of the network's inputs.
    pub fn rows(&self, features: &Features<T>) -> Result<Vec<T>> {
        self.forward.features(&[("features", features)])
    }

    /// The same of named blocks of inputs, which a network with several inputs finds by their names.
    ///
    /// # Errors
    /// If the blocks are not those that the network takes, or not of the same number of rows.
    pub fn inputs(&self, inputs: &[Input<T>]) -> Result<Vec<T>> {
        let given: Vec<_> = inputs.iter().map(|input| (input.name(), input.features())).collect();
        self.forward.features(&given)
    }

    /// Predicts for raw rows, which need no target: as [`Model::predict`].
    ///
    /// # Errors
    /// If a column that the model takes is missing or of another kind, or the model is not of a table.
    pub fn predict(&self, table: &Table) -> Result<Prediction> {
        let (features, warnings) = self.model.features(table)?;
        Ok(self.model.read(&self.rows(&features)?, warnings))
    }
}
