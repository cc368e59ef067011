//! `pullback train --cv`: a job that is measured by cross-validation, and what is printed of it.

use crate::failure::{Failure, Result};
use crate::files::Output;
use crate::interrupt::Interrupt;
use crate::machine::free_memory;
use crate::predictions::Predictions;
use crate::progress::Progress;
use crate::terminal::{entry, print, print_json, say, setting, time_in, warn_in, width, wrapped};
use pullback::data::Concern;
use pullback::explain::Catalog;
use pullback::job::{Candidates, CrossValidated, CrossValidation, Decided};
use pullback::network::Layer;
use pullback::report::{Folds, text};
use pullback::train::{Machine, Training};
use pullback_data::Note;
use serde::Serialize;
use std::fmt::Display;

/// The JSON report of a cross-validation.
#[derive(Serialize)]
struct Document<'a> {
    /// The version of this document's layout.
    version: u32,
    data: &'a str,
    rows: usize,
    task: &'a str,
    /// What the reader of the data decided.
    notes: &'a [Note],
    /// What is doubtful about the data.
    concerns: &'a [Concern],
    /// Rows that are trained on in every fold, each the only one of its class.
    rows_in_no_fold: usize,
    networks: usize,
    layers: Vec<String>,
    /// How the first network of the first fold was trained.
    training: &'a Training,
    seconds: f64,
    /// What the networks of each fold were chosen from.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    candidates: &'a [Candidates],
    #[serde(flatten)]
    report: &'a Folds,
}

/// How a cross-validation is carried out and shown.
pub(crate) struct Shown<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) notes: &'a [Note],
    pub(crate) concerns: &'a [Concern],
    pub(crate) has_json: bool,
    pub(crate) is_quiet: bool,
    /// Where the predictions for all rows go.
    pub(crate) out_of_fold: Option<&'a Output>,
    pub(crate) catalog: &'a Catalog,
}

