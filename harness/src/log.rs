//! Diagnostics on standard error: silent unless `RUST_LOG` asks, stamped with virtual time.
//!
//! It exists because a wall-clock stamp says nothing about a run, and because on a run's own thread
//! the sandbox would answer for the clock. Virtual time is what the watch last saw: exact to the
//! world's heartbeat, which comes with every 1,024th event.
//!
//! It deliberately shows no bytes: inputs are logged as their `Debug` output, which leaves them out.

use crate::watch;
use std::fmt;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// Begins to log what `RUST_LOG` asks for.
pub fn begin() {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off")))
        .with_writer(std::io::stderr)
        .with_timer(VirtualTime)
        // Workers log into a pipe, so there is no terminal to ask.
        .with_ansi(false)
        .init();
}

/// Seconds since the start of the run; nothing outside of a run.
struct VirtualTime;

impl FormatTime for VirtualTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let seen = watch::seen();
        if seen.inputs == 0 { Ok(()) } else { write!(writer, "{}", seen.at) }
    }
}
