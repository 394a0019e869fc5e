//! The trace as Trace Event JSON: what ui.perfetto.dev and chrome://tracing open.
//!
//! A node is a process with one thread. Each of its handlings (an input and what came of it) is a slice,
//! and so is each time that it is down or stands still; what else happened in a handling is an instant
//! event; a call is an asynchronous slice from asking to answer, a fault one from beginning to end; an
//! arrow (a flow) joins a sending and its reception.
//!
//! Timestamps are microseconds with three decimals, so no nanosecond is lost, and no floating point is
//! used to write them.
//!
//! Source: the Trace Event Format document of the Chromium project.

use crate::cause::{Link, Order};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use tumbler_plan::trace::v1;
use tumbler_types::{Event, Instant, NodeId, Observed, Topology};

pub(super) fn perfetto(topology: &Topology, trace: &[Observed]) -> String {
    let order = Order::of(trace);
    let mut out = Writer { topology, out: String::from("{\"displayTimeUnit\": \"ns\", \"traceEvents\": [") };
    for node in topology.nodes().chain([NodeId::WORLD]) {
        let name = Value::from(topology.name(node));
        out.put("M", "process_name", node, EVENTS, None, &format!(", \"args\": {{\"name\": {name}}}"));
        for (thread, name) in [(EVENTS, "events"), (LIFE, "life")] {
            let args = format!(", \"args\": {{\"name\": {}}}", Value::from(name));
            out.put("M", "thread_name", node, thread, None, &args);
        }
    }
    let ends = ends(trace, &order);
    let mut lives: BTreeMap<NodeId, (&str, Instant)> = BTreeMap::new();
    let last = trace.last().map_or(Instant::ZERO, |observed| observed.at);
    for (place, observed) in trace.iter().enumerate() {
        let link = order.link(place).expect("the order is of this trace");
        out.happened(observed, place, link, &ends);
        if let Some(source) = link.source.filter(|source| trace[*source].node != observed.node) {
            let sent = &trace[source];
            let flow = format!(", \"cat\": \"message\", \"id\": {place}");
            out.put("s", "message", sent.node, EVENTS, Some(sent.at), &flow);
            out.put(
                "f",
                "message",
                observed.node,
                EVENTS,
                Some(observed.at),
                &format!("{flow}, \"bp\": \"e\""),
            );
        }
        let life = match observed.event {
            Event::Crashed { .. } | Event::Panicked { .. } => Some("down"),
            Event::Paused {} => Some("paused"),
            Event::Started { .. } | Event::Resumed {} => None,
            _ => continue,
        };
        out.lived(observed.node, lives.remove(&observed.node), observed.at);
        lives.extend(life.map(|life| (observed.node, (life, observed.at))));
    }
    for (node, life) in lives {
        out.lived(node, Some(life), last);
    }
    out.out.push_str("\n]}\n");
    out.out
}

/// By the place of each handling's input: when its slice ends, at the node's next handling at the latest.
fn ends(trace: &[Observed], order: &Order) -> BTreeMap<usize, Instant> {
    let mut ends: BTreeMap<usize, Instant> = BTreeMap::new();
    let mut open: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (place, observed) in trace.iter().enumerate() {
        let input = order.link(place).expect("the order is of this trace").input;
        let before = open.insert(observed.node, input);
        if let Some(before) = before.filter(|before| *before != input) {
            let end = ends.get(&before).copied().unwrap_or(observed.at);
            ends.insert(before, end.min(observed.at));
        }
        if before != Some(input) {
            ends.insert(input, observed.at.plus(SLICE));
        } else {
            // Something of it happens later: an effect that a pause kept.
            let end = ends[&input].max(observed.at);
            ends.insert(input, end);
        }
    }
    ends
}

struct Writer<'a> {
    topology: &'a Topology,
    out: String,
}

impl Writer<'_> {
    /// One object of the list; `rest` are further members, each after a comma.
    fn put(&mut self, phase: &str, name: &str, node: NodeId, thread: u32, at: Option<Instant>, rest: &str) {
        let comma = if self.out.ends_with('[') { "" } else { "," };
        let process = if node == NodeId::WORLD { self.topology.node_count() } else { node.0 } + 1;
        let stamp = at.map_or(String::new(), |at| format!(", \"ts\": {}", micros(at.nanos())));
        let name = Value::from(name);
        write!(
            self.out,
            "{comma}\n{{\"ph\": \"{phase}\", \"name\": {name}, \"pid\": {process}, \"tid\": {thread}{stamp}{rest}}}"
        )
        .expect("memory");
    }

    fn happened(&mut self, observed: &Observed, place: usize, link: Link, ends: &BTreeMap<usize, Instant>) {
        let v1::Event { seq, at, node: _, kind, fields } = v1::Event::new(self.topology, observed);
        let mut args = Map::new();
        args.insert("step".to_owned(), Value::from(seq));
        args.extend(fields.into_iter().map(|(name, value)| (name, Value::from(value))));
        let args = format!(", \"args\": {}", Value::from(args));
        let node = observed.node;
        if link.input == place {
            let length = ends.get(&place).copied().unwrap_or(at).since(at);
            let rest = format!(", \"dur\": {}{args}", micros(length.nanos()));
            self.put("X", &kind, node, EVENTS, Some(at), &rest);
        } else {
            self.put("i", &kind, node, EVENTS, Some(at), &format!(", \"s\": \"t\"{args}"));
        }
        let pair = match observed.event {
            // A pair has one name, and only the beginning of a call knows its frame.
            Event::Called { call, .. } => Some(("b", "call", "call", call.0)),
            Event::Returned { call, .. } | Event::CallUnknown { call, .. } => {
                Some(("e", "call", "call", call.0))
            }
            Event::FaultBegan { fault, kind } => Some(("b", kind.name(), "fault", u64::from(fault))),
            Event::FaultEnded { fault, kind } => Some(("e", kind.name(), "fault", u64::from(fault))),
            _ => None,
        };
        if let Some((phase, name, category, id)) = pair {
            let rest = format!(", \"cat\": \"{category}\", \"id\": \"{category}-{id}\"");
            self.put(phase, name, node, EVENTS, Some(at), &rest);
        }
    }

    fn lived(&mut self, node: NodeId, life: Option<(&str, Instant)>, until: Instant) {
        if let Some((name, since)) = life {
            let rest = format!(", \"dur\": {}", micros(until.since(since).nanos()));
            self.put("X", name, node, LIFE, Some(since), &rest);
        }
    }
}

/// Nanoseconds as microseconds.
fn micros(nanos: u64) -> String {
    format!("{}.{:03}", nanos / 1_000, nanos % 1_000)
}

/// A node's threads.
const EVENTS: u32 = 1;
const LIFE: u32 = 2;
/// How long a handling looks, at most: in virtual time it takes none.
const SLICE: tumbler_types::Span = tumbler_types::Span::from_millis(1);
