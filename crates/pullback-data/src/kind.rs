//! What a column is: decided here alone, from all its cells, with a reason.
//!
//! - A declared type holds.
//! - All cells but the missing ones are numbers, in one locale and one unit: numbers.
//! - Digits that begin with zeros (`02139`) are codes, so categories as they are written: if all have one length, or
//!   one in ten begins with a zero.
//! - A letter that is no unit (`123.5a`) is left out with a warning if it stands at every number; if it does not, it
//!   makes the cell a text.
//! - `yes`, `True` and `1`, or `yes` and `Yes`, in one column with one of their opposites and nothing else are two
//!   categories.
//! - At least nine in ten are numbers (or dates): the others are missing, and a warning names them.
//! - Else categories. If half of the cells are numbers, a note says so.
//!
//! A locale is decided by column: `1.204,5` tells. Where all cells can be either (`1,204`), the other columns of the
//! file tell, then its delimiter: a semicolon goes with decimal commas.

use crate::cell::{is_infinite, is_missing_among_numbers};
use crate::date::{self, DURATION_UNIT, Date, day_of, duration, is_no_date};
use crate::note::{Note, NoteKind, counted, quoted, short};
use crate::number::{Aside, Evidence, LARGEST_EXACT, Locale, Written, begins_with_number};
use crate::raw::{Coded, MISSING, Raw};
use crate::sniff::ReadOptions;
use crate::unit::{Unit, in_unit, marks_of};
use pullback::data::{ColumnType, Times, Values, days, mixes_yes_and_no, yes_or_no};
use std::collections::{BTreeMap, BTreeSet};

/// At least so many cells are numbers for each that is not, where the others are taken for mistakes.
const NUMBERS_PER_MISTAKE: usize = 9;
/// There are no more spellings of yes and no.
const MOST_SPELLINGS: usize = 64;

/// What is said of a column's type.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Said<'a> {
    pub(crate) kind: Option<ColumnType>,
    /// It was that in other data: a cell that does not fit is missing.
    pub(crate) is_elsewhere: bool,
    /// Whether the day stood before the month in its dates, if they told it.
    pub(crate) is_day_first: Option<bool>,
    /// Whether a year of two digits stood first.
    pub(crate) is_year_first: bool,
    /// Between which two seconds its dates were in training.
    pub(crate) dates: Option<[f64; 2]>,
    /// The unit of its numbers in training.
    pub(crate) unit: Option<&'a str>,
    /// Whether they had decimal commas in training, if they told it.
    pub(crate) has_decimal_commas: Option<bool>,
}

impl<'a> Said<'a> {
    /// What the user declares, else what it was in training.
    pub(crate) fn of(options: &'a ReadOptions, name: &str) -> Self {
        let is_day_first = options.day_first.get(name).copied();
        let unit = options.units.get(name).map(String::as_str);
        let (kind, is_elsewhere) = match (options.types.get(name), options.known.get(name)) {
            (Some(&kind), _) => (Some(kind), false),
            (None, known) => (known.copied(), known.is_some()),
        };
        let has_decimal_commas = options.decimal_commas.get(name).copied();
        let is_year_first = options.year_first.contains(name);
        let dates = options.dates.get(name).copied();
        Self { kind, is_elsewhere, is_day_first, is_year_first, dates, unit, has_decimal_commas }
    }

    fn reason(self) -> Option<&'static str> {
        self.kind.map(|_| if self.is_elsewhere { "as in training" } else { "as declared" })
    }
}

/// What all columns of a file say together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Context {
    /// Numbers that could be of either locale have decimal commas.
    pub(crate) has_decimal_commas: bool,
    /// Whether something says so, or the contrary.
    pub(crate) is_told: bool,
}

/// A column that is decided.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) values: Values,
    pub(crate) reason: String,
    /// The unit of its numbers.
    pub(crate) unit: Option<String>,
    /// Whether they have decimal commas, if they tell it.
    pub(crate) has_decimal_commas: Option<bool>,
    /// Whether a year of two digits stands first in its dates.
    pub(crate) is_year_first: bool,
    /// How a few distinct numbers are written, where that is not as Pullback writes them.
    pub(crate) spellings: Vec<(f64, String)>,
    pub(crate) notes: Vec<Note>,
}

impl Decided {
    pub(crate) fn new(values: Values, reason: impl Into<String>, notes: Vec<Note>) -> Self {
        Self {
            values,
            reason: reason.into(),
            unit: None,
            has_decimal_commas: None,
            is_year_first: false,
            spellings: Vec::new(),
            notes,
        }
    }
}

/// Why a column cannot be what it should be: the first cell that is to blame.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) row: usize,
    pub(crate) what: String,
    pub(crate) help: String,
}

/// What the distinct texts of a column are.
#[derive(Debug)]
pub(crate) struct Profile {
    written: Vec<Option<Written>>,
    point: usize,
    comma: usize,
}

impl Profile {
    pub(crate) fn of(coded: &Coded) -> Self {
        let written: Vec<Option<Written>> = coded.names.iter().map(|name| Written::read(name)).collect();
        let count = |evidence| {
            let of = written.iter().zip(&coded.counts);
            of.filter(|(written, _)| written.as_ref().is_some_and(|written| written.evidence == evidence))
                .map(|(_, count)| count)
                .sum()
        };
        let (point, comma) = (count(Evidence::Point), count(Evidence::Comma));
        Self { written, point, comma }
    }

    /// Whether only decimal commas fit, in most cells that tell.
    pub(crate) fn has_decimal_commas(&self) -> bool {
        self.comma > self.point
    }

    /// Whether only decimal points fit, in most cells that tell.
    pub(crate) fn has_decimal_points(&self) -> bool {
        self.point > self.comma
    }

    /// Whether all texts are plain numbers.
    #[cfg(feature = "parquet")]
    pub(crate) fn are_numbers(&self, raw: &Coded) -> bool {
        let is_number =
            |written: &Option<Written>| written.as_ref().is_some_and(|written| written.after.is_empty());
        self.written.iter().zip(&raw.counts).all(|(written, &count)| count == 0 || is_number(written))
    }

    /// The numbers that the distinct texts are, NaN where one is none; [`None`] if none is.
    pub(crate) fn values(&self, names: &[String], context: Context) -> Option<Vec<f64>> {
        debug_assert_eq!(names.len(), self.written.len());
        let locale = self.locale(context, None);
        let read = |written: &Option<Written>| written.as_ref().and_then(|written| written.value(locale));
        let values: Vec<f64> = self.written.iter().map(|written| read(written).unwrap_or(f64::NAN)).collect();
        values.iter().any(|value| !value.is_nan()).then_some(values)
    }

