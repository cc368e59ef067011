//! `pullback sweep`: many trainings of one file, and their ranking.
//!
//! A trial is a process, `pullback train --config FOLDER/trial-001/config.toml --json`, with its report and its model in
//! its folder, so that anything else can start the same trials. What has a report is finished, and kept when the sweep
//! is started again.

use crate::config_file::to_toml;
use crate::failure::{Failure, Result};
use crate::files::target;
use crate::interrupt::Interrupt;
use crate::sweep_file::{self, HASH, Method, Trial, hashed};
use crate::terminal::{figure, print, print_json, say, setting, shortened, typed, width};
use pullback::files;
use pullback::job::Settings;
use pullback::report::number::counted;
use pullback::train::{Metric, Shape};
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

#[derive(Debug, clap::Args)]
pub(crate) struct Sweep {
    /// A TOML file: `base` (settings as for `train --config`, or the path of such a file), `[ranges]`, `method` (grid,
    /// random, halving), `trials`, `seed`, `folder`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How many trials are trained side by side; the result does not depend on it
    #[arg(long, value_name = "TRIALS", default_value_t = 1)]
    jobs: usize,
    /// Print the ranking as JSON
    #[arg(long)]
    json: bool,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

/// The JSON report of a sweep.
#[derive(Serialize)]
struct Document<'a> {
    /// The version of this document's layout.
    version: u32,
    method: Method,
    metric: &'a str,
    /// From the best one to the worst.
    trials: &'a [Ranked],
    /// The command that trains the best one again.
    command: String,
}

/// What became of a trial.
#[derive(Debug, Clone, Serialize)]
struct Ranked {
    /// Its number, counted from 1.
    trial: usize,
    settings: BTreeMap<String, toml::Value>,
    /// The value of the watched metric on the validation rows.
    value: Option<f64>,
    /// The epochs that were run, of all its networks.
    epochs: u64,
    /// The rung of halving that it was the last time trained for, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    rung: Option<usize>,
    report: PathBuf,
    model: PathBuf,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

/// How long is waited between two looks at the processes.
const PAUSE: Duration = Duration::from_millis(20);

impl Sweep {
    pub(super) fn run(&self) -> Result<()> {
        let sweep = sweep_file::read(&self.file)?;
        if self.jobs == 0 {
            return Err(Failure::usage("`--jobs` is 0, so that nothing would be trained", "give at least 1"));
        }
        let rungs = match sweep.method {
            Method::Halving => rungs(&sweep)?,
            Method::Grid | Method::Random => Vec::new(),
        };
        let threads = match sweep.base.threads {
            Some(threads) => threads,
            None => (std::thread::available_parallelism().map_or(1, usize::from) / self.jobs).max(1),
        };
        let runner = Runner {
            trials: &sweep.trials,
            folder: &sweep.folder,
            metric: sweep.base.metric.unwrap_or_default(),
            threads,
            jobs: self.jobs,
            is_silent: self.quiet || self.json,
            interrupt: Interrupt::caught(),
        };
        check_data(&sweep.base, &sweep.folder)?;
        for at in 0..sweep.trials.len() {
            if let Some(code) = runner.interrupt.code() {
                return Err(Failure::silent(code));
            }
            runner.begin(at)?;
        }
        let all: Vec<usize> = (0..sweep.trials.len()).collect();
        let mut ranked = if rungs.is_empty() {
            runner.train(&all, None)?
        } else {
            let (mut going, mut given_up) = (all, Vec::new());
            for (rung, &epochs) in rungs.iter().enumerate() {
                let mut done = runner.train(&going, Some((rung, epochs)))?;
                sort(&mut done, runner.metric);
                let good = done.iter().filter(|one| one.failed.is_none()).count();
                let next = if rung + 1 == rungs.len() {
                    good
                } else {
                    (done.len() / sweep.part).clamp(1, good.max(1))
                };
                given_up.extend(done.split_off(next.min(good)));
                going = done.iter().map(|one| one.trial - 1).collect();
                if rung + 1 == rungs.len() || going.is_empty() {
                    given_up.extend(done);
                    break;
                }
            }
            given_up
        };
        sort(&mut ranked, runner.metric);
        let Some(best) = ranked.first().filter(|one| one.failed.is_none()) else {
            let why = ranked.first().and_then(|one| one.failed.clone()).unwrap_or_default();
            return Err(Failure::new(
                format!("none of {} could be trained: {why}", counted(ranked.len(), "trial")),
                format!("see {}", runner.place(0).join(LOG).display()),
            ));
        };
        let config = runner.place(best.trial - 1).join(CONFIG);
        let command = format!("pullback train --config {}", typed(config.display()));
        let metric = runner.metric.name();
        match self.json {
            true => {
                print_json(&Document { version: 1, method: sweep.method, metric, trials: &ranked, command })
            }
            false => print(&render(&ranked, metric, &command, width())),
        }
    }
}

/// The files of a trial.
const CONFIG: &str = "config.toml";
const MODEL: &str = "model.safetensors";
const REPORT: &str = "report.json";
const LOG: &str = "log.txt";
const CHECKPOINTS: &str = "checkpoints";

/// What the trials were trained on: one file for the whole folder.
const DATA: &str = "data.txt";

/// Refuses data that lie where trials are written, and other data than those of the trials that are there.
fn check_data(base: &Settings, folder: &Path) -> Result<()> {
    let paths = [Some(Path::new(base.data())), base.targets.as_deref(), base.test_data.as_deref()];
    let paths = paths.into_iter().chain([base.validation_data.as_deref()]).flatten();
    let place = target(folder);
    let mut told = String::new();
    for path in paths.filter(|path| path.exists()) {
        if target(path).starts_with(&place) {
            return Err(Failure::usage(
                format!("{} is in {}, where the trials are written", path.display(), folder.display()),
                "give another `folder` in the file of the sweep",
            ));
        }
        let hash = hash_of(path, HASH).map_err(|error| Failure::from(pullback::Error::io(path, error)))?;
        told += &format!("{} {hash:016x}\n", path.display());
    }
    keep(&folder.join(DATA), &told, || {
        format!("the data are others than those of the trials in {}", folder.display())
    })
}

/// Writes what trials are made of, where it is not written yet; what is there must be the same.
fn keep(path: &Path, text: &str, other: impl FnOnce() -> String) -> Result<()> {
    match fs::read_to_string(path) {
        Ok(found) if found == text => Ok(()),
        Ok(_) => Err(Failure::usage(other(), "give another `folder`, or remove that one")),
        Err(_) => {
            let made = path.parent().map_or(Ok(()), fs::create_dir_all);
            let made = made.and_then(|()| files::write(path, text.as_bytes()));
            made.map_err(|error| Failure::unwritable(path, &error))
        }
    }
}

/// A hash with the bytes of a file, or the names and sizes of what is in a folder.
fn hash_of(path: &Path, mut hash: u64) -> std::io::Result<u64> {
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?.collect::<std::io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            hash = hashed(hash, entry.file_name().as_encoded_bytes());
            hash = match entry.file_type()?.is_dir() {
                true => hash_of(&entry.path(), hash)?,
                false => hashed(hash, &entry.metadata()?.len().to_le_bytes()),
            }
        }
        return Ok(hash);
    }
    let (mut file, mut bytes) = (File::open(path)?, vec![0; 1 << 16]);
    loop {
        match file.read(&mut bytes)? {
            0 => return Ok(hash),
            count => hash = hashed(hash, &bytes[..count]),
        }
    }
}

