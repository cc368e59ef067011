//! The tables of a file: values by key, of the kind that is wanted, or an error with the line and the key.

use super::tree::{Node, Value, digits};
use crate::decimal;
use crate::error::{Error, Place, Result};
use crate::graph::Shape;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

/// A table of a file, with the keys that it may have.
pub(in crate::explain) struct Table<'a> {
    pub(in crate::explain) source: &'a str,
    /// What the table is, for messages: `layer 2`; empty for the file.
    pub(in crate::explain) of: String,
    pub(in crate::explain) line: u64,
    pub(in crate::explain) entries: &'a [(String, Node)],
}

impl<'a> Table<'a> {
    pub(in crate::explain) fn new(source: &'a str, of: impl Into<String>, node: &'a Node) -> Result<Self> {
        let of = of.into();
        match &node.value {
            Value::Table(entries) => Ok(Self { source, of, line: node.line, entries }),
            _ => {
                let what = if of.is_empty() { "the file" } else { &of };
                Err(wrong(source, node.line, format!("{what} is {}", node.what()))
                    .help("write keys with values"))
            }
        }
    }

    pub(in crate::explain) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(own, _)| own == key).map(|(_, node)| node)
    }

    /// A key as messages call it.
    pub(in crate::explain) fn named(&self, key: &str) -> String {
        if self.of.is_empty() { format!("`{key}`") } else { format!("`{key}` of {}", self.of) }
    }

    pub(in crate::explain) fn wrong(&self, key: &str, what: impl Display) -> Error {
        let line = self.get(key).map_or(self.line, |node| node.line);
        wrong(self.source, line, format!("{} {what}", self.named(key)))
    }

    /// The same place for an error that was found elsewhere.
    pub(in crate::explain) fn placed(&self, key: &str, error: Error) -> Error {
        let line = self.get(key).map_or(self.line, |node| node.line);
        error.at(place(self.source, line))
    }

    pub(in crate::explain) fn must_be(&self, key: &str, node: &Node, what: &str) -> Error {
        self.wrong(key, format!("is {}, not {what}", node.what())).help(format!("write {what}"))
    }

    pub(in crate::explain) fn text(&self, key: &str) -> Result<Option<&'a str>> {
        match self.get(key) {
            None => Ok(None),
            Some(Node { value: Value::Text(text), .. }) => Ok(Some(text)),
            Some(node) => Err(self.must_be(key, node, "a text in quotes")),
        }
    }

    /// A choice by its text form.
    pub(in crate::explain) fn choice<C: FromStr<Err = Error>>(&self, key: &str) -> Result<Option<C>> {
        let parse = |text: &str| text.parse().map_err(|error| self.placed(key, error));
        self.text(key)?.map(parse).transpose()
    }

    pub(in crate::explain) fn truth(&self, key: &str) -> Result<Option<bool>> {
        match self.get(key) {
            None => Ok(None),
            Some(Node { value: Value::Truth(truth), .. }) => Ok(Some(*truth)),
            Some(node) => Err(self.must_be(key, node, "true or false")),
        }
    }

    pub(in crate::explain) fn digits(&self, key: &str) -> Result<Option<Cow<'a, str>>> {
        match self.get(key) {
            None => Ok(None),
            Some(Node { value: Value::Exact(number), .. }) => Ok(Some(digits(*number).into())),
            Some(Node { value: Value::Number(digits) | Value::Text(digits), .. })
                if decimal::number(digits).is_some() =>
            {
                Ok(Some(digits.into()))
            }
            Some(node) => Err(self.must_be(key, node, "a number")),
        }
    }

    pub(in crate::explain) fn number(&self, key: &str) -> Result<Option<f64>> {
        Ok(self.digits(key)?.map(|digits| decimal::number(&digits).expect("it was parsed before")))
    }

    pub(in crate::explain) fn count(&self, key: &str) -> Result<Option<u64>> {
        let Some(digits) = self.digits(key)? else { return Ok(None) };
        digits
            .parse()
            .map(Some)
            .map_err(|_| self.wrong(key, format!("is {digits}")).help("write a whole number"))
    }

    pub(in crate::explain) fn list(&self, key: &str) -> Result<&'a [Node]> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Node { value: Value::List(items), .. }) => Ok(items),
            Some(node) => Err(self.must_be(key, node, "a list in brackets")),
        }
    }

    /// Texts in lists of any depth, one after the other.
    pub(in crate::explain) fn texts(&self, key: &str) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        let mut rest: Vec<&Node> = self.list(key)?.iter().rev().collect();
        while let Some(node) = rest.pop() {
            match &node.value {
                Value::Text(text) => texts.push(text.clone()),
                Value::List(items) => rest.extend(items.iter().rev()),
                _ => return Err(self.must_be(key, node, "texts in quotes")),
            }
        }
        Ok(texts)
    }

    pub(in crate::explain) fn array(&self, key: &str) -> Result<Option<Array>> {
        self.get(key).map(|node| self.array_of(key, node)).transpose()
    }

    pub(in crate::explain) fn array_of(&self, key: &str, node: &Node) -> Result<Array> {
        match &node.value {
            Value::Exact(number) => Ok(Array { sizes: Vec::new(), numbers: vec![*number] }),
            Value::Number(digits) => {
                if let Some(number) = decimal::number(digits) {
                    return Ok(Array { sizes: Vec::new(), numbers: vec![number] });
                }
                Err(self.wrong(key, format!("has {digits}")).help("write a finite number"))
            }
            Value::List(items) => {
                let mut array = Array { sizes: vec![items.len()], numbers: Vec::new() };
                for (at, item) in items.iter().enumerate() {
                    if let (Value::Exact(number), 1) = (&item.value, array.sizes.len()) {
                        array.numbers.push(*number);
                        continue;
                    }
                    let part = self.array_of(key, item)?;
                    if at == 0 {
                        array.sizes.extend(&part.sizes);
                    } else if array.sizes[1..] != part.sizes {
                        let (first, own) = (Shape::from(&array.sizes[1..]), Shape::from(part.sizes));
                        return Err(wrong(
                            self.source,
                            item.line.max(self.line),
                            format!(
                                "{} begins with rows of shape {first}, but row {} is {own}",
                                self.named(key),
                                at + 1
                            ),
                        )
                        .help("write as many numbers in each row"));
                    }
                    array.numbers.extend(part.numbers);
                }
                Ok(array)
            }
            _ => Err(self.must_be(key, node, "numbers in brackets")),
        }
    }

    /// Refuses keys that mean nothing here.
    pub(in crate::explain) fn check(&self, known: &[&str]) -> Result<()> {
        match self.entries.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, node)) => {
                let of = if self.of.is_empty() { String::new() } else { format!(" of {}", self.of) };
                let error = wrong(self.source, node.line, format!("there is no key `{key}`{of}"));
                Err(error.unknown(key, known))
            }
        }
    }

    /// A part that serde reads.
    pub(in crate::explain) fn serde<T: DeserializeOwned>(&self, line: u64, json: Json) -> Result<T> {
        serde_json::from_value(json).map_err(|error| {
            let message = error.to_string();
            let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
            let of = if self.of.is_empty() { String::new() } else { format!(" of {}", self.of) };
            match quoted.split_first() {
                Some((given, known)) if message.starts_with("unknown field") => {
                    wrong(self.source, line, format!("there is no key `{given}`{of}")).unknown(given, known)
                }
                Some((given, known)) if message.starts_with("unknown variant") => {
                    wrong(self.source, line, format!("there is no `{given}`{of}")).unknown(given, known)
                }
                Some((given, [])) if message.starts_with("missing field") => {
                    wrong(self.source, line, format!("`{given}`{of} is missing")).help("add it")
                }
                _ => wrong(
                    self.source,
                    line,
                    format!("{}: {message}", if of.is_empty() { "the file" } else { &self.of }),
                )
                .help("correct it"),
            }
        })
    }
}

/// Numbers with the sizes of the lists that they stand in.
pub(in crate::explain) struct Array {
    pub(in crate::explain) sizes: Vec<usize>,
    pub(in crate::explain) numbers: Vec<f64>,
}

pub(in crate::explain) fn place(source: &str, line: u64) -> Place {
    if line == 0 { Place::source(source) } else { Place::source(source).line(line) }
}

pub(in crate::explain) fn wrong(source: &str, line: u64, what: impl Into<String>) -> Error {
    Error::configuration(what).at(place(source, line))
}
