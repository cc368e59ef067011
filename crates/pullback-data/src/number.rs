//! Numbers as people write them: `1.5`, `1,204.50`, `1.204,5`, `$3`, `(12)`, `12.5 %`, `3 kg`, `1.5D3`.
//!
//! [`Plain`] is a number as programs write it, read at once and rounded as the standard library rounds.
//! Everything else is a [`Written`] number, whose separators mean what the column's [`Locale`] says:
//! one cell `1,204` can be either, the cells of a column tell.

use crate::unit::is_factor;
use std::borrow::Cow;

/// A plain number and what its digits tell of separators.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plain {
    pub(crate) value: f64,
    /// How many bytes it takes.
    pub(crate) length: usize,
    /// Whether a point stands in it where one between thousands could: three digits after it, one to three before.
    pub(crate) fraction: Fraction,
}

/// What the digits after a point tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fraction {
    None,
    /// `1.204`: one point, which could stand between thousands.
    Three,
    Other,
}

/// Powers of ten that are exact in f64.
pub(crate) const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];
/// Whole numbers up to here are exact in f64.
pub(crate) const LARGEST_EXACT: u64 = 1 << 53;
/// So many digits fit into 64 bits.
const MOST_DIGITS: usize = 19;

/// The plain number that `bytes` begins with: `[+-]digits[.digits][e[+-]digits]`.
///
/// [`None`] if there is none, if it is not finite, or if it begins with a zero that says something (`007`).
/// A mantissa below 2^53 times or divided by an exact power of ten is rounded once (Clinger, How to read
/// floating point numbers accurately, 1990); the standard library reads the others.
#[inline]
pub(crate) fn plain(bytes: &[u8]) -> Option<Plain> {
    let mut at = 0;
    let sign = bytes.first().copied();
    let negative = sign == Some(b'-');
    if negative || sign == Some(b'+') {
        at = 1;
    }
    let start = at;
    let mut mantissa = 0u64;
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10) {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    let whole = at - start;
    let mut digits = whole;
    let mut exponent = 0i32;
    let mut fraction = Fraction::None;
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        let point = at;
        while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10)
        {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            at += 1;
        }
        let after = at - point;
        digits += after;
        exponent = -(after.min(1 << 20) as i32);
        fraction = match (whole, after) {
            (_, 0) => Fraction::None,
            (1..=3, 3) if bytes[start] != b'0' => Fraction::Three,
            _ => Fraction::Other,
        };
    } else if whole > 1 && bytes[start] == b'0' {
        return None;
    }
    if digits == 0 {
        return None;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let mut end = at + 1;
        let negative = bytes.get(end) == Some(&b'-');
        if negative || bytes.get(end) == Some(&b'+') {
            end += 1;
        }
        let first = end;
        let mut power = 0i32;
        while let Some(digit) = bytes.get(end).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10)
        {
            power = (power * 10 + i32::from(digit)).min(100_000);
            end += 1;
        }
        if end > first {
            exponent += if negative { -power } else { power };
            at = end;
            fraction = Fraction::Other;
        }
    }
    let size = exponent.unsigned_abs() as usize;
    let value = if digits <= MOST_DIGITS && mantissa <= LARGEST_EXACT && size < POWERS.len() {
        let value =
            if exponent < 0 { mantissa as f64 / POWERS[size] } else { mantissa as f64 * POWERS[size] };
        if negative { -value } else { value }
    } else {
        std::str::from_utf8(&bytes[..at]).ok()?.parse().ok()?
    };
    value.is_finite().then_some(Plain { value, length: at, fraction })
}

/// What separates what in the numbers of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Locale {
    /// `1,204.5`
    Point,
    /// `1.204,5`
    Comma,
}

/// What the separators of one number say of its locale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// There are none.
    Neutral,
    Point,
    Comma,
    /// `1.204`
    EitherPoint,
    /// `1,204`
    EitherComma,
}

