//! What is doubtful about data before anything is trained on it: columns that say nothing, or too much.
//!
//! Nothing here changes what is trained; each [`Concern`] says what to do about it.

use super::preprocess::{Preprocessing, Target, categories_of};
use super::{Column, Table, Values};
use crate::error::Result;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

/// Something doubtful about data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Concern {
    /// What it is.
    pub kind: ConcernKind,
    /// The column, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// How many rows, values or classes it is about.
    pub count: usize,
    /// What it is, and what to do.
    pub words: String,
}

/// What can be doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConcernKind {
    /// All rows have the same value.
    Constant,
    /// Values differ only in capitals or spaces.
    Spelling,
    /// A class has one row.
    RareClass,
    /// A column alone decides the target.
    Leak,
    /// Rows stand both in training and in the test.
    Duplicates,
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "column \"{column}\": {}", self.words),
            None => f.write_str(&self.words),
        }
    }
}

/// A column can decide the target alone only if its values have so many rows on average...
const ROWS_PER_VALUE: usize = 5;
/// ...and if they are at most so many.
const MOST_VALUES: usize = 50;
/// Fewer rows show no more than chance.
const FEWEST_ROWS: usize = 20;
/// A squared correlation from here on is that of a copy.
const COPY: f64 = 1.0 - 1e-9;
/// Which part of the test rows may stand in training by chance.
const CHANCE: f64 = 0.05;

/// What is doubtful about the rows to train on and those to test on, `[table, rows]`.
///
/// # Errors
/// If a column cannot be read.
pub fn concerns(
    preprocessing: &Preprocessing,
    table: &Table,
    training: &[usize],
    tested: Option<(&Table, &[usize])>,
) -> Result<Vec<Concern>> {
    let mut found = Vec::new();
    let columns = || preprocessing.features().iter().filter_map(|feature| table.get(&feature.name));
    let targets: Vec<&Column> =
        preprocessing.target().names().iter().filter_map(|name| table.get(name)).collect();
    // One target is read once, of several one at a time.
    let only = if let [target] = &targets[..] { Some(target.values()?) } else { None };
    for column in columns() {
        let (name, values) = (&column.name[..], column.values()?);
        found.extend(constant(name, &values, training));
        found.extend(spelling(name, &values, training));
        if preprocessing.features().len() > 1 && training.len() >= FEWEST_ROWS {
            for target in &targets {
                let target = match &only {
                    Some(target) => Cow::Borrowed(&**target),
                    None => target.values()?,
                };
                if let Some(leak) = leak((name, &values), &target, preprocessing.target().target(), training)
                {
                    found.push(leak);
                    break;
                }
            }
        }
    }
    if let (Some(_), [target], Some(values)) =
        (preprocessing.target().target().classes(), &targets[..], &only)
    {
        found.extend(spelling(&target.name, values, training));
        let counts = categories_of(values).counts(0..table.rows());
        let rare = counts.iter().filter(|count| **count == 1).count();
        if rare > 0 {
            let what = if rare == 1 { "a class has".to_owned() } else { format!("{rare} classes have") };
            let words = format!(
                "{what} one row, which cannot be both learnt and tested; give more rows, or make rare classes one in \
                 the file"
            );
            found.push(Concern {
                kind: ConcernKind::RareClass,
                column: Some(target.name.clone()),
                count: rare,
                words,
            });
        }
    }
    drop(only);
    if let Some((other, rows)) = tested {
        let names: Vec<&str> =
            columns().chain(targets.iter().copied()).map(|column| column.name.as_str()).collect();
        let seen: HashSet<u64> = fingerprints(table, &names, training)?.into_iter().collect();
        // Where most rows have a twin, as in tables of few categories, twins on both sides say nothing.
        let are_distinct = 2 * seen.len() >= training.len();
        let count = fingerprints(other, &names, rows)?.iter().filter(|row| seen.contains(row)).count();
        if are_distinct && count as f64 > CHANCE * rows.len() as f64 {
            let words = format!(
                "{count} of {} test rows stand in training too, in every column: the test is easier than new rows; \
                 remove duplicates, or give rows of their own with `--test-data`",
                rows.len()
            );
            found.push(Concern { kind: ConcernKind::Duplicates, column: None, count, words });
        }
    }
    Ok(found)
}

