//! A model made ready to predict, many times and from many threads.

use super::{Model, Prediction};
use crate::data::{Features, Table};
use crate::error::Result;
use crate::train::{Forward, Machine, most_likely};
use pullback_kernels::Real;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A model whose plans, buffers and threads are made once. Threads may call it at the same time: each call takes buffers
/// of its own, which later calls use again.
///
/// It predicts the same bits as [`Model::predict`].
///
/// ```
/// # use pullback::data::{DataOptions, Preprocessing, builtin};
/// # use pullback::model::{Card, Fingerprint, Model};
/// # use pullback::network::{Activation, Cost, Network};
/// # use pullback::train::{Machine, Silent, Training, train};
/// # let table = builtin::load("iris", 0)?;
/// # let rows: Vec<usize> = (0..table.rows()).collect();
/// # let preprocessing = Preprocessing::fit(&table, &rows, &DataOptions::default())?;
/// # let data = preprocessing.apply::<f32>(&table)?;
/// # let network = Network::dense(4, &[8], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
/// # let training = Training { epochs: 1, ..Training::default() };
/// # let trained = train(&network, &training, &data, &rows, &[], &Machine::default(), &mut Silent)?;
/// # let data = Fingerprint::of(&table, rows.len());
/// # let card = Card { network, preprocessing, training, history: trained.history, data, configuration: Default::default() };
/// # let model = Model { parameters: trained.parameters, card };
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
    /// If a column that the model takes is missing or of another kind.
    pub fn predict(&self, table: &Table) -> Result<Prediction> {
        let card = &self.model.card;
        let (features, warnings) = card.preprocessing.apply_features::<T>(table)?;
        let numbers = self.rows(&features)?;
        let outputs = card.network.outputs();
        let target = &card.preprocessing.target.target;
        let classes =
            target.classes().map(|_| numbers.chunks_exact(outputs).map(most_likely).collect::<Vec<usize>>());
        Ok(Prediction { numbers: target.restore(&numbers), outputs, classes, warnings })
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
