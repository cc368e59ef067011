//! Comma-separated text, and its relatives with semicolons, tabs, bars or spaces.
//!
//! `dialect` finds out delimiter, names and where the rows are; `record` cuts text into fields; this file reads the
//! rows, in chunks on several threads, into raw columns, whose types `kind` decides. Each column is read as what the
//! first rows make it seem; one that turns out otherwise is read again.
//!
//! What memory does not hold is read window by window, and its cells go to a store; what it holds is one window.

mod border;
mod dialect;
mod fixed;
mod footer;
mod record;
mod second;
mod sums;

pub(crate) use dialect::MOST_COLUMNS;

pub(crate) use record::{LARGEST_FIELD, Syntax, next_record};

use crate::budget::Budget;
use crate::gather::{As, Gathered, placed};
use crate::kind::{Context, Decided, Profile, Said, context, decide, decide_plain};
use crate::note::{Note, NoteKind, counted};
use crate::number::plain;
use crate::raw::{Builder, Raw, Tokens};
use crate::sniff::{ReadOptions, refuse_unknown_types};
use crate::text::Text;
use crate::{malformed, spool};
use dialect::{Dialect, Known};
use pullback::data::{ColumnType, Store, StoredValues, Table, Values};
use pullback::error::{Error, Place, Result};
use record::{Trouble, after, field, line_end, next_line, skip_blank};
use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// So many rows tell how a column is read first.
const SAMPLE_ROWS: usize = 100;
/// The byte-order mark in UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();
/// Smaller chunks are not worth a thread.
const CHUNK_BYTES: usize = 1 << 18;
/// So few numbers of a target may be classes.
const MOST_CLASSES: usize = 20;
/// At most so many bad rows are named.
const MOST_BAD: usize = 3;

/// A row that does not fit the table.
struct Bad {
    at: usize,
    what: String,
}

/// What a chunk of rows holds.
struct Chunk<'a> {
    columns: Vec<Builder<'a>>,
    rows: usize,
    bad: Vec<Bad>,
    bad_count: usize,
    comments: usize,
    headers: usize,
    /// Where it ends: where the next begins, if that begins between records.
    end: usize,
}

/// What all chunks share.
struct Rows<'a> {
    bytes: &'a [u8],
    syntax: Syntax,
    columns: usize,
    header: Option<&'a [u8]>,
    tokens: &'a Tokens,
}

