//! What a file of an example says, before it means anything: texts, numbers, lists and tables with their lines.
//!
//! TOML and JSON are read into the same tree, and written from it. A number keeps its digits, because those of an
//! expected number say how exactly it is known.

use crate::compact::sort_by_key;
use crate::decimal;
use crate::error::{Error, Place, Result};
use serde_json::{Map, Number, Value as Json};
use std::fmt::Write;
use toml::de::{DeTable, DeValue};

/// A value and the line that it begins in; 0 where that is not known.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::explain) struct Node {
    pub(in crate::explain) line: u64,
    pub(in crate::explain) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::explain) enum Value {
    Text(String),
    /// The digits as they stand in the file.
    Number(String),
    /// A number of which no digits were given: those that give it back.
    Exact(f64),
    Truth(bool),
    List(Vec<Node>),
    /// Keys in the order of the file.
    Table(Vec<(String, Node)>),
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        Self { line: 0, value }
    }
}

impl Node {
    pub(in crate::explain) fn text(text: impl Into<String>) -> Self {
        Value::Text(text.into()).into()
    }

    pub(in crate::explain) fn number(number: f64) -> Self {
        Value::Exact(number).into()
    }

    pub(in crate::explain) fn numbers(numbers: &[f64]) -> Self {
        Value::List(numbers.iter().copied().map(Self::number).collect()).into()
    }

    /// What it is, for messages.
    pub(in crate::explain) fn what(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a text",
            Value::Number(_) | Value::Exact(_) => "a number",
            Value::Truth(_) => "true or false",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The tree of a TOML file.
    pub(in crate::explain) fn from_toml(text: &str, source: &str) -> Result<Self> {
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let line = |at: usize| 1 + ends.partition_point(|end| *end < at) as u64;
        let table = DeTable::parse(text).map_err(|error| {
            let place = Place::source(source).line(error.span().map_or(1, |span| line(span.start)));
            Error::configuration(error.message().replace('\n', "; "))
                .at(place)
                .help("correct it: the file is in the TOML format")
        })?;
        Ok(Self { line: 1, value: of_table(table.get_ref(), &line) })
    }

    /// The tree of a JSON document.
    pub(in crate::explain) fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Value::List(Vec::new()),
            Json::Bool(truth) => Value::Truth(*truth),
            Json::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
                Some(number) => Value::Exact(number),
                None => Value::Number(number.to_string()),
            },
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => Value::List(items.iter().map(Self::from_json).collect()),
            Json::Object(map) => {
                let entries = map.iter().filter(|(_, value)| !value.is_null());
                Value::Table(entries.map(|(key, value)| (key.clone(), Self::from_json(value))).collect())
            }
        }
        .into()
    }

    /// The same as JSON. Digits that a number would lose are a text.
    pub(in crate::explain) fn to_json(&self) -> Json {
        match &self.value {
            Value::Text(text) => Json::String(text.clone()),
            Value::Truth(truth) => Json::Bool(*truth),
            Value::Exact(number) => {
                // Zero with a sign has none as a whole number.
                let is_whole = number.fract() == 0.0 && number.abs() < 1e15 && number.to_bits() != 1 << 63;
                let whole = is_whole.then(|| Number::from(*number as i64));
                let number_of = || Number::from_f64(*number);
                whole.or_else(number_of).map_or_else(|| Json::String(number.to_string()), Json::Number)
            }
            Value::Number(text) => {
                let whole = text.parse::<i64>().map(Number::from).ok();
                let whole = whole.or_else(|| text.parse::<u64>().map(Number::from).ok());
                let number = whole.or_else(|| Number::from_f64(decimal::number(text)?));
                match number {
                    Some(number) if number.to_string() == *text => Json::Number(number),
                    Some(number) if decimal::number(text).map(digits).as_ref() == Some(text) => {
                        Json::Number(number)
                    }
                    _ => Json::String(text.clone()),
                }
            }
            Value::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Table(entries) => {
                // Collecting would sort, by code that is compiled for this alone.
                let mut map = Map::new();
                for (key, node) in entries {
                    map.insert(key.clone(), node.to_json());
                }
                Json::Object(map)
            }
        }
    }

    /// The same as a TOML file: what is short first, a list of tables as one section each.
    pub(in crate::explain) fn to_toml(&self) -> String {
        let Value::Table(entries) = &self.value else { return String::new() };
        let mut text = String::new();
        for (key, node) in entries.iter().filter(|(key, node)| !is_section(key, node)) {
            entry(&mut text, key, node);
        }
        for (key, node) in entries.iter().filter(|(key, node)| is_section(key, node)) {
            let sections: Vec<(&Node, String)> = match &node.value {
                Value::List(items) => items.iter().map(|item| (item, format!("[[{key}]]"))).collect(),
                _ => vec![(node, format!("[{key}]"))],
            };
            for (section, head) in sections {
                let Value::Table(entries) = &section.value else { continue };
                text.push_str(&format!("\n{head}\n"));
                entries.iter().for_each(|(key, node)| entry(&mut text, key, node));
            }
        }
        text
    }
}

