//! A run that Python watches: interrupts are noticed within a step, epochs are told, and what is said of them is done.

use numpy::{Element, PyArray1, PyArray2, PyArrayMethods};
use pullback::train::{CandidateReport, Epoch, Flow, MemberReport, Observer, StepReport};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::time::{Duration, Instant};

/// How long an interrupt waits at most, beside a step: asking Python takes longer than a step of a small network.
const PAUSE: Duration = Duration::from_millis(50);

/// What Python is told after each epoch, and what it said last.
pub(crate) struct Watching<'py> {
    /// Called with a report; gives `(stop, keep, rate)` or nothing.
    pub(crate) on_epoch: Option<&'py Py<PyAny>>,
    /// What the report has beside its figures.
    pub(crate) wants_parameters: bool,
    pub(crate) wants_predictions: bool,
    pub(crate) outputs: usize,
    asked: Instant,
    /// What Python raised; the run stops for it.
    pub(crate) raised: Option<PyErr>,
    /// Whether Python said that the run is over.
    pub(crate) is_stopped: bool,
    /// The learning rate of the next epoch, if Python said one.
    pub(crate) rate: Option<f64>,
}

impl<'py> Watching<'py> {
    pub(crate) fn new(
        on_epoch: Option<&'py Py<PyAny>>,
        [wants_parameters, wants_predictions]: [bool; 2],
        outputs: usize,
    ) -> Self {
        Self {
            on_epoch,
            wants_parameters,
            wants_predictions,
            outputs,
            asked: Instant::now(),
            raised: None,
            is_stopped: false,
            rate: None,
        }
    }

    /// Whether the run goes on, asked now and then.
    fn ask(&mut self) -> Flow {
        if self.asked.elapsed() < PAUSE {
            return Flow::Continue;
        }
        self.wait()
    }

    fn stop_for(&mut self, error: PyErr) -> Flow {
        self.raised = Some(error);
        self.is_stopped = true;
        Flow::Stop
    }

    fn told(&mut self, epoch: &mut Epoch<'_>) -> PyResult<Flow> {
        let Some(on_epoch) = self.on_epoch else { return Ok(Flow::Continue) };
        Python::attach(|py| {
            let report = PyDict::new(py);
            report.set_item("epoch", epoch.report.epoch)?;
            report.set_item("cost", epoch.report.cost)?;
            report.set_item("validation_cost", epoch.report.validation_cost)?;
            report.set_item("validation_accuracy", epoch.report.validation_accuracy)?;
            report.set_item("learning_rate", epoch.report.learning_rate)?;
            if self.wants_parameters {
                let numbers = epoch.parameters().into_iter().map(|numbers| PyArray1::from_vec(py, numbers));
                report.set_item("parameters", PyList::new(py, numbers.collect::<Vec<_>>())?)?;
            }
            if self.wants_predictions {
                let numbers = PyArray1::from_vec(py, epoch.predictions());
                let rows = numbers.len()? / self.outputs.max(1);
                report.set_item("predictions", numbers.reshape([rows, self.outputs])?)?;
            }
            let said = on_epoch.bind(py).call1((report,))?;
            if said.is_none() {
                return Ok(Flow::Continue);
            }
            let (stops, keeps, rate): (bool, bool, Option<f64>) = said.extract()?;
            if keeps {
                epoch.keep();
            }
            self.rate = rate;
            self.is_stopped = stops;
            Ok(if stops { Flow::Stop } else { Flow::Continue })
        })
    }
}

impl Observer for Watching<'_> {
    fn step(&mut self, _report: &StepReport) -> Flow {
        self.ask()
    }

    fn member(&mut self, _report: &MemberReport) -> Flow {
        self.ask()
    }

    fn wait(&mut self) -> Flow {
        self.asked = Instant::now();
        match Python::attach(|py| py.check_signals()) {
            Ok(()) => Flow::Continue,
            Err(error) => self.stop_for(error),
        }
    }

    fn candidate(&mut self, _report: &CandidateReport) -> Flow {
        if self.raised.is_some() { Flow::Stop } else { Flow::Continue }
    }

    fn epoch(&mut self, epoch: &mut Epoch<'_>) -> Flow {
        self.told(epoch).unwrap_or_else(|error| self.stop_for(error))
    }
}

/// Numbers as an array of two axes.
pub(crate) fn rows<'py, T: Element>(
    py: Python<'py>,
    numbers: Vec<T>,
    width: usize,
) -> PyResult<Bound<'py, PyArray2<T>>> {
    let rows = numbers.len() / width.max(1);
    PyArray1::from_vec(py, numbers).reshape([rows, width])
}
