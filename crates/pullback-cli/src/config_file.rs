//! Settings as a TOML file: reading one under flags, and writing one. What is wrong is told with its
//! line, and with the key or name that was probably meant.

use crate::failure::{Failure, Result};
use crate::settings::Settings;
use pullback::error::nearest_name;
use serde::{Deserialize, Deserializer};
use std::fmt::Display;
use std::path::Path;

impl Settings {
    /// These settings, and where they say nothing, those of a file.
    pub(crate) fn over_file(&self, path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::new(format!("{} cannot be read: {error}", path.display()), "check the path")
        })?;
        let file: Self = toml::from_str(&text).map_err(|error| wrong(path, &text, &error))?;
        let mut merged = file.to_table()?;
        merged.extend(self.to_table()?);
        merged.try_into().map_err(|error: toml::de::Error| contradiction(error.message()))
    }

    /// These settings as a file.
    pub(crate) fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(contradiction)
    }

    fn to_table(&self) -> Result<toml::Table> {
        toml::Table::try_from(self).map_err(contradiction)
    }
}

fn contradiction(error: impl Display) -> Failure {
    Failure::usage(format!("the settings make no TOML: {error}"), "change the setting that is named")
}

/// What is wrong with a file, where, and what was probably meant.
fn wrong(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    const KEYS: &str = "the keys are the flags of `pullback train --help`, with `_` for `-`";
    let message = error.message().replace('\n', "; ");
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (what, help) = match quoted.split_first() {
        Some((given, known)) if message.starts_with("unknown field") => {
            let near = nearest_name(given, known.iter().copied());
            (
                format!("there is no key `{given}`"),
                near.map_or(KEYS.into(), |near| format!("did you mean `{near}`?")),
            )
        }
        Some((given, known))
            if message.starts_with("unknown variant") || message.starts_with("there is no ") =>
        {
            let what = match message.split_once(", expected ") {
                Some((what, _)) if message.starts_with("there is no ") => what.to_owned(),
                _ => format!("there is no `{given}` here"),
            };
            let error = pullback::Error::configuration(what).unknown(given, known);
            (error.to_string(), error.help_text().unwrap_or_default().to_owned())
        }
        _ => match message.strip_prefix("invalid type: ").and_then(|types| types.split_once(", expected ")) {
            Some((found, expected)) => {
                let expected = match expected {
                    "usize" | "u64" => "a whole number",
                    "f32" | "f64" => "a number",
                    "a sequence" => "a list",
                    "a boolean" => "true or false",
                    other => other,
                };
                (format!("{found} where {expected} is expected"), format!("write {expected}"))
            }
            None => (message, "correct it: the file is in the TOML format".into()),
        },
    };
    let line = error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
    Failure::usage(format!("{}, line {line}: {what}", path.display()), help)
}

/// A list of texts, or one text alone.
pub(crate) fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a text or a list of texts")]
    enum Form {
        One(String),
        More(Vec<String>),
    }
    Ok(match Form::deserialize(from)? {
        Form::One(text) => vec![text],
        Form::More(texts) => texts,
    })
}

/// The units of hidden layers: as the flag has them, or a number, or a list of numbers.
pub(crate) fn units<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a number of units, a list of them, or \"none\"")]
    enum Form {
        Text(String),
        One(u64),
        More(Vec<u64>),
    }
    Ok(Some(match Form::deserialize(from)? {
        Form::Text(text) => text,
        Form::One(units) => units.to_string(),
        Form::More(units) if units.is_empty() => "none".into(),
        Form::More(units) => units.iter().map(u64::to_string).collect::<Vec<_>>().join(","),
    }))
}
