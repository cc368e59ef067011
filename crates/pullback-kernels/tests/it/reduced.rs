//! Products of reduced precision: bit for bit where the order of every rounding is known, and within the bounds
//! that `Precision` states, against f64.

use pullback_kernels::*;

use crate::slices::{assert_bits, numbers};

/// The instruction sets of this processor, and the emulation of tiles.
fn sets() -> impl Iterator<Item = Isa> {
    Isa::available().chain([Isa::amx_emulated()])
}

fn has_tiles(isa: Isa) -> bool {
    isa.name().starts_with("amx")
}

/// The nearest number with 8 significant bits, ties to even: by arithmetic, not by bits.
fn rounded(x: f32) -> f32 {
    if x == 0.0 {
        return x;
    }
    let scale = 2f64.powi(f64::from(x).abs().log2().floor() as i32 - 7);
    ((f64::from(x) / scale).round_ties_even() * scale) as f32
}

fn parts(x: f32) -> Parts {
    let first = rounded(x);
    let second = rounded(x - first);
    [first, second, x - first - second]
}

fn transpose(x: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..rows * columns).map(|i| x[i % rows * columns + i / rows]).collect()
}

#[derive(Clone, Copy)]
struct Size {
    rows: usize,
    columns: usize,
    depth: usize,
}

/// A number in three parts, the first of which is the nearest bf16.
type Parts = [f32; 3];

/// What an output number becomes from `start` and its row and column.
type Reference = fn(f32, &[Parts], &[Parts]) -> f32;

/// Fused multiply-adds in ascending k.
fn chain(start: f32, a: &[Parts], b: &[Parts]) -> f32 {
    let whole = |x: &Parts| x[0] + x[1] + x[2];
    a.iter().zip(b).fold(start, |sum, (a, b)| whole(a).mul_add(whole(b), sum))
}

/// The same of rounded numbers.
fn widened(start: f32, a: &[Parts], b: &[Parts]) -> f32 {
    a.iter().zip(b).fold(start, |sum, (a, b)| a[0].mul_add(b[0], sum))
}

/// TDPBF16PS of some parts, in blocks of 32 steps.
fn tiles_of(start: f32, a: &[Parts], b: &[Parts], order: &[(usize, usize)]) -> f32 {
    a.chunks(32).zip(b.chunks(32)).fold(start, |sum, (a, b)| {
        order.iter().fold(sum, |sum, &(i, j)| {
            let chain = |first: usize| {
                (first..a.len()).step_by(2).fold(0.0, |chain: f32, k| a[k][i].mul_add(b[k][j], chain))
            };
            sum + (chain(0) + chain(1))
        })
    })
}

fn tiles(start: f32, a: &[Parts], b: &[Parts]) -> f32 {
    tiles_of(start, a, b, &[(0, 0)])
}

fn tiles_x3(start: f32, a: &[Parts], b: &[Parts]) -> f32 {
    tiles_of(start, a, b, &[(2, 0), (1, 0), (1, 1), (0, 1), (0, 2), (0, 0)])
}

