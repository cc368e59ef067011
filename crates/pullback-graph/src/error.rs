//! What can go wrong, as data: the kind of error, what is wrong, where, which names are known, what to do.
//!
//! One type serves the library, the readers of files and the command. [`Display`](fmt::Display) prints the place
//! and what is wrong; what to do is told apart, by [`Error::help_text`], so that a front end shows it its own way.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The result of an operation of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong: what a caller can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Operands of an operation do not fit each other; [`Error::shape`] has them.
    Shape,
    /// A network, or the configuration of a training run, contradicts itself, or a name is unknown.
    Configuration,
    /// A table, a file of data or a data set cannot be used as asked.
    Data,
    /// A model file is damaged, or cannot be made.
    Model,
    /// Training had to stop: a cost that is not finite, for example.
    Training,
    /// The operating system refused to read or write; [`source`](StdError::source) has its reason.
    Io,
    /// There is not enough memory.
    Memory,
}

/// What went wrong.
///
/// ```
/// use pullback_graph::{Error, ErrorKind};
///
/// let known = ["sgd", "adam"];
/// let error = Error::configuration("there is no optimizer `adm`").unknown("adm", known);
/// assert_eq!(error.kind(), ErrorKind::Configuration);
/// assert_eq!(error.to_string(), "there is no optimizer `adm`");
/// assert_eq!(error.nearest(), Some("adam"));
/// assert_eq!(error.help_text(), Some("did you mean `adam`?"));
/// ```
#[derive(Clone)]
pub struct Error {
    /// In a box, as results are passed on everywhere and errors are rare.
    content: Box<Content>,
}