    /// By its own cells; where none tells, as in training; else as the file's other columns.
    fn locale(&self, context: Context, known: Option<bool>) -> Locale {
        let has_commas = match self.comma.cmp(&self.point) {
            std::cmp::Ordering::Equal => known.unwrap_or(context.has_decimal_commas),
            more => more == std::cmp::Ordering::Greater,
        };
        if has_commas { Locale::Comma } else { Locale::Point }
    }

    /// Whether its numbers have decimal commas, if a separator stands in one.
    fn separators(&self, raw: &Coded, locale: Locale) -> Option<bool> {
        let mut present = self.written.iter().zip(&raw.counts).filter(|(_, count)| **count > 0);
        let has = |written: &Written| !matches!(written.evidence, Evidence::Neutral);
        present.any(|(written, _)| written.as_ref().is_some_and(has)).then_some(locale == Locale::Comma)
    }

    /// The warning that numbers are read as in training where the file tells otherwise, with the first of them.
    fn doubt(&self, name: &str, raw: &Coded, context: Context, said: Said<'_>) -> Option<Note> {
        let known = said.has_decimal_commas?;
        if self.comma != self.point || !context.is_told || context.has_decimal_commas == known {
            return None;
        }
        let is_open = |(at, written): (usize, &Option<Written>)| {
            let evidence = written.as_ref()?.evidence;
            let is_either = matches!(evidence, Evidence::EitherPoint | Evidence::EitherComma);
            (is_either && raw.counts[at] > 0).then_some(at)
        };
        let at = self.written.iter().enumerate().find_map(is_open)?;
        let locale = if known { Locale::Comma } else { Locale::Point };
        let value = self.written[at].as_ref()?.value(locale)?;
        let words = format!(
            "\"{}\" is read as {value}, as in training, though the rest of the file is written otherwise; write \
             numbers with a decimal point and without separators between thousands if that is wrong",
            short(&raw.names[at])
        );
        Some(Note::new(NoteKind::Type, raw.counts.iter().sum(), words).at(format!("column \"{name}\"")))
    }
}

/// Decides what a column of plain numbers is.
pub(crate) fn decide_plain(name: &str, numbers: Vec<f64>, said: Said<'_>) -> Decided {
    let missing = numbers.iter().filter(|number| number.is_nan()).count();
    if said.kind.is_none_or(|kind| kind == ColumnType::Time)
        && let Some(seconds) = digits_of_dates(&numbers, said)
    {
        let place = || format!("column \"{name}\"");
        let seconds = without_stand_ins(seconds, said);
        let unread = (numbers.iter().zip(&seconds))
            .filter_map(|(number, seconds)| (seconds.is_nan() && !number.is_nan()).then_some(*number));
        let cells = unread.clone().count();
        let mut notes = Vec::new();
        if cells > 0 {
            let distinct: BTreeSet<u64> = unread.map(|number| number as u64).collect();
            let texts: Vec<String> = distinct.iter().map(|number| format!("{number:08}")).collect();
            notes.push(no_dates(&quoted(texts.iter().map(String::as_str), 3), cells).at(place()));
        }
        let present = numbers.len() - missing - cells;
        if present > 0 {
            let words = "digits read as dates: year, month and, if it is there, day";
            notes.push(Note::new(NoteKind::Dates, present, words).at(place()));
        }
        let values = Values::Times(Times { seconds, is_day_first: None });
        let reason = said.reason().unwrap_or("all cells are dates");
        return Decided::new(values, reason, notes);
    }
    let mut notes: Vec<Note> = stand_in(name, &numbers).into_iter().collect();
    if said.unit == Some("%") {
        notes.extend(fractions(name, numbers.iter().map(|&number| (number, 1))));
    }
    let reason = match said.reason() {
        Some(reason) => reason.to_owned(),
        None if missing == numbers.len() => "no cell has a value".to_owned(),
        None => "all cells are numbers".to_owned(),
    };
    Decided { unit: said.unit.map(str::to_owned), ..Decided::new(Values::Numbers(numbers), reason, notes) }
}

/// The warning that numbers without a sign in a column of percent look as fractions, each with how often it stands.
fn fractions(name: &str, numbers: impl Iterator<Item = (f64, usize)>) -> Option<Note> {
    let (mut cells, mut is_any) = (0, false);
    for (number, count) in numbers.filter(|(number, _)| !number.is_nan()) {
        if number.abs() > 1.0 {
            return None;
        }
        cells += count;
        is_any |= number != 0.0;
    }
    let words = format!(
        "{} without % not above 1, in a column of percent, so read as at most one percent; if they are fractions, \
         multiply them by 100",
        counted(cells, "cell")
    );
    is_any.then(|| Note::new(NoteKind::Type, cells, words).at(format!("column \"{name}\"")))
}

/// The dates that whole numbers such as 20210131 are, if all are such, and two differ or they are said to be dates.
fn digits_of_dates(numbers: &[f64], said: Said<'_>) -> Option<Vec<f64>> {
    /// Digits of a month that is not known.
    const NO_MONTHS: &[f64] = &[0.0, 999_912.0, 999_999.0];
    /// Fewer distinct numbers such as 202101 are no months, unless they are said to be dates.
    const FEWEST_MONTHS: usize = 12;
    /// Digits of no date, and of the last and first ones.
    const NO_DATES: &[f64] = &[0.0, 10_101.0, 99_991_231.0, 99_990_101.0, 99_999_999.0, 29_991_231.0];
    let is_said = said.kind == Some(ColumnType::Time);
    let first = numbers.iter().find(|number| !number.is_nan());
    if first.is_none() && !is_said {
        return None;
    }
    let date = |number: f64| {
        if number.is_nan() {
            return Some(number);
        }
        if NO_DATES.contains(&number) {
            return Some(f64::NAN);
        }
        if number.fract() != 0.0 || !(19_000_101.0..=21_001_231.0).contains(&number) {
            return None;
        }
        let digits = number as u32;
        Some(days((digits / 10_000) as i32, digits / 100 % 100, digits % 100)? as f64 * 86_400.0)
    };
    let month = |number: f64| {
        if number.is_nan() || NO_MONTHS.contains(&number) {
            return Some(f64::NAN);
        }
        if number.fract() != 0.0 || !(190_001.0..=210_012.0).contains(&number) {
            return None;
        }
        let digits = number as u32;
        Some(days((digits / 100) as i32, digits % 100, 1)? as f64 * 86_400.0)
    };
    let all = |of: &dyn Fn(f64) -> Option<f64>| {
        numbers.iter().map(|&number| of(number)).collect::<Option<Vec<f64>>>()
    };
    let dates = match all(&date) {
        Some(dates) => dates,
        None => {
            let months = all(&month)?;
            // Few numbers of six digits end as months do by chance.
            let distinct: BTreeSet<u64> =
                months.iter().filter(|month| !month.is_nan()).map(|month| month.to_bits()).collect();
            if !is_said && distinct.len() < FEWEST_MONTHS {
                return None;
            }
            months
        }
    };
    let first = dates.iter().find(|date| !date.is_nan());
    let differ = || dates.iter().any(|date| !date.is_nan() && Some(date) != first);
    (is_said || differ()).then_some(dates)
}

