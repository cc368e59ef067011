//! The adjoints of a convolution, with respect to the images and to the weights.
//!
//! Both pack the windows of an image into patches (im2col), a part of an image at a time, so that they stay in cache,
//! and multiply those. Each sum has a fixed order, whatever the vectors and the threads.

use super::convolution::Sizes;
use super::lanes::{by_lanes, load, store};
use super::windows::Windows;
use crate::gemm::{Kernel, Tile};
use crate::machine::memory::numbers;
use crate::machine::tuning::PATCH_BYTES;
use crate::{Real, Workspace};
use core::ops::Range;

/// The most parts of a sum over images, which threads share and which are added in order. It decides bits.
const MOST_PARTS: usize = 16;
/// The fewest images in a part. It decides bits.
const LEAST_IMAGES: usize = 8;
/// The most lanes that `by_lanes` takes.
const MOST_LANES: usize = 16;

/// The adjoint of `convolve` with respect to the images: writes `x`, each pixel the sum, over the windows that
/// hold it, of their results `y` times the weights at that place.
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
    let kernel = Kernel::of(isa);
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

/// The adjoint of `convolve` with respect to the weights: writes `w`, each weight the sum, over all windows, of
/// the pixel at its place times the window's result `y`.
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
    let kernel = Kernel::of(isa);
    // The parts depend on the number of images alone, so that the sum does not depend on the threads.
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
            // As many rows of windows as stay in cache, in equal blocks.
            let line = windows.across() * patch;
            let blocks =
                (windows.down() * line * size_of::<T>()).div_ceil(PATCH_BYTES).clamp(1, windows.down());
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

/// A product that is small enough to read its operands in place: `a` with the given strides of rows and steps, times
/// `b`, which is row-major.
#[derive(Debug, Clone, Copy)]
struct Product<'a, T> {
    a: &'a [T],
    a_strides: [usize; 2],
    b: &'a [T],
    depth: usize,
    /// The rows and columns of the result.
    sizes: [usize; 2],
    /// Whether it is added to the result.
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
    // The numbers that are read and written for a window, with those beyond it that its last vectors touch.
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
                // What is written beyond the end of a run is overwritten with the next one.
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

/// Makes an image of patches, after which `LANES` more numbers can be read: each pixel is the sum of its numbers in all
/// windows that hold it, first over each row of windows, then over the rows, so that the chains are short.
#[inline(always)]
fn write_sums<T: Real, const LANES: usize>(windows: &Windows, channels: usize, patches: &[T], y: &mut [T]) {
    let ([height, width], [above, left]) =
        ([windows.height(), windows.width()], [windows.above(), windows.left()]);
    let ([down, across], size, stride) =
        ([windows.down(), windows.across()], windows.size(), windows.stride());
    // The windows along an axis that hold a place; they begin `before` places before the image.
    let holding = |place: usize, before: usize, count: usize| {
        (place + before + 1).saturating_sub(size).div_ceil(stride)..((place + before) / stride + 1).min(count)
    };
    // The distance of the same pixel in the patches of neighboring windows.
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
