//! The machine: instruction sets, vectors, memory, threads, and the constants that were chosen by measuring it.

#[cfg(target_arch = "x86_64")]
mod amx;
mod balance;
mod isa;
pub(crate) mod memory;
mod precision;
mod sync;
mod threads;
pub(crate) mod tuning;
pub(crate) mod vector;
mod workspace;

pub use isa::Isa;
pub(crate) use isa::Set;
pub use memory::Array;
pub use precision::Precision;
pub use threads::Pool;
pub use workspace::Workspace;
pub(crate) use workspace::{Exclusive, Panels, Work};
