//! Products with some columns of a matrix: those of a category's levels among the inputs.
//!
//! They are products of a slice, as one operation, so that neither the slice is made nor its gradient padded: where the
//! matrix is an input whose entries are listed, the work grows with these, and nothing has a number for each level.

use super::{Addend, Case, Dice, Formula, Operation, Site, View, ViewMut};
use crate::graph::{Shape, Var};
use pullback_kernels::Real;

/// The columns of `x`, `[rows, width]`, from `start` on, times the transpose of `w`, `[outputs, levels]`, which has as
/// many: `[rows, outputs]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnsProduct {
    /// The first column.
    pub start: usize,
}

/// The transpose of `d`, `[rows, outputs]`, times the columns `start..end` of `x`, `[rows, width]`: `[outputs, end -
/// start]`. So the gradient of the right operand of [`ColumnsProduct`] is made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnsGradient {
    /// The first column.
    pub start: usize,
    /// The first column after `start` that is not read.
    pub end: usize,
}

/// The rows and columns of both operands, if they are matrices.
fn sizes(inputs: &[&Shape]) -> Result<[[usize; 2]; 2], String> {
    let [left, right] = inputs else {
        return Err("it takes two operands".into());
    };
    match (left.sizes(), right.sizes()) {
        (&[a, b], &[c, d]) => Ok([[a, b], [c, d]]),
        _ => Err("both operands must have two axes".into()),
    }
}

fn check_columns(start: usize, end: usize, width: usize) -> Result<(), String> {
    match start <= end && end <= width {
        true => Ok(()),
        false => Err(format!("columns {start}..{end} are not inside 0..{width}")),
    }
}

impl Operation for ColumnsProduct {
    const NAME: &'static str = "columns product";

    fn formula(&self) -> Formula {
        let start = self.start;
        Formula::new(
            format!("columns({{0}}, from {start}) @ {{1}}'"),
            format!(r"{{0}}_{{:, {start}+}} {{1}}^\top"),
        )
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [[rows, width], [outputs, levels]] = sizes(inputs)?;
        check_columns(self.start, self.start.saturating_add(levels), width)?;
        Ok([rows, outputs].into())
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let (x, w) = (inputs[0], inputs[1]);
        let (width, levels) = (x.shape.last(), w.shape.last());
        let outputs = output.shape.last();
        for (x, y) in x.data.chunks_exact(width.max(1)).zip(output.data.chunks_exact_mut(outputs.max(1))) {
            y.fill(T::ZERO);
            // Zeros add nothing, and most are.
            for (level, &x) in x[self.start..][..levels].iter().enumerate().filter(|(_, x)| **x != T::ZERO) {
                for (unit, y) in y.iter_mut().enumerate() {
                    *y = x.mul_add(w.data[unit * levels + level], *y);
                }
            }
        }
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, input: usize) -> Option<Var<'b>> {
        let [x, w] = [at.inputs[0], at.inputs[1]];
        let (width, levels) = (x.shape().last(), w.shape().last());
        let (start, end) = (self.start, self.start + levels);
        Some(match input {
            0 => y_bar.product(w).pad(1, start, width - end),
            _ => at.builder().apply(ColumnsGradient { start, end }, &[y_bar, x]),
        })
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        both(self, at, x_dot)
    }

    fn multiply_adds(&self, inputs: &[&Shape], output: &Shape) -> u64 {
        output.elements() as u64 * inputs[1].last() as u64
    }

    fn sums(&self, inputs: &[&Shape], output: &Shape, visit: &mut dyn FnMut(usize, Addend)) -> Option<f64> {
        let (width, outputs, levels) = (inputs[0].last(), output.last(), inputs[1].last());
        for at in 0..output.elements() {
            let (row, unit) = (at / outputs, at % outputs);
            for level in 0..levels {
                visit(at, Addend::Product(row * width + self.start + level, unit * levels + level));
            }
        }
        Some(1.0)
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let (start, levels) = (dice.below(3), dice.size());
        let width = start + levels + dice.below(3);
        let shapes = vec![[dice.size(), width].into(), [dice.size(), levels].into()];
        Case::new(ColumnsProduct { start }, shapes)
    }
}

impl Operation for ColumnsGradient {
    const NAME: &'static str = "columns gradient";

    fn formula(&self) -> Formula {
        let Self { start, end } = self;
        Formula::new(
            format!("{{0}}' @ columns({{1}}, {start}..{end})"),
            format!(r"{{0}}^\top {{1}}_{{:, {start}..{end}}}"),
        )
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [[rows, outputs], [others, width]] = sizes(inputs)?;
        check_columns(self.start, self.end, width)?;
        match rows == others {
            true => Ok([outputs, self.end - self.start].into()),
            false => Err(format!("the left operand has {rows} rows, but the right one {others}")),
        }
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let (d, x, levels) = (inputs[0], inputs[1], self.end - self.start);
        output.data.fill(T::ZERO);
        let rows = d.data.chunks_exact(d.shape.last().max(1)).zip(x.data.chunks_exact(x.shape.last().max(1)));
        for (d, x) in rows {
            for (level, &x) in x[self.start..self.end].iter().enumerate().filter(|(_, x)| **x != T::ZERO) {
                for (unit, &d) in d.iter().enumerate() {
                    let sum = &mut output.data[unit * levels + level];
                    *sum = x.mul_add(d, *sum);
                }
            }
        }
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, input: usize) -> Option<Var<'b>> {
        let [d, x] = [at.inputs[0], at.inputs[1]];
        let width = x.shape().last();
        Some(match input {
            0 => at.builder().apply(ColumnsProduct { start: self.start }, &[x, y_bar]),
            _ => d.product(y_bar).pad(1, self.start, width - self.end),
        })
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        both(self, at, x_dot)
    }

    fn multiply_adds(&self, inputs: &[&Shape], output: &Shape) -> u64 {
        output.elements() as u64 * inputs[0].sizes()[0] as u64
    }

    fn sums(&self, inputs: &[&Shape], output: &Shape, visit: &mut dyn FnMut(usize, Addend)) -> Option<f64> {
        let (rows, outputs, width) = (inputs[0].sizes()[0], inputs[0].last(), inputs[1].last());
        for at in 0..output.elements() {
            let (unit, level) = (at / output.last(), at % output.last());
            for row in 0..rows {
                visit(at, Addend::Product(row * outputs + unit, row * width + self.start + level));
            }
        }
        Some(1.0)
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let (rows, start, levels) = (dice.size(), dice.below(3), dice.size());
        let width = start + levels + dice.below(3);
        let shapes = vec![[rows, dice.size()].into(), [rows, width].into()];
        Case::new(ColumnsGradient { start, end: start + levels }, shapes)
    }
}

/// The tangent of what is linear in each of two operands.
fn both<'b>(
    op: &(impl Operation + Into<super::Op>),
    at: &Site<'b>,
    x_dot: &[Option<Var<'b>>],
) -> Option<Var<'b>> {
    let apply = |operands: [Var<'b>; 2]| at.builder().apply(op.clone(), &operands);
    let left = x_dot[0].map(|left| apply([left, at.inputs[1]]));
    let right = x_dot[1].map(|right| apply([at.inputs[0], right]));
    left.into_iter().chain(right).reduce(|left, right| left + right)
}