/// All transposes, from zero, from the output with an epilogue, and from a row.
fn check(isa: Isa, precision: Precision, threads: usize, size: Size, reference: Reference) {
    let Size { rows, columns, depth } = size;
    let (a, b) = (numbers::<f32>(rows * depth, 1), numbers::<f32>(depth * columns, 2));
    let (a_transposed, b_transposed) = (transpose(&a, rows, depth), transpose(&b, depth, columns));
    let (bias, before) = (numbers::<f32>(columns, 3), numbers::<f32>(rows * columns, 4));
    let split = |x: &[f32]| x.iter().map(|x| parts(*x)).collect::<Vec<_>>();
    let (a_parts, b_parts) = (split(&a), split(&b_transposed));
    let want = |start: &dyn Fn(usize) -> f32| -> Vec<f32> {
        let number = |i: usize| {
            let (row, column) = (i / columns, i % columns);
            let row = &a_parts[row * depth..(row + 1) * depth];
            reference(start(i), row, &b_parts[column * depth..(column + 1) * depth])
        };
        (0..rows * columns).map(number).collect()
    };
    let (zero, added, from_bias) = (want(&|_| 0.0), want(&|i| before[i]), want(&|i| bias[i % columns]));
    let mut workspace = Workspace::new(isa, threads).with_precision(precision);
    for (left_transposed, right_transposed) in [(false, false), (true, false), (false, true), (true, true)] {
        let left = if left_transposed {
            Operand::new(&a_transposed, depth, rows).transposed()
        } else {
            Operand::new(&a, rows, depth)
        };
        let right = if right_transposed {
            Operand::new(&b_transposed, columns, depth).transposed()
        } else {
            Operand::new(&b, depth, columns)
        };
        let what = format!(
            "{rows} x {columns} x {depth} transposed {left_transposed} {right_transposed}, {precision:?} on {}, {threads} threads",
            isa.name()
        );
        let mut c = before.clone();
        product_with(left, right, &mut c, Start::Zero, |_, _| (), &mut workspace);
        assert_bits(&c, &zero, &what);
        let (mut c, mut w) = (before.clone(), before.clone());
        let step = |_: usize, c: &mut [f32], [w]: [&mut [f32]; 1]| {
            w.iter_mut().zip(&*c).for_each(|(w, c)| *w -= *c);
        };
        product_beside(left, right, &mut c, [&mut w], step, &mut workspace);
        let want: Vec<f32> = before.iter().zip(&zero).map(|(w, c)| w - c).collect();
        assert_bits(&w, &want, &format!("{what}, another array beside it"));
        let mut c = before.clone();
        let epilogue = |first: usize, numbers: &mut [f32]| {
            for (i, x) in (first..).zip(numbers) {
                *x += bias[i % columns] * (i / columns) as f32;
            }
        };
        product_with(left, right, &mut c, Start::Output, epilogue, &mut workspace);
        let want: Vec<f32> =
            (0..c.len()).map(|i| added[i] + bias[i % columns] * (i / columns) as f32).collect();
        assert_bits(&c, &want, &format!("{what}, added to, with epilogue"));
        let mut c = before.clone();
        product_with(left, right, &mut c, Start::Row(&bias), |_, _| (), &mut workspace);
        assert_bits(&c, &from_bias, &format!("{what}, from a row"));
    }
}

/// The precisions and sets whose every rounding is known, with what they compute.
fn known() -> Vec<(Isa, Precision, Reference)> {
    let mut all: Vec<(Isa, Precision, Reference)> = Vec::new();
    for isa in sets() {
        match (Precision::Bf16.engine(isa), has_tiles(isa)) {
            (_, true) => {
                all.push((isa, Precision::Bf16, tiles));
                all.push((isa, Precision::Bf16x3, tiles_x3));
            }
            ("conversion", _) => all.push((isa, Precision::Bf16, widened)),
            _ => {}
        }
    }
    all
}

#[test]
fn reduced_products_of_every_size_are_rounded_as_documented() {
    for (isa, precision, reference) in known() {
        for rows in [16, 17, 23, 31, 32, 33] {
            for columns in [16, 17, 29, 31, 32, 33] {
                for depth in [16, 17, 31, 32, 33] {
                    check(isa, precision, 1, Size { rows, columns, depth }, reference);
                }
            }
        }
        for (rows, columns, depth) in [(67, 101, 65), (131, 29, 64), (37, 41, 1025), (163, 19, 523)] {
            check(isa, precision, 1, Size { rows, columns, depth }, reference);
        }
    }
}

#[test]
fn reduced_products_are_cut_into_chunks_that_change_no_bit() {
    for (isa, precision, reference) in known() {
        if precision == Precision::Bf16 {
            check(isa, precision, 2, Size { rows: 17, columns: 16, depth: 4096 + 33 }, reference);
            check(isa, precision, 2, Size { rows: 4096 + 17, columns: 19, depth: 16 }, reference);
        }
    }
}

#[test]
fn small_products_stay_in_f32() {
    for isa in sets() {
        for precision in [Precision::Bf16, Precision::Bf16x3] {
            for (rows, columns, depth) in
                [(0, 20, 20), (20, 0, 20), (20, 20, 0), (15, 50, 50), (50, 15, 50), (50, 50, 15), (1, 1, 1)]
            {
                check(isa, precision, 2, Size { rows, columns, depth }, chain);
            }
        }
    }
}

fn multiply<T: Real>(isa: Isa, precision: Precision, threads: usize, size: Size, a: &[T], b: &[T]) -> Vec<T> {
    let mut c = vec![T::ZERO; size.rows * size.columns];
    let mut workspace = Workspace::new(isa, threads).with_precision(precision);
    let (left, right) = (Operand::new(a, size.rows, size.depth), Operand::new(b, size.depth, size.columns));
    product_with(left, right, &mut c, Start::Zero, |_, _| (), &mut workspace);
    c
}

