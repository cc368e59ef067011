//! The messages in each language. A language is one file in `messages/` and one line here.
//!
//! Whoever writes for people asks for a message by its key ([`Catalog::say`]). What is data as well, and so said in
//! English in a JSON report too (a note of a reader, a concern, a reason, a remark), is known by that English
//! ([`Catalog::told`]).

use crate::compact::{Map, sort_by_key};
use crate::graph::NodeRole;
use serde_json::Value;

/// The languages: code and messages.
pub static LANGUAGES: &[(&str, &str)] =
    &[(CODES[0], include_str!("messages/en.json")), (CODES[1], include_str!("messages/ko.json"))];

/// The codes of the languages. Who names only these does not carry all messages along.
pub const CODES: &[&str] = &["en", "ko"];

/// The messages of a language, by key; `{name}` in a message is a place for a value.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The language's code.
    pub language: &'static str,
    messages: Map<String, String>,
    /// The keys under [`TOLD`], those that say most first: `{count} left out` fits what `{count|row|rows} left out` does.
    told: Vec<String>,
}

/// Before the English of what is told.
const TOLD: &str = "told.";

impl Catalog {
    /// The messages of a language: its code, or a locale such as `ko_KR.UTF-8`.
    pub fn find(language: &str) -> Option<Self> {
        let code = language.split(['_', '-', '.']).next().unwrap_or(language);
        let (code, text) = LANGUAGES.iter().find(|(own, _)| *own == code)?;
        Some(Self::parse(code, text).expect("a test reads every catalog"))
    }

    /// The messages of a language, by its code, from the text of its file; absent where the language is unknown or the
    /// text is no such file.
    pub fn parse(language: &str, text: &str) -> Option<Self> {
        let language = CODES.iter().copied().find(|own| *own == language)?;
        let Ok(Value::Object(all)) = serde_json::from_str(text) else { return None };
        let message = |(key, value)| match value {
            Value::String(text) => Some((key, text)),
            _ => None,
        };
        Some(Self::of(language, all.into_iter().map(message).collect::<Option<_>>()?))
    }

