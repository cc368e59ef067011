//! From batches of typed arrays to columns.

use crate::budget::Budget;
use crate::gather::{Gathering, placed};
use crate::guard::damaged;
use crate::kind::{
    Context, Decided, Profile, Said, decide, decide_plain, no_dates, stand_in, without_stand_ins,
};
use crate::malformed;
use crate::note::{Note, NoteKind, counted, quoted};
use crate::number::{LARGEST_EXACT, POWERS};
use crate::raw::{Builder, Coded, CodedCells, MISSING, PlainCells, Raw, Tokens};
use crate::sniff::{ReadOptions, refuse_unknown_types};
use crate::spool::window_bytes;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, RecordBatch};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use pullback::data::{StoredValues, Table, Times, Values};
use pullback::error::{Place, Result};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// pandas stores an index that is more than a count of rows as a column of such a name.
const PANDAS_INDEX: &str = "__index_level_";

/// What a cell takes in a batch, and as the number that is made of it.
const BYTES_PER_BATCH_CELL: usize = 16;

/// What a column is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Numbers,
    /// Seconds since the beginning of 1970.
    Times,
    Texts,
}

/// A table in the making.
pub(super) struct Making<'a> {
    path: &'a Path,
    format: &'static str,
    options: &'a ReadOptions,
    budget: &'a Budget,
    tokens: Tokens,
    columns: Vec<Cells>,
    gathering: Gathering<'a>,
    rows: usize,
}

/// A column in the making, but for its cells.
struct Cells {
    /// Its place in a batch.
    at: usize,
    name: String,
    data_type: DataType,
    kind: Kind,
    /// Whole numbers that f64 may round, and their rows.
    large: Vec<(usize, i128)>,
}

impl<'a> Making<'a> {
    /// Begins with a schema; refuses columns that are no cells.
    pub(super) fn new(
        path: &'a Path,
        format: &'static str,
        schema: &Schema,
        options: &'a ReadOptions,
        budget: &'a Budget,
        notes: &mut Vec<Note>,
    ) -> Result<Self> {
        let (indices, fields): (Vec<_>, Vec<_>) =
            schema.fields().iter().enumerate().partition(|(_, field)| field.name().starts_with(PANDAS_INDEX));
        if !indices.is_empty() && !fields.is_empty() {
            notes.push(Note::new(
                NoteKind::Names,
                indices.len(),
                format!(
                    "pandas' index left out: {}",
                    quoted(indices.iter().map(|(_, field)| field.name().as_str()), 3)
                ),
            ));
        }
        let fields = if fields.is_empty() { indices } else { fields };
        let columns =
            fields.into_iter().map(|(at, field)| cells(path, at, field)).collect::<Result<Vec<_>>>()?;
        refuse_unknown_types(path, columns.iter().map(|column| column.name.as_str()), options)?;
        let gathering = Gathering::new(path, options, budget);
        let tokens = Tokens::new(&options.missing);
        Ok(Self { path, format, options, budget, tokens, columns, gathering, rows: 0 })
    }

    /// How many rows a batch should have: few of wide tables, and where little memory is free.
    pub(super) fn batch_rows(columns: usize, options: &ReadOptions) -> usize {
        let most = (window_bytes(options.memory_bytes) / BYTES_PER_BATCH_CELL).min(1 << 22);
        (most / columns.max(1)).clamp(64, 1 << 13)
    }

    /// What such a batch takes, and the numbers that are made of it.
    pub(super) fn batch_bytes(columns: usize, options: &ReadOptions) -> u64 {
        (Self::batch_rows(columns, options) * columns * BYTES_PER_BATCH_CELL) as u64
    }

