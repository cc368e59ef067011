//! Dates and times as people write them: `2021-01-31`, `31.1.2021 14:05`, `1/31/21 2:05 PM`, `31-Jan-2021`, `14:05`.
//! Of a month, a quarter (`2021-Q1`) or a week (`2021-W05`, ISO 8601) the first day is meant.
//!
//! Whether day or month stands first in `1/2/2021` is decided by column: a number above 12 tells.

use pullback::data::days;

/// A date as it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Date {
    year: i32,
    first: u32,
    second: u32,
    order: Order,
    seconds: f64,
}

/// In which order month and day stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Month, then day.
    Known,
    /// As the column says.
    Open,
    /// There is no date but that in the seconds.
    Time,
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
const WEEKDAYS: [&[&str]; 7] = [&["mon"], &["tue"], &["wed"], &["thu"], &["fri"], &["sat"], &["sun"]];
/// Words between day, month and year that say nothing: `16 de enero de 2021`.
const PARTICLES: &[&str] = &["de", "del", "of"];
/// The longest date with a time and a zone.
const LONGEST: usize = 48;

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
        let (date, seconds) = match text.find(':') {
            None => (text, 0.0),
            Some(colon) => {
                let hour = text[..colon]
                    .rfind(|c: char| !c.is_ascii_digit())
                    .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
                match colon - hour {
                    // SAS writes a colon between date and time: 31JAN2021:14:05:00.
                    4 => (&text[..colon], time(&text[colon + 1..])?),
                    _ => (text[..hour].trim_end_matches(['T', 't', ' ', ',']), time(&text[hour..])?),
                }
            }
        };
        if date.is_empty() {
            return Some(Self { year: 1970, first: 1, second: 1, order: Order::Time, seconds });
        }
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
            } else if matches!(c, '-' | '/' | '.' | ' ' | ',' | '년' | '월' | '일' | '年' | '月' | '日')
            {
                rest = &rest[c.len_utf8()..];
            } else if is_letter(c) {
                let length = rest.find(|c: char| !is_letter(c)).unwrap_or(rest.len());
                if !PARTICLES.contains(&&rest[..length]) {
                    pieces.push(Piece::Word(&rest[..length]));
                }
                rest = &rest[length..];
            } else {
                return None;
            }
        }
        // A day of the week says nothing that the date does not.
        pieces.retain(|piece| !matches!(piece, Piece::Word(word) if named(word, &WEEKDAYS).is_some()));
        let year = |value: u32, digits: usize| match (digits, value) {
            (4, 1000..=2999) => Some(value as i32),
            (2, 0..=69) => Some(2000 + value as i32),
            (2, _) => Some(1900 + value as i32),
            _ => None,
        };
        let (year, first, second, order) = match pieces[..] {
            [
                Piece::Number { value, digits: 4 },
                Piece::Number { value: month, digits: 1..=2 },
                Piece::Number { value: day, digits: 1..=2 },
            ] => (year(value, 4)?, month, day, Order::Known),
            [Piece::Number { value, digits: 4 }, Piece::Number { value: month, digits: 2 }]
                if date.contains(['-', '/']) =>
            {
                (year(value, 4)?, month, 1, Order::Known)
            }
            [
                Piece::Number { value: first, digits: 1..=2 },
                Piece::Number { value: second, digits: 1..=2 },
                Piece::Number { value, digits },
            ] => (year(value, digits)?, first, second, Order::Open),
            [
                Piece::Number { value: day, digits: 1..=2 },
                Piece::Word(word),
                Piece::Number { value, digits },
            ]
            | [
                Piece::Word(word),
                Piece::Number { value: day, digits: 1..=2 },
                Piece::Number { value, digits },
            ] if !is_quarter(word) => (year(value, digits)?, named(word, &MONTHS)?, day, Order::Known),
            [Piece::Word(word), Piece::Number { value, digits: 4 }]
            | [Piece::Number { value, digits: 4 }, Piece::Word(word)] => {
                (year(value, 4)?, named(word, &MONTHS)?, 1, Order::Known)
            }
            [
                Piece::Number { value, digits: 4 },
                Piece::Word(word),
                Piece::Number { value: quarter @ 1..=4, digits: 1 },
            ]
            | [
                Piece::Word(word),
                Piece::Number { value: quarter @ 1..=4, digits: 1 },
                Piece::Number { value, digits: 4 },
            ] if is_quarter(word) => (year(value, 4)?, 3 * quarter - 2, 1, Order::Known),
            [
                Piece::Number { value, digits: 4 },
                Piece::Word("W" | "w"),
                Piece::Number { value: week, digits: 2 },
            ] => return Self::of_week(year(value, 4)?, week, 1, seconds),
            [
                Piece::Number { value, digits: 4 },
                Piece::Word("W" | "w"),
                Piece::Number { value: week, digits: 2 },
                Piece::Number { value: day, digits: 1 },
            ] => return Self::of_week(year(value, 4)?, week, day, seconds),
            _ => return None,
        };
        let date = Self { year, first, second, order, seconds };
        (date.value(false).is_some() || date.value(true).is_some()).then_some(date)
    }

    /// A day of a week, both counted from 1: the first week of a year is that of 4 January, and begins on Monday.
    fn of_week(year: i32, week: u32, day: u32, seconds: f64) -> Option<Self> {
        // The first day of 1970 was a Thursday.
        let first = |year| days(year, 1, 4).map(|day| day - (day + 3).rem_euclid(7));
        let at = first(year)? + 7 * (i64::from(week) - 1) + i64::from(day) - 1;
        let is_there = (1..=7).contains(&day) && week > 0 && at < first(year + 1)?;
        let seconds = at as f64 * 86_400.0 + seconds;
        is_there.then_some(Self { year, first: 1, second: 1, order: Order::Time, seconds })
    }

    /// Whether day or month may stand first.
    pub(crate) fn is_open(&self) -> bool {
        self.order == Order::Open
    }

    /// Seconds since the beginning of 1970, if there is such a date.
    pub(crate) fn value(&self, is_day_first: bool) -> Option<f64> {
        let (month, day) = match self.order {
            Order::Time => return Some(self.seconds),
            Order::Open if is_day_first => (self.second, self.first),
            _ => (self.first, self.second),
        };
        Some(days(self.year, month, day)? as f64 * 86_400.0 + self.seconds)
    }
}

/// A letter of a month's name.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, 'ä' | 'é' | 'û' | 'ç' | 'Ä' | 'É' | 'Û' | 'Ç')
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
            return Some(Duration { seconds, is_sure: parts > 0 || seconds.abs() >= DAY });
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

fn is_quarter(word: &str) -> bool {
    word.eq_ignore_ascii_case("q")
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
    let is_zone = rest.is_empty()
        || matches!(rest, "Z" | "z" | "UTC" | "GMT" | "KST" | "CET" | "EST" | "PST")
        || rest.strip_prefix(['+', '-']).is_some_and(|zone| {
            (2..=5).contains(&zone.len()) && zone.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
        });
    (is_zone && hour < 24 && minute < 60 && second < 61.0)
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
            let found = Date::read(text).and_then(|date| date.value(is_day_first));
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
        ] {
            check(text, day, false);
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
        ] {
            check(text, Some((2021, 1, 31, at)), false);
        }
        check("14:05", Some((1970, 1, 1, at)), false);
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
            "May",
            "555-1234",
            "10-20-30-40",
            "2021-W53",
            "2021-W00",
            "2021-W05-8",
            "2021-Q5",
            "Q2 21",
            "Model 2021",
        ] {
            check(text, None, false);
        }
    }
}
