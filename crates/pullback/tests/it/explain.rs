//! The glass box shows what the trainer ran: factors multiply to gradients, examples are as published.

use pullback::differentiate::reverse;
use pullback::execute::{Executor, Machine};
use pullback::explain::examples::{NAMES, find};
use pullback::explain::{
    Block, Catalog, Drawings, Expected, Expression, FactorKind, Focus, LANGUAGES, Notation, Options, Subject,
    Symbol, Trace, describe, diagnose, with_particle,
};
use pullback::graph::NodeRole;
use pullback::network::{Activation, Cost, Layer, Mode, Network};
use pullback::plan::Plan;
use pullback::random::{Purpose, Random};
use pullback::train::{Optimizer, Training};

/// Displayed factors multiply to the gradient within f64's rounding.
const EXACT: f64 = 1e-14;

fn numbers(count: usize, salt: u32) -> Vec<f64> {
    let random = Random::new(7, Purpose::Sample, salt);
    (0..count as u64).map(|index| random.uniform(index) * 2.0 - 1.0).collect()
}

fn one_hot(rows: usize, classes: usize) -> Vec<f64> {
    (0..rows * classes).map(|at| f64::from(u8::from(at % classes == (at / classes) % classes))).collect()
}

fn traced(network: &Network, rows: usize) -> Trace {
    let parameters: Vec<Vec<f64>> = network.initialize(3).unwrap();
    let features = numbers(rows * network.inputs, 1);
    Trace::new(network, &parameters, &features, &one_hot(rows, network.outputs()), rows).unwrap()
}

/// For every weight: the sum over examples of the product of its factors is the gradient of the trace,
/// and the gradient of the trace is what a trainer's plan computes.
fn check(network: &Network, rows: usize) {
    let trace = traced(network, rows);
    for dense in trace.dense() {
        let gradient = trace.gradient(dense.weight);
        let size = gradient.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
        for unit in 0..dense.units {
            for input in 0..dense.inputs {
                let mut sum = 0.0;
                for row in 0..rows {
                    let factors = trace.factors(dense, unit, row);
                    let product: f64 = factors.iter().map(|factor| factor.value).product();
                    sum += product * trace.at(dense.input, row, input);
                }
                let found = gradient[unit * dense.inputs + input];
                let regularization: f64 = (trace.parts(dense.weight, unit * dense.inputs + input).iter())
                    .filter(|part| part.role != NodeRole::WeightedSum)
                    .map(|part| part.value)
                    .sum();
                let tolerance = EXACT * found.abs() + EXACT * size * (rows as f64 - 1.0);
                assert!((sum + regularization - found).abs() <= tolerance, "{sum} for {found}");
            }
        }
    }
    let lowered = network.lower(rows, Mode::Training).unwrap();
    let gradients = reverse(&lowered.graph, lowered.cost, &lowered.parameters).unwrap();
    let mut executor =
        Executor::<f64>::new(Plan::new(&gradients.graph, &gradients.nodes), &Machine::with_threads(1));
    executor.input_mut(0).copy_from_slice(&numbers(rows * network.inputs, 1));
    executor.input_mut(1).copy_from_slice(&one_hot(rows, network.outputs()));
    executor.run(&network.initialize(3).unwrap());
    for place in 0..lowered.parameters.len() {
        let size = trace.gradient(place).iter().fold(0.0, |most: f64, g| most.max(g.abs()));
        for (ours, run) in trace.gradient(place).iter().zip(executor.output(place)) {
            assert!((ours - run).abs() <= EXACT * size * 10.0, "{ours} for {run}");
        }
    }
}

