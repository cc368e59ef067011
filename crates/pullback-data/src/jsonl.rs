//! JSON lines: an object a row, one after the other, or all of them in one array.
//!
//! A key is a column; a nested object's keys are columns `outer.inner`. Texts, numbers, true and false are cells as
//! they are written, so that a number keeps its digits; null and an absent key are missing.

use crate::budget::Budget;
use crate::csv::MOST_COLUMNS;
use crate::kind::{Context, Profile, Said, decide};
use crate::malformed;
use crate::note::{Note, short};
use crate::raw::{Builder, Raw, Tokens};
use crate::sniff::ReadOptions;
use crate::text::count;
use pullback::data::{Column, Table};
use pullback::error::{Error, Place, Result};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

/// Objects in objects in objects, so deep.
const DEEPEST: usize = 16;

/// Whether a content begins like objects.
pub(crate) fn is_json(content: &[u8]) -> bool {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content).trim_ascii_start();
    match content {
        [b'{', rest @ ..] => matches!(rest.trim_ascii_start().first(), Some(b'"' | b'}')),
        [b'[', rest @ ..] => rest.trim_ascii_start().first() == Some(&b'{'),
        _ => false,
    }
}

/// The keys and values of an object, in their order.
struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

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
                while let Some(key) = map.next_key::<String>()? {
                    pairs.push((Cow::Owned(key), map.next_value()?));
                }
                Ok(Object(pairs))
            }
        }
        from.deserialize_map(Keys)
    }
}

/// Columns in the making.
struct Columns<'b> {
    names: Vec<String>,
    builders: Vec<Builder<'b>>,
    /// How many cells each has.
    lengths: Vec<usize>,
    known: HashMap<String, usize>,
    rows: usize,
    budget: &'b Budget,
}

impl<'b> Columns<'b> {
    fn new(budget: &'b Budget) -> Self {
        let (names, builders, lengths) = Default::default();
        Self { names, builders, lengths, known: HashMap::new(), rows: 0, budget }
    }

    fn add(&mut self, name: String, text: Cow<'static, [u8]>, tokens: &Tokens) -> Result<(), String> {
        let at = match self.known.get(&name) {
            Some(&at) => at,
            None => {
                if self.names.len() == MOST_COLUMNS {
                    return Err(format!("more than {MOST_COLUMNS} columns"));
                }
                self.known.insert(name.clone(), self.names.len());
                self.names.push(name);
                self.builders.push(Builder::coded(self.budget));
                self.lengths.push(0);
                self.names.len() - 1
            }
        };
        if self.lengths[at] > self.rows {
            return Err(format!("the key \"{}\" stands twice in one object", short(&self.names[at])));
        }
        self.fill(at, tokens);
        self.builders[at].push(text, tokens);
        self.lengths[at] += 1;
        match &self.builders[at] {
            Builder::Coded(cells) if cells.is_full => Err(format!(
                "the values are more different texts than there is memory for, those of \"{}\" over {}",
                short(&self.names[at]),
                cells.names.len()
            )),
            _ => Ok(()),
        }
    }

    /// Adds missing cells for the rows that had no such key.
    fn fill(&mut self, at: usize, tokens: &Tokens) {
        while self.lengths[at] < self.rows {
            self.builders[at].push(Cow::Borrowed(b""), tokens);
            self.lengths[at] += 1;
        }
    }

    fn object(
        &mut self,
        prefix: &str,
        object: Object<'_>,
        depth: usize,
        tokens: &Tokens,
    ) -> Result<(), String> {
        for (key, value) in object.0 {
            let name = if prefix.is_empty() { key.into_owned() } else { format!("{prefix}.{key}") };
            let text = value.get();
            match text.as_bytes().first() {
                Some(b'{') if depth == DEEPEST => {
                    return Err(format!("objects in objects, more than {DEEPEST} deep"));
                }
                Some(b'{') => {
                    let inner: Object<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
                    self.object(&name, inner, depth + 1, tokens)?;
                }
                Some(b'[') => {
                    return Err(format!(
                        "the value of \"{}\" is an array, which is no cell: {}",
                        short(&name),
                        short(text)
                    ));
                }
                Some(b'"') => {
                    let text: String = serde_json::from_str(text).map_err(|error| error.to_string())?;
                    self.add(name, Cow::Owned(text.trim().as_bytes().to_vec()), tokens)?;
                }
                _ => self.add(name, Cow::Owned(text.as_bytes().to_vec()), tokens)?,
            }
        }
        Ok(())
    }
}

/// Reads a table.
pub(crate) fn read(path: &Path, text: &[u8], options: &ReadOptions, notes: &mut Vec<Note>) -> Result<Table> {
    const HELP: &str =
        "give one object a line, {\"column\": value, ...}, with texts, numbers, true, false or null";
    let tokens = Tokens::new(&options.missing);
    let budget = Budget::new(options.memory_bytes);
    let mut columns = Columns::new(&budget);
    let trimmed = text.trim_ascii();
    let row = |columns: &mut Columns<'_>, object: Object<'_>| -> Result<(), Error> {
        let result = columns.object("", object, 0, &tokens);
        result.map_err(|what| malformed(Place::file(path).row(columns.rows + 1), what, HELP))?;
        columns.rows += 1;
        // Each row can bring a column, for which all rows have a cell.
        let bytes = columns.names.len() as u64 * columns.rows as u64 * size_of::<u32>() as u64;
        if bytes > options.limit_bytes {
            return Err(malformed(
                Place::file(path).row(columns.rows),
                format!(
                    "{} columns of {} rows take more than {} bytes of memory",
                    columns.names.len(),
                    columns.rows,
                    options.limit_bytes
                ),
                "give objects with the same keys in every row",
            ));
        }
        Ok(())
    };
    let wrong = |error: serde_json::Error| {
        let before = text.len() - text.trim_ascii_start().len();
        let line = error.line() + count(b'\n', &text[..before]);
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default().to_owned();
        malformed(Place::file(path).line(line as u64), format!("this is not JSON: {what}"), HELP)
    };
    if trimmed.first() == Some(&b'[') {
        let objects: Vec<Object<'_>> = serde_json::from_slice(trimmed).map_err(wrong)?;
        for object in objects {
            row(&mut columns, object)?;
        }
    } else {
        for object in serde_json::Deserializer::from_slice(trimmed).into_iter::<Object<'_>>() {
            row(&mut columns, object.map_err(wrong)?)?;
        }
    }
    if columns.names.is_empty() {
        return Err(malformed(Place::file(path), "objects without any key", HELP));
    }
    for at in 0..columns.names.len() {
        columns.fill(at, &tokens);
    }
    let made = columns.names.into_iter().zip(columns.builders).map(|(name, builder)| {
        let Some(Raw::Coded(coded)) = Raw::joined(vec![builder]) else { unreachable!("all are texts") };
        let profile = Profile::of(&coded);
        let decided = decide(&name, coded, &profile, Said::of(options, &name), Context::default()).map_err(
            |refusal| {
                malformed(Place::file(path).row(refusal.row + 1).column(&name), refusal.what, refusal.help)
            },
        )?;
        notes.extend(decided.notes);
        Ok(Column::new(name, decided.values).with_reason(decided.reason))
    });
    let made = made.collect::<Result<Vec<_>>>()?;
    Table::new(path.display().to_string(), made)
}
