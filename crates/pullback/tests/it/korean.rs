//! A Korean page has no English words but symbols and names.

use crate::worked::random;
use pullback::explain::{
    Block, Catalog, Document, Expression, Focus, Level, Notation, Options, Steps, Subject, WorkedExample,
    describe, describe_circuit, describe_claims, examples,
};
use pullback::network::{Activation, Cost, Network};
use pullback::train::Optimizer;
use std::collections::BTreeSet;

/// Symbols of formulas, and names that Korean texts write so.
const ALLOWED: &[&str] = &[
    // Symbols.
    "dC", "dE", "dJ", "dD", "dR", "da", "dz", "dw", "dA", "dZ", "dW", "dTheta", "dnet", "dout", "delta",
    "net", "out", "Theta", "mean", "var", "norm", "scaled", "act", "sum", "drop", "mask", "max", "log",
    "rate", "share", "sign",
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
        check(&steps.document("t", Level::Layer, &catalog).unwrap(), what, &allowed, found);
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
