//! The matrices of a network, and what is told of one of their numbers.

use super::{ask, ask_for, refused};
use pullback_wasm::Lab;
use serde_json::{Value, json};

const MODEL: &[u8] = include_bytes!("../../../../lab/public/models/digits.safetensors");
const SAMPLES: &str = include_str!("../../../../lab/public/models/digits.json");

fn opened_model(lab: &mut Lab) -> Value {
    let (answer, _) = lab.answer(&json!({ "op": "model" }).to_string(), MODEL);
    answer["ok"].clone()
}

fn cells(sample: &Value) -> Value {
    json!({ "cells": { "image": sample["pixels"] }, "target": [sample["label"]] })
}

fn list(json: &Value) -> &[Value] {
    json.as_array().expect("a list")
}

/// What a row is asked with.
fn row(model: &Value, samples: &[Value], is_training: bool) -> Value {
    let mut question = cells(&samples[0]);
    question["op"] = "row".into();
    question["model"] = model["id"].clone();
    question["is_training"] = is_training.into();
    question["others"] = samples[1..].iter().map(cells).collect();
    question
}

fn samples() -> Vec<Value> {
    let all: Value = serde_json::from_str(SAMPLES).expect("JSON");
    list(&all["samples"]).to_vec()
}

fn place(lab: &mut Lab, id: &Value, name: &str) -> (Value, Value) {
    let all = ask(lab, json!({ "op": "parameters", "id": id }));
    let own = list(&all["parameters"]).iter().find(|own| own["name"] == name).expect("a parameter");
    (own["place"].clone(), own["shape"].clone())
}

/// The numbers that a formula says are equal at its end.
fn last_number(text: &str) -> f64 {
    text.rsplit('=').next().unwrap_or_default().trim().parse().unwrap_or_else(|_| panic!("{text}"))
}

#[test]
fn most_samples_are_read_right() {
    let mut lab = Lab::default();
    let model = opened_model(&mut lab);
    let samples = samples();
    // Of each digit two, and two that are read wrong.
    let right = samples.iter().filter(|sample| {
        let row = ask(&mut lab, row(&model, std::slice::from_ref(*sample), false));
        row["outputs"][row["likely"].as_u64().unwrap() as usize] == sample["label"]
    });
    let right = right.count();
    assert!(right >= 18 && right < samples.len(), "{right} of {}", samples.len());
}

#[test]
fn a_matrix_holds_the_weights_and_their_gradients() {
    let mut lab = Lab::default();
    let opened = ask(&mut lab, json!({ "op": "open", "example": "mazur" }));
    let id = opened["id"].clone();
    let (place, shape) = place(&mut lab, &id, "layers.0.weight");
    assert_eq!(shape, json!([2, 2]));
    let matrix = ask(&mut lab, json!({ "op": "matrix", "id": id, "place": place, "most": 32 }));
    assert_eq!(matrix["numbers"], json!([0.15, 0.2, 0.25, 0.3]));
    assert_eq!(matrix["names"], json!(["w1", "w2", "w3", "w4"]));
    // As published: 0.000438568 for w1.
    assert!((matrix["gradients"][0].as_f64().unwrap() - 0.000438568).abs() < 5e-10);
    // A block is told by the number with the largest gradient.
    let one = ask(&mut lab, json!({ "op": "matrix", "id": id, "place": place, "most": 1 }));
    let gradients: Vec<f64> =
        matrix["gradients"].as_array().unwrap().iter().map(|own| own.as_f64().unwrap()).collect();
    let largest = gradients.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap();
    assert_eq!(one["gradients"], json!([largest]));
    assert_eq!((&one["rows"], &one["columns"], &one["block"]), (&json!(1), &json!(1), &json!([2, 2])));
    let blocks = ask(&mut lab, json!({ "op": "matrix", "id": id, "place": place, "most": 0 }));
    assert_eq!(blocks["elements"], one["elements"]);
    assert!(
        refused(&mut lab, json!({ "op": "matrix", "id": id, "place": 99, "most": 1 })).contains("place 99")
    );
}

#[test]
fn every_kind_of_number_is_told_with_its_gradient() {
    let mut lab = Lab::default();
    let model = opened_model(&mut lab);
    let samples = samples();
    for (rows, is_training) in [(1, false), (4, true)] {
        let shown = ask(&mut lab, row(&model, &samples[..rows], is_training));
        let text = shown["state"].to_string();
        let opened = ask(&mut lab, json!({ "op": "open", "text": text }));
        let id = opened["id"].clone();
        assert_eq!(opened["rows"], rows);
        let all = ask(&mut lab, json!({ "op": "parameters", "id": id }));
        let all = all["parameters"].as_array().unwrap().clone();
        assert!(all.len() >= 5, "filters, scale, shift, weights, biases: {all:?}");
        for parameter in all {
            let question = json!({ "op": "matrix", "id": id, "place": parameter["place"], "most": 8 });
            let matrix = ask(&mut lab, question);
            let at = matrix["elements"].as_array().unwrap().len() / 2;
            let gradient = matrix["gradients"][at].as_f64().unwrap();
            let told = ask(
                &mut lab,
                json!({ "op": "number", "id": id, "place": parameter["place"], "element": matrix["elements"][at] }),
            );
            let name = matrix["names"][at].as_str().unwrap();
            let formulas = told["blocks"].as_array().unwrap().iter().filter(|own| own["kind"] == "formula");
            let own = formulas.filter_map(|own| own["text"].as_str()).find(|text| {
                text.starts_with(&format!("dC/d{name} =")) || text.starts_with(&format!("g = dC/d{name} ="))
            });
            let own = own.unwrap_or_else(|| panic!("{name}: {told}"));
            let error = (last_number(own) - gradient).abs();
            // The bias below a batch norm has none but rounding.
            assert!(error <= 1e-5 * gradient.abs() + 1e-12, "{own}: {gradient}");
        }
    }
}

#[test]
fn rows_of_a_batch_are_opened_together() {
    let mut lab = Lab::default();
    let model = opened_model(&mut lab);
    let samples = samples();
    let (alone, _) = ask_for(&mut lab, row(&model, &samples[..1], false));
    let (batch, _) = ask_for(&mut lab, row(&model, &samples[..3], false));
    assert_eq!(alone["prediction"], batch["prediction"], "the prediction is that of the first row");
    assert_eq!(alone["saliency"], batch["saliency"]);
    assert_eq!(batch["state"]["inputs"].as_array().unwrap().len(), 3);
}
