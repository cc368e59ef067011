//! Every layer of the list, on random settings and examples: gradients, both modes, files, memory, plans and its place
//! on the page of `explain`.

use crate::operations::{DIFFERENCES, FORWARD, is_smooth};
use pullback::differentiate::{check_gradients, reverse};
use pullback::execute::{Executor, Machine, reference};
use pullback::explain::{Catalog, Drawings, LANGUAGES, Options, Trace, describe};
use pullback::graph::ops::Dice;
use pullback::graph::{Kind, NodeId};
use pullback::network::layers::{Embedding, LayerCase, Residual};
use pullback::network::{
    Activation, Cost, Form, Image, Index, Input, Layer, Lowered, Mode, Network, Sequence,
};
use pullback::plan::Plan;
use std::collections::HashMap;

const BATCH: usize = 3;
const CASES: u64 = 8;

/// The layer on what it reads, with outputs behind it and weights before it where they fit.
pub(crate) fn network(case: &LayerCase) -> Network {
    let form = case.reads;
    let named = vec![Input::new("x", form)];
    let mut network = Network::with_inputs(named, [case.layer.clone(), Layer::dense(2)], Cost::SquaredError);
    if let Form::Row(_) | Form::Image(_) = form {
        network.named.clear();
        if let Form::Image(image) = form {
            network.image = Some(image);
        }
    }
    if let Ok(Form::Sequence(_)) = network.forms().map(|forms| forms[1]) {
        network.layers.insert(1, Layer::from(pullback::network::layers::Flatten {}));
    }
    network
}

pub(crate) fn for_each_case(mut check: impl FnMut(&str, u64, LayerCase)) {
    for (index, kind) in Layer::KINDS.iter().enumerate() {
        for seed in 0..CASES {
            check(kind, seed, Layer::case(index, &mut Dice::new(seed)));
        }
    }
}

/// Numbers for each leaf of a graph; codes for inputs of codes.
fn values(network: &Network, lowered: &Lowered, seed: u64) -> Vec<Vec<f64>> {
    let mut dice = Dice::new(1000 + seed);
    let parameters: HashMap<String, Vec<f64>> = (network.parameters().unwrap().into_iter())
        .zip(network.initialize(seed).unwrap())
        .map(|(parameter, numbers)| (parameter.name, numbers))
        .collect();
    let draw = |dice: &mut Dice, count: usize| (0..count).map(|_| dice.between(-1.5, 1.5)).collect();
    (lowered.graph.nodes().iter())
        .map(|node| {
            let count = node.shape.elements();
            match &node.kind {
                Kind::Parameter(name) if name.ends_with("running_variance") => {
                    (0..count).map(|_| dice.between(0.5, 2.0)).collect()
                }
                // Away from zero, where all units are the same.
                Kind::Parameter(name) => {
                    parameters[name].iter().map(|x| x + dice.between(-0.3, 0.3)).collect()
                }
                Kind::Input(name) => match lowered.inputs.iter().find(|input| input.name == *name) {
                    Some(input) if matches!(input.form, Form::Index(_)) => {
                        let Form::Index(Index { levels, .. }) = input.form else { unreachable!() };
                        (0..count).map(|_| dice.below(levels) as f64).collect()
                    }
                    _ => draw(&mut dice, count),
                },
                _ => Vec::new(),
            }
        })
        .collect()
}

/// The trained parameters, and the inputs that are no codes.
fn smooth_leaves(network: &Network, lowered: &Lowered) -> Vec<NodeId> {
    let trained = (network.parameters().unwrap().iter().zip(&lowered.parameters))
        .filter(|(parameter, _)| parameter.role.is_trained())
        .map(|(_, &id)| id)
        .collect::<Vec<_>>();
    let inputs = lowered.inputs.iter().filter(|input| !matches!(input.form, Form::Index(_)));
    inputs.map(|input| lowered.graph.find(&input.name).unwrap()).chain(trained).collect()
}

