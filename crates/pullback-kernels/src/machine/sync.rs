//! The types by which threads synchronize: the standard ones, or in a build with `--cfg loom` those of a model that
//! tries every order which the memory model allows (`tests/pool_model.rs`).

#[cfg(loom)]
mod model;

#[cfg(loom)]
pub(crate) use model::*;
#[cfg(not(loom))]
pub(crate) use std::{
    hint::spin_loop,
    sync::{Arc, atomic},
    thread,
};

/// How many threads the machine runs at once.
#[cfg(not(loom))]
pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// `std`'s cell with the interface of loom's, which watches each use of the pointer.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(core::cell::UnsafeCell::new(value))
    }

    pub(crate) fn with_mut<R>(&self, work: impl FnOnce(*mut T) -> R) -> R {
        work(self.0.get())
    }
}
