//! Sessions: what two builds make of each other, and what nobody can make of them.

use crate::bench::{AGENT, AUTHORITY, OTHER, ROTATOR, SECRET, genesis, now, settings, value};
use tumbler_rotation::{Agent, Authority, Session};
use tumbler_types::event::FrameKind;
use tumbler_types::event::OrderKind;
use tumbler_types::role::v1::{Effect, Effects, Input, LogEntry, Now, Record, Role};
use tumbler_types::{Build, Format, LogIndex, NodeId, Serial, Span, TimerId, Token, VersionId, Wall};
use tumbler_wire::envelope::{HEADER, kind_of, strip};
use tumbler_wire::frame::{HeartbeatReply, HeartbeatRequest, LeaseRequest, OrderRequest, ReadRequest};
use tumbler_wire::record::{format_of, in_format, record_of};
use tumbler_wire::{AgentRecord, Envelope, Frame};

/// A node behind its session, and a log that commits at once.
struct Node {
    role: Session<Box<dyn Role>>,
    index: LogIndex,
}

impl Node {
    fn authority(build: Build) -> Node {
        let role: Box<dyn Role> = Box::new(Authority::new(settings(AUTHORITY)));
        let mut node = Node::new(role, AUTHORITY, build);
        node.give(Input::Boot { disk: Vec::new(), log: vec![genesis()], entropy: [1; 32] });
        node
    }

    fn new(role: Box<dyn Role>, me: NodeId, build: Build) -> Node {
        Node { role: Session::new(role, me, &settings(me).topology, build), index: LogIndex(1) }
    }

    fn give(&mut self, input: Input) -> Vec<Effect> {
        self.role.handle(now(0), input).into_iter().collect()
    }

    /// The reply's bytes to a request's, when everything proposed is committed; none: silence.
    fn ask(&mut self, from: NodeId, frame: Vec<u8>) -> Option<Vec<u8>> {
        let mut effects = self.give(Input::Called { call: Token(1), from, frame });
        while let Some(at) = effects.iter().position(|effect| matches!(effect, Effect::Propose { .. })) {
            let Effect::Propose { token, command } = effects.remove(at) else { unreachable!("found above") };
            self.index = self.index.next();
            let entry = LogEntry { index: self.index, at: now(0).wall, command };
            effects.extend(self.give(Input::Committed { token: Some(token), entry }));
        }
        effects.into_iter().find_map(|effect| match effect {
            Effect::Reply { frame, .. } => Some(frame),
            _ => None,
        })
    }
}

/// Calls the authority when its timer fires, and sets a timer that says what it got.
#[derive(Default)]
struct Caller {
    calls: u64,
}

impl Role for Caller {
    fn handle(&mut self, _: Now, input: Input) -> Effects {
        let mut effects = Effects::new();
        let after = Span::from_secs(1);
        match input {
            Input::Timer { .. } => {
                self.calls += 1;
                let frame = Frame::from(ReadRequest { secret: SECRET }).to_bytes();
                effects.push(Effect::Call { token: Token(self.calls), to: AUTHORITY, frame, timeout: after });
            }
            Input::Returned { .. } => effects.push(Effect::SetTimer { timer: RETURNED, after }),
            Input::Unknown { .. } => effects.push(Effect::SetTimer { timer: UNKNOWN, after }),
            _ => {}
        }
        effects
    }
}

const RETURNED: TimerId = TimerId(1);
const UNKNOWN: TimerId = TimerId(2);

fn caller(build: Build) -> Node {
    Node::new(Box::new(Caller::default()), ROTATOR, build)
}

/// What the caller's role is told of an answer.
fn told(caller: &mut Node, token: Token, frame: Vec<u8>) -> TimerId {
    match &caller.give(Input::Returned { token, frame })[..] {
        [Effect::SetTimer { timer, .. }] => *timer,
        other => panic!("expected what it was told, got {other:?}"),
    }
}

fn request(caller: &mut Node) -> (Token, Vec<u8>) {
    let effects = caller.give(Input::Timer { timer: TimerId(0) });
    let call = effects.into_iter().find_map(|effect| match effect {
        Effect::Call { token, frame, .. } => Some((token, frame)),
        _ => None,
    });
    call.expect("it calls when its timer fires")
}

fn format(bytes: &[u8]) -> Format {
    format_of(&bytes[HEADER..]).expect("a format stands there")
}

