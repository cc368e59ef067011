//! The `pullback` command: trains neural networks from tables and images.
//!
//! `settings` is the one list of what can be said by flags and in a configuration file, `commands` has
//! one file a command, `failure` how a command ends that cannot do what it is asked, `progress` what is
//! shown meanwhile. All numbers come from the library.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to a person")]

mod commands;
mod failure;
mod progress;
mod settings;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("error: this is a bug in pullback, please report it: {panic}");
    }));
    let cli = commands::Cli::parse();
    match std::panic::catch_unwind(|| cli.run()) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            failure.print();
            ExitCode::from(failure.code)
        }
        Err(_) => ExitCode::from(101),
    }
}
