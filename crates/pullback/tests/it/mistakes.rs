//! Wrong answers are known for what they are, right ones pass, and lessons say where they are wrong.

use crate::worked::{example, random};
use pullback::explain::{
    Answered, Asked, Catalog, LANGUAGES, Lesson, Mistake, Question, Subject, Verdict, WorkedExample, answers,
    examples,
};
use pullback::network::{Activation, Cost, Network};
use std::collections::BTreeSet;

/// Two hidden layers, so that a unit behind another can pass on too early; three units, so that one path more or less
/// differs from one path alone.
fn deep(activation: Activation, cost: Cost, rows: usize, seed: u64) -> WorkedExample {
    example(Network::dense(2, &[3, 3], 3, activation, cost), rows, seed)
}

fn networks() -> [WorkedExample; 3] {
    [
        deep(Activation::Sigmoid, Cost::SquaredError, 3, 1),
        deep(Activation::Tanh, Cost::SquaredError, 2, 2),
        deep(Activation::Sigmoid, Cost::SigmoidCrossEntropy, 4, 3),
    ]
}

fn all_asked(worked: &WorkedExample) -> Vec<Asked> {
    let trace = worked.trace().unwrap().unwrap();
    let mut all = vec![Asked::Cost, Asked::Tries];
    for (at, dense) in trace.dense().iter().enumerate() {
        let layer = at + 1;
        all.push(Asked::Norm(layer));
        for unit in 0..dense.units {
            let of_unit = [Asked::Sum, Asked::Activation, Asked::Arriving, Asked::Delta];
            all.extend(of_unit.map(|of| of(layer, unit)));
            for input in 0..dense.inputs {
                let of_weight = [Asked::Passed, Asked::Gradient, Asked::NewWeight, Asked::Paths];
                all.extend(of_weight.map(|of| of(layer, unit, input)));
            }
        }
    }
    all
}

#[test]
fn each_wrong_answer_gets_its_explanation_and_the_right_one_passes() {
    for (number, worked) in networks().iter().enumerate() {
        let answers = answers(worked, &Asked::Gradient(1, 0, 0)).unwrap();
        assert_eq!(answers.judge(answers.right), Verdict::Right);
        assert_eq!(answers.judge(answers.right * 1.015), Verdict::Right, "a learner rounds");
        assert_eq!(answers.judge(answers.right * 37.0), Verdict::Other);
        let found: BTreeSet<Mistake> = answers.wrong.iter().map(|wrong| wrong.mistake).collect();
        assert_eq!(found, Mistake::ALL.into(), "network {number}");
        for (code, _) in LANGUAGES {
            let catalog = Catalog::find(code).unwrap();
            let mut texts = BTreeSet::new();
            for mistake in Mistake::ALL {
                // One of each kind, as a learner would write it.
                let own = answers.wrong.iter().find(|wrong| wrong.mistake == mistake).unwrap();
                let Verdict::Mistaken(told) = answers.judge(own.number) else { panic!("{mistake:?}") };
                assert_eq!(told.mistake, mistake, "network {number}");
                let text = told.text(&catalog);
                assert!(!text.contains(['{', '}']) && text != told.key, "{text}");
                texts.insert(text);
            }
            assert_eq!(texts.len(), 8, "each has its own");
        }
    }
}