/// A number as it is written: its digits and separators, and what stands around it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Written {
    negative: bool,
    /// Digits, points and commas; other separators of thousands are gone.
    core: String,
    exponent: i32,
    pub(crate) evidence: Evidence,
    /// The currency before the number.
    pub(crate) before: String,
    /// The unit, currency or percent sign after it.
    pub(crate) after: String,
    /// Whether separators other than point and comma stood between thousands.
    pub(crate) is_grouped: bool,
    /// Whether what stands around the number is a unit or a currency beyond doubt, and no letter of a code (`12a`).
    pub(crate) is_quantity: bool,
    /// Whether a space stands before the unit.
    pub(crate) is_apart: bool,
    /// What of the cell the number does not say.
    pub(crate) aside: Option<Aside>,
}

/// What stands at a number and is left aside, or could mean something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Aside {
    /// `▲12`, a minus in Japan and Korea.
    Triangle,
    /// `9.42 ± 0.64`
    Error,
    /// `9.42 (0.64)`
    Second,
    /// `0.03*`
    Mark,
    /// `10+`
    OrMore,
}

/// What stands before a number that is an amount of money.
pub(crate) const CURRENCIES: &[&str] = &[
    "$", "€", "£", "¥", "₩", "₹", "฿", "₽", "₺", "₫", "₴", "₦", "₱", "₿", "¢", "₪", "US$", "A$", "C$", "CA$",
    "AU$", "NZ$", "HK$", "NT$", "S$", "R$", "R", "Rs", "Rs.", "kr", "Kr", "kr.", "Fr", "Fr.", "zł", "Kč",
    "Ft", "USD", "EUR", "GBP", "JPY", "KRW", "CNY", "RMB", "CHF", "INR", "CAD", "AUD", "NZD", "SEK", "NOK",
    "DKK", "PLN", "CZK", "HUF", "BRL", "MXN", "ZAR", "RUB", "TRY", "SGD", "HKD", "TWD", "THB", "IDR", "MYR",
    "PHP", "VND", "ILS", "AED", "SAR", "元", "円", "Rp", "Rp.", "RM", "Ksh", "KSh", "lei", "Lei", "лв",
    "лв.", "руб", "руб.", "S/", "Bs", "Bs.", "₸", "₼", "₾", "₲", "₡",
    // The key for ¥ or ₩ gives it in Japan and Korea.
    "\\",
];

/// Units that stand right after a number, in lower case; two of them may stand around a `/`.
const UNITS: &[&str] = &[
    "m", "mm", "cm", "dm", "km", "nm", "um", "µm", "in", "ft", "yd", "mi", "mg", "g", "kg", "t", "lb", "lbs",
    "oz", "st", "ug", "µg", "ns", "us", "µs", "ms", "s", "sec", "secs", "min", "mins", "h", "hr", "hrs",
    "hour", "hours", "d", "day", "days", "wk", "week", "weeks", "mo", "month", "months", "y", "yr", "yrs",
    "year", "years", "ml", "cl", "dl", "l", "gal", "cc", "kmh", "kph", "mph", "kn", "sqft", "ha", "w", "kw",
    "mw", "gw", "wh", "kwh", "mwh", "j", "kj", "kcal", "cal", "v", "mv", "kv", "ma", "ah", "mah", "hz",
    "khz", "mhz", "ghz", "pa", "hpa", "kpa", "mpa", "bar", "psi", "mmhg", "bpm", "rpm", "db", "c", "f", "k",
    "kb", "mb", "gb", "tb", "pp", "bps", "x", "ppm", "ppb", "pcs", "px", "mol", "mmol", "hp", "ps", "cv",
    "n", "nm", "ohm", "usd", "eur", "gbp", "jpy", "krw", "chf", "kr", "원", "명", "개", "세", "살", "회",
    "점", "년", "월", "일", "시간", "분", "초", "円", "元", "人", "個", "歳", "年", "月", "日",
];

/// Whether a text is a unit or a currency of those that are known, or two around a `/`.
pub(crate) fn is_known_unit(text: &str) -> bool {
    let is_unit =
        |text: &str| UNITS.contains(&text.to_lowercase().as_str()) || matches!(text, "%" | "°C" | "°F" | "°");
    CURRENCIES.contains(&text) || !text.is_empty() && text.split('/').all(is_unit)
}

/// The longest unit, in characters.
const LONGEST_UNIT: usize = 16;
/// The largest exponent that is believed.
const LARGEST_EXPONENT: i32 = 400;

