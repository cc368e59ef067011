//! `pullback train`: from data to a saved model and a report.

use crate::checkpoints::{Folder, Resumed};
use crate::config_file::{self, to_toml};
use crate::cross_validation;
use crate::failure::{Failure, Result};
use crate::files::{Files, Output};
use crate::flags::Flags;
use crate::interrupt::Interrupt;
use crate::language;
use crate::learning_rate;
use crate::machine::{ISA_HELP, free_memory, machine};
use crate::progress::Progress;
use crate::source::{Loaded, as_in_model, load_to_train, read_options, read_test, tell, temporary_folder};
use crate::terminal::{note_in, print, print_json, print_raw, say, warn_in};
use crate::train_report::{Document, Facts, Stages, render};
use pullback::data::{Concern, Encoding};
use pullback::execute::Machine;
use pullback::explain::{Catalog, Subject, WorkedExample};
use pullback::job::{Checkpoints, Decided, EpochFigures, Finding, Job, Keeper, Settings, Trouble, Watch};
use pullback::model::Model;
use pullback::train::{History, Optimizer, RateRange, Stop};
use pullback_data::{Note, ReadOptions, Spool};
use std::fmt::Display;
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
    /// A TOML file of settings; flags override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Continue the run whose checkpoints are in this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "config")]
    resume: Option<PathBuf>,
    /// Test learning rates in a short run, and suggest one; trains no model
    #[arg(long, conflicts_with_all = ["resume", "print_config"])]
    find_learning_rate: bool,
    /// Print the settings of the run as a TOML file, and train nothing
    #[arg(long)]
    print_config: bool,
    /// End the run when this is found after an epoch: vanishing, exploding, dead (half of a layer's units), nan; of one
    /// network
    #[arg(long, value_name = "TROUBLE,...", value_delimiter = ',')]
    stop_on: Vec<String>,
    /// Record the figures of each layer after each epoch as CSV: norms, slopes, dead units, size of the step; of one
    /// network
    #[arg(long, value_name = "FILE")]
    layer_figures: Option<PathBuf>,
    /// Record each epoch of each network as CSV: costs, validation metric, learning rate; a model keeps at most 2000 epochs
    /// of each
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// The language of the report and of warnings: en, ko [default: by the locale]
    #[arg(long)]
    lang: Option<String>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Show no progress and no report, only warnings and errors
    #[arg(long, short)]
    quiet: bool,
}

/// What a run writes.
struct Outputs {
    /// The model, or predictions.
    made: Option<Output>,
    /// Figures of the layers.
    figures: Option<Output>,
    history: Option<Output>,
}

