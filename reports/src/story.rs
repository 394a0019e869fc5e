//! The story of a finding: the last dozen events that could have led to it and say something.
//!
//! A trace has tens of thousands of events; a person needs twelve. The story keeps the causal past,
//! drops mere transport and what concerns other secrets, and joins repetitions. Beside each event
//! stand true time, the node's own wall clock, and the faults that touched the node just then.
//!
//! It deliberately judges nothing: what is wrong, and what the spec would have allowed, comes from
//! the judges' words in [`Broken`].

use crate::cause;
use crate::number::{count, grouped, seconds};
use crate::{Broken, SeedReport};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use tumbler_plan::{Fault, FaultAction, Plan};
use tumbler_types::event::FieldVisitor;
use tumbler_types::{Event, FaultId, Instant, NodeId, Observed, Topology, Wall};

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

/// The finding of a report, told whole: what broke, the story, how to replay it.
pub fn finding(report: &SeedReport, count_same: u64, replay: Option<&str>) -> String {
    let row = &report.row;
    let mut out = String::new();
    let invariant = row.invariant.map_or(String::new(), |invariant| format!(" {}", invariant.id()));
    let more =
        if count_same > 1 { format!("  ({} like it)", count(count_same, "seed")) } else { String::new() };
    put(
        &mut out,
        format_args!(
            "{}{invariant}  {} seed {}{more}",
            row.verdict.name().to_uppercase(),
            row.scenario,
            row.seed
        ),
    );
    if let Some(fingerprint) = &report.fingerprint {
        hang(&mut out, "  fingerprint  ", &fingerprint.to_string());
    }
    if let Some(broken) = decisive(report) {
        let at = seconds(broken.at.nanos());
        let step = grouped(broken.seq);
        put(
            &mut out,
            format_args!(
                "  at step {step}, {at} s, {}, {} in {}",
                broken.node,
                broken.secret,
                broken.phase.name()
            ),
        );
        hang(&mut out, "  ", &broken.why);
        if let Some(invariant) = broken.invariant {
            hang(&mut out, "  must hold: ", invariant.sentence());
        }
        for allowed in &broken.allowed {
            hang(&mut out, "  the spec allows: ", allowed);
        }
    }
    if let Some(last) = &report.last {
        hang(&mut out, "  died: ", &last.why);
        let node = last.node.as_deref().unwrap_or("an unknown node");
        let event = last.event.as_deref().unwrap_or("unknown");
        let (seq, at) = (grouped(last.seq), seconds(last.at.nanos()));
        hang(&mut out, "  last words: ", &format!("{node} at {at} s, after step {seq}: {event}"));
    }
    for point in report.points.iter() {
        if let Some(missed) = &point.missed {
            let at = seconds(point.at.nanos());
            hang(
                &mut out,
                "  rollback missed: ",
                &format!("from {} at {at} s: {missed}", point.phase.name()),
            );
        }
    }
    if let Some(story) = &report.story {
        out.push_str(&story.text());
    }
    if let Some(replay) = replay {
        put(&mut out, format_args!("  replay: {replay}"));
    }
    out
}

/// What decided the verdict: the first event that shows the row's invariant, or the divergence.
pub fn decisive(report: &SeedReport) -> Option<&Broken> {
    let invariant = report.row.invariant;
    report.broken.iter().find(|broken| broken.invariant == invariant)
}

/// Follows clocks and standing faults along the trace.
struct Teller<'a> {
    plan: &'a Plan,
    offsets: BTreeMap<NodeId, i64>,
    standing: BTreeSet<FaultId>,
    /// Faults that began at the instant of the last event.
    struck: (Instant, Vec<FaultId>),
}

impl<'a> Teller<'a> {
    fn new(plan: &'a Plan) -> Self {
        Teller {
            plan,
            offsets: plan.offsets.iter().map(|offset| (offset.node, offset.nanos)).collect(),
            standing: BTreeSet::new(),
            struck: (Instant::ZERO, Vec::new()),
        }
    }

    fn hear(&mut self, observed: &Observed) {
        if self.struck.0 != observed.at {
            self.struck = (observed.at, Vec::new());
        }
        match observed.event {
            Event::FaultBegan { fault, .. } => {
                self.standing.insert(fault);
                self.struck.1.push(fault);
            }
            Event::FaultEnded { fault, .. } => {
                self.standing.remove(&fault);
            }
            Event::ClockSet { offset } => {
                self.offsets.insert(observed.node, offset);
            }
            _ => {}
        }
    }

    fn line(&self, observed: &Observed) -> Line {
        let offset = self.offsets.get(&observed.node).copied().unwrap_or(0);
        let topology = &self.plan.topology;
        let is_fault = matches!(observed.event, Event::FaultBegan { .. } | Event::FaultEnded { .. });
        Line {
            seq: observed.seq,
            at: observed.at,
            node: topology.name(observed.node),
            wall: (observed.node != NodeId::WORLD).then(|| Wall::at(observed.at, offset)),
            text: named(topology, &observed.event.to_string()),
            times: 1,
            faults: if is_fault { self.details(&observed.event) } else { self.over(observed) },
        }
    }

