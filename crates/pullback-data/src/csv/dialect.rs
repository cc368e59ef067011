//! What a text says of itself before its first row: delimiter, lines that are no data, names of columns.
//!
//! - `sep=;` names the delimiter, as Excel writes it. Else it is the one of comma, semicolon, tab and bar that cuts
//!   most lines into the same number of fields, or two of it (`||`) where it never stands alone; where none of them does,
//!   two colons, carets or tildes (`::`), or spaces if a column is numbers.
//! - The table is where most lines have the same number of fields. What stands before it is a title or comments.
//! - The header is the line with a name that the caller expects. Else the first line, if it is unlike those below:
//!   no number over numbers, no text that comes again below it. R's header is one field short. A line of groups above
//!   it, which leaves columns without a name or gives one to several, is none if a line below names each.
//! - Lines below the names that are unlike the rows say more of the columns: units, questions, types. Where the rows end,
//!   `footer` finds.

use super::footer::{Label, label, rows_end};
use super::record::{Field, Syntax, Trouble, line_end, next_line, record, skip_blank, uneven};
use crate::cell::{is_missing, is_missing_among_numbers};
use crate::date::Date;
use crate::note::{Note, NoteKind, counted, quoted};
use crate::number::{Evidence, Written, is_known_unit};
use crate::sniff::Delimiter;
use crate::text::Text;
use pullback::error::Result;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// What is a delimiter twice, though not alone.
const DOUBLED: [u8; 3] = [b':', b'^', b'~'];
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
    pub(super) delimiter: Option<Delimiter>,
    pub(super) has_header: Option<bool>,
    /// Names of columns that the file should have.
    pub(super) expected: &'a [String],
    /// Each line that could be a row is one.
    pub(super) keeps_rows: bool,
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
fn sniff_syntax(text: &Text<'_>, bytes: &[u8], from: usize, delimiter: Option<Delimiter>) -> Result<Syntax> {
    let of = |escapes| {
        let syntax = delimiter.map_or_else(|| sniff_delimiter(bytes, from, escapes), Syntax::new);
        Syntax { escapes, ..syntax }
    };
    let plain = of(false);
    if is_in_single_quotes(bytes, from, plain) {
        return Ok(Syntax { quote: b'\'', ..plain });
    }
    if !text.facts()?.has_escapes {
        return Ok(plain);
    }
    let escaped = of(true);
    Ok(if uneven(text, from, escaped)? < uneven(text, from, plain)? { escaped } else { plain })
}

/// Whether the fields of a text stand in single quotes, as some databases write them: all names, and most others.
fn is_in_single_quotes(bytes: &[u8], from: usize, syntax: Syntax) -> bool {
    let end = line_end(bytes, from);
    if !bytes[from..end].trim_ascii().starts_with(b"'") || bytes.contains(&b'"') {
        return false;
    }
    let (records, _) = sample(bytes, from, Syntax { quote: b'\'', ..syntax });
    let quoted = |record: &Record<'_>| record.fields.iter().filter(|field| field.is_quoted).count();
    let fields: usize = records.iter().map(|record| record.fields.len()).sum();
    records.len() > 1
        && records.first().is_some_and(|first| quoted(first) == first.fields.len())
        && 2 * records.iter().map(quoted).sum::<usize>() >= fields
}

fn sniff_delimiter(bytes: &[u8], from: usize, escapes: bool) -> Syntax {
    let fit = |delimiter: Delimiter| fit(bytes, from, Syntax { escapes, ..Syntax::new(delimiter) });
    let single_or_doubled =
        |&character: &u8| Delimiter { character, is_doubled: is_only_doubled(character, &bytes[from..]) };
    let fits: Vec<Fit> = DELIMITERS.iter().map(|character| fit(single_or_doubled(character))).collect();
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
    let doubled = DOUBLED.map(|character| fit(Delimiter { character, is_doubled: true }));
    let doubled: Vec<&Fit> = doubled.iter().filter(|fit| fit.fields > 1 && fit.even >= EVEN).collect();
    if let Some(syntax) = best(&doubled) {
        return syntax;
    }
    let spaces = fit(Delimiter::from(b' '));
    if spaces.fields > 1 && spaces.even >= EVEN && spaces.has_numbers {
        return spaces.syntax;
    }
    // A title above the table or a damaged row below it: the message is then about ragged lines.
    let ragged: Vec<&Fit> = fits.iter().filter(|fit| fit.fields > 1 && fit.even >= 0.5).collect();
    let most =
        fits.iter().rev().max_by_key(|fit| (fit.fields.min(2), fit.first)).expect("there are delimiters");
    best(&ragged).unwrap_or(if most.first > 1 || most.fields > 1 { most.syntax } else { Syntax::new(b',') })
}

