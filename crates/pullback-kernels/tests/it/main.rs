//! The tests of the kernels: each against a plain reference.

mod slices;
mod special;
