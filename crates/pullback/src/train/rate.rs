//! A test of learning rates (Smith, 2017, "Cyclical learning rates for training neural networks", section 3.3): one
//! short run whose rate grows with each step, and how its cost answers.

use super::{Machine, Metric, Schedule, Trainer, Training};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::network::Network;
use pullback_kernels::Real;
use serde::Serialize;

/// Which rates are tried: each a fixed factor larger than the one before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateRange {
    /// The first rate.
    pub from: f64,
    /// The last rate.
    pub to: f64,
    /// How many steps are taken, each with a rate of its own: at least 10.
    pub steps: usize,
}

impl Default for RateRange {
    fn default() -> Self {
        Self { from: 1e-7, to: 10.0, steps: 100 }
    }
}

/// A step of a test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RatePoint {
    /// The rate of the step.
    pub rate: f64,
    /// The cost of its batch before it: what the rates below have made of it.
    pub cost: f64,
    /// The mean of the costs of the steps around it, which count the less the farther they are.
    pub smoothed: f64,
}

/// What a test of learning rates found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RateTest {
    /// The steps, up to the one after which the cost has risen too far.
    pub points: Vec<RatePoint>,
    /// The rate at which the smoothed cost falls most steeply, over the logarithm of the rate; absent if it falls
    /// nowhere.
    pub steepest: Option<f64>,
    /// A tenth of the rate at which the smoothed cost is lowest; absent if it falls nowhere.
    pub tenth_of_lowest: Option<f64>,
    /// Whether the cost rose so far, or stopped being a finite number, that larger rates were not tried.
    pub has_diverged: bool,
}

/// The steps on each side that a smoothed cost depends on. A mean of both sides does not lag behind.
const AROUND: usize = 7;
/// The test ends when the cost is above the lowest one by so many times what it has fallen, or is.
const RISEN: f64 = 3.0;
/// So many first steps, whose rates change nothing, tell what the cost is before it falls.
const START: usize = 15;
/// A fall is larger than so many standard deviations of the first costs.
const DEVIATIONS: f64 = 2.0;
/// A rise by such a part of what the cost has fallen ends the fall.
const RISE_OF_FALL: f64 = 0.25;
/// The fall has begun when the cost is lower than at the start by such a part of all that it falls.
const BEGUN: f64 = 0.1;
/// The least fall that is one, relative to the first cost: batches differ.
const LEAST_FALL: f64 = 0.01;

/// Trains a network for a few steps with rates that grow from step to step. All else is as `training` says, but for
/// schedule and validation.
///
/// # Errors
/// If the configuration contradicts itself or does not fit the data, if the optimizer searches for its steps, or the
/// cost is no finite number at the first rates already.
pub fn test_rates<T: Real>(
    network: &Network,
    training: &Training,
    data: &Dataset<T>,
    rows: &[usize],
    range: RateRange,
    machine: &Machine,
) -> Result<RateTest> {
    let RateRange { from, to, steps } = range;
    if !(from > 0.0 && from < to && to.is_finite() && steps >= 10) {
        return Err(Error::configuration(format!("{steps} steps from a rate of {from} to {to} are no test"))
            .help("take at least 10 steps from a positive rate to a larger one"));
    }
    if training.optimizer.is_searching() {
        return Err(Error::configuration(format!(
            "{} searches for the length of each step, so that there is no learning rate to find",
            training.optimizer.name()
        ))
        .help("take another optimizer, or train without a rate"));
    }
    let training = Training {
        epochs: usize::MAX,
        schedule: Schedule::default(),
        metric: Metric::Cost,
        early_stopping: None,
        ema: None,
        ..training.clone()
    };
    let mut trainer = Trainer::new(network, &training, data, rows, &[], machine)?;
    let (mut rates, mut costs, mut has_diverged) = (Vec::new(), Vec::new(), false);
    for step in 0..steps {
        let rate = from * Real::powf(to / from, step as f64 / (steps - 1) as f64);
        let Some(report) = trainer.step_at(Some(rate)) else {
            if let Some(trouble) = trainer.trouble() {
                return Err(trouble.clone());
            }
            has_diverged = true;
            break;
        };
        rates.push(rate);
        costs.push(report.cost);
        let recent = &costs[costs.len().saturating_sub(AROUND)..];
        let now = recent.iter().sum::<f64>() / recent.len() as f64;
        let lowest = costs.iter().copied().fold(f64::INFINITY, f64::min);
        if now > lowest + RISEN * f64::max(costs[0] - lowest, lowest.abs()) {
            has_diverged = true;
            break;
        }
    }
    if costs.len() < 3 {
        return Err(Error::training(format!(
            "the cost is not a finite number at a learning rate of {from:e} already"
        ))
        .help("scale the features and targets"));
    }
    Ok(RateTest::of(&rates, &costs, has_diverged))
}

