//! Dates and times as people write them: `2021-01-31`, `31.1.2021 14:05`, `1/31/21 2:05 PM`, `31-Jan-2021`, `14:05`.
//! Of a month, a quarter (`2021-Q1`), a half of a year (`2021H1`), a season (`Spring 2021`, which begins with March, and
//! winter with January, so that the seasons of a year are in order) or a week (`2021-W05`, ISO 8601) the first day is
//! meant, and so of a month or year whose day is zero (`2021-05-00`).
//!
//! Whether day, month or year stands first in `1/2/21` is decided by column: a number above 12 or 31 tells.

use pullback::data::days;
use std::collections::BTreeSet;

/// A date as it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Date {
    form: Form,
    seconds: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// A year, a month and a day.
    Known { year: i32, month: u32, day: u32 },
    /// The same, where the number could be a day: `Jan-21`.
    MonthAndYear { year: i32, month: u32 },
    /// Three numbers in the order that the column says: the years that the first and the last could be.
    Open { first: (u32, Option<i32>), second: u32, third: (u32, Option<i32>) },
    /// There is no date but that in the seconds.
    Time,
}

/// In which order the numbers of a date stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    MonthDayYear,
    DayMonthYear,
    /// Then month and day.
    YearMonthDay,
}

/// What the names of months begin with, in English, German, Dutch, French, Spanish, Italian and Portuguese.
const MONTHS: [&[&str]; 12] = [
    &["jan", "ene", "gen"],
    &["feb", "fév", "fev"],
    &["mar", "mär", "mrz", "maa"],
    &["apr", "avr", "abr"],
    &["may", "mai", "mag", "mei"],
    &["jun", "juin", "giu"],
    &["jul", "juil", "lug"],
    &["aug", "aoû", "aou", "ago"],
    &["sep", "set"],
    &["oct", "okt", "ott", "out"],
    &["nov"],
    &["dec", "dez", "déc", "dic"],
];
/// The days of the week, which say nothing that a date does not: in English, German, French, Spanish, Italian, Dutch and
/// Portuguese, whole and as they are shortened.
#[rustfmt::skip]
const WEEKDAYS: &[&str] = &[
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    "mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun",
    "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonnabend", "sonntag",
    "mo", "di", "mi", "do", "fr", "sa", "so",
    "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche",
    "lun", "mer", "jeu", "ven", "sam", "dim",
    "lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo",
    "lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica",
    "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag",
    "segunda", "terça", "quarta", "quinta", "sexta", "feira",
    "월요일", "화요일", "수요일", "목요일", "금요일", "토요일", "일요일",
    "月曜日", "火曜日", "水曜日", "木曜日", "金曜日", "土曜日", "日曜日",
    "星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日",
];
/// Words before or between day, month and year that say nothing, as `FY2021-Q2`: `16 de enero de 2021`, `le 1er janvier`.
const PARTICLES: &[&str] =
    &["de", "del", "of", "den", "der", "le", "the", "st", "nd", "rd", "th", "er", "fy"];
/// The eras of Japan, and the year before their first.
const ERAS: &[(&str, i32)] = &[("令和", 2018), ("平成", 1988), ("昭和", 1925)];
/// Parts of a year as they are written in Korean, Japanese and Chinese, and the letters that mean them here.
const PARTS_OF_YEARS: &[(&str, &str)] = &[
    ("분기", "Q"),
    ("季度", "Q"),
    ("상반기", "H1"),
    ("하반기", "H2"),
    ("上半期", "H1"),
    ("下半期", "H2"),
    ("上半年", "H1"),
    ("下半年", "H2"),
    ("上期", "H1"),
    ("下期", "H2"),
];
/// Seasons, and the month that each begins with.
const SEASONS: &[(&str, u32)] = &[("winter", 1), ("spring", 3), ("summer", 6), ("autumn", 9), ("fall", 9)];
/// The longest date with a time and a zone.
const LONGEST: usize = 64;

/// A number or a word, and the character after it.
enum Piece<'a> {
    Number { value: u32, digits: usize },
    Word(&'a str),
}