/// The network of a model or of a worked example's file, with its numbers.
fn initial_weights(path: &Path) -> Result<(pullback::network::Network, Vec<Vec<f64>>)> {
    let bytes = std::fs::read(path).map_err(|error| pullback::Error::io(path, error))?;
    // A model is known by what is in it, whatever it is called: the length of a JSON object, and its brace.
    if path.extension().is_some_and(|ending| ending == "safetensors") || bytes.get(8) == Some(&b'{') {
        let model = Model::<f64>::load(path)?;
        return Ok((model.network().clone(), model.parameters().to_vec()));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::usage(
            format!("{} is no text, and no model", path.display()),
            "give a model, or a file with layers and weights",
        )
    })?;
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
        let catalog = language::catalog(self.lang.as_deref(), None)?;
        self.run_in(&catalog).map_err(|failure| failure.told(&catalog))
    }

    fn run_in(&self, catalog: &Catalog) -> Result<()> {
        let resumed = self.resume.as_deref().map(Resumed::open).transpose()?;
        let settings = self.settings(resumed.as_ref())?;
        let machine = machine(settings.threads.unwrap_or(0))?;
        let place = settings.out.clone().unwrap_or_else(|| {
            PathBuf::from(if settings.from.is_some() {
                "model-tuned.safetensors"
            } else {
                "model.safetensors"
            })
        });
        let Outputs { made: out, figures, history } = self.outputs(&settings, &place)?;
        let stop_on =
            self.stop_on.iter().map(|name| Trouble::from_name(name)).collect::<Result<Vec<_>, _>>()?;

        let mut stage = Instant::now();
        let mut seconds = || std::mem::replace(&mut stage, Instant::now()).elapsed().as_secs_f64();
        let (job, notes) = read_job(&settings, &machine, catalog)?;
        let read = seconds();
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
        let job = within_memory(job, &machine, &settings, catalog)?;
        let concerns = self.tell_of_data(&settings, &job, &notes, catalog)?;
        if let Some(folds) = folds {
            let shown = cross_validation::Shown {
                machine: &machine,
                notes: &notes,
                concerns: &concerns,
                has_json: self.json,
                is_quiet: self.quiet,
                out_of_fold: out.as_ref(),
                catalog,
            };
            return cross_validation::run(folds, job, &shown);
        }
        if self.find_learning_rate {
            return learning_rate::run(&job, &machine, self.json, catalog);
        }
        // Nobody would read the comparison.
        let job = if self.quiet && !self.json { job } else { job.compared() };
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
        let (training, is_silent) = (job.training(), self.quiet || self.json);
        if let (Some(path), false) = (&self.resume, is_silent) {
            let gone = gone(&epochs_before, training.epochs, catalog);
            say(catalog.say("report.going_on", &[("folder", &path.display()), ("gone", &gone)]));
        }
        let rows = job.rows().training.len();
        let mut progress = Progress::new(
            training.epochs,
            rows,
            is_silent,
            interrupt.clone(),
            epochs_before.clone(),
            catalog,
        );
        let keeper = folder.as_ref().map(|folder| folder as &dyn Keeper);
        let mut told: Vec<Finding> = Vec::new();
        let tell = |epoch: usize, finding: &Finding| {
            let text = finding.text(catalog);
            warn_in(catalog, catalog.say("while_training", &[("epoch", &(epoch + 1)), ("finding", &text)]));
            told.push(finding.clone());
        };
        let is_recorded = figures.is_some();
        let mut watch = Watch::new(&job, &mut progress, &stop_on, is_recorded, tell)?;
        let fitted = job.resume(&machine, &mut watch, &Checkpoints { states, keeper })?;
        let (stopped, recorded) = (watch.stopped().cloned(), watch.figures().to_vec());
        drop(watch);
        if let Some(figures) = figures {
            figures.write(csv_of(&recorded).as_bytes())?;
        }
        if let Some(history) = history {
            history.write(csv_of_history(&fitted.histories).as_bytes())?;
        }
        let run = seconds();
        let seconds = progress.finish().as_secs_f64();
        if let Some((epoch, finding)) = &stopped {
            let text = finding.text(catalog);
            warn_in(catalog, catalog.say("stopped_on", &[("epoch", &(epoch + 1)), ("finding", &text)]));
        }
        // What was told while it trained is not told again.
        let is_new = |finding: &&Finding| !told.iter().any(|known| known.is_same(finding));
        for finding in fitted.findings.iter().filter(is_new) {
            warn_in(catalog, finding.text(catalog));
        }
        if let Some(out) = out {
            out.write(&fitted.model.to_bytes()?)?;
        }

        let document = Document::new(Facts {
            job: &job,
            machine: &machine,
            notes: &notes,
            concerns: &concerns,
            place: &place,
            fitted: &fitted,
            epochs_before: &epochs_before,
            stages: Stages { read, prepare, train: seconds, evaluate: (run - seconds).max(0.0) },
            catalog,
        })?;
        match (self.json, self.quiet) {
            (true, _) => print_json(&document)?,
            (false, true) => fitted.report.remarks().iter().for_each(|remark| warn_in(catalog, remark)),
            (false, false) => print(&render(&document, &fitted.model.trained()?, settings.data(), catalog))?,
        }
        if let Some(code) = interrupt.code() {
            let candidates = fitted.candidates.as_ref().map(|found| found.candidates.len());
            warn_in(catalog, interrupted(&document, candidates, folder.as_ref(), catalog));
            return Err(Failure::silent(code));
        }
        fitted.trouble.map_or(Ok(()), |trouble| Err(trouble.into()))
    }

    /// What flags, a file of settings or the folder of a run say together.
    fn settings(&self, resumed: Option<&Resumed>) -> Result<Settings> {
        let mut settings = match (resumed, &self.config) {
            (Some(resumed), _) => self.flags.beside_resume()?.over(resumed.settings()),
            (None, Some(path)) => self.flags.settings()?.over(config_file::read(path)?),
            (None, None) => self.flags.settings()?,
        };
        if let (None, Some(folder)) = (resumed, &settings.checkpoint)
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
        let (kept, has_cv) = (settings.checkpoint.is_some() || resumed.is_some(), settings.cv.is_some());
        let idle = [
            (
                settings.new_head == Some(true) && settings.from.is_none(),
                "--new-head",
                "no model to begin with",
                "--from MODEL",
            ),
            (
                settings.checkpoint_every.is_some() && !kept,
                "--checkpoint-every",
                "no folder of checkpoints",
                "--checkpoint FOLDER",
            ),
            (
                settings.checkpoint_keep.is_some() && !kept,
                "--checkpoint-keep",
                "no folder of checkpoints",
                "--checkpoint FOLDER",
            ),
        ];
        if let Some((_, flag, why, other)) = idle.iter().find(|(is_idle, ..)| *is_idle) {
            return Err(Failure::usage(
                format!("`{flag}` is given, but {why}"),
                format!("add `{other}`, or leave it out"),
            ));
        }
        let of_one_run = [
            ("--layer-figures", self.layer_figures.is_some()),
            ("--stop-on", !self.stop_on.is_empty()),
            ("--history", self.history.is_some()),
        ];
        if let Some((flag, _)) =
            of_one_run.iter().find(|(_, is_given)| *is_given && (has_cv || self.find_learning_rate))
        {
            let other = if has_cv { "--cv" } else { "--find-learning-rate" };
            return Err(Failure::usage(
                format!("`{flag}` follows the training of one model, and `{other}` is given"),
                format!("leave out `{flag}` or `{other}`"),
            ));
        }
        if self.find_learning_rate {
            if settings.cv.is_some() || settings.checkpoint.is_some() {
                return Err(Failure::usage(
                    "`--find-learning-rate` trains no model, so there is nothing to cross-validate or to keep",
                    "leave out `--cv` and `--checkpoint`",
                ));
            }
            // The run that is told a rate is the one to find it for: one network, unless an ensemble is asked for. One
            // without a rate is refused for that.
            let optimizer = settings.optimizer.as_deref().map(Optimizer::from_name).transpose()?;
            let has_rate = !optimizer.is_some_and(|optimizer| optimizer.is_searching());
            settings.learning_rate = settings.learning_rate.or(has_rate.then_some(RateRange::default().from));
        }
        if let (Some(initial), Some(from)) = (&settings.initial_weights, &settings.from) {
            return Err(Failure::usage(
                format!("both {} and {} are to be begun with", initial.display(), from.display()),
                "give `--from` or `--initial-weights`",
            ));
        }
        Ok(settings)
    }

    /// What the run writes, which is nothing that it reads.
    fn outputs(&self, settings: &Settings, place: &Path) -> Result<Outputs> {
        let read = [
            self.config.as_deref(),
            Some(Path::new(settings.data())),
            settings.test_data.as_deref(),
            settings.targets.as_deref(),
            settings.from.as_deref(),
            settings.initial_weights.as_deref(),
            settings.validation_data.as_deref(),
        ];
        let mut files = Files::reading(read.into_iter().flatten())
            .keeping(self.resume.as_deref())
            .keeping(settings.checkpoint.as_deref());
        let made = match (settings.cv, &settings.out_of_fold) {
            _ if self.print_config || self.find_learning_rate => Ok(None),
            (Some(_), None) => Ok(None),
            (Some(_), Some(place)) => Ok(Some(files.output(Some(place), "--out-of-fold")?)),
            (None, _) if place == Path::new("-") => Err(Failure::usage(
                "a model is no text, and standard output is where the report goes",
                "give a file with `--out`",
            )),
            (None, _) => Ok(Some(files.output(Some(place), "--out")?)),
        }?;
        let mut beside = |path: &Option<PathBuf>, flag: &'static str| {
            path.as_deref().map(|path| files.output(Some(path), flag)).transpose()
        };
        let figures = beside(&self.layer_figures, "--layer-figures")?;
        let history = beside(&self.history, "--history")?;
        Ok(Outputs { made, figures, history })
    }

    /// Says what the reader and the job decided of the data, and what is doubtful about them, which is given back.
    fn tell_of_data(
        &self,
        settings: &Settings,
        job: &Decided,
        notes: &[Note],
        catalog: &Catalog,
    ) -> Result<Vec<Concern>> {
        let is_silent = self.quiet || self.json;
        tell(notes, is_silent, catalog);
        for (name, why) in job.preprocessing().left_out() {
            let values: [(&str, &dyn Display); 2] = [("column", name), ("why", &catalog.told(why))];
            warn_in(catalog, catalog.say("report.column_left_out", &values));
        }
        for feature in job.preprocessing().features() {
            if let Encoding::Categorical(texts) = &feature.encoding
                && let Some(rare) = texts.rare()
                && !is_silent
            {
                let values: [(&str, &dyn Display); 2] = [("count", &rare.levels), ("column", &feature.name)];
                note_in(catalog, catalog.say("report.rare_texts", &values));
            }
        }
        // The built-in sets are known.
        let concerns = if Path::new(settings.data()).exists() { job.concerns()? } else { Vec::new() };
        concerns.iter().for_each(|concern| warn_in(catalog, concern));
        Ok(concerns)
    }
}

