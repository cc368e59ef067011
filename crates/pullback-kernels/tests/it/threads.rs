//! The pool of threads: every part once, whoever uses it.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pullback_kernels::{Isa, Operand, Pool, Start, Workspace, product_with};

/// Runs a task and holds that each part ran once.
fn check(pool: &Pool, parts: usize) {
    let counts: Vec<AtomicUsize> = (0..parts).map(|_| AtomicUsize::new(0)).collect();
    pool.run(parts, |part| {
        counts[part].fetch_add(1, Ordering::Relaxed);
    });
    assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1), "{parts} parts");
}

#[test]
fn every_part_runs_once() {
    for threads in [0, 1, 2, 3, 7] {
        let pool = Pool::new(threads);
        for round in 0..2000 {
            check(&pool, round % 12);
        }
    }
}

#[test]
fn nested_tasks_run_every_part_once() {
    let pool = Pool::new(3);
    for _ in 0..200 {
        pool.run(3, |_| check(&pool, 5));
    }
}

#[test]
fn two_users_at_once_run_every_part_once() {
    let pool = Pool::new(3);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..1000).for_each(|_| check(&pool, 4)));
        }
    });
}

#[test]
fn panic_in_any_part_reaches_the_caller_and_spares_the_pool() {
    let pool = Pool::new(3);
    for bad in 0..5 {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            pool.run(5, |part| assert!(part != bad, "part {part} is bad"));
        }));
        assert!(outcome.is_err());
        check(&pool, 5);
        // On its threads, and not all on the caller's, as for a pool that is busy.
        let threads = Mutex::new(HashSet::new());
        pool.run(3, |_| {
            threads.lock().unwrap().insert(std::thread::current().id());
        });
        assert_eq!(threads.into_inner().unwrap().len(), 3);
    }
}

#[test]
fn every_row_is_shared_out_once() {
    for threads in [1, 2, 3, 7] {
        let mut workspace = Workspace::new(Isa::best(), threads);
        for rows in [0, 1, 2, 15, 16, 17, 31, 33, 64, 97, 1000] {
            for nanoseconds in [0, 12_000, 1_000_000] {
                let (mut ones, mut nothing, mut threes) = (vec![0; rows], [], vec![0; 3 * rows]);
                let arrays = [&mut ones[..], &mut nothing, &mut threes];
                workspace.share_rows(
                    rows,
                    nanoseconds,
                    arrays,
                    [1, 0, 3],
                    |range, [ones, nothing, threes]| {
                        assert_eq!(
                            (ones.len(), nothing.len(), threes.len()),
                            (range.len(), 0, 3 * range.len())
                        );
                        for (i, row) in range.enumerate() {
                            ones[i] += row + 1;
                            threes[3 * i..][..3].iter_mut().for_each(|x| *x += row + 1);
                        }
                    },
                );
                assert!((0..rows).all(|row| ones[row] == row + 1 && threes[3 * row..][..3] == [row + 1; 3]));
            }
        }
    }
}

#[test]
fn panic_in_a_part_of_the_rows_spares_the_workspace() {
    let mut workspace = Workspace::new(Isa::best(), 3);
    let mut share = |bad: usize| {
        let mut array = vec![0; 100];
        workspace.share_rows(100, 1_000_000, [&mut array], [1], |rows, [array]| {
            assert!(!rows.contains(&bad), "row {bad} is bad");
            array.fill(1);
        });
        array
    };
    for bad in [0, 50, 99] {
        assert!(catch_unwind(AssertUnwindSafe(|| share(bad))).is_err());
        assert_eq!(share(100), [1; 100]);
    }
}

#[test]
#[should_panic = "4 rows of 2"]
fn arrays_of_another_size_are_not_shared_out() {
    let mut array = [0; 7];
    Workspace::new(Isa::best(), 2).share_rows(4, 0, [&mut array], [2], |_, _| ());
}

/// A product that is worth several threads.
fn product(workspace: &mut Workspace) -> Vec<f32> {
    let numbers: Vec<f32> = (0..300 * 300).map(|i| (i % 17) as f32 * 0.1 - 0.8).collect();
    let (x, mut y) = (Operand::new(&numbers, 300, 300), vec![0.0; 300 * 300]);
    product_with(x, x.transposed(), &mut y, Start::Zero, |_, _| (), workspace);
    y
}

#[cfg(unix)]
#[test]
fn a_forked_child_computes_the_same_with_threads_of_its_own() {
    const SECONDS: u32 = 60;
    let mut workspace = Workspace::new(Isa::best(), 3);
    let want = product(&mut workspace);
    // SAFETY: the child only computes, with memory from an allocator that survives a fork, and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: a call without conditions; a child that waits for a thread it does not have is ended.
        unsafe { libc::alarm(SECONDS) };
        let same = catch_unwind(AssertUnwindSafe(|| {
            product(&mut workspace) == want && product(&mut Workspace::new(Isa::best(), 2)) == want
        }));
        // SAFETY: ends the child without the parent's exit handlers.
        unsafe { libc::_exit(if same.is_ok_and(|same| same) { 0 } else { 1 }) };
    }
    assert!(child > 0, "the system gives no process");
    let mut status = -1;
    // SAFETY: `status` is a place for the result.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "the child ended with {status:#x}");
    assert_eq!(product(&mut workspace), want, "the parent's pool lives on");
}
