//! The `pullback` command; all that it does is in the library beside it.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(pullback_cli::run(std::env::args_os()))
}
