//! What a cell can say that is no value: the usual spellings of missing.

/// Missing in every column. Excel's errors among them: a cell that could not be computed has no value.
const EVERYWHERE: &[&str] = &[
    "", "NA", "N/A", "n/a", "null", "NULL", "Null", "?", "NaN", "nan", "NAN", "-nan", "-NaN", "<NA>", "#N/A",
    "#NA", "#N/A N/A", "\\N", "NaT", "(null)", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "#VALUE!",
    "#DIV/0!", "#REF!", "#NUM!", "#NAME?", "#NULL!",
];

/// Missing where all else is a number or a date; among texts they may name a category. Lower case.
const AMONG_NUMBERS: &[&str] = &[
    "na",
    "none",
    "nil",
    "-",
    "--",
    "---",
    "\u{2013}",
    "\u{2014}",
    ".",
    "..",
    "...",
    "missing",
    "miss",
    "undefined",
    "n.a.",
    "n/d",
    "nd",
    "n.d.",
    "not available",
    "not applicable",
    "unknown",
    "blank",
    "empty",
    "*",
    "**",
    "결측",
    "미상",
];

/// Whether a cell is missing whatever its column holds.
#[inline]
pub(crate) fn is_missing(text: &[u8]) -> bool {
    text.is_empty()
        || matches!(text[0], b'N' | b'n' | b'?' | b'-' | b'<' | b'#' | b'\\' | b'(' | b'1')
            && text.len() <= 8
            && EVERYWHERE.iter().any(|known| known.as_bytes() == text)
}

/// Whether a cell is missing in a column of numbers or dates.
pub(crate) fn is_missing_among_numbers(text: &str) -> bool {
    text.chars().count() <= 16 && AMONG_NUMBERS.contains(&text.to_lowercase().as_str())
}

/// Whether a cell names a number that is not finite.
pub(crate) fn is_infinite(text: &str) -> bool {
    matches!(
        text.trim_start_matches(['+', '-', '\u{2212}']).to_lowercase().as_str(),
        "inf" | "infinity" | "infinite" | "∞" | "1.#inf"
    ) || text.parse::<f64>().is_ok_and(f64::is_infinite)
}
