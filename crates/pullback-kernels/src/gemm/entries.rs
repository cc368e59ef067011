//! Products with a matrix of few nonzero numbers a row, which are listed: categories, of which each has an input.
//!
//! Nothing is done for the zeros, so the work grows with the entries and not with the columns. Each output is the
//! chain of multiply-adds of the dense product without its zeros, which add nothing: the bits are the same, with the
//! exceptions that [`sparse`](super::sparse) names. The weights of some outputs at a time are in cache, and found there
//! by the entries' columns. `bench/wide` measures a whole run.

use super::api::Start;
use crate::machine::tuning::{ENTRIES_PER_NANOSECOND, MOVED_PER_NANOSECOND};
use crate::{Real, Workspace};
use core::ops::Range;

/// A matrix `[rows, width]` that is zero but for the entries of each row, of which all rows have as many. What is left
/// over in a row may be an entry of zero.
///
/// ```
/// use pullback_kernels::{Entries, Isa, Start, Workspace, entries_product};
/// // [0, 1, 0, 0.5] and [2, 0, 0, 0.5]
/// let x = Entries::new(&[1, 3, 0, 3], &[1.0, 0.5, 2.0, 0.5], 2, 4);
/// let (w, mut z) = ([1.0, 2.0, 3.0, 4.0], [0.0; 2]);
/// entries_product(x, &w, &mut z, Start::Zero, |_, _| (), &mut Workspace::new(Isa::best(), 1));
/// assert_eq!(z, [4.0, 4.0]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Entries<'a, T> {
    columns: &'a [u32],
    numbers: &'a [T],
    per_row: usize,
    /// Of all columns those from here on are the matrix.
    first: usize,
    width: usize,
}

impl<'a, T: Real> Entries<'a, T> {
    /// The columns of each row's entries in ascending order, `[rows, per_row]`, and the numbers there.
    ///
    /// # Panics
    /// If the slices differ in length or are no whole rows, or a column is not below `width`.
    pub fn new(columns: &'a [u32], numbers: &'a [T], per_row: usize, width: usize) -> Self {
        assert_eq!(columns.len(), numbers.len(), "an entry has a column and a number");
        assert!(per_row > 0 && columns.len().is_multiple_of(per_row), "entries are [rows, {per_row}]");
        assert!(width > 0, "a matrix has columns");
        let last = columns.iter().fold(0, |last: u32, column| last.max(*column));
        assert!(columns.is_empty() || (last as usize) < width, "column {last} of a matrix of {width}");
        Self { columns, numbers, per_row, first: 0, width }
    }

    /// The matrix of some of the columns, with the entries in them.
    ///
    /// # Panics
    /// If there is no column, or they are not all there.
    pub fn within(self, columns: Range<usize>) -> Self {
        assert!(columns.start < columns.end && columns.end <= self.width, "columns of a matrix");
        Self { first: self.first + columns.start, width: columns.len(), ..self }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.len() / self.per_row
    }

    /// Adds the entries to `out`, `[rows, width]`, whose numbers there become theirs.
    ///
    /// # Panics
    /// If `out` has another size.
    pub fn write(&self, out: &mut [T]) {
        assert_eq!(Some(out.len()), self.rows().checked_mul(self.width), "the matrix is [rows, width]");
        for (row, out) in out.chunks_exact_mut(self.width).enumerate() {
            for (column, number) in self.row(row) {
                // An entry of zero may stand for none, beside another in the same column.
                if number != T::ZERO {
                    out[column] = number;
                }
            }
        }
    }

    #[inline(always)]
    fn row(&self, row: usize) -> impl Iterator<Item = (usize, T)> + use<'a, T> {
        let entries = row * self.per_row..(row + 1) * self.per_row;
        let pairs = self.columns[entries.clone()].iter().zip(&self.numbers[entries]);
        let (first, width) = (self.first, self.width);
        pairs.filter_map(move |(&column, &number)| {
            let column = (column as usize).wrapping_sub(first);
            (column < width).then_some((column, number))
        })
    }
}

/// Outputs that are computed together: the chains of each are independent, so that none waits for another.
const TOGETHER: usize = 8;

/// Writes `x @ w^T`, from `start` on, to `output`, `[rows, units]`, and applies `epilogue` to it; `w` is `[units,
/// width]`. The bits are those of [`product_with`](super::product_with).
///
/// `epilogue(first, numbers)` is called once for each finished piece of the output, whole rows, which begins at the
/// index `first`; several threads may call it at once.
///
/// # Panics
/// If `w` or `output` is no whole rows, or the row to start from has another size than a row of the output.
pub fn entries_product<T: Real>(
    x: Entries<'_, T>,
    w: &[T],
    output: &mut [T],
    start: Start<'_, T>,
    epilogue: impl Fn(usize, &mut [T]) + Sync,
    workspace: &mut Workspace,
) {
    let (rows, units) = (x.rows(), w.len() / x.width);
    assert_eq!(w.len(), units * x.width, "the weights are [units, width]");
    assert_eq!(output.len(), rows * units, "the output is [rows, units]");
    if let Start::Row(row) = start {
        assert_eq!(row.len(), units, "size of the row to start from");
    }
    let (isa, nanoseconds) = (workspace.isa(), x.columns.len() * units / ENTRIES_PER_NANOSECOND);
    workspace.share_rows(rows, nanoseconds, [output], [units], |own, [output]| {
        isa.run(
            #[inline(always)]
            || {
                let whole = units - units % TOGETHER;
                for unit in (0..whole).step_by(TOGETHER) {
                    sums::<T, TOGETHER>(x, w, own.start, output, units, unit, start);
                }
                for unit in whole..units {
                    sums::<T, 1>(x, w, own.start, output, units, unit, start);
                }
            },
        );
        epilogue(own.start * units, output);
    });
}

