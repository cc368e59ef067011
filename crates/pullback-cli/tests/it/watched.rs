//! Layers watched while they train: figures of each epoch, a stop where a gradient vanishes, warnings in the language.

use crate::{Place, text};

const DEEP: [&str; 10] = [
    "train",
    "iris",
    "--fast",
    "--hidden",
    "8,8,8,8,8,8,8,8",
    "--activation",
    "sigmoid",
    "--epochs",
    "6",
    "--quiet",
];

#[test]
fn a_run_is_stopped_where_its_gradient_vanishes() {
    let place = Place::new();
    let output = place.run(&[&DEEP[..], &["--stop-on", "vanishing,nan", "--lang", "en"]].concat());
    let message = text(&output.stderr);
    assert!(output.status.success(), "{message}");
    assert!(message.contains("training was stopped after epoch 1: The gradient vanishes"), "{message}");
    let shown = place.json(&["inspect", "model.safetensors", "--json"]);
    assert!(shown.to_string().contains("observer"), "{shown}");
    // A run in which nothing of the kind is found goes on to its end.
    let output = place.run(&[
        "train",
        "iris",
        "--fast",
        "--epochs",
        "3",
        "--quiet",
        "--stop-on",
        "vanishing,exploding,nan",
    ]);
    assert!(output.status.success() && !text(&output.stderr).contains("stopped"), "{}", text(&output.stderr));
}

#[test]
fn warnings_come_while_it_trains_in_the_users_language() {
    let place = Place::new();
    let korean = place.command(&DEEP).env("LC_ALL", "ko_KR.UTF-8").output().unwrap();
    let message = text(&korean.stderr);
    assert!(message.contains("1에포크 뒤: 기울기 소실"), "{message}");
    // Each is told once.
    assert_eq!(message.matches("기울기 소실").count(), 1, "{message}");
}

#[test]
fn figures_of_each_layer_are_recorded_after_each_epoch() {
    let place = Place::new();
    place.run(&[&DEEP[..], &["--layer-figures", "figures.csv"]].concat());
    let csv = String::from_utf8(place.read("figures.csv")).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 1 + 6 * 9, "{csv}");
    assert!(lines[0].starts_with("epoch,layer,units,activation_norm,delta_norm,mean_slope"), "{csv}");
    let number = |line: &str, at: usize| line.split(',').nth(at).unwrap().parse::<f64>().unwrap();
    // A sigmoid's slope is at most a quarter, and the first layer's deltas are the smallest.
    assert!(number(lines[1], 5) <= 0.25 && number(lines[1], 4) < number(lines[9], 4), "{csv}");
    // The bits of the model do not depend on who looks.
    let model = place.read("model.safetensors");
    place.run(&DEEP);
    assert_eq!(place.read("model.safetensors"), model);
}

#[test]
fn only_one_network_can_be_watched() {
    let place = Place::new();
    let output = place.run(&["train", "iris", "--ensemble", "2", "--epochs", "1", "--stop-on", "dead"]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("--fast"), "{message}");
    let output = place.run(&["train", "iris", "--fast", "--stop-on", "vanish"]);
    assert!(text(&output.stderr).contains("`vanishing`"), "{}", text(&output.stderr));
}

#[test]
fn the_whole_history_is_recorded_where_the_model_keeps_a_part() {
    let place = Place::new();
    place.succeed(&["train", "xor", "--epochs", "2500", "--quiet", "--history", "history.csv"]);
    let csv = String::from_utf8(place.read("history.csv")).unwrap();
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 1 + 2500, "{}", lines.len());
    let kept: Vec<&str> = lines[1..].iter().filter(|line| line[8] == "1").map(|line| line[1]).collect();
    let shown = place.json(&["inspect", "model.safetensors", "--json"]);
    let epochs = shown["training"]["history"]["epochs"].as_array().or(shown["history"]["epochs"].as_array());
    let epochs = epochs.unwrap_or_else(|| panic!("no history in {shown}"));
    assert!(epochs.len() <= 2000, "{}", epochs.len());
    for report in epochs {
        let line = &lines[1 + report["epoch"].as_u64().unwrap() as usize];
        assert_eq!(line[2].parse::<f64>().unwrap(), report["cost"].as_f64().unwrap());
        assert_eq!(line[6].parse::<f64>().unwrap(), report["learning_rate"].as_f64().unwrap());
    }
    assert_eq!(kept.len(), 1, "{kept:?}");
    // Of an ensemble, each network's.
    place.succeed(&[
        "train",
        "iris",
        "--ensemble",
        "3",
        "--epochs",
        "4",
        "--quiet",
        "--history",
        "history.csv",
    ]);
    let csv = String::from_utf8(place.read("history.csv")).unwrap();
    let networks: Vec<&str> = csv.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(networks, ["1", "2", "3"].map(|network| [network; 4]).concat());
    let costs: Vec<&str> = csv.lines().skip(1).map(|line| line.split(',').nth(3).unwrap()).collect();
    assert!(costs.iter().all(|cost| cost.is_empty() || cost.parse::<f64>().is_ok()), "{csv}");
}
