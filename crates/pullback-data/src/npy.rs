//! NumPy arrays: `.npy`, and `.npz`, a zip archive of them.
//!
//! A header (a Python dictionary) gives the type of the numbers, their order and the shape; the numbers follow. An
//! array `[rows]` is a column, `[rows, columns]` are columns of numbers, bytes of more axes are images. Arrays of
//! Python objects are pickles, which can run code when they are read: they are refused.

use crate::budget::Budget;
use crate::container::{Entry, entries, unpack_entry};
use crate::content::{self, Content};
use crate::gather::{Gathering, placed};
use crate::kind::{Context, Decided, Profile, Said, decide};
use crate::malformed;
use crate::note::{Note, NoteKind, counted, quoted};
use crate::raw::{Builder, CodedCells, MISSING, PlainCells, Raw};
use crate::sniff::ReadOptions;
use crate::spool::window_bytes;
use pullback::data::{Bytes, Column, StoredValues, Table, Values};
use pullback::error::{Error, Place, Result};
use std::borrow::Cow;
use std::path::Path;

const MAGIC: &[u8] = b"\x93NUMPY";
/// A table has at most so many columns.
const MOST_COLUMNS: usize = 1 << 20;

/// Whether a content begins like an array.
pub(crate) fn is_npy(content: &[u8]) -> bool {
    content.starts_with(MAGIC)
}

/// What an array's header tells.
struct Header {
    /// `f8`, `i4`, `u1`, `b1`, `U10`, `S10`.
    kind: char,
    /// The bytes of a number, or the characters of a text.
    size: usize,
    is_big: bool,
    is_fortran: bool,
    shape: Vec<usize>,
    /// Where the elements begin.
    from: u64,
}

/// A header is no longer.
const LONGEST_HEADER: u64 = 1 << 20;

