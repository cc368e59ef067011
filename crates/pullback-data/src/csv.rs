//! Comma-separated text, and its relatives with semicolons, tabs or bars.
//!
//! What is found out by looking, unless the options say it:
//! - The delimiter: of comma, semicolon, tab and bar the one that cuts the first lines into the most
//!   fields, the same number in each.
//! - The header: there is one if no cell of the first line is a number or empty.
//! - Types: a column is numeric if every cell that is not missing is a number. If almost all are (of
//!   at least 20, all but at most 5 and 1 in 100), the others are taken for mistakes, and the first is
//!   refused with its place; else the column holds categories.
//!
//! A cell is missing if it is empty or `NA`, `N/A`, `n/a`, `null`, `NULL` or `?`. A cell `NaN` or
//! `inf` among numbers is refused: it is no number, and nobody said that it is missing.

use crate::malformed;
use crate::sniff::ReadOptions;
use csv::{ByteRecord, ReaderBuilder};
use pullback::data::{Categories, Column, ColumnType, Table, Values};
use pullback::error::{Place, Result};
use std::path::Path;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How many lines are looked at for the delimiter.
const SAMPLE_LINES: usize = 50;
/// So many cells make it likely that a column that is almost numeric was meant to be.
const FEW_CELLS: usize = 20;
/// At most so many other cells count as mistakes...
const MOST_MISTAKES: usize = 5;
/// ...if they are at most one in so many.
const CELLS_PER_MISTAKE: usize = 100;
/// The largest field, against text whose quote is never closed.
const LARGEST_FIELD: usize = 1 << 20;

/// A cell, as far as types go.
enum Cell {
    Missing,
    Number(f64),
    NotFinite,
    Text,
}

fn cell(text: &str) -> Cell {
    let text = text.trim();
    match text {
        "" | "NA" | "N/A" | "n/a" | "null" | "NULL" | "?" => Cell::Missing,
        _ => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Cell::Number(number),
            Ok(_) => Cell::NotFinite,
            Err(_) => Cell::Text,
        },
    }
}

/// The records of a file, each with its line, all with the same number of fields.
struct Records<'a> {
    path: &'a Path,
    reader: csv::Reader<&'a [u8]>,
    record: ByteRecord,
    fields: Option<usize>,
    skips_first: bool,
}

impl<'a> Records<'a> {
    fn new(path: &'a Path, content: &'a [u8], delimiter: u8, skips_first: bool) -> Self {
        let reader =
            ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(content);
        Self { path, reader, record: ByteRecord::new(), fields: None, skips_first }
    }

    /// Calls `visit(line, cells)` for each record.
    fn each(mut self, mut visit: impl FnMut(u64, &[&str]) -> Result<()>) -> Result<()> {
        loop {
            let more = self.reader.read_byte_record(&mut self.record).map_err(|error| {
                malformed(Place::file(self.path), error.to_string(), "check the file's quotes")
            })?;
            if !more {
                return Ok(());
            }
            let line = self.record.position().map_or(1, csv::Position::line);
            let mut cells = Vec::with_capacity(self.record.len());
            for (at, field) in self.record.iter().enumerate() {
                if field.len() > LARGEST_FIELD {
                    return Err(malformed(
                        Place::file(self.path).line(line),
                        format!("field {} has {} bytes", at + 1, field.len()),
                        "look for a quote that is opened and never closed",
                    ));
                }
                cells.push(std::str::from_utf8(field).map_err(|_| {
                    malformed(
                        Place::file(self.path).line(line),
                        format!("field {} is not UTF-8 text", at + 1),
                        "save the file as UTF-8, for example with `iconv -f latin1 -t utf8`",
                    )
                })?);
            }
            // A line of nothing but spaces says nothing, unless one column is all there is.
            if cells.len() == 1 && cells[0].trim().is_empty() && self.fields != Some(1) {
                continue;
            }
            let expected = *self.fields.get_or_insert(cells.len());
            if cells.len() != expected {
                return Err(malformed(
                    Place::file(self.path).line(line),
                    format!(
                        "{} {} where the lines before have {expected}",
                        cells.len(),
                        if cells.len() == 1 { "field" } else { "fields" }
                    ),
                    "give every line the same number of fields, and quote fields that contain the delimiter",
                ));
            }
            if std::mem::take(&mut self.skips_first) {
                continue;
            }
            visit(line, &cells)?;
        }
    }
}

/// What the first pass learns of a column.
#[derive(Default, Clone)]
struct Seen {
    numbers: usize,
    texts: usize,
    first_text: Option<(u64, String)>,
    first_not_finite: Option<(u64, String)>,
}

impl Seen {
    fn cell(&mut self, line: u64, text: &str) {
        match cell(text) {
            Cell::Missing => {}
            Cell::Number(_) => self.numbers += 1,
            Cell::NotFinite => {
                self.numbers += 1;
                self.first_not_finite.get_or_insert_with(|| (line, text.to_owned()));
            }
            Cell::Text => {
                self.texts += 1;
                self.first_text.get_or_insert_with(|| (line, text.to_owned()));
            }
        }
    }

