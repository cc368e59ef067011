//! Times kernels, of one thread unless said: `cargo bench --manifest-path bench/Cargo.toml -p pullback-kernel-benches
//! [-- FILTER]`.
//!
//! Criterion times each kernel of Pullback and compares it with its last run. In between, whoever does the same
//! and chains of fused multiply-adds in registers, the processor's peak, alternate with it; the table at the end
//! has the medians of such neighbors' ratios, which a busy machine hardly changes.

use criterion::Criterion;
use faer::{Accum, MatMut, MatRef, Par};
use pullback_kernels::update::AdamSettings;
use pullback_kernels::{
    ByteScale, Isa, MaskAddress, Operand, Pool, Real, Start, Workspace, dropout_mask, gather, gather_bytes,
    map, product_with, softmax_cross_entropy, sum_rows,
};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Rows (batch), columns (outputs), depth (inputs) of a layer's forward product.
const SHAPES: [(usize, usize, usize); 9] = [
    (32, 25, 400),
    (128, 128, 784),
    (128, 10, 128),
    (256, 512, 784),
    (256, 512, 512),
    (1024, 2048, 2048),
    (32, 64, 64),
    (128, 64, 64),
    (16, 16, 4),
];
const LENGTH: usize = 4096;
/// Between two products, for each step of depth: operands are below 1, sums are rounded to 24 bits.
const TOLERANCE: f32 = 1e-5;

fn main() {
    let mut speed = Speed {
        criterion: Criterion::default()
            .sample_size(15)
            .warm_up_time(Duration::from_millis(50))
            .measurement_time(Duration::from_millis(300))
            .configure_from_args(),
        table: Vec::new(),
    };
    for (batch, outputs, inputs) in SHAPES {
        speed.product("x @ W", [batch, outputs, inputs], [false, false], All);
        speed.product("x^T @ delta", [inputs, outputs, batch], [true, false], All);
        speed.product("delta @ W^T", [batch, inputs, outputs], [false, true], All);
    }
    // What ReLU leaves; the zeros count as if they were multiplied.
    for (batch, outputs, inputs) in [(128, 128, 784), (256, 512, 512), (1024, 2048, 2048)] {
        speed.product("half zeros, x @ W", [batch, outputs, inputs], [false, false], Half);
        speed.product("half zeros, x^T @ delta", [inputs, outputs, batch], [true, false], Half);
    }
    for isa in Isa::available().filter(|isa| *isa != Isa::portable()) {
        speed.element_wise(isa);
    }
    speed.batches();
    speed.threads();
    println!("\n{}", speed.table.join("\n"));
    speed.criterion.final_summary();
}

/// How many numbers of a left operand are not zero.
#[derive(PartialEq)]
enum Numbers {
    All,
    Half,
}
use Numbers::{All, Half};

struct Speed {
    criterion: Criterion,
    /// What is printed at the end.
    table: Vec<String>,
}

impl Speed {
    /// Times `work` by Criterion, alternating with the others; returns the median seconds of `work`, and of each
    /// other's time over its neighbor's. Nothing, if a filter leaves it out.
    fn contest(
        &mut self,
        name: &str,
        work: &mut dyn FnMut(),
        others: &mut [&mut dyn FnMut()],
    ) -> Option<(f64, Vec<f64>)> {
        let mut seconds = Vec::new();
        let mut ratios = vec![Vec::new(); others.len()];
        self.criterion.bench_function(name, |bencher| {
            bencher.iter_custom(|repeats| {
                let ours = time(repeats, work);
                seconds.push(ours.as_secs_f64() / repeats as f64);
                for (ratios, other) in ratios.iter_mut().zip(&mut *others) {
                    ratios.push(time(repeats, other).as_secs_f64() / ours.as_secs_f64());
                }
                ours
            });
        });
        (!seconds.is_empty()).then(|| (median(seconds), ratios.into_iter().map(median).collect()))
    }

