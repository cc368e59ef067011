//! Training and predicting: a network and a training configuration as JSON, numbers as arrays.

use crate::arrays::features;
use crate::observe::{Watching, rows};
use crate::raised;
use numpy::{
    Element, PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArrayDyn, PyUntypedArrayMethods,
};
use pullback::data::{Dataset, Targets};
use pullback::execute::Machine;
use pullback::model::Model;
use pullback::network::Network;
use pullback::train::{Flow, State, Trainer, Training};
use pullback_kernels::Real;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use serde::Deserialize;

/// Rows that a run is watched by: inputs, targets, weights.
type Watched<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, Option<Bound<'py, PyAny>>);

/// What is trained, and how.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    network: Network,
    #[serde(default)]
    training: Training,
    /// 0 for all that the machine has.
    #[serde(default)]
    threads: usize,
    /// Whether numbers are of 64 bits.
    #[serde(default)]
    double: bool,
    /// The number of classes, where targets are classes; 1 for yes and no.
    #[serde(default)]
    classes: usize,
    /// What the report of each epoch has beside its figures.
    #[serde(default)]
    wants_parameters: bool,
    #[serde(default)]
    wants_predictions: bool,
    /// Whether the state comes back as bytes.
    #[serde(default)]
    wants_state: bool,
}

pub(crate) fn read<'de, S: Deserialize<'de>>(text: &'de str) -> PyResult<S> {
    serde_json::from_str(text).map_err(|error| {
        // Nobody has seen the JSON, so where it is wrong in there says nothing.
        let said = error.to_string();
        PyValueError::new_err(said.rsplit_once(" at line ").map_or(said.clone(), |(what, _)| what.to_owned()))
    })
}

/// The machine with so many threads; 0 is for as many as the processor runs.
///
/// # Errors
/// If the threads are too many.
pub(crate) fn machine(threads: usize) -> pullback::Result<Machine> {
    Ok(Machine::with_threads(pullback::job::checked_threads(threads)?))
}

/// Arrays of parameters, each flat, in the order of the network's.
pub(crate) fn parameters<T: Real + Element>(list: &Bound<'_, PyList>) -> PyResult<Vec<Vec<T>>> {
    list.iter()
        .map(|array| Ok(array.extract::<PyReadonlyArrayDyn<'_, T>>()?.as_array().iter().copied().collect()))
        .collect()
}

/// Targets and weights as a data set.
fn data<T: Real + Element>(
    classes: usize,
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    weights: Option<&Bound<'_, PyAny>>,
) -> PyResult<Dataset<T>> {
    let features = features(x)?;
    let ids = |y: &Bound<'_, PyAny>| -> PyResult<Vec<u32>> {
        Ok(y.extract::<PyReadonlyArray1<'_, u32>>()?.as_array().to_vec())
    };
    let targets = match classes {
        0 => {
            let numbers: PyReadonlyArray2<'_, T> = y.extract()?;
            let width = numbers.shape()[1];
            Targets::values(numbers.as_array().iter().copied().collect(), width)
        }
        1 => Targets::binary(ids(y)?),
        classes => Targets::classes(ids(y)?, classes),
    };
    let data = Dataset::new(features, targets.map_err(raised)?).map_err(raised)?;
    match weights {
        None => Ok(data),
        Some(weights) => {
            let weights: PyReadonlyArray1<'_, T> = weights.extract()?;
            data.with_weights(weights.as_array().to_vec()).map_err(raised)
        }
    }
}

/// The names and shapes of a network's parameters, and numbers to begin with: a list of `(name, shape, numbers)`.
#[pyfunction]
pub fn initialize<'py>(py: Python<'py>, network: &str, seed: u64) -> PyResult<Bound<'py, PyList>> {
    let network: Network = read(network)?;
    let list = network.parameters().map_err(raised)?;
    let numbers = network.initialize::<f64>(seed).map_err(raised)?;
    let items = list.into_iter().zip(numbers).map(|(parameter, numbers)| {
        (parameter.name, parameter.shape.sizes().to_vec(), PyArray1::from_vec(py, numbers))
    });
    PyList::new(py, items.collect::<Vec<_>>())
}

/// Trains a network. `spec` says which and how, as JSON; `y` has class numbers (`uint32`, one axis) or numbers (two
/// axes); `rows` are those to train on and to watch, `watched` an `(x, y, weights)` of its own to watch instead.
///
/// Gives a dictionary: `parameters`, `interrupted`, `state` if it was asked for, and what `history` says as JSON.
#[pyfunction]
#[pyo3(signature = (spec, x, y, weights=None, rows=None, watched=None, initial=None, state=None, on_epoch=None))]
#[allow(clippy::too_many_arguments, reason = "each is a name in Python")]
pub fn train<'py>(
    py: Python<'py>,
    spec: &str,
    x: &Bound<'py, PyAny>,
    y: &Bound<'py, PyAny>,
    weights: Option<&Bound<'py, PyAny>>,
    rows: Option<(Vec<usize>, Vec<usize>)>,
    watched: Option<Watched<'py>>,
    initial: Option<&Bound<'py, PyList>>,
    state: Option<&[u8]>,
    on_epoch: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let spec: Spec = read(spec)?;
    let given = Given { x, y, weights, rows, watched, initial, state, on_epoch };
    if spec.double { given.train::<f64>(py, &spec) } else { given.train::<f32>(py, &spec) }
}

