//! Which task a target is, by what stands in its column.

use super::cells::{categories_of, is_categorical, names_in, places};
use super::labels;
use crate::data::{Categories, DataOptions, Table, Task, Values};
use crate::error::{Error, Place, Result};
use std::borrow::Cow;

/// Whole numbers with at most so many distinct values can be classes...
const MOST_CLASSES: usize = 20;
/// ...if there are so many rows a value.
const ROWS_PER_CLASS: usize = 5;
/// More classes of texts than this are refused if most have but one row.
const MOST_RARE_CLASSES: usize = 20;

/// The names of the columns to predict.
pub(super) fn names(table: &Table, options: &DataOptions) -> Result<Vec<String>> {
    if options.target.is_empty() {
        return match table.target() {
            Some(name) => Ok(vec![name.to_owned()]),
            None => {
                Err(Error::configuration(format!("{} does not say which column to predict", table.source()))
                    .help(format!(
                        "name it as the target; its columns are {}",
                        crate::data::table::listed(table.names())
                    )))
            }
        };
    }
    options.target.iter().map(|name| Ok(table.column(name)?.name.clone())).collect()
}

/// The task, and why.
pub(super) fn task(table: &Table, names: &[String], options: &DataOptions) -> Result<(Task, String)> {
    if let Some(task) = options.task {
        if names.len() > 1 && matches!(task, Task::Binary | Task::Classes) {
            return Err(Error::configuration(
                "several targets can be predicted together only as labels or numbers",
            )
            .help("name one, or make it `--task labels` or `--task regression`"));
        }
        return Ok((task, "as asked".into()));
    }
    if names.len() > 1 {
        return several(table, names);
    }
    let values = &*table.column(&names[0])?.values()?;
    let distinct = match values {
        Values::Numbers(numbers) => distinct(numbers),
        _ => categories_of(values).counts(0..table.rows()).into_iter().filter(|&count| count > 0).count(),
    };
    let declared = options.types.get(&names[0]).copied();
    Ok(match (distinct, values) {
        (2, _) => (Task::Binary, "two distinct values".into()),
        (count, values) if is_categorical(values, declared) => {
            if count > MOST_RARE_CLASSES && 2 * count > table.rows() {
                return Err(Error::data(format!(
                    "the target has {count} distinct texts in {} rows, so there is hardly a class to learn",
                    table.rows()
                ))
                .at(Place::source(table.source()).column(&names[0]))
                .help("predict another column, or insist with `--task classes`"));
            }
            (Task::Classes, format!("{count} distinct texts"))
        }
        (count, Values::Numbers(numbers))
            if count <= MOST_CLASSES
                && table.rows() >= ROWS_PER_CLASS * count
                && numbers.iter().all(|number| number.is_nan() || number.fract() == 0.0) =>
        {
            (Task::Classes, format!("{count} distinct whole numbers"))
        }
        (_, Values::Times(_)) => (Task::Regression, "dates, as seconds since 1970".into()),
        (count, _) => (Task::Regression, format!("{count} distinct numbers")),
    })
}

/// The task of several columns: labels, if they are all yes or no, numbers if none is.
fn several(table: &Table, names: &[String]) -> Result<(Task, String)> {
    // One value alone says nothing of its column.
    let (mut labels, mut others) = (Vec::new(), Vec::new());
    for name in names {
        let values = table.column(name)?.values()?;
        let cells = categories_of(&values);
        let present = cells.counts(0..table.rows()).into_iter().filter(|count| *count > 0).count();
        match labels::find(&cells) {
            Some(_) if present == 2 => labels.push((name, matches!(&*values, Values::Numbers(_)))),
            None => others.push(name),
            Some(_) => {}
        }
    }
    match (&labels[..], &others[..]) {
        ([], _) => Ok((Task::Regression, "several targets".into())),
        (_, []) => Ok((Task::Labels, "several targets that are each yes or no".into())),
        ([(label, _), ..], [other, ..]) => {
            let is_number =
                |name: &&String| Ok(matches!(&*table.column(name)?.values()?, Values::Numbers(_)));
            let are_numbers = labels.iter().all(|(_, is_number)| *is_number)
                && others.iter().map(is_number).collect::<Result<Vec<_>>>()?.into_iter().all(|is| is);
            let instead =
                if are_numbers { "all as numbers with `--task regression`" } else { "each by itself" };
            Err(Error::configuration(format!(
                "column \"{label}\" is yes or no, but \"{other}\" is not: targets are predicted together as labels or \
                 as numbers, not both"
            ))
            .at(Place::source(table.source()))
            .help(format!("leave out one of them, or predict {instead}")))
        }
    }
}

/// How many numbers differ, the missing ones left aside.
fn distinct(numbers: &[f64]) -> usize {
    let mut bits: Vec<u64> =
        numbers.iter().filter(|number| !number.is_nan()).map(|number| number.to_bits()).collect();
    bits.sort_unstable();
    bits.dedup();
    bits.len()
}

/// The class of each row, or which set of labels it has, by which a split can keep proportions; [`None`] for a
/// regression.
///
/// # Errors
/// If the target does not exist or a cell of it is missing.
pub fn strata(table: &Table, options: &DataOptions) -> Result<Option<Vec<u32>>> {
    let names = names(table, options)?;
    let (task, _) = task(table, &names, options)?;
    match task {
        Task::Regression => return Ok(None),
        Task::Labels => return labels::strata(table, &names).map(Some),
        Task::Binary | Task::Classes => {}
    }
    let texts = texts(table, &names[0])?;
    let places = places(&texts, &names_in(&texts, 0..table.rows()));
    let class = |row| texts.code(row).and_then(|code| places[code]).expect("every text is one of its own");
    Ok(Some((0..table.rows()).map(|row| class(row) as u32).collect()))
}

/// The target's cells as texts, none missing.
pub(super) fn texts<'a>(table: &'a Table, name: &str) -> Result<Cow<'a, Categories>> {
    let values = table.column(name)?.values()?;
    if matches!(&*values, Values::Bytes(_)) {
        return Err(Error::data("images cannot be predicted")
            .at(Place::source(table.source()).column(name))
            .help("name another column as the target"));
    }
    let texts = match values {
        Cow::Borrowed(values) => categories_of(values),
        Cow::Owned(Values::Categories(categories)) => Cow::Owned(categories),
        Cow::Owned(values) => Cow::Owned(categories_of(&values).into_owned()),
    };
    match (0..table.rows()).find(|&row| texts.code(row).is_none()) {
        Some(row) => Err(missing(table, name, row)),
        None => Ok(texts),
    }
}

pub(super) fn missing(table: &Table, name: &str, row: usize) -> Error {
    Error::data("the target is missing")
        .at(Place::source(table.source()).row(row + 1).column(name))
        .help("fill the cell or leave the row out")
}
