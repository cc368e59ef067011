//! Every cost of the list: its value against a plain formula, its gradient against differences and forward mode.

use crate::operations::{DIFFERENCES, FORWARD, is_smooth};
use pullback::choice::{Bound, Choices};
use pullback::data::{
    Column, DataOptions, Dataset, Features, Preprocessing, Table, TargetScaling, Targets, Task, Values,
};
use pullback::differentiate::check_gradients;
use pullback::execute::reference;
use pullback::graph::ops::Dice;
use pullback::graph::{Kind, NodeId};
use pullback::job::{Job, Settings};
use pullback::network::{Activation, Cost, Mode, Network, Takes};
use pullback::train::{Machine, Silent, evaluate};

const BATCH: usize = 3;
const OUTPUTS: usize = 4;
/// A sum of a few numbers, each rounded.
const ROUNDING: f64 = 1e-13;

/// The cost of one example, from its outputs and targets.
#[allow(clippy::disallowed_methods, reason = "compared within a tolerance")]
fn formula(cost: Cost, a: &[f64], t: &[f64]) -> f64 {
    let sum = |each: &dyn Fn(f64, f64) -> f64| a.iter().zip(t).map(|(a, t)| each(*a, *t)).sum::<f64>();
    match cost.name() {
        "softmax_cross_entropy" => {
            let all = a.iter().map(|a| a.exp()).sum::<f64>().ln();
            sum(&|a, t| -t * (a - all))
        }
        "sigmoid_cross_entropy" => {
            let p = |a: f64| 1.0 / (1.0 + (-a).exp());
            sum(&|a, t| -t * p(a).ln() - (1.0 - t) * (1.0 - p(a)).ln())
        }
        "squared_error" => sum(&|a, t| (a - t) * (a - t) / 2.0),
        "absolute_error" => sum(&|a, t| (a - t).abs()),
        "huber" => {
            let difference = cost.get("difference").unwrap();
            sum(&|a, t| match (a - t).abs() {
                off if off <= difference => off * off / 2.0,
                off => difference * (off - difference / 2.0),
            })
        }
        "quantile" => {
            let tau = cost.get("tau").unwrap();
            sum(&|a, t| if a < t { tau * (t - a) } else { (1.0 - tau) * (a - t) })
        }
        "poisson" => sum(&|z, t| z.exp() - t * z),
        "gamma" => sum(&|z, t| z + t / z.exp()),
        "tweedie" => {
            let p = cost.get("power").unwrap();
            sum(&|z, t| z.exp().powf(2.0 - p) / (2.0 - p) - t * z.exp().powf(1.0 - p) / (1.0 - p))
        }
        "smoothed_cross_entropy" => {
            let smoothing = cost.get("smoothing").unwrap();
            let all = a.iter().map(|a| a.exp()).sum::<f64>().ln();
            sum(&|a, t| -((1.0 - smoothing) * t + smoothing / OUTPUTS as f64) * (a - all))
        }
        "focal" => {
            let gamma = cost.get("gamma").unwrap();
            let p = |a: f64| 1.0 / (1.0 + (-a).exp());
            sum(&|a, t| {
                let right = t * p(a) + (1.0 - t) * (1.0 - p(a));
                -(1.0 - right).powf(gamma) * right.ln()
            })
        }
        other => panic!("{other} needs its formula here"),
    }
}

fn targets(cost: Cost, dice: &mut Dice) -> Vec<f64> {
    let mut row = || match cost.takes() {
        Takes::Classes => {
            let class = dice.below(OUTPUTS);
            (0..OUTPUTS).map(|output| f64::from(u8::from(output == class))).collect()
        }
        Takes::NotNegative => (0..OUTPUTS).map(|_| dice.below(4) as f64).collect(),
        Takes::Positive => (0..OUTPUTS).map(|_| dice.between(0.1, 3.0)).collect(),
        Takes::YesOrNo => (0..OUTPUTS).map(|_| f64::from(u8::from(dice.coin()))).collect(),
        _ => (0..OUTPUTS).map(|_| dice.between(-2.0, 2.0)).collect::<Vec<f64>>(),
    };
    (0..BATCH).flat_map(|_| row()).collect()
}

