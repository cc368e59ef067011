//! Convolutions of images with filters, and their two adjoints.
//!
//! A convolution reads the pixels where they are: the sums of some neighboring windows are held in registers,
//! a vector of filters each, while the rows of the window go by. The adjoints repack the windows of one
//! image at a time into patches, which stay in cache, and are products of those.
//! Each sum is one chain of multiply-adds in a fixed order, whatever the vectors and the threads.

use crate::array::{Line, resize};
use crate::dispatch::Set;
use crate::images::{by_lanes, load, store};
use crate::tile::{Kernel, Tile};
use crate::vector::{Plain, Vector};
use crate::{Isa, Real, Windows, Workspace};
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64;
use core::ops::Range;

/// About how many multiply-adds a thread does in a nanosecond.
const PER_NANOSECOND: usize = 25;
/// The sum over images is made of so many parts at most, so that threads can share it; they are added in order.
const MOST_PARTS: usize = 16;
/// A part of a sum over images has so many at least.
const LEAST_IMAGES: usize = 8;

/// Patches of so many bytes stay in a first-level cache beside what they are multiplied with.
const NEAR_BYTES: usize = 20_000;
/// The most lanes that `by_lanes` takes.
const MOST_LANES: usize = 16;

/// The operands' sizes.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    images: usize,
    /// Of the numbers of an image that is read.
    image: usize,
    /// Of the numbers that its windows make, and of those of a window.
    result: usize,
    filters: usize,
    /// Of the numbers that a window sees.
    patch: usize,
}

impl Sizes {
    /// # Panics
    /// If the operands do not fit.
    fn of(windows: &Windows, channels: usize, x: usize, w: usize, y: usize) -> Self {
        let images = windows.images(x, channels);
        let patch =
            windows.area().checked_mul(channels).expect("a window of an image is no larger than memory");
        assert!(w > 0 && w.is_multiple_of(patch), "{w} weights are no whole filters of {patch}");
        let filters = w / patch;
        let result = windows.count().checked_mul(filters);
        let results = result.and_then(|result| result.checked_mul(images));
        assert_eq!(Some(y), results, "size of the result of a convolution");
        // An image is no larger than the batch, whose size was checked.
        let (image, result) = (windows.pixels() * channels, windows.count() * filters);
        Self { images, image, result, filters, patch }
    }

    fn nanoseconds(&self) -> usize {
        (self.images * self.result).saturating_mul(self.patch) / PER_NANOSECOND
    }

    fn of_images(images: &Range<usize>, size: usize) -> Range<usize> {
        images.start * size..images.end * size
    }
}

/// Writes the weighted sums of each window, `[images * windows, filters]`, of images
/// `[images * height * width, channels]` with the weights `[filters, size * size * channels]`, from the row
/// `start` on (as a bias) or from zero. `epilogue(first, numbers)` is called once for each finished piece, which
/// begins at the index `first`, while it is in cache.
///
/// ```
/// use pullback_kernels::{Isa, Windows, Workspace, convolve};
/// let windows = Windows::inside(2, 3, 2, 1).expect("the image is larger than a window");
/// let (image, filter, mut y) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 0.0, 0.0, 10.0], [0.0; 2]);
/// let workspace = &mut Workspace::new(Isa::best(), 1);
/// convolve(&windows, 1, &image, &filter, Some(&[0.5]), &mut y, |_, _| (), workspace);
/// assert_eq!(y, [51.5, 62.5]);
/// ```
///
/// # Panics
/// If the operands do not fit.
#[expect(
    clippy::too_many_arguments,
    reason = "as the operands of a product, with what comes before and after"
)]
pub fn convolve<T: Real>(
    windows: &Windows,
    channels: usize,
    x: &[T],
    w: &[T],
    start: Option<&[T]>,
    y: &mut [T],
    epilogue: impl Fn(usize, &mut [T]) + Sync,
    workspace: &mut Workspace,
) {
    let sizes = Sizes::of(windows, channels, x.len(), w.len(), y.len());
    let Sizes { images, image, result, filters, patch, .. } = sizes;
    assert!(start.is_none_or(|start| start.len() == filters), "size of the row to start from");
    let isa = workspace.isa();
    // Filter beside filter, as they are read: a vector of them at a time.
    let mut packed = core::mem::take(&mut workspace.own_panels().right);
    let weights = numbers::<T>(&mut packed, w.len());
    for (filter, own) in w.chunks_exact(patch).enumerate() {
        for (to, &weight) in weights[filter..].iter_mut().step_by(filters).zip(own) {
            *to = weight;
        }
    }
    let weights = &*weights;
    let convolve_image = T::convolution(isa, filters);
    workspace.share_rows_and_panels(images, 1, sizes.nanoseconds(), [y], [result], |images, [y], _| {
        let first = images.start;
        for (at, y) in y.chunks_exact_mut(result).enumerate() {
            let x = &x[(first + at) * image..][..image];
            let job = Job { windows, channels, filters, x, weights, start, y };
            // SAFETY: the sizes were checked above, and `isa` is one that this processor has.
            unsafe { convolve_image(job) };
        }
        for (at, y) in y.chunks_exact_mut(result).enumerate() {
            isa.run(
                #[inline(always)]
                || epilogue((first + at) * result, y),
            );
        }
    });
    workspace.own_panels().right = packed;
}