#[test]
fn threads_change_no_bit_of_reduced_products() {
    for isa in sets() {
        for precision in [Precision::Bf16, Precision::Bf16x3] {
            for (rows, columns, depth) in [(128, 130, 784), (300, 65, 200), (17, 1031, 500), (16, 5003, 19)] {
                let size = Size { rows, columns, depth };
                let (a, b) = (numbers::<f32>(rows * depth, 1), numbers::<f32>(depth * columns, 2));
                let want = multiply(isa, precision, 1, size, &a, &b);
                for threads in [2, 3, 7, 40] {
                    let got = multiply(isa, precision, threads, size, &a, &b);
                    assert_bits(&got, &want, &format!("{precision:?} on {} with {threads}", isa.name()));
                }
            }
        }
    }
}

#[test]
fn products_of_f64_have_no_reduced_precision() {
    let size = Size { rows: 33, columns: 17, depth: 40 };
    let (a, b) = (numbers::<f64>(33 * 40, 1), numbers::<f64>(17 * 40, 2));
    let want = multiply(Isa::best(), Precision::F32, 1, size, &a, &b);
    assert_bits(&multiply(Isa::best(), Precision::Bf16, 1, size, &a, &b), &want, "f64");
}

/// The error of a product over the bound that `Precision` states: at most 1.
fn error_over_bound(isa: Isa, precision: Precision, size: Size, a: &[f32], b: &[f32]) -> f64 {
    let u = 2f64.powi(-24);
    let (k, has_tiles) = (size.depth as f64, has_tiles(isa));
    let relative = match precision {
        Precision::Bf16 => {
            2f64.powi(-7) + 2f64.powi(-16) + u * if has_tiles { 18.0 + k / 32.0 } else { k + 1.0 }
        }
        Precision::Bf16x3 if has_tiles => 2f64.powi(-23) + (24.0 + k / 5.0) * u,
        Precision::F32 | Precision::Bf16x3 => k * u,
    };
    let mut worst = 0.0;
    for (i, c) in multiply(isa, precision, 1, size, a, b).iter().enumerate() {
        let (row, column) = (i / size.columns, i % size.columns);
        let (mut exact, mut bound) = (0.0, 0.0);
        for k in 0..size.depth {
            let (a, b) = (f64::from(a[row * size.depth + k]), f64::from(b[k * size.columns + column]));
            exact += a * b;
            bound += relative * (a * b).abs() + 2f64.powi(-123) * (a.abs() + b.abs() + 1.0);
        }
        let share = (f64::from(*c) - exact).abs() / bound;
        assert!(share <= 1.0, "{precision:?} on {}: {c} for {exact}, {share} of the bound", isa.name());
        worst = f64::max(worst, share);
    }
    worst
}

#[test]
fn errors_of_reduced_products_stay_within_their_bounds() {
    let size = Size { rows: 40, columns: 35, depth: 301 };
    let (a, b) = (numbers::<f32>(40 * 301, 5), numbers::<f32>(301 * 35, 6));
    let power = |x: f32, i: usize, least: i32, most: i32| {
        x * 2f32.powi((i as i32).wrapping_mul(37) % (most - least) + least)
    };
    // Each row is a number, then its negative: what is left is the rounding.
    let cancelling = |x: &[f32], sign: f32| -> Vec<f32> {
        x.chunks(301)
            .flat_map(|row| {
                (0..301).map(move |k| if k % 2 == 1 { sign * row[k - 1] } else { row[k] }).collect::<Vec<_>>()
            })
            .collect()
    };
    let wide = |x: &[f32]| x.iter().enumerate().map(|(i, x)| power(*x, i, -40, 40)).collect::<Vec<_>>();
    let tiny = |x: &[f32]| x.iter().enumerate().map(|(i, x)| power(*x, i, -149, -100)).collect::<Vec<_>>();
    let huge = |x: &[f32]| x.iter().map(|x| x * 2f32.powi(124)).collect::<Vec<_>>();
    // Just below a number of bf16 and between two: what rounding errs most on.
    let worst: Vec<f32> = (0..40 * 301).map(|i| 1.0 + [2f32.powi(-8), 0.0, -2f32.powi(-9)][i % 3]).collect();
    for isa in sets() {
        for precision in [Precision::F32, Precision::Bf16, Precision::Bf16x3] {
            let check = |a: &[f32], b: &[f32]| error_over_bound(isa, precision, size, a, b);
            check(&a, &b);
            check(&cancelling(&a, -1.0), &transpose(&cancelling(&transpose(&b, 301, 35), 1.0), 35, 301));
            check(&wide(&a), &wide(&b));
            check(&tiny(&a), &wide(&b));
            check(&tiny(&a), &tiny(&b));
            check(&a, &tiny(&b));
            check(&huge(&a), &tiny(&b));
            // The bound is tight: rounding to bf16 comes close to it.
            let reached = check(&worst, &worst[..301 * 35]);
            assert!(
                precision != Precision::Bf16 || reached > 0.1,
                "{reached} of the bound on {}",
                isa.name()
            );
        }
    }
}

