//! Reads a file and prints how long that took: `cargo run --release -p pullback-data --example read -- FILE [THREADS]`.
#![allow(clippy::print_stdout, reason = "what it is for")]

use pullback_data::{ReadOptions, read};
use std::path::Path;
use std::time::Instant;

fn main() -> pullback::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().unwrap_or_default();
    let threads = arguments.next().and_then(|threads| threads.parse().ok()).unwrap_or(1);
    for _ in 0..3 {
        let start = Instant::now();
        let parts = read(Path::new(&file), &ReadOptions { threads, ..ReadOptions::default() })?;
        let seconds = start.elapsed().as_secs_f64();
        println!("{} rows, {} columns: {seconds:.3} s", parts.train.rows(), parts.train.columns().len());
        for note in parts.notes {
            println!("  {note}");
        }
    }
    Ok(())
}
