//! What an example is between two layers: a row of numbers, or an image.

use crate::choice::choices;
use crate::error::{Error, Result};
use pullback_kernels::Windows;
use serde::{Deserialize, Serialize};

/// The shape of an image: its numbers stand row by row, pixel by pixel, channel by channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The rows of pixels.
    pub height: usize,
    /// The columns of pixels.
    pub width: usize,
    /// The numbers of a pixel: 1 for gray, 3 for red, green and blue.
    #[serde(default = "one")]
    pub channels: usize,
}

fn one() -> usize {
    1
}

/// The most numbers of an image: whatever a file says, sizes can be multiplied.
const MOST_NUMBERS: usize = 1 << 31;

impl Image {
    /// The same, if its numbers can be counted.
    ///
    /// # Errors
    /// If there are none or too many; `whose` begins the message.
    pub(super) fn checked(self, whose: &str) -> Result<Self> {
        let Image { height, width, channels } = self;
        let numbers = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(channels));
        match numbers {
            Some(1..=MOST_NUMBERS) => Ok(self),
            _ => Err(Error::configuration(format!("{whose} an image of {self} numbers"))
                .help(format!("give sizes from 1 on whose product is at most {MOST_NUMBERS}"))),
        }
    }
}

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} x {} x {}", self.height, self.width, self.channels)
    }
}

/// What one example is between two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// So many numbers.
    Row(usize),
    /// An image; to a dense layer, all its numbers.
    Image(Image),
}

impl Form {
    /// How many numbers an example has.
    pub fn elements(self) -> usize {
        match self {
            Form::Row(units) => units,
            Form::Image(Image { height, width, channels }) => height * width * channels,
        }
    }

    /// How many columns there are in the matrix of a batch: it has a row for each example, or each pixel.
    pub fn columns(self) -> usize {
        match self {
            Form::Row(units) => units,
            Form::Image(image) => image.channels,
        }
    }

    /// The shape of that matrix.
    pub(super) fn matrix(self, batch: usize) -> [usize; 2] {
        match self {
            Form::Row(units) => [batch, units],
            Form::Image(image) => [batch * image.height * image.width, image.channels],
        }
    }
}

choices! {
    /// Where the windows of a convolution may be.
    "padding" Padding as text {
        /// Inside the image: the result is smaller.
        Valid = "valid",
        /// Around every pixel, with zeros around the image: with a stride of 1, the result is as large.
        Same = "same",
    }
}

impl Padding {
    /// The windows of `size` by `size` pixels on an image.
    ///
    /// # Errors
    /// If there is no image, or it is smaller than a window, or a size is zero.
    pub(super) fn windows(
        self,
        form: Form,
        size: usize,
        stride: usize,
        what: &str,
    ) -> Result<(Windows, Image)> {
        let wrong = |why: String, help: &str| Err(Error::configuration(format!("{what} {why}")).help(help));
        let image = match form {
            Form::Image(image) => image,
            Form::Row(units) => {
                return wrong(
                    format!("needs an image, but reads a row of {units} numbers"),
                    "put it before the dense layers, and give the network the shape of its images, as \
                     `image = { height = 28, width = 28 }`",
                );
            }
        };
        if size == 0 || stride == 0 {
            return wrong(format!("has size {size} and stride {stride}"), "give at least 1");
        }
        let windows = match self {
            Padding::Valid => Windows::inside(image.height, image.width, size, stride),
            Padding::Same if size > 2 * image.height.min(image.width) => None,
            Padding::Same => Windows::around(image.height, image.width, size, stride),
        };
        match windows {
            Some(windows) => Ok((windows, image)),
            None => wrong(
                format!("has windows of {size} x {size} pixels, but reads an image of {image}"),
                "make them smaller, or leave out a pooling before it",
            ),
        }
    }
}
