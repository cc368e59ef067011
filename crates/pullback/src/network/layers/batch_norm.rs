//! Normalization over the batch.

use super::item::{any_numbers, epsilon, hundred_thousandth, not_codes};
use super::{Item, LayerCase};
use crate::choice::Bound;
use crate::graph::ops::Dice;
use crate::graph::{NodeRole, Var};
use crate::network::declare::Declaration;
use crate::network::lower::{Lowering, Mode};
use crate::network::path::Refusal;
use crate::network::{Form, Role};
use serde::{Deserialize, Serialize};

/// Centers and scales each column, or each channel of an image, by its mean and variance over the batch
/// (in evaluation: by running averages), then by a trained scale and shift (Ioffe, Szegedy, 2015).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNorm {
    /// How much of each new mean and variance goes into the running ones.
    #[serde(default = "tenth")]
    pub momentum: f64,
    /// Added to the variance.
    #[serde(default = "hundred_thousandth")]
    pub epsilon: f64,
}

fn tenth() -> f64 {
    0.1
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self { momentum: tenth(), epsilon: hundred_thousandth() }
    }
}

impl BatchNorm {
    /// Mean and variance of the batch; they also move the running ones. As is usual, the running
    /// variance takes the unbiased estimate, the step itself the biased one.
    fn statistics<'b>(&self, at: &mut Lowering<'_, 'b>, value: Var<'b>) -> (Var<'b>, Var<'b>) {
        let batch = value.shape().sizes()[0] as f64;
        at.role(NodeRole::Mean);
        let mean = value.mean(&[0]);
        at.role(NodeRole::Variance);
        let centered = value - mean;
        let variance = (centered * centered).mean(&[0]);
        let unbiased = variance.scale(if batch > 1.0 { batch / (batch - 1.0) } else { 1.0 });
        for (name, role, new) in [
            ("running_mean", NodeRole::RunningMean, mean),
            ("running_variance", NodeRole::RunningVariance, unbiased),
        ] {
            at.role(role);
            let moved = at.parameter(name).scale(1.0 - self.momentum) + new.scale(self.momentum);
            at.statistic(name, moved);
        }
        (mean, variance)
    }
}

impl Item for BatchNorm {
    const KIND: &'static str = "batch_norm";

    fn describe(&self) -> String {
        "batch norm".into()
    }

    fn numbers(&self) -> Vec<(String, Bound, f64)> {
        vec![("the momentum of batch norm".into(), Bound::UpToOne, self.momentum), epsilon(self.epsilon)]
    }

    fn form(&self, reads: Form) -> Result<Form, Refusal> {
        not_codes(reads)
    }

    fn declare(&self, reads: Form, to: &mut Declaration<'_>) {
        let row = [reads.columns()];
        to.add("scale", Role::Scale, row);
        to.add("shift", Role::Shift, row);
        to.add("running_mean", Role::RunningMean, row);
        to.add("running_variance", Role::RunningVariance, row);
    }

    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b> {
        let value = at.matrix(reads, x);
        let (mean, variance) = match at.mode() {
            Mode::Training => self.statistics(at, value),
            Mode::Evaluation => (at.parameter("running_mean"), at.parameter("running_variance")),
        };
        at.normalize(value, mean, variance, self.epsilon)
    }

    fn case(dice: &mut Dice) -> LayerCase {
        LayerCase::new(BatchNorm::default(), any_numbers(dice))
    }
}
