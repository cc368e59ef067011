//! What the command says to mistakes: `messages.txt` holds each command line, its whole standard error and
//! its exit code, for reading as text. Every command runs in one folder, prepared here, and leaves it as
//! it was.

use crate::{Place, text};
use std::fmt::Write;

const EXPECTED: &str = include_str!("messages.txt");

/// The files that the commands meet.
fn place() -> Place {
    let place = Place::new();
    place.succeed(&["datasets", "iris", "--out", "iris.csv"]);
    place.succeed(&[
        "train",
        "iris.csv",
        "--target",
        "species",
        "--epochs",
        "2",
        "--quiet",
        "--out",
        "iris.model",
    ]);
    let iris = text(&place.read("iris.csv"));
    let with = |line: usize, from: &str, to: &str| -> String {
        let lines = iris.lines().enumerate();
        lines
            .map(
                |(at, text)| if at + 1 == line { text.replacen(from, to, 1) } else { text.to_owned() } + "\n",
            )
            .collect()
    };
    let columns = |from: usize, to: usize| -> String {
        iris.lines().map(|line| line.split(',').collect::<Vec<_>>()[from..to].join(",") + "\n").collect()
    };
    place
        .write("ragged.csv", "a,b,t\n1,2,x\n3,4\n")
        .write("one.csv", "a,t\n1,x\n2,x\n3,x\n")
        .write("nan.csv", with(12, "5.4", "inf"))
        .write("negative.csv", with(12, "5.4", "-5.4"))
        .write("text.csv", with(12, "5.4", "tall"))
        .write("far.csv", with(12, "5.4", "1e300"))
        .write("new_class.csv", with(12, "setosa", "sativa"))
        .write("no_petal.csv", columns(0, 2))
        .write("renamed.csv", iris.replace("petal_width", "petal width"))
        .write("no_target.csv", columns(0, 4))
        .write("changed.csv", &iris)
        .write("foreign.model", [&2u64.to_le_bytes()[..], b"{}"].concat())
        .write("empty.toml", "")
        .write("syntax.toml", "epochs = [\n")
        .write("key.toml", "target = \"species\"\nepohcs = 3\n")
        .write("far_key.toml", "colour = \"red\"\n")
        .write("type.toml", "epochs = \"many\"\n")
        .write("name.toml", "activation = \"rel\"\n")
        .write("choice.toml", "task = \"class\"\n")
        .write("layer.toml", "[network]\nlayers = [{ kind = \"dens\", units = 3 }]\n")
        .write("field.toml", "[network]\nlayers = [{ kind = \"dense\", unit = 3 }]\n")
        .write("outputs.toml", "[network]\nlayers = [{ kind = \"dense\", units = 5 }]\n")
        .write("no_image.toml", "[network]\nlayers = [{ kind = \"convolution\", filters = 2, size = 3 }]\n")
        .write(
            "small_image.toml",
            "[network]\nimage = { height = 2, width = 2 }\nlayers = [{ kind = \"max_pool\", size = 3 }]\n",
        )
        .write("no_layers.toml", "[network]\nlayers = []\n");
    place.succeed(&[
        "train",
        "changed.csv",
        "--target",
        "species",
        "--epochs",
        "2",
        "--quiet",
        "--out",
        "changed.model",
    ]);
    place.write("changed.csv", with(12, "5.4", "5.5"));
    std::fs::create_dir(place.path("folder")).unwrap();
    place
}

/// A message without what the machine has of free memory.
#[cfg(target_os = "linux")]
fn without_memory(message: &str) -> String {
    match message.split_once(" are free") {
        Some((before, after)) => {
            let kept = before.rsplit_once("; ").map_or(before, |(kept, _size)| kept);
            format!("{kept}; ... are free{after}")
        }
        None => message.to_owned(),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn mistakes_are_answered_as_written() {
    let place = place();
    let files = place.files();
    let mut found = String::new();
    for command in EXPECTED.lines().filter_map(|line| line.strip_prefix("$ pullback")) {
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let output = place.run(&arguments);
        let _ = write!(
            found,
            "$ pullback{command}\n{}[{}]\n\n",
            without_memory(&text(&output.stderr)),
            output.status.code().unwrap()
        );
        assert_eq!(text(&output.stdout), "", "a mistake prints nothing to standard output: {command}");
        assert_eq!(place.files(), files, "nothing is left behind by {command}");
    }
    assert!(found == EXPECTED, "messages.txt should be, if this is right:\n{found}");
}
