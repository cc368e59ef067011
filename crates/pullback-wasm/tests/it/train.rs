//! Runs of training: same bits, any step again, and pictures that say what the network says.

use super::{ask, ask_for, refused};
use pullback_wasm::Lab;
use serde_json::{Value, json};

/// A small run on points of a built-in set.
fn open(lab: &mut Lab, set: &str, more: Value) -> Value {
    let mut question = json!({
        "op": "train_open", "data": { "generated": { "set": set, "points": 200, "noise": 1, "seed": 1 } }, "hidden": [8, 8],
        "activation": "tanh", "optimizer": "adam", "learning_rate": 0.01, "batch": 16, "seed": 3, "test": 0.2,
    });
    for (key, value) in more.as_object().expect("settings") {
        question[key] = value.clone();
    }
    ask(lab, question)
}

fn about(lab: &mut Lab, run: &Value, op: &str, more: Value) -> Value {
    about_for(lab, run, op, more).0
}

fn about_for(lab: &mut Lab, run: &Value, op: &str, more: Value) -> (Value, Vec<f32>) {
    let mut question = json!({ "op": op, "id": run["id"] });
    for (key, value) in more.as_object().expect("settings") {
        question[key] = value.clone();
    }
    ask_for(lab, question)
}

/// Everything that a run shows where it is.
fn shown(lab: &mut Lab, run: &Value) -> (Value, Vec<f32>) {
    let look = about(lab, run, "train_look", json!({}));
    let (_, mut numbers) = about_for(lab, run, "train_surface", json!({ "size": 20 }));
    numbers.extend(about_for(lab, run, "train_units", json!({ "size": 8 })).1);
    (look, numbers)
}

#[test]
fn slices_change_no_bit() {
    let lab = &mut Lab::default();
    let (one, other) = (open(lab, "moons", json!({})), open(lab, "moons", json!({})));
    assert_eq!((one["rows"].as_u64(), one["held_out"].as_u64()), (Some(160), Some(40)));
    about(lab, &one, "train_run", json!({ "steps": 77 }));
    for steps in [1, 9, 10, 30, 27] {
        about(lab, &other, "train_run", json!({ "steps": steps }));
    }
    assert_eq!(shown(lab, &one), shown(lab, &other));
    let reseeded = open(lab, "moons", json!({ "seed": 4 }));
    about(lab, &reseeded, "train_run", json!({ "steps": 77 }));
    assert_ne!(shown(lab, &one).1, shown(lab, &reseeded).1);
}

#[test]
fn any_step_comes_again() {
    let lab = &mut Lab::default();
    let run = open(lab, "circles", json!({}));
    let mut seen = vec![shown(lab, &run)];
    for _ in 0..12 {
        about(lab, &run, "train_run", json!({ "steps": 31 }));
        seen.push(shown(lab, &run));
    }
    let farthest = 12 * 31;
    for (at, wanted) in seen.iter_mut().enumerate().rev() {
        about(lab, &run, "train_go", json!({ "step": 31 * at }));
        wanted.0["farthest"] = farthest.into();
        assert_eq!(*wanted, shown(lab, &run), "at {at}");
    }
    // From the start it goes the same way again.
    about(lab, &run, "train_run", json!({ "steps": farthest }));
    assert_eq!(seen[12], shown(lab, &run));
    let far = json!({ "op": "train_go", "id": run["id"], "step": farthest + 1 });
    assert_eq!(refused(lab, far), "step 373 was not reached");
}

