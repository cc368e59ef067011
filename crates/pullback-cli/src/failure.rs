//! How a command ends that cannot do what it is asked: what, what to do, and an exit code.

use std::fmt::Display;
use std::io;

/// The exit code of a command that was called wrongly: an unknown name, contradictory settings.
const USAGE: u8 = 2;
/// The exit code of a command that failed: an unreadable file, bad data, a full disk.
const FAILURE: u8 = 1;

/// The result of a command.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Why a command ends.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    what: String,
    help: Option<String>,
}

impl Failure {
    pub(crate) fn usage(what: impl Display, help: impl Display) -> Self {
        Self { code: USAGE, what: what.to_string(), help: Some(help.to_string()) }
    }

    pub(crate) fn new(what: impl Display, help: impl Display) -> Self {
        Self { code: FAILURE, what: what.to_string(), help: Some(help.to_string()) }
    }

    /// The same, as a mistake in how the command was called.
    pub(crate) fn into_usage(self) -> Self {
        Self { code: USAGE, ..self }
    }

    pub(crate) fn print(&self) {
        if self.what.is_empty() {
            return; // Nobody listens any more: a closed pipe is no news.
        }
        eprintln!("error: {}", self.what);
        if let Some(help) = &self.help {
            eprintln!("  help: {help}");
        }
    }

    /// Writing to standard output failed; that its reader has gone is no failure to speak of.
    pub(crate) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { code: 0, what: String::new(), help: None };
        }
        Self::new(
            format!("the output cannot be written: {error}"),
            "check the disk, or where the output goes",
        )
    }
}

/// The library's messages say what is wrong and, after the last colon or semicolon, what to do.
fn split(message: &str) -> (String, Option<String>) {
    let cut = [": ", "; "].iter().filter_map(|mark| message.rfind(mark)).max();
    match cut {
        Some(at) => (message[..at].to_owned(), Some(message[at + 2..].to_owned())),
        None => (message.to_owned(), None),
    }
}

impl From<pullback::Error> for Failure {
    fn from(error: pullback::Error) -> Self {
        let (what, help) = split(&error.to_string());
        let code = match error {
            pullback::Error::Configuration(_) | pullback::Error::Shape(_) => USAGE,
            _ => FAILURE,
        };
        Self { code, what, help }
    }
}

impl From<pullback_data::Error> for Failure {
    fn from(error: pullback_data::Error) -> Self {
        match error {
            pullback_data::Error::Table(error) => error.into(),
            error => Self { code: FAILURE, what: error.to_string(), help: error.help().map(str::to_owned) },
        }
    }
}
