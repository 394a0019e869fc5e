//! Standing harms of one part of the world: a node's disk, its clocks, its process; links.
//!
//! They exist because a fault's kind, its victim and its duration are alike everywhere, and only
//! what it does to the part differs: [`FaultAction`](crate::FaultAction) says whom and until when,
//! a harm says what. It deliberately does nothing: the world's parts do what a harm says.

use serde::{Deserialize, Serialize};
use tumbler_types::{FaultKind, Span};

/// What is wrong with a node's disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DiskHarm {
    /// The write that triggered (a `PersistBegins` or `ProposeBegins` point) is cut off in its middle,
    /// and the node is down while this stands.
    Torn,
    Full,
    Stall,
    Reorder,
    Rot,
    /// What becomes durable meanwhile is lost in a crash meanwhile.
    Lie,
    /// The node is down meanwhile, and then has what it had `back` before.
    Restore {
        back: Span,
    },
}

/// What is wrong with a node's clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ClockHarm {
    /// Both clocks gain so many microseconds in each second.
    Drift { ppm: i32 },
    /// The wall clock stands still.
    Freeze,
    /// The wall clock is off by the offset for a period, right for the next, and so on.
    Strobe { offset_nanos: i64, period: Span },
}

/// What is wrong with a node's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ProcessHarm {
    /// Each input takes so long.
    Slow {
        lag: Span,
    },
    CrashLoop {
        up: Span,
        down: Span,
    },
    /// It has this period of heartbeats and polls.
    Reconfigure {
        period: Span,
    },
}

/// What is wrong with the links between two groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LinkHarm {
    /// A share of the messages takes between half of `extra` and all of it longer.
    Slow {
        extra: Span,
        share: Share,
    },
    Lossy {
        share: Share,
    },
    Corrupt {
        share: Share,
    },
    /// Messages leave one after the other, and are dropped where more than the queue waits.
    Narrow {
        bytes_per_second: u32,
        queue_bytes: u32,
    },
    /// What leaves vanishes, until the sender waits for an answer in vain and connects anew.
    HalfOpen,
}

/// So many of so many, drawn for each message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    pub numerator: u32,
    pub denominator: u32,
}

impl LinkHarm {
    pub const fn kind(self) -> FaultKind {
        match self {
            LinkHarm::Slow { .. } => FaultKind::SlowLink,
            LinkHarm::Lossy { .. } => FaultKind::LossyLink,
            LinkHarm::Corrupt { .. } => FaultKind::Corrupt,
            LinkHarm::Narrow { .. } => FaultKind::NarrowLink,
            LinkHarm::HalfOpen => FaultKind::HalfOpen,
        }
    }
}

impl DiskHarm {
    pub const fn kind(self) -> FaultKind {
        match self {
            DiskHarm::Torn => FaultKind::TornWrite,
            DiskHarm::Full => FaultKind::DiskFull,
            DiskHarm::Stall => FaultKind::DiskStall,
            DiskHarm::Reorder => FaultKind::DiskReorder,
            DiskHarm::Rot => FaultKind::BitRot,
            DiskHarm::Lie => FaultKind::LyingSync,
            DiskHarm::Restore { .. } => FaultKind::DiskRestore,
        }
    }
}

impl ClockHarm {
    pub const fn kind(self) -> FaultKind {
        match self {
            ClockHarm::Drift { .. } => FaultKind::ClockDrift,
            ClockHarm::Freeze => FaultKind::ClockFreeze,
            ClockHarm::Strobe { .. } => FaultKind::ClockStrobe,
        }
    }

    /// How far a wall clock with this base offset gets from true time while this stands for so long.
    pub fn furthest(self, base_nanos: i64, longest: Span) -> Span {
        let gained = i64::try_from(self.gained(longest)).unwrap_or(i64::MAX);
        let reached = match self {
            ClockHarm::Drift { .. } | ClockHarm::Freeze => base_nanos.saturating_add(gained),
            ClockHarm::Strobe { offset_nanos, .. } => offset_nanos,
        };
        Span(base_nanos.unsigned_abs().max(reached.unsigned_abs()))
    }

    /// What the wall clock gains, in nanoseconds, over so much time.
    pub fn gained(self, elapsed: Span) -> i128 {
        let elapsed = i128::from(elapsed.nanos());
        match self {
            ClockHarm::Drift { ppm } => elapsed * i128::from(ppm) / MILLION,
            ClockHarm::Freeze => -elapsed,
            ClockHarm::Strobe { .. } => 0,
        }
    }
}

impl ProcessHarm {
    pub const fn kind(self) -> FaultKind {
        match self {
            ProcessHarm::Slow { .. } => FaultKind::Slow,
            ProcessHarm::CrashLoop { .. } => FaultKind::CrashLoop,
            ProcessHarm::Reconfigure { .. } => FaultKind::Reconfigure,
        }
    }
}

const MILLION: i128 = 1_000_000;
