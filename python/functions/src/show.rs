//! The glass box, model files, and the command.

use crate::observe::rows;
use crate::raised;
use crate::run::{machine, parameters, read};
use numpy::{Element, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pullback::data::Preprocessing;
use pullback::explain::{
    Catalog, CheckOptions, Drawings, Focus, NamedInput, Names, NetworkExample, Notation, Options, Steps,
    Subject, Trace, WorkedExample, animation, check as compare, describe, diagram, json, picture,
};
use pullback::importance::input_gradients;
use pullback::model::{Fingerprint, Model, Run};
use pullback::network::{Mode, Network};
use pullback::train::{History, Training};
use pullback_kernels::Real;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use serde::Deserialize;
use serde_json::Value;
use std::ffi::OsString;

/// Runs the command `pullback`; `arguments` begin with the program's name, `called` is how to call it again.
#[pyfunction]
pub fn main(py: Python<'_>, called: Vec<OsString>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| pullback_cli::run_within(called, arguments))
}

/// A file of the page in the browser.
#[pyfunction]
pub fn page_file<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyBytes>> {
    pullback_cli::page_file(name)
        .map(|content| PyBytes::new(py, content))
        .ok_or_else(|| PyValueError::new_err(format!("the page has no file {name:?}")))
}

fn numbers(array: &PyReadonlyArray2<'_, f64>) -> Vec<f64> {
    array.as_array().iter().copied().collect()
}

/// One forward and backward pass of a network on rows and targets, each row an example of one batch.
fn trace(
    network: &str,
    list: &Bound<'_, PyList>,
    x: &PyReadonlyArray2<'_, f64>,
    targets: &PyReadonlyArray2<'_, f64>,
) -> PyResult<Trace> {
    let network: Network = read(network)?;
    Trace::new(&network, &parameters::<f64>(list)?, &numbers(x), &numbers(targets), x.shape()[0])
        .map_err(raised)
}

/// How a page is made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    title: String,
    language: String,
    notation: String,
    digits: usize,
    most_units: usize,
    /// Columns of the text form.
    width: usize,
    inputs: Vec<String>,
    cells: Vec<String>,
    outputs: Vec<String>,
    training: Training,
    format: String,
}

/// A page about one forward and backward pass, as HTML, Markdown, text or JSON; its drawing, still or moving; or the
/// example's own file, with everything that the pass is computed from.
#[pyfunction]
pub fn explain(
    network: &str,
    list: &Bound<'_, PyList>,
    x: PyReadonlyArray2<'_, f64>,
    targets: PyReadonlyArray2<'_, f64>,
    page: &str,
) -> PyResult<String> {
    let page: Page = read(page)?;
    let catalog = Catalog::find(&page.language).ok_or_else(|| {
        raised(pullback::Error::unknown_name(
            "language",
            &page.language,
            pullback::explain::LANGUAGES.iter().map(|(code, _)| *code),
        ))
    })?;
    let notation = Notation::from_name(&page.notation)
        .ok_or_else(|| raised(pullback::Error::unknown_name("notation", &page.notation, Notation::NAMES)))?;
    let example = NetworkExample {
        network: read(network)?,
        parameters: parameters::<f64>(list)?,
        inputs: numbers(&x),
        targets: numbers(&targets),
        weights: None,
        rows: x.shape()[0],
        training: page.training.clone(),
        mode: Mode::Evaluation,
        kept: Default::default(),
        fixed: Vec::new(),
        names: Names { inputs: page.inputs.clone(), outputs: page.outputs.clone(), ..Names::default() },
    };
    let trace = example.trace().map_err(raised)?;
    let worked = WorkedExample {
        title: page.title.clone(),
        source: String::new(),
        notation,
        language: None,
        subject: Subject::Network(Box::new(example)),
        expect: Vec::new(),
    };
    // Four digits can be read in a picture.
    let steps = || Steps::of(&worked).map(|steps| steps.with_digits(4));
    match &page.format[..] {
        "json" => {
            return Ok(
                json::document(&trace, &page.title, (&page.training, Focus::All), Some(&worked)).to_string()
            );
        }
        "example" => return Ok(worked.to_json().to_string()),
        "svg" => return picture(&steps().map_err(raised)?, None, &catalog).map_err(raised),
        "animation" => return Ok(animation(&steps().map_err(raised)?, &catalog).svg),
        _ => {}
    }
    let named = page.inputs.into_iter().zip(page.cells);
    let options = Options {
        notation,
        digits: page.digits,
        most_units: page.most_units,
        inputs: named.map(|(name, cell)| NamedInput { name, cell }).collect(),
        outputs: page.outputs,
        training: page.training,
        ..Options::default()
    };
    let document = describe(&trace, &page.title, &options, &catalog);
    match &page.format[..] {
        "html" => {
            let picture = steps().and_then(|steps| picture(&steps, None, &catalog)).ok();
            Ok(document.html(&Drawings { picture, graph: diagram::svg(&trace, &catalog) }))
        }
        "markdown" => Ok(document.markdown()),
        "text" => Ok(document.text(page.width, false)),
        other => Err(PyValueError::new_err(format!(
            "there is no format {other:?}: html, markdown, text, json, svg, animation or example"
        ))),
    }
}

