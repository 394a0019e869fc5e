//! The agent: when it hands out, and what it says it has.

use crate::bench::{AGENT, Bench, SECRET, now, only_call, replies, settings, value};
use tumbler_rotation::Agent;
use tumbler_types::role::v1::{Effect, Input, Now, Record, Role};
use tumbler_types::{Mono, NodeId, Principal, Serial, Span, TimerId, Token, VersionId, Wall};
use tumbler_wire::frame::{GetRequest, HeartbeatReply};
use tumbler_wire::record::record_of;
use tumbler_wire::{AgentRecord, Frame};

const TTL: Span = Span::from_secs(30);

fn reply(version: u32, revoked: &[u32]) -> HeartbeatReply {
    HeartbeatReply {
        secret: SECRET,
        index: tumbler_types::LogIndex(1),
        version: VersionId(version),
        principal: Principal::Blue,
        value: value(u8::try_from(version).expect("small")),
        until: Wall::EPOCH.plus(TTL),
        left: TTL,
        serial: Some(Serial(u32::try_from(revoked.len()).expect("few"))),
        revoked: revoked.iter().map(|version| VersionId(*version)).collect(),
    }
}

/// An agent that has stored version 1, granted for 30 s from time zero.
fn holding() -> Bench<Agent> {
    let (mut bench, effects) = Bench::boot(Agent::new(settings(AGENT)), Vec::new());
    let (token, ..) = only_call(&effects);
    let effects = bench.answer(token, reply(1, &[]));
    let [Effect::Persist { token, .. }] = effects[..] else { panic!("it stores first, got {effects:?}") };
    assert_eq!(handed(&mut bench), VersionId(0), "what is not durable is not handed out");
    let effects = bench.give(Input::Persisted { token });
    let (token, _, frame) = only_call(&effects);
    let Frame::HeartbeatRequest(report) = frame else { panic!("it acknowledges, got {frame:?}") };
    assert_eq!(report.version, VersionId(1));
    bench.answer(token, HeartbeatReply { value: tumbler_types::SecretValue::new(vec![]), ..reply(1, &[]) });
    bench
}

fn handed(bench: &mut Bench<Agent>) -> VersionId {
    let effects = bench.call(NodeId(9), GetRequest { secret: SECRET });
    let Some(Frame::GetReply(reply)) = replies(&effects).pop() else { panic!("expected an answer") };
    reply.version
}

#[test]
fn it_hands_out_until_epsilon_before_the_end_of_the_grant() {
    for (millis, version) in [(0, 1), (29_749, 1), (29_750, 0), (30_000, 0)] {
        let mut bench = holding();
        bench.at = millis;
        assert_eq!(handed(&mut bench), VersionId(version), "at {millis} ms");
    }
}

#[test]
fn a_wall_clock_that_stands_still_does_not_lengthen_a_grant() {
    let mut bench = holding();
    bench.at = 30_000;
    let slow = Now { wall: now(29_800).wall, mono: Mono(30_000_000_000) };
    let frame = Frame::from(GetRequest { secret: SECRET }).to_bytes();
    let effects: Vec<Effect> = bench
        .role
        .handle(slow, Input::Called { call: Token(77), from: NodeId(9), frame })
        .into_iter()
        .collect();
    assert!(matches!(&replies(&effects)[..], [Frame::GetReply(reply)] if reply.version == VersionId(0)));
}

#[test]
fn after_a_suspend_it_hears_from_the_authority_before_it_goes_on() {
    let mut bench = holding();
    // The wall clock went on for 10 s, the monotonic one did not.
    let woken = Now { wall: now(10_000).wall, mono: Mono(0) };
    let frame = Frame::from(GetRequest { secret: SECRET }).to_bytes();
    let effects: Vec<Effect> = bench
        .role
        .handle(woken, Input::Called { call: Token(77), from: NodeId(9), frame })
        .into_iter()
        .collect();
    assert!(matches!(&replies(&effects)[..], [Frame::GetReply(reply)] if reply.version == VersionId(0)));
}

#[test]
fn a_revocation_is_in_force_at_once_and_acknowledged_when_it_is_durable() {
    let mut bench = holding();
    bench.at = 2_000;
    let (token, ..) = only_call(&bench.give(Input::Timer { timer: TimerId(0) }));
    let effects = bench.answer(token, reply(0, &[1]));
    assert_eq!(handed(&mut bench), VersionId(0));
    let [Effect::Persist { token, .. }] = effects[..] else { panic!("it stores it, got {effects:?}") };
    bench.at = 4_000;
    let waiting = bench.give(Input::Timer { timer: TimerId(0) });
    assert!(matches!(waiting[..], [Effect::SetTimer { .. }]), "no report while a write is out: {waiting:?}");
    let (_, _, frame) = only_call(&bench.give(Input::Persisted { token }));
    assert!(matches!(frame, Frame::HeartbeatRequest(report) if report.serial == Some(Serial(1))));
}

#[test]
fn after_a_restart_it_serves_what_its_disk_holds_by_the_wall_clock_alone() {
    let record = AgentRecord {
        version: VersionId(1),
        principal: Principal::Blue,
        value: value(1),
        until: Wall::EPOCH.plus(TTL),
        serial: Some(Serial(0)),
        revoked: Vec::new(),
    };
    let disk = vec![Record { record: record_of(SECRET), bytes: record.to_bytes() }];
    for (millis, version) in [(29_749, 1), (29_750, 0)] {
        let mut role = Agent::new(settings(AGENT));
        let booted = Now { wall: now(millis).wall, mono: Mono(0) };
        let _ = role.handle(booted, Input::Boot { disk: disk.clone(), log: Vec::new(), entropy: [0; 32] });
        let frame = Frame::from(GetRequest { secret: SECRET }).to_bytes();
        let effects: Vec<Effect> = role
            .handle(booted, Input::Called { call: Token(1), from: NodeId(9), frame })
            .into_iter()
            .collect();
        assert!(
            matches!(&replies(&effects)[..], [Frame::GetReply(reply)] if reply.version == VersionId(version)),
            "at {millis} ms"
        );
    }
}