    /// Whether the column is numeric; an error if it was meant to be and a cell is not.
    fn is_numeric(&self, path: &Path, name: &str, declared: Option<ColumnType>) -> Result<bool> {
        if declared == Some(ColumnType::Categorical) {
            return Ok(false);
        }
        if let Some((line, text)) = &self.first_text {
            let cells = self.numbers + self.texts;
            let seems_mistaken =
                cells >= FEW_CELLS && self.texts <= MOST_MISTAKES && self.texts * CELLS_PER_MISTAKE <= cells;
            if declared.is_none() && !seems_mistaken {
                return Ok(false);
            }
            let others =
                if self.texts > 1 { format!(" (and {} more)", self.texts - 1) } else { String::new() };
            return Err(malformed(
                Place::file(path).line(*line).column(name),
                format!("\"{text}\" is not a number, as the other cells of the column are{others}"),
                format!(
                    "correct the cell, leave it empty if it is missing, or declare \"{name}\" categorical"
                ),
            ));
        }
        match &self.first_not_finite {
            None => Ok(true),
            Some((line, text)) => Err(malformed(
                Place::file(path).line(*line).column(name),
                format!("\"{text}\" is not a finite number"),
                "correct the cell, or leave it empty if it is missing",
            )),
        }
    }
}

/// Reads a table.
pub(crate) fn read(path: &Path, content: &[u8], options: &ReadOptions) -> Result<Table> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    if content.contains(&0) {
        return Err(malformed(
            Place::file(path),
            "this is not text: it contains zero bytes",
            "give a CSV or TSV file in UTF-8, or IDX images",
        ));
    }
    let delimiter = options.delimiter.unwrap_or_else(|| sniff_delimiter(path, content));
    let names = header(path, content, delimiter, options.has_header)?;
    let has_header = names.1;
    let names = names.0;
    for declared in options.types.keys() {
        if !names.contains(declared) {
            // Says so with the nearest name.
            let columns = names.iter().map(|name| Column::new(name, Values::Numbers(vec![0.0]))).collect();
            Table::new(path.display().to_string(), columns)?.column(declared)?;
        }
    }

    let mut seen = vec![Seen::default(); names.len()];
    let mut rows = 0usize;
    Records::new(path, content, delimiter, has_header).each(|line, cells| {
        rows += 1;
        for (seen, text) in seen.iter_mut().zip(cells) {
            seen.cell(line, text);
        }
        Ok(())
    })?;
    if rows == 0 {
        return Err(malformed(
            Place::file(path),
            "a header and no rows",
            "give at least one row of data below the header",
        ));
    }

    enum Builder {
        Numbers(Vec<f64>),
        Texts(Vec<Option<String>>),
    }
    let mut builders = (names.iter().zip(&seen))
        .map(|(name, seen)| {
            Ok(match seen.is_numeric(path, name, options.types.get(name).copied())? {
                true => Builder::Numbers(Vec::with_capacity(rows)),
                false => Builder::Texts(Vec::with_capacity(rows)),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Records::new(path, content, delimiter, has_header).each(|_, cells| {
        for (builder, text) in builders.iter_mut().zip(cells) {
            match (builder, cell(text)) {
                (Builder::Numbers(numbers), Cell::Number(number)) => numbers.push(number),
                (Builder::Numbers(numbers), _) => numbers.push(f64::NAN),
                (Builder::Texts(texts), Cell::Missing) => texts.push(None),
                (Builder::Texts(texts), _) => texts.push(Some(text.trim().to_owned())),
            }
        }
        Ok(())
    })?;
    let columns = names.into_iter().zip(builders).map(|(name, builder)| {
        Column::new(
            name,
            match builder {
                Builder::Numbers(numbers) => Values::Numbers(numbers),
                Builder::Texts(texts) => Values::Categories(Categories::from_texts(texts)),
            },
        )
    });
    Table::new(path.display().to_string(), columns.collect())
}

/// The names of the columns, and whether the first line gives them.
fn header(
    path: &Path,
    content: &[u8],
    delimiter: u8,
    has_header: Option<bool>,
) -> Result<(Vec<String>, bool)> {
    let mut first: Option<Vec<String>> = None;
    // Stops after the first record; what is wrong later is found later, with its place.
    let sample = Records::new(path, content, delimiter, false).each(|_, cells| {
        if first.is_none() {
            first = Some(cells.iter().map(|text| text.trim().to_owned()).collect());
        }
        Err(malformed(Place::file(path), "", ""))
    });
    let Some(first) = first else {
        sample?;
        return Err(malformed(
            Place::file(path),
            "the file has no lines but empty ones",
            "give a file with at least one row",
        ));
    };
    let has_header = has_header.unwrap_or_else(|| first.iter().all(|text| matches!(cell(text), Cell::Text)));
    if !has_header {
        return Ok(((1..=first.len()).map(|column| format!("c{column}")).collect(), false));
    }
    for (at, name) in first.iter().enumerate() {
        if name.is_empty() {
            return Err(malformed(
                Place::file(path).line(1),
                format!("column {} has no name", at + 1),
                "name it, or say that there is no header",
            ));
        }
        if first[..at].contains(name) {
            return Err(malformed(
                Place::file(path).line(1),
                format!("two columns are named \"{name}\""),
                "rename one, or say that there is no header",
            ));
        }
    }
    Ok((first, true))
}

/// The delimiter that cuts the first lines into the most fields, the same number in each. Where none
/// does, the one that cuts the first line into the most: the message is then about ragged lines.
fn sniff_delimiter(path: &Path, content: &[u8]) -> u8 {
    let fields = |delimiter: u8| {
        let (mut first, mut fields, mut lines) = (0, 0, 0);
        let whole = Records::new(path, content, delimiter, false).each(|_, cells| {
            if lines == 0 {
                first = cells.len();
            }
            fields = cells.len();
            lines += 1;
            if lines < SAMPLE_LINES { Ok(()) } else { Err(malformed(Place::file(path), "", "")) }
        });
        let is_even = (whole.is_ok() || lines >= SAMPLE_LINES) && fields > 1;
        (if is_even { fields } else { 0 }, first)
    };
    // The first of equals.
    DELIMITERS.into_iter().rev().max_by_key(|&delimiter| fields(delimiter)).unwrap_or(b',')
}
