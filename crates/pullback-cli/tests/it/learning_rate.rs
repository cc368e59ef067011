//! `pullback train --find-learning-rate`.

use crate::{Place, text};

#[test]
fn a_learning_rate_is_found_and_told_as_a_flag() {
    let place = Place::new();
    let page = place.succeed(&["train", "iris", "--find-learning-rate"]);
    let given = page.split("`--learning-rate ").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
    let rate: f64 = given.parse().unwrap();
    assert!((1e-4..1.0).contains(&rate), "{page}");
    assert!(
        page.contains("falls most steeply") && page.lines().all(|line| line.chars().count() <= 80),
        "{page}"
    );
    assert_eq!(place.files(), [""; 0], "nothing is written");

    let found = place.json(&["train", "iris", "--find-learning-rate", "--json", "--threads", "3"]);
    assert_eq!(found["learning_rate"], rate);
    let points = found["points"].as_array().unwrap();
    assert_eq!(points[0]["rate"], 1e-7);
    // Each rate is larger by the same factor.
    let factor = |at: usize| points[at + 1]["rate"].as_f64().unwrap() / points[at]["rate"].as_f64().unwrap();
    assert!((1..points.len() - 1).all(|at| (factor(at) / factor(0) - 1.0).abs() < 1e-9));
    assert!((factor(0).powi(99) / 1e8 - 1.0).abs() < 1e-6);

    // It trains well, and so does half of it.
    for rate in [rate, rate / 2.0] {
        let given = rate.to_string();
        let report = place.json(&["train", "iris", "--learning-rate", &given, "--json"]);
        let costs = report["history"]["epochs"].as_array().unwrap();
        assert!(costs.last().unwrap()["cost"].as_f64().unwrap() < 0.2, "{rate}");
    }
}

#[test]
fn a_test_of_rates_stops_where_the_cost_rises_and_says_so() {
    let place = Place::new();
    let page = place.succeed(&["train", "friedman", "--find-learning-rate", "--optimizer", "sgd"]);
    let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("were not tried: the cost had risen too far"), "{page}");
    let narrow =
        place.command(&["train", "iris", "--find-learning-rate"]).env("COLUMNS", "60").output().unwrap();
    assert!(text(&narrow.stdout).lines().all(|line| line.chars().count() <= 60));
}

#[test]
fn a_rate_is_not_found_where_there_is_none_to_find() {
    let place = Place::new();
    for (arguments, what) in [
        (&["--optimizer", "lbfgs"][..], "there is no learning rate to find"),
        (&["--cv", "3"], "trains no model"),
        (&["--print-config"], "--print-config"),
    ] {
        let all = ["train", "iris", "--find-learning-rate"].iter().chain(arguments).copied();
        let output = place.run(&all.collect::<Vec<_>>());
        assert!(!output.status.success() && text(&output.stderr).contains(what), "{}", text(&output.stderr));
    }
}
