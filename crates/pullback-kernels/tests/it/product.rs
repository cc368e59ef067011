//! The matrix product against three loops, bit for bit, on every instruction set of this processor.

use pullback_kernels::*;

use crate::slices::{assert_bits, numbers};

fn transpose<T: Real>(x: &[T], rows: usize, columns: usize) -> Vec<T> {
    (0..rows * columns).map(|i| x[i % rows * columns + i / rows]).collect()
}

fn reference<T: Real>(a: &[T], b: &[T], start: &[T], rows: usize, columns: usize, depth: usize) -> Vec<T> {
    let mut c = start.to_vec();
    for i in 0..rows {
        for j in 0..columns {
            for k in 0..depth {
                c[i * columns + j] = a[i * depth + k].mul_add(b[k * columns + j], c[i * columns + j]);
            }
        }
    }
    c
}

/// One size, of operands without zeros.
fn check<T: Real>(isa: Isa, threads: usize, rows: usize, columns: usize, depth: usize) {
    let (a, b) = (numbers::<T>(rows * depth, 1), numbers::<T>(depth * columns, 2));
    check_operands(isa, threads, (rows, columns, depth), &a, &b);
}

/// One size, with zeros for `hundredths` of the numbers of each operand, and one whole row of them.
fn check_sparse<T: Real>(isa: Isa, threads: usize, sizes: (usize, usize, usize), hundredths: [usize; 2]) {
    let (rows, columns, depth) = sizes;
    let (mut a, mut b) = (numbers::<T>(rows * depth, 1), numbers::<T>(depth * columns, 2));
    for (x, hundredths) in [(&mut a, hundredths[0]), (&mut b, hundredths[1])] {
        for (i, x) in x.iter_mut().enumerate() {
            if i * i % 101 * 37 % 101 < hundredths {
                *x = T::ZERO;
            }
        }
    }
    if hundredths[0] > 0 {
        a[..depth].fill(T::ZERO);
    }
    check_operands(isa, threads, sizes, &a, &b);
}

/// All transposes, from zero, from the output with an epilogue, and from a row.
fn check_operands<T: Real>(isa: Isa, threads: usize, sizes: (usize, usize, usize), a: &[T], b: &[T]) {
    let (rows, columns, depth) = sizes;
    let (a_transposed, b_transposed) = (transpose(a, rows, depth), transpose(b, depth, columns));
    let bias = numbers::<T>(columns, 3);
    let before = numbers::<T>(rows * columns, 4);
    let zero = reference(a, b, &vec![T::ZERO; rows * columns], rows, columns, depth);
    let added = reference(a, b, &before, rows, columns, depth);
    let bias_rows: Vec<T> = (0..rows).flat_map(|_| bias.iter().copied()).collect();
    let from_bias = reference(a, b, &bias_rows, rows, columns, depth);
    let mut workspace = Workspace::new(isa, threads);
    for (left_transposed, right_transposed) in [(false, false), (true, false), (false, true), (true, true)] {
        let left = if left_transposed {
            Operand::new(&a_transposed, depth, rows).transposed()
        } else {
            Operand::new(a, rows, depth)
        };
        let right = if right_transposed {
            Operand::new(&b_transposed, columns, depth).transposed()
        } else {
            Operand::new(b, depth, columns)
        };
        let what = format!(
            "{rows} x {columns} x {depth} {} transposed {left_transposed} {right_transposed} on {} with {threads} threads",
            T::NAME,
            isa.name()
        );
        let mut c = before.clone();
        product_with(left, right, &mut c, Start::Zero, |_, _| (), &mut workspace);
        assert_bits(&c, &zero, &what);
        plain_product(left, right, &mut c);
        assert_bits(&c, &zero, &format!("plain {what}"));
        let mut c = before.clone();
        let epilogue = |first: usize, numbers: &mut [T]| {
            for (i, x) in (first..).zip(numbers) {
                *x += bias[i % columns] * T::from_f64((i / columns) as f64);
            }
        };
        product_with(left, right, &mut c, Start::Output, epilogue, &mut workspace);
        let want: Vec<T> =
            (0..c.len()).map(|i| added[i] + bias[i % columns] * T::from_f64((i / columns) as f64)).collect();
        assert_bits(&c, &want, &format!("{what}, added to, with epilogue"));
        let (mut c, mut w) = (before.clone(), before.clone());
        let step = |first: usize, c: &mut [T], [w, none]: [&mut [T]; 2]| {
            assert!(none.is_empty() && w.len() == c.len());
            assert_bits(w, &before[first..][..w.len()], "the same piece, met once");
            w.iter_mut().zip(&*c).for_each(|(w, c)| *w -= *c);
        };
        product_beside(left, right, &mut c, [&mut w, &mut []], step, &mut workspace);
        assert_bits(&c, &zero, &format!("{what}, beside another array"));
        let want: Vec<T> = before.iter().zip(&zero).map(|(w, c)| *w - *c).collect();
        assert_bits(&w, &want, &format!("{what}, another array beside it"));
        let mut c = before.clone();
        product_with(left, right, &mut c, Start::Row(&bias), |_, _| (), &mut workspace);
        assert_bits(&c, &from_bias, &format!("{what}, from a row"));
    }
}

