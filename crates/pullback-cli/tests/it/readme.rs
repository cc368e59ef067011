//! The README's transcripts: each `$ pullback ...` line of its console blocks is run, in order, in one
//! folder, and must print what the README shows. `...` stands for lines left out; times and speeds
//! differ from run to run and are not compared.

use crate::{Place, root, text};

/// What differs from run to run: the line that tells of time.
fn is_timed(line: &str) -> bool {
    line.starts_with("time ")
}

#[test]
fn the_transcripts_of_the_readme_are_true() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let place = Place::new();
    let mut commands = 0;
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for example in block.split("$ ").skip(1) {
            let (command, shown) = example.split_once('\n').unwrap();
            let mut words = command.split_whitespace();
            assert_eq!(words.next(), Some("pullback"), "only pullback is run: {command}");
            let output = place.run(&words.collect::<Vec<_>>());
            let printed = text(&output.stdout) + &text(&output.stderr);
            commands += 1;
            // Between two `...`, lines stand together and in order.
            let printed: Vec<&str> =
                printed.lines().filter(|line| !is_timed(line)).map(str::trim_end).collect();
            let mut from = 0;
            for part in shown.split("...\n") {
                let part: Vec<&str> =
                    part.lines().filter(|line| !is_timed(line)).map(str::trim_end).collect();
                let part = part.strip_suffix(&[""]).unwrap_or(&part);
                let found = (from..=printed.len().saturating_sub(part.len()))
                    .find(|&at| printed[at..].starts_with(part));
                let Some(at) = found else {
                    panic!("`{command}` does not print:\n{}\nbut:\n{}", part.join("\n"), printed.join("\n"));
                };
                from = at + part.len();
            }
        }
    }
    assert!(commands >= 3, "the README shows {commands} commands");
}