/// A new file in the place of what is there: a link is replaced, and not what it leads to.
fn created(path: &Path) -> std::io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => File::create_new(path),
    }
}

/// Starts trials.
struct Runner<'a> {
    trials: &'a [Trial],
    folder: &'a Path,
    metric: Metric,
    threads: usize,
    jobs: usize,
    is_silent: bool,
    interrupt: Interrupt,
}

impl Runner<'_> {
    fn place(&self, at: usize) -> PathBuf {
        self.folder.join(format!("trial-{:03}", at + 1))
    }

    /// Makes the folder of a trial, and refuses one that holds another trial.
    fn begin(&self, at: usize) -> Result<()> {
        let place = self.place(at);
        let settings = Settings { out: Some(place.join(MODEL)), ..self.trials[at].settings.clone() };
        let (config, text) = (place.join(CONFIG), to_toml(&settings)?);
        keep(&config, &text, || format!("{} is of another sweep", config.display()))
    }

    /// Trains some trials, for a rung of halving or to their end; in their order.
    fn train(&self, which: &[usize], rung: Option<(usize, usize)>) -> Result<Vec<Ranked>> {
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<(usize, Result<Ranked>)>> = Mutex::new(Vec::new());
        let lock = || done.lock().unwrap_or_else(PoisonError::into_inner);
        let work = || {
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let has_ended = lock().iter().any(|(_, one)| one.is_err());
                let Some(&at) = which.get(place).filter(|_| !has_ended) else { return };
                let one = self.one(at, rung);
                if let (Ok(one), false) = (&one, self.is_silent) {
                    let rung = rung.map_or(String::new(), |(_, epochs)| format!(", {epochs} epochs"));
                    say(format_args!(
                        "trial {} of {}{rung}: {} ({})",
                        at + 1,
                        self.trials.len(),
                        told(one, self.metric.name()),
                        chosen(&one.settings)
                    ));
                }
                lock().push((place, one));
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.min(which.len()) {
                scope.spawn(work);
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(place, _)| *place);
        done.into_iter().map(|(_, one)| one).collect()
    }

    /// Trains a trial, unless its report is there.
    fn one(&self, at: usize, rung: Option<(usize, usize)>) -> Result<Ranked> {
        let place = self.place(at);
        let report = match rung {
            None => place.join(REPORT),
            Some((_, epochs)) => place.join(format!("report-{epochs}.json")),
        };
        let read = |path: &Path| -> Option<Json> { serde_json::from_slice(&fs::read(path).ok()?).ok() };
        let mut failed = None;
        if read(&report).is_none() {
            failed = self.process(&place, &report, rung)?;
        }
        let document = read(&report).unwrap_or_default();
        let value = if failed.is_none() { self.value(&document)? } else { None };
        let networks = document["networks"].as_array().map_or(&[][..], Vec::as_slice);
        let epochs = match networks {
            [] => document["history"]["epoch_count"].as_u64().unwrap_or(0),
            several => several.iter().filter_map(|one| one["epochs"].as_u64()).sum(),
        };
        Ok(Ranked {
            trial: at + 1,
            settings: self.trials[at].chosen.clone(),
            value,
            epochs,
            rung: rung.map(|(rung, _)| rung),
            report,
            model: place.join(MODEL),
            failed,
        })
    }

    /// Runs the process of a trial; says what went wrong with it.
    fn process(&self, place: &Path, report: &Path, rung: Option<(usize, usize)>) -> Result<Option<String>> {
        let unwritable = |error: std::io::Error| Failure::unwritable(place, &error);
        let (log, part) = (place.join(LOG), place.join("report.part"));
        let own = crate::program().map_err(unwritable)?;
        let mut command = Command::new(&own[0]);
        command.args(&own[1..]).args(["train", "--json", "--threads", &self.threads.to_string()]);
        let checkpoints = place.join(CHECKPOINTS);
        match rung {
            None => command.arg("--config").arg(place.join(CONFIG)),
            Some((_, epochs)) if checkpoints.join("run.json").exists() => {
                command.arg("--resume").arg(&checkpoints).args(["--epochs", &epochs.to_string()])
            }
            Some((_, epochs)) => command
                .arg("--config")
                .arg(place.join(CONFIG))
                .arg("--checkpoint")
                .arg(&checkpoints)
                .args(["--checkpoint-keep", "1", "--epochs", &epochs.to_string()]),
        };
        command.stdin(Stdio::null());
        command.stdout(created(&part).map_err(unwritable)?);
        command.stderr(created(&log).map_err(unwritable)?);
        let mut child = command.spawn().map_err(unwritable)?;
        let status = loop {
            if let Some(status) = child.try_wait().map_err(unwritable)? {
                break status;
            }
            if self.interrupt.code().is_some() {
                // Its folder holds whole files whenever it ends.
                let _ = child.kill();
                let _ = child.wait();
            }
            std::thread::sleep(PAUSE);
        };
        if let Some(code) = self.interrupt.code() {
            say("interrupted: the same command goes on with the trials that are not finished");
            return Err(Failure::silent(code));
        }
        if status.success() {
            let bytes = fs::read(&part).map_err(unwritable)?;
            files::write(report, &bytes).map_err(unwritable)?;
            let _ = fs::remove_file(&part);
            return Ok(None);
        }
        let _ = fs::remove_file(&part);
        let said = fs::read_to_string(&log).unwrap_or_default();
        let error = said.lines().find_map(|line| line.strip_prefix("error: "));
        Ok(Some(error.unwrap_or("it was ended from outside").to_owned()))
    }

    /// The value of the watched metric: of an ensemble, the mean of its networks'.
    fn value(&self, document: &Json) -> Result<Option<f64>> {
        if document["validation_rows"].as_u64() == Some(0) {
            return Err(Failure::usage(
                "no rows are held out for validation, so that nothing ranks the trials",
                "write `validation = 0.2` in the base",
            ));
        }
        let key = if self.metric.is_cost() { "validation_cost" } else { "watched" };
        let networks = document["networks"].as_array().map_or(&[][..], Vec::as_slice);
        if networks.is_empty() {
            let kept = document["history"]["kept_epoch"].as_u64();
            let epochs = document["history"]["epochs"].as_array().map_or(&[][..], Vec::as_slice);
            let kept = epochs.iter().find(|epoch| epoch["epoch"].as_u64() == kept);
            return Ok(kept.and_then(|epoch| epoch[key].as_f64()));
        }
        let values: Option<Vec<f64>> = networks.iter().map(|network| network[key].as_f64()).collect();
        Ok(values.map(|values| values.iter().sum::<f64>() / values.len() as f64))
    }
}

