//! Activations: the functions that a unit applies to its weighted sum z.

use super::{Case, Dice, Elementwise, Formula, Site};
use crate::graph::{Scalar, Var};
use pullback_kernels::Real;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The operand itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity;

impl Elementwise for Identity {
    const NAME: &'static str = "identity";

    fn formula(&self) -> Formula {
        Formula::new("{0}", "{0}")
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        x
    }

    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>> {
        Some(at.builder().constant(1.0))
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Identity, vec![dice.any_shape()])
    }
}

/// Sigmoid, the logistic function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sigmoid;

impl Elementwise for Sigmoid {
    const NAME: &'static str = "sigmoid";

    fn formula(&self) -> Formula {
        Formula::new("1 / (1 + exp(-{0}))", r"\frac{1}{1 + e^{-{0}}}")
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        x.sigmoid()
    }

    /// y (1 - y)
    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>> {
        Some(at.y() * (1.0 - at.y()))
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Sigmoid, vec![dice.any_shape()]).range(-4.0, 4.0)
    }
}

/// The hyperbolic tangent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tanh;

impl Elementwise for Tanh {
    const NAME: &'static str = "tanh";

    fn formula(&self) -> Formula {
        Formula::new("tanh({0})", r"\tanh({0})")
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        x.tanh()
    }

    /// 1 - y^2
    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>> {
        Some(1.0 - at.y() * at.y())
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Tanh, vec![dice.any_shape()])
    }
}

/// Rectified linear unit. Its derivative at zero is taken as zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Relu;

impl Elementwise for Relu {
    const NAME: &'static str = "relu";

    fn formula(&self) -> Formula {
        Formula::new("max(0, {0})", r"\max(0, {0})")
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        // A comparison that is false for NaN would turn NaN into a harmless-looking zero.
        if x <= T::ZERO { T::ZERO } else { x }
    }

    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>> {
        Some(at.x().step())
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Relu, vec![dice.any_shape()]).kink(0.0)
    }
}

/// Leaky rectified linear unit: the slope below zero is given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeakyRelu {
    /// The slope for negative operands.
    pub slope: Scalar,
}

impl Elementwise for LeakyRelu {
    const NAME: &'static str = "leaky_relu";

    fn formula(&self) -> Formula {
        Formula::new(
            format!("{{0}} if {{0}} > 0, else {} * {{0}}", self.slope),
            format!(
                r"\begin{{cases}} {{0}} & {{0}} > 0 \\ {} \cdot {{0}} & \text{{else}} \end{{cases}}",
                self.slope
            ),
        )
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        if x > T::ZERO { x } else { T::from_f64(self.slope.value()) * x }
    }

    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>> {
        let slope = self.slope.value();
        Some(at.x().step().scale(1.0 - slope) + slope)
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(LeakyRelu { slope: dice.between(0.01, 0.3).into() }, vec![dice.any_shape()]).kink(0.0)
    }
}

/// Exponential linear unit (Clevert, Unterthiner, Hochreiter, 2015).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Elu {
    /// What the result tends to, negated, for large negative operands.
    pub alpha: Scalar,
}

impl Elementwise for Elu {
    const NAME: &'static str = "elu";

    fn formula(&self) -> Formula {
        Formula::new(
            format!("{{0}} if {{0}} > 0, else {} * (exp({{0}}) - 1)", self.alpha),
            format!(
                r"\begin{{cases}} {{0}} & {{0}} > 0 \\ {} \, (e^{{{{0}}}} - 1) & \text{{else}} \end{{cases}}",
                self.alpha
            ),
        )
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        if x > T::ZERO { x } else { T::from_f64(self.alpha.value()) * x.exp_m1() }
    }

    /// 1 above zero; below, alpha exp(x) = y + alpha.
    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>> {
        let above = at.x().step();
        Some(above + (1.0 - above) * (at.y() + self.alpha.value()))
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Elu { alpha: dice.between(0.5, 1.5).into() }, vec![dice.any_shape()]).kink(0.0)
    }
}

/// Gaussian error linear unit, in its exact form (Hendrycks, Gimpel, 2016).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gelu;

impl Elementwise for Gelu {
    const NAME: &'static str = "gelu";

    fn formula(&self) -> Formula {
        Formula::new(
            "{0} * (1 + erf({0} / sqrt(2))) / 2",
            r"\tfrac{1}{2} {0} \left(1 + \operatorname{erf}\left({0} / \sqrt{2}\right)\right)",
        )
    }

    /// The error is within 2 units of the last place from 0 on; below, where 1 + erf cancels, within
    /// `EPSILON * |x|`, which far below zero is more than the result.
    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        let half = T::from_f64(0.5);
        half * x * (T::ONE + (x * T::from_f64(FRAC_1_SQRT_2)).erf())
    }

    /// Phi(x) + x phi(x), with the normal distribution's function Phi and density phi.
    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>> {
        let x = at.x();
        let distribution = (x.scale(FRAC_1_SQRT_2).erf() + 1.0).scale(0.5);
        let density = (x * x).scale(-0.5).exp().scale(1.0 / (2.0 * PI).sqrt());
        Some(distribution + x * density)
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Gelu, vec![dice.any_shape()])
    }
}

/// Sigmoid linear unit, also called swish.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Silu;

impl Elementwise for Silu {
    const NAME: &'static str = "silu";

    fn formula(&self) -> Formula {
        Formula::new("{0} / (1 + exp(-{0}))", r"\frac{{0}}{1 + e^{-{0}}}")
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        x.silu()
    }

    /// s + y (1 - s), with the sigmoid s of the operand.
    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>> {
        let sigmoid = at.x().sigmoid();
        Some(sigmoid + at.y() * (1.0 - sigmoid))
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Silu, vec![dice.any_shape()]).range(-4.0, 4.0)
    }
}

/// Softplus, a smooth form of the rectified linear unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Softplus;

impl Elementwise for Softplus {
    const NAME: &'static str = "softplus";

    fn formula(&self) -> Formula {
        Formula::new("log(1 + exp({0}))", r"\ln(1 + e^{{0}})")
    }

    #[inline(always)]
    fn value<T: Real>(&self, x: T) -> T {
        x.softplus()
    }

    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>> {
        Some(at.x().sigmoid())
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Softplus, vec![dice.any_shape()]).range(-4.0, 4.0)
    }
}
