//! The state of a training run as a value, and as the bytes of a safetensors file.
//!
//! Random numbers have addresses, not generators with a state, so a run is at a place that a few numbers say: after so
//! many epochs and steps, with these parameters and what the optimizer keeps of them. A run that is resumed from its
//! state ends with the same bits as one that was never interrupted, on any machine.

use super::optimizer::lbfgs::{HISTORY, Pair, Pairs};
use super::schedule::Plateau;
use super::{EpochReport, Stop};
use crate::error::{Error, Result};
use crate::network::Parameter;
use crate::plan::MOST_STATES;
use pullback_kernels::{Array, Real};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;

/// The version of the layout of a state's bytes. A reader refuses a later one.
const FORMAT: u32 = 1;
/// The key of the JSON document in the metadata.
const KEY: &str = "pullback_state";

/// The state of a training run: parameters, what the optimizer keeps, the best parameters so far, the position.
///
/// [`Trainer::state`](super::Trainer::state) gives it, [`Trainer::resume`](super::Trainer::resume) takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct State<T: Real> {
    /// The names of the parameters, `layers.0.weight`, and their shapes.
    pub(super) names: Vec<(String, Vec<usize>)>,
    /// What outlives a step, as a plan has it: each parameter, running averages among them, and behind it what the
    /// optimizer keeps for it; of no length for what is not trained.
    pub(super) residents: Vec<Array<T>>,
    /// How many residents there are for each parameter.
    pub(super) per_parameter: usize,
    /// The parameters that the run may end with instead: the best ones so far, or those before the epoch; of no length
    /// where neither is needed.
    pub(super) best: Vec<Array<T>>,
    /// The average of each trained parameter over the steps, not corrected for having begun at zero; none without one.
    pub(super) average: Vec<Array<T>>,
    /// What an optimizer that searches keeps of its last steps.
    pub(super) pairs: Pairs,
    pub(super) position: Position,
    /// One report an epoch.
    pub(super) epochs: Vec<EpochReport>,
    pub(super) fingerprint: Fingerprint,
}

/// Where a run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    /// Finished epochs.
    pub(super) epoch: usize,
    /// Steps done in the epoch that is running.
    pub(super) step: usize,
    /// Steps done in all.
    pub(super) steps: usize,
    /// Steps done by runs before, from which this one took over what the optimizer keeps.
    #[serde(default)]
    pub(super) steps_before: usize,
    /// Examples seen in the epoch that is running.
    pub(super) examples: usize,
    /// The sum of their weights: as many, where they have none.
    #[serde(with = "super::exact")]
    pub(super) weight: f64,
    /// The sum of their costs, each times its weight.
    #[serde(with = "super::exact")]
    pub(super) cost: f64,
    /// The learning rate of the last step.
    #[serde(with = "super::exact")]
    pub(super) learning_rate: f64,
    /// The largest norm of the gradient in the epoch that is running.
    #[serde(with = "super::exact")]
    pub(super) gradient_norm: f64,
    pub(super) plateau: Plateau,
    /// The best value of the watched metric, as something to be minimized, and the epoch that it was reached in.
    #[serde(with = "super::exact")]
    pub(super) best_value: f64,
    pub(super) best_epoch: Option<usize>,
    /// The epoch whose parameters the run would end with.
    pub(super) kept_epoch: Option<usize>,
    /// Whether an observer decides which parameters are kept.
    pub(super) is_kept_by_observer: bool,
    /// Why the run ended, if it did so before its last epoch.
    pub(super) stop: Option<Stop>,
}

impl Position {
    pub(super) fn start() -> Self {
        Self {
            epoch: 0,
            step: 0,
            steps: 0,
            steps_before: 0,
            examples: 0,
            weight: 0.0,
            cost: 0.0,
            learning_rate: 0.0,
            gradient_norm: 0.0,
            plateau: Plateau::new(),
            best_value: f64::INFINITY,
            best_epoch: None,
            kept_epoch: None,
            is_kept_by_observer: false,
            stop: None,
        }
    }
}

