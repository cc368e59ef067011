//! Windows that slide over images: their weighted sums, which are a convolution, and the largest of each.
//!
//! A batch of images is a matrix with a row for each pixel, `[images * height * width, channels]`, so that what
//! works on matrices works on images. A convolution is linear in the images and in the weights; its two
//! reverses are operations too, and the three are each other's derivatives.

use super::{Addend, Case, Dice, Formula, Operation, Site, View, ViewMut};
use crate::graph::{Shape, Var};
use pullback_kernels::{Real, Windows};

/// `2x2 of 28x28 pixels`, with what is not as usual.
fn described(windows: &Windows) -> String {
    let (height, width) = (windows.height(), windows.width());
    let (size, stride) = (windows.size(), windows.stride());
    let stride = if stride == 1 { String::new() } else { format!(" every {stride}") };
    let around = if windows.are_inside() { "" } else { ", zeros around" };
    format!("{size}x{size}{stride} of {height}x{width} pixels{around}")
}

fn formula(name: &str, windows: &Windows, operands: &str) -> Formula {
    let size = windows.size();
    Formula::new(
        format!("{}({operands}, {})", name.replace(' ', "_"), described(windows)),
        format!(r"\operatorname{{{}}}_{{{size} \times {size}}}({operands})", name.replace(' ', r"\ ")),
    )
}

/// The number of whole images that a matrix holds with a row for each pixel or window.
fn images(x: &Shape, rows: usize, of: &str) -> Result<usize, String> {
    match x.sizes() {
        [all, _] if rows > 0 && all.is_multiple_of(rows) => Ok(all / rows),
        _ => Err(format!("an operand needs two axes, the first of whole images of {rows} {of}, but is {x}")),
    }
}

/// The number of filters of weights `[filters, patch]`.
fn filters(w: &Shape, patch: usize) -> Result<usize, String> {
    match w.sizes() {
        [filters, columns] if *columns == patch => Ok(*filters),
        _ => Err(format!("windows of {patch} numbers need weights of {patch} columns, but theirs are {w}")),
    }
}

/// The tangent of an operation that is linear in each of its two operands.
fn product_rule<'b, O: Operation + Into<crate::graph::Op>>(
    op: &O,
    at: &Site<'b>,
    x_dot: &[Option<Var<'b>>],
) -> Option<Var<'b>> {
    let by_first = x_dot[0].map(|dot| at.builder().apply(op.clone(), &[dot, at.inputs[1]]));
    let by_second = x_dot[1].map(|dot| at.builder().apply(op.clone(), &[at.inputs[0], dot]));
    by_first.into_iter().chain(by_second).reduce(|left, right| left + right)
}

/// The shape of images, and that of a number for each of their windows and channels.
fn pooled(windows: &Windows, inputs: &[&Shape], operands: usize) -> Result<[Shape; 2], String> {
    if inputs.len() != operands {
        return Err(format!("it takes {operands} operands"));
    }
    let count = images(inputs[0], windows.pixels(), "pixels")?;
    Ok([inputs[0].clone(), [count * windows.count(), inputs[0].last()].into()])
}

/// Windows on small images, every kind of them.
fn windows(dice: &mut Dice) -> Windows {
    let mut small = |most| 1 + dice.below(most);
    let (height, width, size, stride) = (small(4), small(4), small(3), small(3));
    match Windows::inside(height, width, size, stride) {
        Some(windows) if dice.coin() => windows,
        _ => Windows::around(height, width, size, stride).expect("no size is zero"),
    }
}

/// Windows, and the shapes of images, weights and weighted sums that fit them.
fn operands(dice: &mut Dice) -> (Windows, [Shape; 3]) {
    let windows = windows(dice);
    let (images, channels, filters) = (1 + dice.below(2), 1 + dice.below(3), 1 + dice.below(3));
    let x = [images * windows.pixels(), channels].into();
    let y = [images * windows.count(), filters].into();
    (windows, [x, [filters, windows.area() * channels].into(), y])
}

/// The pixels that a window holds, in order: the place in the window, and that in the image; none there
/// where the window sticks out.
fn for_each_pixel(windows: &Windows, window: usize, mut visit: impl FnMut(usize, Option<usize>)) {
    let (i, j) = (window / windows.across(), window % windows.across());
    let (rows, columns) = (windows.rows_inside(i), windows.columns_inside(j));
    for place in 0..windows.area() {
        let (row, column) = (place / windows.size(), place % windows.size());
        let is_inside = rows.contains(&row) && columns.contains(&column);
        visit(place, is_inside.then(|| windows.pixel([i, j], [row, column])));
    }
}

