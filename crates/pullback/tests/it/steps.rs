//! Every addition and multiplication of an update: replayed from the steps, the bits are those of the graph.

use crate::worked::{network, random};
use pullback::data::{Dataset, Features, Targets};
use pullback::explain::{
    Action, Catalog, Expression, LANGUAGES, Level, Pass, Steps, Subject, WorkedExample, examples, four_ways,
};
use pullback::graph::Kind;
use pullback::graph::ops::Dice;
use pullback::network::{Activation, Cost, Network};
use pullback::train::{Batch, Machine, Silent, Trainer, Training};
use std::collections::BTreeSet;

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// Replays the steps of an example, counts them, and looks for multiplications that occur twice.
fn check(worked: &WorkedExample, what: &str) {
    let steps = Steps::of(worked).unwrap();
    let (found, changed) = steps.replay();
    let terms = steps.at(Level::Term);
    let graph = steps.graph();
    let mut made = 0;
    for id in graph.ids().filter(|id| matches!(graph.node(*id).kind, Kind::Operation(..))) {
        let own = &found[id.index()];
        // What no gradient needs is not computed.
        if own.iter().all(|number| number.is_nan()) && !steps.value(id).iter().all(|number| number.is_nan()) {
            assert!(terms.iter().all(|step| step.term.as_ref().unwrap().result.node != id), "{what}: {id:?}");
            continue;
        }
        made += 1;
        assert_eq!(bits(own), bits(steps.value(id)), "{what}: {id:?} of\n{graph}");
    }
    assert!(made > 0, "{what}: the replay makes numbers");
    let mut seen = BTreeSet::new();
    for step in terms.iter().filter(|step| step.pass == Pass::Backward) {
        let term = step.term.as_ref().unwrap();
        if term.action == Action::MultiplyAdd {
            assert!(seen.insert((term.result, term.operands.clone())), "{what}: {term:?} occurs twice");
        }
    }
    // The levels hold the same terms.
    let counted = |level: Level| steps.at(level).iter().map(|step| step.multiply_adds).sum::<u64>();
    assert_eq!(counted(Level::Pass), counted(Level::Layer), "{what}");
    assert_eq!(counted(Level::Unit), counted(Level::Term), "{what}");
    if let Some(trace) = worked.trace().unwrap() {
        let full = four_ways::count(&trace).back;
        assert_eq!(counted(Level::Layer) as f64, full, "{what}: what `explain` and `compare` count");
        let Subject::Network(example) = &worked.subject else { panic!("a trace is of a network") };
        let padded = example.network.layers.iter().any(|layer| layer.describe().contains("padding"));
        if !padded {
            assert_eq!(counted(Level::Example) as f64, full, "{what}: the examples");
            assert_eq!(counted(Level::Term) as f64, full, "{what}: the terms");
        }
        let mut after = example.clone();
        after.advance(&mut Default::default()).unwrap();
        for (place, parameter) in trace.parameters().iter().enumerate().filter(|(_, p)| p.role.is_trained()) {
            assert_eq!(bits(&changed[place]), bits(&after.parameters[place]), "{what}: {}", parameter.name);
        }
    }
}

#[test]
fn replayed_steps_of_random_networks_have_the_bits_of_the_graph() {
    for seed in 0..350 {
        check(&random(seed), &format!("network {seed}"));
    }
}

