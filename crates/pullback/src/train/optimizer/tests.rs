//! Every optimizer over several steps: against PyTorch's numbers, against formulas written out in plain f64, and bit
//! for bit on every instruction set.

#![allow(clippy::disallowed_methods, reason = "compared within a tolerance, or numbers that may be any")]

use super::{At, Optimizer};
use pullback_kernels::update::{AnyRule, MOST_STATES, Product, Rule};
use pullback_kernels::{Isa, Real, Start, Workspace, product_with};

/// Between our numbers and the same formulas in another order: a few roundings of f64 in each of the steps.
const TOLERANCE: f64 = 1e-13;
/// Muon's iteration multiplies them.
const WHOLE_TOLERANCE: f64 = 1e-11;

/// The names of those whose steps the gradient decides.
fn by_gradient() -> impl Iterator<Item = &'static &'static str> {
    Optimizer::NAMES.iter().filter(|name| !Optimizer::from_name(name).unwrap().is_searching())
}

/// A parameter with what an optimizer keeps for it.
struct Parameter<T> {
    shape: [usize; 2],
    numbers: Vec<T>,
    states: [Vec<T>; MOST_STATES],
    scratch: Vec<T>,
}

impl<T: Real> Parameter<T> {
    fn new(optimizer: Optimizer, shape: [usize; 2], numbers: &[f64]) -> Self {
        let kept = |state: usize| vec![T::ZERO; if state < optimizer.states() { numbers.len() } else { 0 }];
        let numbers = numbers.iter().map(|&x| T::from_f64(x)).collect();
        Self { shape, numbers, states: std::array::from_fn(kept), scratch: Vec::new() }
    }

    fn step(&mut self, rule: &AnyRule<T>, gradient: &[f64], is_matrix: bool, workspace: &mut Workspace) {
        let gradient: Vec<T> = gradient.iter().map(|&x| T::from_f64(x)).collect();
        let [first, second, third] = &mut self.states;
        let arrays = [&mut self.numbers[..], first, second, third];
        if is_matrix {
            let isa = workspace.isa();
            let product: Product<'_, T> = &mut |left, right, output| {
                product_with(left, right, output, Start::Zero, |_, _| (), workspace);
            };
            rule.update_matrix(self.shape, &gradient, arrays, &mut self.scratch, isa, product);
        } else {
            rule.update(workspace.isa(), &gradient, arrays);
        }
    }
}

/// The parameter after each step.
fn train<T: Real>(
    optimizer: Optimizer,
    at: At,
    shape: [usize; 2],
    start: &[f64],
    gradients: &[Vec<f64>],
    workspace: &mut Workspace,
) -> Vec<Vec<T>> {
    let mut parameter = Parameter::<T>::new(optimizer, shape, start);
    (1..)
        .zip(gradients)
        .map(|(step, gradient)| {
            let is_matrix = at.decays && !optimizer.is_piecewise();
            parameter.step(&optimizer.rule(At { step, ..at }).unwrap(), gradient, is_matrix, workspace);
            parameter.numbers.clone()
        })
        .collect()
}

fn assert_near(name: &str, found: &[Vec<f64>], wanted: &[Vec<f64>], tolerance: f64) {
    for (step, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        for (at, (found, wanted)) in found.iter().zip(wanted).enumerate() {
            let error = (found - wanted).abs();
            assert!(
                error <= tolerance * wanted.abs().max(1.0),
                "{name}, step {}, {at}: {found}, not {wanted}",
                step + 1
            );
        }
    }
}

/// Numbers that PyTorch made, with `tests/oracle/optimizers.py`.
#[derive(serde::Deserialize)]
struct Oracle {
    shape: [usize; 2],
    rate: f64,
    start: Vec<f64>,
    gradients: Vec<Vec<f64>>,
    after: std::collections::BTreeMap<String, Vec<Vec<f64>>>,
}

