//! What a computation runs on: an instruction set, a number of threads, the precision of products.

use pullback_kernels::{Isa, Precision};

/// What a computation runs on. In full precision, none of it changes a bit of a result.
///
/// ```
/// use pullback_graph::execute::{Isa, Machine};
/// let machine = Machine { isa: Isa::portable(), ..Machine::with_threads(2) };
/// assert_eq!(machine.thread_count(), 2);
/// assert!(Machine::default().thread_count() >= 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// The instruction set; by default the best one that the processor has.
    pub isa: Isa,
    /// How many threads may work; 0, the default, for as many as the processor runs.
    pub threads: usize,
    /// The precision in which f32 matrices are multiplied; by default f32.
    pub precision: Precision,
}

impl Default for Machine {
    fn default() -> Self {
        Self::with_threads(0)
    }
}

impl Machine {
    /// The default machine with that many threads.
    pub fn with_threads(threads: usize) -> Self {
        Self { isa: Isa::best(), threads, precision: Precision::F32 }
    }

    /// The number of threads that may work, at least 1: the only place that says what 0 means.
    pub fn thread_count(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }
}
