//! L-BFGS: steps along a direction that the last changes of the gradient make of it, as long as a line search finds.
//!
//! Nocedal, Wright, "Numerical Optimization", 2nd edition: algorithm 7.4 (two-loop recursion), 7.5 (L-BFGS), 3.5 and
//! 3.6 (line search by the strong Wolfe conditions). Trial steps are interpolated and kept from the ends of their bracket
//! as in PyTorch's `LBFGS`.
//!
//! All is computed in f64, number after number, so that threads change no bit. A cost that is not a finite number is
//! larger than any other.

use std::collections::VecDeque;

/// How many pairs are kept.
pub(in crate::train) const HISTORY: usize = 10;
/// Which part of the fall that the slope promises is enough (equation 3.6a).
const SUFFICIENT_FALL: f64 = 1e-4;
/// Which part of the slope may be left (equation 3.7b).
const CURVATURE: f64 = 0.9;
/// The most trial steps of a line search.
const MOST_TRIALS: usize = 25;
/// A bracket whose ends change no weight by more than this is not cut further.
const NARROWEST: f64 = 1e-9;

/// What is kept of the last steps: how far each went, and by how much the gradient changed; the oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::train) struct Pairs(pub(in crate::train) VecDeque<Pair>);

/// A step and the change of the gradient along it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::train) struct Pair {
    pub(in crate::train) step: Vec<f64>,
    pub(in crate::train) change: Vec<f64>,
}

impl Pair {
    /// Whether it can be of a search.
    pub(in crate::train) fn is_possible(&self) -> bool {
        dot(&self.step, &self.change) > 0.0 && dot(&self.change, &self.change).is_finite()
    }
}

/// A cost with its gradient.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::train) struct Reached {
    pub(in crate::train) cost: f64,
    pub(in crate::train) gradient: Vec<f64>,
}

/// How a search goes.
#[derive(Debug, Clone, Copy)]
pub(in crate::train) struct Search {
    /// The first trial step, in units of the direction.
    pub(in crate::train) rate: f64,
    /// The search is over once no component of the gradient is larger.
    pub(in crate::train) tolerance: f64,
    /// The rounding of the numbers that costs are computed in: a smaller fall than this part of the cost is none.
    pub(in crate::train) rounding: f64,
    /// Rounds a number to one that a weight can be.
    pub(in crate::train) rounded: fn(f64) -> f64,
}

impl Pairs {
    /// Takes one step from `point`, which is moved, and says what is reached there and whether the search is over: the
    /// gradient is within the tolerance, or the cost falls no further. `evaluate` gives the cost of a point, and its
    /// gradient.
    pub(in crate::train) fn step(
        &mut self,
        search: Search,
        point: &mut Vec<f64>,
        from: Reached,
        mut evaluate: impl FnMut(&[f64]) -> Reached,
    ) -> (Reached, bool) {
        if from.is_flat(search.tolerance) {
            return (from, true);
        }
        loop {
            let direction = self.direction(&from.gradient);
            let first = match self.0.is_empty() {
                // Before anything is known of the curvature.
                true => f64::min(1.0, 1.0 / from.gradient.iter().map(|g| g.abs()).sum::<f64>()) * search.rate,
                false => search.rate,
            };
            let (start, slope) = (point.clone(), dot(&from.gradient, &direction));
            let found = if slope < 0.0 {
                line_search(&from, slope, &direction, first, |length| {
                    evaluate(&along(&start, &direction, length, search.rounded))
                })
            } else {
                None
            };
            let Some((length, reached)) = found else {
                if self.0.is_empty() {
                    return (from, true);
                }
                // What is remembered misleads: begin anew, straight down.
                self.0.clear();
                continue;
            };
            *point = along(&start, &direction, length, search.rounded);
            let is_over = reached.is_flat(search.tolerance)
                || from.cost - reached.cost <= search.rounding * from.cost.abs().max(reached.cost.abs());
            self.remember(difference(point, &start), difference(&reached.gradient, &from.gradient));
            return (reached, is_over);
        }
    }

    /// Keeps a pair, unless the gradient did not grow along the step: the approximation of the curvature would not stay
    /// positive.
    fn remember(&mut self, step: Vec<f64>, change: Vec<f64>) {
        if dot(&step, &change) > f64::EPSILON * dot(&change, &change) {
            if self.0.len() == HISTORY {
                self.0.pop_front();
            }
            self.0.push_back(Pair { step, change });
        }
    }

