//! Softmax, its logarithm, and its cross-entropy, row by row; and the cross-entropy of the sigmoid.
//!
//! The exponentials of many rows are computed in one pass, so that short rows (ten classes) are vectorized as well as
//! long ones.

use super::reduce::{fold_pairs, max_inline, sum_inline};
use crate::machine::tuning::{FEW_CLASSES, SOFTMAX_NUMBERS, SOFTMAX_ROWS};
use crate::{Isa, Real};

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
/// `cost[i] = sum over j of targets[i, j] * (ln(sum over j of exp(logits[i, j])) - logits[i, j])`,
/// where the term of a target of zero is zero, even if the class is impossible (0 log 0 = 0).
///
/// With `gradient`, a slice and a factor, also writes the derivative of each row's cost with respect to its logits
/// there, times the factor:
/// `factor * (softmax(logits)[i, j] * (sum over j of targets[i, j]) - targets[i, j])`.
///
/// # Panics
/// If the lengths of `logits`, `targets` and `gradient` differ or are not `cost.len()` rows of `columns`.
pub fn softmax_cross_entropy<T: Real>(
    isa: Isa,
    logits: &[T],
    targets: &[T],
    columns: usize,
    cost: &mut [T],
    gradient: Option<(&mut [T], T)>,
) {
    assert_eq!(logits.len(), targets.len(), "as many targets as logits");
    assert_eq!(logits.len(), columns * cost.len(), "one cost for each row");
    let mut gradient = gradient;
    assert!(
        gradient.as_ref().is_none_or(|(gradient, _)| gradient.len() == logits.len()),
        "size of a gradient"
    );
    if logits.is_empty() {
        return;
    }
    isa.run(
        #[inline(always)]
        || {
            let block = if columns <= COLUMNS { LANES } else { 1 };
            let (mut few, mut many) = (None, None);
            if columns <= FEW_CLASSES {
                few = Some(Transposed::<T, FEW_CLASSES>::new());
            } else if columns <= COLUMNS {
                many = Some(Transposed::<T, COLUMNS>::new());
            }
            let rows = logits.chunks(block * columns).zip(targets.chunks(block * columns));
            for (i, ((logits, targets), cost)) in rows.zip(cost.chunks_mut(block)).enumerate() {
                let first = i * block * columns;
                let gradient = gradient
                    .as_mut()
                    .map(|(gradient, factor)| (&mut gradient[first..][..logits.len()], *factor));
                let transposed = match (&mut few, &mut many) {
                    (Some(few), _) => few.columns(columns),
                    (_, Some(many)) => many.columns(columns),
                    _ => {
                        cost[0] = cross_entropy_of_row(logits, targets, gradient);
                        continue;
                    }
                };
                cross_entropy_of_block(transposed, logits, targets, cost, gradient);
            }
        },
    );
}

/// Rows of a block of short rows: each has a lane of its own, so that they fill the vectors. It decides bits.
const LANES: usize = 16;
/// Columns of a short row, at most; longer rows are computed one by one. It decides bits.
const COLUMNS: usize = 32;

/// The rows of a block, transposed: for each column the numbers of all lanes. Lanes without a row hold numbers of the
/// block before.
struct Transposed<T, const COLUMNS: usize> {
    logits: [[T; LANES]; COLUMNS],
    targets: [[T; LANES]; COLUMNS],
}

impl<T: Real, const COLUMNS: usize> Transposed<T, COLUMNS> {
    #[inline(always)]
    fn new() -> Self {
        Self { logits: [[T::ZERO; LANES]; COLUMNS], targets: [[T::ZERO; LANES]; COLUMNS] }
    }

    /// The logits and targets of the first columns.
    #[inline(always)]
    fn columns(&mut self, columns: usize) -> [&mut [[T; LANES]]; 2] {
        [&mut self.logits[..columns], &mut self.targets[..columns]]
    }
}