impl Date {
    /// Reads a cell.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > LONGEST || text.len() < 4 || !text.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        if let Some(date) = Self::in_digits(text) {
            return Some(date);
        }
        // A day of the week in brackets: `2021-01-31(일)`.
        let without_brackets = text.split_once('(').and_then(|(before, rest)| {
            let (inner, after) = rest.split_once(')')?;
            is_short_weekday(inner).then(|| format!("{} {}", before.trim_end(), after.trim_start()))
        });
        let text = without_brackets.as_deref().unwrap_or(text).trim();
        let later;
        let (date, seconds) = match text.find(':') {
            None => (text, 0.0),
            Some(colon) => {
                let hour = text[..colon]
                    .rfind(|c: char| !c.is_ascii_digit())
                    .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
                match colon - hour {
                    // SAS writes a colon between date and time: 31JAN2021:14:05:00.
                    4 => (&text[..colon], time(&text[colon + 1..])?),
                    _ => {
                        let before = text[..hour].trim_end_matches(['T', 't', ' ', ',']);
                        // The halves of the day in Korean, Japanese and Chinese.
                        let (before, half) = half_of_day(before);
                        let (time_text, year) = without_year(&text[hour..]);
                        let time_text = match half {
                            Some(half) => format!("{time_text} {half}"),
                            None => time_text.to_owned(),
                        };
                        let seconds = time(&time_text)?;
                        match year {
                            None => (before, seconds),
                            Some(year) => {
                                later = format!("{before} {year}");
                                (&*later, seconds)
                            }
                        }
                    }
                }
            }
        };
        if date.is_empty() {
            return Some(Self { form: Form::Time, seconds });
        }
        // A year of two digits with its apostrophe: '21.01.31.
        let (date, is_year_marked) = match date.strip_prefix(['\'', '\u{2019}']) {
            Some(rest) => (rest, true),
            None => (date, false),
        };
        let (date, era) = match ERAS.iter().find_map(|(era, before)| Some((date.strip_prefix(era)?, *before)))
        {
            Some((rest, before)) => (rest, Some(before)),
            None => (date, None),
        };
        let in_letters = (!date.is_ascii()).then(|| {
            let replaced = |date: String, (sign, letters): &(&str, &str)| date.replace(sign, letters);
            PARTS_OF_YEARS.iter().fold(date.to_owned(), replaced)
        });
        let date = in_letters.as_deref().unwrap_or(date);
        let mut pieces = Vec::new();
        let mut rest = date;
        while let Some(c) = rest.chars().next() {
            if c.is_ascii_digit() {
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                if digits > 4 || pieces.len() == 4 {
                    return None;
                }
                pieces.push(Piece::Number { value: rest[..digits].parse().ok()?, digits });
                rest = &rest[digits..];
            } else if let Some(after) = WEEKDAYS.iter().find_map(|day| {
                // Those that are written without a space are not cut into letters.
                rest.strip_prefix(day).filter(|_| !day.is_ascii() && !is_letter(c))
            }) {
                rest = after;
            } else if matches!(c, '-' | '/' | '.' | ' ' | ',' | '년' | '월' | '일' | '年' | '月' | '日')
            {
                rest = &rest[c.len_utf8()..];
            } else if is_letter(c) {
                let length = rest.find(|c: char| !is_letter(c)).unwrap_or(rest.len());
                let word = &rest[..length];
                if !PARTICLES.contains(&word.to_lowercase().as_str()) && !is_weekday(word) {
                    pieces.push(Piece::Word(word));
                }
                rest = &rest[length..];
            } else {
                return None;
            }
        }
        let year = |value: u32, digits: usize| match (digits, value) {
            (4, 1000..=2999) => Some(value as i32),
            (2, 0..=69) => Some(2000 + value as i32),
            (2, _) => Some(1900 + value as i32),
            _ => None,
        };
        // A month or a day that is not known, as MySQL writes it; Excel's day zero is none.
        let known = |year, month: u32, day: u32| match (year, month, day) {
            (1900, _, 0) => Form::Known { year, month, day },
            (_, 0, 0) => Form::Known { year, month: 1, day: 1 },
            (_, _, 0) => Form::Known { year, month, day: 1 },
            _ => Form::Known { year, month, day },
        };
        let is_of_month = date.contains(['-', '/', '월', '月', '.']);
        let form = match pieces[..] {
            [
                Piece::Number { value, digits: 1..=2 },
                Piece::Number { value: month, digits: 1..=2 },
                Piece::Number { value: day, digits: 1..=2 },
            ] if let Some(before) = era => known(before + value as i32, month, day),
            [
                Piece::Number { value, digits: 4 },
                Piece::Number { value: month, digits: 1..=2 },
                Piece::Number { value: day, digits: 1..=2 },
            ] => known(year(value, 4)?, month, day),
            [Piece::Number { value, digits: 4 }, Piece::Number { value: month, digits }]
                if digits == 2 && date.contains(['-', '/'])
                    || digits <= 2 && is_of_month && date.contains(['월', '月']) =>
            {
                known(year(value, 4)?, month, 1)
            }
            [
                Piece::Number { value, digits: 2 },
                Piece::Number { value: month, digits: 1..=2 },
                Piece::Number { value: day, digits: 1..=2 },
            ] if is_year_marked => known(year(value, 2)?, month, day),
            [
                Piece::Number { value: first, digits: digits @ 1..=2 },
                Piece::Number { value: second, digits: 1..=2 },
                Piece::Number { value: third, digits: last },
            ] => {
                let of_first = year(first, digits).filter(|_| last <= 2);
                Form::Open { first: (first, of_first), second, third: (third, year(third, last)) }
            }
            [
                Piece::Number { value: day, digits: 1..=2 },
                Piece::Word(word),
                Piece::Number { value, digits },
            ]
            | [
                Piece::Word(word),
                Piece::Number { value: day, digits: 1..=2 },
                Piece::Number { value, digits },
            ] if !is_part_of_year(word) => known(year(value, digits)?, named(word, &MONTHS)?, day),
            [Piece::Word(word), Piece::Number { value, digits: 4 }]
            | [Piece::Number { value, digits: 4 }, Piece::Word(word)] => {
                let season = SEASONS.iter().find(|(season, _)| word.eq_ignore_ascii_case(season));
                known(year(value, 4)?, season.map(|(_, month)| *month).or_else(|| named(word, &MONTHS))?, 1)
            }
            // As spreadsheets show a month.
            [Piece::Word(word), Piece::Number { value, digits: 2 }] => {
                Form::MonthAndYear { year: year(value, 2)?, month: named(word, &MONTHS)? }
            }
            // As Eurostat and Stata write a month.
            [
                Piece::Number { value, digits: 4 },
                Piece::Word("M" | "m"),
                Piece::Number { value: month, digits: 1..=2 },
            ] => known(year(value, 4)?, month, 1),
            [
                Piece::Number { value, digits: 4 },
                Piece::Word(word),
                Piece::Number { value: part, digits: 1 },
            ]
            | [
                Piece::Number { value, digits: 4 },
                Piece::Number { value: part, digits: 1 },
                Piece::Word(word),
            ]
            | [
                Piece::Word(word),
                Piece::Number { value: part, digits: 1 },
                Piece::Number { value, digits: 4 },
            ]
            | [
                Piece::Number { value: part, digits: 1 },
                Piece::Word(word),
                Piece::Number { value, digits: 4 },
            ] if !is_week(word) => known(year(value, 4)?, month_of_part(word, part)?, 1),
            [
                Piece::Number { value: part, digits: 1 },
                Piece::Word(word @ ("Q" | "H")),
                Piece::Number { value, digits: 2 },
            ] => known(year(value, 2)?, month_of_part(word, part)?, 1),
            [
                Piece::Number { value, digits: 4 },
                Piece::Word(word),
                Piece::Number { value: week, digits: 1..=2 },
            ]
            | [
                Piece::Word(word),
                Piece::Number { value: week, digits: 1..=2 },
                Piece::Number { value, digits: 4 },
            ] if is_week(word) => return Self::of_week(year(value, 4)?, week, 1, seconds),
            [
                Piece::Number { value, digits: 4 },
                Piece::Word("W" | "w"),
                Piece::Number { value: week, digits: 2 },
                Piece::Number { value: day, digits: 1 },
            ] => return Self::of_week(year(value, 4)?, week, day, seconds),
            _ => return None,
        };
        let date = Self { form, seconds };
        let orders = [Order::MonthDayYear, Order::DayMonthYear, Order::YearMonthDay];
        orders.iter().any(|order| date.value(*order).is_some()).then_some(date)
    }

    /// As ISO 8601 writes it without signs between: `20210131T140500Z`.
    fn in_digits(text: &str) -> Option<Self> {
        let (date, rest) = text.split_once(['T', 't'])?;
        let date = Self::of_digits(date)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let clock = match digits {
            4 => format!("{}:{}{}", &rest[..2], &rest[2..4], &rest[4..]),
            6 => format!("{}:{}:{}", &rest[..2], &rest[2..4], &rest[4..]),
            _ => return None,
        };
        Some(Self { seconds: time(&clock)?, ..date })
    }

    /// Eight digits, year, month and day: `20210131`.
    pub(crate) fn of_digits(text: &str) -> Option<Self> {
        if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().ok();
        let (year, month, day) = (number(0..4)? as i32, number(4..6)?, number(6..8)?);
        let form = Form::Known { year, month, day };
        let is_there = (1900..=2100).contains(&year) && days(year, month, day).is_some();
        is_there.then_some(Self { form, seconds: 0.0 })
    }

    /// Six digits, year and month: `202101`.
    pub(crate) fn of_month(text: &str) -> Option<Self> {
        (text.len() == 6).then(|| Self::of_digits(&format!("{text}01"))).flatten()
    }

    /// A day of a week, both counted from 1: the first week of a year is that of 4 January, and begins on Monday.
    fn of_week(year: i32, week: u32, day: u32, seconds: f64) -> Option<Self> {
        // The first day of 1970 was a Thursday.
        let first = |year| days(year, 1, 4).map(|day| day - (day + 3).rem_euclid(7));
        let at = first(year)? + 7 * (i64::from(week) - 1) + i64::from(day) - 1;
        let is_there = (1..=7).contains(&day) && week > 0 && at < first(year + 1)?;
        let seconds = at as f64 * 86_400.0 + seconds;
        is_there.then_some(Self { form: Form::Time, seconds })
    }

    /// Whether the column says which of its numbers is what.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.form, Form::Open { .. })
    }

    /// Whether it is a month's name and two digits, which may be a day too.
    pub(crate) fn is_month_and_year(&self) -> bool {
        matches!(self.form, Form::MonthAndYear { .. })
    }

    /// Its first and its last number, if the column says which is what.
    pub(crate) fn ends(&self) -> Option<[u32; 2]> {
        match self.form {
            Form::Open { first, third, .. } => Some([first.0, third.0]),
            _ => None,
        }
    }

    /// Seconds since the beginning of 1970, if there is such a date.
    pub(crate) fn value(&self, order: Order) -> Option<f64> {
        let (year, month, day) = match (self.form, order) {
            (Form::Time, _) => return Some(self.seconds),
            (Form::Known { year, month, day }, _) => (year, month, day),
            (Form::MonthAndYear { year, month }, _) => (year, month, 1),
            (Form::Open { first, second, third }, Order::MonthDayYear) => (third.1?, first.0, second),
            (Form::Open { first, second, third }, Order::DayMonthYear) => (third.1?, second, first.0),
            (Form::Open { first, second, third }, Order::YearMonthDay) => (first.1?, second, third.0),
        };
        Some(days(year, month, day)? as f64 * 86_400.0 + self.seconds)
    }
}

