//! JSON lines: an object a row, one after the other, or all of them in one array; `json_forms` makes objects of other
//! tables.
//!
//! A key is a column; a nested object's keys are columns `outer.inner`. Texts, numbers, true and false are cells as
//! they are written, so that a number keeps its digits; null and an absent key are missing.
//!
//! Objects are read window by window, and one that a window cuts again with the next. A column is read as numbers if
//! the first value that it has is one; one that turns out otherwise is read again, as texts.

use crate::budget::Budget;
use crate::csv::MOST_COLUMNS;
use crate::gather::{As, Gathering, placed};
use crate::json_forms::{self, Object, Objects, begins_with_arrays};
use crate::kind::{Context, Profile, Refusal, Said, decide, decide_plain};
use crate::malformed;
use crate::note::{Note, short};
use crate::number::plain;
use crate::raw::{Builder, Raw, Tokens};
use crate::sniff::{ReadOptions, refuse_unknown_types};
use crate::spool::window_bytes;
use crate::text::Text;
use encoding_rs::{Encoding, UTF_8};
use memchr::memmem;
use pullback::data::{ColumnType, StoredValues, Table, Values};
use pullback::error::{Error, ErrorKind, Place, Result};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// So many first bytes tell whether a content is objects.
const HEAD_BYTES: usize = 1 << 10;
/// Objects in objects in objects, so deep.
const DEEPEST: usize = 16;
/// The smallest bound of an object's size.
const LARGEST_OBJECT: usize = 16 << 20;
const ARRAYS: &str = "give each number of an array a key of its own; a table in one object is to be an object a row, in pandas: \
                      `df.to_json(\"table.jsonl\", orient=\"records\", lines=True)`";
const RECORDS: &str =
    "write an object a row; in pandas: `df.to_json(\"table.jsonl\", orient=\"records\", lines=True)`";
const HELP: &str =
    "give one object a line, {\"column\": value, ...}, with texts, numbers, true, false or null";

/// Whether a content begins like objects, in UTF-8 or in UTF-16, as Windows PowerShell writes them.
pub(crate) fn is_json(content: &[u8]) -> bool {
    let head: Vec<u8> = match Encoding::for_bom(content) {
        Some((encoding, mark)) if encoding != UTF_8 => {
            content[mark..].iter().take(HEAD_BYTES).copied().filter(|&byte| byte != 0).collect()
        }
        mark => content[mark.map_or(0, |(_, mark)| mark)..].iter().take(HEAD_BYTES).copied().collect(),
    };
    match head.trim_ascii_start() {
        [b'{', rest @ ..] => matches!(rest.trim_ascii_start().first(), Some(b'"' | b'}')),
        [b'[', rest @ ..] if rest.trim_ascii_start().first() == Some(&b'{') => true,
        head => begins_with_arrays(head),
    }
}

/// What comes next in a text.
enum Next<'a> {
    /// An object, and where it ends.
    Object(Object<'a>, usize),
    /// Nothing that the window has whole.
    Cut,
    End,
}

/// Where a reader stands between objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    /// Objects follow each other.
    Lines,
    /// In an array, before its first object.
    Opened,
    /// After an object.
    Object,
    /// After a comma.
    Comma,
    /// After the array.
    Closed,
}

/// A column while objects are read.
struct Column {
    name: String,
    /// [`None`] until it has a value.
    read_as: Option<As>,
    /// The number of rows up to the last object that has the key.
    rows: usize,
}

/// All rows of a text.
struct Reading<'a> {
    text: &'a Text<'a>,
    options: &'a ReadOptions,
    tokens: Tokens,
    budget: &'a Budget,
    window_bytes: usize,
}

/// The columns in the making, and what a window adds to them.
struct Rows<'r, 'w> {
    reading: &'w Reading<'r>,
    columns: &'w mut Vec<Column>,
    known: &'w mut HashMap<String, usize>,
    builders: Vec<Option<Builder<'w>>>,
    /// How many rows the windows before have.
    before: usize,
    /// How many this one has.
    rows: usize,
}

impl<'r, 'w> Rows<'r, 'w> {
    /// Adds an object as a row.
    fn add(&mut self, object: Object<'w>) -> Result<()> {
        self.object("", object, 0).map_err(|what| {
            let help = if what.contains("is an array") { ARRAYS } else { HELP };
            malformed(Place::file(self.reading.text.path()).row(self.before + self.rows + 1), what, help)
        })?;
        self.rows += 1;
        Ok(())
    }

