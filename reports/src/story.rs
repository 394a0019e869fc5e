//! The story of a finding: the last dozen events that could have led to it and say something.
//!
//! A trace has tens of thousands of events; a person needs twelve. The story keeps the causal past,
//! drops mere transport and what concerns other secrets, and joins repetitions. Beside each event
//! stand true time, the node's own wall clock, and the faults that touched the node just then.
//!
//! It deliberately judges nothing: what is wrong, and what the spec would have allowed, comes from
//! the judges' words in [`crate::Broken`].

use crate::cause;
use crate::number::seconds;
use crate::teller::Teller;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use tumbler_plan::Plan;
use tumbler_types::{Event, Instant, NodeId, Observed, Wall};

/// What led to a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    pub lines: Vec<Line>,
}

/// One event of a story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub seq: u64,
    pub at: Instant,
    pub node: String,
    /// The node's own wall clock; none for the world itself.
    pub wall: Option<Wall>,
    pub text: String,
    /// How often it happened in a row, this one last.
    pub times: u64,
    /// Faults that stood over the node, or struck at this moment.
    pub faults: Vec<String>,
}

impl Story {
    /// Events in a story.
    pub const LINES: usize = 12;

    /// The story of the event numbered `step`, or of the last one before it. `secret` narrows it.
    pub fn tell(plan: &Plan, trace: &[Observed], step: u64, secret: Option<&str>) -> Story {
        let place = trace.partition_point(|observed| observed.seq <= step).saturating_sub(1);
        let past: BTreeSet<usize> = cause::past(trace, place).into_iter().collect();
        let nodes: BTreeSet<NodeId> = past.iter().map(|place| trace[*place].node).collect();
        let trigger = past.iter().rev().find(|index| arrives(&trace[**index], trace[place].node)).copied();
        let mut teller = Teller::new(plan);
        let mut told: Vec<(Weight, Line)> = Vec::new();
        for (index, observed) in trace.iter().enumerate().take(place + 1) {
            teller.hear(observed);
            let near = past.contains(&index) || teller.touches(observed, &nodes);
            let weight = match weight(&observed.event) {
                _ if index == place || Some(index) == trigger => Weight::Heavy,
                weight if near && concerns(&observed.event, secret) => weight,
                Weight::Heavy | Weight::Light | Weight::Nothing => Weight::Nothing,
            };
            if weight != Weight::Nothing {
                put_line(&mut told, weight, teller.line(observed));
            }
        }
        Story { lines: told.into_iter().map(|(_, line)| line).collect() }
    }

    /// Eighty columns: step, seconds, node, its wall clock, what happened.
    pub fn text(&self) -> String {
        let mut out = String::new();
        if self.lines.is_empty() {
            return out;
        }
        put(&mut out, format_args!("  {:>7} {:>9} {:<11} {:>9}  event", "step", "true s", "node", "own s"));
        for line in &self.lines {
            let wall = line.wall.map_or("-".to_owned(), |wall| match wall >= Wall::EPOCH {
                true => seconds(wall.since(Wall::EPOCH).nanos()),
                // A clock that runs behind shows a time before the run.
                false => format!("-{}", seconds(Wall::EPOCH.since(wall).nanos())),
            });
            let times = if line.times > 1 { format!(" (x{})", line.times) } else { String::new() };
            let head =
                format!("  {:>7} {:>9} {:<11} {:>9}  ", line.seq, seconds(line.at.nanos()), line.node, wall);
            hang(&mut out, &head, &format!("{}{times}", line.text));
            for fault in &line.faults {
                put(&mut out, format_args!("{}^ {fault}", " ".repeat(INDENT)));
            }
        }
        out
    }
}

/// How much an event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// Transport, timers, routine leases: nothing.
    Nothing,
    /// Daily use of a credential: told only where there is room.
    Light,
    /// What changes something.
    Heavy,
}

fn weight(event: &Event) -> Weight {
    use tumbler_types::Command;
    match event {
        Event::Answered { .. }
        | Event::Sent { .. }
        | Event::Received { .. }
        | Event::Called { .. }
        | Event::CallArrived { .. }
        | Event::Replied { .. }
        | Event::Returned { .. }
        | Event::PersistBegan { .. }
        | Event::Persisted { .. }
        | Event::ProposeBegan { .. }
        | Event::TimerFired { .. }
        | Event::Committed { command: Command::RenewLease { .. } | Command::Grant { .. }, .. } => {
            Weight::Nothing
        }
        Event::Authenticated { .. }
        | Event::Refused { .. }
        | Event::HandedOut { .. }
        | Event::Withheld { .. }
        | Event::Acknowledged { .. }
        | Event::Mirrored { .. } => Weight::Light,
        _ => Weight::Heavy,
    }
}

/// Something reached the node from outside, or its own timer.
fn arrives(observed: &Observed, node: NodeId) -> bool {
    observed.node == node
        && matches!(
            observed.event,
            Event::Received { .. }
                | Event::CallArrived { .. }
                | Event::Returned { .. }
                | Event::CallUnknown { .. }
                | Event::TimerFired { .. }
        )
}

/// Adds a line. A repetition replaces the earlier one; when there are too many, the oldest light one
/// goes first.
fn put_line(told: &mut Vec<(Weight, Line)>, weight: Weight, mut line: Line) {
    if let Some(index) = told.iter().position(|(_, each)| each.node == line.node && each.text == line.text) {
        let (_, earlier) = told.remove(index);
        line.times += earlier.times;
    }
    told.push((weight, line));
    if told.len() > Story::LINES {
        let oldest = told.iter().position(|(weight, _)| *weight == Weight::Light).unwrap_or(0);
        told.remove(oldest);
    }
}