/// Whether a text stands where a date is not known: `0000-00-00`, `9999-12-31`, `0001-01-01`, or the day before the first
/// of a spreadsheet, `1900-01-00`.
pub(crate) fn is_no_date(text: &str) -> bool {
    let (date, rest) = text.split_at(text.find(['T', ' ']).unwrap_or(text.len()));
    let is_plain = |c: char| c.is_ascii_digit() || matches!(c, '-' | '/' | '.' | ' ' | ':' | 'T' | 'Z' | '+');
    let numbers: Vec<&str> = date.split(['-', '/', '.']).collect();
    let digits = numbers.concat();
    let is_cut = matches!(numbers[..], [_, _, _])
        && numbers.iter().all(|number| matches!(number.len(), 1 | 2 | 4))
        || numbers.len() == 1 && digits.len() == 8;
    if !is_cut || !digits.bytes().all(|byte| byte.is_ascii_digit()) || !rest.chars().all(is_plain) {
        return false;
    }
    let year = match numbers[..] {
        [one] => &one[..4],
        _ => numbers.iter().find(|number| number.len() == 4).unwrap_or(&""),
    };
    let is_zero = |number: &&str| number.bytes().all(|byte| byte == b'0');
    match year.parse::<u32>() {
        Ok(year) => !(2..3000).contains(&year) || year == 1900 && numbers.iter().any(is_zero),
        Err(_) => numbers.iter().all(is_zero),
    }
}

