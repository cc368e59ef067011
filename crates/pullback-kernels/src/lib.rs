//! The numerical kernels of Pullback: numbers in, numbers out.
//!
//! This crate knows no graph and no network. It is the only crate of the
//! project with `unsafe` code; every public function is safe and checks lengths
//! once, outside its loops.
//!
//! The same input gives the same bits on every instruction set ([`Isa`]) and
//! with any number of threads, but for products of reduced [`Precision`], which say what holds for them.

mod array;
mod balance;
mod convolution;
pub mod dispatch;
mod elementwise;
mod images;
mod precision;
mod product;
mod random;
mod real;
mod reduce;
mod rows;
mod softmax;
pub mod special;
mod sync;
mod threads;
mod tile;
pub mod update;
mod vector;
mod workspace;

pub use array::Array;
pub use convolution::{convolve, convolve_transposed, filter_gradient};
pub use dispatch::Isa;
pub use elementwise::{
    map, map_in_place, zip, zip_column, zip_column_in_place, zip_in_place, zip_row, zip_row_in_place, zip3,
};
pub use images::{Windows, max_pool, route_to_max};
pub use precision::Precision;
pub use product::{
    Batch, Operand, PackedOperand, Start, batched_product, product, product_beside, product_packed,
    product_with,
};
pub use random::{MaskAddress, dropout_mask, philox};
pub use real::Real;
pub use reduce::{dot, max, max_columns, max_rows, sum, sum_columns, sum_rows};
pub use rows::{ByteScale, RowIndex, gather, gather_bytes, gather_rows, scatter_add_rows};
pub use softmax::{log_softmax, sigmoid_cross_entropy, softmax, softmax_cross_entropy};
pub use threads::Pool;
pub use workspace::Workspace;
