//! Cross-validation: the rows are cut into folds, and each fold is predicted by a model that the same job makes of the
//! other rows. What is decided from data is decided for each fold anew, from its training rows.
//!
//! Folds are drawn as rows to test on are: in proportion of each class, or of whole groups. A class's only row is in
//! no fold, because a model that has never seen a class cannot predict it. With rows in the order of time there are no
//! folds: all but the last would be predicted from what comes later. Rows that the source sets apart to test on are
//! not touched.

use super::begin::Begin;
use super::measure::Aim;
use super::rows::Way;
use super::{Candidates, Decided, Fitted, Job, Tables, configuration};
use crate::data::{Preprocessing, Table, strata};
use crate::error::{Error, ErrorKind, Place, Result};
use crate::model::Prediction;
use crate::network::Cost;
use crate::random::{Purpose, Random};
use crate::report::{Folds, Report};
use crate::train::{Machine, Observer};
use std::collections::BTreeMap;

/// The folds where nothing is said.
const FOLDS: usize = 5;
/// The address of the draw of folds, apart from those of all other splits.
const DRAW: u32 = u32::MAX;

/// A job that is carried out once a fold: [`decide`](Self::decide) gives each fold's job, [`add`](Self::add) takes what
/// it made, [`finish`](Self::finish) measures. [`Job::cross_validate`] does all of it.
#[derive(Debug, Clone)]
pub struct CrossValidation {
    job: Job,
    folds: Vec<Vec<usize>>,
    done: Vec<Option<Done>>,
    /// How predictions become classes or numbers, and what the models are made for: of the last fold.
    last: Option<(Preprocessing, Aim, Cost)>,
}

/// What one fold made.
#[derive(Debug, Clone)]
struct Done {
    report: Report,
    prediction: Prediction,
    linear: Option<Prediction>,
    candidates: Option<Candidates>,
}

/// What a cross-validation made.
#[derive(Debug, Clone)]
pub struct CrossValidated {
    /// How good the predictions are, fold by fold and together.
    pub report: Folds,
    /// The fold of each row of the table, counted from 0; [`None`] for a row that was trained on in every fold.
    pub fold_of: Vec<Option<usize>>,
    /// What is predicted for the rows that have a fold, in their order, each by the model of the other folds.
    pub prediction: Prediction,
    /// What became of the candidates of each fold, where networks were chosen from some.
    pub candidates: Vec<Candidates>,
    /// How predictions become classes or numbers: of the last fold.
    pub preprocessing: Preprocessing,
}

impl Job {
    /// Measures the job by cross-validation, with as many folds as its settings say (`cv`), or 5. No model is left:
    /// each is only for its fold.
    ///
    /// ```
    /// use pullback::data::builtin;
    /// use pullback::job::{Job, Settings};
    /// use pullback::train::{Metric, Silent};
    ///
    /// let mut settings = Settings::default();
    /// settings.set("cv", "3")?;
    /// settings.set("epochs", "20")?;
    /// let found = Job::new(settings, builtin::load("iris", 0)?).cross_validate(&Default::default(), &mut Silent)?;
    /// assert_eq!(found.report.folds.len(), 3);
    /// assert_eq!(found.prediction.numbers.len(), 150 * 3);
    /// assert!(found.report.summary[0].mean.get(Metric::Accuracy).unwrap() > 0.9);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`cross_validation`](Self::cross_validation), [`decide`](Self::decide) and [`Decided::run`], or if the cost
    /// stops being a finite number in a fold.
    pub fn cross_validate(self, machine: &Machine, observer: &mut dyn Observer) -> Result<CrossValidated> {
        let mut folds = self.cross_validation()?;
        for fold in 0..folds.count() {
            let fitted = folds.decide(fold)?.run(machine, observer)?;
            folds.add(fold, fitted)?;
        }
        folds.finish()
    }