/// Trains and tests every fold; `first` is the decided job of the first one.
pub(crate) fn run(mut folds: CrossValidation, first: Decided, shown: &Shown<'_>) -> Result<()> {
    let &Shown { machine, has_json, is_quiet, catalog, .. } = shown;
    let is_silent = is_quiet || has_json;
    let (count, rows, source) = (folds.count(), folds.table().rows(), folds.table().source().to_owned());
    let training = first.training().clone();
    let layers: Vec<String> = first.network().layers.iter().map(Layer::describe).collect();
    let networks = first.members().len();
    let settings = first.settings().clone();
    let interrupt = Interrupt::caught();
    let mut seconds = 0.0;
    let mut first = Some(first);
    for fold in 0..count {
        let of_fold = |failure: Failure| failure.of(&format!("fold {} of {count}", fold + 1));
        let job =
            first.take().map_or_else(|| folds.decide(fold), Ok).map_err(|error| of_fold(error.into()))?;
        job.check_memory(machine, free_memory())?;
        let (epochs, learned) = (job.training().epochs, job.rows().training.len());
        let mut progress = Progress::new(epochs, learned, is_silent, interrupt.clone(), Vec::new(), catalog);
        // Nobody would read the comparison.
        let job = if is_quiet && !has_json { job } else { job.compared() };
        let fitted = job.run(machine, &mut progress).map_err(|error| of_fold(error.into()))?;
        seconds += progress.finish().as_secs_f64();
        if let Some(code) = interrupt.code() {
            let values: [(&str, &dyn Display); 2] = [("fold", &(fold + 1)), ("count", &count)];
            warn_in(catalog, catalog.say("report.interrupted_fold", &values));
            return Err(Failure::silent(code));
        }
        if !is_silent {
            let chosen = fitted.candidates.as_ref().map_or(String::new(), |found| {
                let taken = found.candidates.iter().filter(|one| one.taken > 0).count();
                catalog.say("report.fold_chosen", &[("taken", &taken), ("count", &found.candidates.len())])
            });
            let line = text::line(&fitted.report, catalog);
            say(catalog.say(
                "report.fold_of",
                &[("fold", &(fold + 1)), ("count", &count), ("line", &line), ("chosen", &chosen)],
            ));
        }
        folds.add(fold, fitted).map_err(|error| of_fold(error.into()))?;
    }
    let found = folds.finish()?;
    if let Some(out) = shown.out_of_fold {
        out.write(&predictions(&found)?)?;
    }
    let outside = found.fold_of.iter().filter(|fold| fold.is_none()).count();
    let target = found.preprocessing.target();
    if has_json {
        return print_json(&Document {
            version: 1,
            data: &source,
            rows,
            task: target.target().task().name(),
            notes: shown.notes,
            concerns: shown.concerns,
            rows_in_no_fold: outside,
            networks,
            layers,
            training: &training,
            seconds,
            candidates: &found.candidates,
            report: &found.report,
        });
    }
    if is_quiet {
        return Ok(());
    }
    let mut out = String::new();
    let say = |key: &str, values: &[(&str, &dyn Display)]| catalog.say(&format!("report.{key}"), values);
    let mut line = |name: &str, value: String| {
        entry(&mut out, catalog.get(&format!("report.entry.{name}")), &value);
    };
    let inputs = found.preprocessing.inputs();
    line("data", say("data", &[("source", &source), ("rows", &rows), ("inputs", &inputs)]));
    line("target", target.names().join(", "));
    let how = match &settings.group {
        Some(column) => say("folds_group", &[("column", column)]),
        None => String::new(),
    };
    let alone = match outside {
        0 => String::new(),
        rows => say("folds_alone", &[("rows", &rows)]),
    };
    line("folds", say("folds", &[("count", &count), ("how", &how), ("alone", &alone)]));
    if networks > 1 {
        line("ensemble", say("ensemble_a_fold", &[("count", &networks)]));
    }
    if !found.candidates.is_empty() {
        let each: Vec<String> = (found.candidates.iter())
            .map(|fold| {
                let taken = fold.candidates.iter().filter(|one| one.taken > 0).count();
                say("taken_of", &[("taken", &taken), ("count", &fold.candidates.len())])
            })
            .collect();
        line("chosen", say("chosen_in_folds", &[("list", &each.join(", "))]));
    }
    let network = if found.candidates.is_empty() { "network" } else { "first" };
    let layers: Vec<String> = layers.iter().map(|layer| catalog.described(layer)).collect();
    line(network, say("network_of_folds", &[("inputs", &inputs), ("layers", &layers.join(", "))]));
    line(
        "training",
        say(
            "training_of_folds",
            &[
                ("optimizer", &training.optimizer.name()),
                ("rate", &setting(training.learning_rate())),
                ("batch", &catalog.told(&training.batch.to_string())),
                ("seed", &training.seed),
                ("epochs", &training.epochs),
            ],
        ),
    );
    line("time", time_in(seconds, catalog));
    out.push('\n');
    out.push_str(&text::folds(&found.report, width(), catalog));
    if let Some(path) = shown.out_of_fold.and_then(Output::path) {
        out.push_str(&format!("\n{}\n", say("out_of_fold_in", &[("path", &path.display())])));
    }
    out.push_str(&format!("\n{}\n", wrapped(catalog.get("report.no_model"), 0)));
    print(&out)
}

/// What is predicted for each row, with its number and its fold; nothing for a row in no fold.
fn predictions(found: &CrossValidated) -> Result<Vec<u8>> {
    let CrossValidated { fold_of, prediction, preprocessing, .. } = found;
    let folded: Vec<(usize, usize)> =
        fold_of.iter().enumerate().filter_map(|(row, fold)| fold.map(|fold| (row, fold))).collect();
    let mut file = Predictions::new(&["row".to_owned(), "fold".to_owned()], preprocessing, true)?;
    file.add(preprocessing, prediction, |at| {
        let (row, fold) = folded[at];
        vec![(row + 1).to_string(), (fold + 1).to_string()]
    })?;
    file.finish()
}
