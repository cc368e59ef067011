//! Operations that move elements and change none. They cost no multiply-adds.

use super::{Case, Dice, Formula, Operation, Site, View, ViewMut};
use crate::compact::sort_by_key;
use crate::graph::shape::{for_each_broadcast, for_each_strided};
use crate::graph::{Scalar, Shape, Var};
use pullback_kernels::Real;

/// The only operand of an operation that takes one.
fn single<'a>(inputs: &[&'a Shape]) -> Result<&'a Shape, String> {
    match inputs {
        [x] => Ok(x),
        _ => Err("it takes one operand".into()),
    }
}

fn check_axis(axis: usize, rank: usize) -> Result<(), String> {
    if axis < rank {
        Ok(())
    } else {
        Err(format!("axis {axis} does not exist: the operand has {rank} axes, counted from 0"))
    }
}

/// The same shape with another size along one axis.
fn with_size(shape: &Shape, axis: usize, size: usize) -> Shape {
    let mut sizes = shape.sizes().to_vec();
    sizes[axis] = size;
    sizes.into()
}

/// How many elements one step along `axis` spans, and how many such steps precede a repeat: an
/// array is `outer` blocks of `size * inner` elements.
fn blocks(shape: &Shape, axis: usize) -> (usize, usize) {
    let sizes = shape.sizes();
    (sizes[..axis].iter().product(), sizes[axis + 1..].iter().product())
}

/// The same elements in another shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reshape {
    /// The new shape.
    pub shape: Shape,
}

impl Operation for Reshape {
    const NAME: &'static str = "reshape";

    fn formula(&self) -> Formula {
        Formula::new(
            format!("reshape({{0}}, {})", self.shape),
            format!(r"\operatorname{{reshape}}_{{{}}} {{0}}", self.shape),
        )
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let x = single(inputs)?;
        if x.elements() == self.shape.elements() {
            Ok(self.shape.clone())
        } else {
            Err(format!("{} elements cannot be arranged as {}", x.elements(), self.shape))
        }
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        output.data.copy_from_slice(inputs[0].data);
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, _input: usize) -> Option<Var<'b>> {
        Some(y_bar.reshape(at.x().shape()))
    }

    fn pushforward<'b>(&self, _at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(x_dot[0]?.reshape(self.shape.clone()))
    }

    fn multiply_adds(&self, _inputs: &[&Shape], _output: &Shape) -> u64 {
        0
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let [a, b, c] = [dice.size(), dice.size(), dice.size()];
        Case::new(Reshape { shape: [b * c, a].into() }, vec![[a, b, c].into()])
    }
}

/// The elements repeated to a larger shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Broadcast {
    /// The larger shape.
    pub shape: Shape,
}

impl Operation for Broadcast {
    const NAME: &'static str = "broadcast";

    fn formula(&self) -> Formula {
        Formula::new(
            format!("broadcast({{0}}, {})", self.shape),
            format!(r"\operatorname{{broadcast}}_{{{}}} {{0}}", self.shape),
        )
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let x = single(inputs)?;
        if x.broadcast(&self.shape)? == self.shape {
            Ok(self.shape.clone())
        } else {
            Err(format!("{x} does not repeat to {}", self.shape))
        }
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let ViewMut { shape, data } = output;
        for_each_broadcast(inputs[0].shape, shape, |to, from| data[to] = inputs[0].data[from]);
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, _input: usize) -> Option<Var<'b>> {
        Some(y_bar.sum_to(&at.x().shape()))
    }

    fn pushforward<'b>(&self, _at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(x_dot[0]?.broadcast(self.shape.clone()))
    }

    fn multiply_adds(&self, _inputs: &[&Shape], _output: &Shape) -> u64 {
        0
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let shape = dice.any_shape();
        let missing = dice.below(shape.rank() + 1);
        let sizes = shape.sizes()[missing..].iter();
        let small: Vec<usize> = sizes.map(|&size| if dice.coin() { 1 } else { size }).collect();
        Case::new(Broadcast { shape }, vec![small.into()])
    }
}

/// The axes in another order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transpose {
    /// For each axis of the result, the operand's axis that it is.
    pub axes: Vec<usize>,
}

impl Transpose {
    fn inverse(&self) -> Vec<usize> {
        let mut inverse = vec![0; self.axes.len()];
        for (to, &from) in self.axes.iter().enumerate() {
            inverse[from] = to;
        }
        inverse
    }
}

impl Operation for Transpose {
    const NAME: &'static str = "transpose";

