//! What is decided from the data where settings say nothing, and the network and training that settings
//! and decisions make:
//!
//! - Test rows: those that the source sets apart, else a fifth of the rows, stratified; below 10 rows
//!   the network is tested on the rows it was trained on, and the report says so.
//!
//! - With `group`, whole groups are held out, not stratified; with `time_order`, the last rows are for the test, and
//!   those before them for validation, of each network of an ensemble the same. With a table for validation no row is
//!   held out for it.
//!
//! A table of at least 10 rows is learned by an ensemble: 8 networks below 50,000 rows, 4 below 200,000, 2 below a
//! million. Images, smaller and larger tables are learned by one network, and so is what somebody describes a network
//! or its training for (layers, activation, optimizer, rate, epochs, ...), or wants soon (`--fast`).
//!
//! For one network, which takes little time:
//! - Validation rows: a tenth of the rest, at most 2000, from 200 rows up, else none; with validation
//!   rows, training stops early when their cost has not fallen for 20 epochs.
//! - Hidden layers: 8 units below 10 rows; 32 and 32 units up to 8 inputs; 128 units from 256 inputs or
//!   1000 rows up; else 64 units. Activation: relu.
//! - Epochs: as many as make 10,000 steps, at least 10 and at most 500 (below 100 rows, 2000).
//! - Learning rate: falls along a cosine from the optimizer's conventional one; with Adam, from 0.01 below
//!   200 rows, and up to 8 inputs below 5000 rows.
//!
//! Images of some size have convolutions: `images` decides for them.
//!
//! For an ensemble of a table, what makes good models:
//! - Each network has a seed and validation rows of its own: a tenth of the rows that are not for the test, at most
//!   2000; none below 200 rows.
//! - Numbers are scaled column by column (`adaptive`), and each has inputs for 8 pieces between its quantiles, from 200
//!   rows up, if there are at most 60 columns of numbers and 8 times as many rows. Missing ones are the median.
//! - Hidden layers: 64 and 64 units below 1000 rows, 128 and 128 from there up.
//! - AdamW with a decay of 0.1 for classes, below 200 rows 1, and 0.01 for numbers. Learning rate: 0.003, from 5000
//!   rows up 0.002.
//! - Epochs: as many as make 60,000 steps, at least 60 and at most 500; training stops when the validation cost has not
//!   fallen for 30. From 50,000 rows up, as many as show 3,000,000 rows, at least 10.
//! - Below 200 rows, layers, epochs and rates are those of one network.

use super::candidates::{Draw, MOST_CANDIDATES};
use super::images;
use super::rows::FEWEST_ROWS_TO_SPLIT;
use super::settings::{Hidden, NetworkTable, Settings};
use super::{Interval, configuration};
use crate::data::{
    Column, ColumnType, DataOptions, Encoding, Feature, MOST_PIECES, Preprocessing, Table, Target,
    TargetColumn, TargetScaling,
};
use crate::error::{Error, Place, Result};
use crate::network::layers::Dense;
use crate::network::{Activation, Cost, Image, Layer, Network, Regularization, Takes};
use crate::train::{Augmentation, Batch, EarlyStopping, Optimizer, Schedule, Shape, Training, Unrecorded};
use std::collections::BTreeMap;

/// More epochs than anyone can wait for; random numbers have an address in each.
const MOST_EPOCHS: usize = 1_000_000_000;

/// More threads than any machine has processors for; the system gives only so many.
const MOST_THREADS: usize = 1024;

/// Refuses a number of threads that cannot be meant.
///
/// # Errors
/// If they are too many.
pub fn checked_threads(threads: usize) -> Result<usize> {
    if threads > MOST_THREADS {
        return Err(configuration(
            format!("{threads} threads are too many"),
            format!("give at most {MOST_THREADS}; more than the machine has processors gain nothing"),
        ));
    }
    Ok(threads)
}

