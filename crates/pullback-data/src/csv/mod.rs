//! Comma-separated text, and its relatives with semicolons, tabs, bars or spaces.
//!
//! `dialect` finds out delimiter, names and where the rows are; `record` cuts text into fields; this file reads the
//! rows, in chunks on several threads, into raw columns, whose types `kind` decides. Each column is read as what the
//! first rows make it seem; one that turns out otherwise is read again.

mod dialect;
mod record;

pub(crate) use dialect::MOST_COLUMNS;

use crate::budget::Budget;
use crate::kind::{Context, Profile, Said, context, decide, decide_plain};
use crate::malformed;
use crate::note::{Note, NoteKind, counted};
use crate::number::plain;
use crate::raw::{Builder, Raw, Tokens};
use crate::sniff::{ReadOptions, refuse_unknown_types};
use dialect::{Dialect, Known};
use pullback::data::{Column, ColumnType, Table};
use pullback::error::{Error, Place, Result};
use record::{
    LARGEST_FIELD, Syntax, Trouble, after, field, line_end, line_number, next_line, next_record, skip_blank,
};
use std::ops::Range;
use std::path::Path;
use std::thread;

/// So many rows tell how a column is read first.
const SAMPLE_ROWS: usize = 100;
/// Smaller chunks are not worth a thread.
const CHUNK_BYTES: usize = 1 << 18;
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
        let bytes = &self.bytes[..range.end];
        let (mut at, mut rows) = (range.start, 0usize);
        let (mut bad, mut bad_count, mut comments, mut headers) = (Vec::new(), 0usize, 0usize, 0usize);
        let one = self.columns == 1;
        loop {
            if !one {
                at = skip_blank(bytes, at).0;
            }
            if at >= bytes.len() {
                break;
            }
            let start = at;
            if let Some(header) = self.header
                && bytes[at..].starts_with(header)
                && line_end(bytes, at) == at + header.len()
            {
                headers += 1;
                at = next_line(bytes, at);
                continue;
            }
            if let Err(trouble) = self.row(bytes, &mut at, &mut columns) {
                for column in &mut columns {
                    column.truncate(rows);
                }
                let what = match trouble {
                    RowTrouble::Fields(_) if bytes[start] == b'#' => {
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
        Chunk { columns, rows, bad, bad_count, comments, headers }
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
        let ranges = self.cut(range, threads);
        let [only] = &ranges[..] else {
            return thread::scope(|scope| {
                let readers: Vec<_> = ranges[1..]
                    .iter()
                    .map(|range| {
                        (
                            range,
                            thread::Builder::new()
                                .spawn_scoped(scope, || self.read(range.clone(), builders()))
                                .ok(),
                        )
                    })
                    .collect();
                let mut chunks = vec![self.read(ranges[0].clone(), builders())];
                // Where the system gives no thread, this one reads.
                chunks.extend(readers.into_iter().map(|(range, reader)| match reader {
                    Some(reader) => reader.join().expect("reading rows ends in a chunk"),
                    None => self.read(range.clone(), builders()),
                }));
                chunks
            });
        };
        vec![self.read(only.clone(), builders())]
    }

    /// Cuts a range between records.
    fn cut(&self, range: &Range<usize>, threads: usize) -> Vec<Range<usize>> {
        let parts = threads.min((range.end - range.start) / CHUNK_BYTES).max(1);
        let bytes = &self.bytes[..range.end];
        let has_quotes = parts > 1 && bytes[range.start..].contains(&self.syntax.quote);
        let mut ranges = Vec::new();
        let mut start = range.start;
        for part in 1..parts {
            let goal = range.start + (range.end - range.start) / parts * part;
            let mut cut = start;
            if has_quotes {
                while cut < goal {
                    cut = next_record(bytes, cut, self.syntax);
                }
            } else if goal > start {
                cut = next_line(bytes, goal);
            }
            ranges.push(start..cut);
            start = cut;
        }
        ranges.push(start..range.end);
        ranges
    }

    /// Where the row with a number begins, counted from 0; rows that do not fit are not counted.
    fn place_of(&self, range: &Range<usize>, row: usize) -> usize {
        let bytes = &self.bytes[..range.end];
        let mut at = range.start;
        let mut rows = 0;
        let mut columns: Vec<Builder<'a>> = (0..self.columns).map(|_| Builder::Skip).collect();
        loop {
            if self.columns > 1 {
                at = skip_blank(bytes, at).0;
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
                _ if is_header => at = next_line(bytes, start),
                Ok(()) if rows == row => return start,
                Ok(()) => rows += 1,
                Err(RowTrouble::Fields(_)) if bytes[start] != b'#' => {}
                Err(_) => at = next_line(bytes, start),
            }
        }
    }
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

fn refused(path: &Path, bytes: &[u8], trouble: Trouble) -> Error {
    let (Trouble::AfterQuote(at) | Trouble::OpenQuote(at) | Trouble::Large(at)) = trouble;
    malformed(
        Place::file(path).line(line_number(bytes, at)),
        match trouble {
            Trouble::Large(_) => format!("a field has more than {LARGEST_FIELD} bytes"),
            _ => words(trouble).to_owned(),
        },
        "look for a quote that is opened and never closed; a quote within a quoted field is written twice",
    )
}

/// Reads a table.
pub(crate) fn read(path: &Path, bytes: &[u8], options: &ReadOptions, notes: &mut Vec<Note>) -> Result<Table> {
    let mut bytes = bytes;
    if let Some(before) = bytes.trim_ascii_end().strip_suffix(b"\x1a") {
        bytes = before;
        notes.push(Note::new(NoteKind::Lines, 1, "the mark of the file's end (Ctrl-Z) is left out"));
    }
    let known =
        Known { delimiter: options.delimiter, has_header: options.has_header, expected: &options.expected };
    let dialect = dialect::sniff(bytes, &known, notes).map_err(|trouble| refused(path, bytes, trouble))?;
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
    let reader = Rows {
        bytes,
        syntax,
        columns: names.len(),
        header: header.map(|(start, end)| &bytes[start..end]).filter(|header| !header.is_empty()),
        tokens: &tokens,
    };
    let range = from..to.max(from);
    let budget = Budget::new(options.memory_bytes);
    let lines = bytes[range.clone()].iter().filter(|byte| **byte == b'\n').count();
    budget.cells(path, bytes.len(), lines + 1, names.len())?;
    // What the first rows are tells how each column is read first.
    let mut sample_end = range.start;
    for _ in 0..SAMPLE_ROWS {
        if sample_end >= range.end {
            break;
        }
        sample_end = next_record(&bytes[..range.end], sample_end, syntax);
    }
    let sampled = reader.read(range.start..sample_end, (0..names.len()).map(|_| Builder::plain()).collect());
    let is_declared = |name: &String| {
        matches!(Said::of(options, name).kind, Some(ColumnType::Categorical | ColumnType::Time))
    };
    let is_coded: Vec<bool> = (sampled.columns.iter().zip(&names))
        .map(|(column, name)| {
            is_declared(name) || matches!(column, Builder::Plain(cells) if cells.is_surprised)
        })
        .collect();
    drop(sampled);
    let builders = || {
        is_coded
            .iter()
            .map(|&is_coded| if is_coded { Builder::coded(&budget) } else { Builder::plain() })
            .collect()
    };
    let mut chunks = reader.read_all(&range, options.threads, &builders);
    refuse_bad(path, bytes, &chunks, options, notes)?;
    refuse_full(path, &names, &chunks, &budget)?;
    let rows: usize = chunks.iter().map(|chunk| chunk.rows).sum();
    if rows == 0 {
        return Err(malformed(
            Place::file(path),
            "a header and no rows",
            "give at least one row of data below the header",
        ));
    }
    let comments: usize = chunks.iter().map(|chunk| chunk.comments).sum();
    let headers: usize = chunks.iter().map(|chunk| chunk.headers).sum();
    for (count, what) in [
        (comments, "comments between the rows"),
        (headers, "names of the columns that stand again between the rows"),
    ] {
        if count > 0 {
            notes.push(Note::new(
                NoteKind::Lines,
                count,
                format!("{} left out: {what}", counted(count, "line")),
            ));
        }
    }
    // Columns that turned out otherwise are read again, as texts.
    let surprised = |chunks: &[Chunk<'_>], column: usize| {
        chunks
            .iter()
            .any(|chunk| matches!(&chunk.columns[column], Builder::Plain(cells) if cells.is_surprised))
    };
    let mut again: Vec<bool> = (0..names.len()).map(|column| surprised(&chunks, column)).collect();
    let mut raws = collect(&mut chunks, &again);
    drop(chunks);
    let read_again = |again: &[bool], raws: &mut Vec<Option<Raw>>| -> Result<()> {
        if again.contains(&true) {
            let builders = || {
                again
                    .iter()
                    .map(|&is_read| if is_read { Builder::coded(&budget) } else { Builder::Skip })
                    .collect()
            };
            let mut chunks = reader.read_all(&range, options.threads, &builders);
            refuse_full(path, &names, &chunks, &budget)?;
            for (own, found) in raws.iter_mut().zip(collect(&mut chunks, &[])) {
                *own = found.or(own.take());
            }
        }
        Ok(())
    };
    read_again(&again, &mut raws)?;
    // In a file with decimal commas a point before three digits stands between thousands.
    let profiled = |raws: Vec<Option<Raw>>| -> Vec<(Raw, Option<Profile>)> {
        raws.into_iter()
            .map(|raw| {
                let raw = raw.expect("each column is read once or again");
                let profile = match &raw {
                    Raw::Plain { .. } => None,
                    Raw::Coded(coded) => Some(Profile::of(coded)),
                };
                (raw, profile)
            })
            .collect()
    };
    let mut columns = profiled(raws);
    let shared = context(&columns, syntax.delimiter);
    let has_commas =
        columns.iter().any(|(_, profile)| profile.as_ref().is_some_and(Profile::has_decimal_commas));
    if has_commas && shared.has_decimal_commas {
        again = columns
            .iter()
            .map(|(raw, _)| matches!(raw, Raw::Plain { points, .. } if points.between_thousands && !points.decimal))
            .collect();
        let mut raws: Vec<Option<Raw>> = columns.into_iter().map(|(raw, _)| Some(raw)).collect();
        read_again(&again, &mut raws)?;
        columns = profiled(raws);
    }
    decided(path, &reader, &range, names, columns, shared, options, notes)
}

/// The raw columns of chunks; those that are to be read again are left out.
fn collect(chunks: &mut Vec<Chunk<'_>>, again: &[bool]) -> Vec<Option<Raw>> {
    let columns = chunks.first().map_or(0, |chunk| chunk.columns.len());
    let mut parts: Vec<_> = chunks.drain(..).map(|chunk| chunk.columns.into_iter()).collect();
    (0..columns)
        .map(|column| {
            let cells: Vec<Builder<'_>> = parts.iter_mut().filter_map(Iterator::next).collect();
            if again.get(column) == Some(&true) { None } else { Raw::joined(cells) }
        })
        .collect()
}

/// Refuses columns with more texts than there is memory for.
fn refuse_full(path: &Path, names: &[String], chunks: &[Chunk<'_>], budget: &Budget) -> Result<()> {
    let full = chunks.iter().find_map(|chunk| {
        chunk.columns.iter().zip(names).find_map(|(column, name)| match column {
            Builder::Coded(cells) if cells.is_full => Some((name, cells.names.len())),
            _ => None,
        })
    });
    full.map_or(Ok(()), |(name, texts)| Err(budget.too_many_texts(path, name, texts)))
}

/// Refuses rows that do not fit, or counts them.
fn refuse_bad(
    path: &Path,
    bytes: &[u8],
    chunks: &[Chunk<'_>],
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<()> {
    let count: usize = chunks.iter().map(|chunk| chunk.bad_count).sum();
    let bad: Vec<&Bad> = chunks.iter().flat_map(|chunk| &chunk.bad).take(MOST_BAD).collect();
    let Some(first) = bad.first() else { return Ok(()) };
    let line = |bad: &Bad| line_number(bytes, bad.at);
    if options.skips_bad_rows {
        notes.push(
            Note::new(
                NoteKind::BadRows,
                count,
                format!("{} left out, the first with {}", counted(count, "bad row"), first.what),
            )
            .at(format!("line {}", line(first))),
        );
        return Ok(());
    }
    let others: Vec<String> =
        bad[1..].iter().map(|bad| format!("line {}: {}", line(bad), bad.what)).collect();
    let more = count - bad.len();
    let mut what = first.what.clone();
    if !others.is_empty() {
        what = format!("{what}; also {}", others.join(", "));
    }
    if more > 0 {
        what = format!("{what}, and {more} more");
    }
    Err(malformed(
        Place::file(path).line(line(first)),
        what,
        "give every line the same number of fields, quote fields that contain the delimiter, and write a quote within \
         quotes twice; `--skip-bad-rows` leaves such rows out and counts them",
    ))
}

/// The table of raw columns.
#[expect(clippy::too_many_arguments, reason = "the parts of a file that is read")]
fn decided(
    path: &Path,
    reader: &Rows<'_>,
    range: &Range<usize>,
    names: Vec<String>,
    mut columns: Vec<(Raw, Option<Profile>)>,
    shared: Context,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    // Rows at the end without any value are none, as spreadsheets leave them.
    let all = columns.first().map_or(0, |(raw, _)| raw.rows());
    let mut rows = all;
    while rows > 1 && columns.iter().all(|(raw, _)| raw.is_missing(rows - 1)) {
        rows -= 1;
    }
    if rows < all {
        if columns.len() > 1 {
            notes.push(Note::new(
                NoteKind::Empty,
                all - rows,
                format!("{} at the end without any value left out", counted(all - rows, "row")),
            ));
        }
        for (raw, _) in &mut columns {
            raw.truncate(rows);
        }
    }
    let mut empty = Vec::new();
    let mut made = Vec::with_capacity(names.len());
    for (at, (name, (raw, profile))) in names.into_iter().zip(columns).enumerate() {
        // A delimiter at the end of each line makes a column of nothing, without a name.
        let is_unnamed = name == format!("c{}", at + 1) && reader.header.is_some();
        if is_unnamed && rows > 0 && (0..rows).all(|row| raw.is_missing(row)) {
            empty.push(at + 1);
            continue;
        }
        let said = Said::of(options, &name);
        let decided = match raw {
            Raw::Plain { numbers, .. } => decide_plain(&name, numbers, said),
            Raw::Coded(coded) => {
                let profile = profile.expect("texts have a profile");
                decide(&name, coded, &profile, said, shared).map_err(|refusal| {
                    let at = reader.place_of(range, refusal.row);
                    malformed(
                        Place::file(path).line(line_number(reader.bytes, at)).column(&name),
                        refusal.what,
                        refusal.help,
                    )
                })?
            }
        };
        notes.extend(decided.notes);
        made.push(Column::new(name, decided.values).with_reason(decided.reason));
    }
    if !empty.is_empty() {
        notes.push(Note::new(
            NoteKind::Empty,
            empty.len(),
            format!("{} without a name or a value left out", counted(empty.len(), "column")),
        ));
    }
    Table::new(path.display().to_string(), made)
}
