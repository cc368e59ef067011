//! Questions cover what they ask, and judge what is answered.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use pullback::explain::examples;
use pullback::report::number::significant;
use pullback_wasm::Lab;
use serde_json::{Value, json};

fn ask(lab: &mut Lab, question: &Value) -> Value {
    let (answer, _) = lab.answer(&question.to_string(), &[]);
    assert!(answer.get("error").is_none(), "{question}: {answer}");
    answer["ok"].clone()
}

fn open(lab: &mut Lab, what: &Value) -> Value {
    let mut question = what.clone();
    question["op"] = "open".into();
    ask(lab, &question)["id"].clone()
}

/// The right answer, by asking for it.
fn right(lab: &mut Lab, id: &Value, question: &str) -> f64 {
    let told = ask(lab, &json!({ "op": "reveal", "id": id, "question": question }));
    let text = told["text"].as_str().expect("it is told in words");
    let number = text.split("= ").nth(1).unwrap_or(text.trim_start_matches("Right: "));
    number.trim_end_matches('.').parse().expect("a number")
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Number(number) => found.push(significant(number.as_f64().expect("a number of JSON"), 4)),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(map) => map.values().for_each(|item| texts(item, found)),
        _ => {}
    }
}

#[test]
fn nothing_that_is_covered_is_in_the_scene() {
    let mut asked = 0;
    for name in examples::NAMES {
        let mut lab = Lab::default();
        let id = open(&mut lab, &json!({ "example": name }));
        for seed in 0..4 {
            let all = ask(&mut lab, &json!({ "op": "questions", "id": id, "seed": seed }));
            assert!(!all.as_array().unwrap().is_empty(), "{name}");
            for question in all.as_array().unwrap() {
                let question = question.as_str().unwrap();
                let told = ask(&mut lab, &json!({ "op": "question", "id": id, "question": question }));
                let covered: Vec<&Value> = (told["scene"]["shapes"].as_array().unwrap().iter())
                    .filter(|shape| shape["name"].as_str().unwrap().ends_with("is covered."))
                    .collect();
                for shape in &covered {
                    assert!(shape.get("number").is_none() && shape["text"] != "0", "{shape}");
                    let text = shape["text"].as_str().unwrap();
                    assert!(text.is_empty() || text.ends_with('?'), "{shape}");
                }
                let (kind, of) = question.split_once(':').unwrap();
                let is_drawn = !of.starts_with("weight") && !of.starts_with("passed");
                assert!(!is_drawn || !covered.is_empty(), "{name}: {question} covers nothing");
                assert_eq!(told["kind"], kind);
                if kind != "number" || covered.is_empty() {
                    continue;
                }
                // Where no other number happens to be the same, the answer is nowhere to be found.
                let answer = significant(right(&mut lab, &id, question), 4);
                let end =
                    ask(&mut lab, &json!({ "op": "scene", "id": id, "level": "unit", "at": told["at"] }));
                let shown = |scene: &Value| {
                    let shapes = scene["shapes"].as_array().unwrap();
                    let is_seen = |shape: &&Value| shape["during"][1].as_f64().unwrap() >= 1.0;
                    let own = shapes.iter().filter(is_seen).filter(|shape| shape["number"].is_number());
                    own.filter(|shape| significant(shape["number"].as_f64().unwrap(), 4) == answer).count()
                };
                let mut found = Vec::new();
                texts(&told, &mut found);
                let tells = found.iter().any(|text| {
                    let mut parts =
                        text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')));
                    parts.any(|part| part.trim_end_matches('.') == answer)
                });
                if shown(&end) <= covered.len() && answer.len() > 3 {
                    assert!(!tells, "{name}: {question} tells {answer}");
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 30, "{asked}");
}

#[test]
fn answers_are_judged_with_their_reasons() {
    let mut lab = Lab::default();
    let id = open(&mut lab, &json!({ "example": "mazur" }));
    let mut judge = |answer: Value| {
        let mut question = json!({ "op": "judge", "id": id });
        question.as_object_mut().unwrap().extend(answer.as_object().unwrap().clone());
        ask(&mut lab, &question)
    };
    let told = judge(json!({ "question": "number:gradient.2.0.0", "number": 0.0822 }));
    assert_eq!((&told["is_right"], &told["is_over"]), (&json!(true), &json!(true)));
    assert_eq!(told["made"][0], "dE/dw5 = delta_o1 * out_h1");
    let told = judge(json!({ "question": "number:gradient.2.0.0", "number": 0.43987 }));
    assert_eq!((&told["mistake"], &told["is_over"]), (&json!("slope"), &json!(false)));
    assert_eq!(told["made"], json!([]), "the way is not given away");
    let told = judge(json!({ "question": "number:gradient.2.0.0", "number": 7 }));
    assert_eq!(told["mistake"], Value::Null);
    let korean = judge(json!({ "question": "number:delta.1.0", "number": -0.00877136, "language": "ko" }));
    assert_eq!(korean["mistake"], "sign");
    assert!(korean["text"].as_str().unwrap().starts_with("부호가"));
    let told = judge(json!({ "question": "sign:gradient.2.1.0", "choice": 1 }));
    assert_eq!(told["is_right"], true);
}

#[test]
fn a_covered_step_shows_the_rest() {
    let mut lab = Lab::default();
    let id = open(&mut lab, &json!({ "example": "mazur" }));
    let scene = |lab: &mut Lab, cover: &[&str]| {
        ask(lab, &json!({ "op": "covered", "id": id, "level": "pass", "at": 2, "cover": cover }))
    };
    let text = |scene: &Value, id: &str| {
        let shapes = scene["shapes"].as_array().unwrap();
        shapes.iter().find(|shape| shape["id"] == id).unwrap()["text"].as_str().unwrap().to_owned()
    };
    let all = scene(&mut lab, &[]);
    assert_eq!(text(&all, "gradient.2.0.0"), "0.08217");
    let some = scene(&mut lab, &["gradient.2.0.0", "delta.1.1"]);
    assert_eq!([text(&some, "gradient.2.0.0"), text(&some, "delta.1.1")], ["?", "δ ?"]);
    assert_eq!(text(&some, "gradient.2.0.1"), text(&all, "gradient.2.0.1"));
    assert_eq!(some["sentence"], "Some numbers are covered.");
}

#[test]
fn the_lessons_of_the_page_open() {
    for text in [
        include_str!("../../../../lab/public/lessons/back-propagation.toml"),
        include_str!("../../../../lab/public/lessons/back-propagation.ko.toml"),
    ] {
        let mut lab = Lab::default();
        let lesson = ask(&mut lab, &json!({ "op": "lesson", "text": text, "source": "own.toml" }));
        let steps = lesson["steps"].as_array().unwrap();
        assert!(steps.len() >= 5);
        for step in steps {
            let id = open(&mut lab, &json!({ "text": step["state"].to_string() }));
            ask(
                &mut lab,
                &json!({
                    "op": "covered", "id": id, "level": step["level"], "at": 0, "cover": step["cover"],
                }),
            );
            if let Some(question) = step["question"]["of"].as_str() {
                ask(&mut lab, &json!({ "op": "question", "id": id, "question": question }));
            }
        }
    }
    let mut lab = Lab::default();
    let question = json!({ "op": "lesson", "text": "[[step]]\nexample = \"mazurr\"", "source": "own.toml" });
    let (answer, _) = lab.answer(&question.to_string(), &[]);
    assert!(answer["error"]["place"].as_str().unwrap().contains("line 2"), "{answer}");
}