fn sealed(from: NodeId, build: Build, floor: Format, format: Format, frame: impl Into<Frame>) -> Vec<u8> {
    let frame = Frame::in_format(frame.into().to_bytes(), format).expect("the frame fits the format");
    let envelope =
        Envelope { highest: build.highest(), floor, speaker: from, echo: tumbler_types::Tag::NONE };
    envelope.seal(&frame).0
}

#[test]
fn two_builds_settle_on_the_highest_format_that_both_speak() {
    for (here, there) in Build::ALL.into_iter().flat_map(|a| Build::ALL.map(|b| (a, b))) {
        let mut rotator = caller(here);
        let mut authority = Node::authority(there);
        // The first request may be in a format that the other one does not know, and is told so.
        let mut got = Vec::new();
        for _ in 0..2 {
            let (token, bytes) = request(&mut rotator);
            let frame = authority.ask(ROTATOR, bytes).expect("something is always answered");
            got.push(told(&mut rotator, token, frame));
        }
        let (_, bytes) = request(&mut rotator);
        assert_eq!(format(&bytes), here.highest().min(there.highest()), "{here:?} with {there:?}");
        let first = if here > there { UNKNOWN } else { RETURNED };
        assert_eq!(got, [first, RETURNED], "{here:?} with {there:?}");
    }
}

#[test]
fn a_stripped_request_is_not_answered_and_a_stripped_answer_is_none() {
    let mut rotator = caller(Build::Current);
    let mut authority = Node::authority(Build::Current);
    let (token, bytes) = request(&mut rotator);
    let mut stripped = bytes.clone();
    strip(&mut stripped);
    assert_eq!(authority.ask(ROTATOR, stripped), None);
    let mut answer = authority.ask(ROTATOR, bytes).expect("a whole request is answered");
    strip(&mut answer);
    assert_eq!(told(&mut rotator, token, answer), UNKNOWN);
    // It goes on in the format that it spoke before.
    assert_eq!(format(&request(&mut rotator).1), Format(2));
}

#[test]
fn an_answer_to_another_request_is_none() {
    let mut rotator = caller(Build::Current);
    let mut authority = Node::authority(Build::Current);
    let (_, first) = request(&mut rotator);
    let answer = authority.ask(ROTATOR, first).expect("answered");
    // The same question again, and the answer of yesterday.
    let (token, second) = request(&mut rotator);
    assert_eq!(told(&mut rotator, token, answer), UNKNOWN);
    let answer = authority.ask(ROTATOR, second).expect("answered");
    let (token, _) = request(&mut rotator);
    assert_eq!(told(&mut rotator, token, answer), UNKNOWN);
}

#[test]
fn a_request_under_another_name_is_not_answered() {
    let mut authority = Node::authority(Build::Current);
    let bytes = sealed(OTHER, Build::Current, Format(1), Format(2), ReadRequest { secret: SECRET });
    assert_eq!(authority.ask(ROTATOR, bytes), None);
}

#[test]
fn the_floor_rises_only_when_the_whole_fleet_has_said_that_it_speaks_it() {
    let mut authority = Node::authority(Build::Current);
    let order = OrderRequest { secret: SECRET, order: OrderKind::RequireFormat2, txn: None };
    let operator = NodeId(6);
    let ordered = |authority: &mut Node| {
        let bytes = sealed(operator, Build::Current, Format(1), Format(2), order.clone());
        let answer = authority.ask(operator, bytes).expect("an order is answered");
        match Frame::from_bytes(&answer) {
            Ok(Frame::OrderReply(reply)) => reply.accepted,
            other => panic!("expected an answer to an order, got {other:?}"),
        }
    };
    assert!(!ordered(&mut authority), "nobody was heard of");
    let hello = |authority: &mut Node, node, build: Build| {
        let read = ReadRequest { secret: SECRET };
        let answer =
            authority.ask(node, sealed(node, build, Format(1), build.highest().min(Format(2)), read));
        kind_of(&answer.expect("answered"))
    };
    for node in [ROTATOR, OTHER] {
        hello(&mut authority, node, Build::Current);
    }
    hello(&mut authority, AGENT, Build::Older);
    assert!(!ordered(&mut authority), "the agent is old");
    hello(&mut authority, AGENT, Build::Newer);
    assert!(ordered(&mut authority));
    assert_eq!(hello(&mut authority, AGENT, Build::Older), FrameKind::Unsupported);
    assert_eq!(hello(&mut authority, AGENT, Build::Current), FrameKind::RecordReply);
}

