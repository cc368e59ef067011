//! What a text says of itself before its first row: delimiter, lines that are no data, names of columns.
//!
//! - `sep=;` names the delimiter, as Excel writes it. Else it is the one of comma, semicolon, tab and bar that cuts
//!   most lines into the same number of fields; spaces where none of them does and a column is numbers.
//! - The table is where most lines have the same number of fields. What stands before it is a title or comments.
//! - The header is the line with a name that the caller expects. Else the first line, if it is unlike those below:
//!   no number over numbers, no text that comes again below it. R's header is one field short.
//! - A line of texts between a header and numbers gives units. Where the rows end, `footer` finds.

use super::footer::rows_end;
use super::record::{Field, Syntax, Trouble, line_end, next_line, record, skip_blank, uneven};
use crate::cell::{is_missing, is_missing_among_numbers};
use crate::note::{Note, NoteKind, counted, quoted};
use crate::number::Written;
use crate::text::Text;
use pullback::error::Result;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How many lines are looked at.
const SAMPLE_LINES: usize = 200;
/// A table has at most so many columns: each takes memory of its own.
pub(crate) const MOST_COLUMNS: usize = 1 << 20;
/// Which part of the lines has the same number of fields if a delimiter fits.
const EVEN: f64 = 0.9;
/// How a text is to be read.
#[derive(Debug)]
pub(super) struct Dialect {
    pub(super) syntax: Syntax,
    pub(super) names: Vec<String>,
    /// The first line's bytes, if they name the columns: such a line is no row.
    pub(super) header: Option<Vec<u8>>,
    /// Where the rows begin and end.
    pub(super) rows: (usize, usize),
}

/// What a caller knows.
pub(super) struct Known<'a> {
    pub(super) delimiter: Option<u8>,
    pub(super) has_header: Option<bool>,
    /// Names of columns that the file should have.
    pub(super) expected: &'a [String],
}

/// A record of the sample.
pub(super) struct Record<'a> {
    pub(super) at: usize,
    next: usize,
    fields: Vec<Field<'a>>,
}

impl Record<'_> {
    pub(super) fn text(&self, column: usize) -> Cow<'_, str> {
        self.fields.get(column).map_or(Cow::Borrowed(""), |field| String::from_utf8_lossy(&field.text))
    }

    fn is_filled(&self, column: usize) -> bool {
        self.fields.get(column).is_some_and(|field| !field.text.is_empty())
    }

    fn filled(&self) -> usize {
        self.fields.iter().filter(|field| !field.text.is_empty()).count()
    }
}

/// The first records of a text, blank lines left aside. Ends where quotes fit no more.
fn sample(bytes: &[u8], from: usize, syntax: Syntax) -> (Vec<Record<'_>>, Option<Trouble>) {
    let mut records = Vec::new();
    let mut at = from;
    let mut fields = 0;
    while records.len() < SAMPLE_LINES && fields <= MOST_COLUMNS {
        at = skip_blank(bytes, at).0;
        if at >= bytes.len() {
            break;
        }
        match record(bytes, at, syntax, MOST_COLUMNS) {
            Ok((found, next)) => {
                fields += found.len();
                records.push(Record { at, next, fields: found });
                at = next;
            }
            Err(trouble) => return (records, Some(trouble)),
        }
    }
    (records, None)
}

/// The commonest number of fields; of equally common ones the largest.
fn commonest(records: &[Record<'_>]) -> usize {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for record in records {
        *counts.entry(record.fields.len()).or_default() += 1;
    }
    counts.into_iter().max_by_key(|&(fields, count)| (count, fields)).map_or(1, |(fields, _)| fields)
}

pub(super) fn is_number(text: &str) -> bool {
    Written::read(text).is_some()
}

pub(super) fn is_filler(text: &str) -> bool {
    is_missing(text.as_bytes()) || is_missing_among_numbers(text)
}

/// How well a delimiter cuts a text.
struct Fit {
    syntax: Syntax,
    fields: usize,
    /// Which part of the lines has that many.
    even: f64,
    /// Which part of the fields holds no other delimiter, or is a number.
    clean: f64,
    has_numbers: bool,
    first: usize,
}