#[test]
fn gradients_of_every_layer_agree_with_differences_and_forward_mode() {
    let mut checked: HashMap<String, usize> = HashMap::new();
    for_each_case(|kind, seed, case| {
        let network = network(&case);
        for mode in [Mode::Training, Mode::Evaluation] {
            let lowered = network.lower(BATCH, mode).unwrap();
            let wrt = smooth_leaves(&network, &lowered);
            let smooth = (0..10)
                .map(|attempt| values(&network, &lowered, seed + 100 * attempt))
                .find(|values| is_smooth(&lowered.graph, lowered.cost, &wrt, values));
            let Some(values) = smooth else { continue };
            let check = check_gradients(&lowered.graph, lowered.cost, &wrt, &values, reference).unwrap();
            assert!(check.differences < DIFFERENCES, "{kind}, seed {seed}, {mode:?}: {check:?}");
            assert!(check.forward < FORWARD * 10.0, "{kind}, seed {seed}, {mode:?}: {check:?}");
            *checked.entry(kind.to_owned()).or_default() += 1;
        }
    });
    for kind in Layer::KINDS {
        let count = checked.get(*kind).copied().unwrap_or(0);
        assert!(count >= 6, "{kind}: only {count} cases were smooth enough to be checked");
    }
}

#[test]
fn plans_of_every_layer_agree_with_the_reference_and_stay_within_the_memory_that_is_told() {
    for_each_case(|kind, seed, case| {
        let network = network(&case);
        for mode in [Mode::Training, Mode::Evaluation] {
            let lowered = network.lower(BATCH, mode).unwrap();
            let wrt = smooth_leaves(&network, &lowered);
            let gradients = reverse(&lowered.graph, lowered.cost, &wrt).unwrap();
            let mut outputs = vec![lowered.cost, lowered.prediction];
            outputs.extend(gradients.nodes.iter().filter(|&&id| gradients.graph.node(id).op().is_some()));
            let mut given = values(&network, &lowered, seed);
            let inputs: Vec<Vec<f64>> = (lowered.graph.ids())
                .filter(|&id| matches!(lowered.graph.node(id).kind, Kind::Input(_)))
                .map(|id| given[id.index()].clone())
                .collect();
            let parameters: Vec<Vec<f64>> =
                lowered.parameters.iter().map(|id| given[id.index()].clone()).collect();
            given.resize(gradients.graph.nodes().len(), Vec::new());
            let expected = reference(&gradients.graph, &given);
            let plan = Plan::new(&gradients.graph, &outputs);
            if mode == Mode::Training {
                let memory = network.memory(BATCH).unwrap();
                let all: usize = parameters.iter().map(Vec::len).sum();
                assert_eq!(memory.parameters, all as u64, "{kind}, seed {seed}");
                let bound = memory.parameters + 2 * memory.activations;
                let needed = plan.elements() as u64;
                assert!(needed <= bound, "{kind}, seed {seed}: {needed} numbers, {bound} were told");
            }
            let mut executor = Executor::new(plan, &Machine::with_threads(2));
            for (place, numbers) in inputs.iter().enumerate() {
                executor.input_mut(place).copy_from_slice(numbers);
            }
            executor.run(&parameters);
            for (position, id) in outputs.iter().enumerate() {
                let right = &expected[id.index()];
                let size = right.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
                for (x, y) in executor.output(position).iter().zip(right) {
                    assert!((x - y).abs() < 1e-12 * size, "{kind}, seed {seed}, {mode:?}: {x} for {y}");
                }
            }
        }
    });
}

#[test]
fn evaluation_needs_no_masks_and_moves_nothing() {
    for_each_case(|kind, _, case| {
        let lowered = network(&case).lower(BATCH, Mode::Evaluation).unwrap();
        assert!(lowered.masks.is_empty() && lowered.statistics.is_empty(), "{kind}");
        assert_eq!(lowered.targets, lowered.inputs.len());
    });
}

#[test]
fn every_layer_is_written_and_read_as_the_same() {
    for_each_case(|kind, seed, case| {
        let network = network(&case);
        let json = serde_json::to_string(&network).unwrap();
        let toml = toml::to_string(&network).unwrap();
        assert!(json.contains(&format!("{{\"kind\":\"{kind}\"")), "{json}");
        assert_eq!(case.layer.kind(), kind);
        assert_eq!(serde_json::from_str::<Network>(&json).unwrap(), network, "{kind}, seed {seed}");
        assert_eq!(toml::from_str::<Network>(&toml).unwrap(), network, "{kind}, seed {seed}\n{toml}");
        // An unknown setting is refused, by its name.
        let wrong =
            json.replacen(&format!("\"kind\":\"{kind}\""), &format!("\"kind\":\"{kind}\",\"typo\":1"), 1);
        let message = serde_json::from_str::<Network>(&wrong).unwrap_err().to_string();
        assert!(message.contains("typo"), "{kind}: {message}");
    });
}

