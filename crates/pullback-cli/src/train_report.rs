//! The report of a training run: as JSON, and as text for people.

use crate::columns::{Decision, decisions, summary};
use crate::terminal::{began_with, count, entry, figure, steps, time_in, typed, width, wrapped};
use pullback::data::{Concern, Preprocessing, Target};
use pullback::execute::Machine;
use pullback::explain::Catalog;
use pullback::job::{Calibration, Candidate, Candidates, Decided, Fitted, Reason};
use pullback::model::{Began, Fingerprint, Model, Run, Trained};
use pullback::network::Layer;
use pullback::report::number::significant;
use pullback::report::{Report, Series, curve, text};
use pullback::train::{GradientMethod, History, Stop, Training};
use pullback_data::Note;
use serde::Serialize;
use std::fmt::{Display, Write};
use std::path::Path;

/// A training run as it is reported; serialized, it is the JSON report.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
    /// The version of this document's layout.
    version: u32,
    pub(crate) model: String,
    data: &'a Fingerprint,
    task: &'a str,
    reason: &'a str,
    left_out: &'a [(String, String)],
    /// What each column was taken for, why, and what it becomes.
    columns: Vec<Decision>,
    /// The same in a few words.
    #[serde(skip)]
    summary: String,
    /// What the reader of the data decided.
    notes: &'a [Note],
    /// What is doubtful about the data.
    concerns: &'a [Concern],
    training_rows: usize,
    validation_rows: usize,
    /// The table of its own that training was watched by.
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_data: Option<&'a str>,
    test_rows: usize,
    is_tested_on_training_rows: bool,
    layers: Vec<String>,
    parameters: usize,
    pub(crate) training: &'a Training,
    /// Which rows and classes count how often.
    #[serde(skip_serializing_if = "String::is_empty")]
    weights: String,
    /// What computed products of another precision than f32.
    #[serde(skip_serializing_if = "Option::is_none")]
    products: Option<&'a str>,
    /// The model whose weights training began with.
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<&'a Began>,
    /// How training went; of an ensemble, of its first network.
    pub(crate) history: &'a History,
    /// The networks of an ensemble.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    networks: Vec<Network>,
    /// How good an ensemble's networks are on the rows that each watched, and was not trained on.
    #[serde(skip_serializing_if = "Option::is_none")]
    out_of_fold: Option<&'a Report>,
    /// What the networks were chosen from.
    #[serde(skip_serializing_if = "Option::is_none")]
    candidates: Option<&'a Candidates>,
    /// Why what was left open was decided so.
    reasons: &'a [Reason],
    /// How probabilities were calibrated.
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<Calibration>,
    /// The epochs that runs before this one had done, of all networks, where it goes on with one.
    #[serde(skip_serializing_if = "is_zero")]
    epochs_before: usize,
    seconds: f64,
    /// How long each stage took.
    stages: Stages,
    samples_per_second: f64,
    test: &'a Report,
    /// What is said where the network is no better than what takes none.
    remarks: Vec<String>,
    /// Why the run ended before its time, if it did so by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

/// The seconds of each stage of a run.
#[derive(Serialize)]
pub(crate) struct Stages {
    /// From files to tables.
    pub(crate) read: f64,
    /// From tables to a decided job.
    pub(crate) prepare: f64,
    /// From the first batch to the end of the last epoch, with making numbers of cells.
    pub(crate) train: f64,
    /// Measuring the model on the rows to test on.
    pub(crate) evaluate: f64,
}

/// One of the networks of an ensemble.
#[derive(Serialize)]
struct Network {
    layers: Vec<String>,
    learning_rate: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight_decay: Option<f64>,
    /// How many times it counts in the mean.
    times: usize,
    seed: u64,
    training_rows: usize,
    validation_rows: usize,
    epochs: usize,
    kept_epoch: Option<usize>,
    stop: Stop,
    cost: Option<f64>,
    validation_cost: Option<f64>,
    /// The value of the watched metric, if it is another than the cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    watched: Option<f64>,
}

