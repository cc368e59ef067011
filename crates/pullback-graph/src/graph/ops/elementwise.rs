//! Functions of one number, applied to each element. Activations stand in `activation.rs`.

use super::{Case, Dice, Elementwise, Formula, Site};
use crate::graph::{Scalar, Var};
use pullback_kernels::Real;

/// The operand times a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scale(pub Scalar);

impl Elementwise for Scale {
    const NAME: &'static str = "scale";

    fn formula(&self) -> Formula {
        Formula::new(format!("{} * {{0}}", self.0), format!("{} \\, {{0}}", self.0))
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        T::from_f64(self.0.value()) * x
    }

    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>> {
        Some(at.builder().constant(self.0.value()))
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Scale(dice.between(-3.0, 3.0).into()), vec![dice.any_shape()])
    }
}

/// The operand to the power of a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Power(pub Scalar);

impl Elementwise for Power {
    const NAME: &'static str = "power";

    fn formula(&self) -> Formula {
        Formula::new(format!("{{0}}^{}", self.0), format!("{{0}}^{{{}}}", self.0))
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        let exponent = self.0.value();
        if exponent == 2.0 {
            x * x
        } else if exponent == 0.5 {
            x.sqrt()
        } else if exponent == -0.5 {
            T::ONE / x.sqrt()
        } else if exponent == -1.0 {
            T::ONE / x
        } else {
            x.powf(T::from_f64(exponent))
        }
    }

    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>> {
        let exponent = self.0.value();
        (exponent != 0.0).then(|| at.x().power(exponent - 1.0).scale(exponent))
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let exponents = [2.0, 3.0, 0.5, -0.5, -1.0, 1.7, -2.3, 0.0];
        let exponent = exponents[dice.below(exponents.len())];
        Case::new(Power(exponent.into()), vec![dice.any_shape()]).range(0.5, 2.5)
    }
}

/// The exponential function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Exp;

impl Elementwise for Exp {
    const NAME: &'static str = "exp";

    fn formula(&self) -> Formula {
        Formula::new("exp({0})", r"e^{{0}}")
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        x.exp()
    }

    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>> {
        Some(at.y())
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Exp, vec![dice.any_shape()])
    }
}

/// The natural logarithm.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Log;

impl Elementwise for Log {
    const NAME: &'static str = "log";

    fn formula(&self) -> Formula {
        Formula::new("log({0})", r"\ln {0}")
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        x.ln()
    }

    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>> {
        Some(1.0 / at.x())
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Log, vec![dice.any_shape()]).range(0.5, 2.5)
    }
}

/// The absolute value. Its derivative at zero is taken as zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Abs;

impl Elementwise for Abs {
    const NAME: &'static str = "abs";

    fn formula(&self) -> Formula {
        Formula::new("|{0}|", r"\lvert {0} \rvert")
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        x.abs()
    }

    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>> {
        Some(at.x().sign())
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Abs, vec![dice.any_shape()]).kink(0.0)
    }
}

/// -1, 0 or 1: the sign. Its derivative is zero wherever there is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sign;

impl Elementwise for Sign {
    const NAME: &'static str = "sign";

    fn formula(&self) -> Formula {
        Formula::new("sign({0})", r"\operatorname{sign}({0})")
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        let positive = if x > T::ZERO { T::ONE } else { T::ZERO };
        let negative = if x < T::ZERO { T::ONE } else { T::ZERO };
        positive - negative
    }

    fn derivative<'b>(&self, _at: &Site<'b>) -> Option<Var<'b>> {
        None
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Sign, vec![dice.any_shape()]).kink(0.0)
    }
}

/// One where the operand is positive, else zero. Its derivative is zero wherever there is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step;

impl Elementwise for Step {
    const NAME: &'static str = "step";

    fn formula(&self) -> Formula {
        Formula::new("1 if {0} > 0, else 0", r"[{0} > 0]")
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        if x > T::ZERO { T::ONE } else { T::ZERO }
    }

    fn derivative<'b>(&self, _at: &Site<'b>) -> Option<Var<'b>> {
        None
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Step, vec![dice.any_shape()]).kink(0.0)
    }
}

/// The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to the operand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Erf;

impl Elementwise for Erf {
    const NAME: &'static str = "erf";

    fn formula(&self) -> Formula {
        Formula::new("erf({0})", r"\operatorname{erf}({0})")
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        x.erf()
    }

    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>> {
        Some((-(at.x() * at.x())).exp().scale(std::f64::consts::FRAC_2_SQRT_PI))
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Erf, vec![dice.any_shape()])
    }
}
