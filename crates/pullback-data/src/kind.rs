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
use crate::date::{Date, duration};
use crate::note::{Note, NoteKind, counted, quoted, short};
use crate::number::{Evidence, Locale, Written};
use crate::raw::{Coded, MISSING, Raw};
use crate::sniff::ReadOptions;
use pullback::data::{ColumnType, Times, Values, days, mixes_yes_and_no, yes_or_no};
use std::collections::{BTreeMap, BTreeSet};

/// At least so many cells are numbers for each that is not, where the others are taken for mistakes.
const NUMBERS_PER_MISTAKE: usize = 9;
/// There are no more spellings of yes and no.
const MOST_SPELLINGS: usize = 64;

/// What is said of a column's type.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Said {
    pub(crate) kind: Option<ColumnType>,
    /// It was that in other data: a cell that does not fit is missing.
    pub(crate) is_elsewhere: bool,
    /// In its dates the day stood before the month.
    pub(crate) is_day_first: bool,
}

impl Said {
    /// What the user declares, else what it was in training.
    pub(crate) fn of(options: &ReadOptions, name: &str) -> Self {
        let is_day_first = options.day_first.contains(name);
        match (options.types.get(name), options.known.get(name)) {
            (Some(&kind), _) => Self { kind: Some(kind), is_elsewhere: false, is_day_first },
            (None, known) => Self { kind: known.copied(), is_elsewhere: known.is_some(), is_day_first },
        }
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
}

/// A column that is decided.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) values: Values,
    pub(crate) reason: String,
    pub(crate) notes: Vec<Note>,
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

    fn locale(&self, context: Context) -> Locale {
        if self.comma > self.point || self.comma == self.point && context.has_decimal_commas {
            Locale::Comma
        } else {
            Locale::Point
        }
    }
}

/// Decides what a column of plain numbers is.
pub(crate) fn decide_plain(name: &str, numbers: Vec<f64>, said: Said) -> Decided {
    let missing = numbers.iter().filter(|number| number.is_nan()).count();
    if said.kind.is_none_or(|kind| kind == ColumnType::Time)
        && let Some(seconds) = digits_of_dates(&numbers)
    {
        let note = Note::new(NoteKind::Dates, numbers.len(), "digits read as dates: year, month, day")
            .at(format!("column \"{name}\""));
        let values = Values::Times(Times { seconds, is_day_first: false });
        return Decided { values, reason: "all cells are dates".into(), notes: vec![note] };
    }
    let notes = stand_in(name, &numbers).into_iter().collect();
    let reason = match said.reason() {
        Some(reason) => reason.to_owned(),
        None if missing == numbers.len() => "no cell has a value".to_owned(),
        None => "all cells are numbers".to_owned(),
    };
    Decided { values: Values::Numbers(numbers), reason, notes }
}

/// The dates that whole numbers such as 20210131 are, if all are such, and two differ.
fn digits_of_dates(numbers: &[f64]) -> Option<Vec<f64>> {
    let first = *numbers.iter().find(|number| !number.is_nan())?;
    let date = |number: f64| {
        if number.is_nan() {
            return Some(number);
        }
        if number.fract() != 0.0 || !(19_000_101.0..=21_001_231.0).contains(&number) {
            return None;
        }
        let digits = number as u32;
        Some(days((digits / 10_000) as i32, digits / 100 % 100, digits % 100)? as f64 * 86_400.0)
    };
    let dates = numbers.iter().map(|&number| date(number)).collect::<Option<Vec<f64>>>()?;
    numbers.iter().any(|&number| !number.is_nan() && number != first).then_some(dates)
}

/// The dates of a column, if at least nine in ten of its cells are, or half of them where it is said; and its other
/// cells, by their codes.
fn dates(raw: &Coded, said: Said) -> Option<(Times, Vec<usize>)> {
    let read: Vec<Option<Date>> = raw.names.iter().map(|name| Date::read(name)).collect();
    let count = |is: &dyn Fn(usize) -> bool| -> usize {
        (0..raw.names.len()).filter(|&at| is(at)).map(|at| raw.counts[at]).sum()
    };
    let found = count(&|at| read[at].is_some());
    if found == 0 {
        return None;
    }
    let of_order =
        |is_day_first: bool| count(&|at| read[at].is_some_and(|date| date.value(is_day_first).is_some()));
    let (month_first, day_first) = (of_order(false), of_order(true));
    let is_day_first = match day_first.cmp(&month_first) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => said.is_day_first || is_sorted_only_with_day_first(raw, &read),
    };
    let value = |at: usize| read[at].and_then(|date| date.value(is_day_first));
    let is_other =
        |at: usize| raw.counts[at] > 0 && value(at).is_none() && !is_missing_among_numbers(&raw.names[at]);
    let others = count(&is_other);
    let is_enough = match said.kind {
        Some(ColumnType::Time) => said.is_elsewhere || others <= found,
        _ => others * NUMBERS_PER_MISTAKE <= found,
    };
    if !is_enough {
        return None;
    }
    let seconds = raw
        .codes
        .iter()
        .map(|&code| if code == MISSING { f64::NAN } else { value(code as usize).unwrap_or(f64::NAN) });
    let times = Times { seconds: seconds.collect(), is_day_first };
    Some((times, (0..raw.names.len()).filter(|&at| is_other(at)).collect()))
}

