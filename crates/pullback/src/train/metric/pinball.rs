//! The mean pinball loss: how good predicted quantiles are.

use super::scored::AMOUNTS;
use super::{For, IntervalBy, Item, Scored, mean_score};
use crate::network::Cost;

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "pinball",
    title: "pinball",
    doc: "mean pinball loss at the cost's quantile, in the targets' units",
    higher_is_better: false,
    targets: For::Quantiles,
    interval: IntervalBy::Resamples,
    value: mean_score,
    example: (Scored { trained_by: Some(Cost::Quantile(0.9)), ..AMOUNTS }, 0.305),
};
