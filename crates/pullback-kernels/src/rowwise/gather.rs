//! Rows of a matrix, gathered and added by index: the batches of an epoch, and embeddings.
//!
//! The processor cannot guess which row comes next, so the next rows are prefetched; else it would wait for memory at
//! the beginning of each row.

use crate::machine::memory::prefetch_slice;
use crate::machine::tuning::{LEAST_PREFETCHED_MATRIX, MOVED_PER_NANOSECOND, PREFETCH_BYTES, PREFETCH_ROWS};
use crate::{Isa, Real, Workspace};
use core::marker::PhantomData;

/// The index of a row: a number's whole part.
pub trait RowIndex: Copy + Sync {
    /// The index; `usize::MAX`, which no row has, for a number below zero and for NaN.
    fn row(self) -> usize;
}

impl RowIndex for usize {
    #[inline(always)]
    fn row(self) -> usize {
        self
    }
}

impl RowIndex for u32 {
    #[inline(always)]
    fn row(self) -> usize {
        usize::try_from(self).unwrap_or(usize::MAX)
    }
}

impl<T: Real> RowIndex for T {
    #[inline(always)]
    fn row(self) -> usize {
        let index = self.to_f64();
        if index >= 0.0 { index as usize } else { usize::MAX }
    }
}

/// Writes the given rows of `x`, `[any, columns]`, to `out`, `[rows.len(), columns]`.
///
/// ```
/// let mut out = [0.0; 4];
/// pullback_kernels::gather(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, &[2_usize, 0], &mut out);
/// assert_eq!(out, [5.0, 6.0, 1.0, 2.0]);
/// ```
///
/// # Panics
/// If a row is out of range or `out` has another size.
pub fn gather<T: Real>(x: &[T], columns: usize, rows: &[impl RowIndex], out: &mut [T]) {
    gather_or(x, columns, rows, out, |row, _| out_of_range(row));
}

#[cold]
fn out_of_range(row: usize) -> ! {
    panic!("row {row} is out of range")
}

/// The same, but for a row that is out of range calls `outside` with its index and its row of `out`.
fn gather_or<T: Real>(
    x: &[T],
    columns: usize,
    rows: &[impl RowIndex],
    out: &mut [T],
    outside: impl Fn(usize, &mut [T]),
) {
    match columns {
        1 => return gather_narrow::<T, 1>(x, rows, out, outside),
        2 => return gather_narrow::<T, 2>(x, rows, out, outside),
        3 => return gather_narrow::<T, 3>(x, rows, out, outside),
        4 => return gather_narrow::<T, 4>(x, rows, out, outside),
        5 => return gather_narrow::<T, 5>(x, rows, out, outside),
        6 => return gather_narrow::<T, 6>(x, rows, out, outside),
        7 => return gather_narrow::<T, 7>(x, rows, out, outside),
        8 => return gather_narrow::<T, 8>(x, rows, out, outside),
        _ => {}
    }
    for_each_row(
        x,
        columns,
        rows,
        out,
        #[inline(always)]
        |x, out| out.copy_from_slice(x),
        outside,
    );
}

/// The same for rows that are too narrow for a call that copies one.
fn gather_narrow<T: Real, const COLUMNS: usize>(
    x: &[T],
    rows: &[impl RowIndex],
    out: &mut [T],
    outside: impl Fn(usize, &mut [T]),
) {
    let ((x, _), (out, rest)) = (x.as_chunks::<COLUMNS>(), out.as_chunks_mut::<COLUMNS>());
    assert!(out.len() == rows.len() && rest.is_empty(), "the output is [rows, columns]");
    for (out, row) in out.iter_mut().zip(rows) {
        let row = row.row();
        match x.get(row) {
            Some(x) => *out = *x,
            None => outside(row, out),
        }
    }
}

/// [`gather`] on the threads of a workspace: the rows of an embedding's `table`, `[any, columns]`. A row that is out of
/// range is NaN.
///
/// ```
/// use pullback_kernels::{Isa, Workspace, gather_rows};
/// let mut out = [0.0; 4];
/// let table = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// gather_rows(&table, 2, &[2.0_f32, 0.0], &mut out, &mut Workspace::new(Isa::best(), 2));
/// assert_eq!(out, [5.0, 6.0, 1.0, 2.0]);
/// ```
///
/// # Panics
/// If `out` has another size.
pub fn gather_rows<T: Real>(
    table: &[T],
    columns: usize,
    rows: &[impl RowIndex],
    out: &mut [T],
    workspace: &mut Workspace,
) {
    let nanoseconds = out.len() / MOVED_PER_NANOSECOND;
    workspace.share_rows(rows.len(), nanoseconds, [out], [columns], |own, [out]| {
        gather_or(table, columns, &rows[own], out, |_, out| out.fill(T::from_f64(f64::NAN)));
    });
}