impl RateTest {
    fn of(rates: &[f64], costs: &[f64], has_diverged: bool) -> Self {
        let smoothed: Vec<f64> = (0..costs.len())
            .map(|at| {
                // Fewer where the test begins and ends, as many on each side.
                let around = AROUND.min(at).min(costs.len() - 1 - at);
                let counted = (at - around..=at + around).map(|near| {
                    let count = (1 + around - near.abs_diff(at)) as f64;
                    (count * costs[near], count)
                });
                let (sum, counts) = counted.fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
                sum / counts
            })
            .collect();
        // What the smallest rates leave as it is: single batches differ from it by chance.
        let start = &costs[..START.min(costs.len())];
        let level = start.iter().sum::<f64>() / start.len() as f64;
        let squares = start.iter().map(|cost| (cost - level) * (cost - level)).sum::<f64>();
        let noise = (squares / start.len() as f64).sqrt();
        let least = f64::max(LEAST_FALL * level.abs(), DEVIATIONS * noise);
        // Where the cost rises again, the rates were too large; a later fall is that of a run that goes to and fro.
        let mut lowest = 0;
        for at in 0..smoothed.len() {
            let rise = smoothed[at] - smoothed[lowest];
            if smoothed[at] < smoothed[lowest] {
                lowest = at;
            } else if rise > RISE_OF_FALL * (level - smoothed[lowest]) && level - smoothed[lowest] > least {
                break;
            }
        }
        let fallen = level - smoothed[lowest];
        let has_fallen = fallen > least;
        let fall = |at: usize| smoothed[at - 1] - smoothed[at + 1];
        // The fall begins behind the last place that is about as high as the start.
        let begin = (0..lowest).rev().find(|&at| smoothed[at] > level - BEGUN * fallen).unwrap_or(0);
        let steepest = (begin.max(1)..lowest).fold(None, |best, at| match best {
            Some(best) if fall(best) >= fall(at) => Some(best),
            _ => Some(at),
        });
        let points = rates.iter().zip(costs).zip(&smoothed);
        Self {
            points: points.map(|((&rate, &cost), &smoothed)| RatePoint { rate, cost, smoothed }).collect(),
            steepest: steepest.filter(|_| has_fallen).map(|at| rates[at]),
            tenth_of_lowest: has_fallen.then(|| rates[lowest] / 10.0),
            has_diverged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steepest_fall_and_the_lowest_cost_are_where_they_are_put() {
        // A cost that falls around the 40th rate, is lowest at the 60th and then rises.
        let range = RateRange::default();
        let rates: Vec<f64> = (0..100).map(|at| range.from * Real::powf(1e8, f64::from(at) / 99.0)).collect();
        let costs: Vec<f64> = (0..100)
            .map(|at| {
                let from = f64::from(at) - 40.0;
                2.0 - Real::tanh(from / 6.0) + Real::exp((f64::from(at) - 75.0) / 5.0)
            })
            .collect();
        let found = RateTest::of(&rates, &costs, false);
        let place = |rate: f64| rates.iter().position(|own| *own == rate).unwrap();
        assert!(place(found.steepest.unwrap()).abs_diff(40) <= 1, "{:?}", found.steepest);
        let lowest = (0..100).min_by(|&a, &b| costs[a].total_cmp(&costs[b])).unwrap();
        let tenth = place(
            *rates
                .iter()
                .min_by(|a, b| {
                    let wanted = found.tenth_of_lowest.unwrap() * 10.0;
                    (*a - wanted).abs().total_cmp(&(*b - wanted).abs())
                })
                .unwrap(),
        );
        assert!(tenth.abs_diff(lowest) <= 2, "{tenth}, not {lowest}");
        // Noise at the start is no fall, and neither is that after a rise.
        let noisy: Vec<f64> = (0..100)
            .map(|at| {
                let chance = 0.3 * f64::from((at * 37 % 11) as u8) / 11.0;
                let bounced = if at > 80 {
                    Real::exp(f64::from(at - 80) / 4.0).min(3.0) * (1.0 - f64::from(at % 3) / 3.0)
                } else {
                    0.0
                };
                2.0 + chance - Real::tanh((f64::from(at) - 60.0) / 5.0) + bounced
            })
            .collect();
        let found = RateTest::of(&rates, &noisy, false);
        assert!(place(found.steepest.unwrap()).abs_diff(60) <= 5, "{}", place(found.steepest.unwrap()));
        let tenth = found.tenth_of_lowest.unwrap() * 10.0;
        assert!(tenth >= rates[60] && tenth <= rates[85], "{tenth:e}");
        // A line stays a line, and noise without a fall is none.
        let line: Vec<f64> = (0..50).map(|at| 5.0 - 0.05 * f64::from(at)).collect();
        for (point, cost) in RateTest::of(&rates[..50], &line, false).points.iter().zip(&line) {
            assert!((point.smoothed - cost).abs() < 1e-12);
        }
        let noise: Vec<f64> = (0..100).map(|at| 1.0 + 1e-3 * f64::from(at * 7 % 5)).collect();
        let found = RateTest::of(&rates, &noise, false);
        assert_eq!((found.steepest, found.tenth_of_lowest), (None, None));
    }
}
