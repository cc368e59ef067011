//! What is done number by number or row by row: maps, reductions, softmax, gathering, dropout, optimizer steps.

mod elementwise;
mod gather;
mod mask;
mod reduce;
mod softmax;
pub mod update;

pub use elementwise::{
    map, map_in_place, zip, zip_column, zip_column_in_place, zip_in_place, zip_row, zip_row_in_place, zip3,
};
pub use gather::{ByteScale, RowIndex, gather, gather_bytes, gather_rows, scatter_add_rows};
pub use mask::{MaskAddress, dropout_mask, philox_by_vectors};
pub use reduce::{dot, max, max_columns, max_rows, sum, sum_columns, sum_rows};
pub use softmax::{log_softmax, sigmoid_cross_entropy, softmax, softmax_cross_entropy};