fn check_sizes<T: Real>(sizes: &[usize], depths: &[usize]) {
    for isa in Isa::available() {
        for rows in sizes {
            for columns in sizes {
                for depth in depths {
                    check::<T>(isa, 1, *rows, *columns, *depth);
                }
            }
        }
    }
}

#[test]
fn small_products_are_the_same_on_every_instruction_set() {
    check_sizes::<f32>(&[0, 1, 2, 5, 7, 13, 14, 15, 16, 17, 31, 33], &[0, 1, 3, 8, 17]);
    check_sizes::<f64>(&[0, 1, 2, 5, 7, 8, 9, 13, 14, 15, 17], &[0, 1, 3, 8, 17]);
}

#[test]
fn large_products_are_the_same_on_every_instruction_set() {
    check_sizes::<f32>(&[29, 67, 131], &[255, 256, 257, 521]);
    check_sizes::<f64>(&[29, 67, 131], &[256, 257]);
    for isa in Isa::available() {
        // Rows that fill vectors, and enough more columns that the transpose is computed.
        for (rows, columns, depth) in [(16, 131, 257), (32, 67, 521), (48, 260, 67)] {
            check::<f32>(isa, 1, rows, columns, depth);
            check::<f64>(isa, 1, rows, columns, depth);
        }
    }
    for isa in Isa::available().filter(|isa| *isa != Isa::portable()) {
        check::<f32>(isa, 1, 3, 2053, 19);
        check::<f32>(isa, 1, 227, 40, 300);
        check::<f32>(isa, 1, 2053, 3, 19);
    }
}

#[test]
fn threads_change_no_bit() {
    for threads in [1, 2, 3, 7] {
        for isa in Isa::available().filter(|isa| *isa != Isa::portable()) {
            check::<f32>(isa, threads, 128, 128, 784);
            check::<f32>(isa, threads, 64, 389, 521);
            check::<f32>(isa, threads, 15, 1031, 500);
            check::<f64>(isa, threads, 1031, 15, 500);
            // In more parts than threads.
            check::<f32>(isa, threads, 3073, 35, 19);
            check::<f32>(isa, threads, 35, 3073, 19);
        }
    }
}

fn check_sparse_sizes(sizes: &[(usize, usize, usize)]) {
    for isa in Isa::available() {
        for sizes in sizes {
            for hundredths in [[50, 0], [0, 50], [40, 90], [100, 0]] {
                check_sparse::<f32>(isa, 1, *sizes, hundredths);
            }
        }
    }
}

// From where zeros are looked for: around whole vectors, panels, words of bits and blocks of rows.

#[test]
fn small_products_with_zeros_are_the_same_on_every_instruction_set() {
    check_sparse_sizes(&[(24, 684, 16), (25, 641, 17), (67, 64, 65), (67, 65, 129), (257, 64, 16)]);
}

