//! The binary: parses, logs, ends with an exit code.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    tumbler::log::begin();
    tumbler::dispatch(tumbler::cli::Cli::parse()).into()
}
