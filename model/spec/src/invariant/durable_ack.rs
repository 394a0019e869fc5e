//! `durable-ack`: what was acknowledged is durable, and survives every crash.
//!
//! Reason: every guard of the protocol rests on somebody's word. A word given before the bytes are
//! on the disk turns the next crash into a lie that nobody can see.
//!
//! It deliberately asks nothing of what was stored and never acknowledged.

use super::{Judged, broken};
use crate::Ledger;
use tumbler_types::{Event, Observed};

/// Judges the ledger *before* the event. Antecedent: an acknowledgement, or a recovery after one.
pub fn invariant_durable_ack(before: &Ledger, observed: &Observed) -> Judged {
    match observed.event {
        Event::Acknowledged { secret, version, serial } => {
            let Some(holder) = before.holder(secret, observed.node) else { return Judged::Silent };
            let stored = holder.stored;
            if version > stored.version || serial > stored.serial {
                return broken(format_args!(
                    "expected an acknowledgement of at most the durable {} at {}, got {version} at {serial}",
                    stored.version, stored.serial
                ));
            }
            Judged::Held
        }
        Event::AgentRecovered { secret, version, serial } => {
            let Some(holder) = before.holder(secret, observed.node) else { return Judged::Silent };
            let (told, stored) = (holder.told, holder.stored);
            if serial < told.serial || (version != told.version && version != stored.version) {
                return broken(format_args!(
                    "expected the acknowledged {} at {} to survive, recovered {version} at {serial}",
                    told.version, told.serial
                ));
            }
            if told == Default::default() { Judged::Silent } else { Judged::Held }
        }
        Event::Promised { secret, fence } => {
            let Some(slice) = before.slice(secret) else { return Judged::Silent };
            if Some(fence) > slice.fence {
                return broken(format_args!(
                    "expected a promise of a durable effect, got {fence}, which is above all that is durable"
                ));
            }
            Judged::Held
        }
        Event::TargetRecovered { secret, fence, blue, green } => {
            let Some(slice) = before.slice(secret) else { return Judged::Silent };
            if fence < slice.promised {
                return broken(format_args!(
                    "expected the promised effects to survive, recovered a fence below them"
                ));
            }
            if slice.promised.is_some() && fence == slice.fence && [blue, green] != slice.accepted {
                return broken(format_args!("expected the promised rows to survive, recovered other ones"));
            }
            if slice.promised.is_some() { Judged::Held } else { Judged::Silent }
        }
        Event::Answered { index } => {
            if index > before.length {
                return broken(format_args!(
                    "expected an answer from at most {}, got {index}",
                    before.length
                ));
            }
            Judged::Held
        }
        Event::LogRecovered { length } => {
            if length < before.answered {
                return broken(format_args!(
                    "expected the log to keep {} answered entries, recovered {length}",
                    before.answered
                ));
            }
            if before.answered.0 == 0 { Judged::Silent } else { Judged::Held }
        }
        _ => Judged::Silent,
    }
}
