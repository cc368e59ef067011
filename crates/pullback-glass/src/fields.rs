//! The fields of a question, read by name. Reading them so takes a fraction of the code that a derived reader of each
//! question would be, and this is sent to whoever opens the page.

use pullback::compact::Map;
use pullback::error::{Error, Result};
use serde_json::Value;

/// A question's fields, of which each is read once.
#[derive(Debug)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Those of a question.
    ///
    /// # Errors
    /// If it is no JSON object.
    pub fn parse(question: &str) -> Result<Self> {
        object(serde_json::from_str(question).map_err(no_question)?)
            .ok_or_else(|| no_question("it is no object"))
    }

    /// A field that may be absent or null, as `read` reads it.
    fn optional<R>(
        &mut self,
        name: &str,
        is_a: &str,
        read: impl Fn(Value) -> Option<R>,
    ) -> Result<Option<R>> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match read(value) {
                Some(read) => Ok(Some(read)),
                None => Err(no_question(format!("`{name}` is {is_a}"))),
            },
        }
    }

    /// A text that may be absent.
    ///
    /// # Errors
    /// If it is not given so.
    pub fn optional_text(&mut self, name: &str) -> Result<Option<String>> {
        self.optional(name, "a text", text)
    }

    /// A number that may be absent.
    ///
    /// # Errors
    /// If it is not given so.
    pub fn optional_number(&mut self, name: &str) -> Result<Option<f64>> {
        self.optional(name, "a number", |value| value.as_f64())
    }

    /// A count that may be absent.
    ///
    /// # Errors
    /// If it is not given so.
    pub fn optional_count(&mut self, name: &str) -> Result<Option<usize>> {
        self.optional(name, "a whole number, not negative", count)
    }

    /// A seed that may be absent.
    ///
    /// # Errors
    /// If it is not given so.
    pub fn optional_seed(&mut self, name: &str) -> Result<Option<u64>> {
        self.optional(name, "a whole number, not negative", |value| value.as_u64())
    }

    /// A list of texts that may be absent.
    ///
    /// # Errors
    /// If it is not given so.
    pub fn optional_texts(&mut self, name: &str) -> Result<Option<Vec<String>>> {
        self.optional(name, "a list of texts", |value| list(value, text))
    }

    /// A yes or no that may be absent.
    ///
    /// # Errors
    /// If it is not given so.
    pub fn optional_flag(&mut self, name: &str) -> Result<Option<bool>> {
        self.optional(name, "true or false", |value| value.as_bool())
    }

    /// A list of objects, of which an absent one has none.
    ///
    /// # Errors
    /// If it is not given so.
    pub fn optional_objects(&mut self, name: &str) -> Result<Vec<Self>> {
        let all = self.optional(name, "a list of objects", |value| list(value, object))?;
        Ok(all.unwrap_or_default())
    }

    /// A text.
    ///
    /// # Errors
    /// If it is not given so.
    pub fn text(&mut self, name: &str) -> Result<String> {
        self.optional_text(name).and_then(|own| there(name, own))
    }

    /// A number.
    ///
    /// # Errors
    /// If it is not given so.
    pub fn number(&mut self, name: &str) -> Result<f64> {
        self.optional_number(name).and_then(|own| there(name, own))
    }

    /// A count.
    ///
    /// # Errors
    /// If it is not given so.
    pub fn count(&mut self, name: &str) -> Result<usize> {
        self.optional_count(name).and_then(|own| there(name, own))
    }

    /// A seed.
    ///
    /// # Errors
    /// If it is not given so.
    pub fn seed(&mut self, name: &str) -> Result<u64> {
        self.optional_seed(name).and_then(|own| there(name, own))
    }

    /// The number of something that is open.
    ///
    /// # Errors
    /// If it is not given.
    pub fn id(&mut self, name: &str) -> Result<u32> {
        Ok(u32::try_from(self.seed(name)?).unwrap_or(u32::MAX))
    }

    /// A list of texts.
    ///
    /// # Errors
    /// If it is not given so.
    pub fn texts(&mut self, name: &str) -> Result<Vec<String>> {
        self.optional_texts(name).and_then(|own| there(name, own))
    }

    /// A list of numbers.
    ///
    /// # Errors
    /// If it is not given so.
    pub fn numbers(&mut self, name: &str) -> Result<Vec<f64>> {
        let own = self.optional(name, "a list of numbers", |value| list(value, |own| own.as_f64()))?;
        there(name, own)
    }

    /// A list of counts.
    ///
    /// # Errors
    /// If it is not given so.
    pub fn counts(&mut self, name: &str) -> Result<Vec<usize>> {
        let own = self.optional(name, "a list of whole numbers", |value| list(value, count))?;
        there(name, own)
    }

    /// Values by their names.
    ///
    /// # Errors
    /// If they are not given so.
    pub fn named<R>(
        &mut self,
        name: &str,
        is_a: &str,
        read: impl Fn(Value) -> Option<R>,
    ) -> Result<Map<String, R>> {
        let all = self.optional(name, is_a, |value| match value {
            Value::Object(map) => map.into_iter().map(|(name, own)| Some((name, read(own)?))).collect(),
            _ => None,
        })?;
        there(name, all)
    }

    /// Texts by their names.
    ///
    /// # Errors
    /// If it is not given so.
    pub fn named_texts(&mut self, name: &str) -> Result<Map<String, String>> {
        self.named(name, "texts by their names", text)
    }

    /// Fields within a field, which may be absent.
    ///
    /// # Errors
    /// If it is no object.
    pub fn within(&mut self, name: &str) -> Result<Option<Self>> {
        self.optional(name, "an object", object)
    }

    /// The members of a list, whatever they are.
    ///
    /// # Errors
    /// If there is no list.
    pub fn list(&mut self, name: &str) -> Result<Vec<Value>> {
        let own = self.optional(name, "a list", |value| list(value, Some))?;
        there(name, own)
    }

    /// Refuses what was not read.
    ///
    /// # Errors
    /// Names the first such field.
    pub fn end(&self) -> Result<()> {
        match self.0.keys().next() {
            Some(name) => Err(no_question(format!("unknown field `{name}`"))),
            None => Ok(()),
        }
    }
}

/// What is said against a question that is none.
pub fn no_question(why: impl std::fmt::Display) -> Error {
    Error::configuration(format!("not a question: {why}"))
}

/// What must be there.
fn there<R>(name: &str, own: Option<R>) -> Result<R> {
    own.ok_or_else(|| no_question(format!("missing field `{name}`")))
}

/// A value that is an object.
fn object(value: Value) -> Option<Fields> {
    match value {
        Value::Object(map) => Some(Fields(map.into_iter().collect())),
        _ => None,
    }
}

/// A value that is a text.
pub fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn count(value: Value) -> Option<usize> {
    value.as_u64().and_then(|count| usize::try_from(count).ok())
}

fn list<R>(value: Value, read: impl Fn(Value) -> Option<R>) -> Option<Vec<R>> {
    match value {
        Value::Array(all) => all.into_iter().map(read).collect(),
        _ => None,
    }
}