#[test]
fn another_rate_is_another_way_from_there_on() {
    let lab = &mut Lab::default();
    let run = open(lab, "circles", json!({}));
    about(lab, &run, "train_run", json!({ "steps": 100 }));
    let before = shown(lab, &run).1;
    about(lab, &run, "train_run", json!({ "steps": 100 }));
    let old = shown(lab, &run).1;
    about(lab, &run, "train_go", json!({ "step": 100 }));
    let place = about(lab, &run, "train_rate", json!({ "rate": 0.003 }));
    assert_eq!((&place["farthest"], &place["rate"]), (&json!(100), &json!(0.003)));
    about(lab, &run, "train_run", json!({ "steps": 100 }));
    let new = shown(lab, &run).1;
    assert_ne!(old, new);
    // Both parts of the way come again, each at its rate.
    about(lab, &run, "train_go", json!({ "step": 100 }));
    assert_eq!(before, shown(lab, &run).1);
    about(lab, &run, "train_go", json!({ "step": 200 }));
    assert_eq!(new, shown(lab, &run).1);
    let wrong = json!({ "op": "train_rate", "id": run["id"], "rate": -1 });
    assert!(refused(lab, wrong).contains("learning rate"));
}

#[test]
fn the_surface_is_what_is_predicted() {
    let lab = &mut Lab::default();
    // A point at the middle of each cell: what is named there must be what the accuracy counts.
    for set in ["linear", "blobs"] {
        let run = open(lab, set, json!({ "test": 0.0 }));
        about(lab, &run, "train_run", json!({ "steps": 400 }));
        let look = about(lab, &run, "train_look", json!({}));
        let opened = open(lab, set, json!({ "test": 0.0 }));
        let range: Vec<[f64; 2]> = serde_json::from_value(opened["range"].clone()).unwrap();
        let size = 400;
        let (_, surface) = about_for(lab, &run, "train_surface", json!({ "size": size }));
        assert_eq!(surface.len(), size * size);
        let (_, points) = ask_for(
            lab,
            json!({
                "op": "train_open", "data": { "generated": { "set": set, "points": 200, "noise": 1, "seed": 1 } }, "hidden": [8, 8],
                "activation": "tanh", "optimizer": "adam", "learning_rate": 0.01, "batch": 16, "seed": 3,
            }),
        );
        let cell = |x: f32, axis: usize| {
            let [from, to] = range[axis];
            ((f64::from(x) - from) / (to - from) * size as f64) as usize
        };
        let right = points.chunks(4).filter(|point| {
            let value = surface[(size - 1 - cell(point[1], 1)) * size + cell(point[0], 0)];
            let class = if set == "linear" { f32::from(u8::from(value >= 0.5)) } else { value.floor() };
            class == point[2]
        });
        let share = right.count() as f64 / 200.0;
        let accuracy = look["train"]["accuracy"].as_f64().unwrap();
        assert!(accuracy > 0.9, "{set}: {accuracy}");
        assert!((share - accuracy).abs() < 0.02, "{set}: {share} against {accuracy}");
    }
}

#[test]
fn spirals_are_learned() {
    let lab = &mut Lab::default();
    let data = json!({ "generated": { "set": "spiral", "points": 500, "noise": 1, "seed": 1 } });
    let run = open(lab, "spiral", json!({ "data": data, "hidden": [16, 16], "learning_rate": 0.01 }));
    about(lab, &run, "train_run", json!({ "steps": 6000 }));
    let look = about(lab, &run, "train_look", json!({}));
    assert!(look["train"]["accuracy"].as_f64().unwrap() > 0.95, "{}", look["train"]);
    assert!(look["test"]["accuracy"].as_f64().unwrap() > 0.9, "{}", look["test"]);
}

#[test]
fn findings_say_the_step_from_which_on() {
    let lab = &mut Lab::default();
    let run = open(
        lab,
        "moons",
        json!({ "activation": "relu", "optimizer": "sgd", "learning_rate": 3.0, "hidden": [6, 6, 6] }),
    );
    assert_eq!(about(lab, &run, "train_findings", json!({}))["findings"], json!([]));
    about(lab, &run, "train_run", json!({ "steps": 200 }));
    let findings = about(lab, &run, "train_findings", json!({ "language": "ko" }));
    let dead = findings["findings"].as_array().unwrap().iter().find(|own| own["key"] == "dead").unwrap();
    let step = dead["step"].as_u64().unwrap();
    assert!(step > 0 && dead["text"].as_str().unwrap().contains("층"), "{dead}");
    // It is there at that step, and was not at the one before.
    let layer = dead["layer"].as_u64().unwrap() as usize - 1;
    let flat = |lab: &mut Lab, step: u64| {
        about(lab, &run, "train_go", json!({ "step": step }));
        about(lab, &run, "train_look", json!({}))["layers"][layer]["flat"].as_u64().unwrap()
    };
    assert!(flat(lab, step) > 0);
    assert_eq!(flat(lab, step - 1), 0);
}

