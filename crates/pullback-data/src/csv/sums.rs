//! Rows of sums in a table: `Subtotal`, `Total North`, `소계` between the others, `Total`, `Mean`, `Max` at the end, and
//! `Total` right below the names.
//!
//! - Rows whose labels say so are sums if the numbers of all of them are the sums or the means of the rows above, back to
//!   the row of sums before, or of all. If one row with such a label is not, the label may be a category.
//! - At an end of the table a row is one too if its label, `Total` or the like, stands in no other row and only numbers
//!   stand beside it. A label that could be a category (`average`) needs more: several such rows, or names above it that
//!   are all different.
//! - A last row of sums may have no label, if no text stands in it and each of its numbers is a sum.
//!
//! What is left out is said with its line. Cells may be in memory or in a store: the rows are the same.

use super::footer::{Label, is_sum_label, label};
use crate::gather::Gathered;
use crate::kind::{Context, Profile};
use crate::note::{Note, NoteKind, counted, quoted};
use crate::raw::{MISSING, Raw};
use pullback::error::Result;
use std::borrow::Cow;

/// Labels of sums stand in one of so many first columns; in one beyond the first two only if nothing stands before.
const LABEL_COLUMNS: usize = 8;
/// Columns in which a label may stand whatever stands before it.
const FIRST_COLUMNS: usize = 2;
/// At most one row in so many is of sums.
const ROWS_PER_SUM: usize = 2;
/// A sum of rounded numbers is so near, relative to the sum of their sizes, or a mean to the largest.
const ROUNDING: f64 = 1e-4;
/// So many rows are not summed by chance.
const FEWEST_SUMMED: usize = 10;
/// At most so many rows of sums stand at the end.
const MOST_AT_END: usize = 12;

/// The sums and counts of a column's numbers.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    sum: f64,
    sizes: f64,
    count: usize,
}

impl Sum {
    fn add(&mut self, number: f64) {
        if !number.is_nan() {
            *self = Self { sum: self.sum + number, sizes: self.sizes + number.abs(), count: self.count + 1 };
        }
    }

    fn is(&self, number: f64) -> bool {
        self.count > 1 && (number - self.sum).abs() <= ROUNDING * self.sizes
    }

    /// Whether a number is the sum or the mean of more than one.
    fn is_met_by(&self, number: f64) -> bool {
        let mean = self.sum / self.count as f64;
        let near = ROUNDING * self.sizes;
        self.is(number) || self.count > 1 && (number - mean).abs() <= near / self.count as f64
    }
}

/// The columns of a table while its types are not decided.
struct Cells<'a> {
    columns: &'a [Gathered],
    profiles: &'a [Option<Profile>],
    shared: Context,
    rows: usize,
}

/// The rows with a label, and the column that it stands in.
struct Labelled {
    column: usize,
    rows: Vec<usize>,
}

