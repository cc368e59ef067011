//! Several columns that are each yes or no: labels, of which a row has any number.

use super::cells::places;
use super::{task, zeros};
use crate::data::boolean::PAIRS;
use crate::data::{Categories, Table};
use crate::error::{Error, Place, Result};
use std::collections::BTreeMap;

/// The numbers for yes and no that are so only among labels.
const SIGNS: (&[&str], &[&str]) = (&["1"], &["-1"]);

/// What stands in a column for no and for yes; absent if something else does, or nothing.
pub(super) fn find(cells: &Categories) -> Option<[String; 2]> {
    let counts = cells.counts(0..cells.rows());
    let present = || cells.names().iter().zip(&counts).filter(|(_, count)| **count > 0).map(|(name, _)| name);
    if present().count() > 2 {
        return None;
    }
    PAIRS.iter().chain([&SIGNS]).find_map(|(yes, no)| {
        let at = |name: &String| {
            let lower = name.trim().to_lowercase();
            [no, yes].iter().position(|spellings| spellings.contains(&lower.as_str()))
        };
        let words = [no[0], yes[0]];
        let mut found = words.map(str::to_owned);
        let mut known = [false; 2];
        for name in present() {
            let place = at(name)?;
            // Two spellings of a word are two texts.
            if std::mem::replace(&mut known[place], true) {
                return None;
            }
            found[place] = name.clone();
        }
        // One word that is not there is written as the other is.
        if let [true, false] | [false, true] = known {
            let (here, other) = if known[0] { (0, 1) } else { (1, 0) };
            found[other] = in_case_of(&found[here], words[other]);
        }
        (known != [false; 2]).then_some(found)
    })
}

/// A word in the case of another: `No` for `Yes`.
fn in_case_of(like: &str, word: &str) -> String {
    let is_upper = |c: Option<char>| c.is_some_and(char::is_uppercase);
    let mut letters = like.chars();
    match (is_upper(letters.next()), is_upper(letters.next())) {
        (true, true) => word.to_uppercase(),
        (true, false) if like.chars().count() == 1 => word.to_uppercase(),
        (true, false) => {
            let mut letters = word.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
        }
        (false, _) => word.to_owned(),
    }
}

/// The words of a label, by all rows of a table: they are known, and tell nothing of other columns.
pub(super) fn words(table: &Table, name: &str) -> Result<[String; 2]> {
    let cells = task::texts(table, name)?;
    let Some(words) = find(&cells) else {
        return Err(Error::configuration(format!(
            "column \"{name}\" is not a label: its cells are not yes or no"
        ))
        .at(Place::source(table.source()).column(name))
        .help("a label is 0 or 1, true or false, or yes or no, each written in one way; make several labels of a cell a column each, and predict \
                   other columns by themselves"));
    };
    let counts = cells.counts(0..cells.rows());
    if cells.names().iter().zip(counts).filter(|(_, count)| *count > 0).count() < 2 {
        let only = cells.text(0).unwrap_or_default();
        return Err(Error::data(format!(
            "every row has \"{only}\" in column \"{name}\": there is nothing to learn"
        ))
        .at(Place::source(table.source()).column(name))
        .help("leave the label out of the targets"));
    }
    Ok(words)
}

/// Whether each row has each label, `[rows, labels]`.
pub(super) fn apply(table: &Table, names: &[String], words: &[[String; 2]]) -> Result<Vec<bool>> {
    let mut yes: Vec<bool> = zeros(table.rows(), names.len(), table)?;
    for (at, (name, words)) in names.iter().zip(words).enumerate() {
        let cells = task::texts(table, name)?;
        // A file of fewer rows may be written in another way: `true` and `false` for 1 and 0.
        let known = places(&cells, words);
        let others = find(&cells).map(|own| places(&cells, &own));
        for row in 0..table.rows() {
            let code = cells.code(row);
            let place = code.and_then(|code| known[code].or_else(|| others.as_ref()?[code]));
            yes[row * names.len() + at] = match place {
                Some(place) => place == 1,
                None => {
                    let [no, yes] = words;
                    return Err(Error::data(format!(
                        "\"{}\" is neither \"{no}\" nor \"{yes}\", which the label was in training",
                        cells.text(row).unwrap_or_default()
                    ))
                    .at(Place::source(table.source()).row(row + 1).column(name))
                    .help("correct the cell, or leave the row out"));
                }
            };
        }
    }
    Ok(yes)
}

/// A set of labels that fewer rows have shares a stratum with the other rare ones.
const FEWEST_ROWS_OF_A_SET: usize = 10;

/// Which set of labels each row has; rare sets are one.
pub(super) fn strata(table: &Table, names: &[String]) -> Result<Vec<u32>> {
    let words = names.iter().map(|name| words(table, name)).collect::<Result<Vec<_>>>()?;
    let yes = apply(table, names, &words)?;
    let mut counts: BTreeMap<&[bool], usize> = BTreeMap::new();
    let sets = || yes.chunks_exact(names.len());
    sets().for_each(|set| *counts.entry(set).or_default() += 1);
    let common = || counts.iter().filter(|(_, rows)| **rows >= FEWEST_ROWS_OF_A_SET);
    let strata: BTreeMap<&[bool], u32> = common().map(|(set, _)| *set).zip(1..).collect();
    // A row alone would be in no fold.
    let rare = u32::from(table.rows() - common().map(|(_, rows)| rows).sum::<usize>() == 1);
    Ok(sets().map(|set| strata.get(set).copied().unwrap_or(rare)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_yes_and_no_are_known_in_any_case() {
        let find =
            |cells: &[&str]| find(&Categories::from_texts(cells.iter().map(|cell| Some((*cell).to_owned()))));
        let words = |no: &str, yes: &str| Some([no.to_owned(), yes.to_owned()]);
        assert_eq!(find(&["1", "0", "1"]), words("0", "1"));
        assert_eq!(find(&["1", "-1"]), words("-1", "1"));
        assert_eq!(find(&["Yes", "No", "No"]), words("No", "Yes"));
        assert_eq!(find(&["TRUE"]), words("FALSE", "TRUE"));
        assert_eq!(find(&["False"]), words("False", "True"));
        assert_eq!(find(&["N", "Y"]), words("N", "Y"));
        assert_eq!(find(&["Ja", "Nein"]), words("Nein", "Ja"));
        assert_eq!(find(&["아니오", "예"]), words("아니오", "예"));
        assert_eq!(find(&["Да"]), words("Нет", "Да"));
        assert_eq!(find(&["yes", "Yes"]), None);
        assert_eq!(find(&["0", "2"]), None);
        assert_eq!(find(&["true", "no"]), None);
        assert_eq!(find(&["0", "1", "2"]), None);
        assert_eq!(find(&[]), None);
    }
}
