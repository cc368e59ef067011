//! A trained model: a network with its parameters, and, as far as there are any, its preprocessing and how it came
//! about, in one file. An ensemble is a model of several networks, whose predictions are averaged.
//!
//! A [`Model`] cannot be wrong: whatever made it, a run, arrays or a file, all its parts were checked against each
//! other once, and none can be changed.

mod document;
mod file;
mod partition;
mod predictor;
mod temperature;
mod tensors;

pub use file::FORMAT;
pub use partition::{Partition, Test};
pub use predictor::Predictor;
pub use temperature::Temperature;
pub use tensors::{ReadTensor, Tensor, read_tensors, write_tensors};

use crate::data::{Features, Input, Preprocessing, Table, Target, Values, Warning};
use crate::error::{Error, Result};
use crate::network::{Cost, Network, Takes};
use crate::train::{History, Machine, Training, most_likely};
use document::{Card, Cards};
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// A network with its parameters, and what else is known of it.
///
/// ```
/// use pullback::data::Features;
/// use pullback::execute::Machine;
/// use pullback::model::Model;
/// use pullback::network::{Activation, Cost, Network};
///
/// let network = Network::dense(1, &[], 1, Activation::Identity, Cost::SquaredError);
/// let model = Model::new(network, vec![vec![2.0_f32], vec![1.0]])?; // 2 x + 1
/// let again = Model::<f32>::from_bytes(&model.to_bytes()?)?;
/// let prediction = again.predict_features(&Features::dense(vec![3.0], 1)?, &Machine::default())?;
/// assert_eq!(prediction.numbers, [7.0]);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Model<T> {
    parameters: Vec<Vec<T>>,
    card: Card,
    /// The other networks of an ensemble; each has the preprocessing of this one, and no others.
    others: Vec<Model<T>>,
}

/// How a model came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The configuration of the training run.
    pub training: Training,
    /// How it went.
    pub history: History,
    /// What was trained on, if it was a table.
    pub data: Option<Fingerprint>,
    /// Which rows of it.
    pub rows: Option<Partition>,
    /// Whatever else the run was told, for a run like it.
    pub configuration: serde_json::Value,
    /// The model whose weights it began with, if it did.
    pub began: Option<Began>,
}

/// Which model a run began with: for people; nothing opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Began {
    /// What it was called.
    pub model: String,
    /// The [hash](Model::hash) of the network's parameters.
    pub hash: String,
    /// How many epochs these had been trained for.
    pub epochs: usize,
    /// What they had been trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Fingerprint>,
    /// Whether the last layer was drawn anew.
    pub has_new_head: bool,
}

impl Began {
    fn check(&self) -> Result<()> {
        if !is_hash(&self.hash) {
            return Err(Error::data("the hash of the weights that the run began with is none"));
        }
        self.data.as_ref().map_or(Ok(()), Fingerprint::check)
    }
}

/// All that a model of a table says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Trained<'a> {
    /// The network.
    pub network: &'a Network,
    /// How columns become inputs and predictions become classes or numbers.
    pub preprocessing: &'a Preprocessing,
    /// The configuration of the training run.
    pub training: &'a Training,
    /// How the training run went.
    pub history: &'a History,
    /// What it was trained on.
    pub data: &'a Fingerprint,
    /// Which rows of it; absent in a file of the first format.
    pub rows: Option<&'a Partition>,
    /// Whatever else the run was told, for a run like it.
    pub configuration: &'a serde_json::Value,
}

/// Which data a model was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// The file or built-in data set: for people; nothing opens it.
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
    ///
    /// # Errors
    /// If a column cannot be read.
    pub fn of(table: &Table, trained_rows: usize) -> Result<Self> {
        let mut hash = Fnv::default();
        for column in table.columns() {
            hash.add(column.name.as_bytes());
            match &*column.values()? {
                Values::Numbers(numbers) => numbers.iter().for_each(|number| hash.add(&number.to_le_bytes())),
                Values::Categories(categories) => (0..categories.rows())
                    .for_each(|row| hash.add(categories.text(row).unwrap_or("\u{0}").as_bytes())),
                Values::Bytes(bytes) => hash.add(bytes.data()),
                Values::Times(times) => times.seconds.iter().for_each(|time| hash.add(&time.to_le_bytes())),
            }
        }
        Ok(Self {
            source: table.source().to_owned(),
            rows: table.rows(),
            trained_rows,
            hash: format!("{:016x}", hash.0),
        })
    }

    /// Whether a table has the same columns and values.
    ///
    /// # Errors
    /// If a column cannot be read.
    pub fn is_of(&self, table: &Table) -> Result<bool> {
        Ok(self.rows == table.rows() && self.hash == Self::of(table, 0)?.hash)
    }

    fn check(&self) -> Result<()> {
        if !is_hash(&self.hash) || self.rows == 0 || self.trained_rows > self.rows {
            return Err(Error::data("the fingerprint of the data contradicts itself"));
        }
        Ok(())
    }
}

