//! From plans to numbers.
//!
//! [`Executor`] walks a plan's instructions (`step` makes each ready, `stages` is what is done in place).
//! [`reference()`] runs a graph node by node with each
//! operation's own value and nothing else; everything faster is tested against it. A [`Machine`] says on what it runs.

mod executor;
mod machine;
mod reference;
mod stages;
mod step;

pub use executor::Executor;
pub use machine::Machine;
pub use pullback_kernels::{Isa, Precision};
pub use reference::{given, reference};