fn fit(bytes: &[u8], from: usize, syntax: Syntax) -> Fit {
    let delimiter = syntax.delimiter;
    let (records, _) = sample(bytes, from, syntax);
    let fields = commonest(&records);
    let start = records.iter().position(|record| record.fields.len() == fields).unwrap_or(0);
    // R's header is one short, and does not count against evenness.
    let short = usize::from(start > 0 && records[start - 1].fields.len() + 1 == fields && fields > 2);
    let same = records.iter().filter(|record| record.fields.len() == fields).count();
    let body = &records[start..];
    let (mut clean, mut all) = (0usize, 0usize);
    for field in body.iter().flat_map(|record| &record.fields) {
        all += 1;
        let has_other = DELIMITERS.iter().any(|other| *other != delimiter && field.text.contains(other));
        clean +=
            usize::from(field.is_quoted || !has_other || is_number(&String::from_utf8_lossy(&field.text)));
    }
    let has_numbers = (0..fields.min(64)).any(|column| {
        let below = &body[usize::from(body.len() > 1 && short == 0)..];
        !below.is_empty() && below.iter().all(|record| is_number(&record.text(column)))
    });
    Fit {
        syntax,
        fields,
        even: (same + short) as f64 / records.len().max(1) as f64,
        clean: clean as f64 / all.max(1) as f64,
        has_numbers,
        first: records.first().map_or(0, |record| record.fields.len()),
    }
}

/// The syntax that fits best. Whether quotes are escaped by a backslash, all records tell: they then fit better.
fn sniff_syntax(text: &Text<'_>, bytes: &[u8], from: usize, delimiter: Option<u8>) -> Result<Syntax> {
    let of = |escapes| {
        let syntax = delimiter.map_or_else(|| sniff_delimiter(bytes, from, escapes), Syntax::new);
        Syntax { escapes, ..syntax }
    };
    let plain = of(false);
    if !text.facts()?.has_escapes {
        return Ok(plain);
    }
    let escaped = of(true);
    Ok(if uneven(text, from, escaped)? < uneven(text, from, plain)? { escaped } else { plain })
}

fn sniff_delimiter(bytes: &[u8], from: usize, escapes: bool) -> Syntax {
    let fit = |delimiter| fit(bytes, from, Syntax { escapes, ..Syntax::new(delimiter) });
    let fits: Vec<Fit> = DELIMITERS.iter().map(|&delimiter| fit(delimiter)).collect();
    let even: Vec<&Fit> = fits.iter().filter(|fit| fit.fields > 1 && fit.even >= EVEN).collect();
    let best = |fits: &[&Fit]| {
        // The first of equals.
        let key = |fit: &Fit| (fit.clean, fit.even, fit.fields as f64);
        fits.iter()
            .rev()
            .max_by(|left, right| {
                let (left, right) = (key(left), key(right));
                left.0.total_cmp(&right.0).then(left.1.total_cmp(&right.1)).then(left.2.total_cmp(&right.2))
            })
            .map(|fit| fit.syntax)
    };
    if let Some(syntax) = best(&even) {
        return syntax;
    }
    let spaces = fit(b' ');
    if spaces.fields > 1 && spaces.even >= EVEN && spaces.has_numbers {
        return spaces.syntax;
    }
    // A title above the table or a damaged row below it: the message is then about ragged lines.
    let ragged: Vec<&Fit> = fits.iter().filter(|fit| fit.fields > 1 && fit.even >= 0.5).collect();
    let most =
        fits.iter().rev().max_by_key(|fit| (fit.fields.min(2), fit.first)).expect("there are delimiters");
    best(&ragged).unwrap_or(if most.first > 1 || most.fields > 1 { most.syntax } else { Syntax::new(b',') })
}

/// What a column holds, as far as a few rows tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Numbers,
    Texts,
    Empty,
}

