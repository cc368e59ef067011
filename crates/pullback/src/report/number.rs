//! Numbers as people read them: the one place that decides how many digits are shown, and in which form.
//!
//! [`significant`] for results that one follows digit by digit, [`figure`] for what was measured, [`setting`] for what
//! was given, [`count`], [`counted`] and [`magnitude`] for how many, [`percent`] for shares, [`time`] for seconds.

use crate::decimal;

/// A number in `digits` significant digits; short numbers in full: `0.1`, `3.14159`, `1.23457e-8`.
///
/// Zeros at the end say that a number was rounded: `2.00000` is near 2, `2` is 2.
///
/// ```
/// use pullback::report::number::significant;
/// assert_eq!(significant(2.0 / 3.0, 6), "0.666667");
/// assert_eq!(significant(0.1, 6), "0.1");
/// ```
pub fn significant(x: f64, digits: usize) -> String {
    if x == 0.0 {
        return "0".into();
    }
    let exact = x.to_string();
    if !x.is_finite() || exact.trim_start_matches('-').len() <= digits.min(6) {
        return exact;
    }
    let size = x.abs();
    // Where rounding carries, 9.9999 has one digit more before the point, and one fewer after it.
    let rounded = format!("{x:.0$e}", digits.saturating_sub(1));
    let exponent = exponent_of(&rounded);
    if !(-4..7).contains(&exponent) {
        return rounded;
    }
    let after = (digits as i32 - (exponent + 1)).max(0) as usize;
    let text = format!("{x:.after$}");
    let is_whole = decimal::number(&text).is_some_and(|back| (back - x).abs() <= 4.0 * f64::EPSILON * size);
    if is_whole && text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// The exponent of a number's first digit: -3 for 0.00215.
pub fn exponent(x: f64) -> i32 {
    exponent_of(&format!("{x:e}"))
}

/// The exponent that is written behind the `e`.
fn exponent_of(text: &str) -> i32 {
    text.split('e').nth(1).and_then(|exponent| exponent.parse().ok()).unwrap_or(0)
}

/// A measured number: `0.0213`, `3.10e-5`.
pub fn figure(x: f64) -> String {
    match x.abs() {
        0.0 => "0".into(),
        1e-3..1e5 => format!("{x:.4}"),
        _ => format!("{x:.2e}"),
    }
}

/// A given number, all its digits in few characters: `0.001`, `1e30`.
pub fn setting(x: f64) -> String {
    let (plain, exponential) = (x.to_string(), format!("{x:e}"));
    if plain.len() <= exponential.len().max(8) { plain } else { exponential }
}

/// A large number: `950`, `12.3k`, `4.56M`.
pub fn count(x: f64) -> String {
    match x {
        x if x >= 1e9 => format!("{x:.1e}"),
        x if x >= 1e6 => format!("{:.2}M", x / 1e6),
        x if x >= 1e3 => format!("{:.1}k", x / 1e3),
        x => format!("{x:.0}"),
    }
}

/// A count beside others of quite another size: `640`, `2.1e4`, `3.3e18`.
pub fn magnitude(x: f64) -> String {
    match x {
        _ if !x.is_finite() => "> 1e308".into(),
        x if x < 1e4 => format!("{x:.0}"),
        x => format!("{x:.1e}"),
    }
}

/// How many of what, in the singular or the plural: `1 row`, `3 rows`.
///
/// ```
/// use pullback::report::number::counted;
/// assert_eq!([counted(1, "input"), counted(4, "input")], ["1 input", "4 inputs"]);
/// ```
pub fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A share: `96.67 %`.
pub fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// A time, from microseconds to ages: `12 ms`, `3.4 s`, `2 min 5 s`, `9 days`, `3e7 years`.
pub fn time(seconds: f64) -> String {
    const DAY: f64 = 86400.0;
    const YEAR: f64 = 365.25 * DAY;
    // Whole seconds, where they are counted in minutes and hours.
    let whole = seconds as u64;
    match seconds {
        0.0 => "0 s".into(),
        s if !s.is_finite() => "> 1e300 years".into(),
        s if s < 1e-3 => format!("{:.1} us", s * 1e6),
        s if s < 1e-2 => format!("{:.1} ms", s * 1e3),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 100.0 => format!("{s:.1} s"),
        s if s < 6000.0 => format!("{} min {} s", whole / 60, whole % 60),
        s if s < 2.0 * DAY => format!("{} h {} min", whole / 3600, whole / 60 % 60),
        s if s < YEAR => format!("{:.0} days", s / DAY),
        s if s < 1e4 * YEAR => format!("{:.0} years", s / YEAR),
        s => format!("{:.0e} years", s / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_few_characters() {
        assert_eq!(
            [0.0, 0.02134, 1e-5, 1e30, -2.0].map(figure),
            ["0", "0.0213", "1.00e-5", "1.00e30", "-2.0000"]
        );
        assert_eq!([0.001, 1e30, 1e-10, 0.25, 32.0].map(setting), ["0.001", "1e30", "1e-10", "0.25", "32"]);
        assert_eq!([950.0, 12_345.0, 4_560_000.0, 8e17].map(count), ["950", "12.3k", "4.56M", "8.0e17"]);
        assert_eq!([640.0, 21_234.0, f64::INFINITY].map(magnitude), ["640", "2.1e4", "> 1e308"]);
        assert_eq!(percent(29.0 / 30.0), "96.67 %");
        assert_eq!(
            [0.0, 2.34e-5, 0.0036, 0.012, 3.4, 125.0, 7300.0, 8e5, 1e9, 1e20].map(time),
            [
                "0 s",
                "23.4 us",
                "3.6 ms",
                "12 ms",
                "3.4 s",
                "2 min 5 s",
                "2 h 1 min",
                "9 days",
                "32 years",
                "3e12 years"
            ]
        );
    }

    #[test]
    fn significant_digits_are_shown_and_no_others() {
        let shown = |x| significant(x, 6);
        assert_eq!(
            [0.1, 1.0 / 3.0, 2.000_000_04, 123_456.789, 1e-5 / 3.0, f64::NAN].map(shown),
            ["0.1", "0.333333", "2.00000", "123457", "3.33333e-6", "NaN"]
        );
        assert_eq!(exponent(0.00215), -3);
    }

    #[test]
    fn a_carry_keeps_the_count_of_digits() {
        let shown = |x| significant(x, 4);
        assert_eq!(
            [0.099_999_999, 9.999_999_99, -99.999_9, 0.000_099_999_9, 9_999_999.9, 0.999_96].map(shown),
            ["0.1000", "10.00", "-100.0", "0.0001000", "1.000e7", "1.000"]
        );
    }
}