impl Header {
    /// Reads the header of a content, and checks that what it tells of follows it.
    fn parse(path: &Path, content: &Content) -> Result<Self> {
        let head = content.head(path, LONGEST_HEADER)?;
        let head = &*head;
        let wrong =
            |what: String| malformed(Place::file(path), what, "save the array again, with `numpy.save`");
        let cut = || wrong("the NumPy array is cut off within its header".into());
        let version = *head.get(6).ok_or_else(cut)?;
        let (start, length) = match version {
            1 => (10usize, head.get(8..10).map(|two| usize::from(u16::from_le_bytes([two[0], two[1]])))),
            2 | 3 => (
                12,
                head.get(8..12).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]) as usize),
            ),
            other => return Err(wrong(format!("a NumPy array of version {other}, which is not known"))),
        };
        let end = length.and_then(|length| start.checked_add(length)).ok_or_else(cut)?;
        let header = String::from_utf8_lossy(head.get(start..end).ok_or_else(cut)?).into_owned();
        let value = |key: &str| {
            let after = header.split_once(&format!("'{key}':")).map(|(_, after)| after.trim_start());
            after.ok_or_else(|| wrong(format!("the array's header has no `{key}`")))
        };
        let described = value("descr")?;
        if described.starts_with('[') {
            return Err(malformed(
                Place::file(path),
                "an array of records, which is not read",
                "save its fields as columns: `numpy.savetxt`, or pandas' `to_csv`",
            ));
        }
        let kind: String = described.trim_start_matches('\'').chars().take_while(|&c| c != '\'').collect();
        let (order, name) = match kind.strip_prefix(['<', '>', '|', '=']) {
            Some(name) => (kind.chars().next().unwrap_or('<'), name),
            None => ('<', kind.as_str()),
        };
        let mut letters = name.chars();
        let (letter, size) = (letters.next().unwrap_or(' '), letters.as_str().parse::<usize>().unwrap_or(0));
        if letter == 'O' {
            return Err(malformed(
                Place::file(path),
                "the array holds Python objects, which only a pickle can, and reading a pickle can run code",
                "save it with a number type: `numpy.save(\"x.npy\", x.astype(float))`; texts as `x.astype(str)`",
            ));
        }
        let is_known = matches!(
            (letter, size),
            ('f', 2 | 4 | 8) | ('i' | 'u', 1 | 2 | 4 | 8) | ('b', 1) | ('U' | 'S', 1..)
        );
        if !is_known {
            return Err(malformed(
                Place::file(path),
                format!("an array of type {kind}, which is not read"),
                "save it with a number type: `numpy.save(\"x.npy\", x.astype(float))`",
            ));
        }
        let is_fortran = value("fortran_order")?.starts_with("True");
        let shape = value("shape")?;
        let shape = shape.strip_prefix('(').and_then(|shape| shape.split_once(')')).map(|(shape, _)| shape);
        let shape: Option<Vec<usize>> = shape.and_then(|shape| {
            shape
                .split(',')
                .map(str::trim)
                .filter(|size| !size.is_empty())
                .map(|size| size.parse().ok())
                .collect()
        });
        let shape = shape.ok_or_else(|| wrong("the array's shape cannot be read".into()))?;
        let width = if letter == 'U' { size.saturating_mul(4) } else { size };
        let told = shape.iter().try_fold(width, |product, &size| product.checked_mul(size));
        let follow = content.len() - end as u64;
        if told.map(|told| told as u64) != Some(follow) {
            return Err(wrong(format!(
                "the header tells of {shape:?} elements of {width} bytes, but {follow} bytes follow it"
            )));
        }
        Ok(Self { kind: letter, size, is_big: order == '>', is_fortran, shape, from: end as u64 })
    }

    fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// How many bytes an element has.
    fn width(&self) -> usize {
        if self.kind == 'U' { self.size * 4 } else { self.size }
    }

    fn number(&self, bytes: &[u8]) -> f64 {
        let mut eight = [0u8; 8];
        for (place, byte) in bytes.iter().enumerate() {
            eight[if self.is_big { self.size - 1 - place } else { place }] = *byte;
        }
        let word = u64::from_le_bytes(eight);
        match (self.kind, self.size) {
            ('f', 8) => f64::from_bits(word),
            ('f', 4) => f64::from(f32::from_bits(word as u32)),
            ('f', _) => half(word as u16),
            ('i', 1) => f64::from(word as u8 as i8),
            ('i', 2) => f64::from(word as u16 as i16),
            ('i', 4) => f64::from(word as u32 as i32),
            ('i', _) => word as i64 as f64,
            _ => word as f64,
        }
    }

    fn text(&self, bytes: &[u8]) -> String {
        if self.kind == 'S' {
            let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            return String::from_utf8_lossy(&bytes[..end]).into_owned();
        }
        let letter = |four: &[u8]| {
            let word = [four[0], four[1], four[2], four[3]];
            let code = if self.is_big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) };
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
        };
        bytes.chunks_exact(4).map(letter).take_while(|&c| c != '\0').collect()
    }

    /// The cells of a column from some of its elements, of which one stands every so many elements.
    fn cells<'b>(&self, bytes: &[u8], step: usize, budget: &'b Budget) -> Builder<'b> {
        let width = self.width();
        let elements = bytes.chunks(step * width).map(|element| &element[..width]);
        match self.kind {
            'U' | 'S' => {
                let mut cells = CodedCells::new(budget);
                for element in elements {
                    match self.text(element) {
                        text if text.trim().is_empty() => cells.codes.push(MISSING),
                        text => cells.push(Cow::Owned(text.into_bytes())),
                    }
                }
                Builder::Coded(cells)
            }
            _ => {
                let numbers = elements.map(|element| self.number(element)).collect();
                Builder::Plain(PlainCells { numbers, ..PlainCells::default() })
            }
        }
    }
}

/// An array's columns; the one of an array `[rows]` has that name, others get a number after it.
struct Array<'a> {
    path: &'a Path,
    header: Header,
    content: Content,
}

impl<'a> Array<'a> {
    fn new(path: &'a Path, content: Content) -> Result<Self> {
        Ok(Self { path, header: Header::parse(path, &content)?, content })
    }

    fn wrong(&self, what: String) -> Error {
        malformed(Place::file(self.path), what, "give an array [rows, columns], or [rows] for a target")
    }

