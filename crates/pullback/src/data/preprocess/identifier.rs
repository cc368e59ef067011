//! Which columns identify rows, and so say nothing of new ones.

/// A column of texts with more distinct values than this may be an identifier...
const MANY_CATEGORIES: usize = 50;
/// ...if each has fewer rows than this on average.
const ROWS_PER_CATEGORY: usize = 5;
/// From so many rows on, a column with another text in each identifies them.
const FEWEST_NAMES: usize = 10;
/// From so many rows on, a first column of ascending whole numbers identifies them.
const FEWEST_ASCENDING: usize = 20;

/// Whether so many distinct texts in so many rows identify these.
pub(super) fn are_names(distinct: usize, present: usize) -> bool {
    let is_many = distinct > MANY_CATEGORIES && ROWS_PER_CATEGORY * distinct > present;
    is_many || distinct == present && present >= FEWEST_NAMES
}

/// Why numbers identify rows, if they do: they count them, or each is another whole number under such a name.
pub(super) fn identifies(name: &str, numbers: &[f64], is_first: bool) -> Option<String> {
    let (first, last) = (*numbers.first()?, *numbers.last()?);
    if numbers.len() < 2 || numbers.iter().any(|number| number.fract() != 0.0) {
        return None; // NaN has a fraction that is not 0.
    }
    let counts_up = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0);
    let is_ascending = || numbers.windows(2).all(|pair| pair[1] > pair[0]);
    let is_distinct = || {
        let mut sorted = numbers.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted.windows(2).all(|pair| pair[0] != pair[1])
    };
    let counts_rows = counts_up && (first == 0.0 || first == 1.0);
    if counts_rows && (names_rows(name) || numbers.len() >= FEWEST_NAMES && !names_time(name)) {
        return Some(format!("it counts the rows from {first} to {last}, which says nothing of new ones"));
    }
    if names_rows(name) && numbers.len() >= FEWEST_NAMES && is_distinct() {
        return Some("another whole number in each row, so it identifies rows".to_owned());
    }
    let is_row_number = is_first && numbers.len() >= FEWEST_ASCENDING && !names_time(name);
    (is_row_number && is_ascending()).then(|| {
        format!("ascending whole numbers from {first} to {last} in the first column, so it identifies rows")
    })
}

/// Whether a column's name is one that people give to identifiers and row numbers; a reader calls a first column
/// without a name `c1`.
fn names_rows(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "c1",
        "id",
        "ids",
        "index",
        "idx",
        "row",
        "rows",
        "rownames",
        "row_names",
        "row.names",
        "rownum",
        "rownumber",
        "row_number",
        "row_id",
        "rowid",
        "no",
        "no.",
        "nr",
        "nr.",
        "#",
        "key",
        "uid",
        "uuid",
        "guid",
        "obs",
        "obs.",
        "observation",
        "record",
        "serial",
        "sno",
        "s.no",
        "s.no.",
        "sl no",
        "seq",
        "번호",
        "순번",
    ];
    let lower = name.trim().to_lowercase();
    NAMES.contains(&lower.as_str())
        || lower.starts_with("unnamed: ")
        || ["_id", "-id", " id", ".id", "_no", "_nr", " number", "_number", "_idx", "_index"]
            .iter()
            .any(|end| lower.ends_with(end))
        || ["Id", "ID"]
            .iter()
            .any(|end| name.strip_suffix(end).is_some_and(|stem| stem.ends_with(char::is_lowercase)))
}

/// Whether a column's name says that its numbers are a time, which tells of new rows too.
fn names_time(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "year",
        "month",
        "week",
        "day",
        "hour",
        "minute",
        "second",
        "date",
        "time",
        "t",
        "trend",
        "period",
        "quarter",
        "epoch",
        "step",
        "age",
        "timestamp",
        "years",
        "months",
        "weeks",
        "days",
        "hours",
        "jahr",
        "monat",
        "tag",
    ];
    let lower = name.trim().to_lowercase();
    NAMES.iter().any(|time| lower.split(|c: char| !c.is_alphanumeric()).any(|word| word == *time))
}
