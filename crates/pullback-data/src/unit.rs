//! What stands around the numbers of a column: a unit, a currency, a factor such as `k` or `만`, or letters.
//!
//! The unit of a cell is its marks, each in one spelling (`hrs` is `h`, `EUR` is `€`): a currency before the number, a
//! unit after it. A cell fits a column if the column has its marks, so `12` fits `3 kg` and `5 lb` does not.

use crate::note::quoted;
use crate::number::{CURRENCIES, Evidence, Locale, Written};
use crate::raw::Coded;
use std::collections::BTreeMap;

/// How sure it is that a text after a number is a factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Certainty {
    /// A word, which a unit may follow: `3만원`, `2 Mio. €`.
    Word,
    /// What can hardly be the letter of a code.
    Sure,
    /// Beside a currency, or another factor.
    Letter,
    /// Beside a currency alone: else `m` is a meter.
    WithCurrency,
}

/// What stands for a number to multiply by. Of those that a text begins with, the first in the list is meant.
#[rustfmt::skip]
const FACTORS: &[(&str, f64, Certainty)] = &[
    ("thousand", 1e3, Certainty::Word), ("million", 1e6, Certainty::Word), ("billion", 1e9, Certainty::Word),
    ("trillion", 1e12, Certainty::Word), ("lakh", 1e5, Certainty::Word), ("crore", 1e7, Certainty::Word),
    ("Tsd.", 1e3, Certainty::Word), ("Tsd", 1e3, Certainty::Word), ("Mio.", 1e6, Certainty::Word),
    ("Mio", 1e6, Certainty::Word), ("Mrd.", 1e9, Certainty::Word), ("Mrd", 1e9, Certainty::Word),
    ("mln", 1e6, Certainty::Word), ("mn", 1e6, Certainty::Sure), ("bn", 1e9, Certainty::Sure),
    ("천만", 1e7, Certainty::Word), ("백만", 1e6, Certainty::Word), ("십억", 1e9, Certainty::Word),
    ("천", 1e3, Certainty::Word), ("만", 1e4, Certainty::Word), ("억", 1e8, Certainty::Word),
    ("조", 1e12, Certainty::Word), ("千", 1e3, Certainty::Word), ("万", 1e4, Certainty::Word),
    ("萬", 1e4, Certainty::Word), ("亿", 1e8, Certainty::Word), ("億", 1e8, Certainty::Word),
    ("兆", 1e12, Certainty::Word),
    ("k", 1e3, Certainty::Sure), ("K", 1e3, Certainty::Sure), ("M", 1e6, Certainty::Sure),
    ("B", 1e9, Certainty::Letter), ("T", 1e12, Certainty::Letter),
    ("m", 1e6, Certainty::WithCurrency), ("b", 1e9, Certainty::WithCurrency),
];

/// Spellings of one unit, in lower case; the first stands for all.
const SAME: &[&[&str]] = &[
    &["$", "us$", "usd"],
    &["€", "eur", "euro"],
    &["£", "gbp"],
    &["₩", "krw", "원"],
    &["¥", "jpy", "円"],
    &["元", "cny", "rmb"],
    &["₹", "inr", "rs", "rs."],
    &["a$", "au$", "aud"],
    &["c$", "ca$", "cad"],
    &["nz$", "nzd"],
    &["hk$", "hkd"],
    &["nt$", "twd"],
    &["s$", "sgd"],
    &["r$", "brl"],
    &["zł", "pln"],
    &["kč", "czk"],
    &["fr", "fr.", "chf"],
    &["s", "sec", "secs", "second", "seconds", "초"],
    &["min", "mins", "minute", "minutes", "분"],
    &["h", "hr", "hrs", "hour", "hours", "시간"],
    &["d", "day", "days"],
    &["wk", "week", "weeks"],
    &["mo", "month", "months"],
    &["y", "yr", "yrs", "year", "years"],
    &["lb", "lbs"],
    &["kg", "kgs"],
    &["km/h", "kmh", "kph"],
    &["µm", "um", "μm"],
    &["µg", "ug", "μg"],
    &["µs", "us", "μs"],
    &["m²", "m2", "sqm"],
    &["ft²", "ft2", "sqft"],
];

