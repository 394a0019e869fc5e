//! Where a rotation stands, and why it began.

use serde::{Deserialize, Serialize};

/// Phase of a secret's rotation record.
///
/// Forward: `Idle → Draft → Staged → Canary → Promote → Drain → Retire → Idle`.
/// Backward: `Draft | Staged | Canary | Promote | Drain → Revert → Discard → Idle`.
/// `Retire` is the point of no return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// No rotation is open.
    #[default]
    Idle = 0,
    /// The pending value is durable; the target may not have heard of it.
    Draft = 1,
    /// The target accepts the pending and the current version.
    Staged = 2,
    /// Canary agents receive the pending version.
    Canary = 3,
    /// Labels moved: the pending version is current, the former current is previous.
    Promote = 4,
    /// Waiting until every holder acknowledged the new version or its lease has ended.
    Drain = 5,
    /// The previous version is being closed at the target. No way back.
    Retire = 6,
    /// Given up: labels are back; waiting until no holder has the abandoned version.
    Revert = 7,
    /// The abandoned version is being closed at the target.
    Discard = 8,
}

impl Phase {
    pub const ALL: [Phase; 9] = [
        Phase::Idle,
        Phase::Draft,
        Phase::Staged,
        Phase::Canary,
        Phase::Promote,
        Phase::Drain,
        Phase::Retire,
        Phase::Revert,
        Phase::Discard,
    ];

    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| *phase as u8 == number)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Phase::Idle => "idle",
            Phase::Draft => "draft",
            Phase::Staged => "staged",
            Phase::Canary => "canary",
            Phase::Promote => "promote",
            Phase::Drain => "drain",
            Phase::Retire => "retire",
            Phase::Revert => "revert",
            Phase::Discard => "discard",
        }
    }
}

/// Why a rotation began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Its stored due time came.
    Due = 0,
    /// An operator ordered it.
    Order = 1,
    /// The current version was revoked.
    Revoked = 2,
}

impl Cause {
    pub const ALL: [Cause; 3] = [Cause::Due, Cause::Order, Cause::Revoked];

    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| *cause as u8 == number)
    }
}
