//! `privilege-preserved`: a version comes into force with the privileges and the transport of the one
//! that it follows.
//!
//! Reason: a login that works says nothing about what it may do. A pending version that lost a right
//! breaks its holders after promote; one that lost its transport leaks them.
//!
//! It deliberately says nothing of a target with one principal: it has one set, whoever logs in.
//!
//! Source: rotation templates that create the second user once, and copy its grants only then.

use super::{Judged, broken};
use crate::Ledger;
use tumbler_types::{Event, Observed, Step};

/// Judges the ledger *before* the event, privileges already changed. Antecedent: a `Set` that brings
/// a value into force.
pub fn invariant_privilege_preserved(before: &Ledger, observed: &Observed) -> Judged {
    let Event::Enforced { secret, fence, principal, value } = observed.event else { return Judged::Silent };
    let Some(slice) = before.slice(secret) else { return Judged::Silent };
    if fence.step != Step::Set || value.is_none() || slice.accepted[principal.index()] == value {
        return Judged::Silent;
    }
    let (got, expected) = (slice.privileges[principal.index()], slice.privileges[principal.other().index()]);
    if got != expected && !before.adapter().is_single() {
        return broken(format_args!("expected {principal:?} to come into force with {expected}, got {got}"));
    }
    Judged::Held
}
