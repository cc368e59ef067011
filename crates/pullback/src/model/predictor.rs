//! A model made ready to predict, many times and from many threads.

use super::document::Card;
use super::{Model, Prediction, Temperature};
use crate::data::{Features, Input, Table};
use crate::error::Result;
use crate::train::{Forward, Machine};
use pullback_kernels::Real;

/// A model whose weights are packed for products once, and whose plans, buffers and threads are kept. Threads may call
/// it at the same time: each call takes buffers of its own, which later calls use again.
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
///
/// Of an ensemble, [`predict`](Self::predict) and the calls beside it give the mean of all networks; what the network
/// says of its inputs is said by the first.
#[derive(Debug)]
pub struct Predictor<'a, T> {
    model: &'a Model<T>,
    forward: Forward<'a, T>,
    /// Of the other networks of an ensemble.
    others: Vec<(&'a Model<T>, Forward<'a, T>)>,
}

impl<T: Real> Model<T> {
    /// The model made ready to predict many times.
    ///
    /// # Errors
    /// If the network needs more memory than there is address space.
    pub fn predictor(&self, machine: &Machine) -> Result<Predictor<'_, T>> {
        let mut others = Vec::new();
        for model in &self.others {
            others.push((model, model.forward(machine)?));
        }
        Ok(Predictor { model: self, forward: self.forward(machine)?, others })
    }

    fn forward(&self, machine: &Machine) -> Result<Forward<'_, T>> {
        let Card { network, temperature, .. } = &self.card;
        Forward::new(network, &self.parameters, temperature.unwrap_or(Temperature::ONE).get(), machine)
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
        let preprocessing = self.model.of_tables()?;
        let mut numbers = Vec::new();
        // Rows do not depend on each other, so some of a long table are in memory as numbers at a time.
        let warnings = preprocessing.each_block(table, |features: Features<T>| {
            numbers.append(&mut self.mean(&[("features", &features)])?);
            Ok(())
        })?;
        Ok(self.model.read(numbers, warnings))
    }

    /// Predicts for rows of numbers as the network takes them: as [`Model::predict_features`].
    ///
    /// # Errors
    /// If the features are not of the network's inputs.
    pub fn predict_features(&self, features: &Features<T>) -> Result<Prediction> {
        Ok(self.model.read(self.mean(&[("features", features)])?, Vec::new()))
    }

    /// Predicts for named blocks of inputs: as [`Model::predict_inputs`].
    ///
    /// # Errors
    /// If the blocks are not those that the network takes, or not of the same number of rows.
    pub fn predict_inputs(&self, inputs: &[Input<T>]) -> Result<Prediction> {
        let given: Vec<_> = inputs.iter().map(|input| (input.name(), input.features())).collect();
        Ok(self.model.read(self.mean(&given)?, Vec::new()))
    }

    /// The mean of what all networks predict, in the target's own units.
    fn mean(&self, given: &[(&str, &Features<T>)]) -> Result<Vec<f64>> {
        let mut numbers = self.model.restored(&self.forward.features(given)?);
        if self.others.is_empty() {
            return Ok(numbers);
        }
        let times = self.model.times() as f64;
        numbers.iter_mut().for_each(|number| *number *= times);
        for (model, forward) in &self.others {
            let times = model.times() as f64;
            for (sum, number) in numbers.iter_mut().zip(model.restored(&forward.features(given)?)) {
                *sum += times * number;
            }
        }
        let count = self.model.votes() as f64;
        numbers.iter_mut().for_each(|sum| *sum /= count);
        Ok(numbers)
    }
}
