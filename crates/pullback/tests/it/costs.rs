//! Every cost of the list: its value against a plain formula, its gradient against differences and forward mode.

use crate::operations::{DIFFERENCES, FORWARD, is_smooth};
use pullback::differentiate::check_gradients;
use pullback::execute::reference;
use pullback::graph::ops::Dice;
use pullback::graph::{Kind, NodeId};
use pullback::network::{Activation, Cost, Mode, Network, Takes};

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
        other => panic!("{other} needs its formula here"),
    }
}

fn targets(cost: Cost, dice: &mut Dice) -> Vec<f64> {
    let mut row = || match cost.takes() {
        Takes::Classes => {
            let class = dice.below(OUTPUTS);
            (0..OUTPUTS).map(|output| f64::from(u8::from(output == class))).collect()
        }
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
            if cost.get("difference").is_some() {
                cost.set("difference", dice.between(0.3, 1.5)).unwrap();
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
