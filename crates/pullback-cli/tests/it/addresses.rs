//! One grammar of addresses: what one command prints, the others take, in every notation.

use crate::{Place, text};

const FILE: &str = r#"
inputs = [[0.1, 0.2, 0.3], [0.3, -0.2, 0.5], [-0.4, 0.7, 0.1]]
targets = [[1, 0], [0, 1], [1, 0]]
cost = "softmax_cross_entropy"
learning_rate = 0.5
training = true
NOTATION

[[layer]]
weights = [[0.4, 0.45, -0.3], [0.2, -0.6, 0.8]]
biases = [0.1, 0.2]

[[layer]]
kind = "batch_norm"
scale = [1.5, 0.5]
shift = [0.1, -0.1]
activation = "tanh"

[[layer]]
weights = [[0.6, -0.4], [-0.2, 0.9]]
biases = [0, 0.3]
"#;

/// The addresses that a command prints: the words of its output that look like one.
fn addresses(printed: &str) -> Vec<String> {
    let is_address = |word: &str| {
        let begins = ["w", "b", "Theta", "W", "layers."].iter().any(|letter| word.starts_with(letter));
        let has_index =
            word.ends_with(']') || word.contains('^') || word[1..].starts_with(|c: char| c.is_ascii_digit());
        let is_named = word.starts_with("layers.");
        begins
            && word.len() > 1
            && (has_index || word.starts_with("b_") || is_named)
            && !word.contains(['/', '\''])
    };
    let words = printed
        .split(|c: char| c.is_whitespace() || c == '"')
        .map(|word| word.trim_end_matches([',', ':', '.']));
    let mut all: Vec<String> =
        words.filter(|word| word.len() > 1 && is_address(word)).map(str::to_owned).collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn each_address_that_a_command_prints_is_taken_by_each_other() {
    for notation in ["plain", "ng", "nielsen", "mazur", "matrix"] {
        let place = Place::new();
        place.write("own.toml", FILE.replace("NOTATION", &format!("notation = \"{notation}\"")));
        let page =
            place.succeed(&["explain", "--file", "own.toml", "--lang", "en", "--section", "gradients"]);
        let check = place.succeed(&["check", "own.toml", "--lang", "en"]);
        let json = place.succeed(&["check", "own.toml", "--json"]);
        let gradients = place.succeed(&["gradients", "own.toml"]);
        let mut all =
            [page.clone(), check, json, gradients].iter().flat_map(|out| addresses(out)).collect::<Vec<_>>();
        all.sort();
        all.dedup();
        // Weights, biases, scale and shift of each kind.
        assert!(
            all.len() >= 10 && all.iter().any(|own| own.starts_with("layers.1.scale[")),
            "{notation}: {all:?}"
        );
        for address in all {
            let own = ["--weight", &address];
            let shown =
                place.succeed(&[&["explain", "--file", "own.toml", "--lang", "en"][..], &own].concat());
            assert!(shown.contains(address.as_str()), "{notation}, {address}: {shown}");
            place.succeed(&[&["check", "own.toml"][..], &own].concat());
            let printed = place.succeed(&[&["gradients", "own.toml"][..], &own].concat());
            assert!(
                !address.ends_with(']') || printed.contains(&format!("the gradient of {address} is ")),
                "{printed}"
            );
        }
        // A wrong one names the nearest, with exit code 2.
        for command in
            [vec!["explain", "--file", "own.toml"], vec!["check", "own.toml"], vec!["gradients", "own.toml"]]
        {
            let output = place.run(&[&command[..], &["--weight", "layers.1.scal[0]"]].concat());
            let message = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{message}");
            assert!(message.contains("layers.1.scale[0]"), "{message}");
        }
    }
}

#[test]
fn every_trained_number_has_a_page_with_its_sum_a_nudge_and_its_update() {
    let place = Place::new();
    place.write("own.toml", FILE.replace("NOTATION", ""));
    for (address, parts) in [
        ("w[1][0,1]", vec!["directly", "through the mean", "through the variance", "dC/dw[1][0,1]"]),
        ("b[2][1]", vec!["p[1]^(1) - t[1]^(1)", "dC/db[2][1]", "b[2][1]' = b[2][1] - rate * g"]),
        ("layers.1.scale[1]", vec!["sum of 3 terms", "norm[1][1]^(", "followed back to the cost"]),
        ("layers.1.shift[0]", vec!["sum of 3 terms", "A nudge says the same"]),
    ] {
        let page = place.succeed(&["explain", "--file", "own.toml", "--lang", "en", "--weight", address]);
        for part in parts {
            let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(page.contains(part), "{address}: `{part}` is not in {page}");
        }
    }
}

#[test]
fn several_steps_are_followed_to_the_cost_after_them() {
    let place = Place::new();
    let mazur =
        ["explain", "--example", "mazur", "--lang", "en", "--weight", "w5", "--digits", "10", "--steps", "3"];
    let page = place.succeed(&mazur);
    for part in [
        "w5' = w5 - rate * g = 0.4 - 0.5 * 0.08216704056 = 0.3589164797",
        "After step 1, E is 0.2910277737",
        "After step 3",
    ] {
        assert!(
            page.split_whitespace().collect::<Vec<_>>().join(" ").contains(part),
            "`{part}` is not in {page}"
        );
    }
    let all = place.succeed(&[
        "explain",
        "--example",
        "mazur",
        "--lang",
        "en",
        "--steps",
        "2",
        "--section",
        "update",
    ]);
    assert!(all.contains("0.291028"), "{all}");
}

#[test]
fn steps_are_printed_at_each_level_as_text_and_json() {
    let place = Place::new();
    let mazur = ["explain", "--example", "mazur", "--lang", "en"];
    let page = place.succeed(&[&mazur[..], &["--format", "steps", "--level", "term"]].concat());
    assert!(page.contains("net_h1 = w1 * i1") && page.contains("0.15 * 0.05 = 0.0075"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    for level in ["pass", "layer", "unit", "term"] {
        let json = place.json(&[&mazur[..], &["--format", "steps-json", "--level", level]].concat());
        let steps = json["steps"].as_array().unwrap();
        assert!(steps.iter().all(|step| step["level"] == level && step["sentence"].is_string()), "{level}");
    }
    let formula =
        ["explain", "--expression", "x * y + 2", "--at", "x=3,y=4", "--lang", "ko", "--format", "steps"];
    assert!(place.succeed(&formula).contains("3 * 4 = 12"));
    let output = place.run(&[&mazur[..], &["--format", "steps", "--level", "weight"]].concat());
    assert!(text(&output.stderr).contains("known are pass, layer"), "{}", text(&output.stderr));
    let output = place.run(&[&mazur[..], &["--level", "unit"]].concat());
    assert!(text(&output.stderr).contains("--format steps"), "{}", text(&output.stderr));
}

#[test]
fn narrow_terminals_have_no_wide_lines() {
    let place = Place::new();
    place.write("own.toml", FILE.replace("NOTATION", ""));
    for language in ["en", "ko"] {
        for arguments in [
            vec!["explain", "--file", "own.toml"],
            vec!["explain", "--file", "own.toml", "--weight", "layers.1.scale[1]"],
            vec!["explain", "--example", "mazur", "--weight", "w1"],
            vec![
                "explain",
                "--expression",
                "(x + y) * z + x * y * z",
                "--at",
                "x=-2.12345,y=5.54321,z=-4.98765",
            ],
            vec!["check", "own.toml"],
        ] {
            let all = [&arguments[..], &["--lang", language]].concat();
            let output = place.command(&all).env("COLUMNS", "60").output().unwrap();
            let page = text(&output.stdout);
            assert!(output.status.success(), "{}", text(&output.stderr));
            for line in page.lines().filter(|line| line.split_whitespace().count() > 1) {
                let width: usize =
                    line.chars().map(|c| if ('\u{1100}'..='\u{ffdc}').contains(&c) { 2 } else { 1 }).sum();
                assert!(width <= 60, "{width} columns of {all:?}: {line}");
            }
        }
    }
}

#[test]
fn a_file_that_is_no_text_is_told_with_its_line() {
    let place = Place::new();
    place.write("latin.txt", [&b"a = 1\nb = "[..], &[0xe9], b"\n"].concat());
    for arguments in [["explain", "--expression-file", "latin.txt"], ["explain", "--file", "latin.txt"]] {
        let output = place.run(&arguments);
        let message = text(&output.stderr);
        assert!(message.contains("latin.txt, line 2") && message.contains("UTF-8"), "{message}");
    }
}

/// Mazur's b1 is the name of two biases: neither is taken for it in silence.
#[test]
fn a_name_of_several_numbers_is_refused_with_the_addresses_that_tell_them_apart() {
    let place = Place::new();
    let output = place.run(&["explain", "--example", "mazur", "--weight", "b1"]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("`b1` is the name of 2 numbers"), "{message}");
    assert!(message.contains("layers.0.bias[0], layers.0.bias[1]"), "{message}");
    let page = |address: &str| {
        place.succeed(&[
            "explain",
            "--example",
            "mazur",
            "--weight",
            address,
            "--lang",
            "en",
            "--digits",
            "6",
        ])
    };
    assert!(page("layers.0.bias[0]").contains("0.00877135"), "{}", page("layers.0.bias[0]"));
    assert_ne!(page("layers.0.bias[0]"), page("layers.0.bias[1]"));
    assert!(page("w5").contains("0.0821670"), "{}", page("w5"));
}