/// A number in the fewest digits that give it back.
pub(in crate::explain) fn digits(number: f64) -> String {
    let (plain, exponential) = (number.to_string(), format!("{number:e}"));
    if plain.len() <= exponential.len().max(20) { plain } else { exponential }
}

fn of_table(table: &DeTable<'_>, line: &impl Fn(usize) -> u64) -> Value {
    // The parser sorts keys; the file's order is that of their places.
    let mut entries: Vec<_> = table.iter().collect();
    sort_by_key(&mut entries, |(key, _)| key.span().start);
    let entries = entries.into_iter().map(|(key, value)| {
        let node = Node { line: line(key.span().start), value: of_value(value.get_ref(), line) };
        (key.get_ref().to_string(), node)
    });
    Value::Table(entries.collect())
}

fn of_value(value: &DeValue<'_>, line: &impl Fn(usize) -> u64) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(whole) if whole.radix() == 10 => Value::Number(whole.as_str().replace('_', "")),
        DeValue::Integer(whole) => {
            let number = u64::from_str_radix(&whole.as_str().replace('_', ""), whole.radix());
            Value::Number(number.map_or_else(|_| whole.to_string(), |number| number.to_string()))
        }
        DeValue::Float(float) => Value::Number(float.as_str().replace('_', "")),
        DeValue::Boolean(truth) => Value::Truth(*truth),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(items) => {
            let node = |at: usize, value: &DeValue<'_>| Node { line: line(at), value: of_value(value, line) };
            Value::List(items.iter().map(|item| node(item.span().start, item.get_ref())).collect())
        }
        DeValue::Table(table) => of_table(table, line),
    }
}

/// Whether a value is written under a heading of its own.
fn is_section(key: &str, node: &Node) -> bool {
    match &node.value {
        Value::List(items) => key == super::keys::LAYER && !items.is_empty(),
        Value::Table(_) => key != super::keys::AT,
        _ => false,
    }
}

/// The longest line of a file.
const WIDTH: usize = 80;

fn entry(text: &mut String, key: &str, node: &Node) {
    let key = if is_bare(key) { key.to_owned() } else { quoted(key) };
    let start = format!("{key} = ");
    let on_one_line = inline(node);
    let has_lists = |items: &[Node]| items.iter().any(|item| matches!(item.value, Value::List(_)));
    match &node.value {
        Value::List(items) if items.iter().any(|item| matches!(item.value, Value::Table(_))) => {
            text.push_str(&format!("{start}[\n"));
            items.iter().for_each(|item| text.push_str(&format!("  {},\n", inline(item))));
            text.push_str("]\n");
        }
        // A matrix is written row by row, one below another.
        Value::List(items)
            if items.len() > 1 && has_lists(items) || start.len() + on_one_line.len() > WIDTH =>
        {
            text.push_str(&start);
            rows(text, items, start.len());
            text.push('\n');
        }
        Value::Text(lines) if lines.contains('\n') && !lines.contains(['\\', '"']) => {
            text.push_str(&format!("{start}\"\"\"\n{lines}\"\"\"\n"));
        }
        _ => text.push_str(&format!("{start}{on_one_line}\n")),
    }
}

/// A list over several lines, whose items begin in the same column.
fn rows(text: &mut String, items: &[Node], column: usize) {
    text.push('[');
    let mut used = column + 1;
    for (at, item) in items.iter().enumerate() {
        let comma = if at + 1 < items.len() { "," } else { "" };
        match &item.value {
            Value::List(inner) => {
                let one_line = inline(item);
                if at > 0 {
                    text.push_str(&format!("\n{}", " ".repeat(column + 1)));
                }
                if inner.iter().any(|item| matches!(item.value, Value::List(_))) && inner.len() > 1
                    || column + 1 + one_line.len() > WIDTH
                {
                    rows(text, inner, column + 1);
                } else {
                    text.push_str(&one_line);
                }
                text.push_str(comma);
            }
            _ => {
                let part = inline(item) + comma;
                if at > 0 && used + 1 + part.len() > WIDTH {
                    text.push_str(&format!("\n{}", " ".repeat(column + 1)));
                    used = column + 1;
                } else if at > 0 {
                    text.push(' ');
                    used += 1;
                }
                used += part.len();
                text.push_str(&part);
            }
        }
    }
    text.push(']');
}

/// A value in one line, as a TOML file has it.
pub(super) fn inline(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => quoted(text),
        Value::Number(digits) => digits.clone(),
        Value::Exact(number) => digits(*number),
        Value::Truth(truth) => truth.to_string(),
        Value::List(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Table(entries) if entries.is_empty() => "{}".into(),
        Value::Table(entries) => {
            let parts = entries.iter().map(|(key, node)| {
                let key = if is_bare(key) { key.clone() } else { quoted(key) };
                format!("{key} = {}", inline(node))
            });
            format!("{{ {} }}", parts.collect::<Vec<_>>().join(", "))
        }
    }
}

fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() => {
                write!(quoted, "\\u{:04X}", c as u32).expect("a text takes what is written")
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