/// The dates of a column without those that stand for one that is not known.
pub(crate) fn without_stand_ins(mut seconds: Vec<f64>, said: Said<'_>) -> Vec<f64> {
    let unknown = date::stand_ins(seconds.iter().copied(), said.dates);
    let is_unknown = |own: &&mut f64| !own.is_nan() && unknown.contains(&day_of(**own));
    if !unknown.is_empty() {
        seconds.iter_mut().filter(is_unknown).for_each(|own| *own = f64::NAN);
    }
    seconds
}

/// How the order of the numbers in a column's dates was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Each date tells: its month is named, or its year has four digits and stands first.
    Written,
    /// By a number above 12, by the order of the rows, by the sign between them, or as in training.
    Found,
    /// Nothing told: the month is taken as the first.
    Guessed,
    /// The first numbers are as years are, and could be days.
    GuessedYear,
    /// By the cells, against what it was in training.
    OtherThanInTraining,
}

/// The dates of a column.
struct Dates {
    times: Times,
    order: date::Order,
    why: Why,
    /// Cells of a month's name and two digits.
    short_months: usize,
    /// The cells that stand for no date, and those that are none, by their codes.
    empty: Vec<usize>,
    others: Vec<usize>,
}

impl Dates {
    fn is_year_first(&self) -> bool {
        self.why != Why::Written && self.order == date::Order::YearMonthDay
    }

    /// The order of day and month, for people.
    fn order_words(&self) -> &'static str {
        match (self.is_year_first(), self.times.is_day_first) {
            (true, _) => ", the year first",
            (_, None) => "",
            (_, Some(true)) => ", the day first",
            (_, Some(false)) => ", the month first",
        }
    }

    /// The warning that they may mean others.
    fn doubt(&self) -> Option<String> {
        match self.why {
            Why::Written | Why::Found if self.short_months > 0 => Some(
                "a name and two digits are read as month and year; write them as 2021-01-31 if a day is meant"
                    .to_owned(),
            ),
            Why::Written | Why::Found => None,
            Why::Guessed => Some(
                "every date fits with the day or the month first, and the month first is taken; write them as \
                 2021-01-31 if that is wrong"
                    .to_owned(),
            ),
            Why::GuessedYear => Some(
                "the dates fit with the year first or last, and the year first is taken, as the first numbers differ \
                 least; write them as 2021-01-31 if that is wrong"
                    .to_owned(),
            ),
            Why::OtherThanInTraining => {
                let first = match self.order {
                    date::Order::YearMonthDay => "year",
                    date::Order::DayMonthYear => "day",
                    date::Order::MonthDayYear => "month",
                };
                Some(format!(
                    "the dates have the {first} first here, which they had not in training; check that they are read \
                     as meant, or write them as 2021-01-31"
                ))
            }
        }
    }
}

/// The warning that cells have a date that stands for one that is not known.
pub(crate) fn no_dates(texts: &str, cells: usize) -> Note {
    let words = format!(
        "{texts} taken as missing in {}: no date, or one that programs write where none is known, and far from all \
         others",
        counted(cells, "cell")
    );
    Note::new(NoteKind::Missing, cells, words)
}

/// The dates of a column, if at least nine in ten of its cells are, or half of them where it is said; else how many
/// cells are dates.
fn dates(raw: &Coded, said: Said<'_>) -> Result<Dates, usize> {
    use date::Order::{DayMonthYear, MonthDayYear, YearMonthDay};
    let is_said = said.kind == Some(ColumnType::Time);
    let read: Vec<Option<Date>> = raw
        .names
        .iter()
        .map(|name| {
            Date::read(name)
                .or_else(|| Date::of_digits(name).or_else(|| Date::of_month(name)).filter(|_| is_said))
        })
        .collect();
    let count = |is: &dyn Fn(usize) -> bool| -> usize {
        (0..raw.names.len()).filter(|&at| is(at)).map(|at| raw.counts[at]).sum()
    };
    let found = count(&|at| read[at].is_some());
    if found == 0 {
        return Err(0);
    }
    let fit = |order| count(&|at| read[at].is_some_and(|date| date.value(order).is_some()));
    let is_open = |at: usize| raw.counts[at] > 0 && read[at].is_some_and(|date| date.is_open());
    let (order, why) = if !(0..raw.names.len()).any(is_open) {
        (MonthDayYear, Why::Written)
    } else {
        let (month_first, day_first, year_first) = (fit(MonthDayYear), fit(DayMonthYear), fit(YearMonthDay));
        let most_last = month_first.max(day_first);
        let known = match (said.is_year_first, said.is_day_first) {
            (true, _) => Some(YearMonthDay),
            (_, Some(true)) => Some(DayMonthYear),
            (_, Some(false)) => Some(MonthDayYear),
            (_, None) => None,
        };
        let of = |order| match order {
            MonthDayYear => month_first,
            DayMonthYear => day_first,
            YearMonthDay => year_first,
        };
        let last = if day_first > month_first { DayMonthYear } else { MonthDayYear };
        match known {
            Some(known) if of(known) == most_last.max(year_first) => (known, Why::Found),
            Some(_) => (if year_first > most_last { YearMonthDay } else { last }, Why::OtherThanInTraining),
            None if year_first > most_last => (YearMonthDay, Why::Found),
            None if year_first == most_last && is_year_likely(raw, &read, last) => {
                (YearMonthDay, Why::GuessedYear)
            }
            None if day_first != month_first => (last, Why::Found),
            None => match order_of_rows(raw, &read) {
                Some(is_day_first) => (if is_day_first { DayMonthYear } else { MonthDayYear }, Why::Found),
                None => (MonthDayYear, Why::Guessed),
            },
        }
    };
    let fitting = |at: usize| read[at].and_then(|date| date.value(order));
    let present = || (0..raw.names.len()).filter(|at| raw.counts[*at] > 0);
    let unknown = date::stand_ins(present().filter_map(fitting), said.dates);
    let is_stand_in = |at: usize| fitting(at).is_some_and(|seconds| unknown.contains(&day_of(seconds)));
    let value = |at: usize| fitting(at).filter(|_| !is_stand_in(at));
    let is_none = |at: usize| raw.counts[at] > 0 && value(at).is_none();
    let is_empty = |at: usize| is_none(at) && (is_no_date(&raw.names[at]) || is_stand_in(at));
    let is_other = |at: usize| is_none(at) && !is_empty(at) && !is_missing_among_numbers(&raw.names[at]);
    let others = count(&is_other);
    let is_enough = match said.kind {
        Some(ColumnType::Time) => said.is_elsewhere || others <= found,
        _ => others * NUMBERS_PER_MISTAKE <= found,
    };
    if !is_enough {
        return Err(found);
    }
    let seconds = raw
        .codes
        .iter()
        .map(|&code| if code == MISSING { f64::NAN } else { value(code as usize).unwrap_or(f64::NAN) });
    let is_day_first = match (why, order) {
        (Why::Written, _) | (_, YearMonthDay) => None,
        (_, order) => Some(order == DayMonthYear),
    };
    Ok(Dates {
        times: Times { seconds: seconds.collect(), is_day_first },
        order,
        why,
        short_months: count(&|at| read[at].is_some_and(|date| date.is_month_and_year())),
        empty: (0..raw.names.len()).filter(|&at| is_empty(at)).collect(),
        others: (0..raw.names.len()).filter(|&at| is_other(at)).collect(),
    })
}

