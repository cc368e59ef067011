//! From plans to numbers.
//!
//! [`Executor`] walks a plan's instructions (`step` makes each ready, `stages` is what is done in place). A [`Backend`]
//! runs whole steps; the executor is one, [`Reference`] another. [`reference()`] runs a graph node by node with each
//! operation's own value and nothing else; everything faster is tested against it. A [`Machine`] says on what it runs.

mod backend;
mod compiled;
mod executor;
mod given;
mod machine;
mod packed;
mod reference;
mod rules;
mod stages;
mod step;

pub use backend::{Backend, Reference};
pub use executor::Executor;
pub use machine::Machine;
pub use packed::Packed;
pub use pullback_kernels::{Isa, MaskAddress, Precision};
pub use reference::{given, reference, reference_with};
pub use rules::{Rules, StepRules};