/// One block of at most `LANES` rows, whose columns `z` and `t` have memory for; each row's sums run over its columns in
/// ascending order.
#[inline(always)]
fn cross_entropy_of_block<T: Real>(
    [z, t]: [&mut [[T; LANES]]; 2],
    logits: &[T],
    targets: &[T],
    cost: &mut [T],
    gradient: Option<(&mut [T], T)>,
) {
    transpose(logits, z);
    transpose(targets, t);
    let mut maxima = z[0];
    for z in &z[1..] {
        for lane in 0..LANES {
            maxima[lane] = Real::max(maxima[lane], z[lane]);
        }
    }
    let (mut totals, mut weights) = ([T::ZERO; LANES], [T::ZERO; LANES]);
    for (z, t) in z.iter_mut().zip(t.iter()) {
        for lane in 0..LANES {
            z[lane] -= maxima[lane];
            totals[lane] += z[lane].exp();
            weights[lane] += t[lane];
        }
    }
    let (mut logarithms, mut costs) = ([T::ZERO; LANES], [T::ZERO; LANES]);
    for lane in 0..LANES {
        logarithms[lane] = totals[lane].ln();
    }
    for (z, t) in z.iter().zip(t.iter()) {
        for lane in 0..LANES {
            let surprise = t[lane] * (logarithms[lane] - z[lane]);
            costs[lane] += if t[lane] == T::ZERO { T::ZERO } else { surprise };
        }
    }
    let rows = cost.len();
    cost.copy_from_slice(&costs[..rows]);
    let Some((gradient, factor)) = gradient else { return };
    for lane in 0..LANES {
        weights[lane] = weights[lane] / totals[lane];
    }
    for (z, t) in z.iter_mut().zip(t.iter()) {
        for lane in 0..LANES {
            z[lane] = factor * (z[lane].exp() * weights[lane] - t[lane]);
        }
    }
    transpose_back(z, gradient);
}

/// `transposed[j][i] = rows[i, j]`, for at most `LANES` rows.
#[inline(always)]
fn transpose<T: Copy>(rows: &[T], transposed: &mut [[T; LANES]]) {
    let columns = transposed.len();
    if rows.len() == LANES * columns {
        // Columns in the outer loop, so that each is written as a vector.
        for (j, transposed) in transposed.iter_mut().enumerate() {
            for lane in 0..LANES {
                transposed[lane] = rows[lane * columns + j];
            }
        }
        return;
    }
    for (lane, row) in rows.chunks_exact(transposed.len()).take(LANES).enumerate() {
        for (x, transposed) in row.iter().zip(transposed.iter_mut()) {
            transposed[lane] = *x;
        }
    }
}

/// `rows[i, j] = transposed[j][i]`, for at most `LANES` rows.
#[inline(always)]
fn transpose_back<T: Copy>(transposed: &[[T; LANES]], rows: &mut [T]) {
    let columns = transposed.len();
    if rows.len() == LANES * columns {
        for (j, transposed) in transposed.iter().enumerate() {
            for lane in 0..LANES {
                rows[lane * columns + j] = transposed[lane];
            }
        }
        return;
    }
    for (lane, row) in rows.chunks_exact_mut(columns).enumerate() {
        for (x, transposed) in row.iter_mut().zip(transposed) {
            *x = transposed[lane];
        }
    }
}

/// The cost of one long row.
#[inline(always)]
fn cross_entropy_of_row<T: Real>(logits: &[T], targets: &[T], gradient: Option<(&mut [T], T)>) -> T {
    let max = max_inline(logits);
    let total = fold_pairs(
        logits,
        logits,
        T::ZERO,
        -T::INFINITY,
        #[inline(always)]
        |a, b| a + b,
        #[inline(always)]
        |lane, z, _| lane + (z - max).exp(),
    );
    let logarithm = total.ln();
    let cost = fold_pairs(
        logits,
        targets,
        T::ZERO,
        T::ZERO,
        #[inline(always)]
        |a, b| a + b,
        #[inline(always)]
        |lane, z, t| lane + if t == T::ZERO { T::ZERO } else { t * (logarithm - (z - max)) },
    );
    if let Some((gradient, factor)) = gradient {
        let weight = sum_inline(targets) / total;
        for ((gradient, z), t) in gradient.iter_mut().zip(logits).zip(targets) {
            *gradient = factor * ((*z - max).exp() * weight - *t);
        }
    }
    cost
}