/// Full-width digits and signs as plain ones, other minus signs as `-`, other spaces as a space.
fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .map(|c| match c {
                '０'..='９' | '．' | '，' | '－' | '＋' | '％' | '（' | '）' | '＄' | 'Ｅ' | 'ｅ' => {
                    char::from_u32(c as u32 - 0xfee0).unwrap_or(c)
                }
                '\u{2212}' | '\u{2012}' | '\u{2013}' | '\u{2010}' | '\u{2011}' | '\u{fe63}' => '-',
                '\u{a0}' | '\u{202f}' | '\u{2009}' | '\u{2007}' | '\u{3000}' => ' ',
                '\u{2019}' | '\u{2bc}' => '\'',
                '٠'..='٩' => char::from_u32(c as u32 - '٠' as u32 + '0' as u32).unwrap_or(c),
                '۰'..='۹' => char::from_u32(c as u32 - '۰' as u32 + '0' as u32).unwrap_or(c),
                '०'..='९' => char::from_u32(c as u32 - '०' as u32 + '0' as u32).unwrap_or(c),
                '٫' => '.',
                '٬' => ',',
                '￥' => '¥',
                '￦' => '₩',
                c => c,
            })
            .collect(),
    )
}

impl Written {
    /// Reads a cell; [`None`] if it is no number with at most a currency, a sign and a unit.
    pub(crate) fn read(text: &str) -> Option<Self> {
        // As a spreadsheet writes what is to stay a text: `="12"`.
        let formula = text.trim().strip_prefix("=\"").and_then(|text| text.strip_suffix('"'));
        let folded = folded(formula.unwrap_or(text).trim());
        let mut rest = folded.trim();
        if let Some(angle) = Angle::read(rest) {
            return Some(angle.written());
        }
        if let Some((value, unit)) = with_fraction(rest) {
            return Some(of_value(value, unit)).filter(|_| is_unit(unit));
        }
        if let Some(inches) = inches(rest) {
            return Some(of_value(inches, "in"));
        }
        // A number and how far it may be off.
        if let Some((number, error)) = rest.split_once('±').or_else(|| rest.split_once("+/-")) {
            let (own, error) = (Self::read(number)?, Self::read(error)?);
            return (error.before.is_empty() && own.aside.is_none()).then(|| Self {
                after: if own.after.is_empty() { error.after } else { own.after.clone() },
                aside: Some(Aside::Error),
                ..own
            });
        }
        // A number and others: its deviation, a share, an interval; or the mark of a note.
        let (own, aside) = match (without_second(rest), rest.trim_end_matches(['*', '†', '‡']).trim_end())
        {
            (Some(own), _) => (Some(own), Aside::Second),
            (None, own) if own.len() < rest.len() => (Some(own.to_owned()), Aside::Mark),
            (None, _) => (None, Aside::Mark),
        };
        if let Some(own) = own {
            return Self::read(&own).map(|own| Self { aside: own.aside.or(Some(aside)), ..own });
        }
        let mut aside = None;
        let accounting = without_parentheses(rest);
        let mut negative = accounting.is_some();
        if let Some(inner) = &accounting {
            rest = inner.trim();
        }
        let first = rest.find(|c: char| c.is_ascii_digit())?;
        let start = match rest[..first].chars().next_back() {
            Some('.' | ',') => first - 1,
            _ => first,
        };
        let (before, rest) = rest.split_at(start);
        let mut before = before.trim();
        for sign in ['-', '+', '▲', '△'] {
            let without = before.strip_prefix(sign).or_else(|| before.strip_suffix(sign));
            if let Some(without) = without {
                negative ^= sign != '+';
                aside = Some(Aside::Triangle).filter(|_| matches!(sign, '▲' | '△'));
                before = without.trim();
                break;
            }
        }
        if !before.is_empty() && !CURRENCIES.contains(&before) {
            return None;
        }
        let (core, is_grouped, length) = core(rest)?;
        let (exponent, length) = exponent(rest, length);
        // No cents: `863,- €`.
        let cents = [",--", ",-", ".-"].iter().find_map(|cents| rest[length..].strip_prefix(cents));
        let (rest, length) =
            match cents.filter(|after| !core.contains([',']) && !after.starts_with(['-', '.', ','])) {
                Some(after) if before.is_empty() || after.trim().is_empty() => (after, 0),
                _ => (rest, length),
            };
        // `10+ years`
        let (rest, length) = match rest[length..].strip_prefix('+') {
            Some(after) if after.is_empty() || after.starts_with(' ') => {
                aside = aside.or(Some(Aside::OrMore));
                (after, 0)
            }
            _ => (rest, length),
        };
        let is_code = |text: &str| {
            let mut parts = text.split('/');
            !text.is_empty()
                && text.chars().all(|c| c.is_alphabetic() || c == '/')
                && !is_factor(text)
                && !parts.all(|part| UNITS.contains(&part.to_lowercase().as_str()))
        };
        let is_apart = rest[length..].starts_with(' ');
        let is_quantity = (is_apart || !is_code(rest[length..].trim_end_matches('-')))
            && (before.len() != 1 || !before.starts_with(char::is_alphabetic) || folded.contains(' '));
        let mut after = rest[length..].trim();
        if let Some(without) = after.strip_suffix('-').filter(|without| !without.ends_with('-')) {
            if !without.trim().is_empty() && !is_unit(without.trim()) {
                return None;
            }
            negative ^= true;
            after = without.trim();
        }
        if !is_unit(after) {
            return None;
        }
        let evidence = evidence(&core, is_grouped)?;
        Some(Self {
            negative,
            core,
            exponent,
            evidence,
            before: before.to_owned(),
            after: after.to_owned(),
            is_grouped,
            is_quantity,
            is_apart,
            aside,
        })
    }