#[test]
fn every_layer_has_a_name_in_explain_and_a_page_in_every_language_and_format() {
    for_each_case(|kind, seed, case| {
        if seed > 1 {
            return;
        }
        let network = network(&case);
        let lowered = network.lower(BATCH, Mode::Evaluation).unwrap();
        let given = values(&network, &lowered, seed);
        let widths: Vec<usize> = lowered.inputs.iter().map(|input| input.form.elements()).collect();
        let of_input =
            |input: usize| &given[lowered.graph.find(&lowered.inputs[input].name).unwrap().index()];
        let features: Vec<f64> = (0..BATCH)
            .flat_map(|row| {
                widths
                    .iter()
                    .enumerate()
                    .flat_map(move |(at, width)| (0..*width).map(move |x| (at, row * width + x)))
            })
            .map(|(input, at)| of_input(input)[at])
            .collect();
        let parameters: Vec<Vec<f64>> =
            lowered.parameters.iter().map(|id| given[id.index()].clone()).collect();
        let trace = Trace::new(&network, &parameters, &features, &[0.5; 2 * BATCH], BATCH).unwrap();
        let described = case.layer.describe();
        assert!(!described.is_empty());
        for (language, _) in LANGUAGES {
            let catalog = Catalog::find(language).unwrap();
            let described = catalog.described(&described);
            let page = describe(&trace, "title", &Options::default(), &catalog);
            for text in [page.text(80, false), page.markdown(), page.html(&Drawings::default())] {
                let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
                let told = described.replace('[', "\\[").replace(']', "\\]");
                assert!(flat.contains(&described) || flat.contains(&told), "{kind}, {language}: {text}");
                for (place, nodes) in trace.others() {
                    for id in nodes {
                        let label = trace.graph().label(id);
                        assert!(
                            flat.contains(&label),
                            "{kind}, {language}: {label} of layer {place}: {text}"
                        );
                    }
                }
            }
        }
    });
}

#[test]
fn what_is_wrong_is_refused_with_the_place_of_the_layer() {
    let check = |network: Network, parts: &[&str]| {
        let message = network.parameters().unwrap_err().one_line();
        assert_eq!(message, network.lower(2, Mode::Training).unwrap_err().one_line());
        for part in parts {
            assert!(message.contains(part), "`{part}` is not in: {message}");
        }
    };
    let cost = Cost::SquaredError;
    let row = |layers: Vec<Layer>| Network { layers, ..Network::dense(4, &[], 2, Activation::Relu, cost) };
    let named = |inputs: Vec<Input>, layers: Vec<Layer>| Network::with_inputs(inputs, layers, cost);
    let codes = |levels| Form::Index(Index { count: 2, levels });
    let words = || Input::new("words", codes(5));
    check(row(vec![]), &["no layers"]);
    check(row(vec![Layer::dense(3), Layer::dense(0)]), &["layer 1: a dense layer of 0 units"]);
    check(
        row(vec![Layer::residual([Layer::dense(4), Layer::dense(0)])]),
        &["layer 0.1: a dense layer of 0 units"],
    );
    check(
        row(vec![Layer::residual([Layer::dense(4), Layer::max_pool(2)])]),
        &["layer 0.1: max pool 2x2 needs an image"],
    );
    check(row(vec![Layer::residual([])]), &["layer 0: a residual block of 0 layers"]);
    check(row(vec![Layer::dropout(1.5)]), &["layer 0: the dropout rate is 1.5"]);
    check(
        row(vec![Layer::from(Embedding::new(3))]),
        &["layer 0: embedding 3 reads a row of 4 numbers, not codes"],
    );
    check(row(vec![Layer::dense(usize::MAX)]), &["layer 0: a dense layer of", "at most"]);
    check(
        row(vec![Layer::dense(1 << 30), Layer::dense(1 << 30)]),
        &["layers.1.weight", "1073741824, 1073741824", "smaller"],
    );
    let mut deep = Layer::dense(4);
    for _ in 0..1000 {
        deep = Residual { layers: vec![deep] }.into();
    }
    check(row(vec![deep]), &["layer 0: a residual block of more than 16"]);
    check(named(vec![words()], vec![Layer::dense(3)]), &["layer 0: dense 3 reads 2 codes below 5"]);
    check(
        named(vec![words(), Input::new("x", Form::Row(2))], vec![Layer::dense(3)]),
        &["input `words`", "embedding"],
    );
    check(named(vec![words(), words()], vec![Layer::dense(3)]), &["two inputs are named `words`"]);
    check(named(vec![Input::new("a.b", Form::Row(2))], vec![Layer::dense(3)]), &["`a.b`", "dot"]);
    check(named(vec![Input::new("x", codes(1 << 30))], vec![Layer::dense(3)]), &["input `x`", "levels"]);
    let own = words().with_layers([Layer::from(Embedding::new(0))]);
    check(named(vec![own], vec![Layer::dense(3)]), &["layer words.0: an embedding of 0 columns"]);
    let series = |length, width| Input::new("series", Form::Sequence(Sequence { length, width }));
    let attention = |heads| Layer::from(pullback::network::layers::Attention::new(heads));
    check(
        named(vec![series(4, 5)], vec![attention(2)]),
        &["layer 0: attention 2 reads positions of 5 numbers"],
    );
    check(named(vec![series(1 << 20, 4)], vec![attention(2)]), &["layer 0: attention 2 has scores"]);
    let small = Image { height: 5, width: 4, channels: 1 };
    let blocks = Layer::residual([Layer::convolution(2, 3), Layer::convolution(2, 2)]);
    let pictures = vec![Input::new("picture", Form::Image(small))];
    check(named(pictures, vec![blocks]), &["layer 0: residual [", "cannot be added"]);
}

