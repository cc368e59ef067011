//! Worked examples as files: what they say is what they are, and what is wrong is told with its line.

use pullback::explain::{
    Expectation, Expected, Names, NetworkExample, Notation, Subject, WorkedExample, examples, schema,
};
use pullback::graph::ops::Dice;
use pullback::network::{Activation, Cost, Image, Layer, Mode, Network, layers};
use pullback::train::{Batch, Optimizer, Training};
use std::fs;
use std::path::Path;

/// An example of a network with drawn numbers.
pub(crate) fn example(network: Network, rows: usize, seed: u64) -> WorkedExample {
    let mut dice = Dice::new(seed + 1000);
    let mut numbers = |count: usize| (0..count).map(|_| dice.between(-1.0, 1.0)).collect::<Vec<f64>>();
    let inputs = numbers(rows * network.inputs);
    let targets = match network.cost {
        Cost::SquaredError | Cost::AbsoluteError | Cost::Huber(_) => numbers(rows * network.outputs()),
        _ => {
            let outputs = network.outputs();
            (0..rows * outputs)
                .map(|at| f64::from(u8::from(at % outputs == (at / outputs) % outputs)))
                .collect()
        }
    };
    let mut parameters: Vec<Vec<f64>> = network.initialize(seed).unwrap();
    // Biases and scales too.
    parameters.iter_mut().flatten().for_each(|number| *number += dice.between(0.0, 0.1));
    WorkedExample {
        title: String::new(),
        source: String::new(),
        notation: Notation::Plain,
        language: None,
        subject: Subject::Network(Box::new(NetworkExample {
            network,
            parameters,
            inputs,
            targets,
            weights: None,
            rows,
            training: Training {
                optimizer: Optimizer::Sgd,
                learning_rate: Some(0.5),
                batch: Batch::Full,
                seed,
                ..Training::default()
            },
            mode: Mode::Evaluation,
            kept: Default::default(),
            fixed: Vec::new(),
            names: Names::default(),
        })),
        expect: Vec::new(),
    }
}

/// A dense network with random settings.
pub(crate) fn network(dice: &mut Dice, seed: u64) -> WorkedExample {
    let hidden: Vec<usize> = (0..1 + dice.below(3)).map(|_| dice.size()).collect();
    let activation: Activation = Activation::NAMES[dice.below(Activation::NAMES.len())].parse().unwrap();
    let cost =
        [Cost::SquaredError, Cost::SoftmaxCrossEntropy, Cost::SigmoidCrossEntropy, Cost::AbsoluteError];
    let mut network = Network::dense(dice.size(), &hidden, dice.size(), activation, cost[dice.below(4)]);
    if let (0, Some(Layer::Dense(last))) = (dice.below(3), network.layers.last_mut()) {
        last.has_bias = false;
    }
    if dice.coin() {
        network.regularization.l2 = 0.1;
        network.regularization.l1 = if dice.coin() { 0.05 } else { 0.0 };
        network.regularization.divide_by_batch = dice.coin();
    }
    let rows = 1 + dice.below(3);
    let mut worked = example(network, rows, seed);
    if let Subject::Network(example) = &mut worked.subject {
        let optimizer: Optimizer = Optimizer::NAMES[dice.below(Optimizer::NAMES.len())].parse().unwrap();
        // One that searches for its step has no formula of it.
        example.training.optimizer = if optimizer.is_searching() { Optimizer::Sgd } else { optimizer };
        example.training.learning_rate = Some(dice.between(0.001, 0.5));
        example.training.clip_norm = (dice.below(4) == 0).then_some(0.1);
    }
    worked
}

