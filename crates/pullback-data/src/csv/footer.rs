//! Where a table's rows end: lines of text below it are footers, and `Total` begins a line of sums.
//!
//! The last lines are looked at, from the end on, until one is a row. A line with as many cells as the table is a footer
//! only if it says so and does not fit the columns; what is left out is said.

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
    "mean",
    "average",
    "avg",
    "mittelwert",
    "durchschnitt",
    "moyenne",
    "promedio",
    "평균",
    "平均",
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
    // Where the rows end if sums are none, and how many footers stand below them.
    let mut without_sums = (end, 0);
    for _ in 0..FOOTERS {
        if line_to <= from {
            break;
        }
        let line_from = bytes[from..line_to]
            .iter()
            .rposition(|byte| matches!(byte, b'\n' | b'\r'))
            .map_or(from, |at| from + at + 1);
        let text = &bytes[line_from..line_to];
        let Ok((cells, next)) = record(text, 0, syntax, fields + 1) else { break };
        // The last line of a field in quotes has its closing one.
        let is_within_quotes = text.iter().filter(|&&byte| byte == syntax.quote).count() % 2 == 1;
        if next < text.len() || line_from == from || is_within_quotes {
            break;
        }
        let texts: Vec<Cow<'_, str>> = cells.iter().map(|cell| String::from_utf8_lossy(&cell.text)).collect();
        let filled: Vec<&str> = texts.iter().map(AsRef::as_ref).filter(|text| !text.is_empty()).collect();
        let before = bytes[..line_from].trim_ascii_end().len();
        let is_after_blank = bytes[before..line_from].iter().filter(|&&byte| byte == b'\n').count() > 1;
        let is_said_above =
            || body.iter().any(|record| record.at < offset + line_from && is_said(&record.text(0)));
        let is_footer = match filled[..] {
            [only] if !is_number(only) && !texts[0].is_empty() => {
                let is_said = only.contains(": ") || is_said(only);
                texts.len() == 1 && (is_after_blank || only.contains(' ') || is_said)
                    || texts.len() == fields && fields > 2 && (is_said || is_after_blank)
            }
            _ => {
                text.starts_with(b"#") && cells.len() != fields
                    || cells.len() != fields && is_after_blank && filled.iter().all(|text| !is_number(text))
                    || is_said(&texts[0])
                        && !cells[0].is_quoted
                        && (texts[0].contains(':') || !fits(&texts, fields, body))
                        && !is_said_above()
            }
        };
        // A line of sums may end after them.
        let is_sum = !is_footer
            && cells.len() <= fields
            && texts.iter().take(2).any(|text| label(text))
            && (filled.len() > 1 || cells.len() > 2 && label(&texts[0]))
            && filled.iter().skip(1).all(|text| is_number(text));
        match (is_footer, is_sum) {
            (true, _) => footers.push(String::from_utf8_lossy(text).trim().to_owned()),
            (_, true) => {
                if sums.is_empty() {
                    without_sums = (end, footers.len());
                }
                sums.push(String::from_utf8_lossy(text).trim().to_owned());
            }
            _ => break,
        }
        end = line_from;
        line_to = before;
    }
    // A label that stands above too is a category.
    let is_label_above =
        |record: &&Record<'_>| record.at < offset + end && (0..2).any(|column| label(&record.text(column)));
    if !sums.is_empty() && body.iter().copied().any(|record| is_label_above(&record)) {
        end = without_sums.0;
        footers.truncate(without_sums.1);
        sums.clear();
    }
    for (lines, what) in
        [(footers, "text below the table is left out"), (sums, "sums below the table are left out")]
    {
        if let Some(last) = lines.last() {
            notes.push(Note::new(NoteKind::Lines, lines.len(), format!("{what}: \"{}\"", short(last))));
        }
    }
    Ok(offset + end)
}

/// Whether a cell begins a line of sums.
fn label(text: &str) -> bool {
    let label = text.split(':').next().unwrap_or_default();
    SUMS.contains(&label.trim().to_lowercase().as_str())
}

/// Whether a cell begins a line of sums, which may be those of a group that it names.
pub(super) fn is_sum_label(text: &str) -> bool {
    /// Longer texts are no labels.
    const LONGEST: usize = 64;
    if text.len() > LONGEST {
        return false;
    }
    let lower = text.to_lowercase();
    let mut words = lower.split([' ', ':']).filter(|word| !word.is_empty());
    let is_of_group = |word: Option<&str>| word.is_some_and(|word| SUMS_OF_GROUPS.contains(&word));
    label(text) || is_of_group(words.next()) || is_of_group(words.next_back())
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
