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

#[cfg(target_os = "linux")]
const LARGE_PAGE: usize = 2 << 20;
/// From so many bytes on, memory of its own is asked for in large pages: two of them, so that it holds at least one.
#[cfg(target_os = "linux")]
const WORTH_LARGE_PAGES: usize = 2 * LARGE_PAGE;

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
pub struct Array<T> {
    memory: Memory,
    length: usize,
    number: PhantomData<T>,
}

/// Where an array's lines are.
enum Memory {
    Own(Vec<Line>),
    #[cfg(target_os = "linux")]
    Shared(shared::Piece),
}

impl Memory {
    /// So many lines of zeros.
    fn zeros(lines: usize) -> Self {
        #[cfg(target_os = "linux")]
        if let Some(piece) = shared::zeros(lines) {
            return Self::Shared(piece);
        }
        let mut own = Vec::new();
        resize(&mut own, lines);
        Self::Own(own)
    }

    fn start(&self) -> *const Line {
        match self {
            Self::Own(lines) => lines.as_ptr(),
            #[cfg(target_os = "linux")]
            Self::Shared(piece) => piece.start().cast_const(),
        }
    }

    fn start_mut(&mut self) -> *mut Line {
        match self {
            Self::Own(lines) => lines.as_mut_ptr(),
            #[cfg(target_os = "linux")]
            Self::Shared(piece) => piece.start(),
        }
    }
}

/// Memory in large pages that many arrays share: one of them alone would fill a part of a page, and small pages are so
/// many that a processor has to look them up again and again.
#[cfg(target_os = "linux")]
mod shared {
    use super::{LARGE_PAGE, Line};
    use core::ptr::NonNull;
    use std::alloc::{Layout, alloc, dealloc};
    use std::sync::{Arc, Mutex, Weak};

    /// Of at least so many lines, an array takes a piece of a chunk.
    const LEAST_LINES: usize = 1024;
    /// A chunk has at least so many bytes.
    const LEAST_BYTES: usize = 2 * LARGE_PAGE;
    /// Between two pieces: so that the same numbers of arrays of one size do not lie a multiple of 4096 bytes apart,
    /// where a processor takes to read one for reading what was just written to another.
    const APART: usize = 5;

    /// The chunk that has room left, if any array lives in it, and how many of its lines are taken.
    static CURRENT: Mutex<(Weak<Chunk>, usize)> = Mutex::new((Weak::new(), 0));

    struct Chunk {
        start: NonNull<Line>,
        layout: Layout,
    }

    impl Drop for Chunk {
        fn drop(&mut self) {
            // SAFETY: it was allocated with this layout, and no piece of it is left.
            unsafe { dealloc(self.start.as_ptr().cast(), self.layout) };
        }
    }

    // SAFETY: a chunk by itself only frees its memory, whose pieces have one owner each.
    unsafe impl Send for Chunk {}
    // SAFETY: as above.
    unsafe impl Sync for Chunk {}

    /// Lines that nobody else has.
    pub(super) struct Piece {
        start: NonNull<Line>,
        _chunk: Arc<Chunk>,
    }

    // SAFETY: the lines are the piece's alone, and bytes.
    unsafe impl Send for Piece {}
    // SAFETY: as above.
    unsafe impl Sync for Piece {}

    impl Piece {
        pub(super) fn start(&self) -> *mut Line {
            self.start.as_ptr()
        }
    }

    /// So many lines of zeros, unless they are few, or another thread takes some now: a thread that waited for it in the
    /// child of a `fork` would wait for ever.
    pub(super) fn zeros(lines: usize) -> Option<Piece> {
        if lines < LEAST_LINES {
            return None;
        }
        let mut current = CURRENT.try_lock().ok()?;
        let (chunk, taken) = &mut *current;
        let room = |chunk: &Arc<Chunk>| chunk.layout.size() / size_of::<Line>();
        let piece = match chunk.upgrade().filter(|chunk| lines <= room(chunk).saturating_sub(*taken)) {
            Some(piece) => piece,
            None => {
                let new = Arc::new(Chunk::new(lines.checked_mul(size_of::<Line>())?)?);
                (*chunk, *taken) = (Arc::downgrade(&new), 0);
                new
            }
        };
        // SAFETY: the chunk has so many lines behind those that were taken.
        let start = unsafe { piece.start.add(*taken) };
        // SAFETY: as above; nobody else has them.
        unsafe { start.write_bytes(0, lines) };
        *taken += lines + APART;
        Some(Piece { start, _chunk: piece })
    }

    impl Chunk {
        fn new(bytes: usize) -> Option<Self> {
            let bytes = bytes.max(LEAST_BYTES).checked_next_multiple_of(LARGE_PAGE)?;
            let layout = Layout::from_size_align(bytes, LARGE_PAGE).ok()?;
            // SAFETY: it has a size.
            let start: NonNull<Line> = NonNull::new(unsafe { alloc(layout) })?.cast();
            // SAFETY: advice on whole pages of memory that the chunk owns; if it is not taken, nothing is lost.
            unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
            Some(Self { start, layout })
        }
    }
}

impl<T: Real> Clone for Array<T> {
    fn clone(&self) -> Self {
        Self::from(&self[..])
    }

    fn clone_from(&mut self, from: &Self) {
        if self.length == from.length {
            self.copy_from_slice(from);
        } else {
            *self = from.clone();
        }
    }
}

impl<T: Real> Array<T> {
    /// So many zeros.
    ///
    /// # Panics
    /// If that is more than the address space holds.
    pub fn zeros(length: usize) -> Self {
        let bytes = length.checked_mul(size_of::<T>()).expect("an array fits the address space");
        Self { memory: Memory::zeros(bytes.div_ceil(size_of::<Line>())), length, number: PhantomData }
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
        Self { memory: Memory::Own(Vec::new()), length: 0, number: PhantomData }
    }
}

impl<T: Real> Deref for Array<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the lines hold `length` numbers of T, f32 or f64, for which all bits are valid.
        unsafe { core::slice::from_raw_parts(self.memory.start().cast(), self.length) }
    }
}

impl<T: Real> DerefMut for Array<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above.
        unsafe { core::slice::from_raw_parts_mut(self.memory.start_mut().cast(), self.length) }
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
