//! What is decided from the data where settings say nothing, and the network and training that settings
//! and decisions make:
//!
//! - Test rows: those that the source sets apart, else a fifth of the rows, stratified; below 10 rows
//!   the network is tested on the rows it was trained on, and the report says so.
//! - Validation rows: a tenth of the rest, at most 2000, from 200 rows up, else none; with validation
//!   rows, training stops early when their cost has not fallen for 20 epochs.
//! - Hidden layers: 8 units below 10 rows; 32 and 32 units up to 8 inputs; 128 units from 256 inputs or
//!   1000 rows up; else 64 units. Activation: relu.
//! - Epochs: as many as make 10,000 steps, at least 10 and at most 500 (below 100 rows, 2000).
//! - Learning rate: falls along a cosine from the optimizer's conventional one; with Adam, from 0.01 below
//!   200 rows, and up to 8 inputs below 5000 rows.

use crate::failure::{Failure, Result};
use crate::settings::{NetworkTable, Settings};
use pullback::data::Target;
use pullback::data::{Encoding, Feature, Preprocessing};
use pullback::network::layers::Dense;
use pullback::network::{Activation, Cost, Image, Layer, Network, Regularization};
use pullback::train::{Batch, EarlyStopping, Optimizer, Schedule, Shape, Training, Unrecorded};

/// More epochs than anyone can wait for; random numbers have an address in each.
const MOST_EPOCHS: usize = 1_000_000_000;

/// More threads than any machine has processors for; the system gives only so many.
const MOST_THREADS: usize = 1024;

/// Refuses a number of threads that cannot be meant.
pub(crate) fn checked_threads(threads: usize) -> Result<usize> {
    if threads > MOST_THREADS {
        return Err(Failure::usage(
            format!("{threads} threads are too many"),
            format!("give at most {MOST_THREADS}; more than the machine has processors gain nothing"),
        ));
    }
    Ok(threads)
}