/// How many epochs each rung trains for: the last one for all, each one before for a part of them.
fn rungs(sweep: &sweep_file::Sweep) -> Result<Vec<usize>> {
    let Some(most) = sweep.base.epochs else {
        return Err(Failure::usage(
            "halving gives trials up after a part of their epochs, but the base does not say how many there are",
            "write, for example, `epochs = 81` in the base",
        ));
    };
    for Trial { settings, chosen } in &sweep.trials {
        if chosen.contains_key("epochs") {
            return Err(Failure::usage(
                "halving decides how many epochs a trial has",
                "leave `epochs` out of the ranges",
            ));
        }
        let schedule = settings.schedule.as_deref().map_or(Ok(Shape::Constant), Shape::from_name)?;
        if matches!(schedule, Shape::Cosine { .. } | Shape::OneCycle { .. }) {
            return Err(Failure::usage(
                format!(
                    "the rates of the schedule {} depend on all epochs, but halving trains some at a time",
                    schedule.name()
                ),
                "take another schedule, such as `constant`, which halving takes where none is given",
            ));
        }
    }
    let (mut rungs, mut trials, mut epochs) = (vec![most], sweep.trials.len(), most);
    while trials >= sweep.part && epochs > 1 {
        (trials, epochs) = (trials / sweep.part, epochs.div_ceil(sweep.part));
        rungs.push(epochs);
    }
    rungs.reverse();
    rungs.dedup();
    Ok(rungs)
}

