//! `pullback train`: from data to a saved model and a report.

use crate::checkpoints::{Folder, Resumed};
use crate::columns::{Decision, decisions, summary};
use crate::config_file::{self, to_toml};
use crate::cross_validation;
use crate::failure::{Failure, Result};
use crate::files::Files;
use crate::flags::Flags;
use crate::interrupt::Interrupt;
use crate::learning_rate;
use crate::machine::{ISA_HELP, free_memory, machine};
use crate::progress::Progress;
use crate::source::{Loaded, as_in_model, load_to_train, read_options, read_test, tell, temporary_folder};
use crate::terminal::{
    began_with, count, entry, figure, print, print_json, print_raw, say, steps, time, typed, warn, width,
    wrapped,
};
use pullback::data::{Concern, Encoding, Preprocessing, Task};
use pullback::execute::Machine;
use pullback::explain::{Catalog, Subject, WorkedExample};
use pullback::job::{Calibration, Candidates, Checkpoints, Decided, Fitted, Interval, Job, Keeper, Reason};
use pullback::model::{Began, Fingerprint, Model, Run, Trained};
use pullback::network::Layer;
use pullback::report::number::{counted, significant};
use pullback::report::{Report, Series, curve, text};
use pullback::train::{GradientMethod, History, RateRange, Stop, Training};
use pullback_data::{Note, ReadOptions, Spool};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

#[derive(Debug, clap::Args)]
#[command(
    allow_negative_numbers = true,
    after_help = ISA_HELP
)]
pub(crate) struct Train {
    #[command(flatten)]
    flags: Flags,
    /// A TOML file with the same settings; flags override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Go on with the run whose checkpoints are in a folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "config")]
    resume: Option<PathBuf>,
    /// Test learning rates in a short run, and print what they do; trains no model
    #[arg(long, conflicts_with_all = ["resume", "print_config"])]
    find_learning_rate: bool,
    /// Print the settings of the run as a TOML file, and train nothing
    #[arg(long)]
    print_config: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Show no progress and no report, only warnings and errors
    #[arg(long, short)]
    quiet: bool,
}

/// The JSON report of a training run.
#[derive(Serialize)]
struct Document<'a> {
    /// The version of this document's layout.
    version: u32,
    model: String,
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
    training: &'a Training,
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
    history: &'a History,
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
struct Stages {
    /// From files to tables.
    read: f64,
    /// From tables to a decided job.
    prepare: f64,
    /// From the first batch to the end of the last epoch, with making numbers of cells.
    train: f64,
    /// Measuring the model on the rows to test on.
    evaluate: f64,
}

