//! Deep networks: the figures of a layer are those of plain loops, a page of many is short, and what is to blame for
//! gradients that vanish or explode is what was broken.

use pullback::Real;
use pullback::explain::{
    BlamedFactor, Catalog, Drawings, Finding, Focus, LANGUAGES, LayerName, Options, Trace, describe,
    diagnose, json, layer_figures,
};
use pullback::network::layers::{Convolution, Residual};
use pullback::network::{Activation, Cost, Image, Layer, Mode, Network};
use pullback::random::{Purpose, Random};
use pullback::train::{Optimizer, Training};

/// Sums of a few dozen products in another order.
const EXACT: f64 = 1e-12;

fn numbers(count: usize, salt: u32) -> Vec<f64> {
    let random = Random::new(11, Purpose::Sample, salt);
    (0..count as u64).map(|index| random.uniform(index) * 2.0 - 1.0).collect()
}

fn norm(numbers: &[f64]) -> f64 {
    numbers.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn traced(network: &Network, parameters: &[Vec<f64>], rows: usize) -> Trace {
    let outputs = network.outputs();
    let features = numbers(rows * network.inputs, 1);
    let targets: Vec<f64> =
        (0..rows * outputs).map(|at| f64::from(u8::from(at % outputs == (at / outputs) % outputs))).collect();
    Trace::with_mode(network, parameters, &features, &targets, rows, Mode::Evaluation, 0).unwrap()
}

/// The figures of dense layers with an activation between, by loops over examples, units and inputs.
fn check(activation: Activation, value: fn(f64) -> f64, slope: fn(f64) -> f64, clip_norm: Option<f64>) {
    let (sizes, rows, rate) = ([3, 4, 5, 4, 5, 4, 5, 4, 2], 3, 0.1);
    let network = Network::dense(sizes[0], &sizes[1..8], sizes[8], activation, Cost::SoftmaxCrossEntropy);
    let mut parameters: Vec<Vec<f64>> = network.initialize(5).unwrap();
    // A unit that no example moves.
    parameters[5][1] = -60.0;
    let trace = traced(&network, &parameters, rows);
    let training =
        Training { optimizer: Optimizer::Sgd, learning_rate: Some(rate), clip_norm, ..Training::default() };
    let found = layer_figures(&trace, &training);
    assert_eq!(found.len(), 8);

    // Forwards: z and a of each layer, a row each example.
    let mut a = vec![numbers(rows * sizes[0], 1)];
    let mut z: Vec<Vec<f64>> = Vec::new();
    for layer in 0..8 {
        let (n, m) = (sizes[layer], sizes[layer + 1]);
        let mut own = vec![0.0; rows * m];
        for row in 0..rows {
            for unit in 0..m {
                own[row * m + unit] = parameters[2 * layer + 1][unit];
                for input in 0..n {
                    own[row * m + unit] +=
                        parameters[2 * layer][unit * n + input] * a[layer][row * n + input];
                }
            }
        }
        a.push(own.iter().map(|z| if layer < 7 { value(*z) } else { *z }).collect());
        z.push(own);
    }
    // Backwards: softmax with cross-entropy has p - t, as a mean over the examples.
    let mut delta = vec![Vec::new(); 8];
    delta[7] = vec![0.0; rows * 2];
    for row in 0..rows {
        let sum: f64 = (0..2).map(|unit| Real::exp(z[7][row * 2 + unit])).sum();
        for unit in 0..2 {
            let target = f64::from(u8::from(unit == row % 2));
            delta[7][row * 2 + unit] = (Real::exp(z[7][row * 2 + unit]) / sum - target) / rows as f64;
        }
    }
    for layer in (0..7).rev() {
        let (n, m) = (sizes[layer + 1], sizes[layer + 2]);
        let mut own = vec![0.0; rows * n];
        for row in 0..rows {
            for unit in 0..n {
                let arriving: f64 = (0..m)
                    .map(|to| delta[layer + 1][row * m + to] * parameters[2 * layer + 2][to * n + unit])
                    .sum();
                own[row * n + unit] = arriving * slope(z[layer][row * n + unit]);
            }
        }
        delta[layer] = own;
    }
    let gradient = |layer: usize| {
        let (n, m) = (sizes[layer], sizes[layer + 1]);
        let mut weights = vec![0.0; n * m];
        let mut biases = vec![0.0; m];
        for row in 0..rows {
            for unit in 0..m {
                biases[unit] += delta[layer][row * m + unit];
                for input in 0..n {
                    weights[unit * n + input] += delta[layer][row * m + unit] * a[layer][row * n + input];
                }
            }
        }
        [weights, biases]
    };
    let whole = norm(&(0..8).flat_map(gradient).flatten().collect::<Vec<_>>());
    let scale = clip_norm.map_or(1.0, |limit| (limit / whole).min(1.0));

    let near = |found: f64, own: f64, what: &str, layer: usize| {
        assert!(
            (found - own).abs() <= EXACT * own.abs(),
            "{what} of layer {}: {found}, not {own}",
            layer + 1
        );
    };
    for (layer, figures) in found.iter().enumerate() {
        assert_eq!(figures.name, LayerName::Dense(layer + 1));
        let (weights, [gradient, _]) = (norm(&parameters[2 * layer]), gradient(layer));
        near(figures.activation, norm(&a[layer + 1]), "|a|", layer);
        near(figures.delta, norm(&delta[layer]), "|delta|", layer);
        near(figures.gradient, norm(&gradient), "|dC/dw|", layer);
        near(figures.weights, weights, "|w|", layer);
        // What a step changes is a difference of weights, rounded as they are.
        let update = rate * scale * norm(&gradient) / weights;
        assert!((figures.update.unwrap() - update).abs() <= 1e-9 * update + 1e-15, "{update}");
        if layer == 7 {
            assert_eq!((figures.slope, figures.flat), (None, None));
            continue;
        }
        let m = sizes[layer + 1];
        let slopes: Vec<f64> = z[layer].iter().map(|z| slope(*z)).collect();
        let mean = slopes.iter().sum::<f64>() / slopes.len() as f64;
        let flat = (0..m).filter(|unit| (0..rows).all(|row| slopes[row * m + unit] < 1e-3)).count();
        near(figures.slope.unwrap(), mean, "slope", layer);
        assert_eq!(figures.flat, Some(flat));
    }
    assert!(found[2].flat.unwrap() >= 1, "the unit without a slope is counted");
}

#[test]
fn figures_of_layers_are_those_of_plain_loops() {
    let sigmoid = |z: f64| 1.0 / (1.0 + Real::exp(-z));
    check(Activation::Sigmoid, sigmoid, |z| 1.0 / (1.0 + Real::exp(-z)) / (1.0 + Real::exp(z)), None);
    check(Activation::Relu, |z| z.max(0.0), |z| f64::from(u8::from(z > 0.0)), None);
    check(Activation::Relu, |z| z.max(0.0), |z| f64::from(u8::from(z > 0.0)), Some(1e-3));
}

fn apart(network: &Network, parameters: &[Vec<f64>]) -> Option<Finding> {
    let found = diagnose(&traced(network, parameters, 8));
    found.into_iter().find(|finding| matches!(finding.key, "vanishing" | "exploding"))
}

fn deep(activation: Activation, seed: u64) -> (Network, Vec<Vec<f64>>) {
    let network = Network::dense(8, &[16; 19], 3, activation, Cost::SoftmaxCrossEntropy);
    let parameters = network.initialize(seed).unwrap();
    (network, parameters)
}

#[test]
fn vanishing_gradients_are_blamed_on_what_was_broken() {
    for seed in 0..5 {
        // As it is initialized, the slope of sigmoid, at most 1/4, is to blame, where delta falls most.
        let (network, mut parameters) = deep(Activation::Sigmoid, seed);
        let finding = apart(&network, &parameters).unwrap();
        let blame = finding.blame.clone().unwrap();
        let trace = traced(&network, &parameters, 8);
        let sizes: Vec<f64> = trace.dense().iter().map(|dense| norm(trace.value(dense.delta))).collect();
        let ratio = |layer: &usize| sizes[*layer] / sizes[layer + 1];
        let worst = (0..19).min_by(|a, b| ratio(a).total_cmp(&ratio(b))).unwrap();
        assert_eq!((finding.key, blame.factor), ("vanishing", BlamedFactor::Slope));
        assert_eq!(blame.layer, LayerName::Dense(worst + 1));
        assert!(finding.value < 1e-4 && blame.value <= 0.25 && blame.remedy == "remedy.relu", "{finding:?}");

        // Biases that saturate layer 6.
        parameters[2 * 5 + 1].fill(9.0);
        let blame = apart(&network, &parameters).unwrap().blame.unwrap();
        assert_eq!((blame.layer, blame.factor), (LayerName::Dense(6), BlamedFactor::Slope));
        assert!(blame.value < 1e-3);

        // Small weights of layer 9, by which its deltas are multiplied on their way to layer 8.
        let (network, mut parameters) = deep(Activation::Relu, seed);
        assert_eq!(apart(&network, &parameters), None, "seed {seed}");
        parameters[2 * 8].iter_mut().for_each(|w| *w *= 1e-8);
        let blame = apart(&network, &parameters).unwrap().blame.unwrap();
        assert_eq!((blame.layer.clone(), blame.factor), (LayerName::Dense(9), BlamedFactor::Weights));
        assert!((blame.value - norm(&parameters[2 * 8])).abs() < 1e-20);

        // Large ones.
        parameters[2 * 8].iter_mut().for_each(|w| *w *= 1e14);
        let finding = apart(&network, &parameters).unwrap();
        let blame = finding.blame.unwrap();
        assert_eq!((finding.key, blame.layer), ("exploding", LayerName::Dense(9)));
        assert_eq!((blame.factor, blame.remedy), (BlamedFactor::Weights, "remedy.clip"));

        // Dead units of layer 4: nothing goes back from there.
        let (network, mut parameters) = deep(Activation::Relu, seed);
        parameters[2 * 3 + 1].fill(-1e3);
        let finding = apart(&network, &parameters).unwrap();
        let blame = finding.blame.unwrap();
        assert_eq!((finding.value, blame.layer, blame.value), (0.0, LayerName::Dense(4), 0.0));
        assert_eq!(blame.remedy, "remedy.leaky_relu");
    }
}

/// The first layer that passes nothing back is named, whatever is dead behind it for want of input, with one remedy.
#[test]
fn the_finding_of_a_dead_layer_names_it_with_one_remedy_in_each_language() {
    let network = Network::dense(8, &[6; 7], 3, Activation::Relu, Cost::SoftmaxCrossEntropy);
    for layer in 1..=7 {
        let mut parameters: Vec<Vec<f64>> = network.initialize(3).unwrap();
        parameters[2 * (layer - 1) + 1].fill(-1e3);
        let finding = apart(&network, &parameters).unwrap();
        for (code, _) in LANGUAGES {
            let catalog = Catalog::find(code).unwrap();
            let text = finding.text(&catalog);
            let name = LayerName::Dense(layer).text(&catalog);
            let told = catalog.say("vanishing.dead", &[("layer", &name), ("operation", &"relu")]);
            assert!(text.contains(&told), "layer {layer}: {text}");
            let remedies: Vec<&str> = (catalog.keys().filter(|key| key.starts_with("remedy.")))
                .map(|key| catalog.get(key))
                .filter(|remedy| text.contains(remedy))
                .collect();
            assert_eq!(remedies, [catalog.get("remedy.leaky_relu")], "layer {layer}: {text}");
        }
    }
}

#[test]
fn a_page_of_a_hundred_layers_is_short() {
    for activation in [Activation::Relu, Activation::Sigmoid] {
        let network = Network::dense(64, &[64; 99], 10, activation, Cost::SoftmaxCrossEntropy);
        let mut parameters: Vec<Vec<f64>> = network.initialize(1).unwrap();
        // Every layer has units without a slope.
        parameters.iter_mut().skip(1).step_by(2).for_each(|biases| biases[0] = -50.0);
        let trace = traced(&network, &parameters, 1);
        let training = Training::default();
        let json = |focus| json::document(&trace, "100 layers", (&training, focus), None);
        let document = json(Focus::All);
        assert!(serde_json::to_string_pretty(&document).unwrap().len() < 60_000);
        assert!(document["layers"].is_null() && document["figures"].as_array().unwrap().len() == 100);
        assert_eq!(json(Focus::EveryLayer)["layers"].as_array().unwrap().len(), 100);
        for (language, _) in LANGUAGES {
            let catalog = Catalog::find(language).unwrap();
            let page = describe(&trace, "100 layers", &Options::default(), &catalog);
            let text = page.text(80, false);
            for form in [text.clone(), page.markdown(), page.html(&Drawings::default())] {
                assert!(form.lines().count() < 200 && form.len() < 60_000, "{}", form.len());
            }
            for line in text.lines() {
                assert!(unicode_columns(line) <= 80, "{line}");
            }
            let is_line = |line: &&str| line.trim_start().starts_with(|c: char| c.is_ascii_digit());
            assert!(text.lines().filter(is_line).count() >= 100);
        }
    }
}

/// Hangul takes two columns.
fn unicode_columns(line: &str) -> usize {
    line.chars().map(|c| if ('가'..='힣').contains(&c) { 2 } else { 1 }).sum()
}

#[test]
fn a_layer_of_a_deep_network_is_shown_on_request() {
    let (network, parameters) = deep(Activation::Tanh, 0);
    let trace = traced(&network, &parameters, 2);
    let page = |focus: Focus| {
        let options = Options { focus, ..Options::default() };
        describe(&trace, "deep", &options, &Catalog::english()).text(80, false)
    };
    let one = page(Focus::Layer(7));
    assert_eq!(one.matches("Layer 7: 16 units of 16 inputs").count(), 3, "{one}");
    assert!(!one.contains("Layer 8"), "{one}");
    assert!(page(Focus::All).contains("Layer by layer") && !page(Focus::All).contains("Layer 7:"));
    let every = page(Focus::EveryLayer);
    assert!((1..=20).all(|layer| every.contains(&format!("Layer {layer}: "))));
}

#[test]
fn convolutions_and_layers_in_blocks_have_a_line_each() {
    let image = Image { height: 6, width: 6, channels: 1 };
    let convolution = || -> Layer { Convolution::new(3, 3).into() };
    let activation = || Layer::function(Activation::Tanh);
    let block = |layers: Vec<Layer>| -> Layer { Residual { layers }.into() };
    let network = Network::dense(36, &[8, 8], 2, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let mut layers = vec![convolution(), activation(), convolution(), activation()];
    layers.extend(network.layers.iter().cloned());
    let inner = vec![Layer::dense(2), activation(), Layer::dense(2), activation()];
    layers.push(block(inner));
    let network = Network { image: Some(image), layers, ..network };
    let parameters = network.initialize(0).unwrap();
    let trace = traced(&network, &parameters, 2);
    let names: Vec<String> = trace.weighted_layers().iter().map(|layer| layer.name.to_string()).collect();
    assert_eq!(names, ["c1", "c2", "1", "2", "3", "9.0", "9.2"]);
    let figures = layer_figures(&trace, &Training::default());
    // The last dense layer has no activation; its sums go into the block.
    let has_slope: Vec<bool> = figures.iter().map(|layer| layer.slope.is_some()).collect();
    assert_eq!(has_slope, [true, true, true, true, false, true, true]);
    let images = &trace.images()[1];
    assert_eq!(figures[1].delta, norm(trace.value(images.delta)));
    assert_eq!((figures[1].units, figures[2].units), (3, 8));
    let page = |focus: Focus| {
        let options = Options { focus, ..Options::default() };
        describe(&trace, "mixed", &options, &Catalog::english()).text(80, false)
    };
    assert!(page(Focus::All).contains("c1 is the first convolution"));
    let one = page(Focus::Convolution(2));
    assert_eq!(one.matches("Convolution 2: ").count(), 3, "{one}");
}