/// False if the event names another secret.
fn concerns(event: &Event, secret: Option<&str>) -> bool {
    match (event.secret(), secret) {
        (Some(named), Some(secret)) => named.to_string() == secret,
        _ => true,
    }
}

/// Writes words behind a head, wrapped at eighty columns under the end of the head.
pub(crate) fn hang(out: &mut String, head: &str, text: &str) {
    hang_under(out, head, text, head.chars().count().min(INDENT));
}

/// The same, wrapped under a column of the caller's.
pub(crate) fn hang_under(out: &mut String, head: &str, text: &str, indent: usize) {
    let mut column = head.chars().count();
    out.push_str(head);
    let mut first = true;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if !first && column + 1 + width > COLUMNS {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
            first = true;
        }
        if !first {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
        first = false;
    }
    out.push('\n');
}

pub(crate) fn put(out: &mut String, text: fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("memory");
}

/// Width of a terminal, and of what stands before an event's text.
pub(crate) const COLUMNS: usize = 80;
const INDENT: usize = 43;

#[cfg(test)]
mod tests {
    use super::*;
    use tumbler_plan::{Fault, FaultAction, Network, Store, Trigger, Until, plan::Offset};
    use tumbler_types::event::FrameKind;
    use tumbler_types::{
        Bounds, CallId, FaultId, FaultKind, Incarnation, SecretId, Span, Tag, Timing, Topology, VersionId,
    };

    /// Nodes: 0 authority, 1–2 rotators, 3–4 agents, 5 target, 6 replica, 7 workload, 8 operator.
    fn plan() -> Plan {
        let second = Span::from_secs(1);
        let (latency_min, latency_max) = (second, second);
        Plan {
            schema: Plan::SCHEMA,
            scenario: "standard".to_owned(),
            seed: 1,
            topology: Topology {
                rotators: 2,
                agents: 2,
                replicas: 1,
                workloads: 1,
                secrets: 2,
                adapter: Default::default(),
            },
            timing: Timing::default(),
            bounds: Bounds {
                undelivered: second,
                served: second,
                refused: second,
                rollback: second,
                converge: second,
                orphan: Span::ZERO,
            },
            network: Network { latency_min, latency_max },
            store: Store { latency_min, latency_max },
            canaries: 1,
            heal_at: Instant(100),
            end_at: Instant(100),
            builds: Vec::new(),
            floor: tumbler_types::Format::LOWEST,
            lags: Vec::new(),
            entities: Vec::new(),
            offsets: vec![Offset { node: NodeId(3), nanos: -500_000_000 }],
            orders: Vec::new(),
            faults: vec![Fault {
                id: FaultId(4),
                trigger: Trigger::At(Instant(1)),
                action: FaultAction::Crash { node: NodeId(3), until: Until::After(second) },
            }],
            planted: None,
            breaks: Vec::new(),
        }
    }

    fn trace(events: &[(u16, Event)]) -> Vec<Observed> {
        let observed = |(seq, (node, event)): (usize, &(u16, Event))| Observed {
            seq: seq as u64,
            at: Instant(seq as u64 * 1_000_000_000),
            node: if *node == u16::MAX { NodeId::WORLD } else { NodeId(*node) },
            event: *event,
        };
        events.iter().enumerate().map(observed).collect()
    }

    fn handed_out(secret: u16) -> Event {
        let secret = SecretId(secret);
        Event::HandedOut { secret, version: VersionId(1), value: Tag(7), to: NodeId(7) }
    }

    #[test]
    fn a_story_has_names_own_clocks_faults_and_the_message_that_triggered_it() {
        let (call, frame) = (CallId(9), FrameKind::GetRequest);
        let trace = trace(&[
            (u16::MAX, Event::FaultBegan { fault: FaultId(4), kind: FaultKind::Crash }),
            (3, Event::Crashed { incarnation: Incarnation(1) }),
            (u16::MAX, Event::FaultEnded { fault: FaultId(4), kind: FaultKind::Crash }),
            (4, handed_out(0)), // another node, never heard of
            (3, handed_out(1)), // another secret
            (3, handed_out(0)),
            (3, Event::CallArrived { call, from: NodeId(7), frame }),
            (3, handed_out(0)),
        ]);
        let story = Story::tell(&plan(), &trace, 7, Some("secret-0"));
        let shown: Vec<(u64, &str, u64)> =
            story.lines.iter().map(|line| (line.seq, line.node.as_str(), line.times)).collect();
        let expect =
            [(0, "world", 1), (1, "agent-1", 1), (2, "world", 1), (6, "agent-1", 1), (7, "agent-1", 2)];
        assert_eq!(shown, expect);
        assert_eq!(story.lines[1].faults, ["fault-4 crash of agent-1"]);
        assert!(story.lines[4].faults.is_empty());
        assert!(story.lines[4].text.ends_with("to=workload-1"), "{}", story.lines[4].text);
        let text = story.text();
        assert!(text.contains("6.000 agent-1         5.500  CallArrived"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn a_story_has_a_dozen_lines_and_daily_use_goes_first() {
        let mut events = vec![(3, Event::Crashed { incarnation: Incarnation(0) })];
        for count in 0..20 {
            let event = Event::Refused {
                secret: SecretId(0),
                principal: tumbler_types::id::Principal::Blue,
                value: Tag(count),
                reason: tumbler_types::event::Refusal::Stale,
            };
            events.push((3, event));
        }
        let story = Story::tell(&plan(), &trace(&events), 20, None);
        assert_eq!(story.lines.len(), Story::LINES);
        assert_eq!((story.lines[0].seq, story.lines[1].seq, story.lines[11].seq), (0, 10, 20));
        assert!(Story::tell(&plan(), &[], 3, None).lines.is_empty());
    }
}
