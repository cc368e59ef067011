//! Which rows of the data are trained on, watched and tested on: a function of the data and the settings. A model
//! records them, so that it can be tested again on the rows that were held out from it.

use super::{Settings, configuration};
use crate::data::{
    Column, DataOptions, Split, Table, Values, folds, folds_of_groups, split, split_by_time, split_groups,
    strata,
};
use crate::error::{Error, Place, Result};
use crate::random::{Purpose, Random};
use std::borrow::Cow;
use std::collections::HashMap;

/// Below this number of rows the test is on the training rows.
pub(super) const FEWEST_ROWS_TO_SPLIT: usize = 10;
/// From this number of rows some are held out for validation, where one network is trained: it does not learn them.
const FEWEST_ROWS_TO_VALIDATE: usize = 200;
/// The same for an ensemble: what one of its networks watches, the others learn.
const FEWEST_ROWS_TO_VALIDATE_MEMBERS: usize = 20;
/// This many rows tell one epoch from another; more would be missed in training.
const MOST_ROWS_TO_VALIDATE: f64 = 2000.0;

/// The rows of a job, by what they are for.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// To train on: for an ensemble, all that some network is trained on.
    pub training: Vec<usize>,
    /// To watch training by; empty for an ensemble, whose networks have their own.
    pub validation: Vec<usize>,
    /// A table of its own to watch training by.
    pub watched: Option<Box<Table>>,
    /// The rows of each network of an ensemble; empty for one network.
    pub members: Vec<MemberRows>,
    /// To test on.
    pub test: TestRows,
    /// Which part of all rows is held out to test on; absent if there is a table of its own for that.
    pub test_fraction: Option<f64>,
    /// Which part of the other rows is held out for validation.
    pub validation_fraction: f64,
}

/// The rows of one network of an ensemble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRows {
    /// To train on.
    pub training: Vec<usize>,
    /// To watch training by.
    pub validation: Vec<usize>,
}

/// Into so many parts rows are cut, of which each network of an ensemble watches one.
const PARTS: usize = 10;

impl MemberRows {
    /// Watches at most so many rows of a part, and is trained on the rest.
    fn watching(part: &[usize], most: usize, rest: &[usize], random: &Random) -> Self {
        let mut validation = part.to_vec();
        if validation.len() > most {
            random.shuffle(&mut validation);
            validation.truncate(most);
            validation.sort_unstable();
        }
        let mut watched = validation.iter().peekable();
        let training = rest.iter().copied().filter(|row| watched.next_if_eq(&row).is_none()).collect();
        Self { training, validation }
    }
}

/// Rows to test on.
#[derive(Debug, Clone, PartialEq)]
pub enum TestRows {
    /// Rows of the same table.
    HeldOut(Vec<usize>),
    /// A table of its own.
    Apart(Box<Table>),
    /// There are too few rows to hold some out.
    Training,
}

impl Rows {
    /// Refuses parts of the rows in which nothing counts, since all weights are 0.
    pub(super) fn check_weights(&self, weights: &[f64], column: &str) -> Result<()> {
        let members = self.members.iter().flat_map(|member| {
            [("to train a network on", &member.training), ("to watch a network by", &member.validation)]
        });
        let test = match &self.test {
            TestRows::HeldOut(rows) => Some(("to test on", rows)),
            _ => None,
        };
        let parts = [("to train on", &self.training), ("to watch training by", &self.validation)];
        for (what, rows) in parts.into_iter().chain(members).chain(test) {
            if !rows.is_empty() && rows.iter().all(|&row| weights[row] == 0.0) {
                return Err(Error::data(format!(
                    "all {} rows {what} have a weight of 0 in column \"{column}\"",
                    rows.len()
                ))
                .help("give more rows a weight, or hold out others with another `--seed`"));
            }
        }
        Ok(())
    }

