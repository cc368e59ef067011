//! Rows of features in the order of an epoch, of which those in a store are read in stretches.
//!
//! A stretch is as many rows as the store's buffer holds, in the order in which they are wanted; they are read in the
//! order of the store. So the order of an epoch is the one that it has in memory, and a disk is swept a few times an
//! epoch instead of searched for every row.

use super::Features;
use crate::error::Result;
use pullback_kernels::Real;
use std::ops::Range;

/// The rows of some blocks of features that are in memory now.
#[derive(Debug)]
pub(crate) struct Ahead<T> {
    loaded: Vec<Features<T>>,
    /// Which positions of the order they are.
    stretch: Range<usize>,
    rows_at_once: usize,
    /// The places of the loaded rows: 0, 1, 2, ...
    places: Vec<usize>,
}

impl<T: Real> Ahead<T> {
    /// For blocks of which one is in a store; [`None`] if all are in memory. It takes so many quarters of the memory
    /// for rows that are read ahead: there may be one for the steps of a run, and one for the rows that watch it.
    pub(crate) fn of(blocks: &[&Features<T>], quarters: usize) -> Option<Self> {
        let most = blocks.iter().filter_map(|features| features.rows_ahead()).min()?;
        let rows_at_once = (most / 4 * quarters).max(1);
        Some(Self { loaded: Vec::new(), stretch: 0..0, rows_at_once, places: Vec::new() })
    }

    /// Nothing is known of a new order.
    pub(crate) fn forget(&mut self) {
        self.stretch = 0..0;
    }

    /// The blocks and the rows of them that stand at some positions of the order.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(crate) fn rows(
        &mut self,
        blocks: &[&Features<T>],
        order: &[usize],
        wanted: Range<usize>,
    ) -> Result<(&[Features<T>], &[usize])> {
        if wanted.start < self.stretch.start || wanted.end > self.stretch.end {
            self.stretch = 0..0;
            // Before the next ones come.
            self.loaded.clear();
            let end = wanted.start.saturating_add(self.rows_at_once).max(wanted.end).min(order.len());
            let rows = &order[wanted.start..end];
            for features in blocks {
                self.loaded.push(features.load(rows)?);
            }
            self.places.clear();
            self.places.extend(0..rows.len());
            self.stretch = wanted.start..end;
        }
        let first = self.stretch.start;
        Ok((&self.loaded, &self.places[wanted.start - first..wanted.end - first]))
    }
}
