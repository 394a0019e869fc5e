//! Outcome of a run, and the exit code that stands for it.

use serde::{Deserialize, Serialize};

/// Outcome of a run. Nothing here rounds up: an undecided run is [`Verdict::Inconclusive`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[must_use]
pub enum Verdict {
    Pass,
    /// An invariant other than `converges` is broken.
    Violated,
    /// `converges` alone is broken.
    Stalled,
    /// The trace left the spec, and no invariant is broken.
    Diverged,
    /// A role panicked, or the worker died.
    Crashed,
    /// The same run gave two digests.
    Nondeterministic,
    Inconclusive,
}

impl Verdict {
    pub const ALL: [Verdict; 7] = [
        Verdict::Pass,
        Verdict::Violated,
        Verdict::Stalled,
        Verdict::Diverged,
        Verdict::Crashed,
        Verdict::Nondeterministic,
        Verdict::Inconclusive,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Violated => "violated",
            Verdict::Stalled => "stalled",
            Verdict::Diverged => "diverged",
            Verdict::Crashed => "crashed",
            Verdict::Nondeterministic => "nondeterministic",
            Verdict::Inconclusive => "inconclusive",
        }
    }

    pub const fn exit_code(self) -> u8 {
        match self {
            Verdict::Pass => 0,
            Verdict::Violated => 10,
            Verdict::Stalled => 11,
            Verdict::Diverged => 12,
            Verdict::Crashed => 13,
            Verdict::Nondeterministic => 14,
            Verdict::Inconclusive => 15,
        }
    }

    /// Rank among several verdicts of one sweep; the highest decides the exit code.
    pub const fn severity(self) -> u8 {
        match self {
            Verdict::Pass => 0,
            Verdict::Inconclusive => 1,
            Verdict::Stalled => 2,
            Verdict::Crashed => 3,
            Verdict::Diverged => 4,
            Verdict::Violated => 5,
            Verdict::Nondeterministic => 6,
        }
    }
}
