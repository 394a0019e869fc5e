//! The guards: which step the protocol allows in which state of the ledger.
//!
//! The second, independent statement of `sim/rotation/README.md`. The model takes only steps that
//! are allowed here; the monitor demands that every step of a run is.
//!
//! It deliberately says nothing about how the system finds out that a guard holds, and nothing about
//! what the step changes: that is the ledger's fold.

mod command;
mod delivery;
mod effect;

pub use effect::Effect;

use crate::invariant::Why;
use tumbler_types::{Adapter, Timing};

/// The protocol's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub timing: Timing,
    /// How many of the first agents are in the canary cohort.
    pub canaries: u16,
    /// What the target declares.
    pub adapter: Adapter,
}

fn refuse<T>(why: std::fmt::Arguments<'_>) -> Result<T, Why> {
    Err(Why(why.to_string()))
}

fn demand(condition: bool, why: std::fmt::Arguments<'_>) -> Result<(), Why> {
    if condition { Ok(()) } else { refuse(why) }
}
