//! `converges`: after the last fault, within its bound, all is closed and everyone is served.
//!
//! Reason: a system that never does anything wrong because it never does anything keeps every
//! safety invariant.
//!
//! It deliberately judges only the end of a run, and only if nothing disturbed it for the bound.
//!
//! Source: TigerBeetle's liveness phase.

use super::{Judged, broken};
use crate::Ledger;
use tumbler_types::{Phase, SecretId};

/// Judges the ledger at the end of a run that was left alone for the bound.
pub fn invariant_converges(end: &Ledger, secret: SecretId) -> Judged {
    let Some(slice) = end.slice(secret) else { return Judged::Silent };
    if slice.phase != Phase::Idle {
        return broken(format_args!("expected no rotation to be open, got phase {}", slice.phase.name()));
    }
    if slice.is_due() {
        return broken(format_args!("expected no rotation to be due, got one that never began"));
    }
    if let Some(owed) = slice.versions.iter().find(|each| each.owed) {
        return broken(format_args!("expected every revocation to be settled, got {} owed", owed.version));
    }
    let Some(current) = slice.current else {
        return broken(format_args!("expected a current version, got none"));
    };
    for (ordinal, holder) in slice.holders.iter().enumerate() {
        let node = end.agent_node(ordinal);
        if end.path(node).open && holder.stored.version != current {
            return broken(format_args!(
                "expected {node} to be served {current}, got {}",
                holder.stored.version
            ));
        }
    }
    Judged::Held
}
