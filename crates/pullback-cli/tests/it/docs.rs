//! The pages of docs/: each command in a console block prints what stands beneath it, and each drawing is
//! what its command draws.
#![cfg(unix)]

use crate::{Place, root, text};
use std::path::Path;
use std::process::Command;

fn shell(place: &Place, command: &str) -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_pullback")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(place.path("")).env("PATH", path).env("LC_ALL", "C.UTF-8");
    text(&shell.output().unwrap().stdout)
}

fn check(page: &str) {
    let content = std::fs::read_to_string(root().join("docs").join(page)).unwrap();
    let place = Place::new();
    let mut commands = 0;
    for block in content.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let examples = block.split("$ ").skip(1);
        for example in examples {
            let (command, shown) = example.split_once('\n').unwrap();
            let printed = shell(&place, command);
            assert_eq!(
                printed, shown,
                "`{command}` of docs/{page} prints something else; run docs/regenerate"
            );
            commands += 1;
        }
    }
    assert!(commands >= 8, "{page} has {commands} commands");
}

#[test]
fn the_page_on_back_propagation_is_what_the_commands_print() {
    check("back-propagation.md");
}

#[test]
fn the_korean_page_on_back_propagation_is_what_the_commands_print() {
    check("back-propagation.ko.md");
}

#[test]
fn drawings_are_what_the_commands_draw() {
    let list = std::fs::read_to_string(root().join("docs/drawings.txt")).unwrap();
    for line in list.lines() {
        let (name, command) = line.split_once(": ").unwrap();
        let stands = std::fs::read_to_string(root().join("docs").join(name)).unwrap();
        assert!(shell(&Place::new(), command) == stands, "docs/{name} is stale; run docs/regenerate");
    }
    assert!(list.lines().count() >= 4, "both examples in both languages");
    // Each page and the README show what stands there.
    for page in ["README.md", "docs/back-propagation.md", "docs/back-propagation.ko.md"] {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        let folder = root().join(page);
        let shown: Vec<&str> = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
            .filter(|name| name.ends_with(".svg"))
            .collect();
        assert!(!shown.is_empty(), "{page} shows a drawing");
        for name in shown {
            assert!(folder.parent().unwrap().join(name).exists(), "{page} shows {name}");
        }
    }
}
