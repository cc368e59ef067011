//! From batches of typed arrays to columns.

use crate::guard::damaged;
use crate::kind::{Context, Decided, Profile, Said, decide, decide_plain, stand_in};
use crate::malformed;
use crate::note::{Note, NoteKind, counted, quoted};
use crate::number::{LARGEST_EXACT, POWERS};
use crate::raw::{Coded, MISSING, Tokens};
use crate::sniff::{ReadOptions, refuse_unknown_types};
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
use pullback::data::{Categories, Column, Table, Times, Values};
use pullback::error::{Place, Result};
use std::collections::HashMap;
use std::path::Path;

/// pandas stores an index that is more than a count of rows as a column of such a name.
const PANDAS_INDEX: &str = "__index_level_";

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
    tokens: Tokens,
    columns: Vec<Cells>,
    rows: usize,
}

/// A column in the making.
struct Cells {
    /// Its place in a batch.
    at: usize,
    name: String,
    data_type: DataType,
    kind: Kind,
    numbers: Vec<f64>,
    coded: Coded,
    known: HashMap<String, u32>,
    text_bytes: u64,
}

impl<'a> Making<'a> {
    /// Begins with a schema; refuses columns that are no cells.
    pub(super) fn new(
        path: &'a Path,
        format: &'static str,
        schema: &Schema,
        options: &'a ReadOptions,
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
        Ok(Self { path, format, options, tokens: Tokens::new(&options.missing), columns, rows: 0 })
    }

    /// How many rows a batch should have: few of wide tables.
    pub(super) fn batch_rows(columns: usize) -> usize {
        ((1 << 22) / columns.max(1)).clamp(64, 1 << 13)
    }