#[test]
fn parameters_are_named_by_their_path() {
    let words = Input::new("words", Form::Index(Index { count: 2, levels: 5 }));
    let inputs = [words.with_layers([Layer::from(Embedding::new(3))]), Input::new("x", Form::Row(2))];
    let block = Layer::residual([Layer::dense(8), Layer::residual([Layer::layer_norm(), Layer::dense(4)])]);
    let network = Network::with_inputs(inputs, [Layer::dense(6), block], Cost::SquaredError);
    let names: Vec<String> =
        network.parameters().unwrap().into_iter().map(|parameter| parameter.name).collect();
    let expected = [
        "inputs.words.0.weight",
        "layers.0.weight",
        "layers.0.bias",
        "layers.1.0.weight",
        "layers.1.0.bias",
        "layers.1.1.0.scale",
        "layers.1.1.0.shift",
        "layers.1.1.1.weight",
        "layers.1.1.1.bias",
        "layers.1.1.projection",
        "layers.1.projection",
    ];
    assert_eq!(names, expected);
    let lowered = network.lower(3, Mode::Training).unwrap();
    let text = lowered.graph.to_string();
    assert!(text.contains("# weighted sum, layer 1.1.1"), "{text}");
    assert!(text.contains("# rows of the codes, layer words.0"), "{text}");
}

#[test]
fn codes_are_checked() {
    let index = Index { count: 2, levels: 3 };
    index.check(&[0.0_f32, 2.0, 1.0, 1.0]).unwrap();
    for (numbers, parts) in [
        ([0.0, 3.0, 0.0, 0.0], ["code 1 of row 0 is 3", "from 0 to 2"]),
        ([0.0, 1.0, 0.5, 0.0], ["code 0 of row 1 is 0.5", "whole"]),
        ([0.0, 1.0, f64::NAN, 0.0], ["code 0 of row 1 is NaN", "whole"]),
        ([0.0, 1.0, 0.0, -1.0], ["code 1 of row 1 is -1", "whole"]),
    ] {
        let message = index.check(&numbers).unwrap_err().one_line();
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
}

#[test]
fn a_network_of_very_many_layers_is_lowered_at_once() {
    // Quadratic, it would take minutes; as it is, a few seconds at most.
    const LAYERS: usize = 200_000;
    let network = Network {
        layers: vec![Layer::dense(1); LAYERS],
        ..Network::dense(1, &[], 1, Activation::Relu, Cost::SquaredError)
    };
    let lowered = network.lower(2, Mode::Training).unwrap();
    let gradients = reverse(&lowered.graph, lowered.cost, &lowered.parameters).unwrap();
    assert_eq!(gradients.nodes.len(), 2 * LAYERS);
}
