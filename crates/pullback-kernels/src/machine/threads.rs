//! A pool of threads that start on a task, and report back, within microseconds.
//!
//! A task is cut into parts by the caller, in a way that does not depend on the threads; the pool only
//! decides who runs which. Each worker has a slot of its own: the caller puts a job there and the
//! worker takes it; it spins on the slot for a while, then parks. An idle pool uses no
//! processor time. If the pool is busy (nested use, a second user) or its workers did not survive a
//! `fork`, the caller runs all parts itself, with the same result.

use core::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use super::sync::thread::{self, JoinHandle, Thread};
use super::sync::{Arc, UnsafeCell, processors, spin_loop};
use super::tuning::SPINS;

/// The worker has nothing to do and spins: the caller may write the job.
const IDLE: u8 = 0;
/// The same, but the worker is parked.
const PARKED: u8 = 1;
/// The worker may read the job.
const READY: u8 = 2;
/// The worker ends.
const STOP: u8 = 3;

/// Threads that wait for parts of tasks.
pub struct Pool {
    workers: Vec<Worker>,
    is_busy: AtomicBool,
    spins: usize,
    /// The process that the workers live in.
    process: u32,
}

struct Worker {
    slot: Arc<Slot>,
    handle: JoinHandle<()>,
}

/// Where a worker finds its job. It has cache lines of its own, so that spinning on it slows nobody down.
#[repr(align(128))]
struct Slot {
    state: AtomicU8,
    job: UnsafeCell<Option<Job>>,
}

// SAFETY: `job` is written only by the one caller that holds `is_busy`, before it sets `READY`, and read
// only by the worker, after it has seen `READY` and before it reports the part as done; the caller
// writes again only after that report. What a job points to may be shared (`Sync`) and outlives it.
unsafe impl Sync for Slot {}
// SAFETY: as above.
unsafe impl Send for Slot {}

#[derive(Clone)]
struct Job {
    task: *const (dyn Fn(usize) + Sync + 'static),
    part: usize,
    progress: *const Progress,
    caller: Thread,
}

struct Progress {
    remaining: AtomicUsize,
    has_panicked: AtomicBool,
}

impl Pool {
    /// A pool for tasks of up to `threads` parts at once, the caller's included.
    ///
    /// Where the system gives fewer threads, the caller does their work.
    pub fn new(threads: usize) -> Self {
        // With fewer processors than threads, a thread that spins would keep another from working.
        let spins = if threads <= processors() { SPINS } else { 0 };
        let workers: Vec<Worker> = (1..threads).map_while(|_| Worker::start(spins)).collect();
        // Not every platform has processes; those have no threads either.
        let process = if workers.is_empty() { 0 } else { std::process::id() };
        Self { workers, is_busy: AtomicBool::new(false), spins, process }
    }

    /// Whether the workers live in this process, and not in the one that it was forked from.
    pub fn is_alive(&self) -> bool {
        self.workers.is_empty() || self.process == std::process::id()
    }

    /// Whether there are threads beside the caller's.
    pub(crate) fn has_workers(&self) -> bool {
        !self.workers.is_empty()
    }