impl<'a> Rows<'a> {
    /// Reads the rows that begin in a range; trouble with quotes makes a row bad.
    fn read(&self, range: Range<usize>, mut columns: Vec<Builder<'a>>) -> Chunk<'a> {
        let bytes = self.bytes;
        let (mut at, mut rows) = (range.start, 0usize);
        let (mut bad, mut bad_count, mut comments, mut headers) = (Vec::new(), 0usize, 0usize, 0usize);
        let one = self.columns == 1;
        loop {
            if !one && at < range.end {
                at = skip_blank(&bytes[..range.end], at).0;
            }
            if at >= range.end {
                break;
            }
            // Files that were put one after the other have their marks between rows.
            while bytes[at..].starts_with(MARK) {
                at += MARK.len();
            }
            let start = at;
            if let Some(header) = self.header
                && bytes[at..].starts_with(header)
                && line_end(bytes, at) == at + header.len()
            {
                headers += 1;
                at = next_line(bytes, at);
                // The line that is drawn below them.
                if at < range.end && bytes[at] != b'#' && is_no_row(bytes, at) {
                    comments += 1;
                    at = next_line(bytes, at);
                }
                continue;
            }
            if let Err(trouble) = self.row(bytes, &mut at, &mut columns) {
                for column in &mut columns {
                    column.truncate(rows);
                }
                let what = match trouble {
                    RowTrouble::Fields(_) if is_no_row(bytes, start) => {
                        comments += 1;
                        at = next_line(bytes, start);
                        continue;
                    }
                    RowTrouble::Fields(count) => {
                        format!("{} where the table has {}", counted(count, "field"), self.columns)
                    }
                    RowTrouble::Text(trouble) => {
                        at = next_line(bytes, start);
                        words(trouble).to_owned()
                    }
                };
                bad_count += 1;
                if bad.len() < MOST_BAD {
                    bad.push(Bad { at: start, what });
                }
                continue;
            }
            rows += 1;
        }
        Chunk { columns, rows, bad, bad_count, comments, headers, end: at }
    }

    /// Reads a row.
    #[inline]
    fn row(&self, bytes: &'a [u8], at: &mut usize, columns: &mut [Builder<'a>]) -> Result<(), RowTrouble> {
        if self.syntax.is_whitespace() {
            *at += bytes[*at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        }
        let count = columns.len();
        for (position, column) in columns.iter_mut().enumerate() {
            let is_last = 'field: {
                // A plain number is read at once, without looking for its end first.
                if let Builder::Plain(cells) = column
                    && let Some(number) = plain(&bytes[*at..])
                    && let Some((next, is_last)) = after(bytes, *at + number.length, self.syntax)
                {
                    Builder::push_plain(cells, number, self.tokens);
                    *at = next;
                    break 'field is_last;
                }
                let found = field(bytes, *at, self.syntax).map_err(RowTrouble::Text)?;
                column.push(found.text, self.tokens);
                *at = found.next;
                found.is_last
            };
            if is_last {
                return if position + 1 == count { Ok(()) } else { Err(RowTrouble::Fields(position + 1)) };
            }
        }
        // More fields: none of them may hold anything.
        let mut fields = count;
        let mut is_empty = true;
        loop {
            let found = field(bytes, *at, self.syntax).map_err(RowTrouble::Text)?;
            fields += 1;
            is_empty &= found.text.is_empty();
            *at = found.next;
            if found.is_last {
                return if is_empty { Ok(()) } else { Err(RowTrouble::Fields(fields)) };
            }
        }
    }

    /// Reads all rows of a range on several threads.
    fn read_all(
        &self,
        range: &Range<usize>,
        threads: usize,
        builders: &(dyn Fn() -> Vec<Builder<'a>> + Sync),
    ) -> Vec<Chunk<'a>> {
        let parts = threads.min(range.len() / CHUNK_BYTES);
        let read_alone = || vec![self.read(range.clone(), builders())];
        if parts < 2 {
            return read_alone();
        }
        let (bytes, syntax) = (self.bytes, self.syntax);
        let guessed = border::by_quotes(bytes, range, parts, syntax);
        if border::are_likely(bytes, &guessed, self.columns, syntax)
            && let Some(chunks) = self.read_side_by_side(&guessed, builders)
        {
            return chunks;
        }
        let borders = border::by_records(bytes, range, parts, syntax);
        self.read_side_by_side(&borders, builders).unwrap_or_else(read_alone)
    }

    /// Reads the parts between borders, each on a thread; [`None`] if one of them stands within a record.
    fn read_side_by_side(
        &self,
        borders: &[usize],
        builders: &(dyn Fn() -> Vec<Builder<'a>> + Sync),
    ) -> Option<Vec<Chunk<'a>>> {
        let ranges: Vec<Range<usize>> = borders.windows(2).map(|pair| pair[0]..pair[1]).collect();
        let chunks: Vec<Chunk<'a>> = thread::scope(|scope| {
            let read = |range: &Range<usize>| self.read(range.clone(), builders());
            let readers: Vec<_> = (ranges[1..].iter())
                .map(|range| (range, thread::Builder::new().spawn_scoped(scope, move || read(range)).ok()))
                .collect();
            let mut chunks = vec![read(&ranges[0])];
            // Where the system gives no thread, this one reads.
            chunks.extend(readers.into_iter().map(|(range, reader)| match reader {
                Some(reader) => reader.join().expect("reading rows ends in a chunk"),
                None => read(range),
            }));
            chunks
        });
        if chunks.iter().zip(&ranges).all(|(chunk, range)| chunk.end == range.end) {
            return Some(chunks);
        }
        chunks.into_iter().flat_map(|chunk| chunk.columns).for_each(Builder::give_up);
        None
    }

    /// Where the row with a number begins, counted from 0; rows that do not fit are not counted.
    fn place_of(&self, row: usize) -> usize {
        let bytes = self.bytes;
        let mut at = 0;
        let mut rows = 0;
        let mut columns: Vec<Builder<'a>> = (0..self.columns).map(|_| Builder::Skip).collect();
        loop {
            if self.columns > 1 {
                at = skip_blank(bytes, at).0;
            }
            while bytes[at..].starts_with(MARK) {
                at += MARK.len();
            }
            let start = at;
            let is_header = self.header.is_some_and(|header| {
                bytes[at..].starts_with(header) && line_end(bytes, at) == at + header.len()
            });
            let read = self.row(bytes, &mut at, &mut columns);
            if at >= bytes.len() && at == start {
                return start;
            }
            match read {
                _ if is_header => {
                    at = next_line(bytes, start);
                    if at < bytes.len() && bytes[at] != b'#' && is_no_row(bytes, at) {
                        at = next_line(bytes, at);
                    }
                }
                Ok(()) if rows == row => return start,
                Ok(()) => rows += 1,
                Err(RowTrouble::Fields(_)) if !is_no_row(bytes, start) => {}
                Err(_) => at = next_line(bytes, start),
            }
        }
    }
}

