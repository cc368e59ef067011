//! A Korean page has no English words but symbols and names.

use crate::worked::random;
use pullback::explain::{
    Block, Catalog, Document, Expression, Focus, Level, Notation, Options, Size, Steps, Subject,
    WorkedExample, describe, describe_circuit, describe_claims, examples, scene, with_particle,
};
use pullback::network::{Activation, Cost, Network};
use pullback::train::Optimizer;
use std::collections::BTreeSet;

/// Symbols of formulas, and names that Korean texts write so.
const ALLOWED: &[&str] = &[
    // Symbols.
    "dC", "dE", "dJ", "dD", "dR", "da", "dz", "dw", "dA", "dZ", "dW", "dTheta", "dnet", "dout", "delta",
    "net", "out", "Theta", "mean", "var", "norm", "scaled", "act", "sum", "drop", "mask", "max", "log",
    "rate", "share", "sign", "centered", "beta", "decay", "epsilon", "momentum",
    // Names of functions that are no activations, of authors and of flags.
    "softmax", "sqrt", "exp", "RMS", "lambda", // Words of the formulas of a graph.
    "if", "else", "axes", "every", "of", "pixels",
];

fn allowed() -> BTreeSet<String> {
    let names = Activation::NAMES.iter().chain(Optimizer::NAMES).chain(ALLOWED);
    let parts = names.flat_map(|name| name.split(|c: char| !c.is_ascii_alphabetic()));
    parts.map(str::to_owned).collect()
}

/// The English words of a text: what stands between grave accents is code, what holds a digit or a bracket is a symbol.
fn words(text: &str) -> Vec<String> {
    let outside: String = text.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let is_symbol =
        |token: &&str| token.contains(|c: char| c.is_ascii_digit() || matches!(c, '[' | '_' | '^' | '/'));
    let tokens = outside.split_whitespace().filter(|token| !is_symbol(token)).collect::<Vec<_>>().join(" ");
    let words = tokens.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 1);
    words.map(str::to_owned).collect()
}

fn check(page: &Document, what: &str, allowed: &BTreeSet<String>, found: &mut BTreeSet<String>) {
    let mut texts: Vec<&str> = Vec::new();
    for block in &page.blocks {
        match block {
            Block::Heading(_, text) | Block::Text(text) | Block::Warning(text) => texts.push(text),
            Block::Table { columns, rows } => {
                texts.extend(columns.iter().map(String::as_str));
                texts.extend(rows.iter().flatten().map(String::as_str));
            }
            _ => {}
        }
    }
    for text in texts {
        for word in words(text).into_iter().filter(|word| !allowed.contains(word)) {
            found.insert(format!("{word} in `{text}` of {what}"));
        }
    }
}