#[test]
fn the_factors_of_every_weight_multiply_to_the_gradient_that_the_trainer_uses() {
    check(&Network::dense(64, &[32], 10, Activation::Relu, Cost::SoftmaxCrossEntropy), 1);
    for name in Activation::NAMES {
        check(&Network::dense(5, &[4, 3], 3, name.parse().unwrap(), Cost::SoftmaxCrossEntropy), 1);
    }
    for name in Cost::NAMES {
        let mut network = Network::dense(5, &[4], 3, Activation::Tanh, name.parse().unwrap());
        check(&network, 1);
        check(&network, 6);
        network.regularization.l2 = 0.1;
        network.regularization.l1 = 0.01;
        check(&network, 1);
    }
    let mut network = Network::dense(5, &[4], 3, Activation::Relu, Cost::SoftmaxCrossEntropy);
    network.layers.insert(1, Layer::batch_norm());
    let trace = traced(&network, 1);
    for unit in 0..4 {
        let dense = &trace.dense()[0];
        let factors = trace.factors(dense, unit, 0);
        assert!(factors.iter().any(|factor| factor.kind == FactorKind::Normalization), "{factors:?}");
        let product: f64 = factors.iter().map(|factor| factor.value).product();
        assert!((product - trace.at(dense.delta, 0, unit)).abs() <= EXACT * product.abs());
    }
    let mut network = Network::dense(5, &[4, 4], 3, Activation::Sigmoid, Cost::SquaredError);
    network.layers.push(Layer::function(Activation::Sigmoid));
    check(&network, 1);
}

#[test]
fn published_numbers_are_met_to_their_last_digit_or_have_an_erratum() {
    let mut errata = 0;
    for name in NAMES {
        let example = find(name).unwrap().unwrap();
        assert!(!example.claims.is_empty());
        for claim in &example.claims {
            assert!(claim.agrees() || claim.erratum.is_some(), "{name}: {claim:?}");
            errata += usize::from(!claim.agrees());
            // A claim can fail: a number a little off does not agree.
            if let (Expected::Digits(_), true) = (&claim.expected, claim.agrees()) {
                let mut wrong = claim.clone();
                wrong.computed += 2.5;
                assert!(!wrong.agrees(), "{wrong:?}");
            }
        }
    }
    assert_eq!(errata, 1);
    assert!(find("none").is_none());
}

#[test]
fn catalogs_say_the_same_in_every_language() {
    let places = |text: &str| {
        let mut names: Vec<String> = text
            .split('{')
            .skip(1)
            .map(|part| part.split(['}', '|', '/']).next().unwrap().to_owned())
            .collect();
        names.sort();
        names.dedup();
        names
    };
    let english = Catalog::english();
    for (code, _) in LANGUAGES {
        let other = Catalog::find(code).unwrap();
        // What is told has its English in the key.
        let said = |catalog: &'_ Catalog| -> Vec<String> {
            catalog.keys().filter(|key| !key.starts_with("told.")).map(str::to_owned).collect()
        };
        assert_eq!(said(&english), said(&other), "{code}");
        for key in other.keys().filter(|key| key.starts_with("told.")) {
            let english = places(key);
            assert!(places(other.get(key)).iter().all(|place| english.contains(place)), "{code}: {key}");
        }
        for key in english.keys() {
            assert_eq!(places(english.get(key)), places(other.get(key)), "{code}: {key}");
            assert!(!other.get(key).is_empty());
        }
        for role in NodeRole::ALL {
            assert!(!other.role(*role).is_empty(), "{code} has no words for {role:?}");
        }
    }
    assert_eq!(Catalog::find("ko_KR.UTF-8").unwrap().language, "ko");
    assert!(Catalog::find("tlh").is_none());
}

#[test]
fn pages_of_every_kind_use_only_messages_that_exist() {
    let trace = traced(&Network::dense(12, &[11, 4], 3, Activation::Relu, Cost::SoftmaxCrossEntropy), 4);
    for (code, _) in LANGUAGES {
        let catalog = Catalog::find(code).unwrap();
        for focus in [Focus::All, Focus::Unit(1, 2), Focus::Weight(2, 1, 0), Focus::Weight(3, 1, 2)] {
            for name in Notation::NAMES {
                let notation = Notation::from_name(name).unwrap();
                let training = Training { clip_norm: Some(1e-3), ..Training::default() };
                let options = Options { focus, notation, training, ..Options::default() };
                let page = describe(&trace, "t", &options, &catalog);
                for text in [page.text(80, false), page.markdown(), page.html(&Drawings::default())] {
                    assert!(
                        !text.contains("{layer}") && !text.contains("_text") && !text.contains("ledger_"),
                        "{text}"
                    );
                }
                for line in page.text(80, false).lines().filter(|line| line.is_ascii()) {
                    assert!(line.len() <= 80, "{} columns: {line}", line.len());
                }
            }
        }
    }
}

