//! Tables in, a model file out: the job that the command runs, on columns of Python.

use crate::observe::{Watching, rows};
use crate::raised;
use crate::run::{machine, read};
use numpy::datetime::Datetime;
use numpy::datetime::units::Milliseconds;
use numpy::{PyArray2, PyReadonlyArray1, PyUntypedArray};
use pullback::data::{Categories, Column, Encoding, Table, Times, Values};
use pullback::explain::Catalog;
use pullback::job::{Decided, Finding, Job, Settings};
use pullback::model::Model;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

/// Columns by name: an array of `float64` or `datetime64[ms]`, or a list of texts and `None`.
fn columns(list: &Bound<'_, PyList>) -> PyResult<Vec<Column>> {
    list.iter()
        .map(|item| {
            let (name, values): (String, Bound<'_, PyAny>) = item.extract()?;
            let values = match values.extract::<PyReadonlyArray1<'_, f64>>() {
                Ok(numbers) => Values::Numbers(numbers.as_array().to_vec()),
                Err(_) if values.is_instance_of::<PyUntypedArray>() => {
                    let moments: PyReadonlyArray1<'_, Datetime<Milliseconds>> = values.extract()?;
                    let seconds = moments.as_array().iter().map(|&moment| seconds(moment.into())).collect();
                    Values::Times(Times { seconds, is_day_first: None })
                }
                Err(_) => {
                    let texts: Vec<Option<String>> = values.extract()?;
                    Values::Categories(Categories::from_texts(texts))
                }
            };
            Ok(Column::new(name, values))
        })
        .collect()
}

/// Seconds since the beginning of 1970; NaN for NumPy's mark of a missing time.
fn seconds(milliseconds: i64) -> f64 {
    match milliseconds {
        i64::MIN => f64::NAN,
        known => known as f64 / 1000.0,
    }
}

/// What there is to say of the data and of the run, as the command says it: columns that are left out, texts that share an
/// input, what is doubtful about the rows, and what stood in the way of training.
fn remarks(job: &Decided, findings: &[Finding]) -> pullback::Result<Vec<String>> {
    let preprocessing = job.preprocessing();
    let left_out = preprocessing.left_out().iter();
    let mut remarks: Vec<String> =
        left_out.map(|(name, why)| format!("column \"{name}\" is left out: {why}")).collect();
    for feature in preprocessing.features() {
        if let Encoding::Categorical(texts) = &feature.encoding
            && let Some(rare) = texts.rare()
        {
            let (count, name) = (rare.levels, &feature.name);
            remarks.push(format!("column \"{name}\": its {count} rarest texts share one input"));
        }
    }
    remarks.extend(job.concerns()?.iter().map(ToString::to_string));
    let catalog = Catalog::english();
    remarks.extend(findings.iter().map(|finding| finding.text(&catalog)));
    Ok(remarks)
}

/// What a job came to: the model file, the epochs of each network, whether it was interrupted, and remarks.
type Learned<'py> = (Bound<'py, PyBytes>, Vec<usize>, bool, Vec<String>);

/// Carries out the job that `settings`, as JSON, say for a table.
#[pyfunction]
pub fn fit_table<'py>(
    py: Python<'py>,
    settings: &str,
    table: &Bound<'py, PyList>,
    threads: usize,
) -> PyResult<Learned<'py>> {
    let settings = Settings::of_json(read(settings)?);
    let settings = settings.map_err(|error| PyValueError::new_err(error.to_string()))?;
    let table = Table::new("a table of Python", columns(table)?).map_err(raised)?;
    let mut watching = Watching::new(None, [false, false], 1);
    let fitted = py.detach(|| -> pullback::Result<_> {
        let machine = machine(threads)?;
        let job = Job::new(settings, table).decide()?;
        job.check_memory(&machine, None)?;
        let fitted = job.run(&machine, &mut watching)?;
        match fitted.trouble {
            Some(trouble) => Err(trouble),
            None => Ok((
                fitted.model.to_bytes()?,
                fitted.model.runs().map(|run| run.history.epoch_count).collect(),
                remarks(&job, &fitted.findings)?,
            )),
        }
    });
    let (bytes, epochs, remarks) = fitted.map_err(raised)?;
    let interrupted = match watching.raised {
        Some(error) if error.is_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>(py) => true,
        Some(error) => return Err(error),
        None => false,
    };
    Ok((PyBytes::new(py, &bytes), epochs, interrupted, remarks))
}

/// What the model of a file predicts for rows, probabilities or numbers in the target's unit, and what of the rows it has
/// no form for.
#[pyfunction]
pub fn predict_table<'py>(
    py: Python<'py>,
    model: &[u8],
    table: &Bound<'py, PyList>,
    threads: usize,
) -> PyResult<(Bound<'py, PyArray2<f64>>, Vec<String>)> {
    let model = Model::<f32>::from_bytes(model).map_err(raised)?;
    let table = Table::new("a table of Python", columns(table)?).map_err(raised)?;
    let predicted = py.detach(|| model.predict(&table, &machine(threads)?)).map_err(raised)?;
    let remarks = predicted.warnings.iter().map(ToString::to_string).collect();
    Ok((rows(py, predicted.numbers, predicted.outputs)?, remarks))
}

/// Columns, their kinds, classes, targets.
type Described = (Vec<String>, Vec<&'static str>, Option<Vec<String>>, Vec<String>);

/// The columns that the model of a file takes, whether each is `numeric`, `categorical`, `time` or something `else`, its
/// classes,
/// none if it predicts numbers, and the names of its targets.
#[pyfunction]
pub fn table_model(model: &[u8]) -> PyResult<Described> {
    let model = Model::<f32>::from_bytes(model).map_err(raised)?;
    let preprocessing = model.trained().map_err(raised)?.preprocessing;
    let names = preprocessing.features().iter().map(|feature| feature.name.clone());
    let kinds = preprocessing.features().iter().map(|feature| match feature.encoding {
        Encoding::Numeric(_) => "numeric",
        Encoding::Categorical(_) => "categorical",
        Encoding::Time(_) => "time",
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
