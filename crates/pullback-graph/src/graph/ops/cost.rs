//! Softmax and the costs that networks are trained on, in forms that neither overflow nor cancel.
//!
//! Each cost gives one number an element (or an example, for softmax cross-entropy); the network
//! sums over outputs and averages over the batch.

use super::{Case, Dice, Formula, Operation, Pairwise, Site, View, ViewMut};
use crate::graph::{Scalar, Shape, Var};
use pullback_kernels::Real;

/// The only operand, which must have a last axis that is not empty.
fn with_last_axis<'a>(inputs: &[&'a Shape]) -> Result<&'a Shape, String> {
    match inputs {
        [x] if x.rank() == 0 || x.last() == 0 => {
            Err("the operand needs a last axis that is not empty".into())
        }
        [x] => Ok(x),
        _ => Err("it takes one operand".into()),
    }
}

/// A case with one to three axes.
fn rows_case<O>(op: O, dice: &mut Dice, operands: usize) -> Case<O> {
    let rank = 1 + dice.below(3);
    let shape = dice.shape(rank);
    Case::new(op, vec![shape; operands])
}

/// The largest element of a row.
fn largest<T: Real>(row: &[T]) -> T {
    row.iter().fold(-T::INFINITY, |most, &x| most.max(x))
}

/// The logarithm of the sum of the exponentials of a row, with the largest taken out first.
fn log_sum_exp<T: Real>(row: &[T]) -> T {
    let most = largest(row);
    most + row.iter().map(|&x| (x - most).exp()).sum::<T>().ln()
}

/// `exp(x)` over the last axis, divided by its sum: positive numbers that sum to one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Softmax;

impl Operation for Softmax {
    const NAME: &'static str = "softmax";

    fn formula(&self) -> Formula {
        Formula::new("exp({0}) / sum(exp({0}))", r"\frac{e^{{0}}}{\sum e^{{0}}}")
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        with_last_axis(inputs).cloned()
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let width = output.shape.last();
        for (x, y) in inputs[0].data.chunks_exact(width).zip(output.data.chunks_exact_mut(width)) {
            let most = largest(x);
            for (y, &x) in y.iter_mut().zip(x) {
                *y = (x - most).exp();
            }
            let sum: T = y.iter().copied().sum();
            for y in y {
                *y = *y / sum;
            }
        }
    }

    /// y (y_bar - sum(y_bar y))
    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, _input: usize) -> Option<Var<'b>> {
        let y = at.y();
        Some(y * (y_bar - (y_bar * y).sum_last()))
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        let (y, x_dot) = (at.y(), x_dot[0]?);
        Some(y * (x_dot - (x_dot * y).sum_last()))
    }

    fn multiply_adds(&self, _inputs: &[&Shape], output: &Shape) -> u64 {
        2 * output.elements() as u64
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        rows_case(Softmax, dice, 1)
    }
}

/// The logarithm of softmax over the last axis.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogSoftmax;

impl Operation for LogSoftmax {
    const NAME: &'static str = "log softmax";

    fn formula(&self) -> Formula {
        Formula::new("{0} - log(sum(exp({0})))", r"{0} - \ln \sum e^{{0}}")
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        with_last_axis(inputs).cloned()
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let width = output.shape.last();
        for (x, y) in inputs[0].data.chunks_exact(width).zip(output.data.chunks_exact_mut(width)) {
            let total = log_sum_exp(x);
            for (y, &x) in y.iter_mut().zip(x) {
                *y = x - total;
            }
        }
    }

    /// y_bar - softmax(x) sum(y_bar)
    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, _input: usize) -> Option<Var<'b>> {
        Some(y_bar - at.y().exp() * y_bar.sum_last())
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        let x_dot = x_dot[0]?;
        Some(x_dot - (at.y().exp() * x_dot).sum_last())
    }

    fn multiply_adds(&self, _inputs: &[&Shape], output: &Shape) -> u64 {
        2 * output.elements() as u64
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        rows_case(LogSoftmax, dice, 1)
    }
}

/// The cross-entropy between targets t and softmax(z) over the last axis, from the logits z:
/// `sum(t) log(sum(exp(z))) - sum(t z)`, one number an example.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SoftmaxCrossEntropy;

impl SoftmaxCrossEntropy {
    /// The derivative of each example's cost with respect to the logits: `softmax(z) sum(t) - t`;
    /// with respect to the targets: `-log softmax(z)`.
    fn derivative<'b>(&self, at: &Site<'b>, input: usize) -> Var<'b> {
        let [logits, targets] = [at.inputs[0], at.inputs[1]];
        if input == 0 { logits.softmax() * targets.sum_last() - targets } else { -logits.log_softmax() }
    }
}

