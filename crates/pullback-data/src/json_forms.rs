//! Tables that JSON holds in another form than an object a row: as rows of arrays, as columns, under a key.
//!
//! Each is written as objects, one a row, which `jsonl` reads. A text that has several values is not looked at, but for
//! lines that are arrays; so objects a line cost nothing here.

use crate::note::{Note, NoteKind, short};
use memchr::memchr;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// The keys and values of an object, in their order.
pub(crate) struct Object<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object: {\"column\": value}")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut pairs = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    pairs.push((key, map.next_value()?));
                }
                Ok(Object(pairs))
            }
        }
        from.deserialize_map(Keys)
    }
}

/// A key, which is copied only where it is written with backslashes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// A table as objects, one a row.
pub(crate) struct Objects {
    pub(crate) bytes: Vec<u8>,
    /// In which form it was.
    pub(crate) note: Note,
}

impl Objects {
    fn new(bytes: Vec<u8>, words: impl Into<String>) -> Self {
        Self { bytes, note: Note::new(NoteKind::Container, 1, words) }
    }
}

/// A table in one of the other forms; [`None`] if the text is objects, or what no form is. Columns of the names
/// `expected` are what an object in one object reads as, which is then none of these forms.
pub(crate) fn objects(bytes: &[u8], expected: &[String]) -> Option<Result<Objects, String>> {
    let bytes = bytes.trim_ascii();
    match bytes.first()? {
        b'[' => Some(of_arrays(bytes)),
        b'{' => {
            let Object(pairs) = serde_json::from_slice(bytes).ok()?;
            under_a_key(&pairs).or_else(|| of_columns(&pairs, expected).map(Ok))
        }
        _ => None,
    }
}

/// Whether a text is an array of objects, or objects a line, as its begin tells.
pub(crate) fn are_objects(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    if let Some(rest) = bytes.strip_prefix(b"[") {
        return rest.trim_ascii_start().starts_with(b"{");
    }
    let first = &bytes[..memchr(b'\n', bytes).unwrap_or(bytes.len())];
    first.trim_ascii_end().ends_with(b"}") && bytes[first.len()..].trim_ascii_start().starts_with(b"{")
}

/// Whether a content begins as rows of arrays: in one array, or one a line.
pub(crate) fn begins_with_arrays(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    let Some(rest) = head.strip_prefix(b"[") else { return false };
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_next_one = || head[first.len()..].trim_ascii_start().starts_with(b"[");
    rest.trim_ascii_start().starts_with(b"[")
        || is_next_one() && serde_json::from_slice::<Vec<&RawValue>>(first).is_ok_and(|row| !row.is_empty())
}

fn is_text(value: &RawValue) -> bool {
    value.get().starts_with('"')
}

/// Adds an object with these names, which are written as JSON, and values.
fn add<'a>(out: &mut Vec<u8>, pairs: impl Iterator<Item = (&'a str, &'a RawValue)>) {
    for (at, (name, value)) in pairs.enumerate() {
        out.push(if at == 0 { b'{' } else { b',' });
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        out.extend_from_slice(value.get().as_bytes());
    }
    out.extend_from_slice(b"}\n");
}

/// A name as JSON writes it; numbers, as pandas may have them, are in quotes.
fn quoted(name: &str) -> String {
    serde_json::to_string(name).expect("a text can be written")
}