    /// Adds the rows of a batch.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        for column in &mut self.columns {
            let array = batch
                .columns()
                .get(column.at)
                .ok_or_else(|| damaged(self.path, self.format, "a batch lacks a column"))?;
            column
                .add(array.as_ref())
                .ok_or_else(|| damaged(self.path, self.format, "a batch has other types than the schema"))?;
        }
        self.rows += batch.num_rows();
        let bytes: u64 = self
            .columns
            .iter()
            .map(|column| {
                column.text_bytes + 8 * column.numbers.len() as u64 + 4 * column.coded.codes.len() as u64
            })
            .sum();
        if bytes > self.options.limit_bytes {
            return Err(malformed(
                Place::file(self.path),
                format!("the table takes more than {} bytes of memory", self.options.limit_bytes),
                "give a smaller file, or part of it",
            ));
        }
        Ok(())
    }

    /// The table.
    pub(super) fn finish(self, notes: &mut Vec<Note>) -> Result<Table> {
        let Self { path, options, tokens, columns, rows, .. } = self;
        if rows == 0 {
            return Err(malformed(
                Place::file(path),
                "the file has no rows",
                "give at least one row of data",
            ));
        }
        let made = columns.into_iter().map(|column| {
            let name = column.name.clone();
            let decided = column.decided(path, options, &tokens)?;
            notes.extend(decided.notes);
            Ok(Column::new(name, decided.values).with_reason(decided.reason))
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
    Ok(Cells {
        at,
        name,
        data_type: field.data_type().clone(),
        kind,
        numbers: Vec::new(),
        coded: Coded::default(),
        known: HashMap::new(),
        text_bytes: 0,
    })
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

impl Cells {
    /// Adds the cells of an array; [`None`] if it is of another type.
    fn add(&mut self, array: &dyn Array) -> Option<()> {
        match self.kind {
            Kind::Numbers | Kind::Times => {
                self.numbers.extend(numbers(array)?);
                Some(())
            }
            Kind::Texts => self.add_texts(array),
        }
    }

    fn add_texts(&mut self, array: &dyn Array) -> Option<()> {
        let rows = array.len();
        match array.data_type() {
            DataType::Boolean => {
                let array = array.as_boolean_opt()?;
                for row in 0..rows {
                    let text = if array.value(row) { "true" } else { "false" };
                    self.push((!array.is_null(row)).then_some(text));
                }
            }
            DataType::Utf8 => (array.as_string_opt::<i32>()?.iter()).for_each(|text| self.push(text)),
            DataType::LargeUtf8 => (array.as_string_opt::<i64>()?.iter()).for_each(|text| self.push(text)),
            DataType::Utf8View => (array.as_string_view_opt()?.iter()).for_each(|text| self.push(text)),
            DataType::Binary => {
                (array.as_binary_opt::<i32>()?.iter()).try_for_each(|bytes| self.push_bytes(bytes))?;
            }
            DataType::LargeBinary => {
                (array.as_binary_opt::<i64>()?.iter()).try_for_each(|bytes| self.push_bytes(bytes))?;
            }
            DataType::BinaryView => {
                (array.as_binary_view_opt()?.iter()).try_for_each(|bytes| self.push_bytes(bytes))?;
            }
            DataType::Dictionary(..) => {
                let array = array.as_any_dictionary_opt()?;
                let mut own = Self { coded: Coded::default(), known: HashMap::new(), ..self.empty() };
                own.add_texts(array.values().as_ref())?;
                // The code of each of its texts, asked for when a cell has it: names stand in order of rows.
                let mut codes = vec![None; own.coded.names.len()];
                let keys = if own.coded.codes.is_empty() { vec![0; rows] } else { array.normalized_keys() };
                for (row, key) in keys.into_iter().enumerate() {
                    let value = own.coded.codes.get(key).copied().unwrap_or(MISSING);
                    if array.is_null(row) || value == MISSING {
                        self.push(None);
                        continue;
                    }
                    match codes[value as usize] {
                        Some(code) => self.push_code(code),
                        None => {
                            self.push(Some(&own.coded.names[value as usize]));
                            codes[value as usize] = self.coded.codes.last().copied();
                        }
                    }
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn empty(&self) -> Self {
        Self {
            at: self.at,
            name: String::new(),
            data_type: DataType::Null,
            kind: Kind::Texts,
            numbers: Vec::new(),
            coded: Coded::default(),
            known: HashMap::new(),
            text_bytes: 0,
        }
    }

    fn push_bytes(&mut self, bytes: Option<&[u8]>) -> Option<()> {
        match bytes {
            None => self.push(None),
            Some(bytes) => self.push(Some(std::str::from_utf8(bytes).ok()?)),
        }
        Some(())
    }

    fn push_code(&mut self, code: u32) {
        self.coded.codes.push(code);
        if code != MISSING {
            self.coded.counts[code as usize] += 1;
        }
    }

    fn push(&mut self, text: Option<&str>) {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
            return self.push_code(MISSING);
        };
        let code = match self.known.get(text) {
            Some(&code) => code,
            None => {
                let code = self.coded.names.len() as u32;
                self.coded.names.push(text.to_owned());
                self.coded.counts.push(0);
                self.known.insert(text.to_owned(), code);
                // It is kept twice.
                self.text_bytes += 2 * (text.len() as u64 + 32);
                code
            }
        };
        self.push_code(code);
    }

    /// The column: what the schema says, or what is said of it.
    fn decided(self, path: &Path, options: &ReadOptions, tokens: &Tokens) -> Result<Decided> {
        let Self { name, data_type, kind, mut numbers, mut coded, .. } = self;
        let said = Said::of(options, &name);
        let reason = format!("{} in the file", words(&data_type));
        let refused = |row: usize, what: String, help: String| {
            malformed(Place::file(path).row(row + 1).column(&name), what, help)
        };
        Ok(match kind {
            Kind::Times => {
                let values = Values::Times(Times { seconds: numbers, is_day_first: false });
                Decided { values, reason, notes: Vec::new() }
            }
            Kind::Numbers => {
                numbers
                    .iter_mut()
                    .filter(|number| tokens.has_number(**number))
                    .for_each(|number| *number = f64::NAN);
                if let Some(row) = numbers.iter().position(|number| number.is_infinite()) {
                    return Err(refused(
                        row,
                        "an infinite number".into(),
                        "correct it, or make it null if it is missing".into(),
                    ));
                }
                if said.kind.is_some() {
                    return Ok(decide_plain(&name, numbers, said));
                }
                let notes = stand_in(&name, &numbers).into_iter().collect();
                Decided { values: Values::Numbers(numbers), reason, notes }
            }
            Kind::Texts => {
                let is_missing: Vec<bool> =
                    coded.names.iter().map(|name| tokens.has(name.as_bytes())).collect();
                coded.forget(&is_missing);
                if said.kind.is_some() {
                    let profile = Profile::of(&coded);
                    return decide(&name, coded, &profile, said, Context::default())
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
                let texts = coded
                    .codes
                    .iter()
                    .map(|&code| (code != MISSING).then(|| coded.names[code as usize].as_str()));
                Decided { values: Values::Categories(Categories::from_texts(texts)), reason, notes }
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