    /// The value, if the separators fit the locale.
    pub(crate) fn value(&self, locale: Locale) -> Option<f64> {
        let (group, point) = match locale {
            Locale::Point => (',', '.'),
            Locale::Comma => ('.', ','),
        };
        let fits = match self.evidence {
            Evidence::Neutral | Evidence::EitherPoint | Evidence::EitherComma => true,
            Evidence::Point => locale == Locale::Point,
            Evidence::Comma => locale == Locale::Comma,
        };
        if !fits {
            return None;
        }
        let plain: String =
            self.core.chars().filter(|&c| c != group).map(|c| if c == point { '.' } else { c }).collect();
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{plain}e{}", self.exponent).parse().ok().filter(|value: &f64| value.is_finite())
    }

    /// Whether it is more than digits, a point and an exponent.
    pub(crate) fn has_separators_of_thousands(&self, locale: Locale) -> bool {
        self.is_grouped || self.core.contains(if locale == Locale::Point { ',' } else { '.' })
    }
}

/// What an accountant puts into parentheses, without them: `(12)`, `$(12)`, `(12) €`, `(3.5)%`.
fn without_parentheses(text: &str) -> Option<String> {
    let (before, rest) = text.split_once('(')?;
    let (inner, after) = rest.split_once(')')?;
    let (before, after) = (before.trim(), after.trim());
    let is_around = |text: &str| text.is_empty() || CURRENCIES.contains(&text);
    (is_around(before) && (is_around(after) || after == "%"))
        .then(|| format!("{before}{}{after}", inner.trim()))
}

/// A number and its unit without what stands beside it in brackets, if that is nothing but numbers:
/// `9.42 (0.64)`, `12 (34 %)`, `1.8 [1.2, 2.4] mm`, `3 (n = 12)`.
fn without_second(text: &str) -> Option<String> {
    const WORDS: &[&str] = &["sd", "se", "sem", "ci", "iqr", "n", "to", "bis", "range"];
    let open = text.find(['(', '['])?;
    let (own, rest) = text.split_at(open);
    let (inner, after) = rest[1..].split_once(if rest.starts_with('(') { ')' } else { ']' })?;
    let mut words = inner.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let are_numbers = inner.contains(|c: char| c.is_ascii_digit())
        && words.all(|word| WORDS.contains(&word.to_lowercase().as_str()))
        && inner.chars().all(|c| c.is_alphanumeric() || " .,;:-+±%/=<>".contains(c));
    (own.contains(|c: char| c.is_ascii_digit()) && are_numbers && !after.contains(['(', '[']))
        .then(|| format!("{} {}", own.trim_end(), after.trim()).trim_end().to_owned())
}