    /// Rows of a table, where those that a table `apart` or `held_out` already says are to be tested on.
    pub(super) fn choose(
        settings: &Settings,
        options: &DataOptions,
        (apart, watched, held_out): (Option<Table>, Option<Table>, Option<Vec<usize>>),
        (table, count): (&Table, usize),
    ) -> Result<Self> {
        let all: Vec<usize> = (0..table.rows()).collect();
        let way = Way::of(settings, options, table)?;
        let hold_out = |rows: &[usize], fraction: f64, epoch| {
            way.hold_out(rows, fraction, &Random::new(settings.seed(), Purpose::Split, epoch))
        };
        let [test_given, validation_given] = settings.fractions()?;
        if settings.test_data.is_some() && test_given.is_some() {
            return Err(configuration(
                "`--test` and `--test-data` both say what to test on",
                "leave out one of them",
            ));
        }
        let mut test_fraction = None;
        let (rest, test) = match (apart, test_given, held_out) {
            (Some(apart), None, _) => (all, TestRows::Apart(Box::new(apart))),
            (_, _, Some(held_out)) => {
                let mut taken = held_out.iter().peekable();
                let rest = all.into_iter().filter(|row| taken.next_if_eq(&row).is_none()).collect();
                (rest, TestRows::HeldOut(held_out))
            }
            (_, fraction, _) => {
                let usual = if table.rows() < FEWEST_ROWS_TO_SPLIT { 0.0 } else { 0.2 };
                let fraction = *test_fraction.insert(fraction.unwrap_or(usual));
                let parts = hold_out(&all, fraction, 0)?;
                if parts.held_out.is_empty() {
                    (all, TestRows::Training)
                } else {
                    (parts.kept, TestRows::HeldOut(parts.held_out))
                }
            }
        };
        // Who asks for early stopping, for a metric, or for a choice, asks for rows to watch; and so does who asks for
        // calibration, if each network of an ensemble watches others, so that together they are many.
        let is_chosen = settings.candidates.is_some()
            || settings.time.is_some()
            || settings.calibrate == Some(true) && count > 1;
        let fewest = if count > 1 { FEWEST_ROWS_TO_VALIDATE_MEMBERS } else { FEWEST_ROWS_TO_VALIDATE };
        let is_watched = is_chosen
            || rest.len() >= fewest
            || settings.metric.is_some_and(|metric| !metric.is_cost())
            || settings.early_stopping.is_some_and(|epochs| epochs > 0);
        let enough = 0.1_f64.min(MOST_ROWS_TO_VALIDATE / rest.len().max(1) as f64);
        if watched.is_some() && validation_given.is_some() {
            return Err(configuration(
                "`--validation` and `--validation-data` both say what to watch training by",
                "leave out one of them",
            ));
        }
        let validation_fraction = match validation_given {
            _ if watched.is_some() => 0.0,
            Some(fraction) => fraction,
            None if is_watched => enough,
            None => 0.0,
        };
        if count > 1 {
            // Each watches a part of its own, so that together they learn from all rows.
            let members = match validation_fraction {
                0.0 => vec![MemberRows { training: rest.clone(), validation: Vec::new() }; count],
                // Parts of more than a half overlap.
                fraction if fraction > 0.5 => (1..=count as u32)
                    .map(|epoch| {
                        let parts = hold_out(&rest, fraction, epoch)?;
                        Ok(MemberRows { training: parts.kept, validation: parts.held_out })
                    })
                    .collect::<Result<_>>()?,
                fraction => {
                    let parts = match validation_given {
                        Some(fraction) => (1.0 / fraction).round() as usize,
                        None => PARTS.max(count),
                    };
                    let random = Random::new(settings.seed(), Purpose::Split, 1);
                    let folds = way.folds(&rest, fraction, parts.max(2), &random)?;
                    let most = match way {
                        // A group is watched whole, or the rest of it would be trained on.
                        Way::Groups(_) => usize::MAX,
                        _ => (fraction * rest.len() as f64).ceil() as usize,
                    };
                    (0..count)
                        .map(|member| {
                            MemberRows::watching(&folds[member % folds.len()], most, &rest, &random)
                        })
                        .collect()
                }
            };
            return Ok(Self {
                training: rest,
                validation: Vec::new(),
                watched: watched.map(Box::new),
                members,
                test,
                test_fraction,
                validation_fraction,
            });
        }
        let parts = hold_out(&rest, validation_fraction, 1)?;
        Ok(Self {
            training: parts.kept,
            validation: parts.held_out,
            watched: watched.map(Box::new),
            members: Vec::new(),
            test,
            test_fraction,
            validation_fraction,
        })
    }

    /// The rows to test on, of the table that the rows were chosen from.
    ///
    /// # Errors
    /// If there are none.
    pub fn tested<'a>(&'a self, table: &Table) -> Result<Cow<'a, Table>> {
        Ok(match &self.test {
            TestRows::HeldOut(rows) => Cow::Owned(table.select(rows)?),
            TestRows::Training => Cow::Owned(table.select(&self.training)?),
            TestRows::Apart(table) => Cow::Borrowed(table),
        })
    }

    /// The rows that a network, counted from 0, is trained on and watched by.
    pub fn of_member(&self, member: usize) -> (&[usize], &[usize]) {
        match self.members.get(member) {
            Some(rows) => (&rows.training, &rows.validation),
            None => (&self.training, &self.validation),
        }
    }

    /// Whether the test is on the rows that were trained on.
    pub fn is_tested_on_training_rows(&self) -> bool {
        matches!(self.test, TestRows::Training)
    }
}

