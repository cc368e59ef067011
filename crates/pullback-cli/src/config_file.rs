//! Settings as a TOML file. What is wrong is told with its
//! line, and with the key or name that was probably meant.

use crate::failure::{Failure, Result};
use crate::flags;
use pullback::error::nearest_name;
use pullback::job::Settings;
use std::path::Path;

/// The settings of a file.
pub(crate) fn read(path: &Path) -> Result<Settings> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(format!("{} cannot be read: {error}", path.display()), "check the path")
    })?;
    toml::from_str(&text).map_err(|error| wrong(path, &text, &error))
}

/// Settings as a file.
pub(crate) fn to_toml(settings: &Settings) -> Result<String> {
    toml::to_string(settings).map_err(|error| {
        Failure::usage(format!("the settings make no TOML: {error}"), "change the setting that is named")
    })
}

/// What is wrong with a file, where, and what was probably meant.
pub(crate) fn wrong(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    const KEYS: &str = "the keys are the flags of `pullback train --help`, with `_` for `-`";
    let message = error.message().replace('\n', "; ");
    // What was given may hold a backtick itself; what is expected does not.
    let (said, expected) = message.split_once("`, expected ").unwrap_or((&message, ""));
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let given = said.split_once('`').map(|(_, given)| given.strip_suffix('`').unwrap_or(given));
    let (what, help) = match given.map(|given| (given, &known[..])) {
        Some((given, known)) if message.starts_with("unknown field") => {
            let near = nearest_name(given, known.iter().copied());
            (
                format!("there is no key `{given}`"),
                near.map_or(KEYS.into(), |near| format!("did you mean `{}`?", flags::listed(near))),
            )
        }
        Some((given, known))
            if message.starts_with("unknown variant") || message.starts_with("there is no ") =>
        {
            let what = match message.starts_with("there is no ") && !expected.is_empty() {
                true => format!("{said}`"),
                false => format!("there is no `{given}` here"),
            };
            let error = pullback::Error::configuration(what).unknown(given, known);
            (error.to_string(), error.help_text().unwrap_or_default().to_owned())
        }
        _ => match (message.strip_prefix("invalid type: "))
            .or_else(|| message.strip_prefix("invalid value: "))
            .and_then(|types| types.split_once(", expected "))
        {
            Some((found, expected)) => {
                let expected = match expected {
                    "usize" | "u64" | "u32" => "a whole number",
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
