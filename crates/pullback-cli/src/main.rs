//! The `pullback` command: trains neural networks from tables and images.
//!
//! `commands` has one file a command; none imports another. A command is flags, a job of the library, and what
//! is printed: `flags` makes the flags of the library's list of settings, `config_file` reads the same from a file,
//! `source` reads rows, `columns` says what is made of them, `machine` says what there is of memory, `files` what a
//! command reads and writes, `failure` is how a command ends that cannot do what it is asked, `progress` what is shown
//! meanwhile, `interrupt` what ends a run early, `checkpoints` the folder from which one goes on, `terminal` how things
//! are shown. All numbers come from the library.
#![forbid(unsafe_code)]

mod checkpoints;
mod columns;
mod commands;
mod config_file;
mod cross_validation;
mod failure;
mod files;
mod flags;
mod interrupt;
mod learning_rate;
mod machine;
mod predictions;
mod progress;
mod source;
mod sweep_file;
mod terminal;
mod train_report;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        terminal::say(format_args!("error: this is a bug in pullback, please report it: {panic}"));
    }));
    let run = || commands::Cli::try_parse_from(flags::joined(std::env::args_os()))?.run();
    match std::panic::catch_unwind(run) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            failure.print();
            ExitCode::from(failure.code)
        }
        Err(_) => ExitCode::from(101),
    }
}
