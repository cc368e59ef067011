//! How people and programs write yes and no.

/// Pairs of spellings, in lower case: those of yes, and those of no.
pub(super) const PAIRS: &[(&[&str], &[&str])] = &[
    (&["yes"], &["no"]),
    (&["y"], &["n"]),
    (&["true"], &["false"]),
    (&["t"], &["f"]),
    (&["1", "1.0"], &["0", "0.0"]),
    (&["on"], &["off"]),
    (&["ja"], &["nein", "nee", "nej"]),
    (&["j"], &["n"]),
    (&["wahr"], &["falsch"]),
    (&["oui"], &["non"]),
    (&["vrai"], &["faux"]),
    (&["si", "sí", "sì"], &["no"]),
    (&["verdadero"], &["falso"]),
    (&["예", "네"], &["아니오", "아니요"]),
    (&["참"], &["거짓"]),
    (&["はい"], &["いいえ"]),
    (&["是"], &["否"]),
    (&["да"], &["нет"]),
    (&["sim"], &["não", "nao"]),
    (&["tak"], &["nie"]),
];

/// What a text says, if it is a usual spelling of yes or no.
///
/// ```
/// use pullback::data::yes_or_no;
/// assert_eq!((yes_or_no("Yes"), yes_or_no("FALSE"), yes_or_no("2")), (Some(true), Some(false), None));
/// ```
pub fn yes_or_no(text: &str) -> Option<bool> {
    let lower = text.to_lowercase();
    let has = |spellings: &[&str]| spellings.contains(&lower.as_str());
    if PAIRS.iter().any(|(yes, _)| has(yes)) {
        Some(true)
    } else if PAIRS.iter().any(|(_, no)| has(no)) {
        Some(false)
    } else {
        None
    }
}

/// Whether distinct texts, all of them spellings of yes and no, write an answer in several ways and have one pair whole:
/// `yes`, `no` and `1`, or `Yes`, `yes` and `no`; but not `n` and `1`, which may say anything, nor `Yes` and `no`, nor
/// numbers alone.
pub fn mixes_yes_and_no<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> bool {
    let lower = || texts.clone().map(str::to_lowercase);
    let is_whole = |pair: &&(&[&str], &[&str])| {
        lower().any(|text| pair.0.contains(&text.as_str()))
            && lower().any(|text| pair.1.contains(&text.as_str()))
    };
    let is_said = |text: String| yes_or_no(&text).is_some();
    lower().all(is_said)
        && PAIRS.iter().any(|pair| is_whole(&pair))
        && texts.clone().count() > 2
        && !lower().all(|text| text.parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_says_yes_or_no_beyond_doubt_is_a_mix() {
        let check = |texts: &[&str], expected: bool| {
            assert_eq!(mixes_yes_and_no(texts.iter().copied()), expected, "{texts:?}");
        };
        check(&["yes", "True", "1", "no"], true);
        check(&["Y", "N", "TRUE", "FALSE"], true);
        check(&["1", "0", "no"], true);
        check(&["ja", "nein", "1", "0"], true);
        check(&["예", "아니오", "네", "Y"], true);
        check(&["yes", "No", "YES"], true);
        check(&["on", "ON", "off"], true);
        // Each answer is written in one way, or all are numbers.
        check(&["Yes", "no"], false);
        check(&["1.0", "0", "1"], false);
        // No pair is whole, or a text says something else.
        check(&["n", "1"], false);
        check(&["yes", "1", "true"], false);
        check(&["yes", "no", "2"], false);
        check(&["yes", "no", "maybe", "1"], false);
    }
}
