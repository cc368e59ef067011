//! The rules by which is decided what settings leave open for the network of a table and its training: each gives a
//! value and the reason in words, so that what is told is what was decided. `decide` says them all in a list.

use super::images;
use crate::data::Task;
use crate::error::Result;
use crate::network::Network;
use crate::train::Optimizer;

/// What was decided, and why.
pub(super) struct Decision<T> {
    pub(super) value: T,
    pub(super) why: String,
}

impl<T> Decision<T> {
    fn new(value: T, why: impl Into<String>) -> Self {
        Self { value, why: why.into() }
    }
}

/// From this number of rows to train on, an ensemble's networks are trained for the rows' sake, below for the time's.
pub(super) const FEWEST_ROWS_OF_A_MEMBER: usize = 200;
/// The same where numbers are predicted.
const FEWEST_ROWS_OF_NUMBERS: usize = 100;
/// From this number of rows on, they are seen fewer times, and by fewer networks.
const MANY_ROWS: usize = 50_000;
/// Below so many rows, so many networks are trained where nothing is said: the more rows, the less another one adds.
const MEMBERS_BY_ROWS: [(usize, usize); 3] = [(MANY_ROWS, 8), (4 * MANY_ROWS, 4), (20 * MANY_ROWS, 2)];
/// The inputs of a number beside itself.
const PIECES: usize = 8;
/// More columns of numbers than that have no pieces: their inputs would be too many.
const MOST_COLUMNS_OF_PIECES: usize = 60;
/// More numbers than that are not made of pieces: half a gigabyte.
const MOST_NUMBERS_OF_PIECES: usize = 1 << 27;

/// How many networks learn a table of so many rows.
pub(super) fn members(rows: usize) -> Decision<usize> {
    match MEMBERS_BY_ROWS.iter().find(|(most, _)| rows < *most) {
        Some((most, members)) => Decision::new(*members, format!("a table of fewer than {most} rows")),
        None => Decision::new(1, format!("{} rows or more", MEMBERS_BY_ROWS[MEMBERS_BY_ROWS.len() - 1].0)),
    }
}

/// How many inputs each of so many columns of numbers has for the pieces between its quantiles, in an ensemble.
pub(super) fn pieces(columns: usize, rows: usize) -> Decision<usize> {
    let is_sensible = rows >= FEWEST_ROWS_OF_A_MEMBER
        && columns <= MOST_COLUMNS_OF_PIECES
        && PIECES * columns <= rows
        && rows.saturating_mul(PIECES * columns) <= MOST_NUMBERS_OF_PIECES;
    let why = format!(
        "at least {FEWEST_ROWS_OF_A_MEMBER} rows and at most {MOST_COLUMNS_OF_PIECES} columns of numbers"
    );
    Decision::new(if is_sensible { PIECES } else { 0 }, why)
}

/// What the rules for a network and its training look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    /// Whether networks take little time, instead of being those of an ensemble of a table.
    pub(super) is_fast: bool,
    /// The rows that a network is trained on.
    pub(super) rows: usize,
    pub(super) inputs: usize,
    /// What is predicted.
    pub(super) task: Task,
    pub(super) has_convolutions: bool,
}

impl Case {
    /// Whether layers, epochs and rates are those of a network that takes little time.
    fn is_short(&self) -> bool {
        let fewest = match self.task {
            Task::Regression => FEWEST_ROWS_OF_NUMBERS,
            _ => FEWEST_ROWS_OF_A_MEMBER,
        };
        self.is_fast || self.rows < fewest
    }

