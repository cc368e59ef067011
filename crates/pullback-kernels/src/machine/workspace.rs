//! What kernels use beside their operands: an instruction set, threads, and memory for packed operands.

use super::balance::{Balance, equal_part};
use super::memory::Line;
use super::threads::Pool;
use super::tuning::{ROWS_UNIT, WORTH_A_THREAD};
use super::{Isa, Precision};
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Whether the target has threads: without them, what would start some is left out of the program.
const HAS_THREADS: bool = !cfg!(target_family = "wasm");

/// How kernels run, and the memory in which products pack operands: it is reused, so it is allocated once.
///
/// ```
/// use pullback_kernels::{Isa, Workspace};
/// let (mut squares, mut sums) = ([0; 100], [0; 200]);
/// let (columns, nanoseconds) = ([1, 2], 20_000);
/// let arrays = [&mut squares[..], &mut sums[..]];
/// Workspace::new(Isa::best(), 2).share_rows(100, nanoseconds, arrays, columns, |rows, [squares, sums]| {
///     for (i, row) in rows.enumerate() {
///         squares[i] = row * row;
///         sums[2 * i + 1] = row + row;
///     }
/// });
/// assert_eq!((squares[99], sums[198], sums[199]), (9801, 0, 198));
/// ```
#[derive(Debug)]
pub struct Workspace {
    isa: Isa,
    precision: Precision,
    panels: Vec<Panels>,
    /// Operands that are converted once and read by all threads.
    pub(crate) converted: Vec<Line>,
    /// Made when a kernel first uses more than one thread.
    pool: Option<Pool>,
    /// How fast the threads are at each kind of work.
    balances: [Balance; Work::COUNT],
}

/// Kinds of work: one core may be much faster than another at one of them and no faster at the others.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Work {
    /// Work on rows, mostly reading and writing.
    Rows,
    /// Multiplication by vectors.
    Vectors,
    /// Multiplication by tiles.
    Tiles,
}

impl Work {
    const COUNT: usize = 3;
}

/// The memory of one thread: packed operands, and what a product keeps meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Panels {
    pub(crate) left: Vec<Line>,
    pub(crate) right: Vec<Line>,
    /// Unfinished sums.
    pub(crate) sums: Vec<Line>,
    /// For each row and block of steps, a bit for each number: whether it is not zero.
    pub(crate) bits: Vec<u64>,
    /// How long the thread took for its last part.
    nanoseconds: u64,
}

impl Workspace {
    /// A workspace for `isa` and up to `threads` threads (at least one).
    pub fn new(isa: Isa, threads: usize) -> Self {
        let threads = threads.max(1);
        let mut panels = Vec::new();
        panels.resize_with(threads, Panels::default);
        Self {
            isa,
            precision: Precision::F32,
            panels,
            converted: Vec::new(),
            pool: None,
            balances: core::array::from_fn(|_| Balance::new(threads)),
        }
    }

    /// The same with products of f32 matrices computed in that precision; those of f64 stay as they are.
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The instruction set that is used.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The precision of products.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Cuts the rows of some arrays into parts and calls `task` for each with its rows and its piece of each array. It
    /// uses as many threads as pay for `nanoseconds`, the time that all of it takes on one thread, about.
    ///
    /// `columns` says how many elements of each array make a row. What the task writes for a row must not
    /// depend on where the parts are cut.
    ///
    /// # Panics
    /// If an array does not have `rows` rows, or the task panics.
    pub fn share_rows<T: Send, const N: usize>(
        &mut self,
        rows: usize,
        nanoseconds: usize,
        arrays: [&mut [T]; N],
        columns: [usize; N],
        task: impl Fn(Range<usize>, [&mut [T]; N]) + Sync,
    ) {
        self.share_rows_and_panels(rows, ROWS_UNIT, nanoseconds, arrays, columns, |rows, arrays, _| {
            task(rows, arrays)
        });
    }

    /// The same with panels for each part, and parts that begin at multiples of `unit` rows.
    pub(crate) fn share_rows_and_panels<T: Send, const N: usize>(
        &mut self,
        rows: usize,
        unit: usize,
        nanoseconds: usize,
        arrays: [&mut [T]; N],
        columns: [usize; N],
        task: impl Fn(Range<usize>, [&mut [T]; N], &mut Panels) + Sync,
    ) {
        for (array, columns) in arrays.iter().zip(columns) {
            assert_eq!(Some(array.len()), rows.checked_mul(columns), "{rows} rows of {columns}");
        }
        let arrays = arrays.map(Exclusive::new);
        self.share(Work::Rows, self.parts(nanoseconds), rows, unit, |rows, panels| {
            let pieces = core::array::from_fn(|n| {
                let (start, length) = (rows.start * columns[n], rows.len() * columns[n]);
                // SAFETY: inside the array, whose length was checked; no two parts have a row in common, and
                // each is called once.
                unsafe { core::slice::from_raw_parts_mut(arrays[n].at(start), length) }
            });
            task(rows, pieces, panels);
        });
    }