/// Days that programs write where a date is not known: the first or the last that they have, and the ends of centuries.
const STAND_INS: &[(i32, u32, u32)] = &[
    (1000, 1, 1),
    (1111, 11, 11),
    (1582, 10, 15),
    (1601, 1, 1),
    (1677, 9, 21),
    (1700, 1, 1),
    (1753, 1, 1),
    (1800, 1, 1),
    (1899, 12, 30),
    (1899, 12, 31),
    (1900, 1, 1),
    (1901, 1, 1),
    (1904, 1, 1),
    (1969, 12, 31),
    (1970, 1, 1),
    (2099, 12, 31),
    (2100, 1, 1),
    (2199, 12, 31),
    (2200, 1, 1),
    (2261, 12, 31),
    (2262, 4, 11),
    (2299, 12, 31),
    (2300, 1, 1),
    (2500, 1, 1),
    (2500, 12, 31),
    (2900, 12, 31),
    (2999, 1, 1),
    (2999, 12, 31),
];
const DAY_SECONDS: f64 = 86_400.0;
/// Such a day is one of the column's dates if another date is no further from it than ten years.
const NEAR_DAYS: i64 = 3652;

/// The days, counted from 1970, of a column's dates that stand for a date that is not known: those that programs write
/// for it, and any before the year 2 or after 2999, if all other dates are far from it. A date of the column when its
/// model was trained, between the two that are `known`, is none.
pub(crate) fn stand_ins(
    seconds: impl Iterator<Item = f64> + Clone,
    known: Option<[f64; 2]>,
) -> BTreeSet<i64> {
    let of = |&(year, month, date): &(i32, u32, u32)| days(year, month, date);
    let listed: BTreeSet<i64> = STAND_INS.iter().filter_map(of).collect();
    let ends = [days(2, 1, 1), days(3000, 1, 1)].map(|day| day.expect("each January has a first day"));
    let is_listed = |day: i64| listed.contains(&day) || day < ends[0] || day >= ends[1];
    let present = seconds.filter(|seconds| !seconds.is_nan()).map(day_of);
    let found: BTreeSet<i64> = present.clone().filter(|day| is_listed(*day)).collect();
    if found.is_empty() {
        return found;
    }
    let others: BTreeSet<i64> = present.filter(|day| !is_listed(*day)).collect();
    let is_far = |&day: &i64| match known {
        Some(ends) => {
            let [first, last] = ends.map(day_of);
            day < first - NEAR_DAYS || day > last + NEAR_DAYS
        }
        None => !others.is_empty() && others.range(day - NEAR_DAYS..=day + NEAR_DAYS).next().is_none(),
    };
    found.into_iter().filter(is_far).collect()
}

