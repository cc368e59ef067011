//! From the bytes of a text file to UTF-8: by a byte-order mark, else by content.
//!
//! Without a mark: text without zero bytes that is valid UTF-8 is UTF-8. UTF-16 without a mark shows itself
//! by zeros in every second byte. Of the older encodings, text whose pairs of high bytes are all Hangul is
//! CP949; others are told apart by chardetng, which Firefox uses. Valid characters of UTF-8 beside few invalid
//! bytes are a damaged UTF-8 file, not another encoding.

use crate::content::Part;
use crate::malformed;
use crate::note::{Note, NoteKind};
use crate::spool::Spool;
use crate::text::{Facts, count};
use encoding_rs::{
    CoderResult, EUC_JP, EUC_KR, Encoding, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252,
};
use memchr::memchr;
use pullback::data::Store;
use pullback::error::{Error, Place, Result};
use std::path::Path;

/// So many bytes are looked at where bytes tell of an encoding.
const SAMPLE_BYTES: usize = 1 << 20;

/// The text of a file as UTF-8, without a mark; what was found is added to `notes`.
pub(crate) fn decode(
    path: &Path,
    content: Vec<u8>,
    declared: Option<&str>,
    notes: &mut Vec<Note>,
) -> Result<Vec<u8>> {
    let (encoding, length, why) = match said(path, &content, declared)? {
        Some(said) => said,
        None if memchr(0, &content).is_none() && Encoding::utf8_valid_up_to(&content) == content.len() => {
            return Ok(content);
        }
        None => (guess(path, &content)?, 0, BY_CONTENT),
    };
    if encoding == UTF_8 {
        let mut content = content;
        content.drain(..length);
        if memchr(0, &content).is_some() {
            return Err(no_text(path));
        }
        if let Err(error) = std::str::from_utf8(&content) {
            let line = 1 + count(b'\n', &content[..error.valid_up_to()]);
            return Err(no_utf8(path, line));
        }
        return Ok(content);
    }
    let (text, has_errors) = encoding.decode_without_bom_handling(&content[length..]);
    if has_errors && declared.is_none() && encoding != WINDOWS_1252 {
        let at = text.find('\u{fffd}').unwrap_or(0);
        return Err(wrong_bytes(path, encoding, 1 + text[..at].matches('\n').count()));
    }
    if text.contains('\0') {
        return Err(no_text(path));
    }
    notes.push(note(encoding, why));
    Ok(Currency::of(encoding).restored(text.into_owned(), true).into_bytes())
}

/// The currency that stands at the place of the backslash in old encodings of Japan and Korea, whose fonts and keyboards
/// have it there: before an amount, at the beginning of a cell, it is meant.
struct Currency {
    sign: Option<char>,
    /// The last character of the text before, and what is held back of it until the next is known.
    last: char,
    held: String,
}

impl Currency {
    fn of(encoding: &'static Encoding) -> Self {
        let sign = if encoding == SHIFT_JIS || encoding == EUC_JP || encoding == ISO_2022_JP {
            Some('¥')
        } else {
            (encoding == EUC_KR).then_some('₩')
        };
        Self { sign, last: '\n', held: String::new() }
    }

    /// The next part of the text with its currencies; `is_end` if it is the last.
    fn restored(&mut self, text: String, is_end: bool) -> String {
        /// What may stand before an amount in a cell, beside a delimiter.
        const BEFORE: &[char] = &[' ', '\t', '\n', '\r', ',', ';', '|', '"', '\'', '-', '+', '(', '\u{3000}'];
        let Some(sign) = self.sign else { return text };
        let text = std::mem::take(&mut self.held) + &text;
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find('\\') {
            let before = rest[..at].chars().next_back().unwrap_or(self.last);
            let after = rest[at + 1..].trim_start_matches(['-', ' ']);
            out.push_str(&rest[..at]);
            if after.is_empty() && !is_end && rest.len() - at < 16 {
                self.last = before;
                rest[at..].clone_into(&mut self.held);
                return out;
            }
            let is_amount =
                BEFORE.contains(&before) && after.starts_with(|c: char| c.is_ascii_digit() || c == '.');
            out.push(if is_amount { sign } else { '\\' });
            self.last = '\\';
            rest = &rest[at + 1..];
        }
        self.last = rest.chars().next_back().unwrap_or(self.last);
        out.push_str(rest);
        out
    }
}

const BY_CONTENT: &str = "by its content";

