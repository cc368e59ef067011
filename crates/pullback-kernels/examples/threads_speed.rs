//! Prints how long a task on two threads takes that does nothing, and how much faster two threads
//! compute products than one, in interleaved rounds:
//! `cargo run --release -p pullback-kernels --example threads_speed [threads]`.

#![expect(clippy::print_stdout, reason = "an example that prints a table")]

use std::hint::black_box;
use std::time::Instant;

use pullback_kernels::{Isa, Operand, Pool, Start, Workspace, product_with};

const SHAPES: [(usize, usize, usize); 7] = [
    (32, 64, 64),
    (128, 64, 64),
    (128, 10, 128),
    (128, 128, 784),
    (784, 128, 128),
    (256, 512, 784),
    (1024, 2048, 2048),
];
const ROUNDS: usize = 15;

fn seconds(repeats: usize, mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..repeats {
        work();
    }
    start.elapsed().as_secs_f64() / repeats as f64
}

fn median(mut x: Vec<f64>) -> f64 {
    x.sort_by(f64::total_cmp);
    x[x.len() / 2]
}

fn main() {
    let threads = std::env::args().nth(1).map_or(2, |threads| threads.parse().expect("a number of threads"));
    let pool = Pool::new(threads);
    let empty = median((0..ROUNDS).map(|_| seconds(10_000, || pool.run(threads, |_| ()))).collect());
    println!("an empty task on {threads} threads: {:.2} microseconds", empty * 1e6);
    let (mut one, mut more) = (Workspace::new(Isa::best(), 1), Workspace::new(Isa::best(), threads));
    for (rows, columns, depth) in SHAPES {
        let (a, b, mut c) =
            (vec![0.5_f32; rows * depth], vec![0.5; depth * columns], vec![0.0; rows * columns]);
        let (left, right) = (Operand::new(&a, rows, depth), Operand::new(&b, depth, columns));
        let repeats = 100_000_000_usize.div_ceil(rows * columns * depth);
        let mut time = |workspace: &mut Workspace| {
            seconds(repeats, || {
                product_with(left, right, black_box(&mut c), Start::Zero, |_, _| (), workspace);
            })
        };
        let ratios = (0..ROUNDS).map(|_| time(&mut one) / time(&mut more)).collect();
        println!("{rows:5} x {columns:4} x {depth:4}  {:.2} times one thread", median(ratios));
    }
}
