//! What every front end runs: from tables to a trained and measured model. A [`Job`] has settings and tables;
//! [`Job::decide`] decides from the data what the settings leave open; [`Decided::run`] trains, measures and looks
//! for what stood in the way.
//!
//! It reads no file, prints nothing and knows no flag: a command, a Python package and a page give it tables and an
//! observer, and show what comes back.
//!
//! ```
//! use pullback::data::builtin;
//! use pullback::job::{Job, Settings};
//! use pullback::train::Silent;
//!
//! let mut settings = Settings::default();
//! settings.set("epochs", "20")?;
//! let decided = Job::new(settings, builtin::load("iris", 0)?).decide()?;
//! assert_eq!(decided.rows().training.len(), 120);
//! let fitted = decided.run(&Default::default(), &mut Silent)?;
//! assert_eq!(fitted.tested.rows(), 30);
//! let bytes = fitted.model.to_bytes()?; // a model file
//! # assert!(bytes.len() > 1000);
//! # Ok::<(), pullback::Error>(())
//! ```

mod baseline;
mod begin;
mod calibrate;
mod candidates;
mod checkpoints;
mod cross_validation;
mod decide;
mod diverged;
mod embeddings;
mod findings;
mod given;
mod images;
mod initial;
mod measure;
mod members;
pub mod memory;
mod reading;
mod reasons;
mod rows;
mod rules;
mod settings;
mod stored;
mod watch;
mod weights;

pub use calibrate::Calibration;
pub use candidates::{Candidate, Candidates};
pub use checkpoints::{Checkpoints, Interval, Keeper, Time};
pub use cross_validation::{CrossValidated, CrossValidation};
pub use embeddings::Embeddings;
pub use findings::Finding;
pub use given::checked_threads;
pub use measure::measure;
pub use reasons::Reason;
pub use rows::{Rows, TestRows};
pub use settings::{Form, Hidden, Names, NetworkTable, Setting, Settings};
pub use watch::{EpochFigures, Trouble, Watch};

use crate::data::{Concern, Dataset, Imputation, Preprocessing, Scaling, Store, Table, concerns};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Fingerprint, Model, Partition, Prediction, Run, Test};
use crate::network::Network;
use crate::report::Report;
use crate::train::{Batch, History, Machine, Observer, RateRange, RateTest, Stop, Training, test_rates};
use begin::Begin;
use diverged::Lost;
use initial::Initial;
use reasons::Facts;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::num::NonZeroU32;
use std::sync::Arc;

/// Rows to train on, and rows to test on if the source sets some apart.
#[derive(Debug, Clone)]
pub struct Tables {
    /// All rows, or those to train on.
    pub train: Table,
    /// The rows to test on.
    pub test: Option<Table>,
    /// The rows to watch training by.
    pub validation: Option<Table>,
}

impl From<Table> for Tables {
    fn from(train: Table) -> Self {
        Self { train, test: None, validation: None }
    }
}

/// Settings and the data that they are for.
#[derive(Debug, Clone)]
pub struct Job {
    settings: Settings,
    tables: Tables,
    begin: Option<(Model<f32>, String)>,
    initial: Option<Initial>,
}

/// A job with nothing left open.
#[derive(Debug, Clone)]
pub struct Decided {
    settings: Settings,
    reasons: Vec<Reason>,
    preprocessing: Preprocessing,
    members: Vec<Member>,
    /// What further candidates have instead of the members' networks and training.
    drawn: Vec<candidates::Drawn>,
    rows: Rows,
    table: Table,
    begin: Option<Begin>,
    class_weights: Option<Vec<f64>>,
    is_compared: bool,
    /// Where the numbers that are trained on go, if memory does not hold them.
    store: Option<Arc<dyn Store>>,
}

/// One of the networks that a job trains.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The network.
    pub network: Network,
    /// The configuration of its training run.
    pub training: Training,
    /// The parameters that it begins with; without them, those that the seed draws.
    pub start: Option<Vec<Vec<f32>>>,
}