/// A number type that there is a convolution of.
pub trait HasConvolution: Sized {
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "only this crate calls it")]
    fn convolution(isa: Isa, filters: usize) -> ImageFunction<Self>;
}

macro_rules! has_convolution {
    ($float:ident, $avx512:ident, $half:ident, $avx2:ident, $plain:literal) => {
        impl HasConvolution for $float {
            #[expect(private_interfaces, reason = "only this crate calls it")]
            fn convolution(isa: Isa, filters: usize) -> ImageFunction<Self> {
                match isa.0 {
                    // Half a vector takes half the time.
                    #[cfg(target_arch = "x86_64")]
                    Set::Amx | Set::Avx512Bf16 | Set::Avx512
                        if filters <= <x86_64::$half as Vector<$float>>::WIDTH =>
                    {
                        convolve_avx512::<$float, x86_64::$half>
                    }
                    #[cfg(target_arch = "x86_64")]
                    Set::Amx | Set::Avx512Bf16 | Set::Avx512 => convolve_avx512::<$float, x86_64::$avx512>,
                    #[cfg(target_arch = "x86_64")]
                    Set::Avx2 => convolve_avx2::<$float, x86_64::$avx2>,
                    #[cfg(target_arch = "aarch64")]
                    Set::Neon => convolve_image::<$float, Plain<$float, $plain>>,
                    Set::Portable | Set::AmxEmulated => convolve_image::<$float, Plain<$float, $plain>>,
                }
            }
        }
    };
}

has_convolution!(f32, __m512, __m256, __m256, 4);
has_convolution!(f64, __m512d, __m256d, __m256d, 2);

/// One image's convolution.
#[derive(Debug)]
pub(crate) struct Job<'a, T> {
    windows: &'a Windows,
    channels: usize,
    filters: usize,
    /// `[height * width, channels]`
    x: &'a [T],
    /// `[size * size * channels, filters]`
    weights: &'a [T],
    /// `[filters]`
    start: Option<&'a [T]>,
    /// `[windows, filters]`
    y: &'a mut [T],
}

/// # Safety
/// The slices of the job must have the sizes that it names, and the processor the instruction set.
pub(crate) type ImageFunction<T> = for<'a> unsafe fn(Job<'a, T>);

/// # Safety
/// As [`ImageFunction`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
pub(crate) unsafe fn convolve_avx512<T: Real, V: Vector<T>>(job: Job<'_, T>) {
    // SAFETY: the caller's promise.
    unsafe { convolve_image::<T, V>(job) }
}

/// # Safety
/// As [`ImageFunction`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
pub(crate) unsafe fn convolve_avx2<T: Real, V: Vector<T>>(job: Job<'_, T>) {
    // SAFETY: the caller's promise.
    unsafe { convolve_image::<T, V>(job) }
}

