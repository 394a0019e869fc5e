//! `transitions-legal`: rotations move along their edges, by whoever holds the lease, and at rest target and
//! store agree.
//!
//! Reason: a record that says "closed" while the target still accepts the version before, or no longer
//! accepts the current one, misleads everybody who acts on it, and nobody looks again.
//!
//! It knows the edges and no guard of one: whether an edge may be taken yet is for the monitor. What
//! agents hold at rest is `converges`' business.
//!
//! Source: transition integrity in the incidents of rotation functions that were cut off between two steps.

use super::{Judged, broken};
use crate::Ledger;
use crate::ledger::Slice;
use tumbler_types::{Command, Event, Observed, Phase, Principal};

/// Judges the ledger *after* an event; `from` is the phase before an effective entry. Antecedent: a
/// rotation moves, or the target changes at rest.
pub fn invariant_transitions_legal(after: &Ledger, observed: &Observed, from: Option<Phase>) -> Judged {
    match (observed.event, from) {
        (Event::Committed { secret, command, .. }, Some(from)) => {
            let Some(slice) = after.slice(secret) else { return Judged::Silent };
            let (is_edge, to) = match command {
                Command::Begin { .. } => (from == Phase::Idle, Phase::Draft),
                Command::RollBack { .. } => (is_before_return(from), Phase::Revert),
                Command::Advance { from: said, to, .. } => (said == from && is_edge(from, to), to),
                _ => return Judged::Silent,
            };
            // Whoever moves a rotation says in which epoch, and it is the lease's.
            if let (Command::Begin { epoch, .. } | Command::Advance { epoch, .. }, Some(lease)) =
                (command, slice.lease)
                && epoch != lease.epoch
            {
                return broken(format_args!(
                    "expected an edge to {} in {}, the lease's epoch, got one in {epoch}",
                    to.name(),
                    lease.epoch
                ));
            }
            if !is_edge {
                return broken(format_args!(
                    "expected an edge from {}, got one to {}",
                    from.name(),
                    to.name()
                ));
            }
            if to == Phase::Idle { at_rest(slice) } else { Judged::Held }
        }
        (Event::Enforced { secret, .. }, _) => match after.slice(secret) {
            Some(slice) if slice.phase == Phase::Idle => at_rest(slice),
            Some(_) | None => Judged::Silent,
        },
        _ => Judged::Silent,
    }
}

/// The primary accepts the current version, unless that is revoked, and nothing else.
fn at_rest(slice: &Slice) -> Judged {
    let Some(current) = slice.current.and_then(|current| slice.version(current)) else {
        return Judged::Silent;
    };
    for principal in Principal::ALL {
        let accepted = slice.accepted[principal.index()];
        let is_current = principal == current.principal && accepted == current.value;
        let is_missing = principal == current.principal && !is_current && current.revoked.is_none();
        if is_missing || !(accepted.is_none() || is_current) {
            return broken(format_args!(
                "expected the target at rest to accept {} and nothing else, got {accepted} for {principal:?}",
                current.version
            ));
        }
    }
    Judged::Held
}

const fn is_before_return(phase: Phase) -> bool {
    matches!(phase, Phase::Draft | Phase::Staged | Phase::Canary | Phase::Promote | Phase::Drain)
}

const fn is_edge(from: Phase, to: Phase) -> bool {
    matches!(
        (from, to),
        (Phase::Draft, Phase::Staged)
            | (Phase::Staged, Phase::Canary)
            | (Phase::Canary, Phase::Promote)
            | (Phase::Promote, Phase::Drain)
            | (Phase::Drain, Phase::Retire)
            | (Phase::Retire | Phase::Discard, Phase::Idle)
            | (Phase::Revert, Phase::Discard)
    )
}
