//! The one list of what a training run can be told: each field is a flag and a key of a configuration
//! file. Flags go before the file; what neither says is decided from the data, in `choices`.

use crate::config_file::{one_or_more, units};
use crate::failure::{Failure, Result};
use pullback::data::{ColumnType, DataOptions, Imputation, Scaling, Task};
use pullback::network::{Activation, Cost, Image, Initializer, Layer};
use pullback::train::{Batch, GradientMethod, Precision};
use pullback_data::ReadOptions;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

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
    #[arg(long, help_heading = "Data")]
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
    #[arg(long, help_heading = "Data")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scaling: Option<Scaling>,
    /// What stands in for a missing cell: mean, median, most_frequent [default: mean]
    #[arg(long, help_heading = "Data")]
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
    /// How gradients are found: back (propagation), forward (mode), differences [default: back]
    #[arg(long, value_name = "METHOD", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gradient: Option<GradientMethod>,
    /// How matrices are multiplied in training: f32, bf16 (rounded, faster), bf16x3 (as exact as f32, faster with
    /// AMX); weights stay f32 [default: f32]
    #[arg(long, help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) precision: Option<Precision>,
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
    /// The shape of an example, where it is an image and the data do not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<Image>,
    /// All layers, the last dense one included.
    pub(crate) layers: Vec<Layer>,
}

impl Settings {
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
                    .and_then(|(name, kind)| Some((name.to_owned(), kind.parse().ok()?)))
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
}