impl Operation for SoftmaxCrossEntropy {
    const NAME: &'static str = "softmax cross-entropy";

    fn formula(&self) -> Formula {
        Formula::new("-sum({1} * log(softmax({0})))", r"-\sum {1} \ln \operatorname{softmax}({0})")
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [logits, targets] = inputs else {
            return Err("it takes two operands".into());
        };
        if logits != targets {
            return Err("logits and targets must have the same shape, one column a class".into());
        }
        let shape = with_last_axis(&[logits])?;
        shape.reduced(&[shape.rank() - 1], false)
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let width = inputs[0].shape.last();
        let rows = inputs[0].data.chunks_exact(width).zip(inputs[1].data.chunks_exact(width));
        for ((logits, targets), cost) in rows.zip(output.data) {
            let total = log_sum_exp(logits);
            // A target of zero leaves its class out, however improbable that is (0 log 0 = 0).
            *cost = (logits.iter().zip(targets))
                .map(|(&z, &t)| if t == T::ZERO { T::ZERO } else { t * (total - z) })
                .sum();
        }
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, input: usize) -> Option<Var<'b>> {
        let mut kept = at.y().shape().sizes().to_vec();
        kept.push(1);
        let rows = y_bar.reshape(kept).broadcast(at.x().shape());
        Some(rows * self.derivative(at, input))
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        (0..2)
            .filter_map(|input| Some(x_dot[input]? * self.derivative(at, input)))
            .reduce(|left, right| left + right)
            .map(|tangent| tangent.sum(&[at.y().shape().rank()]))
    }

    fn multiply_adds(&self, inputs: &[&Shape], _output: &Shape) -> u64 {
        2 * inputs[0].elements() as u64
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        rows_case(SoftmaxCrossEntropy, dice, 2)
    }
}

/// The cross-entropy between a target t in `[0, 1]` and sigmoid(z), from the logit z:
/// `-t log(sigmoid(z)) - (1 - t) log(1 - sigmoid(z))`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SigmoidCrossEntropy;

impl Pairwise for SigmoidCrossEntropy {
    const NAME: &'static str = "sigmoid cross-entropy";
    const IS_IN_PLACE: bool = false;

    fn formula(&self) -> Formula {
        Formula::new(
            "-{1} * log(sigmoid({0})) - (1 - {1}) * log(1 - sigmoid({0}))",
            r"-{1} \ln \sigma({0}) - (1 - {1}) \ln(1 - \sigma({0}))",
        )
    }

    /// max(z, 0) - z t + log(1 + exp(-|z|)), which does not overflow.
    #[inline(always)]
    fn value<T: Real>(&self, logit: T, target: T) -> T {
        logit.max(T::ZERO) - logit * target + (-logit.abs()).exp().ln_1p()
    }

    fn derivative<'b>(&self, at: &Site<'b>, input: usize) -> Option<Var<'b>> {
        let [logit, target] = [at.inputs[0], at.inputs[1]];
        Some(if input == 0 { logit.sigmoid() - target } else { -logit })
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(SigmoidCrossEntropy, dice.broadcast_pair())
    }
}

/// Half the square of the difference, so that its derivative is the difference itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SquaredError;

impl Pairwise for SquaredError {
    const NAME: &'static str = "squared error";

    fn formula(&self) -> Formula {
        Formula::new("({0} - {1})^2 / 2", r"\tfrac12 ({0} - {1})^2")
    }

    #[inline(always)]
    fn value<T: Real>(&self, prediction: T, target: T) -> T {
        let error = prediction - target;
        T::from_f64(0.5) * error * error
    }

    fn derivative<'b>(&self, at: &Site<'b>, input: usize) -> Option<Var<'b>> {
        let [prediction, target] = [at.inputs[0], at.inputs[1]];
        Some(if input == 0 { prediction - target } else { target - prediction })
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(SquaredError, dice.broadcast_pair())
    }
}

/// The absolute value of the difference. Its derivative at zero is taken as zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AbsoluteError;

impl Pairwise for AbsoluteError {
    const NAME: &'static str = "absolute error";

    fn formula(&self) -> Formula {
        Formula::new("|{0} - {1}|", r"\lvert {0} - {1} \rvert")
    }

    #[inline(always)]
    fn value<T: Real>(&self, prediction: T, target: T) -> T {
        (prediction - target).abs()
    }

    fn derivative<'b>(&self, at: &Site<'b>, input: usize) -> Option<Var<'b>> {
        let [prediction, target] = [at.inputs[0], at.inputs[1]];
        Some(if input == 0 { (prediction - target).sign() } else { (target - prediction).sign() })
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(AbsoluteError, dice.broadcast_pair())
    }
}