/// Whether a text begins with a number that ends at a space or a sign and is followed by something else, as no code or
/// identifier does: `12 Main Street`, `5 (high)`, `20-29`.
pub(crate) fn begins_with_number(text: &str) -> bool {
    let folded = folded(text.trim());
    let text = folded.trim_start_matches(['-', '+', '$', '€', '£', '¥', '₩', '~', '≈']);
    let Some((number, _, length)) = core(text).filter(|_| text.starts_with(|c: char| c.is_ascii_digit()))
    else {
        return false;
    };
    let rest = &text[length..];
    let is_year = number.len() == 4 && number.starts_with(['1', '2']);
    let is_range = || {
        let (first, last) = (number.parse::<f64>(), rest.trim_start_matches(['-', ' ']).parse::<f64>());
        matches!((first, last), (Ok(first), Ok(last)) if first < last || is_year && last < 100.0)
            && !number.starts_with('0')
    };
    match rest.chars().next() {
        Some(' ' | ',' | '(' | '[' | '~' | '<' | '>' | '±' | ';') => true,
        Some('-') => is_range(),
        Some('/' | ':') => {
            !number.starts_with('0') && rest[1..].parse::<u32>().is_ok() && !rest[1..].starts_with('0')
        }
        _ => false,
    }
}

/// An angle with minutes or a direction: `37°33'59"N`, `126.11° W`.
struct Angle {
    negative: bool,
    degrees: f64,
}

impl Angle {
    fn read(text: &str) -> Option<Self> {
        if !text.contains('°') {
            return None;
        }
        let (negative, text) = match text.strip_prefix(['-', '+']) {
            Some(rest) => (text.starts_with('-'), rest),
            None => (false, text),
        };
        let direction = text.chars().next_back().filter(|c| matches!(c, 'N' | 'S' | 'E' | 'W'));
        let mut rest = direction.map_or(text, |_| &text[..text.len() - 1]).trim();
        let mut part = |marks: &[&str], most: f64| {
            let length =
                rest.bytes().take_while(|byte| byte.is_ascii_digit() || b".,".contains(byte)).count();
            let number =
                rest[..length].replace(',', ".").parse::<f64>().ok().filter(|number| *number < most)?;
            let after = rest[length..].trim_start();
            rest = marks.iter().find_map(|mark| after.strip_prefix(mark))?.trim_start();
            Some(number)
        };
        let degrees = part(&["°"], 360.5)?;
        let minutes = part(&["'", "′"], 60.0);
        let seconds = minutes.and_then(|_| part(&["\"", "″", "''"], 60.0));
        let is_whole = rest.is_empty() && (direction.is_some() || minutes.is_some());
        let negative = negative ^ matches!(direction, Some('S' | 'W'));
        // One division rounds once.
        let degrees = match minutes {
            Some(minutes) => (degrees * 3600.0 + minutes * 60.0 + seconds.unwrap_or(0.0)) / 3600.0,
            None => degrees,
        };
        is_whole.then_some(Self { negative, degrees })
    }

    /// As decimal degrees.
    fn written(&self) -> Written {
        Written { negative: self.negative, ..of_value(self.degrees, "°") }
    }
}

/// A number of that unit, whose digits say nothing of points and commas.
fn of_value(value: f64, unit: &str) -> Written {
    let digits = value.to_string();
    let (whole, part) = digits.split_once('.').unwrap_or((&digits, ""));
    Written {
        negative: false,
        core: format!("{whole}{part}"),
        exponent: -(part.len() as i32),
        evidence: Evidence::Neutral,
        before: String::new(),
        after: unit.to_owned(),
        is_grouped: false,
        is_quantity: true,
        is_apart: false,
        aside: None,
    }
}

