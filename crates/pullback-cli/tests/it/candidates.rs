//! `--time` and `--candidates`.

use crate::{Place, text};

#[test]
fn a_time_is_repeated_exactly_by_the_flag_that_is_printed() {
    let place = Place::new();
    let train = ["train", "iris", "--ensemble", "2", "--epochs", "3"];
    let with = |more: &[&str]| place.succeed(&train.iter().chain(more).copied().collect::<Vec<_>>());
    let page = with(&["--time", "1s", "--out", "timed"]);
    let flag = page.split('`').find(|part| part.starts_with("--candidates")).unwrap();
    let count = flag.split(' ').nth(1).unwrap();
    with(&["--candidates", count, "--out", "again", "--quiet"]);
    assert!(place.read("timed") == place.read("again"), "{page}");
    let settings = place.succeed(&["inspect", "timed", "--print-config"]);
    assert!(
        settings.contains(&format!("candidates = {count}")) && !settings.contains("time ="),
        "{settings}"
    );
    let report: serde_json::Value = serde_json::from_str(&with(&["--candidates", "3", "--json"])).unwrap();
    let candidates = report["candidates"]["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 3);
    assert!(candidates.iter().all(|one| one["epochs"] == serde_json::json!([3, 3])));
    let taken: u64 = candidates.iter().map(|one| one["taken"].as_u64().unwrap()).sum();
    let networks = report["networks"].as_array().unwrap();
    assert_eq!(networks.iter().map(|one| one["times"].as_u64().unwrap()).sum::<u64>(), 2 * taken);
    // Each candidate that was taken is told.
    let page = with(&["--candidates", "3"]);
    for one in candidates.iter().filter(|one| one["taken"].as_u64() > Some(0)) {
        let layers = one["layers"].as_array().unwrap().iter().map(|layer| layer.as_str().unwrap());
        let told = format!("{} x {}", one["taken"], layers.collect::<Vec<_>>().join(", "));
        let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&told), "`{told}` is not in: {page}");
    }
    let folds = with(&["--candidates", "2", "--cv", "3"]);
    assert!(folds.contains("in each fold anew: ") && folds.contains("of 2 candidates"), "{folds}");
    let refused = place.run(&["train", "iris", "--time", "soon"]);
    assert!(!refused.status.success() && text(&refused.stderr).contains("soon"));
}
