//! Convolutions and poolings against the plainest loops, on images of many sizes, every instruction set and
//! number of threads.

use pullback_kernels::{
    Isa, Real, Windows, Workspace, convolve, convolve_transposed, filter_gradient, max_pool, route_to_max,
};

/// Numbers in [-1, 1) that repeat, so that largest ones are often equal.
fn numbers<T: Real>(count: usize, seed: usize) -> Vec<T> {
    (0..count).map(|at| T::from_f64(((at * 7919 + seed * 104_729) % 61) as f64 / 30.5 - 1.0)).collect()
}

/// Calls `visit(pixel, place)` for the pixels of a window that are inside the image, in order.
fn for_each_pixel(windows: &Windows, window: usize, mut visit: impl FnMut(usize, usize)) {
    let (height, width, across) = (windows.height(), windows.width(), windows.across());
    let (size, stride, above, left) = (windows.size(), windows.stride(), windows.above(), windows.left());
    for row in 0..size {
        for column in 0..size {
            let (i, j) = (window / across * stride + row, window % across * stride + column);
            if (above..above + height).contains(&i) && (left..left + width).contains(&j) {
                visit((i - above) * width + j - left, row * size + column);
            }
        }
    }
}

struct Case<T> {
    windows: Windows,
    images: usize,
    channels: usize,
    filters: usize,
    x: Vec<T>,
    w: Vec<T>,
    y: Vec<T>,
}

impl<T: Real> Case<T> {
    fn new(windows: Windows, images: usize, channels: usize, filters: usize) -> Self {
        let x = numbers(images * windows.pixels() * channels, 1);
        let w = numbers(filters * windows.area() * channels, 2);
        let y = numbers(images * windows.count() * filters, 3);
        Self { windows, images, channels, filters, x, w, y }
    }

    /// Calls `visit(number of x, number of w, number of y)` for each product of a convolution.
    fn for_each_product(&self, mut visit: impl FnMut(usize, usize, usize)) {
        for window in 0..self.images * self.windows.count() {
            let image = window / self.windows.count() * self.windows.pixels();
            for_each_pixel(&self.windows, window % self.windows.count(), |pixel, place| {
                for channel in 0..self.channels {
                    for filter in 0..self.filters {
                        let weight = (filter * self.windows.area() + place) * self.channels + channel;
                        visit(
                            (image + pixel) * self.channels + channel,
                            weight,
                            window * self.filters + filter,
                        );
                    }
                }
            });
        }
    }

    /// What the five kernels should find, in f64: the images pooled with as many channels as there are.
    fn expected(&self) -> [Vec<f64>; 5] {
        let [x, w, y] = [&self.x, &self.w, &self.y].map(|x| x.iter().map(|x| x.to_f64()).collect::<Vec<_>>());
        let mut sums: Vec<f64> = (0..y.len()).map(|at| 0.5 + (at % self.filters) as f64).collect();
        let (mut x_bar, mut w_bar) = (vec![0.0; x.len()], vec![0.0; w.len()]);
        self.for_each_product(|pixel, weight, sum| {
            sums[sum] += x[pixel] * w[weight];
            x_bar[pixel] += y[sum] * w[weight];
            w_bar[weight] += y[sum] * x[pixel];
        });
        let channels = self.channels;
        let count = self.images * self.windows.count() * channels;
        let (mut largest, mut routed) = (vec![f64::NEG_INFINITY; count], vec![0.0; x.len()]);
        let arriving = numbers::<f64>(count, 5);
        for at in 0..count {
            let (window, channel) = (at / channels, at % channels);
            let image = window / self.windows.count() * self.windows.pixels();
            let mut place = 0;
            for_each_pixel(&self.windows, window % self.windows.count(), |pixel, _| {
                let from = (image + pixel) * channels + channel;
                if x[from] > largest[at] {
                    (largest[at], place) = (x[from], from);
                }
            });
            routed[place] += arriving[at];
        }
        [sums, x_bar, w_bar, largest, routed]
    }

