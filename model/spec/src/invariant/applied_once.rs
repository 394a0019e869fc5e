//! `applied-once`: per transaction one value, and fences that strictly increase.
//!
//! Reason: a rotator that was replaced may still have a call under way; the target alone can refuse
//! it. A second value for one transaction means that somebody generated again after an outcome that
//! it did not know. Judged at the target, never at the agent or rotator.
//!
//! A target with one principal gets the former value back when a rotation is given up: that puts
//! nothing new in force, and only the version that the record returned to may come back so.
//!
//! Where the last write wins, nothing at the target orders writes. There the sentence is that nothing
//! of a transaction lands after a later one's first, which rests on the declared actor lifetime.
//!
//! Where the target mints, a transaction may bring several keys into force, one after the other; the
//! sentence is that one of them at most comes onto the record. The others are `orphan-free`'s.
//!
//! Source: M. Kleppmann, "How to do distributed locking".

use super::{Judged, broken};
use crate::Ledger;
use crate::ledger::Slice;
use tumbler_types::{Command, Enforcement, Event, Fence, Observed, SecretId, Step, Tag, TxnId};

/// Judges the ledger *before* the event. Antecedent: a change at the primary after an earlier one.
pub fn invariant_applied_once(before: &Ledger, observed: &Observed) -> Judged {
    if let Event::Committed { secret, command: Command::Fill { txn, value, .. }, .. } = observed.event {
        return filled_once(before, secret, txn, value);
    }
    let Event::Enforced { secret, fence, principal: _, value } = observed.event else {
        return Judged::Silent;
    };
    let Some(slice) = before.slice(secret) else { return Judged::Silent };
    if fence.step == Step::Restore {
        let before = slice.current.and_then(|current| slice.version(current)).map(|version| version.value);
        if !value.is_none() && before != Some(value) {
            return broken(format_args!("expected {} to put nothing new in force, got {value}", fence.txn));
        }
    } else if !value.is_none()
        && !before.adapter().is_minting()
        && let Some((txn, first)) = slice.applied.iter().rev().find(|(txn, _)| *txn == fence.txn)
        && *first != value
    {
        return broken(format_args!("expected {txn} to put {first} in force and nothing else, got {value}"));
    }
    if before.adapter().enforcement == Enforcement::LastWriteWins {
        return in_order(slice, fence);
    }
    match slice.fence {
        None => Judged::Silent,
        Some(last) if fence > last => Judged::Held,
        Some(last) => broken(format_args!("expected a fence above {last} to be enforced, got {fence}")),
    }
}

/// One key of a transaction comes onto the record.
fn filled_once(before: &Ledger, secret: SecretId, txn: TxnId, value: Tag) -> Judged {
    let Some(slice) = before.slice(secret) else { return Judged::Silent };
    match slice.applied.iter().rev().find(|(other, _)| *other == txn) {
        Some((_, first)) => {
            broken(format_args!("expected {txn} to put {first} on record and nothing else, got {value}"))
        }
        None => Judged::Held,
    }
}

/// The second half, for a target that checks no fences.
fn in_order(slice: &Slice, fence: Fence) -> Judged {
    if fence.txn < slice.landed {
        return broken(format_args!(
            "expected nothing of {} to land after the first of {}, got {fence}",
            fence.txn, slice.landed
        ));
    }
    if slice.landed == TxnId(0) { Judged::Silent } else { Judged::Held }
}
