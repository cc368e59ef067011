//! The mean deviance: how far predicted means are from the best there could be, by the cost's distribution.

use super::scored::AMOUNTS;
use super::{For, IntervalBy, Item, Scored, mean_score};
use crate::network::Cost;

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "deviance",
    title: "deviance",
    doc: "mean deviance of the cost's distribution: Poisson's, the gamma or a Tweedie distribution's",
    higher_is_better: false,
    targets: For::LogLinks,
    interval: IntervalBy::Resamples,
    value: mean_score,
    example: (Scored { trained_by: Some(Cost::Tweedie(1.5)), ..AMOUNTS }, 0.214_983_699_659_825_42),
};
