//! Text whose fields stand at the same places of each line: below a line of dashes, as SQL*Plus and sqlcmd print it, or
//! where the same places are blank in all lines.
//!
//! Such a text is written anew with tabs between its fields, line by line, so that lines keep their numbers. A line that
//! does not fit, such as a title, stays as it is.

use crate::note::{Note, NoteKind};
use crate::number::Written;
use memchr::{memchr, memchr3, memrchr};

/// So many first lines may hold the line of dashes.
const RULE_LINES: usize = 40;
/// So few lines tell no places.
const FEWEST_LINES: usize = 5;
/// Longer lines are none of people.
const LONGEST_LINE: usize = 1 << 12;
/// At least so many cells are numbers for each that is not, in one column at least, where no line is drawn.
const NUMBERS_PER_TEXT: usize = 9;

/// The text with tabs between its fields, if it is one of fixed places.
pub(super) fn with_tabs(text: &[u8], notes: &mut Vec<Note>) -> Option<Vec<u8>> {
    // Most texts are not, which their first line tells.
    let head = &text[..text.len().min(1 << 16)];
    let first = head.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty())?;
    if memchr3(b',', b'\t', b'|', first).is_some() || memchr(b'\t', head).is_some() {
        return None;
    }
    let whole = if head.len() == text.len() { head.len() } else { memrchr(b'\n', head)? };
    let lines: Vec<&str> = std::str::from_utf8(&head[..whole]).ok()?.lines().collect();
    let rule = below_rule(&lines);
    // The names and the dashes come again on each page.
    let again: &[&str] = rule.as_ref().map_or(&[], |(at, _)| &lines[at - 1..=*at]);
    let starts = rule.as_ref().map(|(_, starts)| starts.clone()).or_else(|| in_columns(&lines))?;
    let mut out = String::with_capacity(text.len());
    let (mut pages, mut has_names) = (0, false);
    for line in std::str::from_utf8(text).ok()?.lines() {
        let is_of_page = again.contains(&line);
        match cut(line, &starts) {
            _ if is_of_page && (has_names || line == again[1]) => pages += usize::from(line == again[1]),
            Some(cells) => out += &cells.join("\t"),
            None => out += line,
        }
        has_names |= is_of_page;
        out.push('\n');
    }
    let words =
        "fields are told apart by their places in the line; `--delimiter` names a character between them";
    notes.push(Note::new(NoteKind::Lines, 1, words));
    if pages > 1 {
        notes.push(Note::new(
            NoteKind::Lines,
            pages - 1,
            format!("the names stand on {pages} pages and are left out but once"),
        ));
    }
    Some(out.into_bytes())
}

/// The fields of a line; [`None`] if a letter stands right before the place where a field begins, or it is empty.
fn cut<'a>(line: &'a str, starts: &[usize]) -> Option<Vec<&'a str>> {
    let line = line.trim_end();
    if line.is_empty() || line.len() > LONGEST_LINE {
        return None;
    }
    let place = |start: usize| line.char_indices().nth(start).map_or(line.len(), |(at, _)| at);
    let places: Vec<usize> = starts.iter().map(|start| place(*start)).collect();
    if places.first().is_some_and(|first| !line[..*first].trim().is_empty()) {
        return None;
    }
    let is_apart = |at: &usize| *at == 0 || *at == line.len() || line[..*at].ends_with(' ');
    if !places.iter().all(is_apart) {
        return None;
    }
    let ends = places.iter().skip(1).copied().chain([line.len()]);
    Some(places.iter().zip(ends).map(|(start, end)| line[*start..end].trim()).collect())
}

/// A line of dashes and the places that its runs tell, each of which is a field.
fn below_rule(lines: &[&str]) -> Option<(usize, Vec<usize>)> {
    let is_rule = |line: &str| {
        let line = line.trim_end();
        !line.is_empty() && line.bytes().all(|byte| matches!(byte, b'-' | b' ')) && line.trim().contains(' ')
    };
    let at = lines.iter().take(RULE_LINES).position(|line| is_rule(line)).filter(|at| *at > 0)?;
    let starts = runs(lines[at].bytes().map(|byte| byte == b'-'));
    // Each run has a name above it, and the line below is a row.
    let names = cut(lines[at - 1], &starts)?;
    let row = cut(lines.get(at + 1)?, &starts)?;
    (names.iter().all(|name| !name.is_empty()) && row.len() == names.len()).then_some((at, starts))
}

/// Where runs of what is `true` begin.
fn runs(marks: impl Iterator<Item = bool>) -> Vec<usize> {
    let mut was = false;
    let mut starts = Vec::new();
    for (at, is) in marks.enumerate() {
        if is && !was {
            starts.push(at);
        }
        was = is;
    }
    starts
}

/// The places where a field begins in all lines, of which the first has the names: where spaces cut lines into numbers of
/// fields that differ, a gap of two places or more is blank in all of them or there are three columns, and one is of numbers.
fn in_columns(lines: &[&str]) -> Option<Vec<usize>> {
    let filled: Vec<&str> = lines.iter().copied().filter(|line| !line.trim().is_empty()).collect();
    let (first, rest) = filled.split_first()?;
    let words = |line: &str| line.split_whitespace().count();
    let of_first = words(first);
    // R and pandas leave the names of rows without one.
    let same = |count: usize| rest.iter().filter(|line| words(line) == count).count();
    let is_cut_by_spaces = same(of_first).max(same(of_first + 1)) * 10 >= 9 * rest.len();
    let has_quotes = filled.iter().any(|line| line.contains('"'));
    if rest.len() < FEWEST_LINES || is_cut_by_spaces || has_quotes || of_first < 2 {
        return None;
    }
    let mut is_filled: Vec<bool> = Vec::new();
    for line in &filled {
        if line.len() > LONGEST_LINE {
            return None;
        }
        let length = line.chars().count();
        if is_filled.len() < length {
            is_filled.resize(length, false);
        }
        line.chars().zip(&mut is_filled).for_each(|(c, is_filled)| *is_filled |= c != ' ');
    }
    let starts = runs(is_filled.iter().copied());
    let has_gap = starts.iter().any(|start| *start > 1 && !is_filled[start - 1] && !is_filled[start - 2]);
    // A place that is blank by chance begins no field, as it has no name.
    let names = cut(first, &starts)?;
    let named =
        starts.into_iter().zip(names).enumerate().filter(|(at, (_, name))| *at == 0 || !name.is_empty());
    let starts: Vec<usize> = named.map(|(_, (start, _))| start).collect();
    let rows: Vec<Vec<&str>> = rest.iter().filter_map(|line| cut(line, &starts)).collect();
    let is_of_numbers = |column: usize| {
        let present = || rows.iter().map(|row| row[column]).filter(|cell| !cell.is_empty());
        let numbers = present().filter(|cell| Written::read(cell).is_some()).count();
        numbers > 0 && NUMBERS_PER_TEXT * (present().count() - numbers) <= numbers
    };
    let is_table = (has_gap || starts.len() > 2) && starts.len() > 1 && rows.len() == rest.len();
    (is_table && (0..starts.len()).any(is_of_numbers)).then_some(starts)
}