#[test]
fn a_run_that_diverges_says_where() {
    let lab = &mut Lab::default();
    let run = open(
        lab,
        "blobs",
        json!({ "activation": "identity", "optimizer": "sgd", "learning_rate": 1e20, "hidden": [4, 4] }),
    );
    let place = about(lab, &run, "train_run", json!({ "steps": 50 }));
    let step = place["diverged"].as_u64().expect("it diverges");
    assert_eq!(place["step"].as_u64(), Some(step));
    let findings = about(lab, &run, "train_findings", json!({}));
    let finding = findings["findings"].as_array().unwrap().iter().find(|own| own["key"] == "not_finite");
    assert!(finding.unwrap()["step"].as_u64().unwrap() <= step, "{findings}");
    // It goes no further, and can be gone back from.
    assert_eq!(about(lab, &run, "train_run", json!({ "steps": 5 })), place);
    assert_eq!(about(lab, &run, "train_go", json!({ "step": 0 }))["step"], 0);
    about(lab, &run, "train_rate", json!({ "rate": 0.01 }));
    let place = about(lab, &run, "train_run", json!({ "steps": 50 }));
    assert_eq!((&place["step"], &place["diverged"]), (&json!(50), &Value::Null));
}

/// The weights of dense layers after a step of what is open, and of a state without what its optimizer keeps.
fn weights_after(lab: &mut Lab, state: &Value) -> Vec<f64> {
    let opened = ask(lab, json!({ "op": "open", "text": state.to_string() }));
    let after = ask(lab, json!({ "op": "advance", "id": opened["id"], "steps": 1 }));
    let layers = after["state"]["layer"].as_array().into_iter().flatten();
    let rows = layers.filter_map(|own| own["weights"].as_array()).flatten();
    rows.filter_map(Value::as_array).flatten().filter_map(Value::as_f64).collect()
}

fn weights_of(look: &Value) -> Vec<f64> {
    let layers = look["layers"].as_array().into_iter().flatten();
    layers.filter_map(|own| own["weights"].as_array()).flatten().filter_map(Value::as_f64).collect()
}

/// A run computes in f32 and an example in f64: they are alike up to f32's rounding of one step.
const ROUNDING: f64 = 2e-6;

#[test]
fn an_update_opens_as_an_example_with_what_the_optimizer_keeps() {
    let lab = &mut Lab::default();
    for optimizer in ["sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adam", "adamw"] {
        let settings = json!({ "optimizer": optimizer, "learning_rate": 0.02, "batch": 5, "l2": 0.001 });
        let run = open(lab, "xor", settings);
        about(lab, &run, "train_run", json!({ "steps": 40 }));
        let update = about(lab, &run, "train_update", json!({ "title": "update 40", "most": 8 }));
        assert_eq!((&update["rows"], &update["batch"]), (&json!(5), &json!(5)));
        let opened = ask(lab, json!({ "op": "open", "text": update["state"].to_string() }));
        assert_eq!((opened["title"].as_str(), opened["rows"].as_u64()), (Some("update 40"), Some(5)));
        // A state is the same when it is written and read again.
        assert_eq!(ask(lab, json!({ "op": "state", "id": opened["id"] })), update["state"], "{optimizer}");
        let after = weights_after(lab, &update["state"]);
        about(lab, &run, "train_run", json!({ "steps": 1 }));
        let wanted = weights_of(&about(lab, &run, "train_look", json!({})));
        assert_eq!((after.len(), wanted.len()), (2 * 8 + 8 * 8 + 8, 2 * 8 + 8 * 8 + 8));
        let apart = |all: &[f64]| all.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart(&after) < ROUNDING, "{optimizer}: {}", apart(&after));
        // Where the optimizer keeps something, an update that begins anew is another one.
        let mut anew = update["state"].clone();
        let has_state = anew.as_object_mut().unwrap().remove("optimizer_state").is_some();
        anew.as_object_mut().unwrap().remove("steps_done");
        assert_eq!(has_state, optimizer != "sgd");
        let apart_anew = apart(&weights_after(lab, &anew));
        assert_eq!(apart_anew > 50.0 * ROUNDING, has_state, "{optimizer}: {apart_anew}");
        // What a step says of an update comes to the number that it shows.
        let steps = ask(lab, json!({ "op": "steps", "id": opened["id"], "level": "unit" }));
        let last = steps["steps"].as_array().unwrap().len() - 1;
        let scene = ask(lab, json!({ "op": "scene", "id": opened["id"], "level": "unit", "at": last }));
        let shown = scene["shapes"].as_array().unwrap().iter().find(|own| own["id"] == "weight.1.0.0");
        let shown = shown.unwrap()["number"].as_f64().unwrap();
        assert_eq!(shown.to_bits(), after[0].to_bits(), "{optimizer}");
    }
}

