//! What happened before what: the order of a trace that a message, a write or a node's own past gives.
//!
//! An event of the same node comes before it, and so does the sending of whatever that node
//! received, and the beginning of the write that became durable. Everything else cannot have mattered,
//! however close in time it was.
//!
//! It deliberately knows nothing of secrets or phases: which part of the past is worth telling is for
//! [`crate::story`] and [`mod@crate::explain`] to say.
//!
//! `Model:` a message that was changed on its way is taken for the oldest one of its kind on its link.
//!
//! Source: L. Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System".

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tumbler_types::{CallId, Event, NodeId, Observed, RecordId, Tag, event::FrameKind};

/// The order of a trace, by places in it.
#[derive(Clone, Debug, Default)]
pub struct Order(Vec<Link>);

/// How one event hangs on earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The event of the same node just before.
    pub before: Option<usize>,
    /// The sending of what arrived here, or the beginning of the write that was done here.
    pub source: Option<usize>,
    /// The event with which the node's handling began that recorded this one.
    pub input: usize,
}

impl Order {
    pub fn of(trace: &[Observed]) -> Self {
        let mut walk = Walk::default();
        Order(trace.iter().enumerate().map(|(place, observed)| walk.step(place, observed, trace)).collect())
    }

    /// How the event at this place hangs on others.
    pub fn link(&self, place: usize) -> Option<Link> {
        self.0.get(place).copied()
    }

    /// Where the message or the write came from in whose handling the event at this place was recorded.
    pub fn origin(&self, place: usize) -> Option<usize> {
        self.0.get(self.0.get(place)?.input)?.source
    }

    /// Places of the events that happened before this one, itself included, rising.
    pub fn past(&self, effect: usize) -> Vec<usize> {
        let mut found: BTreeSet<usize> = BTreeSet::new();
        let mut open: Vec<usize> = self.0.get(effect).map(|_| effect).into_iter().collect();
        while let Some(place) = open.pop() {
            if found.insert(place) {
                let Link { before, source, input: _ } = self.0[place];
                open.extend(before.into_iter().chain(source));
            }
        }
        found.into_iter().collect()
    }
}

/// Places of the events that happened before `trace[effect]`, itself included.
pub fn past(trace: &[Observed], effect: usize) -> Vec<usize> {
    let until = trace.len().min(effect.saturating_add(1));
    Order::of(&trace[..until]).past(effect)
}

/// What the forward walk remembers.
#[derive(Default)]
struct Walk {
    nodes: BTreeMap<NodeId, Own>,
    /// Messages on their way, by link and kind, the oldest first.
    messages: BTreeMap<(NodeId, NodeId, FrameKind), VecDeque<(Tag, usize)>>,
    /// Where the last message of a tag came from: a doubled one arrives twice.
    arrived: BTreeMap<(NodeId, NodeId, Tag), usize>,
    requests: BTreeMap<CallId, usize>,
    replies: BTreeMap<CallId, usize>,
}

/// One node's part of it.
#[derive(Default)]
struct Own {
    last: Option<usize>,
    input: usize,
    /// Writes begun and not done: a node's become durable in order.
    records: VecDeque<(RecordId, usize)>,
    entries: VecDeque<usize>,
}

impl Walk {
    fn step(&mut self, place: usize, observed: &Observed, trace: &[Observed]) -> Link {
        let Observed { seq: _, at, node, event } = *observed;
        let source = self.source(place, node, &event);
        let own = self.nodes.entry(node).or_default();
        let goes_on = own.last.is_some_and(|last| {
            let last = &trace[last];
            last.at == at && is_durable(&last.event) && (is_durable(&event) || is_done(&event))
        });
        if own.last.is_none() || (!goes_on && (is_input(&event) || is_durable(&event) || is_done(&event))) {
            own.input = place;
        }
        Link { before: own.last.replace(place), source, input: own.input }
    }

    fn source(&mut self, place: usize, node: NodeId, event: &Event) -> Option<usize> {
        let own = self.nodes.entry(node).or_default();
        match *event {
            Event::Sent { to, frame, tag } => {
                self.messages.entry((node, to, frame)).or_default().push_back((tag, place));
                None
            }
            Event::Received { from, frame, tag } => {
                let sent = self.messages.entry((from, node, frame)).or_default();
                let known = sent.iter().position(|(each, _)| *each == tag);
                let doubled = self.arrived.get(&(from, node, tag)).copied();
                let found = match (known, doubled) {
                    (Some(index), _) => sent.remove(index).map(|(_, place)| place),
                    (None, Some(place)) => Some(place),
                    (None, None) => sent.pop_front().map(|(_, place)| place),
                };
                self.arrived.extend(found.map(|place| ((from, node, tag), place)));
                found
            }
            Event::Called { call, .. } => {
                self.requests.insert(call, place);
                None
            }
            Event::CallArrived { call, .. } | Event::CallUnknown { call, .. } => {
                self.requests.get(&call).copied()
            }
            Event::Replied { call, .. } => {
                self.replies.insert(call, place);
                None
            }
            Event::Returned { call, .. } => self.replies.get(&call).copied(),
            Event::PersistBegan { record, .. } => {
                own.records.push_back((record, place));
                None
            }
            Event::ProposeBegan { .. } => {
                own.entries.push_back(place);
                None
            }
            Event::Persisted { record } | Event::PersistFailed { record } => {
                let index = own.records.iter().position(|(each, _)| *each == record)?;
                own.records.remove(index).map(|(_, place)| place)
            }
            Event::Committed { .. } => own.entries.pop_front(),
            Event::Enforced { .. } | Event::Stored { .. } | Event::Privileged { .. } => {
                own.records.front().map(|(_, place)| *place)
            }
            Event::Started { .. } => {
                own.records.clear();
                own.entries.clear();
                None
            }
            _ => None,
        }
    }
}

