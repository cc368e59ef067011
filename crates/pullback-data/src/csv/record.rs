//! Cutting text into records and fields.
//!
//! A field may be quoted: then delimiters and line ends belong to it, and two quotes are one. In a text that escapes
//! (R's `write.table`, MySQL), a backslash before a quote makes it one of the field. Spaces around a field, quoted or
//! not, do not belong to it. A line ends with LF, CRLF or CR.

use crate::sniff::Delimiter;
use crate::text::Text;
use memchr::{memchr, memchr2};
use pullback::error::Result;
use std::borrow::Cow;

/// The largest field, against text whose quote is never closed.
pub(crate) const LARGEST_FIELD: usize = 1 << 20;

/// How fields are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Syntax {
    pub(crate) delimiter: u8,
    /// Whether it stands twice between fields: `::`.
    pub(crate) is_doubled: bool,
    pub(crate) quote: u8,
    /// Whether a backslash before a quote makes it one of the field.
    pub(crate) escapes: bool,
}

impl Syntax {
    pub(crate) fn new(delimiter: impl Into<Delimiter>) -> Self {
        let Delimiter { character, is_doubled } = delimiter.into();
        Self { delimiter: character, is_doubled, quote: b'"', escapes: false }
    }

    /// Whether any number of spaces and tabs is one delimiter.
    pub(crate) fn is_whitespace(self) -> bool {
        self.delimiter == b' '
    }

    fn is_space(self, byte: u8) -> bool {
        byte == b' ' || byte == b'\t' && self.delimiter != b'\t'
    }
}

/// A field, and what comes after it.
#[derive(Debug)]
pub(crate) struct Field<'a> {
    /// Without quotes and the spaces around it.
    pub(crate) text: Cow<'a, [u8]>,
    pub(crate) is_quoted: bool,
    /// Where the next field or record begins.
    pub(crate) next: usize,
    /// Whether the record ends with it.
    pub(crate) is_last: bool,
}

/// What keeps text from being cut into fields, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Text stands after a closing quote.
    AfterQuote(usize),
    /// A quote is opened and never closed.
    OpenQuote(usize),
    /// A field is larger than [`LARGEST_FIELD`].
    Large(usize),
}

/// The field that begins at `at`.
#[inline]
pub(crate) fn field(bytes: &[u8], at: usize, syntax: Syntax) -> Result<Field<'_>, Trouble> {
    let mut start = at;
    while bytes.get(start).is_some_and(|&byte| syntax.is_space(byte)) {
        start += 1;
    }
    if bytes.get(start) == Some(&syntax.quote) {
        return quoted(bytes, start, syntax);
    }
    let rest = &bytes[start..];
    let length = if syntax.is_whitespace() {
        rest.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
    } else if syntax.is_doubled {
        let is_end =
            |&at: &usize| matches!(rest[at], b'\n' | b'\r') || rest[at..].starts_with(&[syntax.delimiter; 2]);
        (0..rest.len()).find(is_end)
    } else {
        rest.iter().position(|&byte| byte == syntax.delimiter || byte == b'\n' || byte == b'\r')
    };
    let length = length.unwrap_or(rest.len());
    if length > LARGEST_FIELD {
        return Err(Trouble::Large(start));
    }
    let (next, is_last) = after(bytes, start + length, syntax).expect("it stands at a delimiter or an end");
    Ok(Field { text: Cow::Borrowed(rest[..length].trim_ascii_end()), is_quoted: false, next, is_last })
}

fn quoted(bytes: &[u8], start: usize, syntax: Syntax) -> Result<Field<'_>, Trouble> {
    let quote = syntax.quote;
    let mut text: Cow<'_, [u8]> = Cow::Borrowed(&[]);
    let mut at = start + 1;
    loop {
        let limit = bytes.len().min(at + LARGEST_FIELD + 1);
        let Some(length) = bytes[at..limit].iter().position(|&byte| byte == quote) else {
            return Err(Trouble::OpenQuote(start));
        };
        let part = &bytes[at..at + length];
        let end = at + length + 1;
        let is_doubled = bytes.get(end) == Some(&quote);
        let backslashes = part.iter().rev().take_while(|&&byte| byte == b'\\').count();
        if syntax.escapes && backslashes % 2 == 1 {
            let whole = text.to_mut();
            whole.extend_from_slice(&part[..part.len() - 1]);
            whole.push(quote);
            if whole.len() > LARGEST_FIELD {
                return Err(Trouble::OpenQuote(start));
            }
            at = end;
            continue;
        }
        if text.is_empty() && !is_doubled {
            text = Cow::Borrowed(part);
        } else {
            let whole = text.to_mut();
            whole.extend_from_slice(part);
            if is_doubled {
                whole.push(quote);
            }
        }
        if text.len() > LARGEST_FIELD {
            return Err(Trouble::OpenQuote(start));
        }
        at = end + usize::from(is_doubled);
        if !is_doubled {
            break;
        }
    }
    let closed = at;
    if !syntax.is_whitespace() {
        while bytes.get(at).is_some_and(|&byte| syntax.is_space(byte)) {
            at += 1;
        }
    }
    let (next, is_last) = after(bytes, at, syntax).ok_or(Trouble::AfterQuote(closed))?;
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
        Cow::Owned(text) => Cow::Owned(text.trim_ascii().to_vec()),
    };
    Ok(Field { text, is_quoted: true, next, is_last })
}

