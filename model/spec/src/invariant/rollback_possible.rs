//! `rollback-possible`: before the point of no return the way back is open, and taking it leads
//! every connected holder onto an accepted version.
//!
//! Reason: a rotation that can only be finished turns every surprise into an outage.
//!
//! The state predicate is judged at every change of the record and of the primary's rows. The goal
//! predicate is judged by the caller when the bound after a rollback has passed, and by the harness
//! at sampled points after it has injected the command.
//!
//! Where all versions share one principal, the next one ends the previous one, and the state predicate
//! is weaker: one effect is enough to put the previous version back. The goal is the same.
//!
//! Source: onos-config's TLA+ model of change and rollback transactions, for the shape of the goal.

use super::{Judged, Why, broken};
use crate::{Ledger, ledger::Slice};
use tumbler_types::{Event, Fence, Observed, Phase, SecretId, Step, VersionId};

/// Judges the ledger *after* the event. Antecedent: a rotation reaches `Staged`.
pub fn invariant_rollback_possible(after: &Ledger, observed: &Observed) -> Judged {
    let (secret, staged) = match observed.event {
        Event::Committed { secret, command, .. } => (
            secret,
            matches!(command, tumbler_types::Command::Advance { from: Phase::Draft, to: Phase::Staged, .. }),
        ),
        Event::Enforced { secret, .. } | Event::TargetRecovered { secret, .. } => (secret, false),
        _ => return Judged::Silent,
    };
    let Some(slice) = after.slice(secret) else { return Judged::Silent };
    let before_point_of_no_return = match slice.phase {
        Phase::Draft | Phase::Staged | Phase::Canary | Phase::Promote | Phase::Drain => true,
        Phase::Idle | Phase::Retire | Phase::Revert | Phase::Discard => false,
    };
    if !before_point_of_no_return {
        return Judged::Silent;
    }
    let Some(version) = slice.return_version() else {
        return broken(format_args!(
            "expected a version to return to in phase {}, got none",
            slice.phase.name()
        ));
    };
    if after.adapter().is_single() {
        return match restorable(slice, version) {
            Ok(()) if staged => Judged::Held,
            Ok(()) => Judged::Silent,
            Err(why) => Judged::Broken(why),
        };
    }
    if !slice.is_revoked(version) && !slice.is_accepted(version) {
        return broken(format_args!(
            "expected the primary to accept {version}, the way back from phase {}, got a principal that does not",
            slice.phase.name()
        ));
    }
    if staged { Judged::Held } else { Judged::Silent }
}

/// The weaker predicate of a target with one principal: the version to return to is on record with
/// its value, and the target's fence is below the one effect that puts it back.
fn restorable(slice: &Slice, version: VersionId) -> Result<(), Why> {
    let is_known = slice.version(version).is_some_and(|each| !each.value.is_none());
    if !is_known {
        return Err(Why(format!("expected the value of {version}, the way back, on record, got none")));
    }
    let (Some(last), Some(lease)) = (slice.fence, slice.lease) else { return Ok(()) };
    let restore = Fence { epoch: lease.epoch, txn: slice.txn, step: Step::Restore };
    if last < restore || slice.is_revoked(version) {
        return Ok(());
    }
    Err(Why(format!("expected a fence below {restore}, so that {version} can be put back, got {last}")))
}

/// The goal of a rollback, for every secret: each agent whose path is open has durably stored a
/// version that it was granted, that the primary accepts, and that is neither revoked nor expired.
pub fn rollback_goal(ledger: &Ledger) -> Result<(), Why> {
    (0..ledger.slices.len())
        .try_for_each(|secret| rollback_goal_of(ledger, SecretId(u16::try_from(secret).unwrap_or(u16::MAX))))
}

/// The goal of a rollback, for one secret.
pub fn rollback_goal_of(ledger: &Ledger, secret: SecretId) -> Result<(), Why> {
    let Some(slice) = ledger.slice(secret) else { return Ok(()) };
    (0..slice.holders.len()).try_for_each(|ordinal| served(ledger, slice, ordinal))
}

fn served(ledger: &Ledger, slice: &Slice, ordinal: usize) -> Result<(), Why> {
    let node = ledger.agent_node(ordinal);
    if !ledger.path(node).open {
        return Ok(());
    }
    let holder = &slice.holders[ordinal];
    let version = holder.stored.version;
    let got = if version.0 == 0 {
        "nothing stored"
    } else if holder.grant(version).is_none_or(|grant| ledger.now > grant.at.plus(grant.ttl)) {
        "a version that it is not granted"
    } else if slice.is_revoked(version) {
        "a revoked version"
    } else if !slice.is_accepted(version) {
        "a version that the primary refuses"
    } else {
        return Ok(());
    };
    Err(Why(format!("expected {node} to hold an accepted, unrevoked version, got {got} ({version})")))
}
