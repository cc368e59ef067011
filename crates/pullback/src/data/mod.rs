//! Data: tables of typed columns, and the numeric data sets that networks are trained on.
//!
//! The way of the data is [`Table`] (what was read) -> [`split()`] (which rows train) ->
//! [`Preprocessing`] (fitted on those rows only, stored in the model) -> [`Dataset`] (numbers) ->
//! [`batches`] (the rows of one step). Reading files is left to the crate `pullback-data`; the data
//! sets that come with the library are in [`builtin`].

pub mod builtin;

mod batches;
mod column;
mod dataset;
mod options;
mod preprocess;
mod split;
mod table;

pub use batches::{batches, epoch_order};
pub use column::{Bytes, Categories, Column, ColumnType, Values};
pub use dataset::{Dataset, Features, Targets};
pub use options::{DataOptions, Imputation, Scaling, Task};
pub use preprocess::{Encoding, Feature, Preprocessing, Target, TargetColumn, Warning, strata};
pub use split::{Split, split};
pub use table::Table;