/// The encoding that is declared or that a byte-order mark tells, the length of the mark, and how it is known.
fn said(
    path: &Path,
    content: &[u8],
    declared: Option<&str>,
) -> Result<Option<(&'static Encoding, usize, &'static str)>> {
    let Some(name) = declared else {
        let marked = Encoding::for_bom(content);
        return Ok(marked.map(|(encoding, length)| (encoding, length, "by its byte-order mark")));
    };
    let is_cp949 = name.eq_ignore_ascii_case("cp949") || name.eq_ignore_ascii_case("uhc");
    let windows = || {
        let lower = name.to_lowercase();
        Encoding::for_label(format!("windows-{}", lower.strip_prefix("cp")?).as_bytes())
    };
    let encoding = Encoding::for_label(name.as_bytes())
        .or(is_cp949.then_some(EUC_KR))
        .or_else(windows)
        .ok_or_else(|| {
            malformed(
                Place::file(path),
                format!("there is no encoding \"{name}\""),
                "write its usual name, for example `--encoding cp949`, `latin1`, `utf-16le`, `shift_jis`",
            )
        })?;
    let mark = Encoding::for_bom(content).filter(|(marked, _)| *marked == encoding);
    Ok(Some((encoding, mark.map_or(0, |(_, length)| length), "as asked")))
}

fn note(encoding: &'static Encoding, why: &str) -> Note {
    let name = if encoding == EUC_KR { "CP949" } else { encoding.name() };
    let other = if why == BY_CONTENT { "; `--encoding NAME` names another" } else { "" };
    Note::new(NoteKind::Encoding, 1, format!("the text is {name}, {why}{other}"))
}

fn no_text(path: &Path) -> Error {
    malformed(
        Place::file(path),
        "this is not text: it contains zero bytes",
        "give a CSV or TSV file, or a format that `pullback train --help` lists",
    )
}

fn no_utf8(path: &Path, line: usize) -> Error {
    malformed(
        Place::file(path).line(line as u64),
        "a byte that is not UTF-8, as the rest of the file is",
        "correct the line, or name the encoding with `--encoding NAME`",
    )
}

fn wrong_bytes(path: &Path, encoding: &'static Encoding, line: usize) -> Error {
    malformed(
        Place::file(path).line(line as u64),
        format!("bytes that are not {}, as the rest of the file seems to be", encoding.name()),
        "name the encoding with `--encoding NAME`, or save the file as UTF-8",
    )
}

/// The text of a file that memory does not hold, as UTF-8.
pub(crate) enum Decoded {
    /// From a place of the file on.
    InPlace { from: u64, facts: Facts },
    /// In a file of its own.
    Apart(Spool),
}

/// The text of a file that memory does not hold, as UTF-8; where it is not, in a file that `other` makes. `part` is how
/// many bytes are read at a time; where their encoding is not said, as many tell of it as that, from the first on that
/// are not UTF-8.
pub(crate) fn decode_file(
    path: &Path,
    file: &Part,
    part: usize,
    declared: Option<&str>,
    other: impl FnOnce() -> Result<Spool>,
    notes: &mut Vec<Note>,
) -> Result<Decoded> {
    let length = file.length;
    let read = |at: u64, most: usize| {
        let mut bytes = vec![0; most.min((length - at) as usize)];
        file.read(at, &mut bytes).map(|()| bytes).map_err(|cause| Error::io(path, cause))
    };
    let head = read(0, SAMPLE_BYTES)?;
    let (encoding, mark, why) = match said(path, &head, declared)? {
        Some(said) => said,
        None => match utf8_end(0, length, part, &read)? {
            Utf8::Whole(facts) => return Ok(Decoded::InPlace { from: 0, facts }),
            Utf8::HasZero => (guess(path, &head)?, 0, BY_CONTENT),
            Utf8::Until { at, .. } => {
                let from = at.saturating_sub(SAMPLE_BYTES as u64 / 2) / 2 * 2;
                (guess(path, &read(from, part.max(SAMPLE_BYTES))?)?, 0, BY_CONTENT)
            }
        },
    };
    let from = mark as u64;
    if encoding == UTF_8 {
        return match utf8_end(from, length, part, &read)? {
            Utf8::Whole(facts) => Ok(Decoded::InPlace { from, facts }),
            Utf8::HasZero => Err(no_text(path)),
            Utf8::Until { line, .. } => Err(no_utf8(path, line)),
        };
    }
    let spool = other()?;
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut currency = Currency::of(encoding);
    let (mut at, mut lines, mut wrong_line) = (from, 1, None);
    while at < length {
        let bytes = read(at, part)?;
        at += bytes.len() as u64;
        let mut text = String::new();
        let mut done = 0;
        loop {
            text.reserve(decoder.max_utf8_buffer_length(bytes.len() - done).unwrap_or(part));
            let (result, used, has_errors) =
                decoder.decode_to_string(&bytes[done..], &mut text, at == length);
            done += used;
            if has_errors && wrong_line.is_none() {
                let end = text.find('\u{fffd}').unwrap_or(0);
                wrong_line = Some(lines + text[..end].matches('\n').count());
            }
            if result == CoderResult::InputEmpty {
                break;
            }
        }
        if text.contains('\0') {
            return Err(no_text(path));
        }
        lines += text.matches('\n').count();
        spool.append(currency.restored(text, at == length).as_bytes())?;
    }
    match wrong_line.filter(|_| declared.is_none() && encoding != WINDOWS_1252) {
        Some(line) => Err(wrong_bytes(path, encoding, line)),
        None => {
            notes.push(note(encoding, why));
            Ok(Decoded::Apart(spool))
        }
    }
}