/// What a job made.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The model.
    pub model: Model<f32>,
    /// How each of its networks came about, all epochs of it: a model keeps those of a long run in part.
    pub histories: Vec<History>,
    /// The rows that it was tested on.
    pub tested: Table,
    /// What it predicts for them.
    pub prediction: Prediction,
    /// What the linear model predicts for them that a [compared](Decided::compared) job's report is beside.
    pub linear: Option<Prediction>,
    /// How good it is on them.
    pub report: Report,
    /// How good an ensemble's networks are on rows that each was not trained on; the rows that no network watched are
    /// not counted.
    pub out_of_fold: Option<Report>,
    /// What became of the candidates that the networks were chosen from.
    pub candidates: Option<Candidates>,
    /// How its probabilities were calibrated, where that was asked for.
    pub calibration: Option<Calibration>,
    /// What stood in the way of training.
    pub findings: Vec<Finding>,
    /// Why the run ended before its time, if it did so by itself: the cost stopped being a finite number. The model is
    /// that of the last epoch before, or of the best one.
    pub trouble: Option<Error>,
}

impl Job {
    /// A job for a table, or for tables to train and to test on.
    pub fn new(settings: Settings, tables: impl Into<Tables>) -> Self {
        let tables = tables.into();
        Self { settings: settings.with_names_of(&tables.train), tables, begin: None, initial: None }
    }

    /// The same job, whose networks begin with the weights of a model, called so. It keeps the model's inputs and
    /// networks; `new_head` among the settings gives them a new last layer, for other classes.
    ///
    /// ```
    /// use pullback::data::builtin;
    /// use pullback::job::{Job, Settings};
    /// use pullback::train::Silent;
    ///
    /// let (iris, machine) = (builtin::load("iris", 0)?, Default::default());
    /// let model = Job::new(Settings::default(), iris.clone()).decide()?.run(&machine, &mut Silent)?.model;
    /// let mut settings = Settings::default();
    /// settings.set("epochs", "3")?;
    /// settings.set("learning_rate", "1e-4")?;
    /// let tuned = Job::new(settings, iris).from_model(model, "iris").decide()?.run(&machine, &mut Silent)?;
    /// let began = tuned.model.run().and_then(|run| run.began.as_ref()).unwrap();
    /// assert_eq!(began.model, "iris");
    /// assert!(tuned.model.run().unwrap().history.epochs[0].cost < 0.2);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    #[must_use]
    pub fn from_model(self, model: Model<f32>, name: impl Into<String>) -> Self {
        Self { begin: Some((model, name.into())), ..self }
    }

    /// The same job, whose networks begin with given numbers, called so: those of a worked example, for instance. Unless
    /// the settings say layers, they are the given network's; inputs are prepared anew.
    #[must_use]
    pub fn starting_with(self, network: Network, parameters: &[Vec<f64>], name: impl Into<String>) -> Self {
        let single = |numbers: &Vec<f64>| numbers.iter().map(|number| *number as f32).collect();
        let parameters = parameters.iter().map(single).collect();
        Self { initial: Some(Initial { network, parameters, name: name.into() }), ..self }
    }

    /// Decides what the settings leave open.
    ///
    /// # Errors
    /// If settings contradict each other or the data: a column that is not there, a cost that does not fit the
    /// target, rows that cannot be held out.
    pub fn decide(self) -> Result<Decided> {
        self.decided(None)
    }