#[test]
fn symbols_are_their_teachers() {
    let check = |name: &str, symbol: Symbol, text: &str| {
        assert_eq!(Notation::from_name(name).unwrap().text(symbol), text);
    };
    check("plain", Symbol::Weight(2, 1, 0), "w[2][1,0]");
    check("ng", Symbol::Weight(1, 0, 0), "Theta(1)[1,1]");
    check("ng", Symbol::Delta(2, 0), "delta(3)[1]");
    check("nielsen", Symbol::Weight(1, 1, 3), "w^2_24");
    check("mazur", Symbol::Sum(1, 0), "net1[0]");
    check("matrix", Symbol::Weight(1, 2, 3), "W1[2,3]");
}

/// The formulas of each optimizer, evaluated as they are printed, are what its kernel does: over three steps, with the
/// numbers that it keeps, for weights and for biases.
#[test]
fn the_formulas_of_an_optimizer_are_its_kernels() {
    let gradients = [0.3, -0.02, 0.7];
    for name in Optimizer::NAMES {
        let optimizer: Optimizer = name.parse().unwrap();
        if optimizer.is_searching() {
            assert!(optimizer.formulas(0.1, 1, true, 2).is_none());
            continue;
        }
        for decays in [true, false] {
            let (rate, mut w) = (0.05, vec![0.8]);
            let mut kept: Vec<Vec<f64>> = Vec::new();
            for (at, gradient) in gradients.iter().enumerate() {
                let step = at as u64 + 1;
                let next =
                    optimizer.next_step((rate, step), [1, 1], &w, &kept, &[*gradient], decays).unwrap();
                let formulas = optimizer.formulas(rate, step, decays, 1).unwrap();
                let mut values: Vec<(String, f64)> =
                    formulas.settings.iter().map(|(name, x)| ((*name).to_owned(), *x)).collect();
                values.extend([("w".to_owned(), w[0]), ("g".to_owned(), *gradient)]);
                for (at, letter) in formulas.kept.iter().enumerate() {
                    values.push(((*letter).to_owned(), kept.get(at).map_or(0.0, |state| state[0])));
                }
                if formulas.is_orthogonal {
                    // A matrix of one number becomes its sign, as far as the iteration brings it.
                    let decay = values.iter().find(|(name, _)| name == "decay").map_or(0.0, |(_, x)| *x);
                    let o = ((1.0 - rate * decay) * w[0] - next.numbers[0]) / (0.2 * rate);
                    assert!((0.6..1.3).contains(&o.abs()), "{name}: {o}");
                    values.push(("o".to_owned(), o));
                }
                let mut found = std::collections::BTreeMap::new();
                for (line, formula) in &formulas.lines {
                    let is_used = |name: &str| {
                        let is_part = |c: char| c.is_alphanumeric() || c == '_';
                        formula.split(|c| !is_part(c)).any(|part| part == name)
                    };
                    let at = values.iter().filter(|(name, _)| is_used(name)).cloned().collect();
                    let circuit = Expression::parse(formula, at).unwrap().circuit().unwrap();
                    let value = circuit.value(circuit.output);
                    values.push(((*line).to_owned(), value));
                    found.insert(*line, value);
                }
                let close = |left: f64, right: f64| (left - right).abs() <= 1e-12 * right.abs().max(1.0);
                assert!(close(found["w_new"], next.numbers[0]), "{name}, step {step}: {found:?} {next:?}");
                for (letter, state) in formulas.kept.iter().zip(&next.states) {
                    let own = found[&*format!("{letter}_new")];
                    assert!(close(own, state[0]), "{name}, step {step}, {letter}: {own} {state:?}");
                }
                (w, kept) = (next.numbers, next.states);
            }
        }
    }
}