/// A network of any layers, with names, weights of examples, and parameters that stay.
pub(crate) fn random(seed: u64) -> WorkedExample {
    let mut dice = Dice::new(seed);
    let mut worked = network(&mut dice, seed);
    let Subject::Network(example) = &mut worked.subject else { panic!("a network") };
    let network = &mut example.network;
    match dice.below(6) {
        0 => network.layers.insert(1, Layer::batch_norm()),
        1 => network.layers.insert(1, Layer::layer_norm()),
        2 => network.layers.insert(2, Layer::dropout(0.4)),
        3 => {
            network.image = Some(Image { height: 3, width: 3, channels: 1 + dice.below(2) });
            network.inputs = 9 * network.image.unwrap().channels;
            let mut convolution = layers::Convolution::new(2, 2);
            convolution.padding = if dice.coin() { "same" } else { "valid" }.parse().unwrap();
            let mut all = vec![Layer::from(convolution), Layer::function(Activation::Tanh)];
            all.extend(dice.coin().then(|| Layer::max_pool(2)));
            all.append(&mut network.layers);
            network.layers = all;
        }
        _ => {}
    }
    let names = Names {
        inputs: if dice.coin() {
            (0..network.inputs).map(|at| format!("i{at}")).collect()
        } else {
            Vec::new()
        },
        ..Names::default()
    };
    let (rows, network, training) = (example.rows, network.clone(), example.training.clone());
    let mut worked = self::example(network, rows, seed);
    worked.notation = Notation::from_name(Notation::NAMES[dice.below(5)]).unwrap();
    let Subject::Network(example) = &mut worked.subject else { panic!("a network") };
    example.training = training;
    example.names = names;
    example.mode = if dice.coin() { Mode::Training } else { Mode::Evaluation };
    example.weights = (dice.below(4) == 0).then(|| (0..rows).map(|_| dice.between(0.5, 2.0)).collect());
    if dice.coin() {
        example.fixed = vec![0];
    }
    let units: Vec<usize> = (0..example.network.layers.len())
        .filter(|place| example.network.layers[*place].units().is_some())
        .collect();
    for place in units.into_iter().take(dice.below(2)) {
        let count = example.network.layers[place].units().unwrap();
        example.names.units.insert(place, (0..count).map(|unit| format!("h{place}_{unit}")).collect());
        let parameter = format!("layers.{place}.weight");
        let specification = example.network.parameters().unwrap();
        let shape = &specification.iter().find(|own| own.name == parameter).unwrap().shape;
        let names = (0..shape.elements()).map(|at| format!("w{place}_{at}")).collect();
        example.names.parameters.insert(parameter, names);
    }
    worked
}

#[test]
fn a_file_is_what_it_says() {
    for seed in 0..200 {
        let worked = random(seed);
        let text = worked.to_toml();
        let read =
            WorkedExample::parse(&text, "own.toml").unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        assert_eq!(read, worked, "{text}");
        assert_eq!(read.to_toml(), text);
        let json = worked.to_json();
        assert_eq!(WorkedExample::from_json(&json, "own.json").unwrap(), worked, "{json}");
        let json = serde_json::to_string(&json).unwrap();
        assert_eq!(WorkedExample::parse(&json, "own.json").unwrap(), worked);
    }
}

#[test]
fn the_shipped_files_meet_what_they_expect() {
    for name in examples::NAMES {
        for text in examples::files(name).unwrap() {
            let worked = WorkedExample::parse(text, name).unwrap();
            let claims = worked.claims().unwrap();
            assert!(!claims.is_empty() && claims.len() == worked.expect.len(), "{name}");
            for claim in claims {
                assert!(claim.agrees() || claim.erratum.is_some(), "{name}: {claim:?}");
            }
            assert_eq!(WorkedExample::parse(&worked.to_toml(), name).unwrap(), worked);
        }
    }
}

/// The figures of "WikiDocs" 37406 by hand: the cost is a sum of halves of squares.
#[test]
fn a_wrong_digit_is_found() {
    let text = examples::files("wikidocs").unwrap()[0].replace("0.437038572", "0.437038582");
    let claims = WorkedExample::parse(&text, "own.toml").unwrap().claims().unwrap();
    let wrong: Vec<&str> = claims.iter().filter(|c| !c.agrees()).map(|c| c.quantity.as_str()).collect();
    assert_eq!(wrong, ["w5 after a step"]);
    let mut worked = WorkedExample::parse(&text, "own.toml").unwrap();
    worked.expect = vec![Expectation {
        quantity: "out_h9".into(),
        number: Expected::Below(1.0),
        source: String::new(),
        erratum: None,
    }];
    let error = worked.claims().unwrap_err();
    assert!(error.one_line().contains("out_h"), "{error:?}");
}

const CONVOLUTION: &str = r#"
image = { height = 3, width = 3 }
inputs = [[1, 2, 3],
          [4, 5, 6],
          [7, 8, 9]]
targets = [1]