    /// The same, with the rows that a cross-validation tests on, if it is one.
    fn decided(self, fold: Option<Vec<usize>>) -> Result<Decided> {
        let Self { mut settings, tables, begin, initial } = self;
        if initial.is_some() {
            settings = Initial::settings(settings);
        }
        let begin = begin.map(|(model, name)| Begin::new(model, name, &settings));
        if let Some(begin) = &begin {
            settings = begin.settings(settings)?;
        }
        let mut options = settings.data_options()?;
        let table = &tables.train;
        if options.target.is_empty() && table.target().is_none() {
            return Err(no_target(table));
        }
        for name in options
            .target
            .iter()
            .chain(&options.ignore)
            .chain(options.types.keys())
            .chain(&options.weights)
            .chain(&settings.group)
            .chain(&settings.time_order)
        {
            table.column(name).map_err(|error| error.of_kind(ErrorKind::Configuration))?;
        }
        // What rows belong to tells nothing of other groups.
        options.ignore.extend(settings.group.clone());
        let members = settings.members(table)?;
        let is_fast = settings.is_fast(table, members);
        if !is_fast {
            options.scaling = settings.scaling.unwrap_or(Scaling::Adaptive);
            options.imputation = settings.imputation.unwrap_or(Imputation::Median);
        }
        let held_out = begin.as_ref().map(|begin| begin.held_out(table, &settings)).transpose()?.flatten();
        let held_out = fold.or(held_out);
        let rows =
            Rows::choose(&settings, &options, (tables.test, tables.validation, held_out), (table, members))?;
        let (trained, watched) = rows.of_member(0);
        let trained = trained.len();
        let watched = rows.watched.as_ref().map_or(watched.len(), |table| table.rows());
        let (preprocessing, pieces) = match &begin {
            Some(begin) => {
                let preprocessing = begin.preprocessing(table, &rows.training, &options)?;
                (preprocessing, settings.pieces.unwrap_or(0))
            }
            None => {
                let preprocessing = Preprocessing::fit(table, &rows.training, &options)?;
                let pieces = settings.pieces(is_fast, &preprocessing, trained)?;
                (preprocessing.with_pieces(table, &rows.training, pieces)?, pieces)
            }
        };
        let training = settings.training(is_fast, &preprocessing, trained, watched)?;
        training.check::<f32>()?;
        let class_weights = match &settings.class_weights.0[..] {
            [] => None,
            given => {
                let targets = preprocessing.target().apply::<f32>(table)?;
                let weights = preprocessing.row_weights(table)?;
                weights::of_classes(given, &preprocessing, (&targets, weights.as_deref()), &rows.training)?
            }
        };
        // What is wrong with weights is better known before training.
        if let (Some(weights), Some(name)) = (preprocessing.row_weights(table)?, preprocessing.weights()) {
            rows.check_weights(&weights, name)?;
        }
        if let TestRows::Apart(other) = &rows.test {
            preprocessing.row_weights(other)?;
        }
        let wanted = |settings: &Settings| settings.network(is_fast, &preprocessing, trained);
        let networks: Vec<(Network, Option<Vec<Vec<f32>>>)> = match &begin {
            None if initial.is_some() => {
                let initial = initial.as_ref().expect("it was asked just now");
                let (network, start) = initial.network(&settings, wanted(&settings)?)?;
                vec![(network, Some(start)); members]
            }
            None => vec![(wanted(&settings)?, None); members],
            Some(begin) => {
                let target = preprocessing.target().target();
                let networks = begin.networks(&settings, wanted, (target, training.seed))?;
                networks.into_iter().map(|(network, start)| (network, Some(start))).collect()
            }
        };
        for table in [table].into_iter().chain(rows.watched.as_deref()) {
            Settings::check_targets(networks[0].0.cost, preprocessing.target(), table)?;
        }
        let has_none =
            rows.watched.is_none() && (0..members).any(|member| rows.of_member(member).1.is_empty());
        settings.check_candidates(has_none)?;
        let drawn = (1..settings.candidate_count()?)
            .map(|number| {
                let decided = (&networks[0].0, &training);
                settings.drawn(number, is_fast, &preprocessing, (trained, watched), decided)
            })
            .collect::<Result<_>>()?;
        let fractions =
            [rows.test_fraction, Some(rows.validation_fraction).filter(|_| rows.watched.is_none())];
        let filters = settings.filters(&preprocessing)?;
        let reasons = Facts {
            given: &settings,
            table,
            preprocessing: &preprocessing,
            case: settings.case(is_fast, &preprocessing, trained)?,
            members,
            pieces,
            network: &networks[0].0,
            training: &training,
        }
        .reasons()?;
        let settings =
            settings.decided(&networks[0].0, &training, fractions, (&options, pieces, members), filters);
        let members = networks.into_iter().enumerate().map(|(index, (network, start))| Member {
            network,
            training: Training { seed: seed_of(training.seed, index), ..training.clone() },
            start,
        });
        let members = members.collect();
        let table = tables.train;
        let store = table.store().cloned();
        let decided = Decided {
            settings,
            reasons,
            preprocessing,
            members,
            drawn,
            rows,
            table,
            begin,
            class_weights,
            is_compared: false,
            store,
        };
        if decided.settings.calibrate == Some(true) {
            calibrate::check(&decided)?;
        }
        Ok(decided)
    }
}

/// The seed of a network: the first one's is the job's.
fn seed_of(seed: u64, member: usize) -> u64 {
    match member {
        0 => seed,
        // Far from the seeds that people give.
        _ => seed.wrapping_mul(1000).wrapping_add(1_000_000 + member as u64),
    }
}

impl Decided {
    /// Why what was left open was decided so.
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// The settings with nothing left open: a job with them is the same job.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How columns become numbers, by the training rows.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// The network; of an ensemble, the first.
    pub fn network(&self) -> &Network {
        &self.members[0].network
    }

    /// The configuration of the training run; of an ensemble, the first network's.
    pub fn training(&self) -> &Training {
        &self.members[0].training
    }

