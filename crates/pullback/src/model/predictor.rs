//! A model made ready to predict, many times and from many threads.

use super::{Model, Prediction};
use crate::data::{Features, Table};
use crate::error::Result;
use crate::train::{Forward, Machine};
use pullback_kernels::Real;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A model whose plans, buffers and threads are made once. Threads may call it at the same time: each call takes buffers
/// of its own, which later calls use again.
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
    machine: Machine,
    /// What no call uses just now, by the number of rows.
    idle: Mutex<HashMap<usize, Vec<Forward<T>>>>,
}

impl<T: Real> Model<T> {
    /// The model made ready to predict many times.
    ///
    /// # Errors
    /// If the network contradicts itself.
    pub fn predictor(&self, machine: &Machine) -> Result<Predictor<'_, T>> {
        let first = Forward::new(&self.card.network, 1, machine)?;
        Ok(Predictor { model: self, machine: *machine, idle: Mutex::new(HashMap::from([(1, vec![first])])) })
    }
}

impl<T: Real> Predictor<'_, T> {
    /// What the network says of one row of its inputs: `[outputs]`, probabilities or numbers in the scale of training.
    ///
    /// # Errors
    /// If the row is not of the network's inputs.
    pub fn row(&self, inputs: &[T]) -> Result<Vec<T>> {
        self.rows(&Features::dense(inputs.to_vec(), inputs.len())?)
    }

    /// What the network says of rows of its inputs: `[rows, outputs]`.
    ///
    /// # Errors
    /// If the features are not of the network's inputs.
    pub fn rows(&self, features: &Features<T>) -> Result<Vec<T>> {
        let rows = features.rows();
        let mut forward = self.take(rows)?;
        let predictions = forward.run(&self.model.parameters, features);
        self.give_back(rows, forward);
        predictions
    }

    /// Predicts for raw rows, which need no target: as [`Model::predict`].
    ///
    /// # Errors
    /// If a column that the model takes is missing or of another kind, or the model is not of a table.
    pub fn predict(&self, table: &Table) -> Result<Prediction> {
        let (features, warnings) = self.model.features(table)?;
        Ok(self.model.read(self.model.restored(&self.rows(&features)?), warnings))
    }

    fn take(&self, rows: usize) -> Result<Forward<T>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match idle.get_mut(&rows).and_then(Vec::pop) {
            Some(forward) => Ok(forward),
            None => {
                drop(idle);
                Forward::new(&self.model.card.network, rows, &self.machine)
            }
        }
    }

    fn give_back(&self, rows: usize, forward: Forward<T>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // Calls of ever other sizes do not fill the memory.
        if idle.len() > MOST_SIZES && !idle.contains_key(&rows) {
            idle.clear();
        }
        idle.entry(rows).or_default().push(forward);
    }
}

/// For how many numbers of rows buffers are kept.
const MOST_SIZES: usize = 16;
