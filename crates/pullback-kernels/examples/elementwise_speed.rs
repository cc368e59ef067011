//! Prints how many elements a nanosecond the element-wise functions reach, by instruction set:
//! `cargo run --release -p pullback-kernels --example elementwise_speed`.

#![expect(clippy::print_stdout, reason = "an example that prints a table")]

use std::hint::black_box;
use std::time::Instant;

use pullback_kernels::update::AdamSettings;
use pullback_kernels::{Isa, Real, dot, map, softmax, softmax_cross_entropy, sum, sum_columns, sum_rows};

const LENGTH: usize = 4096;
const ROUNDS: usize = 9;

/// Times `work` on every instruction set; it passes over `LENGTH` numbers.
fn time<T: Real>(name: &str, mut work: impl FnMut(Isa)) {
    print!("{name:14} {}", T::NAME);
    for isa in Isa::available() {
        let repeats = if isa == Isa::portable() { 10 } else { 300 };
        let best = (0..ROUNDS)
            .map(|_| {
                let start = Instant::now();
                for _ in 0..repeats {
                    work(isa);
                }
                start.elapsed().as_secs_f64() / (repeats * LENGTH) as f64
            })
            .fold(f64::INFINITY, f64::min);
        print!("  {} {:.3}", isa.name(), 1e-9 / best);
    }
    println!("  elements/ns");
}

fn numbers<T: Real>() -> Vec<T> {
    (0..LENGTH).map(|i| T::from_f64((i as f64 / LENGTH as f64 - 0.4) * 8.0)).collect()
}

fn check<T: Real>(name: &str, f: impl Fn(T) -> T + Copy) {
    let (x, mut y) = (numbers::<T>(), numbers::<T>());
    time::<T>(name, |isa| map(isa, black_box(&x), black_box(&mut y), f));
}

fn rows<T: Real>() {
    let (x, t, mut y) = (numbers::<T>(), numbers::<T>(), numbers::<T>());
    time::<T>("sum", |isa| {
        black_box(sum(isa, black_box(&x)));
    });
    time::<T>("dot", |isa| {
        black_box(dot(isa, black_box(&x), black_box(&t)));
    });
    for columns in [8, 512] {
        let mut column = vec![T::ZERO; LENGTH / columns];
        let mut row = vec![T::ZERO; columns];
        time::<T>(&format!("sum_rows {columns}"), |isa| sum_rows(isa, black_box(&x), &mut row));
        time::<T>(&format!("sum_columns {columns}"), |isa| sum_columns(isa, black_box(&x), &mut column));
        time::<T>(&format!("softmax {columns}"), |isa| softmax(isa, black_box(&x), columns, &mut y));
        time::<T>(&format!("entropy {columns}"), |isa| {
            softmax_cross_entropy(isa, black_box(&x), &t, columns, &mut column, Some(&mut y));
        });
    }
    let settings =
        AdamSettings { learning_rate: 0.01, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.1 };
    let (mut w, mut m, mut v) = (numbers::<T>(), numbers::<T>(), vec![T::ONE; LENGTH]);
    time::<T>("adam", |isa| settings.at_step(9).weights(isa, &mut w, black_box(&x), &mut m, &mut v));
}

fn functions<T: Real>() {
    check::<T>(
        "relu",
        #[inline(always)]
        |x| x.max(T::ZERO),
    );
    check::<T>(
        "exp",
        #[inline(always)]
        |x| x.exp(),
    );
    check::<T>(
        "exp_m1",
        #[inline(always)]
        |x| x.exp_m1(),
    );
    check::<T>(
        "ln",
        #[inline(always)]
        |x| x.ln(),
    );
    check::<T>(
        "ln_1p",
        #[inline(always)]
        |x| x.ln_1p(),
    );
    check::<T>(
        "tanh",
        #[inline(always)]
        |x| x.tanh(),
    );
    check::<T>(
        "sigmoid",
        #[inline(always)]
        |x| x.sigmoid(),
    );
    check::<T>(
        "erf",
        #[inline(always)]
        |x| x.erf(),
    );
    check::<T>(
        "powf",
        #[inline(always)]
        |x| x.powf(T::from_f64(2.5)),
    );
    check::<T>(
        "sqrt",
        #[inline(always)]
        |x| x.sqrt(),
    );
}

fn main() {
    functions::<f32>();
    functions::<f64>();
    rows::<f32>();
    rows::<f64>();
}