/// Where the next field or record begins, if a field ends at `at`, and whether it was the record's last.
#[inline]
pub(crate) fn after(bytes: &[u8], at: usize, syntax: Syntax) -> Option<(usize, bool)> {
    match bytes.get(at) {
        None => Some((at, true)),
        Some(b'\n') => Some((at + 1, true)),
        Some(b'\r') => Some((at + 1 + usize::from(bytes.get(at + 1) == Some(&b'\n')), true)),
        Some(b' ' | b'\t') if syntax.is_whitespace() => {
            let spaces = bytes[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            match bytes.get(at + spaces) {
                None | Some(b'\n' | b'\r') => after(bytes, at + spaces, syntax),
                Some(_) => Some((at + spaces, false)),
            }
        }
        Some(&byte) if byte == syntax.delimiter => match syntax.is_doubled {
            false => Some((at + 1, false)),
            true => (bytes.get(at + 1) == Some(&byte)).then_some((at + 2, false)),
        },
        Some(_) => None,
    }
}

/// Where the first line that is not blank begins, from `at` on, and whether lines were skipped.
#[inline]
pub(crate) fn skip_blank(bytes: &[u8], at: usize) -> (usize, bool) {
    let (mut start, mut end) = (at, at);
    let mut is_skipped = false;
    loop {
        match bytes.get(end) {
            Some(b' ' | b'\t') => end += 1,
            Some(b'\n' | b'\r') => {
                end += 1;
                start = end;
                is_skipped = true;
            }
            None => return (bytes.len(), is_skipped || end > at),
            Some(_) => return (start, is_skipped),
        }
    }
}

/// The end of the line that holds `at`, its line end left aside.
pub(crate) fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr2(b'\n', b'\r', &bytes[at..]).map_or(bytes.len(), |length| at + length)
}

/// Where the line after the one that holds `at` begins.
pub(crate) fn next_line(bytes: &[u8], at: usize) -> usize {
    after(bytes, line_end(bytes, at), Syntax::new(b',')).map_or(bytes.len(), |(next, _)| next)
}

/// Where the record after the one that begins at `at` begins.
pub(crate) fn next_record(bytes: &[u8], at: usize, syntax: Syntax) -> usize {
    let end = line_end(bytes, at);
    if memchr(syntax.quote, &bytes[at..end]).is_none() {
        return after(bytes, end, syntax).map_or(bytes.len(), |(next, _)| next);
    }
    let start = at;
    let mut at = at;
    loop {
        match field(bytes, at, syntax) {
            Ok(field) if field.is_last => return field.next,
            Ok(field) => at = field.next,
            // As rows are read: a bad one ends with its line.
            Err(_) => return next_line(bytes, start),
        }
    }
}

/// How many records of a text from a place on have another number of fields than the one before, or cannot be cut. (R's
/// header has one less than all rows.)
pub(crate) fn uneven(text: &Text<'_>, from: usize, syntax: Syntax) -> Result<usize> {
    let (mut at, mut count, mut width) = (from, 0, None);
    while at < text.len() {
        let window = text.window(at, text.len(), syntax)?;
        count += uneven_in(&window, syntax, &mut width);
        at += window.len();
    }
    Ok(count)
}

fn uneven_in(bytes: &[u8], syntax: Syntax, width: &mut Option<usize>) -> usize {
    let (mut at, mut count) = (0, 0);
    loop {
        at = skip_blank(bytes, at).0;
        if at >= bytes.len() {
            return count;
        }
        let start = at;
        let mut fields = 0usize;
        let cut = loop {
            match field(bytes, at, syntax) {
                Ok(field) => {
                    fields += 1;
                    at = field.next;
                    if field.is_last {
                        break Some(fields);
                    }
                }
                Err(_) => {
                    at = next_line(bytes, start);
                    break None;
                }
            }
        };
        count += usize::from(cut.is_none() || width.replace(fields).is_some_and(|before| before != fields));
    }
}

/// The fields of the record at `at`, at most so many, and where the next begins.
pub(crate) fn record(
    bytes: &[u8],
    at: usize,
    syntax: Syntax,
    most: usize,
) -> Result<(Vec<Field<'_>>, usize), Trouble> {
    let mut fields = Vec::new();
    let mut at = if syntax.is_whitespace() {
        at + bytes[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
    } else {
        at
    };
    loop {
        let field = field(bytes, at, syntax)?;
        at = field.next;
        let is_last = field.is_last;
        fields.push(field);
        if is_last || fields.len() > most {
            return Ok((fields, at));
        }
    }
}