/// Whether dates that fit with a year of two digits first or last have it first, rather than in the `other` order: if
/// the rows are in order of time only so; or, where neither order shows, if the first numbers differ less than the last,
/// as years do, and are not all the first day of a month.
fn is_year_likely(raw: &Coded, read: &[Option<Date>], other: date::Order) -> bool {
    let cells = || {
        let present = raw.codes.iter().filter(|code| **code != MISSING);
        present.filter_map(|&code| read[code as usize]).filter(Date::is_open)
    };
    let is_sorted = |order| {
        let times: Vec<f64> = cells().filter_map(|date| date.value(order)).collect();
        times.windows(2).all(|pair| pair[0] <= pair[1])
    };
    match (is_sorted(date::Order::YearMonthDay), is_sorted(other)) {
        (true, false) => return true,
        (false, true) => return false,
        _ => {}
    }
    let (mut first, mut last) = (BTreeSet::new(), BTreeSet::new());
    for [one, other] in cells().filter_map(|date| date.ends()) {
        first.insert(one);
        last.insert(other);
    }
    first.len() < last.len() && first.iter().any(|number| *number != 1)
}

/// The warning that cells are taken as missing as they are not what the others are: `kind`, "a number" or "a date".
fn taken_as_missing(name: &str, raw: &Coded, odd: &[usize], kind: &str, said: Said<'_>) -> Note {
    let cells: usize = odd.iter().map(|&at| raw.counts[at]).sum();
    let first = odd.first().map_or(MISSING, |&at| at as u32);
    let row = raw.codes.iter().position(|&code| code == first).unwrap_or(0);
    let texts = quoted(odd.iter().map(|&at| raw.names[at].as_str()), 3);
    let (why, flag) = match said.is_elsewhere {
        true => (", as the column was in training", String::new()),
        false => ("", format!("; `--type '{name}=categorical'` takes the column as texts")),
    };
    Note::new(
        NoteKind::Missing,
        cells,
        format!(
            "{} not {kind}{why}, so missing: {texts}, first in row {}{flag}",
            counted(cells, "cell"),
            row + 1
        ),
    )
    .at(format!("column \"{name}\""))
}

/// The warning that cells are taken as missing as they are in another unit than the column.
fn of_other_units(
    name: &str,
    raw: &Coded,
    profile: &Profile,
    others: &[usize],
    unit: &Unit,
    said: Said<'_>,
) -> Note {
    let cells: usize = others.iter().map(|&at| raw.counts[at]).sum();
    let row = raw.codes.iter().position(|&code| others.first() == Some(&(code as usize))).unwrap_or(0);
    let own: BTreeSet<String> =
        others.iter().filter_map(|&at| profile.written[at].as_ref()).map(marks_of).collect();
    let theirs: Vec<String> = own.iter().take(3).map(|marks| in_unit(marks)).collect();
    let where_it_was = if said.unit.is_some() { "as the column was in training" } else { "as most are" };
    let words = format!(
        "{} {} and not {}, {where_it_was}, so missing: {}, first in row {}; convert them",
        counted(cells, "cell"),
        theirs.join(" or "),
        in_unit(unit.marks().unwrap_or_default()),
        quoted(others.iter().map(|&at| raw.names[at].as_str()), 3),
        row + 1
    );
    Note::new(NoteKind::Missing, cells, words).at(format!("column \"{name}\""))
}

/// The seconds of a column's texts, if all are durations and one is so without a doubt, or they are said to be
/// numbers and have no other unit: else they are times of a day, or numbers.
fn durations(raw: &Coded, said: Said<'_>) -> Option<Vec<f64>> {
    let (mut is_sure, mut is_clock) = (false, false);
    let read = |(name, &count): (&String, &usize)| match count {
        0 => Some(f64::NAN),
        _ if is_missing_among_numbers(name) => Some(f64::NAN),
        _ => {
            let found = duration(name)?;
            is_sure |= found.is_sure;
            is_clock |= name.contains(':');
            Some(found.seconds)
        }
    };
    let seconds = raw.names.iter().zip(&raw.counts).map(read).collect::<Option<Vec<f64>>>()?;
    let is_said = said.unit.is_some() || said.kind.is_some() && is_clock;
    (is_sure || is_said && seconds.iter().any(|seconds| !seconds.is_nan())).then_some(seconds)
}

/// A column that mixes spellings of yes and no, as one of two texts: of each side the commonest.
struct Mixed {
    raw: Coded,
    note: String,
    cells: usize,
}

impl Mixed {
    fn at(self, place: String) -> Decided {
        let note = Note::new(NoteKind::Type, self.cells, self.note).at(place);
        categories(self.raw, "all cells say yes or no, in several spellings".into(), vec![note])
    }
}

