//! Where rows come from: a built-in data set, a file or a folder; and what a model says of them.

use crate::failure::{Failure, Result};
use crate::machine::{free_memory, machine};
use crate::terminal::warn;
use pullback::Error;
use pullback::data::{ColumnType, Encoding, Table, builtin};
use pullback::error::nearest_name;
use pullback::job::{self, Settings, Tables, memory};
use pullback::model::{Card, Fingerprint, Model, Prediction};
use pullback_data::{ReadOptions, read};
use std::path::Path;

/// At most so many missing columns are named.
const MOST_NAMES: usize = 5;

/// Reads what `data` names. A file goes before a built-in set of the same name.
pub(crate) fn load(data: &str, seed: u64, options: &ReadOptions) -> Result<Tables> {
    let path = Path::new(data);
    if !path.exists()
        && let Some(set) = builtin::find(data)
    {
        return Ok(set.load(seed)?.into());
    }
    let looks_like_a_name = !data.contains(['/', '\\', '.']);
    if !path.exists() && looks_like_a_name {
        let error = Error::configuration(format!("there is no file and no built-in data set `{data}`"))
            .unknown(data, builtin::ALL.iter().map(|set| set.name));
        return Err(match error.nearest() {
            Some(_) => error.into(),
            None => error.help("give a path, or a name that `pullback datasets` lists").into(),
        });
    }
    let parts = read(path, options).map_err(|error| match error {
        // A column that was declared and is not there.
        error if !error.known().is_empty() => Failure::from(error).into_usage(),
        error => Failure::from(error),
    })?;
    Ok(Tables { train: parts.train, test: parts.test })
}

/// How files are read.
pub(crate) fn read_options(settings: &Settings) -> Result<ReadOptions> {
    let delimiter = match settings.delimiter.as_deref() {
        None => None,
        Some("tab" | "\\t") => Some(b'\t'),
        Some(text) if text.len() == 1 => Some(text.as_bytes()[0]),
        Some(text) => {
            return Err(Failure::usage(
                format!("`{text}` is no delimiter"),
                "give one character, for example `--delimiter ';'`, or `tab`",
            ));
        }
    };
    Ok(ReadOptions {
        delimiter,
        has_header: settings.header,
        types: settings.column_types()?,
        ..ReadOptions::default()
    })
}

/// The settings that a model was trained with; absent for a model that does not say.
pub(crate) fn settings_of(card: &Card) -> Result<Option<Settings>> {
    if card.configuration.is_null() {
        return Ok(None);
    }
    serde_json::from_value(card.configuration.clone()).map(Some).map_err(|error| {
        Failure::new(
            format!("the settings in the model cannot be read ({error})"),
            "update pullback, or train the model again",
        )
    })
}

/// Reads the rows that a model is to predict for: of a source with a part to test on, that part. Columns
/// are taken for what they were in training, whatever they look like.
pub(crate) fn load_for(card: &Card, data: &str) -> Result<Table> {
    let settings = settings_of(card)?.unwrap_or_default();
    let undeclared = ReadOptions { types: Default::default(), ..read_options(&settings)? };
    let mut declared = undeclared.clone();
    for feature in &card.preprocessing.features {
        let kind = match feature.encoding {
            Encoding::Numeric { .. } => ColumnType::Numeric,
            Encoding::Categorical { .. } => ColumnType::Categorical,
            Encoding::Bytes { .. } => continue,
        };
        declared.types.insert(feature.name.clone(), kind);
    }
    let table = |parts: Tables| parts.test.unwrap_or(parts.train);
    match load(data, settings.seed(), &declared).map(table) {
        Ok(table) => refuse_missing_columns(card, &table).map(|()| table),
        Err(failure) => {
            if let Ok(table) = load(data, settings.seed(), &undeclared).map(table) {
                refuse_missing_columns(card, &table)?;
            }
            Err(failure)
        }
    }
}

/// Refuses a table without a column that the model takes.
fn refuse_missing_columns(card: &Card, table: &Table) -> Result<()> {
    let taken: Vec<&str> = card.preprocessing.features.iter().map(|feature| feature.name.as_str()).collect();
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

/// Rows to measure a model on.
pub(crate) struct Chosen {
    pub(crate) table: Table,
    /// What they are, for people.
    pub(crate) what: String,
    /// Whether the model was trained on all of them.
    pub(crate) is_trained_on: bool,
}

/// The rows of `data`, or without it those held out from training.
pub(crate) fn chosen(card: &Card, data: Option<&str>) -> Result<Chosen> {
    let Some(data) = data else { return held_out(card) };
    let table = load_for(card, data)?;
    let what = format!("{}: {} rows", table.source(), table.rows());
    Ok(Chosen { table, what, is_trained_on: false })
}

/// What a model was trained on, if it says so: what [`chosen`] reads without data.
pub(crate) fn source_of(card: &Card) -> Result<Option<String>> {
    Ok(settings_of(card)?.and_then(|settings| settings.data))
}

/// The rows that were held out when the model was trained, chosen again the same way.
fn held_out(card: &Card) -> Result<Chosen> {
    const HELP: &str = "give the rows to evaluate on: a file, or a built-in set";
    let settings = settings_of(card)?
        .ok_or_else(|| Failure::new("the model does not say on which rows it was trained", HELP))?;
    let trained = &card.data;
    let data = settings.data.as_deref().unwrap_or(&trained.source);
    let elsewhere = |failure: Failure| failure.with_help(HELP);
    let mut tables = load(data, settings.seed(), &read_options(&settings)?).map_err(elsewhere)?;
    if let Some(path) = &settings.test_data {
        tables.test = Some(read_test(path, &settings).map_err(elsewhere)?);
    }
    let table = tables.train.clone();
    let rows = job::held_out(&settings, tables).map_err(|error| elsewhere(error.into()))?;
    if Fingerprint::of(&table, rows.training.len()) != *trained {
        return Err(Failure::new(format!("{data} has changed since the model was trained on it"), HELP));
    }
    let is_trained_on = rows.is_tested_on_training_rows();
    let table = rows.tested(&table)?.into_owned();
    let how = if is_trained_on { "the same as in training" } else { "held out from training" };
    let what = format!("{}: {} rows, {how}", table.source(), table.rows());
    Ok(Chosen { table, what, is_trained_on })
}

/// Reads a file to test on: of a source with a part for that, this part.
pub(crate) fn read_test(path: &Path, settings: &Settings) -> Result<Table> {
    let parts = read(path, &read_options(settings)?)?;
    Ok(parts.test.unwrap_or(parts.train))
}

/// What a model predicts for a table; what it could not represent is told.
pub(crate) fn predict(model: &Model<f32>, table: &Table, threads: usize) -> Result<Prediction> {
    let machine = machine(threads)?;
    let work = memory::Work::Prediction { rows: table.rows() };
    memory::check(&model.card.network, table.rows().min(256), work, free_memory())?;
    let prediction = model.predict(table, &machine)?;
    for warning in &prediction.warnings {
        warn(warning);
    }
    match prediction.numbers.iter().position(|number| !number.is_finite()) {
        None => Ok(prediction),
        Some(at) => Err(Failure::new(
            format!(
                "{}, row {}: the prediction is not a finite number",
                table.source(),
                at / prediction.outputs + 1
            ),
            "look for a number in the row that is far from all that the model was trained on",
        )),
    }
}