    /// A product `[rows, depth] @ [depth, columns]`, of which each may be stored as its transpose.
    fn product(
        &mut self,
        form: &str,
        [rows, columns, depth]: [usize; 3],
        [left, right]: [bool; 2],
        filled: Numbers,
    ) {
        let (mut a, b) = (numbers(rows * depth), numbers(depth * columns));
        if filled == Half {
            // The upper bit of a product with an odd number is set for half of them, in no order.
            let is_zero = |at: usize| (at as u32).wrapping_mul(0x9e37_79b9) >> 31 == 0;
            a.iter_mut().enumerate().filter(|(at, _)| is_zero(*at)).for_each(|(_, number)| *number = 0.0);
        }
        let [mut ours, mut theirs, mut faers] = [0; 3].map(|_| vec![0.0_f32; rows * columns]);
        let mut workspace = Workspace::new(Isa::best(), 1);
        let multiply_adds = rows * columns * depth;
        let name = format!("{form}, {rows} x {columns} x {depth}");
        let found = self.contest(
            &name,
            &mut || {
                let (left, right) = (operand(&a, rows, depth, left), operand(&b, depth, columns, right));
                product_with(left, right, black_box(&mut ours), Start::Zero, |_, _| (), &mut workspace);
            },
            &mut [
                &mut || {
                    let (a_row, a_step) = if left { (1, rows) } else { (depth, 1) };
                    let (b_step, b_column) = if right { (1, depth) } else { (columns, 1) };
                    // SAFETY: sizes and strides describe the vectors made above.
                    unsafe {
                        gemm::gemm(
                            rows,
                            columns,
                            depth,
                            black_box(&mut theirs).as_mut_ptr(),
                            1,
                            columns as isize,
                            false,
                            a.as_ptr(),
                            a_step as isize,
                            a_row as isize,
                            b.as_ptr(),
                            b_column as isize,
                            b_step as isize,
                            0.0,
                            1.0,
                            false,
                            false,
                            false,
                            gemm::Parallelism::None,
                        );
                    }
                },
                &mut || {
                    let c = MatMut::from_row_major_slice_mut(black_box(&mut faers), rows, columns);
                    let (left, right) = (matrix(&a, rows, depth, left), matrix(&b, depth, columns, right));
                    faer::linalg::matmul::matmul(c, Accum::Replace, left, right, 1.0, Par::Seq);
                },
                &mut || _ = peak::vectors(multiply_adds, false),
            ],
        );
        if let Some((seconds, ratios)) = found {
            for other in [&theirs, &faers] {
                let is_close = |(x, y): (&f32, &f32)| (x - y).abs() <= TOLERANCE * depth as f32;
                assert!(ours.iter().zip(other).all(is_close), "{name}: not the same product");
            }
            self.table.push(format!(
                "{name:42} {:6.1} GFLOP/s, {:3.0} % of peak, {:5.2} times gemm, {:5.2} times faer",
                2e-9 * multiply_adds as f64 / seconds,
                100.0 * ratios[2],
                ratios[0],
                ratios[1],
            ));
        }
    }

    /// A kernel that passes over `LENGTH` numbers in the first-level cache.
    fn pass(&mut self, name: &str, isa: Isa, mut work: impl FnMut(Isa)) {
        /// Of the peak for comparison.
        const PER_ELEMENT: usize = 16;
        let name = format!("{name} ({})", isa.name());
        let found = self.contest(
            &name,
            &mut || work(isa),
            &mut [&mut || _ = peak::vectors(PER_ELEMENT * LENGTH, false)],
        );
        if let Some((seconds, ratios)) = found {
            self.table.push(format!(
                "{name:34} {:6.2} elements/ns, each in the time of {:4.1} multiply-adds at peak",
                1e-9 * LENGTH as f64 / seconds,
                PER_ELEMENT as f64 / ratios[0],
            ));
        }
    }

    fn element_wise(&mut self, isa: Isa) {
        macro_rules! map_of {
            ($($name:ident)*) => {$(
                let (x, mut y) = (numbers(LENGTH), numbers(LENGTH));
                self.pass(stringify!($name), isa, |isa| {
                    map(isa, black_box(&x), black_box(&mut y), <f32 as Real>::$name);
                });
            )*};
        }
        map_of!(abs sqrt exp exp_m1 ln ln_1p tanh sigmoid silu softplus erf);
        for columns in [8, 512] {
            let (x, t, mut gradient) = (numbers(LENGTH), numbers(LENGTH), numbers(LENGTH));
            let (mut cost, mut sums) = (numbers(LENGTH / columns), numbers(columns));
            self.pass(&format!("sum_rows, {columns} columns"), isa, |isa| {
                sum_rows(isa, black_box(&x), &mut sums);
            });
            self.pass(&format!("softmax cross-entropy, {columns} columns"), isa, |isa| {
                softmax_cross_entropy(isa, black_box(&x), &t, columns, &mut cost, Some((&mut gradient, 1.0)));
            });
        }
        let settings = AdamSettings {
            learning_rate: 0.01,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.1,
        };
        let (mut w, g, mut m, mut v) =
            (numbers(LENGTH), numbers(LENGTH), numbers(LENGTH), vec![1.0_f32; LENGTH]);
        self.pass("adam", isa, |isa| settings.at_step(9).weights(isa, &mut w, black_box(&g), &mut m, &mut v));
        let (mut mask, mut workspace) = (numbers(LENGTH), Workspace::new(isa, 1));
        self.pass("dropout mask", isa, |_| {
            let address = MaskAddress { key: [1, 2], step: 3, number: 4 };
            dropout_mask(address, 0.2, black_box(&mut mask), &mut workspace);
        });
    }

