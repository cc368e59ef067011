//! Which rows are held out: drawn by address, in proportion of each class.

use super::features::check_rows;
use crate::compact::{sort_by, sort_by_key};
use crate::error::{Error, Result};
use crate::random::Random;
use std::collections::BTreeMap;

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

/// Holds out whole groups: about a fraction of `rows`, at least one group and never all of them, if there are two.
/// `groups` gives the group of each row of the table; `random` is as for [`split`].
///
/// # Errors
/// If the fraction is not in `[0, 1)`, or `groups` is shorter than the largest row.
pub fn split_groups(rows: &[usize], groups: &[u32], fraction: f64, random: &Random) -> Result<Split> {
    if !(0.0..1.0).contains(&fraction) {
        return Err(Error::configuration(format!("{fraction} of the rows cannot be held out"))
            .help("give a fraction of at least 0 and below 1"));
    }
    let parts = by_group(rows, groups, random)?;
    let wanted = rows.len() as f64 * fraction;
    let mut split = Split { kept: Vec::new(), held_out: Vec::new() };
    let count = parts.len();
    for (at, part) in parts.into_iter().enumerate() {
        // A group goes where the number of rows is nearer to what is wanted with it than without.
        let with = (split.held_out.len() + part.len()) as f64 - wanted;
        let without = wanted - split.held_out.len() as f64;
        let is_held_out = fraction > 0.0 && at + 1 < count && (split.held_out.is_empty() || with < without);
        if is_held_out { split.held_out.extend(part) } else { split.kept.extend(part) }
    }
    split.kept.sort_unstable();
    split.held_out.sort_unstable();
    Ok(split)
}

/// Cuts `rows` into so many parts of about equal size, so that no group is in two. A part may be empty if there are few
/// groups.
///
/// # Errors
/// If `groups` is shorter than the largest row.
pub fn folds_of_groups(
    rows: &[usize],
    groups: &[u32],
    count: usize,
    random: &Random,
) -> Result<Vec<Vec<usize>>> {
    let mut parts = by_group(rows, groups, random)?;
    // The largest first, each to the smallest part so far; stable, so that equal ones stay shuffled.
    sort_by_key(&mut parts, |part| std::cmp::Reverse(part.len()));
    let mut folds = vec![Vec::new(); count.max(1)];
    for part in parts {
        if let Some(smallest) = folds.iter_mut().min_by_key(|fold| fold.len()) {
            smallest.extend(part);
        }
    }
    folds.iter_mut().for_each(|fold| fold.sort_unstable());
    Ok(folds)
}

/// The rows of each group, in shuffled order of groups.
fn by_group(rows: &[usize], groups: &[u32], random: &Random) -> Result<Vec<Vec<usize>>> {
    check_rows(rows, groups.len())?;
    let mut parts: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for &row in rows {
        parts.entry(groups[row]).or_default().push(row);
    }
    let mut parts: Vec<Vec<usize>> = parts.into_values().collect();
    random.shuffle(&mut parts);
    Ok(parts)
}

/// Holds out the last rows by their `times`: about a fraction of `rows`; rows of one time stay together.
///
/// # Errors
/// If the fraction is not in `[0, 1)`, or `times` is shorter than the largest row.
pub fn split_by_time(rows: &[usize], times: &[f64], fraction: f64) -> Result<Split> {
    if !(0.0..1.0).contains(&fraction) {
        return Err(Error::configuration(format!("{fraction} of the rows cannot be held out"))
            .help("give a fraction of at least 0 and below 1"));
    }
    check_rows(rows, times.len())?;
    let mut order = rows.to_vec();
    order.sort_by(|&one, &other| times[one].total_cmp(&times[other]));
    let wanted = order.len() - (order.len() as f64 * fraction).round() as usize;
    let is_edge = |at: &usize| *at == order.len() || times[order[*at]] != times[order[*at - 1]];
    let first = match wanted {
        0 => 0,
        // Where rows of one time are on both sides, the nearer end of them; where there is a choice, one that holds out
        // something and keeps something.
        _ => {
            let after = (wanted..=order.len()).find(is_edge).unwrap_or(order.len());
            let before = (1..wanted).rev().find(is_edge);
            match before {
                Some(before)
                    if wanted < order.len() && (after == order.len() || wanted - before < after - wanted) =>
                {
                    before
                }
                _ => after,
            }
        }
    };
    let mut split = Split { held_out: order.split_off(first), kept: order };
    split.kept.sort_unstable();
    split.held_out.sort_unstable();
    Ok(split)
}