/// The adjoint of [`gather_rows`]: writes `sums`, `[any, columns]`, each row the sum of the rows of `x`,
/// `[rows.len(), columns]`, that `rows` sends there, added in ascending order; zero where none is. What
/// is sent to a row that is out of range is added nowhere.
///
/// ```
/// use pullback_kernels::{Isa, Workspace, scatter_add_rows};
/// let (x, mut sums) = ([1.0, 2.0, 4.0], [9.0; 4]);
/// scatter_add_rows(&x, 1, &[3_usize, 0, 3], &mut sums, &mut Workspace::new(Isa::best(), 2));
/// assert_eq!(sums, [2.0, 0.0, 0.0, 5.0]);
/// ```
///
/// # Panics
/// If `x` or `sums` has another size.
pub fn scatter_add_rows<T: Real>(
    x: &[T],
    columns: usize,
    rows: &[impl RowIndex],
    sums: &mut [T],
    workspace: &mut Workspace,
) {
    assert_eq!(Some(x.len()), rows.len().checked_mul(columns), "the rows that are added are [rows, columns]");
    let (count, rest) = (sums.len().checked_div(columns), sums.len().checked_rem(columns));
    assert!(rest.unwrap_or(sums.len()) == 0, "{} sums are not whole rows of {columns}", sums.len());
    let Some(count) = count else { return };
    let (isa, nanoseconds) = (workspace.isa(), (2 * x.len() + sums.len()) / MOVED_PER_NANOSECOND);
    // Each thread reads all of the indices and adds to rows of its own.
    workspace.share_rows(count, nanoseconds, [sums], [columns], |own, [sums]| {
        sums.fill(T::ZERO);
        isa.run(
            #[inline(always)]
            || {
                for (row, x) in rows.iter().zip(x.chunks_exact(columns)) {
                    let row = row.row();
                    if own.contains(&row) {
                        let sums = &mut sums[(row - own.start) * columns..][..columns];
                        for (sum, x) in sums.iter_mut().zip(x) {
                            *sum += *x;
                        }
                    }
                }
            },
        );
    });
}

/// What a byte stands for: `(byte - center) / spread`, rounded to `T`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ByteScale<T> {
    center: f64,
    spread: f64,
    /// `1 / spread`, if a multiplication by it gives the same numbers for all bytes, as almost always where `T` is f32:
    /// it is 20 % faster than a division.
    factor: Option<f64>,
    number: PhantomData<T>,
}

impl<T: Real> ByteScale<T> {
    /// The scale by which `center` becomes 0 and `center + spread` becomes 1.
    pub fn new(center: f64, spread: f64) -> Self {
        let factor = 1.0 / spread;
        let is_exact = (0..=u8::MAX).all(|byte| {
            let [divided, multiplied] = [divided(byte, center, spread), multiplied(byte, center, factor)];
            T::from_f64(divided) == T::from_f64(multiplied)
        });
        Self { center, spread, factor: is_exact.then_some(factor), number: PhantomData }
    }

    /// The same spread with another byte that becomes 0.
    pub fn with_zero(self, center: u8) -> Self {
        Self::new(f64::from(center), self.spread)
    }

    /// What a byte stands for.
    pub fn number(self, byte: u8) -> T {
        T::from_f64(divided(byte, self.center, self.spread))
    }
}

#[inline(always)]
fn divided(byte: u8, center: f64, spread: f64) -> f64 {
    (f64::from(byte) - center) / spread
}

#[inline(always)]
fn multiplied(byte: u8, center: f64, factor: f64) -> f64 {
    (f64::from(byte) - center) * factor
}

/// Writes what the given rows of `bytes`, `[any, columns]`, stand for to `out`, `[rows.len(), columns]`.
///
/// ```
/// use pullback_kernels::{ByteScale, Isa, gather_bytes};
/// let (bytes, mut out) = ([0, 51, 102, 153, 204, 255], [0.0; 4]);
/// gather_bytes(Isa::best(), &bytes, 2, ByteScale::new(0.0, 255.0), &[2, 0], &mut out);
/// assert_eq!(out, [0.8, 1.0, 0.0, 0.2_f32]);
/// ```
///
/// # Panics
/// If a row is out of range or `out` has another size.
pub fn gather_bytes<T: Real>(
    isa: Isa,
    bytes: &[u8],
    columns: usize,
    scale: ByteScale<T>,
    rows: &[usize],
    out: &mut [T],
) {
    let ByteScale { center, spread, factor, .. } = scale;
    isa.run(
        #[inline(always)]
        || match factor {
            Some(factor) => for_each_byte(
                bytes,
                columns,
                rows,
                out,
                #[inline(always)]
                |byte| multiplied(byte, center, factor),
            ),
            None => for_each_byte(
                bytes,
                columns,
                rows,
                out,
                #[inline(always)]
                |byte| divided(byte, center, spread),
            ),
        },
    );
}

/// Writes `number` of each byte of the given rows.
#[inline(always)]
fn for_each_byte<T: Real>(
    bytes: &[u8],
    columns: usize,
    rows: &[usize],
    out: &mut [T],
    number: impl Fn(u8) -> f64,
) {
    for_each_row(
        bytes,
        columns,
        rows,
        out,
        #[inline(always)]
        |bytes, out| {
            for (out, &byte) in out.iter_mut().zip(bytes) {
                *out = T::from_f64(number(byte));
            }
        },
        |row, _| out_of_range(row),
    );
}

/// Calls `write` with each of the given rows of `x` and its row of `out`, and `outside` with the index of a row that is
/// out of range and its row of `out`.
#[inline(always)]
fn for_each_row<X, T>(
    x: &[X],
    columns: usize,
    rows: &[impl RowIndex],
    out: &mut [T],
    write: impl Fn(&[X], &mut [T]),
    outside: impl Fn(usize, &mut [T]),
) {
    assert_eq!(Some(out.len()), rows.len().checked_mul(columns), "the output is [rows, columns]");
    if columns == 0 {
        return;
    }
    let count = x.len() / columns;
    let row = |row: usize| (row < count).then(|| &x[row * columns..][..columns]);
    let is_large = size_of_val(x) > LEAST_PREFETCHED_MATRIX;
    let distance = (PREFETCH_BYTES / (columns * size_of::<X>())).clamp(PREFETCH_ROWS.0, PREFETCH_ROWS.1);
    for (i, out) in out.chunks_exact_mut(columns).enumerate() {
        if is_large && let Some(next) = rows.get(i + distance).and_then(|next| row(next.row())) {
            prefetch_slice(next);
        }
        let index = rows[i].row();
        match row(index) {
            Some(x) => write(x, out),
            None => outside(index, out),
        }
    }
}