/// Reads the tables, and the model or the weights that training begins with.
fn read_job(settings: &Settings, machine: &Machine, catalog: &Catalog) -> Result<(Job, Vec<Note>)> {
    let mut read_options = ReadOptions { threads: machine.thread_count(), ..read_options(settings)? };
    let begin = settings.from.as_deref().map(Model::<f32>::load).transpose()?;
    if let Some(model) = &begin {
        as_in_model(&mut read_options, model.trained()?.preprocessing);
    }
    let Loaded { mut tables, notes } = load_to_train(settings, &read_options)?;
    if let Some(path) = &settings.test_data {
        tables.test = Some(read_test(path, settings, &tables.train, catalog)?);
    }
    if let Some(path) = &settings.validation_data {
        tables.validation = Some(read_test(path, settings, &tables.train, catalog)?);
    }
    let mut job = Job::new(settings.clone(), tables);
    if let (Some(model), Some(from)) = (begin, &settings.from) {
        job = job.from_model(model, from.display().to_string());
    }
    if let Some(path) = &settings.initial_weights {
        let (network, parameters) = initial_weights(path)?;
        job = job.starting_with(network, &parameters, path.display().to_string());
    }
    Ok((job, notes))
}

/// The job, which keeps the numbers that it trains on in a temporary file if memory does not hold them.
fn within_memory(job: Decided, machine: &Machine, settings: &Settings, catalog: &Catalog) -> Result<Decided> {
    let free = free_memory();
    if settings.cv.is_some() {
        if job.table().store().is_some() {
            return Err(Failure::new(
                "memory does not hold the rows, and each fold selects some of them",
                "leave out `--cv`, or give more memory with `--memory`",
            ));
        }
        job.check_memory(machine, free)?;
        return Ok(job);
    }
    let Err(refused) = job.check_memory(machine, free) else { return Ok(job) };
    let Some(free) = free.filter(|_| job.table().store().is_none()) else { return Err(refused.into()) };
    let folder = temporary_folder(settings.data());
    let store = Spool::new(&folder, (free / 4) as usize)?;
    store.check_room(job.feature_bytes() as u64)?;
    let job = job.with_store(Arc::new(store));
    // What is needed beside those numbers is the same, and said the same.
    job.check_memory(machine, Some(free)).map_err(|_| refused)?;
    note_in(catalog, catalog.say("report.numbers_stored", &[("folder", &folder.display())]));
    Ok(job)
}

