//! Numbers and functions of them, below everything else: types, special functions, bf16, random numbers.

pub(crate) mod bf16;
#[cfg(any(test, target_family = "wasm"))]
mod fused;
mod philox;
mod real;
pub mod special;

pub use philox::philox;
pub use real::{PerType, Real};
