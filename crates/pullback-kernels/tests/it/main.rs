//! The tests of the kernels: each against a plain reference.

mod array;
mod entries;
mod images;
mod product;
mod random;
mod reduced;
mod rows;
mod slices;
mod special;
mod threads;