/// From this number of rows to train on, an ensemble's networks are trained for the rows' sake, below for the time's.
pub(super) const FEWEST_ROWS_OF_A_MEMBER: usize = 200;
/// From this number of rows on, they are seen fewer times, and by fewer networks.
pub(super) const MANY_ROWS: usize = 50_000;
/// The inputs of a number beside itself.
const PIECES: usize = 8;
/// More columns of numbers than that have no pieces: their inputs would be too many.
pub(super) const MOST_COLUMNS_OF_PIECES: usize = 60;
/// More numbers than that are not made of pieces: half a gigabyte.
const MOST_NUMBERS_OF_PIECES: usize = 1 << 27;
/// Below so many rows, so many networks are trained where nothing is said: the more rows, the less another one adds.
pub(super) const MEMBERS_BY_ROWS: [(usize, usize); 3] =
    [(MANY_ROWS, 8), (4 * MANY_ROWS, 4), (20 * MANY_ROWS, 2)];
/// An ensemble of more networks gains nothing.
const MOST_MEMBERS: usize = 1000;

impl Settings {
    /// Whether all is decided for networks that take little time, not for those of an ensemble of a table.
    pub(super) fn is_fast(&self, table: &Table, members: usize) -> bool {
        members == 1 || !self.is_for_ensembles(table)
    }

    /// Whether the inputs are a table with enough rows for an ensemble to gain by it.
    fn is_for_ensembles(&self, table: &Table) -> bool {
        let is_input = |column: &&Column| !self.ignore.0.contains(&column.name);
        let has_images = table.columns().iter().filter(is_input).any(|column| column.bytes().is_some());
        !has_images && table.rows() >= FEWEST_ROWS_TO_SPLIT
    }

    /// How many networks are trained.
    ///
    /// # Errors
    /// If none or too many are asked for.
    pub(super) fn members(&self, table: &Table) -> Result<usize> {
        match self.ensemble {
            Some(1) => Ok(1),
            Some(2..) if self.fast == Some(true) => Err(configuration(
                "`--fast` trains one network, and `--ensemble` several",
                "leave out one of them",
            )),
            Some(members @ 2..=MOST_MEMBERS) => Ok(members),
            Some(members) => Err(configuration(
                format!("an ensemble of {members} networks cannot be trained"),
                format!("give at least 1 and at most {MOST_MEMBERS}"),
            )),
            None if self.fast == Some(true) || self.describes_one() || !self.is_for_ensembles(table) => Ok(1),
            None => Ok(MEMBERS_BY_ROWS
                .iter()
                .find(|(rows, _)| table.rows() < *rows)
                .map_or(1, |(_, members)| *members)),
        }
    }

    /// Whether a network or its training is described: who does so means that network.
    pub(super) fn describes_one(&self) -> bool {
        let silent = Self {
            network: None,
            hidden: None,
            convolutions: None,
            activation: None,
            initializer: None,
            dropout: None,
            batch_norm: None,
            layer_norm: None,
            l2: None,
            l1: None,
            divide_by_batch: None,
            epochs: None,
            batch: None,
            optimizer: None,
            learning_rate: None,
            momentum: None,
            beta_1: None,
            beta_2: None,
            decay: None,
            epsilon: None,
            momentum_decay: None,
            weight_decay: None,
            tolerance: None,
            accumulate: None,
            ema: None,
            schedule: None,
            schedule_factor: None,
            schedule_epochs: None,
            schedule_part: None,
            warmup_epochs: None,
            gradient: None,
            precision: None,
            clip_norm: None,
            shuffle: None,
            augment: None,
            ..self.clone()
        };
        *self != silent
    }

    /// How many candidates are trained at most.
    ///
    /// # Errors
    /// If none or too many are asked for, or the time is none.
    pub(super) fn candidate_count(&self) -> Result<usize> {
        match (self.candidates, self.time) {
            (Some(_), Some(_)) => Err(configuration(
                "`--candidates` and `--time` both say how many candidates are trained",
                "leave out one of them",
            )),
            (None, None) => Ok(1),
            (None, Some(Interval::Seconds(_))) => Ok(MOST_CANDIDATES),
            (None, Some(time)) => Err(configuration(
                format!("`{time}` is no time"),
                "give seconds, minutes or hours: `30s`, `5m`, `1h`",
            )),
            (Some(count @ 1..=MOST_CANDIDATES), None) => Ok(count),
            (Some(count), None) => Err(configuration(
                format!("{count} candidates cannot be trained"),
                format!("give at least 1 and at most {MOST_CANDIDATES}"),
            )),
        }
    }