    /// Calls `task(part)` once for each part below `parts`, on several threads, and returns when all are done.
    ///
    /// # Panics
    /// If the task panics in some part, after all parts have ended.
    pub fn run(&self, parts: usize, task: impl Fn(usize) + Sync) {
        let helpers = self.workers.len().min(parts.saturating_sub(1));
        let is_ours = helpers > 0
            && self.is_alive()
            && self.is_busy.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok();
        if !is_ours {
            (0..parts).for_each(task);
            return;
        }
        let progress =
            Progress { remaining: AtomicUsize::new(helpers), has_panicked: AtomicBool::new(false) };
        let task: &(dyn Fn(usize) + Sync) = &task;
        // SAFETY: only the lifetime changes; this function does not return, nor unwind, before every
        // worker has reported its part as done, after which it does not use the pointer.
        let task_for_workers = unsafe {
            core::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), *const (dyn Fn(usize) + Sync + 'static)>(
                task,
            )
        };
        let caller = thread::current();
        for (i, worker) in self.workers[..helpers].iter().enumerate() {
            let job = Job {
                task: task_for_workers,
                part: i + 1,
                progress: &raw const progress,
                caller: caller.clone(),
            };
            // SAFETY: this thread holds `is_busy`, and the worker's last job is done: see `Slot`.
            unsafe { worker.give(job) };
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            task(0);
            (helpers + 1..parts).for_each(task);
        }));
        wait(self.spins, || progress.remaining.load(Ordering::Acquire) == 0);
        self.is_busy.store(false, Ordering::Release);
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
        assert!(
            !progress.has_panicked.load(Ordering::Relaxed),
            "a part of a task panicked on another thread"
        );
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("workers", &self.workers.len()).finish_non_exhaustive()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let is_alive = self.is_alive();
        for worker in self.workers.drain(..) {
            if is_alive {
                worker.tell(STOP);
                // A worker catches the panics of its tasks, and this is no place to panic.
                let _ = worker.handle.join();
            }
        }
    }
}

impl Worker {
    /// Starts a worker, if the system gives a thread.
    fn start(spins: usize) -> Option<Self> {
        let slot = Arc::new(Slot { state: AtomicU8::new(IDLE), job: UnsafeCell::new(None) });
        let own_slot = Arc::clone(&slot);
        let handle =
            thread::Builder::new().name("pullback".into()).spawn(move || own_slot.work(spins)).ok()?;
        Some(Self { slot, handle })
    }

    /// # Safety
    /// The caller must be the pool's one user, and the worker's last job done.
    unsafe fn give(&self, job: Job) {
        // SAFETY: the worker reads the job only after `READY` below: see `Slot`.
        self.slot.job.with_mut(|slot| unsafe { *slot = Some(job) });
        self.tell(READY);
    }

    /// Changes the worker's state, and wakes it if it was parked.
    fn tell(&self, state: u8) {
        if self.slot.state.swap(state, Ordering::Release) == PARKED {
            self.handle.thread().unpark();
        }
    }
}

impl Slot {
    /// The life of a worker.
    fn work(&self, spins: usize) {
        loop {
            let has_changed = || self.state.load(Ordering::Acquire) >= READY;
            if !spin(spins, has_changed) {
                // Fails if the state has changed. Whoever changes it later sees that this thread is parked.
                let _ = self.state.compare_exchange(IDLE, PARKED, Ordering::Relaxed, Ordering::Relaxed);
                while !has_changed() {
                    thread::park();
                }
            }
            if self.state.load(Ordering::Relaxed) == STOP {
                return;
            }
            // SAFETY: `READY` was seen, so the caller has written the job and does not touch it: see `Slot`.
            let job = self.job.with_mut(|slot| unsafe { (*slot).take() });
            let Job { task, part, progress, caller } = job.expect("a ready slot holds a job");
            self.state.store(IDLE, Ordering::Relaxed);
            // SAFETY: the caller waits for this part before the task's life ends.
            let outcome = catch_unwind(AssertUnwindSafe(|| unsafe { (*task)(part) }));
            // SAFETY: the caller waits for the decrement; after it nothing of the caller's is used.
            let remaining = unsafe {
                if outcome.is_err() {
                    (*progress).has_panicked.store(true, Ordering::Relaxed);
                }
                (*progress).remaining.fetch_sub(1, Ordering::Release) - 1
            };
            if remaining == 0 {
                caller.unpark();
            }
        }
    }
}

/// Spins until `is_done`, at most `spins` times; returns whether it is done.
fn spin(spins: usize, is_done: impl Fn() -> bool) -> bool {
    for _ in 0..spins {
        if is_done() {
            return true;
        }
        spin_loop();
    }
    is_done()
}

/// Spins, then parks, until `is_done`; whoever makes it so unparks this thread.
fn wait(spins: usize, is_done: impl Fn() -> bool) {
    if !spin(spins, &is_done) {
        while !is_done() {
            thread::park();
        }
    }
}