    /// Adds the rows of a batch; with them such a share of the file is read.
    pub(super) fn add(&mut self, batch: &RecordBatch, share: f64, notes: &mut Vec<Note>) -> Result<()> {
        let before = self.rows;
        self.rows += batch.num_rows();
        self.gathering.reserve((self.rows, self.columns.len()), share, notes)?;
        for (place, column) in self.columns.iter_mut().enumerate() {
            let array = batch
                .columns()
                .get(column.at)
                .ok_or_else(|| damaged(self.path, self.format, "a batch lacks a column"))?;
            let wrong = || damaged(self.path, self.format, "a batch has other types than the schema");
            let part = match column.kind {
                Kind::Numbers | Kind::Times => {
                    let mut numbers = numbers(array.as_ref()).ok_or_else(wrong)?;
                    let large = large(array.as_ref());
                    if self.budget.take((size_of::<(usize, i128)>() * large.len()) as u64) {
                        column.large.extend(large.into_iter().map(|(row, number)| (before + row, number)));
                    }
                    if column.kind == Kind::Numbers {
                        numbers
                            .iter_mut()
                            .filter(|number| self.tokens.has_number(**number))
                            .for_each(|number| *number = f64::NAN);
                    }
                    Builder::Plain(PlainCells { numbers, ..PlainCells::default() })
                }
                Kind::Texts => {
                    let mut cells = CodedCells::new(self.budget);
                    add_texts(&mut cells, array.as_ref()).ok_or_else(wrong)?;
                    if cells.is_full {
                        return Err(self.budget.too_many_texts(self.path, &column.name, cells.names.len()));
                    }
                    Builder::Coded(cells)
                }
            };
            self.gathering.column(place).add(part)?;
        }
        Ok(())
    }

    /// The table.
    pub(super) fn finish(self, notes: &mut Vec<Note>) -> Result<Table> {
        let Self { path, options, budget, tokens, columns, gathering, rows, .. } = self;
        if rows == 0 {
            return Err(malformed(
                Place::file(path),
                "the file has no rows",
                "give at least one row of data",
            ));
        }
        let store = gathering.store().cloned();
        let made = columns.into_iter().zip(gathering.into_columns()).map(|(column, gathered)| {
            let records = gathered.records().cloned();
            let raw = gathered.into_raw()?.expect("a batch has each column");
            let raw = column.in_digits(raw, budget);
            let mut decided = column.decided(raw, path, options, &tokens)?;
            let is_changed = column.kind == Kind::Times && !decided.notes.is_empty();
            notes.append(&mut decided.notes);
            // Numbers are there as they are.
            let as_read =
                records.filter(|_| !is_changed).and_then(|records| match (column.kind, &decided.values) {
                    (Kind::Numbers, Values::Numbers(_)) => Some(StoredValues::Numbers(records)),
                    (Kind::Times, Values::Times(times)) => {
                        Some(StoredValues::Times { seconds: records, is_day_first: times.is_day_first })
                    }
                    _ => None,
                });
            placed(&column.name, decided, store.as_ref(), as_read)
        });
        let made = made.collect::<Result<Vec<_>>>()?;
        Table::new(path.display().to_string(), made)
    }
}

/// A column of a field, without cells.
fn cells(path: &Path, at: usize, field: &Field) -> Result<Cells> {
    let name = match field.name().trim() {
        "" => format!("c{}", at + 1),
        name => name.to_owned(),
    };
    let kind = kind(field.data_type()).map_err(|what| {
        malformed(
            Place::file(path).column(&name),
            format!("a column of {what}, which is no cell of a table"),
            "write the table without the column, or with a column of its own for each of its parts",
        )
    })?;
    Ok(Cells { at, name, data_type: field.data_type().clone(), kind, large: Vec::new() })
}