#[test]
fn large_products_with_zeros_are_the_same_on_every_instruction_set() {
    check_sparse_sizes(&[(127, 127, 63), (128, 129, 64), (131, 128, 127), (259, 67, 300), (521, 131, 67)]);
    for isa in Isa::available() {
        check_sparse::<f64>(isa, 1, (67, 131, 129), [60, 0]);
        check_sparse::<f64>(isa, 1, (131, 67, 129), [0, 60]);
    }
    for threads in [2, 3, 7] {
        for isa in Isa::available().filter(|isa| *isa != Isa::portable()) {
            check_sparse::<f32>(isa, threads, (784, 128, 128), [50, 0]);
            check_sparse::<f32>(isa, threads, (784, 128, 128), [0, 50]);
            check_sparse::<f32>(isa, threads, (77, 1031, 129), [50, 0]);
            check_sparse::<f32>(isa, threads, (1537, 67, 19), [50, 0]);
        }
    }
    // More threads than rows.
    check_sparse::<f32>(Isa::best(), 70, (67, 64, 5000), [0, 50]);
    check_sparse::<f32>(Isa::best(), 70, (64, 67, 5000), [50, 0]);
}

/// The sum of one product of an operand that is half zeros with one that is infinite where it meets a zero.
fn half_zeros_meet_infinity(isa: Isa, side: &str, depth: usize) -> f32 {
    let size = 128;
    let is_zero = |i: usize, k: usize| (i + k).is_multiple_of(2) || k < 2;
    let sparse: Vec<f32> = (0..size * depth).map(|at| f32::from(!is_zero(at / depth, at % depth))).collect();
    let mut dense = vec![1.0; depth * size];
    dense[..size].fill(f32::INFINITY);
    let (sparse, dense) = (Operand::new(&sparse, size, depth), Operand::new(&dense, depth, size));
    let (left, right) =
        if side == "left" { (sparse, dense) } else { (dense.transposed(), sparse.transposed()) };
    let mut c = vec![0.0; size * size];
    product_with(left, right, &mut c, Start::Zero, |_, _| (), &mut Workspace::new(isa, 1));
    c.iter().sum()
}

#[test]
fn zeros_are_left_out_on_every_instruction_set() {
    for isa in Isa::available() {
        for side in ["left", "right"] {
            let sum = half_zeros_meet_infinity(isa, side, 130);
            assert_eq!(sum, 128.0 * 128.0 * 64.0, "{side} on {}", isa.name());
            // Too small a product to sample for zeros.
            assert!(half_zeros_meet_infinity(isa, side, 8).is_nan(), "{side} on {}", isa.name());
        }
    }
}

/// The sums over each row and each column of the product of one operand that is half zeros but for one number, and of one
/// that is all ones.
fn sums_with<T: Real>(isa: Isa, side: &str, (row, step): (usize, usize), number: T) -> [Vec<T>; 2] {
    const SIZE: usize = 128;
    let mut sparse: Vec<T> = (0..SIZE * SIZE)
        .map(|at| if (at / SIZE + at % SIZE).is_multiple_of(2) { T::ONE } else { T::ZERO })
        .collect();
    sparse[row * SIZE + step] = number;
    let dense = vec![T::ONE; SIZE * SIZE];
    let (sparse, dense) = (Operand::new(&sparse, SIZE, SIZE), Operand::new(&dense, SIZE, SIZE));
    let (left, right) = if side == "left" { (sparse, dense) } else { (dense, sparse.transposed()) };
    let mut c = vec![T::ZERO; SIZE * SIZE];
    product_with(left, right, &mut c, Start::Zero, |_, _| (), &mut Workspace::new(isa, 1));
    let sum = |numbers: &mut dyn Iterator<Item = &T>| numbers.copied().sum::<T>();
    [
        c.chunks_exact(SIZE).map(|row| sum(&mut row.iter())).collect(),
        (0..SIZE).map(|column| sum(&mut c.iter().skip(column).step_by(SIZE))).collect(),
    ]
}

