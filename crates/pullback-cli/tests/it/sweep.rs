//! `pullback sweep`.

use crate::{Place, text};
use serde_json::Value;

const FILE: &str = r#"
data = "iris"
folder = "trials"
trials = 4
seed = 3

[base]
validation = 0.2
epochs = 3
batch = 16

[ranges]
hidden = ["4", 8, [5, 3]]
learning_rate = { min = 1e-3, max = 1e-1, log = true }
"#;

fn place(file: &str) -> Place {
    let place = Place::new();
    place.write("sweep.toml", file);
    place
}

/// A ranking without what differs between folders of sweeps: nothing.
fn ranking(place: &Place, jobs: &str) -> Value {
    place.json(&["sweep", "sweep.toml", "--json", "--jobs", jobs])
}

#[test]
fn a_file_without_ranges_is_told_what_to_write() {
    let place = place("data = \"iris\"\ntrials = 3\n");
    let refused = place.run(&["sweep", "sweep.toml"]);
    let shown = text(&refused.stderr);
    assert!(
        !refused.status.success()
            && shown.contains("does not say what differs")
            && shown.contains("[ranges]"),
        "{shown}"
    );
}

#[test]
fn the_trials_and_their_ranking_do_not_depend_on_how_many_run_side_by_side() {
    let (one, two) = (place(FILE), place(FILE));
    let (first, second) = (ranking(&one, "1"), ranking(&two, "2"));
    assert_eq!(first, second);
    let trials = first["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 4);
    let values: Vec<f64> = trials.iter().map(|trial| trial["value"].as_f64().unwrap()).collect();
    assert!(values.windows(2).all(|pair| pair[0] <= pair[1]), "{values:?}");
    let rates: Vec<f64> =
        trials.iter().map(|trial| trial["settings"]["learning_rate"].as_f64().unwrap()).collect();
    assert!(rates.iter().all(|rate| (1e-3..=1e-1).contains(rate)) && rates[0] != rates[1], "{rates:?}");
    for trial in 1..=4 {
        let model = format!("trials/trial-{trial:03}/model.safetensors");
        assert!(one.read(&model) == two.read(&model), "{model}");
    }
    // The command trains the best one again.
    let best = trials[0]["model"].as_str().unwrap();
    let before = one.read(best);
    let command = first["command"].as_str().unwrap();
    one.succeed(&command.split(' ').skip(1).chain(["--quiet"]).collect::<Vec<_>>());
    assert!(one.read(best) == before);
}

#[test]
fn finished_trials_are_kept_and_more_trials_begin_with_the_same_ones() {
    let place = place(FILE);
    let first = ranking(&place, "1");
    // As if it had been ended in the third trial.
    std::fs::remove_file(place.path("trials/trial-003/report.json")).unwrap();
    let marked = place.path("trials/trial-002/model.safetensors");
    std::fs::remove_file(&marked).unwrap();
    assert_eq!(ranking(&place, "1"), first);
    assert!(!marked.exists(), "the second trial was trained again");
    place.write("sweep.toml", FILE.replace("trials = 4", "trials = 6"));
    let more = ranking(&place, "2");
    assert_eq!(more["trials"].as_array().unwrap().len(), 6);
    assert!(!marked.exists());
    // Another sweep has no place there.
    place.write("sweep.toml", FILE.replace("seed = 3", "seed = 4"));
    let refused = place.run(&["sweep", "sweep.toml"]);
    assert!(text(&refused.stderr).contains("is of another sweep"), "{}", text(&refused.stderr));
}

#[test]
fn a_grid_is_each_combination_and_is_printed_as_a_table() {
    let file = FILE.replace("trials = 4\nseed = 3", "method = \"grid\"");
    let file = file.replace("{ min = 1e-3, max = 1e-1, log = true }", "[0.001, 0.1]");
    let place = place(&file);
    let page = place.succeed(&["sweep", "sweep.toml", "--quiet"]);
    let rows: Vec<&str> = page.lines().skip(1).take(6).collect();
    assert!(rows.iter().all(|row| row.contains("0.001") != row.contains(" 0.1")), "{page}");
    assert!(
        page.starts_with("rank  trial") && page.contains("pullback train --config trials/trial-"),
        "{page}"
    );
    let narrow = place.command(&["sweep", "sweep.toml", "--quiet"]).env("COLUMNS", "60").output().unwrap();
    assert!(text(&narrow.stdout).lines().take(7).all(|line| line.chars().count() <= 60));
}

#[test]
fn halving_goes_on_with_the_better_ones_from_where_they_are() {
    let file =
        FILE.replace("trials = 4", "method = \"halving\"\ntrials = 9").replace("epochs = 3", "epochs = 9");
    let place = place(&file);
    let found = ranking(&place, "2");
    let trials = found["trials"].as_array().unwrap();
    let of = |rung: u64| trials.iter().filter(|trial| trial["rung"] == rung).collect::<Vec<_>>();
    assert_eq!([0, 1, 2].map(|rung| of(rung).len()), [6, 2, 1]);
    assert_eq!([0, 1, 2].map(|rung| of(rung)[0]["epochs"].as_u64().unwrap()), [1, 3, 9]);
    // Who goes on was better than who does not.
    let worst = |rung: u64| of(rung).iter().map(|trial| trial["value"].as_f64().unwrap()).fold(0.0, f64::max);
    assert!(worst(2) <= worst(1));
    // The best one, trained in parts, is the one that is trained in one.
    let model = trials[0]["model"].as_str().unwrap();
    let config = model.replace("model.safetensors", "config.toml");
    place.succeed(&["train", "--config", &config, "--out", "whole", "--quiet"]);
    assert!(place.read("whole") == place.read(model));
    assert_eq!(ranking(&place, "1"), found);
}

#[test]
fn a_trial_that_fails_comes_last_and_says_why() {
    let file = FILE.replace("trials = 4\nseed = 3", "method = \"grid\"");
    let file = file.replace("{ min = 1e-3, max = 1e-1, log = true }", "[0.01, 1e30]");
    let place = place(&file.replace("[base]", "[base]\noptimizer = \"sgd\""));
    let found = ranking(&place, "2");
    let trials = found["trials"].as_array().unwrap();
    assert!(trials[5]["failed"].as_str().unwrap().contains("not a finite number"), "{}", trials[5]);
    assert!(trials[0].get("failed").is_none());
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_place() {
    let refused = |from: &str, to: &str, what: &[&str]| {
        let place = place(&FILE.replace(from, to));
        let output = place.run(&["sweep", "sweep.toml"]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        for what in what {
            assert!(said.contains(what), "`{said}` does not say `{what}`");
        }
        assert!(!place.path("trials").exists());
    };
    refused("seed = 3", "sed = 3", &["sweep.toml, line 5", "`sed`", "`seed`"]);
    refused("learning_rate", "learning_rat", &["`learning_rat`", "`learning_rate`"]);
    refused("epochs = 3", "epoch5 = 3", &["line 9", "`epoch5`", "`epochs`"]);
    refused("min = 1e-3", "min = 1", &["min = 1 and max = 0.1"]);
    refused("min = 1e-3", "min = 0", &["has no logarithm"]);
    refused("log = true", "logarithmic = true", &["`logarithmic`"]);
    refused("hidden = [\"4\", 8, [5, 3]]", "hidden = []", &["nothing to choose"]);
    refused("8, [5, 3]", "\"many\"", &["trial", "`many`"]);
    refused("hidden =", "out =", &["trials cannot differ in out"]);
    refused("trials = 4", "", &["how many trials"]);
    refused("trials = 4", "method = \"grid\"", &["a grid has no steps"]);
    refused("trials = 4", "trials = 9\nmethod = \"halving\"\npart = 1", &["part = 1"]);
    refused("epochs = 3", "out = \"m\"", &["the base says `out`"]);
    let halving = FILE.replace("trials = 4", "trials = 4\nmethod = \"halving\"");
    let place = place(&halving.replace("epochs = 3", "epochs = 3\nschedule = \"cosine\""));
    assert!(
        text(&place.run(&["sweep", "sweep.toml"]).stderr).contains("schedule cosine depend on all epochs")
    );
}

#[test]
fn the_base_may_be_a_file_of_its_own() {
    let file = FILE
        .replace("[base]\nvalidation = 0.2\nepochs = 3\nbatch = 16\n", "")
        .replace("data = \"iris\"", "base = \"base.toml\"\ndata = \"iris\"");
    let split = place(&file);
    split.write("base.toml", "validation = 0.2\nepochs = 3\nbatch = 16\n");
    assert_eq!(ranking(&split, "1"), ranking(&place(FILE), "1"));
}
