//! The command among other processes: pipes that close, interrupts, colors, instruction sets.

use crate::{Place, text};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

const ISA: &str = "PULLBACK_ISA";

/// The instruction sets of this machine, as the message about a wrong one lists them.
fn instruction_sets(place: &Place) -> Vec<String> {
    let output = place.command(&["train", "xor"]).env(ISA, "mmx").output().unwrap();
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("PULLBACK_ISA is `mmx`"), "{message}");
    let (_, list) = message.split_once("available are ").unwrap();
    list.trim().split(", ").map(str::to_owned).collect()
}

#[test]
fn every_instruction_set_makes_the_same_file() {
    let place = Place::new();
    let sets = instruction_sets(&place);
    assert_eq!(sets.last().unwrap(), "portable");
    place.write(
        "net.toml",
        r#"
        data = "digits"
        epochs = 2
        clip_norm = 1
        l1 = 1e-4
        l2 = 1e-3
        [network]
        layers = [
          { kind = "dense", units = 37 }, { kind = "batch_norm" }, { kind = "activation", function = "gelu" },
          { kind = "dense", units = 19 }, { kind = "layer_norm" }, { kind = "activation", function = "elu" },
          { kind = "dropout", rate = 0.2 },
          { kind = "dense", units = 17 }, { kind = "activation", function = "silu" },
          { kind = "dense", units = 10 },
        ]
        "#,
    );
    for arguments in [
        &["train", "digits", "--config", "net.toml"][..],
        &["train", "friedman", "--epochs", "3", "--batch", "full"],
    ] {
        for set in &sets {
            let mut command = place.command(arguments);
            let output = command.args(["--quiet", "--out", set]).env(ISA, set).output().unwrap();
            assert!(output.status.success(), "{}", text(&output.stderr));
        }
        for set in &sets {
            assert!(place.read(set) == place.read("portable"), "{set} makes another file");
        }
        for command in [&["evaluate", "portable", "--json"][..], &["predict", "portable", arguments[1]]] {
            let said = |set: &str| {
                let output = place.command(command).env(ISA, set).output().unwrap();
                assert!(output.status.success(), "{}", text(&output.stderr));
                output.stdout
            };
            for set in &sets {
                assert!(said(set) == said("portable"), "{command:?} says something else with {set}");
            }
        }
    }
    for command in [&["evaluate", "portable"][..], &["predict", "portable", "friedman"]] {
        let output = place.command(command).env(ISA, "mmx").output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{command:?} asks for the instruction set");
    }
    let output = place.command(&["train", "xor", "--quiet"]).env(ISA, "").output().unwrap();
    assert!(output.status.success(), "an empty variable says nothing");
}