/// The sizes of a convolution: images, channels, filters.
fn sizes(windows: &Windows, x: &Shape, w: &Shape) -> [usize; 3] {
    [x.sizes()[0] / windows.pixels(), x.last(), w.sizes()[0]]
}

/// Calls `visit(image element, weight, sum)` for each product of a convolution: sum by sum, in the order in
/// which its products are added.
fn for_each_product(windows: &Windows, sizes: [usize; 3], mut visit: impl FnMut(usize, usize, usize)) {
    let [images, channels, filters] = sizes;
    for window in 0..images * windows.count() {
        let image = window / windows.count() * windows.pixels();
        for filter in 0..filters {
            for_each_pixel(windows, window % windows.count(), |place, pixel| {
                let Some(pixel) = pixel else { return };
                for channel in 0..channels {
                    let x = (image + pixel) * channels + channel;
                    let w = (filter * windows.area() + place) * channels + channel;
                    visit(x, w, window * filters + filter);
                }
            });
        }
    }
}

/// Calls `visit(result element, image element)` with the first largest number of each window and channel.
/// A NaN is larger than any number, so that none gets lost.
fn for_each_largest<T: Real>(windows: &Windows, x: View<'_, T>, mut visit: impl FnMut(usize, usize)) {
    let channels = x.shape.last();
    let images = x.shape.sizes()[0] / windows.pixels();
    for window in 0..images * windows.count() {
        let image = window / windows.count() * windows.pixels();
        for channel in 0..channels {
            let mut largest = None;
            for_each_pixel(windows, window % windows.count(), |_, pixel| {
                let Some(pixel) = pixel else { return };
                let at = (image + pixel) * channels + channel;
                let number = x.data[at].to_f64();
                if largest.is_none_or(|known: usize| number > x.data[known].to_f64() || number.is_nan()) {
                    largest = Some(at);
                }
            });
            visit(window * channels + channel, largest.expect("a window holds a pixel"));
        }
    }
}

/// The weighted sums of each window of images: the weights `[filters, size * size * channels]` are the same for
/// all windows, in the order of a window's numbers. The result is images with a channel for each filter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Convolution {
    /// The windows that slide over the images.
    pub windows: Windows,
}

impl Operation for Convolution {
    const NAME: &'static str = "convolution";

    fn formula(&self) -> Formula {
        formula("convolution", &self.windows, "{0}, {1}")
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [x, w] = inputs else { return Err("it takes two operands".into()) };
        let images = images(x, self.windows.pixels(), "pixels")?;
        let filters = filters(w, self.windows.area() * x.last())?;
        Ok([images * self.windows.count(), filters].into())
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let [x, w] = [inputs[0], inputs[1]];
        output.data.fill(T::ZERO);
        for_each_product(&self.windows, sizes(&self.windows, x.shape, w.shape), |pixel, weight, sum| {
            output.data[sum] = x.data[pixel].mul_add(w.data[weight], output.data[sum]);
        });
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, input: usize) -> Option<Var<'b>> {
        let (windows, [x, w]) = (self.windows, [at.inputs[0], at.inputs[1]]);
        Some(if input == 0 {
            at.builder().apply(TransposedConvolution { windows }, &[y_bar, w])
        } else {
            at.builder().apply(FilterGradient { windows }, &[x, y_bar])
        })
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        product_rule(self, at, x_dot)
    }

    fn multiply_adds(&self, inputs: &[&Shape], output: &Shape) -> u64 {
        (output.elements() * inputs[1].last()) as u64
    }

    fn sums(&self, inputs: &[&Shape], _output: &Shape, visit: &mut dyn FnMut(usize, Addend)) -> Option<f64> {
        for_each_product(&self.windows, sizes(&self.windows, inputs[0], inputs[1]), |pixel, weight, sum| {
            visit(sum, Addend::Product(pixel, weight))
        });
        Some(1.0)
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let (windows, [x, w, _]) = operands(dice);
        Case::new(Convolution { windows }, vec![x, w])
    }
}