/// How many of each group to hold out: the whole part of its share, then one more for those with
/// the largest remainders until the total is the rounded share of all; never a whole group.
fn held_out_counts(sizes: &[usize], fraction: f64) -> Vec<usize> {
    let total = (sizes.iter().sum::<usize>() as f64 * fraction).round() as usize;
    let shares: Vec<f64> = sizes.iter().map(|&size| size as f64 * fraction).collect();
    let mut counts: Vec<usize> = shares.iter().map(|share| *share as usize).collect();
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    sort_by(&mut by_remainder, |&left, &right| shares[right].fract().total_cmp(&shares[left].fract()));
    let mut open = total.saturating_sub(counts.iter().sum());
    for group in by_remainder {
        if open > 0 && counts[group] + 1 < sizes[group] {
            counts[group] += 1;
            open -= 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn no_group_is_on_both_sides() {
        let groups: Vec<u32> = (0..300).map(|row| row * row % 37).collect();
        let rows: Vec<usize> = (0..300).filter(|row| row % 7 != 3).collect();
        for seed in 0..20 {
            let random = Random::new(seed, Purpose::Split, 0);
            for fraction in [0.0, 0.01, 0.1, 0.2, 0.5, 0.9, 0.999] {
                let Split { kept, held_out } = split_groups(&rows, &groups, fraction, &random).unwrap();
                assert!(kept.iter().all(|&one| held_out.iter().all(|&other| groups[one] != groups[other])));
                let mut all = [kept.clone(), held_out.clone()].concat();
                all.sort_unstable();
                assert_eq!(all, rows);
                assert!(!kept.is_empty() && held_out.is_empty() == (fraction == 0.0));
                let off = (held_out.len() as f64 - fraction * rows.len() as f64).abs();
                assert!(off <= 30.0 || fraction == 0.999, "{} of {fraction}", held_out.len());
            }
            let folds = folds_of_groups(&rows, &groups, 5, &random).unwrap();
            let sizes: Vec<usize> = folds.iter().map(Vec::len).collect();
            assert_eq!(sizes.iter().sum::<usize>(), rows.len());
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 20, "{sizes:?}");
            for (at, one) in folds.iter().enumerate() {
                let others = folds[at + 1..].iter().flatten();
                assert!(others.into_iter().all(|&other| one.iter().all(|&own| groups[own] != groups[other])));
            }
        }
        assert!(split_groups(&[5], &[0; 5], 0.5, &Random::new(0, Purpose::Split, 0)).is_err());
        let one = split_groups(&[0, 1], &[3, 3], 0.5, &Random::new(0, Purpose::Split, 0)).unwrap();
        assert_eq!(one, Split { kept: vec![0, 1], held_out: vec![] });
    }

    #[test]
    fn the_last_rows_are_held_out_and_equal_times_stay_together() {
        let times = [5.0, 1.0, 4.0, 4.0, 2.0, 3.0, 4.0, -1.0, 9.0, 0.0];
        let split = |fraction| {
            let rows: Vec<usize> = (0..10).collect();
            split_by_time(&rows, &times, fraction).unwrap().held_out
        };
        assert_eq!(split(0.0), [0; 0]);
        assert_eq!(split(0.2), [0, 8]);
        assert_eq!(split(0.3), [0, 8]);
        assert_eq!(split(0.5), [0, 2, 3, 6, 8]);
        assert_eq!(split(0.6), [0, 2, 3, 5, 6, 8]);
        // Where the last rows are of one time, they are held out, not none.
        let late = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 9.0, 9.0, 9.0];
        let rows: Vec<usize> = (0..10).collect();
        assert_eq!(split_by_time(&rows, &late, 0.2).unwrap().held_out, [7, 8, 9]);
        let steps: Vec<f64> = (0..40).map(|row| f64::from(row / 10)).collect();
        let rows: Vec<usize> = (0..40).collect();
        assert_eq!(split_by_time(&rows, &steps, 0.2).unwrap().held_out, rows[30..]);
        assert_eq!(split_by_time(&rows, &steps, 0.3).unwrap().held_out, rows[30..]);
        assert_eq!(split_by_time(&rows, &[1.0; 40], 0.2).unwrap().held_out, [0; 0]);
        assert!(split_by_time(&[10], &times, 0.2).is_err());
        assert!(split_by_time(&[0], &times, 1.0).is_err());
    }
}
