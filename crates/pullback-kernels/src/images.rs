//! Images under a sliding window: the largest of each window and where it stood. Convolutions stand in
//! `convolution`.
//!
//! A batch of images is a matrix with a row for each pixel (`[images * height * width, channels]`), so that
//! what works on matrices works on images. Channels go some at a time; where a pixel has fewer, what is
//! written beyond it is written again with the next pixel: that is faster than a mask.

use crate::{Real, Workspace};
use core::ops::Range;

/// About how many numbers a thread copies or compares in a nanosecond.
const PER_NANOSECOND: usize = 4;

/// Square windows that slide over images of one size. A window that sticks out of the image reads zeros
/// there, or nothing where it looks for the largest.
///
/// Only constructors make windows: each holds at least one pixel of the image, and no product of sizes
/// overflows. Kernels rely on that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Windows {
    height: usize,
    width: usize,
    size: usize,
    stride: usize,
    above: usize,
    left: usize,
    down: usize,
    across: usize,
}

impl Windows {
    /// Windows that are inside the image as a whole; none if it is smaller than one, or `size` or `stride` is zero.
    pub fn inside(height: usize, width: usize, size: usize, stride: usize) -> Option<Self> {
        let count = |extent: usize| Some(extent.checked_sub(size)?.checked_div(stride)? + 1);
        let (down, across) = (count(height)?, count(width)?);
        Self { height, width, size, stride, above: 0, left: 0, down, across }.checked()
    }

    /// A window for every pixel, or every `stride` pixels: the image is as if surrounded by zeros, of which
    /// the odd one is below and on the right. None if a size or `stride` is zero.
    pub fn around(height: usize, width: usize, size: usize, stride: usize) -> Option<Self> {
        if stride == 0 {
            return None;
        }
        let (down, across) = (height.div_ceil(stride), width.div_ceil(stride));
        let before = |extent: usize, count: usize| {
            let end = (count.checked_sub(1)? * stride).checked_add(size)?;
            Some(end.saturating_sub(extent) / 2)
        };
        let (above, left) = (before(height, down)?, before(width, across)?);
        Self { height, width, size, stride, above, left, down, across }.checked()
    }

    /// The windows, if there are any and the numbers of an image, a window and all windows can be counted.
    fn checked(self) -> Option<Self> {
        let Self { height, width, size, stride, above, left, down, across } = self;
        for (extent, before) in [(height, above), (width, left)] {
            extent.checked_add(before)?.checked_add(size)?.checked_add(stride)?;
        }
        let numbers = [height.checked_mul(width)?, size.checked_mul(size)?, down.checked_mul(across)?];
        // A patch for each window, and the pixels of a row of windows.
        numbers[1].checked_mul(numbers[2])?;
        numbers.iter().all(|count| *count > 0).then_some(self)
    }

    /// The image's rows of pixels.
    #[inline(always)]
    pub fn height(&self) -> usize {
        self.height
    }

    /// The image's columns of pixels.
    #[inline(always)]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The rows and columns of a window.
    #[inline(always)]
    pub fn size(&self) -> usize {
        self.size
    }

    /// From one window to the next, in pixels.
    #[inline(always)]
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The rows of zeros above the image that the first windows hold.
    #[inline(always)]
    pub fn above(&self) -> usize {
        self.above
    }

    /// The columns of zeros on the left of the image that the first windows hold.
    #[inline(always)]
    pub fn left(&self) -> usize {
        self.left
    }

    /// The windows one below another.
    #[inline(always)]
    pub fn down(&self) -> usize {
        self.down
    }

    /// The windows side by side.
    #[inline(always)]
    pub fn across(&self) -> usize {
        self.across
    }

    /// The pixels of an image.
    pub fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// The windows of an image.
    pub fn count(&self) -> usize {
        self.down * self.across
    }

    /// The pixels of a window.
    pub fn area(&self) -> usize {
        self.size * self.size
    }

    /// Whether every window is inside the image as a whole.
    pub fn are_inside(&self) -> bool {
        let end = |count: usize| (count.max(1) - 1) * self.stride + self.size;
        self.above + self.left == 0 && end(self.down) <= self.height && end(self.across) <= self.width
    }

    /// Which rows of the windows at `i` from above are inside the image.
    #[inline(always)]
    pub fn rows_inside(&self, i: usize) -> Range<usize> {
        inside(i * self.stride, self.size, self.above, self.height)
    }

    /// Which columns of the windows at `j` from the left are inside the image.
    #[inline(always)]
    pub fn columns_inside(&self, j: usize) -> Range<usize> {
        inside(j * self.stride, self.size, self.left, self.width)
    }

    /// Which windows, counted from the left, have all their columns inside the image.
    pub(crate) fn whole_columns(&self) -> Range<usize> {
        let end = (self.width + self.left).checked_sub(self.size).map_or(0, |last| last / self.stride + 1);
        self.left.div_ceil(self.stride)..end.min(self.across)
    }

