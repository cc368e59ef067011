//! The processor itself as a contestant, so that `bench/compare` can say what share of its peak the others reach:
//! `peak WORKLOAD_JSON THREADS` answers `run SECONDS` with multiply-adds instead of samples, of vectors of f32 or, for
//! a workload in bf16, of tiles. Without arguments it prints what one thread does in a nanosecond.

use contestant::Workload;
use std::error::Error;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

/// Multiply-adds between two readings of the clock.
const MULTIPLY_ADDS: usize = 20_000_000;

/// Does a number of multiply-adds; false if it cannot.
type Run = fn(usize) -> bool;

const RUNS: [(&str, Run); 4] = [
    ("f32 in vectors", |multiply_adds| peak::vectors(multiply_adds, false)),
    ("bf16 in tiles", |multiply_adds| peak::tiles(multiply_adds, false)),
    ("f32 in vectors that are loaded from the first-level cache", |multiply_adds| {
        peak::vectors(multiply_adds, true)
    }),
    ("bf16 in tiles that are loaded from the first-level cache", |multiply_adds| {
        peak::tiles(multiply_adds, true)
    }),
];

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().len() == 1 {
        for (name, run) in RUNS.into_iter().filter(|(_, run)| run(0)) {
            let start = Instant::now();
            run(100 * MULTIPLY_ADDS);
            let speed = (100 * MULTIPLY_ADDS) as f64 / start.elapsed().as_nanos() as f64;
            println!("{speed:5.0} multiply-adds/ns of {name}");
        }
        return Ok(());
    }
    let (work, threads) = Workload::from_arguments()?;
    let (name, run) = RUNS[usize::from(work.precision.is_some_and(|precision| precision != "f32"))];
    if !run(0) {
        return Err(format!("no peak of {name} is known here").into());
    }
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let time = Duration::from_secs_f64(line?.split(' ').nth(1).ok_or("no time is given")?.parse()?);
        // Each thread counts what it does.
        let start = Instant::now();
        let count = || {
            let more = || run(MULTIPLY_ADDS) && start.elapsed() < time;
            (1 + std::iter::repeat_with(more).take_while(|&more| more).count()) * MULTIPLY_ADDS
        };
        let done: usize = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(count)).collect();
            let own = count();
            own + others.into_iter().map(|thread| thread.join().unwrap_or_default()).sum::<usize>()
        });
        println!("{done} {} 0", start.elapsed().as_secs_f64());
        std::io::stdout().flush()?;
    }
    Ok(())
}