/// The cross-entropy of `sigmoid(logits)` to `targets`, number by number:
/// `cost[i] = max(logits[i], 0) - logits[i] * targets[i] + ln(1 + exp(-|logits[i]|))`.
///
/// With `gradient`, a slice and a factor, also writes the derivative of each cost with respect to its logit there,
/// times the factor: `factor * (sigmoid(logits[i]) - targets[i])`.
///
/// # Panics
/// If the lengths differ.
pub fn sigmoid_cross_entropy<T: Real>(
    isa: Isa,
    logits: &[T],
    targets: &[T],
    cost: &mut [T],
    gradient: Option<(&mut [T], T)>,
) {
    assert!(
        logits.len() == targets.len() && logits.len() == cost.len(),
        "one target and one cost for each logit"
    );
    let mut gradient = gradient;
    assert!(
        gradient.as_ref().is_none_or(|(gradient, _)| gradient.len() == logits.len()),
        "size of a gradient"
    );
    isa.run(
        #[inline(always)]
        || {
            let blocks = logits.chunks(LANES).zip(targets.chunks(LANES)).zip(cost.chunks_mut(LANES));
            for (i, ((logits, targets), cost)) in blocks.enumerate() {
                let (z, t) = (lanes(logits), lanes(targets));
                let mut result = [T::ZERO; LANES];
                // The compiler finds the exponential that cost and gradient have in common.
                if let Some((gradient, factor)) = &mut gradient {
                    let mut derivative = [T::ZERO; LANES];
                    for lane in 0..LANES {
                        result[lane] = cross_entropy_of_sigmoid(z[lane], t[lane]);
                        derivative[lane] = *factor * (z[lane].sigmoid() - t[lane]);
                    }
                    let gradient = &mut gradient[i * LANES..][..logits.len()];
                    gradient.copy_from_slice(&derivative[..logits.len()]);
                } else {
                    for lane in 0..LANES {
                        result[lane] = cross_entropy_of_sigmoid(z[lane], t[lane]);
                    }
                }
                cost.copy_from_slice(&result[..cost.len()]);
            }
        },
    );
}

#[inline(always)]
fn cross_entropy_of_sigmoid<T: Real>(logit: T, target: T) -> T {
    logit.max(T::ZERO) - logit * target + (-logit.abs()).exp().ln_1p()
}

/// The first `LANES` numbers, padded with zeros.
#[inline(always)]
fn lanes<T: Real>(numbers: &[T]) -> [T; LANES] {
    numbers.first_chunk().copied().unwrap_or_else(|| {
        let mut lanes = [T::ZERO; LANES];
        for (lane, number) in lanes.iter_mut().zip(numbers) {
            *lane = *number;
        }
        lanes
    })
}

fn check(length: usize, columns: usize, output: usize) {
    assert_eq!(length, output, "lengths of a softmax");
    assert!(length.is_multiple_of(columns), "{length} numbers are not whole rows of {columns}");
}

/// Fills `y` with `exp(x - row maximum)`, block by block, and calls `finish` for each block with its first row, its x
/// and y, and the maxima of its rows of x and the sums of its rows of y.
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
    let rows = (SOFTMAX_NUMBERS / columns).clamp(1, SOFTMAX_ROWS);
    let mut maxima = [T::ZERO; SOFTMAX_ROWS];
    let mut sums = [T::ZERO; SOFTMAX_ROWS];
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