    fn object(&mut self, prefix: &str, object: Object<'w>, depth: usize) -> Result<(), String> {
        for (key, value) in object.0 {
            let name: Cow<'_, str> =
                if prefix.is_empty() { key } else { Cow::Owned(format!("{prefix}.{key}")) };
            let text = value.get();
            match text.as_bytes().first() {
                Some(b'{') if depth == DEEPEST => {
                    return Err(format!("objects in objects, more than {DEEPEST} deep"));
                }
                Some(b'{') => {
                    let inner: Object<'w> = serde_json::from_str(text).map_err(|error| error.to_string())?;
                    self.object(&name, inner, depth + 1)?;
                }
                Some(b'[') => {
                    return Err(format!(
                        "the value of \"{}\" is an array, which is no cell: {}",
                        short(&name),
                        short(text)
                    ));
                }
                Some(b'"') if text.contains('\\') => {
                    let text: String = serde_json::from_str(text).map_err(|error| error.to_string())?;
                    self.cell(&name, Cow::Owned(text.trim().as_bytes().to_vec()))?;
                }
                Some(b'"') => {
                    self.cell(&name, Cow::Borrowed(text[1..text.len() - 1].trim().as_bytes()))?;
                }
                _ => self.cell(&name, Cow::Borrowed(text.as_bytes()))?,
            }
        }
        Ok(())
    }

    fn cell(&mut self, name: &str, text: Cow<'w, [u8]>) -> Result<(), String> {
        let at = match self.known.get(name) {
            Some(&at) => at,
            None => {
                if self.columns.len() == MOST_COLUMNS {
                    return Err(format!("more than {MOST_COLUMNS} columns"));
                }
                self.known.insert(name.to_owned(), self.columns.len());
                self.columns.push(Column { name: name.to_owned(), read_as: None, rows: 0 });
                self.columns.len() - 1
            }
        };
        let row = self.before + self.rows;
        let column = &mut self.columns[at];
        if column.rows > row {
            return Err(format!("the key \"{}\" stands twice in one object", short(name)));
        }
        column.rows = row + 1;
        let tokens = &self.reading.tokens;
        let is_missing = crate::cell::is_missing(&text) || tokens.has(&text);
        if column.read_as.is_none() && !is_missing {
            let is_plain = plain(&text).is_some_and(|plain| plain.length == text.len());
            column.read_as = Some(match self.reading.is_text(name) || !is_plain {
                true => As::Coded,
                false => As::Plain,
            });
        }
        let Some(read_as) = column.read_as else { return Ok(()) };
        if self.builders.len() <= at {
            self.builders.resize_with(at + 1, || None);
        }
        let budget = self.reading.budget;
        let builder = self.builders[at].get_or_insert_with(|| builder(read_as, budget));
        builder.fill(self.rows);
        builder.push(text, tokens);
        match builder {
            Builder::Coded(cells) if cells.is_full => Err(format!(
                "the values are more different texts than there is memory for, those of \"{}\" over {}",
                short(name),
                cells.names.len()
            )),
            _ => Ok(()),
        }
    }

    /// Whether cells take as much memory as may be used for them before they are put where they belong.
    fn is_full(&self) -> bool {
        self.rows.saturating_mul(self.columns.len()) * size_of::<f64>() >= self.reading.window_bytes
    }

    /// Puts the cells where they belong.
    fn gather(self, gathering: &mut Gathering<'_>, share: f64, notes: &mut Vec<Note>) -> Result<()> {
        let Self { columns, mut builders, before, rows, reading, .. } = self;
        builders.resize_with(columns.len(), || None);
        gathering.reserve((before + rows, columns.len()), share, notes)?;
        for (at, (column, own)) in columns.iter_mut().zip(builders).enumerate() {
            let gathered = gathering.column(at);
            let Some(read_as) = column.read_as else { continue };
            if gathered.rows() < before {
                gathered.add_missing(before - gathered.rows(), read_as)?;
            }
            let mut own = own.unwrap_or_else(|| builder(read_as, reading.budget));
            own.fill(rows);
            gathered.add(own)?;
            if gathered.is_surprised {
                // It is read again in any case.
                column.read_as = Some(As::Skip);
            }
        }
        Ok(())
    }
}