/// What is said of a run that was ended from outside, and how it can go on.
fn interrupted(
    run: &Document<'_>,
    candidates: Option<usize>,
    folder: Option<&Folder>,
    catalog: &Catalog,
) -> String {
    let (done, epochs, model) = (run.history.epoch_count, run.training.epochs, &run.model);
    let say = |key: &str, values: &[(&str, &dyn Display)]| catalog.say(&format!("report.{key}"), values);
    if let Some(count) = candidates {
        return say("interrupted_candidates", &[("count", &count), ("model", model)]);
    }
    let said = match (run.history.stop, run.history.kept_epoch) {
        (Stop::Observer, Some(kept)) if kept + 1 < done => say(
            "interrupted_best",
            &[("done", &done), ("epochs", &epochs), ("model", model), ("kept", &(kept + 1))],
        ),
        (Stop::Observer, _) => say("interrupted", &[("done", &done), ("epochs", &epochs), ("model", model)]),
        _ => say("interrupted_after", &[("model", model)]),
    };
    match folder {
        Some(folder) => say("interrupted_goes_on", &[("said", &said), ("command", &folder.command())]),
        None => say("interrupted_could_go_on", &[("said", &said)]),
    }
}

/// What the networks of a run have done before.
fn gone(epochs: &[usize], most: usize, catalog: &Catalog) -> String {
    match epochs {
        [one] => catalog.say("report.gone_epochs", &[("done", one), ("epochs", &most)]),
        several => {
            let begun = several.iter().filter(|epochs| **epochs > 0).count();
            catalog.say("report.gone_networks", &[("begun", &begun), ("count", &several.len())])
        }
    }
}