    fn formula(&self) -> Formula {
        Formula::new(
            format!("transpose({{0}}, axes {:?})", self.axes),
            format!(r"{{0}}^{{\top {:?}}}", self.axes),
        )
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let x = single(inputs)?;
        let mut sorted = self.axes.clone();
        sort_by_key(&mut sorted, |axis| *axis);
        if sorted != (0..x.rank()).collect::<Vec<_>>() {
            return Err(format!("{:?} is not an order of the operand's {} axes", self.axes, x.rank()));
        }
        Ok(self.axes.iter().map(|&axis| x.sizes()[axis]).collect::<Vec<_>>().into())
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let ViewMut { shape, data } = output;
        let stride = |axis: usize| inputs[0].shape.stride(self.axes[axis]);
        for_each_strided(shape, stride, |to, from| data[to] = inputs[0].data[from]);
    }

    fn pullback<'b>(&self, _at: &Site<'b>, y_bar: Var<'b>, _input: usize) -> Option<Var<'b>> {
        Some(y_bar.transpose(&self.inverse()))
    }

    fn pushforward<'b>(&self, _at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(x_dot[0]?.transpose(&self.axes))
    }

    fn multiply_adds(&self, _inputs: &[&Shape], _output: &Shape) -> u64 {
        0
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let shape = dice.any_shape();
        let mut axes: Vec<usize> = (0..shape.rank()).collect();
        for last in (1..axes.len()).rev() {
            axes.swap(last, dice.below(last + 1));
        }
        Case::new(Transpose { axes }, vec![shape])
    }
}

/// Arrays one after another along an axis.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Concatenate {
    /// The axis along which they follow each other.
    pub axis: usize,
}

impl Concatenate {
    /// How many operands one operation joins: a bound, so that a step needs no memory for a list.
    pub const MAX_OPERANDS: usize = 8;
}

impl Operation for Concatenate {
    const NAME: &'static str = "concatenate";

    fn formula(&self) -> Formula {
        Formula::new(
            format!("concatenate({{...}}, axis {})", self.axis),
            format!(r"\operatorname{{concatenate}}_{{{}}}({{...}})", self.axis),
        )
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let Some(first) = inputs.first() else {
            return Err("it takes one operand or more".into());
        };
        if inputs.len() > Self::MAX_OPERANDS {
            return Err(format!("it takes at most {} operands; join them in steps", Self::MAX_OPERANDS));
        }
        check_axis(self.axis, first.rank())?;
        let mut total = 0;
        for x in inputs {
            if x.rank() != first.rank() || with_size(x, self.axis, 0) != with_size(first, self.axis, 0) {
                return Err(format!("sizes must be equal along every axis but axis {}", self.axis));
            }
            total += x.sizes()[self.axis];
        }
        Ok(with_size(first, self.axis, total))
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let (outer, inner) = blocks(output.shape, self.axis);
        let mut rest = output.data;
        for block in 0..outer {
            for input in inputs {
                let length = input.shape.sizes()[self.axis] * inner;
                let (head, tail) = rest.split_at_mut(length);
                head.copy_from_slice(&input.data[block * length..][..length]);
                rest = tail;
            }
        }
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, input: usize) -> Option<Var<'b>> {
        let size = |var: &Var<'b>| var.shape().sizes()[self.axis];
        let start: usize = at.inputs[..input].iter().map(size).sum();
        Some(y_bar.slice(self.axis, start, start + size(&at.inputs[input])))
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        x_dot.iter().flatten().next()?;
        let tangents: Vec<Var<'b>> = (x_dot.iter().zip(&at.inputs))
            .map(|(x_dot, x)| x_dot.unwrap_or_else(|| at.builder().filled(0.0, x.shape())))
            .collect();
        Some(at.builder().apply(self.clone(), &tangents))
    }

    fn multiply_adds(&self, _inputs: &[&Shape], _output: &Shape) -> u64 {
        0
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let rank = 1 + dice.below(3);
        let (axis, first) = (dice.below(rank), dice.shape(rank));
        let shapes = (0..1 + dice.below(3)).map(|_| with_size(&first, axis, dice.size())).collect();
        Case::new(Concatenate { axis }, shapes)
    }
}

/// The elements at `start..end` along an axis.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The axis that is cut.
    pub axis: usize,
    /// The first position that is kept.
    pub start: usize,
    /// The first position after `start` that is not kept.
    pub end: usize,
}

impl Operation for Slice {
    const NAME: &'static str = "slice";

