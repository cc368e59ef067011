//! What a nudge of one number says of its gradient: a nudge small enough that the cost hardly bends within it, or why
//! none is.

use super::Trace;
use super::check::{Branches, rounding_of_cost};
use crate::error::Result;

/// The nudge that is tried first.
const NUDGE: f64 = 0.001;
/// Smaller ones follow, each a tenth of the one before.
const NUDGES: i32 = 6;
/// A quotient so near to the gradient, relative to it, is called close.
const CLOSE: f64 = 0.01;

/// What nudges tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Nudge {
    /// The cost changes so much with the number plus `by`, and that divided by `by` is close to the gradient.
    Above { by: f64, change: f64 },
    /// The same from the number minus `by` to the number plus `by`.
    Around { by: f64, change: f64 },
    /// The number stands at a kink of the cost: what the cost changes by on either side.
    Kink { by: f64, above: f64, below: f64 },
    /// A kink lies so near that nudges which stay on this side of it are lost in the rounding of the cost, or the cost
    /// bends so much: the nearest that there is.
    Bends { by: f64, change: f64 },
    /// What a nudge of `by` changes is smaller than the rounding of the cost.
    Hidden { by: f64, change: f64, rounding: f64 },
}

impl Nudge {
    /// Nudges one number of a parameter.
    ///
    /// # Errors
    /// If the network contradicts itself.
    pub(super) fn of(trace: &Trace, place: usize, element: usize) -> Result<Self> {
        let (number, gradient) = (trace.parameter(place)[element], trace.gradient(place)[element]);
        let cost = |by: f64| trace.cost_with(place, element, number + by);
        let rounding = rounding_of_cost(trace);
        let is_close = |slope: f64| (slope - gradient).abs() <= CLOSE * gradient.abs();
        let mut parameters: Vec<Vec<f64>> =
            (0..trace.parameters().len()).map(|place| trace.parameter(place).to_vec()).collect();
        let mut branches = Branches::plain(trace, &parameters)?;
        let mut crosses = |by: f64| branches.crossed_within(&mut parameters, (place, element), by);
        let above = cost(NUDGE) - trace.cost();
        let is_smooth = !crosses(NUDGE) || is_close((trace.cost() - cost(-NUDGE)) / NUDGE);
        if is_smooth && is_close(above / NUDGE) {
            return Ok(Self::Above { by: NUDGE, change: above });
        }
        let mut best: Option<(f64, f64)> = None;
        let mut is_kink = true;
        for at in 0..NUDGES {
            let by = NUDGE / 10_f64.powi(at);
            if crosses(by) {
                continue;
            }
            is_kink = false;
            let change = cost(by) - cost(-by);
            let error = |(by, change): (f64, f64)| (change / (2.0 * by) - gradient).abs();
            if is_close(change / (2.0 * by)) {
                return Ok(Self::Around { by, change });
            }
            if best.is_none_or(|best| error((by, change)) < error(best)) {
                best = Some((by, change));
            }
        }
        if is_kink {
            return Ok(Self::Kink { by: NUDGE, above, below: cost(-NUDGE) - trace.cost() });
        }
        if gradient.abs() * NUDGE <= rounding && above.abs() <= rounding {
            return Ok(Self::Hidden { by: NUDGE, change: above, rounding });
        }
        let (by, change) = best.unwrap_or((NUDGE, cost(NUDGE) - cost(-NUDGE)));
        Ok(Self::Bends { by, change })
    }
}
