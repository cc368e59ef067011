//! Where a table's rows end: lines of text below it are footers, and `Total` begins a line of sums.
//!
//! The last lines are looked at, from the end on, until one is a row. A line with as many cells as the table is a footer
//! only if it says so and does not fit the columns; one of sums with as many cells `sums` judges, by all rows. What is
//! left out is said.

use super::dialect::{Look, Record, is_filler, is_number, look};
use super::record::{Syntax, record};
use crate::note::{Note, NoteKind, short};
use crate::text::Text;
use pullback::error::Result;
use std::borrow::Cow;

/// At most so many last lines are footers.
const FOOTERS: usize = 12;
/// What a line of text below a table begins with, in lower case.
const SAID: &[&str] = &[
    "source",
    "sources",
    "note",
    "notes",
    "footnote",
    "copyright",
    "disclaimer",
    "updated",
    "last updated",
    "as of",
    "data as of",
    "generated",
    "exported",
    "downloaded",
    "retrieved",
    "created",
    "printed",
    "report",
    "end of",
    "quelle",
    "quellen",
    "anmerkung",
    "anmerkungen",
    "hinweis",
    "stand",
    "erstellt",
    "fuente",
    "fuentes",
    "nota",
    "notas",
    "remarque",
    "bron",
    "fonte",
    "출처",
    "자료",
    "주",
    "비고",
    "작성",
    "기준",
    "sql>",
    "mysql>",
];
/// Signs that begin such a line.
const SIGNS: &[char] = &['#', '*', '(', '※', '©', '†', '¹', '²'];
/// What begins a line of sums, in lower case.
const SUMS: &[&str] = &[
    "total",
    "totals",
    "grand total",
    "sum",
    "sums",
    "subtotal",
    "gesamt",
    "summe",
    "gesamtsumme",
    "insgesamt",
    "zwischensumme",
    "totaal",
    "total général",
    "total general",
    "sous-total",
    "sub-total",
    "sub total",
    "somme",
    "totale",
    "somma",
    "suma",
    "합계",
    "총계",
    "총합",
    "소계",
    "계",
    "合計",
    "合计",
    "总计",
    "小計",
    "小计",
];
/// What begins a line of other figures of all rows, in lower case. Each could be a category too.
const FIGURES: &[&str] = &[
    "mean",
    "average",
    "avg",
    "mittelwert",
    "durchschnitt",
    "moyenne",
    "promedio",
    "평균",
    "平均",
    "std",
    "stdev",
    "std dev",
    "std. dev.",
    "sd",
    "standard deviation",
    "standardabweichung",
    "표준편차",
    "標準偏差",
    "variance",
    "min",
    "minimum",
    "최소",
    "최솟값",
    "最小",
    "max",
    "maximum",
    "최대",
    "최댓값",
    "最大",
    "median",
    "중앙값",
    "중위수",
    "count",
    "개수",
    "range",
];
/// Words that stand beside the name of a group in the label of its sums: `Subtotal North`, `North Total`.
const SUMS_OF_GROUPS: &[&str] = &[
    "total",
    "subtotal",
    "sub-total",
    "sum",
    "summe",
    "zwischensumme",
    "average",
    "mean",
    "합계",
    "소계",
    "평균",
    "小計",
    "小计",
];

