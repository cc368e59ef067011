//! `compare`, and training without back propagation.

use crate::{Place, text};

#[test]
fn compare_counts_and_measures_four_ways() {
    let place = Place::new();
    let arguments = ["compare", "--layers", "4", "--inputs", "3", "--outputs", "2", "--budget", "0.2"];
    let with = |more: &[&str]| {
        arguments.iter().copied().chain(more.iter().copied()).map(str::to_owned).collect::<Vec<_>>()
    };
    let run = |more: &[&str]| {
        let all = with(more);
        place.succeed(&all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let shown = run(&["--depth", "1..4", "--svg", "plot.svg"]);
    assert!(shown.contains("back prop.") && shown.contains("theory"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let plot = text(&place.read("plot.svg"));
    assert!(plot.starts_with("<svg") && plot.matches("<polyline").count() == 4);

    let report: serde_json::Value = serde_json::from_str(&run(&["--depth", "1..4", "--json"])).unwrap();
    let lines = report["lines"].as_array().unwrap();
    assert_eq!(lines.iter().map(|line| line["size"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3, 4]);
    for line in lines {
        let count = |name: &str| line["counts"][name].as_f64().unwrap();
        assert_eq!(count("differences"), 2.0 * count("weights") * count("pass"));
        assert!(count("back") < 4.0 * count("pass"));
        assert!(
            line["times"].as_array().unwrap().iter().all(|taken| taken["seconds"].as_f64().unwrap() > 0.0)
        );
    }
    let weights: Vec<f64> = lines.iter().map(|line| line["counts"]["weights"].as_f64().unwrap()).collect();
    assert_eq!(weights[..2], [3.0 * 4.0 + 4.0 + 4.0 * 2.0 + 2.0, 26.0 + 20.0]);
    assert!(run(&["--width", "2..8"]).contains("width"));
}

#[test]
fn ranges_that_cannot_be_meant_are_usage_errors() {
    let place = Place::new();
    for range in ["0..3", "5..2", "a..b", "1..100000"] {
        let output = place.run(&["compare", "--depth", range]);
        assert_eq!(output.status.code(), Some(2), "{range}");
        assert!(text(&output.stderr).contains(range));
    }
    assert_eq!(place.run(&["compare", "--layers", "0"]).status.code(), Some(2));
}

#[test]
fn iris_is_learnt_by_every_gradient() {
    let place = Place::new();
    let accuracy = |method: &str| {
        let report =
            place.json(&["train", "iris", "--hidden", "4", "--epochs", "60", "--gradient", method, "--json"]);
        report["test"]["accuracy"].as_f64().unwrap()
    };
    let back = accuracy("back");
    assert!(back > 0.8);
    for method in ["forward", "differences"] {
        assert!((accuracy(method) - back).abs() < 0.07, "{method}: {}", accuracy(method));
    }
    let shown = place.succeed(&["train", "iris", "--hidden", "4", "--epochs", "2", "--gradient", "forward"]);
    assert!(shown.contains("forward mode"), "{shown}");
    let output = place.run(&["train", "iris", "--gradient", "foward"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("`forward`"));
}
