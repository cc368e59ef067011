//! Images under sliding windows: convolutions, their adjoints, and max-pooling.
//!
//! A batch of images is a matrix with a row for each pixel, `[images * height * width, channels]`, so that what
//! works on matrices works on images.

mod adjoint;
mod convolution;
mod lanes;
mod pool;
mod windows;

pub use adjoint::{convolve_transposed, filter_gradient};
pub use convolution::convolve;
pub use pool::{max_pool, route_to_max};
pub use windows::Windows;