/// What a type is read as; the error says what it is.
fn kind(data_type: &DataType) -> Result<Kind, &'static str> {
    use DataType as T;
    Ok(match data_type {
        T::Null
        | T::Int8
        | T::Int16
        | T::Int32
        | T::Int64
        | T::UInt8
        | T::UInt16
        | T::UInt32
        | T::UInt64
        | T::Float16
        | T::Float32
        | T::Float64
        | T::Decimal32(..)
        | T::Decimal64(..)
        | T::Decimal128(..)
        | T::Decimal256(..)
        | T::Duration(_) => Kind::Numbers,
        T::Date32 | T::Date64 | T::Timestamp(..) | T::Time32(_) | T::Time64(_) => Kind::Times,
        T::Boolean | T::Utf8 | T::LargeUtf8 | T::Utf8View | T::Binary | T::LargeBinary | T::BinaryView => {
            Kind::Texts
        }
        T::Dictionary(_, values) if !matches!(**values, T::Dictionary(..)) => kind(values)?,
        T::Dictionary(..) => return Err("dictionaries of dictionaries"),
        T::List(_) | T::LargeList(_) | T::FixedSizeList(..) | T::ListView(_) | T::LargeListView(_) => {
            return Err("lists");
        }
        T::Struct(_) => return Err("structs"),
        T::Map(..) => return Err("maps"),
        T::Union(..) => return Err("unions"),
        T::RunEndEncoded(..) => return Err("runs (run-end encoded)"),
        T::Interval(_) => return Err("intervals of months and days"),
        T::FixedSizeBinary(_) => return Err("bytes"),
    })
}

/// A type's name in the words of the field.
fn words(data_type: &DataType) -> String {
    use DataType as T;
    match data_type {
        T::Null => "null".into(),
        T::Boolean => "bool".into(),
        T::Utf8 | T::LargeUtf8 | T::Utf8View => "string".into(),
        T::Binary | T::LargeBinary | T::BinaryView => "binary, read as string".into(),
        T::Date32 | T::Date64 => "date".into(),
        T::Timestamp(_, None) => "timestamp".into(),
        T::Timestamp(_, Some(zone)) => match offset(zone) {
            Some(_) => format!("timestamp of zone {zone}"),
            None => format!("timestamp of zone {zone}, on the clock of UTC"),
        },
        T::Time32(_) | T::Time64(_) => "time".into(),
        T::Duration(_) => "duration, in seconds".into(),
        T::Decimal32(digits, scale)
        | T::Decimal64(digits, scale)
        | T::Decimal128(digits, scale)
        | T::Decimal256(digits, scale) => format!("decimal({digits}, {scale})"),
        T::Dictionary(_, values) => format!("dictionary of {}", words(values)),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// The seconds by which the clocks of a zone such as `+09:00` are ahead.
fn offset(zone: &str) -> Option<f64> {
    if matches!(zone, "UTC" | "Z" | "Etc/UTC" | "GMT") {
        return Some(0.0);
    }
    let (sign, rest) = match zone.strip_prefix('+') {
        Some(rest) => (1.0, rest),
        None => (-1.0, zone.strip_prefix('-')?),
    };
    let digits: String = rest.chars().filter(|&c| c != ':').collect();
    let number: u32 = digits.parse().ok().filter(|_| digits.len() == 4)?;
    Some(sign * f64::from(number / 100 * 3600 + number % 100 * 60))
}

/// Adds the texts of an array; [`None`] if it is of another type.
fn add_texts<'a>(cells: &mut CodedCells<'a>, array: &'a dyn Array) -> Option<()> {
    let rows = array.len();
    match array.data_type() {
        DataType::Boolean => {
            let array = array.as_boolean_opt()?;
            for row in 0..rows {
                let text = if array.value(row) { "true" } else { "false" };
                push(cells, (!array.is_null(row)).then_some(text));
            }
        }
        DataType::Utf8 => (array.as_string_opt::<i32>()?.iter()).for_each(|text| push(cells, text)),
        DataType::LargeUtf8 => (array.as_string_opt::<i64>()?.iter()).for_each(|text| push(cells, text)),
        DataType::Utf8View => (array.as_string_view_opt()?.iter()).for_each(|text| push(cells, text)),
        DataType::Binary => {
            (array.as_binary_opt::<i32>()?.iter()).try_for_each(|bytes| push_bytes(cells, bytes))?;
        }
        DataType::LargeBinary => {
            (array.as_binary_opt::<i64>()?.iter()).try_for_each(|bytes| push_bytes(cells, bytes))?;
        }
        DataType::BinaryView => {
            (array.as_binary_view_opt()?.iter()).try_for_each(|bytes| push_bytes(cells, bytes))?;
        }
        DataType::Dictionary(..) => {
            let array = array.as_any_dictionary_opt()?;
            let mut own = CodedCells::default();
            add_texts(&mut own, array.values().as_ref())?;
            // The code of each of its texts, asked for when a cell has it: names stand in order of rows.
            let mut codes = vec![None; own.names.len()];
            let keys = if own.codes.is_empty() { vec![0; rows] } else { array.normalized_keys() };
            for (row, key) in keys.into_iter().enumerate() {
                let value = own.codes.get(key).copied().unwrap_or(MISSING);
                if array.is_null(row) || value == MISSING {
                    cells.codes.push(MISSING);
                    continue;
                }
                match codes[value as usize] {
                    Some(code) => cells.codes.push(code),
                    None => {
                        cells.push(own.names[value as usize].clone());
                        codes[value as usize] = cells.codes.last().copied();
                    }
                }
            }
        }
        _ => return None,
    }
    Some(())
}

fn push<'a>(cells: &mut CodedCells<'a>, text: Option<&'a str>) {
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => cells.push(Cow::Borrowed(text.as_bytes())),
        None => cells.codes.push(MISSING),
    }
}

