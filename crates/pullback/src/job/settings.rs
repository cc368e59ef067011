//! The one list of what a job can be told. Each line is a field of [`Settings`], a key of a configuration file, a
//! flag of the command, and a row of [`Settings::LIST`], from which a front end makes its form and its help. What
//! stays open is decided from the data.

use super::{Embeddings, Interval, Time};
use crate::data::{Imputation, Scaling, Task};
use crate::error::{Error, Result, nearest_name};
use crate::network::{Activation, Cost, Image, Initializer, Layer};
use crate::train::{Augmentation, Batch, GradientMethod, Metric, Optimizer, Precision, Shape};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A line of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting {
    /// The key, as in files: `learning_rate`.
    pub name: &'static str,
    /// The heading that it stands under; empty for what a run reads and writes.
    pub heading: &'static str,
    /// Other names that it is known by elsewhere, which mean exactly the same: `lr`.
    pub also: &'static [&'static str],
    /// What it is.
    pub doc: &'static str,
    /// What its value is called: `RATE`.
    pub value: &'static str,
    /// What happens without it; empty if that goes without saying.
    pub default: &'static str,
    /// What may be written.
    pub form: Form,
    /// The names that a choice has; empty if it is none.
    pub names: &'static [&'static str],
}

/// What may be written as the value of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// A text, or a choice by its name.
    Text,
    /// A place of a file.
    Path,
    /// Texts with commas between them.
    List,
    /// `true` or `false`.
    Switch,
    /// A whole number of at least 0.
    Whole,
    /// A number.
    Number,
}

/// The type of a setting.
trait Value: Sized {
    const FORM: Form;
    /// Whether nothing is said.
    fn is_open(&self) -> bool;
    fn read(text: &OsStr) -> Result<Self>;
}