/// The same with texts of equal length in place of `NaN`, `Infinity` and `-Infinity`, which Python writes and JSON does
/// not have; the bytes begin between objects.
fn without_nan(mut bytes: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    const WRITTEN: &[(&[u8], &[u8])] =
        &[(b"NaN", b"\"\" "), (b"Infinity", b"\"inf\"   "), (b"-Infinity", b"\"-inf\"   ")];
    if WRITTEN[..2].iter().all(|(written, _)| memmem::find(&bytes, written).is_none()) {
        return bytes;
    }
    let (mut at, mut is_text) = (0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if is_text => at += 1,
            b'"' => is_text = !is_text,
            b'N' | b'I' | b'-' if !is_text => {
                let rest = &bytes[at..];
                if let Some((written, other)) = WRITTEN.iter().find(|(written, _)| rest.starts_with(written))
                {
                    bytes.to_mut()[at..at + written.len()].copy_from_slice(other);
                    at += written.len() - 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes
}

fn builder(read_as: As, budget: &Budget) -> Builder<'_> {
    match read_as {
        As::Plain => Builder::plain(),
        As::Coded => Builder::coded(budget),
        As::Skip => Builder::Skip,
    }
}

impl<'r> Reading<'r> {
    /// Whether a column is said to be one of texts, so that its numbers are to be kept as they are written.
    fn is_text(&self, name: &str) -> bool {
        matches!(Said::of(self.options, name).kind, Some(ColumnType::Categorical | ColumnType::Time))
    }

    /// Reads all rows; returns how many there are.
    fn read(
        &self,
        columns: &mut Vec<Column>,
        gathering: &mut Gathering<'_>,
        notes: &mut Vec<Note>,
    ) -> Result<usize> {
        let mut known = columns.iter().enumerate().map(|(at, column)| (column.name.clone(), at)).collect();
        columns.iter_mut().for_each(|column| column.rows = 0);
        let (mut at, mut before, mut size) = (0usize, 0, self.window_bytes);
        let mut between = None;
        loop {
            let end = at.saturating_add(size).min(self.text.len());
            let bytes = without_nan(self.text.part(at..end)?);
            let mut rows =
                Rows { reading: self, columns, known: &mut known, builders: Vec::new(), before, rows: 0 };
            let (mut used, mut is_over) = (0, false);
            while !rows.is_full() {
                match self.next(&bytes, &mut used, at, end == self.text.len(), &mut between)? {
                    Next::Object(object, next) => {
                        rows.add(object)?;
                        used = next;
                    }
                    Next::Cut => break,
                    Next::End => {
                        is_over = true;
                        break;
                    }
                }
            }
            before += rows.rows;
            let share = (at + used) as f64 / self.text.len().max(1) as f64;
            rows.gather(gathering, share, notes)?;
            if is_over {
                return Ok(before);
            }
            // An object that is longer than the window.
            size = if used == 0 { size * 2 } else { self.window_bytes };
            if size > LARGEST_OBJECT.max(2 * self.window_bytes) {
                let what =
                    format!("an object of more than {} MB, which is what there is memory for", size >> 21);
                return Err(Error::new(ErrorKind::Memory, what)
                    .at(Place::file(self.text.path()).row(before + 1))
                    .help("give objects with fewer keys, or more memory with `--memory`"));
            }
            at += used;
        }
    }

    /// What comes next in a window that begins at `from`, of which so much is used: spaces and commas are used too.
    fn next<'w>(
        &self,
        bytes: &'w [u8],
        used: &mut usize,
        from: usize,
        is_end: bool,
        between: &mut Option<Between>,
    ) -> Result<Next<'w>> {
        let wrong = |at: usize, what: &str| self.wrong(from + at, 1, what);
        loop {
            *used += bytes[*used..].len() - bytes[*used..].trim_ascii_start().len();
            let byte = bytes.get(*used);
            let state =
                between.get_or_insert(if byte == Some(&b'[') { Between::Opened } else { Between::Lines });
            match (*state, byte) {
                (Between::Lines | Between::Closed, None) if is_end => return Ok(Next::End),
                (_, None) if is_end => return Err(wrong(*used, "EOF while parsing a list")),
                (_, None) => return Ok(Next::Cut),
                (Between::Closed, Some(_)) => return Err(wrong(*used, "trailing characters")),
                (Between::Object, Some(b',')) => *state = Between::Comma,
                (Between::Object, Some(b']')) => *state = Between::Closed,
                (Between::Object, Some(_)) => return Err(wrong(*used, "expected `,` or `]`")),
                (Between::Comma, Some(b']')) => return Err(wrong(*used, "trailing comma")),
                // The bracket itself.
                (Between::Opened, Some(b'[')) => *state = Between::Comma,
                (Between::Lines | Between::Opened | Between::Comma, Some(_)) => break,
            }
            *used += 1;
        }
        let mut objects = serde_json::Deserializer::from_slice(&bytes[*used..]).into_iter::<Object<'_>>();
        match objects.next() {
            None => Ok(Next::Cut),
            Some(Ok(object)) => {
                if *between != Some(Between::Lines) {
                    *between = Some(Between::Object);
                }
                Ok(Next::Object(object, *used + objects.byte_offset()))
            }
            Some(Err(error)) if error.is_eof() && !is_end => Ok(Next::Cut),
            Some(Err(error)) => {
                let what = error.to_string();
                let what = what.split(" at line ").next().unwrap_or_default();
                Err(self.wrong(from + *used, error.line(), what))
            }
        }
    }

    /// What is said of a line, counted from 1 from a place on.
    fn wrong(&self, from: usize, line: usize, what: &str) -> Error {
        match self.text.line_number(from) {
            Ok(first) => {
                let place = Place::file(self.text.path()).line(first + line.max(1) as u64 - 1);
                malformed(place, format!("this is not JSON: {what}"), HELP)
            }
            Err(error) => error,
        }
    }
}

