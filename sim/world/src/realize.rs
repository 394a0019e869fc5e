//! What faults of links did to single messages, as faults of single messages.
//!
//! It exists so that a failure can be shrunk below "this link loses a quarter": the losses and delays that
//! happened become a list, from which those that did not matter can be left out.
//!
//! It deliberately changes nothing: a run is noted or not, and its digest is the same.
//!
//! `Model:` a message that was damaged on the way becomes one that was lost. Links that are said to be slow
//! count as hindered in the judges' eyes, and a list of single delays does not.

use crate::link::Passing;
use std::collections::BTreeMap;
use tumbler_plan::{FaultAction, Pattern, Point, Trigger, Until};
use tumbler_types::event::FrameKind;
use tumbler_types::{FaultId, Instant, NodeId};

/// One thing that a fault did to one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realized {
    pub fault: FaultId,
    /// The message, and what became of it.
    pub trigger: Trigger,
    pub action: FaultAction,
}

/// Counts messages, and notes what happened to them.
#[derive(Default)]
pub struct Notes {
    /// The last time at which a link carried a kind of message, and how many of them then.
    counts: BTreeMap<(NodeId, NodeId, bool, u8), (Instant, u32)>,
    realized: Vec<Realized>,
}

impl Notes {
    /// A message leaves: what a fault has to wait for that means this one.
    pub fn count(
        &mut self,
        now: Instant,
        [from, to]: [NodeId; 2],
        kind: FrameKind,
        is_reply: bool,
    ) -> Trigger {
        let count = self.counts.entry((from, to, is_reply, kind as u8)).or_insert((now, 0));
        *count = if count.0 == now { (now, count.1 + 1) } else { (now, 1) };
        let point = if is_reply { Point::Replying(kind) } else { Point::Sending(kind) };
        let pattern = Pattern { point, node: Some(from), peer: Some(to), step: None };
        Trigger::On { pattern, nth: count.1, after: now }
    }

    /// What faults of the link did to the message that is meant.
    pub fn note(&mut self, trigger: Trigger, passing: Vec<(FaultId, Passing)>) {
        let realized = passing.into_iter().map(|(fault, passing)| {
            let action = match passing {
                Passing::Lost => FaultAction::LoseRequest,
                Passing::Delayed(span) => FaultAction::Hold { until: Until::After(span) },
            };
            Realized { fault, trigger, action }
        });
        self.realized.extend(realized);
    }

    pub fn into_realized(self) -> Vec<Realized> {
        self.realized
    }
}