pub(super) fn look<'a>(body: impl IntoIterator<Item = &'a Record<'a>>, column: usize) -> Look {
    let (mut numbers, mut texts) = (0usize, 0usize);
    for record in body {
        let text = record.text(column);
        if is_number(&text) {
            numbers += 1;
        } else if !is_filler(&text) {
            texts += 1;
        }
    }
    match (numbers, texts) {
        (0, 0) => Look::Empty,
        (numbers, texts) if numbers > texts => Look::Numbers,
        _ => Look::Texts,
    }
}

/// Whether whole numbers in a line are names: 0, 1, 2 and so on, or years. Alone, without a text beside them, they
/// are only if there are three.
fn are_names(numbers: &[i64], are_alone: bool) -> bool {
    let fewest = match numbers.first() {
        Some(0 | 1800..=2100) => 2 + usize::from(are_alone),
        Some(1) if !are_alone => 4,
        _ => return false,
    };
    numbers.len() >= fewest && numbers.windows(2).all(|pair| pair[1] == pair[0].saturating_add(1))
}

/// Whether the first record names the columns of those below.
fn is_header(first: &Record<'_>, body: &[Record<'_>], offset: usize) -> bool {
    if body.is_empty() {
        return (0..first.fields.len()).all(|column| !is_number(&first.text(column)));
    }
    let (unlike, alike) = evidence(first, body, offset);
    alike == 0 || unlike > alike
}

/// In how many columns a record is unlike those below, and in how many like them.
fn evidence(first: &Record<'_>, body: &[Record<'_>], offset: usize) -> (usize, usize) {
    let columns = first.fields.len().min(4096);
    let named: Vec<i64> = (0..columns).filter_map(|column| first.text(column).parse().ok()).collect();
    let sequence = are_names(&named, named.len() == columns);
    let (mut unlike, mut alike) = (0usize, 0usize);
    for column in 0..columns {
        let text = first.text(column);
        let below = look(body, column + offset);
        if is_number(&text) {
            alike += usize::from(below == Look::Numbers && !sequence);
        } else if text.is_empty() {
            unlike += usize::from(below != Look::Empty);
        } else if !is_missing(text.as_bytes()) {
            let comes_again = || body.iter().any(|record| record.text(column + offset) == text);
            unlike += usize::from(below == Look::Numbers);
            alike += usize::from(below == Look::Texts && comes_again());
        }
    }
    (unlike, alike)
}