/// The warning that cells are taken as missing as they are not what the others are: `kind`, "a number" or "a date".
fn taken_as_missing(name: &str, raw: &Coded, odd: &[usize], kind: &str, said: Said) -> Note {
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

/// The seconds of a column's texts, if all are durations such as `66:15:01` and one is longer than a day, or they are
/// said to be numbers: else they are times of a day.
fn durations(raw: &Coded, is_said: bool) -> Option<Vec<f64>> {
    const DAY: f64 = 86_400.0;
    let read = |(name, &count): (&String, &usize)| match count {
        0 => Some(f64::NAN),
        _ if is_missing_among_numbers(name) => Some(f64::NAN),
        _ => duration(name),
    };
    let seconds = raw.names.iter().zip(&raw.counts).map(read).collect::<Option<Vec<f64>>>()?;
    let is_longer = seconds.iter().any(|&seconds| seconds >= DAY);
    (is_longer || is_said && seconds.iter().any(|seconds| !seconds.is_nan())).then_some(seconds)
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

/// Whether the rows are in order of time if the day stands first, and are not if the month does; a point or a minus
/// between day and month goes with the day first.
fn is_sorted_only_with_day_first(raw: &Coded, read: &[Option<Date>]) -> bool {
    let open = |code: &&u32| **code != MISSING && read[**code as usize].is_some_and(|date| date.is_open());
    let Some(first) = raw.codes.iter().find(open) else { return false };
    let is_sorted = |is_day_first: bool| {
        let times: Vec<f64> = raw
            .codes
            .iter()
            .filter(open)
            .filter_map(|&code| read[code as usize]?.value(is_day_first))
            .collect();
        times.windows(2).all(|pair| pair[0] <= pair[1])
    };
    match (is_sorted(true), is_sorted(false)) {
        (true, false) => true,
        (false, true) => false,
        _ => !raw.names[*first as usize].contains('/'),
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

/// Decides what a column of texts is.
pub(crate) fn decide(
    name: &str,
    raw: Coded,
    profile: &Profile,
    said: Said,
    context: Context,
) -> Result<Decided, Refusal> {
    let present: usize = raw.counts.iter().sum();
    let declared = said.kind;
    if let (Some(ColumnType::Categorical), Some(reason)) = (declared, said.reason()) {
        return Ok(categories(raw, reason.into(), Vec::new()));
    }
    let place = || format!("column \"{name}\"");
    if present == 0 {
        let values = Values::Numbers(vec![f64::NAN; raw.codes.len()]);
        return Ok(Decided { values, reason: "no cell has a value".into(), notes: Vec::new() });
    }
    if declared.is_none_or(|kind| kind == ColumnType::Numeric)
        && let Some(seconds) = durations(&raw, declared.is_some())
    {
        let of = |&code: &u32| if code == MISSING { f64::NAN } else { seconds[code as usize] };
        let values = Values::Numbers(raw.codes.iter().map(of).collect());
        let note = Note::new(NoteKind::Numbers, present, "read as durations, in seconds").at(place());
        let reason = said.reason().unwrap_or("all cells are durations, in seconds").to_owned();
        return Ok(Decided { values, reason, notes: vec![note] });
    }
    if declared.is_none_or(|kind| kind == ColumnType::Time) {
        match dates(&raw, said) {
            Some((times, others)) => {
                let is_open =
                    raw.names.iter().any(|name| Date::read(name).is_some_and(|date| date.is_open()));
                let order = match (is_open, times.is_day_first) {
                    (false, _) => "",
                    (true, true) => ", the day first",
                    (true, false) => ", the month first",
                };
                let mut notes = Vec::new();
                if !others.is_empty() {
                    notes.push(taken_as_missing(name, &raw, &others, "a date", said));
                }
                let read = times.seconds.iter().filter(|seconds| !seconds.is_nan()).count();
                notes.push(
                    Note::new(
                        NoteKind::Dates,
                        read,
                        format!("read as dates{order}; their parts become inputs"),
                    )
                    .at(place()),
                );
                let all = if others.is_empty() { "all cells" } else { "nearly all cells" };
                let reason = said.reason().map_or(format!("{all} are dates{order}"), str::to_owned);
                return Ok(Decided { values: Values::Times(times), reason, notes });
            }
            None if declared.is_some() => {
                return Err(Refusal {
                    row: 0,
                    what: "most cells of the column are no dates".into(),
                    help: format!(
                        "write dates as 2021-01-31 or 2021-01-31 14:05; `--type '{name}=categorical'` takes the column as \
                         texts"
                    ),
                });
            }
            None => {}
        }
    }
    if declared.is_none()
        && let Some(mixed) = yes_and_no(name, &raw)
    {
        return Ok(mixed.at(place()));
    }
    let locale = profile.locale(context);
    let unit = Unit::of(&raw, profile);
    let mut numbers: Vec<Option<f64>> = vec![None; raw.names.len()];
    let mut is_filler = vec![false; raw.names.len()];
    let (mut cells, mut texts, mut fillers, mut infinite) = (0usize, 0usize, 0usize, 0usize);
    for (at, text) in raw.names.iter().enumerate() {
        if raw.counts[at] == 0 {
            continue;
        }
        numbers[at] = profile.written[at]
            .as_ref()
            .and_then(|written| Some(written.value(locale)? * unit.factor(written)?));
        if numbers[at].is_some() {
            cells += raw.counts[at];
        } else if is_missing_among_numbers(text) {
            is_filler[at] = true;
            fillers += raw.counts[at];
        } else if is_infinite(text) {
            infinite += raw.counts[at];
        } else {
            texts += raw.counts[at];
        }
    }
    if declared.is_none() {
        if cells == 0 {
            let distinct = raw.counts.iter().filter(|count| **count > 0).count();
            return Ok(categories(
                raw,
                format!("{}, none a number", counted(distinct, "distinct text")),
                Vec::new(),
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
        if texts * NUMBERS_PER_MISTAKE > cells + infinite {
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
        let others = match texts + infinite {
            1 => String::new(),
            all => format!(" (and {} more)", all - 1),
        };
        let text = &raw.names[blamed];
        return Err(match infinite > 0 {
            true => Refusal {
                row,
                what: format!("\"{text}\" is not a finite number{others}"),
                help: match said.is_elsewhere {
                    true => "correct the cell, or leave it empty if it is missing".to_owned(),
                    false => format!("correct the cell, or take it as missing with `--missing={text}`"),
                },
            },
            false => Refusal {
                row,
                what: format!(
                    "\"{}\" is not a number, as most cells of the column are not{others}",
                    short(text)
                ),
                help: format!(
                    "correct the cells, or leave them empty if they are missing; `--type '{name}=categorical'` takes the column as texts"
                ),
            },
        });
    }
    if !odd.is_empty() {
        notes.push(taken_as_missing(name, &raw, &odd, "a number", said));
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
    let dress = unit.words(&raw, profile, locale);
    if let Unit::Letters { before, after } = &unit {
        notes.push(
            Note::new(
                NoteKind::Type,
                cells,
                format!(
                    "read as numbers without the {} at each; `--type '{name}=categorical'` keeps it",
                    quoted([before.as_str(), after].into_iter().filter(|letters| !letters.is_empty()), 2)
                ),
            )
            .at(place()),
        );
    } else if !dress.is_empty() {
        notes.push(Note::new(NoteKind::Numbers, cells, format!("read as numbers {dress}")).at(place()));
    }
    let values: Vec<f64> = raw
        .codes
        .iter()
        .map(|&code| if code == MISSING { f64::NAN } else { numbers[code as usize].unwrap_or(f64::NAN) })
        .collect();
    notes.extend(stand_in(name, &values));
    let all = if odd.is_empty() { "all cells" } else { "nearly all cells" };
    let reason = match (said.reason(), dress.is_empty()) {
        (Some(reason), _) => reason.to_owned(),
        (None, true) => format!("{all} are numbers"),
        (None, false) => format!("{all} are numbers {dress}"),
    };
    Ok(Decided { values: Values::Numbers(values), reason, notes })
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

fn categories(raw: Coded, reason: String, notes: Vec<Note>) -> Decided {
    Decided { values: raw.into_values(), reason, notes }
}

/// What stands around the numbers of a column.
enum Unit {
    /// The same before and after each number, or nothing.
    Same { before: String, after: String },
    /// The same at each number, without exception: letters that are no unit.
    Letters { before: String, after: String },
    /// k, M, B: factors.
    Factors,
}

impl Unit {
    const FACTORS: &[(&str, f64)] =
        &[("", 1.0), ("k", 1e3), ("K", 1e3), ("M", 1e6), ("B", 1e9), ("bn", 1e9), ("T", 1e12)];
    /// What can hardly be the letter of a code, so that it is a factor though it is the only one.
    const SURE_FACTORS: &[&str] = &["k", "K", "M", "bn"];

    fn of(raw: &Coded, profile: &Profile) -> Self {
        let mut afters: BTreeMap<String, usize> = BTreeMap::new();
        let mut befores: BTreeMap<&str, usize> = BTreeMap::new();
        let mut signs: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut bare, mut letters) = (0usize, 0usize);
        for (written, &count) in profile.written.iter().zip(&raw.counts) {
            if let (Some(written), true) = (written, count > 0) {
                *afters.entry(written.after.to_lowercase()).or_default() += count;
                *signs.entry(&written.after).or_default() += count;
                *befores.entry(&written.before).or_default() += count;
                if !written.is_quantity {
                    letters += count;
                } else if written.before.is_empty() && written.after.is_empty() {
                    bare += count;
                }
            }
        }
        let of_factors = |after: &&str| Self::FACTORS.iter().any(|(sign, _)| sign == after);
        let has_sure = || signs.keys().any(|after| Self::SURE_FACTORS.contains(after));
        let many = signs.keys().filter(|after| !after.is_empty()).count();
        let has_currency = befores.keys().any(|before| !before.is_empty());
        if signs.keys().all(of_factors)
            && (many > 1 || many == 1 && signs.contains_key(""))
            && (has_sure() || has_currency)
        {
            return Self::Factors;
        }
        // Of those that are not empty the commonest.
        let most = |counts: Vec<(String, usize)>| {
            counts
                .into_iter()
                .filter(|(text, _)| !text.is_empty())
                .max_by_key(|(_, count)| *count)
                .map_or(String::new(), |(text, _)| text)
        };
        // Numbers beside numbers with a letter: the letter says something.
        if letters > 0 && bare >= letters {
            return Self::Same { before: String::new(), after: String::new() };
        }
        let before = most(befores.into_iter().map(|(text, count)| (text.to_owned(), count)).collect());
        let after = most(afters.into_iter().collect());
        let is_letters = letters > 0
            && profile.written.iter().zip(&raw.counts).any(|(written, &count)| {
                count > 0
                    && written.as_ref().is_some_and(|written| {
                        !written.is_quantity
                            && written.before == before
                            && written.after.to_lowercase() == after
                    })
            });
        if is_letters { Self::Letters { before, after } } else { Self::Same { before, after } }
    }

    /// What a number is to be multiplied by; [`None`] if it is of another unit.
    fn factor(&self, written: &Written) -> Option<f64> {
        match self {
            Self::Factors => {
                Self::FACTORS.iter().find(|(sign, _)| *sign == written.after).map(|(_, factor)| *factor)
            }
            Self::Letters { before, after } => {
                (written.before == *before && written.after.to_lowercase() == *after).then_some(1.0)
            }
            Self::Same { before, after } => {
                let fits = (written.before.is_empty() || written.before == *before)
                    && (written.after.is_empty() || written.after.to_lowercase() == *after);
                fits.then_some(1.0)
            }
        }
    }

    /// How the numbers are written, for people; nothing if as programs write them.
    fn words(&self, raw: &Coded, profile: &Profile, locale: Locale) -> String {
        let present = || {
            profile
                .written
                .iter()
                .zip(&raw.counts)
                .filter(|(_, count)| **count > 0)
                .filter_map(|(written, _)| written.as_ref())
        };
        let mut words = Vec::new();
        let tells = |written: &Written| !matches!(written.evidence, Evidence::Neutral);
        if locale == Locale::Comma && present().any(tells) {
            words.push("with decimal commas".to_owned());
        }
        if present().any(|written| written.has_separators_of_thousands(locale)) {
            words.push("with separators between thousands".to_owned());
        }
        match self {
            Self::Factors => words.push("with k, M or B for thousands, millions or billions".to_owned()),
            Self::Letters { before, after } => {
                words.push(format!(
                    "with {}",
                    quoted([before.as_str(), after].into_iter().filter(|letters| !letters.is_empty()), 2)
                ));
            }
            Self::Same { before, after } => {
                if after == "%" {
                    words.push("in percent".to_owned());
                } else {
                    words.extend(
                        [before, after]
                            .into_iter()
                            .filter(|unit| !unit.is_empty())
                            .map(|unit| format!("in {unit}")),
                    );
                }
            }
        }
        words.join(", ")
    }
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
    Context { has_decimal_commas: !points && (commas || delimiter == b';') }
}
