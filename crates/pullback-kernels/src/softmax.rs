//! Softmax, its logarithm, and the cross-entropy cost of it, row by row; and that of the sigmoid.
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
/// `cost[i] = sum over j of targets[i, j] * (ln(sum over j of exp(logits[i, j])) - logits[i, j])`,
/// where a target of zero leaves its class out, however improbable that is (0 log 0 = 0).
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
            // To clear more than is used would take longer than the rest of it for a few classes.
            let (mut few, mut many) = (None, None);
            if columns <= FEW_COLUMNS {
                few = Some(Turned::<T, FEW_COLUMNS>::new());
            } else if columns <= COLUMNS {
                many = Some(Turned::<T, COLUMNS>::new());
            }
            let rows = logits.chunks(block * columns).zip(targets.chunks(block * columns));
            for (i, ((logits, targets), cost)) in rows.zip(cost.chunks_mut(block)).enumerate() {
                let first = i * block * columns;
                let gradient = gradient
                    .as_mut()
                    .map(|(gradient, factor)| (&mut gradient[first..][..logits.len()], *factor));
                if let Some(turned) = &mut few {
                    turned.cross_entropy(logits, targets, columns, cost, gradient);
                } else if let Some(turned) = &mut many {
                    turned.cross_entropy(logits, targets, columns, cost, gradient);
                } else {
                    cost[0] = cross_entropy_of_row(logits, targets, gradient);
                }
            }
        },
    );
}

/// So many rows at a time: each has a lane of its own, so that short rows fill the vectors too.
const LANES: usize = 16;
/// Longer rows are computed one by one.
const COLUMNS: usize = 32;
const FEW_COLUMNS: usize = 4;

/// The rows of a block, turned: for each column the numbers of all lanes. Lanes without a row hold what was
/// there before.
struct Turned<T, const COLUMNS: usize> {
    logits: [[T; LANES]; COLUMNS],
    targets: [[T; LANES]; COLUMNS],
}

impl<T: Real, const COLUMNS: usize> Turned<T, COLUMNS> {
    #[inline(always)]
    fn new() -> Self {
        Self { logits: [[T::ZERO; LANES]; COLUMNS], targets: [[T::ZERO; LANES]; COLUMNS] }
    }

    /// One block of at most `LANES` rows of at most `COLUMNS` columns; each row's sums run over its columns in
    /// ascending order.
    #[inline(always)]
    fn cross_entropy(
        &mut self,
        logits: &[T],
        targets: &[T],
        columns: usize,
        cost: &mut [T],
        gradient: Option<(&mut [T], T)>,
    ) {
        let (z, t) = (&mut self.logits[..columns], &mut self.targets[..columns]);
        turn(logits, z);
        turn(targets, t);
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
        turn_back(z, gradient);
    }
}

/// `turned[j][i] = rows[i, j]`, for at most `LANES` rows.
#[inline(always)]
fn turn<T: Copy>(rows: &[T], turned: &mut [[T; LANES]]) {
    let columns = turned.len();
    if rows.len() == LANES * columns {
        // A column at a time, so that it is written at once.
        for (j, turned) in turned.iter_mut().enumerate() {
            for lane in 0..LANES {
                turned[lane] = rows[lane * columns + j];
            }
        }
        return;
    }
    for (lane, row) in rows.chunks_exact(turned.len()).take(LANES).enumerate() {
        for (x, turned) in row.iter().zip(turned.iter_mut()) {
            turned[lane] = *x;
        }
    }
}

/// `rows[i, j] = turned[j][i]`, for at most `LANES` rows.
#[inline(always)]
fn turn_back<T: Copy>(turned: &[[T; LANES]], rows: &mut [T]) {
    let columns = turned.len();
    if rows.len() == LANES * columns {
        for (j, turned) in turned.iter().enumerate() {
            for lane in 0..LANES {
                rows[lane * columns + j] = turned[lane];
            }
        }
        return;
    }
    for (lane, row) in rows.chunks_exact_mut(columns).enumerate() {
        for (x, turned) in row.iter_mut().zip(turned) {
            *x = turned[lane];
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

/// Up to so many numbers, and zeros for the rest.
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
