//! What a job decides by itself has a reason, which is true of what it decided.

use super::images::{corners, told};
use pullback::data::{Table, builtin};
use pullback::job::Job;

#[test]
fn each_choice_that_was_left_open_has_its_reason() {
    let check = |data: Table, pairs: &[(&str, &str)], expected: &[&str]| {
        let decided = Job::new(told(pairs), data).decide().unwrap();
        let reasons: Vec<String> = decided.reasons().iter().map(|reason| reason.to_string()).collect();
        assert_eq!(reasons, expected);
        // Each is what the job has.
        let settings = decided.settings();
        let has =
            |words: String| reasons.iter().any(|reason| reason.starts_with(&words)) || !pairs.is_empty();
        assert!(has(format!("{} networks", settings.ensemble.unwrap_or(1))) || settings.ensemble.is_none());
        assert!(has(format!("learning rate {}", settings.learning_rate.unwrap())));
        assert!(has(format!("{} epochs", settings.epochs.unwrap())));
    };
    let set = |name: &str| builtin::load(name, 0).unwrap();
    check(
        set("iris"),
        &[],
        &[
            "8 networks (a table of fewer than 50000 rows)",
            "hidden 32,32 (at most 8 inputs)",
            "learning rate 0.01 (fewer than 200 rows to train on)",
            "weight decay 1 (classes and fewer than 200 rows)",
            "500 epochs (10000 steps, from 10 to 500)",
        ],
    );
    check(
        set("friedman"),
        &[],
        &[
            "8 networks (a table of fewer than 50000 rows)",
            "hidden 128,128 (numbers and at least 100 rows to train on)",
            "8 pieces of each number (at least 200 rows and at most 60 columns of numbers)",
            "learning rate 0.003 (fewer than 5000 rows to train on)",
            "weight decay 0.1 (numbers and fewer than 1000 rows)",
            "500 epochs (60000 steps, from 60 to 500)",
        ],
    );
    check(
        set("xor"),
        &[("hidden", "3"), ("learning_rate", "0.1"), ("epochs", "5")],
        &["one network (the network or its training is described)"],
    );
    check(
        corners(16, 40),
        &[("epochs", "5")],
        &[
            "one network (the network or its training is described)",
            "convolutions (images of at least 16x16 pixels)",
            "learning rate 0.003 (convolutions)",
            "weight decay 0.05 (convolutions)",
        ],
    );
    check(
        corners(12, 40),
        &[("fast", "true"), ("learning_rate", "0.1")],
        &[
            "hidden 64 (9 to 255 inputs and fewer than 1000 rows)",
            "2000 epochs (10000 steps, from 10 to 2000)",
        ],
    );
}
