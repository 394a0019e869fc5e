//! Ids and sentences of the invariants that the judges know.

use serde::{Deserialize, Serialize};

/// One positive sentence, one stable id. Judged in `spec`, counted in every report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Invariant {
    AppliedOnce,
    RevokedUndelivered,
    RevokedRefused,
    RollbackPossible,
    DurableAck,
    HolderServed,
    Converges,
    NoDowngrade,
    PrivilegePreserved,
    RotatedWhenDue,
    TransitionsLegal,
    OrphanFree,
}

impl Invariant {
    pub const ALL: [Invariant; 12] = [
        Invariant::AppliedOnce,
        Invariant::RevokedUndelivered,
        Invariant::RevokedRefused,
        Invariant::RollbackPossible,
        Invariant::DurableAck,
        Invariant::HolderServed,
        Invariant::Converges,
        Invariant::NoDowngrade,
        Invariant::PrivilegePreserved,
        Invariant::RotatedWhenDue,
        Invariant::TransitionsLegal,
        Invariant::OrphanFree,
    ];

    pub const fn id(self) -> &'static str {
        match self {
            Invariant::AppliedOnce => "applied-once",
            Invariant::RevokedUndelivered => "revoked-undelivered",
            Invariant::RevokedRefused => "revoked-refused",
            Invariant::RollbackPossible => "rollback-possible",
            Invariant::DurableAck => "durable-ack",
            Invariant::HolderServed => "holder-served",
            Invariant::Converges => "converges",
            Invariant::NoDowngrade => "no-downgrade",
            Invariant::PrivilegePreserved => "privilege-preserved",
            Invariant::RotatedWhenDue => "rotated-when-due",
            Invariant::TransitionsLegal => "transitions-legal",
            Invariant::OrphanFree => "orphan-free",
        }
    }

    pub const fn sentence(self) -> &'static str {
        match self {
            Invariant::AppliedOnce => {
                "per transaction at most one value is ever in force, and the fences a target enforces strictly increase"
            }
            Invariant::RevokedUndelivered => {
                "no agent hands out a version later than its revocation plus the bound while connected, nor ever past its lease plus ε"
            }
            Invariant::RevokedRefused => {
                "no replica of a reachable target authenticates a version later than its revocation plus the bound"
            }
            Invariant::RollbackPossible => {
                "before the point of no return the previous version stays accepted, and a rollback command brings every connected holder onto an accepted version within R"
            }
            Invariant::DurableAck => "what was acknowledged is durable, and survives every crash",
            Invariant::HolderServed => {
                "an entitled holder that can reach the target is refused for at most G, and without faults never"
            }
            Invariant::PrivilegePreserved => {
                "a version that comes into force may do, and must connect, as the one that it follows"
            }
            Invariant::RotatedWhenDue => {
                "a due secret begins its rotation within the bound, and none begins without due time, order or revocation"
            }
            Invariant::TransitionsLegal => {
                "the lease's holder moves rotations along their edges, and at rest the target accepts the current version and nothing else"
            }
            Invariant::OrphanFree => {
                "every key that the target accepts is on record, or comes onto it or is deleted within D"
            }
            Invariant::Converges => {
                "after the last fault every rotation closes and every holder is served within K"
            }
            Invariant::NoDowngrade => {
                "no node speaks below the highest floor that it ever agreed to, whoever strips the negotiation"
            }
        }
    }

    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|invariant| invariant.id() == id)
    }
}
