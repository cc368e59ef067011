//! Windows that slide over images: their patches, of which a convolution is made, and the largest of each.
//!
//! A batch of images is a matrix with a row for each pixel, `[images * height * width, channels]`: so a
//! convolution is the product of patches and filters, and whatever is done to products is done to it.

use super::{Case, Dice, Formula, Operation, Site, View, ViewMut};
use crate::graph::{Shape, Var};
use pullback_kernels::{Real, Windows};

/// `2x2 of 28x28 pixels`, with what is not as usual.
fn described(windows: &Windows) -> String {
    let &Windows { height, width, size, stride, .. } = windows;
    let stride = if stride == 1 { String::new() } else { format!(" every {stride}") };
    let around = if windows.are_inside() { "" } else { ", zeros around" };
    format!("{size}x{size}{stride} of {height}x{width} pixels{around}")
}

fn formula(name: &str, windows: &Windows, operands: &str) -> Formula {
    let &Windows { size, .. } = windows;
    Formula::new(
        format!("{name}({operands}, {})", described(windows)),
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
        _ => Windows::around(height, width, size, stride),
    }
}

/// The pixels that a window holds, in order: the place in the window, and that in the image; none there
/// where the window sticks out.
fn for_each_pixel(windows: &Windows, window: usize, mut visit: impl FnMut(usize, Option<usize>)) {
    let (i, j) = (window / windows.across, window % windows.across);
    let (rows, columns) = (windows.rows_inside(i), windows.columns_inside(j));
    for place in 0..windows.area() {
        let (row, column) = (place / windows.size, place % windows.size);
        let is_inside = rows.contains(&row) && columns.contains(&column);
        visit(place, is_inside.then(|| windows.pixel([i, j], [row, column])));
    }
}

/// Calls `visit(patch element, image element)` for each number of the patches, in order.
fn for_each_patch(
    windows: &Windows,
    images: usize,
    channels: usize,
    mut visit: impl FnMut(usize, Option<usize>),
) {
    for window in 0..images * windows.count() {
        let image = window / windows.count() * windows.pixels();
        for_each_pixel(windows, window % windows.count(), |place, pixel| {
            for channel in 0..channels {
                let to = (window * windows.area() + place) * channels + channel;
                visit(to, pixel.map(|pixel| (image + pixel) * channels + channel));
            }
        });
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

/// The patches of images: for each window a row with its pixels, row by row, each with its channels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Patches {
    /// The windows that slide over the images.
    pub windows: Windows,
}

impl Operation for Patches {
    const NAME: &'static str = "patches";

    fn formula(&self) -> Formula {
        formula("patches", &self.windows, "{0}")
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [x] = inputs else { return Err("it takes one operand".into()) };
        let images = images(x, self.windows.pixels(), "pixels")?;
        Ok([images * self.windows.count(), self.windows.area() * x.last()].into())
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let (x, channels) = (inputs[0], inputs[0].shape.last());
        let images = x.shape.sizes()[0] / self.windows.pixels();
        for_each_patch(&self.windows, images, channels, |to, from| {
            output.data[to] = from.map_or(T::ZERO, |from| x.data[from]);
        });
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, _input: usize) -> Option<Var<'b>> {
        Some(at.builder().apply(SumPatches { windows: self.windows }, &[y_bar]))
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(at.builder().apply(self.clone(), &[x_dot[0]?]))
    }

    fn multiply_adds(&self, _inputs: &[&Shape], _output: &Shape) -> u64 {
        0
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let windows = windows(dice);
        let rows = (1 + dice.below(2)) * windows.pixels();
        Case::new(Patches { windows }, vec![[rows, 1 + dice.below(3)].into()])
    }
}

/// Images of patches, each pixel the sum of what stands at its places: the reverse of [`Patches`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SumPatches {
    /// The windows that slide over the images.
    pub windows: Windows,
}

impl Operation for SumPatches {
    const NAME: &'static str = "sum of patches";

    fn formula(&self) -> Formula {
        formula("sum of patches", &self.windows, "{0}")
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [x] = inputs else { return Err("it takes one operand".into()) };
        let images = images(x, self.windows.count(), "windows")?;
        if !x.last().is_multiple_of(self.windows.area()) {
            return Err(format!("{} columns are no whole pixels of a window", x.last()));
        }
        Ok([images * self.windows.pixels(), x.last() / self.windows.area()].into())
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let images = output.shape.sizes()[0] / self.windows.pixels();
        output.data.fill(T::ZERO);
        for_each_patch(&self.windows, images, output.shape.last(), |from, to| {
            if let Some(to) = to {
                output.data[to] += inputs[0].data[from];
            }
        });
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, _input: usize) -> Option<Var<'b>> {
        Some(at.builder().apply(Patches { windows: self.windows }, &[y_bar]))
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(at.builder().apply(self.clone(), &[x_dot[0]?]))
    }

    fn multiply_adds(&self, inputs: &[&Shape], _output: &Shape) -> u64 {
        inputs[0].elements() as u64
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let windows = windows(dice);
        let rows = (1 + dice.below(2)) * windows.count();
        Case::new(SumPatches { windows }, vec![[rows, windows.area() * (1 + dice.below(3))].into()])
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