    /// Minus the gradient times the approximation of the inverse Hessian (algorithm 7.4).
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut alphas = Vec::with_capacity(self.0.len());
        for Pair { step, change } in self.0.iter().rev() {
            let alpha = dot(step, &q) / dot(change, step);
            add(&mut q, -alpha, change);
            alphas.push(alpha);
        }
        if let Some(Pair { step, change }) = self.0.back() {
            // Equation 7.20.
            let gamma = dot(step, change) / dot(change, change);
            q.iter_mut().for_each(|q| *q *= gamma);
        }
        for (Pair { step, change }, alpha) in self.0.iter().zip(alphas.into_iter().rev()) {
            let beta = dot(change, &q) / dot(change, step);
            add(&mut q, alpha - beta, step);
        }
        q
    }
}

impl Reached {
    fn is_flat(&self, tolerance: f64) -> bool {
        self.gradient.iter().all(|g| g.abs() <= tolerance)
    }
}

/// A trial step.
#[derive(Clone)]
struct Trial {
    length: f64,
    reached: Reached,
    /// The derivative of the cost by the length.
    slope: f64,
}

impl Trial {
    fn cost(&self) -> f64 {
        if self.reached.cost.is_nan() { f64::INFINITY } else { self.reached.cost }
    }
}

/// The length of a step along a direction that meets the strong Wolfe conditions, or the best one that was tried, and
/// what is reached there; nothing if no step lowers the cost.
fn line_search(
    from: &Reached,
    slope: f64,
    direction: &[f64],
    first: f64,
    mut evaluate: impl FnMut(f64) -> Reached,
) -> Option<(f64, Reached)> {
    let mut tried = |length: f64| {
        let reached = evaluate(length);
        Trial { length, slope: dot(&reached.gradient, direction), reached }
    };
    let is_too_high = |trial: &Trial| trial.cost() > from.cost + SUFFICIENT_FALL * trial.length * slope;
    let is_level = |trial: &Trial| trial.slope.abs() <= -CURVATURE * slope;
    let start = Trial { length: 0.0, reached: from.clone(), slope };
    let found = |trial: Trial| (trial.cost() < from.cost).then_some((trial.length, trial.reached));

    // Algorithm 3.5: steps grow until a bracket holds a good one.
    let (mut before, mut now) = (start.clone(), tried(first));
    let mut trials = 1;
    let mut bracket = loop {
        if is_too_high(&now) || trials > 2 && now.cost() >= before.cost() {
            break [before, now];
        }
        if is_level(&now) {
            return found(now);
        }
        if now.slope >= 0.0 {
            break [before, now];
        }
        if trials > MOST_TRIALS {
            break [start, now];
        }
        let bounds = [now.length + 0.01 * (now.length - before.length), 10.0 * now.length];
        let next = tried(interpolated(&before, &now, bounds));
        trials += 1;
        before = std::mem::replace(&mut now, next);
    };

    // Algorithm 3.6: the bracket shrinks around it. The lower end comes first.
    if bracket[1].cost() < bracket[0].cost() {
        bracket.swap(0, 1);
    }
    let largest = direction.iter().fold(0.0, |most, d| f64::max(most, d.abs()));
    let mut was_near = false;
    while trials <= MOST_TRIALS {
        let [least, most] = [f64::min, f64::max].map(|of| of(bracket[0].length, bracket[1].length));
        if (most - least) * largest < NARROWEST {
            break;
        }
        let mut length = interpolated(&bracket[0], &bracket[1], [least, most]);
        let margin = 0.1 * (most - least);
        let is_near = f64::min(most - length, length - least) < margin;
        if is_near && (was_near || length >= most || length <= least) {
            let is_above = (length - most).abs() < (length - least).abs();
            length = if is_above { most - margin } else { least + margin };
            was_near = false;
        } else {
            was_near = is_near;
        }
        let now = tried(length);
        trials += 1;
        if is_too_high(&now) || now.cost() >= bracket[0].cost() {
            bracket[1] = now;
            if bracket[1].cost() < bracket[0].cost() {
                bracket.swap(0, 1);
            }
        } else if is_level(&now) {
            return found(now);
        } else {
            if now.slope * (bracket[1].length - bracket[0].length) >= 0.0 {
                bracket.swap(0, 1);
            }
            bracket[0] = now;
        }
    }
    let [best, _] = bracket;
    found(best)
}