/// Whether a character stands in the first lines, but nowhere alone.
fn is_only_doubled(character: u8, bytes: &[u8]) -> bool {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').take(SAMPLE_LINES);
    let bytes = &bytes[..lines.map(<[u8]>::len).sum()];
    let mut runs = bytes
        .chunk_by(|left, right| (*left == character) == (*right == character))
        .filter(|run| run[0] == character)
        .peekable();
    runs.peek().is_some() && runs.all(|run| run.len() % 2 == 0)
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

/// Whether whole numbers in a line are years in their order, some apart, over numbers of which none is a year.
fn are_years(first: &Record<'_>, body: &[Record<'_>], offset: usize, named: &[i64]) -> bool {
    let columns = first.fields.len().min(4096);
    let is_year = |number: f64| number.fract() == 0.0 && (1800.0..=2100.0).contains(&number);
    let is_ordered =
        named.is_sorted_by(|one, other| one < other) || named.is_sorted_by(|one, other| one > other);
    let fewest = 2 + usize::from(named.len() == columns);
    named.len() >= fewest
        && is_ordered
        && named.iter().all(|number| is_year(*number as f64))
        && (0..columns).filter(|column| first.text(*column).parse::<i64>().is_ok()).all(|column| {
            let below = body.iter().filter_map(|record| record.text(column + offset).parse::<f64>().ok());
            !below.into_iter().any(is_year)
        })
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
    let sequence = are_names(&named, named.len() == columns) || are_years(first, body, offset, &named);
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
        let is_doubled = named.get(5) == Some(&named[4]);
        delimiter = delimiter.or(Some(Delimiter { character: named[4], is_doubled }));
        from = next_line(bytes, from);
        notes.push(
            Note::new(NoteKind::Lines, 1, "the first line names the delimiter and is left out").at("line 1"),
        );
    }
    let expected: HashSet<&str> = known.expected.iter().map(String::as_str).collect();
    if delimiter.is_none() && is_one_column(&bytes[from..], &expected) {
        delimiter = Some(b';'.into());
        let words = "one column is expected and named, so each line is one number with a decimal comma";
        notes.push(Note::new(NoteKind::Type, 1, words));
    }
    if delimiter.is_none()
        && let Some(rare) = rare_delimiter(&bytes[from..], &expected)
    {
        delimiter = Some(rare.into());
    }
    let syntax = sniff_syntax(text, bytes, from, delimiter)?;
    let is_rare = syntax.is_doubled || !(DELIMITERS.contains(&syntax.delimiter) || syntax.is_whitespace());
    if is_rare && known.delimiter.is_none() {
        let shown = char::from(syntax.delimiter).escape_default().to_string();
        let shown = shown.repeat(1 + usize::from(syntax.is_doubled));
        let words = format!("fields are told apart by \"{shown}\"; `--delimiter` names another character");
        notes.push(Note::new(NoteKind::Lines, 1, words));
    }
    let (records, trouble) = sample(bytes, from, syntax);
    if records.is_empty() {
        return Ok(match trouble {
            Some(trouble) => Err(trouble),
            None => Ok(None),
        });
    }
    let fields = commonest(&records);
    let is_expected = |text: &str| expected.contains(text);
    let expected_at = records.iter().position(|record| {
        (0..record.fields.len()).any(|column| is_expected(record.text(column).trim_start_matches('#').trim()))
            && record.fields.len() + 1 >= fields
    });
    let mut start = match expected_at {
        Some(at) if known.has_header != Some(false) => at,
        _ => {
            let start = table_start(&records, fields);
            if known.has_header.is_none() { named_below(&records, start, fields) } else { start }
        }
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
        let made =
            |name: &String| name.strip_prefix('c')?.parse().ok().filter(|at| (1..=fields).contains(at));
        let is_likely = is_one_short || is_header(first, body_records, usize::from(is_short));
        // The name that a column without one is given.
        let is_unnamed = |at: usize| is_likely && !first.is_filled(at - 1);
        match expected_at {
            Some(_) => true,
            None if rule.is_some() => true,
            None => match known.expected.iter().find_map(made) {
                Some(at) => is_unnamed(at),
                None => is_likely,
            },
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
        let below = match known.has_header {
            None => lines_below(&given, body_records, fields, known.keeps_rows),
            Some(_) => 0,
        };
        if let Some(last) = below.checked_sub(1).map(|at| &body_records[at]) {
            let lines = &body_records[..below];
            let kind = if lines.iter().all(is_drawn) { NoteKind::Lines } else { NoteKind::Rows };
            let what = match below {
                1 => "the line below the names gives units and is left out".to_owned(),
                _ => format!("{below} lines below the names say more of the columns and are left out"),
            };
            let texts: Vec<String> = lines.iter().map(|record| line(bytes, record)).collect();
            let mut words = format!("{what}: {}", quoted(texts.iter().map(String::as_str), 2));
            if known.expected.is_empty()
                && lines.iter().any(|line| names_each(line, fields) && is_of_texts(line))
            {
                words += "; `--target` with a name that stands there takes that line as the names";
            }
            notes.push(Note::new(kind, below, words).at(format!("line {}", text.line_number(lines[0].at)?)));
            let has_groups = start > 0 && records[start - 1].fields.len() == fields;
            if is_name_of_index(&given, last, has_groups) {
                given[0] = last.text(0).into_owned();
            }
            rows_from = last.next;
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
    let end = rows_end(text, rows_from, syntax, names.len(), &body, known.keeps_rows, notes)?;
    Ok(Ok(Some(Dialect {
        syntax,
        names,
        header: has_header.then(|| bytes[first.at..line_end(bytes, first.at)].to_vec()),
        rows: (rows_from, end),
    })))
}

/// Whether the first line is an expected name alone, and those below are numbers of which some have a decimal comma: no
/// second column, which would have a name or be R's names of rows in quotes.
fn is_one_column(bytes: &[u8], expected: &HashSet<&str>) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line.trim_ascii()));
    let Some(first) = lines.next() else { return false };
    let name = first.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(&first);
    if !expected.contains(name) || name.contains(',') {
        return false;
    }
    let mut commas = 0;
    let are_numbers = lines.take(SAMPLE_LINES).filter(|line| !line.is_empty()).all(|line| {
        let has_comma = line.matches(',').count() == 1;
        commas += usize::from(has_comma);
        is_filler(&line)
            || Written::read(&line).is_some_and(|written| {
                !has_comma || matches!(written.evidence, Evidence::Comma | Evidence::EitherComma)
            })
    });
    are_numbers && commas > 0
}