impl Network {
    fn of(model: &Model<f32>) -> Option<Self> {
        let Run { training, history, rows, .. } = model.run()?;
        let kept = history.kept();
        Some(Self {
            layers: model.network().layers.iter().map(Layer::describe).collect(),
            learning_rate: training.learning_rate(),
            weight_decay: training.optimizer.get("weight_decay"),
            times: model.times(),
            seed: training.seed,
            training_rows: rows.as_ref().map_or(0, |rows| rows.trained_rows()),
            validation_rows: rows.as_ref().map_or(0, |rows| rows.validation().len()),
            epochs: history.epoch_count,
            kept_epoch: history.kept_epoch,
            stop: history.stop,
            cost: kept.map(|epoch| epoch.cost),
            validation_cost: kept.and_then(|epoch| epoch.validation_cost),
            watched: kept.and_then(|epoch| epoch.watched),
        })
    }
}

/// What a run was, and what came of it.
pub(crate) struct Facts<'a> {
    pub(crate) job: &'a Decided,
    pub(crate) machine: &'a Machine,
    pub(crate) notes: &'a [Note],
    pub(crate) concerns: &'a [Concern],
    /// Where the model is.
    pub(crate) place: &'a Path,
    pub(crate) fitted: &'a Fitted,
    /// The epochs that each network had done before.
    pub(crate) epochs_before: &'a [usize],
    pub(crate) stages: Stages,
    pub(crate) catalog: &'a Catalog,
}

impl<'a> Document<'a> {
    /// # Errors
    /// If the model does not say how it was trained.
    pub(crate) fn new(facts: Facts<'a>) -> pullback::Result<Self> {
        let Facts { job, machine, notes, concerns, place, fitted, epochs_before, stages, catalog } = facts;
        let model = &fitted.model;
        let card = model.trained()?;
        let (target, rows, training) = (card.preprocessing.target(), job.rows(), job.training());
        let seconds = stages.train;
        Ok(Self {
            version: 1,
            model: place.display().to_string(),
            data: card.data,
            task: target.target().task().name(),
            reason: target.reason(),
            left_out: card.preprocessing.left_out(),
            columns: decisions(job.table(), job.preprocessing()),
            summary: summary(job.table(), job.preprocessing(), catalog),
            notes,
            concerns,
            training_rows: rows.training.len(),
            validation_rows: match &rows.watched {
                Some(table) => table.rows(),
                None => rows.of_member(0).1.len(),
            },
            validation_data: rows.watched.as_ref().map(|table| table.source()),
            test_rows: fitted.tested.rows(),
            is_tested_on_training_rows: rows.is_tested_on_training_rows(),
            layers: card.network.layers.iter().map(Layer::describe).collect(),
            parameters: (0..model.member_count())
                .filter_map(|index| model.member(index))
                .map(|member| member.network().parameter_count())
                .sum::<pullback::Result<usize>>()?,
            training,
            weights: told_weights(card.preprocessing, job.class_weights()),
            products: (!training.precision.is_full())
                .then(|| training.precision.of_products().engine(machine.isa)),
            began: model.run().and_then(|run| run.began.as_ref()),
            history: card.history,
            networks: match model.member_count() {
                1 => Vec::new(),
                count => (0..count).filter_map(|at| Network::of(&model.member(at)?)).collect(),
            },
            out_of_fold: fitted.out_of_fold.as_ref(),
            candidates: fitted.candidates.as_ref(),
            reasons: job.reasons(),
            calibration: fitted.calibration,
            seconds,
            stages,
            epochs_before: epochs_before.iter().sum(),
            samples_per_second: seen(model, epochs_before) as f64 / seconds.max(1e-9),
            test: &fitted.report,
            remarks: fitted.report.remarks(),
            trouble: fitted.trouble.as_ref().map(ToString::to_string),
        })
    }
}

