//! Max-pooling, and its adjoint.

use super::lanes::{load, store, store_exactly};
use super::windows::Windows;
use crate::machine::tuning::MOVED_PER_NANOSECOND;
use crate::{Real, Workspace};
use core::ops::Range;

/// Writes the largest number of each window and channel, `[images * windows, channels]`; NaN if one is NaN.
///
/// # Panics
/// If `x` is no whole number of images, or `y` has another size.
pub fn max_pool<T: Real>(
    windows: &Windows,
    channels: usize,
    x: &[T],
    y: &mut [T],
    workspace: &mut Workspace,
) {
    let (images, isa) = (windows.images(x.len(), channels), workspace.isa());
    let (from, to) = (windows.pixels() * channels, windows.count() * channels);
    let nanoseconds = x.len() / MOVED_PER_NANOSECOND;
    workspace.share_rows(images, nanoseconds, [y], [to], |images, [y]| {
        let x = &x[images.start * from..images.end * from];
        isa.run(
            #[inline(always)]
            || match (channels, windows.are_usual()) {
                (0..=8, true) => write_maxima::<T, 8, 2>(windows, channels, x, y),
                (0..=8, false) => write_maxima::<T, 8, 0>(windows, channels, x, y),
                (_, true) => write_maxima::<T, 16, 2>(windows, channels, x, y),
                (_, false) => write_maxima::<T, 16, 0>(windows, channels, x, y),
            },
        );
    });
}

/// `SIZE` is the windows' size if it is known at compile time and all are inside the image, or 0.
#[inline(always)]
fn write_maxima<T: Real, const LANES: usize, const SIZE: usize>(
    windows: &Windows,
    channels: usize,
    x: &[T],
    y: &mut [T],
) {
    let image = windows.pixels() * channels;
    let mut to = 0;
    for at in 0..x.len() / image {
        // What a vector reads beyond a pixel may be of the next image.
        let image = &x[at * image..];
        for i in 0..windows.down() {
            for j in 0..windows.across() {
                let end = end_of::<SIZE>(windows, i, j) * channels;
                for channel in (0..channels).step_by(LANES) {
                    let (to, count) = (to + channel, channels - channel);
                    if end + channel + LANES <= image.len() + channels {
                        let (most, _) = largest::<T, LANES, SIZE>(windows, [i, j], channels, channel, image);
                        store(y, to, most, count);
                    } else {
                        for at in 0..count.min(LANES) {
                            let (most, _) =
                                largest::<T, 1, SIZE>(windows, [i, j], channels, channel + at, image);
                            store_exactly(y, to + at, most, 1);
                        }
                    }
                }
                to += channels;
            }
        }
    }
}

/// The place after the last pixel of a window.
#[inline(always)]
fn end_of<const SIZE: usize>(windows: &Windows, i: usize, j: usize) -> usize {
    let (rows, columns) = inside_of::<SIZE>(windows, i, j);
    windows.pixel([i, j], [rows.end - 1, columns.end])
}

/// The rows and columns of a window that are inside the image.
#[inline(always)]
fn inside_of<const SIZE: usize>(windows: &Windows, i: usize, j: usize) -> (Range<usize>, Range<usize>) {
    if SIZE > 0 { (0..SIZE, 0..SIZE) } else { (windows.rows_inside(i), windows.columns_inside(j)) }
}

/// The largest numbers of a window in some channels, and the places in the window, counted row by row, that
/// first hold them. A NaN is larger than any number.
#[inline(always)]
fn largest<T: Real, const LANES: usize, const SIZE: usize>(
    windows: &Windows,
    [i, j]: [usize; 2],
    channels: usize,
    channel: usize,
    image: &[T],
) -> ([T; LANES], [T; LANES]) {
    let (rows, columns) = inside_of::<SIZE>(windows, i, j);
    let mut most = [-T::INFINITY; LANES];
    let mut places = [T::ZERO; LANES];
    let mut is_first = true;
    for row in rows {
        let line = windows.pixel([i, j], [row, columns.start]) * channels + channel;
        for (at, column) in columns.clone().enumerate() {
            let numbers = load::<T, LANES>(image, line + at * channels);
            let place = T::from_f64((row * windows.size() + column) as f64);
            if is_first {
                (most, places, is_first) = (numbers, [place; LANES], false);
                continue;
            }
            for lane in 0..LANES {
                let (number, known) = (numbers[lane], most[lane]);
                #[expect(clippy::eq_op, reason = "only NaN differs from itself")]
                let is_larger = number > known || number != number;
                most[lane] = if is_larger { number } else { known };
                places[lane] = if is_larger { place } else { places[lane] };
            }
        }
    }
    (most, places)
}

