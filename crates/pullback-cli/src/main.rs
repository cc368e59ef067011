//! The `pullback` command: trains neural networks from tables and images.
//!
//! `settings` is the one list of what can be said by flags and in a configuration file, `config_file`
//! reads that file, `choices` decides what neither says. `commands` has one file a command, `failure` is
//! how a command ends that cannot do what it is asked, `progress` what is shown meanwhile, `terminal` how
//! things are shown. All numbers come from the library.
#![forbid(unsafe_code)]

mod choices;
mod commands;
mod config_file;
mod failure;
mod progress;
mod settings;
mod terminal;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        terminal::say(format_args!("error: this is a bug in pullback, please report it: {panic}"));
    }));
    let run = || commands::Cli::try_parse()?.run();
    match std::panic::catch_unwind(run) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            failure.print();
            ExitCode::from(failure.code)
        }
        Err(_) => ExitCode::from(101),
    }
}
