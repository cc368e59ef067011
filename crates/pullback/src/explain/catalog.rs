//! The messages in each language. A language is one file in `messages/` and one line here.

use crate::graph::NodeRole;
use std::collections::BTreeMap;

/// The languages: code and messages.
pub const LANGUAGES: &[(&str, &str)] =
    &[("en", include_str!("messages/en.json")), ("ko", include_str!("messages/ko.json"))];

/// The messages of a language, by key; `{name}` in a message is a place for a value.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The language's code.
    pub language: &'static str,
    messages: BTreeMap<String, String>,
}

impl Catalog {
    /// The messages of a language: its code, or a locale such as `ko_KR.UTF-8`.
    pub fn find(language: &str) -> Option<Self> {
        let code = language.split(['_', '-', '.']).next().unwrap_or(language);
        let (code, text) = LANGUAGES.iter().find(|(own, _)| *own == code)?;
        let messages = serde_json::from_str(text).expect("a test reads every catalog");
        Some(Self { language: code, messages })
    }

    /// English.
    pub fn english() -> Self {
        Self::find("en").expect("English is on the list")
    }

    /// The keys, in alphabetical order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.messages.keys().map(String::as_str)
    }

    /// A message without values; the key itself if there is none.
    pub fn get<'a>(&'a self, key: &'a str) -> &'a str {
        self.messages.get(key).map_or(key, String::as_str)
    }

    /// What a node is for: the message under `role.` and the role's word.
    pub fn role(&self, role: NodeRole) -> &str {
        self.messages.get(&format!("role.{}", role.word())).map_or("", String::as_str)
    }

    /// A message with its values. `{units|unit|units}` is the value `units`, followed by the first word if it is 1,
    /// else by the second; a place without a value stays as it is.
    pub fn say(&self, key: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
        let mut text = String::new();
        let mut rest = self.get(key);
        while let Some((before, place, after)) = next_place(rest) {
            text.push_str(before);
            let mut parts = place.split('|');
            let name = parts.next().unwrap_or_default();
            match values.iter().find(|(own, _)| *own == name) {
                Some((_, value)) => {
                    let value = value.to_string();
                    text.push_str(&value);
                    if let (Some(one), Some(many)) = (parts.next(), parts.next()) {
                        text.push(' ');
                        text.push_str(if value == "1" { one } else { many });
                    }
                }
                None => text.push_str(&format!("{{{place}}}")),
            }
            rest = after;
        }
        text + rest
    }
}

/// The text before the next `{...}`, what stands in it, and the text after it.
fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (place, after) = rest.split_once('}')?;
    Some((before, place, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unit_is_no_units_and_values_are_filled_in_once() {
        let messages = [("key", "{units|unit|units} of {name} and {other}")];
        let messages = messages.map(|(key, text)| (key.to_owned(), text.to_owned())).into();
        let catalog = Catalog { language: "en", messages };
        let say = |units: usize| catalog.say("key", &[("units", &units), ("name", &"{units}")]);
        assert_eq!(say(1), "1 unit of {units} and {other}");
        assert_eq!(say(2), "2 units of {units} and {other}");
    }
}
