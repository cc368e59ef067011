//! The engine of the page, asked as the page asks it.

mod numbers;
mod quiz;
mod train;

use pullback_wasm::Lab;
use serde_json::{Value, json};

/// The answer to a question that has one, with its numbers.
fn ask_for(lab: &mut Lab, question: Value) -> (Value, Vec<f32>) {
    let (mut answer, numbers) = lab.answer(&question.to_string(), &[]);
    assert!(answer.get("error").is_none(), "{question}: {answer}");
    (answer["ok"].take(), numbers)
}

fn ask(lab: &mut Lab, question: Value) -> Value {
    ask_for(lab, question).0
}

/// What is said against a question.
fn refused(lab: &mut Lab, question: Value) -> String {
    let (answer, _) = lab.answer(&question.to_string(), &[]);
    answer["error"]["what"].as_str().unwrap_or_else(|| panic!("{question}: {answer}")).to_owned()
}

#[test]
fn a_question_that_is_none_is_refused() {
    assert!(refused(&mut Lab::default(), json!({ "op": "dance" })).starts_with("not a question"));
}

#[test]
fn a_language_is_learned_from_its_file() {
    let mut lab = Lab::default();
    let learn = |lab: &mut Lab, language: &str, file: &[u8]| {
        lab.answer(&json!({ "op": "learn", "language": language }).to_string(), file).0
    };
    let refused = |answer: Value| answer["error"]["what"].as_str().expect("an error").to_owned();
    assert!(refused(learn(&mut lab, "en", b"no JSON")).contains("no list of messages"));
    assert!(refused(learn(&mut lab, "en", br#"{"lab.title": 1}"#)).contains("no list of messages"));
    assert!(refused(learn(&mut lab, "xx", b"{}")).contains("no such language"));
    assert_eq!(learn(&mut lab, "ko", br#"{"lab.title": "a title"}"#), json!({ "ok": null }));
    assert_eq!(ask(&mut lab, json!({ "op": "words", "language": "ko" })), json!({ "lab.title": "a title" }));
}

#[test]
fn what_is_wrong_with_a_field_is_said() {
    let mut lab = Lab::default();
    let mut said = |question: Value| refused(&mut lab, question);
    assert_eq!(said(json!({ "op": "open", "example": 3 })), "not a question: `example` is a text");
    assert_eq!(said(json!({ "op": "close" })), "not a question: missing field `id`");
    assert_eq!(said(json!({ "op": 1 })), "not a question: `op` is a text");
    assert_eq!(
        said(json!({ "op": "row", "model": 1, "cells": [], "target": [] })),
        "not a question: `cells` is cells by their columns"
    );
    assert_eq!(
        said(json!({ "op": "train_close", "id": -1 })),
        "not a question: `id` is a whole number, not negative"
    );
    let open = json!({
        "op": "train_open", "data": { "given": [[0.0, 1.0, "a"]] }, "hidden": [2], "activation": "tanh",
        "optimizer": "sgd", "learning_rate": 0.1, "batch": 0, "seed": 1, "optimiser": "adam",
    });
    assert_eq!(said(open), "not a question: unknown field `optimiser`");
}
