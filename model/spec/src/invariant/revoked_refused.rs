//! `revoked-refused`: no replica of a reachable target authenticates a revoked version for long.
//!
//! Reason: a revocation that the target does not enforce is a wish. The bound runs from the moment
//! at which the target can be reached, because nobody can close a principal that nobody reaches.

use super::{Claims, Judged, broken};
use crate::Ledger;
use tumbler_types::{Event, NodeId, Observed, SecretId, Span, Tag};

/// Judges the ledger *before* the event. Antecedent: a login with a revoked version's value after
/// the deadline, at a node whose path is open.
pub fn invariant_revoked_refused(before: &Ledger, claims: &Claims, observed: &Observed) -> Judged {
    match observed.event {
        Event::Authenticated { secret, principal: _, value } => {
            let Some(late) = lateness(before, secret, value, observed) else { return Judged::Silent };
            if late > claims.bounds.refused {
                return broken(format_args!(
                    "expected {} to refuse {value} from {} after its revocation, accepted {late} after it",
                    name(before, observed.node),
                    claims.bounds.refused
                ));
            }
            Judged::Near(late)
        }
        Event::Refused { secret, principal: _, value, reason: _ } => {
            match lateness(before, secret, value, observed) {
                Some(late) if late > claims.bounds.refused => Judged::Held,
                Some(_) | None => Judged::Silent,
            }
        }
        _ => Judged::Silent,
    }
}

/// Time since the value's version was revoked, or since the node's path opened if that was later.
/// None if it is not revoked, or while the path is closed.
fn lateness(before: &Ledger, secret: SecretId, value: Tag, observed: &Observed) -> Option<Span> {
    let slice = before.slice(secret)?;
    if slice.serial.0 == 0 {
        return None;
    }
    let revocation = slice.version_of(value)?.revoked?;
    let path = before.path(observed.node);
    path.open.then(|| observed.at.since(revocation.at.max(path.since)))
}

fn name(ledger: &Ledger, node: NodeId) -> &'static str {
    if node == ledger.target() { "the primary" } else { "a replica" }
}