    /// All networks that are to be trained: one, or those of an ensemble.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Which rows are for what.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The table that the rows are of.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// How much each class counts, in the order of the target's classes, where they do not count alike.
    pub fn class_weights(&self) -> Option<&[f64]> {
        self.class_weights.as_deref()
    }

    /// What is doubtful about the data.
    ///
    /// # Errors
    /// If a column cannot be read.
    pub fn concerns(&self) -> Result<Vec<Concern>> {
        let every: Vec<usize>;
        let tested = match &self.rows.test {
            TestRows::HeldOut(rows) => Some((&self.table, rows.as_slice())),
            TestRows::Apart(table) => {
                every = (0..table.rows()).collect();
                Some((table.as_ref(), every.as_slice()))
            }
            TestRows::Training => None,
        };
        concerns(&self.preprocessing, &self.table, &self.rows.training, tested)
    }

    /// The same job, whose report is beside that of a linear model of the same inputs. Training that takes a thousand
    /// steps of a network without hidden layers.
    #[must_use]
    pub fn compared(self) -> Self {
        Self { is_compared: true, ..self }
    }

    /// The same job, which keeps the numbers that it trains on in a store; to a job of a table in a store that is
    /// nothing new. No bit of the result depends on it.
    #[must_use]
    pub fn with_store(self, store: Arc<dyn Store>) -> Self {
        Self { store: self.store.or(Some(store)), ..self }
    }

    /// How many bytes the numbers that are trained on take: of memory, or of a store.
    pub fn feature_bytes(&self) -> f64 {
        self.preprocessing.feature_bytes::<f32>(self.table.rows())
    }

    /// Refuses a job for which there is no memory: running out of it would end the process.
    ///
    /// # Errors
    /// If it needs more than `free` bytes.
    pub fn check_memory(&self, machine: &Machine, free: Option<u64>) -> Result<()> {
        let rows = self.rows.training.len();
        let batch = match self.training().batch {
            Batch::Of(examples) => examples.min(rows),
            Batch::Full => rows,
        };
        let feature_bytes = match &self.store {
            None => self.feature_bytes(),
            Some(store) => {
                // Each network that is trained has the order of its rows.
                let bytes =
                    memory::BYTES_PER_TRAINED_ROW + (self.members.len() - 1) * memory::BYTES_PER_MEMBER_ROW;
                let all = self.table.rows() as f64;
                let buffer = self.feature_bytes().min(store.buffer_bytes() as f64);
                let tested = match &self.rows.test {
                    TestRows::HeldOut(rows) => rows.len(),
                    TestRows::Apart(table) => table.rows(),
                    TestRows::Training => rows,
                };
                let predicted =
                    (tested * self.network().outputs() * memory::BYTES_PER_PREDICTED_NUMBER) as f64;
                // Preparing ends before training begins.
                let prepared = all * memory::BYTES_PER_STORED_ROW as f64;
                prepared.max(buffer + all * bytes as f64) + predicted
            }
        };
        let zeros = match self.network().begins_dense() && self.training().precision.is_full() {
            true => self.preprocessing.zeros::<f32>(),
            false => 0,
        };
        let networks = self.members.len();
        let side_by_side = members::side_by_side(networks, machine);
        let numbers_per_weight = self.training().numbers_per_weight();
        let work =
            memory::Work::Training { feature_bytes, zeros, networks, side_by_side, numbers_per_weight };
        memory::check(self.network(), batch, work, free)
    }