/// Images of weighted sums: each pixel becomes the sum, over the windows that hold it and the filters, of the sum
/// times the weight there. It is the reverse of [`Convolution`], as a function of its images.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TransposedConvolution {
    /// The windows that slide over the images.
    pub windows: Windows,
}

impl Operation for TransposedConvolution {
    const NAME: &'static str = "transposed convolution";

    fn formula(&self) -> Formula {
        formula("transposed convolution", &self.windows, "{0}, {1}")
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [y, w] = inputs else { return Err("it takes two operands".into()) };
        let images = images(y, self.windows.count(), "windows")?;
        match w.sizes() {
            [filters, patch] if *filters == y.last() && patch.is_multiple_of(self.windows.area()) => {
                Ok([images * self.windows.pixels(), patch / self.windows.area()].into())
            }
            _ => Err(format!("{} columns and weights {w} are not of the same filters", y.last())),
        }
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let [y, w] = [inputs[0], inputs[1]];
        output.data.fill(T::ZERO);
        for_each_product(&self.windows, sizes(&self.windows, output.shape, w.shape), |pixel, weight, sum| {
            output.data[pixel] = y.data[sum].mul_add(w.data[weight], output.data[pixel]);
        });
    }

    fn pullback<'b>(&self, at: &Site<'b>, x_bar: Var<'b>, input: usize) -> Option<Var<'b>> {
        let (windows, [y, w]) = (self.windows, [at.inputs[0], at.inputs[1]]);
        Some(if input == 0 {
            at.builder().apply(Convolution { windows }, &[x_bar, w])
        } else {
            at.builder().apply(FilterGradient { windows }, &[x_bar, y])
        })
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        product_rule(self, at, x_dot)
    }

    fn multiply_adds(&self, inputs: &[&Shape], _output: &Shape) -> u64 {
        (inputs[0].elements() * inputs[1].last()) as u64
    }

    fn sums(&self, inputs: &[&Shape], output: &Shape, visit: &mut dyn FnMut(usize, Addend)) -> Option<f64> {
        for_each_product(&self.windows, sizes(&self.windows, output, inputs[1]), |pixel, weight, sum| {
            visit(pixel, Addend::Product(sum, weight))
        });
        Some(1.0)
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let (windows, [_, w, y]) = operands(dice);
        Case::new(TransposedConvolution { windows }, vec![y, w])
    }
}

/// Weights of images and weighted sums: each becomes the sum, over all windows, of the number that it stands at
/// times the window's sum. It is the reverse of [`Convolution`], as a function of its weights.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FilterGradient {
    /// The windows that slide over the images.
    pub windows: Windows,
}

impl Operation for FilterGradient {
    const NAME: &'static str = "filter gradient";

    fn formula(&self) -> Formula {
        formula("filter gradient", &self.windows, "{0}, {1}")
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [x, y] = inputs else { return Err("it takes two operands".into()) };
        let count = images(x, self.windows.pixels(), "pixels")?;
        let other = images(y, self.windows.count(), "windows")?;
        if count != other {
            return Err(format!("{count} images are not as many as {other}"));
        }
        Ok([y.last(), self.windows.area() * x.last()].into())
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let [x, y] = [inputs[0], inputs[1]];
        output.data.fill(T::ZERO);
        for_each_product(&self.windows, sizes(&self.windows, x.shape, output.shape), |pixel, weight, sum| {
            output.data[weight] = x.data[pixel].mul_add(y.data[sum], output.data[weight]);
        });
    }

    fn pullback<'b>(&self, at: &Site<'b>, w_bar: Var<'b>, input: usize) -> Option<Var<'b>> {
        let (windows, [x, y]) = (self.windows, [at.inputs[0], at.inputs[1]]);
        Some(if input == 0 {
            at.builder().apply(TransposedConvolution { windows }, &[y, w_bar])
        } else {
            at.builder().apply(Convolution { windows }, &[x, w_bar])
        })
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        product_rule(self, at, x_dot)
    }

    fn multiply_adds(&self, inputs: &[&Shape], output: &Shape) -> u64 {
        (inputs[1].elements() * output.last()) as u64
    }

