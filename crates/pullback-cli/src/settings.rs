//! The one list of what a training run can be told: each field is a flag and a key of a configuration
//! file. Flags go before the file; what neither says is decided from the data, by the rules below.
//!
//! - Test rows: those that the source sets apart, else a fifth of the rows, stratified; below 10 rows
//!   the network is tested on the rows it was trained on, and the report says so.
//! - Validation rows: a tenth of the rest, at most 2000, from 500 rows up, else none; with validation rows, training
//!   stops early when their cost has not fallen for 20 epochs.
//! - Hidden layers: 8 units below 10 rows; 32 and 32 units up to 8 inputs; 128 units from 256 inputs or
//!   1000 rows up; else 64 units. Activation: relu.
//! - Epochs: as many as make 10,000 steps, at least 10 and at most 500 (below 100 rows, 2000).
//! - Learning rate: falls along a cosine from the optimizer's conventional one; with Adam, from 0.01 below
//!   200 rows, and up to 8 inputs below 5000 rows.

use crate::config_file::{one_or_more, units};
use crate::failure::{Failure, Result};
use pullback::data::{ColumnType, DataOptions, Imputation, Scaling, Target, Task};
use pullback::error::nearest_name;
use pullback::network::{Activation, Cost, Initializer, Layer, Network, Regularization};
use pullback::train::{Batch, EarlyStopping, Optimizer, Schedule, Shape, Training};
use pullback_data::ReadOptions;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

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

/// Reads a name that serde knows.
fn by_name<T: DeserializeOwned>(text: &str) -> std::result::Result<T, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|error| {
        let message = error.to_string();
        let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        match nearest_name(text, known.iter().copied()) {
            Some(near) => format!("there is no `{text}`; did you mean `{near}`?"),
            None => format!("there is no `{text}`; known are {}", known.join(", ")),
        }
    })
}

/// What a training run can be told.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// A built-in data set, a CSV file, or a folder or file of IDX images [default: digits]
    #[arg(value_name = "DATA")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<String>,

    /// The column to predict; several for a regression with several
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', help_heading = "Data")]
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_more")]
    pub(crate) target: Vec<String>,
    /// What kind of prediction: binary, classes, regression [default: by the target]
    #[arg(long, value_parser = by_name::<Task>, help_heading = "Data")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<Task>,
    /// Columns to leave out
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', help_heading = "Data")]
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_more")]
    pub(crate) ignore: Vec<String>,
    /// A column's type where it is not what it looks like: numeric or categorical
    #[arg(long = "type", value_name = "COLUMN=TYPE", value_delimiter = ',', help_heading = "Data")]
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_more", rename = "type")]
    pub(crate) types: Vec<String>,
    /// How numbers are scaled: standardize, min_max, none [default: standardize]
    #[arg(long, value_parser = by_name::<Scaling>, help_heading = "Data")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scaling: Option<Scaling>,
    /// What stands in for a missing cell: mean, median, most_frequent [default: mean]
    #[arg(long, value_parser = by_name::<Imputation>, help_heading = "Data")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) imputation: Option<Imputation>,
    /// The character between fields, or `tab` [default: found out]
    #[arg(long, value_name = "CHARACTER", help_heading = "Data")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) delimiter: Option<String>,
    /// Whether the first line names the columns [default: found out]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Data")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) header: Option<bool>,
    /// Which part of the rows is held out to test on [default: 0.2]
    #[arg(long, value_name = "FRACTION", help_heading = "Data")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) test: Option<f64>,
    /// A file to test on instead
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) test_data: Option<PathBuf>,
    /// Which part of the other rows is held out to watch training [default: by the rows]
    #[arg(long, value_name = "FRACTION", help_heading = "Data")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validation: Option<f64>,

    /// The units of each hidden layer, or `none` [default: by the data]
    #[arg(long, value_name = "UNITS,...", help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "units")]
    pub(crate) hidden: Option<String>,
    /// The activation of hidden layers: sigmoid, tanh, relu, gelu, ... [default: relu]
    #[arg(long, help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) activation: Option<Activation>,
    /// Where weights start: xavier_uniform, he_normal, uniform:0.12, ... [default: by the activation]
    #[arg(long, help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) initializer: Option<Initializer>,
    /// The dropout rate after each hidden layer
    #[arg(long, value_name = "RATE", help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dropout: Option<f64>,
    /// Batch norm before each hidden activation
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) batch_norm: Option<bool>,
    /// Layer norm before each hidden activation
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) layer_norm: Option<bool>,
    /// What is minimized: softmax_cross_entropy, squared_error, huber:1, ... [default: by the task]
    #[arg(long, help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost: Option<Cost>,
    /// The strength of L2 regularization
    #[arg(long, value_name = "STRENGTH", help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) l2: Option<f64>,
    /// The strength of L1 regularization
    #[arg(long, value_name = "STRENGTH", help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) l1: Option<f64>,
    /// Divide L1 and L2 by the batch's examples: lambda/(2m)
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Network")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) divide_by_batch: Option<bool>,

    /// How many times all examples are seen [default: by the rows]
    #[arg(long, help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) epochs: Option<usize>,
    /// How many examples make a step, or `full` [default: 32]
    #[arg(long, value_name = "EXAMPLES", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) batch: Option<Batch>,
    /// sgd, momentum, nesterov, adam, adamw, rmsprop, adagrad [default: adam]
    #[arg(long, help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) optimizer: Option<String>,
    /// The factor of each step [default: by the optimizer]
    #[arg(long, value_name = "RATE", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) learning_rate: Option<f64>,
    /// For momentum and nesterov [default: 0.9]
    #[arg(long, help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) momentum: Option<f64>,
    /// For adam and adamw [default: 0.9]
    #[arg(long = "beta-1", value_name = "BETA", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) beta_1: Option<f64>,
    /// For adam and adamw [default: 0.999]
    #[arg(long = "beta-2", value_name = "BETA", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) beta_2: Option<f64>,
    /// For rmsprop [default: 0.99]
    #[arg(long, help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decay: Option<f64>,
    /// For adam, adamw, rmsprop and adagrad
    #[arg(long, help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) epsilon: Option<f64>,
    /// For adamw [default: 0.01]
    #[arg(long, value_name = "SHARE", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weight_decay: Option<f64>,
    /// constant, step, exponential, cosine, one_cycle, plateau [default: cosine]
    #[arg(long, help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schedule: Option<String>,
    /// The factor of step, exponential and plateau
    #[arg(long, value_name = "FACTOR", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schedule_factor: Option<f64>,
    /// The epochs between steps, or the patience of plateau
    #[arg(long, value_name = "EPOCHS", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schedule_epochs: Option<usize>,
    /// What cosine leaves at the end, or which part of one_cycle rises
    #[arg(long, value_name = "PART", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schedule_part: Option<f64>,
    /// For how many epochs the learning rate rises from zero
    #[arg(long, value_name = "EPOCHS", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) warmup_epochs: Option<f64>,
    /// The largest norm of the gradient
    #[arg(long, value_name = "NORM", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clip_norm: Option<f64>,
    /// Stop when validation has not improved for so many epochs, 0 for never
    /// [default: 20 where rows are held out to watch]
    #[arg(long, value_name = "EPOCHS", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) early_stopping: Option<usize>,
    /// Whether each epoch has an order of its own [default: true]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shuffle: Option<bool>,
    /// Where all random numbers come from [default: 0]
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64), help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
    /// How many threads may work; the result does not depend on it [default: all]
    #[arg(long, help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) threads: Option<usize>,

    /// Where the model is saved [default: model.safetensors]
    #[arg(long, short, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) out: Option<PathBuf>,

    /// The layers in full, in a configuration file only; its inputs may be left open.
    #[arg(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network: Option<NetworkTable>,
}

