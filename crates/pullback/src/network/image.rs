//! The shape of an image, and where windows slide over it.

use super::Form;
use super::path::Refusal;
use crate::choice::choices;
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

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} x {} x {}", self.height, self.width, self.channels)
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
    /// If there is no image, or it is smaller than a window, or a size is zero: what the layer needs or has.
    pub(super) fn windows(self, form: Form, size: usize, stride: usize) -> Result<(Windows, Image), Refusal> {
        let Form::Image(image) = form else {
            return Err(Refusal::form(
                format!("needs an image, but reads {form}"),
                "put it before the dense layers, and give the network the shape of its images, as \
                 `image = { height = 28, width = 28 }`",
            ));
        };
        if size == 0 || stride == 0 {
            return Err(Refusal::form(format!("has size {size} and stride {stride}"), "give at least 1"));
        }
        let windows = match self {
            Padding::Valid => Windows::inside(image.height, image.width, size, stride),
            Padding::Same if size > 2 * image.height.min(image.width) => None,
            Padding::Same => Windows::around(image.height, image.width, size, stride),
        };
        windows.map(|windows| (windows, image)).ok_or_else(|| {
            Refusal::form(
                format!("has windows of {size} x {size} pixels, but reads an image of {image}"),
                "make them smaller, or leave out a pooling before it",
            )
        })
    }
}
