//! Rows of sums within a table: `Subtotal`, `Total North`, `소계`.
//!
//! A row is one if its label says so and its numbers are the sums or the means of the rows above it, back to the row of
//! sums before, or of all. If one row with such a label is not, none is: the label is then a category.

use super::footer::is_sum_label;
use crate::gather::Gathered;
use crate::kind::{Context, Profile};
use crate::note::{Note, NoteKind, counted, short};
use crate::raw::{Coded, MISSING, Raw};

/// Labels of sums stand in one of so many first columns.
const LABEL_COLUMNS: usize = 2;
/// At most one row in so many is of sums.
const ROWS_PER_SUM: usize = 2;
/// A sum of rounded numbers is so near, relative to the sum of their sizes, or a mean to the largest.
const ROUNDING: f64 = 1e-4;

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

    /// Whether a number is the sum or the mean of more than one.
    fn is_met_by(&self, number: f64) -> bool {
        let mean = self.sum / self.count as f64;
        let near = ROUNDING * self.sizes;
        self.count > 1
            && ((number - self.sum).abs() <= near || (number - mean).abs() <= near / self.count as f64)
    }
}

/// Leaves out rows of sums, if all cells are in memory; their places, in ascending order.
pub(super) fn leave_out(
    columns: &mut [Gathered],
    profiles: &[Option<Profile>],
    shared: Context,
    notes: &mut Vec<Note>,
) -> Vec<usize> {
    if columns.iter().any(|column| column.records().is_some()) {
        return Vec::new();
    }
    let labelled = (0..columns.len().min(LABEL_COLUMNS)).find_map(|at| {
        let Some(Raw::Coded(coded)) = columns[at].raw() else { return None };
        let rows = labelled_rows(coded);
        (!rows.is_empty() && ROWS_PER_SUM * rows.len() <= coded.codes.len()).then_some((at, rows))
    });
    let Some((label_column, rows)) = labelled else { return Vec::new() };
    let numbers: Vec<Vec<f64>> = (columns.iter().zip(profiles).enumerate())
        .filter(|(at, _)| *at != label_column)
        .filter_map(|(_, (column, profile))| match column.raw()? {
            Raw::Plain { numbers, .. } => Some(numbers.clone()),
            Raw::Coded(coded) => profile.as_ref()?.numbers(coded, shared),
        })
        .collect();
    if !are_sums(&numbers, &rows) {
        return Vec::new();
    }
    let label = match columns[label_column].raw() {
        Some(Raw::Coded(coded)) => coded.names[coded.codes[rows[0]] as usize].clone(),
        _ => String::new(),
    };
    columns.iter_mut().for_each(|column| column.remove(&rows));
    notes.push(Note::new(
        NoteKind::Lines,
        rows.len(),
        format!(
            "{} of sums between the others left out: \"{}\", first as row {}",
            counted(rows.len(), "row"),
            short(&label),
            rows[0] + 1
        ),
    ));
    rows
}

fn labelled_rows(coded: &Coded) -> Vec<usize> {
    let is_label: Vec<bool> = coded.names.iter().map(|name| is_sum_label(name)).collect();
    let has = |&(_, code): &(usize, &u32)| *code != MISSING && is_label[*code as usize];
    if !is_label.contains(&true) {
        return Vec::new();
    }
    coded.codes.iter().enumerate().filter(has).map(|(row, _)| row).collect()
}

/// Whether each of the rows has the sums or means of those above it, in most of its numbers.
fn are_sums(numbers: &[Vec<f64>], rows: &[usize]) -> bool {
    let mut own = vec![Sum::default(); numbers.len()];
    let mut all = own.clone();
    let mut from = 0;
    rows.iter().all(|&row| {
        for (column, numbers) in numbers.iter().enumerate() {
            numbers[from..row].iter().for_each(|&number| {
                own[column].add(number);
                all[column].add(number);
            });
        }
        from = row + 1;
        let (mut met, mut present) = (0, 0);
        for (column, numbers) in numbers.iter().enumerate().filter(|(_, numbers)| !numbers[row].is_nan()) {
            present += 1;
            met += usize::from(own[column].is_met_by(numbers[row]) || all[column].is_met_by(numbers[row]));
        }
        own.fill(Sum::default());
        met > 0 && 2 * met >= present
    })
}