fn oracle() -> Oracle {
    serde_json::from_str(include_str!("../../../tests/oracle/optimizers.json")).unwrap()
}

#[test]
fn steps_are_those_of_pytorch() {
    let Oracle { shape, rate, start, gradients, after } = oracle();
    let mut workspace = Workspace::new(Isa::best(), 1);
    for (name, wanted) in &after {
        let optimizer = Optimizer::from_name(name).unwrap();
        let at = At { rate, step: 1, decays: true };
        let found = train::<f64>(optimizer, at, shape, &start, &gradients, &mut workspace);
        let tolerance = if optimizer.is_piecewise() { TOLERANCE } else { WHOLE_TOLERANCE };
        assert_near(name, &found, wanted, tolerance);
    }
    let missing: Vec<_> = by_gradient().filter(|name| !after.contains_key(**name)).collect();
    assert_eq!(missing, [&"lion"], "PyTorch has all others");
}

/// One weight's new value, by the formulas of the papers, without a look at the kernels. `kept` is what is kept, all
/// zero at the start.
fn plain(optimizer: Optimizer, at: At, w: f64, g: f64, kept: &mut [f64; 3]) -> f64 {
    let (rate, step) = (at.rate, at.step as i32);
    let mean = |old: f64, share: f64, new: f64| share * old + (1.0 - share) * new;
    match optimizer {
        Optimizer::Sgd => w - rate * g,
        Optimizer::Momentum { momentum } => {
            kept[0] = momentum * kept[0] + g;
            w - rate * kept[0]
        }
        Optimizer::Nesterov { momentum } => {
            kept[0] = momentum * kept[0] + g;
            w - rate * (g + momentum * kept[0])
        }
        Optimizer::Adam { beta_1, beta_2, epsilon } | Optimizer::AdamW { beta_1, beta_2, epsilon, .. } => {
            *kept = [mean(kept[0], beta_1, g), mean(kept[1], beta_2, g * g), 0.0];
            let (m, v) = (kept[0] / (1.0 - beta_1.powi(step)), kept[1] / (1.0 - beta_2.powi(step)));
            let decay = optimizer.get("weight_decay").filter(|_| at.decays).unwrap_or(0.0);
            w - rate * decay * w - rate * m / (v.sqrt() + epsilon)
        }
        Optimizer::RmsProp { decay, epsilon } => {
            kept[0] = mean(kept[0], decay, g * g);
            w - rate * g / (kept[0].sqrt() + epsilon)
        }
        Optimizer::AdaGrad { epsilon } => {
            kept[0] += g * g;
            w - rate * g / (kept[0].sqrt() + epsilon)
        }
        Optimizer::Adamax { beta_1, beta_2, epsilon } => {
            *kept = [mean(kept[0], beta_1, g), f64::max(beta_2 * kept[1], g.abs() + epsilon), 0.0];
            w - rate / (1.0 - beta_1.powi(step)) * kept[0] / kept[1]
        }
        Optimizer::Nadam { beta_1, beta_2, epsilon, momentum_decay } => {
            *kept = [mean(kept[0], beta_1, g), mean(kept[1], beta_2, g * g), 0.0];
            let momentum = |step: i32| beta_1 * (1.0 - 0.5 * 0.96_f64.powf(f64::from(step) * momentum_decay));
            let product = |last: i32| (1..=last).map(momentum).product::<f64>();
            let m = (1.0 - momentum(step)) * g / (1.0 - product(step))
                + momentum(step + 1) * kept[0] / (1.0 - product(step + 1));
            w - rate * m / ((kept[1] / (1.0 - beta_2.powi(step))).sqrt() + epsilon)
        }
        Optimizer::AmsGrad { beta_1, beta_2, epsilon } => {
            *kept = [mean(kept[0], beta_1, g), mean(kept[1], beta_2, g * g), kept[2]];
            kept[2] = f64::max(kept[2], kept[1]);
            let v = kept[2] / (1.0 - beta_2.powi(step));
            w - rate * kept[0] / (1.0 - beta_1.powi(step)) / (v.sqrt() + epsilon)
        }
        Optimizer::Lion { beta_1, beta_2, weight_decay } => {
            let c = mean(kept[0], beta_1, g);
            kept[0] = mean(kept[0], beta_2, g);
            let direction = if c == 0.0 { 0.0 } else { c.signum() };
            w - rate * (direction + if at.decays { weight_decay * w } else { 0.0 })
        }
        // What is no matrix of weights.
        Optimizer::Muon { .. } => plain(Optimizer::default(), at, w, g, kept),
        Optimizer::Lbfgs { .. } => unreachable!("the gradient alone does not decide its steps"),
    }
}