/// The day of a time, counted from 1970.
pub(crate) fn day_of(seconds: f64) -> i64 {
    (seconds / DAY_SECONDS).floor() as i64
}

/// The half of the day that stands before a time, and what stands before that.
fn half_of_day(before: &str) -> (&str, Option<&'static str>) {
    const HALVES: &[(&str, &str)] =
        &[("오전", "AM"), ("오후", "PM"), ("午前", "AM"), ("午後", "PM"), ("上午", "AM"), ("下午", "PM")];
    let found = HALVES.iter().find_map(|(word, half)| Some((before.strip_suffix(word)?.trim_end(), *half)));
    found.map_or((before, None), |(before, half)| (before, Some(half)))
}

/// A time without the year behind it, as C and Unix write dates: `Sun Jan 31 14:05:00 KST 2021`.
fn without_year(time: &str) -> (&str, Option<&str>) {
    let split = time.rsplit_once(' ').filter(|(_, year)| {
        year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()) && !year.starts_with('0')
    });
    split.map_or((time, None), |(time, year)| (time, Some(year)))
}

fn is_weekday(word: &str) -> bool {
    WEEKDAYS.contains(&word.to_lowercase().as_str())
}

/// Whether a text in brackets is a day of the week.
fn is_short_weekday(text: &str) -> bool {
    const SIGNS: &str = "월화수목금토일月火水木金土日一二三四五六";
    let mut letters = text.chars();
    is_weekday(text) || letters.next().is_some_and(|c| SIGNS.contains(c)) && letters.next().is_none()
}

/// A letter of a month's name.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, 'ä' | 'é' | 'û' | 'ç' | 'Ä' | 'É' | 'Û' | 'Ç' | 'á' | 'ì')
}

/// The unit of durations, which are read in seconds; a column of numbers such as `5 s` has another name for it.
pub(crate) const DURATION_UNIT: &str = "seconds";

/// The words of a duration's units, and how many seconds each is. The first letter of some is enough.
const SECONDS: &[(&[&str], f64)] = &[
    (&["w", "wk", "wks", "week", "weeks"], 604_800.0),
    (&["d", "day", "days", "일"], 86_400.0),
    (&["h", "hr", "hrs", "hour", "hours", "시간"], 3_600.0),
    (&["m", "min", "mins", "minute", "minutes", "분"], 60.0),
    (&["s", "sec", "secs", "second", "seconds", "초"], 1.0),
];

/// A duration as it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Duration {
    pub(crate) seconds: f64,
    /// It is no time of a day, and no number with a unit: it is longer than a day, or in several units.
    pub(crate) is_sure: bool,
}