/// How far a file is UTF-8.
enum Utf8 {
    Whole(Facts),
    /// It is, with zeros, which no text has.
    HasZero,
    /// Up to a place of a line.
    Until {
        at: u64,
        line: usize,
    },
}

fn utf8_end(
    from: u64,
    length: u64,
    part: usize,
    read: &impl Fn(u64, usize) -> Result<Vec<u8>>,
) -> Result<Utf8> {
    let (mut at, mut facts) = (from, Facts::default());
    while at < length {
        let bytes = read(at, part)?;
        let is_last = at + bytes.len() as u64 == length;
        let (valid, is_wrong) = match std::str::from_utf8(&bytes) {
            Ok(_) => (bytes.len(), false),
            // A character may be cut by the end of the part.
            Err(error) => {
                (error.valid_up_to(), error.error_len().is_some() || is_last || error.valid_up_to() == 0)
            }
        };
        if memchr(0, &bytes[..valid]).is_some() {
            return Ok(Utf8::HasZero);
        }
        facts.add(&bytes[..valid]);
        at += valid as u64;
        if is_wrong {
            return Ok(Utf8::Until { at, line: 1 + facts.feeds });
        }
    }
    Ok(Utf8::Whole(facts))
}

/// The encoding of a text without a mark.
fn guess(path: &Path, content: &[u8]) -> Result<&'static Encoding> {
    let sample = &content[..content.len().min(SAMPLE_BYTES)];
    if memchr(0, content).is_some() {
        let [even, odd] =
            [0, 1].map(|first| sample.iter().skip(first).step_by(2).filter(|&&byte| byte == 0).count());
        let half = sample.len() / 2;
        return if odd * 2 > half && even * 10 < half.max(10) {
            Ok(UTF_16LE)
        } else if even * 2 > half && odd * 10 < half.max(10) {
            Ok(UTF_16BE)
        } else {
            Err(no_text(path))
        };
    }
    let Err(error) = std::str::from_utf8(content) else { return Ok(UTF_8) };
    // A character of several bytes that is whole is hardly ever met in another encoding.
    let (mut whole, mut broken) = (0usize, 0usize);
    let from = error.valid_up_to().saturating_sub(SAMPLE_BYTES / 2);
    for chunk in content[from..].utf8_chunks().take(SAMPLE_BYTES) {
        whole += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    if whole > 2 * broken {
        return Ok(UTF_8);
    }
    if is_hangul(content) {
        return Ok(EUC_KR);
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(content, true);
    let guessed = detector.guess(None, chardetng::Utf8Detection::Deny);
    // What no decoder takes whole is the encoding that takes everything.
    let is_whole = guessed.decode_without_bom_handling(content).1;
    Ok(if is_whole { WINDOWS_1252 } else { guessed })
}

/// Whether all bytes beyond ASCII are pairs that CP949 has Hangul for, nearly all of them of the 2,350 common syllables
/// (KS X 1001). The other syllables begin or end with bytes that are letters in many an encoding.
fn is_hangul(content: &[u8]) -> bool {
    if EUC_KR.decode_without_bom_handling(content).1 {
        return false;
    }
    let (mut common, mut other, mut at) = (0usize, 0usize, 0);
    while at < content.len() {
        if content[at].is_ascii() {
            at += 1;
            continue;
        }
        let pair = (content[at], content.get(at + 1).copied().unwrap_or(0));
        match pair {
            (0xb0..=0xc8, 0xa1..=0xfe) => common += 1,
            _ => other += 1,
        }
        at += 2;
    }
    common >= 2 && common >= 9 * other
}