[[layer]]
kind = "convolution"
weights = [[[1, 0],
            [0, -1]]]
biases = [0.5]
activation = "relu"

[[layer]]
kind = "max_pool"
size = 2

[[layer]]
weights = [[2]]
"#;

const ROWS: &str = "
inputs = [[1, 2], [3, 4], [5, 6]]
targets = [[1], [0], [1]]

[[layer]]
weights = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]]
biases = [0, 0, 0, 0]
activation = \"relu\"

[[layer]]
weights = [[1, 2, 3, 4]]
";

#[test]
fn images_and_batches_are_written_by_hand() {
    let worked = WorkedExample::parse(CONVOLUTION, "own.toml").unwrap();
    let trace = worked.trace().unwrap().unwrap();
    // Each window has x - (x + 4) + 0.5, which the ReLU makes 0.
    assert_eq!(trace.value(trace.lowered().prediction), [0.0]);
    assert_eq!(trace.cost(), 0.5);
    let worked = WorkedExample::parse(ROWS, "own.toml").unwrap();
    let trace = worked.trace().unwrap().unwrap();
    assert_eq!(trace.rows(), 3);
    // 0.5, 1.1, 1.7, 2.3 of the first row.
    let expected = 0.5 + 2.0 * 1.1 + 3.0 * 1.7 + 4.0 * 2.3;
    assert!((trace.at(trace.lowered().prediction, 0, 0) - expected).abs() < 1e-12);
}

