//! All that is printed: lines on standard error, reports and documents on standard output; numbers are formatted by
//! `pullback::report::number`. What is printed for people shows control characters and marks of direction escaped,
//! whatever names, cells and paths hold; CSV, JSON and TOML are printed as they are.

use crate::failure::{Failure, Result};
use anstyle::Style;
use pullback::explain::Catalog;
use pullback::model::Began;
use pullback::report::names::{self, escaped, is_unsafe};
pub(crate) use pullback::report::number::{count, figure, percent, setting, time};
use pullback::train::Training;
use serde::Serialize;
use std::fmt::{Display, Write as _};
use std::io::{self, Write as _};
use unicode_width::UnicodeWidthStr;

/// The width of what is printed where there is no terminal.
pub(crate) const WIDTH: usize = 80;
/// The narrowest and the widest page.
const WIDTHS: (usize, usize) = (50, 160);
/// The width of an entry's name and the space after it.
const INDENT: usize = 10;
/// What is no longer than this is not broken between commas.
const LONGEST_PHRASE: usize = 40;

/// The width of what is printed: the terminal's, or what `COLUMNS` says.
pub(crate) fn width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    // The last column is left free: some terminals begin a line there.
    let seen = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0) - 1);
    said.or_else(seen).unwrap_or(WIDTH).clamp(WIDTHS.0, WIDTHS.1)
}

/// How an optimizer steps: `, learning rate 0.1, batch 32`; what is said of the rate's course stands behind it.
pub(crate) fn steps(training: &Training, course: &str, catalog: &Catalog) -> String {
    let Training { batch, accumulate, ema, optimizer, .. } = training;
    let rate = setting(training.learning_rate());
    let batch = catalog.told(&batch.to_string());
    let mut text = match optimizer.is_searching() {
        true => catalog.get("report.steps_searching").to_owned(),
        false => catalog.say("report.steps", &[("rate", &rate), ("course", &course), ("batch", &batch)]),
    };
    if *accumulate > 1 {
        text += &catalog.say("report.steps_accumulated", &[("count", accumulate)]);
    }
    if let Some(share) = ema {
        text += &catalog.say("report.steps_averaged", &[("share", &setting(*share))]);
    }
    text
}

/// A time in words: `12 ms`, `2 min 5 s`.
pub(crate) fn time_in(seconds: f64, catalog: &Catalog) -> String {
    let words = time(seconds);
    let (more, words) = words.strip_prefix("> ").map_or(("", words.as_str()), |rest| ("> ", rest));
    let words: Vec<&str> = words.split(' ').collect();
    let one = |pair: &[&str]| match pair {
        [number, unit] => catalog.say(&format!("time.{unit}"), &[("number", number)]),
        others => others.join(" "),
    };
    more.to_owned() + &words.chunks(2).map(one).collect::<Vec<_>>().join(" ")
}

/// Writes a line to standard error. That nobody reads it is no failure.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(anstream::stderr(), "{}", escaped(&line.to_string(), is_unsafe));
}

/// Writes a line to standard error that begins with a word in a style, where colors are wanted.
pub(crate) fn say_styled(indent: &str, word: &str, style: Style, line: &str) {
    let _ = writeln!(anstream::stderr(), "{indent}{style}{word}{style:#}: {}", escaped(line, is_unsafe));
}

/// Says what the user should know though nothing failed.
pub(crate) fn warn(line: impl Display) {
    say(format_args!("warning: {line}"));
}

/// The same in a language: what a crate says in English is told in it.
pub(crate) fn warn_in(catalog: &Catalog, line: impl Display) {
    say(catalog.say("report.warning", &[("text", &catalog.told(&line.to_string()))]));
}

/// Says what may be of interest, in a language.
pub(crate) fn note_in(catalog: &Catalog, line: impl Display) {
    say(catalog.say("report.note", &[("text", &catalog.told(&line.to_string()))]));
}

/// Prints a report for people to standard output.
pub(crate) fn print(report: &str) -> Result<()> {
    print_raw(escaped(report, |c| c != '\n' && is_unsafe(c)).as_bytes())
}

