//! `explain`, `check` and `gradients`: what they show is what the model computes.

use crate::{Place, text};

fn trained(place: &Place) {
    place.succeed(&["train", "iris", "--hidden", "6", "--activation", "tanh", "--epochs", "5", "--quiet"]);
}

#[test]
fn a_row_is_explained_in_every_form_and_language() {
    let place = Place::new();
    trained(&place);
    let explain = ["explain", "model.safetensors", "iris", "--row", "3"];
    let with = |more: &[&str]| {
        place.succeed(&explain.iter().copied().chain(more.iter().copied()).collect::<Vec<_>>())
    };
    let english = with(&["--lang", "en"]);
    assert!(english.contains("Backward pass") && english.contains("tanh'(z)"), "{english}");
    assert!(english.lines().all(|line| line.chars().count() <= 80), "{english}");
    let korean = with(&["--lang", "ko"]);
    assert!(korean.contains("역전파") && korean.contains("가중치"), "{korean}");
    let output = place.command(&explain).env("LC_ALL", "ko_KR.UTF-8").output().unwrap();
    assert_eq!(text(&output.stdout), korean, "the locale chooses the language");
    assert!(with(&["--format", "markdown"]).contains("| --- | ---: |"));
    let page = with(&["--format", "html"]);
    assert!(
        page.starts_with("<!doctype html>")
            && page.contains("<svg")
            && !page.contains("http://www.w3.org/1999")
    );
    assert!(with(&["--format", "dot"]).starts_with("digraph"));
    assert!(with(&["--format", "svg"]).starts_with("<svg"));
    assert!(with(&["--format", "graph"]).starts_with("<svg"));
    with(&["--format", "animation", "--out", "row.svg", "--lang", "en"]);
    let (drawn, subtitles) = (text(&place.read("row.svg")), text(&place.read("row.vtt")));
    assert!(drawn.starts_with("<svg") && drawn.contains("@keyframes") && subtitles.starts_with("WEBVTT"));
    assert_eq!(
        drawn.matches("\"cue\">").count() + drawn.matches(" cue\">").count(),
        subtitles.matches(" --> ").count()
    );
    let chain = with(&["--weight", "2.1.0", "--format", "markdown", "--notation", "ng", "--lang", "en"]);
    assert!(chain.contains(r"\frac{\partial J}{\partial \Theta^{(2)}_{2,1}}"), "{chain}");
    assert!(with(&["--unit", "1.2"]).contains("delta[1][2]"));
}

#[test]
fn the_json_of_a_row_has_factors_that_multiply_to_its_gradients() {
    let place = Place::new();
    trained(&place);
    let shown = place.json(&["explain", "model.safetensors", "iris", "--row", "78", "--format", "json"]);
    place.succeed(&["gradients", "model.safetensors", "iris", "--per-example", "--precision", "f64"]);
    let bytes = place.read("gradients.safetensors");
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensor = tensors.tensor("layers.0.weight").unwrap();
    assert_eq!(tensor.shape(), [150, 6, 4]);
    let number = |index: usize| f64::from_le_bytes(tensor.data()[index * 8..][..8].try_into().unwrap());
    let layer = &shown["layers"][0];
    let at = |value: &serde_json::Value, unit: usize| value[0][unit].as_f64().unwrap();
    for unit in 0..6 {
        let link = &layer["links"][0];
        let delta = at(&link["upstream"], unit) * at(&link["slope"], unit);
        assert!((delta - at(&layer["delta"], unit)).abs() <= 1e-15 * delta.abs());
        for input in 0..4 {
            let product = delta * at(&layer["input"], input);
            let gradient = layer["weight_gradient"][unit * 4 + input].as_f64().unwrap();
            assert!((product - gradient).abs() <= 1e-14 * gradient.abs(), "{product} for {gradient}");
            assert!((gradient - number(77 * 24 + unit * 4 + input)).abs() <= 1e-14 * gradient.abs());
        }
    }
}