    /// The place in the image of a window's row and column, which must be inside.
    #[inline(always)]
    pub fn pixel(&self, [i, j]: [usize; 2], [row, column]: [usize; 2]) -> usize {
        (i * self.stride + row - self.above) * self.width + j * self.stride + column - self.left
    }

    /// Whether they are those that are worth a loop of their own: 2 by 2 pixels inside the image.
    fn are_usual(&self) -> bool {
        self.size == 2 && self.are_inside()
    }

    /// Whether no pixel is in two windows, and no window begins after a gap.
    fn is_tiling(&self) -> bool {
        self.stride == self.size
    }

    /// Whether tiling windows leave a pixel out.
    fn leaves_pixels(&self) -> bool {
        self.down * self.size < self.height + self.above || self.across * self.size < self.width + self.left
    }

    /// The number of images in a batch of so many numbers.
    pub(crate) fn images(&self, numbers: usize, channels: usize) -> usize {
        let image = self.pixels().checked_mul(channels).expect("an image is no larger than memory");
        assert!(image > 0 && numbers.is_multiple_of(image), "{numbers} numbers are no whole images");
        numbers / image
    }
}

/// Which of `size` places from `start` on are inside an extent that `before` places precede.
#[inline(always)]
fn inside(start: usize, size: usize, before: usize, extent: usize) -> Range<usize> {
    before.saturating_sub(start).min(size)..(extent + before).saturating_sub(start).min(size)
}

/// Reads the numbers from `at` on, which must be there.
#[inline(always)]
pub(crate) fn load<T: Real, const LANES: usize>(x: &[T], at: usize) -> [T; LANES] {
    *x[at..].first_chunk().expect("the caller looked at the length")
}

/// Writes the first `count` numbers, and others after them where there is room: for ascending places.
#[inline(always)]
pub(crate) fn store<T: Real, const LANES: usize>(y: &mut [T], at: usize, numbers: [T; LANES], count: usize) {
    match y[at..].first_chunk_mut() {
        Some(to) => *to = numbers,
        None => store_exactly(y, at, numbers, count),
    }
}

/// Writes the first `count` numbers, at most `LANES`.
#[inline(always)]
pub(crate) fn store_exactly<T: Real, const LANES: usize>(
    y: &mut [T],
    at: usize,
    numbers: [T; LANES],
    count: usize,
) {
    match y[at..].first_chunk_mut() {
        Some(to) if count >= LANES => *to = numbers,
        _ => {
            let count = count.min(LANES);
            for (to, number) in y[at..][..count].iter_mut().zip(numbers) {
                *to = number;
            }
        }
    }
}

/// Calls a function with so many lanes as some numbers fill best.
macro_rules! by_lanes {
    ($isa:expr, $numbers:expr, $function:ident($($argument:expr),*)) => {
        $isa.run(
            #[inline(always)]
            || match $numbers {
                0..=8 => $function::<T, 8>($($argument),*),
                _ => $function::<T, 16>($($argument),*),
            },
        )
    };
}

pub(crate) use by_lanes;

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
    let nanoseconds = x.len() / PER_NANOSECOND;
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

/// `SIZE` is the windows' size if all are inside the image, or 0.
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
        // What is read beyond a pixel may be of the next image.
        let image = &x[at * image..];
        for i in 0..windows.down {
            for j in 0..windows.across {
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
            let place = T::from_f64((row * windows.size + column) as f64);
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

/// The adjoint of [`max_pool`] at the images `x`: each number of `y_bar` (`[images * windows, channels]`) goes
/// to the pixel that first holds the largest number of its window; what meets at a pixel is added.
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
    let nanoseconds = 2 * x.len() / PER_NANOSECOND;
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
        // What is read beyond a pixel or a window may be of the next image.
        let image = Routes { windows, channels, x: &x[at * to..], y_bar: &y_bar[at * from..] };
        let x_bar = &mut x_bar[at * to..][..to];
        for i in 0..windows.down {
            for j in 0..windows.across {
                let (pixel, window) = (end_of::<SIZE>(windows, i, j), i * windows.across + j + 1);
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

/// What is routed, from an image on.
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
        let arriving = load::<T, LANES>(y_bar, (i * windows.across + j) * channels + channel);
        let (rows, columns) = inside_of::<SIZE>(windows, i, j);
        let last = (windows.across * windows.size).min(windows.width + windows.left) - windows.left;
        for row in rows {
            let line = windows.pixel([i, j], [row, columns.start]) * channels + channel;
            // Up to here pixels follow that are yet to be written.
            let end = (windows.pixel([i, 0], [row, windows.left]) + last) * channels;
            for (at, column) in columns.clone().enumerate() {
                let place = T::from_f64((row * windows.size + column) as f64);
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