    /// The panels of the first part, which always runs: its memory can hold what all parts read.
    pub(crate) fn own_panels(&mut self) -> &mut Panels {
        &mut self.panels[0]
    }

    /// The number of threads for work that takes about `nanoseconds` on one.
    pub(crate) fn parts(&self, nanoseconds: usize) -> usize {
        (nanoseconds / WORTH_A_THREAD).clamp(1, self.panels.len())
    }

    /// How fast the threads are believed to be.
    #[cfg(test)]
    pub(crate) fn balance_mut(&mut self, work: Work) -> &mut Balance {
        &mut self.balances[work as usize]
    }

    /// Cuts `0..size` into a part for each thread, at multiples of `unit`, and calls `task` for each that is not empty.
    /// A thread gets much the same part every time; its size is proportional to the thread's speed at that kind of
    /// work.
    pub(crate) fn share(
        &mut self,
        work: Work,
        threads: usize,
        size: usize,
        unit: usize,
        task: impl Fn(Range<usize>, &mut Panels) + Sync,
    ) {
        if threads == 1 || !HAS_THREADS {
            return task(0..size, &mut self.panels[0]);
        }
        let Self { pool, panels, balances, .. } = self;
        let balance = &mut balances[work as usize];
        // Where there are no other threads, there may be no clock either.
        let is_timed = pool.as_ref().is_some_and(Pool::has_workers) && balance.is_timed_now();
        let cut = &*balance;
        run(pool, panels, threads, |i, panels| {
            let start = is_timed.then(Instant::now);
            let part = cut.part(i, threads, size, unit);
            if !part.is_empty() {
                task(part, panels);
            }
            if let Some(start) = start {
                panels.nanoseconds = start.elapsed().as_nanos() as u64;
            }
        });
        if is_timed {
            balance.learn(threads, size, unit, |i| panels[i].nanoseconds);
        }
    }

    /// Cuts `0..size` into `parts` equal parts, at multiples of `unit`, and calls `task` for each that is not empty.
    /// Each thread begins with the same part every time, then takes the next one that nobody has taken: a thread whose
    /// core other programs use delays the rest by one part at most.
    pub(crate) fn share_in_turn(
        &mut self,
        parts: usize,
        size: usize,
        unit: usize,
        task: impl Fn(Range<usize>, &mut Panels) + Sync,
    ) {
        let threads = self.panels.len().min(parts);
        let next = AtomicUsize::new(threads);
        run(&mut self.pool, &mut self.panels, threads, |own, panels| {
            let mut i = own;
            while i < parts {
                let part = equal_part(i, parts, size, unit);
                if !part.is_empty() {
                    task(part, panels);
                }
                // What a part writes becomes visible to the caller at the end of `run`.
                i = next.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
}

/// Calls `task` once for each part, of which there are at most as many as threads, each with panels of
/// its own.
fn run(
    pool: &mut Option<Pool>,
    panels: &mut [Panels],
    parts: usize,
    task: impl Fn(usize, &mut Panels) + Sync,
) {
    assert!(parts <= panels.len(), "more parts than threads");
    if parts == 1 || !HAS_THREADS {
        return (0..parts).for_each(|i| task(i, &mut panels[i]));
    }
    // The first time, and after a fork.
    let pool = match pool.take().filter(Pool::is_alive) {
        Some(alive) => pool.insert(alive),
        None => pool.insert(Pool::new(panels.len())),
    };
    let panels = Exclusive::new(panels);
    pool.run(parts, |i| {
        // SAFETY: there are at least as many panels as parts, and the pool calls each i once.
        task(i, unsafe { &mut *panels.at(i) });
    });
}

/// The beginning of a slice of which each thread uses elements of its own.
pub(crate) struct Exclusive<T>(*mut T);

// SAFETY: whoever calls `at` for an index is the only one to use that element.
unsafe impl<T: Send> Sync for Exclusive<T> {}

impl<T> Exclusive<T> {
    pub(crate) fn new(slice: &mut [T]) -> Self {
        Self(slice.as_mut_ptr())
    }

    pub(crate) fn at(&self, i: usize) -> *mut T {
        self.0.wrapping_add(i)
    }
}