impl Cells<'_> {
    fn names(&self, column: usize) -> Option<&[String]> {
        match self.columns[column].raw()? {
            Raw::Coded(coded) => Some(&coded.names),
            Raw::Plain { .. } => None,
        }
    }

    /// The numbers of a column; [`None`] if it has none.
    fn numbers(&self, column: usize) -> Result<Option<Cow<'_, [f64]>>> {
        if let Some(numbers) = self.columns[column].numbers()? {
            return Ok(Some(numbers));
        }
        let (Some(names), Some(profile)) = (self.names(column), &self.profiles[column]) else {
            return Ok(None);
        };
        let Some(values) = profile.values(names, self.shared) else { return Ok(None) };
        let codes = self.columns[column].codes()?.unwrap_or_default();
        let of = |&code: &u32| if code == MISSING { f64::NAN } else { values[code as usize] };
        Ok(Some(codes.iter().map(of).collect()))
    }

    /// The rows with a label of a sum, in the first column that has some.
    fn labelled(&self) -> Result<Option<Labelled>> {
        for column in 0..self.columns.len().min(FIRST_COLUMNS) {
            let Some(names) = self.names(column) else { continue };
            let is_label: Vec<bool> = names.iter().map(|name| is_sum_label(name)).collect();
            if !is_label.contains(&true) {
                continue;
            }
            let codes = self.columns[column].codes()?.unwrap_or_default();
            let has = |row: &usize| codes[*row] != MISSING && is_label[codes[*row] as usize];
            let rows: Vec<usize> = (0..self.rows).filter(has).collect();
            if !rows.is_empty() && ROWS_PER_SUM * rows.len() <= self.rows {
                return Ok(Some(Labelled { column, rows }));
            }
        }
        // Further to the right only at the ends, where nothing stands before.
        let mut open: Vec<usize> = self.ends().collect();
        for column in 0..self.columns.len().min(LABEL_COLUMNS) {
            if open.is_empty() {
                break;
            }
            let Some(names) = self.names(column) else {
                let numbers = self.columns[column].numbers()?.unwrap_or_default();
                open.retain(|row| numbers[*row].is_nan());
                continue;
            };
            let codes = self.columns[column].codes()?.unwrap_or_default();
            let is_label =
                |row: &usize| codes[*row] != MISSING && label(&names[codes[*row] as usize]).is_some();
            let rows: Vec<usize> = open.iter().copied().filter(is_label).collect();
            if column >= FIRST_COLUMNS && !rows.is_empty() {
                return Ok(Some(Labelled { column, rows }));
            }
            open.retain(|row| codes[*row] == MISSING);
        }
        Ok(None)
    }

    /// The rows at the ends, in ascending order.
    fn ends(&self) -> impl Iterator<Item = usize> {
        let last = self.rows.saturating_sub(MOST_AT_END).max(1)..self.rows;
        (0..self.rows.min(1)).chain(last)
    }

    /// Whether each of the rows has the sums or means of those above it, in most of its numbers.
    fn are_sums(&self, labelled: &Labelled) -> Result<bool> {
        let rows = &labelled.rows;
        let (mut met, mut present) = (vec![0usize; rows.len()], vec![0usize; rows.len()]);
        for column in (0..self.columns.len()).filter(|&column| column != labelled.column) {
            let Some(numbers) = self.numbers(column)? else { continue };
            let (mut own, mut all) = (Sum::default(), Sum::default());
            let mut from = 0;
            for (at, &row) in rows.iter().enumerate() {
                for &number in &numbers[from..row] {
                    own.add(number);
                    all.add(number);
                }
                from = row + 1;
                if !numbers[row].is_nan() {
                    present[at] += 1;
                    met[at] += usize::from(own.is_met_by(numbers[row]) || all.is_met_by(numbers[row]));
                }
                own = Sum::default();
            }
        }
        Ok(met.iter().zip(&present).all(|(&met, &present)| met > 0 && 2 * met >= present))
    }

    /// Whether nothing but numbers stands in rows, in the columns beside that of their labels.
    fn have_only_numbers(&self, rows: &[usize], label_column: Option<usize>) -> Result<Vec<bool>> {
        let mut only = vec![true; rows.len()];
        for column in (0..self.columns.len()).filter(|column| Some(*column) != label_column) {
            let Some(codes) = self.columns[column].codes()? else { continue };
            let values = match (self.names(column), &self.profiles[column]) {
                (Some(names), Some(profile)) => profile.values(names, self.shared),
                _ => None,
            };
            for (only, &row) in only.iter_mut().zip(rows) {
                let code = codes[row];
                let is_number = || values.as_ref().is_some_and(|values| !values[code as usize].is_nan());
                *only &= code == MISSING || is_number();
            }
        }
        Ok(only)
    }

    /// The rows of sums at both ends, by labels that stand nowhere else.
    fn at_ends(&self, labelled: &Labelled) -> Result<Vec<usize>> {
        let Some(names) = self.names(labelled.column) else { return Ok(Vec::new()) };
        let codes = self.columns[labelled.column].codes()?.unwrap_or_default();
        let mut counts = vec![0usize; names.len()];
        codes.iter().filter(|code| **code != MISSING).for_each(|code| counts[*code as usize] += 1);
        let label_of = |row: usize| match codes[row] {
            MISSING => None,
            code if counts[code as usize] > 1 => None,
            code => label(&names[code as usize]),
        };
        let is_plain = |row: usize| !names[codes[row] as usize].contains(|c: char| c.is_ascii_digit());
        let first = (label_of(0) == Some(Label::Total) && is_plain(0)).then_some(0);
        let last = (1..self.rows).rev().take(MOST_AT_END);
        let mut block: Vec<usize> = last.take_while(|row| label_of(*row).is_some()).collect();
        block.reverse();
        let distinct = counts.iter().filter(|count| **count > 0).count();
        let are_names = distinct == codes.iter().filter(|code| **code != MISSING).count();
        let is_surely = |row: &usize| label_of(*row) == Some(Label::Total);
        if block.len() < 2 && !are_names && !block.iter().any(is_surely) {
            block.clear();
        }
        let rows: Vec<usize> = first.into_iter().chain(block).collect();
        let only = self.have_only_numbers(&rows, Some(labelled.column))?;
        Ok(rows.into_iter().zip(only).filter_map(|(row, only)| only.then_some(row)).collect())
    }

    /// The last row, if no text stands in it though in all others, and its numbers are the sums of those above.
    fn without_label(&self) -> Result<Option<usize>> {
        let Some(last) = self.rows.checked_sub(1).filter(|last| *last >= FEWEST_SUMMED) else {
            return Ok(None);
        };
        let mut texts = 0;
        let mut numbers_met = 0;
        for column in 0..self.columns.len() {
            let Some(numbers) = self.numbers(column)? else {
                let codes = self.columns[column].codes()?.unwrap_or_default();
                let is_here = |code: &u32| *code != MISSING;
                if codes.get(last).is_some_and(is_here) {
                    return Ok(None);
                }
                texts += usize::from(codes[..codes.len().min(last)].iter().all(is_here));
                continue;
            };
            if numbers[last].is_nan() {
                continue;
            }
            let mut sum = Sum::default();
            numbers[..last].iter().for_each(|&number| sum.add(number));
            if !sum.is(numbers[last]) {
                return Ok(None);
            }
            // Zeros are the sum of zeros.
            numbers_met += usize::from(sum.sizes > 0.0);
        }
        Ok((texts > 0 && numbers_met > 0).then_some(last))
    }
}

