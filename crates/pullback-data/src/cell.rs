//! What a cell can say that is no value: the usual spellings of missing.

/// Missing in every column.
const EVERYWHERE: &[&str] = &[
    "", "NA", "N/A", "n/a", "null", "NULL", "Null", "?", "NaN", "nan", "NAN", "-nan", "-NaN", "<NA>", "#N/A",
    "#NA", "#N/A N/A", "\\N", "NaT", "(null)", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN",
];

/// Missing in every column: what Excel writes for a cell that could not be computed, in English, German, French,
/// Spanish, Italian, Portuguese, Dutch, Polish, Swedish and Russian.
#[rustfmt::skip]
const ERRORS: &[&str] = &[
    "#VALUE!", "#DIV/0!", "#REF!", "#NUM!", "#NAME?", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!",
    "#WERT!", "#BEZUG!", "#ZAHL!", "#NV", "#ÜBERLAUF!", "#KALK!",
    "#VALEUR!", "#NOMBRE!", "#NOM?", "#NUL!",
    "#¡VALOR!", "#¡REF!", "#¡NUM!", "#¡NULO!", "#¡DIV/0!", "#¿NOMBRE?", "#N/D",
    "#VALORE!", "#RIF!", "#NOME?", "#NULLO!",
    "#VALOR!", "#NÚM!", "#NULO!",
    "#WAARDE!", "#VERW!", "#NAAM?", "#GETAL!", "#LEEG!", "#N/B", "#DEEL/0!",
    "#ARG!", "#ADR!", "#NAZWA?", "#LICZBA!", "#ZERO!", "#DZIEL/0!",
    "#VÄRDEFEL!", "#REFERENS!", "#NAMN?", "#OGILTIGT!", "#SAKNAS!", "#DIVISION/0!", "#SKÄRNING!",
    "#ЗНАЧ!", "#ССЫЛКА!", "#ИМЯ?", "#ЧИСЛО!", "#ПУСТО!", "#Н/Д", "#ДЕЛ/0!",
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
    "<null>",
    "[null]",
    "null.",
    "undef",
    "\\\\n",
    "nan%",
    ":",
    "_",
    "----",
    "-----",
    "''",
    "??",
    "???",
    "ø",
    "∅",
    "n.a",
    "n.d",
    "n/k",
    "n.v.",
    "k.a.",
    "k. a.",
    "s/d",
    "nr",
    "unk",
    "tbd",
    "tba",
    "no data",
    "nodata",
    "no value",
    "not reported",
    "none reported",
    "(blank)",
    "(leer)",
    "(vide)",
    "(en blanco)",
    "(비어 있음)",
    "keine angabe",
    "keine angaben",
    "sin dato",
    "sin datos",
    "<lod",
    "<loq",
    "< lod",
    "< loq",
    "해당없음",
    "해당 없음",
    "없음",
    "데이터없음",
    "데이터 없음",
    "자료없음",
    "なし",
    "無し",
    "無",
    "无",
    "暂无",
    "不明",
    "未知",
];

/// Whether a cell is missing whatever its column holds.
#[inline]
pub(crate) fn is_missing(text: &[u8]) -> bool {
    text.is_empty()
        || matches!(text[0], b'N' | b'n' | b'?' | b'-' | b'<' | b'#' | b'\\' | b'(' | b'1')
            && text.len() <= 8
            && EVERYWHERE.iter().any(|known| known.as_bytes() == text)
        || text[0] == b'#' && ERRORS.iter().any(|known| known.as_bytes() == text)
}

/// Whether a cell is missing in a column of numbers or dates.
pub(crate) fn is_missing_among_numbers(text: &str) -> bool {
    // Stata has 27 missing values: a point, and a point with a letter.
    let is_of_stata = || matches!(text.as_bytes(), [b'.', b'a'..=b'z']);
    text.chars().count() <= 16 && (is_of_stata() || AMONG_NUMBERS.contains(&text.to_lowercase().as_str()))
}

/// Whether a cell names a number that is not finite.
pub(crate) fn is_infinite(text: &str) -> bool {
    matches!(
        text.trim_start_matches(['+', '-', '\u{2212}']).to_lowercase().as_str(),
        "inf" | "infinity" | "infinite" | "∞" | "1.#inf"
    ) || text.parse::<f64>().is_ok_and(f64::is_infinite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_a_missing_number_is_known_in_any_spelling() {
        for text in [
            "NA",
            "<null>",
            "[NULL]",
            ".a",
            ".z",
            ":",
            "N.A",
            "no data",
            "(blank)",
            "(Leer)",
            "k.A.",
            "해당없음",
            "없음",
            "なし",
            "无",
            "----",
            "??",
            "<LOD",
            "n/d",
            "Unknown",
        ] {
            assert!(is_missing_among_numbers(text), "{text}");
        }
        for text in ["a", ".A1", "x", "zero", "0", "M", "none of these", "..a"] {
            assert!(!is_missing_among_numbers(text), "{text}");
        }
    }

    #[test]
    fn errors_of_excel_are_missing_in_any_language() {
        for text in ["#N/A", "#DIV/0!", "#WERT!", "#BEZUG!", "#NV", "#ZAHL!", "#¡VALOR!", "#Н/Д"] {
            assert!(is_missing(text.as_bytes()), "{text}");
        }
        for text in ["#", "#1", "#WERT", "#FFFFFF", "WERT!"] {
            assert!(!is_missing(text.as_bytes()), "{text}");
        }
    }
}