impl Position {
    /// How many steps the optimizer has done, in this run and in those before.
    pub(super) fn steps_with_before(&self) -> usize {
        self.steps.saturating_add(self.steps_before)
    }
}

/// Which run a state belongs to; empty as long as nobody asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fingerprint {
    pub(super) network: String,
    pub(super) training: String,
    pub(super) data: String,
}

impl Fingerprint {
    /// What differs, in words.
    pub(super) fn difference(&self, other: &Self) -> Option<&'static str> {
        let parts = [
            (&self.network, &other.network, "network"),
            (&self.training, &other.training, "training settings"),
            (&self.data, &other.data, "rows"),
        ];
        parts.into_iter().find(|(one, two, _)| one != two).map(|(.., what)| what)
    }
}

/// Hashes words of 64 bits, to tell runs apart: enough to notice another one, not to resist an attacker.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hash(u64);

impl Hash {
    pub(super) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// The same and another word (FNV-1a's step on words, mixed by a rotation).
    #[must_use]
    pub(super) fn with(self, word: u64) -> Self {
        Self((self.0.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub(super) fn of_text(text: &str) -> Self {
        text.bytes().fold(Self::new(), |hash, byte| hash.with(u64::from(byte)))
    }

    pub(super) fn digits(self) -> String {
        format!("{:016x}", self.0)
    }
}

/// The JSON document.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    /// The version of the library that wrote it.
    version: String,
    /// The names of the parameters, in order.
    parameters: Vec<String>,
    /// How many arrays the optimizer keeps for each.
    optimizer_states: usize,
    fingerprint: Fingerprint,
    position: Position,
}

/// Not of a type of numbers, so that they are compiled once.
impl Document {
    fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    fn of_json(text: &str) -> Result<Self, String> {
        let unreadable = |error: serde_json::Error| format!("its description is damaged: {error}");
        let head: Head = serde_json::from_str(text).map_err(unreadable)?;
        if head.format > FORMAT {
            return Err(format!(
                "it was written by pullback {} in format {}, but this version reads formats up to {FORMAT}",
                head.version, head.format
            ));
        }
        serde_json::from_str(text).map_err(unreadable)
    }
}

/// What every version of the document has.
#[derive(Deserialize)]
struct Head {
    format: u32,
    version: String,
}

/// The columns of the history, each a tensor of f64: a name, how it is read off a report and written to it.
type Column = (&'static str, fn(&EpochReport) -> Option<f64>, fn(&mut EpochReport, f64));
const COLUMNS: [Column; 6] = [
    ("history.cost", |report| Some(report.cost), |report, x| report.cost = x),
    (
        "history.validation_cost",
        |report| report.validation_cost,
        |report, x| report.validation_cost = Some(x),
    ),
    (
        "history.validation_accuracy",
        |report| report.validation_accuracy,
        |report, x| report.validation_accuracy = Some(x),
    ),
    ("history.watched", |report| report.watched, |report, x| report.watched = Some(x)),
    ("history.learning_rate", |report| Some(report.learning_rate), |report, x| report.learning_rate = x),
    ("history.gradient_norm", |report| report.gradient_norm, |report, x| report.gradient_norm = Some(x)),
];

/// The tensors of pairs, `[pairs, weights]` of f64: a name, and how a row is read off a pair.
type Half = (&'static str, fn(&Pair) -> &[f64]);
const PAIRS: [Half; 2] = [("optimizer.steps", |pair| &pair.step), ("optimizer.changes", |pair| &pair.change)];

impl<T: Real> State<T> {
    /// A run's state before its first step.
    pub(super) fn start(specification: &[Parameter], residents: Vec<Array<T>>, per_parameter: usize) -> Self {
        Self {
            names: names(specification),
            best: specification.iter().map(|_| Array::zeros(0)).collect(),
            average: Vec::new(),
            pairs: Pairs::default(),
            residents,
            per_parameter,
            position: Position::start(),
            epochs: Vec::new(),
            fingerprint: Fingerprint::default(),
        }
    }

    /// Begins an average over the steps.
    pub(super) fn begin_average(&mut self, specification: &[Parameter]) {
        let kept = specification.iter().zip(self.parameters()).map(|(parameter, numbers)| {
            Array::zeros(if parameter.role.is_trained() { numbers.len() } else { 0 })
        });
        self.average = kept.collect();
    }

    /// Takes the parameters into the average, of which `share` is kept.
    pub(super) fn add_to_average(&mut self, share: f64) {
        let (kept, taken) = (T::from_f64(share), T::from_f64(1.0 - share));
        let parameters = self.residents.iter().step_by(self.per_parameter);
        for (average, own) in self.average.iter_mut().zip(parameters) {
            average.iter_mut().zip(&own[..]).for_each(|(a, w)| *a = kept * *a + taken * *w);
        }
    }

    /// What is measured and kept: the parameters, or where `share` of an average is kept, that average, divided by the
    /// sum of its weights. Running averages of batch norm are averages already.
    pub(super) fn measured(&self, share: Option<f64>) -> Vec<Cow<'_, [T]>> {
        let Some(share) = share.filter(|_| self.position.steps_with_before() > 0) else {
            return self.parameters().map(Cow::Borrowed).collect();
        };
        let weight = 1.0 - Real::powf(share, self.position.steps_with_before() as f64);
        let factor = T::from_f64(1.0 / weight);
        let pairs = self.parameters().zip(&self.average);
        pairs
            .map(|(own, average)| match average.is_empty() {
                true => Cow::Borrowed(own),
                false => Cow::Owned(average.iter().map(|number| *number * factor).collect()),
            })
            .collect()
    }

    /// Makes the parameters the ones that the run may end with.
    pub(super) fn keep(&mut self, share: Option<f64>) {
        if share.is_some() {
            self.best = self.measured(share).iter().map(|numbers| Array::from(&numbers[..])).collect();
            return;
        }
        let parameters = self.residents.iter().step_by(self.per_parameter);
        self.best.iter_mut().zip(parameters).for_each(|(best, own)| best.clone_from(own));
    }

    /// The number of finished epochs.
    pub fn epoch(&self) -> usize {
        self.position.epoch
    }

    /// The number of steps done in the epoch that is running.
    pub fn step(&self) -> usize {
        self.position.step
    }

    /// The number of steps done in all epochs.
    pub fn steps(&self) -> usize {
        self.position.steps
    }

    /// One report for each finished epoch.
    pub fn epochs(&self) -> &[EpochReport] {
        &self.epochs
    }

    /// The parameters, in the order of [`Network::parameters`](crate::network::Network::parameters).
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = &[T]> {
        self.residents.iter().step_by(self.per_parameter).map(|numbers| &numbers[..])
    }

    /// The parameters' names, in the same order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(|(name, _)| &name[..])
    }

    /// What the optimizer keeps for the parameter at a place, up to three arrays of its size.
    ///
    /// # Panics
    /// If there are fewer parameters.
    pub fn optimizer(&self, place: usize) -> impl Iterator<Item = &[T]> {
        let kept = self.residents[place * self.per_parameter..][1..self.per_parameter].iter();
        kept.map(|numbers| &numbers[..]).filter(|numbers| !numbers.is_empty())
    }

    /// The state as the bytes of a safetensors file: tensors `layers.0.weight`, `optimizer.layers.0.weight.0`,
    /// `best.layers.0.weight` and `history.cost`; the position in a JSON document in the metadata.
    ///
    /// # Errors
    /// If the document cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let wrong = |error: &dyn std::fmt::Display| {
            Error::training(format!("the state of a training run cannot be written: {error}"))
        };
        let document = Document {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            parameters: self.names().map(str::to_owned).collect(),
            optimizer_states: self.per_parameter - 1,
            fingerprint: self.fingerprint.clone(),
            position: self.position.clone(),
        };
        let document = document.to_json().map_err(|error| wrong(&error))?;
        let mut tensors: Vec<(String, Vec<usize>, Dtype, Vec<u8>)> = Vec::new();
        let mut add = |name: String, shape: &[usize], numbers: &[T]| {
            tensors.push((name, shape.to_vec(), dtype::<T>(), to_bytes(numbers)));
        };
        for (place, ((name, shape), numbers)) in self.names.iter().zip(self.parameters()).enumerate() {
            add(name.clone(), shape, numbers);
            for (at, numbers) in self.optimizer(place).enumerate() {
                add(format!("optimizer.{name}.{at}"), shape, numbers);
            }
            if !self.best[place].is_empty() {
                add(format!("best.{name}"), shape, &self.best[place]);
            }
            if let Some(average) = self.average.get(place).filter(|average| !average.is_empty()) {
                add(format!("average.{name}"), shape, average);
            }
        }
        for (name, get) in PAIRS {
            let numbers: Vec<f64> = self.pairs.0.iter().flat_map(get).copied().collect();
            if !numbers.is_empty() {
                let shape = vec![self.pairs.0.len(), numbers.len() / self.pairs.0.len()];
                tensors.push((name.to_owned(), shape, Dtype::F64, to_bytes(&numbers)));
            }
        }
        for (name, get, _) in COLUMNS {
            let column: Option<Vec<f64>> = self.epochs.iter().map(get).collect();
            if let Some(column) = column.filter(|column| !column.is_empty()) {
                tensors.push((name.to_owned(), vec![column.len()], Dtype::F64, to_bytes(&column)));
            }
        }
        let views = (tensors.iter())
            .map(|(name, shape, kind, bytes)| {
                let view = TensorView::new(*kind, shape.clone(), bytes).map_err(|error| wrong(&error))?;
                Ok((name.clone(), view))
            })
            .collect::<Result<Vec<_>>>()?;
        serialize(views, Some(HashMap::from([(KEY.to_owned(), document)]))).map_err(|error| wrong(&error))
    }