    /// Cuts the rows into folds.
    ///
    /// # Errors
    /// If there are too few rows or groups, or a class is in one group only; if the settings say otherwise what to test
    /// on, order rows in time, or name a model or checkpoints to be written; or if the job begins with a model of the
    /// same rows, to which none would be new.
    pub fn cross_validation(self) -> Result<CrossValidation> {
        let Self { settings, tables: Tables { train: table, validation, .. }, begin, initial } = self;
        let count = settings.cv.unwrap_or(FOLDS);
        if count < 2 {
            return Err(configuration(
                format!("cross-validation needs at least 2 folds, not {count}"),
                "for example `--cv 5`",
            ));
        }
        let others = [
            (settings.test.is_some(), "test", "each row is tested on once"),
            (settings.test_data.is_some(), "test-data", "each row is tested on once"),
            (settings.checkpoint.is_some(), "checkpoint", "checkpoints are of one run"),
            (
                settings.time.is_some(),
                "time",
                "a clock would make each fold another one; `--candidates` would not",
            ),
            (settings.out.is_some(), "out", "the models of the folds are not saved"),
        ];
        if let Some((_, flag, why)) = others.iter().find(|(is_given, _, _)| *is_given) {
            return Err(configuration(
                format!("`--{flag}` is given beside `--cv`, but {why}"),
                match *flag {
                    "out" => {
                        "leave out `--out`; without `--cv`, `--test 0` trains a model of all rows".to_owned()
                    }
                    flag => format!("leave out `--{flag}`"),
                },
            ));
        }
        if let Some(column) = &settings.time_order {
            return Err(configuration(
                format!(
                    "folds of rows in the order of \"{column}\" would be predicted from what comes later"
                ),
                "leave out `--cv`: with `--time-order` the last rows are held out",
            ));
        }
        // What the settings leave open, a model to begin with may say.
        let told = match &begin {
            None => settings.clone(),
            Some((model, name)) => {
                Begin::new(model.clone(), name.clone(), &settings).settings(settings.clone())?
            }
        };
        let options = told.data_options()?;
        if options.target.is_empty() && table.target().is_none() {
            return Err(super::no_target(&table));
        }
        for name in options.target.iter().chain(&settings.group) {
            table.column(name).map_err(|error| error.of_kind(ErrorKind::Configuration))?;
        }
        let way = Way::of(&told, &options, &table)?;
        let folds = way.cut(table.rows(), count, &Random::new(settings.seed(), Purpose::Split, DRAW))?;
        if let Some(empty) = folds.iter().position(Vec::is_empty) {
            return Err(configuration(
                format!("{} has too little for {count} folds: it fills {empty}", table.source()),
                match settings.group {
                    Some(_) => "give at most as many folds as there are groups",
                    None => "give fewer folds, or more rows",
                },
            ));
        }
        // Of strata, each class is in two folds, or one of its rows in none. Several targets are no classes.
        if settings.group.is_some()
            && options.target.len() < 2
            && let Some(classes) = strata(&table, &options)?
        {
            let mut fold_of = vec![0; table.rows()];
            folds
                .iter()
                .enumerate()
                .for_each(|(fold, rows)| rows.iter().for_each(|&row| fold_of[row] = fold));
            let mut seen = BTreeMap::new();
            for (row, class) in classes.iter().enumerate() {
                let (first, is_alone) = seen.entry(class).or_insert((row, true));
                *is_alone &= fold_of[row] == fold_of[*first];
            }
            if let Some((row, _)) = seen.values().find(|(_, is_alone)| *is_alone) {
                return Err(Error::data(
                    "no other fold has the class of this row: its groups are all in one",
                )
                .at(Place::source(table.source()).row(row + 1))
                .help("leave the class out, or leave out `--group`"));
            }
        }
        if let Some((model, name)) = &begin
            && model.trained()?.data.is_of(&table)?
        {
            return Err(configuration(
                format!(
                    "{name} was trained on rows of {}, so that no fold would be new to it",
                    table.source()
                ),
                "leave out `--from`, or give other rows",
            ));
        }
        let done = vec![None; folds.len()];
        let tables = Tables { train: table, test: None, validation };
        Ok(CrossValidation { job: Self { settings, tables, begin, initial }, folds, done, last: None })
    }
}