/// Reads a duration: `66:15:01`, `1h 31m`, `1 days 02:03:04`, `45 min`, `PT1H31M`; of each the first number may be
/// large. As pandas writes it, `-1 days +23:00:00` is an hour less than none.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    const DAY: f64 = 86_400.0;
    let text = text.trim();
    let (sign, text) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    // ISO 8601, but for years and months, whose lengths differ.
    let iso = text.strip_prefix('P').map(|rest| rest.replacen('T', " ", 1));
    let is_month = text.starts_with('P') && text.split('T').next().is_some_and(|date| date.contains('M'));
    let mut rest = iso.as_deref().unwrap_or(text).trim_start();
    let (mut seconds, mut parts, mut above) = (0.0, 0, f64::INFINITY);
    while !rest.is_empty() && !is_month {
        let clock_sign = rest.strip_prefix('+').filter(|_| parts > 0);
        if let Some(clock) = clock(clock_sign.unwrap_or(rest)).filter(|_| above > 3_600.0) {
            let sign_of_clock = if clock_sign.is_some() { 1.0 } else { sign };
            let seconds = sign * seconds + sign_of_clock * clock;
            let is_lap = rest.split(':').count() == 2 && rest.contains('.');
            return Some(Duration { seconds, is_sure: parts > 0 || is_lap || seconds.abs() >= DAY });
        }
        let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let number: f64 = rest[..digits].parse().ok().filter(|_| digits <= 12)?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let word = rest[..letters].to_lowercase();
        let (_, unit) = *SECONDS.iter().find(|(words, _)| words.contains(&word.as_str()))?;
        if unit >= above {
            return None;
        }
        (seconds, parts, above) = (seconds + number * unit, parts + 1, unit);
        rest = rest[letters..].trim_start_matches([' ', ',']);
        rest = rest.strip_prefix("and ").unwrap_or(rest).trim_start();
    }
    (parts > 0).then(|| Duration { seconds: sign * seconds, is_sure: parts > 1 || iso.is_some() })
}

/// The seconds of hours, minutes and seconds with colons between them, of which the first may be many.
fn clock(text: &str) -> Option<f64> {
    let (hours, rest) = text.split_once(':')?;
    let is_whole = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let minutes = rest.get(..2).filter(|minutes| is_whole(minutes))?;
    // Minutes and seconds, as laps are timed: 1:23.456.
    if let Some(part) = rest[2..].strip_prefix('.') {
        let (minutes, seconds): (u32, f64) =
            (Some(hours).filter(|text| is_whole(text) && text.len() <= 3)?.parse().ok()?, rest.parse().ok()?);
        return (is_whole(part) && seconds < 60.0).then(|| f64::from(minutes) * 60.0 + seconds);
    }
    let seconds = match &rest[2..] {
        "" => 0.0,
        rest => {
            let rest = rest.strip_prefix(':')?;
            let whole = rest.split('.').next().unwrap_or_default();
            rest.parse::<f64>().ok().filter(|_| whole.len() == 2 && is_whole(whole))?
        }
    };
    let minutes: u32 = minutes.parse().ok()?;
    let hours: u32 = Some(hours).filter(|hours| is_whole(hours) && hours.len() <= 6)?.parse().ok()?;
    (minutes < 60 && seconds < 60.0).then(|| f64::from(hours) * 3600.0 + f64::from(minutes) * 60.0 + seconds)
}

/// The first month of a quarter or a half, by its letter or word and its number.
fn month_of_part(word: &str, part: u32) -> Option<u32> {
    match word.to_ascii_lowercase().as_str() {
        "q" | "qtr" | "quarter" | "quartal" => (1..=4).contains(&part).then(|| 3 * part - 2),
        "h" | "half" => (1..=2).contains(&part).then(|| 6 * part - 5),
        _ => None,
    }
}

fn is_part_of_year(word: &str) -> bool {
    is_week(word) || month_of_part(word, 1).is_some()
}

/// Whether a word says that the number after it is that of a week, in English and German.
fn is_week(word: &str) -> bool {
    ["w", "wk", "week", "cw", "kw"].iter().any(|week| word.eq_ignore_ascii_case(week))
}

/// The number, from 1, of the name that a word is, or its first three letters or more.
fn named(word: &str, names: &[&[&str]]) -> Option<u32> {
    const LONGEST: usize = 10;
    let word = word.to_lowercase();
    let begins = |names: &[&str]| names.iter().any(|name| word.starts_with(name));
    let at = names.iter().position(|names| begins(names) && word.chars().count() <= LONGEST)?;
    Some(at as u32 + 1)
}