#[derive(Clone)]
struct Content {
    kind: ErrorKind,
    what: String,
    place: Option<Place>,
    known: Vec<String>,
    nearest: Option<String>,
    help: Option<String>,
    shape: Option<ShapeError>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of a kind; `what` says what is wrong: lower case, no full stop, values quoted.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        let (place, known, nearest) = (None, Vec::new(), None);
        let content =
            Content { kind, what: what.into(), place, known, nearest, help: None, shape: None, source: None };
        Self { content: Box::new(content) }
    }

    /// An error of [`ErrorKind::Configuration`].
    pub fn configuration(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, what)
    }

    /// An error of [`ErrorKind::Data`].
    pub fn data(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, what)
    }

    /// An error of [`ErrorKind::Model`].
    pub fn model(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Model, what)
    }

    /// An error of [`ErrorKind::Training`].
    pub fn training(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Training, what)
    }

    /// An error of [`ErrorKind::Io`]: a file that cannot be read.
    pub fn io(path: &Path, cause: std::io::Error) -> Self {
        let help = match cause.kind() {
            std::io::ErrorKind::PermissionDenied => "check who may read the file",
            std::io::ErrorKind::NotFound => "check the path",
            _ => "check the path and the disk",
        };
        Self::new(ErrorKind::Io, format!("{} cannot be read: {cause}", path.display()))
            .help(help)
            .caused_by(cause)
    }

    /// An error of [`ErrorKind::Io`]: a file that cannot be written.
    pub fn unwritable(path: &Path, cause: std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, IsADirectory, NotFound, QuotaExceeded, StorageFull};
        let shown = path.display();
        let what = match cause.kind() {
            IsADirectory => format!("{shown} is a directory"),
            _ => format!("{shown} cannot be written: {cause}"),
        };
        let help = match cause.kind() {
            IsADirectory => "give the name of a file in it",
            NotFound => "make the folder first, or check its name",
            StorageFull | QuotaExceeded | FileTooLarge => "make room, or write it elsewhere",
            _ => "check who may write there, or write it elsewhere",
        };
        Self::new(ErrorKind::Io, what).help(help).caused_by(cause)
    }

    /// An error of [`ErrorKind::Configuration`]: a name that is none of the known ones of its kind.
    pub fn unknown_name<S: AsRef<str>>(
        kind_of_name: &str,
        given: &str,
        known: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::configuration(format!("there is no {kind_of_name} `{given}`")).unknown(given, known)
    }

    /// The same, saying what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.content.help = Some(help.into());
        self
    }

    /// The same, saying where.
    pub fn at(mut self, place: Place) -> Self {
        self.content.place = Some(place);
        self
    }

    /// The same of rows of which so many others stand before them.
    pub fn rows_later(mut self, rows: usize) -> Self {
        if let Some(Place { row: Some(row), .. }) = &mut self.content.place {
            *row += rows;
        }
        self
    }

    /// The same for a name that is none of the known ones: keeps these, finds the nearest, and says so as help.
    pub fn unknown<S: AsRef<str>>(mut self, given: &str, known: impl IntoIterator<Item = S>) -> Self {
        let known: Vec<String> = known.into_iter().map(|name| name.as_ref().to_owned()).collect();
        let nearest = nearest_name(given, known.iter().map(String::as_str)).map(str::to_owned);
        self.content.help = Some(match &nearest {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known are {}", listed(known.iter().map(String::as_str))),
        });
        (self.content.known, self.content.nearest) = (known, nearest);
        self
    }

    /// The same, as an error of another kind: what is wrong of a table may be a mistake in how it was asked for.
    pub fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.content.kind = kind;
        self
    }

    /// The same with the error that led to it.
    pub fn caused_by(mut self, cause: impl StdError + Send + Sync + 'static) -> Self {
        self.content.source = Some(Arc::new(cause));
        self
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.content.kind
    }

    /// What is wrong, without the place.
    pub fn what(&self) -> &str {
        &self.content.what
    }

    /// Where it is, if that is a place of a file, a table or a network.
    pub fn place(&self) -> Option<&Place> {
        self.content.place.as_ref()
    }

    /// The names that would have been right, where one was not.
    pub fn known(&self) -> &[String] {
        &self.content.known
    }

    /// The known name that was probably meant.
    pub fn nearest(&self) -> Option<&str> {
        self.content.nearest.as_deref()
    }

    /// What to do about it.
    pub fn help_text(&self) -> Option<&str> {
        self.content.help.as_deref()
    }

    /// The operands that do not fit, of an error of [`ErrorKind::Shape`].
    pub fn shape(&self) -> Option<&ShapeError> {
        self.content.shape.as_ref()
    }

    /// All of it in one line, for where there is room for one text only: `place: what; help`.
    pub fn one_line(&self) -> String {
        match self.help_text() {
            Some(help) => format!("{self}; {help}"),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.content.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.content.what)
    }
}

/// What `unwrap` and a `main` that returns an error print: all of it, for people.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.one_line())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.content.source.as_deref().map(|source| source as _)
    }
}

/// A place in a file, a table or a network, as far as it is known.
///
/// ```
/// use pullback_graph::error::Place;
///
/// let place = Place::source("iris.csv").line(12).column("species");
/// assert_eq!(place.to_string(), "iris.csv, line 12, column \"species\"");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The file or data set.
    pub source: Option<String>,
    /// The line of a text file, counted from 1.
    pub line: Option<u64>,
    /// The row of a table, counted from 1, the header left aside.
    pub row: Option<usize>,
    /// The name of the column.
    pub column: Option<String>,
    /// The layer of a network, as in the names of its parameters.
    pub layer: Option<String>,
}

impl Place {
    /// A data set, by the name that its table has.
    pub fn source(source: impl Into<String>) -> Self {
        Self { source: Some(source.into()), ..Self::default() }
    }

    /// A file.
    pub fn file(path: &Path) -> Self {
        Self::source(path.display().to_string())
    }

    /// A layer of a network.
    pub fn layer(layer: impl fmt::Display) -> Self {
        Self { layer: Some(layer.to_string()), ..Self::default() }
    }

    /// The line there, counted from 1.
    pub fn line(self, line: u64) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The row there, counted from 1.
    pub fn row(self, row: usize) -> Self {
        Self { row: Some(row), ..self }
    }