    fn of(language: &'static str, messages: Map<String, String>) -> Self {
        let mut told: Vec<String> = messages.keys().filter(|key| key.starts_with(TOLD)).cloned().collect();
        sort_by_key(&mut told, |key| std::cmp::Reverse(literal_length(key)));
        Self { language, messages, told }
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

    /// A description of a layer, `convolution 8 of 3x3`, whose words are those of the language. Names of functions stay.
    pub fn described(&self, text: &str) -> String {
        let mut phrases: Vec<&str> = self
            .keys()
            .filter_map(|key| key.strip_prefix("words."))
            .filter(|own| text.contains(own))
            .collect();
        // The longest first, so that a part of another is not taken for it.
        sort_by_key(&mut phrases, |phrase| std::cmp::Reverse(phrase.len()));
        let mut parts = vec![(text.to_owned(), false)];
        for phrase in phrases {
            let word = self.get(&format!("words.{phrase}")).to_owned();
            parts = parts.into_iter().flat_map(|part| replaced(part, phrase, &word)).collect();
        }
        parts.into_iter().map(|(text, _)| text).collect()
    }

    /// A text that is data, and so English, in this language: its message is found by its English under `told.`. Values
    /// in it are told likewise, or are roles of nodes; names stay (what is in quotes, and the place `{name}`). So does a
    /// text that fits no message.
    ///
    /// ```
    /// use pullback::explain::Catalog;
    /// let korean = Catalog::find("ko").expect("there is Korean");
    /// assert_eq!(korean.told("3 rows without a target left out"), "정답이 없는 3행을 뺐습니다.");
    /// ```
    pub fn told(&self, text: &str) -> String {
        let known = self.told.iter().find_map(|key| Some((key, values_in(&key[TOLD.len()..], text)?)));
        let role = || self.messages.get(&format!("role.{text}")).map_or(text, String::as_str);
        let Some((key, values)) = known else { return role().to_owned() };
        let told: Vec<(&str, String)> = (values.into_iter())
            .map(|Found { name, value, is_name }| {
                (name, if is_name || value == text { value.to_owned() } else { self.told(value) })
            })
            .collect();
        let values: Vec<(&str, &dyn std::fmt::Display)> =
            told.iter().map(|(name, value)| (*name, value as &dyn std::fmt::Display)).collect();
        self.say(key, &values)
    }

    /// The name of an expected quantity: `E after 100 steps`.
    pub fn quantity(&self, name: &str) -> String {
        if let Some((own, steps)) = name.split_once(" after ") {
            let steps = steps.trim_end_matches(" steps").trim_end_matches(" step");
            let own = if own == "cost" { self.get("total_cost") } else { own };
            return match steps {
                "a" | "one" | "1" => self.say("after_a_step", &[("name", &own)]),
                _ => self.say("after_steps_of", &[("name", &own), ("steps", &steps)]),
            };
        }
        let key = format!("quantity.{name}");
        self.messages.get(&key).cloned().unwrap_or_else(|| match name {
            "cost" => self.get("total_cost").to_owned(),
            _ => name.to_owned(),
        })
    }

    /// Why an expected number is wrong.
    pub fn erratum(&self, text: &str) -> String {
        match text.strip_prefix("the exact number is ") {
            Some(number) => self.say("exact_number", &[("number", &number)]),
            None => text.to_owned(),
        }
    }

    /// A message with its values. `{units|unit|units}` is the value `units`, followed by the first word if it is 1,
    /// else by the second; `{name/은/는}` is the value `name` with the Korean particle that its last sound asks for; a
    /// place without a value stays as it is.
    pub fn say(&self, key: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
        let mut text = String::new();
        let mut rest = self.get(key);
        while let Some((before, place, after)) = next_place(rest) {
            text.push_str(before);
            let mut parts = place.split('|');
            let name = parts.next().unwrap_or_default();
            let (name, particle) = name.split_once('/').unwrap_or((name, ""));
            match values.iter().find(|(own, _)| *own == name) {
                Some((_, value)) => {
                    let value = value.to_string();
                    text.push_str(&value);
                    if let Some((after_consonant, after_vowel)) = particle.split_once('/') {
                        text.push_str(with_particle(&value, after_consonant, after_vowel));
                    }
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

/// The parts of a text around a phrase that stands by itself; what is replaced already stays.
fn replaced((text, is_done): (String, bool), phrase: &str, word: &str) -> Vec<(String, bool)> {
    if is_done {
        return vec![(text, true)];
    }
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_alphabetic() || c == '_');
    let found = text.match_indices(phrase).find(|(at, _)| {
        !is_letter(text[..*at].chars().next_back()) && !is_letter(text[at + phrase.len()..].chars().next())
    });
    let Some((at, _)) = found else { return vec![(text, false)] };
    let mut parts = vec![(text[..at].to_owned(), false), (word.to_owned(), true)];
    parts.extend(replaced((text[at + phrase.len()..].to_owned(), false), phrase, word));
    parts
}

/// The text before the next `{...}`, what stands in it, and the text after it.
fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (place, after) = rest.split_once('}')?;
    Some((before, place, after))
}

/// How many letters of a message are its own.
fn literal_length(mut message: &str) -> usize {
    let mut length = 0;
    while let Some((before, _, after)) = next_place(message) {
        length += before.len();
        message = after;
    }
    length + message.len()
}

/// What stands at a place of a message.
struct Found<'a> {
    name: &'a str,
    value: &'a str,
    /// Whether it is a name, which is the same in every language.
    is_name: bool,
}

/// The values with which an English message is a text, if it is: of several ways the one with the shortest first value.
fn values_in<'a>(message: &'a str, text: &'a str) -> Option<Vec<Found<'a>>> {
    let Some((before, place, after)) = next_place(message) else {
        return (message == text).then(Vec::new);
    };
    let rest = text.strip_prefix(before)?;
    let mut parts = place.split('|');
    let name = parts.next().unwrap_or_default();
    let words = parts.next().zip(parts.next());
    let is_name = name == "name" || before.ends_with('"') && after.starts_with('"');
    let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8());
    ends.filter_map(|end| {
        let (value, behind) = rest.split_at(end);
        let behind = match words {
            None => behind,
            Some((one, many)) => {
                let word = if value.parse::<u64>().ok()? == 1 { one } else { many };
                behind.strip_prefix(' ')?.strip_prefix(word)?
            }
        };
        let others = values_in(after, behind)?;
        Some(std::iter::once(Found { name, value, is_name }).chain(others).collect())
    })
    .next()
}

/// The last sound of a word, as far as a particle depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sound {
    Vowel,
    /// The consonant after which `로` stays as after a vowel.
    Rieul,
    Consonant,
}

/// The particle that goes with a value, of its two forms: `은` or `는`, `을` or `를`, `으로` or `로`.
pub fn with_particle<'a>(value: &str, after_consonant: &'a str, after_vowel: &'a str) -> &'a str {
    match last_sound(value) {
        Sound::Vowel => after_vowel,
        Sound::Rieul if after_consonant.starts_with("으로") => after_vowel,
        Sound::Rieul | Sound::Consonant => after_consonant,
    }
}

/// How a value ends when it is read aloud: numbers digit by digit, a lone letter by its name, words as they sound.
fn last_sound(value: &str) -> Sound {
    let spoken: Vec<char> = value.chars().filter(|c| c.is_alphanumeric() || *c == '%').collect();
    let Some(&last) = spoken.last() else { return Sound::Vowel };
    let is_word =
        spoken.len() > 1 && spoken[spoken.len() - 2].is_ascii_lowercase() && last.is_ascii_lowercase();
    match last.to_ascii_lowercase() {
        // 일, 칠, 팔; 영, 삼, 육; 이, 사, 오, 구. Tens, hundreds and so on end in a consonant, as 영 does.
        '1' | '7' | '8' => Sound::Rieul,
        '0' | '3' | '6' => Sound::Consonant,
        // 엘, 알; a word such as `layer` ends in a vowel.
        'l' => Sound::Rieul,
        'r' if !is_word => Sound::Rieul,
        'm' | 'n' => Sound::Consonant,
        'g' if is_word && spoken[spoken.len() - 2] == 'n' => Sound::Consonant,
        hangul @ '가'..='힣' => match (hangul as u32 - '가' as u32) % 28 {
            0 => Sound::Vowel,
            8 => Sound::Rieul,
            _ => Sound::Consonant,
        },
        _ => Sound::Vowel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_described_in_the_language() {
        let korean = Catalog::find("ko").expect("on the list");
        assert_eq!(korean.described("convolution 8 of 3x3, padding same"), "합성곱 8 크기 3x3, 패딩 그대로");
        assert_eq!(korean.described("batch norm"), "배치 정규화");
        assert_eq!(korean.described("softplus"), "softplus");
        assert_eq!(Catalog::english().described("dense 4 without bias"), "dense 4 without bias");
        assert_eq!(korean.quantity("w1 after a step"), "갱신 1번 뒤의 w1");
    }

    #[test]
    fn what_is_told_is_known_by_its_english() {
        let messages = [
            ("told.column \"{name}\": {what}", "\"{name}\" 열: {what}"),
            ("told.{count|row|rows} left out", "{count}행을 뺌"),
            ("told.{what} left out", "{what/을/를} 뺌"),
            ("told.the mean", "평균"),
        ];
        let messages = messages.map(|(key, text)| (key.to_owned(), text.to_owned())).into_iter().collect();
        let catalog = Catalog::of("ko", messages);
        let told = |text: &str| catalog.told(text);
        assert_eq!(told("column \"the mean\": 1 row left out"), "\"the mean\" 열: 1행을 뺌");
        assert_eq!(told("the mean left out"), "평균을 뺌");
        assert_eq!(told("1 rows"), "1 rows");
        assert_eq!(told(""), "");
    }

    #[test]
    fn a_particle_follows_its_value() {
        let messages =
            [("key".to_owned(), "{w/을/를} {n/으로/로} 나눕니다".to_owned())].into_iter().collect();
        let catalog = Catalog::of("ko", messages);
        assert_eq!(catalog.say("key", &[("w", &"w1"), ("n", &8)]), "w1을 8로 나눕니다");
    }

    #[test]
    fn one_unit_is_no_units_and_values_are_filled_in_once() {
        let messages = [("key", "{units|unit|units} of {name} and {other}")];
        let messages = messages.map(|(key, text)| (key.to_owned(), text.to_owned())).into_iter().collect();
        let catalog = Catalog::of("en", messages);
        let say = |units: usize| catalog.say("key", &[("units", &units), ("name", &"{units}")]);
        assert_eq!(say(1), "1 unit of {units} and {other}");
        assert_eq!(say(2), "2 units of {units} and {other}");
    }
}
