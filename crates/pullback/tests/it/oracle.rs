//! Gradients of whole networks against numbers computed by PyTorch in f64 (oracle/networks.py).

use pullback::differentiate::reverse;
use pullback::execute::{Executor, Machine, reference};
use pullback::network::{Cost, Form, Layer, Mode, Network};
use pullback::plan::Plan;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Two implementations in f64 that sum in different orders agree to a few hundred roundings, relative
/// to the largest element (of the whole gradient: the bias before a batch norm has a gradient of zero,
/// up to rounding).
const TOLERANCE: f64 = 1e-10;

#[derive(Deserialize)]
struct Oracle {
    batch: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    network: Network,
    features: Vec<f64>,
    targets: Vec<f64>,
    parameters: BTreeMap<String, Vec<f64>>,
    output: Vec<f64>,
    data_cost: f64,
    cost: f64,
    gradients: BTreeMap<String, Vec<f64>>,
    running: BTreeMap<String, Vec<f64>>,
}

fn largest<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> f64 {
    numbers.into_iter().fold(0.0, |most, x| most.max(x.abs()))
}

fn check(what: &str, found: &[f64], expected: &[f64], size: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (x, y)) in found.iter().zip(expected).enumerate() {
        assert!((x - y).abs() <= TOLERANCE * size, "{what}[{at}]: {x} instead of {y}");
    }
}

/// All kinds of layers in a network.
fn kinds(network: &Network) -> Vec<&'static str> {
    fn of(layers: &[Layer]) -> Vec<&'static str> {
        layers.iter().flat_map(|layer| std::iter::once(layer.kind()).chain(of(layer.layers()))).collect()
    }
    network.named.iter().flat_map(|input| of(&input.layers)).chain(of(&network.layers)).collect()
}

#[test]
fn costs_and_gradients_agree_with_pytorch() {
    let oracle: Oracle = serde_json::from_str(include_str!("../oracle/networks.json")).unwrap();
    assert!(oracle.cases.len() >= 27);
    let kinds: BTreeSet<&str> = oracle.cases.iter().flat_map(|case| kinds(&case.network)).collect();
    assert_eq!(kinds, Layer::KINDS.iter().copied().collect(), "each layer has a network of PyTorch's");
    let costs: BTreeSet<&str> = oracle.cases.iter().map(|case| case.network.cost.name()).collect();
    assert_eq!(costs, Cost::NAMES.iter().copied().collect(), "each cost has a network of PyTorch's");
    // As they are, and less a background.
    for (case, background) in oracle.cases.iter().flat_map(|case| [(case, 0.0), (case, 0.7)]) {
        let has_codes = case.network.named.iter().any(|input| matches!(input.form, Form::Index(_)));
        if has_codes && background != 0.0 {
            continue;
        }
        let features: Vec<f64> = case.features.iter().map(|x| x - background).collect();
        let lowered = case.network.lower_less(oracle.batch, Mode::Training, background, false).unwrap();
        let specification = case.network.parameters().unwrap();
        let start = case.network.initialize::<f64>(0).unwrap();
        let parameters: Vec<Vec<f64>> = (specification.iter().zip(start))
            .map(|(parameter, start)| case.parameters.get(&parameter.name).cloned().unwrap_or(start))
            .collect();
        let trained: Vec<usize> =
            (0..specification.len()).filter(|&at| specification[at].role.is_trained()).collect();
        assert_eq!(trained.len(), case.gradients.len(), "{}", case.name);
        let wrt: Vec<_> = trained.iter().map(|&at| lowered.parameters[at]).collect();
        let gradients = reverse(&lowered.graph, lowered.cost, &wrt).unwrap();
        let mut outputs = vec![lowered.output, lowered.data_cost, lowered.cost];
        outputs.extend(&gradients.nodes);
        outputs.extend(lowered.statistics.iter().map(|(_, node)| node));

        let mut executor = Executor::new(Plan::new(&gradients.graph, &outputs), &Machine::with_threads(1));
        for (at, input) in lowered.inputs.iter().enumerate() {
            executor.input_mut(input.place).copy_from_slice(&lowered.columns(&features, at));
        }
        executor.input_mut(lowered.targets).copy_from_slice(&case.targets);
        executor.run(&parameters);
        let mut given = vec![Vec::new(); gradients.graph.nodes().len()];
        for (at, input) in lowered.inputs.iter().enumerate() {
            given[gradients.graph.find(&input.name).unwrap().index()] = lowered.columns(&features, at);
        }
        given[gradients.graph.find("targets").unwrap().index()] = case.targets.clone();
        for (node, values) in lowered.parameters.iter().zip(&parameters) {
            given[node.index()] = values.clone();
        }
        let plain = reference(&gradients.graph, &given);

        for (way, value) in [("executor", None), ("reference", Some(&plain))] {
            let output = |at: usize| match value {
                None => executor.output(at),
                Some(values) => &values[outputs[at].index()],
            };
            let what = |part: &str| format!("{}: {part} by the {way}", case.name);
            check(&what("output"), output(0), &case.output, largest(&case.output));
            check(&what("data cost"), output(1), &[case.data_cost], case.data_cost);
            check(&what("cost"), output(2), &[case.cost], case.cost);
            let size = largest(case.gradients.values().flatten());
            for (position, &at) in trained.iter().enumerate() {
                let name = &specification[at].name;
                check(&what(name), output(3 + position), &case.gradients[name], size);
            }
            for (position, (at, _)) in lowered.statistics.iter().enumerate() {
                let name = &specification[*at].name;
                check(
                    &what(name),
                    output(3 + trained.len() + position),
                    &case.running[name],
                    largest(&case.running[name]),
                );
            }
        }
    }
}