#[test]
fn findings_name_what_is_to_blame() {
    let finding = |network: &Network, parameters: &[Vec<f64>], features: &[f64], rows: usize| {
        let targets = one_hot(rows, network.outputs());
        diagnose(&Trace::new(network, parameters, features, &targets, rows).unwrap())
    };
    let relu = Network::dense(2, &[3], 2, Activation::Relu, Cost::SoftmaxCrossEntropy);
    let mut parameters: Vec<Vec<f64>> = relu.initialize(0).unwrap();
    parameters[1][1] = -100.0;
    let found = finding(&relu, &parameters, &numbers(8, 2), 4);
    let dead = found.iter().find(|f| f.key == "dead").unwrap();
    assert_eq!((dead.layer, dead.unit), (1, 1));

    let sigmoid = Network::dense(2, &[3], 2, Activation::Sigmoid, Cost::SoftmaxCrossEntropy);
    let mut parameters: Vec<Vec<f64>> = sigmoid.initialize(0).unwrap();
    parameters[1][2] = 30.0;
    let found = finding(&sigmoid, &parameters, &numbers(2, 2), 1);
    assert!(found.iter().any(|f| f.key == "saturated" && f.unit == 2 && f.value < 1e-3), "{found:?}");

    let deep = Network::dense(4, &[4; 20], 2, Activation::Sigmoid, Cost::SoftmaxCrossEntropy);
    let found = finding(&deep, &deep.initialize(0).unwrap(), &numbers(4, 2), 1);
    assert!(found.iter().any(|f| f.key == "vanishing"), "{found:?}");

    let mut parameters: Vec<Vec<f64>> = relu.initialize(0).unwrap();
    parameters[0][0] = f64::INFINITY;
    let found = finding(&relu, &parameters, &[1.0, 0.5], 1);
    assert_eq!(found[0].key, "not_finite");
    assert!(found[0].operation.contains("layers.0.weight"), "{found:?}");
}

#[test]
fn documents_escape_what_pages_must() {
    let page = pullback::explain::Document {
        language: "en",
        blocks: vec![
            Block::Heading(1, "a < b & c".into()),
            Block::Table { columns: vec!["x|y".into()], rows: vec![vec!["1 < 2".into()]] },
        ],
    };
    assert!(page.html(&Drawings::default()).contains(">a &lt; b &amp; c</h1>"));
    assert!(page.markdown().contains("x\\|y"));
}

#[test]
fn an_example_is_a_network_or_a_circuit() {
    assert!(matches!(find("circuit").unwrap().unwrap().worked.subject, Subject::Expression(_)));
    assert!(matches!(find("mazur").unwrap().unwrap().worked.subject, Subject::Network(_)));
}