struct Given<'a, 'py> {
    x: &'a Bound<'py, PyAny>,
    y: &'a Bound<'py, PyAny>,
    weights: Option<&'a Bound<'py, PyAny>>,
    rows: Option<(Vec<usize>, Vec<usize>)>,
    watched: Option<Watched<'py>>,
    initial: Option<&'a Bound<'py, PyList>>,
    state: Option<&'a [u8]>,
    on_epoch: Option<Py<PyAny>>,
}

impl<'py> Given<'_, 'py> {
    fn train<T: Real + Element>(self, py: Python<'py>, spec: &Spec) -> PyResult<Bound<'py, PyDict>> {
        let own = data::<T>(spec.classes, self.x, self.y, self.weights)?;
        let other = match &self.watched {
            None => None,
            Some((x, y, weights)) => Some(data::<T>(spec.classes, x, y, weights.as_ref())?),
        };
        let (rows, validation) = match (self.rows, &other) {
            (Some((rows, validation)), None) => (rows, validation),
            (Some((rows, _)), Some(other)) => (rows, (0..other.rows()).collect()),
            (None, other) => {
                ((0..own.rows()).collect(), (0..other.as_ref().map_or(0, Dataset::rows)).collect())
            }
        };
        let initial = self.initial.map(parameters::<T>).transpose()?;
        let state = self.state.map(State::<T>::from_bytes).transpose().map_err(raised)?;
        let wanted = [spec.wants_parameters, spec.wants_predictions];
        let mut watching = Watching::new(self.on_epoch.as_ref(), wanted, spec.network.outputs());
        let machine = machine(spec.threads).map_err(raised)?;
        // Other threads of Python go on meanwhile.
        let trained = py.detach(|| -> pullback::Result<_> {
            let watched = (other.as_ref().unwrap_or(&own), &validation[..]);
            let mut trainer =
                Trainer::watched_by(&spec.network, &spec.training, (&own, &rows), watched, &machine)?;
            if let Some(state) = &state {
                trainer = trainer.going_on_from(state)?;
            }
            if let Some(initial) = &initial {
                trainer = trainer.starting_with(initial)?;
            }
            while trainer.epoch(&mut watching) == Flow::Continue && !watching.is_stopped {
                trainer.set_learning_rate(watching.rate);
            }
            let state = spec.wants_state.then(|| trainer.unbound_state().to_bytes()).transpose()?;
            let stop = trainer.stop();
            Ok((trainer.finish(), state, stop))
        });
        let (trained, state, _stop) = trained.map_err(raised)?;
        let result = PyDict::new(py);
        match watching.raised {
            Some(error) if error.is_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>(py) => {
                result.set_item("interrupted", true)?;
            }
            Some(error) => return Err(error),
            None => result.set_item("interrupted", false)?,
        }
        let parameters = trained.parameters.into_iter().map(|numbers| PyArray1::from_vec(py, numbers));
        result.set_item("parameters", PyList::new(py, parameters.collect::<Vec<_>>())?)?;
        let history = serde_json::to_string(&trained.history)
            .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        result.set_item("history", history)?;
        result.set_item("state", state.map(|bytes| PyBytes::new(py, &bytes)))?;
        Ok(result)
    }
}

/// What a network with these parameters says of rows: `[rows, outputs]`, probabilities or numbers.
#[pyfunction]
#[pyo3(signature = (network, parameters, x, threads=0, double=false))]
pub fn predict<'py>(
    py: Python<'py>,
    network: &str,
    parameters: &Bound<'py, PyList>,
    x: &Bound<'py, PyAny>,
    threads: usize,
    double: bool,
) -> PyResult<Bound<'py, PyAny>> {
    fn of<'py, T: Real + Element>(
        py: Python<'py>,
        network: Network,
        list: &Bound<'py, PyList>,
        x: &Bound<'py, PyAny>,
        threads: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (features, numbers) = (features::<T>(x)?, crate::run::parameters::<T>(list)?);
        let outputs = network.outputs();
        let predicted = py.detach(|| -> pullback::Result<_> {
            Model::new(network, numbers)?.predictor(&machine(threads)?)?.rows(&features)
        });
        Ok(rows(py, predicted.map_err(raised)?, outputs)?.into_any())
    }
    let network: Network = read(network)?;
    match double {
        true => of::<f64>(py, network, parameters, x, threads),
        false => of::<f32>(py, network, parameters, x, threads),
    }
}
