//! The products of matrices in pairs.

use super::{Addend, Case, Dice, Formula, MatrixProduct, Operation, Site, View, ViewMut};
use crate::graph::{Shape, Var};
use pullback_kernels::{Isa, Real};

/// The products of matrices in pairs, each possibly read as its transpose: `[..., m, k]` times `[..., k, n]`, with the
/// same sizes along the axes before the last two.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BatchedProduct {
    /// Whether the left operand's matrices are stored as `[k, m]`.
    pub transpose_left: bool,
    /// Whether the right operand's matrices are stored as `[n, k]`.
    pub transpose_right: bool,
}

impl BatchedProduct {
    fn single(&self) -> MatrixProduct {
        MatrixProduct { transpose_left: self.transpose_left, transpose_right: self.transpose_right }
    }

    /// The number of pairs, and the sizes m, k and n of each; the operands' ranks must be at least 2.
    pub(crate) fn sizes(&self, left: &Shape, right: &Shape) -> (usize, [usize; 3]) {
        let (pairs, left) = split(left);
        let (_, right) = split(right);
        let (m, k, n) = self.single().sizes(&left, &right);
        (pairs, [m, k, n])
    }
}

/// The number of matrices, and the shape of each.
fn split(x: &Shape) -> (usize, Shape) {
    let (outer, matrix) = x.sizes().split_at(x.rank() - 2);
    (outer.iter().product(), matrix.into())
}

impl Operation for BatchedProduct {
    const NAME: &'static str = "batched product";

    fn formula(&self) -> Formula {
        let mark = |transposed, mark| if transposed { mark } else { "" };
        Formula::new(
            format!(
                "{{0}}{} @ {{1}}{} for each pair",
                mark(self.transpose_left, "'"),
                mark(self.transpose_right, "'")
            ),
            format!(
                "{{0}}_b{} {{1}}_b{}",
                mark(self.transpose_left, r"^\top"),
                mark(self.transpose_right, r"^\top")
            ),
        )
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [left, right] = inputs else {
            return Err("it takes two operands".into());
        };
        if left.rank() < 3 || left.rank() != right.rank() {
            return Err("both operands must have the same number of axes, at least three".into());
        }
        let outer = &left.sizes()[..left.rank() - 2];
        if outer != &right.sizes()[..right.rank() - 2] {
            return Err("the operands must have the same sizes along all axes but the last two".into());
        }
        let product = self.single().shape(&[&split(left).1, &split(right).1])?;
        Ok([outer, product.sizes()].concat().into())
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let [left, right] = [inputs[0], inputs[1]];
        let stride = |shape: &Shape| shape.sizes()[shape.rank() - 2..].iter().product::<usize>();
        let [of_left, of_right] = [stride(left.shape), stride(right.shape)];
        let [rows, columns] = output.shape.sizes()[output.shape.rank() - 2..] else { return };
        let sizes = left.shape.sizes();
        let inner = sizes[if self.transpose_left { sizes.len() - 2 } else { sizes.len() - 1 }];
        // Where the baseline has no fused multiply-add, each would be a call.
        Isa::best().run(
            #[inline(always)]
            || {
                for (pair, output) in output.data.chunks_exact_mut((rows * columns).max(1)).enumerate() {
                    let left = &left.data[pair * of_left..][..of_left];
                    let right = &right.data[pair * of_right..][..of_right];
                    for row in 0..rows {
                        for column in 0..columns {
                            let mut sum = T::ZERO;
                            for k in 0..inner {
                                let a =
                                    left[if self.transpose_left { k * rows + row } else { row * inner + k }];
                                let b = right[if self.transpose_right {
                                    column * inner + k
                                } else {
                                    k * columns + column
                                }];
                                sum = a.mul_add(b, sum);
                            }
                            output[row * columns + column] = sum;
                        }
                    }
                }
            },
        );
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, input: usize) -> Option<Var<'b>> {
        let [left, right] = [at.inputs[0], at.inputs[1]];
        Some(match (input, self.transpose_left, self.transpose_right) {
            (0, false, right_too) => y_bar.batched_product(false, right, !right_too),
            (0, true, right_too) => right.batched_product(right_too, y_bar, true),
            (_, left_too, false) => left.batched_product(!left_too, y_bar, false),
            (_, left_too, true) => y_bar.batched_product(true, left, left_too),
        })
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        let product =
            |left: Var<'b>, right| left.batched_product(self.transpose_left, right, self.transpose_right);
        let by_left = x_dot[0].map(|left_dot| product(left_dot, at.inputs[1]));
        let by_right = x_dot[1].map(|right_dot| product(at.inputs[0], right_dot));
        by_left.into_iter().chain(by_right).reduce(|left, right| left + right)
    }

    fn multiply_adds(&self, inputs: &[&Shape], _output: &Shape) -> u64 {
        let (pairs, [m, k, n]) = self.sizes(inputs[0], inputs[1]);
        pairs as u64 * m as u64 * k as u64 * n as u64
    }

    fn sums(&self, inputs: &[&Shape], output: &Shape, visit: &mut dyn FnMut(usize, Addend)) -> Option<f64> {
        let [left, right] = [inputs[0], inputs[1]];
        let stride = |shape: &Shape| shape.sizes()[shape.rank() - 2..].iter().product::<usize>();
        let [rows, columns] = output.sizes()[output.rank() - 2..] else { return None };
        let inner = left.sizes()[left.rank() - if self.transpose_left { 2 } else { 1 }];
        for pair in 0..output.elements() / (rows * columns).max(1) {
            for row in 0..rows {
                for column in 0..columns {
                    for k in 0..inner {
                        let a = if self.transpose_left { k * rows + row } else { row * inner + k };
                        let b = if self.transpose_right { column * inner + k } else { k * columns + column };
                        let addend = Addend::Product(pair * stride(left) + a, pair * stride(right) + b);
                        visit((pair * rows + row) * columns + column, addend);
                    }
                }
            }
        }
        Some(1.0)
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let op = BatchedProduct { transpose_left: dice.coin(), transpose_right: dice.coin() };
        let (m, k, n) = (dice.size(), dice.size(), dice.size());
        let left = if op.transpose_left { [k, m] } else { [m, k] };
        let right = if op.transpose_right { [n, k] } else { [k, n] };
        let outer: Vec<usize> = (0..1 + dice.below(2)).map(|_| 1 + dice.below(3)).collect();
        let shape = |matrix: [usize; 2]| Shape::from([&outer[..], &matrix[..]].concat());
        Case::new(op, vec![shape(left), shape(right)])
    }
}
