//! The folder of a run that can go on: `run.json` says what it was told and of which data, and
//! `network-1-000000001200.safetensors` is what its first network had come to after 1200 steps.
//!
//! Each file is written beside its place, synced and renamed, and older ones are removed only after that: whenever the
//! process ends, the folder holds whole states. One process at a time trains in a folder, which a lock on `run.json`
//! sees to.

use crate::failure::{Failure, Result};
use crate::terminal::{typed, warn};
use pullback::files;
use pullback::job::{Decided, Interval, Keeper, Settings, TestRows};
use pullback::model::Fingerprint;
use pullback::train::State;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The version of the layout of a folder.
const FORMAT: u32 = 1;
/// What says which run it is.
const RUN: &str = "run.json";
/// What the names of states begin and end with.
const PREFIX: &str = "network-";
const SUFFIX: &str = ".safetensors";
/// How often states are kept where nothing is said, and how many.
const EVERY: Interval = Interval::Seconds(60);
const KEEP: usize = 2;

/// What `run.json` holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    format: u32,
    /// The version that wrote it.
    version: String,
    settings: Settings,
    data: Fingerprint,
    /// The table of its own that the run is tested on.
    test: Option<Fingerprint>,
}

/// What every version of it has.
#[derive(Deserialize)]
struct Head {
    format: u32,
    version: String,
}

/// A run that is taken up again.
#[derive(Debug)]
pub(crate) struct Resumed {
    folder: PathBuf,
    run: Run,
    lock: File,
}

impl Resumed {
    /// The run of a folder.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(RUN);
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Failure::new(
                format!("{} holds no run", folder.display()),
                "give the folder that was given as `--checkpoint` to the run that is to go on",
            ),
            _ => unreadable(&path, &error.to_string()),
        })?;
        let read = |error: serde_json::Error| unreadable(&path, &error.to_string());
        let head: Head = serde_json::from_str(&text).map_err(read)?;
        if head.format > FORMAT {
            return Err(unreadable(
                &path,
                &format!("pullback {} wrote it in format {}", head.version, head.format),
            ));
        }
        let run: Run = serde_json::from_str(&text).map_err(read)?;
        let lock = locked(&path)?;
        files::remove_left(folder);
        Ok(Self { folder: folder.to_owned(), run, lock })
    }

    /// What the run was told.
    pub(crate) fn settings(&self) -> Settings {
        self.run.settings.clone()
    }

    /// Refuses other data than the run's.
    pub(crate) fn check(&self, job: &Decided) -> Result<()> {
        let (data, test) = fingerprints(job)?;
        let is_same =
            |one: &Fingerprint, other: &Fingerprint| (one.rows, &one.hash) == (other.rows, &other.hash);
        let differs = |what: &Fingerprint, other: &Fingerprint| {
            Failure::new(
                format!(
                    "{} is not what the run in {} was trained on: {} rows with hash {}, then {} with {}",
                    other.source,
                    self.folder.display(),
                    other.rows,
                    other.hash,
                    what.rows,
                    what.hash
                ),
                "give the data as they were: `pullback train DATA --resume FOLDER`; or begin another run",
            )
        };
        if !is_same(&self.run.data, &data) {
            return Err(differs(&self.run.data, &data));
        }
        match (&self.run.test, &test) {
            (Some(own), Some(other)) if !is_same(own, other) => Err(differs(own, other)),
            _ => Ok(()),
        }
    }

    /// The newest whole state of each network, and the folder for the ones to come.
    pub(crate) fn states(
        self,
        settings: &Settings,
        members: usize,
    ) -> Result<(Folder, Vec<Option<State<f32>>>)> {
        let Self { folder, lock, .. } = self;
        let mut states: Vec<Option<State<f32>>> = (0..members).map(|_| None).collect();
        let mut files = named(&folder).map_err(|error| unreadable(&folder, &error.to_string()))?;
        files.sort_by_key(|file| std::cmp::Reverse(file.steps));
        for Named { member, path, .. } in files {
            let Some(state @ None) = states.get_mut(member) else { continue };
            let bytes = fs::read(&path).map_err(|error| pullback::Error::io(&path, error));
            match bytes.and_then(|bytes| State::from_bytes(&bytes)) {
                Ok(read) => *state = Some(read),
                Err(error) => {
                    warn(format_args!("{}: {error}; what was kept before it is taken", path.display()));
                }
            }
        }
        Ok((Folder::new(folder, settings, &states, lock)?, states))
    }
}

/// The folder of a run, to keep states in.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    every: Interval,
    keep: usize,
    /// The last state of each network that was kept, or tried to be.
    last: Vec<Mutex<Last>>,
    _lock: File,
}

/// When a state was kept.
#[derive(Debug)]
struct Last {
    epochs: usize,
    steps: usize,
    at: Instant,
    /// Whether it could not be written, and that was said.
    has_failed: bool,
}

