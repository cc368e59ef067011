//! From the bytes of a text file to UTF-8: by a byte-order mark, else by content.
//!
//! Without a mark: text without zero bytes that is valid UTF-8 is UTF-8. UTF-16 without a mark shows itself
//! by zeros in every second byte. Of the older encodings, text whose pairs of high bytes are all Hangul is
//! CP949; others are told apart by chardetng, which Firefox uses. Valid characters of UTF-8 beside few invalid
//! bytes are a damaged UTF-8 file, not another encoding.

use crate::malformed;
use crate::note::{Note, NoteKind};
use encoding_rs::{EUC_KR, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use pullback::error::{Place, Result};
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
    let (encoding, length, why) = match declared {
        Some(name) => {
            let encoding = Encoding::for_label(name.as_bytes())
                .or_else(|| (name.eq_ignore_ascii_case("cp949") || name.eq_ignore_ascii_case("uhc")).then_some(EUC_KR))
                .or_else(|| name.to_lowercase().strip_prefix("cp").and_then(|page| Encoding::for_label(format!("windows-{page}").as_bytes())))
                .ok_or_else(|| {
                    malformed(
                        Place::file(path),
                        format!("there is no encoding \"{name}\""),
                        "write its usual name, for example `--encoding cp949`, `latin1`, `utf-16le`, `shift_jis`",
                    )
                })?;
            let mark = Encoding::for_bom(&content).filter(|(marked, _)| *marked == encoding);
            (encoding, mark.map_or(0, |(_, length)| length), "as asked")
        }
        None => match Encoding::for_bom(&content) {
            Some((encoding, length)) => (encoding, length, "by its byte-order mark"),
            None => (guess(path, &content)?, 0, "by its content"),
        },
    };
    if encoding == UTF_8 {
        let mut content = content;
        content.drain(..length);
        if content.contains(&0) {
            return Err(malformed(
                Place::file(path),
                "this is not text: it contains zero bytes",
                "give a CSV or TSV file, or a format that `pullback train --help` lists",
            ));
        }
        if let Err(error) = std::str::from_utf8(&content) {
            let line = 1 + content[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
            return Err(malformed(
                Place::file(path).line(line as u64),
                "a byte that is not UTF-8, as the rest of the file is",
                "correct the line, or name the encoding with `--encoding NAME`",
            ));
        }
        return Ok(content);
    }
    let (text, has_errors) = encoding.decode_without_bom_handling(&content[length..]);
    if has_errors && declared.is_none() && encoding != WINDOWS_1252 {
        let at = text.find('\u{fffd}').unwrap_or(0);
        let line = 1 + text[..at].matches('\n').count();
        return Err(malformed(
            Place::file(path).line(line as u64),
            format!("bytes that are not {}, as the rest of the file seems to be", encoding.name()),
            "name the encoding with `--encoding NAME`, or save the file as UTF-8",
        ));
    }
    if text.contains('\0') {
        return Err(malformed(
            Place::file(path),
            "this is not text: it contains zero bytes",
            "give a CSV or TSV file, or a format that `pullback train --help` lists",
        ));
    }
    let name = if encoding == EUC_KR { "CP949" } else { encoding.name() };
    let other = if why == "by its content" { "; `--encoding NAME` names another" } else { "" };
    notes.push(Note::new(NoteKind::Encoding, 1, format!("the text is {name}, {why}{other}")));
    Ok(text.into_owned().into_bytes())
}

/// The encoding of a text without a mark.
fn guess(path: &Path, content: &[u8]) -> Result<&'static Encoding> {
    let sample = &content[..content.len().min(SAMPLE_BYTES)];
    if content.contains(&0) {
        let [even, odd] =
            [0, 1].map(|first| sample.iter().skip(first).step_by(2).filter(|&&byte| byte == 0).count());
        let half = sample.len() / 2;
        return if odd * 2 > half && even * 10 < half.max(10) {
            Ok(UTF_16LE)
        } else if even * 2 > half && odd * 10 < half.max(10) {
            Ok(UTF_16BE)
        } else {
            Err(malformed(
                Place::file(path),
                "this is not text: it contains zero bytes",
                "give a CSV or TSV file, or a format that `pullback train --help` lists",
            ))
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

/// Whether all bytes beyond ASCII are pairs that CP949 has Hangul for, most of them among the common syllables.
fn is_hangul(content: &[u8]) -> bool {
    let (text, has_errors) = EUC_KR.decode_without_bom_handling(content);
    if has_errors {
        return false;
    }
    let (mut hangul, mut other) = (0usize, 0usize);
    for c in text.chars().filter(|c| !c.is_ascii()) {
        match c {
            '가'..='힣' => hangul += 1,
            _ => other += 1,
        }
    }
    hangul >= 2 && hangul >= 9 * other
}
