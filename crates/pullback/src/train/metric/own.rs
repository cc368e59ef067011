//! The score that a cost has of its own, for one prediction and its target, and the constant that is best by it.

use crate::network::Cost;
use pullback_kernels::Real;

/// A predicted mean of zero is taken for this: a prediction of f32 is no nearer to zero.
const LEAST: f64 = 1e-38;

/// Whether [`score`] says something, for some targets.
pub(super) fn has_score(cost: Cost) -> bool {
    matches!(cost, Cost::AbsoluteError | Cost::Quantile(_)) || cost.has_log_link()
}

/// How bad a prediction is: its absolute error, its pinball loss (Koenker and Bassett, 1978), or its deviance. Absent for
/// a cost without a score of its own, and for a target that the cost does not take.
pub(super) fn score(cost: Cost, predicted: f64, target: f64) -> Option<f64> {
    let error = target - predicted;
    match cost {
        _ if !cost.takes().allows(target) => None,
        Cost::AbsoluteError => Some(error.abs()),
        Cost::Quantile(tau) => Some(if error >= 0.0 { tau * error } else { (tau - 1.0) * error }),
        Cost::Poisson => Some(deviance(1.0, predicted, target)),
        Cost::Tweedie(power) => Some(deviance(power, predicted, target)),
        Cost::Gamma => Some(deviance(2.0, predicted, target)),
        _ => None,
    }
}

/// The unit deviance of a distribution whose variance is proportional to a power of its mean (Jorgensen, 1987), from 1,
/// Poisson's, to 2, the gamma distribution's. It is zero where the prediction is the target.
fn deviance(power: f64, mean: f64, target: f64) -> f64 {
    let mean = Real::max(mean, LEAST);
    let raised = |x: f64, by: f64| if x > 0.0 { Real::exp(by * Real::ln(x)) } else { 0.0 };
    if power == 1.0 {
        let information = if target > 0.0 { target * Real::ln(target / mean) } else { 0.0 };
        return 2.0 * (information - target + mean);
    }
    if power == 2.0 {
        return 2.0 * (Real::ln(mean / target) + target / mean - 1.0);
    }
    let (one, two) = (1.0 - power, 2.0 - power);
    2.0 * (raised(target, two) / (one * two) - target * raised(mean, one) / one + raised(mean, two) / two)
}

/// The constant that is the best prediction of some targets by a cost: the median for absolute errors (and for
/// [Huber's](Cost::Huber), which are like them far out), a quantile for [quantiles](Cost::Quantile), else the mean.
/// Each target counts as often as its weight says. It is no number where nothing counts.
///
/// ```
/// use pullback::network::Cost;
/// use pullback::train::best_constant;
/// let targets = [1.0, 2.0, 3.0, 10.0];
/// assert_eq!(best_constant(Some(Cost::SquaredError), &targets, None), 4.0);
/// assert_eq!(best_constant(Some(Cost::AbsoluteError), &targets, None), 2.5);
/// assert_eq!(best_constant(Some(Cost::Quantile(0.9)), &targets, None), 10.0);
/// ```
pub fn best_constant(cost: Option<Cost>, targets: &[f64], weights: Option<&[f64]>) -> f64 {
    match cost {
        Some(Cost::AbsoluteError | Cost::Huber(_)) => quantile(0.5, targets, weights),
        Some(Cost::Quantile(tau)) => quantile(tau, targets, weights),
        _ => {
            let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
            let sum: f64 = targets.iter().enumerate().map(|(row, target)| weight(row) * target).sum();
            sum / (0..targets.len()).map(weight).sum::<f64>()
        }
    }
}

/// The target up to which a part `tau` of the weights lies; between two targets that are as good, the middle.
fn quantile(tau: f64, targets: &[f64], weights: Option<&[f64]>) -> f64 {
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let mut order: Vec<usize> = (0..targets.len()).filter(|&row| weight(row) > 0.0).collect();
    order.sort_by(|&one, &other| targets[one].total_cmp(&targets[other]));
    let wanted = tau * order.iter().map(|&row| weight(row)).sum::<f64>();
    let mut below = 0.0;
    for (at, &row) in order.iter().enumerate() {
        below += weight(row);
        // What a sum of weights is off by, the mean of two targets is off by half their distance.
        let is_between = (below - wanted).abs() <= 1e-12 * wanted;
        match order.get(at + 1) {
            Some(&next) if is_between => return 0.5 * (targets[row] + targets[next]),
            Some(_) if below < wanted => {}
            _ => return targets[row],
        }
    }
    f64::NAN
}
