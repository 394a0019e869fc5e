//! The invariants: one function each over the ledger, called by the run's judge and by the model.
//!
//! They deliberately know no guard of the protocol: each says what must be true, not how the system
//! brings it about. They keep no counters: [`Judged`] tells the caller what to count.

mod applied_once;
mod converges;
mod durable_ack;
mod holder_served;
mod no_downgrade;
mod orphan_free;
mod privilege_preserved;
mod revoked_refused;
mod revoked_undelivered;
mod rollback_possible;
mod rotated_when_due;
mod transitions_legal;

pub use applied_once::invariant_applied_once;
pub use converges::invariant_converges;
pub use durable_ack::invariant_durable_ack;
pub use holder_served::{Service, invariant_holder_served, service};
pub use no_downgrade::invariant_no_downgrade;
pub use orphan_free::{invariant_orphan_free, lasted as stray_lasted, left_over};
pub use privilege_preserved::invariant_privilege_preserved;
pub use revoked_refused::invariant_revoked_refused;
pub use revoked_undelivered::{invariant_revoked_undelivered, undelivered_deadline};
pub use rollback_possible::{invariant_rollback_possible, rollback_goal, rollback_goal_of};
pub use rotated_when_due::{invariant_rotated_when_due, overdue};
pub use transitions_legal::invariant_transitions_legal;

use std::fmt;
use tumbler_types::{Bounds, Span, Timing};

/// What the bounds and the timing of a scenario claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    pub timing: Timing,
    pub bounds: Bounds,
}

/// One invariant's answer about one event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Judged {
    /// The event has no bearing on it.
    Silent,
    /// It came this close to the bound, its antecedent not being met.
    Near(Span),
    /// Its antecedent was met, and it holds.
    Held,
    Broken(Why),
}

/// One sentence with expected and got.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Why(pub String);

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Broken, with a sentence. Out of line: findings are rare and events are not.
#[cold]
fn broken(why: fmt::Arguments<'_>) -> Judged {
    Judged::Broken(Why(why.to_string()))
}
