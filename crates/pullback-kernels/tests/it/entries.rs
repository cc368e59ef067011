//! Products with matrices whose entries are listed, against the dense products, bit for bit.

use crate::slices::{assert_bits, numbers};
use pullback_kernels::*;

/// `[rows, per_row]` entries of a matrix of `width` columns: ones, other numbers, and some that are zero.
fn listed<T: Real>(rows: usize, per_row: usize, width: usize) -> (Vec<u32>, Vec<T>) {
    let (mut columns, mut numbers) = (Vec::new(), Vec::new());
    for row in 0..rows {
        let mut last = 0;
        for entry in 0..per_row {
            let room = width - (per_row - entry) - last;
            let column = last + (row * 7 + entry * 5 + row * row) % (room + 1);
            columns.push(column as u32);
            numbers.push(T::from_f64([1.0, -0.75, 1.0, 0.0, 2.5][(row + entry * 3) % 5]));
            last = column + 1;
        }
    }
    (columns, numbers)
}

fn dense<T: Real>(x: Entries<'_, T>, width: usize) -> Vec<T> {
    let mut all = vec![T::ZERO; x.rows() * width];
    x.write(&mut all);
    all
}

#[test]
fn products_have_the_bits_of_dense_ones() {
    check_products::<f32>();
    check_products::<f64>();
}

fn check_products<T: Real>() {
    // Chains so long that dense products cut them into blocks; units around those that are computed together.
    for (rows, per_row, width) in [(1, 1, 1), (3, 2, 7), (37, 5, 1000), (64, 40, 701), (5, 3, 5003)] {
        let (columns, entries) = listed::<T>(rows, per_row, width);
        let x = Entries::new(&columns, &entries, per_row, width);
        let all = dense(x, width);
        for units in [1, 3, 7, 8, 9, 33] {
            let (w, bias) = (numbers::<T>(units * width, 3), numbers::<T>(units, 4));
            let delta = numbers::<T>(rows * units, 5);
            let what = format!("{}, {rows} rows of {per_row} in {width}, {units} units", T::NAME);
            for isa in Isa::available() {
                for threads in [1, 3] {
                    let workspace = &mut Workspace::new(isa, threads);
                    for start in [Start::Zero, Start::Row(&bias[..]), Start::Output] {
                        let (left, right) = (Operand::new(&all, rows, width), Operand::new(&w, units, width));
                        let (mut want, mut got) = (vec![T::ONE; rows * units], vec![T::ONE; rows * units]);
                        product_with(left, right.transposed(), &mut want, start, |_, _| (), workspace);
                        entries_product(x, &w, &mut got, start, |_, _| (), workspace);
                        assert_bits(&got, &want, &what);
                    }
                    let mut want = vec![T::ONE; units * width];
                    let (left, right) = (Operand::new(&delta, rows, units), Operand::new(&all, rows, width));
                    product_with(left.transposed(), right, &mut want, Start::Zero, |_, _| (), workspace);
                    let (mut got, mut beside) = (vec![T::ONE; units * width], vec![T::ZERO; units * width]);
                    let keep = |first: usize, gradient: &mut [T], [beside, ..]: [&mut [T]; 4]| {
                        assert_eq!(first % width, 0, "pieces are whole rows");
                        beside.copy_from_slice(gradient);
                    };
                    let arrays = [&mut beside[..], &mut [], &mut [], &mut []];
                    entries_gradient(&delta, x, &mut got, arrays, keep, workspace);
                    assert_bits(&got, &want, &what);
                    assert_bits(&beside, &want, &what);
                }
            }
        }
    }
}

#[test]
fn an_epilogue_is_called_once_for_each_number() {
    let (columns, entries) = listed::<f64>(500, 3, 400);
    let x = Entries::new(&columns, &entries, 3, 400);
    for threads in [1, 4] {
        let workspace = &mut Workspace::new(Isa::best(), threads);
        let mut output = vec![f64::NAN; 500 * 100];
        let count = |first: usize, piece: &mut [f64]| {
            (first..).zip(piece).for_each(|(at, number)| *number = at as f64);
        };
        entries_product(x, &numbers(100 * 400, 1), &mut output, Start::Zero, count, workspace);
        assert!((0..).zip(&output).all(|(at, number)| *number == f64::from(at)));
    }
}

#[test]
fn an_entry_of_zero_stands_for_none_beside_another_of_its_column() {
    let mut all = [0.0_f32; 6];
    Entries::new(&[1, 1, 0, 2], &[2.5, 0.0, 0.0, -1.0], 2, 3).write(&mut all);
    assert_eq!(all, [0.0, 2.5, 0.0, 0.0, 0.0, -1.0]);
}

#[test]
#[should_panic(expected = "column 4 of a matrix of 4")]
fn an_entry_beyond_the_matrix_is_refused() {
    Entries::new(&[4], &[1.0_f32], 1, 4);
}
