//! How much worse a metric is when a column's cells stand in a random order.

use super::ImportanceOptions;
use crate::data::{Table, Targets, Task};
use crate::error::{Error, Result};
use crate::model::{Model, Predictor};
use crate::random::{Purpose, Random};
use crate::report::Measure;
use crate::train::{Machine, Metric, Scored, Truth};
use pullback_kernels::Real;

/// Rows with their targets, and the metric of what is predicted for them.
pub(super) struct Permutation<'a, T: Real> {
    model: &'a Model<T>,
    predictor: Predictor<'a, T>,
    /// The columns that the model takes.
    table: Table,
    /// Numbers in the targets' own units; none for classes and labels.
    numbers: Vec<f64>,
    ids: Vec<u32>,
    yes: Vec<bool>,
    classes: Option<usize>,
    weights: Option<Vec<f64>>,
    metric: Metric,
    value: f64,
    repeats: usize,
    seed: u64,
}

impl<'a, T: Real> Permutation<'a, T> {
    pub(super) fn new(
        model: &'a Model<T>,
        table: &Table,
        options: &ImportanceOptions,
        machine: &Machine,
    ) -> Result<Self> {
        let trained = model.trained()?;
        let (preprocessing, target) = (trained.preprocessing, trained.preprocessing.target());
        let targets: Targets<T> = target.apply(table)?;
        let classes = target.target().classes().map(<[String]>::len);
        let numbers = match targets.task() {
            Task::Regression => target.target().restore(&targets.to_dense()),
            _ => Vec::new(),
        };
        let has_probabilities = target.target().has_probabilities();
        let metric = options.metric.unwrap_or_else(|| Measure::of(&trained).judge(has_probabilities));
        let used = preprocessing.features().iter().map(|feature| table.column(&feature.name).cloned());
        let table_of_inputs = Table::new(table.source(), used.collect::<Result<_>>()?)?;
        let mut permutation = Self {
            model,
            predictor: model.predictor(machine)?,
            table: table_of_inputs,
            numbers,
            ids: targets.ids().unwrap_or_default().to_vec(),
            yes: targets.yes().unwrap_or_default().to_vec(),
            classes,
            weights: preprocessing.row_weights(table)?,
            metric,
            value: 0.0,
            repeats: options.repeats,
            seed: options.seed,
        };
        permutation.value = permutation.metric_of(&permutation.table)?;
        Ok(permutation)
    }

    /// The metric, and its value for the rows as they are.
    pub(super) fn whole(&self) -> (Metric, f64) {
        (self.metric, self.value)
    }

    /// How much worse the metric is without a column: mean and deviation.
    pub(super) fn of_column(&self, at: usize, name: &str) -> Result<(f64, f64)> {
        let mut worse = Vec::with_capacity(self.repeats);
        for repeat in 0..self.repeats {
            let mut order: Vec<usize> = (0..self.table.rows()).collect();
            let draw = (1 + at * self.repeats + repeat) as u32;
            Random::new(self.seed, Purpose::Permutation, draw).shuffle(&mut order);
            let value = self.metric_of(&self.table.with_cells_of(name, &order)?)?;
            worse.push(self.metric.to_minimize(value) - self.metric.to_minimize(self.value));
        }
        let mean = worse.iter().sum::<f64>() / worse.len() as f64;
        let squares: f64 = worse.iter().map(|worse| (worse - mean) * (worse - mean)).sum();
        Ok((mean, (squares / (worse.len() as f64 - 1.0).max(1.0)).sqrt()))
    }

    fn metric_of(&self, table: &Table) -> Result<f64> {
        let prediction = self.predictor.predict(table)?;
        let truth = match self.classes {
            Some(count) => Truth::Classes { ids: &self.ids, count },
            None if !self.yes.is_empty() => Truth::Labels(&self.yes),
            None => Truth::Numbers(&self.numbers),
        };
        let scored = Scored {
            weights: self.weights.as_deref(),
            trained_by: Some(self.model.network().cost),
            ..Scored::new(&prediction.numbers, prediction.outputs, truth)
        };
        self.metric.value(&scored).filter(|value| value.is_finite()).ok_or_else(|| {
            let fits = |metric: &&Metric| metric.value(&scored).is_some();
            let known: Vec<&str> = Metric::ALL.iter().filter(fits).map(|metric| metric.name()).collect();
            Error::configuration(format!("{} has no value for these rows", self.metric))
                .help(format!("measure by one of {}", known.join(", ")))
        })
    }
}
