//! What stood in the way of training, where it is more than a few units: `explain` shows the rest.

use crate::data::Table;
use crate::error::Result;
use crate::explain::{self, Catalog, Trace, diagnose, trace_rows};
use crate::model::{Model, Trained};
use crate::network::{Mode, Role};
use crate::random::{Purpose, Random};
use crate::train::{Batch, Training};

/// This many rows tell which units never pass anything back.
const DIAGNOSED_ROWS: usize = 64;
/// Larger networks are not looked at unasked.
const MOST_DIAGNOSED: usize = 1 << 20;

/// Something that stood in the way of training.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Finding {
    /// In what the layers compute.
    Pass(explain::Finding),
    /// The same in several layers.
    Layers {
        /// Where most units are concerned.
        worst: explain::Finding,
        /// The other layers, from the first on.
        others: Vec<explain::Finding>,
    },
    /// As many batches make a step as an epoch has, or more.
    AccumulatesAll {
        /// How many were to make a step.
        accumulate: usize,
        /// How many an epoch has.
        batches: usize,
    },
    /// No weight changed.
    NothingLearned {
        /// The learning rate of the run.
        learning_rate: f64,
        /// The flag of a setting that makes any step small, whatever the learning rate.
        flag: Option<&'static str>,
    },
}

/// A gradient that is made no larger than this moves no weight in f32.
const SMALLEST_NORM: f64 = 1e-6;

/// The flag of a setting by which every step is smaller than the rounding of the weights, if there is one.
fn what_holds(training: &Training) -> Option<&'static str> {
    let holds = [
        ("--clip-norm", training.clip_norm.is_some_and(|norm| norm < SMALLEST_NORM)),
        ("--warmup-epochs", training.schedule.warmup_epochs > training.epochs as f64 / SMALLEST_NORM),
        (
            "--epsilon",
            super::setting_of(&training.optimizer, "epsilon")
                .is_some_and(|epsilon| epsilon > 1.0 / SMALLEST_NORM),
        ),
    ];
    holds.iter().find(|(_, is_so)| *is_so).map(|(flag, _)| *flag)
}

impl Finding {
    /// Whether another finding is of the same kind and layer.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Pass(own) | Self::Layers { worst: own, .. },
                Self::Pass(other) | Self::Layers { worst: other, .. },
            ) => (own.key, own.layer) == (other.key, other.layer),
            (Self::AccumulatesAll { .. }, Self::AccumulatesAll { .. }) => true,
            (Self::NothingLearned { .. }, Self::NothingLearned { .. }) => true,
            _ => false,
        }
    }

    /// The finding in the language of a catalog.
    pub fn text(&self, catalog: &Catalog) -> String {
        match self {
            Self::Pass(finding) => finding.text(catalog),
            Self::Layers { worst, others } => {
                let count: usize = others.iter().map(|finding| finding.count).sum();
                let layers: Vec<String> = others.iter().map(|finding| finding.layer.to_string()).collect();
                let also = catalog.say("also_in", &[("count", &count), ("layers", &layers.join(", "))]);
                format!("{} {also}", worst.text(catalog))
            }
            Self::AccumulatesAll { accumulate, batches } => {
                catalog.say("accumulates_all", &[("accumulate", accumulate), ("batches", batches)])
            }
            Self::NothingLearned { flag: Some(flag), .. } => {
                catalog.say("nothing_learned.setting", &[("flag", flag)])
            }
            Self::NothingLearned { learning_rate, flag: None } => {
                catalog.say("nothing_learned", &[("rate", &format_args!("{learning_rate:e}"))])
            }
        }
    }
}

pub(super) fn find(model: &Model<f32>, table: &Table, training_rows: &[usize]) -> Result<Vec<Finding>> {
    let Trained { network, training, .. } = model.trained()?;
    let mut found = Vec::new();
    if !has_changed(model)? {
        let flag = what_holds(training);
        found.push(Finding::NothingLearned { learning_rate: training.learning_rate(), flag });
    }
    let batches = match training.batch {
        Batch::Of(examples) => training_rows.len().div_ceil(examples.max(1)),
        Batch::Full => 1,
    };
    if training.accumulate > batches {
        found.push(Finding::AccumulatesAll { accumulate: training.accumulate, batches });
    }
    if network.parameter_count()? > MOST_DIAGNOSED {
        return Ok(found);
    }
    let rows = &training_rows[..training_rows.len().min(DIAGNOSED_ROWS)];
    let trace = trace_rows(model, &table.select(rows)?, 0..rows.len(), Mode::Evaluation)?;
    let mut alike: Vec<Vec<explain::Finding>> = Vec::new();
    for finding in diagnose(&trace) {
        if !is_large(&finding, &trace) {
            continue;
        }
        let is_local = matches!(finding.key, "dead" | "inactive" | "saturated");
        match alike.iter_mut().find(|group| is_local && group[0].key == finding.key) {
            Some(group) => group.push(finding),
            None => alike.push(vec![finding]),
        }
    }
    // One line for all layers, however many there are; of equal ones it names the first.
    found.extend(alike.into_iter().map(|mut others| {
        let most = (0..others.len()).rev().max_by_key(|&at| others[at].count).unwrap_or(0);
        let worst = others.remove(most);
        if others.is_empty() { Finding::Pass(worst) } else { Finding::Layers { worst, others } }
    }));
    Ok(found)
}

/// Whether a finding is of more than a few units: of half of a layer's at least.
pub(super) fn is_large(finding: &explain::Finding, trace: &Trace) -> bool {
    let is_local = matches!(finding.key, "dead" | "inactive" | "saturated");
    let units = trace.dense().get(finding.layer.saturating_sub(1)).map_or(0, |dense| dense.units);
    !is_local || finding.count * 2 >= units
}

/// Whether training changed any weight; a bias starts at 0, so the smallest step changes it. Small parameters are
/// looked at first: their initial values take no time.
fn has_changed(model: &Model<f32>) -> Result<bool> {
    let Trained { network, training, .. } = model.trained()?;
    let mut parameters: Vec<_> = (0u32..).zip(network.parameters()?).zip(model.parameters()).collect();
    parameters.sort_by_key(|(_, numbers)| numbers.len());
    Ok(parameters.into_iter().any(|((index, parameter), numbers)| {
        let random = Random::new(training.seed, Purpose::Initializer, index);
        let initial = || parameter.initialize(&random);
        matches!(parameter.role, Role::Weight(_))
            && initial().iter().zip(numbers).any(|(was, is)| *was as f32 != *is)
    }))
}
