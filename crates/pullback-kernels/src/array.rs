//! Numbers that begin at a line of cache, so that no vector of them lies across two.

use crate::Real;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

/// A line of cache.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Line(
    #[expect(dead_code, reason = "only its size and alignment count")] pub(crate) [u8; 64],
);

/// From so many bytes on, memory is asked for in large pages: two of them, so that it holds at least one.
#[cfg(target_os = "linux")]
const WORTH_LARGE_PAGES: usize = 4 << 20;

/// Makes `lines` so many, zero where they are new.
///
/// Much memory is asked for in pages of 2 MiB, of which a processor finds many more numbers than of small ones
/// without a look at the page table; Linux gives them where the administrator leaves it to programs.
pub(crate) fn resize(lines: &mut Vec<Line>, count: usize) {
    #[cfg(target_os = "linux")]
    if count > lines.capacity() && count * size_of::<Line>() >= WORTH_LARGE_PAGES {
        lines.reserve_exact(count - lines.len());
        const PAGE: usize = 4096;
        let start = lines.as_mut_ptr() as usize;
        let (first, end) = (start.next_multiple_of(PAGE), start + count * size_of::<Line>());
        // SAFETY: advice on whole pages of memory that the vector owns; it changes none of it. If it is not
        // taken, nothing is lost.
        unsafe {
            libc::madvise(first as *mut libc::c_void, (end - first) / PAGE * PAGE, libc::MADV_HUGEPAGE)
        };
    }
    lines.resize(count, Line([0; 64]));
}

/// A slice of numbers on the heap that begins at a line of cache.
///
/// Loops over it and over others of its kind are up to twice as fast as over a [`Vec`]'s numbers, which begin
/// anywhere.
///
/// ```
/// let mut array = pullback_kernels::Array::<f32>::zeros(3);
/// array[1] = 2.0;
/// assert_eq!(array[..], [0.0, 2.0, 0.0]);
/// ```
#[derive(Clone)]
pub struct Array<T> {
    lines: Vec<Line>,
    length: usize,
    number: PhantomData<T>,
}

impl<T: Real> Array<T> {
    /// So many zeros.
    ///
    /// # Panics
    /// If that is more than the address space holds.
    pub fn zeros(length: usize) -> Self {
        let bytes = length.checked_mul(size_of::<T>()).expect("an array fits the address space");
        let mut lines = Vec::new();
        resize(&mut lines, bytes.div_ceil(size_of::<Line>()));
        Self { lines, length, number: PhantomData }
    }
}

impl<T: Real> From<&[T]> for Array<T> {
    fn from(numbers: &[T]) -> Self {
        let mut array = Self::zeros(numbers.len());
        array.copy_from_slice(numbers);
        array
    }
}

impl<T> Default for Array<T> {
    fn default() -> Self {
        Self { lines: Vec::new(), length: 0, number: PhantomData }
    }
}

impl<T: Real> Deref for Array<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the lines hold `length` numbers of T, f32 or f64, for which all bits are valid.
        unsafe { core::slice::from_raw_parts(self.lines.as_ptr().cast(), self.length) }
    }
}

impl<T: Real> DerefMut for Array<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above.
        unsafe { core::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.length) }
    }
}

impl<T: Real> AsRef<[T]> for Array<T> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<T: Real> AsMut<[T]> for Array<T> {
    fn as_mut(&mut self) -> &mut [T] {
        self
    }
}

impl<T: Real> PartialEq for Array<T> {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl<T> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array").field("length", &self.length).finish_non_exhaustive()
    }
}