/// The minimum within bounds of the cubic through the costs and slopes of two trials (equation 3.59); their middle
/// where it has none.
fn interpolated(one: &Trial, other: &Trial, [least, most]: [f64; 2]) -> f64 {
    let (low, high) = if one.length <= other.length { (one, other) } else { (other, one) };
    let d1 = low.slope + high.slope - 3.0 * (low.cost() - high.cost()) / (low.length - high.length);
    let square = d1 * d1 - low.slope * high.slope;
    let d2 = square.sqrt();
    let at = high.length
        - (high.length - low.length) * ((high.slope + d2 - d1) / (high.slope - low.slope + 2.0 * d2));
    if square >= 0.0 && at.is_finite() { f64::min(f64::max(at, least), most) } else { (least + most) / 2.0 }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

fn add(to: &mut [f64], factor: f64, other: &[f64]) {
    to.iter_mut().zip(other).for_each(|(to, other)| *to += factor * other);
}

fn along(start: &[f64], direction: &[f64], length: f64, rounded: fn(f64) -> f64) -> Vec<f64> {
    let pairs = start.iter().zip(direction);
    pairs.map(|(start, direction)| rounded(start + length * direction)).collect()
}

fn difference(left: &[f64], right: &[f64]) -> Vec<f64> {
    left.iter().zip(right).map(|(left, right)| left - right).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEARCH: Search = Search { rate: 1.0, tolerance: 1e-9, rounding: f64::EPSILON, rounded: |x| x };

    /// The points of a search, the start included, until it is over.
    fn points(start: &[f64], search: Search, cost: fn(&[f64]) -> Reached) -> Vec<Vec<f64>> {
        let (mut pairs, mut point, mut now) = (Pairs::default(), start.to_vec(), cost(start));
        let mut points = vec![point.clone()];
        for _ in 0..500 {
            let before = now.cost;
            let (reached, is_over) = pairs.step(search, &mut point, now, cost);
            assert_eq!(reached, cost(&point), "what is reached is at the point");
            assert!(reached.cost <= before, "{} after {before}", reached.cost);
            if points.last() != Some(&point) {
                points.push(point.clone());
            }
            if is_over {
                return points;
            }
            now = reached;
        }
        panic!("the search does not end");
    }

    /// Rosenbrock's function, in pairs of coordinates: the minimum is at 1, 1, ...
    fn rosenbrock(x: &[f64]) -> Reached {
        let (mut cost, mut gradient) = (0.0, vec![0.0; x.len()]);
        for at in (0..x.len()).step_by(2) {
            let (a, b) = (1.0 - x[at], x[at + 1] - x[at] * x[at]);
            cost += a * a + 100.0 * b * b;
            gradient[at] = -2.0 * a - 400.0 * x[at] * b;
            gradient[at + 1] = 200.0 * b;
        }
        Reached { cost, gradient }
    }

    /// A convex quadratic of 12 coordinates, whose curvatures span four powers of ten: the minimum is at 1, 2, 3, ...
    fn quadratic(x: &[f64]) -> Reached {
        let (mut cost, mut gradient) = (0.0, Vec::new());
        for (at, x) in x.iter().enumerate() {
            let curvature = 10.0_f64.powi(at as i32 % 5 - 2);
            let from = x - (at + 1) as f64;
            cost += curvature * from * from / 2.0;
            gradient.push(curvature * from);
        }
        Reached { cost, gradient }
    }

    /// A cost that is no number below zero, where the first trials of a long step are: the minimum is at 1.
    fn logarithm(x: &[f64]) -> Reached {
        Reached { cost: x[0] - pullback_kernels::Real::ln(x[0]), gradient: vec![1.0 - 1.0 / x[0]] }
    }

    fn assert_ends_at(points: &[Vec<f64>], wanted: &[f64], tolerance: f64) {
        let end = points.last().unwrap();
        let is_near = end.iter().zip(wanted).all(|(x, wanted)| (x - wanted).abs() < tolerance);
        assert!(is_near, "{end:?}, not {wanted:?}");
    }

    #[test]
    fn a_search_ends_at_known_minima() {
        let found = points(&[-1.2, 1.0], SEARCH, rosenbrock);
        assert_ends_at(&found, &[1.0; 2], 1e-8);
        assert!(found.len() < 60, "{} steps", found.len());
        assert_ends_at(&points(&[-1.2, 1.0, 3.0, -2.0, 0.0, 0.5], SEARCH, rosenbrock), &[1.0; 6], 1e-8);
        let wanted: Vec<f64> = (1..=12).map(f64::from).collect();
        assert_ends_at(&points(&[0.0; 12], SEARCH, quadratic), &wanted, 1e-6);
        assert_ends_at(&points(&[0.01], SEARCH, logarithm), &[1.0], 1e-8);
        assert_ends_at(&points(&[50.0], Search { rate: 100.0, ..SEARCH }, logarithm), &[1.0], 1e-8);
    }

    #[test]
    fn a_search_that_begins_at_the_minimum_stays_there() {
        let found = points(&[1.0, 1.0], SEARCH, rosenbrock);
        assert_eq!(found, [[1.0, 1.0]]);
        // In numbers of f32 the cost stops falling before the gradient is within such a tolerance.
        let rounded = |x: f64| f64::from(x as f32);
        let coarse = Search { tolerance: 0.0, rounding: f64::from(f32::EPSILON), rounded, ..SEARCH };
        let found = points(&[-1.2_f32 as f64, 1.0], coarse, rosenbrock);
        assert_ends_at(&found, &[1.0; 2], 1e-3);
        assert!(found.iter().flatten().all(|x| *x == rounded(*x)));
    }

    /// The direction of a search is minus the gradient times the matrix that equation 6.17 makes of the pairs, written
    /// out in full.
    #[test]
    fn the_direction_is_that_of_the_whole_matrix() {
        let (mut pairs, mut point) = (Pairs::default(), vec![-1.2, 1.0, 3.0, -2.0, 0.0, 0.5]);
        let mut now = rosenbrock(&point);
        for _ in 0..15 {
            let n = point.len();
            let last = pairs.0.back();
            let gamma =
                last.map_or(1.0, |pair| dot(&pair.step, &pair.change) / dot(&pair.change, &pair.change));
            let mut h: Vec<Vec<f64>> =
                (0..n).map(|i| (0..n).map(|j| if i == j { gamma } else { 0.0 }).collect()).collect();
            for Pair { step: s, change: y } in &pairs.0 {
                let rho = 1.0 / dot(s, y);
                // V = I - rho y s^T; H becomes V^T H V + rho s s^T.
                let v = |i: usize, j: usize| f64::from(u8::from(i == j)) - rho * y[i] * s[j];
                let hv: Vec<Vec<f64>> = (0..n)
                    .map(|i| (0..n).map(|j| (0..n).map(|k| h[i][k] * v(k, j)).sum()).collect())
                    .collect();
                let entry =
                    |i: usize, j: usize| (0..n).map(|k| v(k, i) * hv[k][j]).sum::<f64>() + rho * s[i] * s[j];
                h = (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect();
            }
            let found = pairs.direction(&now.gradient);
            let size = found.iter().fold(0.0, |most: f64, d| most.max(d.abs()));
            for (i, found) in found.iter().enumerate() {
                let wanted = -dot(&h[i], &now.gradient);
                assert!((found - wanted).abs() <= 1e-9 * size, "{found}, not {wanted}");
            }
            now = pairs.step(SEARCH, &mut point, now, rosenbrock).0;
        }
        assert_eq!(pairs.0.len(), HISTORY);
    }

    #[test]
    fn a_step_meets_the_strong_wolfe_conditions() {
        for cost in [rosenbrock, quadratic] {
            for rate in [1e-3, 1.0, 30.0] {
                let (mut pairs, mut point) = (Pairs::default(), vec![-1.2, 1.0, 3.0, -2.0, 0.0, 0.5]);
                let mut now = cost(&point);
                for _ in 0..10 {
                    let (before, direction) = (point.clone(), pairs.direction(&now.gradient));
                    let (reached, is_over) =
                        pairs.step(Search { rate, ..SEARCH }, &mut point, now.clone(), cost);
                    // Near the minimum costs differ by rounding alone.
                    if is_over || now.cost < 1e-12 {
                        break;
                    }
                    let moved = difference(&point, &before);
                    let length = dot(&moved, &direction) / dot(&direction, &direction);
                    let slope = dot(&now.gradient, &direction);
                    assert!(reached.cost <= now.cost + SUFFICIENT_FALL * length * slope, "{rate}");
                    assert!(
                        dot(&reached.gradient, &direction).abs() <= -CURVATURE * slope * 1.000_001,
                        "{rate}"
                    );
                    now = reached;
                }
            }
        }
    }
}