fn check_nan_among_zeros<T: Real>() {
    let nan = T::from_f64(f64::NAN);
    for isa in Isa::available() {
        for side in ["left", "right"] {
            // In the first and the last lane, and around a word of bits.
            for place in [(0, 0), (5, 63), (64, 64), (127, 127)] {
                let [rows, columns] = sums_with(isa, side, place, nan);
                let (met, other) = if side == "left" { (rows, columns) } else { (columns, rows) };
                for (at, sum) in met.iter().enumerate() {
                    let what = format!("{} at {place:?} on the {side} on {}, {at}", T::NAME, isa.name());
                    assert_eq!(sum.to_f64().is_nan(), at == place.0, "{what}");
                }
                assert!(other.iter().all(|sum| sum.to_f64().is_nan()));
            }
        }
    }
}

#[test]
fn nan_is_no_zero_that_is_left_out() {
    check_nan_among_zeros::<f32>();
    check_nan_among_zeros::<f64>();
}

#[test]
fn product_is_the_best_instruction_sets() {
    let (a, b) = (numbers::<f64>(35, 1), numbers::<f64>(21, 2));
    let mut c = vec![f64::NAN; 15];
    product(Operand::new(&a, 5, 7), Operand::new(&b, 7, 3), &mut c, 2);
    assert_bits(&c, &reference(&a, &b, &[0.0; 15], 5, 3, 7), "product");
}

/// A batch of products with every transpose, on every number of threads, and its epilogue.
fn check_batch<T: Real>(
    isa: Isa,
    threads: usize,
    count: usize,
    (rows, columns, depth): (usize, usize, usize),
) {
    let (a, b) = (numbers::<T>(count * rows * depth, 1), numbers::<T>(count * depth * columns, 2));
    let each = |x: &[T], size: usize, change: &dyn Fn(&[T]) -> Vec<T>| -> Vec<T> {
        if size == 0 { vec![] } else { x.chunks(size).flat_map(change).collect() }
    };
    let a_transposed = each(&a, rows * depth, &|x| transpose(x, rows, depth));
    let b_transposed = each(&b, depth * columns, &|x| transpose(x, depth, columns));
    let size = rows * columns;
    let want: Vec<T> = (0..count)
        .flat_map(|i| {
            let (a, b) =
                (&a[i * rows * depth..][..rows * depth], &b[i * depth * columns..][..depth * columns]);
            reference(a, b, &vec![T::ZERO; size], rows, columns, depth)
        })
        .collect();
    let scaled: Vec<T> = (0..want.len()).map(|i| want[i] * T::from_f64(i as f64)).collect();
    let workspace = &mut Workspace::new(isa, threads);
    for (left_is_transposed, right_is_transposed) in
        [(false, false), (true, false), (false, true), (true, true)]
    {
        let left = match left_is_transposed {
            true => Batch::new(&a_transposed, [count, depth, rows]).transposed(),
            false => Batch::new(&a, [count, rows, depth]),
        };
        let right = match right_is_transposed {
            true => Batch::new(&b_transposed, [count, columns, depth]).transposed(),
            false => Batch::new(&b, [count, depth, columns]),
        };
        let what = format!(
            "{count} of {rows} x {columns} x {depth} {} transposed {left_is_transposed} {right_is_transposed} on {} \
             by {threads}",
            T::NAME,
            isa.name()
        );
        let mut c = vec![T::ONE; count * size];
        batched_product(left, right, &mut c, |_, _| (), workspace);
        assert_bits(&c, &want, &what);
        let epilogue = |first: usize, numbers: &mut [T]| {
            for (i, x) in (first..).zip(numbers) {
                *x *= T::from_f64(i as f64);
            }
        };
        batched_product(left, right, &mut c, epilogue, workspace);
        assert_bits(&c, &scaled, &format!("{what}, with epilogue"));
    }
}