/// Finds out how a text is to be read; [`None`] if it has no lines but blank ones.
///
/// The first bytes of a long text tell, and its last ones where it ends.
pub(super) fn sniff(
    text: &Text<'_>,
    known: &Known<'_>,
    notes: &mut Vec<Note>,
) -> Result<Result<Option<Dialect>, Trouble>> {
    let head = text.head()?;
    let bytes = &*head;
    let mut from = skip_blank(bytes, 0).0;
    let mut delimiter = known.delimiter;
    let first = &bytes[from..line_end(bytes, from)];
    let named = first.strip_prefix(b"\"").unwrap_or(first);
    if named.len() >= 5 && named[..4].eq_ignore_ascii_case(b"sep=") {
        delimiter = delimiter.or(Some(named[4]));
        from = next_line(bytes, from);
        notes.push(
            Note::new(NoteKind::Lines, 1, "the first line names the delimiter and is left out").at("line 1"),
        );
    }
    let syntax = sniff_syntax(text, bytes, from, delimiter)?;
    let (records, trouble) = sample(bytes, from, syntax);
    if records.is_empty() {
        return Ok(match trouble {
            Some(trouble) => Err(trouble),
            None => Ok(None),
        });
    }
    let fields = commonest(&records);
    let expected: HashSet<&str> = known.expected.iter().map(String::as_str).collect();
    let is_expected = |text: &str| expected.contains(text);
    let expected_at = records.iter().position(|record| {
        (0..record.fields.len()).any(|column| is_expected(record.text(column).trim_start_matches('#').trim()))
            && record.fields.len() + 1 >= fields
    });
    let mut start = match expected_at {
        Some(at) if known.has_header != Some(false) => at,
        _ => table_start(&records, fields),
    };
    // Comments that have as many fields as the table.
    while expected_at.is_none() && start + 2 < records.len() && records[start].text(0).starts_with('#') {
        let next = &records[start + 1];
        let is_comment = (0..next.fields.len()).all(|column| !is_number(&next.text(column)));
        if !is_comment {
            break;
        }
        start += 1;
    }
    if start > 0 {
        let texts: Vec<String> = records[..start].iter().map(|record| line(bytes, record)).collect();
        notes.push(Note::new(
            NoteKind::Lines,
            start,
            format!(
                "{} above the table left out: {}",
                counted(start, "line"),
                quoted(texts.iter().map(String::as_str), 2)
            ),
        ));
    }
    let first = &records[start];
    let rule = records.get(start + 1).filter(|rule| syntax.delimiter == b'|' && is_rule(rule));
    let body_records = &records[start + 1 + usize::from(rule.is_some())..];
    let body: Vec<&Record<'_>> = body_records.iter().filter(|record| record.fields.len() == fields).collect();
    // One name less than there are columns: R's row names, or a delimiter at the end of each row.
    let is_one_short = first.fields.len() + 1 == fields && !body.is_empty();
    let ends_empty = || body.iter().all(|record| !record.is_filled(fields - 1));
    let is_short = is_one_short && !ends_empty();
    let has_header = known.has_header.unwrap_or_else(|| {
        let generated = known.expected.iter().any(|name| {
            name.strip_prefix('c')
                .and_then(|at| at.parse().ok())
                .is_some_and(|at: usize| (1..=fields).contains(&at))
        });
        match expected_at {
            Some(_) => true,
            None if rule.is_some() => true,
            None if generated => false,
            None => is_one_short || is_header(first, body_records, usize::from(is_short)),
        }
    });
    let (names, rows_from) = if has_header {
        let mut given: Vec<String> =
            (0..first.fields.len()).map(|column| first.text(column).trim().to_owned()).collect();
        if given.first().is_some_and(|name| name.starts_with('#') && name.len() > 1)
            && !first.fields[0].is_quoted
        {
            given[0] = given[0].trim_start_matches('#').trim().to_owned();
        }
        if is_short {
            given.insert(0, String::new());
        }
        // Names may end with a delimiter too.
        while given.len() > fields.max(1) && given.last().is_some_and(String::is_empty) && !body.is_empty() {
            given.pop();
        }
        if is_one_short && !is_short {
            given.push(String::new());
        }
        let mut rows_from = rule.unwrap_or(first).next;
        if known.has_header.is_none()
            && let Some(units) =
                body_records.first().filter(|units| has_units(units, &body_records[1..], fields))
        {
            notes.push(Note::new(
                NoteKind::Lines,
                1,
                format!(
                    "the line below the names gives units and is left out: {}",
                    quoted([line(bytes, units).as_str()], 1)
                ),
            ));
            rows_from = units.next;
        }
        (named_columns(given, notes), rows_from)
    } else {
        let count = if body.is_empty() { first.fields.len() } else { fields };
        if known.has_header.is_none() {
            notes.push(Note::new(
                NoteKind::Header,
                1,
                format!("the first line is taken as a row, as it is like those below: columns are named c1 to c{count}; `--header` takes it as names"),
            ));
        }
        ((1..=count).map(|column| format!("c{column}")).collect(), first.at)
    };
    let end = rows_end(text, rows_from, syntax, names.len(), &body, notes)?;
    Ok(Ok(Some(Dialect {
        syntax,
        names,
        header: has_header.then(|| bytes[first.at..line_end(bytes, first.at)].to_vec()),
        rows: (rows_from, end),
    })))
}

/// A record's first line, for a note.
fn line(bytes: &[u8], record: &Record<'_>) -> String {
    String::from_utf8_lossy(&bytes[record.at..line_end(bytes, record.at)]).trim().to_owned()
}

