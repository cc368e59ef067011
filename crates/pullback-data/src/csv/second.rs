//! A second table below the first, as reports have them: after a blank line, with names of its own.

use super::dialect::is_number;
use super::record::{Syntax, line_end, record, skip_blank};
use crate::text::Text;
use memchr::memmem;
use pullback::error::Result;
use std::ops::Range;

/// At most so many lines of title stand above the names of a second table.
const MOST_TITLES: usize = 3;

/// The first table, as far as it tells a second one.
pub(super) struct First<'a> {
    pub(super) syntax: Syntax,
    pub(super) names: &'a [String],
    /// The line with its names.
    pub(super) header: Option<&'a [u8]>,
}

/// Where a second table begins, with its title, if there is one in a range.
pub(super) fn begins(text: &Text<'_>, range: Range<usize>, first: &First<'_>) -> Result<Option<usize>> {
    // A blank line of one column is a missing cell.
    if first.names.len() < 2 || first.syntax.is_whitespace() || first.header.is_none() {
        return Ok(None);
    }
    let mut at = range.start;
    while at < range.end {
        let window = text.window(at, range.end, first.syntax)?;
        let blank_first = at > range.start && matches!(window.first(), Some(b'\n' | b'\r'));
        let of_line = memmem::find_iter(&window, b"\n\n").map(|place| place + 1);
        let of_windows = memmem::find_iter(&window, b"\n\r\n").map(|place| place + 1);
        let mut places: Vec<usize> = blank_first.then_some(0).into_iter().collect();
        places.extend(of_line.chain(of_windows));
        places.sort_unstable();
        for blank in places {
            let place = skip_blank(&window, blank).0;
            if first.is_second(&window, place) && !is_within_quotes(&window[..blank], first.syntax) {
                return Ok(Some(at + place));
            }
        }
        at += window.len();
    }
    Ok(None)
}

/// Whether a quote is open at the end of a text.
fn is_within_quotes(bytes: &[u8], syntax: Syntax) -> bool {
    bytes.iter().filter(|byte| **byte == syntax.quote).count() % 2 == 1
}

impl First<'_> {
    /// Whether a second table begins at a place: titles, then names, then, if these are all others, rows of as many
    /// cells.
    fn is_second(&self, bytes: &[u8], place: usize) -> bool {
        let most = self.names.len().saturating_mul(2).saturating_add(16);
        let mut at = place;
        for titles in 0..=MOST_TITLES {
            if at >= bytes.len() {
                return false;
            }
            let is_header = self.header.is_some_and(|header| {
                bytes[at..].starts_with(header) && line_end(bytes, at) == at + header.len()
            });
            // The same names without a title are those of another part of the same table.
            if is_header {
                return titles > 0;
            }
            let Ok((cells, next)) = record(bytes, at, self.syntax, most) else { return false };
            let texts: Vec<_> = cells.iter().map(|cell| String::from_utf8_lossy(&cell.text)).collect();
            let filled = || texts.iter().filter(|text| !text.is_empty());
            let is_of_names = filled().count() > 1 && filled().all(|text| !is_number(text));
            if is_of_names && filled().any(|text| self.names.iter().any(|name| name == text)) {
                return true;
            }
            if is_of_names && cells.len() != self.names.len() {
                let rows = record(bytes, skip_blank(bytes, next).0.min(bytes.len()), self.syntax, most);
                return rows.is_ok_and(|(row, _)| {
                    row.len() == cells.len()
                        && row.iter().any(|cell| is_number(&String::from_utf8_lossy(&cell.text)))
                });
            }
            let is_title = filled().count() == 1 && filled().all(|text| !is_number(text));
            if !is_title {
                return false;
            }
            at = skip_blank(bytes, next).0;
        }
        false
    }
}
