//! The list of operations, and the enum that is made from it.
//!
//! To add an operation: write one item in one of the files below (its name, formula, shape rule,
//! value, pullback, pushforward, cost and a random test case) and add one line to the list. All
//! rules of all operations on the list are tested against each other and against differences.

mod activation;
mod arithmetic;
mod batched_product;
mod columns;
mod cost;
mod elementwise;
mod gather;
mod images;
mod operation;
mod product;
mod rearrange;
mod reduce;

pub use activation::{Elu, Gelu, Identity, LeakyRelu, Relu, Sigmoid, Silu, Softplus, Tanh};
pub use arithmetic::{Add, Divide, Equal, Multiply, Subtract};
pub use batched_product::BatchedProduct;
pub use columns::{ColumnsGradient, ColumnsProduct};
pub use cost::{
    AbsoluteError, Focal, Gamma, Huber, LogSoftmax, Poisson, Quantile, SigmoidCrossEntropy, Softmax,
    SoftmaxCrossEntropy, SquaredError, Tweedie,
};
pub use elementwise::{Abs, Erf, Exp, Log, Power, Scale, Sign, Step};
pub use gather::{GatherRows, ScatterAddRows};
pub use images::{Convolution, FilterGradient, MaxPool, PickAtMax, RouteToMax, TransposedConvolution};
pub use operation::{
    Addend, Case, Dice, Elementwise, Formula, Operation, Other, Pairwise, Pattern, Site, View, ViewMut,
};
pub use product::MatrixProduct;
pub use rearrange::{Broadcast, Concatenate, LowerTriangle, Pad, Reshape, Slice, Transpose};
pub use reduce::{Max, Mean, Sum};

use super::{Shape, Var};
use pullback_kernels::{Isa, Real};

/// Makes [`Op`] from the list: one variant an operation, each method passed on.
macro_rules! operations {
    ($($name:ident),* $(,)?) => {
        /// Any operation of the list.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "each variant is documented at the type it holds")]
        pub enum Op {
            $($name($name)),*
        }

        $(impl From<$name> for Op {
            fn from(op: $name) -> Self {
                Op::$name(op)
            }
        })*

        impl Op {
            /// The names of all operations, in the order of the list.
            pub const NAMES: &[&str] = &[$(<$name as Operation>::NAME),*];

            /// A random test case of the operation at `index` in the list.
            ///
            /// # Panics
            /// If the list is shorter than that.
            pub fn case(index: usize, dice: &mut Dice) -> Case<Op> {
                const CASES: &[fn(&mut Dice) -> Case<Op>] =
                    &[$(|dice| <$name as Operation>::case(dice).map(Op::$name)),*];
                CASES[index](dice)
            }

            /// The operation's name in messages, files and flags.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Op::$name(_) => <$name as Operation>::NAME),*
                }
            }

            /// What it computes, for people.
            pub fn formula(&self) -> Formula {
                match self {
                    $(Op::$name(op) => Operation::formula(op)),*
                }
            }

            /// The shape of the result.
            ///
            /// # Errors
            /// The rule that the operands' shapes break.
            pub fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
                match self {
                    $(Op::$name(op) => Operation::shape(op, inputs)),*
                }
            }

            /// Computes the result; see [`Operation::value`].
            pub fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
                self.value_on(Isa::portable(), inputs, output);
            }

            /// The same, compiled for an instruction set, whose vectors element-wise loops then use. It is compiled
            /// once, not for each caller: it is as large as all operations are.
            #[inline(never)]
            pub fn value_on<T: Real>(&self, isa: Isa, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
                isa.run(
                    #[inline(always)]
                    || match self {
                        $(Op::$name(op) => Operation::value(op, inputs, output)),*
                    },
                );
            }

            /// Whether each element of the result depends on one element of each operand.
            pub fn is_elementwise(&self) -> bool {
                match self {
                    $(Op::$name(_) => <$name as Operation>::IS_ELEMENTWISE),*
                }
            }

            /// Whether it can be applied in place; see [`Operation::IS_IN_PLACE`].
            pub fn is_in_place(&self) -> bool {
                match self {
                    $(Op::$name(_) => <$name as Operation>::IS_IN_PLACE),*
                }
            }

            /// Applies it in place, compiled for an instruction set; see [`Operation::in_place`].
            pub fn in_place<T: Real>(&self, isa: Isa, values: &mut [T], position: usize, other: Other<'_, T>) {
                isa.run(
                    #[inline(always)]
                    || match self {
                        $(Op::$name(op) => Operation::in_place(op, values, position, other)),*
                    },
                );
            }

            /// The reverse rule; see [`Operation::pullback`].
            pub fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, input: usize) -> Option<Var<'b>> {
                match self {
                    $(Op::$name(op) => Operation::pullback(op, at, y_bar, input)),*
                }
            }

            /// The forward rule; see [`Operation::pushforward`].
            pub fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
                match self {
                    $(Op::$name(op) => Operation::pushforward(op, at, x_dot)),*
                }
            }

            /// What is added up for each element of the result; see [`Operation::sums`].
            pub fn sums(
                &self,
                inputs: &[&Shape],
                output: &Shape,
                visit: &mut dyn FnMut(usize, Addend),
            ) -> Option<f64> {
                match self {
                    $(Op::$name(op) => Operation::sums(op, inputs, output, visit)),*
                }
            }

            /// The cost in multiply-adds; see [`Operation::multiply_adds`].
            pub fn multiply_adds(&self, inputs: &[&Shape], output: &Shape) -> u64 {
                match self {
                    $(Op::$name(op) => Operation::multiply_adds(op, inputs, output)),*
                }
            }
        }
    };
}