    fn sums(&self, inputs: &[&Shape], output: &Shape, visit: &mut dyn FnMut(usize, Addend)) -> Option<f64> {
        for_each_product(&self.windows, sizes(&self.windows, inputs[0], output), |pixel, weight, sum| {
            visit(weight, Addend::Product(pixel, sum))
        });
        Some(1.0)
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let (windows, [x, _, y]) = operands(dice);
        Case::new(FilterGradient { windows }, vec![x, y])
    }
}

/// The largest number of each window, channel by channel. Where several are largest, the first one counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MaxPool {
    /// The windows that slide over the images.
    pub windows: Windows,
}

impl Operation for MaxPool {
    const NAME: &'static str = "max pool";

    fn formula(&self) -> Formula {
        formula("max pool", &self.windows, "{0}")
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [_, result] = pooled(&self.windows, inputs, 1)?;
        Ok(result)
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        for_each_largest(&self.windows, inputs[0], |to, from| output.data[to] = inputs[0].data[from]);
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, _input: usize) -> Option<Var<'b>> {
        Some(at.builder().apply(RouteToMax { windows: self.windows }, &[at.x(), y_bar]))
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(at.builder().apply(PickAtMax { windows: self.windows }, &[at.x(), x_dot[0]?]))
    }

    fn multiply_adds(&self, _inputs: &[&Shape], output: &Shape) -> u64 {
        (output.elements() * self.windows.area()) as u64
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let windows = windows(dice);
        let rows = (1 + dice.below(2)) * windows.pixels();
        Case::new(MaxPool { windows }, vec![[rows, 1 + dice.below(3)].into()])
    }
}

/// Brings each number of the second operand to the pixel of the first that is the largest of its window, the
/// first such one: the reverse of [`PickAtMax`]. As a function of the second operand it is linear; where
/// the largest stand does not change with the first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RouteToMax {
    /// The windows that slide over the images.
    pub windows: Windows,
}

impl Operation for RouteToMax {
    const NAME: &'static str = "route to max";

    fn formula(&self) -> Formula {
        formula("route to max", &self.windows, "{0}, {1}")
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [pixels, result] = pooled(&self.windows, inputs, 2)?;
        if *inputs[1] == result {
            Ok(pixels)
        } else {
            Err(format!("for images of shape {pixels} the second operand has shape {result}"))
        }
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        output.data.fill(T::ZERO);
        for_each_largest(&self.windows, inputs[0], |from, to| output.data[to] += inputs[1].data[from]);
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, input: usize) -> Option<Var<'b>> {
        let pick = PickAtMax { windows: self.windows };
        (input == 1).then(|| at.builder().apply(pick, &[at.x(), y_bar]))
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(at.builder().apply(self.clone(), &[at.x(), x_dot[1]?]))
    }

    fn multiply_adds(&self, inputs: &[&Shape], _output: &Shape) -> u64 {
        (inputs[1].elements() * self.windows.area()) as u64
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let case = MaxPool::case(dice);
        let windows = case.op.windows;
        let second = case.op.shape(&[&case.shapes[0]]).expect("the case of a max pool");
        Case::new(RouteToMax { windows }, vec![case.shapes[0].clone(), second])
    }
}

/// The numbers of the second operand at the pixels of the first that are the largest of their windows, the
/// first such ones. As a function of the second operand it is linear.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PickAtMax {
    /// The windows that slide over the images.
    pub windows: Windows,
}

impl Operation for PickAtMax {
    const NAME: &'static str = "pick at max";

    fn formula(&self) -> Formula {
        formula("pick at max", &self.windows, "{0}, {1}")
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [pixels, result] = pooled(&self.windows, inputs, 2)?;
        if *inputs[1] == pixels {
            Ok(result)
        } else {
            Err("both operands must be images of the same shape".into())
        }
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        for_each_largest(&self.windows, inputs[0], |to, from| output.data[to] = inputs[1].data[from]);
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, input: usize) -> Option<Var<'b>> {
        let route = RouteToMax { windows: self.windows };
        (input == 1).then(|| at.builder().apply(route, &[at.x(), y_bar]))
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(at.builder().apply(self.clone(), &[at.x(), x_dot[1]?]))
    }

    fn multiply_adds(&self, _inputs: &[&Shape], output: &Shape) -> u64 {
        (output.elements() * self.windows.area()) as u64
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let case = MaxPool::case(dice);
        let shapes = vec![case.shapes[0].clone(), case.shapes[0].clone()];
        Case::new(PickAtMax { windows: case.op.windows }, shapes)
    }
}
