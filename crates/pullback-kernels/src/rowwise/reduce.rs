//! Sums and maxima in one fixed order, whatever the vector width or the number of threads.
//!
//! The order of a sum: number i goes to lane i mod 32; within a block of 4096 each lane adds up its
//! numbers in order; the lanes of the blocks are added in order; at the end the upper half of the lanes is added to the
//! lower half, five times. A sum over rows (`sum_rows`) adds the numbers of a column in order.

use crate::{Isa, Real};

const LANES: usize = 32;
const BLOCK: usize = 4096;

/// Folds `x` in the fixed order; `x` is padded with `identity`, which must change no result of `f` and `combine`.
#[inline(always)]
fn fold<T: Real>(x: &[T], identity: T, f: impl Fn(T, T) -> T) -> T {
    fold_pairs(x, x, identity, identity, &f, |lane, x, _| f(lane, x))
}

/// Folds the pairs of `a` and `b` in the fixed order; both are padded with `padding`.
#[inline(always)]
pub(crate) fn fold_pairs<T: Real>(
    a: &[T],
    b: &[T],
    identity: T,
    padding: T,
    combine: impl Fn(T, T) -> T,
    f: impl Fn(T, T, T) -> T,
) -> T {
    let mut lanes = if a.len() <= BLOCK {
        fold_block(a, b, identity, padding, &f)
    } else {
        let mut totals = [identity; LANES];
        for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
            let lanes = fold_block(a, b, identity, padding, &f);
            for l in 0..LANES {
                totals[l] = combine(totals[l], lanes[l]);
            }
        }
        totals
    };
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            lanes[l] = combine(lanes[l], lanes[l + width]);
        }
        width /= 2;
    }
    lanes[0]
}

#[inline(always)]
fn fold_block<T: Real>(a: &[T], b: &[T], identity: T, padding: T, f: &impl Fn(T, T, T) -> T) -> [T; LANES] {
    let mut lanes = [identity; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for l in 0..LANES {
            lanes[l] = f(lanes[l], a[l], b[l]);
        }
    }
    if !a_rest.is_empty() {
        // With padding, the lanes stay in registers; with an index they would not.
        let (mut a, mut b) = ([padding; LANES], [padding; LANES]);
        a[..a_rest.len()].copy_from_slice(a_rest);
        b[..b_rest.len()].copy_from_slice(b_rest);
        for l in 0..LANES {
            lanes[l] = f(lanes[l], a[l], b[l]);
        }
    }
    lanes
}

/// [`sum`], compiled into its caller.
#[inline(always)]
pub(crate) fn sum_inline<T: Real>(x: &[T]) -> T {
    fold(
        x,
        T::ZERO,
        #[inline(always)]
        |a, b| a + b,
    )
}

/// [`max`], compiled into its caller.
#[inline(always)]
pub(crate) fn max_inline<T: Real>(x: &[T]) -> T {
    fold(
        x,
        -T::INFINITY,
        #[inline(always)]
        |a, b| a.max(b),
    )
}

/// The sum of all numbers; 0 of none.
pub fn sum<T: Real>(isa: Isa, x: &[T]) -> T {
    isa.run(
        #[inline(always)]
        || sum_inline(x),
    )
}

/// The largest number; NaN if one is NaN, negative infinity of none.
pub fn max<T: Real>(isa: Isa, x: &[T]) -> T {
    isa.run(
        #[inline(always)]
        || max_inline(x),
    )
}

/// The sum of the products `a[i] * b[i]`, each added by a fused multiply-add.
///
/// # Panics
/// If the lengths differ.
pub fn dot<T: Real>(isa: Isa, a: &[T], b: &[T]) -> T {
    assert_eq!(a.len(), b.len(), "lengths of a dot product");
    isa.run(
        #[inline(always)]
        || {
            fold_pairs(
                a,
                b,
                T::ZERO,
                T::ZERO,
                #[inline(always)]
                |x, y| x + y,
                #[inline(always)]
                |lane, a, b| a.mul_add(b, lane),
            )
        },
    )
}

