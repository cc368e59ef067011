//! Numbers and functions of them, below everything else: types, special functions, bf16, random numbers.

pub(crate) mod bf16;
mod philox;
mod real;
pub mod special;

pub use philox::philox;
pub(crate) use real::PerType;
pub use real::Real;