/// The adjoint of [`max_pool`] at the images `x`: each number of `y_bar` (`[images * windows, channels]`) is
/// added to the first pixel that holds the largest number of its window.
///
/// # Panics
/// If `x` is no whole number of images, or `y_bar` or `x_bar` has another size.
pub fn route_to_max<T: Real>(
    windows: &Windows,
    channels: usize,
    x: &[T],
    y_bar: &[T],
    x_bar: &mut [T],
    workspace: &mut Workspace,
) {
    let (images, isa) = (windows.images(x.len(), channels), workspace.isa());
    let (from, to) = (windows.count() * channels, windows.pixels() * channels);
    assert_eq!(y_bar.len(), images * from, "size of what is routed");
    let nanoseconds = 2 * x.len() / MOVED_PER_NANOSECOND;
    workspace.share_rows(images, nanoseconds, [x_bar], [to], |images, [x_bar]| {
        let x = &x[images.start * to..images.end * to];
        let y_bar = &y_bar[images.start * from..images.end * from];
        if !windows.is_tiling() || windows.leaves_pixels() {
            x_bar.fill(T::ZERO);
        }
        let x_bar = &mut *x_bar;
        isa.run(
            #[inline(always)]
            || match (channels, windows.are_usual()) {
                (0..=8, true) => write_routes::<T, 8, 2>(windows, channels, x, y_bar, x_bar),
                (0..=8, false) => write_routes::<T, 8, 0>(windows, channels, x, y_bar, x_bar),
                (_, true) => write_routes::<T, 16, 2>(windows, channels, x, y_bar, x_bar),
                (_, false) => write_routes::<T, 16, 0>(windows, channels, x, y_bar, x_bar),
            },
        );
    });
}

#[inline(always)]
fn write_routes<T: Real, const LANES: usize, const SIZE: usize>(
    windows: &Windows,
    channels: usize,
    x: &[T],
    y_bar: &[T],
    x_bar: &mut [T],
) {
    let (from, to) = (windows.count() * channels, windows.pixels() * channels);
    for at in 0..x.len() / to {
        // What a vector reads beyond a pixel or a window may be of the next image.
        let image = Routes { windows, channels, x: &x[at * to..], y_bar: &y_bar[at * from..] };
        let x_bar = &mut x_bar[at * to..][..to];
        for i in 0..windows.down() {
            for j in 0..windows.across() {
                let (pixel, window) = (end_of::<SIZE>(windows, i, j), i * windows.across() + j + 1);
                for channel in (0..channels).step_by(LANES) {
                    let beyond = channel + LANES;
                    if pixel * channels + beyond <= image.x.len() + channels
                        && window * channels + beyond <= image.y_bar.len() + channels
                    {
                        image.route::<LANES, SIZE>([i, j], channel, channels - channel, x_bar);
                    } else {
                        for channel in channel..channels.min(beyond) {
                            image.route::<1, SIZE>([i, j], channel, 1, x_bar);
                        }
                    }
                }
            }
        }
    }
}

/// The operands, from an image on.
struct Routes<'a, T> {
    windows: &'a Windows,
    channels: usize,
    x: &'a [T],
    y_bar: &'a [T],
}

impl<T: Real> Routes<'_, T> {
    /// Routes `count` channels of a window, at most `LANES`.
    #[inline(always)]
    fn route<const LANES: usize, const SIZE: usize>(
        &self,
        [i, j]: [usize; 2],
        channel: usize,
        count: usize,
        x_bar: &mut [T],
    ) {
        let &Self { windows, channels, x, y_bar } = self;
        let (_, places) = largest::<T, LANES, SIZE>(windows, [i, j], channels, channel, x);
        let arriving = load::<T, LANES>(y_bar, (i * windows.across() + j) * channels + channel);
        let (rows, columns) = inside_of::<SIZE>(windows, i, j);
        let last = (windows.across() * windows.size()).min(windows.width() + windows.left()) - windows.left();
        for row in rows {
            let line = windows.pixel([i, j], [row, columns.start]) * channels + channel;
            // Pixels up to here are written later.
            let end = (windows.pixel([i, 0], [row, windows.left()]) + last) * channels;
            for (at, column) in columns.clone().enumerate() {
                let place = T::from_f64((row * windows.size() + column) as f64);
                let mut routed = [T::ZERO; LANES];
                for lane in 0..LANES {
                    routed[lane] = if places[lane] == place { arriving[lane] } else { T::ZERO };
                }
                let pixel = line + at * channels;
                if !windows.is_tiling() {
                    for (sum, number) in x_bar[pixel..][..count.min(LANES)].iter_mut().zip(routed) {
                        *sum += number;
                    }
                } else if channels <= LANES && pixel + LANES <= end {
                    store(x_bar, pixel, routed, count);
                } else {
                    store_exactly(x_bar, pixel, routed, count);
                }
            }
        }
    }
}