fn yes_and_no(name: &str, raw: &Coded) -> Option<Mixed> {
    let present = |at: &usize| raw.counts[*at] > 0;
    let places: Vec<usize> = (0..raw.names.len()).filter(present).collect();
    if places.len() > MOST_SPELLINGS || !mixes_yes_and_no(places.iter().map(|&at| raw.names[at].as_str())) {
        return None;
    }
    let of =
        |answer: bool| places.iter().copied().filter(move |&at| yes_or_no(&raw.names[at]) == Some(answer));
    // Of equally common ones the first.
    let commonest = |answer: bool| of(answer).rev().max_by_key(|&at| raw.counts[at]);
    let (yes, no) = (commonest(true)?, commonest(false)?);
    let code_of = |code: u32| match yes_or_no(&raw.names[code as usize]) {
        Some(true) => 0,
        _ => 1,
    };
    let codes = raw.codes.iter().map(|&code| if code == MISSING { MISSING } else { code_of(code) });
    let count = |answer: bool| of(answer).map(|at| raw.counts[at]).sum::<usize>();
    let (names, counts) =
        (vec![raw.names[yes].clone(), raw.names[no].clone()], vec![count(true), count(false)]);
    let spelled = |answer: bool| quoted(of(answer).map(|at| raw.names[at].as_str()), 5);
    Some(Mixed {
        note: format!(
            "yes and no in several spellings, read as one: {} as \"{}\", {} as \"{}\"; `--type '{name}=categorical'` \
             keeps them apart",
            spelled(true),
            names[0],
            spelled(false),
            names[1]
        ),
        cells: counts[0] + counts[1],
        raw: Coded { codes: codes.collect(), names, counts },
    })
}

/// The numbers of cells that all say yes or no, for a column that was one of numbers, and how they are read.
fn ones_and_zeros(raw: &Coded) -> Option<(Vec<f64>, String)> {
    let present = |at: &usize| raw.counts[*at] > 0;
    let places = || (0..raw.names.len()).filter(present);
    if places().count() > MOST_SPELLINGS || places().all(|at| raw.names[at].parse::<f64>().is_ok()) {
        return None;
    }
    let mut values = vec![f64::NAN; raw.names.len()];
    for at in places().filter(|&at| !is_missing_among_numbers(&raw.names[at])) {
        values[at] = f64::from(u8::from(yes_or_no(&raw.names[at])?));
    }
    if values.iter().all(|value| value.is_nan()) {
        return None;
    }
    let texts = quoted(places().map(|at| raw.names[at].as_str()), 4);
    let of = |&code: &u32| if code == MISSING { f64::NAN } else { values[code as usize] };
    let words = format!("{texts} read as 1 for yes and 0 for no, as the column has numbers in training");
    Some((raw.codes.iter().map(of).collect(), words))
}

/// Whether the day stands first in dates that fit either way, if anything tells: the rows are in order of time only so
/// or only otherwise; a point or a minus between day and month goes with the day first; or both are the same dates.
fn order_of_rows(raw: &Coded, read: &[Option<Date>]) -> Option<bool> {
    let order =
        |is_day_first| if is_day_first { date::Order::DayMonthYear } else { date::Order::MonthDayYear };
    let open = |code: &&u32| **code != MISSING && read[**code as usize].is_some_and(|date| date.is_open());
    let first = raw.codes.iter().find(open)?;
    let is_sorted = |is_day_first: bool| {
        let times: Vec<f64> = raw
            .codes
            .iter()
            .filter(open)
            .filter_map(|&code| read[code as usize]?.value(order(is_day_first)))
            .collect();
        times.windows(2).all(|pair| pair[0] <= pair[1])
    };
    let is_same = |date: &Date| date.value(order(true)) == date.value(order(false));
    match (is_sorted(true), is_sorted(false)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ if !raw.names[*first as usize].contains('/') => Some(true),
        _ => read.iter().flatten().all(is_same).then_some(false),
    }
}

/// A number that stands far below or above all others, more than once, as people write for a missing cell.
pub(crate) fn stand_in(name: &str, numbers: &[f64]) -> Option<Note> {
    const STAND_INS: &[f64] = &[-99.0, -999.0, -9999.0, -99999.0, 9999.0, 99999.0, 999999.0];
    let first = *numbers.iter().find(|number| number.abs() >= 99.0 && STAND_INS.contains(number))?;
    let (mut count, mut low, mut high) = (0usize, f64::INFINITY, f64::NEG_INFINITY);
    for &number in numbers {
        if number == first {
            count += 1;
        } else if !number.is_nan() {
            low = low.min(number);
            high = high.max(number);
        }
    }
    let spread = high - low;
    let is_far = first < 0.0 && first < low - spread.max(1.0) && low > first / 2.0
        || first > 0.0 && first > high + 3.0 * spread.max(1.0);
    (count > 1 && spread >= 0.0 && is_far).then(|| {
        Note::new(
            NoteKind::Missing,
            count,
            format!("{first} stands in {}, far from all others ({low} to {high}): if it marks what is missing, say `--missing={first}`", counted(count, "cell")),
        )
        .at(format!("column \"{name}\""))
    })
}

/// The texts without `="..."`, in which spreadsheets put what is to stay a text, if all are written so.
fn without_formulas(mut raw: Coded) -> Coded {
    let inner = |name: &String| -> Option<String> {
        let text = name.strip_prefix("=\"")?.strip_suffix('"')?;
        (!text.contains('"')).then(|| text.trim().to_owned())
    };
    // What is missing in the column has no text.
    let texts: Option<Vec<String>> = raw.names.iter().map(inner).collect();
    if let Some(texts) = texts.filter(|texts| texts.iter().collect::<BTreeSet<_>>().len() == texts.len()) {
        raw.names = texts;
    }
    raw
}

