//! `no-downgrade`: nobody speaks below the highest floor that it ever agreed to.
//!
//! Reason: what a later format protects is worth as much as the refusal of the earlier one. Whoever
//! can make two nodes believe that the other is old takes the protection away from both.
//!
//! A floor is agreed by the log, or by what a node says of itself; nodes that keep nothing start anew
//! with each incarnation. It deliberately asks nothing of formats above the floor.
//!
//! Source: D. Bhargavan and others, "Downgrade resilience in key-exchange protocols" (2016).

use super::{Judged, broken};
use crate::Ledger;
use tumbler_types::{Event, Format, Observed};

/// Judges the ledger *before* the event. Antecedent: somebody speaks who has agreed to a floor above
/// the lowest format.
pub fn invariant_no_downgrade(before: &Ledger, observed: &Observed) -> Judged {
    let Event::Spoke { peer, format, floor } = observed.event else { return Judged::Silent };
    let agreed = before.floor(observed.node);
    if format < agreed {
        return broken(format_args!("expected at least the agreed {agreed}, spoke {format} with {peer}"));
    }
    if floor < agreed {
        return broken(format_args!("expected to stand by the agreed {agreed}, named the floor {floor}"));
    }
    if agreed == Format::LOWEST { Judged::Silent } else { Judged::Held }
}