/// Reads a table.
pub(crate) fn read(
    path: &Path,
    text: Text<'_>,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    if text.is_in_file() {
        if begins_with_arrays(&text.part(0..text.len().min(HEAD_BYTES))?) {
            return Err(malformed(Place::file(path), "rows of arrays, more than memory holds", RECORDS));
        }
        return read_objects(path, text, options, notes);
    }
    let bytes = text.part(0..text.len())?;
    if json_forms::are_objects(&bytes) {
        drop(bytes);
        return read_objects(path, text, options, notes);
    }
    let bytes = without_nan(bytes);
    if let Some(found) = json_forms::objects(&bytes, &options.expected) {
        let Objects { bytes, note } = found.map_err(|what| malformed(Place::file(path), what, RECORDS))?;
        notes.push(note);
        return read_objects(path, Text::in_memory(path, &bytes), options, notes);
    }
    drop(bytes);
    read_objects(path, text, options, notes)
}

fn read_objects(path: &Path, text: Text<'_>, options: &ReadOptions, notes: &mut Vec<Note>) -> Result<Table> {
    let budget = Budget::of(options);
    // What is in memory of the text was within its limit.
    budget.take(text.memory_bytes() as u64);
    let window_bytes = window_bytes(options.memory_bytes);
    let reading = Reading {
        text: &text,
        options,
        tokens: Tokens::new(&options.missing),
        budget: &budget,
        window_bytes,
    };
    let mut gathering = Gathering::new(path, options, &budget);
    let mut columns = Vec::new();
    let rows = reading.read(&mut columns, &mut gathering, notes)?;
    if columns.is_empty() {
        return Err(malformed(Place::file(path), "objects without any key", HELP));
    }
    let is_place = |name: &String| name.rsplit_once('.').is_some_and(|(_, at)| at.parse::<u64>().is_ok());
    if rows == 1 && columns.len() > 2 && columns.iter().all(|column| is_place(&column.name)) {
        let what = "an object of columns, as pandas' `to_json` writes by default, not one a row";
        return Err(malformed(Place::file(path), what, RECORDS));
    }
    refuse_unknown_types(path, columns.iter().map(|column| column.name.as_str()), options)?;
    // Columns that turned out otherwise are read again, as texts; those without a value, as what they are.
    let again: Vec<bool> = gathering.columns().iter().map(|column| column.is_surprised).collect();
    for (at, column) in columns.iter_mut().enumerate() {
        match (column.read_as, again[at]) {
            (_, true) => {
                gathering.clear(at);
                column.read_as = Some(As::Coded);
            }
            (None, false) => gathering.column(at).add_missing(rows, As::Coded)?,
            _ => {}
        }
        if !again[at] {
            column.read_as = Some(As::Skip);
        }
    }
    if again.contains(&true) {
        reading.read(&mut columns, &mut gathering, notes)?;
    }
    let store = gathering.store().cloned();
    let made = columns.into_iter().zip(gathering.into_columns()).map(|(Column { name, .. }, gathered)| {
        let said = Said::of(options, &name);
        let records = gathered.records().cloned();
        let (mut decided, as_read) = match gathered.into_raw()?.expect("each column is read once or again") {
            Raw::Plain { numbers, .. } => {
                let decided = decide_plain(&name, numbers, said);
                // Plain numbers are there as they are.
                let is_as_read = matches!(decided.values, Values::Numbers(_));
                (decided, records.filter(|_| is_as_read).map(StoredValues::Numbers))
            }
            Raw::Coded(coded) => {
                let profile = Profile::of(&coded);
                let decided = decide(&name, coded, &profile, said, Context::default());
                let refused = |refusal: Refusal| {
                    let place = Place::file(path).row(refusal.row + 1).column(&name);
                    malformed(place, refusal.what, refusal.help)
                };
                (decided.map_err(refused)?, None)
            }
        };
        notes.append(&mut decided.notes);
        placed(&name, decided, store.as_ref(), as_read)
    });
    let made = made.collect::<Result<Vec<_>>>()?;
    Table::new(path.display().to_string(), made)
}