    fn columns(self, name: &str, options: &ReadOptions, notes: &mut Vec<Note>) -> Result<Vec<Column>> {
        let (path, shape) = (self.path, &self.header.shape);
        let rows = self.header.rows();
        if rows == 0 || shape.is_empty() {
            return Err(self.wrong(format!("an array of shape {shape:?} has no rows")));
        }
        if self.header.kind == 'u' && self.header.size == 1 && shape.len() > 2 && !self.header.is_fortran {
            let Content::Memory(mut bytes) = self.content else {
                return Err(self.content.refuse_in_parts(path, options));
            };
            bytes.drain(..self.header.from as usize);
            let mut sizes = shape[1..].to_vec();
            // As PyTorch has images: the channels first.
            if let [channels @ (1 | 3 | 4), height, width] = sizes[..]
                && !matches!(width, 1 | 3 | 4)
            {
                let pixels = height * width;
                if channels > 1 {
                    for image in bytes.chunks_exact_mut(channels * pixels) {
                        let planes = image.to_vec();
                        for (at, byte) in image.iter_mut().enumerate() {
                            *byte = planes[at % channels * pixels + at / channels];
                        }
                    }
                }
                sizes = if channels == 1 { vec![height, width] } else { vec![height, width, channels] };
                let words = format!(
                    "images of shape {channels} x {height} x {width} are read as {} before {height} by {width} pixels",
                    counted(channels, "channel")
                );
                notes.push(Note::new(NoteKind::Type, rows, words).at(format!("array \"{name}\"")));
            }
            let images = Bytes::new(bytes, sizes, u8::MAX)?;
            return Ok(vec![
                Column::new(name, Values::Bytes(images)).with_reason("an array of bytes with several axes"),
            ]);
        }
        let width = shape[1..].iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        let width = width.filter(|width| (1..=MOST_COLUMNS).contains(width)).ok_or_else(|| {
            self.wrong(format!("an array of shape {shape:?} has {} columns", width.unwrap_or(usize::MAX)))
        })?;
        if shape.len() > 2 && self.header.is_fortran {
            return Err(self.wrong("an array of more than two axes in Fortran order".into()));
        }
        let name = |column: usize| {
            if shape.len() == 1 { name.to_owned() } else { format!("{name}{column}") }
        };
        let budget = Budget::of(options);
        // What is in memory of the content was within its limit.
        budget.take(self.content.memory_bytes());
        let mut gathering = Gathering::new(path, options, &budget);
        gathering.reserve((rows, width), 1.0, notes)?;
        self.gather(&mut gathering, width, &budget, options)?;
        let store = gathering.store().cloned();
        let columns = gathering.into_columns().into_iter().enumerate().map(|(column, gathered)| {
            let name = name(column);
            let records = gathered.records().cloned();
            let (values, as_read) = match gathered.into_raw()?.expect("each column is read") {
                Raw::Plain { numbers, .. } => {
                    if let Some(row) = numbers.iter().position(|number| number.is_infinite()) {
                        return Err(malformed(
                            Place::file(path).row(row + 1).column(&name),
                            "an infinite number",
                            "correct it, or make it NaN if it is missing",
                        ));
                    }
                    (Values::Numbers(numbers), records.map(StoredValues::Numbers))
                }
                Raw::Coded(coded) => {
                    let profile = Profile::of(&coded);
                    let said = Said::of(options, &name);
                    let mut decided =
                        decide(&name, coded, &profile, said, Context::default()).map_err(|refusal| {
                            let place = Place::file(path).row(refusal.row + 1).column(&name);
                            malformed(place, refusal.what, refusal.help)
                        })?;
                    notes.append(&mut decided.notes);
                    return placed(&name, decided, store.as_ref(), None);
                }
            };
            let decided = Decided::new(values, "an array of that type", Vec::new());
            placed(&name, decided, store.as_ref(), as_read)
        });
        columns.collect()
    }