/// Half the square of a difference up to `delta`, and beyond it the straight line that continues
/// it (Huber, 1964).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Huber {
    /// The difference at which the square becomes a line; positive.
    pub delta: Scalar,
}

impl Pairwise for Huber {
    const NAME: &'static str = "huber";
    const IS_IN_PLACE: bool = false;

    fn formula(&self) -> Formula {
        let delta = self.delta;
        Formula::new(
            format!(
                "({{0}} - {{1}})^2 / 2 if |{{0}} - {{1}}| < {delta}, else {delta} * (|{{0}} - {{1}}| - {delta} / 2)"
            ),
            format!(
                r"\begin{{cases}} \tfrac12 ({{0}} - {{1}})^2 & \lvert {{0}} - {{1}} \rvert < {delta} \\ {delta} (\lvert {{0}} - {{1}} \rvert - {delta} / 2) & \text{{else}} \end{{cases}}"
            ),
        )
    }

    #[inline(always)]
    fn value<T: Real>(&self, prediction: T, target: T) -> T {
        let (delta, half) = (T::from_f64(self.delta.value()), T::from_f64(0.5));
        let error = (prediction - target).abs();
        if error < delta { half * error * error } else { delta * (error - half * delta) }
    }

    /// The difference, held between -delta and delta: `e - relu(e - delta) + relu(-e - delta)`.
    fn derivative<'b>(&self, at: &Site<'b>, input: usize) -> Option<Var<'b>> {
        let delta = self.delta.value();
        let [prediction, target] = [at.inputs[0], at.inputs[1]];
        let error = if input == 0 { prediction - target } else { target - prediction };
        Some(error - (error - delta).relu() + (-error - delta).relu())
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Huber { delta: dice.between(0.5, 1.5).into() }, dice.broadcast_pair())
    }
}

/// The cost whose least mean is a quantile: `tau` times a difference by which the prediction is too low, `1 - tau` times
/// one by which it is too high (Koenker and Bassett, 1978).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Quantile {
    /// Which quantile; above 0 and below 1.
    pub tau: Scalar,
}

impl Pairwise for Quantile {
    const NAME: &'static str = "quantile";
    const IS_IN_PLACE: bool = false;

    fn formula(&self) -> Formula {
        let tau = self.tau;
        Formula::new(
            format!("max({tau} * ({{1}} - {{0}}), (1 - {tau}) * ({{0}} - {{1}}))"),
            format!(r"\max({tau} ({{1}} - {{0}}), (1 - {tau}) ({{0}} - {{1}}))"),
        )
    }

    #[inline(always)]
    fn value<T: Real>(&self, prediction: T, target: T) -> T {
        let (tau, error) = (T::from_f64(self.tau.value()), target - prediction);
        (tau * error).max((tau - T::ONE) * error)
    }

    /// The slope on either side, and between them where both are equal: `1/2 sign(e) + tau - 1/2`.
    fn derivative<'b>(&self, at: &Site<'b>, input: usize) -> Option<Var<'b>> {
        let [prediction, target] = [at.inputs[0], at.inputs[1]];
        let slope = (target - prediction).sign().scale(0.5) + (self.tau.value() - 0.5);
        Some(if input == 0 { -slope } else { slope })
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Quantile { tau: dice.between(0.1, 0.9).into() }, dice.broadcast_pair())
    }
}

/// The negative log likelihood of a count t under the Poisson distribution of mean `exp(z)`, without what depends on t
/// alone: `exp(z) - t z`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Poisson;

impl Pairwise for Poisson {
    const NAME: &'static str = "poisson";
    const IS_IN_PLACE: bool = false;

    fn formula(&self) -> Formula {
        Formula::new("exp({0}) - {1} * {0}", r"e^{{0}} - {1} \cdot {0}")
    }

    #[inline(always)]
    fn value<T: Real>(&self, log_mean: T, target: T) -> T {
        log_mean.exp() - target * log_mean
    }

    fn derivative<'b>(&self, at: &Site<'b>, input: usize) -> Option<Var<'b>> {
        let [log_mean, target] = [at.inputs[0], at.inputs[1]];
        Some(if input == 0 { log_mean.exp() - target } else { -log_mean })
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Poisson, dice.broadcast_pair())
    }
}

/// The negative log likelihood of an amount t under a gamma distribution of mean `exp(z)`, for a shape of 1 and without
/// what depends on t alone: `z + t exp(-z)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gamma;

impl Pairwise for Gamma {
    const NAME: &'static str = "gamma";
    const IS_IN_PLACE: bool = false;

    fn formula(&self) -> Formula {
        Formula::new("{0} + {1} * exp(-{0})", r"{0} + {1} e^{-{0}}")
    }

    #[inline(always)]
    fn value<T: Real>(&self, log_mean: T, target: T) -> T {
        log_mean + target * (-log_mean).exp()
    }