    /// Reads a state from the bytes of a safetensors file.
    ///
    /// # Errors
    /// If it is damaged, of another kind or of a later version, or holds numbers of another type than `T`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes)
            .map_err(|what| Error::training(format!("the state of a training run cannot be read: {what}")))
    }

    fn read(bytes: &[u8]) -> Result<Self, String> {
        let damaged =
            |error: safetensors::SafeTensorError| format!("it is no whole safetensors file: {error}");
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let document = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
        let document = document.ok_or("it is a safetensors file of something else")?;
        let Document { parameters: names, optimizer_states, fingerprint, position, .. } =
            Document::of_json(document)?;
        if optimizer_states > MOST_STATES {
            return Err(format!("an optimizer keeps {MOST_STATES} arrays at most, not {optimizer_states}"));
        }

        let mut read = 0;
        let mut tensor = |name: &str| {
            let found = tensors.tensor(name).map_err(|_| format!("it lacks `{name}`"));
            read += usize::from(found.is_ok());
            found
        };
        let of_shape = |name: &str, view: &TensorView<'_>, shape: &[usize]| {
            if view.shape() == shape {
                return numbers::<T>(name, view);
            }
            Err(format!("`{name}` is of shape {:?}, not {shape:?}", view.shape()))
        };
        let mut state = Self {
            names: Vec::new(),
            residents: Vec::new(),
            per_parameter: 1 + optimizer_states,
            best: Vec::new(),
            average: Vec::new(),
            pairs: Pairs::default(),
            epochs: Vec::new(),
            position,
            fingerprint,
        };
        for name in names {
            let view = tensor(&name)?;
            let shape = view.shape().to_vec();
            state.residents.push(numbers::<T>(&name, &view)?);
            let mut if_there = |name: &str| match tensor(name) {
                Ok(view) => of_shape(name, &view, &shape),
                Err(_) => Ok(Array::zeros(0)),
            };
            for at in 0..optimizer_states {
                state.residents.push(if_there(&format!("optimizer.{name}.{at}"))?);
            }
            state.best.push(if_there(&format!("best.{name}"))?);
            state.average.push(if_there(&format!("average.{name}"))?);
            state.names.push((name, shape));
        }

        if state.average.iter().all(|numbers| numbers.is_empty()) {
            state.average.clear();
        }
        if let Ok(steps) = tensor(PAIRS[0].0) {
            let changes = tensor(PAIRS[1].0)?;
            let [count, width] = steps.shape()[..] else {
                return Err(format!("`{}` is no matrix", PAIRS[0].0));
            };
            if count == 0 || count > HISTORY || width == 0 {
                return Err(format!("`{}` is of shape {:?}", PAIRS[0].0, steps.shape()));
            }
            let steps = of_f64(PAIRS[0].0, &steps, &[count, width])?;
            let changes = of_f64(PAIRS[1].0, &changes, &[count, width])?;
            let pairs = steps.chunks(width).zip(changes.chunks(width));
            let pairs = pairs.map(|(step, change)| Pair { step: step.to_vec(), change: change.to_vec() });
            state.pairs = Pairs(pairs.collect());
        }

        let empty = EpochReport {
            epoch: 0,
            cost: 0.0,
            validation_cost: None,
            validation_accuracy: None,
            watched: None,
            learning_rate: 0.0,
            gradient_norm: None,
        };
        let finished = state.position.epoch;
        for (at, (name, get, set)) in COLUMNS.iter().enumerate() {
            let Ok(view) = tensor(name) else {
                if finished > 0 && get(&empty).is_some() {
                    return Err(format!("it lacks `{name}`"));
                }
                continue;
            };
            let column = numbers::<f64>(name, &view)?;
            if column.len() != finished {
                return Err(format!("`{name}` has {} numbers for {finished} epochs", column.len()));
            }
            if at == 0 {
                state.epochs = (0..finished).map(|epoch| EpochReport { epoch, ..empty }).collect();
            }
            state.epochs.iter_mut().zip(&column[..]).for_each(|(report, number)| set(report, *number));
        }
        let (read, held) = (read, tensors.len());
        if read != held {
            return Err(format!("it holds {held} tensors, of which {read} belong to it"));
        }
        let has_best = state.best.iter().any(|numbers| !numbers.is_empty());
        if has_best && !state.has_best() {
            return Err("it lacks some of the best parameters".into());
        }
        Ok(state)
    }

    /// Whether all of the parameters that the run may end with instead are there.
    pub(super) fn has_best(&self) -> bool {
        self.best.iter().zip(self.parameters()).all(|(best, own)| best.len() == own.len())
    }
}

