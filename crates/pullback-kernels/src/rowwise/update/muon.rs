//! Muon.

use super::Adam;
use super::rule::{MOST_STATES, Product, Rule};
use crate::{Isa, Operand, Real, dot, map_in_place, zip_in_place};

/// Muon (Jordan et al., 2024), as PyTorch writes it: the momentum of a matrix of weights, made orthogonal.
/// `v = momentum * v + (1 - momentum) * g; u = momentum * v + (1 - momentum) * g;`
/// `w = keep * w - rate * orthogonal(u)`.
///
/// What is no matrix of weights (biases, scales, shifts) is changed by Adam, as in the reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Muon<T> {
    /// What changes the rest.
    pub adam: Adam<T>,
    /// The factor of the step. It is multiplied by `0.2 * sqrt(max(rows, columns))`, so that a step is as large as one
    /// of AdamW, and one learning rate fits both (Liu et al., 2025, equation 4).
    pub learning_rate: T,
    /// What is left of the velocity after a step, in [0, 1).
    pub momentum: T,
    /// What is left of a weight after decay: `1 - learning_rate * weight_decay`.
    pub keep: T,
}

/// The coefficients of a quintic whose iteration brings all singular values near 1 (Jordan et al., 2024).
const COEFFICIENTS: [f64; 3] = [3.4445, -4.7750, 2.0315];
/// How often it is applied.
const ITERATIONS: usize = 5;
/// Keeps the norm of a zero gradient from dividing by zero.
const LEAST_NORM: f64 = 1e-7;
/// The root of a mean square of AdamW's steps, in learning rates.
const ROOT_MEAN_SQUARE: f64 = 0.2;

impl<T: Real> Rule<T> for Muon<T> {
    fn update(&self, isa: Isa, g: &[T], arrays: [&mut [T]; 1 + MOST_STATES]) {
        Rule::update(&self.adam, isa, g, arrays);
    }

    fn update_matrix(
        &self,
        [rows, columns]: [usize; 2],
        g: &[T],
        [w, v, ..]: [&mut [T]; 1 + MOST_STATES],
        scratch: &mut Vec<T>,
        isa: Isa,
        product: Product<'_, T>,
    ) {
        let (short, size) = (rows.min(columns), rows * columns);
        assert!(w.len() == size && v.len() == size && g.len() == size, "lengths of a step");
        let needed = 2 * size + 2 * short * short;
        if scratch.len() < needed {
            scratch.resize(needed, T::ZERO);
        }
        let (x, rest) = scratch[..needed].split_at_mut(size);
        let (next, rest) = rest.split_at_mut(size);
        let (gram, polynomial) = rest.split_at_mut(short * short);
        let momentum = self.momentum;
        mean(isa, v, g, momentum);
        x.copy_from_slice(v);
        mean(isa, x, g, momentum);
        orthogonalize([rows, columns], x, [next, gram, polynomial], isa, product);
        let size = ROOT_MEAN_SQUARE * (rows.max(columns) as f64).sqrt();
        let (rate, keep) = (self.learning_rate * T::from_f64(size), self.keep);
        zip_in_place(
            isa,
            w,
            x,
            #[inline(always)]
            move |w, x| keep.mul_add(w, -(rate * x)),
        );
    }
}

/// Moves a mean towards `g`: `v = momentum * v + (1 - momentum) * g`.
fn mean<T: Real>(isa: Isa, v: &mut [T], g: &[T], momentum: T) {
    zip_in_place(
        isa,
        v,
        g,
        #[inline(always)]
        move |v, g| momentum.mul_add(v, (T::ONE - momentum) * g).settled(),
    );
}

/// Brings the singular values of `x` near 1, by Newton and Schulz's iteration with a quintic:
/// `x = a x + (b x x^T + c (x x^T)^2) x` for a wide matrix, with `x^T x` behind x for a tall one.
fn orthogonalize<T: Real>(
    [rows, columns]: [usize; 2],
    x: &mut [T],
    [next, gram, polynomial]: [&mut [T]; 3],
    isa: Isa,
    product: Product<'_, T>,
) {
    let [a, b, c] = COEFFICIENTS.map(T::from_f64);
    let norm = dot(isa, x, x).sqrt().max(T::from_f64(LEAST_NORM));
    map_in_place(
        isa,
        x,
        #[inline(always)]
        |x| x / norm,
    );
    let is_wide = rows <= columns;
    let short = rows.min(columns);
    for _ in 0..ITERATIONS {
        let matrix = Operand::new(x, rows, columns);
        let (left, right) =
            if is_wide { (matrix, matrix.transposed()) } else { (matrix.transposed(), matrix) };
        product(left, right, gram);
        let square = Operand::new(gram, short, short);
        product(square, square, polynomial);
        zip_in_place(
            isa,
            polynomial,
            gram,
            #[inline(always)]
            move |square, gram| b.mul_add(gram, c * square),
        );
        let polynomial = Operand::new(polynomial, short, short);
        let (left, right) = if is_wide { (polynomial, matrix) } else { (matrix, polynomial) };
        product(left, right, next);
        zip_in_place(
            isa,
            x,
            next,
            #[inline(always)]
            move |x, next| a.mul_add(x, next),
        );
    }
}