impl Settings {
    /// The network for data that are so preprocessed, with so many training rows.
    pub(crate) fn network(&self, preprocessing: &Preprocessing, rows: usize) -> Result<Network> {
        let (inputs, target) = (preprocessing.inputs(), &preprocessing.target.target);
        let fitting = match target {
            Target::Binary { .. } => Cost::SigmoidCrossEntropy,
            Target::Classes { .. } => Cost::SoftmaxCrossEntropy,
            Target::Regression { .. } => Cost::SquaredError,
        };
        let cost = self.cost.unwrap_or(fitting);
        if target.classes().is_none() && matches!(cost, Cost::SoftmaxCrossEntropy | Cost::SigmoidCrossEntropy)
        {
            return Err(Failure::usage(
                format!("the cost {cost} is for classes, but the target is numbers"),
                "take squared_error, absolute_error or huber, or make it `--task classes`",
            ));
        }
        if cost == Cost::SoftmaxCrossEntropy && target.outputs() == 1 {
            return Err(Failure::usage(
                "softmax over one output is always 1, whatever the network learns",
                "take sigmoid_cross_entropy, or give both classes an output with `--task classes`",
            ));
        }
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
            None => self.layers(inputs, rows, target.outputs())?,
        };
        let said = self.network.as_ref().and_then(|table| table.image);
        let image = if layers.iter().any(Layer::needs_image) { said.or(image(preprocessing)) } else { said };
        let network = Network { inputs, image, named: Vec::new(), layers, cost, regularization };
        network.parameters()?;
        Ok(network)
    }

    /// Refuses settings of hidden layers where there are none to set.
    fn refuse_hidden(&self, why: &str) -> Result<()> {
        let given = [
            ("hidden", self.hidden.as_deref().is_some_and(|units| units != "none")),
            ("activation", self.activation.is_some()),
            ("dropout", self.dropout.is_some()),
            ("batch-norm", self.batch_norm == Some(true)),
            ("layer-norm", self.layer_norm == Some(true)),
        ];
        match given.iter().find(|(_, is_given)| *is_given) {
            None => Ok(()),
            Some((flag, _)) => Err(Failure::usage(
                format!("{why}, so `--{flag}` has no use"),
                format!("leave out `--{flag}`"),
            )),
        }
    }

    fn layers(&self, inputs: usize, rows: usize, outputs: usize) -> Result<Vec<Layer>> {
        let hidden: Vec<usize> = match self.hidden.as_deref() {
            Some("none") => {
                self.refuse_hidden("there are no hidden layers")?;
                Vec::new()
            }
            Some(text) => text
                .split(',')
                .map(|units| units.trim().parse().ok().filter(|&units| units > 0))
                .collect::<Option<_>>()
                .ok_or_else(|| {
                    Failure::usage(
                        format!("`{text}` does not give the units of hidden layers"),
                        "write positive numbers with commas, for example `--hidden 128,64`, or `none`",
                    )
                })?,
            None if rows < 10 => vec![8],
            None if inputs <= 8 => vec![32, 32],
            None if inputs >= 256 || rows >= 1000 => vec![128],
            None => vec![64],
        };
        let dense = |units| Layer::from(Dense { initializer: self.initializer, ..Dense::new(units) });
        let mut layers = Vec::new();
        for units in hidden {
            layers.push(dense(units));
            if self.batch_norm == Some(true) {
                layers.push(Layer::batch_norm());
            }
            if self.layer_norm == Some(true) {
                layers.push(Layer::layer_norm());
            }
            layers.push(Layer::function(self.activation.unwrap_or(Activation::Relu)));
            if let Some(rate) = self.dropout {
                layers.push(Layer::dropout(rate));
            }
        }
        layers.push(dense(outputs));
        Ok(layers)
    }

    /// The training configuration for so many inputs and rows to train on, with `validation` more to watch.
    pub(crate) fn training(&self, inputs: usize, rows: usize, validation: usize) -> Result<Training> {
        if let Some(epochs) = self.epochs.filter(|epochs| !(1..=MOST_EPOCHS).contains(epochs)) {
            return Err(Failure::usage(
                format!("{epochs} epochs cannot be trained"),
                format!("give at least 1 and at most {MOST_EPOCHS}"),
            ));
        }
        if validation == 0 && self.early_stopping.is_some_and(|epochs| epochs > 0) {
            return Err(Failure::usage(
                "early stopping watches the cost of rows that are held out, but none are",
                "hold some out with `--validation 0.1`, or leave out `--early-stopping`",
            ));
        }
        let batch = self.batch.unwrap_or_default();
        let steps = match batch {
            Batch::Of(examples) => rows.div_ceil(examples.max(1)),
            Batch::Full => 1,
        };
        let optimizer = self.optimizer()?;
        let is_adam = matches!(optimizer, Optimizer::Adam { .. } | Optimizer::AdamW { .. });
        let is_small = rows < 200 || inputs <= 8 && rows < 5000;
        let conventional = if is_adam && is_small { 0.01 } else { optimizer.conventional_rate() };
        let patience = match self.early_stopping {
            Some(0) => None,
            Some(patience) => Some(patience),
            None => (validation > 0).then_some(20),
        };
        Ok(Training {
            epochs: self
                .epochs
                .unwrap_or_else(|| (10_000 / steps.max(1)).clamp(10, if rows < 100 { 2000 } else { 500 })),
            batch,
            optimizer,
            learning_rate: Some(self.learning_rate.unwrap_or(conventional)),
            schedule: self.schedule()?,
            gradient: self.gradient.unwrap_or_default(),
            precision: self.precision.unwrap_or_default(),
            clip_norm: self.clip_norm,
            early_stopping: patience.map(|patience| EarlyStopping { patience, ..EarlyStopping::default() }),
            shuffle: self.shuffle.unwrap_or(true),
            seed: self.seed(),
            threads: Unrecorded,
        })
    }

    fn optimizer(&self) -> Result<Optimizer> {
        let mut optimizer = Optimizer::from_name(self.optimizer.as_deref().unwrap_or("adam"))?;
        let given = [
            ("momentum", self.momentum),
            ("beta_1", self.beta_1),
            ("beta_2", self.beta_2),
            ("decay", self.decay),
            ("epsilon", self.epsilon),
            ("weight_decay", self.weight_decay),
        ];
        for (field, value) in given {
            let Some(value) = value else { continue };
            if optimizer.get(field).is_none() {
                let flag = field.replace('_', "-");
                return Err(Failure::usage(
                    format!("the optimizer {} has no {flag}", optimizer.name()),
                    format!("leave out `--{flag}`, or take an optimizer that has it"),
                ));
            }
            optimizer.set(field, value)?;
        }
        Ok(optimizer)
    }

    fn schedule(&self) -> Result<Schedule> {
        let mut shape = Shape::from_name(self.schedule.as_deref().unwrap_or("cosine"))?;
        let given = [
            ("schedule-factor", self.schedule_factor, ["factor"].as_slice()),
            ("schedule-epochs", self.schedule_epochs.map(|epochs| epochs as f64), &["epochs", "patience"]),
            ("schedule-part", self.schedule_part, &["final_fraction", "rising"]),
        ];
        for (flag, value, fields) in given {
            let Some(value) = value else { continue };
            let Some(field) = fields.iter().find(|field| shape.get(field).is_some()) else {
                return Err(Failure::usage(
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
    pub(crate) fn decided(
        &self,
        network: &Network,
        training: &Training,
        test: Option<f64>,
        validation: f64,
    ) -> Self {
        let hidden: Vec<String> = match &self.network {
            Some(_) => Vec::new(),
            None => network.layers.iter().filter_map(Layer::units).map(|units| units.to_string()).collect(),
        };
        let hidden = hidden.split_last().map(|(_outputs, hidden)| hidden.join(","));
        let has_hidden = hidden.as_deref().is_some_and(|units| !units.is_empty());
        Self {
            data: Some(self.data().to_owned()),
            scaling: Some(self.scaling.unwrap_or_default()),
            imputation: Some(self.imputation.unwrap_or_default()),
            test,
            validation: Some(validation),
            hidden: hidden.map(|units| if units.is_empty() { "none".into() } else { units }),
            activation: has_hidden.then(|| self.activation.unwrap_or(Activation::Relu)),
            cost: Some(network.cost),
            network: self
                .network
                .as_ref()
                .map(|table| NetworkTable { image: network.image, ..table.clone() }),
            epochs: Some(training.epochs),
            batch: Some(training.batch),
            optimizer: Some(training.optimizer.name().to_owned()),
            learning_rate: Some(training.learning_rate()),
            schedule: Some(training.schedule.shape.name().to_owned()),
            early_stopping: Some(training.early_stopping.map_or(0, |stopping| stopping.patience)),
            shuffle: Some(training.shuffle),
            seed: Some(training.seed),
            ..self.clone()
        }
    }
}

/// The shape of the images that the data are, if they are.
fn image(preprocessing: &Preprocessing) -> Option<Image> {
    let [Feature { encoding: Encoding::Bytes { shape, .. }, .. }] = &preprocessing.features[..] else {
        return None;
    };
    match shape[..] {
        [height, width] => Some(Image { height, width, channels: 1 }),
        [height, width, channels] => Some(Image { height, width, channels }),
        _ => None,
    }
}