/// Decides what a column of texts is.
pub(crate) fn decide(
    name: &str,
    raw: Coded,
    profile: &Profile,
    said: Said<'_>,
    context: Context,
) -> Result<Decided, Refusal> {
    let present: usize = raw.counts.iter().sum();
    let declared = said.kind;
    let raw = without_formulas(raw);
    if let (Some(ColumnType::Categorical), Some(reason)) = (declared, said.reason()) {
        return Ok(categories(raw, reason.into(), Vec::new()));
    }
    let place = || format!("column \"{name}\"");
    if present == 0 {
        let none = vec![f64::NAN; raw.codes.len()];
        let values = match declared {
            Some(ColumnType::Time) => Values::Times(Times { seconds: none, is_day_first: None }),
            _ => Values::Numbers(none),
        };
        return Ok(Decided::new(values, "no cell has a value", Vec::new()));
    }
    if declared.is_none_or(|kind| kind == ColumnType::Numeric)
        && said.unit.is_none_or(|unit| unit == DURATION_UNIT)
        && let Some(seconds) = durations(&raw, said)
    {
        let of = |&code: &u32| if code == MISSING { f64::NAN } else { seconds[code as usize] };
        let values = Values::Numbers(raw.codes.iter().map(of).collect());
        let note = Note::new(NoteKind::Numbers, present, "read as durations, in seconds").at(place());
        let reason = said.reason().unwrap_or("all cells are durations, in seconds").to_owned();
        let unit = Some(DURATION_UNIT.to_owned());
        return Ok(Decided { unit, ..Decided::new(values, reason, vec![note]) });
    }
    if declared.is_none_or(|kind| kind == ColumnType::Time) {
        match dates(&raw, said) {
            Ok(dates) => {
                let order = dates.order_words();
                let mut notes = Vec::new();
                if let Some(doubt) = dates.doubt() {
                    notes.push(Note::new(NoteKind::Type, present, doubt).at(place()));
                }
                let is_year_first = dates.is_year_first();
                let Dates { times, empty, others, .. } = dates;
                if !empty.is_empty() {
                    let cells = empty.iter().map(|&at| raw.counts[at]).sum();
                    let texts = quoted(empty.iter().map(|&at| raw.names[at].as_str()), 3);
                    notes.push(no_dates(&texts, cells).at(place()));
                }
                if !others.is_empty() {
                    notes.push(taken_as_missing(name, &raw, &others, "a date", said));
                }
                let read = times.seconds.iter().filter(|seconds| !seconds.is_nan()).count();
                notes.push(
                    Note::new(
                        NoteKind::Dates,
                        read,
                        format!("read as dates{order}; as inputs, they become their parts"),
                    )
                    .at(place()),
                );
                let all = if others.is_empty() { "all cells" } else { "nearly all cells" };
                let reason = said.reason().map_or(format!("{all} are dates{order}"), str::to_owned);
                return Ok(Decided { is_year_first, ..Decided::new(Values::Times(times), reason, notes) });
            }
            Err(_) if declared.is_some() => {
                return Err(Refusal {
                    row: 0,
                    what: "most cells of the column are no dates".into(),
                    help: match said.is_elsewhere {
                        true => "write dates as 2021-01-31 or 2021-01-31 14:05".to_owned(),
                        false => format!(
                            "write dates as 2021-01-31 or 2021-01-31 14:05; `--type '{name}=categorical'` takes the column \
                             as texts"
                        ),
                    },
                });
            }
            Err(found) if 2 * found >= present => {
                let words = format!(
                    "{found} of {present} cells are dates, too few, so all are categories; `--type '{name}=time'` says \
                     that they are dates"
                );
                let notes = vec![Note::new(NoteKind::Type, present - found, words).at(place())];
                return Ok(categories(raw, "texts, not all dates".into(), notes));
            }
            Err(_) => {}
        }
    }
    if declared.is_none()
        && let Some(mixed) = yes_and_no(name, &raw)
    {
        return Ok(mixed.at(place()));
    }
    if declared == Some(ColumnType::Numeric)
        && said.is_elsewhere
        && let Some((values, words)) = ones_and_zeros(&raw)
    {
        let note = Note::new(NoteKind::Type, present, words).at(place());
        return Ok(Decided::new(Values::Numbers(values), "as in training", vec![note]));
    }
    let locale = profile.locale(context, said.has_decimal_commas);
    let unit = Unit::of(&raw, &profile.written, said.unit);
    let mut numbers: Vec<Option<f64>> = vec![None; raw.names.len()];
    let mut is_filler = vec![false; raw.names.len()];
    // Numbers in another unit, which count as texts.
    let mut others: Vec<usize> = Vec::new();
    let (mut cells, mut texts, mut fillers, mut infinite) = (0usize, 0usize, 0usize, 0usize);
    for (at, text) in raw.names.iter().enumerate() {
        if raw.counts[at] == 0 {
            continue;
        }
        let value = profile.written[at].as_ref().and_then(|written| Some((written.value(locale)?, written)));
        numbers[at] = value.and_then(|(value, written)| Some(value * unit.factor(written)?));
        if numbers[at].is_some() {
            cells += raw.counts[at];
        } else if is_missing_among_numbers(text) {
            is_filler[at] = true;
            fillers += raw.counts[at];
        } else if is_infinite(text) {
            infinite += raw.counts[at];
        } else {
            texts += raw.counts[at];
            if value.is_some() && unit.marks().is_some() {
                others.push(at);
            }
        }
    }
    if declared.is_none() && said.unit.is_none() {
        if cells == 0 {
            let distinct = raw.counts.iter().filter(|count| **count > 0).count();
            let notes = begun(&raw, &numbers).map(|note| note.at(place())).into_iter().collect();
            return Ok(categories(
                raw,
                format!("{}, none a number", counted(distinct, "distinct text")),
                notes,
            ));
        }
        if let Some(codes) = codes(&raw, cells)
            && texts * NUMBERS_PER_MISTAKE <= cells
        {
            let notes = vec![
                Note::new(
                    NoteKind::Type,
                    codes,
                    format!("digits that begin with zeros are codes, so categories; `--type '{name}=numeric'` makes them numbers"),
                )
                .at(place()),
            ];
            let mut raw = raw;
            raw.forget(&is_filler);
            return Ok(categories(raw, "digits that begin with zeros: codes".into(), notes));
        }
        if texts == 0
            && let Some(equal) = equal_as_numbers(&raw, &numbers)
        {
            let words = format!(
                "{} of more digits than a number tells apart, so categories by their digits; \
                 `--type '{name}=numeric'` makes them numbers",
                counted(equal, "whole number")
            );
            let notes = vec![Note::new(NoteKind::Type, equal, words).at(place())];
            return Ok(categories(raw, "whole numbers that differ only as texts".into(), notes));
        }
        let is_stand_in = stand_in_text(&raw, &numbers, &is_filler).is_some() && others.is_empty();
        if texts * NUMBERS_PER_MISTAKE > cells + infinite && !is_stand_in {
            let distinct = raw.counts.iter().filter(|count| **count > 0).count();
            let mut notes = Vec::new();
            if 2 * cells >= present {
                notes.push(
                    Note::new(
                        NoteKind::Type,
                        texts,
                        format!("{cells} of {present} cells are numbers, too few, so all are categories; `--type '{name}=numeric'` says that they are numbers"),
                    )
                    .at(place()),
                );
            } else {
                notes.extend(begun(&raw, &numbers).map(|note| note.at(place())));
            }
            return Ok(categories(
                raw,
                format!("{}, not all numbers", counted(distinct, "distinct text")),
                notes,
            ));
        }
    }
    let mut notes = Vec::new();
    let odd: Vec<usize> = (0..raw.names.len())
        .filter(|&at| raw.counts[at] > 0 && numbers[at].is_none() && !is_filler[at])
        .collect();
    if infinite > 0 || texts > cells {
        let blamed = odd.iter().find(|&&at| infinite == 0 || is_infinite(&raw.names[at]));
        let blamed = *blamed.expect("such a cell was counted");
        let row = raw.codes.iter().position(|&code| code as usize == blamed).unwrap_or(0);
        let others_too = match texts + infinite {
            1 => String::new(),
            all => format!(" (and {} more)", all - 1),
        };
        let text = &raw.names[blamed];
        let why = match said.is_elsewhere {
            true => "as the column was in training",
            false => "as most cells of the column are not",
        };
        return Err(match infinite > 0 {
            true => Refusal {
                row,
                what: format!("\"{text}\" is not a finite number{others_too}"),
                help: match said.is_elsewhere {
                    true => "correct the cell, or leave it empty if it is missing".to_owned(),
                    false => format!("correct the cell, or take it as missing with `--missing={text}`"),
                },
            },
            false if let Some(unit) = said.unit.filter(|_| others.contains(&blamed)) => Refusal {
                row,
                what: format!(
                    "\"{}\" is not {}, as the column was in training{others_too}",
                    short(text),
                    in_unit(unit)
                ),
                help: "convert the column to the unit that it had in training".to_owned(),
            },
            false => Refusal {
                row,
                what: format!("\"{}\" is not a number, {why}{others_too}", short(text)),
                help: match said.is_elsewhere {
                    true => "correct the cells, or leave them empty if they are missing".to_owned(),
                    false => format!(
                        "correct the cells, or leave them empty if they are missing; `--type '{name}=categorical'` takes the column as texts"
                    ),
                },
            },
        });
    }
    let (others, none): (Vec<usize>, Vec<usize>) = odd.iter().partition(|at| others.contains(at));
    if !none.is_empty() {
        notes.push(taken_as_missing(name, &raw, &none, "a number", said));
    }
    if !others.is_empty() {
        notes.push(of_other_units(name, &raw, profile, &others, &unit, said));
    }
    if unit.is_percent() {
        let bare = (0..raw.names.len())
            .filter(|&at| profile.written[at].as_ref().is_some_and(|written| marks_of(written).is_empty()));
        notes.extend(fractions(name, bare.filter_map(|at| Some((numbers[at]?, raw.counts[at])))));
    }
    let present_written = || {
        let all = profile.written.iter().zip(&raw.counts).filter(|(_, count)| **count > 0);
        all.filter_map(|(written, _)| written.as_ref())
    };
    notes.extend(
        asides(present_written()).map(|(cells, words)| Note::new(NoteKind::Type, cells, words).at(place())),
    );
    let converted = unit.converted(present_written());
    if !converted.is_empty() {
        let all: Vec<String> = converted.iter().map(|marks| in_unit(marks)).collect();
        let words = format!(
            "cells {} are converted to be {}",
            all.join(" or "),
            in_unit(unit.marks().unwrap_or_default())
        );
        notes.push(Note::new(NoteKind::Type, cells, words).at(place()));
    }
    if fillers > 0 {
        let spelled: Vec<&str> =
            (0..raw.names.len()).filter(|&at| is_filler[at]).map(|at| raw.names[at].as_str()).collect();
        notes.push(
            Note::new(
                NoteKind::Numbers,
                fillers,
                format!("{} taken as missing in {}", quoted(spelled, 3), counted(fillers, "cell")),
            )
            .at(place()),
        );
    }
    let present = profile.written.iter().zip(&raw.counts).filter(|(_, count)| **count > 0);
    let dress = unit.words(present.filter_map(|(written, _)| written.as_ref()), locale);
    if let Some(letters) = unit.letters() {
        let flag = match said.is_elsewhere {
            true => String::new(),
            false => format!("; `--type '{name}=categorical'` keeps it"),
        };
        let words = format!("read as numbers without the {letters} at each{flag}");
        notes.push(Note::new(NoteKind::Type, cells, words).at(place()));
    } else if let (true, None, Some(marks)) = (said.is_elsewhere, said.unit, unit.marks()) {
        let words = format!(
            "the numbers are {} here, which the model does not know of the column; they are read as they stand",
            in_unit(marks)
        );
        notes.push(Note::new(NoteKind::Type, cells, words).at(place()));
    } else if !dress.is_empty() {
        notes.push(Note::new(NoteKind::Numbers, cells, format!("read as numbers {dress}")).at(place()));
    }
    let values: Vec<f64> = raw
        .codes
        .iter()
        .map(|&code| if code == MISSING { f64::NAN } else { numbers[code as usize].unwrap_or(f64::NAN) })
        .collect();
    if declared.is_none() && dress.is_empty() && odd.is_empty() && fillers == 0 {
        let digits = digits_of_dates(&values, said);
        if digits.is_some() {
            return Ok(decide_plain(name, values, said));
        }
    }
    let rounded = rounded(&raw, &numbers);
    if rounded > 0 {
        let words = format!(
            "{} beyond {LARGEST_EXACT} rounded to 53 binary digits; `--type '{name}=categorical'` keeps their digits",
            counted(rounded, "whole number")
        );
        notes.push(Note::new(NoteKind::Type, rounded, words).at(place()));
    }
    notes.extend(profile.doubt(name, &raw, context, said));
    notes.extend(stand_in(name, &values));
    let all = if odd.is_empty() { "all cells" } else { "nearly all cells" };
    let reason = match (said.reason(), dress.is_empty()) {
        (Some(reason), _) => reason.to_owned(),
        (None, true) => format!("{all} are numbers"),
        (None, false) => format!("{all} are numbers {dress}"),
    };
    let unit = unit.marks().map(str::to_owned);
    let has_decimal_commas = profile.separators(&raw, locale);
    let spellings = spellings(&raw, &numbers);
    Ok(Decided {
        unit,
        has_decimal_commas,
        spellings,
        ..Decided::new(Values::Numbers(values), reason, notes)
    })
}