fn constant(name: &str, values: &Values, rows: &[usize]) -> Option<Concern> {
    let is_constant = match values {
        Values::Numbers(numbers) => {
            let mut present = rows.iter().map(|&row| numbers[row]).filter(|number| !number.is_nan());
            let first = present.next()?;
            present.all(|number| number == first)
        }
        Values::Categories(texts) => {
            let first = texts.code(*rows.first()?);
            rows.iter().all(|&row| texts.code(row) == first)
        }
        _ => false,
    };
    is_constant.then(|| Concern {
        kind: ConcernKind::Constant,
        column: Some(name.to_owned()),
        count: rows.len(),
        words: format!("all rows have the same value, which says nothing; `--ignore '{name}'` leaves it out"),
    })
}

fn spelling(name: &str, values: &Values, rows: &[usize]) -> Option<Concern> {
    let Values::Categories(texts) = values else { return None };
    let counts = texts.counts(rows.iter().copied());
    let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (text, _) in texts.names().iter().zip(counts).filter(|(_, count)| *count > 0) {
        let folded = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        alike.entry(folded).or_default().push(text);
    }
    let groups: Vec<&Vec<&str>> = alike.values().filter(|names| names.len() > 1).collect();
    let first = groups.first()?;
    let shown: Vec<String> = first.iter().take(3).map(|name| format!("\"{name}\"")).collect();
    Some(Concern {
        kind: ConcernKind::Spelling,
        column: Some(name.to_owned()),
        count: groups.len(),
        words: format!(
            "{} differ only in capitals or spaces, and count as different; make them one in the file",
            shown.join(" and ")
        ),
    })
}

/// Whether a column's value alone tells the target.
fn leak((name, values): (&str, &Values), target: &Values, task: &Target, rows: &[usize]) -> Option<Concern> {
    let words = match (task.has_probabilities(), values, target) {
        (false, Values::Numbers(numbers), Values::Numbers(targets)) => {
            let target = |row: usize| targets[row];
            if is_copy(rows.iter().map(|&row| (numbers[row], targets[row]))) {
                "is the target in another scale"
            } else if is_monotone(&pairs(numbers, target, sample(rows)))
                && follows(&pairs(numbers, target, rows))
            {
                "stands in the order of the target"
            } else {
                return None;
            }
        }
        (false, values @ Values::Categories(_), Values::Numbers(_)) => {
            decides(values, target, rows).then_some("alone decides the target")?
        }
        (true, values, _) if !matches!(values, Values::Bytes(_)) => {
            if decides(values, target, rows) {
                "alone decides the target"
            } else if let Values::Numbers(numbers) = values {
                let classes = categories_of(target);
                let class = |row: usize| classes.code(row).map_or(f64::NAN, |code| code as f64);
                let is_apart = are_apart(&pairs(numbers, class, sample(rows)))
                    && separates(&pairs(numbers, class, rows));
                is_apart.then_some("separates the classes without an overlap")?
            } else {
                return None;
            }
        }
        _ => return None,
    };
    Some(Concern {
        kind: ConcernKind::Leak,
        column: Some(name.to_owned()),
        count: rows.len(),
        words: format!(
            "{words} in all rows: if new rows will not have it, `--ignore '{name}'` leaves it out"
        ),
    })
}

/// So many rows mostly show that a column does not tell the target, so that not all need be sorted.
const SAMPLE_ROWS: usize = 1000;

fn sample(rows: &[usize]) -> impl Iterator<Item = &usize> {
    rows.iter().step_by(rows.len().div_ceil(SAMPLE_ROWS).max(1))
}

/// A number and the target of each row that has both, in ascending order of the numbers.
fn pairs<'a>(
    numbers: &[f64],
    target: impl Fn(usize) -> f64,
    rows: impl IntoIterator<Item = &'a usize>,
) -> Vec<(f64, f64)> {
    let pairs = rows.into_iter().map(|&row| (numbers[row], target(row)));
    let mut pairs: Vec<(f64, f64)> = pairs.filter(|(x, y)| !x.is_nan() && !y.is_nan()).collect();
    pairs.sort_unstable_by(|left, right| left.0.total_cmp(&right.0).then(left.1.total_cmp(&right.1)));
    pairs
}