/// How rows are held out.
pub(super) enum Way {
    /// At random, in proportion of each class where there are classes.
    Stratified(Option<Vec<u32>>),
    /// Whole groups, at random.
    Groups(Vec<u32>),
    /// The last ones.
    Times(Vec<f64>),
}

impl Way {
    pub(super) fn of(settings: &Settings, options: &DataOptions, table: &Table) -> Result<Self> {
        match (&settings.group, &settings.time_order) {
            (Some(_), Some(_)) => Err(configuration(
                "`--group` and `--time-order` both say which rows are held out",
                "leave out one of them",
            )),
            (Some(name), None) => Ok(Self::Groups(groups(table.column(name)?)?)),
            (None, Some(name)) => times(table, table.column(name)?).map(Self::Times),
            (None, None) => Ok(Self::Stratified(strata(table, options)?)),
        }
    }

    fn hold_out(&self, rows: &[usize], fraction: f64, random: &Random) -> Result<Split> {
        match self {
            Self::Stratified(classes) => split(rows, classes.as_deref(), fraction, random),
            Self::Groups(groups) => split_groups(rows, groups, fraction, random),
            Self::Times(times) => split_by_time(rows, times, fraction),
        }
    }

    /// Cuts so many rows into folds, some of which are empty where there are too few rows or groups. The only row of
    /// its class is in none.
    pub(super) fn cut(&self, rows: usize, count: usize, random: &Random) -> Result<Vec<Vec<usize>>> {
        // Too many folds need no memory.
        let count = count.min(rows + 1);
        let all: Vec<usize> = (0..rows).collect();
        match self {
            Self::Stratified(Some(classes)) => {
                let mut sizes: HashMap<u32, usize> = HashMap::new();
                classes.iter().for_each(|class| *sizes.entry(*class).or_default() += 1);
                let rows: Vec<usize> = all.into_iter().filter(|&row| sizes[&classes[row]] > 1).collect();
                folds(&rows, Some(classes), count, random)
            }
            Self::Stratified(None) => folds(&all, None, count, random),
            Self::Groups(groups) => folds_of_groups(&all, groups, count, random),
            Self::Times(_) => Ok(Vec::new()),
        }
    }

    /// The rows that each network of an ensemble watches. In time, all watch the last ones: what comes later tells
    /// nothing of what comes before.
    fn folds(&self, rows: &[usize], fraction: f64, count: usize, random: &Random) -> Result<Vec<Vec<usize>>> {
        match self {
            Self::Stratified(classes) => folds(rows, classes.as_deref(), count, random),
            Self::Groups(groups) => {
                let mut folds = folds_of_groups(rows, groups, count, random)?;
                folds.retain(|fold| !fold.is_empty());
                Ok(folds)
            }
            Self::Times(times) => Ok(vec![split_by_time(rows, times, fraction)?.held_out]),
        }
    }
}

/// The group of each row, by what stands in a column. Rows without any belong to no other.
pub(super) fn groups(column: &Column) -> Result<Vec<u32>> {
    let mut seen: HashMap<u64, u32> = HashMap::new();
    let mut next = 0;
    let mut group = |key: Option<u64>| {
        let own = key.and_then(|key| seen.get(&key).copied()).unwrap_or(next);
        if own == next {
            next += 1;
            if let Some(key) = key {
                seen.insert(key, own);
            }
        }
        own
    };
    let number = |number: f64| (!number.is_nan()).then(|| (number + 0.0).to_bits());
    Ok(match &*column.values()? {
        Values::Numbers(numbers) => numbers.iter().map(|&own| group(number(own))).collect(),
        Values::Times(times) => times.seconds.iter().map(|&own| group(number(own))).collect(),
        Values::Categories(texts) => {
            (0..texts.rows()).map(|row| group(texts.code(row).map(|code| code as u64))).collect()
        }
        // Images are themselves.
        Values::Bytes(bytes) => (0..bytes.rows()).map(|_| group(None)).collect(),
    })
}

/// When each row is.
fn times(table: &Table, column: &Column) -> Result<Vec<f64>> {
    let times = match column.values()?.into_owned() {
        Values::Numbers(numbers) => numbers,
        Values::Times(times) => times.seconds,
        _ => {
            return Err(configuration(
                format!(
                    "column \"{}\" has no order in time: it is neither of numbers nor of dates",
                    column.name
                ),
                "name another column, or hold rows out at random",
            ));
        }
    };
    match times.iter().position(|time| time.is_nan()) {
        None => Ok(times),
        Some(row) => Err(Error::data("the time of the row is missing")
            .at(Place::source(table.source()).row(row + 1).column(&column.name))
            .help("fill it in, or leave the row out")),
    }
}
