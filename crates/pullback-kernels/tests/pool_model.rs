//! The pool of threads in every order that the memory model allows, by loom:
//! `RUSTFLAGS="--cfg loom" cargo test --release -p pullback-kernels --test pool_model --target-dir target/loom`.
//!
//! A wake-up that is lost shows as a deadlock, a write that is not visible as a race on a [`Cell`].
//! In a pool of two the worker spins before it parks, in one of three the workers park at once.

#![cfg(loom)]

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use pullback_kernels::Pool;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// A number without protection of its own.
struct Cell(UnsafeCell<usize>);

// SAFETY: whether uses overlap is what the models find out.
unsafe impl Sync for Cell {}
// SAFETY: as above.
unsafe impl Send for Cell {}

impl Cell {
    fn add_one(&self) {
        // SAFETY: the pointer lives as long as the cell; loom checks that nobody else uses it.
        self.0.with_mut(|number| unsafe { *number += 1 });
    }
    fn get(&self) -> usize {
        // SAFETY: as above.
        self.0.with(|number| unsafe { *number })
    }
}

fn cells(count: usize) -> Vec<Cell> {
    (0..count).map(|_| Cell(UnsafeCell::new(0))).collect()
}

/// Runs a task and holds that each part ran once, with what it wrote visible.
fn check(pool: &Pool, parts: usize) {
    let cells = cells(parts);
    pool.run(parts, |part| cells[part].add_one());
    assert!(cells.iter().all(|cell| cell.get() == 1));
}

/// Every order with at most `switches` switches away from a thread that could go on.
fn model(switches: usize, run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(switches);
    builder.check(run);
}

#[test]
fn a_pool_that_is_not_used_ends() {
    model(3, || drop(Pool::new(3)));
}

#[test]
fn every_part_runs_once_and_is_visible() {
    model(3, || check(&Pool::new(2), 3));
}

#[test]
fn a_worker_that_sleeps_again_is_woken_again() {
    model(3, || {
        let pool = Pool::new(2);
        check(&pool, 2);
        check(&pool, 2);
    });
}

#[test]
fn two_workers_are_both_woken() {
    model(2, || check(&Pool::new(3), 4));
}

#[test]
fn a_nested_task_runs_on_the_thread_that_asks() {
    model(3, || {
        let pool = Pool::new(2);
        pool.run(2, |_| check(&pool, 2));
    });
}

#[test]
fn a_second_user_runs_its_parts_itself() {
    model(3, || {
        let pool = Arc::new(Pool::new(2));
        let second = Arc::clone(&pool);
        let user = loom::thread::spawn(move || check(&second, 2));
        check(&pool, 2);
        user.join().expect("the second user does not panic");
    });
}

#[test]
fn a_panic_in_any_part_reaches_the_caller_after_all_parts() {
    for bad in [0, 1] {
        model(3, move || {
            let pool = Pool::new(2);
            let cells = cells(2);
            let task = |part: usize| {
                cells[part].add_one();
                if part == bad {
                    resume_unwind(Box::new("bad")); // a panic without a message
                }
            };
            assert!(catch_unwind(AssertUnwindSafe(|| pool.run(2, task))).is_err());
            assert!(cells.iter().all(|cell| cell.get() == 1));
            check(&pool, 2);
        });
    }
}
