//! The cost: what training minimizes.

use super::{For, IntervalBy, Item, Scored, Truth};

/// The item of the list.
pub(super) const ITEM: Item = Item {
    name: "cost",
    title: "cost",
    doc: "mean cost of the rows, without regularization",
    higher_is_better: false,
    targets: For::All,
    interval: IntervalBy::None,
    value: |scored| scored.cost,
    example: (Scored { cost: Some(0.25), ..Scored::new(&[1.0], 1, Truth::Numbers(&[0.5])) }, 0.25),
};
