//! A text that is read a part at a time: one in memory, or one in a file that memory does not hold.
//!
//! A window is a part that begins and ends between records, so that what reads a window needs nothing of the others; a
//! text in memory whose cells memory holds too is one window.

use crate::csv::{LARGEST_FIELD, Syntax, next_record};
use crate::malformed;
use crate::spool::Positioned;
use memchr::{memchr, memchr_iter};
use pullback::error::{Error, ErrorKind, Place, Result};
use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

/// What is certain of a record is certain of its bytes and so many behind it: a quote is looked for in as many bytes as
/// a field may have, which may come after as many that belong to the field.
const BEYOND: usize = 2 * LARGEST_FIELD + 16;
/// So much of a long text tells what delimiter and columns it has, and as much how it ends.
const SAMPLE_BYTES: usize = 32 << 20;
/// So much in any case.
const LEAST_SAMPLE_BYTES: usize = 1 << 19;

/// What a pass over a whole text tells.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts {
    /// How many line feeds it has.
    pub(crate) feeds: usize,
    /// How many carriage returns, if they end its lines alone.
    returns: usize,
    /// Whether a backslash stands before a quote.
    pub(crate) has_escapes: bool,
    was_backslash: bool,
}

impl Facts {
    /// How many lines end in it.
    pub(crate) fn line_ends(self) -> usize {
        self.feeds.max(self.returns)
    }

    /// Adds the next part.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.feeds += count(b'\n', bytes);
        if self.feeds == 0 {
            self.returns += count(b'\r', bytes);
        }
        self.has_escapes |= self.was_backslash && bytes.first() == Some(&b'"')
            || memchr_iter(b'\\', bytes).any(|at| bytes.get(at + 1) == Some(&b'"'));
        self.was_backslash = bytes.last() == Some(&b'\\');
    }
}

/// How often a byte stands.
pub(crate) fn count(byte: u8, bytes: &[u8]) -> usize {
    memchr_iter(byte, bytes).count()
}

/// A text in UTF-8, without a byte-order mark.
pub(crate) struct Text<'a> {
    path: &'a Path,
    content: Content<'a>,
    length: usize,
    facts: Option<Facts>,
    /// About how many bytes a window has, if it is not all.
    window: Option<usize>,
}

enum Content<'a> {
    Memory(&'a [u8]),
    /// From a place of a file on.
    File(&'a Positioned, u64),
}

impl<'a> Text<'a> {
    pub(crate) fn in_memory(path: &'a Path, bytes: &'a [u8]) -> Self {
        Self { path, content: Content::Memory(bytes), length: bytes.len(), facts: None, window: None }
    }

    /// A text from a place of a file on, and its length; with its facts, if they are known.
    pub(crate) fn in_file(
        path: &'a Path,
        file: &'a Positioned,
        (from, length): (u64, usize),
        facts: Option<Facts>,
        window: usize,
    ) -> Self {
        Self { path, content: Content::File(file, from), length, facts, window: Some(window) }
    }

    /// What a pass over all of it tells.
    pub(crate) fn facts(&self) -> Result<Facts> {
        match self.facts {
            Some(facts) => Ok(facts),
            None => {
                let mut facts = Facts::default();
                self.each_part(0..self.length, |bytes| facts.add(bytes))?;
                Ok(facts)
            }
        }
    }

    /// The same, with what a pass over it tells, which takes time once.
    pub(crate) fn with_facts(self) -> Result<Self> {
        Ok(Self { facts: Some(self.facts()?), ..self })
    }

    /// The same, whose windows have about so many bytes.
    pub(crate) fn with_window(self, window: usize) -> Self {
        Self { window: Some(self.window.unwrap_or(window)), ..self }
    }

    /// Only the first bytes.
    pub(crate) fn shortened(self, length: usize) -> Self {
        let facts = self.facts.filter(|_| length >= self.length);
        Self { length: self.length.min(length), facts, ..self }
    }

    pub(crate) fn path(&self) -> &'a Path {
        self.path
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// How many bytes of it are in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        match self.content {
            Content::Memory(bytes) => bytes.len(),
            Content::File(..) => 0,
        }
    }

    pub(crate) fn is_in_file(&self) -> bool {
        matches!(self.content, Content::File(..))
    }

    /// Some of its bytes.
    pub(crate) fn part(&self, range: Range<usize>) -> Result<Cow<'a, [u8]>> {
        match self.content {
            Content::Memory(bytes) => Ok(Cow::Borrowed(&bytes[range])),
            Content::File(file, from) => {
                let mut bytes = vec![0; range.len()];
                let read = file.read(from + range.start as u64, &mut bytes);
                read.map_err(|cause| Error::io(self.path, cause))?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// The first bytes, of a long text whole lines.
    pub(crate) fn head(&self) -> Result<Cow<'a, [u8]>> {
        let Some(window) = self.window.filter(|_| self.is_in_file()) else {
            return self.part(0..self.length);
        };
        let end = window.clamp(LEAST_SAMPLE_BYTES, SAMPLE_BYTES);
        if end >= self.length {
            return self.part(0..self.length);
        }
        let mut bytes = self.part(0..end)?.into_owned();
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(end, |at| at + 1);
        bytes.truncate(whole);
        Ok(Cow::Owned(bytes))
    }

    /// The last bytes, and where they begin.
    pub(crate) fn tail(&self) -> Result<(Cow<'a, [u8]>, usize)> {
        let length = match self.window.filter(|_| self.is_in_file()) {
            Some(window) => window.clamp(LEAST_SAMPLE_BYTES, SAMPLE_BYTES).min(self.length),
            None => self.length,
        };
        let from = self.length - length;
        Ok((self.part(from..self.length)?, from))
    }

    /// Calls `take` with one part after the other.
    pub(crate) fn each_part(&self, range: Range<usize>, mut take: impl FnMut(&[u8])) -> Result<()> {
        let size = self.window.unwrap_or(usize::MAX);
        let mut at = range.start;
        while at < range.end {
            let end = at.saturating_add(size).min(range.end);
            take(&self.part(at..end)?);
            at = end;
        }
        Ok(())
    }

    /// The records from a place on at which one begins, whole ones, about a window of them, and no further than `end`.
    pub(crate) fn window(&self, from: usize, end: usize, syntax: Syntax) -> Result<Cow<'a, [u8]>> {
        let Some(window) = self.window else { return self.part(from..end) };
        let mut size = window;
        loop {
            if from.saturating_add(size) >= end {
                return self.part(from..end);
            }
            let bytes = self.part(from..(from + size + 1).min(end))?;
            let cut = if memchr(syntax.quote, &bytes).is_some() {
                let stop = (from + size).saturating_add(BEYOND).min(end);
                let bytes = self.part(from..stop)?;
                last_record(&bytes, size, stop == end, syntax)
            } else {
                last_line(&bytes, size)
            };
            if cut > 0 {
                return Ok(match bytes {
                    Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[..cut]),
                    Cow::Owned(mut bytes) => {
                        bytes.truncate(cut);
                        Cow::Owned(bytes)
                    }
                });
            }
            if size >= LONGEST_WINDOWS * window.max(LARGEST_FIELD) {
                return Err(Error::new(
                    ErrorKind::Memory,
                    format!("a row of more than {} MB, which is what there is memory for", size >> 20),
                )
                .at(Place::file(self.path).line(self.line_number(from)?))
                .help("give rows with fewer columns, or more memory with `--memory`"));
            }
            size *= 2;
        }
    }

    /// The line that holds a place, counted from 1.
    pub(crate) fn line_number(&self, at: usize) -> Result<u64> {
        let (mut lines, mut was_return) = (1, false);
        self.each_part(0..at.min(self.length), |bytes| {
            let (feeds, returns) = (count(b'\n', bytes), count(b'\r', bytes));
            // CRLF is one end, CR alone another.
            let pairs = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
            let is_cut = was_return && bytes.first() == Some(&b'\n');
            lines += (feeds + returns - pairs) as u64 - u64::from(is_cut);
            was_return = bytes.last() == Some(&b'\r');
        })?;
        Ok(lines)
    }

    /// What is said of a place of it.
    pub(crate) fn malformed(&self, at: usize, what: impl Into<String>, help: &str) -> Error {
        match self.line_number(at) {
            Ok(line) => malformed(Place::file(self.path).line(line), what, help),
            Err(error) => error,
        }
    }
}