/// The rare delimiter that cuts a line of names and as many fields of those below: one of the names is expected, or,
/// where no name is, all differ and none is a number.
fn rare_delimiter(bytes: &[u8], expected: &HashSet<&str>) -> Option<u8> {
    const RARE: [u8; 4] = [b'^', b'~', 1, b':'];
    let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let first = lines.next()?;
    if first.iter().any(|byte| DELIMITERS.contains(byte)) {
        return None;
    }
    let below: Vec<&[u8]> = lines.take(SAMPLE_LINES).collect();
    RARE.into_iter().find(|rare| {
        let count = |line: &[u8]| line.iter().filter(|byte| *byte == rare).count();
        let cells = |line: &'_ [u8]| -> Vec<String> {
            let cells = line.split(|byte| byte == rare);
            cells.map(|cell| String::from_utf8_lossy(cell.trim_ascii()).into_owned()).collect()
        };
        let has_name = || cells(first).iter().any(|name| expected.contains(name.as_str()));
        let are_names = || {
            let names = cells(first);
            let rows: Vec<Vec<String>> = below.iter().map(|line| cells(line)).collect();
            names.iter().all(|name| !name.is_empty() && !is_number(name))
                && names.iter().collect::<HashSet<_>>().len() == names.len()
                && (0..names.len()).any(|column| rows.iter().all(|row| is_number(&row[column])))
        };
        let fields = count(first);
        fields > 0
            && !below.is_empty()
            && below.iter().all(|line| count(line) == fields)
            && if expected.is_empty() { are_names() } else { has_name() }
    })
}

/// A record's first line, for a note.
fn line(bytes: &[u8], record: &Record<'_>) -> String {
    String::from_utf8_lossy(&bytes[record.at..line_end(bytes, record.at)]).trim().to_owned()
}