    /// Faults that stand over the event's node, or struck its message at this moment.
    fn over(&self, observed: &Observed) -> Vec<String> {
        let transport = matches!(
            observed.event,
            Event::Lost { .. } | Event::Held { .. } | Event::PersistFailed { .. } | Event::CallUnknown { .. }
        );
        let touching = |id: &&FaultId| {
            let Some(fault) = self.fault(**id) else { return false };
            let stands = self.standing.contains(*id) && victims(fault).contains(&observed.node);
            stands || (transport && self.struck.1.contains(*id))
        };
        let ids: BTreeSet<FaultId> = self.standing.iter().chain(&self.struck.1).copied().collect();
        ids.iter().filter(touching).filter_map(|id| self.fault(*id)).map(|fault| self.label(fault)).collect()
    }

    fn details(&self, event: &Event) -> Vec<String> {
        let (Event::FaultBegan { fault, .. } | Event::FaultEnded { fault, .. }) = event else {
            return Vec::new();
        };
        self.fault(*fault).map(|fault| self.label(fault)).into_iter().collect()
    }

    fn fault(&self, id: FaultId) -> Option<&Fault> {
        self.plan.faults.iter().find(|fault| fault.id == id)
    }

    fn label(&self, fault: &Fault) -> String {
        let kind = fault.action.kind().name();
        let names: Vec<String> = victims(fault).iter().map(|node| self.plan.topology.name(*node)).collect();
        if names.is_empty() {
            format!("{} {kind}", fault.id)
        } else {
            format!("{} {kind} of {}", fault.id, names.join(" "))
        }
    }

    /// A fault's beginning or end that concerns one of the nodes; or its effect on the way there.
    fn touches(&self, observed: &Observed, nodes: &BTreeSet<NodeId>) -> bool {
        match observed.event {
            Event::FaultBegan { fault, .. } | Event::FaultEnded { fault, .. } => {
                self.fault(fault).is_some_and(|fault| {
                    let victims = victims(fault);
                    victims.is_empty() || victims.iter().any(|node| nodes.contains(node))
                })
            }
            _ => false,
        }
    }
}

/// Nodes that a fault names.
fn victims(fault: &Fault) -> Vec<NodeId> {
    match &fault.action {
        FaultAction::Partition { left, right, symmetric: _, until: _ } => {
            left.iter().chain(right).copied().collect()
        }
        FaultAction::Crash { node, until: _ }
        | FaultAction::Pause { node, until: _ }
        | FaultAction::ClockStep { node, offset_nanos: _, until: _ } => vec![*node],
        FaultAction::Hold { .. }
        | FaultAction::LoseReply
        | FaultAction::LoseRequest
        | FaultAction::FailPersist => Vec::new(),
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
    struct Named(Option<String>);
    impl FieldVisitor for Named {
        fn field(&mut self, name: &'static str, value: &dyn fmt::Display) {
            if name == "secret" {
                self.0 = Some(value.to_string());
            }
        }
    }
    let mut named = Named(None);
    event.visit(&mut named);
    match (named.0, secret) {
        (Some(named), Some(secret)) => named == secret,
        _ => true,
    }
}

/// Replaces `node-7` by the node's name.
pub fn named(topology: &Topology, text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(start) = rest.find("node-") {
        let (before, from) = rest.split_at(start);
        let digits = from["node-".len()..].chars().take_while(char::is_ascii_digit).count();
        let (token, after) = from.split_at("node-".len() + digits);
        let node = token["node-".len()..].parse().ok().map(NodeId);
        out.push_str(before);
        match node.filter(|node| topology.kind(*node).is_some()) {
            Some(node) => out.push_str(&topology.name(node)),
            None => out.push_str(token),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Writes words behind a head, wrapped at eighty columns under the end of the head.
pub(crate) fn hang(out: &mut String, head: &str, text: &str) {
    let indent = head.chars().count().min(INDENT);
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

fn put(out: &mut String, text: fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("memory");
}

/// Width of a terminal, and of what stands before an event's text.
const COLUMNS: usize = 80;
const INDENT: usize = 43;

#[cfg(test)]
mod tests {
    use super::*;
    use tumbler_plan::{Network, Store, Trigger, Until, plan::Offset};
    use tumbler_types::event::FrameKind;
    use tumbler_types::{Bounds, CallId, FaultKind, Incarnation, SecretId, Span, Tag, Timing, VersionId};

    /// Nodes: 0 authority, 1–2 rotators, 3–4 agents, 5 target, 6 replica, 7 workload, 8 operator.
    fn plan() -> Plan {
        let second = Span::from_secs(1);
        let (latency_min, latency_max) = (second, second);
        Plan {
            schema: Plan::SCHEMA,
            scenario: "standard".to_owned(),
            seed: 1,
            topology: Topology { rotators: 2, agents: 2, replicas: 1, workloads: 1, secrets: 2 },
            timing: Timing::default(),
            bounds: Bounds { undelivered: second, refused: second, rollback: second, converge: second },
            network: Network { latency_min, latency_max },
            store: Store { latency_min, latency_max },
            canaries: 1,
            heal_at: Instant(100),
            end_at: Instant(100),
            offsets: vec![Offset { node: NodeId(3), nanos: -500_000_000 }],
            orders: Vec::new(),
            faults: vec![Fault {
                id: FaultId(4),
                trigger: Trigger::At(Instant(1)),
                action: FaultAction::Crash { node: NodeId(3), until: Until::After(second) },
            }],
            planted: None,
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