/// Whether a text is 16 hexadecimal digits.
fn is_hash(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
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

/// What a model predicts for some rows.
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

impl Prediction {
    pub(crate) fn new(numbers: Vec<f64>, outputs: usize, has_classes: bool, warnings: Vec<Warning>) -> Self {
        let classes = has_classes.then(|| numbers.chunks_exact(outputs).map(most_likely).collect());
        Self { numbers, outputs, classes, warnings }
    }
}

impl<T: Real> Model<T> {
    /// A network and its parameters, in the order of [`Network::parameters`].
    ///
    /// # Errors
    /// If the network contradicts itself, a setting is no number of `T`, a row needs too much memory, the parameters
    /// are not its own, or one is not finite.
    pub fn new(network: Network, parameters: Vec<Vec<T>>) -> Result<Self> {
        let card =
            Card { network, preprocessing: None, run: None, temperature: None, times: NonZeroU32::MIN };
        card.check()?;
        card.network.check_in::<T>()?;
        card.network.check_parameters(&parameters)?;
        if let Some(at) =
            parameters.iter().position(|numbers| numbers.iter().any(|number| !number.is_finite()))
        {
            return Err(Error::data(format!(
                "`{}` holds a number that is not finite: training diverged",
                card.network.parameters()?[at].name
            )));
        }
        Ok(Self { parameters, card, others: Vec::new() })
    }

    /// A model that predicts the mean of what others predict, each as often as [it counts](Self::times): of the
    /// probabilities, or of the numbers in the target's own units. What is asked of its network is answered by the first; [`member`](Self::member) gives each.
    ///
    /// # Errors
    /// If there are none, one of them is an ensemble, or they have not the same inputs, preprocessing and outputs.
    pub fn ensemble(members: Vec<Self>) -> Result<Self> {
        let mut members = members.into_iter();
        let Some(mut first) = members.next() else {
            return Err(Error::model("an ensemble of no networks predicts nothing"));
        };
        let others: Vec<Self> = members.collect();
        let Card { network, preprocessing, temperature, .. } = &first.card;
        for other in &others {
            let fits = other.card.preprocessing == *preprocessing
                && other.card.temperature == *temperature
                && other.card.network.inputs == network.inputs
                && other.card.network.outputs() == network.outputs()
                && other.card.network.cost.is_for_classes() == network.cost.is_for_classes()
                && other.card.run.is_some() == first.card.run.is_some();
            if !fits || !other.others.is_empty() {
                return Err(Error::model(
                    "the networks of an ensemble are not for the same inputs and targets",
                ));
            }
        }
        if !first.others.is_empty() && !others.is_empty() {
            return Err(Error::model("an ensemble is no network of another"));
        }
        first.others.extend(others);
        Ok(first)
    }

    /// How many times its network, of an ensemble the first, counts in the mean: 1, but where a choice took it more often.
    pub fn times(&self) -> usize {
        self.card.times.get() as usize
    }

    /// The same, whose network counts so many times in the mean of an ensemble.
    ///
    /// ```
    /// # use pullback::data::Features;
    /// # use pullback::model::Model;
    /// # use pullback::network::{Activation, Cost, Network};
    /// # use std::num::NonZeroU32;
    /// # let network = Network::dense(1, &[], 1, Activation::Tanh, Cost::SquaredError);
    /// let line = |slope: f64| Model::new(network.clone(), vec![vec![slope], vec![0.0]]);
    /// let twice = NonZeroU32::new(2).unwrap();
    /// let both = Model::ensemble(vec![line(1.0)?.with_times(twice), line(4.0)?])?;
    /// let x = Features::dense(vec![1.0], 1)?;
    /// assert_eq!(both.predict_features(&x, &Default::default())?.numbers, [2.0]); // (1 + 1 + 4) / 3
    /// # Ok::<(), pullback::Error>(())
    /// ```
    #[must_use]
    pub fn with_times(mut self, times: NonZeroU32) -> Self {
        self.card.times = times;
        self
    }

    /// How many networks the mean is of, each counted as often as it counts there.
    pub fn votes(&self) -> usize {
        self.members().map(Self::times).sum()
    }

    /// The number of networks: 1, but for an ensemble.
    pub fn member_count(&self) -> usize {
        1 + self.others.len()
    }

    /// One of its networks as a model of its own, counted from 0; [`None`] if there are not so many.
    pub fn member(&self, index: usize) -> Option<Self> {
        match index {
            0 => Some(Self {
                parameters: self.parameters.clone(),
                card: self.card.clone(),
                others: Vec::new(),
            }),
            _ => self.others.get(index - 1).cloned(),
        }
    }

    /// This one, which answers for the first network, and the others.
    fn members(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.others)
    }

    fn cards(&self) -> Cards<'_> {
        Cards { first: &self.card, others: self.others.iter().map(|other| &other.card).collect() }
    }

    /// How each network came about, in their order, as far as that is known.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.members().filter_map(|member| member.card.run.as_ref())
    }

    /// The same with what makes inputs of raw rows, and classes or numbers of outputs.
    ///
    /// # Errors
    /// If the network has other inputs or outputs, or its cost is for another task.
    pub fn with_preprocessing(mut self, preprocessing: Preprocessing) -> Result<Self> {
        for other in &mut self.others {
            other.card.preprocessing = Some(preprocessing.clone());
            other.card.check()?;
        }
        self.card.preprocessing = Some(preprocessing);
        self.card.check()?;
        Ok(self)
    }

    /// The same with how it came about. Of a long history, not every epoch is kept.
    ///
    /// # Errors
    /// If the configuration, the history or the rows contradict themselves or each other, or the model is an ensemble,
    /// each network of which has a run of its own.
    pub fn with_run(mut self, run: Run) -> Result<Self> {
        if !self.others.is_empty() {
            return Err(Error::model("a run makes one network, not an ensemble")
                .help("give each network its run, and make the ensemble of them"));
        }
        self.card.run = Some(run.stored());
        self.card.check()?;
        Ok(self)
    }

    /// The same with probabilities of another temperature: of each network, before they are averaged.
    ///
    /// # Errors
    /// If it predicts no probabilities.
    pub fn with_temperature(mut self, temperature: Option<Temperature>) -> Result<Self> {
        for other in &mut self.others {
            other.card.temperature = temperature;
            other.card.check()?;
        }
        self.card.temperature = temperature;
        self.card.check()?;
        Ok(self)
    }

    /// The temperature of its probabilities, if they were calibrated.
    pub fn temperature(&self) -> Option<Temperature> {
        self.card.temperature
    }

    /// The same in another precision.
    ///
    /// # Errors
    /// If a parameter is too large for it.
    pub fn cast<U: Real>(&self) -> Result<Model<U>> {
        let cast = |numbers: &Vec<T>| numbers.iter().map(|number| U::from_f64(number.to_f64())).collect();
        let model = Model::new(self.card.network.clone(), self.parameters.iter().map(cast).collect())?;
        let others = self.others.iter().map(Self::cast).collect::<Result<_>>()?;
        Ok(Model { card: self.card.clone(), others, ..model })
    }

    /// The parameters, in the order of [`Network::parameters`].
    pub fn parameters(&self) -> &[Vec<T>] {
        &self.parameters
    }

    /// A hash of the parameters, of its first network: 16 hexadecimal digits (FNV-1a, 64 bits).
    pub fn hash(&self) -> String {
        let mut hash = Fnv::default();
        for numbers in &self.parameters {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_f64().to_le_bytes()).collect();
            hash.add(&bytes);
        }
        format!("{:016x}", hash.0)
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.card.network
    }

    /// How columns become inputs and predictions become classes or numbers, if the model is of a table.
    pub fn preprocessing(&self) -> Option<&Preprocessing> {
        self.card.preprocessing.as_ref()
    }

    /// How it came about, if that is known.
    pub fn run(&self) -> Option<&Run> {
        self.card.run.as_ref()
    }

    /// All that a model of a table says of itself.
    ///
    /// # Errors
    /// If it was made from arrays, or does not say how it came about.
    pub fn trained(&self) -> Result<Trained<'_>> {
        let Card { network, preprocessing, run, .. } = &self.card;
        let (Some(preprocessing), Some(Run { training, history, data: Some(data), rows, configuration, .. })) =
            (preprocessing, run)
        else {
            return Err(Error::model(
                "the model says nothing of columns, or of the data that it was trained on",
            )
            .help("give one that was trained on a table"));
        };
        Ok(Trained { network, preprocessing, training, history, data, rows: rows.as_ref(), configuration })
    }

    /// Everything but the parameters, as the document in a model file.
    pub fn description(&self) -> impl Serialize + '_ {
        self.cards()
    }

    /// Predicts for raw rows, which need no target.
    ///
    /// # Errors
    /// If a column that the model takes is missing or of another kind, or the model is not of a table.
    pub fn predict(&self, table: &Table, machine: &Machine) -> Result<Prediction> {
        self.predictor(machine)?.predict(table)
    }

    /// Predicts for rows of numbers as the network takes them.
    ///
    /// # Errors
    /// If a row has more or fewer numbers than the network has inputs.
    pub fn predict_features(&self, features: &Features<T>, machine: &Machine) -> Result<Prediction> {
        self.predictor(machine)?.predict_features(features)
    }

    /// Predicts for named blocks of inputs as the network takes them, such as those of a
    /// [`Dataset`](crate::data::Dataset).
    ///
    /// # Errors
    /// If the blocks are not those that the network takes, or not of the same number of rows.
    pub fn predict_inputs(&self, inputs: &[Input<T>], machine: &Machine) -> Result<Prediction> {
        self.predictor(machine)?.predict_inputs(inputs)
    }

    /// What makes its inputs of raw rows.
    fn of_tables(&self) -> Result<&Preprocessing> {
        let named = &self.card.network.named;
        if named.len() > 1 {
            let names: Vec<String> = named.iter().map(|input| format!("`{}`", input.name)).collect();
            return Err(Error::data(format!(
                "the model takes {} blocks of inputs, {}, and a table is only one",
                names.len(),
                names.join(", ")
            ))
            .help("give arrays with these names to `Model::predict_inputs`"));
        }
        match &self.card.preprocessing {
            Some(preprocessing) => Ok(preprocessing),
            None => Err(Error::data("the model takes arrays, not tables: it says nothing of columns")),
        }
    }

    /// What a network's numbers are in the target's own units; probabilities stay.
    pub(crate) fn restored(&self, numbers: &[T]) -> Vec<f64> {
        match &self.card.preprocessing {
            Some(preprocessing) => preprocessing.target().target().restore(numbers),
            None => numbers.iter().map(|number| number.to_f64()).collect(),
        }
    }

    /// What probabilities or numbers in the target's own units mean.
    pub(crate) fn read(&self, numbers: Vec<f64>, warnings: Vec<Warning>) -> Prediction {
        let target = self.card.preprocessing.as_ref().map(|preprocessing| preprocessing.target().target());
        let has_classes = match target {
            Some(target) => target.classes().is_some(),
            None => self.card.network.cost.is_for_classes(),
        };
        Prediction::new(numbers, self.card.network.outputs(), has_classes, warnings)
    }
}

/// Refuses a cost that is not for the target.
fn check_cost(cost: Cost, target: &Target) -> Result<()> {
    let is_wrong = match target {
        Target::Regression { .. } => cost.is_for_classes(),
        Target::Binary { .. } => cost.takes() == Takes::Classes || cost.has_log_link(),
        Target::Classes { .. } => cost.has_log_link(),
        Target::Labels { .. } => cost.takes() != Takes::YesOrNo,
    };
    if is_wrong {
        return Err(Error::configuration(format!("the cost {cost} is not for a target of this kind")));
    }
    Ok(())
}
