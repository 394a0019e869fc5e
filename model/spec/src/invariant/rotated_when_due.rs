//! `rotated-when-due`: a rotation begins when it is due, and never otherwise.
//!
//! Reason: a schedule that is kept in memory is lost with it. What forgets its due time rotates at
//! every restart, or never again; both have happened, and neither breaks any other sentence.
//!
//! Due is what the log says: the period after the last closing, an order, or a revoked current version.
//! Late is counted from when the system was last disturbed, by true time; both clocks may be off by ε.
//! That it closes is `converges`' business.
//!
//! Source: automatic rotations at start-up of a secret manager whose last rotation was only in memory.

use super::{Claims, Judged, broken};
use crate::Ledger;
use crate::ledger::Slice;
use tumbler_types::{Cause, Command, Event, Instant, Observed, SecretId, Span, Wall};

/// When the next rotation is due by time, on the authority's clock; none: only when ordered.
pub fn due_at(slice: &Slice, claims: &Claims) -> Option<Wall> {
    let period = claims.timing.rotation_period;
    (period != Span::ZERO && slice.current.is_some()).then(|| slice.closed_at.plus(period))
}

/// Judges the ledger *before* an effective entry. Antecedent: a rotation begins.
pub fn invariant_rotated_when_due(before: &Ledger, claims: &Claims, observed: &Observed) -> Judged {
    let Event::Committed { at, secret, command: Command::Begin { cause, .. }, .. } = observed.event else {
        return Judged::Silent;
    };
    let Some(slice) = before.slice(secret) else { return Judged::Silent };
    match cause {
        Cause::Due => match due_at(slice, claims) {
            Some(due) if at >= due => Judged::Held,
            Some(due) => {
                broken(format_args!("expected a rotation to begin at {due} at the earliest, at {at}"))
            }
            None => broken(format_args!("expected no rotation without an order, got one that was due")),
        },
        Cause::Order if slice.ordered => Judged::Held,
        Cause::Order => broken(format_args!("expected an order, got a rotation that nobody ordered")),
        Cause::Revoked if slice.current.is_some_and(|current| slice.is_revoked(current)) => Judged::Held,
        Cause::Revoked => broken(format_args!("expected the current version to be revoked, it is not")),
    }
}

/// Whether a rotation that is due by time has waited for longer than the bound, nothing disturbing it.
pub fn overdue(ledger: &Ledger, claims: &Claims, secret: SecretId, quiet: Instant, now: Instant) -> Judged {
    let Some(slice) = ledger.slice(secret) else { return Judged::Silent };
    let Some(due) = due_at(slice, claims).filter(|_| slice.phase == tumbler_types::Phase::Idle) else {
        return Judged::Silent;
    };
    // By the slowest clock that ε allows, it is due then.
    let due = Instant(due.plus(claims.timing.epsilon).since(Wall::EPOCH).nanos());
    let waited = now.since(due.max(quiet));
    if waited > claims.bounds.converge {
        return broken(format_args!("expected a rotation that is due to begin, it waits for {waited}"));
    }
    Judged::Near(waited)
}