    /// Batches gathered from matrices that no cache holds, beside plain loops: a table look-up for each byte, a copy of
    /// each row.
    fn batches(&mut self) {
        const BATCH: usize = 128;
        for columns in [784, 400, 64, 13, 4] {
            let rows = (192 << 20) / size_of::<f32>() / columns;
            // A walk that comes by each row, in an order that no processor foresees.
            let order: Vec<usize> = (0..rows).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % rows).collect();
            let batches: Vec<&[usize]> = order.chunks_exact(BATCH).collect();
            let [mut ours, mut plain] = [batches.iter().cycle(), batches.iter().cycle()];
            let [mut out, mut other] = [vec![0.0_f32; BATCH * columns], vec![0.0_f32; BATCH * columns]];

            let bytes: Vec<u8> = (0..rows * columns).map(|i| ((i * i) >> 7) as u8).collect();
            let scale = ByteScale::new(72.94, 90.02);
            let values: [f32; 256] = std::array::from_fn(|byte| scale.number(byte as u8));
            let mut gathered =
                |rows: &[usize]| gather_bytes(Isa::best(), &bytes, columns, scale, rows, black_box(&mut out));
            let mut looked_up = |rows: &[usize]| {
                for (&row, out) in rows.iter().zip(black_box(&mut other).chunks_exact_mut(columns)) {
                    for (out, &byte) in out.iter_mut().zip(&bytes[row * columns..][..columns]) {
                        *out = values[usize::from(byte)];
                    }
                }
            };
            self.batch(
                &format!("{BATCH} rows of {columns} bytes"),
                BATCH * columns,
                &mut || gathered(ours.next().expect("there are batches")),
                &mut || looked_up(plain.next().expect("there are batches")),
            );
            drop(bytes);

            let x = numbers(rows * columns);
            let mut gathered = |rows: &[usize]| gather(&x, columns, rows, black_box(&mut out));
            let mut copied = |rows: &[usize]| {
                for (&row, out) in rows.iter().zip(black_box(&mut other).chunks_exact_mut(columns)) {
                    out.copy_from_slice(&x[row * columns..][..columns]);
                }
            };
            self.batch(
                &format!("{BATCH} rows of {columns} numbers"),
                BATCH * columns,
                &mut || gathered(ours.next().expect("there are batches")),
                &mut || copied(plain.next().expect("there are batches")),
            );
        }
    }

    /// A batch of `numbers` numbers, gathered by us and by a plain loop.
    fn batch(&mut self, name: &str, numbers: usize, ours: &mut dyn FnMut(), plain: &mut dyn FnMut()) {
        if let Some((seconds, ratios)) = self.contest(name, ours, &mut [plain]) {
            self.table.push(format!(
                "{name:34} {:6.2} numbers/ns, {:4.2} times the plain loop",
                1e-9 * numbers as f64 / seconds,
                ratios[0],
            ));
        }
    }

    /// What two threads cost and bring.
    fn threads(&mut self) {
        let pool = Pool::new(2);
        if let Some((seconds, _)) =
            self.contest("an empty task, 2 threads", &mut || pool.run(2, |_| ()), &mut [])
        {
            self.table.push(format!("{:34} {:6.2} microseconds", "an empty task, 2 threads", 1e6 * seconds));
        }
        for (rows, columns, depth) in SHAPES {
            let (a, b, mut c) = (numbers(rows * depth), numbers(depth * columns), vec![0.0; rows * columns]);
            let mut d = c.clone();
            let (left, right) = (Operand::new(&a, rows, depth), Operand::new(&b, depth, columns));
            let (mut one, mut two) = (Workspace::new(Isa::best(), 1), Workspace::new(Isa::best(), 2));
            let name = format!("2 threads, {rows} x {columns} x {depth}");
            let found = self.contest(
                &name,
                &mut || product_with(left, right, black_box(&mut c), Start::Zero, |_, _| (), &mut two),
                &mut [&mut || product_with(left, right, black_box(&mut d), Start::Zero, |_, _| (), &mut one)],
            );
            if let Some((_, ratios)) = found {
                self.table.push(format!("{name:34} {:6.2} times one thread", ratios[0]));
            }
        }
    }
}

fn operand(data: &[f32], rows: usize, columns: usize, is_transposed: bool) -> Operand<'_, f32> {
    if is_transposed {
        Operand::new(data, columns, rows).transposed()
    } else {
        Operand::new(data, rows, columns)
    }
}

fn matrix(data: &[f32], rows: usize, columns: usize, is_transposed: bool) -> MatRef<'_, f32> {
    if is_transposed {
        MatRef::from_column_major_slice(data, rows, columns)
    } else {
        MatRef::from_row_major_slice(data, rows, columns)
    }
}

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i % 17) as f32 * 0.1 - 0.8).collect()
}

fn time(repeats: u64, work: &mut dyn FnMut()) -> Duration {
    let start = Instant::now();
    (0..repeats).for_each(|_| work());
    start.elapsed()
}

fn median(mut x: Vec<f64>) -> f64 {
    x.sort_by(f64::total_cmp);
    x[x.len() / 2]
}