macro_rules! settings {
    (
        $($heading:literal {
            $(
                $(#[doc = $doc:literal])+
                $name:ident: $type:ty, $value:literal $(of $names:expr)? $(, default $default:literal)?
                    $(, also $($also:literal)+)?;
            )*
        })*
    ) => {
        /// What a job can be told; a setting that is left open is decided from the data.
        ///
        /// ```
        /// use pullback::job::Settings;
        /// let mut settings = Settings::default();
        /// settings.set("hidden", "64,32")?;
        /// settings.set("learning_rate", "0.01")?;
        /// assert_eq!(settings.learning_rate, Some(0.01));
        /// assert!(settings.set("learning_rate", "fast").is_err());
        /// # Ok::<(), pullback::Error>(())
        /// ```
        #[derive(Debug, Clone, Default, PartialEq, Serialize)]
        pub struct Settings {
            $($(
                $(#[doc = $doc])+
                #[serde(skip_serializing_if = "Value::is_open")]
                pub $name: $type,
            )*)*
            /// The layers in full, in a configuration file only.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub network: Option<NetworkTable>,
        }

        impl Settings {
            /// The list, in the order of the help and of files.
            pub const LIST: &[Setting] = &[$($(
                Setting {
                    name: bare(stringify!($name)),
                    also: &[$($($also),+)?],
                    heading: $heading,
                    doc: concat!($($doc),+).trim_ascii_start(),
                    value: $value,
                    default: concat!($($default)?),
                    form: <$type as Value>::FORM,
                    names: names!($($names)?),
                },
            )*)*];

            /// Sets a setting by its name, from the text that a flag or a form gives.
            ///
            /// # Errors
            /// If there is no such setting, or the text is none of its values.
            pub fn set(&mut self, name: &str, text: impl AsRef<OsStr>) -> Result<()> {
                let text = text.as_ref();
                $($(
                    if name == bare(stringify!($name)) $($(|| name == $also)+)? {
                        self.$name = Value::read(text)?;
                        return Ok(());
                    }
                )*)*
                Err(Error::unknown_name("setting", name, Self::LIST.iter().map(|setting| setting.name)))
            }

            /// All keys that a file may have, those among them that mean the same.
            pub(super) const KEYS: &[&str] =
                &[$($(bare(stringify!($name)), $($($also,)+)?)*)* Self::NETWORK];

            /// The key that a key of a file means.
            pub(super) fn key(written: &str) -> Option<&'static str> {
                $($(
                    if written == bare(stringify!($name)) $($(|| written == $also)+)? {
                        return Some(bare(stringify!($name)));
                    }
                )*)*
                (written == Self::NETWORK).then_some(Self::NETWORK)
            }

            /// Whether something is said of a key.
            pub(super) fn says(&self, key: &str) -> bool {
                $($(
                    if key == bare(stringify!($name)) {
                        return !self.$name.is_open();
                    }
                )*)*
                self.network.is_some()
            }

            /// Takes what a file says of a key, of those in the list.
            pub(super) fn take(&mut self, key: &str, value: serde_json::Value) -> serde_json::Result<()> {
                $($(
                    if key == bare(stringify!($name)) {
                        self.$name = Deserialize::deserialize(value)?;
                        return Ok(());
                    }
                )*)*
                Ok(())
            }

            /// These settings, and where they say nothing, others.
            #[must_use]
            pub fn over(self, others: Self) -> Self {
                Self {
                    $($($name: if self.$name.is_open() { others.$name } else { self.$name },)*)*
                    network: self.network.or(others.network),
                }
            }
        }
    };
}

macro_rules! names {
    () => {
        &[]
    };
    ($names:expr) => {
        $names
    };
}

settings! {
    "" {
        /// A built-in data set; a table in CSV or JSON lines; a NumPy array; a folder of PNG or JPEG images, a folder
        /// for each class; a folder or file of IDX images; `-` for standard input
        data: Option<String>, "DATA", default "digits";
    }
    "Data" {
        /// The column to predict; several for a regression with several; in quotes if there is a comma in the name
        target: Names, "COLUMN", also "label" "y";
        /// A NumPy array with the targets, where the data are an array of inputs
        targets: Option<PathBuf>, "FILE";
        /// What kind of prediction
        task: Option<Task>, "TASK" of Task::NAMES, default "by the target";
        /// Columns to leave out
        ignore: Names, "COLUMN", also "drop" "exclude";
        /// A column that says how much each row counts, in the cost and in all figures; it is not an input
        weights: Option<String>, "COLUMN", also "sample_weight" "sample_weights" "weight" "weight_column" "row_weights";
        /// How much each class counts in the cost: `balanced` (rare classes count more), or CLASS=WEIGHT
        class_weights: Names, "WEIGHTS", also "class_weight";
        /// The type of a column, if it is not what it looks like: numeric, categorical or time
        r#type: Names, "COLUMN=TYPE", also "types" "dtype";
        /// How numbers are scaled
        scaling: Option<Scaling>, "SCALING" of Scaling::NAMES, default "standardize, adaptive in an ensemble", also "scale" "scaler";
        /// How many piecewise-linear inputs each number gets beside itself, between its quantiles; 0 for none
        pieces: Option<usize>, "PIECES", default "none, in an ensemble by the rows and columns";
        /// What replaces a missing cell
        imputation: Option<Imputation>, "IMPUTATION" of Imputation::NAMES, default "mean, in an ensemble median", also "impute" "imputer";
        /// Add an input for each column of numbers with missing cells that says where they are missing
        missing_indicators: Option<bool>, "MISSING_INDICATORS", also "add_indicator" "missing_indicator";
        /// The most distinct texts of a column; the rarer ones share one input
        max_levels: Option<usize>, "LEVELS", default "10000";
        /// The character between fields, or `tab`
        delimiter: Option<String>, "CHARACTER", default "detected", also "sep" "separator" "delim";
        /// Whether the first line names the columns
        header: Option<bool>, "HEADER", default "detected";
        /// What stands for a missing cell, in addition to the usual spellings
        missing: Names, "TOKEN", also "na_values" "na" "na_value" "missing_values";
        /// The encoding of text: utf-8, cp949, latin1, ...
        encoding: Option<String>, "NAME", default "detected";
        /// The size that images of a folder are scaled to: `32`, or height and width as `48x64`
        image_size: Option<String>, "PIXELS", default "the commonest, at most 64";
        /// Leave out rows that do not fit the table, and count them
        skip_bad_rows: Option<bool>, "SKIP_BAD_ROWS", also "skip_bad_lines";
        /// The fraction of the rows to hold out for the test
        test: Option<f64>, "FRACTION", default "0.2", also "test_size" "test_split" "test_fraction";
        /// A file to test on instead
        test_data: Option<PathBuf>, "FILE", also "test_file";
        /// A column that groups rows, such as a patient: no group is on both sides of a split; it is not an input
        group: Option<String>, "COLUMN", also "groups" "group_by" "group_column";
        /// A column with the time of each row: the last rows are for the test, those before them for validation
        time_order: Option<String>, "COLUMN", also "time_column" "time_split";
        /// The fraction of the other rows to hold out for validation
        validation: Option<f64>, "FRACTION", default "by the rows", also "val" "validation_split" "val_split" "validation_fraction" "val_size" "validation_size";
        /// A file for validation instead
        validation_data: Option<PathBuf>, "FILE", also "validation_file" "val_data" "eval_data";
        /// Cross-validation with this number of folds; no model is saved
        cv: Option<usize>, "FOLDS", also "cross_validation" "cross_validate" "folds" "n_folds" "nfolds" "k_fold" "kfold" "n_splits";
        /// With `--cv`, a CSV file for the out-of-fold prediction of each row
        out_of_fold: Option<PathBuf>, "FILE", also "oof";
    }
    "Network" {
        /// The units of each hidden layer, or `none`
        hidden: Option<Hidden>, "UNITS,...", default "by the data", also "hidden_units" "hidden_layer_sizes" "hidden_sizes";
        /// For images, the filters of each convolution of 3x3 pixels before the hidden layers, with a pooling by 2 after
        /// each; or `none`
        convolutions: Option<Hidden>, "FILTERS,...", default "16,32 for images of at least 16x16", also "conv" "conv_filters" "filters";
        /// How many numbers, learned for each level, a text of many levels becomes: `auto` by the levels, a number, or
        /// `none` for an input for each level
        embeddings: Option<Embeddings>, "NUMBERS", default "none", also "embedding" "embedding_size" "embedding_dim";
        /// The activation of hidden layers
        activation: Option<Activation>, "ACTIVATION" of Activation::NAMES, default "relu", also "act" "activation_function";
        /// The initial distribution of weights
        initializer: Option<Initializer>, "INITIALIZER" of Initializer::NAMES, default "by the activation", also "init" "initialization" "kernel_initializer";
        /// The dropout rate after each hidden layer
        dropout: Option<f64>, "RATE", also "dropout_rate";
        /// Batch norm before each hidden activation
        batch_norm: Option<bool>, "BATCH_NORM", also "batchnorm" "bn" "batch_normalization";
        /// Layer norm before each hidden activation
        layer_norm: Option<bool>, "LAYER_NORM", also "layernorm" "ln" "layer_normalization";
        /// The cost to minimize
        cost: Option<Cost>, "COST" of Cost::NAMES, default "by the task", also "loss" "loss_function" "criterion" "objective" "cost_function";
        /// The strength of L2 regularization
        l2: Option<f64>, "STRENGTH", also "l2_regularization";
        /// The strength of L1 regularization
        l1: Option<f64>, "STRENGTH", also "l1_regularization";
        /// Divide L1 and L2 by the number of examples in the batch: lambda/(2m)
        divide_by_batch: Option<bool>, "DIVIDE_BY_BATCH";
    }
    "Training" {
        /// How many networks are trained, whose predictions are averaged
        ensemble: Option<usize>, "NETWORKS", default "8 for a table, fewer from 50,000 rows";
        /// Spend this much time on further candidates, such as `5m`, and average the predictions of the best
        time: Option<Time>, "TIME", also "time_limit" "time_budget" "max_time";
        /// Train this many candidates instead, without a clock: the same model each time
        candidates: Option<usize>, "CANDIDATES";
        /// Train one network, in a fraction of the time
        fast: Option<bool>, "FAST", also "single";
        /// Start from the weights of a model; its inputs and network are kept
        from: Option<PathBuf>, "FILE", also "from_model" "pretrained" "warm_start" "init_from";
        /// Start from the weights in a file: a worked example or a model, whose layers are taken too
        initial_weights: Option<PathBuf>, "FILE", also "initial_parameters" "init_weights";
        /// Draw a new last layer, for other classes than the model's
        new_head: Option<bool>, "NEW_HEAD";
        /// The number of passes over all examples
        epochs: Option<usize>, "EPOCHS", default "by the rows", also "epoch" "max_epochs" "n_epochs" "num_epochs" "nepochs" "max_iter";
        /// The number of examples of a step, or `full` for all
        batch: Option<Batch>, "EXAMPLES", default "32, for lbfgs full", also "batch_size" "batchsize" "bs" "minibatch" "mini_batch" "minibatch_size";
        /// The optimizer
        optimizer: Option<String>, "OPTIMIZER" of Optimizer::NAMES, default "adam, in an ensemble adamw", also "optim" "opt" "optimiser" "solver";
        /// The learning rate of the first steps
        learning_rate: Option<f64>, "RATE", default "by the optimizer", also "lr" "eta" "learning_rate_init" "learningrate";
        /// The share of the velocity that is kept at each step
        momentum: Option<f64>, "MOMENTUM";
        /// The share of the running mean of gradients that is kept at each step
        beta_1: Option<f64>, "BETA", also "beta1";
        /// The share of the running mean of squares that is kept at each step
        beta_2: Option<f64>, "BETA", also "beta2";
        /// The share of the running mean of squares that is kept at each step
        decay: Option<f64>, "DECAY";
        /// What is added to the root of the mean square
        epsilon: Option<f64>, "EPSILON", also "eps";
        /// How fast the momentum rises to beta_1
        momentum_decay: Option<f64>, "DECAY";
        /// The share of each weight that is subtracted at each step, times the learning rate
        weight_decay: Option<f64>, "FRACTION", also "wd";
        /// The search ends when no derivative is larger
        tolerance: Option<f64>, "DERIVATIVE", also "gtol" "tolerance_grad";
        /// How many batches make one step (gradient accumulation)
        accumulate: Option<usize>, "BATCHES", default "1", also "accumulation_steps" "gradient_accumulation_steps" "accumulate_grad_batches";
        /// The share that a running average of the weights keeps at each step, such as 0.999; the average is the model
        ema: Option<f64>, "FRACTION", also "ema_decay" "ema_momentum";
        /// How the learning rate changes
        schedule: Option<String>, "SCHEDULE" of Shape::NAMES, default "cosine, for lbfgs constant", also "scheduler" "lr_schedule" "lr_scheduler";
        /// The factor of step, exponential and plateau
        schedule_factor: Option<f64>, "FACTOR";
        /// The epochs between steps, or the patience of plateau
        schedule_epochs: Option<usize>, "EPOCHS";
        /// The fraction that cosine leaves at the end, or the part of one_cycle in which the rate rises
        schedule_part: Option<f64>, "FRACTION";
        /// The epochs in which the learning rate rises from zero
        warmup_epochs: Option<f64>, "EPOCHS";
        /// How gradients are computed
        gradient: Option<GradientMethod>, "METHOD" of GradientMethod::NAMES, default "back";
        /// The precision of matrix products in training (bf16 is rounded and faster, bf16x3 as exact as f32 and faster
        /// with AMX; weights stay f32)
        precision: Option<Precision>, "PRECISION" of Precision::NAMES, default "f32";
        /// The largest norm of the gradient; a larger one is scaled down
        clip_norm: Option<f64>, "NORM", also "grad_clip" "clipnorm" "gradient_clip" "max_grad_norm" "gradient_clipping";
        /// The metric of the validation rows that early stopping, plateau, progress and history watch
        metric: Option<Metric>, "METRIC" of Metric::NAMES, default "cost";
        /// Stop when the metric has not improved for that many epochs, 0 for never
        early_stopping: Option<usize>, "EPOCHS", default "20 with validation rows, 30 in an ensemble", also "patience" "early_stop";
        /// Calibrate the probabilities of classes with a temperature found on the validation rows
        calibrate: Option<bool>, "CALIBRATE", also "calibration" "temperature_scaling";
        /// Whether the rows come in a new order in each epoch
        shuffle: Option<bool>, "SHUFFLE", default "true";
        /// Random changes of images in training: `shift`, `shift:3`, `flip`, `shift,flip`; or `none`
        augment: Option<Augmentation>, "CHANGES", default "with convolutions a shift by a 28th of the side", also "augmentation" "data_augmentation";
        /// The seed of all random numbers
        seed: Option<u64>, "SEED", default "0", also "random_state" "random_seed";
        /// The number of threads; the result does not depend on it
        threads: Option<usize>, "THREADS", default "all", also "num_threads";
    }
    "Checkpoints" {
        /// Save the state of training in this folder, so that `--resume FOLDER` can continue after whatever ended it
        checkpoint: Option<PathBuf>, "FOLDER", also "checkpoints" "checkpoint_dir" "checkpoint_path" "save_dir";
        /// How often: epochs as `100`, steps as `500steps`, or a time as `30s`, `5m` or `1h`
        checkpoint_every: Option<Interval>, "INTERVAL", default "1m", also "save_every" "checkpoint_interval" "checkpoint_freq";
        /// How many checkpoints of each network are kept
        checkpoint_keep: Option<usize>, "CHECKPOINTS", default "2", also "keep_checkpoints" "max_to_keep" "save_total_limit" "save_top_k";
    }
    "" {
        /// Where the model is saved
        out: Option<PathBuf>, "FILE", default "model.safetensors, with --from model-tuned.safetensors", also "output" "save" "save_model" "model_out";
    }
}

/// A name without the mark that lets a keyword be one.
const fn bare(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

impl Settings {
    /// The key of the layers in full.
    pub(super) const NETWORK: &str = "network";

    /// Settings of JSON, which are read by code that is in this crate alone.
    ///
    /// # Errors
    /// If they have a key that is none, or a value that is none.
    pub fn of_json(json: serde_json::Value) -> serde_json::Result<Self> {
        serde_json::from_value(json)
    }

    /// The settings that a model's file holds; none where it holds none.
    ///
    /// # Errors
    /// If they have a key that is not read here, or a value that is none.
    pub fn of_model(configuration: &serde_json::Value) -> Result<Self> {
        const HELP: &str = "update pullback, or train the model again";
        if configuration.is_null() {
            return Ok(Self::default());
        }
        let names = || Self::LIST.iter().map(|setting| setting.name).chain([Self::NETWORK]);
        let mut keys = configuration.as_object().into_iter().flat_map(|own| own.keys());
        if let Some(key) = keys.find(|key| Self::key(key).is_none()) {
            let near = nearest_name(key, names()).map_or(String::new(), |near| format!(", perhaps `{near}`"));
            return Err(Error::model(format!("the settings in the model have an unknown key `{key}`{near}"))
                .help(HELP));
        }
        Self::of_json(configuration.clone()).map_err(|error| {
            Error::model(format!("the settings in the model cannot be read ({error})"))
                .help(HELP)
                .caused_by(error)
        })
    }
}

/// The `[network]` table of a configuration file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkTable {
    /// The shape of an example, where it is an image and the data do not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// All layers, the last dense one included.
    pub layers: Vec<Layer>,
}

/// Names of columns: in a file one or a list of them, in a flag with commas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Names(pub Vec<String>);

impl Names {
    /// The names that a flag gives, with commas between; a name with a comma may stand in quotes.
    pub fn split(text: &str) -> Self {
        let mut names = Vec::new();
        let mut rest = Some(text);
        while let Some(text) = rest {
            let (name, after) = match in_quotes(text) {
                Some((name, after)) => (name, after.strip_prefix(',')),
                None => match text.split_once(',') {
                    Some((name, after)) => (name.to_owned(), Some(after)),
                    None => (text.to_owned(), None),
                },
            };
            names.push(name);
            rest = after;
        }
        Self(names)
    }

    /// The same names, where those that a comma cut stand as columns have them: of names one after the other, as many are
    /// joined as make the name of a column.
    #[must_use]
    pub fn joined(&self, is_column: impl Fn(&str) -> bool) -> Self {
        let mut names = Vec::new();
        let mut rest = &self.0[..];
        while let Some(first) = rest.first() {
            let length = (1..=rest.len()).rev().find(|&length| is_column(&rest[..length].join(",")));
            let length = length.unwrap_or(1);
            names.push(if length > 1 { rest[..length].join(",") } else { first.clone() });
            rest = &rest[length..];
        }
        Self(names)
    }

    /// All names that they can be, where a comma may cut a name: each, and all of them in one.
    pub fn candidates(&self) -> Vec<String> {
        /// More pieces than that are names of their own.
        const MOST_PIECES: usize = 16;
        let mut all = self.0.clone();
        if (2..=MOST_PIECES).contains(&self.0.len()) {
            for from in 0..self.0.len() {
                all.extend((from + 2..=self.0.len()).map(|to| self.0[from..to].join(",")));
            }
        }
        all
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a text or a list of texts")]
        enum Form {
            One(String),
            More(Vec<String>),
        }
        Ok(Self(match Form::deserialize(from)? {
            Form::One(text) => vec![text],
            Form::More(texts) => texts,
        }))
    }
}

/// The units of hidden layers or the filters of convolutions: `128,64` or `none`; in a file also a number or a list of
/// numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden(pub Vec<usize>);

impl FromStr for Hidden {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        let units = text.split(',').map(|units| units.trim().parse().ok().filter(|&units| units > 0));
        units.collect::<Option<_>>().map(Self).ok_or_else(|| {
            super::configuration(
                format!("`{text}` is no list of positive numbers"),
                "write them with commas, for example `32,16`, or `none`",
            )
        })
    }
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        let units: Vec<String> = self.0.iter().map(usize::to_string).collect();
        f.write_str(&units.join(","))
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a number of units, a list of them, or \"none\"")]
        enum Form {
            Text(String),
            One(usize),
            More(Vec<usize>),
        }
        let text = match Form::deserialize(from)? {
            Form::Text(text) => text,
            Form::One(units) => units.to_string(),
            Form::More(units) => Self(units).to_string(),
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Value for Names {
    const FORM: Form = Form::List;
    fn is_open(&self) -> bool {
        self.0.is_empty()
    }
    fn read(text: &OsStr) -> Result<Self> {
        Ok(Self::split(utf8(text)?))
    }
}

/// The name in quotes that a text begins with, where two quotes are one, and the text after it: nothing or a comma.
fn in_quotes(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('"')?;
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return (after.is_empty() || after.starts_with(',')).then_some((name, after)),
        }
    }
}