/// An input began to be handled.
fn is_input(event: &Event) -> bool {
    matches!(
        event,
        Event::Started { .. }
            | Event::Crashed { .. }
            | Event::Received { .. }
            | Event::CallArrived { .. }
            | Event::Returned { .. }
            | Event::CallUnknown { .. }
            | Event::TimerFired { .. }
    )
}

/// Bytes became durable, and mean this.
fn is_durable(event: &Event) -> bool {
    matches!(
        event,
        Event::Committed { .. } | Event::Enforced { .. } | Event::Stored { .. } | Event::Privileged { .. }
    )
}

/// The role was told of its write.
fn is_done(event: &Event) -> bool {
    matches!(event, Event::Persisted { .. } | Event::PersistFailed { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tumbler_types::{
        Fence, Instant, LogIndex, Principal, Revision, SecretId, TimerId, TxnId, VersionId, Wall,
    };

    fn trace(events: &[(u16, Event)]) -> Vec<Observed> {
        let observed = |(seq, (node, event)): (usize, &(u16, Event))| Observed {
            seq: seq as u64,
            at: Instant(seq as u64),
            node: NodeId(*node),
            event: *event,
        };
        events.iter().enumerate().map(observed).collect()
    }

    fn fired(timer: u32) -> Event {
        Event::TimerFired { timer: TimerId(timer) }
    }

    #[test]
    fn the_past_follows_messages_and_calls_back_to_their_sender_and_no_further() {
        let (frame, tag, call) = (FrameKind::GetRequest, Tag(5), CallId(9));
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

    #[test]
    fn what_became_durable_comes_from_the_write_and_that_from_its_message() {
        let (frame, tag, call, record) = (FrameKind::ApplyRequest, Tag(5), CallId(9), RecordId(0));
        let fence = Fence { epoch: tumbler_types::Epoch(1), txn: TxnId(1), step: tumbler_types::Step::Set };
        let (secret, principal) = (SecretId(0), Principal::Blue);
        let command = tumbler_types::Command::Enroll { version: VersionId(1), principal, value: tag };
        let committed = |index| Event::Committed {
            index: LogIndex(index),
            at: Wall::EPOCH,
            secret,
            expected: Revision(0),
            command,
        };
        let mut events = trace(&[
            (1, committed(1)),                                        // before any write: from nowhere
            (2, Event::Called { call, to: NodeId(1), frame, tag }),   // 1
            (1, Event::CallArrived { call, from: NodeId(2), frame }), // 2
            (1, Event::PersistBegan { record, tag }),                 // 3
            (1, Event::ProposeBegan { tag }),                         // 4
            (1, fired(0)),                                            // 5
            (1, Event::Enforced { secret, fence, principal, value: tag }), // 6
            (1, Event::Persisted { record }),                         // 7
            (1, Event::Replied { call, to: NodeId(2), frame, tag }),  // 8
            (1, committed(2)),                                        // 9
        ]);
        events[7].at = events[6].at;
        let order = Order::of(&events);
        let source = |place| order.link(place).and_then(|link| link.source);
        assert_eq!(
            [source(0), source(2), source(6), source(7), source(9)],
            [None, Some(1), Some(3), Some(3), Some(4)]
        );
        let input = |place| order.link(place).map(|link| link.input);
        assert_eq!([input(3), input(5), input(7), input(8), input(9)], [2, 5, 6, 6, 9].map(Some));
        assert_eq!((order.origin(8), order.origin(3)), (Some(3), Some(1)));
    }

    #[test]
    fn a_doubled_message_has_one_source_and_a_changed_one_the_oldest_of_its_kind() {
        let frame = FrameKind::Replicate;
        let sent = |tag| Event::Sent { to: NodeId(2), frame, tag: Tag(tag) };
        let received = |tag| Event::Received { from: NodeId(1), frame, tag: Tag(tag) };
        let trace = trace(&[
            (1, sent(1)),
            (1, sent(2)),
            (2, received(2)),
            (2, received(2)), // once more
            (2, received(7)), // changed on its way
            (2, received(8)), // never sent
        ]);
        let order = Order::of(&trace);
        let sources: Vec<_> = (2..6).map(|place| order.link(place).and_then(|link| link.source)).collect();
        assert_eq!(sources, [Some(1), Some(1), Some(0), None]);
    }
}