/// # Safety
/// As [`ImageFunction`].
#[inline(always)]
pub(crate) unsafe fn convolve_image<T: Real, V: Vector<T>>(mut job: Job<'_, T>) {
    let windows = job.windows;
    let whole = windows.whole_columns();
    for filter in (0..job.filters).step_by(V::WIDTH) {
        for i in 0..windows.down() {
            let mut j = 0;
            while j < windows.across() {
                let count = if whole.contains(&j) { whole.end - j } else { 1 };
                // SAFETY: the windows from j on are as many as the tile takes, and inside, or it is one.
                j += unsafe {
                    match count {
                        12.. => tile::<T, V, 12>(&mut job, filter, i, j),
                        8.. => tile::<T, V, 8>(&mut job, filter, i, j),
                        4.. => tile::<T, V, 4>(&mut job, filter, i, j),
                        2.. => tile::<T, V, 2>(&mut job, filter, i, j),
                        _ => tile::<T, V, 1>(&mut job, filter, i, j),
                    }
                };
            }
        }
    }
}

/// The sums of `COUNT` windows side by side, from (i, j) on, for a vector of filters. Returns `COUNT`.
///
/// # Safety
/// As [`ImageFunction`]; more than one window must be inside the image from left to right.
#[inline(always)]
unsafe fn tile<T: Real, V: Vector<T>, const COUNT: usize>(
    job: &mut Job<'_, T>,
    filter: usize,
    i: usize,
    j: usize,
) -> usize {
    let &mut Job { windows, channels, filters, x, weights, start, ref mut y } = job;
    let columns = windows.columns_inside(j);
    let step = windows.stride() * channels;
    // SAFETY: every pixel below is inside the image, every weight inside its window's part that is inside the
    // image, and the mask has the filters that there are.
    unsafe {
        let mask = V::mask(V::WIDTH.min(filters - filter));
        let from = start.map_or(V::splat(T::ZERO), |start| V::load_masked(start.as_ptr().add(filter), mask));
        let mut sums = [from; COUNT];
        for row in windows.rows_inside(i) {
            let pixel = windows.pixel([i, j], [row, columns.start]) * channels;
            let weight = (row * windows.size() + columns.start) * channels;
            let (mut a, mut b) = (x.as_ptr().add(pixel), weights.as_ptr().add(weight * filters + filter));
            for _ in 0..columns.len() * channels {
                let factor = V::load_masked(b, mask);
                for (at, sum) in sums.iter_mut().enumerate() {
                    *sum = V::splat(*a.add(at * step)).mul_add(factor, *sum);
                }
                a = a.wrapping_add(1);
                b = b.wrapping_add(filters);
            }
        }
        let to = y.as_mut_ptr().add((i * windows.across() + j) * filters + filter);
        for (at, sum) in sums.iter().enumerate() {
            sum.store_masked(to.add(at * filters), mask);
        }
    }
    COUNT
}

/// The adjoint of [`convolve`] with respect to the images: writes `x`, each pixel the sum over the windows that
/// hold it of what their sums `y` are multiplied with there.
///
/// # Panics
/// If the operands do not fit.
pub fn convolve_transposed<T: Real>(
    windows: &Windows,
    channels: usize,
    y: &[T],
    w: &[T],
    x: &mut [T],
    workspace: &mut Workspace,
) {
    let sizes = Sizes::of(windows, channels, x.len(), w.len(), y.len());
    let Sizes { images, image, result, filters, patch, .. } = sizes;
    let isa = workspace.isa();
    let kernel = T::kernel(isa);
    let all_patches = windows.count().checked_mul(patch).expect("patches fit the address space");
    workspace.share_rows_and_panels(images, 1, sizes.nanoseconds(), [x], [image], |images, [x], panels| {
        let patches = numbers::<T>(&mut panels.left, all_patches + MOST_LANES);
        let y = y[Sizes::of_images(&images, result)].chunks_exact(result);
        for (x, y) in x.chunks_exact_mut(image).zip(y) {
            let product = Product {
                a: y,
                a_strides: [filters, 1],
                b: w,
                depth: filters,
                sizes: [windows.count(), patch],
                adds: false,
            };
            product.write(kernel, &mut patches[..all_patches]);
            let patches = &*patches;
            by_lanes!(isa, channels, write_sums(windows, channels, patches, x));
        }
    });
}

