//! The programs of `examples/` that the README quotes: they run, and the README has them as they are.

#[path = "../../examples/classifier.rs"]
mod classifier;
#[path = "../../examples/own_cost.rs"]
mod own_cost;

#[path = "../../examples/own_metric.rs"]
mod own_metric;

use std::fs;
use std::path::Path;

fn check(name: &str, program: fn() -> pullback::Result<()>) {
    program().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let code = fs::read_to_string(root.join(format!("examples/{name}.rs"))).unwrap();
    let code: String = (code
        .lines()
        .skip_while(|line| line.starts_with("//!") || line.starts_with("#!") || line.is_empty()))
    .map(|line| line.strip_prefix("pub ").unwrap_or(line).to_owned() + "\n")
    .collect();
    let readme = fs::read_to_string(root.join("../../README.md")).unwrap();
    assert!(readme.contains(&code), "the README should quote examples/{name}.rs:\n{code}");
}

#[test]
fn arrays_become_a_classifier_and_a_file() {
    check("classifier", classifier::main);
}

#[test]
fn a_cost_of_ones_own_has_gradient_hessian_and_check() {
    check("own_cost", own_cost::main);
}

#[test]
fn a_metric_of_ones_own_stops_and_keeps() {
    check("own_metric", own_metric::main);
}