#[test]
fn the_mean_of_the_examples_gradients_is_the_gradient_of_the_mean_cost() {
    let place = Place::new();
    trained(&place);
    place.succeed(&["gradients", "model.safetensors", "iris", "--precision", "f64", "--out", "mean"]);
    place.succeed(&[
        "gradients",
        "model.safetensors",
        "iris",
        "--precision",
        "f64",
        "--per-example",
        "--out",
        "each",
    ]);
    let numbers = |file: &str, name: &str| -> Vec<f64> {
        let bytes = place.read(file);
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let data = tensors.tensor(name).unwrap().data().to_vec();
        data.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
    };
    for name in ["layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias", "cost"] {
        let (mean, each) = (numbers("mean", name), numbers("each", name));
        assert_eq!(each.len(), 150 * mean.len());
        for (at, mean) in mean.iter().enumerate() {
            let sum: f64 = each.iter().skip(at).step_by(mean_step(&each)).sum();
            assert!((sum / 150.0 - mean).abs() < 1e-12, "{name}[{at}]: {} for {mean}", sum / 150.0);
        }
    }
}

/// How far apart two examples' numbers of the same weight are.
fn mean_step(each: &[f64]) -> usize {
    each.len() / 150
}

#[test]
fn a_models_gradients_are_right_and_a_tolerance_of_nothing_is_refused() {
    let place = Place::new();
    trained(&place);
    let shown = place.succeed(&["check", "model.safetensors"]);
    assert!(shown.contains("layers.2.weight") && shown.contains("the gradients are right"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let report = place.json(&["check", "model.safetensors", "iris", "--samples", "3", "--json"]);
    assert_eq!((&report["passes"], &report["parameters"][0]["checked"]), (&true.into(), &3.into()));
    let training = place.json(&["check", "model.safetensors", "--training", "--json"]);
    assert_eq!((&training["passes"], &training["training"]), (&true.into(), &true.into()));
    for tolerance in ["0", "1e-30", "1", "nan"] {
        let output = place.run(&["check", "model.safetensors", "--tolerance", tolerance]);
        assert_eq!(output.status.code(), Some(2), "{tolerance}");
        let message = text(&output.stderr);
        assert!(message.contains("1e-12") && message.matches("error: ").count() == 1, "{message}");
    }
}

#[test]
fn worked_examples_are_as_published() {
    let place = Place::new();
    let all = place.succeed(&["explain", "--examples", "--lang", "en"]);
    assert!(!all.contains("DIFFERS"), "{all}");
    for part in ["mazur", "0.298371109", "erratum"] {
        assert!(all.contains(part), "`{part}` is not in {all}");
    }
    assert!(all.lines().all(|line| line.chars().count() <= 80), "{all}");
    for name in ["mazur", "wikidocs", "ng", "circuit", "micrograd", "xor"] {
        let page = place.succeed(&["explain", "--example", name, "--lang", "en"]);
        assert!(page.contains("agrees"), "{page}");
    }
}

#[test]
fn places_that_do_not_exist_are_usage_errors() {
    let place = Place::new();
    trained(&place);
    for (arguments, part) in [
        (vec!["--row", "151"], "150 rows"),
        (vec!["--row", "0"], "counted from 1"),
        (vec!["--rows", "0"], "rows"),
        (vec!["--unit", "3.0"], "layer 3"),
        (vec!["--unit", "1.6"], "unit 6"),
        (vec!["--weight", "2.0.6"], "input 6"),
        (vec!["--weight", "2.0"], "LAYER.TO.FROM"),
        (vec!["--layer", "3"], "2 dense layers"),
        (vec!["--layer", "c1"], "0 convolutions"),
        (vec!["--layer", "x"], "names no layer"),
        (vec!["--layer", "1", "--unit", "1.0"], "--unit"),
        (vec!["--notation", "nielson"], "`nielsen`"),
        (vec!["--lang", "tlh"], "en, ko"),
    ] {
        let all: Vec<&str> = ["explain", "model.safetensors", "iris"].into_iter().chain(arguments).collect();
        let output = place.run(&all);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(part), "`{part}` is not in {message}");
    }
    assert_eq!(place.run(&["explain"]).status.code(), Some(2));
    let output = place.run(&["explain", "--example", "mazurr"]);
    assert!(text(&output.stderr).contains("`mazur`"));
}

#[test]
fn training_warns_of_gradients_that_vanish() {
    let place = Place::new();
    let layers = ["8"; 20].join(",");
    let arguments = ["train", "iris", "--hidden", &layers, "--activation", "sigmoid", "--epochs", "2"];
    let output = place.run(&arguments);
    let said = text(&output.stderr);
    assert!(
        output.status.success() && said.contains("warning: after epoch 1: The gradient vanishes"),
        "{said}"
    );
    let output = place.run(&["train", "iris", "--epochs", "20"]);
    assert!(!text(&output.stderr).contains("warning"), "{}", text(&output.stderr));
}

#[test]
fn a_deep_network_is_shown_a_line_a_layer() {
    let place = Place::new();
    let layers = ["8"; 7].join(",");
    place.succeed(&["train", "iris", "--hidden", &layers, "--epochs", "1", "--quiet"]);
    let explain = |more: &[&str]| {
        let all = ["explain", "model.safetensors", "iris", "--lang", "en"];
        place.succeed(&all.iter().chain(more).copied().collect::<Vec<_>>())
    };
    let page = explain(&[]);
    assert!(page.contains("Layer by layer") && !page.contains("Layer 3:"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    assert!(explain(&["--layer", "3"]).contains("Layer 3: 8 units of 8 inputs"));
    assert!(explain(&["--layer", "all"]).contains("Forward pass"));
    let table = explain(&["--section", "layers"]);
    assert!(table.contains("|delta|") && !table.contains("Cost"), "{table}");
    let output = place.run(&["explain", "model.safetensors", "iris", "--section", "forward"]);
    assert!(text(&output.stderr).contains("--layer all"), "{}", text(&output.stderr));
    let shown = place.json(&["explain", "model.safetensors", "iris", "--format", "json"]);
    assert!(shown["layers"].is_null() && shown["figures"].as_array().unwrap().len() == 8);
    let shown = place.json(&["explain", "model.safetensors", "iris", "--format", "json", "--layer", "all"]);
    let figures = shown["figures"].as_array().unwrap();
    assert_eq!(figures.len(), 8);
    let deltas = shown["layers"][7]["delta"][0].as_array().unwrap();
    let norm = deltas.iter().map(|d| d.as_f64().unwrap().powi(2)).sum::<f64>().sqrt();
    assert!((figures[7]["delta_norm"].as_f64().unwrap() - norm).abs() <= 1e-15 * norm);
}

const OWN: &str = r#"
inputs = [0.05, 0.1]
targets = [0.01]
learning_rate = 0.5
notation = "mazur"
expect = [{ quantity = "out_o1", value = 0.7514, source = "by hand" }]

[[layer]]
weights = [[0.15, 0.2], [0.25, 0.3]]
biases = [0.35, 0.35]
activation = "sigmoid"
unit_names = ["h1", "h2"]

[[layer]]
weights = [[0.4, 0.45]]
biases = [0.6]
activation = "sigmoid"
unit_names = ["o1"]
weight_names = [["w5", "w6"]]
"#;

#[test]
fn a_file_of_ones_own_is_explained_and_is_a_test() {
    let place = Place::new();
    std::fs::write(place.path("own.toml"), OWN).unwrap();
    let page = place.succeed(&["explain", "--file", "own.toml", "--lang", "en"]);
    assert!(page.contains("net_h1") && page.contains("w5") && page.contains("by hand"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    let weight = place.succeed(&["explain", "--file", "own.toml", "--weight", "w5", "--lang", "ko"]);
    assert!(weight.contains("dE/dw5 = dE/dout_o1 * dout_o1/dnet_o1 * dnet_o1/dw5"), "{weight}");
    let unit = place.succeed(&["explain", "--file", "own.toml", "--unit", "h1", "--lang", "en"]);
    assert!(unit.contains("net_h1"), "{unit}");
    // A wrong digit ends with exit code 1 and names the quantity.
    std::fs::write(place.path("wrong.toml"), OWN.replace("0.7514", "0.7541")).unwrap();
    let output = place.run(&["explain", "--file", "wrong.toml"]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("out_o1 is 0.751") && message.contains("0.7541 is expected"), "{message}");
    // A file and its JSON are the same.
    let json = place.succeed(&["explain", "--file", "own.toml", "--format", "json"]);
    std::fs::write(place.path("own.json"), json).unwrap();
    place.succeed(&["explain", "--file", "own.json", "--save", "again.toml"]);
    let again = place.succeed(&["explain", "--file", "again.toml", "--lang", "en"]);
    assert_eq!(again.lines().skip(2).collect::<Vec<_>>(), page.lines().skip(2).collect::<Vec<_>>());
    for (arguments, parts) in [
        (vec!["--weight", "w55"], vec!["`w55`", "`w5`"]),
        (vec!["--unit", "h3"], vec!["`h3`", "`h1`"]),
        (vec!["--section", "costs"], vec!["`costs`", "`cost`"]),
        (vec!["--at", "x=1"], vec!["no formula", "--expression"]),
    ] {
        let all: Vec<&str> = ["explain", "--file", "own.toml"].into_iter().chain(arguments).collect();
        let output = place.run(&all);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
}

#[test]
fn one_section_of_a_page_is_printed_alone() {
    let place = Place::new();
    let cost = place.succeed(&["explain", "--example", "mazur", "--lang", "en", "--section", "cost"]);
    assert!(cost.starts_with("Cost\n") && cost.contains("0.298371") && !cost.contains("Backward"), "{cost}");
    let output = place.run(&["explain", "--example", "circuit", "--section", "cost", "--lang", "en"]);
    let message = text(&output.stderr);
    assert!(message.contains("no section cost") && message.contains("forward, backward"), "{message}");
}

#[test]
fn a_formula_is_shown_as_gates() {
    let place = Place::new();
    let formula = ["explain", "--expression", "(x + y) * z", "--at", "x=-2,y=5,z=-4", "--lang", "en"];
    let page = place.succeed(&formula);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in
        ["g1 x + y -2 + 5 3", "f g1 * z 3 * (-4) -12", "df/dz", "local derivative", "g1 x -4 * 1 = -4"]
    {
        assert!(words(&page).contains(part), "`{part}` is not in {page}");
    }
    std::fs::write(place.path("circuit.txt"), "# twice\nb = a + a\nc = b + b\n").unwrap();
    let page = place.succeed(&["explain", "--expression-file", "circuit.txt", "--at", "a=3", "--lang", "en"]);
    assert!(page.contains("dc/da = 2 + 2 = 4") && page.contains("dc/db = 1 + 1 = 2"), "{page}");
    // The name of a gate stands in its first row, though a constant has none.
    let page = place.succeed(&["explain", "--expression", "1/x + 2*x", "--at", "x=4", "--lang", "en"]);
    let backward = page.split("Backward pass").nth(1).unwrap();
    for gate in ["g1", "g2"] {
        let is_named = |line: &str| line.trim_start().starts_with(gate) && line.contains(" x ");
        assert!(backward.lines().any(is_named), "{gate}: {page}");
    }
    let json = [&formula[..5], &["--format", "json"]].concat();
    let shown = place.json(&json);
    assert_eq!((&shown["value"], &shown["variables"][2]["derivative"]), (&(-12.0).into(), &3.0.into()));
    let output = place.run(&["explain", "--expression-file", "circuit.txt", "--at", "x=3"]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("`a` has no number"), "{message}");
}

#[test]
fn a_row_of_a_model_becomes_a_file_with_the_same_numbers() {
    let place = Place::new();
    trained(&place);
    let explain = ["explain", "model.safetensors", "iris", "--row", "3", "--save", "row3.toml"];
    place.succeed(&explain);
    let json = ["--format", "json"];
    let of_model = place.json(&[&explain[..5], &json].concat());
    let of_file = place.json(&[&["explain", "--file", "row3.toml"][..], &json].concat());
    for key in ["cost", "layers", "prediction"] {
        assert_eq!(of_model[key], of_file[key], "{key}");
    }
    // Training starts from its numbers, and from a model's, whatever it is called.
    std::fs::copy(place.path("model.safetensors"), place.path("a model")).unwrap();
    for initial in ["row3.toml", "model.safetensors", "a model"] {
        place.succeed(&[
            "train",
            "iris",
            "--initial-weights",
            initial,
            "--learning-rate",
            "1e-30",
            "--epochs",
            "1",
            "--quiet",
            "--optimizer",
            "sgd",
            "--out",
            "started.safetensors",
        ]);
        let started =
            place.json(&["explain", "started.safetensors", "iris", "--row", "3", "--format", "json"]);
        assert_eq!(started["layers"][0]["weight"], of_model["layers"][0]["weight"], "{initial}");
    }
    std::fs::write(place.path("own.toml"), OWN).unwrap();
    let output = place.run(&["train", "iris", "--initial-weights", "own.toml", "--quiet"]);
    let message = text(&output.stderr);
    assert!(message.contains("2 inputs") && message.contains("4 inputs"), "{message}");
}

#[test]
fn a_batch_shows_the_cost_of_the_example_beside_the_mean() {
    let place = Place::new();
    place.write(
        "batch.toml",
        "inputs = [[1, 2], [0, -1]]\ntargets = [[1], [0]]\n[[layer]]\nweights = [[0.5, -0.25]]\n\
         biases = [0.1]\nactivation = \"identity\"\n",
    );
    // 1 * 0.5 - 2 * 0.25 + 0.1 = 0.1 and 0.25 + 0.1 = 0.35, whose halves of squared errors are 0.405 and 0.06125.
    let page = place.succeed(&["explain", "--file", "batch.toml", "--lang", "en", "--section", "cost"]);
    assert!(page.contains("cost of the example") && page.contains("0.405"), "{page}");
    assert!(page.contains("mean cost of the 2 examples") && page.contains("0.233125"), "{page}");
}

#[test]
fn formulas_and_flags_that_cannot_be_meant_are_usage_errors() {
    let place = Place::new();
    place.write(
        "one.toml",
        "inputs = [1]\ntargets = [1]\n[[layer]]\nweights = [[0.5]]\nactivation = \"tanh\"\n",
    );
    let long = vec!["x"; 2000].join("+");
    for (command, part) in [
        (&["explain", "--expression", &long, "--at", "x=1"][..], "more than 300 times"),
        (&["explain", "--expression", "x", "--at", "x=1,x=2"], "`x` has two numbers"),
        (&["explain", "--file", "one.toml", "--row", "2"], "`--row` is for a model"),
        (&["explain", "--example", "mazur", "--member", "2"], "`--member` is for a model"),
    ] {
        let output = place.run(command);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(part), "{message}");
    }
    let page = place.succeed(&["explain", "--expression", "-x^2", "--at", "x=3", "--lang", "en"]);
    assert!(page.contains("-6"), "{page}");
}

#[test]
fn drawings_that_cannot_be_made_are_answered() {
    let place = Place::new();
    let failing = |arguments: &[&str], message: &str| {
        let output = place.run(&[&["explain", "--lang", "en"], arguments].concat());
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(message), "{arguments:?}: {said}");
    };
    failing(&["--examples", "--format", "animation"], "the list of examples has no such form");
    failing(
        &["--example", "mazur", "--format", "animation", "--out", "a.vtt"],
        "a.vtt is the name of the subtitles beside the animation",
    );
    failing(
        &["--example", "mazur", "--format", "animation", "--section", "cost"],
        "a drawing has no section cost",
    );
    failing(&["--example", "mazur", "--format", "svg", "--step", "20"], "there is no step 20");
    failing(&["--example", "mazur", "--step", "2"], "`--step 2` is for `--format svg`");
    failing(&["--expression", "x", "--at", "x=1", "--format", "svg"], "nothing to draw");
    failing(&["--expression", "x * x", "--at", "x=1", "--format", "graph"], "a formula has no such form");
    assert!(!place.path("a.svg").exists());
    // Standard output has nothing beside it.
    let drawn =
        place.succeed(&["explain", "--expression", "x * y", "--at", "x=1,y=2", "--format", "animation"]);
    assert!(drawn.starts_with("<svg"));
}

#[test]
fn the_page_has_captions_scopes_and_anchors_that_stand_there() {
    let place = Place::new();
    for arguments in [
        &["--example", "mazur"][..],
        &["--example", "xor", "--lang", "ko"],
        &["--expression", "b = a + a; c = b * b", "--at", "a=2"],
        &["--examples"],
        &["--example", "mazur", "--weight", "w5"],
        &["--example", "ng", "--section", "gradients"],
    ] {
        let page = place.succeed(&[&["explain", "--format", "html"], arguments].concat());
        let count = |what: &str| page.matches(what).count();
        assert_eq!(count("<h1"), 1, "{arguments:?}");
        assert_eq!(count("<caption>"), count("<table>"), "{arguments:?}");
        assert!(count("scope=\"row\"") > 0 && count("scope=\"col\"") > 0, "{arguments:?}");
        let mut ids: Vec<&str> =
            page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{arguments:?}: an anchor stands there once");
        for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(ids.binary_search(&link).is_ok(), "{arguments:?}: {link} leads nowhere");
        }
    }
    let page = place.succeed(&["explain", "--example", "mazur", "--format", "html", "--lang", "en"]);
    assert!(page.find("<figure>") < page.find("<h2"), "the drawing comes first");
    assert!(page.matches("href=\"#").count() > 20 && page.contains("<math"), "{page}");
}