#[test]
fn every_cost_has_the_value_of_its_formula_and_the_gradient_of_differences() {
    for name in Cost::NAMES {
        let mut checked = 0;
        for seed in 0..20 {
            let mut dice = Dice::new(seed);
            let mut cost = Cost::from_name(name).unwrap();
            for field in cost.item().fields {
                let (low, high) = match field.bound {
                    Bound::BetweenOneAndTwo => (1.1, 1.9),
                    Bound::Inside | Bound::Share => (0.1, 0.9),
                    _ => (0.3, 1.5),
                };
                cost.set(field.name, dice.between(low, high)).unwrap();
            }
            let network = Network::dense(3, &[], OUTPUTS, Activation::Identity, cost);
            let lowered = network.lower(BATCH, Mode::Training).unwrap();
            let values: Vec<Vec<f64>> = (lowered.graph.nodes().iter())
                .map(|node| match &node.kind {
                    Kind::Input(name) if name == "targets" => targets(cost, &mut dice),
                    Kind::Input(_) | Kind::Parameter(_) => {
                        (0..node.shape.elements()).map(|_| dice.between(-1.0, 1.0)).collect()
                    }
                    _ => Vec::new(),
                })
                .collect();
            let all = reference(&lowered.graph, &values);
            let of = |id: NodeId| &all[id.index()];
            let [x, w, b] = [
                lowered.graph.find(&lowered.inputs[0].name).unwrap(),
                lowered.parameters[0],
                lowered.parameters[1],
            ];
            let given = lowered.graph.find("targets").unwrap();
            let rows = of(x).chunks(3).zip(of(given).chunks(OUTPUTS));
            let mean = rows
                .map(|(x, t)| {
                    let z: Vec<f64> = (of(w).chunks(3).zip(of(b)))
                        .map(|(w, b)| b + w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>())
                        .collect();
                    formula(cost, &z, t)
                })
                .sum::<f64>()
                / BATCH as f64;
            assert!(
                (of(lowered.cost)[0] - mean).abs() < ROUNDING,
                "{cost}: {} for {mean}",
                of(lowered.cost)[0]
            );
            if is_smooth(&lowered.graph, lowered.cost, &lowered.parameters, &values) {
                let check =
                    check_gradients(&lowered.graph, lowered.cost, &lowered.parameters, &values, reference)
                        .unwrap();
                assert!(check.differences < DIFFERENCES && check.forward < FORWARD, "{cost}: {check:?}");
                checked += 1;
            }
        }
        assert!(checked >= 5, "{name}: only {checked} cases were smooth enough to be checked");
    }
}

/// What a network without inputs that matter learns to predict for two groups of rows, in the targets' own units.
fn learned(cost: &str, targets: &[[f64; 6]; 2], weights: Option<&[f64; 6]>) -> [f64; 2] {
    let column = |name: &str, numbers: Vec<f64>| Column::new(name, Values::Numbers(numbers));
    let mut columns = vec![
        column("x", (0..12).map(|row| f64::from(u8::from(row >= 6))).collect()),
        column("y", targets.concat()),
    ];
    columns.extend(weights.map(|weights| column("w", [*weights; 2].concat())));
    let mut settings = Settings::default();
    let told = [
        ("target", "y"),
        ("cost", cost),
        ("hidden", "none"),
        ("epochs", "4000"),
        ("batch", "full"),
        ("learning_rate", "0.02"),
        ("test", "0"),
        ("task", "regression"),
        ("ensemble", "1"),
    ];
    for (name, value) in told.into_iter().chain(weights.map(|_| ("weights", "w"))) {
        settings.set(name, value).unwrap();
    }
    let table = Table::new("counts", columns).unwrap();
    let decided = Job::new(settings, table.clone()).decide().unwrap();
    let fitted = decided.run(&Machine::with_threads(1), &mut Silent).unwrap();
    let prediction = fitted.model.predict(&table, &Machine::with_threads(1)).unwrap();
    [prediction.numbers[0], prediction.numbers[6]]
}

const TARGETS: [[f64; 6]; 2] = [[3.0, 1.0, 7.0, 4.0, 2.0, 10.0], [90.0, 150.0, 30.0, 60.0, 120.0, 200.0]];
const WEIGHTS: [f64; 6] = [2.0, 0.0, 1.0, 0.5, 3.0, 1.0];

#[test]
fn a_log_link_predicts_the_mean_of_each_group_in_its_own_units() {
    for cost in ["poisson", "gamma", "tweedie", "tweedie:1.1"] {
        for weights in [None, Some(&WEIGHTS)] {
            let found = learned(cost, &TARGETS, weights);
            for (found, targets) in found.iter().zip(&TARGETS) {
                let weights = weights.unwrap_or(&[1.0; 6]);
                let sum: f64 = targets.iter().zip(weights).map(|(target, weight)| target * weight).sum();
                let mean = sum / weights.iter().sum::<f64>();
                assert!((found / mean - 1.0).abs() < 2e-3, "{cost}: {found} for {mean}");
            }
        }
    }
}