fn push_bytes<'a>(cells: &mut CodedCells<'a>, bytes: Option<&'a [u8]>) -> Option<()> {
    match bytes {
        None => push(cells, None),
        Some(bytes) => push(cells, Some(std::str::from_utf8(bytes).ok()?)),
    }
    Some(())
}

impl Cells {
    /// The cells of a column of whole numbers of which f64 rounds some as texts of their digits, which tell what they are,
    /// as far as there is memory for them.
    fn in_digits(&self, raw: Raw, budget: &Budget) -> Raw {
        let Raw::Plain { numbers, .. } = &raw else { return raw };
        let Some((mut row, mut large)) = self.large.first().copied() else { return raw };
        let mut rest = self.large[1..].iter();
        let mut cells = CodedCells::new(budget);
        for (at, number) in numbers.iter().enumerate() {
            let is_large = at == row;
            match (is_large, number.is_nan()) {
                (_, true) => cells.codes.push(MISSING),
                (true, _) => cells.push(large.to_string().into_bytes().into()),
                (false, _) => cells.push(number.to_string().into_bytes().into()),
            }
            if is_large {
                (row, large) = rest.next().copied().unwrap_or((usize::MAX, 0));
            }
        }
        if cells.is_full {
            Builder::Coded(cells).give_up();
            return raw;
        }
        let mut coded = Coded::default();
        coded.add(cells, &mut HashMap::new());
        Raw::Coded(coded)
    }

    /// The column: what the schema says, or what is said of it.
    fn decided(&self, raw: Raw, path: &Path, options: &ReadOptions, tokens: &Tokens) -> Result<Decided> {
        let Self { name, data_type, kind, .. } = self;
        let said = Said::of(options, name);
        let reason = format!("{} in the file", words(data_type));
        let refused = |row: usize, what: String, help: String| {
            malformed(Place::file(path).row(row + 1).column(name), what, help)
        };
        Ok(match raw {
            Raw::Plain { numbers, .. } if *kind == Kind::Times => {
                let present = |seconds: &[f64]| seconds.iter().filter(|seconds| !seconds.is_nan()).count();
                let before = present(&numbers);
                let seconds = without_stand_ins(numbers, said);
                let cells = before - present(&seconds);
                let note = (cells > 0).then(|| no_dates("days", cells).at(format!("column \"{name}\"")));
                let values = Values::Times(Times { seconds, is_day_first: None });
                Decided::new(values, reason, note.into_iter().collect())
            }
            Raw::Plain { numbers, .. } => {
                if let Some(row) = numbers.iter().position(|number| number.is_infinite()) {
                    return Err(refused(
                        row,
                        "an infinite number".into(),
                        "correct it, or make it null if it is missing".into(),
                    ));
                }
                if said.kind.is_some() {
                    return Ok(decide_plain(name, numbers, said));
                }
                let notes = stand_in(name, &numbers).into_iter().collect();
                Decided::new(Values::Numbers(numbers), reason, notes)
            }
            Raw::Coded(mut coded) => {
                let is_missing: Vec<bool> =
                    coded.names.iter().map(|name| tokens.has(name.as_bytes())).collect();
                coded.forget(&is_missing);
                if said.kind.is_some() || *kind == Kind::Numbers {
                    let profile = Profile::of(&coded);
                    return decide(name, coded, &profile, said, Context::default())
                        .map_err(|refusal| refused(refusal.row, refusal.what, refusal.help));
                }
                let mut notes = Vec::new();
                let present: usize = coded.counts.iter().sum();
                if present > 0
                    && !matches!(data_type, DataType::Boolean)
                    && Profile::of(&coded).are_numbers(&coded)
                {
                    notes.push(
                        Note::new(
                            NoteKind::Type,
                            present,
                            format!("{} in the file hold numbers, and are categories; `--type '{name}=numeric'` makes them numbers", counted(present, "text")),
                        )
                        .at(format!("column \"{name}\"")),
                    );
                }
                Decided::new(coded.into_values(), reason, notes)
            }
        })
    }
}