/// How many times an example was seen in this training, by all networks; so many epochs were done before.
fn seen(model: &Model<f32>, epochs_before: &[usize]) -> usize {
    let rows = |run: &Run| run.rows.as_ref().map_or(0, |rows| rows.trained_rows());
    let before = epochs_before.iter().chain(std::iter::repeat(&0));
    let runs = model.runs().zip(before);
    runs.map(|(run, before)| run.history.epoch_count.saturating_sub(*before) * rows(run)).sum()
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The weights of rows and classes in words; empty if all count alike.
fn told_weights(preprocessing: &Preprocessing, classes: Option<&[f64]>) -> String {
    let rows = preprocessing.weights().map(|column| format!("of rows by \"{column}\""));
    let names = preprocessing.spelled_classes().unwrap_or_default();
    let classes = classes.map(|weights| {
        let each = names.iter().zip(weights).take(MOST_WEIGHTS);
        let each: Vec<String> = each.map(|(name, weight)| format!("{name} {}", figure(*weight))).collect();
        let more = if names.len() > MOST_WEIGHTS { ", ..." } else { "" };
        format!("of classes: {}{more}", each.join(", "))
    });
    rows.into_iter().chain(classes).collect::<Vec<_>>().join("; ")
}

/// At most so many of the candidates that were taken are told.
const MOST_CHOSEN: usize = 10;

/// A candidate that was taken: how often, its layers, and how it was trained.
fn chosen(candidate: &Candidate, catalog: &Catalog) -> String {
    let Candidate { layers, learning_rate, weight_decay, taken, .. } = candidate;
    let decay = weight_decay
        .map_or(String::new(), |decay| catalog.say("report.candidate_decay", &[("decay", &figure(decay))]));
    let values: [(&str, &dyn Display); 4] = [
        ("taken", taken),
        ("layers", &listed(layers, catalog)),
        ("rate", &figure(*learning_rate)),
        ("decay", &decay),
    ];
    catalog.say("report.candidate", &values)
}

/// The layers of a network, or how many there are.
fn listed(layers: &[String], catalog: &Catalog) -> String {
    match layers.len() {
        0..=12 => layers.iter().map(|layer| catalog.described(layer)).collect::<Vec<_>>().join(", "),
        many => catalog.say("report.layers", &[("count", &many)]),
    }
}

/// The weights of at most so many classes are told.
const MOST_WEIGHTS: usize = 12;

/// Why training ended before its last epoch, or kept another.
fn why(end: (Stop, Option<usize>), epochs: usize, catalog: &Catalog) -> String {
    match end {
        (Stop::NoImprovement, Some(kept)) => catalog.say("report.why_early", &[("epoch", &(kept + 1))]),
        (Stop::Converged, _) => catalog.get("report.why_converged").to_owned(),
        (_, Some(kept)) if kept + 1 < epochs => catalog.say("report.why_best", &[("epoch", &(kept + 1))]),
        _ => String::new(),
    }
}

/// The report as text.
pub(crate) fn render(document: &Document<'_>, card: &Trained<'_>, data: &str, catalog: &Catalog) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        let key = format!("report.entry.{name}");
        entry(&mut out, if name.is_empty() { "" } else { catalog.get(&key) }, &value);
    };
    let say = |key: &str, values: &[(&str, &dyn Display)]| catalog.say(&format!("report.{key}"), values);
    let inputs = card.network.inputs;
    line(
        "data",
        say("data", &[("source", &card.data.source), ("rows", &card.data.rows), ("inputs", &inputs)]),
    );
    // Of numbers alone there is nothing to tell.
    if Path::new(data).exists() && document.summary.contains([',', '(']) {
        line("columns", say("columns", &[("summary", &document.summary)]));
    }
    let target = card.preprocessing.target();
    let shown = match target.target() {
        Target::Regression { .. } => say("target_numbers", &[]),
        Target::Labels { words } => say("target_labels", &[("count", &words.len())]),
        classes => say("target_classes", &[("count", &classes.classes().unwrap_or_default().len())]),
    };
    let reason = catalog.told(document.reason);
    line(
        "target",
        say("target_is", &[("names", &target.names().join(", ")), ("what", &shown), ("reason", &reason)]),
    );
    let networks = &document.networks;
    let validation = match (document.validation_rows, document.validation_data) {
        (0, _) => String::new(),
        (rows, Some(source)) => say("rows_validation_from", &[("rows", &rows), ("source", &source)]),
        (rows, None) if networks.is_empty() => say("rows_validation", &[("rows", &rows)]),
        (rows, None) => say("rows_watched", &[("rows", &rows)]),
    };
    let test = match document.is_tested_on_training_rows {
        true => say("rows_same", &[]),
        false => say("rows_test", &[("rows", &document.test_rows)]),
    };
    let column = |key: &str| card.configuration.get(key).and_then(serde_json::Value::as_str);
    let how = match (column("group"), column("time_order")) {
        (Some(column), _) => say("rows_group", &[("column", &column)]),
        (None, Some(column)) => say("rows_order", &[("column", &column)]),
        (None, None) => String::new(),
    };
    line(
        "rows",
        say(
            "rows_are",
            &[
                ("training", &document.training_rows),
                ("validation", &validation),
                ("test", &test),
                ("how", &how),
            ],
        ),
    );
    let layers = listed(&document.layers, catalog);
    match networks.len() {
        0 => {}
        count if networks.iter().any(|network| network.times > 1) => {
            line("ensemble", say("ensemble_counted", &[("count", &count)]));
        }
        count => line("ensemble", say("ensemble", &[("count", &count)])),
    }
    if let Some(Candidates { metric, value, candidates }) = document.candidates {
        let taken = candidates.iter().filter(|one| one.taken > 0).count();
        let metric = catalog.told(metric);
        line(
            "chosen",
            say(
                "chosen",
                &[
                    ("taken", &taken),
                    ("count", &candidates.len()),
                    ("metric", &metric),
                    ("value", &figure(*value)),
                ],
            ),
        );
    }
    if let Some(began) = document.began {
        line("from", began_with(began, catalog));
    }
    let key = if networks.is_empty() { "parameters" } else { "parameters_in_all" };
    let parameters = say(key, &[("count", &document.parameters)]);
    let training = document.training;
    let optimizer = training.optimizer.name();
    match document.candidates {
        None => {
            line(
                "network",
                say("network", &[("inputs", &inputs), ("layers", &layers), ("parameters", &parameters)]),
            );
            let how = steps(training, "", catalog);
            line(
                "training",
                say("training", &[("optimizer", &optimizer), ("how", &how), ("seed", &training.seed)]),
            );
        }
        Some(Candidates { candidates, .. }) => {
            line(
                "network",
                say("network_of_candidates", &[("inputs", &inputs), ("parameters", &parameters)]),
            );
            let taken: Vec<&Candidate> = candidates.iter().filter(|one| one.taken > 0).collect();
            for one in taken.iter().take(MOST_CHOSEN) {
                line("", chosen(one, catalog));
            }
            if taken.len() > MOST_CHOSEN {
                line("", say("candidates_more", &[("count", &(taken.len() - MOST_CHOSEN))]));
            }
            let batch = catalog.told(&training.batch.to_string());
            line(
                "training",
                say(
                    "training_of_candidates",
                    &[("optimizer", &optimizer), ("batch", &batch), ("seed", &training.seed)],
                ),
            );
        }
    }
    if !training.augment.is_none() {
        line("images", say("images", &[("how", &catalog.told(&training.augment.describe()))]));
    }
    line("cost", card.network.cost.to_string());
    if !document.reasons.is_empty() {
        let one = |Reason { choice, why }: &Reason| {
            say("reason", &[("choice", &catalog.told(choice)), ("why", &catalog.told(why))])
        };
        let reasons = document.reasons.iter().map(one).collect::<Vec<_>>().join("; ");
        let key = if document.candidates.is_some() { "decided_first" } else { "decided" };
        line("decided", say(key, &[("reasons", &reasons)]));
    }
    if !document.weights.is_empty() {
        line("weights", say("weights", &[("weights", &catalog.told(&document.weights))]));
    }
    if let Some(Calibration { temperature, rows, log_loss_before, log_loss }) = document.calibration {
        let (loss, before) = (format!("{log_loss:.4}"), format!("{log_loss_before:.4}"));
        let told = match temperature.get() {
            1.0 => say("calibrate_not", &[("rows", &rows), ("loss", &loss)]),
            temperature => say(
                "calibrate",
                &[
                    ("temperature", &significant(temperature, 4)),
                    ("rows", &rows),
                    ("loss", &loss),
                    ("before", &before),
                ],
            ),
        };
        line("calibrate", told);
    }
    match training.gradient {
        GradientMethod::Back => {}
        GradientMethod::Forward => line("gradient", say("gradient_forward", &[])),
        GradientMethod::Differences => line("gradient", say("gradient_differences", &[])),
    }
    if let Some(engine) = document.products {
        let key = if engine == "f32" { "products_in_f32" } else { "products" };
        line("products", say(key, &[("precision", &training.precision.name()), ("engine", &engine)]));
    }
    let epochs = document.history.epoch_count;
    let why = match (document.history.stop, document.history.kept_epoch) {
        _ if !networks.is_empty() => String::new(),
        others => why(others, epochs, catalog),
    };
    let epochs = match (networks.iter().map(|n| n.epochs).min(), networks.iter().map(|n| n.epochs).max()) {
        (Some(fewest), Some(most)) if fewest < most => {
            say("epochs_between", &[("fewest", &fewest), ("most", &most)])
        }
        _ => say("epochs", &[("count", &epochs)]),
    };
    let before = match document.epochs_before {
        0 => String::new(),
        before => say("epochs_before", &[("before", &before)]),
    };
    line(
        "time",
        say(
            "time",
            &[
                ("epochs", &epochs),
                ("before", &before),
                ("time", &time_in(document.seconds, catalog)),
                ("pace", &count(document.samples_per_second)),
                ("why", &why),
            ],
        ),
    );
    let history = &document.history.epochs;
    let costs: Vec<f64> = history.iter().map(|epoch| epoch.cost).collect();
    let validation: Vec<f64> = history.iter().filter_map(|epoch| epoch.validation_cost).collect();
    let mut series = vec![Series { name: catalog.get("report.curve_training"), values: &costs, mark: '*' }];
    if !validation.is_empty() {
        series.push(Series { name: catalog.get("report.curve_validation"), values: &validation, mark: 'o' });
    }
    let drawing = curve(&series, width(), 13, catalog);
    if !drawing.is_empty() {
        let _ = write!(out, "\n{drawing}");
    }
    let key = if document.is_tested_on_training_rows { "on_training" } else { "on_test" };
    let report = text::render(document.test, width(), catalog);
    let _ = write!(out, "\n{}", say(key, &[("report", &report)]));
    if let Some(report) = document.out_of_fold {
        let key = if document.candidates.is_some() { "out_of_fold_chosen" } else { "out_of_fold" };
        let line = say(key, &[("line", &text::line(report, catalog))]);
        let _ = writeln!(out, "\n{}", wrapped(&line, 0));
    }
    let model = typed(&document.model);
    let _ = writeln!(out, "\n{}", say("saved", &[("model", &document.model)]));
    let _ = writeln!(out, "  pullback inspect {model}");
    let _ = writeln!(out, "  pullback predict {model} {} --out predictions.csv", typed(data));
    out
}
