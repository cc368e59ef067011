//! What the columns of a table are taken for, and why: as `look` shows them, and `train` and its JSON.

use pullback::data::{Column, ColumnType, Encoding, Feature, Preprocessing, Table, Target};
use pullback::explain::Catalog;
use pullback::report::number::counted;
use serde::Serialize;

/// A column, and what is made of it.
#[derive(Debug, Serialize)]
pub(crate) struct Decision {
    pub(crate) name: String,
    /// What its cells are: numbers, texts, dates, images.
    pub(crate) kind: &'static str,
    /// Why they are that; empty if nobody had to decide.
    pub(crate) reason: String,
    /// What it becomes: inputs, the target, nothing.
    pub(crate) becomes: String,
}

/// What the cells of a column are.
pub(crate) fn kind(column: &Column) -> &'static str {
    match column.kind() {
        Some(ColumnType::Categorical) => "texts",
        Some(ColumnType::Time) => "dates",
        Some(_) => "numbers",
        None => "images",
    }
}

/// The columns of a table, as they are preprocessed.
pub(crate) fn decisions(table: &Table, preprocessing: &Preprocessing) -> Vec<Decision> {
    let decision = |column: &Column| Decision {
        name: column.name.clone(),
        kind: kind(column),
        reason: column.reason.clone(),
        becomes: become_of(column, preprocessing),
    };
    table.columns().iter().map(decision).collect()
}

/// What a column becomes.
pub(crate) fn become_of(column: &Column, preprocessing: &Preprocessing) -> String {
    let target = preprocessing.target();
    if target.names().contains(&column.name) {
        let at = target.names().iter().position(|name| *name == column.name).unwrap_or_default();
        return match target.target() {
            Target::Regression { .. } => format!("the target: a number ({})", target.reason()),
            Target::Labels { words } => {
                let [no, yes] = &words[at];
                format!("a target: a label, \"{no}\" or \"{yes}\" ({})", target.reason())
            }
            classes => {
                let count = classes.classes().unwrap_or_default().len();
                format!("the target: {count} classes ({})", target.reason())
            }
        };
    }
    if preprocessing.weights() == Some(&column.name) {
        return "no input: how many times each row counts".to_owned();
    }
    let left_out = preprocessing.left_out().iter().find(|(name, _)| *name == column.name);
    let feature = preprocessing.features().iter().find(|feature| feature.name == column.name);
    match (feature, left_out) {
        (Some(feature), _) => inputs(feature),
        (None, Some((_, why))) => format!("left out: {why}"),
        (None, None) => "left out, as asked".to_owned(),
    }
}

/// The inputs that a feature makes, in words.
pub(crate) fn inputs(feature: &Feature) -> String {
    let count = counted(feature.width(), "input");
    match &feature.encoding {
        Encoding::Categorical(_) if feature.width() == 1 => "1 input for its one category".to_owned(),
        Encoding::Categorical(texts) => match texts.rare() {
            None => format!("{count}, one a category"),
            Some(rare) => {
                format!("{count}, one a category; the {} rarest texts share one of them", rare.levels)
            }
        },
        Encoding::Time(_) => format!("{count}, parts of the date"),
        Encoding::Bytes(_) => format!("{count}, one a byte"),
        _ => count,
    }
}

/// The columns in a few words: `4 of numbers; 2 of texts (12 inputs)`; the target is told elsewhere.
pub(crate) fn summary(table: &Table, preprocessing: &Preprocessing, catalog: &Catalog) -> String {
    let mut parts = Vec::new();
    for kind_of in ["numbers", "texts", "dates", "images"] {
        let is_of =
            |feature: &&Feature| table.get(&feature.name).is_some_and(|column| kind(column) == kind_of);
        let features: Vec<&Feature> = preprocessing.features().iter().filter(is_of).collect();
        let width: usize = features.iter().map(|feature| feature.width()).sum();
        let inputs = match width == features.len() {
            true => String::new(),
            false => catalog.say("report.columns_inputs", &[("inputs", &width)]),
        };
        if !features.is_empty() {
            let values: [(&str, &dyn std::fmt::Display); 2] =
                [("count", &features.len()), ("inputs", &inputs)];
            parts.push(catalog.say(&format!("report.columns_{kind_of}"), &values));
        }
    }
    let left_out = table.columns().len()
        - preprocessing.features().len()
        - preprocessing.target().names().len()
        - usize::from(preprocessing.weights().is_some());
    if left_out > 0 {
        parts.push(catalog.say("report.columns_left_out", &[("count", &left_out)]));
    }
    parts.join(", ")
}
