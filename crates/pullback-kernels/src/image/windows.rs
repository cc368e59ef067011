//! Windows that slide over images: which pixels each of them holds.

use core::ops::Range;

/// Square windows that slide over images of one size. A window may reach beyond the image: there it reads
/// zeros for a convolution, and nothing for a maximum.
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

    /// A window for every pixel, or every `stride` pixels: the image is surrounded by zeros, and if their number is
    /// odd, there is one more below and on the right. None if a size or `stride` is zero.
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

    /// Whether they are 2 by 2 pixels inside the image, which has a loop of its own.
    pub(super) fn are_usual(&self) -> bool {
        self.size == 2 && self.are_inside()
    }

    /// Whether windows touch and do not overlap.
    pub(super) fn is_tiling(&self) -> bool {
        self.stride == self.size
    }

    /// Whether windows that tile the image leave a pixel out.
    pub(super) fn leaves_pixels(&self) -> bool {
        self.down * self.size < self.height + self.above || self.across * self.size < self.width + self.left
    }

    /// The number of images in a batch of `numbers` numbers.
    pub(crate) fn images(&self, numbers: usize, channels: usize) -> usize {
        let image = self.pixels().checked_mul(channels).expect("an image is no larger than memory");
        assert!(image > 0 && numbers.is_multiple_of(image), "{numbers} numbers are no whole images");
        numbers / image
    }
}

/// Which of `size` places from `start` on are inside the image, which begins at `before`.
#[inline(always)]
fn inside(start: usize, size: usize, before: usize, extent: usize) -> Range<usize> {
    before.saturating_sub(start).min(size)..(extent + before).saturating_sub(start).min(size)
}
