//! Tables in, a model file out: the job that the command runs, on columns of Python.

use crate::observe::{Watching, rows};
use crate::raised;
use crate::run::{machine, read};
use numpy::{PyArray2, PyReadonlyArray1};
use pullback::data::{Categories, Column, Encoding, Table, Values};
use pullback::job::{Job, Settings};
use pullback::model::Model;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

/// Columns by name: an array of `float64`, or a list of texts and `None`.
fn columns(list: &Bound<'_, PyList>) -> PyResult<Vec<Column>> {
    list.iter()
        .map(|item| {
            let (name, values): (String, Bound<'_, PyAny>) = item.extract()?;
            let values = match values.extract::<PyReadonlyArray1<'_, f64>>() {
                Ok(numbers) => Values::Numbers(numbers.as_array().to_vec()),
                Err(_) => {
                    let texts: Vec<Option<String>> = values.extract()?;
                    Values::Categories(Categories::from_texts(texts))
                }
            };
            Ok(Column::new(name, values))
        })
        .collect()
}

/// Carries out the job that `settings`, as JSON, say for a table. Gives the model file, the layers and the epochs of
/// each network, and whether it was interrupted.
#[pyfunction]
pub(crate) fn fit_table<'py>(
    py: Python<'py>,
    settings: &str,
    table: &Bound<'py, PyList>,
    threads: usize,
) -> PyResult<(Bound<'py, PyBytes>, Vec<usize>, bool)> {
    let settings: Settings = read(settings)?;
    let table = Table::new("a table of Python", columns(table)?).map_err(raised)?;
    let mut watching = Watching::new(None, [false, false], 1);
    let fitted = py.detach(|| -> pullback::Result<_> {
        let machine = machine(threads);
        let job = Job::new(settings, table).decide()?;
        job.check_memory(&machine, None)?;
        let fitted = job.run(&machine, &mut watching)?;
        match fitted.trouble {
            Some(trouble) => Err(trouble),
            None => Ok((
                fitted.model.to_bytes()?,
                fitted.model.runs().map(|run| run.history.epoch_count).collect(),
            )),
        }
    });
    let (bytes, epochs) = fitted.map_err(raised)?;
    let interrupted = match watching.raised {
        Some(error) if error.is_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>(py) => true,
        Some(error) => return Err(error),
        None => false,
    };
    Ok((PyBytes::new(py, &bytes), epochs, interrupted))
}

/// What the model of a file predicts for rows: probabilities, or numbers in the target's unit.
#[pyfunction]
pub(crate) fn predict_table<'py>(
    py: Python<'py>,
    model: &[u8],
    table: &Bound<'py, PyList>,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let model = Model::<f32>::from_bytes(model).map_err(raised)?;
    let table = Table::new("a table of Python", columns(table)?).map_err(raised)?;
    let predicted = py.detach(|| model.predict(&table, &machine(threads))).map_err(raised)?;
    rows(py, predicted.numbers, predicted.outputs)
}

/// Columns, their kinds, classes, targets.
type Described = (Vec<String>, Vec<&'static str>, Option<Vec<String>>, Vec<String>);

/// The columns that the model of a file takes, whether each is `numeric`, `categorical` or something `else`, its classes,
/// none if it predicts numbers, and the names of its targets.
#[pyfunction]
pub(crate) fn table_model(model: &[u8]) -> PyResult<Described> {
    let model = Model::<f32>::from_bytes(model).map_err(raised)?;
    let preprocessing = model.trained().map_err(raised)?.preprocessing;
    let names = preprocessing.features().iter().map(|feature| feature.name.clone());
    let kinds = preprocessing.features().iter().map(|feature| match feature.encoding {
        Encoding::Numeric(_) => "numeric",
        Encoding::Categorical(_) => "categorical",
        _ => "else",
    });
    let target = preprocessing.target();
    Ok((
        names.collect(),
        kinds.collect(),
        target.target().classes().map(<[String]>::to_vec),
        target.names().to_vec(),
    ))
}