/// Makes an [`Operation`] of each [`Pairwise`] type. (A blanket implementation is not possible
/// beside the one for `Elementwise`.)
macro_rules! pairwise {
    ($($name:ident),* $(,)?) => {$(
        impl Operation for $name {
            const NAME: &'static str = <Self as Pairwise>::NAME;
            fn formula(&self) -> Formula {
                Pairwise::formula(self)
            }
            fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
                operation::pairwise_shape(inputs)
            }
            #[inline(always)]
            fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
                operation::pairwise_value(self, inputs, output);
            }
            fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, input: usize) -> Option<Var<'b>> {
                operation::pairwise_pullback(self, at, y_bar, input)
            }
            fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
                operation::pairwise_pushforward(self, at, x_dot)
            }
            fn multiply_adds(&self, _inputs: &[&Shape], output: &Shape) -> u64 {
                output.elements() as u64
            }
            fn case(dice: &mut Dice) -> Case<Self> {
                <Self as Pairwise>::case(dice)
            }
            const IS_ELEMENTWISE: bool = true;
            const IS_IN_PLACE: bool = <Self as Pairwise>::IS_IN_PLACE;
            #[inline(always)]
            fn in_place<T: Real>(&self, values: &mut [T], position: usize, other: Other<'_, T>) {
                if !<Self as Pairwise>::IS_IN_PLACE {
                    unreachable!("{} is not applied in place", <Self as Pairwise>::NAME);
                } else if position == 0 {
                    other.apply(values, #[inline(always)] |own, other| Pairwise::value(self, own, other));
                } else {
                    other.apply(values, #[inline(always)] |own, other| Pairwise::value(self, other, own));
                }
            }
        }
    )*};
}

pairwise! {
    Add, Subtract, Multiply, Divide, Equal,
    SigmoidCrossEntropy, SquaredError, AbsoluteError, Huber, Quantile, Poisson, Gamma, Tweedie, Focal,
}

operations! {
    // arithmetic.rs
    Add, Subtract, Multiply, Divide, Equal,
    // elementwise.rs
    Scale, Power, Exp, Log, Abs, Sign, Step, Erf,
    // activation.rs
    Identity, Sigmoid, Tanh, Relu, LeakyRelu, Elu, Gelu, Silu, Softplus,
    // product.rs
    MatrixProduct,
    // batched_product.rs
    BatchedProduct,
    // gather.rs
    GatherRows, ScatterAddRows,
    // reduce.rs
    Sum, Mean, Max,
    // rearrange.rs
    ColumnsProduct, ColumnsGradient,
    Reshape, Broadcast, Transpose, Concatenate, Slice, Pad, LowerTriangle,
    // images.rs
    Convolution, TransposedConvolution, FilterGradient, MaxPool, RouteToMax, PickAtMax,
    // cost.rs
    Softmax, LogSoftmax, SoftmaxCrossEntropy, SigmoidCrossEntropy, SquaredError, AbsoluteError, Huber,
    Quantile, Poisson, Gamma, Tweedie, Focal,
}
