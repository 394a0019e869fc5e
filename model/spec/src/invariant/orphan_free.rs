//! `orphan-free`: every key that the target accepts is on record, or comes onto it or is deleted
//! within D.
//!
//! Reason: a key whose minting was answered to nobody works for whoever finds it, is in no list that
//! anybody revokes from, and takes up one of the few that there may be.
//!
//! Where rotators mint, a value is on record before the target hears of it, and D is zero.
//!
//! The bound runs from the minting, or from the moment at which the target can be reached: nobody
//! deletes what nobody reaches. It deliberately says nothing of replicas, which follow.
//!
//! Source: DESIGN's debts, and services that mint on each request and tell the key once.

use super::{Claims, Judged, broken};
use crate::Ledger;
use tumbler_types::{Command, Event, Instant, Observed, Principal, SecretId, Span, Tag};

/// Judges the ledger *before* the event. Antecedent: a key that was on no record comes onto it, or is
/// deleted; where rotators mint, a value comes into force.
pub fn invariant_orphan_free(before: &Ledger, claims: &Claims, observed: &Observed) -> Judged {
    let (secret, principal) = match observed.event {
        Event::Enforced { secret, fence: _, principal: _, value } if !before.adapter().is_minting() => {
            return recorded(before, secret, value);
        }
        Event::Enforced { secret, fence: _, principal, value } if value.is_none() => (secret, principal),
        Event::Committed { secret, expected, command: Command::Fill { principal, .. }, .. }
            if before.slice(secret).is_some_and(|slice| slice.revision == expected) =>
        {
            (secret, principal)
        }
        _ => return Judged::Silent,
    };
    match lasted(before, secret, principal, observed.at) {
        Some(lasted) if lasted > claims.bounds.orphan => too_long(principal, claims, lasted),
        Some(_) => Judged::Held,
        None => Judged::Silent,
    }
}

/// A value that comes into force is on record already.
fn recorded(before: &Ledger, secret: SecretId, value: Tag) -> Judged {
    match before.slice(secret) {
        Some(_) | None if value.is_none() => Judged::Silent,
        Some(slice) if slice.version_of(value).is_none() => {
            broken(format_args!("expected a value on record to come into force, got {value}"))
        }
        Some(_) => Judged::Held,
        None => Judged::Silent,
    }
}

/// What is left of it when the run ends, and the longest that a key was on no record.
pub fn left_over(ledger: &Ledger, claims: &Claims, secret: SecretId, end: Instant) -> Judged {
    let lasting = Principal::ALL
        .into_iter()
        .filter_map(|principal| Some((lasted(ledger, secret, principal, end)?, principal)));
    match lasting.max_by_key(|(lasted, _)| *lasted) {
        Some((lasted, principal)) if lasted > claims.bounds.orphan => too_long(principal, claims, lasted),
        Some((lasted, _)) => Judged::Near(lasted),
        None => Judged::Silent,
    }
}

/// For how long the principal has accepted a key that is on no record, the target being reachable.
pub fn lasted(ledger: &Ledger, secret: SecretId, principal: Principal, at: Instant) -> Option<Span> {
    let since = ledger.slice(secret)?.stray[principal.index()]?;
    let path = ledger.path(ledger.target());
    path.open.then(|| at.since(since.max(path.since)))
}

fn too_long(principal: Principal, claims: &Claims, lasted: Span) -> Judged {
    broken(format_args!(
        "expected the key in {principal:?} on record or deleted within {}, got {lasted} on no record",
        claims.bounds.orphan
    ))
}
