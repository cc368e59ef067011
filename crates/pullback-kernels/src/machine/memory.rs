//! Memory for numbers: it begins at a cache line, so that no vector of 64 bytes lies across two, and large arrays lie
//! in huge pages. Prefetching.

#[cfg(target_os = "linux")]
use super::tuning::{HUGE_PAGE, LEAST_HUGE_BYTES, PAGE};
use crate::Real;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

/// A cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Line(
    #[expect(dead_code, reason = "only its size and alignment count")] pub(crate) [u8; 64],
);

/// Resizes `lines` to `count`; new ones are zero.
///
/// Large memory is put into huge pages of 2 MiB, with which a processor misses its cache of the page table (TLB) less
/// often. Linux gives them where the administrator leaves the choice to programs (`madvise`).
fn resize(lines: &mut Vec<Line>, count: usize) {
    #[cfg(target_os = "linux")]
    if count > lines.capacity() && count * size_of::<Line>() >= LEAST_HUGE_BYTES {
        lines.reserve_exact(count - lines.len());
        let start = lines.as_mut_ptr() as usize;
        let (first, end) = (start.next_multiple_of(PAGE), start + count * size_of::<Line>());
        // SAFETY: advice on whole pages of memory that the vector owns; it changes none of it, and may fail.
        unsafe {
            libc::madvise(first as *mut libc::c_void, (end - first) / PAGE * PAGE, libc::MADV_HUGEPAGE)
        };
    }
    lines.resize(count, Line([0; 64]));
}

/// Makes `memory` hold at least `count` numbers, whatever they are, and returns where they begin.
pub(crate) fn room<T>(memory: &mut Vec<Line>, count: usize) -> *mut T {
    let bytes = count.checked_mul(size_of::<T>()).expect("what is packed fits the address space");
    let lines = bytes.div_ceil(size_of::<Line>());
    if memory.len() < lines {
        resize(memory, lines);
    }
    memory.as_mut_ptr().cast()
}

/// The same as a slice.
pub(crate) fn numbers<T: Real>(memory: &mut Vec<Line>, count: usize) -> &mut [T] {
    let start = room(memory, count);
    // SAFETY: the lines have room for them and are aligned; any bytes are an f32 or f64.
    unsafe { core::slice::from_raw_parts_mut(start, count) }
}

/// Prefetches the cache line of an address, which need not be valid, into the first-level cache.
#[inline(always)]
pub(crate) fn prefetch<T>(from: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instruction is in the baseline, and a prefetch does not read: any address is valid.
    unsafe {
        core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(from.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = from;
}

/// Prefetches the cache lines of a slice.
#[inline(always)]
pub(crate) fn prefetch_slice<T>(x: &[T]) {
    for byte in (0..size_of_val(x)).step_by(size_of::<Line>()) {
        prefetch(x.as_ptr().cast::<u8>().wrapping_add(byte));
    }
}

/// A slice of numbers on the heap that begins at a cache line.
///
/// Loops over several arrays are up to twice as fast as over vectors ([`Vec`]), which begin anywhere.
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
    /// `lines` lines of zeros.
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

/// Huge pages that many arrays share: one array alone would fill a part of a page.
#[cfg(target_os = "linux")]
mod shared {
    use super::{HUGE_PAGE, Line};
    use crate::machine::tuning::{ARRAY_GAP, LEAST_CHUNK_BYTES, LEAST_SHARED_LINES};
    use core::ptr::NonNull;
    use std::alloc::{Layout, alloc, dealloc};
    use std::sync::{Arc, Mutex, Weak};

    /// The chunk with room left, if an array lives in it, and how many of its lines are taken.
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

    /// `lines` lines of zeros; none if they are few, or another thread holds the lock: it is never waited for, because
    /// in the child of a `fork` the thread that held it does not exist.
    pub(super) fn zeros(lines: usize) -> Option<Piece> {
        if lines < LEAST_SHARED_LINES {
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
        // SAFETY: the chunk has `lines` lines behind those that were taken.
        let start = unsafe { piece.start.add(*taken) };
        // SAFETY: as above; nobody else has them.
        unsafe { start.write_bytes(0, lines) };
        *taken += lines + ARRAY_GAP;
        Some(Piece { start, _chunk: piece })
    }

    impl Chunk {
        fn new(bytes: usize) -> Option<Self> {
            let bytes = bytes.max(LEAST_CHUNK_BYTES).checked_next_multiple_of(HUGE_PAGE)?;
            let layout = Layout::from_size_align(bytes, HUGE_PAGE).ok()?;
            // SAFETY: it has a size.
            let start: NonNull<Line> = NonNull::new(unsafe { alloc(layout) })?.cast();
            // SAFETY: advice on whole pages of memory that the chunk owns; it may fail.
            unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
            Some(Self { start, layout })
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn arrays_end_where_their_chunk_ends() {
            let half = LEAST_CHUNK_BYTES / size_of::<Line>() / 2;
            // The second one fits beside the first, or just does not.
            for lines in half - 2 * ARRAY_GAP..half + 2 * ARRAY_GAP {
                let pieces =
                    [half, lines].map(|lines| (zeros(lines).expect("nobody else holds the lock"), lines));
                for (piece, lines) in &pieces {
                    let chunk = &piece._chunk;
                    let end = piece.start() as usize + lines * size_of::<Line>();
                    assert!(end <= chunk.start.as_ptr() as usize + chunk.layout.size(), "{lines} lines");
                }
            }
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
    /// `length` zeros.
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