    fn derivative<'b>(&self, at: &Site<'b>, input: usize) -> Option<Var<'b>> {
        let [log_mean, target] = [at.inputs[0], at.inputs[1]];
        let inverse = (-log_mean).exp();
        Some(if input == 0 { 1.0 - target * inverse } else { inverse })
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Gamma, dice.broadcast_pair())
    }
}

/// Half the deviance of an amount t from the mean `exp(z)` in Tweedie's family, whose variance is the mean to the power
/// p, without what depends on t alone: `exp((2 - p) z) / (2 - p) - t exp((1 - p) z) / (1 - p)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tweedie {
    /// The power p; above 1 and below 2.
    pub power: Scalar,
}

impl Pairwise for Tweedie {
    const NAME: &'static str = "tweedie";
    const IS_IN_PLACE: bool = false;

    fn formula(&self) -> Formula {
        let p = self.power;
        Formula::new(
            format!("exp((2 - {p}) * {{0}}) / (2 - {p}) + {{1}} * exp((1 - {p}) * {{0}}) / ({p} - 1)"),
            format!(
                r"\frac{{e^{{(2 - {p}) {{0}}}}}}{{2 - {p}}} + {{1}} \frac{{e^{{(1 - {p}) {{0}}}}}}{{{p} - 1}}"
            ),
        )
    }

    #[inline(always)]
    fn value<T: Real>(&self, log_mean: T, target: T) -> T {
        let power = self.power.value();
        let (left, past) = (T::from_f64(2.0 - power), T::from_f64(power - 1.0));
        (left * log_mean).exp() / left + target * (-past * log_mean).exp() / past
    }

    fn derivative<'b>(&self, at: &Site<'b>, input: usize) -> Option<Var<'b>> {
        let (power, [log_mean, target]) = (self.power.value(), [at.inputs[0], at.inputs[1]]);
        let inverse = log_mean.scale(1.0 - power).exp();
        Some(if input == 0 {
            log_mean.scale(2.0 - power).exp() - target * inverse
        } else {
            inverse.scale(1.0 / (power - 1.0))
        })
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Tweedie { power: dice.between(1.1, 1.9).into() }, dice.broadcast_pair())
    }
}

/// Sigmoid cross-entropy, each part times the gamma-th power of the probability that is given to the other answer (Lin
/// and others, 2017): `-t (1 - p)^gamma log(p) - (1 - t) p^gamma log(1 - p)`, where p is sigmoid(z).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Focal {
    /// The power; at least 0.
    pub gamma: Scalar,
}

impl Pairwise for Focal {
    const NAME: &'static str = "focal";
    const IS_IN_PLACE: bool = false;

    fn formula(&self) -> Formula {
        let gamma = self.gamma;
        Formula::new(
            format!(
                "-{{1}} * sigmoid(-{{0}})^{gamma} * log(sigmoid({{0}})) - (1 - {{1}}) * sigmoid({{0}})^{gamma} * log(sigmoid(-{{0}}))"
            ),
            format!(
                r"-{{1}} \sigma(-{{0}})^{{{gamma}}} \ln \sigma({{0}}) - (1 - {{1}}) \sigma({{0}})^{{{gamma}}} \ln \sigma(-{{0}})"
            ),
        )
    }

    /// With softplus(z) = log(1 + exp(z)), which does not overflow, the logarithm of sigmoid(-z) is -softplus(z); so
    /// the power is an exponential, and has a derivative for any gamma.
    #[inline(always)]
    fn value<T: Real>(&self, logit: T, target: T) -> T {
        let gamma = T::from_f64(self.gamma.value());
        let rest = (-logit.abs()).exp().ln_1p();
        let (yes, no) = (logit.max(T::ZERO) + rest, (-logit).max(T::ZERO) + rest);
        target * (-gamma * yes).exp() * no + (T::ONE - target) * (-gamma * no).exp() * yes
    }

    fn derivative<'b>(&self, at: &Site<'b>, input: usize) -> Option<Var<'b>> {
        let (gamma, [logit, target]) = (self.gamma.value(), [at.inputs[0], at.inputs[1]]);
        let (yes, no) = (logit.softplus(), (-logit).softplus());
        let (if_yes, if_no) = (yes.scale(-gamma).exp(), no.scale(-gamma).exp());
        let (p, q) = (logit.sigmoid(), (-logit).sigmoid());
        Some(if input == 0 {
            (1.0 - target) * if_no * (p + (q * yes).scale(gamma))
                - target * if_yes * (q + (p * no).scale(gamma))
        } else {
            if_yes * no - if_no * yes
        })
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        Case::new(Focal { gamma: dice.between(0.0, 3.0).into() }, dice.broadcast_pair())
    }
}