    /// Refuses candidates where nothing tells one from another, or where they would be other networks.
    pub(super) fn check_candidates(&self, begins: bool, has_none: bool) -> Result<()> {
        let refused = [
            (
                has_none,
                "--validation",
                "they are chosen by the rows that each network watches, and there are none",
            ),
            (begins, "--from", "its network is given"),
            (self.checkpoint.is_some(), "--checkpoint", "checkpoints are of one of them"),
        ];
        match refused.iter().find(|(is_refused, ..)| *is_refused) {
            Some((_, flag, why)) if self.candidates.is_some() || self.time.is_some() => Err(configuration(
                format!("candidates cannot be trained: {why}"),
                format!("leave out `{flag}`, or `--time` and `--candidates`"),
            )),
            _ => Ok(()),
        }
    }

    /// The network and the training of a further candidate: what is not said is drawn around what was decided.
    pub(super) fn drawn(
        &self,
        number: usize,
        is_fast: bool,
        preprocessing: &Preprocessing,
        (rows, validation): (usize, usize),
        (network, training): (&Network, &Training),
    ) -> Result<(Network, Training)> {
        let (draw, mut own) = (Draw::new(self.seed(), number), self.clone());
        let units: Vec<usize> = network.layers.iter().filter_map(Layer::units).collect();
        let hidden = units.split_last().map_or(&[][..], |(_outputs, hidden)| hidden);
        if self.network.is_none() && !hidden.is_empty() && self.filters(preprocessing)?.is_empty() {
            own.hidden = self.hidden.clone().or_else(|| Some(Hidden(draw.hidden(hidden))));
            own.dropout = self.dropout.or_else(|| draw.dropout());
        }
        if training.optimizer.is_searching() {
            own.dropout = self.dropout;
        } else {
            own.learning_rate = self.learning_rate.or_else(|| Some(draw.rate(training.learning_rate())));
        }
        let decay = training.optimizer.get("weight_decay").filter(|decay| *decay > 0.0);
        own.weight_decay = self.weight_decay.or_else(|| decay.map(|decay| draw.decay(decay)));
        let training = own.training(is_fast, preprocessing, rows, validation)?;
        training.check::<f32>()?;
        Ok((own.network(is_fast, preprocessing, rows)?, training))
    }

    /// How many inputs each number has for the pieces between its quantiles.
    ///
    /// # Errors
    /// If the number of them cannot be meant.
    pub(super) fn pieces(&self, is_fast: bool, preprocessing: &Preprocessing, rows: usize) -> Result<usize> {
        if let Some(pieces) = self.pieces {
            return match pieces {
                0 | 2..=MOST_PIECES => Ok(pieces),
                _ => Err(configuration(
                    format!("a number cannot have {pieces} pieces"),
                    format!("give 0 for none, or 2 to {MOST_PIECES}"),
                )),
            };
        }
        let numbers = preprocessing
            .features()
            .iter()
            .filter(|feature| matches!(feature.encoding, Encoding::Numeric(_)));
        let numbers = numbers.count();
        let is_open = self.scaling.is_none() && self.network.is_none() && !is_fast;
        let is_sensible = rows >= FEWEST_ROWS_OF_A_MEMBER
            && numbers <= MOST_COLUMNS_OF_PIECES
            && PIECES * numbers <= rows
            && rows.saturating_mul(PIECES * numbers) <= MOST_NUMBERS_OF_PIECES;
        Ok(if is_open && is_sensible { PIECES } else { 0 })
    }

    /// The network for data that are so preprocessed, with so many training rows.
    pub(super) fn network(
        &self,
        is_fast: bool,
        preprocessing: &Preprocessing,
        rows: usize,
    ) -> Result<Network> {
        let (inputs, target) = (preprocessing.inputs(), preprocessing.target().target());
        let cost = self.checked_cost(target)?;
        let regularization = Regularization {
            l1: self.l1.unwrap_or(0.0),
            l2: self.l2.unwrap_or(0.0),
            divide_by_batch: self.divide_by_batch.unwrap_or(false),
        };
        let layers = match &self.network {
            Some(table) => {
                self.refuse_hidden("the [network] table lists all layers")?;
                table.layers.clone()
            }
            None => self.layers(is_fast, preprocessing, rows)?,
        };
        let said = self.network.as_ref().and_then(|table| table.image);
        let needs_image =
            layers.iter().any(Layer::needs_image) || self.augment.is_some_and(|augment| !augment.is_none());
        let image = if needs_image { said.or(image(preprocessing)) } else { said };
        let network = Network { inputs, image, named: Vec::new(), layers, cost, regularization };
        network.parameters()?;
        Ok(network)
    }