/// How each epoch of each network went, as CSV; networks and epochs are counted from 1.
fn csv_of_history(histories: &[History]) -> String {
    let mut out = String::from(
        "network,epoch,cost,validation_cost,validation_accuracy,validation_metric,learning_rate,gradient_norm,kept\n",
    );
    let maybe = |x: Option<f64>| x.map(|x| x.to_string()).unwrap_or_default();
    for (network, history) in histories.iter().enumerate() {
        for report in &history.epochs {
            out.push_str(&format!(
                "{},{},{},{},{},{},{},{},{}\n",
                network + 1,
                report.epoch + 1,
                report.cost,
                maybe(report.validation_cost),
                maybe(report.validation_accuracy),
                maybe(report.watched),
                report.learning_rate,
                maybe(report.gradient_norm),
                u8::from(history.kept_epoch == Some(report.epoch)),
            ));
        }
    }
    out
}

/// The figures of a run's layers as CSV: a line for each layer of each epoch, counted from 1.
fn csv_of(figures: &[EpochFigures]) -> String {
    let mut out = String::from(
        "epoch,layer,units,activation_norm,delta_norm,mean_slope,flat_units,gradient_norm,weight_norm,update_ratio\n",
    );
    let maybe = |x: Option<f64>| x.map(|x| x.to_string()).unwrap_or_default();
    for EpochFigures { epoch, layers } in figures {
        for layer in layers {
            let flat = layer.flat.map(|flat| flat.to_string()).unwrap_or_default();
            out.push_str(&format!(
                "{},{},{},{},{},{},{flat},{},{},{}\n",
                epoch + 1,
                layer.name,
                layer.units,
                layer.activation,
                layer.delta,
                maybe(layer.slope),
                layer.gradient,
                layer.weights,
                maybe(layer.update)
            ));
        }
    }
    out
}