/// The numbers of an array, NaN for null; [`None`] if it has none.
fn numbers(array: &dyn Array) -> Option<Vec<f64>> {
    use DataType as T;
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    let of_unit = |number: i64, unit: i64| {
        // Whole seconds first: a time in nanoseconds has more digits than f64.
        number.div_euclid(unit) as f64 + number.rem_euclid(unit) as f64 / unit as f64
    };
    Some(match array.data_type() {
        T::Null => vec![f64::NAN; array.len()],
        T::Int8 => each::<Int8Type>(array, f64::from)?,
        T::Int16 => each::<Int16Type>(array, f64::from)?,
        T::Int32 => each::<Int32Type>(array, f64::from)?,
        T::Int64 => each::<Int64Type>(array, |number| number as f64)?,
        T::UInt8 => each::<UInt8Type>(array, f64::from)?,
        T::UInt16 => each::<UInt16Type>(array, f64::from)?,
        T::UInt32 => each::<UInt32Type>(array, f64::from)?,
        T::UInt64 => each::<UInt64Type>(array, |number| number as f64)?,
        T::Float16 => each::<Float16Type>(array, f64::from)?,
        T::Float32 => each::<Float32Type>(array, f64::from)?,
        T::Float64 => each::<Float64Type>(array, |number| number)?,
        T::Decimal32(_, scale) => each::<Decimal32Type>(array, |number| decimal(i128::from(number), *scale))?,
        T::Decimal64(_, scale) => each::<Decimal64Type>(array, |number| decimal(i128::from(number), *scale))?,
        T::Decimal128(_, scale) => each::<Decimal128Type>(array, |number| decimal(number, *scale))?,
        T::Decimal256(_, scale) => {
            each::<Decimal256Type>(array, |number| shifted(&number.to_string(), *scale))?
        }
        T::Date32 => each::<Date32Type>(array, |days| f64::from(days) * 86_400.0)?,
        T::Date64 => each::<Date64Type>(array, |number| of_unit(number, 1000))?,
        T::Timestamp(unit, zone) => {
            let ahead = zone.as_deref().and_then(offset).unwrap_or(0.0);
            let mut seconds = match unit {
                Second => each::<TimestampSecondType>(array, |number| number as f64)?,
                Millisecond => each::<TimestampMillisecondType>(array, |number| of_unit(number, 1000))?,
                Microsecond => each::<TimestampMicrosecondType>(array, |number| of_unit(number, 1_000_000))?,
                Nanosecond => {
                    each::<TimestampNanosecondType>(array, |number| of_unit(number, 1_000_000_000))?
                }
            };
            seconds.iter_mut().for_each(|seconds| *seconds += ahead);
            seconds
        }
        T::Time32(Second) => each::<Time32SecondType>(array, f64::from)?,
        T::Time32(_) => each::<Time32MillisecondType>(array, |number| f64::from(number) / 1e3)?,
        T::Time64(Microsecond) => each::<Time64MicrosecondType>(array, |number| of_unit(number, 1_000_000))?,
        T::Time64(_) => each::<Time64NanosecondType>(array, |number| of_unit(number, 1_000_000_000))?,
        T::Duration(unit) => match unit {
            Second => each::<DurationSecondType>(array, |number| number as f64)?,
            Millisecond => each::<DurationMillisecondType>(array, |number| of_unit(number, 1000))?,
            Microsecond => each::<DurationMicrosecondType>(array, |number| of_unit(number, 1_000_000))?,
            Nanosecond => each::<DurationNanosecondType>(array, |number| of_unit(number, 1_000_000_000))?,
        },
        T::Dictionary(..) => {
            let array = array.as_any_dictionary_opt()?;
            let own = numbers(array.values().as_ref())?;
            if own.is_empty() {
                return Some(vec![f64::NAN; array.len()]);
            }
            let keys = array.normalized_keys().into_iter().enumerate();
            keys.map(|(row, key)| if array.is_null(row) { f64::NAN } else { own[key] }).collect()
        }
        _ => return None,
    })
}