    /// Tests learning rates: trains the first network for a few steps, with rates that grow from step to step.
    ///
    /// ```
    /// use pullback::data::builtin;
    /// use pullback::job::{Job, Settings};
    ///
    /// let job = Job::new(Settings::default(), builtin::load("iris", 0)?).decide()?;
    /// let found = job.test_rates(&Default::default(), &Default::default())?;
    /// assert!((1e-4..1.0).contains(&found.steepest.unwrap()));
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`test_rates`].
    pub fn test_rates(&self, machine: &Machine, range: &RateRange) -> Result<RateTest> {
        let dataset = self.dataset()?;
        let (Member { network, training, .. }, (rows, _)) = (&self.members[0], self.rows.of_member(0));
        test_rates(network, training, &dataset, rows, *range, machine)
    }

    /// The table as numbers to train on, with the weights of its classes.
    fn dataset(&self) -> Result<Dataset<f32>> {
        let dataset: Dataset<f32> = self.preprocessing.apply_in(&self.table, self.store.as_ref())?;
        match &self.class_weights {
            Some(classes) => weights::times_classes(dataset, classes),
            None => Ok(dataset),
        }
    }

    /// Trains and measures. A run that an observer stops has the weights that it has come to, and so has one whose cost
    /// stops being a finite number, with its [trouble](Fitted::trouble).
    ///
    /// # Errors
    /// If rows to test on do not fit, or the cost is not a finite number in the first epoch of any network.
    pub fn run(&self, machine: &Machine, observer: &mut dyn Observer) -> Result<Fitted> {
        self.resume(machine, observer, &Checkpoints::default())
    }

    /// The same from what a run of the same job has come to, with the same bits as that of a run which nothing ended;
    /// and states are handed on for the next time.
    ///
    /// ```
    /// use pullback::data::builtin;
    /// use pullback::job::{Checkpoints, Job, Keeper, Settings};
    /// use pullback::train::{Silent, State};
    /// use std::sync::Mutex;
    ///
    /// /// Keeps the state after 3 epochs.
    /// struct Third(Mutex<Vec<u8>>);
    /// impl Keeper for Third {
    ///     fn is_due(&self, _member: usize, epochs: usize, _steps: usize) -> bool {
    ///         epochs == 3
    ///     }
    ///     fn keep(&self, _member: usize, state: &State<f32>) {
    ///         if state.epoch() == 3 && state.step() == 0 {
    ///             *self.0.lock().unwrap() = state.to_bytes().unwrap();
    ///         }
    ///     }
    /// }
    /// let mut settings = Settings::default();
    /// settings.set("epochs", "5")?;
    /// let (job, third) = (Job::new(settings, builtin::load("iris", 0)?).decide()?, Third(Mutex::default()));
    /// let machine = Default::default();
    /// let checkpoints = Checkpoints { keeper: Some(&third), ..Checkpoints::default() };
    /// let whole = job.resume(&machine, &mut Silent, &checkpoints)?;
    ///
    /// let state = State::from_bytes(&third.0.lock().unwrap())?;
    /// let checkpoints = Checkpoints { states: vec![Some(state)], ..Checkpoints::default() };
    /// let resumed = job.resume(&machine, &mut Silent, &checkpoints)?;
    /// assert_eq!(resumed.model.to_bytes()?, whole.model.to_bytes()?);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run), or if a state is of another run.
    pub fn resume(
        &self,
        machine: &Machine,
        observer: &mut dyn Observer,
        checkpoints: &Checkpoints<'_>,
    ) -> Result<Fitted> {
        let Self { settings, preprocessing, rows, table, is_compared, .. } = self;
        let dataset = self.dataset()?;
        let watched = rows.watched.as_ref().map(|table| {
            let watched: Dataset<f32> = preprocessing.apply(table)?;
            match &self.class_weights {
                Some(classes) => weights::times_classes(watched, classes),
                None => Ok(watched),
            }
        });
        let watched = watched.transpose()?;
        if let TestRows::Apart(table) = &rows.test {
            // What is wrong with them is better known before training.
            preprocessing.each_block::<f32>(table, |_| Ok(()))?;
            preprocessing.target().apply::<f32>(table)?;
        }
        let tested = rows.tested(table)?.into_owned();
        let (mut trouble, mut is_interrupted) = (None, false);
        let test = match &rows.test {
            TestRows::HeldOut(rows) => Test::HeldOut(rows.clone()),
            TestRows::Training => Test::Training,
            TestRows::Apart(table) => Test::Apart(Fingerprint::of(table, 0)?),
        };
        let data = Fingerprint::of(table, rows.training.len())?;
        let (mut models, mut histories) = (Vec::new(), Vec::new());
        let (results, candidates) =
            candidates::train(self, (&dataset, watched.as_ref()), machine, observer, checkpoints)?;
        // As many candidates make the same model again, without a clock.
        let count = candidates.as_ref().map(|found| found.candidates.len());
        let settings = Settings { candidates: count.or(settings.candidates), ..settings.clone() };
        let configuration = settings.to_json()?;
        let has_learned = |history: &History| history.kept_epoch.is_some();
        let lost = match results.iter().any(|found| has_learned(&found.trained.history)) {
            true => Lost::One,
            false => Lost::All,
        };
        for found in results {
            let candidates::Found { member: Member { network, training, .. }, place: index, trained, times } =
                found;
            if trouble.is_none() {
                trouble = diverged::trouble(&trained.history, lost, self)?;
            }
            is_interrupted |= trained.history.stop == Stop::Observer;
            if !has_learned(&trained.history) {
                continue;
            }
            let validation = rows.of_member(index).1;
            let partition = Partition::new(table.rows(), validation.to_vec(), test.clone())?;
            let began_with = self.begin.as_ref().map_or(NonZeroU32::MIN, |begin| begin.times(index));
            histories.push(trained.history.clone());
            let model = Model::new(network, trained.parameters)?.with_times(times.saturating_mul(began_with));
            models.push(model.with_run(Run {
                training,
                history: trained.history,
                data: Some(Fingerprint { trained_rows: partition.trained_rows(), ..data.clone() }),
                rows: Some(partition),
                configuration: configuration.clone(),
                began: self.begin.as_ref().and_then(|begin| begin.began(index)),
            })?);
        }
        if lost == Lost::All
            && let Some(trouble) = trouble
        {
            return Err(trouble);
        }
        let model = Model::ensemble(models)?.with_preprocessing(preprocessing.clone())?;
        let (model, calibration) = match settings.calibrate {
            Some(true) => {
                let (model, calibration) = calibrate::calibrate(self, model, machine)?;
                (model, Some(calibration))
            }
            _ => (model, None),
        };
        let out_of_fold = match model.member_count() {
            1 => None,
            _ => out_of_fold(&model, table, machine)?,
        };
        let prediction = model.predict(&tested, machine)?;
        if trouble.is_none() && !prediction.numbers.iter().all(|number| number.is_finite()) {
            trouble = Some(diverged::of_tested(self)?);
        }
        let mut report = measure(&model, &prediction, &tested)?;
        if rows.is_tested_on_training_rows() {
            report = report.without_intervals();
        }
        let mut linear = None;
        // Who stops a run does not wait for another.
        if *is_compared
            && !is_interrupted
            && let Some((predicted, found)) = baseline::linear(self, &dataset, &model, &tested, machine)?
        {
            report = report.beside_linear(&found, Some(self.network().cost));
            linear = Some(predicted);
        }
        let findings = findings::find(&model, table, &rows.training)?;
        Ok(Fitted {
            model,
            histories,
            tested,
            prediction,
            linear,
            report,
            out_of_fold,
            candidates,
            calibration,
            findings,
            trouble,
        })
    }
}

