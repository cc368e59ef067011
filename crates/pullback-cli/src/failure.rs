//! How a command ends that cannot do what it is asked: what, what to do, and an exit code.

use crate::flags;
use crate::terminal::say_styled;
use anstyle::{AnsiColor, Style};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use pullback::explain::Catalog;
use std::error::Error as _;
use std::fmt::Display;
use std::io;
use std::path::Path;

/// The exit code of a command that was called wrongly: an unknown name, contradictory settings.
const USAGE: u8 = 2;
/// The exit code of a command that failed: an unreadable file, bad data, a full disk.
const FAILURE: u8 = 1;

/// The result of a command.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command ends.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    what: String,
    help: Option<String>,
    /// The words before what and help.
    words: [String; 2],
}

impl Failure {
    pub(crate) fn usage(what: impl Display, help: impl Display) -> Self {
        Self { code: USAGE, ..Self::new(what, help) }
    }

    pub(crate) fn new(what: impl Display, help: impl Display) -> Self {
        Self::of_code(FAILURE, what.to_string(), Some(help.to_string()))
    }

    /// The end of a command that has said all there is to say.
    pub(crate) fn silent(code: u8) -> Self {
        Self::of_code(code, String::new(), None)
    }

    fn of_code(code: u8, what: String, help: Option<String>) -> Self {
        Self { code, what, help, words: ["error", "help"].map(str::to_owned) }
    }

    /// The same in a language that has words for it.
    pub(crate) fn told(self, catalog: &Catalog) -> Self {
        let what = catalog.told(&self.what);
        if what == self.what {
            return self;
        }
        let help = self.help.map(|help| catalog.told(&help));
        let words = ["report.error", "report.help"].map(|key| catalog.get(key).to_owned());
        Self { what, help, words, ..self }
    }

    /// The same, as a mistake in how the command was called.
    pub(crate) fn into_usage(self) -> Self {
        Self { code: USAGE, ..self }
    }

    /// The same, of a flag.
    pub(crate) fn of(self, flag: &str) -> Self {
        Self { what: format!("{flag}: {}", self.what), ..self }
    }

    pub(crate) fn print(&self) {
        if self.what.is_empty() {
            return;
        }
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let bold = Style::new().bold();
        let [error, help_word] = &self.words;
        say_styled("", error, red, &without_numbers(&self.what));
        if let Some(help) = &self.help {
            say_styled("  ", help_word, bold, help);
        }
    }

    /// Writing to standard output failed; that its reader has gone is no failure to speak of.
    pub(crate) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::silent(0);
        }
        Self::new(
            format!("the output cannot be written: {error}"),
            "check the disk, or where the output goes",
        )
    }

    /// A file could not be written; the old one, if there was one, is still there.
    pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Self {
        let path = path.display();
        match error.kind() {
            io::ErrorKind::IsADirectory => {
                Self::new(format!("{path} is a directory"), "give the name of a file in it")
            }
            io::ErrorKind::NotFound => Self::new(
                format!("{path} cannot be written: {error}"),
                "make the folder first, or check its name",
            ),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::new(format!("{path} cannot be written: {error}"), "make room, or write it elsewhere")
            }
            _ => Self::new(
                format!("{path} cannot be written: {error}"),
                "check who may write there, or write it elsewhere",
            ),
        }
    }
}