    fn found(&self, isa: Isa, threads: usize) -> [Vec<T>; 5] {
        let Self { windows, channels, x, w, y, .. } = self;
        let workspace = &mut Workspace::new(isa, threads);
        let start: Vec<T> = (0..self.filters).map(|at| T::from_f64(0.5 + at as f64)).collect();
        let nothing = |count: usize| vec![T::from_f64(f64::NAN); count];
        let (mut sums, mut x_bar, mut w_bar) = (nothing(y.len()), nothing(x.len()), nothing(w.len()));
        let double = |_: usize, sums: &mut [T]| sums.iter_mut().for_each(|sum| *sum += *sum);
        convolve(windows, *channels, x, w, Some(&start), &mut sums, double, workspace);
        for sum in &mut sums {
            *sum *= T::from_f64(0.5);
        }
        convolve_transposed(windows, *channels, y, w, &mut x_bar, workspace);
        filter_gradient(windows, *channels, x, y, &mut w_bar, workspace);
        let count = self.images * windows.count() * channels;
        let (mut largest, mut routed) = (nothing(count), nothing(x.len()));
        max_pool(windows, *channels, x, &mut largest, workspace);
        let arriving: Vec<T> = numbers::<f64>(count, 5).into_iter().map(T::from_f64).collect();
        route_to_max(windows, *channels, x, &arriving, &mut routed, workspace);
        [sums, x_bar, w_bar, largest, routed]
    }

    fn check(&self, tolerance: f64) {
        let expected = self.expected();
        let mut bits: Option<[Vec<T>; 5]> = None;
        for isa in Isa::available() {
            for threads in [1, 2, 5] {
                let found = self.found(isa, threads);
                let first = bits.get_or_insert_with(|| found.clone());
                assert_eq!(*first, found, "{:?}: other bits on {isa:?}, {threads} threads", self.windows);
                for (what, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    for (at, (x, y)) in found.iter().zip(expected).enumerate() {
                        let close = (x.to_f64() - y).abs() <= tolerance * (1.0 + y.abs());
                        assert!(close, "{:?}, kernel {what}, number {at}: {x} for {y}", self.windows);
                    }
                }
            }
        }
    }
}

#[test]
fn convolutions_and_poolings_agree_with_plain_loops() {
    for (height, width) in [(1, 1), (5, 3), (7, 29), (13, 16)] {
        for (size, stride) in [(1, 1), (1, 3), (2, 2), (3, 1), (3, 2), (5, 1), (2, 3)] {
            let kinds = [
                Windows::inside(height, width, size, stride),
                Windows::around(height, width, size, stride).filter(|_| size <= 2 * height.min(width)),
            ];
            for windows in kinds.into_iter().flatten() {
                for (images, channels, filters) in [(1, 1, 6), (3, 2, 1), (2, 7, 17), (2, 9, 8), (2, 17, 3)] {
                    Case::<f32>::new(windows, images, channels, filters).check(2e-4);
                }
                Case::<f64>::new(windows, 2, 3, 5).check(1e-12);
            }
        }
    }
    // Enough images that threads share them, and that the gradient is a sum of parts.
    let windows = Windows::inside(28, 28, 5, 1).expect("the image is larger than a window");
    Case::<f32>::new(windows, 40, 1, 6).check(2e-4);
    let windows = Windows::inside(12, 12, 2, 2).expect("the image is larger than a window");
    Case::<f32>::new(windows, 200, 6, 6).check(2e-4);
}

#[test]
fn the_gradient_of_filters_is_a_sum_over_parts_of_the_images_in_a_fixed_order() {
    // A part for every eight images, but sixteen at most: in each a chain over its images and their windows.
    let windows = Windows::inside(7, 6, 3, 1).expect("the image is larger than a window");
    for (images, parts) in [(7, 1), (16, 2), (41, 5), (127, 15), (128, 16), (200, 16)] {
        let case = Case::<f32>::new(windows, images, 2, 3);
        let mut sums = vec![vec![0.0_f32; case.w.len()]; parts];
        case.for_each_product(|pixel, weight, sum| {
            let image = pixel / (windows.pixels() * case.channels);
            let part =
                (0..parts).rfind(|part| images * part / parts <= image).expect("the first one begins at 0");
            sums[part][weight] = case.y[sum].mul_add(case.x[pixel], sums[part][weight]);
        });
        let add = |mut all: Vec<f32>, part: Vec<f32>| {
            all.iter_mut().zip(part).for_each(|(all, part)| *all += part);
            all
        };
        let want = sums.into_iter().reduce(add).expect("there is a part");
        for isa in Isa::available() {
            let mut found = vec![f32::NAN; case.w.len()];
            filter_gradient(&windows, 2, &case.x, &case.y, &mut found, &mut Workspace::new(isa, 3));
            assert_eq!(found, want, "{images} images on {}", isa.name());
        }
    }
}