/// How good an ensemble's networks are on the rows that each watched, where it was not trained on them; [`None`] where
/// one watched none.
fn out_of_fold(model: &Model<f32>, table: &Table, machine: &Machine) -> Result<Option<Report>> {
    let mut sums: BTreeMap<usize, (Vec<f64>, f64)> = BTreeMap::new();
    for own in (0..model.member_count()).filter_map(|index| model.member(index)) {
        let watched = own.run().and_then(|run| run.rows.as_ref()).map_or(&[][..], Partition::validation);
        if watched.is_empty() {
            return Ok(None);
        }
        let Prediction { numbers, outputs, .. } = own.predict(&table.select(watched)?, machine)?;
        let times = own.times() as f64;
        for (&row, numbers) in watched.iter().zip(numbers.chunks_exact(outputs)) {
            let (sum, count) = sums.entry(row).or_insert_with(|| (vec![0.0; outputs], 0.0));
            sum.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += times * number);
            *count += times;
        }
    }
    let rows: Vec<usize> = sums.keys().copied().collect();
    let numbers = sums.values().flat_map(|(sum, count)| sum.iter().map(move |sum| sum / count)).collect();
    measure(model, &model.read(numbers, Vec::new()), &table.select(&rows)?).map(Some)
}

fn no_target(table: &Table) -> Error {
    let names: Vec<&str> = table.names().collect();
    let shown = names[..names.len().min(10)].join(", ");
    let more = if names.len() > 10 { format!(" and {} more", names.len() - 10) } else { String::new() };
    let is_plain = |name: &&&str| name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
    let example = match names.last().filter(is_plain) {
        Some(name) => format!(", for example `--target {name}`"),
        None => " with `--target`".to_owned(),
    };
    configuration(
        format!("{} does not say which column to predict", table.source()),
        format!("name it{example}; the columns are {shown}{more}"),
    )
}

/// A setting of an optimizer that is a number, by its name, if the optimizer has it.
fn setting_of(optimizer: &crate::train::Optimizer, name: &str) -> Option<f64> {
    serde_json::to_value(optimizer).ok()?.get(name)?.as_f64()
}

fn configuration(what: impl Display, help: impl Display) -> Error {
    Error::configuration(what.to_string()).help(help.to_string())
}