#[test]
fn batched_products_are_the_same_on_every_instruction_set_and_number_of_threads() {
    for isa in Isa::available() {
        for sizes in [(0, 3, 2), (1, 1, 1), (5, 7, 0), (15, 16, 17), (16, 33, 8), (31, 67, 13), (17, 9, 64)] {
            for count in [0, 1, 2, 5] {
                check_batch::<f32>(isa, 1, count, sizes);
                check_batch::<f64>(isa, 2, count, sizes);
            }
        }
        for threads in [2, 3, 7] {
            check_batch::<f32>(isa, threads, 11, (37, 41, 29));
            // Fewer than threads: each is shared.
            check_batch::<f32>(isa, threads, 2, (67, 131, 97));
        }
    }
}

/// Products with an operand that was packed before, of all transposes and starts.
fn check_packed<T: Real>(
    isa: Isa,
    threads: usize,
    rows: usize,
    columns: usize,
    depth: usize,
    is_sparse: bool,
) {
    let (mut a, b) = (numbers::<T>(rows * depth, 1), numbers::<T>(depth * columns, 2));
    if is_sparse {
        a.iter_mut().enumerate().filter(|(i, _)| i % 3 != 0).for_each(|(_, x)| *x = T::ZERO);
    }
    let b_transposed = transpose(&b, depth, columns);
    let (bias, before) = (numbers::<T>(columns, 3), numbers::<T>(rows * columns, 4));
    let bias_rows: Vec<T> = (0..rows).flat_map(|_| bias.iter().copied()).collect();
    let from_bias = reference(&a, &b, &bias_rows, rows, columns, depth);
    let added = reference(&a, &b, &before, rows, columns, depth);
    let workspace = &mut Workspace::new(isa, threads);
    let left = Operand::new(&a, rows, depth);
    for (right, what) in [
        (Operand::new(&b, depth, columns), "as it is"),
        (Operand::new(&b_transposed, columns, depth).transposed(), "transposed"),
    ] {
        let right = PackedOperand::new(right, isa);
        assert_eq!([right.rows(), right.columns()], [depth, columns]);
        let what =
            format!("{rows} x {columns} x {depth} {} packed {what} on {} by {threads}", T::NAME, isa.name());
        for _ in 0..2 {
            let mut c = before.clone();
            product_packed(left, &right, &mut c, Start::Row(&bias), |_, _| (), workspace);
            assert_bits(&c, &from_bias, &what);
        }
        let mut c = before.clone();
        let twice = |_: usize, numbers: &mut [T]| numbers.iter_mut().for_each(|x| *x += *x);
        product_packed(left, &right, &mut c, Start::Output, twice, workspace);
        let want: Vec<T> = added.iter().map(|x| *x + *x).collect();
        assert_bits(&c, &want, &format!("{what}, added to, with epilogue"));
    }
}

#[test]
fn products_with_packed_operands_are_the_same_on_every_instruction_set() {
    for isa in Isa::available() {
        for rows in [0, 1, 2, 3, 4, 15, 67] {
            for columns in [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 67] {
                for depth in [0, 1, 17, 513] {
                    check_packed::<f32>(isa, 1, rows, columns, depth, false);
                }
                check_packed::<f64>(isa, 1, rows, columns, 29, false);
            }
        }
    }
}

#[test]
fn large_products_with_packed_operands_are_the_same_on_any_number_of_threads() {
    for isa in Isa::available() {
        for threads in [1, 2, 3, 7] {
            check_packed::<f32>(isa, threads, 1, 2085, 521, false);
            check_packed::<f32>(isa, threads, 131, 131, 521, false);
            // Zeros are left out: columns in one panel, in halves of some, and in several groups of panels.
            for columns in [64, 65, 145, 301] {
                check_packed::<f32>(isa, threads, 600, columns, 147, true);
            }
        }
    }
}

#[test]
#[should_panic = "instruction set of a packed operand"]
fn an_operand_packed_for_another_instruction_set_is_refused() {
    let right = PackedOperand::new(Operand::new(&[1.0_f32], 1, 1), Isa::portable());
    let workspace = &mut Workspace::new(Isa::amx_emulated(), 1);
    product_packed(Operand::new(&[1.0], 1, 1), &right, &mut [0.0], Start::Zero, |_, _| (), workspace);
}