/// The first record of the table: the first with as many fields as most, or R's header before it.
fn table_start(records: &[Record<'_>], fields: usize) -> usize {
    let mut start = records.iter().position(|record| record.fields.len() == fields).unwrap_or(0);
    // A title whose other cells are empty.
    while fields > 2 && start + 1 < records.len() {
        let (title, next) = (&records[start], &records[start + 1]);
        let is_title = title.fields.len() == fields
            && title.filled() == 1
            && title.is_filled(0)
            && next.filled() > 1
            && !is_number(&title.text(0));
        if !is_title {
            break;
        }
        start += 1;
    }
    if let Some(before) = start.checked_sub(1).map(|before| &records[before]) {
        let is_short = before.fields.len() + 1 == fields && (fields > 2 || before.fields[0].is_quoted);
        let is_long = before.fields.len() == fields + 1 && !before.is_filled(fields);
        // A title, if the line below it is a header of its own.
        let (unlike, alike) = evidence(&records[start], &records[start + 1..], 0);
        let is_title = unlike > alike;
        if is_short && !is_title && before.filled() + 1 == fields || is_long {
            start -= 1;
        }
    }
    start
}

/// Whether a record is the rule that Markdown draws below the names: `|---|:-:|--:|`.
fn is_rule(record: &Record<'_>) -> bool {
    let mut filled =
        (0..record.fields.len()).filter(|&column| record.is_filled(column)).map(|column| record.text(column));
    let is_drawn = |text: &str| {
        let text = text.trim();
        let dashes = text.strip_prefix(':').unwrap_or(text);
        let dashes = dashes.strip_suffix(':').unwrap_or(dashes);
        text.len() > 1 && !dashes.is_empty() && dashes.bytes().all(|byte| byte == b'-')
    };
    record.filled() > 0 && filled.all(|text| is_drawn(&text))
}

/// Whether a record below the names gives units: a text over each column of numbers.
fn has_units(units: &Record<'_>, body: &[Record<'_>], fields: usize) -> bool {
    if units.fields.len() != fields || body.is_empty() {
        return false;
    }
    let numeric: Vec<usize> =
        (0..fields.min(4096)).filter(|&column| look(body, column) == Look::Numbers).collect();
    let is_text = |&column: &usize| {
        let text = units.text(column);
        !is_number(&text) && !is_missing(text.as_bytes()) || text.is_empty()
    };
    let texts = numeric.iter().filter(|column| !units.text(**column).is_empty()).count();
    let others_empty =
        (0..fields.min(4096)).all(|column| numeric.contains(&column) || !units.is_filled(column));
    texts > 0 && numeric.iter().all(is_text) && (texts > 1 || others_empty && numeric.len() == 1)
}

/// Names of columns, each once: empty ones are made, equal ones numbered.
fn named_columns(given: Vec<String>, notes: &mut Vec<Note>) -> Vec<String> {
    let mut taken: BTreeSet<String> = given.iter().filter(|name| !name.is_empty()).cloned().collect();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut counters: BTreeMap<String, usize> = BTreeMap::new();
    let mut doubled = Vec::new();
    let mut unnamed = 0;
    let names = given
        .into_iter()
        .enumerate()
        .map(|(at, name)| {
            let stem = if name.is_empty() { format!("c{}", at + 1) } else { name.clone() };
            let is_new = if name.is_empty() { !taken.contains(&stem) } else { !seen.contains(&stem) };
            unnamed += usize::from(name.is_empty());
            let unique = if is_new {
                stem
            } else {
                let counter = counters.entry(stem.clone()).or_insert(1);
                loop {
                    *counter += 1;
                    let candidate = format!("{stem}_{counter}");
                    if !taken.contains(&candidate) {
                        break candidate;
                    }
                }
            };
            if !name.is_empty() && unique != name {
                doubled.push(name);
            }
            taken.insert(unique.clone());
            seen.insert(unique.clone());
            unique
        })
        .collect();
    if !doubled.is_empty() {
        notes.push(Note::new(
            NoteKind::Names,
            doubled.len(),
            format!(
                "{} for the second time, so a number is added: {}",
                if doubled.len() == 1 { "a name stands" } else { "names stand" },
                quoted(doubled.iter().map(String::as_str), 5)
            ),
        ));
    }
    if unnamed > 0 {
        notes.push(Note::new(
            NoteKind::Header,
            unnamed,
            format!("{} without a name, called c and a number", counted(unnamed, "column")),
        ));
    }
    names
}
