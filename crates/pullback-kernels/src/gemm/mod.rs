//! Products of matrices, each operand possibly read as its transpose.
//!
//! The output is cut into tiles, which a micro-kernel computes in registers. Around it stand the usual loops over
//! blocks of columns (NC), of k (KC) and of rows (MC) (Goto, van de Geijn, "Anatomy of high-performance matrix
//! multiplication", 2008). Operands are packed into panels only where that is faster than reading them in place.
//! Whatever the blocks, each output number is one chain of fused multiply-adds in ascending k; between two blocks of
//! k it is stored in the output. So its bits do not depend on the instruction set, the threads, or the block sizes.
//!
//! Of an operand that is full of zeros, only the other numbers are multiplied (`sparse`); where these are listed, the
//! zeros need not even be there (`entries`). In reduced precision,
//! matrices are multiplied through bf16 (`reduced`).

mod api;
mod batched;
mod block;
mod entries;
mod kernel;
mod microkernel;
mod pack;
mod packed;
mod reduced;
mod skip;
mod sparse;

pub use api::{Operand, Start, plain_product, product, product_beside, product_with};
pub use batched::{Batch, batched_product};
pub use entries::{Entries, entries_gradient, entries_product};
pub(crate) use kernel::Kernel;
pub(crate) use microkernel::Tile;
pub use packed::{PackedOperand, product_packed};
