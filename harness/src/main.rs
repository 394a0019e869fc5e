//! The binary: parses, logs, ends with an exit code.

use clap::Parser;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    // Silent unless RUST_LOG asks; always to standard error, which no tool parses.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off")))
        .with_writer(std::io::stderr)
        .init();
    tumbler::dispatch(tumbler::cli::Cli::parse()).into()
}