impl CrossValidation {
    /// The number of folds.
    pub fn count(&self) -> usize {
        self.folds.len()
    }

    /// The rows of each fold, ascending.
    pub fn folds(&self) -> &[Vec<usize>] {
        &self.folds
    }

    /// The table that the rows are of.
    pub fn table(&self) -> &Table {
        &self.job.tables.train
    }

    /// The job whose rows to test on are a fold's, counted from 0.
    ///
    /// # Errors
    /// As [`Job::decide`].
    ///
    /// # Panics
    /// If there are not so many folds.
    pub fn decide(&self, fold: usize) -> Result<Decided> {
        self.job.clone().decided(Some(self.folds[fold].clone()))
    }

    /// Keeps what the job of a fold made: its predictions and its report.
    ///
    /// # Errors
    /// If the run ended before its time, because the cost stopped being a finite number.
    ///
    /// # Panics
    /// If there are not so many folds.
    pub fn add(&mut self, fold: usize, fitted: Fitted) -> Result<()> {
        let Fitted { model, report, prediction, linear, candidates, trouble, .. } = fitted;
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        let trained = model.trained()?;
        self.last = Some((trained.preprocessing.clone(), Aim::of(&trained), trained.network.cost));
        self.done[fold] = Some(Done { report, prediction, linear, candidates });
        Ok(())
    }

    /// Measures the folds, and all their rows together.
    ///
    /// # Errors
    /// If a fold is missing.
    pub fn finish(self) -> Result<CrossValidated> {
        let Self { job, folds, done, last } = self;
        let missing = || Error::configuration("not every fold has been trained and tested");
        let (preprocessing, aim, cost) = last.ok_or_else(missing)?;
        let done: Vec<Done> = done.into_iter().collect::<Option<_>>().ok_or_else(missing)?;
        let table = &job.tables.train;
        let mut place_of = vec![None; table.rows()];
        for (fold, rows) in folds.iter().enumerate() {
            rows.iter().enumerate().for_each(|(at, &row)| place_of[row] = Some((fold, at)));
        }
        let outputs = done[0].prediction.outputs;
        let has_classes = preprocessing.target().target().classes().is_some();
        // Of each row what was predicted for it in its fold.
        let joined = |of: &[&Prediction]| {
            let places = place_of.iter().flatten();
            let numbers = places.flat_map(|(fold, at)| &of[*fold].numbers[at * outputs..][..outputs]);
            Prediction::new(numbers.copied().collect(), outputs, has_classes, Vec::new())
        };
        let prediction = joined(&done.iter().map(|done| &done.prediction).collect::<Vec<_>>());
        let rows: Vec<usize> = (0..table.rows()).filter(|&row| place_of[row].is_some()).collect();
        let rows = table.select(&rows)?;
        let mut out_of_fold = aim.report(&preprocessing, &prediction, &rows)?;
        if let Some(linear) = done.iter().map(|done| done.linear.as_ref()).collect::<Option<Vec<_>>>() {
            let linear = aim.clone().without_intervals().report(&preprocessing, &joined(&linear), &rows)?;
            out_of_fold = out_of_fold.beside_linear(&linear, Some(cost));
        }
        let candidates = done.iter().filter_map(|done| done.candidates.clone()).collect();
        let reports = done.into_iter().map(|done| done.report).collect();
        let report = Folds::new(reports, out_of_fold, preprocessing.target().names());
        let fold_of = place_of.iter().map(|place| place.map(|(fold, _)| fold)).collect();
        Ok(CrossValidated { report, fold_of, prediction, candidates, preprocessing })
    }
}
