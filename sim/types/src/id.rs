//! Identifiers, epochs and fences: newtypes, so that no number can stand for another.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($int:ty) $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl $name {
            /// The id after this one. Saturates: an id space is never exhausted in a bounded run.
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self, f)
            }
        }

        impl From<$name> for u64 {
            fn from(value: $name) -> u64 {
                u64::from(value.0)
            }
        }
    )*};
}

ids! {
    /// A killable unit of the world: index into the topology.
    NodeId(u16) "node-";
    /// A named credential.
    SecretId(u16) "secret-";
    /// One immutable value of a secret; rises by one with each rotation begun.
    VersionId(u32) "v";
    /// One rotation of one secret, from `Begin` to `Closed`.
    TxnId(u32) "txn-";
    /// One try, within a rotation, at having a key minted; zero: none was opened.
    Attempt(u32) "attempt-";
    /// Fencing epoch of a secret's rotation lease: rises with each acquisition, never with a renewal.
    Epoch(u32) "e";
    /// Compare-and-set counter of a secret's slice: rises with each effective command.
    Revision(u32) "r";
    /// Revocation serial of a secret: rises with each revocation.
    Serial(u32) "s";
    /// Position in the authority's log, from 1. Zero means "nothing yet".
    LogIndex(u32) "i";
    /// One external call, unique in a run: caller's node, incarnation and ordinal.
    CallId(u64) "call-";
    /// Names an effect of one incarnation of one role, so that its completion can be matched.
    Token(u64) "t";
    /// Names a timer slot of a role; arming it again replaces the former deadline.
    TimerId(u32) "timer-";
    /// Names a durable record on a node's disk.
    RecordId(u32) "record-";
    /// Counts the starts of one node.
    Incarnation(u32) "inc-";
    /// A fault's place in the plan.
    FaultId(u16) "fault-";
    /// Which version of the code a node runs.
    BuildId(u16) "build-";
}

impl NodeId {
    /// Stands for the world itself in events that concern no single node.
    pub const WORLD: NodeId = NodeId(u16::MAX);
}

/// One of the two database principals that versions of a secret alternate between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Principal {
    Blue,
    Green,
}

impl Principal {
    pub const ALL: [Principal; 2] = [Principal::Blue, Principal::Green];

    pub const fn other(self) -> Self {
        match self {
            Principal::Blue => Principal::Green,
            Principal::Green => Principal::Blue,
        }
    }

    pub const fn index(self) -> usize {
        match self {
            Principal::Blue => 0,
            Principal::Green => 1,
        }
    }
}

/// The external effects of one rotation, in the only order in which they may reach a target.
///
/// A step is the third component of a fence: within one epoch and transaction a later step outranks
/// an earlier one, so that giving up (`Discard`) fences off a `Set` still in flight. The order is
/// that of [`Step::ALL`]; numbers are for bytes, and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The pending version's principal gets the pending value.
    Set = 1,
    /// The version that the rotation leaves, or returned to, was revoked while it was open: its
    /// principal is closed.
    DisablePrevious = 2,
    /// The previous version's principal is closed because the rotation succeeded.
    Retire = 3,
    /// The pending (or demoted) version's principal is closed because the rotation was given up.
    Discard = 4,
    /// The current version was revoked with no rotation open: its principal is closed.
    DisableCurrent = 5,
    /// The version that the rotation returned to gets the only principal back.
    Restore = 6,
    /// A key that no record names is deleted. Keys know no fences: its rank is without meaning.
    Reap = 7,
}

impl Step {
    pub const ALL: [Step; 7] = [
        Step::Set,
        Step::DisablePrevious,
        Step::Restore,
        Step::Retire,
        Step::Discard,
        Step::DisableCurrent,
        Step::Reap,
    ];

    const fn rank(self) -> u8 {
        match self {
            Step::Set => 1,
            Step::DisablePrevious => 2,
            Step::Restore => 3,
            Step::Retire => 4,
            Step::Discard => 5,
            Step::DisableCurrent => 6,
            Step::Reap => 7,
        }
    }

    pub const fn number(self) -> u8 {
        self as u8
    }

    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.number() == number)
    }

    /// As scenario files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Step::Set => "set",
            Step::DisablePrevious => "disable-previous",
            Step::Retire => "retire",
            Step::Discard => "discard",
            Step::DisableCurrent => "disable-current",
            Step::Restore => "restore",
            Step::Reap => "reap",
        }
    }
}

impl PartialOrd for Step {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Step {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// Fencing token checked at the target: strictly increasing in (epoch, transaction, step).
///
/// Source: M. Kleppmann, "How to do distributed locking": a lease alone cannot stop a stale holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fence {
    pub epoch: Epoch,
    pub txn: TxnId,
    pub step: Step,
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {}, {:?})", self.epoch, self.txn, self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_rank_in_the_order_in_which_they_may_reach_a_target_and_keep_their_numbers() {
        assert!(Step::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(Step::ALL.map(Step::number), [1, 2, 6, 3, 4, 5, 7]);
        assert!(Step::ALL.into_iter().all(|step| Step::from_number(step.number()) == Some(step)));
    }
}