/// The seconds of a time: `14:05`, `2:05:30.5 PM`, with or without a zone, which is left aside.
fn time(text: &str) -> Option<f64> {
    let mut parts = text.splitn(3, ':');
    let whole = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|_| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let mut hour = whole(parts.next()?)?;
    let minutes = parts.next()?;
    let digits = minutes.bytes().take_while(u8::is_ascii_digit).count();
    let minute = whole(&minutes[..digits])?;
    let (second, rest) = match parts.next() {
        None => (0.0, &minutes[digits..]),
        Some(_) if digits < minutes.len() => (0.0, &text[text.find(minutes)? + digits..]),
        Some(seconds) => {
            let length = seconds.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
            (seconds[..length].parse::<f64>().ok()?, &seconds[length..])
        }
    };
    let rest = rest.trim();
    let half = rest.get(..2).unwrap_or_default().to_lowercase();
    let rest = match half.as_str() {
        "am" | "pm" => {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + if half == "pm" { 12 } else { 0 };
            rest[2..].trim()
        }
        _ => rest,
    };
    let is_offset = |zone: &str| {
        zone.strip_prefix(['+', '-']).is_some_and(|zone| {
            (1..=5).contains(&zone.len()) && zone.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
        })
    };
    // A name such as CEST, an offset such as +09:00, or both: GMT+9.
    let letters = rest.bytes().take_while(u8::is_ascii_uppercase).count();
    let is_named = rest == "z" || letters == 1 && rest == "Z" || (3..=5).contains(&letters);
    let zone = if is_named && rest != "z" { &rest[letters..] } else { rest };
    let is_zone = rest.is_empty() || is_named && (zone.is_empty() || zone == "z") || is_offset(zone);
    let is_midnight = hour == 24 && minute == 0 && second == 0.0;
    (is_zone && (hour < 24 || is_midnight) && minute < 60 && second < 61.0)
        .then(|| f64::from(hour * 3600 + minute * 60) + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, expected) in [
            ("66:15:01", Some((238_501.0, true))),
            ("0:05", Some((300.0, false))),
            ("100:00:00.5", Some((360_000.5, true))),
            ("1 days 02:03:04", Some((93_784.0, true))),
            ("0 days 00:00:30.250000", Some((30.25, true))),
            ("-1 days +23:00:00", Some((-3_600.0, true))),
            ("-0:30", Some((-1_800.0, false))),
            ("1h 31m", Some((5_460.0, true))),
            ("1h31m05s", Some((5_465.0, true))),
            ("1 hour, 31 minutes and 5 seconds", Some((5_465.0, true))),
            ("2 시간 5 분", Some((7_500.0, true))),
            ("45m", Some((2_700.0, false))),
            ("1.5 h", Some((5_400.0, false))),
            ("PT1H31M", Some((5_460.0, true))),
            ("P1DT2H", Some((93_600.0, true))),
            ("P1M", None),
            ("31m 1h", None),
            ("1h 2h", None),
            ("1h 1:05", None),
            ("1:60", None),
            ("1:5", None),
            ("1:23.456", Some((83.456, true))),
            ("1:60.5", None),
            ("1:05:6", None),
            ("a:05", None),
            ("12", None),
            ("5 kg", None),
            ("", None),
            ("1:05 PM", None),
        ] {
            let found = duration(text).map(|duration| (duration.seconds, duration.is_sure));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn dates_are_read_as_people_mean_them() {
        let check = |text: &str, expected: Option<(i32, u32, u32, f64)>, is_day_first: bool| {
            let order = if is_day_first { Order::DayMonthYear } else { Order::MonthDayYear };
            let found = Date::read(text).and_then(|date| date.value(order));
            let expected = expected.map(|(year, month, day, seconds)| {
                days(year, month, day).unwrap_or_default() as f64 * 86_400.0 + seconds
            });
            assert_eq!(found, expected, "{text}");
        };
        let day = Some((2021, 1, 31, 0.0));
        for text in [
            "2021-01-31",
            "2021/1/31",
            "2021.01.31",
            "2021. 1. 31.",
            "2021년 1월 31일",
            "31-Jan-2021",
            "31 January 2021",
            "31. Januar 2021",
            "31 janvier 2021",
            "31 gennaio 2021",
            "31 de enero de 2021",
            "31 de janeiro de 2021",
            "31 of January 2021",
            "2021年1月31日",
            "31JAN2021",
            "Jan 31, 2021",
            "January 31 2021",
            "Sun, 31 Jan 2021",
            "1/31/2021",
            "1/31/21",
            "'21.01.31",
            "2021-01-31(일)",
            "2021年1月31日(日)",
            "2021년 1월 31일 일요일",
            "令和3年1月31日",
            "Sonntag, 31. Januar 2021",
            "dimanche 31 janvier 2021",
            "So, 31.01.2021",
        ] {
            check(text, day, text.starts_with("So,"));
        }
        // Tuesday in French begins as March does.
        check("mardi 2 mars 2021", Some((2021, 3, 2, 0.0)), false);
        check("vendredi 1er janvier 2021", Some((2021, 1, 1, 0.0)), false);
        for text in ["2021M01", "2021m1", "2021년 1월", "2021年1月", "Jan-21", "Jan 21"] {
            check(text, Some((2021, 1, 1, 0.0)), false);
        }
        for (text, expected) in
            [("21/01/31", Some((2021, 1, 31))), ("99-12-31", Some((1999, 12, 31))), ("1/31/2021", None)]
        {
            let found = Date::read(text).and_then(|date| date.value(Order::YearMonthDay));
            let expected = expected
                .map(|(year, month, day)| days(year, month, day).unwrap_or_default() as f64 * 86_400.0);
            assert_eq!(found, expected, "{text}");
        }
        for text in [
            "0000-00-00",
            "9999-12-31",
            "0001-01-01 00:00:00",
            "31.12.9999",
            "12/31/9999",
            "99991231",
            "1900-01-00",
            "00.01.1900",
            "9999-12-31T23:59:59Z",
            "4000-01-01",
            "00/00/00",
        ] {
            assert!(is_no_date(text), "{text}");
        }
        for text in
            ["2021-05-00", "1999-12-31", "0", "9999", "10-20-30", "1900-01-01", "x9999-12-31", "Jan 9999"]
        {
            assert!(!is_no_date(text), "{text}");
        }
        for text in ["31.01.2021", "31/1/2021", "31.1.21", "31-01-2021"] {
            check(text, day, true);
            check(text, None, false);
        }
        check("01/02/2021", Some((2021, 1, 2, 0.0)), false);
        check("01/02/2021", Some((2021, 2, 1, 0.0)), true);
        check("2021-03", Some((2021, 3, 1, 0.0)), false);
        for text in ["Mar 2021", "März 2021", "mars 2021", "March 2021", "2021 Mar", "2021-Mar"] {
            check(text, Some((2021, 3, 1, 0.0)), false);
        }
        for text in ["2021Q2", "2021-Q2", "Q2 2021", "q2/2021", "2021 Q2"] {
            check(text, Some((2021, 4, 1, 0.0)), false);
        }
        for text in [
            "2021H2",
            "2021-H2",
            "H2 2021",
            "2H21",
            "2H2021",
            "2021년 하반기",
            "2021年下半年",
            "2nd half 2021",
        ] {
            check(text, Some((2021, 7, 1, 0.0)), false);
        }
        for text in ["2Q21", "FY2021-Q2", "2Q2021", "2021년 2분기", "2. Quartal 2021", "Q2-2021"] {
            check(text, Some((2021, 4, 1, 0.0)), false);
        }
        for (text, month) in [("Winter 2021", 1), ("spring 2021", 3), ("2021 Summer", 6), ("Fall-2021", 9)] {
            check(text, Some((2021, month, 1, 0.0)), false);
        }
        for text in ["W05 2021", "2021-W5", "KW 5 2021", "KW05/2021", "Week 5, 2021", "CW5-2021"] {
            check(text, Some((2021, 2, 1, 0.0)), false);
        }
        check("2021-05-00", Some((2021, 5, 1, 0.0)), false);
        check("2021-00-00", Some((2021, 1, 1, 0.0)), false);
        // By Python's date.fromisocalendar.
        check("2021-W05", Some((2021, 2, 1, 0.0)), false);
        check("2020-W53-7", Some((2021, 1, 3, 0.0)), false);
        check("2026W01", Some((2025, 12, 29, 0.0)), false);
        check("1969-W01-1", Some((1968, 12, 30, 0.0)), false);
        let at = 14.0 * 3600.0 + 5.0 * 60.0;
        for text in [
            "2021-01-31 14:05",
            "2021-01-31T14:05:00Z",
            "31JAN2021:14:05:00",
            "2021-01-31T14:05:00+09:00",
            "1/31/2021 2:05 PM",
            "2021-01-31 14:05:00.000",
            "2021-01-31 오후 2:05:00",
            "2021/01/31 2:05:00 PM GMT+9",
            "2021-01-31 14:05:00 CEST",
            "20210131T140500Z",
            "20210131T1405",
            "Sun Jan 31 14:05:00 2021",
            "Sun Jan 31 14:05:00 KST 2021",
        ] {
            check(text, Some((2021, 1, 31, at)), false);
        }
        check("14:05", Some((1970, 1, 1, at)), false);
        check("2021-01-31 24:00", Some((2021, 2, 1, 0.0)), false);
        for text in [
            "",
            "a",
            "1.2.3",
            "35/100",
            "12",
            "2021",
            "2021-02-30",
            "2021-13-01",
            "1/2",
            "192.168.0.1",
            "25:00",
            "24:05",
            "May",
            "555-1234",
            "10-20-30-40",
            "2021-W53",
            "2021-W00",
            "2021-W05-8",
            "2021-Q5",
            "Q2 21",
            "H2 21",
            "3H21",
            "2h21",
            "5Q2021",
            "1900-01-00",
            "Model 2021",
        ] {
            check(text, None, false);
        }
    }
}
