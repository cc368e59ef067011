//! Functions applied to every element of one or more slices or row-major matrices.
//!
//! A loop is vectorized if `f` is inlined. Small closures are; one that calls several special functions, or `powf`,
//! needs the attribute: `map(isa, x, y, #[inline(always)] |x| x.powf(2.5))`. A closure should own what it uses
//! (`move`): the loop might write to what is behind a reference, and is then not vectorized.

use crate::{Isa, Real};

/// `y[i] = f(x[i])`.
///
/// ```
/// use pullback_kernels::{Isa, Real, map};
/// let mut y = [0.0_f32; 3];
/// map(Isa::best(), &[-1.0, 0.0, 2.0], &mut y, |x| x.max(0.0));
/// assert_eq!(y, [0.0, 0.0, 2.0]);
/// ```
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn map<T: Real>(isa: Isa, x: &[T], y: &mut [T], f: impl Fn(T) -> T) {
    assert_eq!(x.len(), y.len(), "lengths of a map");
    isa.run(
        #[inline(always)]
        move || {
            for (y, x) in y.iter_mut().zip(x) {
                *y = f(*x);
            }
        },
    );
}

/// `x[i] = f(x[i])`.
#[inline]
pub fn map_in_place<T: Real>(isa: Isa, x: &mut [T], f: impl Fn(T) -> T) {
    isa.run(
        #[inline(always)]
        move || {
            for x in x {
                *x = f(*x);
            }
        },
    );
}

/// `y[i] = f(a[i], b[i])`.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn zip<T: Real>(isa: Isa, a: &[T], b: &[T], y: &mut [T], f: impl Fn(T, T) -> T) {
    assert!(a.len() == y.len() && b.len() == y.len(), "lengths of a zip");
    isa.run(
        #[inline(always)]
        move || {
            for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
                *y = f(*a, *b);
            }
        },
    );
}

/// `a[i] = f(a[i], b[i])`.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn zip_in_place<T: Real>(isa: Isa, a: &mut [T], b: &[T], f: impl Fn(T, T) -> T) {
    assert_eq!(a.len(), b.len(), "lengths of a zip");
    isa.run(
        #[inline(always)]
        move || {
            for (a, b) in a.iter_mut().zip(b) {
                *a = f(*a, *b);
            }
        },
    );
}

/// `y[i] = f(a[i], b[i], c[i])`.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn zip3<T: Real>(isa: Isa, a: &[T], b: &[T], c: &[T], y: &mut [T], f: impl Fn(T, T, T) -> T) {
    assert!(a.len() == y.len() && b.len() == y.len() && c.len() == y.len(), "lengths of a zip");
    isa.run(
        #[inline(always)]
        move || {
            for (((y, a), b), c) in y.iter_mut().zip(a).zip(b).zip(c) {
                *y = f(*a, *b, *c);
            }
        },
    );
}

/// `y[i, j] = f(a[i, j], row[j])`, with as many columns as `row` is long.
///
/// # Panics
/// If the lengths of `a` and `y` differ or are no multiple of the length of `row`.
#[inline]
pub fn zip_row<T: Real>(isa: Isa, a: &[T], row: &[T], y: &mut [T], f: impl Fn(T, T) -> T) {
    assert_eq!(a.len(), y.len(), "lengths of a zip");
    check_columns(a.len(), row.len());
    isa.run(
        #[inline(always)]
        move || {
            for (y, a) in y.chunks_exact_mut(row.len().max(1)).zip(a.chunks_exact(row.len().max(1))) {
                for ((y, a), b) in y.iter_mut().zip(a).zip(row) {
                    *y = f(*a, *b);
                }
            }
        },
    );
}

/// `a[i, j] = f(a[i, j], row[j])`, with as many columns as `row` is long.
///
/// # Panics
/// If the length of `a` is no multiple of the length of `row`.
#[inline]
pub fn zip_row_in_place<T: Real>(isa: Isa, a: &mut [T], row: &[T], f: impl Fn(T, T) -> T) {
    check_columns(a.len(), row.len());
    isa.run(
        #[inline(always)]
        move || {
            for a in a.chunks_exact_mut(row.len().max(1)) {
                for (a, b) in a.iter_mut().zip(row) {
                    *a = f(*a, *b);
                }
            }
        },
    );
}

/// `y[i, j] = f(a[i, j], column[i])`, with as many rows as `column` is long.
///
/// # Panics
/// If the lengths of `a` and `y` differ or are no multiple of the length of `column`.
#[inline]
pub fn zip_column<T: Real>(isa: Isa, a: &[T], column: &[T], y: &mut [T], f: impl Fn(T, T) -> T) {
    assert_eq!(a.len(), y.len(), "lengths of a zip");
    check_columns(a.len(), column.len());
    let columns = (a.len() / column.len().max(1)).max(1);
    isa.run(
        #[inline(always)]
        move || {
            for ((y, a), b) in y.chunks_exact_mut(columns).zip(a.chunks_exact(columns)).zip(column) {
                for (y, a) in y.iter_mut().zip(a) {
                    *y = f(*a, *b);
                }
            }
        },
    );
}

/// `a[i, j] = f(a[i, j], column[i])`, with as many rows as `column` is long.
///
/// # Panics
/// If the length of `a` is no multiple of the length of `column`.
#[inline]
pub fn zip_column_in_place<T: Real>(isa: Isa, a: &mut [T], column: &[T], f: impl Fn(T, T) -> T) {
    check_columns(a.len(), column.len());
    let columns = (a.len() / column.len().max(1)).max(1);
    isa.run(
        #[inline(always)]
        move || {
            for (a, b) in a.chunks_exact_mut(columns).zip(column) {
                for a in a {
                    *a = f(*a, *b);
                }
            }
        },
    );
}

/// Checks that `length` numbers make whole rows of `columns` (or whole columns of as many rows).
#[inline]
fn check_columns(length: usize, columns: usize) {
    assert!(length.is_multiple_of(columns), "{length} numbers are not whole rows of {columns}");
}
