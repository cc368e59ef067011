//! Convolutions of images with filters.
//!
//! A convolution reads the pixels in place: the sums of some neighboring windows, a vector of filters each, are held in
//! registers over the rows of the windows. Each sum is one chain of multiply-adds in a fixed order, whatever the
//! vectors and the threads.

use super::windows::Windows;
use crate::machine::Set;
use crate::machine::memory::numbers;
use crate::machine::tuning::SMALL_PRODUCT_PER_NANOSECOND;
use crate::machine::vector::{PortableF32, PortableF64, Vector};
use crate::number::PerType;
use crate::{Isa, Real, Workspace};
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64;
use core::ops::Range;

/// The operands' sizes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) images: usize,
    /// The numbers of an image.
    pub(super) image: usize,
    /// The numbers of an image's result: for each window, one of each filter.
    pub(super) result: usize,
    pub(super) filters: usize,
    /// The numbers of a window.
    pub(super) patch: usize,
}

impl Sizes {
    /// # Panics
    /// If the operands do not fit.
    pub(super) fn of(windows: &Windows, channels: usize, x: usize, w: usize, y: usize) -> Self {
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

    pub(super) fn nanoseconds(&self) -> usize {
        (self.images * self.result).saturating_mul(self.patch) / SMALL_PRODUCT_PER_NANOSECOND
    }

    pub(super) fn of_images(images: &Range<usize>, size: usize) -> Range<usize> {
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
    // The weights are transposed, so that a vector of filters is contiguous.
    let mut packed = core::mem::take(&mut workspace.own_panels().right);
    let weights = numbers::<T>(&mut packed, w.len());
    for (filter, own) in w.chunks_exact(patch).enumerate() {
        for (to, &weight) in weights[filter..].iter_mut().step_by(filters).zip(own) {
            *to = weight;
        }
    }
    let weights = &*weights;
    let convolve_image = T::choose(Choice { isa, filters });
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

/// The function for an instruction set and a number of filters, for each number type.
struct Choice {
    isa: Isa,
    filters: usize,
}

macro_rules! convolution {
    ($choice:expr, $float:ident, $avx512:ident, $half:ident, $avx2:ident, $plain:ident) => {
        match $choice.isa.0 {
            // Half a vector takes half the time.
            #[cfg(target_arch = "x86_64")]
            Set::Amx | Set::Avx512Bf16 | Set::Avx512
                if $choice.filters <= <x86_64::$half as Vector<$float>>::WIDTH =>
            {
                convolve_avx512::<$float, x86_64::$half>
            }
            #[cfg(target_arch = "x86_64")]
            Set::Amx | Set::Avx512Bf16 | Set::Avx512 => convolve_avx512::<$float, x86_64::$avx512>,
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => convolve_avx2::<$float, x86_64::$avx2>,
            #[cfg(target_arch = "aarch64")]
            Set::Neon => convolve_image::<$float, $plain>,
            Set::Portable | Set::AmxEmulated => convolve_image::<$float, $plain>,
        }
    };
}

impl PerType for Choice {
    type Of<T: Real> = ImageFunction<T>;

    fn for_f32(self) -> ImageFunction<f32> {
        convolution!(self, f32, __m512, __m256, __m256, PortableF32)
    }

    fn for_f64(self) -> ImageFunction<f64> {
        convolution!(self, f64, __m512d, __m256d, __m256d, PortableF64)
    }
}

/// One image's convolution.
#[derive(Debug)]
struct Job<'a, T> {
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
type ImageFunction<T> = for<'a> unsafe fn(Job<'a, T>);

/// # Safety
/// As [`ImageFunction`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
unsafe fn convolve_avx512<T: Real, V: Vector<T>>(job: Job<'_, T>) {
    // SAFETY: the caller's promise.
    unsafe { convolve_image::<T, V>(job) }
}

/// # Safety
/// As [`ImageFunction`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn convolve_avx2<T: Real, V: Vector<T>>(job: Job<'_, T>) {
    // SAFETY: the caller's promise.
    unsafe { convolve_image::<T, V>(job) }
}

/// # Safety
/// As [`ImageFunction`].
#[inline(always)]
unsafe fn convolve_image<T: Real, V: Vector<T>>(mut job: Job<'_, T>) {
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