    fn formula(&self) -> Formula {
        Formula::new(
            format!("slice({{0}}, axis {}, {}..{})", self.axis, self.start, self.end),
            format!(r"{{0}}_{{[{}..{}]_{}}}", self.start, self.end, self.axis),
        )
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let x = single(inputs)?;
        check_axis(self.axis, x.rank())?;
        let size = x.sizes()[self.axis];
        if self.start > self.end || self.end > size {
            return Err(format!("{}..{} is not inside 0..{size}", self.start, self.end));
        }
        Ok(with_size(x, self.axis, self.end - self.start))
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let (outer, inner) = blocks(output.shape, self.axis);
        let (from, to) = (inputs[0].shape.sizes()[self.axis] * inner, (self.end - self.start) * inner);
        for block in 0..outer {
            let source = &inputs[0].data[block * from + self.start * inner..][..to];
            output.data[block * to..][..to].copy_from_slice(source);
        }
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, _input: usize) -> Option<Var<'b>> {
        let size = at.x().shape().sizes()[self.axis];
        Some(y_bar.pad(self.axis, self.start, size - self.end))
    }

    fn pushforward<'b>(&self, _at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(x_dot[0]?.slice(self.axis, self.start, self.end))
    }

    fn multiply_adds(&self, _inputs: &[&Shape], _output: &Shape) -> u64 {
        0
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let rank = 1 + dice.below(3);
        let (axis, shape) = (dice.below(rank), dice.shape(rank));
        let start = dice.below(shape.sizes()[axis]);
        let end = start + 1 + dice.below(shape.sizes()[axis] - start);
        Case::new(Slice { axis, start, end }, vec![shape])
    }
}

/// Zeros before and after along an axis: the reverse of a slice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pad {
    /// The axis that grows.
    pub axis: usize,
    /// How many zeros come before.
    pub before: usize,
    /// How many zeros come after.
    pub after: usize,
}

impl Operation for Pad {
    const NAME: &'static str = "pad";

    fn formula(&self) -> Formula {
        Formula::new(
            format!("pad({{0}}, axis {}, {} before, {} after)", self.axis, self.before, self.after),
            format!(r"\operatorname{{pad}}_{{{}: {}, {}}} {{0}}", self.axis, self.before, self.after),
        )
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let x = single(inputs)?;
        check_axis(self.axis, x.rank())?;
        Ok(with_size(x, self.axis, self.before + x.sizes()[self.axis] + self.after))
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let (outer, inner) = blocks(output.shape, self.axis);
        let from = inputs[0].shape.sizes()[self.axis] * inner;
        let to = output.shape.sizes()[self.axis] * inner;
        output.data.fill(T::ZERO);
        for block in 0..outer {
            let source = &inputs[0].data[block * from..][..from];
            output.data[block * to + self.before * inner..][..from].copy_from_slice(source);
        }
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, _input: usize) -> Option<Var<'b>> {
        let size = at.x().shape().sizes()[self.axis];
        Some(y_bar.slice(self.axis, self.before, self.before + size))
    }

    fn pushforward<'b>(&self, _at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(x_dot[0]?.pad(self.axis, self.before, self.after))
    }

    fn multiply_adds(&self, _inputs: &[&Shape], _output: &Shape) -> u64 {
        0
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let rank = 1 + dice.below(3);
        let op = Pad { axis: dice.below(rank), before: dice.below(3), after: dice.below(3) };
        Case::new(op, vec![dice.shape(rank)])
    }
}

/// The elements on and below the diagonal of each matrix of the last two axes, and one number above it: what
/// position `i` may see of position `j <= i`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LowerTriangle {
    /// What stands above the diagonal.
    pub above: Scalar,
}

impl LowerTriangle {
    /// The same of a derivative, which does not depend on what is left out.
    fn of_derivative<'b>(derivative: Var<'b>) -> Var<'b> {
        derivative.builder().apply(LowerTriangle { above: 0.0.into() }, &[derivative])
    }
}

impl Operation for LowerTriangle {
    const NAME: &'static str = "lower triangle";

    fn formula(&self) -> Formula {
        let above = self.above;
        Formula::new(
            format!("{{0}} where column <= row, else {above}"),
            format!(r"\begin{{cases}} {{0}} & j \le i \\ {above} & \text{{else}} \end{{cases}}"),
        )
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let x = single(inputs)?;
        match x.sizes() {
            [.., rows, columns] if rows == columns => Ok(x.clone()),
            _ => Err(format!("the last two axes must be of one size, but the operand is {x}")),
        }
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let (size, above) = (output.shape.last(), T::from_f64(self.above.value()));
        output.data.copy_from_slice(inputs[0].data);
        for matrix in output.data.chunks_exact_mut((size * size).max(1)) {
            for (row, numbers) in matrix.chunks_exact_mut(size).enumerate() {
                numbers[row + 1..].fill(above);
            }
        }
    }

    fn pullback<'b>(&self, _at: &Site<'b>, y_bar: Var<'b>, _input: usize) -> Option<Var<'b>> {
        Some(Self::of_derivative(y_bar))
    }

    fn pushforward<'b>(&self, _at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(Self::of_derivative(x_dot[0]?))
    }

    fn multiply_adds(&self, _inputs: &[&Shape], _output: &Shape) -> u64 {
        0
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let (size, above) = (dice.size(), dice.between(-1.0, 1.0).into());
        let matrix = [size, size];
        let shape = if dice.coin() { matrix.into() } else { [dice.size(), size, size].into() };
        Case::new(LowerTriangle { above }, vec![shape])
    }
}