/// Whether a line that does not fit is a comment, or one that is drawn, as databases print them between header and rows:
/// `----+-----`.
fn is_no_row(bytes: &[u8], at: usize) -> bool {
    let line = bytes[at..line_end(bytes, at)].trim_ascii();
    bytes[at] == b'#'
        || line.len() > 2
            && line.iter().all(|byte| matches!(byte, b'-' | b'+' | b'=' | b'|' | b':' | b' ' | b'\t'))
}

enum RowTrouble {
    Fields(usize),
    Text(Trouble),
}

fn words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::AfterQuote(_) => "text stands after a closing quote",
        Trouble::OpenQuote(_) => "a quote is opened here and not closed",
        Trouble::Large(_) => "a field is larger than 1 MiB",
    }
}

fn refused(text: &Text<'_>, trouble: Trouble) -> Error {
    let (Trouble::AfterQuote(at) | Trouble::OpenQuote(at) | Trouble::Large(at)) = trouble;
    text.malformed(
        at,
        match trouble {
            Trouble::Large(_) => format!("a field has more than {LARGEST_FIELD} bytes"),
            _ => words(trouble).to_owned(),
        },
        "look for a quote that is opened and never closed; a quote within a quoted field is written twice",
    )
}

/// All rows of a text, read window by window, some or all columns of them.
struct Reading<'a> {
    text: &'a Text<'a>,
    syntax: Syntax,
    names: &'a [String],
    header: Option<&'a [u8]>,
    tokens: &'a Tokens,
    range: Range<usize>,
    threads: usize,
    budget: &'a Budget,
    /// Where cells go that memory does not hold.
    store: Option<Arc<dyn Store>>,
}

/// What all windows hold.
#[derive(Default)]
struct Found {
    columns: Vec<Gathered>,
    /// Where each window begins, and how many rows it has.
    windows: Vec<(usize, usize)>,
    rows: usize,
    bad: Vec<Bad>,
    bad_count: usize,
    comments: usize,
    headers: usize,
    /// A column with more texts than there is memory for, and how many were read.
    full: Option<(usize, usize)>,
}

impl<'a> Reading<'a> {
    fn rows<'b>(&'b self, bytes: &'b [u8]) -> Rows<'b> {
        let (columns, syntax, header, tokens) = (self.names.len(), self.syntax, self.header, self.tokens);
        Rows { bytes, syntax, columns, header, tokens }
    }

