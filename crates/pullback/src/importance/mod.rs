//! Which columns a model relies on, in two ways that can be compared.
//!
//! By permutation (Breiman, 2001): how much worse its metric is on rows in which the cells of one column were put in a
//! random order, so that they tell nothing. All inputs that are made of the column move together. By gradient: how much
//! what is predicted for a row changes, linear around the row, when the column varies as it does in the rows. The first
//! asks what the metric needs, the second what moves the prediction; of columns that say the same, both see only what
//! this model has made of them.
//!
//! ```
//! use pullback::data::builtin;
//! use pullback::importance::{self, ImportanceOptions};
//! use pullback::job::{Job, Settings};
//! use pullback::train::Silent;
//!
//! let mut settings = Settings::default();
//! settings.set("fast", "true")?;
//! let (job, machine) = (Job::new(settings, builtin::load("iris", 0)?).decide()?, Default::default());
//! let fitted = job.run(&machine, &mut Silent)?;
//! let found = importance::measure(&fitted.model, &fitted.tested, &ImportanceOptions::default(), &machine)?;
//! assert!(found.columns[0].name.starts_with("petal"));
//! # Ok::<(), pullback::Error>(())
//! ```

mod gradient;
mod permutation;

pub use gradient::input_gradients;

use crate::compact::sort_by;
use crate::data::{Encoding, Table, Target};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::random::{Purpose, Random};
use crate::train::{Machine, Metric, Truth};
use pullback_kernels::Real;
use serde::Serialize;

/// How importance is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportanceOptions {
    /// How many times each column is put in a random order.
    pub repeats: usize,
    /// At most so many rows are measured on, drawn at random.
    pub rows: usize,
    /// The seed of all random orders.
    pub seed: u64,
    /// The metric; without one, that by which reports of the model are compared.
    pub metric: Option<Metric>,
}

impl Default for ImportanceOptions {
    fn default() -> Self {
        Self { repeats: 5, rows: 10_000, seed: 0, metric: None }
    }
}

/// Which columns a model relies on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Importance {
    /// The metric that gets worse without a column.
    pub metric: Metric,
    /// Its value for the rows as they are.
    pub value: f64,
    /// How many rows were measured on.
    pub rows: usize,
    /// How many times each column was put in a random order.
    pub repeats: usize,
    /// The columns, the most important first.
    pub columns: Vec<ColumnImportance>,
}

/// How much a model relies on a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnImportance {
    /// The column.
    pub name: String,
    /// How much worse the metric is when the column tells nothing: the mean over the repeats. Below 0 it is better.
    pub importance: f64,
    /// The standard deviation over the repeats, of a sample; 0 of one repeat.
    pub deviation: f64,
    /// How much the prediction changes, linear around each row, when the column varies by its standard deviation: the
    /// mean over rows of its size. What is predicted is the probability of the predicted class or of each label, or a
    /// number in its own unit (of several targets the mean of their changes). Absent where the network takes codes, which have no gradient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gradient: Option<f64>,
}

impl ImportanceOptions {
    /// Refuses what cannot be measured of a model, whatever the rows.
    ///
    /// # Errors
    /// If the model takes images or arrays, the metric is not for its targets, or there are no repeats or no rows.
    pub fn check<T: Real>(&self, model: &Model<T>) -> Result<()> {
        let trained = model.trained()?;
        if trained.preprocessing.features().iter().any(|f| matches!(f.encoding, Encoding::Bytes(_))) {
            return Err(Error::configuration(
                "the model takes images, and a single pixel, put in a random order, tells nothing of a picture",
            )
            .help("`pullback explain` shows what one picture is made of"));
        }
        if self.repeats == 0 || self.rows == 0 {
            return Err(
                Error::configuration("nothing would be measured").help("ask for at least 1 repeat and 1 row")
            );
        }
        let truth = match trained.preprocessing.target().target() {
            Target::Regression { .. } => Truth::Numbers(&[]),
            Target::Labels { .. } => Truth::Labels(&[]),
            classes => Truth::Classes { ids: &[], count: classes.classes().map_or(0, <[String]>::len) },
        };
        let cost = Some(trained.network.cost);
        match self.metric {
            // The cost is of training, not of what is predicted.
            Some(metric) if metric.is_cost() || !metric.fits(&truth, cost) => {
                let known =
                    Metric::ALL.iter().filter(|metric| !metric.is_cost() && metric.fits(&truth, cost));
                let known: Vec<&str> = known.map(|metric| metric.name()).collect();
                Err(Error::configuration(format!(
                    "importance cannot be measured by {metric} for these targets"
                ))
                .help(format!("measure by one of {}", known.join(", "))))
            }
            _ => Ok(()),
        }
    }
}

/// How much a model relies on each column that it takes, by rows of a table with targets. The same seed gives the same
/// numbers on any number of threads.
///
/// # Errors
/// If the model takes images or arrays, the table lacks a column, the metric is not for its targets, or there are no
/// repeats or no rows.
pub fn measure<T: Real>(
    model: &Model<T>,
    table: &Table,
    options: &ImportanceOptions,
    machine: &Machine,
) -> Result<Importance> {
    let trained = model.trained()?;
    let features = trained.preprocessing.features();
    options.check(model)?;
    if table.rows() == 0 {
        return Err(Error::data("there are no rows to measure on").help("give at least one"));
    }
    let chosen;
    let table = match table.rows() > options.rows {
        false => table,
        true => {
            let random = Random::new(options.seed, Purpose::Permutation, 0);
            let rows = random.some_of(table.rows(), options.rows);
            chosen = table.select(&rows)?;
            &chosen
        }
    };
    let gradients = gradient::of_columns(model, table, options.seed, machine)?;
    let permuted = permutation::Permutation::new(model, table, options, machine)?;
    let mut columns = Vec::new();
    for (at, feature) in features.iter().enumerate() {
        let (importance, deviation) = permuted.of_column(at, &feature.name)?;
        let gradient = gradients.as_ref().map(|gradients| gradients[at]);
        columns.push(ColumnImportance { name: feature.name.clone(), importance, deviation, gradient });
    }
    // Of equal ones, the first column first.
    sort_by(&mut columns, |one, other| other.importance.total_cmp(&one.importance));
    let (metric, value) = permuted.whole();
    Ok(Importance { metric, value, rows: table.rows(), repeats: options.repeats, columns })
}
