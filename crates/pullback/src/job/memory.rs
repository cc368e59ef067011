//! How much memory a network takes, asked before it is used: running out of it would end the process. The library
//! does not know how much is free; the front end does.

use crate::error::{Error, ErrorKind, Result};
use crate::network::Network;

/// What a network is run for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Work {
    /// Training in f32 on features that take so many bytes.
    Training {
        /// How many numbers of an example are zeros that a batch leaves out.
        zeros: usize,
        /// See [`Preprocessing::feature_bytes`](crate::data::Preprocessing::feature_bytes).
        feature_bytes: f64,
        /// How many networks are trained in all: more than one for an ensemble.
        networks: usize,
        /// How many of them at a time.
        side_by_side: usize,
        /// See [`Training::numbers_per_weight`](crate::train::Training::numbers_per_weight).
        numbers_per_weight: f64,
    },
    /// Prediction in f32 for features that take so many bytes.
    Prediction {
        /// See [`Preprocessing::feature_bytes`](crate::data::Preprocessing::feature_bytes).
        feature_bytes: f64,
    },
    /// One forward and backward pass in f64 with all its numbers.
    Trace,
}

/// What a row takes of memory while a table in a store is prepared, whatever its columns: a column at a time, which is
/// sorted, and its place among the rows to train on. `bench/large` measured 40.
pub const BYTES_PER_STORED_ROW: usize = 48;
/// What it takes while the table is trained on: its place, that in the order of an epoch, and its target.
pub(super) const BYTES_PER_TRAINED_ROW: usize = 24;
/// What a row takes for each further network of an ensemble: whether it is trained on, and when.
pub(super) const BYTES_PER_MEMBER_ROW: usize = 16;
/// What is predicted for a row to test on, as it is compared with its target.
pub(super) const BYTES_PER_PREDICTED_NUMBER: usize = 16;

/// A weight in f64, its gradient, and both again for who reads them.
const NUMBERS_PER_TRACED_WEIGHT: f64 = 4.0;

/// About how many bytes it takes to run a network on batches of `batch` examples.
///
/// # Errors
/// If the description contradicts itself.
pub fn needed_bytes(network: &Network, batch: usize, work: Work) -> Result<f64> {
    let memory = network.memory(batch)?;
    let (weights, values) = (memory.parameters as f64, memory.activations as f64);
    Ok(match work {
        Work::Training { feature_bytes, zeros, networks, side_by_side, numbers_per_weight } => {
            let values = (values - batch as f64 * zeros as f64).max(0.0);
            let trained = numbers_per_weight * weights + 2.0 * values;
            let kept = weights * networks.saturating_sub(side_by_side) as f64;
            4.0 * (trained * side_by_side as f64 + kept) + feature_bytes
        }
        Work::Prediction { feature_bytes } => 4.0 * (2.0 * weights + values) + feature_bytes,
        Work::Trace => 8.0 * (NUMBERS_PER_TRACED_WEIGHT * weights + 3.0 * values),
    })
}

/// Refuses a network for which there is no memory.
///
/// # Errors
/// If it needs more than `free` bytes.
pub fn check(network: &Network, batch: usize, work: Work, free: Option<u64>) -> Result<()> {
    let needed = needed_bytes(network, batch, work)?;
    // Where nobody knows what is free, the system is asked for as much.
    let is_there = match free {
        Some(free) => needed <= free as f64,
        None => Vec::<u8>::new().try_reserve_exact(needed as usize).is_ok(),
    };
    if is_there {
        return Ok(());
    }
    let free = match free {
        Some(free) => format!("{} are free", size(free as f64)),
        None => "so much is not free".to_owned(),
    };
    const NETWORK: &str = "give fewer units with `--hidden`, make batches smaller with `--batch`, or give more memory with `--memory`";
    let (what, help) = match work {
        Work::Training { feature_bytes, .. } if 2.0 * feature_bytes > needed => (
            "the rows to train on, with the network, need".to_owned(),
            "give fewer rows, or more memory with `--memory`",
        ),
        Work::Training { side_by_side: networks @ 2.., .. } => {
            (format!("{networks} networks side by side in batches of {batch} need"), NETWORK)
        }
        _ => (format!("the network in batches of {batch} needs"), NETWORK),
    };
    let what = format!("{what} {} of memory; {free}", size(needed));
    Err(Error::new(ErrorKind::Memory, what).help(help))
}

/// A number of bytes in the unit that fits: `74 GB`.
fn size(bytes: f64) -> String {
    match bytes {
        bytes if bytes >= 1e15 => format!("{:.1e} GB", bytes / 1e9),
        bytes if bytes >= 1e10 => format!("{:.0} GB", bytes / 1e9),
        bytes if bytes >= 1e9 => format!("{:.1} GB", bytes / 1e9),
        bytes => format!("{:.0} MB", bytes / 1e6),
    }
}