#[test]
fn channels_and_filters_around_the_lanes_agree_with_plain_loops() {
    // One less than the lanes of a vector, as many, one more, and primes; windows that overlap, tile and leave pixels,
    // on an image whose sides are primes.
    const SIZES: [usize; 9] = [5, 7, 8, 15, 16, 23, 31, 32, 33];
    let kinds = [
        Windows::around(5, 7, 3, 1),
        Windows::inside(5, 7, 2, 2),
        Windows::inside(5, 7, 2, 3),
        Windows::inside(5, 7, 1, 1),
    ];
    for windows in kinds.map(|windows| windows.expect("the image is larger than a window")) {
        for (at, channels) in SIZES.into_iter().enumerate() {
            // As many filters, and a number from the other half of the list.
            for filters in [channels, SIZES[(at + 4) % SIZES.len()]] {
                Case::<f32>::new(windows, 3, channels, filters).check(1e-3);
                Case::<f64>::new(windows, 2, channels, filters).check(1e-12);
            }
        }
    }
}

#[test]
fn a_number_that_is_none_is_larger_than_any() {
    let windows = Windows::inside(2, 2, 2, 2).expect("the image is as large as a window");
    let (x, mut y, mut x_bar) = ([1.0, f32::NAN, 3.0, 2.0], [0.0], [0.0; 4]);
    let workspace = &mut Workspace::new(Isa::best(), 1);
    max_pool(&windows, 1, &x, &mut y, workspace);
    route_to_max(&windows, 1, &x, &[5.0], &mut x_bar, workspace);
    assert!(y[0].is_nan());
    assert_eq!(x_bar, [0.0, 5.0, 0.0, 0.0]);
}

#[test]
fn an_odd_zero_around_an_image_is_below_and_on_the_right() {
    let windows = Windows::around(2, 3, 2, 1).expect("the image is larger than a window");
    assert_eq!([windows.above(), windows.left()], [0, 0]);
    let (x, w) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 10.0, 100.0, 1000.0]);
    let mut y = [f64::NAN; 6];
    let workspace = &mut Workspace::new(Isa::best(), 1);
    convolve(&windows, 1, &x, &w, None, &mut y, |_, _| (), workspace);
    assert_eq!(y, [5421.0, 6532.0, 603.0, 54.0, 65.0, 6.0]);
}

#[test]
fn windows_that_cannot_be_counted_are_none() {
    let huge = usize::MAX / 2;
    for sizes in [[0, 3, 1, 1], [3, 0, 1, 1], [3, 3, 0, 1], [3, 3, 1, 0], [huge, huge, 1, 1], [huge, 8, 1, 1]]
    {
        let [height, width, size, stride] = sizes;
        assert_eq!(Windows::inside(height, width, size, stride), None, "{sizes:?} inside");
        assert_eq!(Windows::around(height, width, size, stride), None, "{sizes:?} around");
    }
    assert_eq!(Windows::inside(3, 3, 4, 1), None);
    for size in [huge, usize::MAX] {
        assert_eq!(Windows::around(3, 3, size, 1), None);
    }
}

#[test]
#[should_panic = "an image is no larger than memory"]
fn channels_that_overflow_are_no_image() {
    let windows = Windows::inside(4, 4, 2, 2).expect("the image is larger than a window");
    let workspace = &mut Workspace::new(Isa::best(), 1);
    max_pool::<f32>(&windows, usize::MAX / 8, &[1.0; 16], &mut [0.0; 4], workspace);
}

#[test]
#[should_panic = "size of the result of a convolution"]
fn a_result_of_another_size_is_refused() {
    let windows = Windows::inside(3, 3, 2, 1).expect("the image is larger than a window");
    let workspace = &mut Workspace::new(Isa::best(), 1);
    convolve::<f32>(&windows, 1, &[1.0; 9], &[1.0; 8], None, &mut [0.0; 7], |_, _| (), workspace);
}