/// A message without the numbers that the system gives its errors.
fn without_numbers(message: &str) -> String {
    let mut parts = message.split(" (os error ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |message, part| message + part.split_once(')').map_or("", |(_number, rest)| rest))
}

impl From<pullback::Error> for Failure {
    fn from(error: pullback::Error) -> Self {
        let code = match error.kind() {
            pullback::ErrorKind::Configuration | pullback::ErrorKind::Shape => USAGE,
            _ => FAILURE,
        };
        Self::of_code(code, error.to_string(), error.help_text().map(str::to_owned))
    }
}

/// What clap says of a command line, in the words of all other messages. Help and version are printed.
impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        const SHORT: usize = "--lr".len() + 1;
        let text = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.clone()),
            Some(ContextValue::Strings(texts)) => texts.first().cloned(),
            Some(ContextValue::StyledStr(text)) => Some(text.to_string()),
            _ => None,
        };
        let rendered = error.to_string();
        let usage = rendered.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap_or("pullback");
        // What is no text is no command either.
        let command = std::env::args_os().nth(1).and_then(|word| word.into_string().ok());
        let command = command.filter(|word| !word.starts_with('-'));
        let command = command.map_or("pullback".to_owned(), |name| format!("pullback {name}"));
        let all = |what: &str| format!("`{command} --help` lists the {what}");
        let near = |kind| {
            text(kind).and_then(|name| {
                // Short other names, such as `--y`, are near anything.
                let listed = flags::listed(&name);
                (listed == name || name.len() > SHORT).then(|| format!("did you mean `{listed}`?"))
            })
        };
        let flag = text(ContextKind::InvalidArg).unwrap_or_default();
        let name = flag.split([' ', '=', '[']).next().unwrap_or_default();
        let value = text(ContextKind::InvalidValue).unwrap_or_default();
        match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => match error.print() {
                Ok(()) => Self::silent(error.exit_code() as u8),
                Err(error) => Self::output(&error),
            },
            ErrorKind::ValueValidation => {
                let own = error.source().and_then(|source| source.downcast_ref::<pullback::Error>());
                let cause = error.source().map_or_else(String::new, ToString::to_string);
                let what = if own.is_some() {
                    cause
                } else if cause.contains("float") {
                    format!("`{value}` is not a number")
                } else if cause.contains("integer") || cause.contains("digit") {
                    format!("`{value}` is not a whole number of at least 0")
                } else if cause.contains("too large") {
                    format!("{value} is too large a number")
                } else {
                    cause
                };
                let help = own.and_then(|own| own.help_text().map(str::to_owned));
                Self::usage(
                    format!("{name}: {what}"),
                    help.unwrap_or_else(|| all("flags and what they take")),
                )
            }
            ErrorKind::UnknownArgument if flag.starts_with('-') => Self::usage(
                format!("there is no flag `{name}`"),
                flags::near(name).or_else(|| near(ContextKind::SuggestedArg)).unwrap_or_else(|| all("flags")),
            ),
            ErrorKind::UnknownArgument => {
                let help = match flags::switch_before(&flag) {
                    Some(switch) => format!("to say whether, write `{switch}=true` or `{switch}=false`"),
                    None => format!("the usage is {usage}"),
                };
                Self::usage(format!("`{flag}` is one argument too many"), help)
            }
            ErrorKind::InvalidSubcommand => Self::usage(
                format!("there is no command `{}`", text(ContextKind::InvalidSubcommand).unwrap_or_default()),
                near(ContextKind::SuggestedSubcommand)
                    .unwrap_or_else(|| "`pullback --help` lists the commands".to_owned()),
            ),
            ErrorKind::MissingRequiredArgument => Self::usage(
                format!("{} is missing", flag.trim_end_matches("...")),
                format!("the usage is {usage}"),
            ),
            ErrorKind::InvalidValue if !value.is_empty() => {
                let known = match error.get(ContextKind::ValidValue) {
                    Some(ContextValue::Strings(known)) => known.join(", "),
                    _ => String::new(),
                };
                Self::usage(format!("{name}: there is no `{value}`"), format!("known are {known}"))
            }
            ErrorKind::InvalidValue => Self::usage(
                format!("{name} is given without a value"),
                format!("write {}", flag.trim_start_matches(['[', '<'])),
            ),
            _ => {
                let line = rendered.lines().next().unwrap_or_default();
                Self::usage(line.trim_start_matches("error: "), all("flags and what they take"))
            }
        }
    }
}
