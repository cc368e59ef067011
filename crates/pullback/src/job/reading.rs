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
                    if settings.says(key) {
                        return Err(A::Error::duplicate_field(key));
                    }
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