/// The whole numbers of an array that f64 may round, and their rows.
fn large(array: &dyn Array) -> Vec<(usize, i128)> {
    use DataType as T;
    match array.data_type() {
        T::Int64 => large_of::<Int64Type>(array),
        T::UInt64 => large_of::<UInt64Type>(array),
        T::Decimal64(_, 0) => large_of::<Decimal64Type>(array),
        T::Decimal128(_, 0) => large_of::<Decimal128Type>(array),
        _ => None,
    }
    .unwrap_or_default()
}

fn large_of<T: ArrowPrimitiveType<Native: Into<i128>>>(array: &dyn Array) -> Option<Vec<(usize, i128)>> {
    let array = array.as_primitive_opt::<T>()?;
    let numbers = array.iter().enumerate().filter_map(|(row, number)| Some((row, number?.into())));
    Some(numbers.filter(|(_, number)| number.unsigned_abs() >= u128::from(LARGEST_EXACT)).collect())
}

fn each<T: ArrowPrimitiveType>(array: &dyn Array, number: impl Fn(T::Native) -> f64) -> Option<Vec<f64>> {
    let array = array.as_primitive_opt::<T>()?;
    if array.null_count() == 0 {
        return Some(array.values().iter().map(|&value| number(value)).collect());
    }
    Some(array.iter().map(|value| value.map_or(f64::NAN, &number)).collect())
}

/// A decimal number, rounded as its text would be.
fn decimal(digits: i128, scale: i8) -> f64 {
    // Both exact in f64, so that the quotient is rounded once.
    let power = usize::try_from(scale).ok().and_then(|scale| POWERS.get(scale));
    if let Some(power) = power
        && digits.unsigned_abs() <= u128::from(LARGEST_EXACT)
    {
        return digits as f64 / power;
    }
    shifted(&digits.to_string(), scale)
}

fn shifted(digits: &str, scale: i8) -> f64 {
    format!("{digits}e{}", -i32::from(scale)).parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_rounded_as_their_texts() {
        for (digits, scale, text) in [
            (123_456, 3, "123.456"),
            (-1, 22, "-0.0000000000000000000001"),
            (9_007_199_254_740_993, 1, "900719925474099.3"),
            (i128::MAX, 38, "1.70141183460469231731687303715884105727"),
            (12, -3, "12000"),
        ] {
            assert_eq!(decimal(digits, scale), text.parse::<f64>().unwrap(), "{text}");
        }
    }

    #[test]
    fn zones_of_fixed_offset_are_known() {
        assert_eq!(offset("+09:00"), Some(32_400.0));
        assert_eq!(offset("-0330"), Some(-12_600.0));
        assert_eq!(offset("UTC"), Some(0.0));
        assert_eq!(offset("Europe/Berlin"), None);
    }
}