/// Prints a text with codes for colors, which are left out if something in it has to be escaped.
pub(crate) fn print_colored(plain: &str, colored: impl FnOnce() -> String) -> Result<()> {
    match plain.chars().any(|c| c != '\n' && is_unsafe(c)) {
        true => print(plain),
        false => print_raw(colored().as_bytes()),
    }
}

/// Prints a JSON document to standard output.
pub(crate) fn print_json(document: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(document).map_err(|error| {
        Failure::new(format!("the report cannot be written as JSON: {error}"), "report this")
    })?;
    print_raw(format!("{text}\n").as_bytes())
}

/// Prints bytes to standard output: a document for programs.
pub(crate) fn print_raw(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// Adds an entry to a report: a name, and what it is, in lines of at most [`width`].
pub(crate) fn entry(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "{}{}", padded(name, INDENT), wrapped(value, INDENT));
}

/// A text in lines of at most [`width`] columns that start at column `indent`, the first one aside.
/// What stands between commas stays together where it can.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
    let (width, text) = (width(), escaped(text, is_unsafe));
    let words: Vec<&str> = text.split(' ').collect();
    let mut pieces: Vec<String> = Vec::new();
    for phrase in words.split_inclusive(|word| word.ends_with([',', ';'])) {
        let whole = phrase.join(" ");
        if whole.width() <= LONGEST_PHRASE {
            pieces.push(whole);
        } else {
            pieces.extend(phrase.iter().copied().map(str::to_owned));
        }
    }
    let mut lines = String::new();
    let mut column = indent;
    for (at, piece) in pieces.iter().enumerate() {
        let length = piece.width();
        if at > 0 && column + 1 + length > width {
            let _ = write!(lines, "\n{:indent$}", "");
            column = indent;
        } else if at > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(piece);
        column += length;
    }
    lines
}

/// A text with spaces up to `width` columns behind it.
pub(crate) fn padded(text: &str, width: usize) -> String {
    format!("{text}{:1$}", "", width.saturating_sub(text.width()))
}

/// The beginning of a text that is wider than `width` columns, marked as such.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    names::shortened(&escaped(text, is_unsafe), width, '~', UnicodeWidthStr::width)
}

/// Which model a run began with.
pub(crate) fn began_with(began: &Began, catalog: &Catalog) -> String {
    let Began { model, hash, epochs, data, has_new_head } = began;
    let on = data
        .as_ref()
        .map_or(String::new(), |data| catalog.say("report.from_data", &[("data", &data.source)]));
    let head = if *has_new_head { catalog.get("report.from_new_head") } else { "" };
    catalog.say(
        "report.from",
        &[("model", model), ("hash", hash), ("epochs", epochs), ("on", &on), ("head", &head)],
    )
}

/// A path as it is typed in a shell.
pub(crate) fn typed(path: impl Display) -> String {
    let path = path.to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=,:@%".contains(c);
    if !path.is_empty() && path.chars().all(is_plain) {
        path
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_escaped() {
        let shown = |text: &str| escaped(text, is_unsafe).into_owned();
        assert_eq!(shown("a\u{1b}[2J\u{9b}1m\r\n"), "a\\u{1b}[2J\\u{9b}1m\\r\\n");
        assert_eq!(shown("\u{202e}txt.exe\u{2066}\u{feff}"), "\\u{202e}txt.exe\\u{2066}\\u{feff}");
        assert_eq!(shown("petal_width, 한국어, é, 👍🏽"), "petal_width, 한국어, é, 👍🏽");
        assert_eq!(wrapped("a\nb", 4), "a\\nb");
    }

    #[test]
    fn lines_end_before_the_edge() {
        let text = wrapped(&"word ".repeat(50), 10);
        assert!(text.lines().all(|line| line.len() <= width()), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("          ")), "{text}");
        assert_eq!(wrapped("short", 10), "short");
        let text = wrapped(&"seed 0, ".repeat(20), 10);
        assert!(text.lines().all(|line| line.trim_end().ends_with("0,")), "{text}");
    }

    #[test]
    fn a_path_with_a_space_is_quoted() {
        assert_eq!(typed("a/b.csv"), "a/b.csv");
        assert_eq!(typed("my data.csv"), "'my data.csv'");
        assert_eq!(typed("it's"), r"'it'\''s'");
    }
}