/// A row is no longer than so many windows.
const LONGEST_WINDOWS: usize = 2;

/// Where the last line of the first `size` bytes ends, of which there is one byte more; 0 if none ends there.
fn last_line(bytes: &[u8], size: usize) -> usize {
    let ends = |at: &usize| match bytes[*at] {
        b'\n' => true,
        b'\r' => bytes.get(at + 1).is_some_and(|next| *next != b'\n'),
        _ => false,
    };
    (0..size.min(bytes.len())).rev().find(ends).map_or(0, |at| at + 1)
}

/// Where the last record ends of those that begin in the first `size` bytes and that are certain; 0 if none is.
fn last_record(bytes: &[u8], size: usize, is_end: bool, syntax: Syntax) -> usize {
    let mut at = 0;
    while at < size {
        let next = next_record(bytes, at, syntax);
        if !is_end && next.saturating_add(BEYOND) > bytes.len() || next > size {
            break;
        }
        at = next;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(text: &[u8], window: usize) -> Vec<Vec<u8>> {
        let text = Text::in_memory(Path::new("t"), text).with_window(window);
        let (mut at, mut found) = (0, Vec::new());
        while at < text.len() {
            let window = text.window(at, text.len(), Syntax::new(b',')).unwrap();
            at += window.len();
            found.push(window.into_owned());
        }
        found
    }

    #[test]
    fn windows_end_between_records() {
        let cut = |text: &str, window| -> Vec<String> {
            windows(text.as_bytes(), window)
                .into_iter()
                .map(|part| String::from_utf8(part).unwrap())
                .collect()
        };
        assert_eq!(cut("1,2\n3,4\n5,6\n", 5), ["1,2\n", "3,4\n", "5,6\n"]);
        assert_eq!(cut("1,2\r\n3,4\r\n5,6", 5), ["1,2\r\n", "3,4\r\n", "5,6"]);
        assert_eq!(cut("1,2\r3,4\r5,6", 5), ["1,2\r", "3,4\r", "5,6"]);
        assert_eq!(cut("1,2\n\"a\nb\nc\",4\n5,6\n", 6), ["1,2\n", "\"a\nb\nc\",4\n", "5,6\n"]);
        assert_eq!(cut("\n\n1\n2\n", 3), ["\n\n", "1\n", "2\n"]);
    }

    #[test]
    fn a_row_of_many_windows_is_refused() {
        let text = vec![b','; 8 << 20];
        let text = Text::in_memory(Path::new("t"), &text).with_window(1000);
        let error = text.window(0, text.len(), Syntax::new(b',')).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Memory);
    }

    #[test]
    fn lines_are_counted_across_windows() {
        let bytes = b"a\r\nb\rc\n\nd\r\n";
        for window in 1..12 {
            let text = Text::in_memory(Path::new("t"), bytes).with_window(window);
            for (at, line) in [(0, 1), (2, 2), (3, 2), (5, 3), (7, 4), (8, 5), (11, 6)] {
                assert_eq!(text.line_number(at).unwrap(), line, "{at}, windows of {window}");
            }
        }
    }
}