/// Leaves out rows of sums; their places, in ascending order. `line` tells the line of a row.
pub(super) fn leave_out(
    columns: &mut [Gathered],
    profiles: &[Option<Profile>],
    shared: Context,
    line: impl Fn(usize) -> Result<u64>,
    notes: &mut Vec<Note>,
) -> Result<Vec<usize>> {
    let rows = columns.iter().map(Gathered::rows).max().unwrap_or(0);
    let cells = Cells { columns, profiles, shared, rows };
    let mut left_out = Vec::new();
    let mut label_column = None;
    if let Some(labelled) = cells.labelled()? {
        label_column = Some(labelled.column);
        left_out = match cells.are_sums(&labelled)? {
            true => labelled.rows,
            false => cells.at_ends(&labelled)?,
        };
    }
    if left_out.is_empty() {
        left_out.extend(cells.without_label()?);
    }
    let Some(&first) = left_out.first() else { return Ok(left_out) };
    let codes = label_column.and_then(|column| Some((columns[column].codes().ok()??, column)));
    let mut labels: Vec<String> = Vec::new();
    if let Some((codes, column)) = codes
        && let Some(Raw::Coded(coded)) = columns[column].raw()
    {
        let of = left_out.iter().filter(|row| codes[**row] != MISSING);
        for text in of.map(|&row| &coded.names[codes[row] as usize]) {
            if !labels.contains(text) {
                labels.push(text.clone());
            }
        }
    }
    let labels = match labels.is_empty() {
        true => String::new(),
        false => format!(": {}", quoted(labels.iter().map(String::as_str), 3)),
    };
    let is_at_end = first + left_out.len() == rows;
    let place = line(first)?;
    for column in columns.iter_mut() {
        column.remove(&left_out)?;
    }
    let where_to = if is_at_end { "below the table" } else { "in the table" };
    notes.push(
        Note::new(
            NoteKind::Rows,
            left_out.len(),
            format!("{} of sums {where_to} left out{labels}", counted(left_out.len(), "row")),
        )
        .at(format!("line {place}")),
    );
    Ok(left_out)
}