#[test]
fn a_quantile_is_between_the_targets_that_it_parts() {
    // 0.7 of 6 targets are 4.2: the fifth in order.
    let targets = [TARGETS[0], TARGETS[0].map(|target| 10.0 * target)];
    let found = learned("quantile:tau=0.7", &targets, None);
    for (found, quantile) in found.into_iter().zip([7.0, 70.0]) {
        assert!((found / quantile - 1.0).abs() < 0.05, "{found} for {quantile}");
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "compared within a tolerance")]
fn costs_with_a_log_link_are_half_the_deviance_but_for_what_depends_on_the_target_alone() {
    // mean_poisson_deviance, mean_gamma_deviance, mean_tweedie_deviance(power=1.5) of scikit-learn 1.9.1, of one row:
    // ([3.0], [1.7]), ([0.4], [2.5]).
    let of = |cost: Cost, z: f64, target: f64| {
        let network = Network::dense(1, &[], 1, Activation::Identity, cost);
        let data =
            Dataset::new(Features::dense(vec![0.0], 1).unwrap(), Targets::values(vec![target], 1).unwrap())
                .unwrap();
        let parameters = [vec![0.0], vec![z]];
        evaluate(&network, &parameters, &data, &[0], &Machine::with_threads(1)).unwrap().cost
    };
    for (cost, deviances) in [
        (Cost::Poisson, [0.8079042256356357, 2.7339348290013517]),
        (Cost::Gamma, [0.39344368949400366, 1.9851629274966203]),
        (Cost::Tweedie(1.5), [0.5625353297795463, 2.2768399153212338]),
    ] {
        for ((target, mean), deviance) in [(3.0_f64, 1.7_f64), (0.4, 2.5)].into_iter().zip(deviances) {
            let found = 2.0 * (of(cost, mean.ln(), target) - of(cost, target.ln(), target));
            assert!((found - deviance).abs() < 1e-12, "{cost}: {found} for {deviance}");
        }
    }
}

#[test]
fn targets_are_those_that_the_cost_takes() {
    let data = |targets: &[f32]| {
        let features = Features::dense(vec![0.5; targets.len()], 1).unwrap();
        Dataset::new(features, Targets::values(targets.to_vec(), 1).unwrap()).unwrap()
    };
    let evaluated = |cost: Cost, targets: &[f32]| {
        let network = Network::dense(1, &[], 1, Activation::Identity, cost);
        let (parameters, data) = (network.initialize(0).unwrap(), data(targets));
        evaluate(&network, &parameters, &data, &[0], &Machine::with_threads(1))
            .map(|_| ())
            .map_err(|e| e.one_line())
    };
    assert!(evaluated(Cost::Poisson, &[1.0, 0.0, 2.5]).is_ok());
    assert!(evaluated(Cost::Tweedie(1.5), &[0.0]).is_ok());
    assert!(evaluated(Cost::SquaredError, &[-1.0]).is_ok());
    for (cost, wrong, takes) in [
        (Cost::Poisson, -1.0, "numbers from 0 on"),
        (Cost::Tweedie(1.5), -0.5, "numbers from 0 on"),
        (Cost::Gamma, 0.0, "positive numbers"),
    ] {
        let message = evaluated(cost, &[1.0, wrong]).unwrap_err();
        assert!(message.contains("row 2") && message.contains(takes), "{message}");
    }
}

#[test]
fn targets_are_divided_by_their_mean_where_that_is_a_scale() {
    let scaled = |numbers: [f64; 3], target_scaling| {
        let column = |name: &str, numbers: &[f64]| Column::new(name, Values::Numbers(numbers.to_vec()));
        let table = Table::new("t", vec![column("x", &[1.0, 2.0, 3.0]), column("y", &numbers)]).unwrap();
        let options = DataOptions {
            target: vec!["y".into()],
            task: Some(Task::Regression),
            target_scaling,
            ..DataOptions::default()
        };
        Preprocessing::fit(&table, &[0, 1], &options)
            .unwrap()
            .target()
            .apply::<f64>(&table)
            .unwrap()
            .to_dense()
    };
    assert_eq!(scaled([2.0, 6.0, 8.0], TargetScaling::Mean), [0.5, 1.5, 2.0]);
    assert_eq!(scaled([0.0, 0.0, 8.0], TargetScaling::Mean), [0.0, 0.0, 8.0]);
    assert_eq!(scaled([-3.0, 1.0, 8.0], TargetScaling::Mean), [-3.0, 1.0, 8.0]);
    assert_eq!(scaled([2.0, 6.0, 8.0], TargetScaling::None), [2.0, 6.0, 8.0]);
    assert_eq!(scaled([2.0, 6.0, 8.0], TargetScaling::Standardize), [-1.0, 1.0, 2.0]);
}
