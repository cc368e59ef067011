//! Data: tables of typed columns, and the numeric data sets that networks are trained on.
//!
//! The way of the data is [`Table`] (what was read) -> [`split()`] (which rows train) ->
//! [`Preprocessing`] (fitted on those rows only, stored in the model) -> [`Dataset`] (numbers) ->
//! the rows of one step after another. Reading files is left to the crate `pullback-data`; the data
//! sets that come with the library are in [`builtin`]. What memory does not hold is in a [`Store`].

pub mod builtin;

mod ahead;
mod boolean;
mod column;
mod concerns;
mod dataset;
mod features;
mod options;
mod order;
mod outside;
mod preprocess;
mod split;
mod store;
mod table;
mod targets;
mod time;

pub(crate) use ahead::Ahead;
pub use boolean::{mixes_yes_and_no, yes_or_no};
pub use column::{Bytes, Categories, Column, ColumnType, Times, Values};
pub use concerns::{Concern, ConcernKind, concerns};
pub use dataset::{Dataset, Input};
pub(crate) use features::check_whole_rows;
pub use features::{Features, FeaturesView, Part};
pub use options::{DataOptions, Imputation, Scaling, TargetScaling, Task};
pub(crate) use order::epoch_order;
pub use outside::Rows;
pub use preprocess::{
    Categorical, Encoding, Feature, MOST_PIECES, Numeric, Pixels, Preprocessing, Rare, Scale, Target,
    TargetColumn, Time, TimePart, Warning, strata,
};
pub use split::{Split, folds, folds_of_groups, split, split_by_time, split_groups};
pub use store::{Records, Store, StoredValues};
pub use table::Table;
pub use targets::Targets;
pub use time::days;
pub(crate) use time::written;
