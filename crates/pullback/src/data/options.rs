//! What a user can say about data, in a flag, a configuration file or code; all of it optional.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::column::ColumnType;
use crate::choice::choices;

/// How a table becomes a data set, where the defaults are not what is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataOptions {
    /// The column to predict, or several columns of numbers or of yes and no; by default the one that the source is
    /// known to predict. In a file, one name or a list.
    #[serde(deserialize_with = "one_or_more")]
    pub target: Vec<String>,
    /// What kind of prediction; inferred by default.
    pub task: Option<Task>,
    /// Columns to leave out.
    pub ignore: Vec<String>,
    /// The column that says how many times each row counts; it is no input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// Columns whose inferred type is not what is meant.
    pub types: BTreeMap<String, ColumnType>,
    /// How numeric features are scaled.
    pub scaling: Scaling,
    /// What stands in for a missing cell of a feature.
    pub imputation: Imputation,
    /// Whether a column of numbers of which some are missing has an input that tells so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing_indicators: bool,
    /// How many levels of a column of texts are told apart at most: the most frequent ones; the others are one
    /// category.
    pub max_levels: usize,
    /// How the targets of a regression are scaled during training; predictions are always given in the target's own
    /// unit.
    pub target_scaling: TargetScaling,
}

impl Default for DataOptions {
    fn default() -> Self {
        Self {
            target: Vec::new(),
            task: None,
            ignore: Vec::new(),
            weights: None,
            types: BTreeMap::new(),
            scaling: Scaling::default(),
            imputation: Imputation::default(),
            missing_indicators: false,
            max_levels: Self::MAX_LEVELS,
            target_scaling: TargetScaling::default(),
        }
    }
}

impl DataOptions {
    /// How many levels are told apart if nobody says: each has a weight for every unit of the first layer.
    pub const MAX_LEVELS: usize = 10_000;
}

choices! {
    /// What is predicted.
    #[derive(Eq)]
    "task" Task as text {
        /// One of two classes, by one output: the probability of the second.
        Binary = "binary" | "binary_classification",
        /// One of several classes, by one output a class.
        Classes = "classes" | "classification" | "multiclass" | "classify",
        /// Numbers.
        Regression = "regression" | "regress",
        /// Several columns that are each yes or no, by one output a column: the probability of yes.
        Labels = "labels" | "multi_label" | "multilabel",
    }
}

choices! {
    /// How numeric features are scaled, by figures of the training rows: each column by its own, images
    /// by those of all their bytes.
    #[derive(Eq)]
    #[non_exhaustive]
    "scaling" Scaling as text, default "standardize" {
        /// To mean 0 and standard deviation 1.
        Standardize = "standardize" | "standard" | "zscore" | "z_score",
        /// To the range 0 to 1 (images: by the largest byte that the source can hold).
        MinMax = "min_max" | "minmax",
        /// By median and quartile range, and clipped smoothly to -3 and 3 (images: as `standardize`).
        Robust = "robust",
        /// As `robust` where a number is more than 5 standard deviations from the mean, else as `standardize`.
        Adaptive = "adaptive",
        /// To a standard normal distribution, by their rank among 256 quantiles (images: as `standardize`).
        Quantile = "quantile" | "quantile_normal",
        /// Not at all.
        None = "none",
    }
}

choices! {
    /// How the targets of a regression are scaled, by figures of the training rows: each column by its own.
    #[derive(Eq)]
    #[non_exhaustive]
    "target scaling" TargetScaling as text, default "standardize" {
        /// To mean 0 and standard deviation 1.
        Standardize = "standardize",
        /// Divided by their mean, which keeps zeros and signs: for costs with a log link, so that a network's first
        /// output of 0 means the mean of all rows.
        Mean = "mean",
        /// Not at all.
        None = "none",
    }
}

choices! {
    /// What stands in for a missing cell of a numeric feature, from the training rows. A missing
    /// category counts as a category of its own, or by [`Imputation::MostFrequent`] as the commonest.
    #[derive(Eq)]
    #[non_exhaustive]
    "imputation" Imputation as text, default "mean" {
        /// The mean.
        Mean = "mean",
        /// The median.
        Median = "median",
        /// The most frequent value; of equally frequent ones the smallest.
        MostFrequent = "most_frequent" | "mode",
    }
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a column name or a list of column names")]
    enum OneOrMore {
        One(String),
        More(Vec<String>),
    }
    Ok(match OneOrMore::deserialize(deserializer)? {
        OneOrMore::One(name) => vec![name],
        OneOrMore::More(names) => names,
    })
}