impl Folder {
    /// Refuses a folder that holds a run already, or that is none.
    pub(crate) fn check(path: &Path) -> Result<()> {
        let found = match named(path) {
            Ok(found) => !found.is_empty() || path.join(RUN).exists(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(Failure::unwritable(path, &error)),
        };
        if found {
            return Err(Failure::usage(
                format!("{} holds a run already", path.display()),
                format!(
                    "go on with `pullback train --resume {}`, or give another folder",
                    typed(path.display())
                ),
            ));
        }
        Ok(())
    }

    /// Begins a run in a folder of its own.
    pub(crate) fn begin(path: &Path, told: &Settings, job: &Decided) -> Result<Self> {
        let (data, test) = fingerprints(job)?;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let run = Run { format: FORMAT, version, settings: told.clone(), data, test };
        let json = serde_json::to_vec_pretty(&run).map_err(|error| {
            Failure::usage(format!("the settings make no JSON: {error}"), "change the setting that is named")
        })?;
        let unwritable = |error: io::Error| Failure::unwritable(path, &error);
        fs::create_dir_all(path).map_err(unwritable)?;
        files::write(&path.join(RUN), &json).map_err(unwritable)?;
        let states: Vec<Option<State<f32>>> = job.members().iter().map(|_| None).collect();
        Self::new(path.to_owned(), told, &states, locked(&path.join(RUN))?)
    }

    fn new(path: PathBuf, settings: &Settings, states: &[Option<State<f32>>], lock: File) -> Result<Self> {
        let keep = settings.checkpoint_keep.unwrap_or(KEEP);
        if keep == 0 {
            return Err(Failure::usage(
                "`--checkpoint-keep` is 0, so that nothing could go on",
                "give at least 1",
            ));
        }
        let last = states.iter().map(|state| {
            let (epochs, steps) = state.as_ref().map_or((0, 0), |state| (state.epoch(), state.steps()));
            Mutex::new(Last { epochs, steps, at: Instant::now(), has_failed: false })
        });
        let every = settings.checkpoint_every.unwrap_or(EVERY);
        Ok(Self { path, every, keep, last: last.collect(), _lock: lock })
    }

    /// The command by which the run goes on.
    pub(crate) fn command(&self) -> String {
        format!("pullback train --resume {}", typed(self.path.display()))
    }

    fn last(&self, member: usize) -> MutexGuard<'_, Last> {
        self.last[member].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a state and removes those that are too old.
    fn write(&self, member: usize, state: &State<f32>) -> Result<(), String> {
        let bytes = state.to_bytes().map_err(|error| error.one_line())?;
        let name = format!("{PREFIX}{}-{:012}{SUFFIX}", member + 1, state.steps());
        files::write(&self.path.join(name), &bytes).map_err(|error| error.to_string())?;
        // A later one could not be read, or this would have gone on from there: it does not count.
        let is_own = |file: &Named| file.member == member && file.steps <= state.steps();
        let mut own: Vec<Named> = named(&self.path).unwrap_or_default().into_iter().filter(is_own).collect();
        own.sort_by_key(|file| std::cmp::Reverse(file.steps));
        for Named { path, .. } in own.into_iter().skip(self.keep) {
            // What cannot be removed is in nobody's way.
            let _ = fs::remove_file(path);
        }
        Ok(())
    }
}

impl Keeper for Folder {
    fn is_due(&self, member: usize, epochs: usize, steps: usize) -> bool {
        let last = self.last(member);
        match self.every {
            Interval::Epochs(every) => epochs - last.epochs >= every,
            Interval::Steps(every) => steps - last.steps >= every,
            Interval::Seconds(every) => last.at.elapsed() >= Duration::from_secs(every),
        }
    }

    fn keep(&self, member: usize, state: &State<f32>) {
        let written = self.write(member, state);
        let mut last = self.last(member);
        if let (Err(what), false) = (&written, last.has_failed) {
            warn(format_args!(
                "no checkpoint can be written in {}: {what}; training goes on, and the next one is tried",
                self.path.display()
            ));
        }
        let (epochs, steps) = (state.epoch(), state.steps());
        *last = Last { epochs, steps, at: Instant::now(), has_failed: written.is_err() };
    }
}

/// A file with a state.
struct Named {
    member: usize,
    steps: usize,
    path: PathBuf,
}

/// The files with states in a folder.
fn named(folder: &Path) -> io::Result<Vec<Named>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let numbers = name.and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split_once('-'));
        let numbers = numbers.and_then(|(member, steps)| {
            Some((member.parse::<usize>().ok()?.checked_sub(1)?, steps.parse().ok()?))
        });
        if let Some((member, steps)) = numbers {
            files.push(Named { member, steps, path });
        }
    }
    Ok(files)
}

/// The lock by which one process trains in a folder. A system without locks does without.
fn locked(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(|error| unreadable(path, &error.to_string()))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Failure::new(
            format!("another process is training in {}", path.parent().unwrap_or(path).display()),
            "wait until it has ended, or end it",
        )),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

fn fingerprints(job: &Decided) -> Result<(Fingerprint, Option<Fingerprint>)> {
    let test = match &job.rows().test {
        TestRows::Apart(table) => Some(Fingerprint::of(table, 0)?),
        TestRows::HeldOut(_) | TestRows::Training => None,
    };
    Ok((Fingerprint::of(job.table(), 0)?, test))
}

fn unreadable(path: &Path, why: &str) -> Failure {
    Failure::new(
        format!("{} cannot be read: {why}", path.display()),
        "update pullback, or begin the run again in another folder",
    )
}