/// A formula of smooth functions whose names are used again.
fn formula(dice: &mut Dice) -> (String, Vec<(String, f64)>) {
    let mut names = vec!["x".to_owned(), "y".to_owned()];
    let mut text = String::from("s = x * y\n");
    names.push("s".into());
    for line in 0..1 + dice.below(4) {
        let mut any = || names[dice.below(names.len())].clone();
        let (left, right) = (any(), any());
        let function = ["tanh", "sigmoid", "softplus", "gelu", "silu", "erf"][dice.below(6)];
        let made = match dice.below(5) {
            0 => format!("{left} + {right} * 0.5"),
            1 => format!("({left} - {right}) * {left}"),
            2 => format!("{function}({left}) / (1 + {right} ^ 2)"),
            3 => format!("-{function}({left} * {right})"),
            _ => format!("exp({function}({left})) + sqrt(1 + {right} * {right})"),
        };
        // An old name may get a new meaning.
        let name = if dice.below(4) == 0 { "s".to_owned() } else { format!("v{line}") };
        text.push_str(&format!("{name} = {made}\n"));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let last = names.last().unwrap().clone();
    text.push_str(&format!("{last} + s * x + y\n"));
    (text, vec![("x".into(), dice.between(-1.0, 1.0)), ("y".into(), dice.between(-1.0, 1.0))])
}

#[test]
fn replayed_steps_of_random_formulas_have_the_bits_of_the_graph_and_the_slopes_of_differences() {
    for seed in 0..150 {
        let mut dice = Dice::new(seed);
        let (text, at) = formula(&mut dice);
        let value = |at: &[(String, f64)]| {
            let circuit = Expression::parse(&text, at.to_vec()).unwrap().circuit().unwrap();
            circuit.value(circuit.output)
        };
        let expression = Expression::parse(&text, at.clone()).unwrap();
        let circuit = expression.circuit().unwrap();
        for (place, (name, node)) in circuit.variables.iter().enumerate() {
            let moved = |by: f64| {
                let mut at = at.clone();
                at[place].1 += by;
                value(&at)
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            let found = circuit.derivative(*node);
            assert!(
                (slope - found).abs() <= 1e-7 * (1.0 + found.abs()),
                "{text}{name}: {found}, not {slope}"
            );
            // What arrives from all uses adds up to it.
            let sum: f64 = circuit.passed_to(*node).iter().map(|(_, passed)| passed).sum();
            assert!((sum - found).abs() <= 1e-12 * (1.0 + found.abs()), "{text}{name}: {sum} for {found}");
        }
        let worked = WorkedExample {
            title: String::new(),
            source: String::new(),
            notation: Default::default(),
            language: None,
            subject: Subject::Expression(expression),
            expect: Vec::new(),
        };
        assert_eq!(WorkedExample::parse(&worked.to_toml(), "formula").unwrap(), worked);
        check(&worked, &text);
    }
}

#[test]
fn the_shipped_examples_are_replayed_and_told_in_each_language() {
    for name in examples::NAMES {
        let worked = examples::find(name).unwrap().unwrap().worked;
        check(&worked, name);
        let steps = Steps::of(&worked).unwrap();
        for (code, _) in LANGUAGES {
            let catalog = Catalog::find(code).unwrap();
            for level in [Level::Pass, Level::Layer, Level::Example, Level::Unit, Level::Term] {
                for step in steps.at(level) {
                    let said = steps.describe(&step, &catalog);
                    assert!(!said.sentence.is_empty() && !said.sentence.contains(['{', '}']), "{said:?}");
                    assert!(!said.sentence.starts_with("step."), "{said:?}");
                    if level == Level::Term {
                        assert!(!said.formula.is_empty() && said.numbers.contains('='), "{said:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_first_steps_of_mazur_are_those_of_the_page() {
    let worked = examples::find("mazur").unwrap().unwrap().worked;
    let steps = Steps::of(&worked).unwrap();
    let english = Catalog::english();
    let said: Vec<String> = (steps.at(Level::Term).iter().take(4))
        .map(|step| {
            let said = steps.describe(step, &english);
            format!("{}: {}", said.formula, said.numbers)
        })
        .collect();
    assert_eq!(
        said,
        [
            "net_h1 = w1 * i1: 0.15 * 0.05 = 0.0075",
            "net_h1 += w2 * i2: 0.0075 + 0.2 * 0.1 = 0.0275",
            "net_h1 = w1 * i1 + w2 * i2 + b1: 0.15 * 0.05 + 0.2 * 0.1 + 0.35 = 0.3775",
            "out_h1 = 1 / (1 + exp(-net_h1)): 1 / (1 + exp(-0.3775)) = 0.593270",
        ]
    );
    let change = steps.at(Level::Term).into_iter().rfind(|step| step.pass == Pass::Update).unwrap();
    assert_eq!(steps.describe(&change, &english).formula, "w4' = w4 - rate * dE/dw4");
}

#[test]
fn a_hundred_layers_have_about_four_hundred_steps() {
    let network = Network::dense(16, &[16; 99], 4, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let worked = crate::worked::example(network, 1, 3);
    let steps = Steps::of(&worked).unwrap();
    let count = steps.at(Level::Layer).len();
    assert!((395..=405).contains(&count), "{count}");
    // Looking into one layer does not need the others.
    let layer = &steps.at(Level::Layer)[50];
    assert_eq!(steps.inside(layer).len(), 16);
}

/// One step of the trainer itself, in f64: its kernels add in another order.
#[test]
fn the_update_is_that_of_the_trainer() {
    for seed in 0..20 {
        let mut dice = Dice::new(seed);
        let worked = network(&mut dice, seed);
        let Subject::Network(example) = &worked.subject else { panic!("a network") };
        let features = Features::dense(example.inputs.clone(), example.network.inputs).unwrap();
        let targets = Targets::values(example.targets.clone(), example.network.outputs()).unwrap();
        let data = Dataset::new(features, targets).unwrap();
        let training = Training { epochs: 1, batch: Batch::Full, shuffle: false, ..example.training.clone() };
        let rows: Vec<usize> = (0..example.rows).collect();
        let machine = Machine::with_threads(1);
        let trainer = Trainer::new(&example.network, &training, &data, &rows, &[], &machine).unwrap();
        let mut trainer = trainer.starting_with(&example.parameters).unwrap();
        trainer.epoch(&mut Silent);
        let mut after = example.clone();
        after.advance(&mut Default::default()).unwrap();
        for (own, trained) in after.parameters.iter().zip(trainer.parameters()) {
            for (own, trained) in own.iter().zip(trained) {
                assert!((own - trained).abs() <= 1e-9 * (1.0 + own.abs()), "{seed}: {own} for {trained}");
            }
        }
    }
}

#[test]
fn what_a_step_leaves_as_it_is_is_not_said_to_move() {
    let said = |inputs: &str, activation: &str| {
        let text = format!(
            "inputs = {inputs}\ntargets = [1.0]\nlearning_rate = 0.1\n[[layer]]\nweights = [[0.5, 0.25]]\n\
             biases = [-0.02]\nactivation = \"{activation}\""
        );
        let steps = Steps::of(&WorkedExample::parse(&text, "a file").unwrap()).unwrap();
        let step = steps.at(Level::Unit).into_iter().rfind(|step| step.pass == Pass::Update).unwrap();
        steps.describe(&step, &Catalog::english()).sentence
    };
    let sentence = said("[0.0, 1.0]", "identity");
    let (moved, still) = sentence.split_once(" Unchanged in these digits: ").unwrap();
    // The levels tell weights and biases apart.
    assert!(moved.starts_with("Each "), "{moved}");
    assert_eq!(moved.contains("weight"), moved.contains("w["), "{moved}");
    assert_eq!(moved.contains("bias"), moved.contains("b["), "{moved}");
    assert!(moved.contains('→') && still.ends_with("= 0.5."), "{sentence}");
    // A unit of ReLU that is off.
    let sentence = said("[-1.0, -1.0]", "relu");
    assert!(sentence.starts_with("Unchanged in these digits: ") && !sentence.contains('→'), "{sentence}");
}