/// Rows, in one array or one a line, with a first row of names or without.
fn of_arrays(bytes: &[u8]) -> Result<Objects, String> {
    let wrong = |error: serde_json::Error| error.to_string();
    let in_one: Result<Vec<Vec<&RawValue>>, _> = serde_json::from_slice(bytes);
    let rows = match in_one {
        Ok(rows) => rows,
        Err(error) if bytes[1..].trim_ascii_start().starts_with(b"[") => return Err(wrong(error)),
        Err(_) => {
            let lines = serde_json::Deserializer::from_slice(bytes).into_iter::<Vec<&RawValue>>();
            lines.collect::<Result<_, _>>().map_err(wrong)?
        }
    };
    let Some(first) = rows.first() else { return Err("an array without rows".into()) };
    let texts: BTreeSet<&str> = first.iter().map(|value| value.get()).collect();
    let comes_again = || {
        (0..first.len()).any(|at| {
            rows[1..].iter().any(|row| row.get(at).is_some_and(|value| value.get() == first[at].get()))
        })
    };
    let has_others = || rows[1..].iter().flatten().any(|value| !is_text(value));
    let has_names = first.iter().all(|value| is_text(value) && value.get().len() > 2)
        && texts.len() == first.len()
        && rows.len() > 1
        && (has_others() || !comes_again());
    let names: Vec<String> = match has_names {
        true => first.iter().map(|value| value.get().to_owned()).collect(),
        false => (1..=first.len()).map(|at| format!("\"c{at}\"")).collect(),
    };
    let mut out = Vec::with_capacity(2 * bytes.len());
    rows_of(&mut out, &names, &rows[usize::from(has_names)..])?;
    let words = match has_names {
        true => "the rows are arrays, of which the first names the columns".to_owned(),
        false => format!("the rows are arrays without names: columns are named c1 to c{}", names.len()),
    };
    Ok(Objects::new(out, words))
}

fn rows_of(out: &mut Vec<u8>, names: &[String], rows: &[Vec<&RawValue>]) -> Result<(), String> {
    for (at, row) in rows.iter().enumerate() {
        if row.len() != names.len() || row.is_empty() {
            return Err(format!(
                "row {} has {} values where the table has {} columns",
                at + 1,
                row.len(),
                names.len()
            ));
        }
        add(out, names.iter().map(String::as_str).zip(row.iter().copied()));
    }
    Ok(())
}

/// A table under a key, as services answer: an array of objects; of rows whose names stand under `columns`, as pandas
/// writes with `orient="split"`; of the features of GeoJSON.
fn under_a_key(pairs: &[(Cow<'_, str>, &RawValue)]) -> Option<Result<Objects, String>> {
    let of = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.get());
    let begins = |value: &str, with: char| {
        value.strip_prefix('[').is_some_and(|rows| rows.trim_start().starts_with(with))
    };
    if of("type") == Some("\"FeatureCollection\"") {
        return Some(of_features(of("features")?));
    }
    let rows =
        ["data", "rows", "values"].into_iter().find_map(|key| of(key).filter(|rows| begins(rows, '[')));
    if let (Some(data), Some(names)) = (rows, of("columns")) {
        let names: Vec<&RawValue> = serde_json::from_str(names).ok()?;
        let name = |name: &&RawValue| if is_text(name) { name.get().to_owned() } else { quoted(name.get()) };
        let names: Vec<String> = names.iter().map(name).collect();
        let rows: Vec<Vec<&RawValue>> = serde_json::from_str(data).ok()?;
        let mut out = Vec::with_capacity(2 * data.len());
        return Some(rows_of(&mut out, &names, &rows).map(|()| {
            Objects::new(out, "the rows stand under a key of their own, their names under \"columns\"")
        }));
    }
    let mut tables = pairs.iter().filter(|(_, value)| begins(value.get(), '{'));
    let table = match of("data").filter(|data| begins(data, '{')) {
        Some(data) => ("data", data),
        None => tables.next().map(|(key, value)| (&**key, value.get()))?,
    };
    if table.0 != "data" && tables.next().is_some() {
        return None;
    }
    let words = format!("the table stands under the key \"{}\"", short(table.0));
    Some(Ok(Objects::new(table.1.as_bytes().to_vec(), words)))
}

/// The properties of features.
fn of_features(features: &str) -> Result<Objects, String> {
    #[derive(Deserialize)]
    struct Feature<'a> {
        #[serde(borrow)]
        properties: Option<&'a RawValue>,
    }
    let features: Vec<Feature<'_>> = serde_json::from_str(features).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    for feature in features {
        let properties = feature.properties.map(RawValue::get).filter(|text| text.starts_with('{'));
        out.extend_from_slice(properties.unwrap_or("{}").as_bytes());
        out.push(b'\n');
    }
    Ok(Objects::new(out, "the features' properties are the columns; their geometry is left out"))
}