    /// Reads all elements, some rows at a time, in the order of the content.
    fn gather(
        &self,
        gathering: &mut Gathering<'_>,
        columns: usize,
        budget: &Budget,
        options: &ReadOptions,
    ) -> Result<()> {
        let (header, rows) = (&self.header, self.header.rows());
        // In Fortran order one column stands after the other.
        let (lines, per_line, step) = if header.is_fortran { (columns, 1, 1) } else { (1, columns, columns) };
        let row_bytes = per_line * header.width();
        let at_once = (window_bytes(options.memory_bytes) / row_bytes).clamp(1, rows);
        for line in 0..lines {
            let from = header.from + (line * rows * row_bytes) as u64;
            for row in (0..rows).step_by(at_once) {
                let end = (row + at_once).min(rows);
                let range = from + (row * row_bytes) as u64..from + (end * row_bytes) as u64;
                let bytes = self.content.part(self.path, range)?;
                for column in 0..per_line {
                    let part = header.cells(&bytes[column * header.width()..], step, budget);
                    if let Builder::Coded(cells) = &part
                        && cells.is_full
                    {
                        let column = format!("{}", line + column);
                        return Err(budget.too_many_texts(self.path, &column, cells.names.len()));
                    }
                    gathering.column(line + column).add(part)?;
                }
            }
        }
        Ok(())
    }
}