#[test]
fn a_progress_reader_that_leaves_early_does_not_stop_training() {
    let place = Place::new();
    let mut command = place.command(&["train", "iris", "--epochs", "50"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    let output = ended(child);
    assert!(output.status.success(), "{:?}", output.status);
    assert!(text(&output.stdout).contains("saved model.safetensors"));

    // A message that nobody reads is no second mistake.
    let mut child = place.command(&["trian"]).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_at_the_end_of_a_pipe_is_a_failure() {
    let place = Place::new();
    for arguments in
        [&["datasets"][..], &["datasets", "iris"], &["--help"], &["train", "xor", "--epochs", "1"]]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = place.command(arguments).stdout(full).output().unwrap();
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
        assert!(message.contains("the output cannot be written: No space left on device"), "{message}");
    }
}

#[cfg(unix)]
const INTERRUPT: i32 = 2;
#[cfg(unix)]
const TERMINATION: i32 = 15;

/// A signal by which a shell ends a program, and its name. A script's background jobs are started with interrupts
/// ignored, and so is all that they start. By convention a program does not change that, so there it is a termination.
#[cfg(unix)]
fn ending_signals() -> Vec<(&'static str, i32)> {
    let probe = Command::new("sh").args(["-c", "kill -INT $$; exit 0"]).status().unwrap();
    let mut signals = vec![("TERM", TERMINATION)];
    if !probe.success() {
        signals.push(("INT", INTERRUPT));
    }
    signals
}

/// Starts a run without an end, and waits until it is under way.
#[cfg(unix)]
fn endless(place: &Place, more: &[&str]) -> (std::process::Child, BufReader<std::process::ChildStderr>) {
    let arguments = [&["train", "iris", "--epochs", "1000000000"], more].concat();
    let mut child = place.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    progress.read_line(&mut line).unwrap();
    assert!(line.starts_with("epoch ") && line.contains("/1000000000: cost"), "{line}");
    (child, progress)
}

/// Sends a signal by the shell's own `kill`: not every system has it as a program.
#[cfg(unix)]
fn send(name: &str, child: &std::process::Child) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap();
    assert!(sent.success());
}

#[cfg(unix)]
/// What a process has said when it has ended; one that does not end is ended, and the test fails.
fn ended(mut child: std::process::Child) -> std::process::Output {
    for _ in 0..600 {
        if child.try_wait().unwrap().is_some() {
            return child.wait_with_output().unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    child.kill().unwrap();
    panic!("the process goes on");
}

#[test]
fn an_interrupt_keeps_what_training_has_come_to() {
    for (name, signal) in ending_signals() {
        let place = Place::new();
        let (child, mut progress) =
            endless(&place, &["--validation", "0.2", "--early-stopping", "1000000000"]);
        send(name, &child);
        let output = ended(child);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut progress, &mut said).unwrap();
        assert_eq!(output.status.code(), Some(128 + signal), "{said}");
        assert!(
            said.contains("warning: interrupted in epoch ") && said.contains("model.safetensors"),
            "{said}"
        );
        assert!(text(&output.stdout).contains("saved model.safetensors"));
        let shown = place.succeed(&["inspect", "model.safetensors"]);
        assert!(shown.contains("stopped from outside"), "{shown}");
        let report = place.json(&["evaluate", "model.safetensors", "--json"]);
        assert!(report["report"]["accuracy"].as_f64().unwrap() > 0.8, "{report}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_with_checkpoints_says_how_to_go_on() {
    for (name, signal) in ending_signals() {
        let place = Place::new();
        let (child, mut progress) = endless(&place, &["--checkpoint", "a run", "--schedule", "constant"]);
        // Two processes in one folder would be in each other's way.
        let second = place.run(&["train", "--resume", "a run"]);
        assert!(text(&second.stderr).contains("another process is training in a run"));
        assert_eq!(second.status.code(), Some(1));
        send(name, &child);
        let output = ended(child);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut progress, &mut said).unwrap();
        assert_eq!(output.status.code(), Some(128 + signal), "{said}");
        assert!(said.contains("; `pullback train --resume 'a run'` goes on"), "{said}");
        // As many epochs as it may have come to, and more.
        let epochs =
            place.json(&["inspect", "model.safetensors", "--json"])["history"]["epoch_count"].as_u64();
        let epochs = (epochs.unwrap() + 5).to_string();
        place.succeed(&["train", "--resume", "a run", "--epochs", &epochs, "--quiet"]);
        let run =
            ["train", "iris", "--epochs", &epochs, "--schedule", "constant", "--quiet", "--out", "whole"];
        place.succeed(&run);
        let parameters = |name: &str| {
            let bytes = place.read(name);
            let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            bytes[header..].to_vec()
        };
        assert!(parameters("model.safetensors") == parameters("whole"));
    }
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_at_once() {
    use std::os::unix::process::ExitStatusExt;
    let place = Place::new();
    place.succeed(&["train", "xor", "--epochs", "1", "--quiet"]);
    let old = place.read("model.safetensors");
    // One step of it takes longer than a signal.
    let arguments =
        ["train", "digits", "--batch", "full", "--hidden", "1000,1000", "--epochs", "9", "--threads", "1"];
    let mut child = place.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // A signal may come before training begins, and then ends it alone.
    while child.try_wait().unwrap().is_none() {
        send("TERM", &child);
        std::thread::yield_now();
    }
    assert_eq!(child.wait().unwrap().signal(), Some(TERMINATION));
    assert_eq!(place.read("model.safetensors"), old);
}

#[test]
fn colors_are_where_they_are_wanted() {
    let place = Place::new();
    let message = |variables: &[(&str, &str)]| {
        let mut command = place.command(&["train", "digts"]);
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").envs(variables.iter().copied());
        text(&command.output().unwrap().stderr)
    };
    let plain = message(&[]);
    assert!(plain.starts_with("error: "), "{plain}");
    let colored = message(&[("CLICOLOR_FORCE", "1")]);
    assert!(colored.contains('\u{1b}') && colored.contains("digits"), "{colored}");
    assert_eq!(message(&[("NO_COLOR", "1")]), plain);
}

#[test]
fn a_pipe_that_gives_nothing_is_waited_for_aloud() {
    let place = Place::new();
    let mut command = place.command(&["look", "-"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert_eq!(
        lines.next().unwrap().unwrap(),
        "waiting for rows from standard input, which has given none yet"
    );
    child.stdin.take().unwrap().write_all(b"x,y\n1,2\n").unwrap();
    let output = ended(child);
    assert!(output.status.success() && text(&output.stdout).contains("1 row, 2 columns"));
}