    fn window(&self, at: usize) -> Result<Cow<'a, [u8]>> {
        self.text.window(at, self.range.end, self.syntax)
    }

    /// What the first rows say of how columns are to be read.
    ///
    /// A target of few numbers that are written in their own way, such as `1.0`, is one of texts first.
    fn sampled(
        &self,
        is_declared: impl Fn(&String) -> bool,
        is_target: impl Fn(&String) -> bool,
    ) -> Result<Vec<As>> {
        let window = match self.range.is_empty() {
            true => Cow::Borrowed(&[][..]),
            false => self.window(self.range.start)?,
        };
        let mut end = 0;
        for _ in 0..SAMPLE_ROWS {
            if end >= window.len() {
                break;
            }
            end = next_record(&window, end, self.syntax);
        }
        let budget = Budget::new(u64::MAX);
        let builder = |name| if is_target(name) { Builder::coded(&budget) } else { Builder::plain() };
        let builders = self.names.iter().map(builder).collect();
        let sampled = self.rows(&window).read(0..end, builders);
        let is_written_otherwise = |name: &Cow<'_, [u8]>| {
            let number = plain(name).filter(|plain| plain.length == name.len());
            number.is_none_or(|plain| plain.value.to_string().as_bytes() != &name[..])
        };
        let read_as = |(column, name): (&Builder<'_>, &String)| match column {
            _ if is_declared(name) => As::Coded,
            Builder::Coded(cells) => {
                let are_few = cells.names.len() <= MOST_CLASSES;
                let is_plain =
                    |name: &Cow<'_, [u8]>| plain(name).is_some_and(|plain| plain.length == name.len());
                match cells.names.iter().all(is_plain)
                    && !(are_few && cells.names.iter().any(is_written_otherwise))
                {
                    true => As::Plain,
                    false => As::Coded,
                }
            }
            Builder::Plain(cells) if cells.is_surprised => As::Coded,
            _ => As::Plain,
        };
        Ok(sampled.columns.iter().zip(self.names).map(read_as).collect())
    }

    /// Reads the rows. A column of plain numbers that turns out otherwise is left where that shows.
    fn read(&self, columns: &[As]) -> Result<Found> {
        let mut found = Found {
            columns: columns.iter().map(|_| Gathered::new(self.store.clone())).collect(),
            ..Found::default()
        };
        let mut at = self.range.start;
        while at < self.range.end && found.full.is_none() {
            let window = self.window(at)?;
            let builder = |(read_as, column): (&As, &Gathered)| match read_as {
                As::Coded => Builder::coded(self.budget),
                As::Plain if !column.is_surprised => Builder::plain(),
                As::Plain | As::Skip => Builder::Skip,
            };
            let builders = || columns.iter().zip(&found.columns).map(builder).collect();
            let chunks = self.rows(&window).read_all(&(0..window.len()), self.threads, &builders);
            let mut parts = Vec::new();
            let mut rows = 0;
            for chunk in chunks {
                rows += chunk.rows;
                found.bad_count += chunk.bad_count;
                let left = MOST_BAD - found.bad.len();
                found.bad.extend(chunk.bad.into_iter().take(left).map(|bad| Bad { at: at + bad.at, ..bad }));
                found.comments += chunk.comments;
                found.headers += chunk.headers;
                found.full = found.full.or(full(&chunk.columns));
                parts.push(chunk.columns.into_iter());
            }
            for column in &mut found.columns {
                // One column after the other, so that no more than one is there twice.
                parts.iter_mut().filter_map(Iterator::next).try_for_each(|part| column.add(part))?;
            }
            found.windows.push((at, rows));
            found.rows += rows;
            at += window.len();
        }
        Ok(found)
    }

    /// Reads some columns again, as texts, whose cells replace what was read before.
    fn read_again(&self, again: &[bool], columns: &mut [Gathered]) -> Result<()> {
        if !again.contains(&true) {
            return Ok(());
        }
        let columns_as: Vec<As> =
            again.iter().map(|&again| if again { As::Coded } else { As::Skip }).collect();
        // Their memory is free for the new ones.
        for (own, _) in columns.iter_mut().zip(again).filter(|(_, again)| **again) {
            *own = Gathered::new(None);
        }
        let found = self.read(&columns_as)?;
        self.refuse_full(&found)?;
        for ((own, new), _) in columns.iter_mut().zip(found.columns).zip(again).filter(|(_, again)| **again) {
            *own = new;
        }
        Ok(())
    }

    /// Refuses columns with more texts than there is memory for.
    fn refuse_full(&self, found: &Found) -> Result<()> {
        let Some((column, texts)) = found.full else { return Ok(()) };
        Err(self.budget.too_many_texts(self.text.path(), &self.names[column], texts))
    }

    /// Refuses rows that do not fit, or counts them.
    fn refuse_bad(&self, found: &Found, options: &ReadOptions, notes: &mut Vec<Note>) -> Result<()> {
        let Found { bad, bad_count: count, .. } = found;
        let Some(first) = bad.first() else { return Ok(()) };
        if options.skips_bad_rows {
            notes.push(
                Note::new(
                    NoteKind::BadRows,
                    *count,
                    format!("{} left out, the first with {}", counted(*count, "bad row"), first.what),
                )
                .at(format!("line {}", self.text.line_number(first.at)?)),
            );
            return Ok(());
        }
        let mut others = Vec::new();
        for bad in &bad[1..] {
            others.push(format!("line {}: {}", self.text.line_number(bad.at)?, bad.what));
        }
        let more = count - bad.len();
        let mut what = first.what.clone();
        if !others.is_empty() {
            what = format!("{what}; also {}", others.join(", "));
        }
        if more > 0 {
            what = format!("{what}, and {more} more");
        }
        Err(self.text.malformed(
            first.at,
            what,
            "give every line the same number of fields, quote fields that contain the delimiter, and write a quote \
             within quotes twice; `--skip-bad-rows` leaves such rows out and counts them",
        ))
    }

    /// Where a row begins, counted from 0; rows that do not fit are not counted.
    fn place_of(&self, windows: &[(usize, usize)], row: usize) -> Result<usize> {
        let mut row = row;
        for &(at, rows) in windows {
            if row < rows {
                return Ok(at + self.rows(&self.window(at)?).place_of(row));
            }
            row -= rows;
        }
        Ok(self.range.start)
    }
}

