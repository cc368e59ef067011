//! Why what settings leave open was decided as it was, in words: the reasons of the `rules`.

use super::images::{LEAST_PIXELS, image};
use super::rows::FEWEST_ROWS_TO_SPLIT;
use super::rules::{self, Case};
use super::settings::Settings;
use crate::data::{Preprocessing, Table};
use crate::error::Result;
use crate::network::{Layer, Network};
use crate::train::{Batch, Training};
use serde::Serialize;
use std::fmt;

/// Something that was decided, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What was decided: `8 networks`.
    pub choice: String,
    /// Why: `a table of fewer than 50000 rows`.
    pub why: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.choice, self.why)
    }
}

/// What was decided, and from what.
pub(super) struct Facts<'a> {
    /// What was said.
    pub(super) given: &'a Settings,
    pub(super) table: &'a Table,
    pub(super) preprocessing: &'a Preprocessing,
    pub(super) case: Case,
    pub(super) members: usize,
    pub(super) pieces: usize,
    pub(super) network: &'a Network,
    pub(super) training: &'a Training,
}

impl Facts<'_> {
    /// What was left open, in the order in which a network is made and trained.
    ///
    /// # Errors
    /// If the network contradicts itself.
    pub(super) fn reasons(&self) -> Result<Vec<Reason>> {
        let Self { given, case, training, .. } = self;
        let mut reasons = Vec::new();
        let mut add = |choice: String, why: String| reasons.push(Reason { choice, why });
        if given.ensemble.is_none() && given.fast != Some(true) {
            let networks =
                if self.members == 1 { "one network".into() } else { format!("{} networks", self.members) };
            add(networks, self.why_so_many());
        }
        let units: Vec<String> =
            self.network.layers.iter().filter_map(Layer::units).map(|units| units.to_string()).collect();
        let is_open = given.network.is_none() && given.hidden.is_none();
        match units.split_last() {
            _ if case.has_convolutions && is_open && given.convolutions.is_none() => {
                add(
                    "convolutions".into(),
                    format!("images of at least {LEAST_PIXELS}x{LEAST_PIXELS} pixels"),
                );
            }
            Some((_outputs, hidden)) if is_open && !case.has_convolutions => {
                add(format!("hidden {}", hidden.join(",")), case.hidden().why);
            }
            _ => {}
        }
        if given.pieces.is_none() && self.pieces > 0 {
            add(format!("{} pieces of each number", self.pieces), rules::pieces(0, case.rows).why);
        }
        if given.learning_rate.is_none() && !training.optimizer.is_searching() {
            add(format!("learning rate {}", training.learning_rate()), case.rate(training.optimizer).why);
        }
        let decay = training.optimizer.get("weight_decay").filter(|_| given.weight_decay.is_none());
        if let Some(decay) = decay.filter(|_| !case.is_fast || case.has_convolutions) {
            add(format!("weight decay {decay}"), case.decay().why);
        }
        if given.epochs.is_none() {
            let steps = match training.batch {
                Batch::Of(examples) => case.rows.div_ceil(examples.max(1)),
                Batch::Full => 1,
            };
            add(format!("{} epochs", training.epochs), case.epochs(self.network, steps)?.why);
        }
        Ok(reasons)
    }

    /// Why so many networks are trained.
    fn why_so_many(&self) -> String {
        let rows = self.table.rows();
        if self.members > 1 {
            rules::members(rows).why
        } else if self.given.describes_one() {
            "the network or its training is described".into()
        } else if image(self.preprocessing).is_some() {
            "images".into()
        } else if rows < FEWEST_ROWS_TO_SPLIT {
            format!("fewer than {FEWEST_ROWS_TO_SPLIT} rows")
        } else {
            rules::members(rows).why
        }
    }
}
