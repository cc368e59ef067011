//! Sum, mean and maximum over axes.

use super::{Addend, Case, Dice, Formula, Operation, Site, View, ViewMut};
use crate::graph::shape::for_each_strided;
use crate::graph::{Shape, Var};
use pullback_kernels::Real;

/// Calls `visit(operand index, result index)` for each element of the operand, in order.
fn for_each_reduced(operand: &Shape, axes: &[usize], visit: impl FnMut(usize, usize)) {
    let is_kept = |axis: &usize| !axes.contains(axis);
    let stride = |axis: usize| {
        let later = (axis + 1..operand.rank()).filter(is_kept);
        if is_kept(&axis) { later.map(|axis| operand.sizes()[axis]).product() } else { 0 }
    };
    for_each_strided(operand, stride, visit);
}

fn unary_shape(inputs: &[&Shape], axes: &[usize], keep_axes: bool) -> Result<Shape, String> {
    match inputs {
        [x] => x.reduced(axes, keep_axes),
        _ => Err("it takes one operand".into()),
    }
}

/// Repeats a reduced array over the reduced axes, to the operand's shape.
fn spread<'b>(reduced: Var<'b>, operand: &Shape, axes: &[usize]) -> Var<'b> {
    let kept = operand.reduced(axes, true).expect("axes were checked by the shape rule");
    reduced.reshape(kept).broadcast(operand.clone())
}

/// How many elements of the operand make one of the result.
pub(super) fn group(operand: &Shape, axes: &[usize]) -> usize {
    axes.iter().map(|&axis| operand.sizes()[axis]).product()
}

fn formula(name: &str, axes: &[usize]) -> Formula {
    Formula::new(
        format!("{name}({{0}}, axes {axes:?})"),
        format!(r"\operatorname{{{name}}}_{{{axes:?}}} {{0}}"),
    )
}

/// The sum over some axes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sum {
    /// The axes that are summed over.
    pub axes: Vec<usize>,
    /// Whether those axes stay, with size one.
    pub keep_axes: bool,
}

impl Operation for Sum {
    const NAME: &'static str = "sum";

    fn formula(&self) -> Formula {
        formula("sum", &self.axes)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        unary_shape(inputs, &self.axes, self.keep_axes)
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        output.data.fill(T::ZERO);
        for_each_reduced(inputs[0].shape, &self.axes, |from, to| output.data[to] += inputs[0].data[from]);
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, _input: usize) -> Option<Var<'b>> {
        Some(spread(y_bar, &at.x().shape(), &self.axes))
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(at.builder().apply(self.clone(), &[x_dot[0]?]))
    }

    fn multiply_adds(&self, inputs: &[&Shape], _output: &Shape) -> u64 {
        inputs[0].elements() as u64
    }

    fn sums(&self, inputs: &[&Shape], _output: &Shape, visit: &mut dyn FnMut(usize, Addend)) -> Option<f64> {
        for_each_reduced(inputs[0], &self.axes, |from, to| visit(to, Addend::Element(from)));
        Some(1.0)
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let (shape, axes) = dice.shape_and_axes();
        Case::new(Sum { axes, keep_axes: dice.coin() }, vec![shape])
    }
}

/// The mean over some axes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mean {
    /// The axes that are averaged over.
    pub axes: Vec<usize>,
    /// Whether those axes stay, with size one.
    pub keep_axes: bool,
}

impl Operation for Mean {
    const NAME: &'static str = "mean";

    fn formula(&self) -> Formula {
        formula("mean", &self.axes)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        unary_shape(inputs, &self.axes, self.keep_axes)
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let factor = T::ONE / T::from_f64(group(inputs[0].shape, &self.axes) as f64);
        output.data.fill(T::ZERO);
        for_each_reduced(inputs[0].shape, &self.axes, |from, to| output.data[to] += inputs[0].data[from]);
        for y in output.data {
            *y *= factor;
        }
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, _input: usize) -> Option<Var<'b>> {
        let shape = at.x().shape();
        Some(spread(y_bar.scale(1.0 / group(&shape, &self.axes) as f64), &shape, &self.axes))
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(at.builder().apply(self.clone(), &[x_dot[0]?]))
    }

    fn multiply_adds(&self, inputs: &[&Shape], _output: &Shape) -> u64 {
        inputs[0].elements() as u64
    }

    fn sums(&self, inputs: &[&Shape], _output: &Shape, visit: &mut dyn FnMut(usize, Addend)) -> Option<f64> {
        for_each_reduced(inputs[0], &self.axes, |from, to| visit(to, Addend::Element(from)));
        Some(1.0 / group(inputs[0], &self.axes) as f64)
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let (shape, axes) = dice.shape_and_axes();
        Case::new(Mean { axes, keep_axes: dice.coin() }, vec![shape])
    }
}

/// The largest element over some axes. Where several are largest, the derivative is shared among
/// them in equal parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Max {
    /// The axes that are searched.
    pub axes: Vec<usize>,
    /// Whether those axes stay, with size one.
    pub keep_axes: bool,
}

impl Max {
    /// One over the number of largest elements where an element is one of them, else zero.
    fn share<'b>(&self, at: &Site<'b>) -> Var<'b> {
        let shape = at.x().shape();
        let is_largest = at.x().equal(spread(at.y(), &shape, &self.axes));
        is_largest / is_largest.sum_keeping(&self.axes)
    }
}

impl Operation for Max {
    const NAME: &'static str = "max";

    fn formula(&self) -> Formula {
        formula("max", &self.axes)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let shape = unary_shape(inputs, &self.axes, self.keep_axes)?;
        if group(inputs[0], &self.axes) == 0 {
            return Err("no element is the largest of none".into());
        }
        Ok(shape)
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        output.data.fill(-T::INFINITY);
        for_each_reduced(inputs[0].shape, &self.axes, |from, to| {
            output.data[to] = output.data[to].max(inputs[0].data[from]);
        });
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, _input: usize) -> Option<Var<'b>> {
        Some(spread(y_bar, &at.x().shape(), &self.axes) * self.share(at))
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some((x_dot[0]? * self.share(at)).sum(&self.axes).reshape(at.y().shape()))
    }

    fn multiply_adds(&self, inputs: &[&Shape], _output: &Shape) -> u64 {
        inputs[0].elements() as u64
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let (shape, axes) = dice.shape_and_axes();
        Case::new(Max { axes, keep_axes: dice.coin() }, vec![shape])
    }
}
