//! The report of a training run: as JSON, and as text for people.

use crate::columns::{Decision, decisions, summary};
use crate::terminal::{began_with, count, entry, figure, steps, time, typed, width, wrapped};
use pullback::data::{Concern, Preprocessing, Target};
use pullback::execute::Machine;
use pullback::job::{Calibration, Candidate, Candidates, Decided, Fitted, Reason};
use pullback::model::{Began, Fingerprint, Model, Run, Trained};
use pullback::network::Layer;
use pullback::report::number::{counted, significant};
use pullback::report::{Report, Series, curve, text};
use pullback::train::{GradientMethod, History, Stop, Training};
use pullback_data::Note;
use serde::Serialize;
use std::fmt::Write;
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
}

impl<'a> Document<'a> {
    /// # Errors
    /// If the model does not say how it was trained.
    pub(crate) fn new(facts: Facts<'a>) -> pullback::Result<Self> {
        let Facts { job, machine, notes, concerns, place, fitted, epochs_before, stages } = facts;
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
            summary: summary(job.table(), job.preprocessing()),
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
    let names = preprocessing.target().target().classes().unwrap_or_default();
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
fn chosen(candidate: &Candidate) -> String {
    let Candidate { layers, learning_rate, weight_decay, taken, .. } = candidate;
    let decay = weight_decay.map_or(String::new(), |decay| format!(", weight decay {}", figure(decay)));
    let layers = match layers.len() {
        0..=12 => layers.join(", "),
        many => format!("{many} layers"),
    };
    format!("{taken} x {layers}; learning rate {}{decay}", figure(*learning_rate))
}

/// The weights of at most so many classes are told.
const MOST_WEIGHTS: usize = 12;

/// Why training ended before its last epoch, or kept another.
fn why(end: (Stop, Option<usize>), epochs: usize) -> String {
    match end {
        (Stop::NoImprovement, Some(kept)) => format!(", stopped early: epoch {} was best", kept + 1),
        (Stop::Converged, _) => ", until the search was over".to_owned(),
        (_, Some(kept)) if kept + 1 < epochs => format!(", epoch {} was best", kept + 1),
        _ => String::new(),
    }
}

/// The report as text.
pub(crate) fn render(document: &Document<'_>, card: &Trained<'_>, data: &str) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| entry(&mut out, name, &value);
    let inputs = counted(card.network.inputs, "input");
    line("data", format!("{}: {}, {inputs}", card.data.source, counted(card.data.rows, "row")));
    // Of numbers alone there is nothing to tell.
    if Path::new(data).exists() && document.summary.contains([',', '(']) {
        line("columns", format!("{}; `pullback look` tells why", document.summary));
    }
    let target = card.preprocessing.target();
    let shown = match target.target() {
        Target::Regression { .. } => "numbers".to_owned(),
        Target::Labels { words } => counted(words.len(), "label"),
        classes => format!("{} classes", classes.classes().unwrap_or_default().len()),
    };
    line("target", format!("{}: {shown} ({})", target.names().join(", "), document.reason));
    let networks = &document.networks;
    let validation = match document.validation_rows {
        0 => String::new(),
        rows if document.validation_data.is_some() => {
            format!(", {rows} of {} for validation", document.validation_data.unwrap_or_default())
        }
        rows if networks.is_empty() => format!(", {rows} for validation"),
        rows => format!(" (each network is watched by {rows} of them)"),
    };
    let test = match document.is_tested_on_training_rows {
        true => "tested on the same rows".to_owned(),
        false => format!("{} to test on", document.test_rows),
    };
    let column = |key: &str| card.configuration.get(key).and_then(serde_json::Value::as_str);
    let how = match (column("group"), column("time_order")) {
        (Some(column), _) => format!("; no \"{column}\" is on both sides"),
        (None, Some(column)) => format!("; by \"{column}\", the last ones are held out"),
        (None, None) => String::new(),
    };
    line("rows", format!("{} to train on{validation}, {test}{how}", document.training_rows));
    let layers = match document.layers.len() {
        0..=12 => document.layers.join(", "),
        many => format!("{many} layers"),
    };
    match networks.len() {
        0 => {}
        count if networks.iter().any(|network| network.times > 1) => line(
            "ensemble",
            format!(
                "{count} networks; the mean of what they predict, each as often as its candidate was taken"
            ),
        ),
        count => line("ensemble", format!("{count} networks; the mean of what they predict")),
    }
    if let Some(Candidates { metric, value, candidates }) = document.candidates {
        let taken = candidates.iter().filter(|one| one.taken > 0).count();
        let count = candidates.len();
        line(
            "chosen",
            format!(
                "{taken} of {}, by {metric} {} on rows not trained on; `--candidates {count}` does the same again",
                counted(count, "candidate"),
                figure(*value)
            ),
        );
    }
    let each = if networks.is_empty() { "" } else { " in all" };
    if let Some(began) = document.began {
        line("from", began_with(began));
    }
    let parameters = format!("{}{each}", counted(document.parameters, "parameter"));
    let training = document.training;
    match document.candidates {
        None => {
            line("network", format!("{inputs}, {layers}; {parameters}"));
            let how = steps(training, "");
            line("training", format!("{}{how}, seed {}", training.optimizer.name(), training.seed));
        }
        Some(Candidates { candidates, .. }) => {
            line("network", format!("{inputs}; {parameters}"));
            let taken: Vec<&Candidate> = candidates.iter().filter(|one| one.taken > 0).collect();
            for one in taken.iter().take(MOST_CHOSEN) {
                line("", chosen(one));
            }
            if taken.len() > MOST_CHOSEN {
                line("", format!("and {} more; `--json` lists all", taken.len() - MOST_CHOSEN));
            }
            let Training { batch, seed, .. } = training;
            line("training", format!("{}, batch {batch}, seed {seed}", training.optimizer.name()));
        }
    }
    if !training.augment.is_none() {
        line("images", format!("changed in each epoch: {}", training.augment.describe()));
    }
    line("cost", card.network.cost.to_string());
    if !document.reasons.is_empty() {
        let reasons: Vec<String> = document.reasons.iter().map(Reason::to_string).collect();
        let first = if document.candidates.is_some() { "for the first candidate: " } else { "" };
        line("decided", format!("{first}{}", reasons.join("; ")));
    }
    if !document.weights.is_empty() {
        line("weights", format!("{}; the costs are weighted", document.weights));
    }
    if let Some(Calibration { temperature, rows, log_loss_before, log_loss }) = document.calibration {
        let by = format!("log loss of {}", counted(rows, "validation row"));
        let told = match temperature.get() {
            1.0 => format!("no: no other temperature than 1 lowers the {by}, {log_loss:.4}"),
            temperature => format!(
                "by temperature {}: {by} {log_loss:.4}, without {log_loss_before:.4}",
                significant(temperature, 4)
            ),
        };
        line("calibrate", told);
    }
    match training.gradient {
        GradientMethod::Back => {}
        GradientMethod::Forward => line("gradient", "by forward mode, one sweep a weight".into()),
        GradientMethod::Differences => line("gradient", "by differences, two runs a weight".into()),
    }
    if let Some(engine) = document.products {
        let engine = match engine {
            "f32" => "computed in f32, which is as exact, and faster without AMX".to_owned(),
            engine => format!("by {engine}; sums and weights in f32"),
        };
        line("products", format!("{}, {engine}", training.precision.name()));
    }
    let epochs = document.history.epoch_count;
    let why = match (document.history.stop, document.history.kept_epoch) {
        _ if !networks.is_empty() => String::new(),
        others => why(others, epochs),
    };
    let epochs = match (networks.iter().map(|n| n.epochs).min(), networks.iter().map(|n| n.epochs).max()) {
        (Some(fewest), Some(most)) if fewest < most => format!("{fewest} to {most} epochs"),
        _ => counted(epochs, "epoch"),
    };
    let before = match document.epochs_before {
        0 => String::new(),
        before => format!(", {before} of them before,"),
    };
    line(
        "time",
        format!(
            "{epochs}{before} in {}, {} samples/s{why}",
            time(document.seconds),
            count(document.samples_per_second)
        ),
    );
    let history = &document.history.epochs;
    let costs: Vec<f64> = history.iter().map(|epoch| epoch.cost).collect();
    let validation: Vec<f64> = history.iter().filter_map(|epoch| epoch.validation_cost).collect();
    let mut series = vec![Series { name: "cost in training", values: &costs, mark: '*' }];
    if !validation.is_empty() {
        series.push(Series { name: "cost in validation", values: &validation, mark: 'o' });
    }
    let drawing = curve(&series, width(), 13);
    if !drawing.is_empty() {
        let _ = write!(out, "\n{drawing}");
    }
    let where_from = if document.is_tested_on_training_rows { "training" } else { "test" };
    let _ = write!(out, "\n{where_from} {}", text::render(document.test, width()));
    if let Some(report) = document.out_of_fold {
        let chosen = match document.candidates {
            Some(_) => "; the candidates were chosen by them, so others will be less good",
            None => "",
        };
        let line = format!("on training rows that a network has not seen: {}{chosen}", text::line(report));
        let _ = writeln!(out, "\n{}", wrapped(&line, 0));
    }
    let model = typed(&document.model);
    let _ = writeln!(out, "\nsaved {}; next:", document.model);
    let _ = writeln!(out, "  pullback inspect {model}");
    let _ = writeln!(out, "  pullback predict {model} {} --out predictions.csv", typed(data));
    out
}