/// What can be left open is read in one way for each type.
macro_rules! values {
    ($($type:ty: $form:ident, $read:expr;)*) => {
        $(impl Value for Option<$type> {
            const FORM: Form = Form::$form;
            fn is_open(&self) -> bool {
                self.is_none()
            }
            fn read(text: &OsStr) -> Result<Self> {
                let read: fn(&OsStr) -> Result<$type> = $read;
                read(text).map(Some)
            }
        })*
    };
}

values! {
    String: Text, |text| Ok(utf8(text)?.to_owned());
    PathBuf: Path, |text| Ok(PathBuf::from(text));
    bool: Switch, |text| match utf8(text)? {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(Error::configuration(format!("there is no `{other}`")).unknown(other, ["true", "false"])),
    };
    f64: Number, |text| {
        let text = utf8(text)?;
        text.parse().map_err(|_| super::configuration(format!("`{text}` is not a number"), "write one, for example 0.1"))
    };
    usize: Whole, whole;
    u64: Whole, whole;
    Hidden: Text, parsed;
    Embeddings: Text, parsed;
    Augmentation: Text, parsed;
    Batch: Text, parsed;
    Interval: Text, parsed;
    Time: Text, parsed;
    Task: Text, parsed;
    Scaling: Text, parsed;
    Imputation: Text, parsed;
    Activation: Text, parsed;
    Initializer: Text, parsed;
    Cost: Text, parsed;
    GradientMethod: Text, parsed;
    Metric: Text, parsed;
    Precision: Text, parsed;
}

fn utf8(text: &OsStr) -> Result<&str> {
    text.to_str().ok_or_else(|| {
        super::configuration(format!("`{}` is not UTF-8", text.display()), "write it in UTF-8")
    })
}

fn whole<T: FromStr<Err = std::num::ParseIntError>>(text: &OsStr) -> Result<T> {
    let text = utf8(text)?;
    text.parse().map_err(|error: std::num::ParseIntError| match error.kind() {
        std::num::IntErrorKind::PosOverflow => {
            super::configuration(format!("{text} is too large a number"), "give a smaller one")
        }
        _ => super::configuration(
            format!("`{text}` is not a whole number of at least 0"),
            "write one, for example 10",
        ),
    })
}

fn parsed<T: FromStr<Err = Error>>(text: &OsStr) -> Result<T> {
    utf8(text)?.parse()
}
