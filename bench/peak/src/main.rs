//! The processor itself as a contestant, so that `bench/compare` can say what share of its peak the others reach:
//! `peak WORKLOAD_JSON THREADS` answers `run SECONDS` with multiply-adds instead of samples, of vectors of f32 or, for a
//! workload in bf16, of tiles.

use contestant::Workload;
use std::error::Error;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

/// Between two looks at the clock.
const MULTIPLY_ADDS: usize = 20_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let (work, threads) = Workload::from_arguments()?;
    let run: fn() = match work.precision.as_deref() {
        None | Some("f32") => || peak::vectors(MULTIPLY_ADDS),
        _ if peak::tiles(0) => || _ = peak::tiles(MULTIPLY_ADDS),
        _ => return Err("no tiles of bf16 here".into()),
    };
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let time = Duration::from_secs_f64(line?.split(' ').nth(1).ok_or("no time is given")?.parse()?);
        // Each thread counts what it does.
        let start = Instant::now();
        let count = || {
            let times = std::iter::repeat_with(run).take_while(|()| start.elapsed() < time).count() + 1;
            times * MULTIPLY_ADDS
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