/// The mistakes, made by hand in a network of one unit a layer and two outputs.
#[test]
fn wrong_numbers_are_those_of_the_mistakes() {
    let mazur = examples::find("mazur").unwrap().unwrap().worked;
    let (o1, o2) = (0.75136507, 0.772928465);
    let (h1, slope) = (0.593269992, |a: f64| a * (1.0 - a));
    let (d1, d2) = ((o1 - 0.01) * slope(o1), (o2 - 0.99) * slope(o2));
    let wrong = |asked: Asked, mistake: Mistake| -> Vec<f64> {
        let all = answers(&mazur, &asked).unwrap();
        all.wrong.iter().filter(|own| own.mistake == mistake).map(|own| own.number).collect()
    };
    let has = |numbers: &[f64], wanted: f64| {
        assert!(numbers.iter().any(|own| (own - wanted).abs() < 1e-7), "{wanted} in {numbers:?}");
    };
    let hidden = Asked::Delta(1, 0);
    has(&wrong(hidden.clone(), Mistake::Path), d1 * 0.4 * slope(h1));
    has(&wrong(hidden.clone(), Mistake::Path), d2 * 0.5 * slope(h1));
    has(&wrong(hidden.clone(), Mistake::Slope), d1 * 0.4 + d2 * 0.5);
    // 0.35891648 and 0.51130127 are w5 and w7 after the step.
    has(&wrong(hidden.clone(), Mistake::NewWeight), (d1 * 0.35891648 + d2 * 0.51130127) * slope(h1));
    has(&wrong(hidden.clone(), Mistake::Sign), -(d1 * 0.4 + d2 * 0.5) * slope(h1));
    let logistic = |x: f64| 1.0 / (1.0 + pullback::Real::exp(-x));
    has(&wrong(hidden.clone(), Mistake::Place), (d1 * 0.4 + d2 * 0.5) * slope(logistic(h1)));
    has(&wrong(hidden, Mistake::Place), (d1 * 0.4 + d2 * 0.5) * slope(0.3775));
    has(&wrong(Asked::Gradient(2, 0, 0), Mistake::Place), d1 * 0.3775);
    has(&wrong(Asked::NewWeight(2, 0, 0), Mistake::Sign), 0.4 + 0.5 * d1 * h1);
    has(&wrong(Asked::Sum(1, 0), Mistake::Place), h1);
    let xor = examples::find("xor").unwrap().unwrap().worked;
    let asked = Asked::Gradient(2, 0, 1);
    let (right, trace) = (answers(&xor, &asked).unwrap(), xor.trace().unwrap().unwrap());
    let last = trace.dense().last().unwrap();
    let of = |mistake| right.wrong.iter().filter(move |own| own.mistake == mistake).map(|own| own.number);
    has(&of(Mistake::Mean).collect::<Vec<_>>(), 4.0 * right.right);
    let part = trace.at(last.delta, 3, 0) * trace.at(last.input, 3, 1);
    has(&of(Mistake::Accumulated).collect::<Vec<_>>(), part);
}

#[test]
fn what_is_right_is_the_traces_own_number_in_random_networks() {
    let mut judged = 0;
    for seed in 0..40 {
        let worked = random(seed);
        let Subject::Network(_) = &worked.subject else { continue };
        let Ok(_) = answers(&worked, &Asked::Delta(1, 0)) else { continue };
        let trace = worked.trace().unwrap().unwrap();
        for asked in all_asked(&worked) {
            let found = answers(&worked, &asked).unwrap();
            if let Asked::Gradient(l, j, i) = asked {
                let own = &trace.dense()[l - 1];
                assert_eq!(found.right, trace.gradient(own.weight)[j * own.inputs + i]);
            }
            assert_eq!(found.judge(found.right), Verdict::Right, "{asked} of {seed}");
            assert_eq!(asked.to_string().parse::<Asked>().unwrap(), asked);
            judged += 1;
        }
    }
    assert!(judged > 300, "{judged}");
}

#[test]
fn a_value_used_twice_is_asked_about() {
    let twice =
        WorkedExample::parse("expression = \"b = 3 * a\\nc = b + b\"\nat = { a = 3 }", "own").unwrap();
    let found = answers(&twice, &Asked::Derivative("a".into())).unwrap();
    assert_eq!((found.right, found.name.as_str()), (6.0, "dc/da"));
    let Verdict::Mistaken(wrong) = found.judge(3.0) else { panic!("b passed on too early") };
    assert_eq!(wrong.mistake, Mistake::Order, "b passed on when one of its two uses had come back");
    let Verdict::Mistaken(wrong) = found.judge(2.0) else { panic!("the local derivative is missing") };
    assert_eq!(wrong.mistake, Mistake::Slope);
    let once = WorkedExample::parse("expression = \"b = a + a\"\nat = { a = 3 }", "own").unwrap();
    let found = answers(&once, &Asked::Derivative("a".into())).unwrap();
    let Verdict::Mistaken(wrong) = found.judge(1.0) else { panic!("a path is missing") };
    assert_eq!(wrong.mistake, Mistake::Path);
    assert!(wrong.text(&Catalog::english()).contains("used 2 times"));
}