#[test]
fn in_training_the_dropout_mask_is_a_factor() {
    let mut network = Network::dense(4, &[12], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    network.layers.insert(2, Layer::dropout(0.5));
    let parameters: Vec<Vec<f64>> = network.initialize(3).unwrap();
    let (features, targets) = (numbers(2 * 4, 1), one_hot(2, 3));
    let trace = Trace::with_mode(&network, &parameters, &features, &targets, 2, Mode::Training, 9).unwrap();
    let dense = &trace.dense()[0];
    let mut masks = Vec::new();
    for unit in 0..12 {
        for input in 0..4 {
            let product = |row| -> f64 {
                let factors = trace.factors(dense, unit, row);
                factors.iter().map(|factor| factor.value).product::<f64>() * trace.at(dense.input, row, input)
            };
            let found = trace.gradient(dense.weight)[unit * 4 + input];
            assert!((product(0) + product(1) - found).abs() < EXACT);
        }
        let factors = trace.factors(dense, unit, 0);
        masks.extend(
            factors.iter().filter(|factor| factor.kind == FactorKind::Mask).map(|factor| factor.value),
        );
    }
    assert_eq!(masks.len(), 12);
    assert!(masks.contains(&0.0) && masks.contains(&2.0), "{masks:?}");
}

#[test]
fn what_no_chapter_is_about_is_read_off_the_graph() {
    let mut network = Network::dense(5, &[4], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    network.layers.insert(1, Layer::layer_norm());
    let trace = traced(&network, 2);
    let others = trace.others();
    assert_eq!(others.iter().map(|(place, _)| &place[..]).collect::<Vec<_>>(), ["1", "2"]);
    for (code, _) in LANGUAGES {
        let page = describe(&trace, "t", &Options::default(), &Catalog::find(code).unwrap()).text(200, false);
        for (_, nodes) in &others {
            for &id in nodes {
                let (forward, back) = (trace.graph().label(id), trace.adjoint(id).unwrap());
                let lines = page.lines().filter(|line| line.trim_start().starts_with(&format!("{forward} ")));
                assert_eq!(lines.count(), 2, "{code}: {forward} and its derivative {back:?}\n{page}");
            }
        }
        assert!(page.contains("layers.1.scale[0]") && page.contains("layers.1.shift[3]"), "{page}");
    }
    // Unit by unit, the chapter of dense layers says all.
    for name in Activation::NAMES {
        let mut network = Network::dense(5, &[4], 3, name.parse().unwrap(), Cost::SoftmaxCrossEntropy);
        network.layers.insert(1, Layer::batch_norm());
        network.layers.insert(3, Layer::dropout(0.5));
        assert_eq!(traced(&network, 2).others(), [], "{name}");
    }
}

#[test]
fn one_unit_is_in_the_singular_and_zeros_are_not_the_largest() {
    let page = |network: &Network, change: fn(&mut Vec<Vec<f64>>)| {
        let mut parameters: Vec<Vec<f64>> = network.initialize(3).unwrap();
        change(&mut parameters);
        let (features, targets) = (numbers(network.inputs, 1), one_hot(1, network.outputs()));
        let trace = Trace::new(network, &parameters, &features, &targets, 1).unwrap();
        describe(&trace, "t", &Options::default(), &Catalog::english()).text(200, false)
    };
    let single = page(&Network::dense(1, &[1], 2, Activation::Tanh, Cost::SoftmaxCrossEntropy), |_| {});
    assert!(single.contains("Layer 1: 1 unit of 1 input\n"), "{single}");
    // No unit is active, so all of its deltas are zero.
    let dead =
        page(&Network::dense(3, &[12], 2, Activation::Relu, Cost::SoftmaxCrossEntropy), |parameters| {
            parameters[1].fill(-10.0);
        });
    assert!(dead.contains("10 of 36 are shown; all are 0."), "{dead}");
    assert!(dead.contains("10 of 12 are shown; all are 0."), "{dead}");
}

/// Numbers as they are read: the particles follow their last syllable.
#[test]
fn particles_follow_the_last_sound_of_numbers_letters_and_words() {
    const DIGITS: [&str; 10] = ["영", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"];
    for number in 0..100_usize {
        let read = match (number / 10, number % 10) {
            (0, ones) => DIGITS[ones],
            (_, 0) => "십",
            (_, ones) => DIGITS[ones],
        };
        let value = number.to_string();
        for (consonant, vowel) in [("은", "는"), ("이", "가"), ("을", "를"), ("과", "와"), ("으로", "로")]
        {
            assert_eq!(
                with_particle(&value, consonant, vowel),
                with_particle(read, consonant, vowel),
                "{value}{vowel}"
            );
        }
    }
    let to = |value: &str| format!("{value}{}", with_particle(value, "으로", "로"));
    assert_eq!(
        ["1", "3", "6", "10", "층", "서울", "노드"].map(to),
        ["1로", "3으로", "6으로", "10으로", "층으로", "서울로", "노드로"]
    );
    let of = |value: &str| format!("{value}{}", with_particle(value, "은", "는"));
    // By the names of the letters: 에이, 비, ..., 엘, 엠, 엔, ..., 알.
    for letter in 'a'..='z' {
        let ends_in_consonant = ['l', 'm', 'n', 'r'].contains(&letter);
        for letter in [letter, letter.to_ascii_uppercase()] {
            let expected = if ends_in_consonant { "은" } else { "는" };
            assert_eq!(of(&letter.to_string()), format!("{letter}{expected}"));
        }
    }
    assert_eq!(
        ["w5", "out_h1", "x[3]", "adam", "layer", "sigmoid(z)"].map(of),
        ["w5는", "out_h1은", "x[3]은", "adam은", "layer는", "sigmoid(z)는"]
    );
    assert_eq!((to("L"), to("R"), to("N")), ("L로".into(), "R로".into(), "N으로".into()));
}