/// The `[network]` table of a configuration file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkTable {
    /// All layers, the last dense one included.
    pub(crate) layers: Vec<Layer>,
}

impl Settings {
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

    /// These settings as a model file stores them.
    pub(crate) fn to_json(&self) -> Result<serde_json::Value> {
        serde_json::to_value(self)
            .map_err(|error| Failure::new(format!("the settings make no JSON: {error}"), "report this"))
    }

    /// The name of the data: a built-in set or a path.
    pub(crate) fn data(&self) -> &str {
        self.data.as_deref().unwrap_or("digits")
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    fn column_types(&self) -> Result<BTreeMap<String, ColumnType>> {
        self.types
            .iter()
            .map(|text| {
                text.rsplit_once('=')
                    .and_then(|(name, kind)| Some((name.to_owned(), by_name(kind).ok()?)))
                    .ok_or_else(|| {
                        Failure::usage(
                            format!("`{text}` declares no type"),
                            "write a column and its type: `--type zip=categorical` or `--type zip=numeric`",
                        )
                    })
            })
            .collect()
    }

    /// The fractions of rows to hold out for test and validation, where they are given.
    pub(crate) fn fractions(&self) -> Result<[Option<f64>; 2]> {
        let checked = |flag: &str, fraction: Option<f64>| match fraction {
            Some(fraction) if !(0.0..1.0).contains(&fraction) => Err(Failure::usage(
                format!("`--{flag}` is {fraction}"),
                "give the fraction of the rows to hold out: at least 0 and below 1, for example 0.2",
            )),
            fraction => Ok(fraction),
        };
        Ok([checked("test", self.test)?, checked("validation", self.validation)?])
    }

    /// How files are read.
    pub(crate) fn read_options(&self) -> Result<ReadOptions> {
        let delimiter = match self.delimiter.as_deref() {
            None => None,
            Some("tab" | "\\t") => Some(b'\t'),
            Some(text) if text.len() == 1 => Some(text.as_bytes()[0]),
            Some(text) => {
                return Err(Failure::usage(
                    format!("`{text}` is no delimiter"),
                    "give one character, for example `--delimiter ';'`, or `tab`",
                ));
            }
        };
        Ok(ReadOptions {
            delimiter,
            has_header: self.header,
            types: self.column_types()?,
            ..ReadOptions::default()
        })
    }

    /// How a table becomes a data set.
    pub(crate) fn data_options(&self) -> Result<DataOptions> {
        Ok(DataOptions {
            target: self.target.clone(),
            task: self.task,
            ignore: self.ignore.clone(),
            types: self.column_types()?,
            scaling: self.scaling.unwrap_or_default(),
            imputation: self.imputation.unwrap_or_default(),
            ..DataOptions::default()
        })
    }

    /// The network for data with so many inputs and training rows.
    pub(crate) fn network(&self, inputs: usize, rows: usize, target: &Target) -> Result<Network> {
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
        let network = Network { inputs, layers, cost, regularization };
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
        let dense =
            |units| Layer::Dense { units, has_bias: true, initializer: self.initializer, l1: None, l2: None };
        let mut layers = Vec::new();
        for units in hidden {
            layers.push(dense(units));
            if self.batch_norm == Some(true) {
                layers.push(Layer::BatchNorm { momentum: 0.1, epsilon: 1e-5 });
            }
            if self.layer_norm == Some(true) {
                layers.push(Layer::LayerNorm { epsilon: 1e-5 });
            }
            layers.push(Layer::Activation { function: self.activation.unwrap_or(Activation::Relu) });
            if let Some(rate) = self.dropout {
                layers.push(Layer::Dropout { rate });
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
            clip_norm: self.clip_norm,
            early_stopping: patience.map(|patience| EarlyStopping { patience, ..EarlyStopping::default() }),
            shuffle: self.shuffle.unwrap_or(true),
            seed: self.seed(),
            threads: checked_threads(self.threads.unwrap_or(0))?,
        })
    }

    fn optimizer(&self) -> Result<Optimizer> {
        let name = self.optimizer.as_deref().unwrap_or("adam");
        let mut optimizer =
            Optimizer::from_name(name).ok_or_else(|| unknown("optimizer", name, Optimizer::NAMES))?;
        let mut left = [
            ("momentum", self.momentum),
            ("beta-1", self.beta_1),
            ("beta-2", self.beta_2),
            ("decay", self.decay),
            ("epsilon", self.epsilon),
            ("weight-decay", self.weight_decay),
        ];
        let mut take = |name: &str, value: &mut f64| {
            let setting = left.iter_mut().find(|(own, _)| *own == name).and_then(|(_, given)| given.take());
            *value = setting.unwrap_or(*value);
        };
        match &mut optimizer {
            Optimizer::Sgd => {}
            Optimizer::Momentum { momentum } | Optimizer::Nesterov { momentum } => take("momentum", momentum),
            Optimizer::Adam { beta_1, beta_2, epsilon } => {
                take("beta-1", beta_1);
                take("beta-2", beta_2);
                take("epsilon", epsilon);
            }
            Optimizer::AdamW { beta_1, beta_2, epsilon, weight_decay } => {
                take("beta-1", beta_1);
                take("beta-2", beta_2);
                take("epsilon", epsilon);
                take("weight-decay", weight_decay);
            }
            Optimizer::RmsProp { decay, epsilon } => {
                take("decay", decay);
                take("epsilon", epsilon);
            }
            Optimizer::AdaGrad { epsilon } => take("epsilon", epsilon),
        }
        match left.iter().find(|(_, value)| value.is_some()) {
            None => Ok(optimizer),
            Some((flag, _)) => Err(Failure::usage(
                format!("the optimizer {name} has no {flag}"),
                format!("leave out `--{flag}`, or take an optimizer that has it"),
            )),
        }
    }

    fn schedule(&self) -> Result<Schedule> {
        let name = self.schedule.as_deref().unwrap_or("cosine");
        let mut shape = Shape::from_name(name).ok_or_else(|| unknown("schedule", name, Shape::NAMES))?;
        let mut factor_left = self.schedule_factor;
        let mut epochs_left = self.schedule_epochs;
        let mut part_left = self.schedule_part;
        match &mut shape {
            Shape::Constant => {}
            Shape::Step { epochs, factor } | Shape::Plateau { factor, patience: epochs } => {
                *epochs = epochs_left.take().unwrap_or(*epochs);
                *factor = factor_left.take().unwrap_or(*factor);
            }
            Shape::Exponential { factor } => *factor = factor_left.take().unwrap_or(*factor),
            Shape::Cosine { final_fraction: part } | Shape::OneCycle { rising: part } => {
                *part = part_left.take().unwrap_or(*part);
            }
        }
        let unused = [
            ("schedule-factor", factor_left.is_some()),
            ("schedule-epochs", epochs_left.is_some()),
            ("schedule-part", part_left.is_some()),
        ];
        match unused.iter().find(|(_, is_left)| *is_left) {
            None => Ok(Schedule { warmup_epochs: self.warmup_epochs.unwrap_or(0.0), shape }),
            Some((flag, _)) => Err(Failure::usage(
                format!("the schedule {name} has no use for `--{flag}`"),
                "leave it out, or take another schedule",
            )),
        }
    }
}

fn unknown(what: &str, name: &str, known: &[&'static str]) -> Failure {
    let help = match nearest_name(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", known.join(", ")),
    };
    Failure::usage(format!("there is no {what} `{name}`"), help)
}