    /// The cost: the given one, or the fitting one for a target.
    ///
    /// # Errors
    /// If it is not for the target.
    pub(super) fn checked_cost(&self, target: &Target) -> Result<Cost> {
        let fitting = match target {
            Target::Binary { .. } => Cost::SigmoidCrossEntropy,
            Target::Classes { .. } => Cost::SoftmaxCrossEntropy,
            Target::Regression { .. } => Cost::SquaredError,
        };
        let cost = self.cost.unwrap_or(fitting);
        if target.classes().is_none() && cost.is_for_classes() {
            let names = Cost::NAMES.iter().copied();
            let others = names.filter(|name| Cost::from_name(name).is_ok_and(|cost| !cost.is_for_classes()));
            return Err(configuration(
                format!("the cost {cost} is for classes, but the target is numbers"),
                format!("take {}, or make it `--task classes`", one_of(&others.collect::<Vec<_>>())),
            ));
        }
        if target.classes().is_some() && cost.has_log_link() {
            return Err(configuration(
                format!("the cost {cost} is for numbers, but the target is classes"),
                format!("take {}, or make it `--task regression`", fitting.name()),
            ));
        }
        if cost.takes() == Takes::Classes && target.outputs() == 1 {
            return Err(configuration(
                "softmax over one output is always 1, whatever the network learns",
                "take sigmoid_cross_entropy, or give both classes an output with `--task classes`",
            ));
        }
        Ok(cost)
    }

    /// Refuses numbers to predict that the cost does not take.
    pub(super) fn check_targets(cost: Cost, target: &TargetColumn, table: &Table) -> Result<()> {
        let takes = cost.takes();
        if !cost.has_log_link() {
            return Ok(());
        }
        let numbers = target.target().restore(&target.apply::<f64>(table)?.to_dense());
        let names = target.names();
        let Some(at) = numbers.iter().position(|number| !takes.allows(*number)) else { return Ok(()) };
        Err(Error::data(format!(
            "{} is to be predicted, but the cost {cost} takes {}",
            numbers[at],
            takes.describe()
        ))
        .at(Place::source(table.source()).row(at / names.len() + 1).column(&names[at % names.len()]))
        .help("correct the cell, leave the row out, or take another cost"))
    }

    /// Refuses settings of hidden layers where there are none to set.
    fn refuse_hidden(&self, why: &str) -> Result<()> {
        let given = [
            ("hidden", self.hidden.as_ref().is_some_and(|units| !units.0.is_empty())),
            ("activation", self.activation.is_some()),
            ("dropout", self.dropout.is_some()),
            ("batch-norm", self.batch_norm == Some(true)),
            ("layer-norm", self.layer_norm == Some(true)),
        ];
        match given.iter().find(|(_, is_given)| *is_given) {
            None => Ok(()),
            Some((flag, _)) => Err(configuration(
                format!("{why}, so `--{flag}` has no use"),
                format!("leave out `--{flag}`"),
            )),
        }
    }

    fn layers(&self, is_fast: bool, preprocessing: &Preprocessing, rows: usize) -> Result<Vec<Layer>> {
        let (inputs, outputs) = (preprocessing.inputs(), preprocessing.target().target().outputs());
        let filters = self.filters(preprocessing)?;
        let hidden: Vec<usize> = match &self.hidden {
            Some(Hidden(units)) if units.is_empty() && filters.is_empty() => {
                self.refuse_hidden("there are no hidden layers")?;
                Vec::new()
            }
            Some(Hidden(units)) => units.clone(),
            None if !filters.is_empty() => vec![128],
            None if !is_fast && rows >= 1000 => vec![128, 128],
            None if !is_fast && rows >= FEWEST_ROWS_OF_A_MEMBER => vec![64, 64],
            None if rows < 10 => vec![8],
            None if inputs <= 8 => vec![32, 32],
            None if inputs >= 256 || rows >= 1000 => vec![128],
            None => vec![64],
        };
        let dense = |units| Layer::from(Dense { initializer: self.initializer, ..Dense::new(units) });
        let mut layers: Vec<Layer> = filters.iter().flat_map(|&filters| self.convolution(filters)).collect();
        let dropout = self.dropout.or((!filters.is_empty()).then_some(images::DROPOUT));
        for units in hidden {
            layers.push(dense(units));
            if self.batch_norm == Some(true) {
                layers.push(Layer::batch_norm());
            }
            if self.layer_norm == Some(true) {
                layers.push(Layer::layer_norm());
            }
            layers.push(Layer::function(self.activation.unwrap_or(Activation::Relu)));
            if let Some(rate) = dropout {
                layers.push(Layer::dropout(rate));
            }
        }
        layers.push(dense(outputs));
        Ok(layers)
    }