#[test]
fn steps_are_those_of_the_formulas() {
    let Oracle { start, mut gradients, .. } = oracle();
    // Two more, the last one of zeros: what is remembered still moves the weights.
    gradients.push(gradients[0].iter().map(|g| -3.0 * g).collect());
    gradients.push(vec![0.0; start.len()]);
    let mut workspace = Workspace::new(Isa::best(), 1);
    for name in by_gradient() {
        for decays in [false, true] {
            let mut optimizer = Optimizer::from_name(name).unwrap();
            // Large, so that epsilon and decay count.
            for (field, value) in [("epsilon", 0.03), ("weight_decay", 0.3), ("momentum_decay", 0.4)] {
                if optimizer.get(field).is_some() && *name != "muon" {
                    optimizer.set(field, value).unwrap();
                }
            }
            if decays && !optimizer.is_piecewise() {
                continue;
            }
            let at = At { rate: 0.05, step: 1, decays };
            let found = train::<f64>(optimizer, at, [start.len(), 1], &start, &gradients, &mut workspace);
            let mut weights = start.clone();
            let mut kept = vec![[0.0; 3]; start.len()];
            let wanted: Vec<Vec<f64>> = (1..)
                .zip(&gradients)
                .map(|(step, gradient)| {
                    for ((w, g), kept) in weights.iter_mut().zip(gradient).zip(&mut kept) {
                        *w = plain(optimizer, At { step, ..at }, *w, *g, kept);
                    }
                    weights.clone()
                })
                .collect();
            assert_near(&format!("{name}, decays {decays}"), &found, &wanted, TOLERANCE);
        }
    }
}

