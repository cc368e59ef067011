//! The numerical kernels of Pullback: numbers in, numbers out.
//!
//! This crate knows no graph and no network. It is the only crate of the project with `unsafe` code; every public
//! function is safe and checks lengths once, outside its loops. The same input gives the same bits on every
//! instruction set ([`Isa`]) and with any number of threads, except for products of reduced [`Precision`].
//!
//! # Glossary
//!
//! - **instruction set** ([`Isa`]): what the processor's vectors can do, such as AVX2; chosen once, at run time.
//! - **vector**, **lane**: a register of several numbers, and the place of one of them.
//! - **tail**: the numbers at the end of a slice that do not fill a vector.
//! - **mask**: of a vector, which lanes are read or written; of dropout, which units are kept.
//! - **fused multiply-add**: `a * b + c`, rounded once.
//! - **chain**: the multiply-adds that make one output number, in ascending k. Its order is fixed, so its bits are.
//! - **operand**: one of the two matrices of a product. **Depth**, or **k**: the size that they have in common.
//! - **step**: one index of k. **Stride**: the distance in memory from one row, column or step to the next.
//! - **transposed**: read with rows and columns exchanged; nothing moves in memory.
//! - **micro-kernel**: the innermost loop of a product. It computes a **tile** of the output in registers.
//! - **block size** in rows (MC), in k (KC), in columns (NC): how a product is cut so that operands stay in cache.
//! - **packing**: copying an operand into **panels**, in the order in which the micro-kernel reads it.
//! - **epilogue**: what is done to a finished block of the output while it is in cache, as an activation.
//! - **broadcast**: one number in every lane, or one row for every row.
//! - **im2col**: the pixels of each window of an image as a row of a matrix, so that a convolution is a product.
//! - **reduction**: many numbers to one, such as a sum.
//! - **gather**, **scatter-add**: reading rows by index, and adding rows to those of an index.
//! - **cache line**: 64 bytes, which a cache reads at once. **Prefetch**: asking for a line before it is needed.
//! - **huge page**: 2 MiB of memory with one entry in the page table instead of 512.
//! - **working set**: the memory that a loop uses again and again. **In cache**: small enough to stay in a cache.
//! - **spin**, **park**: to wait for another thread by reading in a loop, and by sleeping until it wakes this one.
// The vectors of other processors have no use there.
#![cfg_attr(target_family = "wasm", allow(dead_code, unused_imports))]

mod gemm;
mod image;
mod machine;
mod number;
mod rowwise;

pub use gemm::{
    Batch, Entries, Operand, PackedOperand, Start, batched_product, entries_gradient, entries_product,
    plain_product, product, product_beside, product_packed, product_with,
};
pub use image::{Windows, convolve, convolve_transposed, filter_gradient, max_pool, route_to_max};
pub use machine::{Array, Isa, Pool, Precision, Workspace};
#[doc(hidden)]
pub use number::PerType;
pub use number::{Real, philox, special};
pub use rowwise::{
    ByteScale, MaskAddress, RowIndex, dot, dropout_mask, gather, gather_bytes, gather_rows, log_softmax, map,
    map_in_place, max, max_columns, max_rows, philox_by_vectors, scatter_add_rows, sigmoid_cross_entropy,
    softmax, softmax_cross_entropy, sum, sum_columns, sum_rows, update, zip, zip_column, zip_column_in_place,
    zip_in_place, zip_row, zip_row_in_place, zip3,
};
