//! The figures of a report: every metric of the list that has a value.

use super::number::{percent, significant};
use crate::train::{Metric, Scored};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Metrics and their values, in the order of the list; as JSON, a map by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures(Vec<(Metric, f64)>);

impl Figures {
    /// All metrics that have a value for these predictions.
    pub fn new(scored: &Scored<'_>) -> Self {
        Self(Metric::ALL.iter().filter_map(|&metric| Some((metric, metric.value(scored)?))).collect())
    }

    /// These metrics and values.
    pub(super) fn of(values: impl IntoIterator<Item = (Metric, f64)>) -> Self {
        Self(values.into_iter().collect())
    }

    /// The value of a metric, if it has one.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.iter().find(|(own, _)| *own == metric).map(|(_, value)| value)
    }

    /// The metrics and their values.
    pub fn iter(&self) -> impl Iterator<Item = (Metric, f64)> + '_ {
        self.0.iter().copied()
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (metric, value) in self.iter() {
            map.serialize_entry(metric.name(), &value)?;
        }
        map.end()
    }
}

/// The digits of figures in the unit of a target.
const DIGITS: usize = 4;

/// The value of a metric as people read it: `96.67 %` for an accuracy.
pub fn shown(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Accuracy | Metric::BalancedAccuracy | Metric::SubsetAccuracy => percent(value),
        Metric::Rmse | Metric::Mae | Metric::Pinball | Metric::Deviance => significant(value, DIGITS),
        _ if value.abs() < 1e3 => format!("{value:.4}"),
        _ => significant(value, 3),
    }
}
