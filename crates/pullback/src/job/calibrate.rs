//! The temperature of a model's probabilities: the one with which the log loss of rows that were not trained on is least.
//!
//! The rows are those that training was watched by. Of an ensemble, each row is predicted by the networks that were not
//! trained on it. The temperature is that of each network, before their probabilities are averaged: so the log loss of
//! their mean is at most the mean of their log losses (which is convex), and no row has to be predicted by a network
//! that has learned it.

use super::{Decided, configuration};
use crate::data::Targets;
use crate::error::Result;
use crate::model::{Model, Partition, Temperature};
use crate::network::Takes;
use crate::random::{Purpose, Random};
use crate::train::Machine;
use pullback_kernels::Real;
use serde::Serialize;
use std::collections::BTreeMap;

/// How probabilities were calibrated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Calibration {
    /// By what weighted sums are divided.
    pub temperature: Temperature,
    /// How many rows say so.
    pub rows: usize,
    /// Their log loss with a temperature of 1.
    pub log_loss_before: f64,
    /// Their log loss with this one.
    pub log_loss: f64,
}

/// The temperature with which probabilities are asked for from which those of all others are computed: so high that none
/// is rounded to 0 or 1.
const ASKED: f64 = 10.0;
/// So many rows say what one number is to be; more would only take memory.
const MOST_ROWS: usize = 100_000;
/// The address of the draw of these rows, apart from those of all splits.
const DRAW: u32 = u32::MAX - 1;
/// Two temperatures whose logarithms differ by less are equal.
const CLOSE: f64 = 1e-9;

/// Refuses what cannot be calibrated.
pub(super) fn check(job: &Decided) -> Result<()> {
    let cost = job.network().cost;
    if !cost.is_for_classes() {
        return Err(configuration(
            format!("`--calibrate` is for probabilities, but the cost {cost} predicts numbers"),
            "leave it out, or predict classes",
        ));
    }
    let is_watched = job.rows.watched.is_some()
        || (0..job.members.len()).all(|member| !job.rows.of_member(member).1.is_empty());
    if !is_watched {
        return Err(configuration(
            "`--calibrate` fits a temperature to validation rows, but none are held out",
            "hold some out, for example with `--validation 0.2`",
        ));
    }
    Ok(())
}

/// The model with the temperature that the rows say which its networks were watched by.
pub(super) fn calibrate(
    job: &Decided,
    model: Model<f32>,
    machine: &Machine,
) -> Result<(Model<f32>, Calibration)> {
    let asked = model.clone().with_temperature(Some(Temperature::new(ASKED)?))?;
    let is_one_of = job.network().cost.takes() == Takes::Classes;
    // The weighted sums of each row, but for a number that is added to all, of each network that was not trained on it.
    let mut sums: BTreeMap<usize, Vec<Vec<f64>>> = BTreeMap::new();
    let random = Random::new(job.training().seed, Purpose::Split, DRAW);
    let most = MOST_ROWS / asked.member_count();
    for own in (0..asked.member_count()).filter_map(|index| asked.member(index)) {
        let watched = own.run().and_then(|run| run.rows.as_ref()).map_or(&[][..], Partition::validation);
        let (table, watched) = match &job.rows.watched {
            Some(table) => (&**table, random.some_of(table.rows(), most)),
            None => {
                let some = random.some_of(watched.len(), most);
                (&job.table, some.into_iter().map(|at| watched[at]).collect())
            }
        };
        let prediction = own.predict(&table.select(&watched)?, machine)?;
        for (row, &place) in prediction.numbers.chunks_exact(prediction.outputs).zip(&watched) {
            let sum = |&p: &f64| {
                if is_one_of { ASKED * Real::ln(p) } else { ASKED * (Real::ln(p) - Real::ln(1.0 - p)) }
            };
            let row: Vec<f64> = row.iter().map(sum).collect();
            // As often as the network counts in the mean.
            sums.entry(place).or_default().extend((0..own.times()).map(|_| row.clone()));
        }
    }
    let rows: Vec<usize> = sums.keys().copied().collect();
    let table = job.rows.watched.as_deref().unwrap_or(&job.table).select(&rows)?;
    let targets: Targets<f32> = job.preprocessing.target().apply(&table)?;
    let weights = job.preprocessing.row_weights(&table)?;
    let yes = targets.to_dense().into_iter().map(|yes| yes == 1.0).collect();
    let loss = Loss { sums: sums.into_values().collect(), yes, weights: weights.as_deref(), is_one_of };
    let (least, greatest) = Temperature::BOUNDS;
    let found = Real::exp(minimum(|log| loss.at(Real::exp(log)), (Real::ln(least), Real::ln(greatest))));
    let (before, after) = (loss.at(1.0), loss.at(found));
    // Rounding may leave the bounds.
    let (temperature, log_loss) = match after < before {
        true => (Temperature::new(found.clamp(least, greatest))?, after),
        false => (Temperature::ONE, before),
    };
    let calibration = Calibration { temperature, rows: rows.len(), log_loss_before: before, log_loss };
    Ok((model.with_temperature(Some(temperature))?, calibration))
}

