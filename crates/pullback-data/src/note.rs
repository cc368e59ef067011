//! What a reader decided about a file, as data: for people in a line, for programs in fields.

pub(crate) use pullback::report::number::counted;
use serde::Serialize;
use std::fmt;

/// A decision of a reader that its user may want to know of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What it is about.
    pub kind: NoteKind,
    /// How many lines, rows, columns or cells it is about.
    pub count: usize,
    /// Where: a line, a column, a file in an archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What was done, in a sentence.
    pub words: String,
}

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoteKind {
    /// A compressed file or an archive was unpacked.
    Container,
    /// The text is in another encoding than UTF-8.
    Encoding,
    /// The first line names the columns, or does not, against what could be expected.
    Header,
    /// Columns without a name, or of the same name, were given names.
    Names,
    /// Lines that are no data were left out: titles, comments, footers.
    Lines,
    /// Lines that could be rows were left out: sums, units, a second table.
    Rows,
    /// Rows that do not fit the table were left out.
    BadRows,
    /// Rows or columns without any value were left out.
    Empty,
    /// Numbers were read that programs write in another way.
    Numbers,
    /// Dates were read.
    Dates,
    /// Cells were taken as missing, or look as if they should be.
    Missing,
    /// Memory does not hold the table, which is kept in a temporary file.
    Stored,
    /// A column's type is not what it seems at first.
    Type,
}

impl NoteKind {
    /// Whether data may have been lost or misread, so that a user who hides progress should still see it.
    pub fn is_warning(self) -> bool {
        matches!(self, Self::Rows | Self::BadRows | Self::Names | Self::Missing | Self::Type)
    }
}

impl Note {
    pub(crate) fn new(kind: NoteKind, count: usize, words: impl Into<String>) -> Self {
        Self { kind, count, place: None, words: words.into() }
    }

    pub(crate) fn at(self, place: impl Into<String>) -> Self {
        Self { place: Some(place.into()), ..self }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.words),
            None => f.write_str(&self.words),
        }
    }
}

/// The first few of some texts, quoted.
pub(crate) fn quoted<'a>(texts: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let texts: Vec<&str> = texts.into_iter().collect();
    let shown: Vec<String> = texts.iter().take(most).map(|text| format!("\"{}\"", short(text))).collect();
    let more = texts.len().saturating_sub(most);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// The beginning of a long text, on one line.
pub(crate) fn short(text: &str) -> String {
    short_to(text, 40)
}

/// At most so many characters of a text, on one line.
pub(crate) fn short_to(text: &str, longest: usize) -> String {
    let line: String = text.chars().take(longest).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(longest).is_some() { line + "..." } else { line }
}