    /// The units of the hidden dense layers.
    pub(super) fn hidden(&self) -> Decision<Vec<usize>> {
        let (units, why): (&[usize], _) = match (self.is_short(), self.rows, self.inputs) {
            _ if self.has_convolutions => (&images::HIDDEN, "convolutions"),
            (false, 1000.., _) => (&[128, 128], "at least 1000 rows to train on"),
            (false, ..) if self.task == Task::Regression => {
                (&[128, 128], "numbers and at least 100 rows to train on")
            }
            (false, ..) => (&[64, 64], "fewer than 1000 rows to train on"),
            (_, ..10, _) => (&[8], "fewer than 10 rows to train on"),
            (_, _, ..=8) => (&[32, 32], "at most 8 inputs"),
            (_, _, 256..) => (&[128], "at least 256 inputs"),
            (_, 1000.., _) => (&[128], "at least 1000 rows to train on"),
            _ => (&[64], "9 to 255 inputs and fewer than 1000 rows"),
        };
        Decision::new(units.to_vec(), why)
    }

    /// The learning rate.
    pub(super) fn rate(&self, optimizer: Optimizer) -> Decision<f64> {
        let is_adam = matches!(optimizer, Optimizer::Adam { .. } | Optimizer::AdamW { .. });
        let usual = || (optimizer.conventional_rate(), "");
        let (rate, why) = match (self.is_short(), self.rows, self.inputs) {
            _ if !is_adam => usual(),
            _ if self.has_convolutions => (images::LEARNING_RATE, "convolutions"),
            (true, ..200, _) => (0.01, "fewer than 200 rows to train on"),
            (true, ..5000, ..=8) => (0.01, "at most 8 inputs and fewer than 5000 rows"),
            (true, ..) => usual(),
            (false, ..5000, _) => (0.003, "fewer than 5000 rows to train on"),
            (false, ..) => (0.002, "at least 5000 rows to train on"),
        };
        match why {
            "" => Decision::new(rate, format!("as is usual with {}", optimizer.name())),
            why => Decision::new(rate, why),
        }
    }

    /// The weight decay, where AdamW is taken because nothing is said.
    pub(super) fn decay(&self) -> Decision<f64> {
        let what = if self.task == Task::Labels { "labels" } else { "classes" };
        match (self.task, self.rows) {
            _ if self.has_convolutions => Decision::new(images::WEIGHT_DECAY, "convolutions"),
            (Task::Regression, ..FEWEST_ROWS_OF_NUMBERS) => {
                Decision::new(1.0, format!("numbers and fewer than {FEWEST_ROWS_OF_NUMBERS} rows"))
            }
            (Task::Regression, ..1000) => Decision::new(0.1, "numbers and fewer than 1000 rows"),
            (Task::Regression, _) => Decision::new(0.01, "numbers to predict"),
            (_, ..FEWEST_ROWS_OF_A_MEMBER) => Decision::new(1.0, format!("{what} and fewer than 200 rows")),
            _ => Decision::new(0.1, what),
        }
    }

    /// After so many epochs without improvement training ends: epochs of few rows are short.
    pub(super) fn patience(&self) -> usize {
        match (self.is_fast, self.rows, self.task) {
            (true, ..) => 20,
            (_, ..FEWEST_ROWS_OF_A_MEMBER, Task::Regression) => 300,
            (_, ..FEWEST_ROWS_OF_A_MEMBER, _) => 100,
            _ => 30,
        }
    }

    /// How many epochs a network is trained for, each of so many steps.
    ///
    /// # Errors
    /// If the network contradicts itself.
    pub(super) fn epochs(&self, network: &Network, steps: usize) -> Result<Decision<usize>> {
        let of_steps = |steps_in_all: usize, least, most| (steps_in_all / steps.max(1)).clamp(least, most);
        let (epochs, why) = match (self.is_short(), self.rows) {
            _ if self.has_convolutions => {
                (images::epochs(network, self.rows)?, "2.6e12 multiply-adds, from 5 to 100")
            }
            (true, ..100) => (of_steps(10_000, 10, 2000), "10000 steps, from 10 to 2000"),
            (true, _) => (of_steps(10_000, 10, 500), "10000 steps, from 10 to 500"),
            (false, ..MANY_ROWS) => (of_steps(60_000, 60, 500), "60000 steps, from 60 to 500"),
            (false, rows) => ((3_000_000 / rows).max(10), "3000000 rows, at least 10"),
        };
        Ok(Decision::new(epochs, why))
    }
}