/// Whether the targets are the numbers times a factor, plus a constant.
fn is_copy(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> bool {
    let pairs = pairs.filter(|(x, y)| !x.is_nan() && !y.is_nan());
    let rows = pairs.clone().count();
    let count = rows as f64;
    let (x_mean, y_mean) =
        pairs.clone().fold((0.0, 0.0), |sums, pair| (sums.0 + pair.0 / count, sums.1 + pair.1 / count));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        let (x, y) = (x - x_mean, y - y_mean);
        (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
    }
    rows >= FEWEST_ROWS && xx * yy > 0.0 && xy * xy >= COPY * xx * yy
}

/// Whether the targets rise, or fall, with the numbers, without an exception: a logarithm or a rank of the target. By
/// chance this is as good as impossible for [`FEWEST_ROWS`] distinct numbers.
fn follows(pairs: &[(f64, f64)]) -> bool {
    let steps = pairs.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
    steps + 1 >= FEWEST_ROWS && is_monotone(pairs)
}

/// Whether that is so of some of the rows, which it is if it is so of all.
fn is_monotone(pairs: &[(f64, f64)]) -> bool {
    let is_function = pairs.windows(2).all(|pair| pair[0].0 != pair[1].0 || pair[0].1 == pair[1].1);
    let rises = || pairs.windows(2).all(|pair| pair[0].1 <= pair[1].1);
    let falls = || pairs.windows(2).all(|pair| pair[0].1 >= pair[1].1);
    is_function && (rises() || falls())
}

/// Whether each class has a range of the numbers to itself, and enough rows for that to say something.
fn separates(pairs: &[(f64, f64)]) -> bool {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    pairs.iter().for_each(|(_, class)| *counts.entry(class.to_bits()).or_default() += 1);
    let has_rows = counts.len() > 1 && counts.values().all(|&count| count >= 2 * ROWS_PER_VALUE);
    has_rows && are_apart(pairs)
}

/// Whether each class of some of the rows has a range to itself, which it has if it has among all.
fn are_apart(pairs: &[(f64, f64)]) -> bool {
    let classes: BTreeSet<u64> = pairs.iter().map(|(_, class)| class.to_bits()).collect();
    let changes = pairs.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
    let is_apart = pairs.windows(2).all(|pair| pair[0].1 == pair[1].1 || pair[0].0 != pair[1].0);
    is_apart && changes < classes.len().max(1)
}

fn decides(values: &Values, classes: &Values, rows: &[usize]) -> bool {
    let mut class_of: BTreeMap<u64, u64> = BTreeMap::new();
    for &row in rows {
        let Some((value, class)) = cell(values, row).zip(cell(classes, row)) else { continue };
        if *class_of.entry(value).or_insert(class) != class || class_of.len() > MOST_VALUES {
            return false;
        }
    }
    let distinct: BTreeSet<u64> = class_of.values().copied().collect();
    distinct.len() > 1 && rows.len() >= ROWS_PER_VALUE * class_of.len()
}

/// A number for a cell of numbers or texts, equal for equal cells of a column; none for a missing one.
fn cell(values: &Values, row: usize) -> Option<u64> {
    match values {
        Values::Numbers(numbers) => Some(numbers[row]).filter(|number| !number.is_nan()).map(f64::to_bits),
        Values::Categories(texts) => texts.code(row).map(|code| code as u64),
        Values::Bytes(_) | Values::Times(_) => None,
    }
}

/// A number for each row, equal for equal rows: FNV-1a over the cells of the named columns.
fn fingerprints(table: &Table, names: &[&str], rows: &[usize]) -> Result<Vec<u64>> {
    const PRIME: u64 = 0x0100_0000_01b3;
    let mut hashes = vec![0xcbf2_9ce4_8422_2325_u64; rows.len()];
    let add = |hash: &mut u64, bytes: &[u8]| {
        for &byte in bytes {
            *hash = (*hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
        *hash = (*hash ^ 0xff).wrapping_mul(PRIME);
    };
    for column in names.iter().filter_map(|name| table.get(name)) {
        let values = column.values()?;
        for (hash, &row) in hashes.iter_mut().zip(rows) {
            match &*values {
                Values::Numbers(numbers) => add(hash, &numbers[row].to_bits().to_le_bytes()),
                Values::Categories(texts) => add(hash, texts.text(row).unwrap_or("\0").as_bytes()),
                Values::Bytes(bytes) => add(hash, bytes.row(row)),
                Values::Times(times) => add(hash, &times.seconds[row].to_bits().to_le_bytes()),
            }
        }
    }
    Ok(hashes)
}