#[test]
fn questions_are_asked_and_judged_in_both_languages() {
    let mazur = examples::find("mazur").unwrap().unwrap().worked;
    for (code, _) in LANGUAGES {
        let catalog = Catalog::find(code).unwrap();
        for (text, right, wrong) in [
            ("number:gradient.2.0.0", Answered::Number(0.0822), Answered::Number(0.5)),
            ("sign:gradient.2.1.0", Answered::Choice(1), Answered::Choice(0)),
            ("sign:delta.2.0", Answered::Choice(0), Answered::Choice(2)),
            ("larger:gradient.2.0.0,gradient.2.1.0", Answered::Choice(0), Answered::Choice(1)),
            ("larger:gradient.2.1.0,gradient.2.0.0", Answered::Choice(1), Answered::Choice(2)),
            ("number:tries", Answered::Number(12.0), Answered::Number(8.0)),
            ("number:paths.1.0.0", Answered::Number(2.0), Answered::Number(4.0)),
            ("number:weight.2.0.0", Answered::Number(0.3589), Answered::Number(0.4)),
        ] {
            let question: Question = text.parse().unwrap();
            assert_eq!(question.to_string(), text);
            let asked = question.text(&mazur, &catalog).unwrap();
            assert!(asked.ends_with('?') && !asked.contains("lab."), "{asked}");
            let judged = question.judge(&mazur, right, &catalog).unwrap();
            assert!(judged.is_right && judged.mistake.is_none(), "{text}: {judged:?}");
            let judged = question.judge(&mazur, wrong, &catalog).unwrap();
            assert!(!judged.is_right && !judged.text.contains("lab."), "{text}: {judged:?}");
        }
    }
    // Every kind of number has its question and its hint.
    for (code, _) in LANGUAGES {
        let catalog = Catalog::find(code).unwrap();
        let known: BTreeSet<&str> = catalog.keys().collect();
        let derivative = Asked::Derivative("a".into());
        for asked in all_asked(&mazur).iter().chain([&derivative]) {
            for key in [format!("lab.ask_number_{}", asked.kind()), format!("lab.ask_hint_{}", asked.kind())]
            {
                assert!(known.contains(key.as_str()), "{key} in {code}");
            }
        }
    }
    let mistyped = "number:gradiant.2.0.0".parse::<Question>().unwrap_err();
    assert!(mistyped.to_string().contains("gradiant"), "{mistyped}");
    assert!(answers(&mazur, &Asked::Gradient(3, 0, 0)).is_err());
}

#[test]
fn a_layer_that_is_not_dense_is_refused() {
    let mut network = Network::dense(2, &[3], 1, Activation::Tanh, Cost::SquaredError);
    network.layers.insert(1, pullback::network::Layer::layer_norm());
    let worked = example(network, 1, 0);
    let error = answers(&worked, &Asked::Delta(2, 0)).unwrap_err();
    assert!(error.to_string().contains("dense"), "{error}");
}

#[test]
fn lessons_say_in_which_line_they_are_wrong() {
    let head = "title = \"t\"\n[[step]]\nexample = \"mazur\"\n";
    assert_eq!(Lesson::parse(head, "own").unwrap().steps.len(), 1);
    for (line, more, what) in [
        (4, "exampel = 1", "exampel"),
        (4, "level = \"units\"", "units"),
        (4, "at = \"backwards\"", "backward"),
        (4, "cover = [\"gradient.9.0.0\"]", "gradient.9.0.0"),
        (4, "question = \"number:gradient.2.0\"", "gradient.2.0"),
        (5, "text = \"a\"\nquestion = { ask = \"?\", choices = [\"a\", \"b\"], right = 3 }", "there are 2"),
        (6, "[[step]]\n[step.state]\ninputs = \"x\"\ntargets = [1]", "inputs"),
    ] {
        let error = Lesson::parse(&format!("{head}{more}"), "own.toml").unwrap_err().to_string();
        assert!(error.contains(what) && error.contains(&format!("line {line}")), "{more}: {error}");
    }
    assert!(Lesson::parse("title = \"t\"", "own").is_err());
}