/// The first column of a chunk with more texts than there is memory for, and how many were read.
fn full(columns: &[Builder<'_>]) -> Option<(usize, usize)> {
    columns.iter().enumerate().find_map(|(at, column)| match column {
        Builder::Coded(cells) if cells.is_full => Some((at, cells.names.len())),
        _ => None,
    })
}

/// Reads a table.
pub(crate) fn read(
    path: &Path,
    mut text: Text<'_>,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    let (tail, offset) = text.tail()?;
    if let Some(before) = tail.trim_ascii_end().strip_suffix(b"\x1a") {
        let length = offset + before.len();
        text = text.shortened(length);
        notes.push(Note::new(NoteKind::Lines, 1, "the mark of the file's end (Ctrl-Z) is left out"));
    }
    drop(tail);
    // What memory does not hold is no listing that people print.
    if options.delimiter.is_none()
        && !text.is_in_file()
        && let Some(fixed) = fixed::with_tabs(&text.part(0..text.len())?, notes)
    {
        return table(path, Text::in_memory(path, &fixed), options, notes);
    }
    table(path, text, options, notes)
}

/// The table of a text without a mark at its end.
fn table(path: &Path, text: Text<'_>, options: &ReadOptions, notes: &mut Vec<Note>) -> Result<Table> {
    let mut text = text.with_facts()?;
    let known = Known {
        delimiter: options.delimiter,
        has_header: options.has_header,
        expected: &options.expected,
        keeps_rows: options.keeps_rows,
    };
    let before = notes.len();
    let mut dialect = dialect::sniff(&text, &known, notes)?.map_err(|trouble| refused(&text, trouble))?;
    let second = match &dialect {
        Some(Dialect { syntax, names, header, rows: (from, to) }) => {
            let first = second::First { syntax: *syntax, names, header: header.as_deref() };
            second::begins(&text, *from..*to, &first)?
        }
        None => None,
    };
    if let Some(at) = second {
        let line = text.line_number(at)?;
        let lines = text.facts()?.line_ends();
        text = text.shortened(at).with_facts()?;
        let left_out = (lines - text.facts()?.line_ends()).max(1);
        notes.truncate(before);
        dialect = dialect::sniff(&text, &known, notes)?.map_err(|trouble| refused(&text, trouble))?;
        let words = format!("a second table below the first is left out: {}", counted(left_out, "line"));
        notes.push(Note::new(NoteKind::Rows, left_out, words).at(format!("line {line}")));
    }
    let Some(dialect) = dialect else {
        return Err(malformed(
            Place::file(path),
            "the file has no lines but empty ones",
            "give a file with at least one row",
        ));
    };
    let Dialect { syntax, names, header, rows: (from, to) } = dialect;
    if names.len() > MOST_COLUMNS {
        return Err(malformed(
            Place::file(path),
            format!("more than {MOST_COLUMNS} columns"),
            "give a table with fewer columns, or one row a line",
        ));
    }
    refuse_unknown_types(path, names.iter().map(String::as_str), options)?;
    let tokens = Tokens::new(&options.missing);
    let range = from..to.max(from);
    let budget = Budget::new(options.memory_bytes);
    // Without the line of names.
    let lines = text.facts()?.line_ends().saturating_sub(1);
    let store = spool::for_cells(path, &text, (lines + 1, names.len()), &budget, options, notes)?;
    if store.is_some() {
        text = text.with_window(spool::window_bytes(options.memory_bytes));
    }
    let reading = Reading {
        text: &text,
        syntax,
        names: &names,
        header: header.as_deref().filter(|header| !header.is_empty()),
        tokens: &tokens,
        range,
        threads: options.threads,
        budget: &budget,
        store,
    };
    // What the first rows are tells how each column is read first.
    let columns_as = reading.sampled(
        |name| matches!(Said::of(options, name).kind, Some(ColumnType::Categorical | ColumnType::Time)),
        |name| options.known.is_empty() && options.expected.contains(name),
    )?;
    let mut found = reading.read(&columns_as)?;
    reading.refuse_bad(&found, options, notes)?;
    reading.refuse_full(&found)?;
    if found.rows == 0 {
        return Err(malformed(
            Place::file(path),
            "a header and no rows",
            "give at least one row of data below the header",
        ));
    }
    for (count, what) in [
        (found.comments, "comments or drawn lines between the rows"),
        (found.headers, "names of the columns that stand again between the rows"),
    ] {
        if count > 0 {
            let kind = if options.keeps_rows { NoteKind::Rows } else { NoteKind::Lines };
            notes.push(Note::new(kind, count, format!("{} left out: {what}", counted(count, "line"))));
        }
    }
    // Columns that turned out otherwise are read again, as texts.
    let again: Vec<bool> = found.columns.iter().map(|column| column.is_surprised).collect();
    reading.read_again(&again, &mut found.columns)?;
    // In a file with decimal commas a point before three digits stands between thousands.
    let mut profiles = profiles(&found.columns);
    let shared = context(
        found.columns.iter().filter_map(Gathered::raw).zip(profiles.iter().map(Option::as_ref)),
        syntax.delimiter,
    );
    let has_commas = profiles.iter().flatten().any(Profile::has_decimal_commas) && shared.has_decimal_commas;
    let is_between = |(column, name): (&Gathered, &String)| {
        let known = Said::of(options, name).has_decimal_commas;
        // Where a model tells otherwise than the file, the texts are doubted.
        (known == Some(true) || has_commas)
            && matches!(column.raw(), Some(Raw::Plain { points, .. }) if points.between_thousands && !points.decimal)
    };
    let again: Vec<bool> = found.columns.iter().zip(&names).map(is_between).collect();
    if again.contains(&true) {
        reading.read_again(&again, &mut found.columns)?;
        profiles = self::profiles(&found.columns);
    }
    decided(&reading, found, profiles, shared, options, notes)
}

/// What the distinct texts of each column are, if it is one of texts.
fn profiles(columns: &[Gathered]) -> Vec<Option<Profile>> {
    let profile = |column: &Gathered| match column.raw() {
        Some(Raw::Coded(coded)) => Some(Profile::of(coded)),
        _ => None,
    };
    columns.iter().map(profile).collect()
}

/// The warning that a file has one column, of texts that hardly come again: they may be fields of several.
fn only_column(name: &str, decided: &Decided) -> Option<Note> {
    /// So few rows tell nothing.
    const FEWEST_ROWS: usize = 10;
    let Values::Categories(texts) = &decided.values else { return None };
    let are_distinct = texts.rows() >= FEWEST_ROWS && 2 * texts.names().len() > texts.rows();
    let words = "the file has one column, of texts that hardly come again; if they are several fields, name what stands \
                 between them with `--delimiter`, or save the table as CSV";
    are_distinct.then(|| Note::new(NoteKind::Type, texts.rows(), words).at(format!("column \"{name}\"")))
}

/// The table of columns that were read.
fn decided(
    reading: &Reading<'_>,
    mut found: Found,
    mut profiles: Vec<Option<Profile>>,
    shared: Context,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    let (text, names) = (reading.text, reading.names);
    // Rows at the end without any value are none, as spreadsheets leave them.
    let all = found.rows;
    let rows = found.columns.iter().map(Gathered::present_end).max().unwrap_or(0).max(1);
    if rows < all && names.len() > 1 {
        let kind = if options.keeps_rows { NoteKind::Rows } else { NoteKind::Empty };
        let words = format!("{} at the end without any value left out", counted(all - rows, "row"));
        notes.push(Note::new(kind, all - rows, words));
    }
    found.columns.iter_mut().for_each(|column| column.truncate(rows));
    let left_out = match options.keeps_rows {
        true => Vec::new(),
        false => {
            let line = |row| text.line_number(reading.place_of(&found.windows, row)?);
            sums::leave_out(&mut found.columns, &profiles, shared, line, notes)?
        }
    };
    if !left_out.is_empty() {
        profiles = self::profiles(&found.columns);
    }
    let mut empty = Vec::new();
    let mut made = Vec::with_capacity(names.len());
    for (at, ((name, column), profile)) in names.iter().zip(found.columns).zip(profiles).enumerate() {
        // A delimiter at the end of each line makes a column of nothing, without a name.
        let is_unnamed = *name == format!("c{}", at + 1) && reading.header.is_some();
        if is_unnamed && column.present_end() == 0 {
            empty.push(at + 1);
            continue;
        }
        let said = Said::of(options, name);
        let records = column.records().cloned();
        let is_plain = profile.is_none();
        let mut decided = match column.into_raw()?.expect("each column is read once or again") {
            Raw::Plain { numbers, points } => {
                let mut decided = decide_plain(name, numbers, said);
                if matches!(decided.values, Values::Numbers(_)) && points.decimal {
                    decided.has_decimal_commas = Some(false);
                }
                decided
            }
            Raw::Coded(coded) => {
                let profile = profile.expect("texts have a profile");
                match decide(name, coded, &profile, said, shared) {
                    Ok(decided) => decided,
                    Err(refusal) => {
                        let before = |row: usize, out: &usize| if *out <= row { row + 1 } else { row };
                        let row = left_out.iter().fold(refusal.row, before);
                        let at = reading.place_of(&found.windows, row)?;
                        let place = Place::file(text.path()).line(text.line_number(at)?).column(name);
                        return Err(malformed(place, refusal.what, refusal.help));
                    }
                }
            }
        };
        notes.append(&mut decided.notes);
        // Plain numbers are there as they are.
        let is_as_read = is_plain && matches!(decided.values, Values::Numbers(_));
        let as_read = records.filter(|_| is_as_read).map(StoredValues::Numbers);
        if names.len() == 1 {
            notes.extend(only_column(name, &decided));
        }
        made.push(placed(name, decided, reading.store.as_ref(), as_read)?);
    }
    if !empty.is_empty() {
        notes.push(Note::new(
            NoteKind::Empty,
            empty.len(),
            format!("{} without a name or a value left out", counted(empty.len(), "column")),
        ));
    }
    Table::new(text.path().display().to_string(), made)
}
