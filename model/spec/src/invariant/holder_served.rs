//! `holder-served`: an entitled holder is refused for at most G, and without faults never.
//!
//! Reason: a system that never hands anything out leaks nothing, and is useless. Every other
//! sentence about delivery could be kept by silence.
//!
//! Refused means that an agent whose path is open withholds a version that is current and unrevoked,
//! or that a verifier whose path is open refuses its value. It deliberately says nothing of a
//! replica that has closed itself, being out of touch, nor of an agent that was never served yet.
//!
//! Where all versions share one principal, each rotation has a window in which nobody is served: there
//! it is at most the declared one, and under faults the bound.
//!
//! Source: the readers' outage between "set" and "finish" of single-user rotation functions.

use super::{Claims, Judged, broken};
use crate::{Ledger, ledger::Slice};
use tumbler_types::event::Refusal;
use tumbler_types::{Event, Instant, Observed, Phase, Principals, SecretId, Tag};

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
        Event::HandedOut { secret, .. } => Some(Service::Served(secret)),
        // A thief's login with an earlier version, or a rotator's test of one, serves nobody.
        Event::Authenticated { secret, principal: _, value } => {
            let slice = before.slice(secret)?;
            let current = slice.version(slice.current?)?;
            (current.value == value).then_some(Service::Served(secret))
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
            let is_value_of = |version| slice.version(version).is_some_and(|each| each.value == value);
            let is_current = is_value_of(current) || waiting_since(before, slice, value).is_some();
            (is_current && before.path(observed.node).open).then_some(Service::Refused(secret))
        }
        _ => None,
    }
}

/// One principal: an agent that can reach the authority and still has the previous version is waiting
/// for the current one, and what it hands out is refused. Since when the last of them can.
fn waiting_since(before: &Ledger, slice: &Slice, value: Tag) -> Option<Instant> {
    let previous = slice.previous.filter(|previous| !slice.is_revoked(*previous))?;
    let is_replaced = matches!(slice.phase, Phase::Promote | Phase::Drain);
    let is_it = slice.version(previous).is_some_and(|version| version.value == value);
    if !before.adapter().is_single() || !is_replaced || !is_it {
        return None;
    }
    let holding = slice.holders.iter().enumerate().filter(|(_, holder)| holder.stored.version == previous);
    let paths = holding.map(|(ordinal, _)| before.path(before.agent_node(ordinal)));
    paths.filter(|path| path.open).map(|path| path.since).max()
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
    let waiting = match observed.event {
        Event::Refused { secret, value, .. } => {
            before.slice(secret).and_then(|slice| waiting_since(before, slice, value))
        }
        _ => None,
    };
    let since = since.max(before.path(node).since).max(waiting.unwrap_or(Instant::ZERO));
    let lasted = observed.at.since(since);
    if let (Principals::One { outage }, true) = (before.adapter().principals, is_calm) {
        if lasted > outage {
            return broken(format_args!(
                "expected holders to be refused at {node} for at most the declared {outage}, got {lasted}"
            ));
        }
        return Judged::Near(lasted);
    }
    if is_calm {
        return broken(format_args!(
            "expected no holder to be refused without a fault, got a refusal at {node}"
        ));
    }
    if lasted > claims.bounds.served {
        return broken(format_args!(
            "expected a holder to be refused at {node} for at most {}, got {lasted}",
            claims.bounds.served
        ));
    }
    Judged::Near(lasted)
}