/// From the best one to the worst: who was trained longest comes first, who failed last.
fn sort(ranked: &mut [Ranked], metric: Metric) {
    let value = |one: &Ranked| one.value.map_or(f64::INFINITY, |value| metric.to_minimize(value));
    ranked.sort_by(|one, other| {
        let failed = one.failed.is_some().cmp(&other.failed.is_some());
        let rung = other.rung.cmp(&one.rung);
        failed.then(rung).then(value(one).total_cmp(&value(other))).then(one.trial.cmp(&other.trial))
    });
}

/// What came of a trial.
fn told(one: &Ranked, metric: &str) -> String {
    match (&one.failed, one.value) {
        (Some(why), _) => format!("failed: {why}"),
        (None, Some(value)) => format!("{metric} {}", figure(value)),
        (None, None) => format!("{metric} has no value"),
    }
}

/// A value as people write it.
fn shown(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Float(number) => setting(*number),
        other => other.to_string(),
    }
}

/// `dropout 0.1, hidden 64`
fn chosen(settings: &BTreeMap<String, toml::Value>) -> String {
    let each: Vec<String> = settings.iter().map(|(name, value)| format!("{name} {}", shown(value))).collect();
    each.join(", ")
}

/// The widest column of the ranking.
const WIDEST: usize = 16;

fn render(ranked: &[Ranked], metric: &str, command: &str, width: usize) -> String {
    let names: Vec<&String> = ranked.first().map(|one| one.settings.keys().collect()).unwrap_or_default();
    let heads = ["rank", "trial", metric, "epochs"].into_iter().chain(names.iter().map(|name| name.as_str()));
    let mut rows: Vec<Vec<String>> = vec![heads.map(str::to_owned).collect()];
    for (at, one) in ranked.iter().enumerate() {
        let value = match (&one.failed, one.value) {
            (Some(_), _) => "failed".to_owned(),
            (None, value) => value.map_or("none".to_owned(), figure),
        };
        let mut row = vec![(at + 1).to_string(), one.trial.to_string(), value, one.epochs.to_string()];
        row.extend(names.iter().map(|name| one.settings.get(*name).map(shown).unwrap_or_default()));
        rows.push(row);
    }
    let columns = rows[0].len();
    // As wide as what they hold, and narrower where the page is too narrow.
    let most = ((width + 2) / columns.max(1)).saturating_sub(2).clamp(4, WIDEST);
    let of =
        |column: usize, most: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0).min(most);
    let whole: usize = (0..columns).map(|column| of(column, WIDEST) + 2).sum::<usize>() - 2;
    let most = if whole <= width { WIDEST } else { most };
    let mut out = String::new();
    for row in &rows {
        let cells: Vec<String> = (row.iter().enumerate())
            .map(|(column, cell)| {
                let wide = of(column, most);
                let cell = shortened(cell, wide);
                format!("{:1$}{cell}", "", wide.saturating_sub(cell.width()))
            })
            .collect();
        let _ = writeln!(out, "{}", cells.join("  ").trim_end());
    }
    let _ = write!(out, "\nthe best again:\n  {command}\n");
    out
}
