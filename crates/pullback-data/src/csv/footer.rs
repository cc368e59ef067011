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
    "totaal",
    "total général",
    "totale",
    "합계",
    "총계",
    "계",
    "mean",
    "average",
    "avg",
    "mittelwert",
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
        let label = |text: &str| {
            let label = text.split(':').next().unwrap_or_default();
            SUMS.contains(&label.trim().to_lowercase().as_str())
        };
        let is_label_elsewhere = |column: usize| {
            body.iter().any(|record| record.at != offset + line_from && label(&record.text(column)))
        };
        // A line of sums may end after them.
        let is_sum = !is_footer
            && cells.len() <= fields
            && texts
                .iter()
                .take(2)
                .enumerate()
                .any(|(column, text)| label(text) && !is_label_elsewhere(column))
            && (filled.len() > 1 || cells.len() > 2 && label(&texts[0]))
            && filled.iter().skip(1).all(|text| is_number(text));
        match (is_footer, is_sum) {
            (true, _) => footers.push(String::from_utf8_lossy(text).trim().to_owned()),
            (_, true) => sums.push(String::from_utf8_lossy(text).trim().to_owned()),
            _ => break,
        }
        end = line_from;
        line_to = before;
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