/// A whole number and a common fraction, and the unit behind them: `5 1/2 in`, `5½`, `¾ cup`.
fn with_fraction(text: &str) -> Option<(f64, &str)> {
    const SIGNS: &[(char, f64)] =
        &[('½', 0.5), ('¼', 0.25), ('¾', 0.75), ('⅛', 0.125), ('⅜', 0.375), ('⅝', 0.625), ('⅞', 0.875)];
    /// What measures are divided by.
    const PARTS: &[u32] = &[2, 3, 4, 5, 6, 8, 16, 32, 64];
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole_length = digits(text);
    let whole = match whole_length {
        0 => 0.0,
        1..=6 => text[..whole_length].parse::<f64>().ok()?,
        _ => return None,
    };
    let rest = &text[whole_length..];
    let after = rest.trim_start();
    if let Some((sign, part)) = after.chars().next().and_then(|c| SIGNS.iter().find(|(sign, _)| *sign == c)) {
        return Some((whole + part, after[sign.len_utf8()..].trim_start()));
    }
    if whole_length == 0 || !rest.starts_with(' ') {
        return None;
    }
    let (above, below) = after.split_once('/')?;
    let length = digits(below);
    let (above, part): (u32, u32) = (above.parse().ok()?, below[..length].parse().ok()?);
    let is_one = above > 0 && above < part && PARTS.contains(&part);
    is_one.then(|| (whole + f64::from(above) / f64::from(part), below[length..].trim_start()))
}

/// Feet and inches, in inches: `5'11"`, `5' 11.5"`, `5 ft 11 in`.
fn inches(text: &str) -> Option<f64> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (feet, rest) = text.split_once(['\'', '′']).or_else(|| text.split_once("ft"))?;
    let rest = rest.trim();
    let inches = ["\"", "″", "''", "in"].iter().find_map(|mark| rest.strip_suffix(mark))?.trim();
    let feet: f64 = Some(feet.trim()).filter(|feet| is_digits(feet) && feet.len() < 4)?.parse().ok()?;
    let inches: f64 = inches
        .parse()
        .ok()
        .filter(|own| (0.0..12.0).contains(own) && inches.starts_with(|c: char| c.is_ascii_digit()))?;
    Some(feet * 12.0 + inches)
}

/// Digits with points and commas, from which spaces, apostrophes and underscores between thousands are
/// gone; whether there were such; and how many bytes it took.
fn core(text: &str) -> Option<(String, bool, usize)> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut core = String::new();
    let mut is_grouped = false;
    let mut at = 0;
    loop {
        match bytes.get(at) {
            Some(byte) if byte.is_ascii_digit() => core.push(char::from(*byte)),
            Some(byte @ (b'.' | b',')) if digit(at + 1) => core.push(char::from(*byte)),
            // `3.` is a number too.
            Some(b'.') if !core.is_empty() && at + 1 == bytes.len() => {}
            // Exactly three digits follow, after one to three.
            Some(b' ' | b'\'' | b'_')
                if (1..=3).all(|ahead| digit(at + ahead))
                    && !digit(at + 4)
                    && !core.contains(['.', ','])
                    && (is_grouped || core.len() <= 3) =>
            {
                is_grouped = true;
            }
            _ => break,
        }
        at += 1;
    }
    core.bytes().any(|byte| byte.is_ascii_digit()).then_some((core, is_grouped, at))
}

/// The exponent after a core of so many bytes, and the length with it.
fn exponent(text: &str, length: usize) -> (i32, usize) {
    let rest = &text[length..];
    let Some(after) = rest.strip_prefix(['e', 'E', 'd', 'D']) else { return (0, length) };
    let sign = after.len() - after.trim_start_matches(['+', '-']).len();
    let digits = after[sign..].bytes().take_while(u8::is_ascii_digit).count();
    if sign > 1 || digits == 0 || after[sign + digits..].starts_with(|c: char| c.is_alphanumeric()) {
        return (0, length);
    }
    match after[..sign + digits].parse::<i32>() {
        Ok(power) if power.abs() <= LARGEST_EXPONENT => (power, length + 1 + sign + digits),
        _ => (0, length),
    }
}

