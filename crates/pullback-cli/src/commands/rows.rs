//! Which rows are trained on, which are watched, and which are tested on.

use crate::failure::{Failure, Result};
use crate::settings::Settings;
use pullback::data::{Table, split, strata};
use pullback::random::{Purpose, Random};
use pullback_data::Parts;

/// Below so many rows the test is on the training rows.
const FEWEST_ROWS_TO_SPLIT: usize = 10;
/// So many rows tell one epoch from another; more would be missed in training.
const MOST_ROWS_TO_VALIDATE: f64 = 2000.0;
/// From so many rows some are held out for validation.
const FEWEST_ROWS_TO_VALIDATE: usize = 500;

/// The rows of a run, by what they are for.
pub(super) struct Rows {
    pub(super) training: Vec<usize>,
    pub(super) validation: Vec<usize>,
    pub(super) test: TestRows,
}

pub(super) enum TestRows {
    /// Rows of the same table.
    HeldOut(Vec<usize>),
    /// A table of its own.
    Apart(Box<Table>),
    /// There are too few rows to hold some out.
    Training,
}

/// Divides what was read by the settings: the same settings and data, the same rows.
pub(super) fn rows(settings: &Settings, parts: &Parts) -> Result<Rows> {
    let table = &parts.train;
    let all: Vec<usize> = (0..table.rows()).collect();
    let classes = strata(table, &settings.data_options()?)?;
    let hold_out = |rows: &[usize], fraction: f64, epoch| -> Result<_> {
        let random = Random::new(settings.seed(), Purpose::Split, epoch);
        Ok(split(rows, classes.as_deref(), fraction, &random)?)
    };
    let (rest, test) = match (&settings.test_data, &parts.test, settings.test) {
        (Some(_), _, Some(_)) => {
            return Err(Failure::usage(
                "`--test` and `--test-data` both say what to test on",
                "leave out one of them",
            ));
        }
        (Some(path), ..) => {
            let read = pullback_data::read(path, &settings.read_options()?)?;
            (all, TestRows::Apart(Box::new(read.test.unwrap_or(read.train))))
        }
        (None, Some(test), None) => (all, TestRows::Apart(Box::new(test.clone()))),
        (None, _, None) if table.rows() < FEWEST_ROWS_TO_SPLIT => (all, TestRows::Training),
        (None, _, Some(0.0)) => (all, TestRows::Training),
        (None, _, fraction) => {
            let parts = hold_out(&all, fraction.unwrap_or(0.2), 0)?;
            if parts.held_out.is_empty() {
                (all, TestRows::Training)
            } else {
                (parts.kept, TestRows::HeldOut(parts.held_out))
            }
        }
    };
    // Who asks for early stopping asks for rows to watch.
    let is_watched =
        rest.len() >= FEWEST_ROWS_TO_VALIDATE || settings.early_stopping.is_some_and(|epochs| epochs > 0);
    let enough = 0.1_f64.min(MOST_ROWS_TO_VALIDATE / rest.len().max(1) as f64);
    let fraction = settings.validation.unwrap_or(if is_watched { enough } else { 0.0 });
    let parts = hold_out(&rest, fraction, 1)?;
    Ok(Rows { training: parts.kept, validation: parts.held_out, test })
}
