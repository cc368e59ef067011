//! Rows that are gathered, against plain loops, bit for bit, on every instruction set of this processor.

use crate::slices::{assert_bits, numbers};
use pullback_kernels::*;

/// None, around the lanes of every width, primes.
const COLUMNS: [usize; 15] = [0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 97, 257, 1021];
const COUNTS: [usize; 5] = [0, 1, 2, 3, 11];
const ROWS: usize = 67;

/// `count` rows, with repetitions.
fn order(count: usize) -> Vec<usize> {
    (0..count).map(|i| (i * 31 + 5) % ROWS / (1 + i % 2)).collect()
}

#[test]
fn gathered_rows_are_those_asked_for() {
    for columns in COLUMNS {
        let x: Vec<f32> = numbers(ROWS * columns, 1);
        for count in COUNTS {
            let rows = order(count);
            let mut out = vec![0.0; count * columns];
            gather(&x, columns, &rows, &mut out);
            let want: Vec<f32> =
                rows.iter().flat_map(|row| &x[row * columns..(row + 1) * columns]).copied().collect();
            assert_bits(&out, &want, &format!("{count} rows of {columns}"));
        }
    }
}

#[test]
fn gathered_bytes_stand_for_their_quotients() {
    check_bytes::<f32>();
    check_bytes::<f64>();
}

fn check_bytes<T: Real>() {
    // A standard deviation, for which f64 needs the division; the largest byte; none; quotients beyond f32, and
    // one that is no number.
    for (center, spread) in [(72.940_35, 90.021_18), (0.0, 255.0), (0.0, 1.0), (33.0, 3e-39), (7.0, 0.0)] {
        let scale = ByteScale::<T>::new(center, spread);
        for columns in COLUMNS {
            let bytes: Vec<u8> =
                (0..ROWS * columns).map(|i| (i.wrapping_mul(2_654_435_761) >> 7) as u8).collect();
            for count in COUNTS {
                let rows = order(count);
                let want: Vec<T> = (rows.iter())
                    .flat_map(|row| &bytes[row * columns..(row + 1) * columns])
                    .map(|&byte| T::from_f64((f64::from(byte) - center) / spread))
                    .collect();
                for isa in Isa::available() {
                    let mut out = vec![T::ZERO; count * columns];
                    gather_bytes(isa, &bytes, columns, scale, &rows, &mut out);
                    let is_same = out.iter().zip(&want).all(|(out, want)| {
                        out.to_f64().to_bits() == want.to_f64().to_bits()
                            || out.to_f64().is_nan() && want.to_f64().is_nan()
                    });
                    let what = format!("{} on {}, {count} rows of {columns}", T::NAME, isa.name());
                    assert!(is_same, "{what}: ({center}, {spread})");
                }
            }
        }
        for byte in 0..=u8::MAX {
            let want = T::from_f64((f64::from(byte) - center) / spread).to_f64();
            let got = scale.number(byte).to_f64();
            assert!(got == want || got.is_nan() && want.is_nan(), "byte {byte} of ({center}, {spread})");
        }
    }
}