/// The adjoint of [`convolve`] with respect to the weights: writes `w`, each weight the sum over all windows of
/// what it is multiplied with there, times the window's own `y`.
///
/// # Panics
/// If the operands do not fit.
pub fn filter_gradient<T: Real>(
    windows: &Windows,
    channels: usize,
    x: &[T],
    y: &[T],
    w: &mut [T],
    workspace: &mut Workspace,
) {
    let sizes = Sizes::of(windows, channels, x.len(), w.len(), y.len());
    let Sizes { images, image, result, filters, patch, .. } = sizes;
    let isa = workspace.isa();
    let kernel = T::kernel(isa);
    // By the images alone, so that it does not depend on the threads.
    let parts = (images / LEAST_IMAGES).clamp(1, MOST_PARTS);
    let mut memory = core::mem::take(&mut workspace.own_panels().right);
    let sums = numbers::<T>(&mut memory, parts * w.len());
    let columns = w.len();
    workspace.share_rows_and_panels(
        parts,
        1,
        sizes.nanoseconds(),
        [&mut *sums],
        [columns],
        |own, [sums], panels| {
            // As many rows of windows as stay near, in equal blocks.
            let line = windows.across() * patch;
            let blocks =
                (windows.down() * line * size_of::<T>()).div_ceil(NEAR_BYTES).clamp(1, windows.down());
            let rows = windows.down().div_ceil(blocks);
            let patches = numbers::<T>(&mut panels.left, rows * line);
            for (part, sums) in own.zip(sums.chunks_exact_mut(columns)) {
                let mut adds = false;
                for at in images * part / parts..images * (part + 1) / parts {
                    for first in (0..windows.down()).step_by(rows) {
                        let last = windows.down().min(first + rows);
                        let patches = &mut patches[..(last - first) * line];
                        let x = &x[at * image..];
                        by_lanes!(
                            isa,
                            windows.size() * channels,
                            write_patches(windows, channels, first..last, x, patches)
                        );
                        let depth = (last - first) * windows.across();
                        let product = Product {
                            a: &y[at * result + first * windows.across() * filters..][..depth * filters],
                            a_strides: [1, filters],
                            b: patches,
                            depth,
                            sizes: [filters, patch],
                            adds,
                        };
                        product.write(kernel, sums);
                        adds = true;
                    }
                }
            }
        },
    );
    w.copy_from_slice(&sums[..columns]);
    for part in sums[columns..].chunks_exact(columns) {
        for (sum, &number) in w.iter_mut().zip(part) {
            *sum += number;
        }
    }
    workspace.own_panels().right = memory;
}

/// A product that is small enough to be read in place: `a` with the given strides of rows and steps, times `b`,
/// whose steps follow each other.
#[derive(Debug, Clone, Copy)]
struct Product<'a, T> {
    a: &'a [T],
    a_strides: [usize; 2],
    b: &'a [T],
    depth: usize,
    /// The rows and columns of the result.
    sizes: [usize; 2],
    /// Whether it is added to what is there.
    adds: bool,
}

impl<T: Real> Product<'_, T> {
    fn write(&self, kernel: &Kernel<T>, c: &mut [T]) {
        let [rows, columns] = self.sizes;
        let [a_row, a_step] = self.a_strides;
        assert_eq!(Some(self.a.len()), rows.checked_mul(self.depth), "left operand");
        assert_eq!(Some(self.b.len()), self.depth.checked_mul(columns), "right operand");
        assert_eq!(Some(c.len()), rows.checked_mul(columns), "result");
        let c = c.as_mut_ptr();
        let wide = 2 * kernel.width;
        let tiles = rows.div_ceil(kernel.rows);
        let row = |tile: usize| rows * tile / tiles;
        for column in (0..columns).step_by(wide) {
            let tile_columns = wide.min(columns - column);
            for tile in 0..tiles {
                let (first, last) = (row(tile), row(tile + 1));
                let c = c.wrapping_add(first * columns + column);
                let job = Tile {
                    depth: self.depth,
                    a: self.a.as_ptr().wrapping_add(first * a_row),
                    a_row,
                    a_step,
                    b: self.b.as_ptr().wrapping_add(column),
                    b_step: columns,
                    c,
                    c_row: columns,
                    columns: tile_columns,
                    start: self.adds.then_some(c.cast_const()),
                    start_row: columns,
                };
                // SAFETY: the tile is inside the result, whose operands' sizes were checked above; `&mut` proves
                // that it overlaps neither; a kernel is of an instruction set that the processor has.
                unsafe { kernel.tiles[tile_columns.div_ceil(kernel.width) - 1][last - first - 1](&job) };
            }
        }
    }
}

