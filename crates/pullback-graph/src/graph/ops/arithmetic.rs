//! The four arithmetical operations and equality, on operands that broadcast with each other.

use super::{Case, Dice, Formula, Pairwise, Site};
use crate::graph::Var;
use pullback_kernels::Real;

/// The sum of two operands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Add;

impl Pairwise for Add {
    const NAME: &'static str = "add";

    fn formula(&self) -> Formula {
        Formula::new("{0} + {1}", "{0} + {1}")
    }

    #[inline(always)]
    fn value<T: Real>(&self, left: T, right: T) -> T {
        left + right
    }

    fn derivative<'b>(&self, at: &Site<'b>, _input: usize) -> Option<Var<'b>> {
        Some(at.builder().constant(1.0))
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Add, dice.broadcast_pair())
    }
}

/// The difference of two operands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subtract;

impl Pairwise for Subtract {
    const NAME: &'static str = "subtract";

    fn formula(&self) -> Formula {
        Formula::new("{0} - {1}", "{0} - {1}")
    }

    #[inline(always)]
    fn value<T: Real>(&self, left: T, right: T) -> T {
        left - right
    }

    fn derivative<'b>(&self, at: &Site<'b>, input: usize) -> Option<Var<'b>> {
        Some(at.builder().constant(if input == 0 { 1.0 } else { -1.0 }))
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Subtract, dice.broadcast_pair())
    }
}

/// The product of two operands, element by element.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Multiply;

impl Pairwise for Multiply {
    const NAME: &'static str = "multiply";

    fn formula(&self) -> Formula {
        Formula::new("{0} * {1}", r"{0} \odot {1}")
    }

    #[inline(always)]
    fn value<T: Real>(&self, left: T, right: T) -> T {
        left * right
    }

    fn derivative<'b>(&self, at: &Site<'b>, input: usize) -> Option<Var<'b>> {
        Some(at.inputs[1 - input])
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Multiply, dice.broadcast_pair())
    }
}

/// The quotient of two operands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Divide;

impl Pairwise for Divide {
    const NAME: &'static str = "divide";

    fn formula(&self) -> Formula {
        Formula::new("{0} / {1}", r"\frac{{0}}{{1}}")
    }

    #[inline(always)]
    fn value<T: Real>(&self, left: T, right: T) -> T {
        left / right
    }

    fn derivative<'b>(&self, at: &Site<'b>, input: usize) -> Option<Var<'b>> {
        let right = at.inputs[1];
        Some(if input == 0 { 1.0 / right } else { -at.y() / right })
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Divide, dice.broadcast_pair()).range(0.5, 2.5)
    }
}

/// One where two operands are equal, else zero. Its derivative is zero wherever there is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Equal;

impl Pairwise for Equal {
    const NAME: &'static str = "equal";

    fn formula(&self) -> Formula {
        Formula::new("1 if {0} = {1}, else 0", r"[{0} = {1}]")
    }

    #[inline(always)]
    fn value<T: Real>(&self, left: T, right: T) -> T {
        if left == right { T::ONE } else { T::ZERO }
    }

    fn derivative<'b>(&self, _at: &Site<'b>, _input: usize) -> Option<Var<'b>> {
        None
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Equal, dice.broadcast_pair())
    }
}
