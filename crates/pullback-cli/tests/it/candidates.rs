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
    assert_eq!(report["networks"].as_array().unwrap().len() as u64, 2 * taken);
    let refused = place.run(&["train", "iris", "--time", "soon"]);
    assert!(!refused.status.success() && text(&refused.stderr).contains("soon"));
}