/// So many numbers of a thread's memory, whatever they are.
fn numbers<T: Real>(memory: &mut Vec<Line>, count: usize) -> &mut [T] {
    let bytes = count.checked_mul(size_of::<T>()).expect("what is repacked fits the address space");
    let lines = bytes.div_ceil(size_of::<Line>());
    if memory.len() < lines {
        resize(memory, lines);
    }
    // SAFETY: the lines have room for them and are aligned; any bytes are floating-point numbers.
    unsafe { core::slice::from_raw_parts_mut(memory.as_mut_ptr().cast(), count) }
}

/// Writes the patches of some rows of an image's windows, `[windows, size * size * channels]`: for each window its
/// pixels, row by row, each with its channels. The image may be followed by others.
#[inline(always)]
fn write_patches<T: Real, const LANES: usize>(
    windows: &Windows,
    channels: usize,
    rows: Range<usize>,
    x: &[T],
    y: &mut [T],
) {
    let run = windows.size() * channels;
    let (first, line) = (rows.start, windows.width() * channels);
    // How far a window's numbers reach, and what is copied beyond them.
    let rounded = run.next_multiple_of(LANES);
    let (read, written) = ((windows.size() - 1) * line + rounded, (windows.size() - 1) * run + rounded);
    for i in rows {
        let rows = windows.rows_inside(i);
        for j in 0..windows.across() {
            let columns = windows.columns_inside(j);
            let to = ((i - first) * windows.across() + j) * windows.size() * run;
            let is_whole = rows.len() == windows.size() && columns.len() == windows.size();
            let from = windows.pixel([i, j], [rows.start, columns.start]) * channels;
            if is_whole && from + read <= x.len() && to + written <= y.len() {
                // What is written beyond the end of a run is written again by the next one.
                let (mut from, mut to) = (from, to);
                for _ in 0..windows.size() {
                    let mut at = 0;
                    while at < run {
                        let numbers = load::<T, LANES>(x, from + at);
                        store(y, to + at, numbers, LANES);
                        at += LANES;
                    }
                    (from, to) = (from + line, to + run);
                }
            } else {
                y[to..][..windows.size() * run].fill(T::ZERO);
                for row in rows.clone() {
                    let from = windows.pixel([i, j], [row, columns.start]) * channels;
                    let (to, length) = (to + row * run + columns.start * channels, columns.len() * channels);
                    y[to..][..length].copy_from_slice(&x[from..][..length]);
                }
            }
        }
    }
}

/// Makes an image of patches, which `LANES` numbers of any kind follow: each pixel becomes the sum of what stands at its places, for each row of windows
/// on its own and then of all, so that the chains are short.
#[inline(always)]
fn write_sums<T: Real, const LANES: usize>(windows: &Windows, channels: usize, patches: &[T], y: &mut [T]) {
    let ([height, width], [above, left]) =
        ([windows.height(), windows.width()], [windows.above(), windows.left()]);
    let ([down, across], size, stride) =
        ([windows.down(), windows.across()], windows.size(), windows.stride());
    // The windows along an axis that hold a place, which `before` places precede.
    let holding = |place: usize, before: usize, count: usize| {
        (place + before + 1).saturating_sub(size).div_ceil(stride)..((place + before) / stride + 1).min(count)
    };
    // From a window to its neighbor, the same pixel is this much further on.
    let step = (size * size).saturating_sub(stride) * channels;
    for row in 0..height {
        for column in 0..width {
            let columns = holding(column, left, across);
            let inside = (column + left).saturating_sub(columns.start * stride);
            // Between windows there is nothing to add.
            let rows = if columns.is_empty() { 0..0 } else { holding(row, above, down) };
            for channel in (0..channels).step_by(LANES) {
                let mut sums = [T::ZERO; LANES];
                for i in rows.clone() {
                    let line = ((i * across + columns.start) * size + row + above - i * stride) * size;
                    let mut from = (line + inside) * channels + channel;
                    let mut own = [T::ZERO; LANES];
                    for _ in columns.clone() {
                        let numbers = load::<T, LANES>(patches, from);
                        for lane in 0..LANES {
                            own[lane] += numbers[lane];
                        }
                        from += step;
                    }
                    for lane in 0..LANES {
                        sums[lane] += own[lane];
                    }
                }
                store(y, (row * width + column) * channels + channel, sums, channels - channel);
            }
        }
    }
}
