//! Where rows come from: a built-in data set, a file or a folder.

use crate::failure::{Failure, Result};
use crate::settings::Settings;
use pullback::Error;
use pullback::data::{ColumnType, Encoding, Table, builtin};
use pullback::error::nearest_name;
use pullback::model::Model;
use pullback_data::{Parts, ReadOptions, read};
use std::path::Path;

/// At most so many missing columns are named.
const MOST_NAMES: usize = 5;

/// Reads what `data` names. A file goes before a built-in set of the same name.
pub(super) fn load(data: &str, seed: u64, options: &ReadOptions) -> Result<Parts> {
    let path = Path::new(data);
    if !path.exists()
        && let Some(set) = builtin::find(data)
    {
        return Ok(Parts { train: set.load(seed)?, test: None });
    }
    let looks_like_a_name = !data.contains(['/', '\\', '.']);
    if !path.exists() && looks_like_a_name {
        let error = Error::configuration(format!("there is no file and no built-in data set `{data}`"))
            .unknown(data, builtin::ALL.iter().map(|set| set.name));
        let is_misspelt = error.nearest().is_some();
        return Err(if is_misspelt {
            error
        } else {
            error.help("give a path, or a name that `pullback datasets` lists")
        }
        .into());
    }
    read(path, options).map_err(|error| match error {
        // A column that was declared and is not there.
        error if !error.known().is_empty() => Failure::from(error).into_usage(),
        error => error.into(),
    })
}

/// The settings that a model was trained with; those of a model from elsewhere say nothing.
pub(super) fn settings_of(model: &Model<f32>) -> Settings {
    serde_json::from_value(model.card.configuration.clone()).unwrap_or_default()
}

/// Reads the rows that a model is to predict for: of a source with a part to test on, that part. Columns
/// are taken for what they were in training, whatever they look like.
pub(super) fn load_for(model: &Model<f32>, data: &str) -> Result<Table> {
    let settings = settings_of(model);
    let undeclared = ReadOptions { types: Default::default(), ..settings.read_options()? };
    let mut declared = undeclared.clone();
    for feature in &model.card.preprocessing.features {
        let kind = match feature.encoding {
            Encoding::Numeric { .. } => ColumnType::Numeric,
            Encoding::Categorical { .. } => ColumnType::Categorical,
            Encoding::Bytes { .. } => continue,
        };
        declared.types.insert(feature.name.clone(), kind);
    }
    let table = |parts: Parts| parts.test.unwrap_or(parts.train);
    match load(data, settings.seed(), &declared).map(table) {
        Ok(table) => refuse_missing_columns(model, &table).map(|()| table),
        Err(failure) => {
            if let Ok(table) = load(data, settings.seed(), &undeclared).map(table) {
                refuse_missing_columns(model, &table)?;
            }
            Err(failure)
        }
    }
}

/// Refuses a table without a column that the model takes.
fn refuse_missing_columns(model: &Model<f32>, table: &Table) -> Result<()> {
    let taken: Vec<&str> =
        model.card.preprocessing.features.iter().map(|feature| feature.name.as_str()).collect();
    let missing: Vec<&str> = taken.iter().copied().filter(|name| table.get(name).is_none()).collect();
    let Some(first) = missing.first() else { return Ok(()) };
    let shown: Vec<String> = missing.iter().take(MOST_NAMES).map(|name| format!("\"{name}\"")).collect();
    let more = missing.len().saturating_sub(MOST_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let others = table.names().filter(|name| !taken.contains(name));
    Err(Failure::new(
        format!("{} lacks what the model takes: {}{more}", table.source(), shown.join(", ")),
        match nearest_name(first, others) {
            Some(near) => format!("if \"{near}\" is \"{first}\", rename it"),
            None => {
                "give all columns that the model was trained on; `pullback inspect` lists them".to_owned()
            }
        },
    ))
}
