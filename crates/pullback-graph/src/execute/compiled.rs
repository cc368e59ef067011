//! Where the kernels that a plan runs are compiled: here, once for each type of numbers.
//!
//! What is generic is compiled in every crate that calls it. Behind the executor are all kernels, for every instruction
//! set: several megabytes that the command and the Python module would each have once more. So the executor calls them
//! through a table of functions, of which there is one for `f32` and one for `f64`. In the page it calls them directly:
//! there each type is compiled where it is used, to be fast in f32 and small in f64.

use super::Rules;
use super::executor::Executor;
use super::step::{Numbers, Residents, Step};
use crate::plan::Instruction;
use pullback_kernels::{Real, Workspace};
use std::ops::Range;

/// What an executor does that needs kernels.
#[expect(clippy::type_complexity, reason = "each is the type of the one function that it is made of")]
pub(super) struct Compiled<T: Real> {
    pub(super) run: fn(&mut Executor<T>, &dyn Residents<T>, Range<usize>),
    pub(super) change: fn(
        &Step<T>,
        &Instruction,
        &Numbers<'_, T>,
        &mut [T],
        [&mut [T]; 4],
        &dyn Rules<T>,
        (&mut Vec<T>, &mut Workspace),
    ),
}

impl<T: Real> Compiled<T> {
    const fn here() -> Self {
        Self { run: Executor::run_steps, change: Step::change }
    }
}

/// The functions for a type of numbers.
#[cfg(target_family = "wasm")]
pub(super) fn compiled<T: Real>() -> &'static Compiled<T> {
    const { &Compiled::here() }
}

/// The functions for a type of numbers.
#[cfg(not(target_family = "wasm"))]
pub(super) fn compiled<T: Real>() -> &'static Compiled<T> {
    static F32: Compiled<f32> = Compiled::here();
    static F64: Compiled<f64> = Compiled::here();
    struct Choice;
    impl pullback_kernels::PerType for Choice {
        type Of<T: Real> = &'static Compiled<T>;
        fn for_f32(self) -> &'static Compiled<f32> {
            &F32
        }
        fn for_f64(self) -> &'static Compiled<f64> {
            &F64
        }
    }
    T::choose(Choice)
}
