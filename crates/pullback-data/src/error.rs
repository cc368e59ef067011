//! What can go wrong when a file is read.

use std::fmt;
use std::path::{Path, PathBuf};

/// The result of reading.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong when a file is read: what, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("{path} cannot be read: {cause}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
        /// What to do.
        help: String,
    },
    /// The content is not what its format says.
    #[error("{place}: {what}")]
    Malformed {
        /// Where.
        place: Place,
        /// What is wrong.
        what: String,
        /// What to do.
        help: String,
    },
    /// What was read makes no table.
    #[error(transparent)]
    Table(#[from] pullback::Error),
}

impl Error {
    /// What to do about it, if the message does not say.
    pub fn help(&self) -> Option<&str> {
        match self {
            Error::Unreadable { help, .. } | Error::Malformed { help, .. } => Some(help),
            Error::Table(_) => None,
        }
    }

    pub(crate) fn malformed(place: Place, what: impl Into<String>, help: impl Into<String>) -> Self {
        Error::Malformed { place, what: what.into(), help: help.into() }
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: Option<u64>,
    /// The name of the column.
    pub column: Option<String>,
}

impl Place {
    pub(crate) fn file(path: &Path) -> Self {
        Self { path: path.to_path_buf(), line: None, column: None }
    }

    pub(crate) fn line(path: &Path, line: u64) -> Self {
        Self { line: Some(line), ..Self::file(path) }
    }

    pub(crate) fn cell(path: &Path, line: u64, column: &str) -> Self {
        Self { column: Some(column.to_owned()), ..Self::line(path, line) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column \"{column}\"")?;
        }
        Ok(())
    }
}
