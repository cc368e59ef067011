//! The `pullback` command: trains neural networks from tables and images.
//!
//! `commands` has one file a command; none imports another. A command is flags, a job of the library, and what
//! is printed: `flags` makes the flags of the library's list of settings, `config_file` reads the same from a file,
//! `source` reads rows, `columns` says what is made of them, `machine` says what there is of memory, `files` what a
//! command reads and writes, `drawing` draws what `explain` explains, `failure` is how a command ends that cannot do what
//! it is asked, `progress` what is shown meanwhile, `interrupt` what ends a run early, `checkpoints` the folder from
//! which one goes on, `page` the page in the browser and its server, `terminal` how things are shown. All numbers come from the library.
#![forbid(unsafe_code)]

mod checkpoints;
mod columns;
mod commands;
mod config_file;
mod cross_validation;
mod drawing;
mod failure;
mod files;
mod flags;
mod interrupt;
mod language;
mod learning_rate;
mod machine;
mod page;
mod predictions;
mod progress;
mod source;
mod sweep_file;
mod terminal;
mod traced;
mod train_report;

use clap::Parser;
use std::ffi::OsString;
use std::sync::OnceLock;

/// How the command is called, if it is not the program that runs.
static CALLED: OnceLock<Vec<OsString>> = OnceLock::new();

/// The program and first arguments by which the command is called again.
fn program() -> std::io::Result<Vec<OsString>> {
    match CALLED.get() {
        Some(called) => Ok(called.clone()),
        None => Ok(vec![std::env::current_exe()?.into_os_string()]),
    }
}

/// The same as [`run`] within another program, where `called` is the program with first arguments that calls the
/// command: `python -m pullback`.
pub fn run_within(called: Vec<OsString>, arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let _ = CALLED.set(called);
    run(arguments)
}

/// A file of the page in the browser, such as `engine.wasm`, for who shows the page elsewhere than in the server of
/// `pullback lab`.
pub fn page_file(name: &str) -> Option<&'static [u8]> {
    page::file(name)
}

/// Runs the command with arguments, the first of which is the program's name; returns its exit status.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    std::panic::set_hook(Box::new(|panic| {
        terminal::say(format_args!("error: this is a bug in pullback, please report it: {panic}"));
    }));
    let arguments = flags::joined(arguments);
    let run = || commands::Cli::try_parse_from(arguments)?.run();
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        Ok(Ok(())) => 0,
        Ok(Err(failure)) => {
            failure.print();
            failure.code
        }
        Err(_) => 101,
    }
}