#[test]
fn three_parts_are_as_exact_as_f32() {
    let size = Size { rows: 64, columns: 64, depth: 784 };
    let (a, b) = (numbers::<f32>(64 * 784, 7), numbers::<f32>(784 * 64, 8));
    let wide = |x: &[f32]| x.iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
    let exact = multiply(Isa::best(), Precision::F32, 1, size, &wide(&a), &wide(&b));
    let error = |precision| {
        let c = multiply(Isa::amx_emulated(), precision, 1, size, &a, &b);
        c.iter().zip(&exact).map(|(c, exact)| (f64::from(*c) - exact).powi(2)).sum::<f64>().sqrt()
    };
    let (f32, x3, bf16) = (error(Precision::F32), error(Precision::Bf16x3), error(Precision::Bf16));
    assert!(
        x3 < f32 && f32 < bf16 / 100.0,
        "errors of f32 {f32:.1e}, of three parts {x3:.1e}, bf16 {bf16:.1e}"
    );
}

#[test]
fn what_is_not_finite_stays_so() {
    let size = Size { rows: 16, columns: 16, depth: 40 };
    for isa in sets() {
        for precision in [Precision::Bf16, Precision::Bf16x3] {
            // The last has bits of a NaN in its lower half only, which rounding must not carry away.
            for odd in [
                f32::INFINITY,
                f32::NEG_INFINITY,
                f32::NAN,
                f32::from_bits(0xffff_ffff),
                f32::from_bits(0x7f80_0001),
            ] {
                for at in [0, 1, 39] {
                    let (mut a, b) = (numbers::<f32>(16 * 40, 1), vec![1.5; 40 * 16]);
                    a[3 * 40 + at] = odd;
                    let c = multiply(isa, precision, 1, size, &a, &b);
                    let what = format!("{odd} in {precision:?} on {}", isa.name());
                    for (i, c) in c.iter().enumerate() {
                        assert_eq!(c.is_finite(), i / 16 != 3, "{what}: {i} is {c}");
                    }
                    if precision == Precision::Bf16 {
                        assert_eq!(c[50].is_nan(), odd.is_nan(), "{what}");
                    }
                }
            }
            // Too large for bf16, which would round it to infinity: its three parts are not.
            if precision == Precision::Bf16x3 {
                let c = multiply(isa, precision, 1, size, &[f32::MAX; 640], &[0.015625; 640]);
                assert!(
                    (f64::from(c[0]) / f64::from(f32::MAX) - 0.625).abs() < 1e-6,
                    "{} on {}",
                    c[0],
                    isa.name()
                );
            }
        }
    }
}

/// Says something only on a processor with tiles.
#[test]
fn tiles_compute_the_bits_of_their_emulation() {
    let Some(amx) = Isa::from_name("amx") else { return };
    let size = Size { rows: 45, columns: 50, depth: 301 };
    let powers = |x: Vec<f32>| -> Vec<f32> {
        x.iter().enumerate().map(|(i, x)| x * 2f32.powi((i % 240) as i32 - 140)).collect()
    };
    let (a, b) = (powers(numbers(45 * 301, 9)), powers(numbers(301 * 50, 10)));
    for precision in [Precision::Bf16, Precision::Bf16x3] {
        let want = multiply(Isa::amx_emulated(), precision, 1, size, &a, &b);
        assert_bits(&multiply(amx, precision, 2, size, &a, &b), &want, "tiles");
    }
}
