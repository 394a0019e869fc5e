//! The causal past of an event: what could have led to it.
//!
//! An event of the same node comes before it, and so does the sending of whatever that node
//! received. Everything else cannot have mattered, however close in time it was.
//!
//! It deliberately knows nothing of secrets or phases: which part of the past is worth telling is for
//! [`crate::story`] to say.
//!
//! Source: L. Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System".

use std::collections::{BTreeMap, BTreeSet};
use tumbler_types::{CallId, Event, NodeId, Observed, Tag, event::FrameKind};

/// Places in the trace of the events that happened before `trace[effect]`, itself included.
pub fn past(trace: &[Observed], effect: usize) -> Vec<usize> {
    let mut walk = Walk::default();
    let mut found = Vec::new();
    let Some(last) = trace.get(effect) else { return found };
    walk.reached.insert(last.node);
    for place in (0..=effect).rev() {
        if walk.step(&trace[place]) {
            found.push(place);
        }
    }
    found.reverse();
    found
}

/// What the backward walk waits for.
#[derive(Default)]
struct Walk {
    /// Nodes of which everything earlier than here is in the past.
    reached: BTreeSet<NodeId>,
    /// Sends of which the reception was met.
    messages: BTreeMap<(NodeId, NodeId, FrameKind, Tag), u32>,
    requests: BTreeSet<CallId>,
    replies: BTreeSet<CallId>,
}

impl Walk {
    /// Takes the event before the last one taken; true if it is in the past.
    fn step(&mut self, observed: &Observed) -> bool {
        let node = observed.node;
        let sent = match observed.event {
            Event::Sent { to, frame, tag } => self.take_message((node, to, frame, tag)),
            Event::Called { call, .. } => self.requests.remove(&call),
            Event::Replied { call, .. } => self.replies.remove(&call),
            _ => false,
        };
        if sent {
            self.reached.insert(node);
        }
        if !self.reached.contains(&node) {
            return false;
        }
        match observed.event {
            Event::Received { from, frame, tag } => {
                *self.messages.entry((from, node, frame, tag)).or_default() += 1;
            }
            Event::CallArrived { call, .. } => {
                self.requests.insert(call);
            }
            Event::Returned { call, .. } => {
                self.replies.insert(call);
            }
            _ => {}
        }
        true
    }

    fn take_message(&mut self, key: (NodeId, NodeId, FrameKind, Tag)) -> bool {
        match self.messages.get_mut(&key) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tumbler_types::{Instant, TimerId};

    fn trace(events: &[(u16, Event)]) -> Vec<Observed> {
        let observed = |(seq, (node, event)): (usize, &(u16, Event))| Observed {
            seq: seq as u64,
            at: Instant(seq as u64),
            node: NodeId(*node),
            event: *event,
        };
        events.iter().enumerate().map(observed).collect()
    }

    #[test]
    fn the_past_follows_messages_and_calls_back_to_their_sender_and_no_further() {
        let (frame, tag, call) = (FrameKind::GetRequest, Tag(5), CallId(9));
        let fired = |timer| Event::TimerFired { timer: TimerId(timer) };
        let trace = trace(&[
            (1, fired(0)),                                            // before the send: in
            (1, Event::Sent { to: NodeId(2), frame, tag }),           // in
            (1, fired(1)),                                            // after the send: out
            (3, fired(2)),                                            // never heard of: out
            (2, Event::Received { from: NodeId(1), frame, tag }),     // in
            (2, Event::Called { call, to: NodeId(4), frame, tag }),   // in
            (4, Event::CallArrived { call, from: NodeId(2), frame }), // in
            (4, Event::Replied { call, to: NodeId(2), frame, tag }),  // reply not yet back: in, own node
            (4, fired(3)),                                            // the effect
        ]);
        assert_eq!(past(&trace, 8), [0, 1, 4, 5, 6, 7, 8]);
        assert_eq!(past(&trace, 3), [3]);
        assert!(past(&trace, 99).is_empty());
    }
}
