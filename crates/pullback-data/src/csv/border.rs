//! Where a text is cut between records, so that several threads read it.
//!
//! A line end within quotes ends no record. Whether a place is within quotes, the number of quotes before it tells, which
//! threads count side by side; but a quote in the middle of a field is one like any other letter. So a border that
//! [`by_quotes`] finds is a guess: whoever reads a part sees whether its last record ends where the next part begins,
//! and cuts [`by_records`] if not (Ge, Li, Eilebrecht, Chandramouli and Kossmann, Speculative distributed CSV data
//! parsing for big data analytics, 2019).

use super::record::{Syntax, next_line, next_record, record, skip_blank};
use memchr::{memchr_iter, memchr3_iter};
use std::ops::Range;
use std::thread;

/// Where the parts of a range begin, so many if it has lines for them, and where the last ends; the first is the
/// range's own.
pub(super) fn by_quotes(bytes: &[u8], range: &Range<usize>, parts: usize, syntax: Syntax) -> Vec<usize> {
    let bytes = &bytes[..range.end];
    let goals = goals(range, parts);
    let counts: Vec<usize> = thread::scope(|scope| {
        let count = |part: &[usize]| quotes(bytes, part[0]..part[1], syntax);
        let (own, others) = goals.split_at(2);
        let counters: Vec<_> = goals[1..]
            .windows(2)
            .map(|part| thread::Builder::new().spawn_scoped(scope, move || count(part)).ok())
            .collect();
        debug_assert_eq!(counters.len(), others.len());
        let mut counts = vec![count(own)];
        // Where the system gives no thread, this one counts.
        counts.extend(counters.into_iter().zip(goals[1..].windows(2)).map(|(counter, part)| match counter {
            Some(counter) => counter.join().expect("counting ends in a number"),
            None => count(part),
        }));
        counts
    });
    let mut before = 0;
    let mut borders = vec![range.start];
    for (part, goal) in goals[1..goals.len() - 1].iter().enumerate() {
        before += counts[part];
        let border = next_border(bytes, *goal, before % 2 == 1, syntax);
        if border > borders[borders.len() - 1] && border < range.end {
            borders.push(border);
        }
    }
    borders.push(range.end);
    borders
}

/// The same, by going through all records.
pub(super) fn by_records(bytes: &[u8], range: &Range<usize>, parts: usize, syntax: Syntax) -> Vec<usize> {
    let bytes = &bytes[..range.end];
    let mut borders = vec![range.start];
    let mut at = range.start;
    for goal in &goals(range, parts)[1..parts] {
        while at < *goal {
            at = next_record(bytes, at, syntax);
        }
        if at > borders[borders.len() - 1] && at < range.end {
            borders.push(at);
        }
    }
    borders.push(range.end);
    borders
}

/// Whether a record of so many fields begins at each border but the first and the last.
pub(super) fn are_likely(bytes: &[u8], borders: &[usize], columns: usize, syntax: Syntax) -> bool {
    borders[1..borders.len() - 1].iter().all(|&border| {
        let at = if columns == 1 { border } else { skip_blank(bytes, border).0 };
        at >= bytes.len()
            || record(bytes, at, syntax, columns).is_ok_and(|(fields, _)| fields.len() == columns)
    })
}

/// Equal parts of a range.
fn goals(range: &Range<usize>, parts: usize) -> Vec<usize> {
    let mut goals: Vec<usize> = (0..parts).map(|part| range.start + range.len() / parts * part).collect();
    goals.push(range.end);
    goals
}

/// Whether a quote is one of the field: a backslash stands before it, which no other escapes.
fn is_escaped(bytes: &[u8], at: usize, syntax: Syntax) -> bool {
    syntax.escapes && bytes[..at].iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}

fn quotes(bytes: &[u8], range: Range<usize>, syntax: Syntax) -> usize {
    let found = memchr_iter(syntax.quote, &bytes[range.clone()]);
    match syntax.escapes {
        false => found.count(),
        true => found.filter(|&at| !is_escaped(bytes, range.start + at, syntax)).count(),
    }
}

/// The first begin of a line, from a place on, that is not within quotes.
fn next_border(bytes: &[u8], from: usize, is_within: bool, syntax: Syntax) -> usize {
    let mut is_within = is_within;
    for at in memchr3_iter(syntax.quote, b'\n', b'\r', &bytes[from..]).map(|at| from + at) {
        if bytes[at] == syntax.quote {
            is_within ^= !is_escaped(bytes, at, syntax);
        } else if !is_within {
            return next_line(bytes, at);
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways to cut agree on a text whose quotes all open and close fields.
    fn check(text: &str, escapes: bool) {
        let (bytes, syntax) = (text.as_bytes(), Syntax { escapes, ..Syntax::new(b',') });
        let mut records = vec![0];
        while records[records.len() - 1] < bytes.len() {
            records.push(next_record(bytes, records[records.len() - 1], syntax));
        }
        for parts in 2..=bytes.len() {
            let by_quotes = by_quotes(bytes, &(0..bytes.len()), parts, syntax);
            assert!(by_quotes.iter().all(|border| records.contains(border)), "{text:?}: {by_quotes:?}");
            assert!(by_quotes.is_sorted() && by_quotes.len() > 2, "{text:?}: {by_quotes:?}");
            let by_records = by_records(bytes, &(0..bytes.len()), parts, syntax);
            assert!(by_records.iter().all(|border| records.contains(border)), "{text:?}: {by_records:?}");
        }
    }

    #[test]
    fn borders_stand_between_records() {
        for end in ["\n", "\r\n", "\r"] {
            let of = |text: &str| text.replace('\n', end);
            check(&of("1,2\n3,4\n5,6\n7,8"), false);
            check(&of("1,\"a\nb\n\nc\"\n3,\"\"\n\"\n\n\",6\n7,8\n"), false);
            check(&of("1,\"a\"\"\n\"\"b\"\n\"\"\"\n\",4\n5,6\n7,8\n"), false);
            check(&of("1,\"a\\\"\nb\\\\\"\n\"\\\"\n\",4\n5,6\n7,8\n"), true);
        }
    }

    #[test]
    fn a_quote_within_a_field_makes_borders_unlikely() {
        let text = "5\" pipe,\"a\nbc\"\n".repeat(20);
        let (bytes, syntax) = (text.as_bytes(), Syntax::new(b','));
        let likely = |borders: &[usize]| are_likely(bytes, borders, 2, syntax);
        let guessed = by_quotes(bytes, &(0..bytes.len()), 8, syntax);
        assert!(!guessed.iter().all(|&border| border % 15 == 0), "{guessed:?}");
        assert!(!likely(&guessed));
        assert!(likely(&by_records(bytes, &(0..bytes.len()), 8, syntax)));
    }
}