#[test]
fn rows_of_a_matrix_that_no_cache_holds_are_the_same() {
    let bytes: Vec<u8> = (0..18_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let x: Vec<f32> = bytes[..4_500_000].iter().map(|&byte| f32::from(byte)).collect();
    let scale = ByteScale::<f32>::new(0.0, 1.0);
    for columns in [1, 17, 784, 5003] {
        // Fewer than are prefetched, and more; the last row is among them.
        for count in [1, 2, 3, 15, 16, 17, 40] {
            let order = |all: usize| (0..count).map(|i| (i * 7_919 + all - 1) % all).collect::<Vec<_>>();
            let mut out = vec![0.0; count * columns];
            let rows = order(x.len() / columns);
            gather(&x, columns, &rows, &mut out);
            let want: Vec<f32> =
                rows.iter().flat_map(|row| &x[row * columns..][..columns]).copied().collect();
            assert_bits(&out, &want, &format!("{count} rows of {columns} numbers"));
            let rows = order(bytes.len() / columns);
            let want: Vec<f32> = (rows.iter().flat_map(|row| &bytes[row * columns..][..columns]))
                .map(|&byte| f32::from(byte))
                .collect();
            for isa in Isa::available() {
                gather_bytes(isa, &bytes, columns, scale, &rows, &mut out);
                assert_bits(&out, &want, &format!("{count} rows of {columns} bytes on {}", isa.name()));
            }
        }
    }
}

#[test]
#[should_panic(expected = "out of range")]
fn a_row_beyond_the_last_is_refused() {
    gather(&[1.0; 6], 2, &[0_usize, 3], &mut [0.0; 4]);
}

#[test]
#[should_panic(expected = "[rows, columns]")]
fn an_output_of_another_size_is_refused() {
    gather(&[1.0; 6], 2, &[0_usize, 1], &mut [0.0; 3]);
}

/// Rows of an embedding, gathered by indices of each type and added up again, with every number of threads.
fn check_embedding<T: Real + RowIndex>() {
    for columns in COLUMNS {
        let table: Vec<T> = numbers(ROWS * columns, 1);
        for count in [0, 1, 2, 3, 11, 401] {
            let rows = order(count);
            let x: Vec<T> = numbers(count * columns, 2);
            let want_rows: Vec<T> =
                rows.iter().flat_map(|row| &table[row * columns..][..columns]).copied().collect();
            let mut want_sums = vec![T::ZERO; ROWS * columns];
            for (i, row) in rows.iter().enumerate() {
                for j in 0..columns {
                    want_sums[row * columns + j] += x[i * columns + j];
                }
            }
            let numbers: Vec<T> = rows.iter().map(|row| T::from_f64(*row as f64)).collect();
            let short: Vec<u32> = rows.iter().map(|row| *row as u32).collect();
            for isa in Isa::available() {
                for threads in [1, 2, 3, 7] {
                    let workspace = &mut Workspace::new(isa, threads);
                    let what =
                        format!("{count} rows of {columns} {} on {} by {threads}", T::NAME, isa.name());
                    let mut out = vec![T::ONE; count * columns];
                    gather_rows(&table, columns, &rows, &mut out, workspace);
                    assert_bits(&out, &want_rows, &what);
                    gather_rows(&table, columns, &numbers, &mut out, workspace);
                    assert_bits(&out, &want_rows, &format!("{what}, by numbers"));
                    let mut sums = vec![T::ONE; ROWS * columns];
                    scatter_add_rows(&x, columns, &rows, &mut sums, workspace);
                    assert_bits(&sums, &want_sums, &format!("sums of {what}"));
                    scatter_add_rows(&x, columns, &short, &mut sums, workspace);
                    assert_bits(&sums, &want_sums, &format!("sums of {what}, by u32"));
                    scatter_add_rows(&x, columns, &numbers, &mut sums, workspace);
                    assert_bits(&sums, &want_sums, &format!("sums of {what}, by numbers"));
                }
            }
        }
    }
}

#[test]
fn rows_of_an_embedding_are_gathered_and_added_in_order() {
    check_embedding::<f32>();
    check_embedding::<f64>();
}

#[test]
fn a_number_counts_for_its_whole_part_and_one_that_names_no_row_is_nan_and_adds_nothing() {
    let codes = [-1.0, 1.75, 3.0, 1e30, f32::NAN, f32::INFINITY, -0.0, -0.5, 2.999];
    let named = [None, Some(1), None, None, None, None, Some(0), None, Some(2)];
    for columns in COLUMNS.into_iter().filter(|columns| *columns > 0) {
        let table: Vec<f32> = numbers(3 * columns, 3);
        let x: Vec<f32> = numbers(codes.len() * columns, 4);
        let mut want_sums = vec![0.0_f32; 3 * columns];
        for (x, row) in x.chunks_exact(columns).zip(named) {
            let Some(row) = row else { continue };
            want_sums[row * columns..][..columns].iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
        }
        for isa in Isa::available() {
            for threads in [1, 3] {
                let workspace = &mut Workspace::new(isa, threads);
                let mut out = vec![7.0; codes.len() * columns];
                gather_rows(&table, columns, &codes, &mut out, workspace);
                for (out, row) in out.chunks_exact(columns).zip(named) {
                    match row {
                        Some(row) => assert_bits(out, &table[row * columns..][..columns], "a row"),
                        None => assert!(out.iter().all(|x| x.is_nan()), "{out:?}"),
                    }
                }
                let mut sums = vec![7.0; 3 * columns];
                scatter_add_rows(&x, columns, &codes, &mut sums, workspace);
                assert_bits(&sums, &want_sums, "sums");
            }
        }
    }
}