    /// The training configuration for so many inputs and rows to train on, with `validation` more to watch.
    pub(super) fn training(
        &self,
        is_fast: bool,
        preprocessing: &Preprocessing,
        rows: usize,
        validation: usize,
    ) -> Result<Training> {
        let inputs = preprocessing.inputs();
        let has_convolutions = !self.filters(preprocessing)?.is_empty();
        let is_short = is_fast || rows < FEWEST_ROWS_OF_A_MEMBER;
        if let Some(epochs) = self.epochs.filter(|epochs| !(1..=MOST_EPOCHS).contains(epochs)) {
            return Err(configuration(
                format!("{epochs} epochs cannot be trained"),
                format!("give at least 1 and at most {MOST_EPOCHS}"),
            ));
        }
        if validation == 0 && self.early_stopping.is_some_and(|epochs| epochs > 0) {
            return Err(configuration(
                "early stopping watches rows that are held out for validation, but none are",
                "hold some out with `--validation 0.1`, or leave out `--early-stopping`",
            ));
        }
        let metric = self.metric.unwrap_or_default();
        if validation == 0 && !metric.is_cost() {
            return Err(configuration(
                format!("{metric} is measured on rows that are held out for validation, but none are"),
                "hold some out with `--validation 0.1`, or leave out `--metric`",
            ));
        }
        let has_classes = preprocessing.target().target().classes().is_some();
        let decay = match has_classes {
            _ if has_convolutions => images::WEIGHT_DECAY,
            true if rows < FEWEST_ROWS_OF_A_MEMBER => 1.0,
            true => 0.1,
            false => 0.01,
        };
        let optimizer = self.optimizer(is_fast && !has_convolutions, decay)?;
        let usual = match has_convolutions {
            _ if optimizer.is_searching() => Batch::Full,
            true => Batch::Of(images::BATCH),
            false => Batch::default(),
        };
        let batch = self.batch.unwrap_or(usual);
        let accumulate = self.accumulate.unwrap_or(1);
        let steps = match batch {
            Batch::Of(examples) => rows.div_ceil(examples.max(1).saturating_mul(accumulate.max(1))),
            Batch::Full => 1,
        };
        let is_adam = matches!(optimizer, Optimizer::Adam { .. } | Optimizer::AdamW { .. });
        let is_small = rows < 200 || inputs <= 8 && rows < 5000;
        let conventional = match is_adam {
            true if has_convolutions => images::LEARNING_RATE,
            true if is_short && is_small => 0.01,
            true if is_short => optimizer.conventional_rate(),
            true => {
                if rows < 5000 {
                    0.003
                } else {
                    0.002
                }
            }
            false => optimizer.conventional_rate(),
        };
        let patience = match self.early_stopping {
            Some(0) => None,
            Some(patience) => Some(patience),
            None => (validation > 0).then_some(if is_fast { 20 } else { 30 }),
        };
        Ok(Training {
            epochs: match (self.epochs, rows) {
                (Some(epochs), _) => epochs,
                (None, _) if has_convolutions => {
                    images::epochs(&self.network(is_fast, preprocessing, rows)?, rows)?
                }
                (None, _) if is_short => {
                    (10_000 / steps.max(1)).clamp(10, if rows < 100 { 2000 } else { 500 })
                }
                (None, ..MANY_ROWS) => (60_000 / steps.max(1)).clamp(60, 500),
                (None, _) => (60 * MANY_ROWS / rows).max(10),
            },
            batch,
            optimizer,
            learning_rate: Some(self.learning_rate.unwrap_or(conventional)),
            schedule: self.schedule(match has_convolutions {
                _ if optimizer.is_searching() => "constant",
                true => "one_cycle",
                false => "cosine",
            })?,
            gradient: self.gradient.unwrap_or_default(),
            precision: self.precision.unwrap_or_default(),
            accumulate,
            ema: self.ema,
            clip_norm: self.clip_norm,
            metric,
            early_stopping: patience.map(|patience| EarlyStopping { patience, ..EarlyStopping::default() }),
            shuffle: self.shuffle.unwrap_or(true),
            augment: match self.augment {
                Some(augment) => augment,
                None if has_convolutions => images::augmentation(preprocessing),
                None => Augmentation::default(),
            },
            seed: self.seed(),
            threads: Unrecorded,
        })
    }

