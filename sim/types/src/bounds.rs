//! The protocol's timing parameters, and the bounds that the invariants claim from them.

use crate::Span;
use serde::{Deserialize, Serialize};

/// Parameters that every role of a run is configured with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// Declared bound on |wall clock − true time| of every node: ε.
    pub epsilon: Span,
    /// Life of a rotator's lease on a secret.
    pub lease_ttl: Span,
    /// Life of an agent's grant on a version.
    pub grant_ttl: Span,
    /// Period of an agent's heartbeat.
    pub heartbeat: Span,
    /// Period at which an idle rotator reads the authority's records.
    pub poll: Span,
    /// After this long without a reply a call is `Unknown`.
    pub call_timeout: Span,
    /// A replica refuses everything when it has not heard from its primary for this long.
    pub visibility: Span,
    /// Period of the primary's replication messages.
    pub replication: Span,
    /// Time from one closed rotation to the next due time; zero: only when ordered.
    pub rotation_period: Span,
    /// Period of one workload's use of its credential.
    pub use_period: Span,
    /// Declared bound on how long after its caller decided on it a call can still take effect.
    /// Only a last-write-wins target rests on it: elsewhere the fence decides.
    #[serde(
        default = "Timing::actor_lifetime_default",
        skip_serializing_if = "Timing::is_actor_lifetime_default"
    )]
    pub actor_lifetime: Span,
}

impl Timing {
    fn actor_lifetime_default() -> Span {
        Timing::default().actor_lifetime
    }

    fn is_actor_lifetime_default(lifetime: &Span) -> bool {
        *lifetime == Timing::actor_lifetime_default()
    }

    /// The longest time for which anything that a record asked for can still land after the record
    /// stopped asking: a rotator acts on a record for at most a lease's life after it asked for it,
    /// and what it decides then lands within an actor's lifetime. Both instants are read from the
    /// authority's wall clock, which may be off by ε either way.
    #[must_use]
    pub const fn quarantine(&self) -> Span {
        self.actor_lifetime.plus(self.lease_ttl).plus(self.epsilon.times(2))
    }
}

/// What the invariants claim, for this scenario. Printed with every report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// `revoked-undelivered`: longest time from a revocation, or from the agent's reconnection if
    /// later, to the last hand-out of the revoked version.
    pub undelivered: Span,
    /// `revoked-refused`: longest time from a revocation, or from the target's reachability if
    /// later, to the last authentication with the revoked version, replicas included.
    pub refused: Span,
    /// `rollback-possible`: longest time R from a rollback command, or from the last disturbance if
    /// later, to every connected holder being on an accepted, unrevoked version.
    pub rollback: Span,
    /// `holder-served`: longest time for which an entitled holder is refused, at its agent or at a
    /// verifier whose path is open; without faults and revocations: never.
    pub served: Span,
    /// `converges`: longest time from the last fault to every rotation being closed.
    pub converge: Span,
    /// `orphan-free`: longest time D for which a target accepts a key that is on no record, from its
    /// minting or from the target's reachability if later. Zero, and not written, where rotators mint.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub orphan: Span,
}

impl Bounds {
    /// The same for all.
    pub const fn all(span: Span) -> Self {
        Bounds {
            undelivered: span,
            refused: span,
            rollback: span,
            served: span,
            converge: span,
            orphan: span,
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Timing {
            epsilon: Span::from_millis(250),
            lease_ttl: Span::from_secs(10),
            grant_ttl: Span::from_secs(30),
            heartbeat: Span::from_secs(2),
            poll: Span::from_secs(2),
            call_timeout: Span::from_secs(1),
            visibility: Span::from_secs(3),
            replication: Span::from_millis(500),
            rotation_period: Span::ZERO,
            use_period: Span::from_secs(1),
            actor_lifetime: Span::from_secs(900),
        }
    }
}
