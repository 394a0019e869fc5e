//! Ids of the assumptions: declared bounds on the world, each of which carries some invariants.
//!
//! Scenario files, plans and reports name them; what each carries is a matter of the protocol's
//! meaning, and stands in `spec`.

use serde::{Deserialize, Serialize};

/// One declared bound on the world. Beyond it nothing is owed of the invariants that it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assumption {
    /// Every wall clock is within ε of true time.
    ClockWithinEpsilon,
    /// Clocks run within ρ of the rate of true time.
    ClockRateTrue,
    /// A write that was reported durable is durable.
    FsyncHonest,
    /// No disk is lost, restored to an older state, or shared.
    DisksKept,
    /// The target does with fences what it declares, and persists before it answers.
    TargetFenced,
    /// Where the last write wins, a call lands within a lifetime of its caller's decision, or never.
    ActorLifetime,
    /// The target accepts two versions at once. Not broken but declared otherwise: see the sentence.
    TwoPrincipals,
    /// A replica that has not heard for long refuses everything.
    ReplicaCloses,
    /// Nobody forges a sender, a frame or a record.
    IdentitiesTrue,
}

/// ρ: how many microseconds a clock may gain or lose in each second.
pub const RHO_PPM: u32 = 200;

impl Assumption {
    pub const ALL: [Assumption; 9] = [
        Assumption::ClockWithinEpsilon,
        Assumption::ClockRateTrue,
        Assumption::FsyncHonest,
        Assumption::DisksKept,
        Assumption::TargetFenced,
        Assumption::ActorLifetime,
        Assumption::TwoPrincipals,
        Assumption::ReplicaCloses,
        Assumption::IdentitiesTrue,
    ];

    pub const fn id(self) -> &'static str {
        match self {
            Assumption::ClockWithinEpsilon => "clock-within-epsilon",
            Assumption::ClockRateTrue => "clock-rate-true",
            Assumption::FsyncHonest => "fsync-honest",
            Assumption::DisksKept => "disks-kept",
            Assumption::TargetFenced => "target-fenced",
            Assumption::ActorLifetime => "actor-lifetime",
            Assumption::TwoPrincipals => "two-principals",
            Assumption::ReplicaCloses => "replica-closes",
            Assumption::IdentitiesTrue => "identities-true",
        }
    }

    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assumption| assumption.id() == id)
    }
}
