//! NumPy's arrays as rows of the library: read where they lie, in any order and stride.

use numpy::{Element, PyArray2, PyArrayDescrMethods, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pullback::data::{Features, Rows};
use pullback_kernels::Real;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use std::any::TypeId;
use std::sync::Arc;

/// Numbers that are converted when they are read.
trait Number: Element + Copy + Send + Sync + std::fmt::Debug + 'static {
    fn to<T: Real>(self) -> T;
}

macro_rules! numbers {
    ($($type:ty),*) => { $(
        impl Number for $type {
            #[inline(always)]
            fn to<T: Real>(self) -> T {
                T::from_f64(self as f64)
            }
        }
    )* };
}

numbers!(f32, f64, u8, i8, u16, i16, u32, i32, u64, i64);

/// The numbers of an array of two axes, which is kept alive.
///
/// Other threads of Python may write to the array meanwhile, as they may while NumPy itself reads it; what is read then may
/// be old or new, so numbers are copied once, and never taken for unchanging.
#[derive(Debug)]
struct Strided<S> {
    base: *const S,
    rows: usize,
    width: usize,
    /// In bytes.
    row_stride: isize,
    column_stride: isize,
    _array: Py<PyArray2<S>>,
}

// SAFETY: the memory that `base` points to belongs to `_array`, which any thread may hold.
unsafe impl<S: Number> Send for Strided<S> {}
// SAFETY: it is only read.
unsafe impl<S: Number> Sync for Strided<S> {}

impl<S: Number> Strided<S> {
    fn new(array: &Bound<'_, PyArray2<S>>) -> Self {
        let (shape, strides) = (array.shape(), array.strides());
        Self {
            base: array.data(),
            rows: shape[0],
            width: shape[1],
            row_stride: strides[0],
            column_stride: strides[1],
            _array: array.clone().unbind(),
        }
    }

    /// The number at a place.
    ///
    /// # Safety
    /// Row and column are of the array.
    #[inline(always)]
    unsafe fn at(&self, row: usize, column: usize) -> S {
        let offset = row as isize * self.row_stride + column as isize * self.column_stride;
        // SAFETY: NumPy's strides lead from the first number to each of those that its shape has, and `_array` keeps
        // their memory; an array that is not aligned is read as it is.
        unsafe { self.base.byte_offset(offset).read_unaligned() }
    }
}

impl<S: Number, T: Real> Rows<T> for Strided<S> {
    fn rows(&self) -> usize {
        self.rows
    }

    fn width(&self) -> usize {
        self.width
    }

    fn gather(&self, rows: &[usize], out: &mut [T]) {
        let width = self.width;
        assert!(rows.iter().all(|row| *row < self.rows) && out.len() == rows.len() * width);
        if self.column_stride == size_of::<S>() as isize {
            // Neighbours in memory.
            for (&row, out) in rows.iter().zip(out.chunks_exact_mut(width)) {
                // SAFETY: the row was looked at above.
                let first = unsafe { self.base.byte_offset(row as isize * self.row_stride) };
                if TypeId::of::<S>() == TypeId::of::<T>() {
                    // SAFETY: a row has `width` numbers, which stand side by side and are of the type of those that they
                    // are written to, which are no memory of Python's; bytes need no alignment.
                    unsafe {
                        first.cast::<u8>().copy_to_nonoverlapping(out.as_mut_ptr().cast(), size_of_val(out))
                    };
                    continue;
                }
                for (column, out) in out.iter_mut().enumerate() {
                    // SAFETY: as above, but of another type.
                    *out = unsafe { first.add(column).read_unaligned() }.to();
                }
            }
        } else if self.column_stride.unsigned_abs() <= self.row_stride.unsigned_abs() {
            for (&row, out) in rows.iter().zip(out.chunks_exact_mut(width)) {
                for (column, out) in out.iter_mut().enumerate() {
                    // SAFETY: the row was looked at above, and there are `width` columns.
                    *out = unsafe { self.at(row, column) }.to();
                }
            }
        } else {
            for column in 0..width {
                for (place, &row) in rows.iter().enumerate() {
                    // SAFETY: as above.
                    out[place * width + column] = unsafe { self.at(row, column) }.to();
                }
            }
        }
    }
}

/// The rows of an array of two axes, which are read where they lie.
///
/// # Errors
/// If it is no such array of numbers, or one of them is not finite.
pub(crate) fn features<T: Real>(array: &Bound<'_, PyAny>) -> PyResult<Features<T>> {
    let untyped = array.cast::<PyUntypedArray>()?;
    let dtype = untyped.dtype();
    macro_rules! of {
        ($($type:ty),*) => { $(
            if dtype.is_equiv_to(&numpy::dtype::<$type>(array.py())) {
                let rows: Arc<dyn Rows<T>> = Arc::new(Strided::new(array.cast::<PyArray2<$type>>()?));
                return Features::outside(rows).map_err(crate::raised);
            }
        )* };
    }
    of!(f32, f64, u8, i8, u16, i16, u32, i32, u64, i64);
    Err(PyTypeError::new_err(format!("an array of numbers is expected, not of {dtype}")))
}
