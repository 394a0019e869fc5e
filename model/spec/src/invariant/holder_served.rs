//! `holder-served`: an entitled holder is refused for at most G, and without faults never.
//!
//! Reason: a system that never hands anything out leaks nothing, and is useless. Every other
//! sentence about delivery could be kept by silence.
//!
//! Refused means that an agent whose path is open withholds a version that is current and unrevoked,
//! or that a verifier whose path is open refuses its value. It deliberately says nothing of a
//! replica that has closed itself, being out of touch, nor of an agent that was never served yet.
//!
//! Source: the readers' outage between "set" and "finish" of single-user rotation functions.

use super::{Claims, Judged, broken};
use crate::Ledger;
use tumbler_types::event::Refusal;
use tumbler_types::{Event, Instant, Observed, SecretId};

/// What an event says about one holder's service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The secret's current version was given, or accepted.
    Served(SecretId),
    /// It was withheld, or refused.
    Refused(SecretId),
}

/// Whether the event serves or refuses somebody who is entitled; none if it does neither.
pub fn service(before: &Ledger, observed: &Observed) -> Option<Service> {
    match observed.event {
        Event::HandedOut { secret, .. } | Event::Authenticated { secret, .. } => {
            Some(Service::Served(secret))
        }
        Event::Withheld { secret, to: _ } => {
            let slice = before.slice(secret)?;
            let holder = before.holder(secret, observed.node)?;
            let is_entitled = slice.current.is_some_and(|current| !slice.is_revoked(current));
            let was_served = holder.stored.version.0 != 0 || slice.serial.0 != 0;
            (is_entitled && was_served && before.path(observed.node).open).then_some(Service::Refused(secret))
        }
        Event::Refused { secret, principal: _, value, reason: Refusal::WrongValue } => {
            let slice = before.slice(secret)?;
            let current = slice.current.filter(|current| !slice.is_revoked(*current))?;
            let is_current = slice.version(current).is_some_and(|version| version.value == value);
            (is_current && before.path(observed.node).open).then_some(Service::Refused(secret))
        }
        _ => None,
    }
}

/// Judges a refusal at one node. `since`: the first of an unbroken row of refusals there;
/// `is_calm`: no fault began and nothing was revoked so far. Antecedent: every refusal.
pub fn invariant_holder_served(
    before: &Ledger,
    claims: &Claims,
    observed: &Observed,
    since: Instant,
    is_calm: bool,
) -> Judged {
    let node = observed.node;
    if is_calm {
        return broken(format_args!(
            "expected no holder to be refused without a fault, got a refusal at {node}"
        ));
    }
    let lasted = observed.at.since(since.max(before.path(node).since));
    if lasted > claims.bounds.served {
        return broken(format_args!(
            "expected a holder to be refused at {node} for at most {}, got {lasted}",
            claims.bounds.served
        ));
    }
    Judged::Near(lasted)
}