    /// The column there.
    pub fn column(self, column: &str) -> Self {
        Self { column: Some(column.to_owned()), ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.source.clone(),
            self.line.map(|line| format!("line {line}")),
            self.row.map(|row| format!("row {row}")),
            self.column.as_ref().map(|column| format!("column \"{column}\"")),
            self.layer.as_ref().map(|layer| format!("layer {layer}")),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// Shapes that do not fit an operation, with the operands and where they came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeError {
    /// The operation's name.
    pub operation: String,
    /// What the operation needs.
    pub rule: String,
    /// Each operand: its shape, and the name or formula of the node that it came from.
    pub operands: Vec<(Vec<usize>, String)>,
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not fit its operands: {}", self.operation, self.rule)?;
        for (position, (shape, source)) in self.operands.iter().enumerate() {
            let join = if position == 0 { "; given " } else { " and " };
            write!(f, "{join}{shape:?}")?;
            if !source.is_empty() {
                write!(f, " from {source}")?;
            }
        }
        Ok(())
    }
}

impl StdError for ShapeError {}

impl From<ShapeError> for Error {
    fn from(shape: ShapeError) -> Self {
        let mut error = Self::new(ErrorKind::Shape, shape.to_string());
        error.content.shape = Some(shape);
        error
    }
}

/// The most names that a message lists.
const MOST_NAMES: usize = 20;

/// Names for a message: the first, then how many more.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names[..names.len().min(MOST_NAMES)].join(", ");
    let more = names.len().saturating_sub(MOST_NAMES);
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// The name in `known` that is nearest to `given`, if one is near enough to be what was meant.
///
/// Near is a Damerau-Levenshtein distance (one insertion, deletion, replacement or swap of
/// neighbors counts one) of at most a third of the longer name, letter case left aside, as far as letters are ASCII.
pub fn nearest_name<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_ascii_lowercase();
    let length = given.chars().count();
    known
        .into_iter()
        .map(|name| {
            let lower = name.to_ascii_lowercase();
            (strsim::damerau_levenshtein(&given, &lower), lower.chars().count().max(length), name)
        })
        .filter(|(distance, length, _)| *distance <= (length / 3).max(1))
        .min_by_key(|(distance, ..)| *distance)
        .map(|(.., name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_only_when_near() {
        let names = ["species", "sepal_length", "petal_width"];
        assert_eq!(nearest_name("specise", names), Some("species"));
        assert_eq!(nearest_name("Species", names), Some("species"));
        assert_eq!(nearest_name("color", names), None);
        let error = Error::unknown_name("column", "color", names);
        assert_eq!((error.nearest(), error.known().len()), (None, 3));
        assert_eq!(
            error.one_line(),
            "there is no column `color`; known are species, sepal_length, petal_width"
        );
    }

    #[test]
    fn a_shape_error_names_both_operands_and_their_sources() {
        let shape = ShapeError {
            operation: "matrix product".into(),
            rule: "columns of the left must equal rows of the right".into(),
            operands: vec![(vec![3, 4], "input x".into()), (vec![5, 2], "parameter W".into())],
        };
        let error = Error::from(shape.clone());
        assert_eq!(
            error.to_string(),
            "matrix product does not fit its operands: columns of the left must equal rows of the right; \
             given [3, 4] from input x and [5, 2] from parameter W"
        );
        assert_eq!((error.kind(), error.shape()), (ErrorKind::Shape, Some(&shape)));
    }

    #[test]
    fn a_message_is_place_and_what_and_the_cause_is_kept() {
        let cause = std::io::Error::from(std::io::ErrorKind::NotFound);
        let error = Error::io(Path::new("a: b.csv"), cause);
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.to_string(), "a: b.csv cannot be read: entity not found");
        assert_eq!(error.help_text(), Some("check the path"));
        assert_eq!(error.source().unwrap().to_string(), "entity not found");
        let error = Error::data("\"x: y\" is not a number").at(Place::source("t").row(3)).help("correct it");
        assert_eq!(error.to_string(), "t, row 3: \"x: y\" is not a number");
        assert_eq!(error.what(), "\"x: y\" is not a number");
    }
}
