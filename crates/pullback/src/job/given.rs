//! What settings say of the data, of threads and of chance, checked.

use super::configuration;
use super::settings::Settings;
use crate::data::{ColumnType, DataOptions, Table, TargetScaling};
use crate::error::Result;
use std::collections::BTreeMap;

/// More threads than any machine has processors for; the system gives only so many.
const MOST_THREADS: usize = 1024;

/// Refuses a number of threads that cannot be meant.
///
/// # Errors
/// If they are too many.
pub fn checked_threads(threads: usize) -> Result<usize> {
    if threads > MOST_THREADS {
        return Err(configuration(
            format!("{threads} threads are too many"),
            format!("give at most {MOST_THREADS}; more than the machine has processors gain nothing"),
        ));
    }
    Ok(threads)
}

/// A name without the quotes that it may stand in.
fn unquoted(name: &str) -> String {
    let inner =
        name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).filter(|name| !name.is_empty());
    inner.map_or(name.to_owned(), |name| name.replace("\"\"", "\""))
}

impl Settings {
    /// The same, with names of columns as a table has them, though a comma cut them.
    #[must_use]
    pub fn with_names_of(self, table: &Table) -> Self {
        let is_column = |name: &str| table.get(name).is_some();
        Self { target: self.target.joined(is_column), ignore: self.ignore.joined(is_column), ..self }
    }

    /// The name of the data: a built-in set or a path.
    pub fn data(&self) -> &str {
        self.data.as_deref().unwrap_or("digits")
    }

    /// The seed of all random numbers.
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    /// The declared types of columns.
    ///
    /// # Errors
    /// If a text is not of the form `column=type`.
    pub fn column_types(&self) -> Result<BTreeMap<String, ColumnType>> {
        // A name may have a comma, and only the end of a declaration a type.
        let mut texts: Vec<String> = Vec::new();
        let mut is_open = false;
        for text in &self.r#type.0 {
            match texts.last_mut().filter(|_| is_open) {
                Some(last) => {
                    last.push(',');
                    last.push_str(text);
                }
                None => texts.push(text.clone()),
            }
            is_open = !text.contains('=');
        }
        texts
            .iter()
            .map(|text| {
                text.rsplit_once('=')
                    .and_then(|(name, kind)| Some((unquoted(name), kind.parse().ok()?)))
                    .ok_or_else(|| {
                        configuration(
                            format!("`{text}` declares no type"),
                            "write a column and its type: `--type zip=categorical` or `--type zip=numeric`",
                        )
                    })
            })
            .collect()
    }

    /// The fractions of rows to hold out for test and validation, where they are given.
    pub(super) fn fractions(&self) -> Result<[Option<f64>; 2]> {
        let checked = |flag: &str, fraction: Option<f64>| match fraction {
            Some(fraction) if !(0.0..1.0).contains(&fraction) => Err(configuration(
                format!("`--{flag}` is {fraction}"),
                "give the fraction of the rows to hold out: at least 0 and below 1, for example 0.2",
            )),
            fraction => Ok(fraction),
        };
        Ok([checked("test", self.test)?, checked("validation", self.validation)?])
    }

    /// How a table becomes a data set.
    ///
    /// # Errors
    /// If a type is declared in another form than `column=type`.
    pub fn data_options(&self) -> Result<DataOptions> {
        Ok(DataOptions {
            target: self.target.0.clone(),
            task: self.task,
            ignore: self.ignore.0.clone(),
            weights: self.weights.clone(),
            types: self.column_types()?,
            scaling: self.scaling.unwrap_or_default(),
            imputation: self.imputation.unwrap_or_default(),
            missing_indicators: self.missing_indicators.unwrap_or(false),
            max_levels: match self.max_levels {
                Some(0) => {
                    return Err(configuration(
                        "`--max-levels` is 0, so that no text could be told from another",
                        "give at least 1",
                    ));
                }
                levels => levels.unwrap_or(DataOptions::MAX_LEVELS),
            },
            target_scaling: match self.cost {
                Some(cost) if cost.has_log_link() => TargetScaling::Mean,
                _ => TargetScaling::default(),
            },
        })
    }
}