    fn optimizer(&self, is_fast: bool, decay: f64) -> Result<Optimizer> {
        let own = if is_fast { "adam" } else { "adamw" };
        let mut optimizer = Optimizer::from_name(self.optimizer.as_deref().unwrap_or(own))?;
        if !is_fast && matches!(optimizer, Optimizer::AdamW { .. }) {
            optimizer.set("weight_decay", decay)?;
        }
        let given = [
            ("momentum", self.momentum),
            ("beta_1", self.beta_1),
            ("beta_2", self.beta_2),
            ("decay", self.decay),
            ("epsilon", self.epsilon),
            ("momentum_decay", self.momentum_decay),
            ("weight_decay", self.weight_decay),
            ("tolerance", self.tolerance),
        ];
        for (field, value) in given {
            let Some(value) = value else { continue };
            if optimizer.get(field).is_none() {
                let flag = field.replace('_', "-");
                return Err(configuration(
                    format!("the optimizer {} has no {flag}", optimizer.name()),
                    format!("leave out `--{flag}`, or take an optimizer that has it"),
                ));
            }
            optimizer.set(field, value)?;
        }
        Ok(optimizer)
    }

    fn schedule(&self, usual: &str) -> Result<Schedule> {
        let mut shape = Shape::from_name(self.schedule.as_deref().unwrap_or(usual))?;
        let given = [
            ("schedule-factor", self.schedule_factor, ["factor"].as_slice()),
            ("schedule-epochs", self.schedule_epochs.map(|epochs| epochs as f64), &["epochs", "patience"]),
            ("schedule-part", self.schedule_part, &["final_fraction", "rising"]),
        ];
        for (flag, value, fields) in given {
            let Some(value) = value else { continue };
            let Some(field) = fields.iter().find(|field| shape.get(field).is_some()) else {
                return Err(configuration(
                    format!("the schedule {} has no use for `--{flag}`", shape.name()),
                    "leave it out, or take another schedule",
                ));
            };
            shape.set(field, value)?;
        }
        Ok(Schedule { warmup_epochs: self.warmup_epochs.unwrap_or(0.0), shape })
    }

    /// These settings with nothing left to be decided from the data: what a model is stored with, so that
    /// a run told so is the same run. `test` and `validation` are the fractions held out.
    pub(super) fn decided(
        &self,
        network: &Network,
        training: &Training,
        [test, validation]: [Option<f64>; 2],
        (options, pieces, members): (&DataOptions, usize, usize),
        filters: Vec<usize>,
    ) -> Self {
        let hidden = match &self.network {
            Some(_) => None,
            None => {
                let units: Vec<usize> = network.layers.iter().filter_map(Layer::units).collect();
                units.split_last().map(|(_outputs, hidden)| Hidden(hidden.to_vec()))
            }
        };
        let has_hidden = hidden.as_ref().is_some_and(|units| !units.0.is_empty());
        // What candidates draw stays open, or they would not draw it again.
        let is_chosen = self.candidates.is_some() || self.time.is_some();
        Self {
            data: Some(self.data().to_owned()),
            scaling: Some(options.scaling),
            imputation: Some(options.imputation),
            pieces: Some(pieces).filter(|&pieces| pieces > 0 || members > 1),
            ensemble: Some(members).filter(|&members| members > 1),
            test,
            validation,
            hidden: if is_chosen { self.hidden.clone() } else { hidden },
            dropout: match filters.is_empty() {
                _ if is_chosen => self.dropout,
                true => self.dropout,
                false => self.dropout.or(Some(images::DROPOUT)),
            },
            activation: (has_hidden || !filters.is_empty())
                .then(|| self.activation.unwrap_or(Activation::Relu)),
            cost: Some(network.cost),
            network: self
                .network
                .as_ref()
                .map(|table| NetworkTable { image: network.image, ..table.clone() }),
            epochs: Some(training.epochs),
            batch: Some(training.batch),
            optimizer: Some(training.optimizer.name().to_owned()),
            weight_decay: match members {
                _ if is_chosen => self.weight_decay,
                1 if filters.is_empty() => self.weight_decay,
                _ => training.optimizer.get("weight_decay"),
            },
            learning_rate: self.learning_rate.or((!is_chosen).then_some(training.learning_rate())),
            schedule: Some(training.schedule.shape.name().to_owned()),
            early_stopping: Some(training.early_stopping.map_or(0, |stopping| stopping.patience)),
            shuffle: Some(training.shuffle),
            augment: self.augment.or(Some(training.augment).filter(|augment| !augment.is_none())),
            seed: Some(training.seed),
            convolutions: self.convolutions.clone().or((!filters.is_empty()).then_some(Hidden(filters))),
            ..self.clone()
        }
    }
}