/// Whether keys count from 0.
fn are_counted<'a>(keys: impl Iterator<Item = &'a str>) -> bool {
    keys.enumerate().all(|(at, key)| key.parse() == Ok(at))
}

/// What a value is: a text, a number, or true or false; null is any of them.
fn same_kind(left: &RawValue, right: &RawValue) -> bool {
    let kind = |value: &RawValue| match value.get().as_bytes().first() {
        Some(b'"') => Some(0),
        Some(b't' | b'f') => Some(1),
        Some(b'n') | None => None,
        Some(_) => Some(2),
    };
    kind(left).zip(kind(right)).is_none_or(|(left, right)| left == right)
}

/// A table in one object: an array a column, an object a column (pandas' default) or an object a row under its name
/// (`orient="index"`).
fn of_columns(pairs: &[(Cow<'_, str>, &RawValue)], expected: &[String]) -> Option<Objects> {
    let is_scalar = |value: &&RawValue| !value.get().starts_with(['{', '[']);
    let arrays: Option<Vec<Vec<&RawValue>>> = (pairs.iter())
        .map(|(_, value)| {
            Some(value.get())
                .filter(|text| text.starts_with('['))
                .and_then(|text| serde_json::from_str(text).ok())
        })
        .collect();
    let names: Vec<String> = pairs.iter().map(|(name, _)| quoted(name)).collect();
    let mut out = Vec::new();
    if let Some(columns) = arrays.filter(|columns| !columns.is_empty()) {
        let rows = columns[0].len();
        if rows == 0 || !columns.iter().all(|column| column.len() == rows && column.iter().all(is_scalar)) {
            return None;
        }
        (0..rows).for_each(|row| {
            add(&mut out, names.iter().map(String::as_str).zip(columns.iter().map(|column| column[row])))
        });
        return Some(Objects::new(out, "each key holds the array of a column"));
    }
    let inner: Option<Vec<Object<'_>>> = (pairs.iter())
        .map(|(_, value)| serde_json::from_str(value.get()).ok().filter(|_| value.get().starts_with('{')))
        .collect();
    let inner = inner.filter(|inner| inner.len() > 1)?;
    let keys: Vec<&str> = inner[0].0.iter().map(|(key, _)| &**key).collect();
    let is_even = inner.iter().all(|object| {
        object.0.len() == keys.len()
            && object.0.iter().zip(&keys).all(|((key, value), other)| key == other && is_scalar(value))
    });
    let reads_so =
        || pairs.iter().any(|(outer, _)| keys.iter().any(|key| expected.contains(&format!("{outer}.{key}"))));
    if !is_even || keys.is_empty() || reads_so() {
        return None;
    }
    // Values of one kind stand in a column.
    let down = |objects: &[Object<'_>]| {
        objects.iter().all(|object| object.0.windows(2).all(|pair| same_kind(pair[0].1, pair[1].1)))
    };
    let across = |objects: &[Object<'_>]| {
        objects
            .windows(2)
            .all(|pair| pair[0].0.iter().zip(&pair[1].0).all(|(left, right)| same_kind(left.1, right.1)))
    };
    let are_columns =
        match (are_counted(keys.iter().copied()), are_counted(pairs.iter().map(|(name, _)| &**name))) {
            (true, false) => true,
            (false, true) => false,
            _ => match (down(&inner), across(&inner)) {
                (true, false) => true,
                (false, true) => false,
                _ => keys.len() > pairs.len(),
            },
        };
    if are_columns {
        (0..keys.len()).for_each(|row| {
            add(&mut out, names.iter().map(String::as_str).zip(inner.iter().map(|object| object.0[row].1)))
        });
        return Some(Objects::new(out, "each key holds a column, as pandas' `to_json` writes by default"));
    }
    pairs.iter().for_each(|(_, value)| {
        out.extend_from_slice(value.get().as_bytes());
        out.push(b'\n');
    });
    Some(Objects::new(out, "each key holds a row, as pandas' `to_json(orient=\"index\")` writes"))
}