/// Units of one kind, each with how many of the first it is: a column may mix them.
const FAMILIES: &[&[(&str, f64)]] = &[
    &[("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("min", 6e10), ("h", 3.6e12)],
    &[("kb", 1.0), ("mb", 1e3), ("gb", 1e6), ("tb", 1e9)],
    &[("kib", 1.0), ("mib", 1024.0), ("gib", 1048576.0), ("tib", 1073741824.0)],
    &[("mm", 1.0), ("cm", 1e1), ("m", 1e3), ("km", 1e6)],
    &[("mg", 1.0), ("g", 1e3), ("kg", 1e6)],
    &[("ml", 1.0), ("cl", 1e1), ("dl", 1e2), ("l", 1e3)],
    &[("hz", 1.0), ("khz", 1e3), ("mhz", 1e6), ("ghz", 1e9)],
];

/// How many of one unit another one is, if both are of one kind and differ.
fn ratio(of: &str, to: &str) -> Option<f64> {
    FAMILIES.iter().find_map(|family| {
        let size = |unit: &str| family.iter().find(|(name, _)| *name == unit).map(|(_, size)| *size);
        Some((size(of)?, size(to)?)).filter(|(of, to)| of != to).map(|(of, to)| of / to)
    })
}

/// Units that are another one with a small first letter: MW is no mW.
const CASED: &[&str] = &["mw", "mwh", "mv", "mj", "mpa"];

/// A unit or a currency in one spelling: that of its list, or lower case, without spaces.
fn mark(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let lower: String = text.to_lowercase().split_whitespace().collect();
    if CASED.contains(&lower.as_str()) {
        return text.split_whitespace().collect();
    }
    match SAME.iter().find(|names| names.contains(&lower.as_str())) {
        Some(names) => names[0].to_owned(),
        None => lower,
    }
}

/// Distinct marks as one text.
fn joined<'a>(marks: impl IntoIterator<Item = &'a str>) -> String {
    let mut distinct: Vec<&str> = Vec::new();
    for mark in marks {
        if !mark.is_empty() && !distinct.contains(&mark) {
            distinct.push(mark);
        }
    }
    distinct.join(" ")
}

fn is_currency(text: &str) -> bool {
    CURRENCIES.contains(&text) || CURRENCIES.contains(&mark(text).as_str())
}

/// The factor that a text after a number begins with, and the mark of the unit behind it.
fn split(after: &str, before: &str) -> Option<(f64, Certainty, String)> {
    FACTORS.iter().find_map(|&(sign, factor, certainty)| {
        let rest = after.strip_prefix(sign)?.trim();
        let has_currency = !before.is_empty() || is_currency(rest);
        let is_alone = rest.is_empty() || is_currency(rest);
        let is_factor = match certainty {
            Certainty::Word => true,
            // A letter before another is a unit of its own: `km`, `kWh`.
            Certainty::Sure | Certainty::Letter => is_alone,
            Certainty::WithCurrency => is_alone && has_currency,
        };
        let certainty = if has_currency { Certainty::Sure } else { certainty };
        is_factor.then(|| (factor, certainty, mark(rest)))
    })
}

/// Whether a text after a number is a factor that is hardly the letter of a code.
pub(crate) fn is_factor(after: &str) -> bool {
    split(after, "").is_some_and(|(_, certainty, _)| certainty != Certainty::Letter)
}

/// What stands around the numbers of a column.
pub(crate) struct Unit {
    kind: Kind,
    /// The marks of its cells, joined by spaces; nothing if they have none.
    marks: String,
    /// Whether other units of its kind are converted: a model's column keeps to its own.
    converts: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// A unit, or nothing.
    Plain,
    /// Letters that are no unit, the same at each number without exception.
    Letters { before: String, after: String },
    /// Some cells have factors before the unit.
    Factors,
}

/// At least so many cells fit factors for each that does not.
const FACTORS_PER_MISTAKE: usize = 9;

impl Unit {
    /// What the cells of a column have; their marks are those that the column had in training, if they are `known`.
    pub(crate) fn of(raw: &Coded, written: &[Option<Written>], known: Option<&str>) -> Self {
        let (mut befores, mut afters) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
        // Cells without a factor by their unit, those with one by the unit behind it.
        let (mut plain, mut scaled) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
        let (mut bare, mut letters, mut sure, mut kelvins, mut all) = (0, 0, 0, 0, 0);
        let present = || {
            let of = written.iter().zip(&raw.counts).filter(|(_, count)| **count > 0);
            of.filter_map(|(written, &count)| Some((written.as_ref()?, count)))
        };
        for (written, count) in present() {
            let (before, after) = (mark(&written.before), mark(&written.after));
            all += count;
            letters += if written.is_quantity { 0 } else { count };
            bare += if before.is_empty() && after.is_empty() { count } else { 0 };
            match split(&written.after, &written.before) {
                None => *plain.entry(after.clone()).or_default() += count,
                Some((_, certainty, rest)) => {
                    sure += if certainty == Certainty::Letter { 0 } else { count };
                    let is_kelvin = before.is_empty() && written.is_apart && after == "k";
                    kelvins += if is_kelvin { count } else { 0 };
                    *scaled.entry(rest).or_default() += count;
                }
            }
            *befores.entry(before).or_default() += count;
            *afters.entry(after).or_default() += count;
        }
        // Of those that are not empty the commonest.
        let most = |counts: &BTreeMap<String, usize>| {
            let named = counts.iter().filter(|(text, _)| !text.is_empty());
            named.max_by_key(|(_, count)| **count).map_or(String::new(), |(text, _)| text.clone())
        };
        let (before, after, rest) = (most(&befores), most(&afters), most(&scaled));
        let of_plain = |mark: &str| plain.get(mark).copied().unwrap_or(0);
        // Numbers of the unit itself may stand beside those with a factor: `5000원`, `3만원`.
        let factors =
            scaled.values().sum::<usize>() + of_plain("") + if rest.is_empty() { 0 } else { of_plain(&rest) };
        // `300 K` is a temperature, if nothing else stands beside it.
        let are_factors =
            sure > 0 && kelvins < all && FACTORS_PER_MISTAKE * (all - factors.min(all)) <= factors;
        if let Some(known) = known {
            let fits = known.split(' ').all(is_currency) || known.split(' ').any(|mark| mark == rest);
            let kind = if are_factors && fits { Kind::Factors } else { Kind::Plain };
            return Self { kind, marks: known.to_owned(), converts: false };
        }
        if are_factors {
            return Self { kind: Kind::Factors, marks: joined([before.as_str(), &rest]), converts: true };
        }
        // Numbers beside numbers with a letter: the letter says something.
        if letters > 0 && bare >= letters {
            return Self { kind: Kind::Plain, marks: String::new(), converts: true };
        }
        let letter = present().find(|(written, _)| {
            !written.is_quantity && mark(&written.before) == before && mark(&written.after) == after
        });
        let kind = match letter {
            Some((Written { before, after, .. }, _)) => {
                Kind::Letters { before: before.clone(), after: after.clone() }
            }
            None => Kind::Plain,
        };
        Self { kind, marks: joined([before.as_str(), &after]), converts: true }
    }

    /// What a number is to be multiplied by; [`None`] if it is of another unit.
    pub(crate) fn factor(&self, written: &Written) -> Option<f64> {
        if written.before.is_empty() && written.after.is_empty() && !matches!(self.kind, Kind::Letters { .. })
        {
            return Some(1.0);
        }
        let own = joined([mark(&written.before).as_str(), &mark(&written.after)]);
        match (&self.kind, split(&written.after, &written.before)) {
            (Kind::Factors, Some((factor, _, rest))) => {
                self.has([mark(&written.before).as_str(), &rest]).then_some(factor)
            }
            (Kind::Letters { .. }, _) => (own == self.marks).then_some(1.0),
            _ => self.has(own.split(' ')).then_some(1.0).or_else(|| self.ratio_of(&own)),
        }
    }

    /// Whether the column has all of these marks.
    fn has<'a>(&self, marks: impl IntoIterator<Item = &'a str>) -> bool {
        marks.into_iter().all(|mark| mark.is_empty() || self.marks.split(' ').any(|own| own == mark))
    }

    /// The marks that its cells have, joined by spaces; [`None`] if they have none.
    pub(crate) fn marks(&self) -> Option<&str> {
        Some(self.marks.as_str()).filter(|marks| !marks.is_empty())
    }

    /// How many of its unit another one is, if that is converted.
    fn ratio_of(&self, own: &str) -> Option<f64> {
        ratio(own, &self.marks).filter(|_| self.converts)
    }

    /// The units that are converted to its own.
    pub(crate) fn converted<'a>(&self, present: impl Iterator<Item = &'a Written>) -> Vec<String> {
        let mut units: Vec<String> = Vec::new();
        if self.kind == Kind::Plain {
            let of = present.map(marks_of).filter(|own| self.ratio_of(own).is_some());
            of.for_each(|own| {
                if !units.contains(&own) {
                    units.push(own);
                }
            });
        }
        units
    }

    /// Whether its numbers are in percent.
    pub(crate) fn is_percent(&self) -> bool {
        self.marks == "%"
    }

    /// The letters that are left out of each number, quoted, if they are no unit.
    pub(crate) fn letters(&self) -> Option<String> {
        let Kind::Letters { before, after } = &self.kind else { return None };
        Some(quoted([before.as_str(), after].into_iter().filter(|letters| !letters.is_empty()), 2))
    }

    /// How the numbers are written, for people; nothing if as programs write them.
    pub(crate) fn words<'a>(
        &self,
        present: impl Iterator<Item = &'a Written> + Clone,
        locale: Locale,
    ) -> String {
        let mut words = Vec::new();
        let tells = |written: &Written| !matches!(written.evidence, Evidence::Neutral);
        if locale == Locale::Comma && present.clone().any(tells) {
            words.push("with decimal commas".to_owned());
        }
        if present.clone().any(|written| written.has_separators_of_thousands(locale)) {
            words.push("with separators between thousands".to_owned());
        }
        if let Some(letters) = self.letters() {
            words.push(format!("with {letters}"));
            return words.join(", ");
        }
        if self.kind == Kind::Factors {
            words.push("with factors such as k or M".to_owned());
        }
        let is_marked = present.clone().any(|written| !marks_of(written).is_empty());
        words.extend(self.marks().filter(|_| is_marked).map(in_unit));
        words.join(", ")
    }
}

/// The marks of one number, joined by spaces.
pub(crate) fn marks_of(written: &Written) -> String {
    joined([mark(&written.before).as_str(), &mark(&written.after)])
}

/// `in kg`, `in percent`.
pub(crate) fn in_unit(marks: &str) -> String {
    match marks {
        "%" => "in percent".to_owned(),
        marks => marks.split(' ').map(|mark| format!("in {mark}")).collect::<Vec<_>>().join(", "),
    }
}