/// The numbers of a tensor of f64 of a shape.
fn of_f64(name: &str, view: &TensorView<'_>, shape: &[usize]) -> Result<Array<f64>, String> {
    if view.shape() != shape {
        return Err(format!("`{name}` is of shape {:?}, not {shape:?}", view.shape()));
    }
    numbers::<f64>(name, view)
}

/// The parameters' names and shapes.
pub(super) fn names(specification: &[Parameter]) -> Vec<(String, Vec<usize>)> {
    let parameters = specification.iter();
    parameters.map(|parameter| (parameter.name.clone(), parameter.shape.sizes().to_vec())).collect()
}

fn dtype<T: Real>() -> Dtype {
    if size_of::<T>() == 4 { Dtype::F32 } else { Dtype::F64 }
}

fn to_bytes<T: Real>(numbers: &[T]) -> Vec<u8> {
    match dtype::<T>() {
        Dtype::F32 => numbers.iter().flat_map(|number| (number.to_f64() as f32).to_le_bytes()).collect(),
        _ => numbers.iter().flat_map(|number| number.to_f64().to_le_bytes()).collect(),
    }
}

/// The numbers of a tensor, which are of the type `T`, or the same bits would not go on.
fn numbers<T: Real>(name: &str, view: &TensorView<'_>) -> Result<Array<T>, String> {
    if view.dtype() != dtype::<T>() {
        return Err(format!(
            "`{name}` holds {:?} numbers, but {:?} ones are needed",
            view.dtype(),
            dtype::<T>()
        ));
    }
    let data = view.data();
    let numbers: Vec<T> = match view.dtype() {
        Dtype::F32 => {
            let numbers = data.as_chunks::<4>().0.iter();
            numbers.map(|bytes| T::from_f64(f64::from(f32::from_le_bytes(*bytes)))).collect()
        }
        _ => data.as_chunks::<8>().0.iter().map(|bytes| T::from_f64(f64::from_le_bytes(*bytes))).collect(),
    };
    Ok(Array::from(&numbers[..]))
}
