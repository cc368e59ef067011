//! Runs that are ended in every way and go on to the same bits. `bench/kills` does it some hundred times.

use crate::{Place, text};
use std::path::Path;
use std::process::{Child, Stdio};

/// The names in a folder; none if there is no folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn states(folder: &Path) -> Vec<String> {
    names(folder).into_iter().filter(|name| name.starts_with("network-")).collect()
}

fn spawned(place: &Place, arguments: &[&str]) -> Child {
    let mut command = place.command(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Ends a run by force ten times: when a checkpoint is being written, or after some of them; then lets it end.
#[test]
fn a_killed_run_goes_on_to_the_same_bits() {
    for arguments in [
        &["train", "iris", "--epochs", "40", "--dropout", "0.2", "--batch-norm", "--quiet"][..],
        &["train", "iris", "--epochs", "12", "--ensemble", "3", "--validation", "0.2", "--quiet"],
    ] {
        let place = Place::new();
        place.succeed(&[arguments, &["--out", "whole"]].concat());
        let folder = place.path("run");
        let begin =
            [arguments, &["--checkpoint", "run", "--checkpoint-every", "1steps", "--out", "model"]].concat();
        let mut kills = 0;
        loop {
            let before = states(&folder);
            let has_begun = folder.join("run.json").exists();
            let command = if has_begun { &["train", "--resume", "run", "--quiet"][..] } else { &begin };
            let mut child = spawned(&place, command);
            let mut changes = 0;
            while kills < 10 && child.try_wait().unwrap().is_none() {
                let now = names(&folder);
                let is_writing = now.iter().any(|name| name.ends_with(".tmp"));
                changes += usize::from(states(&folder) != before);
                if kills % 2 == 0 && is_writing && has_begun || changes > 3 * kills {
                    child.kill().unwrap();
                    kills += 1;
                    break;
                }
            }
            let output = child.wait_with_output().unwrap();
            match output.status.code() {
                Some(0) => break,
                code => assert_eq!(code, None, "{}", text(&output.stderr)),
            }
        }
        assert!(kills >= 5, "the run was ended {kills} times only");
        assert!(place.read("model") == place.read("whole"), "{arguments:?}");
        assert!(names(&folder).iter().all(|name| !name.ends_with(".tmp")), "{:?}", names(&folder));
        // What has ended gives its result again.
        std::fs::remove_file(place.path("model")).unwrap();
        place.succeed(&["train", "--resume", "run", "--quiet"]);
        assert!(place.read("model") == place.read("whole"));
    }
}

#[test]
fn the_last_checkpoints_are_kept_and_a_damaged_one_is_left_out() {
    let place = Place::new();
    let run = ["train", "iris", "--quiet", "--seed", "3"];
    place.succeed(&[&run[..], &["--epochs", "9", "--schedule", "constant", "--out", "whole"]].concat());
    place.succeed(
        &[
            &run[..],
            &["--epochs", "5", "--schedule", "constant", "--out", "model"],
            &["--checkpoint", "deep/run", "--checkpoint-every", "1", "--checkpoint-keep", "3"],
        ]
        .concat(),
    );
    let folder = place.path("deep/run");
    // 120 rows in batches of 32 are 4 steps an epoch.
    let kept = ["12", "16", "20"].map(|steps| format!("network-1-{steps:0>12}.safetensors"));
    assert_eq!(states(&folder), kept);
    let whole = std::fs::read(folder.join(&kept[2])).unwrap();
    std::fs::write(folder.join(&kept[2]), &whole[..whole.len() / 2]).unwrap();
    // A run can be made longer, and is the longer run.
    let output = place.run(&["train", "--resume", "deep/run", "--epochs", "9", "--out", "model"]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("what was kept before it is taken") && said.contains(&kept[2]), "{said}");
    assert!(said.contains("going on from deep/run: 4 of 9 epochs are done"), "{said}");
    let model = |name: &str| place.json(&["inspect", name, "--json"])["history"].clone();
    assert_eq!(model("model"), model("whole"));
    assert!(text(&output.stdout).contains("9 epochs, 4 of them before, in"), "{}", text(&output.stdout));
}

#[test]
fn a_run_goes_on_only_as_itself() {
    let place = Place::new();
    place.succeed(&["datasets", "iris", "--out", "iris.csv"]);
    let target = ["--target", "species", "--epochs", "3"];
    place.succeed(&[&["train", "iris.csv", "--checkpoint", "run", "--quiet"], &target[..]].concat());
    let refused = |arguments: &[&str], code: i32, parts: &[&str]| {
        let output = place.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        for part in parts {
            assert!(said.contains(part), "`{part}` is not in {said}");
        }
    };
    let again = [&["train", "iris.csv", "--checkpoint", "run"], &target[..]].concat();
    refused(&again, 2, &["run holds a run already", "`pullback train --resume run`"]);
    // Nothing is trained, nothing is in the way.
    place.succeed(&[&again[..], &["--print-config"]].concat());
    refused(&["train", "--resume", "run", "--seed", "1"], 2, &["--seed is given beside `--resume`"]);
    refused(&["train", "--resume", "run", "--config", "x.toml"], 2, &["--config"]);
    refused(&["train", "--resume", "none"], 1, &["none holds no run"]);
    refused(&["train", "--resume", "iris.csv"], 1, &["iris.csv holds no run"]);
    refused(&["train", "iris.csv", "--target", "species", "--checkpoint", "iris.csv"], 1, &["iris.csv"]);
    refused(
        &["train", "iris", "--checkpoint", "new", "--checkpoint-keep", "0"],
        2,
        &["`--checkpoint-keep` is 0"],
    );
    refused(&["train", "--resume", "run", "--epochs", "4"], 1, &["of another run", "training settings"]);
    // The data may move, but not change.
    std::fs::rename(place.path("iris.csv"), place.path("moved.csv")).unwrap();
    refused(&["train", "--resume", "run"], 1, &["iris.csv"]);
    place.succeed(&["train", "moved.csv", "--resume", "run", "--quiet"]);
    let changed = text(&place.read("moved.csv")).replacen("5.1", "5.2", 1);
    place.write("changed.csv", changed);
    refused(
        &["train", "changed.csv", "--resume", "run"],
        1,
        &["changed.csv is not what the run in run was trained on"],
    );
    place.write("run/run.json", "{\"format\": 9, \"version\": \"9.0.0\"}");
    refused(&["train", "--resume", "run"], 1, &["run/run.json cannot be read", "9.0.0"]);
    // A model never says where checkpoints are.
    let model = place.succeed(&["inspect", "model.safetensors", "--json"]);
    assert!(!model.contains("checkpoint"), "{model}");
}

#[cfg(unix)]
#[test]
fn a_full_disk_stops_nothing_but_the_checkpoint() {
    let place = Place::new();
    let run = "train iris --hidden 128,128 --epochs 4 --quiet";
    place.succeed(&run.split(' ').chain(["--out", "whole"]).collect::<Vec<_>>());
    // No file may become larger than a model, so that a state with what the optimizer keeps cannot be written.
    let script = format!(
        "trap '' XFSZ; ulimit -f 200; exec {} {run} --checkpoint run --checkpoint-every 1 --out model",
        env!("CARGO_BIN_EXE_pullback")
    );
    let mut command = std::process::Command::new("sh");
    let output = command.args(["-c", &script]).current_dir(place.path("")).output().unwrap();
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("no checkpoint can be written in run").count(), 1, "{said}");
    assert!(said.contains("training goes on"), "{said}");
    assert_eq!(names(&place.path("run")), ["run.json"]);
    assert!(place.read("model") == place.read("whole"));
}
