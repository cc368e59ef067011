//! The product of two matrices.

use super::{Addend, Case, Dice, Formula, Operation, Site, View, ViewMut};
use crate::graph::{Shape, Var};
use pullback_kernels::{Isa, Real};

/// The product of two matrices, each possibly read as its transpose: `[m, k]` times `[k, n]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MatrixProduct {
    /// Whether the left operand is stored as `[k, m]`.
    pub transpose_left: bool,
    /// Whether the right operand is stored as `[n, k]`.
    pub transpose_right: bool,
}

impl MatrixProduct {
    /// The sizes m, k and n; the operands' ranks must be 2.
    pub(crate) fn sizes(&self, left: &Shape, right: &Shape) -> (usize, usize, usize) {
        let [left, right] = [left.sizes(), right.sizes()];
        let (m, k) = if self.transpose_left { (left[1], left[0]) } else { (left[0], left[1]) };
        (m, k, if self.transpose_right { right[0] } else { right[1] })
    }

    #[inline(always)]
    fn multiply<T: Real>(&self, [left, right]: [View<'_, T>; 2], output: ViewMut<'_, T>) {
        let (m, k, n) = self.sizes(left.shape, right.shape);
        for row in 0..m {
            for column in 0..n {
                let mut sum = T::ZERO;
                for inner in 0..k {
                    let a = left.data[if self.transpose_left { inner * m + row } else { row * k + inner }];
                    let b = right.data
                        [if self.transpose_right { column * k + inner } else { inner * n + column }];
                    sum = a.mul_add(b, sum);
                }
                output.data[row * n + column] = sum;
            }
        }
    }
}

impl Operation for MatrixProduct {
    const NAME: &'static str = "matrix product";

    fn formula(&self) -> Formula {
        let mark = |transposed, mark| if transposed { mark } else { "" };
        Formula::new(
            format!("{{0}}{} @ {{1}}{}", mark(self.transpose_left, "'"), mark(self.transpose_right, "'")),
            format!(
                "{{0}}{} {{1}}{}",
                mark(self.transpose_left, r"^\top"),
                mark(self.transpose_right, r"^\top")
            ),
        )
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [left, right] = inputs else {
            return Err("it takes two operands".into());
        };
        if left.rank() != 2 || right.rank() != 2 {
            return Err("both operands must have two axes".into());
        }
        let (m, k, n) = self.sizes(left, right);
        let rows = right.sizes()[usize::from(self.transpose_right)];
        if k != rows {
            return Err(format!(
                "the left operand{} has {k} columns, so the right one{} needs {k} rows, but has {rows}",
                if self.transpose_left { ", transposed," } else { "" },
                if self.transpose_right { ", transposed," } else { "" },
            ));
        }
        Ok([m, n].into())
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        // Where the baseline has no fused multiply-add, each would be a call.
        Isa::best().run(
            #[inline(always)]
            || self.multiply([inputs[0], inputs[1]], output),
        );
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, input: usize) -> Option<Var<'b>> {
        let [left, right] = [at.inputs[0], at.inputs[1]];
        Some(match (input, self.transpose_left, self.transpose_right) {
            (0, false, right_too) => y_bar.product_transposed(false, right, !right_too),
            (0, true, right_too) => right.product_transposed(right_too, y_bar, true),
            (_, left_too, false) => left.product_transposed(!left_too, y_bar, false),
            (_, left_too, true) => y_bar.product_transposed(true, left, left_too),
        })
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        let product =
            |left: Var<'b>, right| left.product_transposed(self.transpose_left, right, self.transpose_right);
        let by_left = x_dot[0].map(|left_dot| product(left_dot, at.inputs[1]));
        let by_right = x_dot[1].map(|right_dot| product(at.inputs[0], right_dot));
        by_left.into_iter().chain(by_right).reduce(|left, right| left + right)
    }

    fn multiply_adds(&self, inputs: &[&Shape], _output: &Shape) -> u64 {
        let (m, k, n) = self.sizes(inputs[0], inputs[1]);
        m as u64 * k as u64 * n as u64
    }

    fn sums(&self, inputs: &[&Shape], _output: &Shape, visit: &mut dyn FnMut(usize, Addend)) -> Option<f64> {
        let (m, k, n) = self.sizes(inputs[0], inputs[1]);
        for row in 0..m {
            for column in 0..n {
                for inner in 0..k {
                    let a = if self.transpose_left { inner * m + row } else { row * k + inner };
                    let b = if self.transpose_right { column * k + inner } else { inner * n + column };
                    visit(row * n + column, Addend::Product(a, b));
                }
            }
        }
        Some(1.0)
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let op = MatrixProduct { transpose_left: dice.coin(), transpose_right: dice.coin() };
        let (m, k, n) = (dice.size(), dice.size(), dice.size());
        let left = if op.transpose_left { [k, m] } else { [m, k] };
        let right = if op.transpose_right { [n, k] } else { [k, n] };
        Case::new(op, vec![left.into(), right.into()])
    }
}
