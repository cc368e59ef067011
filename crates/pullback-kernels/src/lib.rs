//! The numerical kernels of Pullback: numbers in, numbers out.
//!
//! This crate knows no graph and no network. It is the only crate of the
//! project with `unsafe` code; every public function is safe and checks lengths
//! once, outside its loops.

mod product;
mod real;
pub mod special;

pub use product::{Operand, product};
pub use real::Real;
