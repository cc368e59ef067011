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
