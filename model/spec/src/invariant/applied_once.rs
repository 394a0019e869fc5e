//! `applied-once`: per transaction one value, and fences that strictly increase.
//!
//! Reason: a rotator that was replaced may still have a call under way; the target alone can refuse
//! it. A second value for one transaction means that somebody generated again after an outcome that
//! it did not know. Judged at the target, never at the agent or rotator.
//!
//! Source: M. Kleppmann, "How to do distributed locking".

use super::{Judged, broken};
use crate::Ledger;
use tumbler_types::{Event, Observed};

/// Judges the ledger *before* the event. Antecedent: a change at the primary after an earlier one.
pub fn invariant_applied_once(before: &Ledger, observed: &Observed) -> Judged {
    let Event::Enforced { secret, fence, principal: _, value } = observed.event else {
        return Judged::Silent;
    };
    let Some(slice) = before.slice(secret) else { return Judged::Silent };
    if !value.is_none()
        && let Some((txn, first)) = slice.applied.iter().rev().find(|(txn, _)| *txn == fence.txn)
        && *first != value
    {
        return broken(format_args!("expected {txn} to put {first} in force and nothing else, got {value}"));
    }
    match slice.fence {
        None => Judged::Silent,
        Some(last) if fence > last => Judged::Held,
        Some(last) => broken(format_args!("expected a fence above {last} to be enforced, got {fence}")),
    }
}