#[test]
fn all_ways_to_the_gradient_train_alike() {
    let lab = &mut Lab::default();
    let mut costs = Vec::new();
    let mut spent = Vec::new();
    for method in ["back", "forward", "differences"] {
        let run = open(lab, "xor", json!({ "hidden": [4], "optimizer": "sgd", "method": method }));
        about(lab, &run, "train_run", json!({ "steps": 30 }));
        costs.push(about(lab, &run, "train_look", json!({}))["train"]["cost"].as_f64().unwrap());
        spent.push(run["multiply_adds"].as_f64().unwrap());
    }
    assert!((costs[0] - costs[1]).abs() < 1e-5 && (costs[0] - costs[2]).abs() < 1e-3, "{costs:?}");
    // A sweep or two passes for each of 17 weights.
    assert!(spent[1] > 8.0 * spent[0] && spent[2] > 8.0 * spent[0], "{spent:?}");
    let shallow = ask(lab, json!({ "op": "train_counts", "depth": 2, "width": 4 }));
    let deep = ask(lab, json!({ "op": "train_counts", "depth": 20, "width": 4 }));
    let ratio = |counts: &Value| counts["differences"].as_f64().unwrap() / counts["back"].as_f64().unwrap();
    assert!(ratio(&deep) > 5.0 * ratio(&shallow));
}

#[test]
fn points_of_ones_own_are_read_or_refused() {
    let lab = &mut Lab::default();
    let given = |points: Value| {
        json!({
            "op": "train_open", "data": { "given": points }, "hidden": [3], "activation": "relu",
            "optimizer": "adam", "learning_rate": 0.01, "batch": 0, "seed": 0,
        })
    };
    let own = given(json!([[100, 0.1, "yes"], [300, 0.2, "no"], [200, 0.4, "yes"]]));
    let (run, points) = ask_for(lab, own);
    assert_eq!(run["classes"], json!(["yes", "no"]));
    assert_eq!(points[4..8], [300.0, 0.2, 1.0, 0.0]);
    about(lab, &run, "train_run", json!({ "steps": 5 }));
    // The plane that is shown at least is widened where points need it.
    let mut shown = given(json!([[0.5, 0.1, "yes"], [3, 0.2, "no"]]));
    shown["shown"] = json!(1.2);
    assert_eq!(ask_for(lab, shown).0["range"], json!([[-1.2, 3.3], [-1.2, 1.2]]));
    let many: Vec<Value> = (0..7).map(|class| json!([class, 0, class.to_string()])).collect();
    assert_eq!(refused(lab, given(many.into())), "there are 7 classes");
    assert_eq!(refused(lab, given(json!([]))), "there are no points");
    let searching = json!({
        "op": "train_open", "data": { "given": [[0, 1, "a"]] }, "hidden": [3], "activation": "relu",
        "optimizer": "lbfgs", "learning_rate": 1, "batch": 0, "seed": 0,
    });
    assert!(refused(lab, searching).contains("lbfgs"));
}