/// A file with one mistake: its message has all of these parts.
fn refuses(from: &str, to: &str, parts: &[&str]) {
    let text = ROWS.replace(from, to);
    assert!(text != ROWS, "{from}");
    let error = WorkedExample::parse(&text, "own.toml").expect_err(to).one_line();
    for part in parts {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_line() {
    refuses("targets =", "target =", &["own.toml, line 3", "`target`", "did you mean `targets`?"]);
    refuses("activation = \"relu\"", "activation = \"rellu\"", &["line 8", "`rellu`", "`relu`"]);
    refuses("activation =", "activaton =", &["line 8", "`activaton`", "layer 1", "`activation`"]);
    refuses("[[1, 2, 3, 4]]", "[[1, 2, 3]]", &["line 11", "layer 2", "1 x 3", "1 x 4"]);
    refuses("biases = [0, 0, 0, 0]", "biases = [0, 0]", &["line 7", "biases", "[2]", "[4]"]);
    refuses("[3, 4]", "[3, 4, 5]", &["line 2", "row 2", "[2]", "[3]"]);
    refuses("[[1], [0], [1]]", "[[1], [0]]", &["line 3", "2 examples", "3 examples"]);
    refuses("[[1], [0], [1]]", "[[1, 2], [0, 1], [1, 1]]", &["line 3", "[3, 2]", "1 output"]);
    refuses("targets = [[1]", "targets = [[\"one\"]", &["line 3", "a text", "numbers"]);
    refuses("targets", "learning_rate = \"fast\"\ntargets", &["line 3", "learning_rate", "a number"]);
    refuses("targets", "learning_rate = 0\ntargets", &["line 3", "learning rate", "positive"]);
    refuses("targets", "optimizer = \"adm\"\ntargets", &["line 3", "`adm`", "`adam`"]);
    refuses("targets", "cost = \"squared_eror\"\ntargets", &["line 3", "`squared_error`"]);
    refuses("targets", "notation = \"mazzur\"\ntargets", &["line 3", "`mazur`"]);
    refuses("targets", "fixed = [\"bias\"]\ntargets", &["line 3", "`bias`", "`biases`"]);
    refuses("targets", "inputs = [1]\ntargets", &["own.toml, line 3"]);
    refuses("[[layer]]\nweights = [[1", "[[layer]]\nkind = \"dens\"\nweights = [[1", &["line 11", "`dense`"]);
    refuses("weights = [[1, 2, 3, 4]]", "activation = \"relu\"", &["line 10", "layer 2", "weights"]);
    refuses("targets", "expect = [{ quantity = \"C\" }]\ntargets", &["line 3", "`value`"]);
    refuses("targets", "expect = [{ quantiti = \"C\" }]\ntargets", &["line 3", "`quantity`"]);
    let error = WorkedExample::parse("", "own.toml").unwrap_err().one_line();
    assert!(error.contains("`inputs` is missing"), "{error}");
    let error = WorkedExample::parse("{ \"inputs\": ", "own.json").unwrap_err().one_line();
    assert!(error.contains("own.json, line 1"), "{error}");
}

#[test]
fn what_is_wrong_in_a_formula_is_told() {
    let check = |text: &str, at: &[(&str, f64)], parts: &[&str]| {
        let at = at.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
        let error = pullback::explain::Expression::parse(text, at).expect_err(text).one_line();
        for part in parts {
            assert!(error.contains(part), "`{part}` is not in: {error}");
        }
    };
    check("", &[], &["no formula"]);
    check("x +", &[("x", 1.0)], &["ends"]);
    check("(x", &[("x", 1.0)], &["not closed"]);
    check("x)", &[("x", 1.0)], &["closes nothing"]);
    check("= 3", &[], &["nothing stands before `=`"]);
    check("f =", &[], &["nothing stands after `=`"]);
    check("2 x", &[("x", 1.0)], &["`x`", "write `*`"]);
    check("sigmod(x)", &[("x", 1.0)], &["`sigmod`", "`sigmoid`"]);
    check("sin(x)", &[("x", 1.0)], &["`sin`"]);
    check("max(x)", &[("x", 1.0)], &["max", "not 2", "max(x, y)"]);
    check("x * y", &[("x", 1.0)], &["`y` has no number"]);
    check("x * 2", &[("x", 1.0), ("z", 1.0)], &["`z`"]);
    check("1a = x", &[("x", 1.0)], &["`1a`"]);
    check("q = x +\nq * 2", &[("x", 1.0)], &["line 1"]);
    check(&"(".repeat(10_000), &[], &["deep"]);
    check(&format!("{}x", "-".repeat(10_000)), &[("x", 1.0)], &["deep"]);
    check("x = = 2", &[], &["`=`"]);
    check("x ? 2", &[("x", 1.0)], &["`?`"]);
}

#[test]
fn formulas_have_all_operations() {
    let check = |text: &str, at: &[(&str, f64)], value: f64, slope: f64| {
        let at = at.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
        let circuit = pullback::explain::Expression::parse(text, at).unwrap().circuit().unwrap();
        let (found, derivative) = (circuit.value(circuit.output), circuit.derivative(circuit.variables[0].1));
        assert!((found - value).abs() < 1e-14, "{text}: {found}");
        assert!((derivative - slope).abs() < 1e-14, "{text}: {derivative}");
    };
    check("(x + y) * z", &[("x", -2.0), ("y", 5.0), ("z", -4.0)], -12.0, -4.0);
    check("x ^ 3 - x / 2", &[("x", 2.0)], 7.0, 11.5);
    check("2 ^ x", &[("x", 3.0)], 8.0, 8.0 * std::f64::consts::LN_2);
    check("-x ** 2", &[("x", 3.0)], -9.0, -6.0);
    check("2 ^ 3 ^ x", &[("x", 0.0)], 2.0, 2.0 * std::f64::consts::LN_2 * pullback::Real::ln(3.0_f64));
    check("max(x, y) + min(x, y) * 3", &[("x", 2.0), ("y", 1.0)], 5.0, 1.0);
    check("abs(x) + relu(x) + sqrt(x * x)", &[("x", -2.0)], 4.0, -2.0);
    check("ln(exp(x))", &[("x", 0.25)], 0.25, 1.0);
    check("b = a + a; c = b + b", &[("a", 3.0)], 12.0, 4.0);
    check("a = a * a\na = a * a", &[("a", 2.0)], 16.0, 32.0);
    check("x", &[("x", 2.0)], 2.0, 1.0);
    check("1e-3 * x + .5", &[("x", 2.0)], 0.502, 0.001);
}

#[test]
fn the_file_of_the_readme_meets_what_it_expects() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let block = readme.split("```toml\n").find(|block| block.starts_with("inputs")).unwrap();
    let worked = WorkedExample::parse(block.split("```").next().unwrap(), "README.md").unwrap();
    let claims = worked.claims().unwrap();
    assert!(claims.len() == 1 && claims[0].agrees(), "{claims:?}");
}

#[test]
fn the_schema_is_published() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/example.schema.json");
    let expected = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(published, expected, "{} should be this", path.display());
}