#[test]
fn a_lease_request_of_the_newest_format_must_name_its_latest_time() {
    let mut authority = Node::authority(Build::Newer);
    let body = LeaseRequest { secret: SECRET, latest: None };
    let mut frame = Frame::from(body).to_bytes();
    frame[0] = 3;
    let envelope =
        Envelope { highest: Format(3), floor: Format(1), speaker: ROTATOR, echo: tumbler_types::Tag::NONE };
    let answer = authority.ask(ROTATOR, envelope.seal(&frame).0).expect("answered");
    assert_eq!(kind_of(&answer), FrameKind::Unsupported);
    let late = LeaseRequest { secret: SECRET, latest: Some(Wall::ZERO) };
    let answer = authority.ask(ROTATOR, sealed(ROTATOR, Build::Newer, Format(1), Format(3), late));
    let refused =
        matches!(Frame::from_bytes(&answer.expect("answered")), Ok(Frame::RecordReply(reply)) if !reply.done);
    assert!(refused, "its caller has given up long ago");
}

#[test]
fn a_node_whose_build_cannot_read_its_disk_does_nothing() {
    let record = AgentRecord { version: VersionId(1), value: value(1), ..AgentRecord::empty() };
    let bytes = in_format(record.to_bytes(), Format(2));
    let boot = || Input::Boot {
        disk: vec![Record { record: record_of(SECRET), bytes: bytes.clone() }],
        log: Vec::new(),
        entropy: [1; 32],
    };
    let agent = |build| Node::new(Box::new(Agent::new(settings(AGENT))), AGENT, build);
    assert!(agent(Build::Older).give(boot()).is_empty());
    assert!(!agent(Build::Current).give(boot()).is_empty(), "the build that wrote it heartbeats");
}

/// What is acknowledged must survive a downgrade: below format 2 no serial is told, kept or reported.
#[test]
fn an_agent_keeps_a_serial_as_soon_as_the_floor_lets_it() {
    let mut agent = Node::new(Box::new(Agent::new(settings(AGENT))), AGENT, Build::Current);
    let effects = agent.give(Input::Boot { disk: Vec::new(), log: Vec::new(), entropy: [1; 32] });
    let sent = effects.into_iter().find_map(|effect| match effect {
        Effect::Call { token, frame, .. } => Some((token, frame)),
        _ => None,
    });
    let (token, bytes) = sent.expect("it heartbeats at once");
    let (_, _, seal) = Envelope::open(&bytes).expect("sealed");
    let reply = HeartbeatReply {
        secret: SECRET,
        index: LogIndex(1),
        version: VersionId(1),
        principal: tumbler_types::Principal::Blue,
        value: value(1),
        until: now(30_000).wall,
        left: Span::from_secs(30),
        serial: Some(Serial(4)),
        revoked: Vec::new(),
    };
    let frame = Frame::in_format(Frame::from(reply).to_bytes(), Format(2)).expect("fits");
    let envelope = Envelope { highest: Format(2), floor: Format(2), speaker: AUTHORITY, echo: seal };
    let effects = agent.give(Input::Returned { token, frame: envelope.seal(&frame).0 });
    let [Effect::Persist { token, bytes, .. }] = &effects[..] else {
        panic!("expected a write: {effects:?}")
    };
    assert_eq!(format_of(bytes), Some(Format(2)));
    assert_eq!(AgentRecord::from_bytes(bytes).map(|record| record.serial), Ok(Some(Serial(4))));
    // Until it is durable the agent has agreed to nothing; then it says so.
    let effects = agent.give(Input::Persisted { token: *token });
    let Some(Effect::Call { frame, .. }) = effects.first() else {
        panic!("expected a heartbeat: {effects:?}")
    };
    let (envelope, inner, _) = Envelope::open(frame).expect("sealed");
    assert_eq!(envelope.floor, Format(2));
    let report = Frame::from_bytes(inner);
    assert!(matches!(report, Ok(Frame::HeartbeatRequest(HeartbeatRequest { serial: Some(Serial(4)), .. }))));
    // In a lower format the record would have none.
    assert_eq!(
        AgentRecord::from_bytes(&in_format(bytes.clone(), Format(1))).map(|record| record.serial),
        Ok(None)
    );
}