/// `sums[j]` is the sum over i of `x[i, j]`: of each column, over the rows.
///
/// # Panics
/// If the length of `x` is no multiple of the length of `sums`.
pub fn sum_rows<T: Real>(isa: Isa, x: &[T], sums: &mut [T]) {
    fold_rows(
        isa,
        x,
        sums,
        T::ZERO,
        #[inline(always)]
        |a, b| a + b,
    );
}

/// `maxima[j]` is the maximum over i of `x[i, j]`: of each column, over the rows.
///
/// # Panics
/// If the length of `x` is no multiple of the length of `maxima`.
pub fn max_rows<T: Real>(isa: Isa, x: &[T], maxima: &mut [T]) {
    fold_rows(
        isa,
        x,
        maxima,
        -T::INFINITY,
        #[inline(always)]
        |a, b| a.max(b),
    );
}

#[inline(always)]
fn fold_rows<T: Real>(isa: Isa, x: &[T], out: &mut [T], identity: T, f: impl Fn(T, T) -> T) {
    let columns = out.len();
    assert!(x.len().is_multiple_of(columns), "{} numbers are not whole rows of {columns}", x.len());
    isa.run(
        #[inline(always)]
        || match columns {
            1..=8 => fold_narrow_rows::<T, 8>(x, out, identity, f),
            9..=16 => fold_narrow_rows::<T, 16>(x, out, identity, f),
            _ => {
                out.fill(identity);
                for row in x.chunks_exact(columns.max(1)) {
                    for (out, x) in out.iter_mut().zip(row) {
                        *out = f(*out, *x);
                    }
                }
            }
        },
    );
}

/// The same for at most `LANES` columns, which stay in registers; the other lanes fold numbers of the next row and are
/// not used.
#[inline(always)]
fn fold_narrow_rows<T: Real, const LANES: usize>(x: &[T], out: &mut [T], identity: T, f: impl Fn(T, T) -> T) {
    let columns = out.len();
    let mut lanes = [identity; LANES];
    let mut rest = x;
    while let Some(row) = rest.first_chunk::<LANES>() {
        for lane in 0..LANES {
            lanes[lane] = f(lanes[lane], row[lane]);
        }
        rest = &rest[columns..];
    }
    for row in rest.chunks_exact(columns) {
        for (lane, x) in lanes.iter_mut().zip(row) {
            *lane = f(*lane, *x);
        }
    }
    out.copy_from_slice(&lanes[..columns]);
}

/// `sums[i]` is the sum over j of `x[i, j]`: of each row, over the columns.
///
/// # Panics
/// If the length of `x` is no multiple of the length of `sums`.
pub fn sum_columns<T: Real>(isa: Isa, x: &[T], sums: &mut [T]) {
    fold_columns(
        isa,
        x,
        sums,
        #[inline(always)]
        |row| sum_inline(row),
    );
}

/// `maxima[i]` is the maximum over j of `x[i, j]`: of each row, over the columns.
///
/// # Panics
/// If the length of `x` is no multiple of the length of `maxima`.
pub fn max_columns<T: Real>(isa: Isa, x: &[T], maxima: &mut [T]) {
    fold_columns(
        isa,
        x,
        maxima,
        #[inline(always)]
        |row| max_inline(row),
    );
}

#[inline(always)]
fn fold_columns<T: Real>(isa: Isa, x: &[T], out: &mut [T], fold: impl Fn(&[T]) -> T) {
    let rows = out.len();
    assert!(x.len().is_multiple_of(rows), "{} numbers are not {rows} rows", x.len());
    let columns = x.len() / rows.max(1);
    isa.run(
        #[inline(always)]
        || {
            for (i, out) in out.iter_mut().enumerate() {
                *out = fold(&x[i * columns..][..columns]);
            }
        },
    );
}
