//! The order of the examples in an epoch.

use crate::random::{Purpose, Random};

/// Writes the rows to `order`, shuffled for an epoch of a run: a function of the rows, the seed and
/// the epoch alone, so that a resumed run goes on as the uninterrupted one would have.
pub(crate) fn epoch_order(rows: &[usize], seed: u64, epoch: u32, order: &mut Vec<usize>) {
    order.clear();
    order.extend_from_slice(rows);
    Random::new(seed, Purpose::Shuffle, epoch).shuffle(order);
}