/// Compares the gradients of back propagation with differences and forward mode: a list of results as JSON.
#[pyfunction]
pub fn check(
    network: &str,
    list: &Bound<'_, PyList>,
    x: PyReadonlyArray2<'_, f64>,
    targets: PyReadonlyArray2<'_, f64>,
    samples: usize,
    seed: u64,
) -> PyResult<String> {
    let trace = trace(network, list, &x, &targets)?;
    let own: Vec<Vec<f64>> =
        (0..trace.parameters().len()).map(|place| trace.gradient(place).to_vec()).collect();
    let options = CheckOptions { samples, seed, ..CheckOptions::default() };
    let checks = compare(&trace, &own, &options).map_err(raised)?;
    serde_json::to_string(&checks).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// The gradient of one output of each row, by its place, with respect to the row's inputs: `[rows, inputs]`.
#[pyfunction]
pub fn attributions<'py>(
    py: Python<'py>,
    network: &str,
    list: &Bound<'py, PyList>,
    x: PyReadonlyArray2<'py, f64>,
    outputs: PyReadonlyArray1<'py, i64>,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let network: Network = read(network)?;
    let (count, width) = (x.shape()[0], x.shape()[1]);
    let (list, x, wanted) = (parameters::<f64>(list)?, numbers(&x), outputs.as_array().to_vec());
    if wanted.len() != count {
        return Err(PyValueError::new_err("one output for each row is expected"));
    }
    let gradients = py.detach(|| {
        let model = Model::new(network, list)?;
        let weight = |row: usize, output: usize| f64::from(u8::from(wanted[row] == output as i64));
        input_gradients(&model, &x, weight, &machine(threads)?)
    });
    rows(py, gradients.map_err(raised)?, width)
}

/// How a network was trained, as an estimator keeps it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trained {
    training: Training,
    history: History,
    data: Fingerprint,
}

/// A model file of a network with its parameters, of 32 or of 64 bits, and, if they are there, its
/// preprocessing and how it was trained.
#[pyfunction]
#[pyo3(signature = (network, list, preprocessing=None, run=None, double=false))]
pub fn model_bytes<'py>(
    py: Python<'py>,
    network: &str,
    list: &Bound<'py, PyList>,
    preprocessing: Option<&str>,
    run: Option<&str>,
    double: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    fn bytes<T: Real + Element>(
        network: &str,
        list: &Bound<'_, PyList>,
        preprocessing: Option<&str>,
        run: Option<&str>,
    ) -> PyResult<Vec<u8>> {
        let model = Model::new(read(network)?, parameters::<T>(list)?).map_err(raised)?;
        let model = match preprocessing {
            None => model,
            Some(text) => model.with_preprocessing(read::<Preprocessing>(text)?).map_err(raised)?,
        };
        let model = match run {
            None => model,
            Some(text) => {
                let Trained { training, history, data } = read(text)?;
                let run = Run {
                    training,
                    history,
                    data: Some(data),
                    rows: None,
                    configuration: Value::Null,
                    began: None,
                };
                model.with_run(run).map_err(raised)?
            }
        };
        model.to_bytes().map_err(raised)
    }
    let bytes = match double {
        true => bytes::<f64>(network, list, preprocessing, run),
        false => bytes::<f32>(network, list, preprocessing, run),
    };
    Ok(PyBytes::new(py, &bytes?))
}

/// The network of a model file as JSON, its preprocessing as JSON if it has one, and its parameters.
#[pyfunction]
pub fn model_parts<'py>(
    py: Python<'py>,
    bytes: &[u8],
) -> PyResult<(String, Option<String>, Bound<'py, PyList>)> {
    let model = Model::<f64>::from_bytes(bytes).map_err(raised)?;
    if model.member_count() > 1 {
        return Err(PyValueError::new_err(
            "the file has an ensemble, which `pullback predict` uses; an estimator is one network",
        ));
    }
    let text =
        |value: serde_json::Result<String>| value.map_err(|error| PyValueError::new_err(error.to_string()));
    let network = text(serde_json::to_string(model.network()))?;
    let preprocessing = model.preprocessing().map(|own| text(serde_json::to_string(own))).transpose()?;
    let arrays = model.parameters().iter().map(|own| PyArray1::from_slice(py, own));
    Ok((network, preprocessing, PyList::new(py, arrays.collect::<Vec<_>>())?))
}
