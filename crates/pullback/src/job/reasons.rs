//! Why what settings leave open was decided as it was, in words, by the rules of `decide` and `images`.

use super::decide::{FEWEST_ROWS_OF_A_MEMBER, MANY_ROWS, MEMBERS_BY_ROWS, MOST_COLUMNS_OF_PIECES, image};
use super::images::LEAST_PIXELS;
use super::rows::FEWEST_ROWS_TO_SPLIT;
use super::settings::Settings;
use crate::data::{Preprocessing, Table};
use crate::network::{Layer, Network};
use crate::train::{Optimizer, Training};
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

/// What decisions are made from.
pub(super) struct Facts<'a> {
    /// What was said.
    pub(super) given: &'a Settings,
    pub(super) table: &'a Table,
    pub(super) preprocessing: &'a Preprocessing,
    /// How many rows a network is trained on.
    pub(super) rows: usize,
    pub(super) is_fast: bool,
    pub(super) members: usize,
    pub(super) pieces: usize,
    pub(super) has_convolutions: bool,
    pub(super) network: &'a Network,
    pub(super) training: &'a Training,
}

impl Facts<'_> {
    /// What was left open, in the order in which a network is made and trained.
    pub(super) fn reasons(&self) -> Vec<Reason> {
        [self.networks(), self.layers(), self.pieces(), self.rate(), self.decay(), self.epochs()]
            .into_iter()
            .flatten()
            .map(|(choice, why)| Reason { choice, why })
            .collect()
    }

    fn networks(&self) -> Option<(String, String)> {
        let Self { given, table, members, .. } = self;
        if given.ensemble.is_some() || given.fast == Some(true) {
            return None;
        }
        if *members > 1 {
            let (rows, _) = MEMBERS_BY_ROWS.iter().find(|(rows, _)| table.rows() < *rows)?;
            return Some((format!("{members} networks"), format!("a table of fewer than {rows} rows")));
        }
        let why = if given.describes_one() {
            "the network or its training is described".to_owned()
        } else if image(self.preprocessing).is_some() {
            "images".to_owned()
        } else if table.rows() < FEWEST_ROWS_TO_SPLIT {
            format!("fewer than {FEWEST_ROWS_TO_SPLIT} rows")
        } else {
            let (rows, _) = MEMBERS_BY_ROWS.last().filter(|(rows, _)| table.rows() >= *rows)?;
            format!("{rows} rows or more")
        };
        Some(("one network".to_owned(), why))
    }

    fn layers(&self) -> Option<(String, String)> {
        let Self { given, rows, is_fast, network, .. } = self;
        if given.network.is_some() || given.hidden.is_some() {
            return None;
        }
        if self.has_convolutions {
            let is_open = given.convolutions.is_none();
            return is_open.then(|| {
                (
                    "convolutions".to_owned(),
                    format!("images of at least {LEAST_PIXELS}x{LEAST_PIXELS} pixels"),
                )
            });
        }
        let units: Vec<String> =
            network.layers.iter().filter_map(Layer::units).map(|u| u.to_string()).collect();
        let (_, hidden) = units.split_last()?;
        let inputs = self.preprocessing.inputs();
        let why = match (*is_fast, *rows, inputs) {
            (false, 1000.., _) => "at least 1000 rows to train on",
            (false, FEWEST_ROWS_OF_A_MEMBER.., _) => "fewer than 1000 rows to train on",
            (_, ..10, _) => "fewer than 10 rows to train on",
            (_, _, ..=8) => "at most 8 inputs",
            (_, _, 256..) => "at least 256 inputs",
            (_, 1000.., _) => "at least 1000 rows to train on",
            _ => "9 to 255 inputs and fewer than 1000 rows",
        };
        Some((format!("hidden {}", hidden.join(",")), why.to_owned()))
    }

    fn pieces(&self) -> Option<(String, String)> {
        (self.given.pieces.is_none() && self.pieces > 0).then(|| {
            let why = format!(
                "at least {FEWEST_ROWS_OF_A_MEMBER} rows and at most {MOST_COLUMNS_OF_PIECES} columns of numbers"
            );
            (format!("{} pieces of each number", self.pieces), why)
        })
    }

    fn rate(&self) -> Option<(String, String)> {
        let Self { given, rows, is_fast, training, .. } = self;
        let is_adam = matches!(training.optimizer, Optimizer::Adam { .. } | Optimizer::AdamW { .. });
        if given.learning_rate.is_some() || !is_adam {
            return None;
        }
        let is_short = *is_fast || *rows < FEWEST_ROWS_OF_A_MEMBER;
        let why = match (is_short, *rows) {
            _ if self.has_convolutions => "convolutions",
            (true, ..200) => "fewer than 200 rows to train on",
            (true, ..5000) if self.preprocessing.inputs() <= 8 => "at most 8 inputs and fewer than 5000 rows",
            (true, _) => "Adam, as is usual",
            (false, ..5000) => "fewer than 5000 rows to train on",
            (false, _) => "at least 5000 rows to train on",
        };
        Some((format!("learning rate {}", training.learning_rate()), why.to_owned()))
    }

    fn decay(&self) -> Option<(String, String)> {
        let Self { given, rows, training, .. } = self;
        let decay = training.optimizer.get("weight_decay").filter(|_| given.weight_decay.is_none())?;
        if self.is_fast && !self.has_convolutions {
            return None;
        }
        let why = match self.preprocessing.target().target().classes() {
            _ if self.has_convolutions => "convolutions",
            Some(_) if *rows < FEWEST_ROWS_OF_A_MEMBER => "classes and fewer than 200 rows",
            Some(_) => "classes",
            None => "numbers to predict",
        };
        Some((format!("weight decay {decay}"), why.to_owned()))
    }

    fn epochs(&self) -> Option<(String, String)> {
        let Self { given, rows, is_fast, training, .. } = self;
        if given.epochs.is_some() {
            return None;
        }
        let why = match (*is_fast || *rows < FEWEST_ROWS_OF_A_MEMBER, *rows) {
            _ if self.has_convolutions => "2.6e12 multiply-adds, from 5 to 100",
            (true, ..100) => "10000 steps, from 10 to 2000",
            (true, _) => "10000 steps, from 10 to 500",
            (false, ..MANY_ROWS) => "60000 steps, from 60 to 500",
            (false, _) => "3000000 rows, at least 10",
        };
        Some((format!("{} epochs", training.epochs), why.to_owned()))
    }
}
