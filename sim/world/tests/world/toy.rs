//! A toy cluster: a client that calls a server every second from 1 s on, and a server that writes before it answers.

use tumbler_plan::{Fault, FaultAction, Network, Pattern, Plan, Point, Store, Trigger};
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{
    Bounds, Build, Event, FaultId, Instant, NodeId, Observed, RecordId, SecretId, Span, Tag, TimerId, Timing,
    Token, Topology,
};
use tumbler_wire::Frame;
use tumbler_wire::frame::{QueryReply, QueryRequest};
use tumbler_world::{Options, Outcome, run};

/// The rotator's place in this topology.
pub const CLIENT: NodeId = NodeId(1);
/// The target's place.
pub const SERVER: NodeId = NodeId(3);
/// Every message takes exactly this long.
pub const LATENCY: Span = Span::from_millis(10);

pub fn plan(faults: Vec<(Trigger, FaultAction)>) -> Plan {
    let second = Span::from_secs(1);
    let number = |index: usize| FaultId(u16::try_from(index).expect("few faults"));
    let bounds = Bounds::all(second);
    Plan {
        schema: Plan::SCHEMA,
        scenario: "toy".to_owned(),
        seed: 1,
        topology: Topology {
            rotators: 1,
            agents: 1,
            replicas: 0,
            workloads: 0,
            secrets: 1,
            adapter: Default::default(),
        },
        timing: Timing::default(),
        bounds,
        network: Network { latency_min: LATENCY, latency_max: LATENCY },
        store: Store { latency_min: LATENCY, latency_max: LATENCY },
        canaries: 1,
        heal_at: at_ms(9_000),
        end_at: at_ms(10_000),
        builds: Vec::new(),
        floor: tumbler_types::Format::LOWEST,
        lags: Vec::new(),
        entities: Vec::new(),
        offsets: Vec::new(),
        orders: Vec::new(),
        faults: faults
            .into_iter()
            .enumerate()
            .map(|(index, (trigger, action))| Fault { id: number(index), trigger, action })
            .collect(),
        planted: None,
        breaks: Vec::new(),
    }
}

pub const fn at_ms(millis: u64) -> Instant {
    Instant(millis * 1_000_000)
}

/// The first time that this happens at this node.
pub fn first(node: NodeId, point: Point) -> Trigger {
    Trigger::On { pattern: Pattern::new(point, Some(node)), nth: 1, after: Instant::ZERO }
}

pub fn trace(plan: &Plan, options: Options) -> Outcome {
    run(plan, &toy, &Options { keep_trace: true, judge: false, ..options })
}

pub fn toy(_: &Plan, node: NodeId, _: Build) -> Box<dyn Role> {
    match node {
        CLIENT => Box::new(Client { calls: 0 }),
        SERVER => Box::new(Server { calls: Vec::new() }),
        _ => Box::new(Idle),
    }
}

/// Kinds of the events of one node, with their times in milliseconds.
pub fn kinds(outcome: &Outcome, node: NodeId) -> Vec<(u64, &'static str)> {
    let own = outcome.trace.iter().filter(|observed| observed.node == node);
    own.map(|Observed { at, event, .. }| (at.nanos() / 1_000_000, event.kind())).collect()
}

/// When the node first shows this kind of event.
pub fn first_at(outcome: &Outcome, node: NodeId, kind: &str) -> Option<u64> {
    kinds(outcome, node).into_iter().find(|(_, other)| *other == kind).map(|(at, _)| at)
}

pub fn count(outcome: &Outcome, matching: impl Fn(&Event) -> bool) -> usize {
    outcome.trace.iter().filter(|observed| matching(&observed.event)).count()
}

struct Client {
    calls: u64,
}

impl Role for Client {
    fn handle(&mut self, _: Now, input: Input) -> Effects {
        let mut effects = Effects::new();
        // Not at boot: the server boots after the client, and a call to a node that is down is lost.
        if matches!(input, Input::Timer { .. }) {
            self.calls += 1;
            let frame = Frame::from(QueryRequest { secret: SecretId(0) }).to_bytes();
            let timeout = Span::from_millis(500);
            effects.push(Effect::Call { token: Token(self.calls), to: SERVER, frame, timeout });
        }
        if matches!(input, Input::Boot { .. } | Input::Timer { .. }) {
            effects.push(Effect::SetTimer { timer: TimerId(0), after: Span::from_secs(1) });
        }
        effects
    }
}

struct Server {
    calls: Vec<Token>,
}

impl Role for Server {
    fn handle(&mut self, _: Now, input: Input) -> Effects {
        let mut effects = Effects::new();
        match input {
            Input::Called { call, .. } => {
                self.calls.push(call);
                let bytes = call.0.to_le_bytes().to_vec();
                effects.push(Effect::Persist { token: call, record: RecordId(7), bytes });
            }
            Input::Persisted { token } => {
                let reply = QueryReply { fence: None, blue: Tag(token.0), green: Tag::NONE };
                effects.push(Effect::Reply { call: token, frame: Frame::from(reply).to_bytes() });
            }
            _ => {}
        }
        effects
    }
}

struct Idle;

impl Role for Idle {
    fn handle(&mut self, _: Now, _: Input) -> Effects {
        Effects::new()
    }
}