/// A number of 16 bits.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    match exponent {
        0 => sign * fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        _ => sign * (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

/// Reads an array as a table, with the targets in another file if the options name one.
pub(crate) fn read(
    path: &Path,
    content: Content,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Table> {
    let mut columns = Array::new(path, content)?.columns("x", options, notes)?;
    let Some(labels) = &options.targets else { return Table::new(path.display().to_string(), columns) };
    let found = targets(labels, content::of_file(labels, options)?, options, notes)?;
    let (rows, own) = (columns[0].rows(), found[0].rows());
    if rows != own {
        return Err(malformed(
            Place::file(labels),
            format!("{own} targets for {rows} rows"),
            "give one target for each row",
        ));
    }
    let names: Vec<String> = found.iter().map(|column| column.name.clone()).collect();
    columns.extend(found);
    let table = Table::new(path.display().to_string(), columns)?;
    match &names[..] {
        [only] => table.with_target(only),
        _ => Ok(table),
    }
}

/// The column of targets in an array `[rows]` or `[rows, 1]`.
fn targets(
    path: &Path,
    content: Content,
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<Vec<Column>> {
    let mut array = Array::new(path, content)?;
    if let [rows, 1] = array.header.shape[..] {
        array.header.shape = vec![rows];
    }
    let columns = array.columns("y", options, notes)?;
    let Some(classes) = one_hot(&columns)? else { return Ok(columns) };
    let words = format!(
        "{} of which one is 1 in each row are one target, the number of the class",
        counted(columns.len(), "column")
    );
    notes.push(Note::new(NoteKind::Type, columns.len(), words).at("array \"y\""));
    Ok(vec![Column::new("y", Values::Numbers(classes)).with_reason("which of its columns is 1")])
}

/// The number of the column that is 1 in each row, if all others are 0 and no column is 0 alone:
/// targets of one class a row.
fn one_hot(columns: &[Column]) -> Result<Option<Vec<f64>>> {
    if columns.len() < 2 {
        return Ok(None);
    }
    let mut classes = vec![f64::NAN; columns[0].rows()];
    for (class, column) in columns.iter().enumerate() {
        let values = column.values()?;
        let Values::Numbers(numbers) = &*values else { return Ok(None) };
        let mut is_any = false;
        for (own, &number) in classes.iter_mut().zip(numbers) {
            match number {
                1.0 if own.is_nan() => {
                    *own = class as f64;
                    is_any = true;
                }
                0.0 => {}
                _ => return Ok(None),
            }
        }
        if !is_any {
            return Ok(None);
        }
    }
    Ok(classes.iter().all(|class| !class.is_nan()).then_some(classes))
}

/// What arrays of inputs are called, in lower case, and what those with their targets.
const INPUTS: &[&str] = &["x", "data", "features", "images", "image", "inputs", "input"];
const TARGETS: &[&str] = &["y", "target", "targets", "label", "labels", "classes"];
/// What stands before or after such a name: nothing, or the part that the rows are.
const TRAINING: &[&str] = &["", "train", "training", "tr", "data"];
const TESTING: &[&str] = &["test", "testing", "te", "val", "valid", "validation"];

/// The part of a name that says what an array holds is one of `kinds`, and the rest one of `parts`.
fn is_called(name: &str, kinds: &[&str], parts: &[&str]) -> bool {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(['_', '-', '.', ' ']).filter(|word| !word.is_empty()).collect();
    match words[..] {
        [one] => {
            let joined = |kind: &&str, part: &&str| {
                *part != "data" && (one == format!("{kind}{part}") || one == format!("{part}{kind}"))
            };
            parts.contains(&"") && kinds.contains(&one)
                || parts
                    .iter()
                    .filter(|part| !part.is_empty())
                    .any(|part| kinds.iter().any(|kind| joined(kind, part)))
        }
        [one, other] => {
            kinds.contains(&one) && parts.contains(&other) || parts.contains(&one) && kinds.contains(&other)
        }
        _ => false,
    }
}

/// The arrays of an archive, if all of its files are arrays.
pub(crate) fn arrays(path: &Path, content: &[u8]) -> Result<Option<Vec<Entry>>> {
    let entries = entries(path, content)?;
    let all = !entries.is_empty() && entries.iter().all(|entry| entry.name.ends_with(".npy"));
    Ok(all.then_some(entries))
}

/// Reads an archive of arrays: those to train on, and those to test on if it has such.
pub(crate) fn read_archive(
    path: &Path,
    content: &[u8],
    entries: &[Entry],
    options: &ReadOptions,
    notes: &mut Vec<Note>,
) -> Result<(Table, Option<Table>)> {
    let mut table = |inputs: &Entry, labels: Option<&Entry>| -> Result<Table> {
        let unpacked = unpack_entry(path, content, inputs, options.limit_bytes)?;
        let mut columns = Array::new(path, Content::Memory(unpacked))?.columns("x", options, notes)?;
        if let Some(labels) = labels {
            let unpacked = unpack_entry(path, content, labels, options.limit_bytes)?;
            columns.extend(targets(path, Content::Memory(unpacked), options, notes)?);
            notes.push(Note::new(
                NoteKind::Container,
                2,
                format!("inputs from {}, targets from {}", inputs.name, labels.name),
            ));
        }
        let has_target = columns.last().is_some_and(|column| column.name == "y");
        let table = Table::new(path.display().to_string(), columns)?;
        if has_target { table.with_target("y") } else { Ok(table) }
    };
    let name = |entry: &Entry| entry.name.trim_end_matches(".npy").to_owned();
    let find = |kinds: &[&str], parts: &[&str]| {
        let mut found = entries.iter().filter(|entry| is_called(&name(entry), kinds, parts));
        let one = found.next()?;
        // Of several it is not known which.
        found.next().is_none().then_some(one)
    };
    let of_part = |parts: &[&str]| find(INPUTS, parts).zip(find(TARGETS, parts));
    let called = |own: &str| entries.iter().find(|entry| name(entry) == own);
    let pair = of_part(&["train", "training", "tr"])
        .or_else(|| of_part(&["", "data"]))
        .or_else(|| of_part(TRAINING))
        .or_else(|| called("arr_0").zip(called("arr_1")))
        .or_else(|| find(INPUTS, &[""]).zip(called("label").or_else(|| called("labels"))));
    match (pair, entries) {
        (Some((inputs, labels)), _) => {
            let test = of_part(&["test", "testing", "te"]).or_else(|| of_part(TESTING));
            let test = test.map(|(inputs, labels)| table(inputs, Some(labels))).transpose()?;
            Ok((table(inputs, Some(labels))?, test))
        }
        (None, [only]) => Ok((table(only, None)?, None)),
        (None, _) => Err(malformed(
            Place::file(path),
            format!(
                "the archive holds {}, of which none is known as inputs",
                quoted(entries.iter().map(|entry| entry.name.as_str()), 6)
            ),
            "name the arrays x and y (and x_test, y_test): `numpy.savez(\"data.npz\", x=x, y=y)`",
        )),
    }
}