#[test]
fn a_step_is_the_same_on_every_instruction_set_and_any_number_of_threads() {
    fn check<T: Real>() {
        for name in by_gradient() {
            let optimizer = Optimizer::from_name(name).unwrap();
            for shape in [[1, 1], [7, 13], [67, 31]] {
                let elements = shape[0] * shape[1];
                let numbers = |salt: usize| -> Vec<f64> {
                    (0..elements).map(|at| ((at * 31 + salt * 17) as f64 * 0.7).sin()).collect()
                };
                let (start, gradients) = (numbers(0), vec![numbers(1), numbers(2), numbers(3)]);
                let at = At { rate: 0.01, step: 1, decays: true };
                let run = |isa: Isa, threads: usize| {
                    let mut workspace = Workspace::new(isa, threads);
                    train::<T>(optimizer, at, shape, &start, &gradients, &mut workspace)
                };
                let portable = run(Isa::portable(), 1);
                for isa in Isa::available() {
                    for threads in [1, 3] {
                        let is_same = run(isa, threads) == portable;
                        assert!(is_same, "{name} {shape:?} on {} and {threads} threads", isa.name());
                    }
                }
                assert!(portable[2].iter().all(|x| x.is_finite()), "{name} {shape:?}");
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// At any step, also where the product of all momenta has become too small to matter.
#[test]
fn nadam_knows_its_momenta_at_a_late_step() {
    let mut workspace = Workspace::new(Isa::best(), 1);
    let optimizer = Optimizer::from_name("nadam").unwrap();
    for step in [1, 2, 30, 100, 130, 200, 400, 1000] {
        let at = At { rate: 0.05, step, decays: false };
        let mut parameter = Parameter::<f64>::new(optimizer, [1, 1], &[0.5]);
        parameter.step(&optimizer.rule(at).unwrap(), &[0.7], false, &mut workspace);
        let wanted = plain(optimizer, at, 0.5, 0.7, &mut [0.0; 3]);
        assert!(
            (parameter.numbers[0] - wanted).abs() < TOLERANCE,
            "step {step}: {:?} {wanted}",
            parameter.numbers
        );
    }
}

/// Numbers below the normal ones take many times as long.
#[test]
fn means_that_only_decay_come_to_zero_and_are_never_subnormal() {
    let mut workspace = Workspace::new(Isa::best(), 1);
    for name in by_gradient() {
        let mut optimizer = Optimizer::from_name(name).unwrap();
        // Its only state is a sum, which does not decay.
        if optimizer.states() == 0 || *name == "adagrad" {
            continue;
        }
        if *name == "lion" {
            optimizer.set("beta_2", 0.9).unwrap();
        }
        let mut parameter = Parameter::<f32>::new(optimizer, [2, 2], &[1.0; 4]);
        for setting in ["decay", "beta_2"] {
            // Squares decay slowly, unless they are told to.
            if optimizer.get(setting).is_some() && *name != "lion" {
                optimizer.set(setting, 0.9).unwrap();
            }
        }
        for step in 1..=2000 {
            let gradient = if step == 1 { [1.0, -2.0, 3e-4, 50.0] } else { [0.0; 4] };
            let rule = optimizer.rule(At { rate: 1e-3, step, decays: true }).unwrap();
            parameter.step(&rule, &gradient, !optimizer.is_piecewise(), &mut workspace);
            let is_subnormal = parameter.states.iter().flatten().any(|m| m.is_subnormal());
            assert!(!is_subnormal, "{name}, step {step}");
        }
        assert_eq!(parameter.states[0], [0.0; 4], "{name}");
    }
}

/// Else a run that diverged would go on as if nothing had happened.
#[test]
fn a_gradient_that_is_no_number_leaves_no_weight_as_it_was() {
    let mut workspace = Workspace::new(Isa::best(), 1);
    for name in by_gradient() {
        let optimizer = Optimizer::from_name(name).unwrap();
        let mut parameter = Parameter::<f32>::new(optimizer, [2, 2], &[1.0; 4]);
        let rule = optimizer.rule(At { rate: 1e-3, step: 1, decays: true }).unwrap();
        parameter.step(&rule, &[f64::NAN; 4], !optimizer.is_piecewise(), &mut workspace);
        assert!(parameter.numbers.iter().all(|w| w.is_nan()), "{name}: {:?}", parameter.numbers);
    }
}

#[test]
fn muon_makes_steps_orthogonal_whichever_side_is_longer() {
    let at = At { rate: 1.0, step: 1, decays: true };
    let optimizer = Optimizer::Muon { momentum: 0.95, weight_decay: 0.0 };
    for [rows, columns] in [[4, 9], [9, 4], [6, 6]] {
        let gradient: Vec<f64> = (0..rows * columns).map(|at| (at as f64 * at as f64 * 0.37).cos()).collect();
        let start = vec![0.0; rows * columns];
        let mut workspace = Workspace::new(Isa::best(), 1);
        let step = &train::<f64>(optimizer, at, [rows, columns], &start, &[gradient], &mut workspace)[0];
        // The sum of squares of its singular values, which are near 1, a scale aside.
        let scale = 0.2 * (rows.max(columns) as f64).sqrt();
        let squares = step.iter().map(|x| x * x).sum::<f64>() / (scale * scale);
        let short = rows.min(columns) as f64;
        assert!((0.4 * short..1.6 * short).contains(&squares), "{rows} x {columns}: {squares}");
    }
}
