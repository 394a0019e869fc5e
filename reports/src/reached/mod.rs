//! What runs reached: states and steps of the specification, faults by phase, crash points, probes.
//!
//! It exists because a count of seeds says nothing of what they were worth. One run's part is
//! [`Reached`], made where its trace is; [`Sum`] is a sweep's; [`Map`] is what could be reached; the
//! form in a report is [`crate::report::v2::Reach`], which carries what was visited as bits over the
//! map, so that shards add up exactly.
//!
//! It deliberately decides nothing: that little was reached is told, and fails no sweep.

mod map;
mod merge;
mod sum;
mod table;

pub use map::Map;
pub(crate) use merge::is_sound;
pub use merge::{Clash, merge};
pub use sum::Sum;
pub(crate) use table::{hit, missed, pairs, percent};
pub use table::{lines, table};

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tumbler_types::{FaultKind, Phase};

/// What one run reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reached {
    /// Kinds of fault in its plan, fired or not.
    pub planned: BTreeSet<FaultKind>,
    /// Kinds of fault that began, and the phase of a rotation in which they did: `idle` only if no
    /// secret was being rotated.
    pub faults: BTreeSet<(FaultKind, Phase)>,
    /// Named points at which a crash cut in.
    pub points: BTreeSet<String>,
    /// Moments that it showed.
    pub probes: BTreeSet<String>,
    /// None where the specification's machine has no such world.
    pub walk: Option<Walk>,
}

/// A run in the words of the specification's machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Walk {
    /// States, each once, in the order in which they were first met.
    pub places: Vec<Place>,
    /// Steps, as indices of states, each once.
    pub steps: Vec<(u32, u32)>,
}

/// A state of the machine, packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place(pub [u64; 4]);
