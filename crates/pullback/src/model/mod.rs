//! A trained model: everything that predicting, explaining and training on need, in one file.

mod file;
mod predictor;

pub use file::{FORMAT, Tensor, write_atomically, write_tensors};
pub use predictor::Predictor;

use crate::data::{Preprocessing, Table, Values, Warning};
use crate::error::Result;
use crate::network::Network;
use crate::train::{History, Machine, Training, most_likely, predict};
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};

/// A trained network with what it takes to use it on raw rows, and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Model<T> {
    /// The parameters, in the order of [`Network::parameters`].
    pub parameters: Vec<Vec<T>>,
    /// All else.
    pub card: Card,
}

/// What a model is beside its parameters: the JSON document in its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The network.
    pub network: Network,
    /// How columns become inputs and predictions become classes or numbers.
    pub preprocessing: Preprocessing,
    /// The configuration of the training run.
    pub training: Training,
    /// How the training run went.
    pub history: History,
    /// What it was trained on.
    pub data: Fingerprint,
    /// Whatever else the run was told, for a run like it.
    #[serde(default)]
    pub configuration: serde_json::Value,
}

/// Which data a model was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The file or built-in data set.
    pub source: String,
    /// The number of its rows.
    pub rows: usize,
    /// How many of them were trained on.
    pub trained_rows: usize,
    /// A hash of the names and values of all columns: 16 hexadecimal digits (FNV-1a, 64 bits).
    pub hash: String,
}

impl Fingerprint {
    /// The fingerprint of a table.
    pub fn of(table: &Table, trained_rows: usize) -> Self {
        let mut hash = Fnv::default();
        for column in table.columns() {
            hash.add(column.name.as_bytes());
            match &column.values {
                Values::Numbers(numbers) => numbers.iter().for_each(|number| hash.add(&number.to_le_bytes())),
                Values::Categories(categories) => (0..categories.rows())
                    .for_each(|row| hash.add(categories.text(row).unwrap_or("\u{0}").as_bytes())),
                Values::Bytes(bytes) => hash.add(bytes.data()),
                Values::Times(times) => times.seconds.iter().for_each(|time| hash.add(&time.to_le_bytes())),
            }
        }
        Self {
            source: table.source().to_owned(),
            rows: table.rows(),
            trained_rows,
            hash: format!("{:016x}", hash.0),
        }
    }
}

/// FNV-1a with 64 bits (Fowler, Noll, Vo): enough to notice other data, not to resist an attacker.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    const PRIME: u64 = 0x0100_0000_01b3;

    /// Adds bytes and their end.
    fn add(&mut self, bytes: &[u8]) {
        // A zero only multiplies, and half of the pixels of most images are zeros: eight are one product.
        let (eights, rest) = bytes.as_chunks::<8>();
        for eight in eights {
            match eight {
                [0, 0, 0, 0, 0, 0, 0, 0] => {
                    self.0 = self.0.wrapping_mul(const { Self::PRIME.wrapping_pow(8) })
                }
                eight => self.add_each(eight),
            }
        }
        self.add_each(rest);
        self.add_each(&[0xff]);
    }

    fn add_each(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(Self::PRIME);
        }
    }
}

/// What a model predicts for the rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// `[rows, outputs]`: probabilities, or numbers in the target's own units.
    pub numbers: Vec<f64>,
    /// The number of outputs.
    pub outputs: usize,
    /// The most probable class of each row, for a classification.
    pub classes: Option<Vec<usize>>,
    /// What could not be represented.
    pub warnings: Vec<Warning>,
}

impl<T: Real> Model<T> {
    /// Predicts for raw rows, which need no target.
    ///
    /// # Errors
    /// If a column that the model takes is missing or of another kind.
    pub fn predict(&self, table: &Table, machine: &Machine) -> Result<Prediction> {
        let Card { network, preprocessing, .. } = &self.card;
        let (features, warnings) = preprocessing.apply_features::<T>(table)?;
        let numbers = predict(network, &self.parameters, &features, machine)?;
        let outputs = network.outputs();
        let target = &preprocessing.target.target;
        let classes =
            target.classes().map(|_| numbers.chunks_exact(outputs).map(most_likely).collect::<Vec<usize>>());
        Ok(Prediction { numbers: target.restore(&numbers), outputs, classes, warnings })
    }
}