/// Where the rows end: before footers and sums.
pub(super) fn rows_end(
    text: &Text<'_>,
    from: usize,
    syntax: Syntax,
    fields: usize,
    body: &[&Record<'_>],
    keeps_rows: bool,
    notes: &mut Vec<Note>,
) -> Result<usize> {
    // Places are counted in the end of the text.
    let (tail, offset) = text.tail()?;
    let (bytes, from) = (&*tail, from.saturating_sub(offset));
    let trimmed = bytes.len() - bytes.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    let mut end = bytes.len();
    if fields < 2 {
        return Ok(offset + end);
    }
    let mut line_to = trimmed;
    let (mut footers, mut sums) = (Vec::new(), Vec::new());
    // Whether a footer had as many cells as a row, and where the last line that is left out begins.
    let (mut is_like_row, mut last) = (false, end);
    // Lines of sums that are like rows, which are left out here only if a footer stands above them.
    let mut open: Vec<String> = Vec::new();
    for _ in 0..FOOTERS {
        if line_to <= from {
            break;
        }
        let line_from = bytes[from..line_to]
            .iter()
            .rposition(|byte| matches!(byte, b'\n' | b'\r'))
            .map_or(from, |at| from + at + 1);
        let line = &bytes[line_from..line_to];
        let Ok((cells, next)) = record(line, 0, syntax, fields + 1) else { break };
        // The last line of a field in quotes has its closing one.
        let is_within_quotes = line.iter().filter(|&&byte| byte == syntax.quote).count() % 2 == 1;
        if next < line.len() || line_from == from || is_within_quotes {
            break;
        }
        let texts: Vec<Cow<'_, str>> = cells.iter().map(|cell| String::from_utf8_lossy(&cell.text)).collect();
        let filled: Vec<&str> = texts.iter().map(AsRef::as_ref).filter(|text| !text.is_empty()).collect();
        let before = bytes[..line_from].trim_ascii_end().len();
        let is_after_blank = bytes[before..line_from].iter().filter(|&&byte| byte == b'\n').count() > 1;
        let is_said_above =
            || body.iter().any(|record| record.at < offset + line_from && is_said(&record.text(0)));
        let is_footer = match filled[..] {
            [only] if counts_rows(only) && texts.len() == 1 => true,
            [only] if !is_number(only) && !texts[0].is_empty() => {
                let is_said = only.contains(": ") || is_said(only);
                texts.len() == 1 && (is_after_blank || only.contains(' ') || is_said)
                    || texts.len() == fields && fields > 2 && (is_said || is_after_blank)
            }
            _ => {
                line.starts_with(b"#") && cells.len() != fields
                    || cells.len() != fields && is_after_blank && filled.iter().all(|text| !is_number(text))
                    || is_said(&texts[0])
                        && !cells[0].is_quoted
                        && (texts[0].contains(':') || !fits(&texts, fields, body))
                        && !is_said_above()
            }
        };
        // What could be a row is one, if each row counts.
        let is_footer = is_footer && !(keeps_rows && fits(&texts, fields, body));
        // A line of sums may end after them.
        let is_sum = !is_footer
            && cells.len() <= fields
            && texts.iter().take(2).any(|text| label(text).is_some())
            && (filled.len() > 1 || cells.len() > 2 && label(&texts[0]).is_some())
            && filled.iter().skip(1).all(|text| is_number(text));
        let shown = String::from_utf8_lossy(line).trim().to_owned();
        match (is_footer, is_sum) {
            (true, _) => {
                is_like_row |= fits(&texts, fields, body);
                sums.append(&mut open);
                footers.push(shown);
                end = line_from;
                last = offset + line_from;
            }
            (_, true) if cells.len() == fields && !keeps_rows => open.push(shown),
            (_, true) if cells.len() < fields => {
                sums.append(&mut open);
                sums.push(shown);
                end = line_from;
                last = offset + line_from;
            }
            _ => break,
        }
        line_to = before;
    }
    let kind_of = |is_row| if is_row || keeps_rows { NoteKind::Rows } else { NoteKind::Lines };
    for (lines, kind, what) in [
        (footers, kind_of(is_like_row), "text below the table is left out"),
        (sums, NoteKind::Rows, "sums below the table are left out"),
    ] {
        if let Some(shown) = lines.last() {
            let note = Note::new(kind, lines.len(), format!("{what}: \"{}\"", short(shown)));
            notes.push(match kind {
                NoteKind::Rows => note.at(format!("line {}", text.line_number(last)?)),
                _ => note,
            });
        }
    }
    Ok(offset + end)
}

/// What a label says of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// It is of sums.
    Total,
    /// It is of means, extremes or the like, or the word is a category.
    Figure,
}

/// What a cell says that begins a line of sums: `Total`, `Total (40 rows)`, `Gesamt 2021`, `Mean`.
pub(super) fn label(text: &str) -> Option<Label> {
    if text.len() > LONGEST_LABEL {
        return None;
    }
    let label = text.split(':').next().unwrap_or_default().trim();
    let label = label.split('(').next().unwrap_or_default().trim();
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '/' | '-' | '.');
    // After a space, so that a code such as `sum2` is none.
    let label = match label.rfind(|c: char| !is_number(c)) {
        Some(at) => {
            let length = at + label[at..].chars().next().map_or(1, char::len_utf8);
            if label[length..].starts_with(' ') || label.len() == length { &label[..length] } else { label }
        }
        None => label,
    };
    let lower = label.to_lowercase();
    if SUMS.contains(&lower.as_str()) {
        Some(Label::Total)
    } else {
        FIGURES.contains(&lower.as_str()).then_some(Label::Figure)
    }
}

/// Longer texts are no labels.
const LONGEST_LABEL: usize = 64;

/// Whether a cell begins a line of sums, which may be those of a group that it names.
pub(super) fn is_sum_label(text: &str) -> bool {
    if text.len() > LONGEST_LABEL {
        return false;
    }
    let lower = text.to_lowercase();
    let mut words = lower.split([' ', ':']).filter(|word| !word.is_empty());
    let is_of_group = |word: Option<&str>| word.is_some_and(|word| SUMS_OF_GROUPS.contains(&word));
    label(text).is_some() || is_of_group(words.next()) || is_of_group(words.next_back())
}

/// Whether a text says how many rows there are: `20 rows selected.`, `60 Zeilen`.
fn counts_rows(text: &str) -> bool {
    const ROWS: &[&str] =
        &["row", "rows", "row(s)", "record", "records", "zeilen", "lignes", "filas", "righe"];
    let mut words = text.split_whitespace();
    let is_count =
        |word: &str| word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.' | b'\''));
    words.next().is_some_and(is_count)
        && words
            .next()
            .is_some_and(|word| ROWS.contains(&word.trim_end_matches(['.', ',']).to_lowercase().as_str()))
}

/// Whether a text says by its beginning that it is about the table.
fn is_said(text: &str) -> bool {
    let lower = text.to_lowercase();
    text.starts_with(SIGNS)
        || SAID.iter().any(|word| {
            // A whole word: `Noted` is none.
            lower
                .strip_prefix(word)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
}

/// Whether a line could be a row: it has as many cells, and numbers where the table has.
fn fits(texts: &[Cow<'_, str>], fields: usize, body: &[&Record<'_>]) -> bool {
    let has_number_for = |column: usize| {
        let text = &texts[column];
        is_number(text) || is_filler(text) || look(body.iter().copied(), column) != Look::Numbers
    };
    texts.len() == fields && (0..fields.min(4096)).all(has_number_for)
}
