//! The cells of a column, as texts or as numbers.

use crate::data::{Categories, ColumnType, Table, Values, yes_or_no};
use crate::error::{Error, Place, Result};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A column's cells as texts; blocks of bytes have none.
pub(in crate::data) fn categories_of(values: &Values) -> Cow<'_, Categories> {
    match values {
        Values::Numbers(numbers) => Cow::Owned(Categories::from_numbers(numbers)),
        Values::Categories(categories) => Cow::Borrowed(categories),
        Values::Bytes(_) | Values::Times(_) => Cow::Owned(Categories::missing(values.rows())),
    }
}

/// The names that some of the given rows have, in the order of [`sorted`].
pub(super) fn names_in(categories: &Categories, rows: impl IntoIterator<Item = usize>) -> Vec<String> {
    let counts = categories.counts(rows);
    sorted(
        categories.names().iter().zip(counts).filter(|(_, count)| *count > 0).map(|(name, _)| name.clone()),
    )
}

/// The position of each of the categories' names in a list, by which a row's code finds its own. A name that
/// is not in the list is that of the same number, if there is one such: another program writes 1 as `1.0`, or `01`. Nor
/// does it matter how yes and no are written, if the list has a name for each and no other but those in parentheses.
pub(super) fn places(categories: &Categories, list: &[String]) -> Vec<Option<usize>> {
    let known: BTreeMap<&str, usize> =
        list.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
    let number =
        |name: &str| Some((name.parse::<f64>().ok().filter(|number| number.is_finite())? + 0.0).to_bits());
    let mut numbers: BTreeMap<u64, Option<usize>> = BTreeMap::new();
    for (place, name) in list.iter().enumerate() {
        if let Some(number) = number(name) {
            numbers.entry(number).and_modify(|place| *place = None).or_insert(Some(place));
        }
    }
    let named = || list.iter().enumerate().filter(|(_, name)| !name.starts_with('('));
    let said =
        |answer: bool| named().find(|(_, name)| yes_or_no(name) == Some(answer)).map(|(place, _)| place);
    let are_answers = named().count() == 2 && said(true).is_some() && said(false).is_some();
    let find = |name: &String| {
        let same = known.get(name.as_str()).copied();
        same.or_else(|| number(name).and_then(|number| numbers.get(&number).copied().flatten()))
            .or_else(|| yes_or_no(name).filter(|_| are_answers).and_then(said))
    };
    categories.names().iter().map(find).collect()
}

/// Names in the order in which a person expects them: numbers by value, then texts by letters.
fn sorted(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> =
        names.into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let number = |name: &String| name.parse::<f64>().ok();
    names.sort_by(|left, right| match (number(left), number(right)) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => left.cmp(right),
    });
    names
}

/// The numbers of a column that is declared or inferred to be numeric.
pub(super) fn numbers_of<'a>(table: &Table, name: &str, values: &'a Values) -> Result<Cow<'a, [f64]>> {
    match values {
        Values::Numbers(numbers) => Ok(Cow::Borrowed(numbers)),
        Values::Categories(categories) => (0..categories.rows())
            .map(|row| match categories.text(row) {
                None => Ok(f64::NAN),
                Some(text) => {
                    text.trim().parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| {
                        Error::data(format!("\"{text}\" is not a number"))
                            .at(Place::source(table.source()).row(row + 1).column(name))
                            .help(format!(
                                "correct the cell, or take the column as texts with `--type '{name}=categorical'`"
                            ))
                    })
                }
            })
            .collect(),
        Values::Times(times) => Ok(Cow::Borrowed(&times.seconds)),
        Values::Bytes(_) => Err(Error::data("images, not numbers")
            .at(Place::source(table.source()).column(name))
            .help(format!("leave the column out with `--ignore '{name}'`, or its type undeclared"))),
    }
}

/// Whether a column counts as categorical.
pub(super) fn is_categorical(values: &Values, declared: Option<ColumnType>) -> bool {
    match declared {
        Some(declared) => declared == ColumnType::Categorical,
        None => matches!(values, Values::Categories(_)),
    }
}