/// The warning that texts are categories, though nine in ten cells begin with a number; of few distinct ones, such as
/// the age groups `20-29`, there is none.
fn begun(raw: &Coded, numbers: &[Option<f64>]) -> Option<Note> {
    /// So few distinct texts are levels, seen in the report.
    const MOST_LEVELS: usize = 20;
    let present = || (0..raw.names.len()).filter(|at| raw.counts[*at] > 0);
    let is_begun = |at: &usize| numbers[*at].is_some() || begins_with_number(&raw.names[*at]);
    let of = |places: &mut dyn Iterator<Item = usize>| -> usize { places.map(|at| raw.counts[at]).sum() };
    let (begun, all) = (of(&mut present().filter(is_begun)), of(&mut present()));
    if present().count() <= MOST_LEVELS || 10 * begun < 9 * all {
        return None;
    }
    let examples = present().filter(|at| numbers[*at].is_none() && begins_with_number(&raw.names[*at]));
    let words = format!(
        "{begun} of {all} cells begin with a number and go on with a text, so all are categories: {}; if the number \
         counts, give it a column of its own",
        quoted(examples.map(|at| raw.names[at].as_str()), 3)
    );
    Some(Note::new(NoteKind::Type, begun, words))
}

/// What is left aside of numbers, or could mean something else: how many distinct texts, and what is said.
fn asides<'a>(written: impl Iterator<Item = &'a Written>) -> impl Iterator<Item = (usize, &'static str)> {
    let mut counts = BTreeMap::<Aside, usize>::new();
    written.filter_map(|written| written.aside).for_each(|aside| *counts.entry(aside).or_default() += 1);
    counts.into_iter().map(|(aside, count)| {
        let words = match aside {
            Aside::Triangle => "▲ and △ are read as minus; write + or - if they say up",
            Aside::Error => "of numbers with ±, what stands behind it is left out",
            Aside::Second => "of numbers with others in parentheses, such as 9.42 (0.64), the first is taken",
            Aside::Mark => "marks behind numbers, such as * for a note, are left out",
            Aside::OrMore => "the + behind numbers, for \"or more\", is left out",
        };
        (count, words)
    })
}

