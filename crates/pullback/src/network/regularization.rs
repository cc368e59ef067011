//! What is added to the cost for large weights. Biases, scales and shifts are left out.

use crate::choice::Bound;
use crate::error::Result;
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};

/// L2 adds `l2 / 2 * sum(w^2)`, L1 adds `l1 * sum(|w|)`; a layer can have its own instead.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Regularization {
    /// The strength of L2, called weight decay or lambda.
    pub l2: f64,
    /// The strength of L1.
    pub l1: f64,
    /// Whether both are divided by the number of examples in the batch, or by the sum of their weights: with this, and
    /// all examples in one batch of m, L2 is the `lambda / (2m)` of Ng's course.
    pub divide_by_batch: bool,
}

impl Regularization {
    /// Refuses strengths that are negative, or no strengths any more as numbers of `T`.
    pub(super) fn check<T: Real>(&self) -> Result<()> {
        strength::<T>("l1", self.l1)?;
        strength::<T>("l2", self.l2)
    }
}

fn strength<T: Real>(name: &str, value: f64) -> Result<()> {
    Bound::AtLeastZero.check::<T>(name, value)
}