#[test]
fn korean_pages_have_no_english_words() {
    let catalog = Catalog::find("ko").unwrap();
    let (allowed, mut found) = (allowed(), BTreeSet::new());
    let mut pages = 0;
    let mut of = |worked: &WorkedExample, what: &str, found: &mut BTreeSet<String>| {
        let Subject::Network(example) = &worked.subject else { return };
        let trace = example.trace().unwrap();
        for name in Notation::NAMES {
            let mut all = vec![Focus::All, Focus::Unit(1, 0)];
            let trained = trace.parameters().iter().enumerate().filter(|(_, p)| p.role.is_trained());
            all.extend(trained.map(|(place, _)| Focus::Element(place, 0)));
            for focus in all {
                let notation = Notation::from_name(name).unwrap();
                let training = example.training.clone();
                let page = describe(
                    &trace,
                    "t",
                    &Options { focus, notation, training, ..Options::default() },
                    &catalog,
                );
                check(&page, what, &allowed, found);
                pages += 1;
            }
        }
        let steps = Steps::of(worked).unwrap();
        for level in [Level::Pass, Level::Layer, Level::Example, Level::Unit, Level::Term] {
            if steps.at(level).len() < 1000 {
                check(&steps.document("t", level, &catalog).unwrap(), what, &allowed, found);
            }
        }
        // What a drawing says of each shape, and what is written in it.
        for step in steps.at(Level::Layer).iter().map(Some).chain([None]).take(12) {
            let drawn = scene(&steps, step, Size::default(), &catalog);
            let texts = drawn.shapes.iter().flat_map(|shape| [&shape.name, &shape.text]);
            for text in texts.chain([&drawn.name, &drawn.sentence]) {
                for word in words(text).into_iter().filter(|word| !allowed.contains(word)) {
                    found.insert(format!("{word} in `{text}` drawn of {what}"));
                }
            }
        }
    };
    for seed in 0..20 {
        of(&random(seed), &format!("network {seed}"), &mut found);
    }
    for name in examples::NAMES {
        let example = examples::find(name).unwrap().unwrap();
        of(&example.worked, name, &mut found);
        check(&describe_claims(&[("", "", &example.claims)], &catalog), name, &allowed, &mut found);
    }
    let deep = Network::dense(4, &[4; 20], 2, Activation::Sigmoid, Cost::SoftmaxCrossEntropy);
    let parameters: Vec<Vec<f64>> = deep.initialize(0).unwrap();
    let trace =
        pullback::explain::Trace::new(&deep, &parameters, &[0.1, 0.2, -0.3, 0.4], &[1.0, 0.0], 1).unwrap();
    check(&describe(&trace, "t", &Options::default(), &catalog), "deep", &allowed, &mut found);
    let circuit = Expression::parse("x * y + x", vec![("x".into(), 1.0), ("y".into(), 2.0)])
        .unwrap()
        .circuit()
        .unwrap();
    check(&describe_circuit(&circuit, "t", 6, &catalog), "formula", &allowed, &mut found);
    assert!(found.is_empty() && pages > 200, "{pages} pages: {found:#?}");
}

/// A particle depends on the last sound of what stands before it: behind a place that is filled in, the message must leave
/// it to that; behind a noun, it must be the noun's.
#[test]
fn korean_particles_are_those_of_their_words() {
    const PARTICLES: [(&str, &str); 6] =
        [("은", "는"), ("이", "가"), ("을", "를"), ("과", "와"), ("으로", "로"), ("이었", "였")];
    const NOUNS: [&str; 18] = [
        "샘플",
        "비용",
        "가중치",
        "기울기",
        "델타",
        "유닛",
        "층",
        "학습률",
        "신경망",
        "예측",
        "정답",
        "입력",
        "출력",
        "값",
        "합",
        "수",
        "편향",
        "규제",
    ];
    let messages: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(include_str!("../../src/messages/ko.json")).unwrap();
    let is_hangul = |c: Option<char>| c.is_some_and(|c| ('가'..='힣').contains(&c));
    let mut wrong = Vec::new();
    for (key, text) in &messages {
        let text = text.as_str().unwrap();
        for (after_consonant, after_vowel) in PARTICLES {
            let both =
                [format!("({after_consonant}){after_vowel}"), format!("{after_consonant}({after_vowel})")];
            if both.iter().any(|both| text.contains(both)) || text.contains("(으)로") {
                wrong.push(format!("{key} leaves a particle open: {text}"));
            }
            for particle in [after_consonant, after_vowel] {
                let ends =
                    |at: usize| particle.ends_with(['었', '였']) || !is_hangul(text[at..].chars().next());
                let literal = format!("}}{particle}");
                for (at, _) in text.match_indices(&literal).filter(|(at, own)| ends(at + own.len())) {
                    wrong.push(format!("{key} has a particle behind a place: {}", &text[at..]));
                }
                for noun in
                    NOUNS.iter().filter(|noun| with_particle(noun, after_consonant, after_vowel) != particle)
                {
                    let literal = format!("{noun}{particle}");
                    let is_word = |at: usize| !is_hangul(text[..at].chars().next_back());
                    let found = text.match_indices(&literal);
                    for (at, _) in found.filter(|(at, own)| is_word(*at) && ends(at + own.len())) {
                        wrong.push(format!("{key} has a wrong particle: {}", &text[at..]));
                    }
                }
            }
        }
        // One word for what should come out.
        if text.contains("목푯값") {
            wrong.push(format!("{key} calls a target by another word: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(with_particle("샘플", "이", "가"), "이");
}