/// The one text beside numbers that stands for a missing one, with how many cells: it comes more than once, and the
/// numbers are no few codes.
fn stand_in_text(raw: &Coded, numbers: &[Option<f64>], is_filler: &[bool]) -> Option<usize> {
    /// So few distinct whole numbers may be codes, of which a text is another.
    const MOST_CODES: usize = 20;
    let mut texts =
        (0..raw.names.len()).filter(|&at| raw.counts[at] > 0 && numbers[at].is_none() && !is_filler[at]);
    let only = texts.next().filter(|_| texts.next().is_none())?;
    let present =
        || numbers.iter().zip(&raw.counts).filter(|(_, count)| **count > 0).filter_map(|(number, _)| *number);
    let are_codes = present().count() <= MOST_CODES && present().all(|number| number.fract() == 0.0);
    let cells: usize =
        (0..raw.names.len()).filter(|&at| numbers[at].is_some()).map(|at| raw.counts[at]).sum();
    (raw.counts[only] > 1 && raw.counts[only] <= cells && !are_codes && !is_infinite(&raw.names[only]))
        .then_some(only)
}

/// How a few distinct numbers are written, where that is not as Pullback writes them, and each in one way.
fn spellings(raw: &Coded, numbers: &[Option<f64>]) -> Vec<(f64, String)> {
    let present = (raw.names.iter().zip(&raw.counts).zip(numbers))
        .filter(|((_, count), _)| **count > 0)
        .filter_map(|((name, _), number)| Some(((*number)?, name)));
    let all: Vec<(f64, &String)> = present.take(MOST_SPELLINGS + 1).collect();
    let is_once = |(number, _): &(f64, &String)| all.iter().filter(|(other, _)| other == number).count() == 1;
    if all.len() > MOST_SPELLINGS || !all.iter().all(is_once) {
        return Vec::new();
    }
    let others = all.into_iter().filter(|(number, name)| number.to_string() != **name);
    others.map(|(number, name)| (number, name.clone())).collect()
}

/// How many cells are digits, if they are codes: some begin with a zero, and all have one length, or one in ten begins
/// so. All cells that are numbers, so many, are then digits.
fn codes(raw: &Coded, cells: usize) -> Option<usize> {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mut digits, mut zeros, mut lengths) = (0usize, 0usize, BTreeSet::new());
    for (text, &count) in raw.names.iter().zip(&raw.counts) {
        if count > 0 && is_digits(text) {
            digits += count;
            zeros += if text.len() > 1 && text.starts_with('0') { count } else { 0 };
            lengths.insert(text.len());
        }
    }
    (digits == cells && zeros > 0 && (lengths.len() == 1 || 10 * zeros >= digits)).then_some(digits)
}

/// How many distinct whole numbers beyond 2^53 are equal to another one as numbers, if some are.
fn equal_as_numbers(raw: &Coded, numbers: &[Option<f64>]) -> Option<usize> {
    let is_whole = |text: &str| text.trim_start_matches(['-', '+']).bytes().all(|byte| byte.is_ascii_digit());
    let mut bits: Vec<u64> = (raw.names.iter().zip(&raw.counts).zip(numbers))
        .filter(|((name, count), _)| **count > 0 && is_whole(name))
        .filter_map(|(_, number)| {
            number.filter(|number| number.abs() >= LARGEST_EXACT as f64).map(f64::to_bits)
        })
        .collect();
    bits.sort_unstable();
    let equal =
        bits.chunk_by(|left, right| left == right).filter(|run| run.len() > 1).map(<[u64]>::len).sum();
    (equal > 0).then_some(equal)
}

/// How many cells are whole numbers that are not as they are written, as f64 rounds them.
fn rounded(raw: &Coded, numbers: &[Option<f64>]) -> usize {
    let is_rounded = |((name, _), number): &((&String, &usize), &Option<f64>)| {
        let large = number.filter(|number| number.abs() >= LARGEST_EXACT as f64);
        large.is_some_and(|number| name.parse::<i128>().is_ok_and(|exact| exact != number as i128))
    };
    let cells = raw.names.iter().zip(&raw.counts).zip(numbers).filter(|((_, count), _)| **count > 0);
    cells.filter(is_rounded).map(|((_, count), _)| count).sum()
}

fn categories(raw: Coded, reason: String, notes: Vec<Note>) -> Decided {
    Decided::new(raw.into_values(), reason, notes)
}

/// The locale that the columns of a file share, for those that do not tell.
pub(crate) fn context<'a>(
    columns: impl Iterator<Item = (&'a Raw, Option<&'a Profile>)>,
    delimiter: u8,
) -> Context {
    let mut commas = false;
    let mut points = false;
    for (raw, profile) in columns {
        match (raw, profile) {
            (Raw::Plain { points: own, .. }, _) => points |= own.decimal,
            (_, Some(profile)) => {
                commas |= profile.has_decimal_commas();
                points |= profile.has_decimal_points();
            }
            _ => {}
        }
    }
    let has_decimal_commas = !points && (commas || delimiter == b';');
    Context { has_decimal_commas, is_told: points || commas || matches!(delimiter, b';' | b',') }
}
