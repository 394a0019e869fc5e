//! `revoked-undelivered`: no agent hands out a revoked version for long, nor any version past its
//! lease.
//!
//! Reason: a revocation reaches an agent by its next heartbeat while it is connected; while it is
//! not, the lease is the only bound there is, and it needs no message to work.
//!
//! It deliberately gives a cut-off agent no other bound than the lease.
//!
//! Source: Vault's lease semantics (expire is by time, revoke by decision).

use super::{Claims, Judged, broken};
use crate::{Ledger, ledger::Holder};
use tumbler_types::{Event, Instant, NodeId, Observed, VersionId};

/// Judges the ledger *before* the event. Antecedent here: a hand-out in the last quarter of its
/// lease, or a request after it; the caller adds requests after a revocation's deadline, once per
/// agent and revocation (see [`undelivered_deadline`]).
pub fn invariant_revoked_undelivered(before: &Ledger, claims: &Claims, observed: &Observed) -> Judged {
    match observed.event {
        Event::HandedOut { secret, version, value: _, to: _ } => {
            let Some(slice) = before.slice(secret) else { return Judged::Silent };
            let Some(holder) = before.holder(secret, observed.node) else { return Judged::Silent };
            let lease = within_lease(holder, claims, version, observed);
            if let Judged::Broken(_) = lease {
                return lease;
            }
            let Some(revocation) = slice.version(version).and_then(|each| each.revoked) else { return lease };
            let path = before.path(observed.node);
            if !path.open {
                return lease;
            }
            let late = observed.at.since(revocation.at.max(path.since));
            if late > claims.bounds.undelivered {
                return broken(format_args!(
                    "expected {version} to be handed out at most {} after it was revoked, got {late}",
                    claims.bounds.undelivered
                ));
            }
            Judged::Near(late)
        }
        Event::Withheld { secret, to: _ } => {
            let Some(holder) = before.holder(secret, observed.node) else { return Judged::Silent };
            match holder.grant(holder.stored.version) {
                Some(grant) if observed.at > grant.at.plus(grant.ttl) => Judged::Held,
                Some(_) | None => Judged::Silent,
            }
        }
        _ => Judged::Silent,
    }
}

/// When the agent must have stopped handing out a version that was revoked then; none while it is
/// cut off.
pub fn undelivered_deadline(
    ledger: &Ledger,
    claims: &Claims,
    agent: NodeId,
    revoked_at: Instant,
) -> Option<Instant> {
    let path = ledger.path(agent);
    path.open.then(|| revoked_at.max(path.since).plus(claims.bounds.undelivered))
}

/// The agent's wall clock runs at most ε behind true time and the authority's at most ε ahead, and
/// the agent stops ε early: so the last hand-out is before the grant's commit + ttl + ε.
fn within_lease(holder: &Holder, claims: &Claims, version: VersionId, observed: &Observed) -> Judged {
    let Some(grant) = holder.grant(version) else {
        return broken(format_args!("expected only granted versions to be handed out, got {version}"));
    };
    let end = grant.at.plus(grant.ttl);
    if observed.at > end.plus(claims.timing.epsilon) {
        return broken(format_args!(
            "expected {version} to be handed out until {end} plus ε, got {}",
            observed.at
        ));
    }
    let last_quarter = grant.at.plus(tumbler_types::Span(grant.ttl.nanos() / 4).times(3));
    if observed.at >= last_quarter { Judged::Held } else { Judged::Silent }
}
