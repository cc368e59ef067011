//! Decimal numbers, read from text: by the reader of JSON, which rounds as exactly as that of the standard library. Both
//! have tables of 10 kB, and the page has the former anyway.

/// The number that a text is, as `str::parse` reads it; absent if it is none, and for infinity and NaN.
pub(crate) fn number(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() || !whole.bytes().all(|own| own.is_ascii_digit()) {
        return None;
    }
    // JSON writes a digit on both sides of the point, and no zeros before the first.
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    serde_json::from_str(&format!("{sign}{whole}.{fraction}0e{exponent}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_standard_library() {
        let texts = [
            "0",
            "-0",
            "1",
            "-1.5",
            "+2",
            ".5",
            "-.5e-3",
            "5.",
            "007",
            "00.25",
            "1e5",
            "1E+05",
            "1e-400",
            "4.9e-324",
            "0.1",
            "123456789012345678901234567890",
            "1.7976931348623157e308",
            "2.2250738585072011e-308",
        ];
        for text in texts {
            let wanted: f64 = text.parse().unwrap();
            assert_eq!(number(text).map(f64::to_bits), Some(wanted.to_bits()), "{text}");
        }
    }

    #[test]
    fn what_is_no_finite_number_is_none() {
        for text in [
            "", ".", "-", "e5", "1e", "1e5.5", " 1", "1 ", "1_0", "--1", "0x1", "inf", "NaN", "1e400", "1.+5",
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
