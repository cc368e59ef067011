//! Settings from files of any format. What depends on the format only hands values on, because it is compiled for each of
//! them; what a value means is compiled once.

use super::settings::{NetworkTable, Settings};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::fmt;

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = Settings;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of settings")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Settings, A::Error> {
                let mut settings = Settings::default();
                while let Some(Key(key)) = map.next_key()? {
                    map.next_value_seed(Entry { settings: &mut settings, key })?;
                }
                Ok(settings)
            }
        }
        from.deserialize_map(Table)
    }
}

/// A key of the list, or that of the layers.
struct Key(&'static str);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a setting")
            }
            fn visit_str<E: Error>(self, written: &str) -> Result<Key, E> {
                Settings::key(written).map(Key).ok_or_else(|| E::unknown_field(written, Settings::KEYS))
            }
        }
        from.deserialize_identifier(Name)
    }
}

/// What becomes of a key's value. It is read here, within the format, so that the format knows where a wrong one stands.
struct Entry<'a> {
    settings: &'a mut Settings,
    key: &'static str,
}

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        if self.settings.says(self.key) {
            return Err(D::Error::custom(format!(
                "`{}` is given twice, once by another of its names",
                self.key
            )));
        }
        if self.key == Settings::NETWORK {
            // Of many lines, each of which the format knows.
            self.settings.network = Option::<NetworkTable>::deserialize(from)?;
            return Ok(());
        }
        let value = from.deserialize_any(Given)?;
        self.settings.take(self.key, value).map_err(D::Error::custom)
    }
}

/// A value of any kind. JSON has no number that is not finite, and would make nothing of it.
struct Given;

impl<'de> Visitor<'de> for Given {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        match value.is_finite() {
            true => Ok(value.into()),
            false => Err(E::invalid_value(Unexpected::Float(value), &"a finite number")),
        }
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Value, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong, and the line where it begins.
    fn wrong(text: &str) -> (String, usize) {
        let error = toml::from_str::<Settings>(text).unwrap_err();
        let start = error.span().expect("a place").start;
        (error.message().to_owned(), 1 + text[..start].matches('\n').count())
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let (message, line) = wrong("seed = 1\nepochs = 3\nepoch = 4\n");
        // Either of the two lines: a table's keys come in the order of their names.
        assert!(message.contains("`epochs` is given twice") && [2, 3].contains(&line), "{message}, {line}");
        let (message, line) = wrong("seed = 1\n\nlearning_rate = inf\n");
        assert!(message.contains("finite") && line == 3, "{message}, {line}");
        let (message, line) = wrong("seed = 1\nepochs = \"many\"\n");
        assert!(message.contains("\"many\"") && line == 2, "{message}, {line}");
        let (message, line) = wrong("seed = 1\nepochz = 3\n");
        assert!(message.contains("unknown field `epochz`") && line == 2, "{message}, {line}");
    }

    #[test]
    fn each_key_of_the_list_is_known_by_all_its_names() {
        for setting in Settings::LIST {
            for name in [&[setting.name], setting.also].concat() {
                assert_eq!(Settings::key(name), Some(setting.name));
                assert!(Settings::KEYS.contains(&name), "{name}");
            }
        }
    }
}
