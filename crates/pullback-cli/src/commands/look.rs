//! `pullback look`: what is in a table, and what `train` would do with each column.

use crate::columns::{become_of, inputs, kind};
use crate::failure::{Failure, Result};
use crate::source::{Loaded, load, read_options, tell};
use crate::terminal::{figure, padded, print, print_json, shortened, width};
use pullback::data::{Column, DataOptions, Feature, Preprocessing, Table, Values};
use pullback::explain::Catalog;
use pullback::job::{Job, Settings, Tables};
use pullback::report::number::counted;
use serde::Serialize;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

#[derive(Debug, clap::Args)]
pub(crate) struct Look {
    /// A built-in data set, a file or folder that `train` takes, or `-` for standard input
    data: String,
    /// The column to predict
    #[arg(long, value_name = "COLUMN")]
    target: Vec<String>,
    /// A column's type where it is not what it looks like: numeric, categorical or time
    #[arg(long = "type", value_name = "COLUMN=TYPE")]
    types: Vec<String>,
    /// What stands for a missing cell, beside the usual spellings
    #[arg(long, value_name = "TOKEN")]
    missing: Vec<String>,
    /// The character between fields, or `tab` [default: found out]
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<String>,
    /// Whether the first line names the columns [default: found out]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    header: Option<bool>,
    /// The encoding of text: utf-8, cp949, latin1, ... [default: found out]
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// Leave out rows that do not fit the table, and count them
    #[arg(long)]
    skip_bad_rows: bool,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// A column as it is shown.
#[derive(Debug, Serialize)]
struct Seen {
    name: String,
    kind: &'static str,
    reason: String,
    missing: usize,
    distinct: usize,
    /// The smallest and the largest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<[f64; 2]>,
    /// The commonest texts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    commonest: Vec<String>,
    /// How many cells are in each part of the range, or have each of the commonest texts.
    counts: Vec<usize>,
    becomes: String,
}

/// Parts of a histogram.
const BARS: usize = 8;
/// At most so many columns are shown.
const MOST_COLUMNS: usize = 200;
/// The widest page.
const WIDEST: usize = 100;

impl Look {
    pub(super) fn run(&self) -> Result<()> {
        let mut settings = Settings {
            data: Some(self.data.clone()),
            delimiter: self.delimiter.clone(),
            header: self.header,
            encoding: self.encoding.clone(),
            skip_bad_rows: Some(self.skip_bad_rows),
            ..Settings::default()
        };
        for (name, texts) in [("target", &self.target), ("type", &self.types), ("missing", &self.missing)] {
            if !texts.is_empty() {
                settings.set(name, texts.join(","))?;
            }
        }
        let Loaded { tables, notes } = load(&self.data, 0, &read_options(&settings)?)?;
        let table = &tables.train;
        let settings = settings.with_names_of(table);
        let mut options = settings.data_options()?;
        if options.target.is_empty() {
            options.target.extend(table.target().map(str::to_owned));
        }
        for name in &options.target {
            // As `train` answers what was typed wrong.
            table.column(name).map_err(|error| Failure::from(error).into_usage())?;
        }
        let plan = plan(settings, &tables, &options);
        let seen: Vec<Seen> = table
            .columns()
            .iter()
            .take(MOST_COLUMNS)
            .map(|column| seen(table, column, becomes(table, column, &plan, &options)?))
            .collect::<Result<_>>()?;
        if self.json {
            return print_json(&serde_json::json!({
                "version": 1,
                "data": table.source(),
                "rows": table.rows(),
                "columns": seen,
                "notes": notes,
            }));
        }
        tell(&notes, false, &Catalog::english());
        print(&page(table, &seen, width().min(WIDEST)))
    }
}

/// What `train` decides, or why it refuses the table; absent without a target.
fn plan(
    settings: Settings,
    tables: &Tables,
    options: &DataOptions,
) -> Option<Result<Preprocessing, pullback::Error>> {
    let targets = || options.target.iter().map(String::as_str);
    options.target.first()?;
    let known = tables.train.without_missing(targets()).map(|known| known.map(|(table, _)| table));
    Some(known.and_then(|known| {
        let train = known.unwrap_or_else(|| tables.train.clone());
        let tables = Tables { train, test: tables.test.clone(), validation: tables.validation.clone() };
        Ok(Job::new(settings, tables).decide()?.preprocessing().clone())
    }))
}

/// What becomes of a column: with a target what `train` decides, else what it would decide of all rows.
fn becomes(
    table: &Table,
    column: &Column,
    plan: &Option<Result<Preprocessing, pullback::Error>>,
    options: &DataOptions,
) -> Result<String> {
    match plan {
        Some(Ok(preprocessing)) => Ok(become_of(column, preprocessing)),
        Some(Err(error)) if options.target.contains(&column.name) => {
            Ok(format!("no target: {}", error.one_line()))
        }
        _ => Ok(match Feature::of(table, column, options)? {
            Ok(feature) => inputs(&feature),
            Err(why) => format!("left out: {why}"),
        }),
    }
}

/// What is in a column, beside what becomes of it.
fn seen(table: &Table, column: &Column, becomes: String) -> Result<Seen> {
    let rows = table.rows();
    let mut seen = Seen {
        name: column.name.clone(),
        kind: kind(column),
        reason: column.reason.clone(),
        missing: 0,
        distinct: 0,
        range: None,
        commonest: Vec::new(),
        counts: Vec::new(),
        becomes,
    };
    match &*column.values()? {
        Values::Numbers(numbers) => {
            let mut present: Vec<f64> = numbers.iter().copied().filter(|number| !number.is_nan()).collect();
            present.sort_unstable_by(f64::total_cmp);
            seen.missing = rows - present.len();
            seen.distinct = present.chunk_by(|left, right| left == right).count();
            if let (Some(&low), Some(&high)) = (present.first(), present.last()) {
                seen.range = Some([low, high]);
                seen.counts = vec![0; BARS];
                for number in present {
                    let part = if high > low { (number - low) / (high - low) * BARS as f64 } else { 0.0 };
                    seen.counts[(part as usize).min(BARS - 1)] += 1;
                }
            }
        }
        Values::Categories(texts) => {
            let mut counts = vec![0usize; texts.names().len()];
            (0..rows).filter_map(|row| texts.code(row)).for_each(|code| counts[code] += 1);
            let mut order: Vec<usize> = (0..counts.len()).filter(|&at| counts[at] > 0).collect();
            order.sort_by_key(|&at| std::cmp::Reverse(counts[at]));
            seen.missing = rows - counts.iter().sum::<usize>();
            seen.distinct = order.len();
            order.truncate(BARS);
            seen.commonest = order.iter().map(|&at| texts.names()[at].clone()).collect();
            seen.counts = order.iter().map(|&at| counts[at]).collect();
        }
        Values::Times(times) => {
            let mut present: Vec<f64> = times.seconds.iter().copied().filter(|time| !time.is_nan()).collect();
            present.sort_unstable_by(f64::total_cmp);
            seen.missing = rows - present.len();
            seen.distinct = present.chunk_by(|left, right| left == right).count();
        }
        Values::Bytes(bytes) => {
            let sides: Vec<String> = bytes.shape().iter().map(usize::to_string).collect();
            seen.reason = format!("blocks of {} bytes", sides.join(" x "));
        }
    }
    Ok(seen)
}

fn page(table: &Table, seen: &[Seen], width: usize) -> String {
    let mut out = format!(
        "{}: {}, {}\n",
        table.source(),
        counted(table.rows(), "row"),
        counted(table.columns().len(), "column")
    );
    let name_width = (width / 4).min(24);
    for column in seen {
        let missing =
            if column.missing > 0 { format!(", {} missing", column.missing) } else { String::new() };
        let range = match column.range {
            Some([low, high]) => format!(", {} to {}", brief(low), brief(high)),
            None => String::new(),
        };
        let bars = bars(&column.counts);
        let first = format!("{}, {} distinct{missing}{range}", column.kind, column.distinct);
        let name = shortened(&column.name, name_width);
        let room = width.saturating_sub(name_width + 2 + BARS + 1);
        if first.width() <= room {
            let _ = writeln!(out, "\n{}  {} {bars}", padded(&name, name_width), padded(&first, room));
        } else {
            let _ = writeln!(out, "\n{}  {bars}", padded(&name, name_width));
            wrap(&mut out, &first, name_width + 2, width);
        }
        if !column.commonest.is_empty() {
            let texts: Vec<String> =
                column.commonest.iter().take(3).map(|text| shortened(text, 16)).collect();
            let more = column.distinct.saturating_sub(texts.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            wrap(&mut out, &format!("{}{more}", texts.join(", ")), name_width + 2, width);
        }
        let why = if column.reason.is_empty() { String::new() } else { format!("{}; ", column.reason) };
        wrap(&mut out, &format!("{why}{}", column.becomes), name_width + 2, width);
    }
    if table.columns().len() > seen.len() {
        let _ = writeln!(out, "\nand {} more columns", table.columns().len() - seen.len());
    }
    out
}

/// Adds a text in lines that begin at `indent` and end before `width`.
fn wrap(out: &mut String, text: &str, indent: usize, width: usize) {
    let room = width.saturating_sub(indent).max(16);
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.width() + 1 + word.width() > room {
            let _ = writeln!(out, "{:indent$}{line}", "");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(out, "{:indent$}{line}", "");
}

/// A number in few characters: whole numbers whole.
fn brief(number: f64) -> String {
    let whole = number.to_string();
    if whole.len() <= 8 { whole } else { figure(number) }
}

/// Counts as bars of eight heights.
fn bars(counts: &[usize]) -> String {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = |count: usize| match (count * 8).div_ceil(most) {
        0 => ' ',
        height => char::from_u32(0x2580 + height as u32).unwrap_or('#'),
    };
    counts.iter().map(|&count| bar(count)).collect()
}