/// One of the networks of an ensemble.
#[derive(Serialize)]
struct Network {
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

impl From<&Run> for Network {
    fn from(Run { training, history, rows, .. }: &Run) -> Self {
        let kept = history.kept();
        Self {
            seed: training.seed,
            training_rows: rows.as_ref().map_or(0, |rows| rows.trained_rows()),
            validation_rows: rows.as_ref().map_or(0, |rows| rows.validation().len()),
            epochs: history.epoch_count,
            kept_epoch: history.kept_epoch,
            stop: history.stop,
            cost: kept.map(|epoch| epoch.cost),
            validation_cost: kept.and_then(|epoch| epoch.validation_cost),
            watched: kept.and_then(|epoch| epoch.watched),
        }
    }
}

/// The network of a model or of a worked example's file, with its numbers.
fn initial_weights(path: &Path) -> Result<(pullback::network::Network, Vec<Vec<f64>>)> {
    if path.extension().is_some_and(|ending| ending == "safetensors") {
        let model = Model::<f64>::load(path)?;
        return Ok((model.network().clone(), model.parameters().to_vec()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| pullback::Error::io(path, error))?;
    match WorkedExample::parse(&text, &path.display().to_string())?.subject {
        Subject::Network(example) => Ok((example.network, example.parameters)),
        Subject::Expression(_) => Err(Failure::usage(
            format!("{} is a formula, which has no weights", path.display()),
            "give a file with layers, or a model",
        )),
    }
}

impl Train {
    pub(super) fn run(&self) -> Result<()> {
        let resumed = self.resume.as_deref().map(Resumed::open).transpose()?;
        let mut settings = match (&resumed, &self.config) {
            (Some(resumed), _) => self.flags.beside_resume()?.over(resumed.settings()),
            (None, Some(path)) => self.flags.settings()?.over(config_file::read(path)?),
            (None, None) => self.flags.settings()?,
        };
        if let (None, Some(folder)) = (&resumed, &settings.checkpoint)
            && !self.print_config
        {
            Folder::check(folder)?;
        }
        if settings.out_of_fold.is_some() && settings.cv.is_none() {
            return Err(Failure::usage(
                "`--out-of-fold` asks for what a cross-validation predicts, but there is none",
                "add `--cv 5`, or leave it out",
            ));
        }
        if self.find_learning_rate {
            if settings.cv.is_some() || settings.checkpoint.is_some() {
                return Err(Failure::usage(
                    "`--find-learning-rate` trains no model, so there is nothing to cross-validate or to keep",
                    "leave out `--cv` and `--checkpoint`",
                ));
            }
            // The run that is told a rate is the one to find it for: one network, unless an ensemble is asked for.
            settings.learning_rate = settings.learning_rate.or(Some(RateRange::default().from));
        }
        let machine = machine(settings.threads.unwrap_or(0))?;
        let (data, test_data) = (settings.data().to_owned(), settings.test_data.clone());
        let validation_data = settings.validation_data.clone();
        let place = settings.out.clone().unwrap_or_else(|| {
            PathBuf::from(if settings.from.is_some() {
                "model-tuned.safetensors"
            } else {
                "model.safetensors"
            })
        });
        let (targets, from) = (settings.targets.clone(), settings.from.clone());
        let initial = settings.initial_weights.clone();
        if let (Some(initial), Some(from)) = (&initial, &from) {
            return Err(Failure::usage(
                format!("both {} and {} are to be begun with", initial.display(), from.display()),
                "give `--from` or `--initial-weights`",
            ));
        }
        let read = [
            self.config.as_deref(),
            Some(Path::new(&data)),
            test_data.as_deref(),
            targets.as_deref(),
            from.as_deref(),
            initial.as_deref(),
            validation_data.as_deref(),
        ];
        let files = Files::reading(read.into_iter().flatten());
        let out = match (self.print_config, settings.cv, &settings.out_of_fold) {
            (true, _, _) | (false, Some(_), None) => None,
            (false, None, _) if self.find_learning_rate => None,
            (false, Some(_), Some(place)) => Some(files.output(Some(place), "--out-of-fold")?),
            (false, None, _) => Some(files.output(Some(&place), "--out")?),
        };

        let mut stage = Instant::now();
        let mut seconds = || std::mem::replace(&mut stage, Instant::now()).elapsed().as_secs_f64();
        let mut read_options = ReadOptions { threads: machine.thread_count(), ..read_options(&settings)? };
        let begin = from.as_deref().map(Model::<f32>::load).transpose()?;
        if let Some(model) = &begin {
            as_in_model(&mut read_options, model.trained()?.preprocessing);
        }
        let Loaded { mut tables, notes } = load_to_train(&settings, &read_options)?;
        if let Some(path) = &test_data {
            tables.test = Some(read_test(path, &settings, &tables.train)?);
        }
        if let Some(path) = &validation_data {
            tables.validation = Some(read_test(path, &settings, &tables.train)?);
        }
        let read = seconds();
        let mut job = Job::new(settings.clone(), tables);
        if let (Some(model), Some(from)) = (begin, &from) {
            job = job.from_model(model, from.display().to_string());
        }
        if let Some(path) = &initial {
            let (network, parameters) = initial_weights(path)?;
            job = job.starting_with(network, &parameters, path.display().to_string());
        }
        let (folds, job) = match settings.cv {
            None => (None, job.decide()?),
            Some(_) => {
                let folds = job.cross_validation()?;
                let first = folds.decide(0)?;
                (Some(folds), first)
            }
        };
        if self.print_config {
            return print_raw(to_toml(job.settings())?.as_bytes());
        }
        let job = match &folds {
            None => within_memory(job, &machine, &data)?,
            Some(_) if job.table().store().is_some() => {
                return Err(Failure::new(
                    "memory does not hold the rows, and each fold selects some of them",
                    "leave out `--cv`, or give more memory with `--memory`",
                ));
            }
            Some(_) => {
                job.check_memory(&machine, free_memory())?;
                job
            }
        };
        tell(&notes, self.quiet || self.json);
        for (name, why) in job.preprocessing().left_out() {
            warn(format_args!("column \"{name}\" is left out: {why}"));
        }
        for feature in job.preprocessing().features() {
            if let Encoding::Categorical(texts) = &feature.encoding
                && let Some(rare) = texts.rare()
                && !self.quiet
                && !self.json
            {
                say(format_args!(
                    "note: the {} rarest texts of column \"{}\" share one input; `--max-levels` tells more apart",
                    rare.levels, feature.name
                ));
            }
        }
        // The built-in sets are known.
        let concerns = if Path::new(&data).exists() { job.concerns()? } else { Vec::new() };
        for concern in &concerns {
            warn(concern);
        }
        if let Some(folds) = folds {
            let shown = cross_validation::Shown {
                machine: &machine,
                notes: &notes,
                concerns: &concerns,
                has_json: self.json,
                is_quiet: self.quiet,
                out_of_fold: out.as_ref(),
            };
            return cross_validation::run(folds, job, &shown);
        }
        if self.find_learning_rate {
            return learning_rate::run(&job, &machine, self.json);
        }
        // Nobody would read the comparison.
        let job = if self.quiet && !self.json { job } else { job.compared() };
        let (rows, training) = (job.rows(), job.training());
        let columns = decisions(job.table(), job.preprocessing());
        let summary = summary(job.table(), job.preprocessing());
        let (folder, states) = match (resumed, &settings.checkpoint) {
            (Some(resumed), _) => {
                resumed.check(&job)?;
                let (folder, states) = resumed.states(&settings, job.members().len())?;
                (Some(folder), states)
            }
            (None, Some(path)) => (Some(Folder::begin(path, &settings, &job)?), Vec::new()),
            (None, None) => (None, Vec::new()),
        };
        let prepare = seconds();
        let interrupt = Interrupt::caught();
        let epochs_before: Vec<usize> =
            states.iter().map(|state| state.as_ref().map_or(0, |state| state.epoch())).collect();
        if let (Some(path), false) = (&self.resume, self.quiet || self.json) {
            say(format_args!("going on from {}: {}", path.display(), gone(&epochs_before, training.epochs)));
        }
        let mut progress = Progress::new(
            training.epochs,
            rows.training.len(),
            self.quiet || self.json,
            interrupt.clone(),
            epochs_before.clone(),
        )
        .with_time(match settings.time {
            Some(Interval::Seconds(seconds)) => Some(seconds),
            _ => None,
        });
        let keeper = folder.as_ref().map(|folder| folder as &dyn Keeper);
        let Fitted { model, tested, report, out_of_fold, candidates, calibration, findings, trouble, .. } =
            job.resume(&machine, &mut progress, &Checkpoints { states, keeper })?;
        let run = seconds();
        let seconds = progress.finish().as_secs_f64();
        let stages = Stages { read, prepare, train: seconds, evaluate: (run - seconds).max(0.0) };
        let catalog = Catalog::english();
        for finding in findings {
            warn(finding.text(&catalog));
        }
        if let Some(out) = out {
            out.write(&model.to_bytes()?)?;
        }

        let card = &model.trained()?;
        let target = card.preprocessing.target();
        let document = Document {
            version: 1,
            model: place.display().to_string(),
            data: card.data,
            task: match target.target().task() {
                Task::Binary => "binary",
                Task::Classes => "classes",
                Task::Regression => "regression",
            },
            reason: target.reason(),
            left_out: card.preprocessing.left_out(),
            columns,
            summary,
            notes: &notes,
            concerns: &concerns,
            training_rows: rows.training.len(),
            validation_rows: match &rows.watched {
                Some(table) => table.rows(),
                None => rows.of_member(0).1.len(),
            },
            validation_data: rows.watched.as_ref().map(|table| table.source()),
            test_rows: tested.rows(),
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
                _ => model.runs().map(Network::from).collect(),
            },
            out_of_fold: out_of_fold.as_ref(),
            candidates: candidates.as_ref(),
            reasons: job.reasons(),
            calibration,
            seconds,
            stages,
            epochs_before: epochs_before.iter().sum(),
            samples_per_second: seen(&model, &epochs_before) as f64 / seconds.max(1e-9),
            test: &report,
            remarks: report.remarks(),
            trouble: trouble.as_ref().map(ToString::to_string),
        };
        match (self.json, self.quiet) {
            (true, _) => print_json(&document)?,
            (false, true) => report.remarks().iter().for_each(warn),
            (false, false) => print(&render(&document, card, &data))?,
        }
        match (interrupt.code(), trouble) {
            (Some(code), _) => {
                let said = interrupted(card.history, training.epochs, &document.model);
                let more = match folder {
                    Some(folder) => format!("`{}` goes on", folder.command()),
                    None => "with `--checkpoint FOLDER` a run can go on".to_owned(),
                };
                match candidates.as_ref().map(|found| found.candidates.len()) {
                    Some(count) => warn(format_args!(
                        "interrupted after {}: {} has the best of them, as `--candidates {count}` makes it again",
                        counted(count, "candidate"),
                        document.model
                    )),
                    None => warn(format_args!("{said}; {more}")),
                }
                Err(Failure::silent(code))
            }
            (None, Some(trouble)) => Err(trouble.into()),
            (None, None) => Ok(()),
        }
    }
}

/// The job, which keeps the numbers that it trains on in a temporary file if memory does not hold them.
fn within_memory(job: Decided, machine: &Machine, data: &str) -> Result<Decided> {
    let free = free_memory();
    let Err(refused) = job.check_memory(machine, free) else { return Ok(job) };
    let Some(free) = free.filter(|_| job.table().store().is_none()) else { return Err(refused.into()) };
    let folder = temporary_folder(data);
    let store = Spool::new(&folder, (free / 4) as usize)?;
    store.check_room(job.feature_bytes() as u64)?;
    let job = job.with_store(Arc::new(store));
    // What is needed beside those numbers is the same, and said the same.
    job.check_memory(machine, Some(free)).map_err(|_| refused)?;
    say(format_args!(
        "note: memory does not hold the numbers that are trained on, so they are kept in a temporary file in {}",
        folder.display()
    ));
    Ok(job)
}

/// What is said of a run that was ended from outside.
fn interrupted(history: &History, epochs: usize, model: &str) -> String {
    let done = history.epoch_count;
    match (history.stop, history.kept_epoch) {
        (Stop::Observer, Some(kept)) if kept + 1 < done => format!(
            "interrupted in epoch {done} of {epochs}: {model} has the weights of epoch {}, the best so far",
            kept + 1
        ),
        (Stop::Observer, _) => {
            format!("interrupted in epoch {done} of {epochs}: {model} has the weights reached by then")
        }
        _ => format!("interrupted after training: {model} is whole"),
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

/// The weights of at most so many classes are told.
const MOST_WEIGHTS: usize = 12;

/// What the networks of a run have done before.
fn gone(epochs: &[usize], most: usize) -> String {
    match epochs {
        [one] => format!("{one} of {most} epochs are done"),
        several => {
            let begun = several.iter().filter(|epochs| **epochs > 0).count();
            format!("{begun} of {} networks have begun", several.len())
        }
    }
}

/// Why training ended before its last epoch, or kept another.
fn why(end: (Stop, Option<usize>), epochs: usize) -> String {
    match end {
        (Stop::NoImprovement, Some(kept)) => format!(", stopped early: epoch {} was best", kept + 1),
        (Stop::Converged, _) => ", until the search was over".to_owned(),
        (_, Some(kept)) if kept + 1 < epochs => format!(", epoch {} was best", kept + 1),
        _ => String::new(),
    }
}

fn render(document: &Document<'_>, card: &Trained<'_>, data: &str) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| entry(&mut out, name, &value);
    let inputs = counted(card.network.inputs, "input");
    line("data", format!("{}: {}, {inputs}", card.data.source, counted(card.data.rows, "row")));
    // Of numbers alone there is nothing to tell.
    if Path::new(data).exists() && document.summary.contains([',', '(']) {
        line("columns", format!("{}; `pullback look` tells why", document.summary));
    }
    let target = card.preprocessing.target();
    let shown = match target.target().classes() {
        Some(classes) => format!("{} classes", classes.len()),
        None => "numbers".to_owned(),
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
    line("network", format!("{inputs}, {layers}; {}{each}", counted(document.parameters, "parameter")));
    let training = document.training;
    line("training", format!("{}{}, seed {}", training.optimizer.name(), steps(training, ""), training.seed));
    if !training.augment.is_none() {
        line("images", format!("changed in each epoch: {}", training.augment.describe()));
    }
    line("cost", card.network.cost.to_string());
    if !document.reasons.is_empty() {
        let reasons: Vec<String> = document.reasons.iter().map(Reason::to_string).collect();
        line("decided", reasons.join("; "));
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
