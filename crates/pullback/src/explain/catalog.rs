//! What is said in each language. A language is one file in `messages/` and one line here.

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

    /// A message with its values.
    pub fn say(&self, key: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
        let mut text = self.get(key).to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), &value.to_string());
        }
        text
    }
}
