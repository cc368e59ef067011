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
//!   2000; none below 20 rows.
//! - Numbers are scaled column by column (`adaptive`), and each has inputs for 8 pieces between its quantiles, from 200
//!   rows up, if there are at most 60 columns of numbers and 8 times as many rows. Missing ones are the median.
//! - Hidden layers: 128 and 128 units, for classes below 1000 rows 64 and 64.
//! - AdamW with a decay of 0.1 for classes; for numbers 0.1 below 1000 rows and 0.01 from there up. Learning rate: 0.003,
//!   from 5000 rows up 0.002.
//! - Epochs: as many as make 60,000 steps, at least 60 and at most 500; training stops when the validation cost has not
//!   fallen for 30; below 200 rows, where an epoch is short, for 100, and of numbers for 300. From 50,000 rows up, as
//!   many as show 3,000,000 rows, at least 10.
//! - Below 200 rows, of numbers below 100, layers, epochs and rates are those of one network, and the decay is 1.

use super::images::{self, image};
use super::rows::FEWEST_ROWS_TO_SPLIT;
use super::rules::{self, Case};
use super::settings::{Hidden, Settings};
use super::{Embeddings, configuration};
use crate::data::{Column, Encoding, MOST_PIECES, Preprocessing, Table, Target, TargetColumn};
use crate::error::{Error, Place, Result};
use crate::network::layers::Dense;
use crate::network::{Activation, Cost, Layer, Network, Regularization, Takes};
use crate::train::{Augmentation, Batch, EarlyStopping, Optimizer, Schedule, Shape, Training, Unrecorded};

/// More epochs than anyone can wait for; random numbers have an address in each.
const MOST_EPOCHS: usize = 1_000_000_000;

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
            None => Ok(rules::members(table.rows()).value),
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
        let is_open = self.scaling.is_none() && self.network.is_none() && !is_fast;
        Ok(if is_open { rules::pieces(numbers.count(), rows).value } else { 0 })
    }

    /// What the rules for a network and its training look at.
    ///
    /// # Errors
    /// As [`Settings::filters`].
    pub(super) fn case(&self, is_fast: bool, preprocessing: &Preprocessing, rows: usize) -> Result<Case> {
        Ok(Case {
            is_fast,
            rows,
            inputs: preprocessing.inputs(),
            task: preprocessing.target().target().task(),
            has_convolutions: !self.filters(preprocessing)?.is_empty(),
        })
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
            Target::Binary { .. } | Target::Labels { .. } => Cost::SigmoidCrossEntropy,
            Target::Classes { .. } => Cost::SoftmaxCrossEntropy,
            Target::Regression { .. } => Cost::SquaredError,
        };
        let cost = self.cost.unwrap_or(fitting);
        if matches!(target, Target::Labels { .. }) {
            if cost.takes() == Takes::YesOrNo {
                return Ok(cost);
            }
            return Err(configuration(
                format!("the cost {cost} is not for labels, of which a row has any number"),
                "take sigmoid_cross_entropy or focal, or make it `--task regression`",
            ));
        }
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
            ("embeddings", self.embeddings.is_some_and(|embeddings| embeddings != Embeddings::None)),
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
        let outputs = preprocessing.target().target().outputs();
        let filters = self.filters(preprocessing)?;
        let hidden: Vec<usize> = match &self.hidden {
            Some(Hidden(units)) if units.is_empty() && filters.is_empty() => {
                self.refuse_hidden("there are no hidden layers")?;
                Vec::new()
            }
            Some(Hidden(units)) => units.clone(),
            None => self.case(is_fast, preprocessing, rows)?.hidden().value,
        };
        let dense = |units| Layer::from(Dense { initializer: self.initializer, ..Dense::new(units) });
        let embedded =
            self.embeddings.and_then(|embeddings| embeddings.layer(preprocessing)).map(Layer::from);
        let convolutions = filters.iter().flat_map(|&filters| self.convolution(filters));
        let mut layers: Vec<Layer> = embedded.into_iter().chain(convolutions).collect();
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
        let case = self.case(is_fast, preprocessing, rows)?;
        let has_convolutions = case.has_convolutions;
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
        let optimizer = self.optimizer(is_fast && !has_convolutions, case.decay().value)?;
        if optimizer.is_searching() && self.learning_rate.is_some() {
            return Err(configuration(
                format!(
                    "{} searches for the length of each step, so that it has no learning rate",
                    optimizer.name()
                ),
                "leave out `--learning-rate`, or take another optimizer",
            ));
        }
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
        let patience = match self.early_stopping {
            Some(0) => None,
            Some(patience) => Some(patience),
            None => (validation > 0).then(|| case.patience()),
        };
        Ok(Training {
            epochs: match self.epochs {
                Some(epochs) => epochs,
                None => case.epochs(&self.network(is_fast, preprocessing, rows)?, steps)?.value,
            },
            batch,
            optimizer,
            learning_rate: Some(self.learning_rate.unwrap_or_else(|| case.rate(optimizer).value)),
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
}

/// Names as a choice: `a, b or c`.
fn one_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}