/// The sums of `N` units, from `unit` on, of the rows of `output`, the first of which is `first`.
#[inline(always)]
fn sums<T: Real, const N: usize>(
    x: Entries<'_, T>,
    w: &[T],
    first: usize,
    output: &mut [T],
    units: usize,
    unit: usize,
    start: Start<'_, T>,
) {
    let w: [&[T]; N] = core::array::from_fn(|n| &w[(unit + n) * x.width..][..x.width]);
    for (row, output) in output.chunks_exact_mut(units).enumerate() {
        let output = &mut output[unit..][..N];
        let mut sums: [T; N] = match start {
            Start::Zero => [T::ZERO; N],
            Start::Output => core::array::from_fn(|n| output[n]),
            Start::Row(start) => core::array::from_fn(|n| start[unit + n]),
        };
        for (column, number) in x.row(first + row) {
            for (sum, w) in sums.iter_mut().zip(w) {
                *sum = number.mul_add(w[column], *sum);
            }
        }
        output.copy_from_slice(&sums);
    }
}

/// Rows of the gradient that are found together: while the entries are read once, these rows stay in cache.
const GRADIENT_ROWS: usize = 4;

/// Writes `delta^T @ x` to `output`, `[units, width]`, and lets `epilogue` change other arrays of its size piece by
/// piece: weights by their gradient; `delta` is `[rows, units]`. The bits are those of
/// [`product_beside`](super::product_beside).
///
/// `epilogue(first, numbers, others)` is called once for each piece of whole rows, with the same piece of each other
/// array; of an empty one, nothing. Several threads may call it at once.
///
/// ```
/// use pullback_kernels::{Entries, Isa, Workspace, entries_gradient};
/// let x = Entries::new(&[1, 0], &[1.0, 3.0], 1, 2);
/// let (delta, mut gradient, mut w) = ([1.0, 10.0, 2.0, 20.0], [0.0; 4], [1.0; 4]);
/// let step = |_first: usize, g: &mut [f64], [w, ..]: [&mut [f64]; 4]| {
///     w.iter_mut().zip(g).for_each(|(w, g)| *w -= *g);
/// };
/// let (arrays, workspace) = ([&mut w[..], &mut [], &mut [], &mut []], &mut Workspace::new(Isa::best(), 1));
/// entries_gradient(&delta, x, &mut gradient, arrays, step, workspace);
/// assert_eq!((gradient, w), ([6.0, 1.0, 60.0, 10.0], [-5.0, 0.0, -59.0, -9.0]));
/// ```
///
/// # Panics
/// If `delta` is no whole rows, or `output` or one of `others` has the wrong size.
pub fn entries_gradient<T: Real>(
    delta: &[T],
    x: Entries<'_, T>,
    output: &mut [T],
    others: [&mut [T]; 4],
    epilogue: impl Fn(usize, &mut [T], [&mut [T]; 4]) + Sync,
    workspace: &mut Workspace,
) {
    let (rows, units, width, size) = (x.rows(), output.len() / x.width, x.width, output.len());
    assert_eq!(size, units * width, "the output is [units, width]");
    assert_eq!(delta.len(), rows * units, "the delta is [rows, units]");
    let [one, two, three, four] = others.each_ref().map(|other| {
        assert!(other.is_empty() || other.len() == size, "size of an array beside a product");
        if other.is_empty() { 0 } else { width }
    });
    let nanoseconds = x.columns.len() * units / ENTRIES_PER_NANOSECOND + size / MOVED_PER_NANOSECOND;
    let [first, second, third, fourth] = others;
    let (arrays, columns) = ([output, first, second, third, fourth], [width, one, two, three, four]);
    let isa = workspace.isa();
    workspace.share_rows(units, nanoseconds, arrays, columns, |own, [output, others @ ..]| {
        let mut others = others.map(|other| other.chunks_mut(GRADIENT_ROWS * width));
        for (unit, piece) in own.step_by(GRADIENT_ROWS).zip(output.chunks_mut(GRADIENT_ROWS * width)) {
            isa.run(
                #[inline(always)]
                || match piece.len() / width {
                    GRADIENT_ROWS => add_up::<T, GRADIENT_ROWS>(delta, x, piece, units, unit),
                    _ => (unit..).zip(piece.chunks_exact_mut(width)).for_each(
                        #[inline(always)]
                        |(unit, row)| add_up::<T, 1>(delta, x, row, units, unit),
                    ),
                },
            );
            epilogue(unit * width, piece, others.each_mut().map(|other| other.next().unwrap_or_default()));
        }
    });
}

/// The gradients of `N` units from `unit` on, `[N, width]`.
#[inline(always)]
fn add_up<T: Real, const N: usize>(
    delta: &[T],
    x: Entries<'_, T>,
    output: &mut [T],
    units: usize,
    unit: usize,
) {
    output.fill(T::ZERO);
    let mut rest = output;
    let rows: [&mut [T]; N] = core::array::from_fn(|_| {
        let (row, behind) = core::mem::take(&mut rest).split_at_mut(x.width);
        rest = behind;
        row
    });
    for (row, delta) in delta.chunks_exact(units).enumerate() {
        let delta: [T; N] = core::array::from_fn(|n| delta[unit + n]);
        for (column, number) in x.row(row) {
            for n in 0..N {
                rows[n][column] = number.mul_add(delta[n], rows[n][column]);
            }
        }
    }
}