impl Settings {
    /// The settings in the form in which a model file stores them: without what changes nothing of a model.
    pub(super) fn to_json(&self) -> Result<serde_json::Value> {
        let stored = Self {
            threads: None,
            time: None,
            checkpoint: None,
            checkpoint_every: None,
            checkpoint_keep: None,
            cv: None,
            out_of_fold: None,
            out: None,
            ..self.clone()
        };
        serde_json::to_value(stored).map_err(|error| {
            Error::configuration(format!("the settings make no JSON: {error}")).caused_by(error)
        })
    }

    /// The name of the data: a built-in set or a path.
    pub fn data(&self) -> &str {
        self.data.as_deref().unwrap_or("digits")
    }

    /// The seed of all random numbers.
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    /// The declared types of columns.
    ///
    /// # Errors
    /// If a text is not of the form `column=type`.
    pub fn column_types(&self) -> Result<BTreeMap<String, ColumnType>> {
        self.r#type
            .0
            .iter()
            .map(|text| {
                text.rsplit_once('=')
                    .and_then(|(name, kind)| Some((name.to_owned(), kind.parse().ok()?)))
                    .ok_or_else(|| {
                        configuration(
                            format!("`{text}` declares no type"),
                            "write a column and its type: `--type zip=categorical` or `--type zip=numeric`",
                        )
                    })
            })
            .collect()
    }

    /// The fractions of rows to hold out for test and validation, where they are given.
    pub(super) fn fractions(&self) -> Result<[Option<f64>; 2]> {
        let checked = |flag: &str, fraction: Option<f64>| match fraction {
            Some(fraction) if !(0.0..1.0).contains(&fraction) => Err(configuration(
                format!("`--{flag}` is {fraction}"),
                "give the fraction of the rows to hold out: at least 0 and below 1, for example 0.2",
            )),
            fraction => Ok(fraction),
        };
        Ok([checked("test", self.test)?, checked("validation", self.validation)?])
    }

    /// How a table becomes a data set.
    ///
    /// # Errors
    /// If a type is declared in another form than `column=type`.
    pub fn data_options(&self) -> Result<DataOptions> {
        Ok(DataOptions {
            target: self.target.0.clone(),
            task: self.task,
            ignore: self.ignore.0.clone(),
            weights: self.weights.clone(),
            types: self.column_types()?,
            scaling: self.scaling.unwrap_or_default(),
            imputation: self.imputation.unwrap_or_default(),
            missing_indicators: self.missing_indicators.unwrap_or(false),
            max_levels: match self.max_levels {
                Some(0) => {
                    return Err(configuration(
                        "`--max-levels` is 0, so that no text could be told from another",
                        "give at least 1",
                    ));
                }
                levels => levels.unwrap_or(DataOptions::MAX_LEVELS),
            },
            target_scaling: match self.cost {
                Some(cost) if cost.has_log_link() => TargetScaling::Mean,
                _ => TargetScaling::default(),
            },
        })
    }
}

/// The shape of the images that the data are, if they are.
pub(super) fn image(preprocessing: &Preprocessing) -> Option<Image> {
    let [Feature { encoding: Encoding::Bytes(pixels), .. }] = preprocessing.features() else {
        return None;
    };
    match pixels.shape()[..] {
        [height, width] => Some(Image { height, width, channels: 1 }),
        [height, width, channels] => Some(Image { height, width, channels }),
        _ => None,
    }
}

/// Names as a choice: `a, b or c`.
fn one_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}
