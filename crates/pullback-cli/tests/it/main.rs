//! The command as its users meet it, one binary.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod addresses;
mod against;
mod border;
mod candidates;
mod checkpoints;
mod cross_validation;
mod docs;
mod failures;
mod four_ways;
mod glass_box;
mod images;
mod judged;
mod korean;
mod lab;
mod labels;
mod learning_rate;
mod messages;
mod new_rows;
mod person;
mod predictions;
mod processes;
mod readme;
mod shown;
mod sweep;
mod watched;
mod works;
mod your_file;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder of its own, in which commands run.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path(name), content).unwrap();
        self
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// The names of all files, sorted.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pullback"));
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs what must succeed, and returns its standard output.
    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.succeed(arguments)).unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The report of a training run without the linear model, which only training has the rows for.
fn without_linear(trained: &serde_json::Value) -> serde_json::Value {
    let mut report = trained["test"].clone();
    let baselines = report["baselines"].as_array_mut().unwrap();
    baselines.retain(|baseline| baseline["kind"] != "linear");
    report
}

/// The top of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
