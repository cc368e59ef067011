//! Which rows are held out: drawn by address, in proportion of each class.

use super::features::check_rows;
use crate::error::{Error, Result};
use crate::random::Random;

/// Rows to train on, and rows to measure on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The rows that stay, ascending.
    pub kept: Vec<usize>,
    /// The rows that are held out, ascending.
    pub held_out: Vec<usize>,
}

/// Holds out a fraction of `rows`, rounded to whole rows.
///
/// `strata` gives the class of each row of the table, so that each class is held out in
/// proportion (by largest remainder); a class keeps at least one row. `random` decides which rows:
/// give each split of a run an `epoch` of its own, of [`Purpose::Split`](crate::random::Purpose).
///
/// # Errors
/// If the fraction is not in `[0, 1)`, or `strata` is shorter than the largest row.
pub fn split(rows: &[usize], strata: Option<&[u32]>, fraction: f64, random: &Random) -> Result<Split> {
    if !(0.0..1.0).contains(&fraction) {
        return Err(Error::configuration(format!("{fraction} of the rows cannot be held out"))
            .help("give a fraction of at least 0 and below 1"));
    }
    let order = drawn(rows, strata, random)?;
    let groups: Vec<&[usize]> =
        order.chunk_by(|&left, &right| strata.is_none_or(|strata| strata[left] == strata[right])).collect();
    let counts = held_out_counts(&groups.iter().map(|group| group.len()).collect::<Vec<_>>(), fraction);
    let mut split = Split { kept: Vec::new(), held_out: Vec::new() };
    for (group, count) in groups.into_iter().zip(counts) {
        split.held_out.extend(&group[..count]);
        split.kept.extend(&group[count..]);
    }
    split.kept.sort_unstable();
    split.held_out.sort_unstable();
    Ok(split)
}

/// Cuts `rows` into so many parts of about equal size, each in ascending order; `strata` as for [`split`], so that each
/// class is dealt out evenly. A part may be empty if there are few rows.
///
/// # Errors
/// If `strata` is shorter than the largest row.
pub fn folds(
    rows: &[usize],
    strata: Option<&[u32]>,
    count: usize,
    random: &Random,
) -> Result<Vec<Vec<usize>>> {
    let mut folds = vec![Vec::new(); count.max(1)];
    for (at, row) in drawn(rows, strata, random)?.into_iter().enumerate() {
        folds[at % count.max(1)].push(row);
    }
    folds.iter_mut().for_each(|fold| fold.sort_unstable());
    Ok(folds)
}

/// The rows stratum by stratum, shuffled within each.
fn drawn(rows: &[usize], strata: Option<&[u32]>, random: &Random) -> Result<Vec<usize>> {
    let mut order = rows.to_vec();
    random.shuffle(&mut order);
    if let Some(strata) = strata {
        check_rows(rows, strata.len())?;
        // Stable: within a stratum the rows stay shuffled.
        order.sort_by_key(|&row| strata[row]);
    }
    Ok(order)
}

/// How many of each group to hold out: the whole part of its share, then one more for those with
/// the largest remainders until the total is the rounded share of all; never a whole group.
fn held_out_counts(sizes: &[usize], fraction: f64) -> Vec<usize> {
    let total = (sizes.iter().sum::<usize>() as f64 * fraction).round() as usize;
    let shares: Vec<f64> = sizes.iter().map(|&size| size as f64 * fraction).collect();
    let mut counts: Vec<usize> = shares.iter().map(|share| *share as usize).collect();
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by(|&left, &right| shares[right].fract().total_cmp(&shares[left].fract()));
    let mut open = total.saturating_sub(counts.iter().sum());
    for group in by_remainder {
        if open > 0 && counts[group] + 1 < sizes[group] {
            counts[group] += 1;
            open -= 1;
        }
    }
    counts
}
