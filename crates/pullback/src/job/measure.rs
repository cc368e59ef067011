//! How good predictions are for the rows of a table, by what the model was made for: its cost, the metric that was asked
//! for, the weights of rows and classes, and the groups by which rows were held out.

use super::rows;
use crate::data::{Preprocessing, Table};
use crate::error::Result;
use crate::model::{Model, Prediction, Trained};
use crate::network::Cost;
use crate::report::{Measure, Report};
use crate::train::Metric;
use serde_json::Value;

/// How good predictions for the rows of a table are.
///
/// # Errors
/// If the table has no targets, or others than the model knows.
pub fn measure(model: &Model<f32>, prediction: &Prediction, table: &Table) -> Result<Report> {
    let trained = model.trained()?;
    Aim::of(&trained).report(trained.preprocessing, prediction, table)
}

/// What a model was made for.
#[derive(Debug, Clone)]
pub(super) struct Aim {
    measure: Measure<'static>,
    group: Option<String>,
}

impl Aim {
    pub(super) fn of(trained: &Trained<'_>) -> Self {
        let group = trained.configuration.get("group").and_then(Value::as_str).map(str::to_owned);
        Self { measure: Measure::of(trained), group }
    }

    /// That of networks that are compared by a metric.
    pub(super) fn told(cost: Cost, metric: Metric) -> Self {
        let measure = Measure { cost: Some(cost), metric, skips_intervals: true, ..Measure::default() };
        Self { measure, group: None }
    }

    /// The same for figures alone, without intervals.
    pub(super) fn without_intervals(self) -> Self {
        Self { measure: Measure { skips_intervals: true, ..self.measure }, ..self }
    }

    /// How good predictions for the rows of a table are, each row counted as often as its weight says.
    pub(super) fn report(
        &self,
        preprocessing: &Preprocessing,
        prediction: &Prediction,
        table: &Table,
    ) -> Result<Report> {
        let (target, weights) = (preprocessing.target(), preprocessing.row_weights(table)?);
        let targets = target.apply::<f32>(table)?;
        // Other rows need not say what they belong to.
        let groups = self.group.as_ref().and_then(|name| table.get(name)).map(rows::groups).transpose()?;
        let classes = preprocessing.spelled_classes();
        let measure = Measure {
            classes: classes.as_deref(),
            weights: preprocessing.weights().zip(weights.as_deref()),
            groups: groups.as_deref(),
            ..self.measure
        };
        Report::measured(prediction, &targets, target.target(), target.names(), &measure)
    }
}