/// The first record of the table: the first with as many fields as most, or R's header before it.
fn table_start(records: &[Record<'_>], fields: usize) -> usize {
    let mut start = records.iter().position(|record| record.fields.len() == fields).unwrap_or(0);
    // A title whose other cells are empty.
    let is_title = |record: &&Record<'_>| {
        record.fields.len() == fields
            && record.filled() == 1
            && record.is_filled(0)
            && !is_number(&record.text(0))
    };
    let titles = records[start..].iter().take_while(is_title).count();
    if fields > 2 && records.get(start + titles).is_some_and(|next| next.filled() > 1) {
        start += titles;
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

/// The record that names the columns, from one on that may be a line of groups above it: of a table whose first line
/// leaves a column without a name or gives two the same, the first line below that names each.
fn named_below(records: &[Record<'_>], start: usize, fields: usize) -> usize {
    let groups = &records[start];
    // R and pandas leave the names of rows without one.
    let columns = usize::from(!groups.is_filled(0))..fields;
    let names: BTreeSet<Cow<'_, str>> = columns.clone().map(|column| groups.text(column)).collect();
    let is_whole = names.len() == columns.len() && columns.clone().all(|column| groups.is_filled(column));
    if groups.fields.len() != fields || is_whole || !is_of_texts(groups) {
        return start;
    }
    // Years may be names, as in a pivot table.
    let has_years = |record: &Record<'_>| {
        let columns = 0..record.fields.len().min(4096);
        let named: Vec<i64> = columns.filter_map(|column| record.text(column).parse().ok()).collect();
        named.len() < record.fields.len() && are_names(&named, false)
    };
    let may_name = |at: &usize| is_of_texts(&records[*at]) || has_years(&records[*at]);
    let below = (start + 1..records.len()).take(MOST_BELOW).take_while(may_name);
    let is_named = |at: &usize| {
        let record = &records[*at];
        let (unlike, alike) = evidence(record, &records[at + 1..], 0);
        names_each(record, fields) && (unlike > alike || alike == 0 && has_years(record))
    };
    below.into_iter().find(is_named).unwrap_or(start)
}

/// Whether a record has another text for each column, and not mostly units or types.
fn names_each(record: &Record<'_>, fields: usize) -> bool {
    /// Types as programs name them, in lower case.
    const TYPES: &[&str] = &[
        "string",
        "text",
        "char",
        "varchar",
        "object",
        "int",
        "integer",
        "int64",
        "float",
        "float64",
        "double",
        "real",
        "number",
        "numeric",
        "decimal",
        "date",
        "datetime",
        "time",
        "timestamp",
        "bool",
        "boolean",
        "category",
        "categorical",
        "continuous",
        "discrete",
        "class",
        "meta",
        "nominal",
        "ordinal",
    ];
    let texts: BTreeSet<Cow<'_, str>> = (0..fields).map(|column| record.text(column)).collect();
    let is_said = |text: &str| {
        let text = text.trim_matches(['(', ')', '[', ']']);
        is_known_unit(text) || TYPES.contains(&text.to_lowercase().as_str())
    };
    record.fields.len() == fields
        && record.filled() == fields
        && texts.len() == fields
        && !texts.iter().any(|text| is_filler(text))
        && 2 * texts.iter().filter(|text| is_said(text)).count() <= fields
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

/// Whether a record is a line drawn below the names, as databases print it: `--,-----,---`.
fn is_drawn(record: &Record<'_>) -> bool {
    let dashes = |column: usize| {
        let text = record.text(column);
        (!text.is_empty() && text.bytes().all(|byte| byte == b'-')).then_some(text.len())
    };
    let lengths: Option<Vec<usize>> = (0..record.fields.len()).map(dashes).collect();
    // Single dashes are missing cells.
    lengths.is_some_and(|lengths| lengths.iter().any(|length| *length > 1))
}

/// At most so many lines below the names say more of the columns.
const MOST_BELOW: usize = 4;
/// So many columns tell what a line below the names is.
const MOST_LOOKED_AT: usize = 256;
/// So many rows tell a line of questions above answers from a row.
const FEWEST_ANSWERS: usize = 20;

/// How many lines below the names are no rows: units, types, questions, a total, the name of an index.
fn lines_below(names: &[String], records: &[Record<'_>], fields: usize, keeps_rows: bool) -> usize {
    let is_total = |record: &Record<'_>| {
        let filled = || (0..record.fields.len()).filter(|column| record.is_filled(*column));
        record.fields.len() != fields
            && filled().any(|column| label(&record.text(column)) == Some(Label::Total))
            && filled().all(|column| {
                let text = record.text(column);
                label(&text).is_some() || is_number(&text)
            })
    };
    let most = MOST_BELOW.min(records.len().saturating_sub(1));
    (1..=most)
        .rev()
        .find(|&count| {
            let (lines, body) = records.split_at(count);
            // A row has a number in most tables, which is found soon.
            let is_plausible = |line: &Record<'_>| {
                is_total(line) || line.fields.len() == fields && (is_drawn(line) || is_of_texts(line))
            };
            if !lines.iter().all(is_plausible) {
                return false;
            }
            let mut has_said = false;
            lines.iter().all(|line| {
                let is_said = is_total(line)
                    || has_units(line, body, fields, keeps_rows)
                    || !keeps_rows && is_question(line, body, fields)
                    || is_remark(line, body);
                has_said |= is_said;
                is_said
                    || is_name_of_index(names, line, false)
                    || has_said && line.filled() == 1 && line.is_filled(0)
                    || has_said && is_of_roles(line)
            })
        })
        .unwrap_or(0)
}

/// Whether a record says which columns are the target, a weight or left out, as Orange does below names and types.
fn is_of_roles(record: &Record<'_>) -> bool {
    const ROLES: &[&str] =
        &["class", "meta", "ignore", "weight", "target", "feature", "c", "m", "i", "w", "skip"];
    let mut filled = (0..record.fields.len()).filter(|column| record.is_filled(*column));
    record.filled() > 0 && filled.all(|column| ROLES.contains(&record.text(column).trim()))
}

/// Whether nothing in a record is a number, or its first cell is a remark.
fn is_of_texts(record: &Record<'_>) -> bool {
    record.text(0).ends_with(':') || (0..record.fields.len()).all(|column| !is_number(&record.text(column)))
}

/// Whether a record holds only the name of the index, below names without one, or names with groups above them: as
/// pandas writes columns of several levels.
fn is_name_of_index(names: &[String], record: &Record<'_>, has_groups: bool) -> bool {
    names.len() > 1
        && (has_groups || names.first().is_some_and(String::is_empty))
        && record.filled() == 1
        && record.is_filled(0)
        && !is_number(&record.text(0))
}

/// Whether a record's first cell ends with a colon over a column of dates or numbers: `Transform:`.
fn is_remark(record: &Record<'_>, body: &[Record<'_>]) -> bool {
    record.text(0).ends_with(':') && record.text(0).len() > 1 && is_typed(body, 0)
}

/// Whether most cells of a column are numbers or dates.
fn is_typed(body: &[Record<'_>], column: usize) -> bool {
    if look(body, column) == Look::Numbers {
        return true;
    }
    let filled = || body.iter().filter(|record| record.is_filled(column));
    let dates = filled().filter(|record| Date::read(&record.text(column)).is_some()).count();
    2 * dates > filled().count()
}

/// Whether a record gives a text over each column of answers, which are few and come again, as it does not.
fn is_question(record: &Record<'_>, body: &[Record<'_>], fields: usize) -> bool {
    /// Answers are at most one in so many cells.
    const CELLS_PER_ANSWER: usize = 4;
    if body.len() < FEWEST_ANSWERS || fields < 2 || record.filled() != fields {
        return false;
    }
    let mut is_long = false;
    (0..fields.min(MOST_LOOKED_AT)).all(|column| {
        let own = record.text(column);
        let texts: BTreeSet<Cow<'_, str>> = body.iter().map(|record| record.text(column)).collect();
        is_long |= texts.iter().all(|text| text.chars().count() < own.chars().count());
        !texts.contains(&own) && CELLS_PER_ANSWER * texts.len() <= body.len()
    }) && is_long
}

/// Whether a record below the names gives units: a text over each column of numbers or dates, and not only what stands
/// for a missing cell.
fn has_units(units: &Record<'_>, body: &[Record<'_>], fields: usize, keeps_rows: bool) -> bool {
    if units.fields.len() != fields || body.is_empty() {
        return false;
    }
    if is_drawn(units) {
        return true;
    }
    let typed: Vec<usize> =
        (0..fields.min(MOST_LOOKED_AT)).filter(|&column| is_typed(body, column)).collect();
    let is_text = |&column: &usize| {
        let text = units.text(column);
        !is_number(&text) && !is_missing(text.as_bytes()) && Date::read(&text).is_none() || text.is_empty()
    };
    let texts = typed.iter().filter(|column| units.is_filled(**column)).count();
    let said = typed.iter().filter(|&&column| !is_filler(&units.text(column))).count();
    let others_empty =
        (0..fields.min(MOST_LOOKED_AT)).all(|column| typed.contains(&column) || !units.is_filled(column));
    let is_enough = match keeps_rows {
        true => others_empty || said > 1,
        false => texts > 1 || typed.len() > 1 || others_empty,
    };
    said > 0 && typed.iter().all(is_text) && is_enough
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