/// Whether a text after a number can be a unit: nothing, `%`, `kg`, `m/s²`, `/100`.
fn is_unit(text: &str) -> bool {
    let is_share = text.strip_prefix('/').is_some_and(|rest| {
        let rest = rest.trim();
        !rest.is_empty() && rest.len() <= 6 && rest.bytes().all(|byte| byte.is_ascii_digit())
    });
    is_share
        || text.chars().count() <= LONGEST_UNIT
            && !text.starts_with(['.', ',', ':', '-', '<', '>', '=', ')'])
            && text.chars().all(|c| {
                c.is_alphabetic()
                    || matches!(
                        c,
                        '²' | '³'
                            | '%'
                            | '‰'
                            | '°'
                            | '/'
                            | '$'
                            | '€'
                            | '£'
                            | '¥'
                            | '₩'
                            | '₹'
                            | '.'
                            | '+'
                            | ' '
                            | '"'
                            | '\''
                            | '·'
                            | '^'
                            | '*'
                    )
            })
            && text.split(' ').count() <= 2
}

/// What points and commas say of the locale; [`None`] if they fit none.
fn evidence(core: &str, is_grouped: bool) -> Option<Evidence> {
    let points = core.matches('.').count();
    let commas = core.matches(',').count();
    let whole_groups = |group: char, text: &str| {
        let parts: Vec<&str> = text.split(group).collect();
        let (first, rest) = (parts[0], &parts[1..]);
        let is_western = (1..=3).contains(&first.len()) && rest.iter().all(|part| part.len() == 3);
        // 12,34,567
        let is_indian = (1..=2).contains(&first.len())
            && rest.last().is_some_and(|part| part.len() == 3)
            && rest[..rest.len() - 1].iter().all(|part| part.len() == 2);
        !first.starts_with('0') && (is_western || is_indian)
    };
    let single = |at: usize| {
        let (before, after) = (&core[..at], &core[at + 1..]);
        after.len() == 3 && (1..=3).contains(&before.len()) && !before.starts_with('0')
    };
    match (points, commas) {
        (0, 0) => Some(Evidence::Neutral),
        (1, 0) if !is_grouped && single(core.find('.')?) => Some(Evidence::EitherPoint),
        (1, 0) => Some(Evidence::Point),
        (0, 1) if !is_grouped && single(core.find(',')?) => Some(Evidence::EitherComma),
        (0, 1) => Some(Evidence::Comma),
        (_, 0) => whole_groups('.', core).then_some(Evidence::Comma),
        (0, _) => whole_groups(',', core).then_some(Evidence::Point),
        (1, _) if core.rfind('.') > core.rfind(',') => {
            whole_groups(',', core.split('.').next()?).then_some(Evidence::Point)
        }
        (_, 1) if core.rfind(',') > core.rfind('.') => {
            whole_groups('.', core.split(',').next()?).then_some(Evidence::Comma)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_are_rounded_as_the_standard_library_rounds() {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state >> 11
        };
        for _ in 0..20_000 {
            let number = f64::from_bits(next() << 11 ^ next());
            let texts = [
                format!("{}", next() as f64 / 1e6),
                format!("{:.3}", (next() % 100_000_000) as f64 / 997.0),
                format!("-{}.{}", next(), next()),
                format!("{}e{}", next() % 100_000, (next() % 700) as i64 - 350),
                format!("{number:e}"),
                format!("{}", next()),
            ];
            for text in texts {
                let Ok(expected) = text.parse::<f64>() else { continue };
                if !expected.is_finite() {
                    assert_eq!(plain(text.as_bytes()), None, "{text}");
                    continue;
                }
                let found = plain(text.as_bytes()).map(|plain| (plain.value.to_bits(), plain.length));
                assert_eq!(found, Some((expected.to_bits(), text.len())), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_plain_number_is_none() {
        for text in ["", "-", "+", ".", "e5", "nan", "inf", "007", "-01", "x1", "1e999"] {
            assert_eq!(plain(text.as_bytes()).map(|plain| plain.value), None, "{text}");
        }
        for (text, value) in [("0", 0.0), ("-0", -0.0), ("3.", 3.0), (".5", 0.5), ("00.5", 0.5), ("+2", 2.0)]
        {
            assert_eq!(plain(text.as_bytes()).map(|plain| plain.value), Some(value), "{text}");
        }
        assert_eq!(plain(b"1e,2").map(|plain| plain.length), Some(1));
    }

    #[test]
    fn written_numbers_have_the_values_that_people_mean() {
        let check = |text: &str, point: Option<f64>, comma: Option<f64>| {
            let written = Written::read(text);
            let value = |locale| written.as_ref().and_then(|written| written.value(locale));
            assert_eq!((value(Locale::Point), value(Locale::Comma)), (point, comma), "{text}: {written:?}");
        };
        let both = |text: &str, value: f64| check(text, Some(value), Some(value));
        both("007", 7.0);
        both("(12)", -12.0);
        both("−12", -12.0);
        both("１２", 12.0);
        both("126.11° W", -126.11);
        both("126,11°E", 126.11);
        both("37°33'36\"N", 37.56);
        both("37° 30' S", -37.5);
        both("37°30’S", -37.5);
        both("-0°15'", -0.25);
        both("0°0'36\"N", 0.01);
        check("12°61'N", None, None);
        both("1.5D3".replace(".5", "").as_str(), 1000.0);
        check("1.5D3", Some(1500.0), None);
        check("1,5E-3", None, Some(0.0015));
        check("1,204", Some(1204.0), Some(1.204));
        check("1.204", Some(1.204), Some(1204.0));
        check("$1,204", Some(1204.0), Some(1.204));
        check("-$1,204.50", Some(-1204.5), None);
        check("$-1,204.50", Some(-1204.5), None);
        check("($1,204.50)", Some(-1204.5), None);
        check("$(2,994.50)", Some(-2994.5), None);
        check("(2,994.50) €", Some(-2994.5), None);
        check("(3.5)%", Some(-3.5), None);
        both("3 (12)", 3.0);
        check("9.42 (0.64)", Some(9.42), None);
        check("9,42 (0,64)", None, Some(9.42));
        check("12.5 (34%)", Some(12.5), None);
        check("1.8 [1.2, 2.4]", Some(1.8), None);
        check("1.8 (95% CI 1.2-2.4) mm", Some(1.8), None);
        check("-1.5 (SD = 0.2)", Some(-1.5), None);
        both("5 1/2", 5.5);
        both("5 1/2\"", 5.5);
        both("1 3/4 cups", 1.75);
        both("5½", 5.5);
        both("¾ in", 0.75);
        check("5 7/4", None, None);
        check("5 1/7", None, None);
        check("1,204[5]", Some(1204.0), Some(1.204));
        check("0.03**", Some(0.03), None);
        check("0.03 †", Some(0.03), None);
        both("3 (n=12)*", 3.0);
        check("5 (high)", None, None);
        check("(555) 123", None, None);
        check("1.204,50 €", None, Some(1204.5));
        check("1 204,5", None, Some(1204.5));
        check("1'204.5", Some(1204.5), None);
        check("1\u{202f}234\u{202f}567", Some(1234567.0), Some(1234567.0));
        check("12,34,567", Some(1234567.0), None);
        check("1.234.567", None, Some(1234567.0));
        check("0,123", None, Some(0.123));
        check("12.50%", Some(12.5), None);
        both("3 kg", 3.0);
        both("3kg", 3.0);
        both("35/100", 35.0);
        both("▲12", -12.0);
        both("△ 3%", -3.0);
        both("863,- €", 863.0);
        both("863,-", 863.0);
        check("1.204,- €", Some(1.204), Some(1204.0));
        check("Rp 1.204.000", None, Some(1204000.0));
        check("RM 1,204.50", Some(1204.5), None);
        check("١٢٫٥", Some(12.5), None);
        both("5'11\"", 71.0);
        both("5 ft 11 in", 71.0);
        check("9.42 ± 0.64", Some(9.42), None);
        both("3 ± 1 kg", 3.0);
        both("10+ years", 10.0);
        check("10,000+", Some(10000.0), Some(10.0));
        both("12-", -12.0);
        both("USD 12", 12.0);
        both("₩12", 12.0);
        for text in [
            "",
            "a",
            "C00001",
            "2021-01-01",
            "1.2.3",
            "192.168.0.1",
            "555-1234",
            "12:30",
            "1,2,3",
            "5'11",
            "5'12\"",
            "± 1",
            "▼12",
            "1+2",
            "-",
            "<5",
            "1 2",
            "3 kg 5 g",
            "1e5x3",
        ] {
            check(text, None, None);
        }
    }
}
