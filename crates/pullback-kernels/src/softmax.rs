//! Softmax, its logarithm, and the cross-entropy cost of it, row by row.
//!
//! The exponentials of many rows are computed in one pass, so that narrow rows (ten classes) are
//! vectorized as well as wide ones.

use crate::reduce::{fold_pairs, max_inline, sum_inline};
use crate::{Isa, Real};

/// So many rows at a time at most: their maxima and sums are on the stack.
const ROWS: usize = 64;
/// So many numbers at a time, unless a row alone has more: they stay in the nearest cache.
const NUMBERS: usize = 4096;

/// `y[i, j] = exp(x[i, j]) / sum over j of exp(x[i, j])`, computed with each row's maximum subtracted.
///
/// # Panics
/// If the lengths differ or are no multiple of `columns`.
pub fn softmax<T: Real>(isa: Isa, x: &[T], columns: usize, y: &mut [T]) {
    check(x.len(), columns, y.len());
    isa.run(
        #[inline(always)]
        || {
            for_blocks(
                x,
                columns,
                y,
                #[inline(always)]
                |_, _, y, _, sums| {
                    for (y, sum) in y.chunks_exact_mut(columns).zip(sums) {
                        for y in y {
                            *y = *y / *sum;
                        }
                    }
                },
            );
        },
    );
}

/// `y[i, j] = x[i, j] - ln(sum over j of exp(x[i, j]))`, computed with each row's maximum subtracted.
///
/// # Panics
/// If the lengths differ or are no multiple of `columns`.
pub fn log_softmax<T: Real>(isa: Isa, x: &[T], columns: usize, y: &mut [T]) {
    check(x.len(), columns, y.len());
    isa.run(
        #[inline(always)]
        || {
            for_blocks(
                x,
                columns,
                y,
                #[inline(always)]
                |_, x, y, maxima, sums| {
                    for sum in sums.iter_mut() {
                        *sum = sum.ln();
                    }
                    let rows = y.chunks_exact_mut(columns).zip(x.chunks_exact(columns));
                    for (((y, x), max), ln_sum) in rows.zip(maxima).zip(sums) {
                        for (y, x) in y.iter_mut().zip(x) {
                            *y = (*x - *max) - *ln_sum;
                        }
                    }
                },
            );
        },
    );
}

/// The cross-entropy of `softmax(logits)` to `targets`:
/// `cost[i] = sum over j of targets[i, j] * (ln(sum over j of exp(logits[i, j])) - logits[i, j])`.
///
/// Also writes the softmax itself to `probabilities`: for targets that sum to one, the gradient with
/// respect to the logits is `probabilities - targets`.
///
/// # Panics
/// If the lengths of `logits`, `targets` and `probabilities` differ or are not `cost.len()` rows of `columns`.
pub fn softmax_cross_entropy<T: Real>(
    isa: Isa,
    logits: &[T],
    targets: &[T],
    columns: usize,
    probabilities: &mut [T],
    cost: &mut [T],
) {
    check(logits.len(), columns, probabilities.len());
    assert_eq!(logits.len(), targets.len(), "as many targets as logits");
    assert_eq!(logits.len(), columns * cost.len(), "one cost for each row");
    isa.run(
        #[inline(always)]
        || {
            for_blocks(
                logits,
                columns,
                probabilities,
                #[inline(always)]
                |first, x, y, maxima, sums| {
                    for (y, sum) in y.chunks_exact_mut(columns).zip(sums.iter()) {
                        for y in y {
                            *y = *y / *sum;
                        }
                    }
                    for sum in sums.iter_mut() {
                        *sum = sum.ln();
                    }
                    let rows = x.chunks_exact(columns).zip(targets[first * columns..].chunks_exact(columns));
                    for (i, (x, targets)) in rows.enumerate() {
                        let (max, ln_sum) = (maxima[i], sums[i]);
                        cost[first + i] = fold_pairs(
                            x,
                            targets,
                            T::ZERO,
                            T::ZERO,
                            #[inline(always)]
                            |a, b| a + b,
                            #[inline(always)]
                            |lane, x, target| target.mul_add(ln_sum - (x - max), lane),
                        );
                    }
                },
            );
        },
    );
}

fn check(length: usize, columns: usize, output: usize) {
    assert_eq!(length, output, "lengths of a softmax");
    assert!(length.is_multiple_of(columns), "{length} numbers are not whole rows of {columns}");
}

/// Fills `y` with `exp(x - row maximum)`, a block of rows at a time, and calls `finish` for each block with
/// its first row, its x and y, and its rows' maxima and sums of y.
#[inline(always)]
fn for_blocks<T: Real>(
    x: &[T],
    columns: usize,
    y: &mut [T],
    mut finish: impl FnMut(usize, &[T], &mut [T], &mut [T], &mut [T]),
) {
    if x.is_empty() {
        return;
    }
    let rows = (NUMBERS / columns).clamp(1, ROWS);
    let mut maxima = [T::ZERO; ROWS];
    let mut sums = [T::ZERO; ROWS];
    for (block, (x, y)) in x.chunks(rows * columns).zip(y.chunks_mut(rows * columns)).enumerate() {
        for ((y, x), max) in y.chunks_exact_mut(columns).zip(x.chunks_exact(columns)).zip(&mut maxima) {
            *max = max_inline(x);
            for (y, x) in y.iter_mut().zip(x) {
                *y = *x - *max;
            }
        }
        for y in y.iter_mut() {
            *y = y.exp();
        }
        for (y, sum) in y.chunks_exact(columns).zip(&mut sums) {
            *sum = sum_inline(y);
        }
        let rows_here = x.len() / columns;
        finish(block * rows, x, y, &mut maxima[..rows_here], &mut sums[..rows_here]);
    }
}