/// The log loss of some rows at a temperature.
struct Loss<'a> {
    /// The weighted sums of each row: `[networks][outputs]`.
    sums: Vec<Vec<Vec<f64>>>,
    /// Whether each output is to be 1, `[rows, outputs]`.
    yes: Vec<bool>,
    weights: Option<&'a [f64]>,
    /// Whether the outputs of a row are one choice, and not each yes or no.
    is_one_of: bool,
}

impl Loss<'_> {
    fn at(&self, temperature: f64) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        let mut mean = Vec::new();
        for (row, networks) in self.sums.iter().enumerate() {
            mean.clear();
            mean.resize(networks[0].len(), 0.0);
            for sums in networks {
                self.add(sums, temperature, &mut mean);
            }
            mean.iter_mut().for_each(|p| *p /= networks.len() as f64);
            let each = mean.iter().zip(&self.yes[row * mean.len()..]);
            let loss: f64 = match self.is_one_of {
                true => each.filter(|(_, yes)| **yes).map(|(&p, _)| -log(p)).sum(),
                // Of labels, as their log loss, the mean.
                false => {
                    each.map(|(&p, &yes)| -log(if yes { p } else { 1.0 - p })).sum::<f64>()
                        / mean.len() as f64
                }
            };
            let weight = self.weights.map_or(1.0, |weights| weights[row]);
            sum += weight * loss;
            total += weight;
        }
        if total > 0.0 { sum / total } else { 0.0 }
    }

    /// Adds the probabilities of some weighted sums.
    fn add(&self, sums: &[f64], temperature: f64, to: &mut [f64]) {
        if !self.is_one_of {
            let yes = |sum: f64| 1.0 / (1.0 + Real::exp(-sum / temperature));
            to.iter_mut().zip(sums).for_each(|(to, &sum)| *to += yes(sum));
            return;
        }
        let largest = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let raised = |sum: f64| Real::exp((sum - largest) / temperature);
        let all: f64 = sums.iter().map(|&sum| raised(sum)).sum();
        to.iter_mut().zip(sums).for_each(|(to, &sum)| *to += raised(sum) / all);
    }
}

/// The logarithm of a probability; one of 0 is taken for the least number.
fn log(probability: f64) -> f64 {
    Real::ln(Real::max(probability, f64::MIN_POSITIVE))
}

/// Where a function with one minimum between two places is least, by golden section (Kiefer, 1953).
fn minimum(of: impl Fn(f64) -> f64, (mut low, mut high): (f64, f64)) -> f64 {
    /// One less than the golden ratio.
    const PART: f64 = 0.618_033_988_749_894_8;
    let (mut left, mut right) = (high - PART * (high - low), low + PART * (high - low));
    let (mut at_left, mut at_right) = (of(left), of(right));
    while high - low > CLOSE {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - PART * (high - low);
            at_left = of(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + PART * (high - low);
            at_right = of(right);
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temperature_is_where_scipy_finds_the_minimum() {
        // tests/oracle/calibration.py
        let sums = [[2.0, -1.0, 0.5], [0.1, 3.0, -2.0], [4.0, 1.0, 0.0], [-1.0, 0.5, 2.5], [3.0, 2.0, -1.0]];
        let one_of = |ids: &[usize]| ids.iter().flat_map(|&id| (0..3).map(move |at| at == id)).collect();
        let loss = Loss {
            sums: sums.iter().map(|row| vec![row.to_vec()]).collect(),
            yes: one_of(&[0, 1, 1, 2, 1]),
            weights: None,
            is_one_of: true,
        };
        let find = |loss: &Loss<'_>| Real::exp(minimum(|log| loss.at(Real::exp(log)), (-3.0, 3.0)));
        let near = |found: f64, right: f64| assert!((found - right).abs() < 1e-6, "{found} for {right}");
        near(loss.at(1.0), 0.969_373_011_310_867_6);
        near(find(&loss), 1.970_658_037_5);
        let weighted = Loss {
            weights: Some(&[1.0, 0.5, 2.0, 3.0, 0.0]),
            sums: loss.sums.clone(),
            yes: loss.yes.clone(),
            ..loss
        };
        near(find(&weighted), 2.134_658_794_8);
        // Two networks for each row: what counts is the loss of their mean.
        let pairs = sums.windows(2).map(|pair| pair.iter().map(|row| row.to_vec()).collect()).collect();
        let pairs = Loss { sums: pairs, yes: one_of(&[0, 1, 1, 2]), weights: None, is_one_of: true };
        near(pairs.at(1.0), 1.228_804_468_470_122_5);
        near(find(&pairs), 3.644_590_434_1);
        let yes = |sum: f64| vec![vec![sum]];
        let binary = Loss {
            sums: [4.0, -3.0, 2.0, -5.0, 1.0, 3.0].map(yes).to_vec(),
            yes: [1, 0, 0, 0, 1, 1].map(|yes| yes == 1).to_vec(),
            weights: None,
            is_one_of: false,
        };
        near(find(&binary), 1.547_448_535_8);
    }
}
