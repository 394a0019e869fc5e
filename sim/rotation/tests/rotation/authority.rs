//! The authority's front: what it commits, what it refuses, and when it answers.

use crate::bench::{AGENT, AUTHORITY, Bench, OTHER, ROTATOR, SECRET, genesis, replies, settings, value};
use tumbler_rotation::Authority;
use tumbler_types::event::OrderKind;
use tumbler_types::role::v1::Effect;
use tumbler_types::{Epoch, NodeId, Phase, Principal, Serial, TxnId, VersionId, Wall};
use tumbler_wire::Frame;
use tumbler_wire::frame::{
    AdvanceRequest, BeginRequest, HeartbeatReply, HeartbeatRequest, LeaseRequest, OrderRequest, ReadRequest,
    RecordReply,
};

fn authority() -> Bench<Authority> {
    Bench::boot(Authority::new(settings(AUTHORITY)), vec![genesis()]).0
}

fn lease(bench: &mut Bench<Authority>, rotator: NodeId) -> RecordReply {
    record(bench.ask(rotator, LeaseRequest { secret: SECRET, latest: None }))
}

fn record(frame: Frame) -> RecordReply {
    let Frame::RecordReply(reply) = frame else { panic!("expected a record, got {frame:?}") };
    reply
}

fn order(bench: &mut Bench<Authority>, order: OrderKind) -> bool {
    let frame = bench.ask(NodeId(9), OrderRequest { secret: SECRET, order, txn: None });
    let Frame::OrderReply(reply) = frame else { panic!("expected an answer to an order, got {frame:?}") };
    reply.accepted
}

fn begin(bench: &mut Bench<Authority>, epoch: u32) -> RecordReply {
    let request = BeginRequest {
        secret: SECRET,
        epoch: Epoch(epoch),
        txn: TxnId(1),
        version: VersionId(2),
        principal: Principal::Green,
        value: value(2),
    };
    record(bench.ask(ROTATOR, request))
}

fn advance(bench: &mut Bench<Authority>, from: Phase, to: Phase) -> RecordReply {
    let request = AdvanceRequest { secret: SECRET, epoch: Epoch(1), txn: TxnId(1), from, to };
    record(bench.ask(ROTATOR, request))
}

fn heartbeat(bench: &mut Bench<Authority>, version: u32, until: Wall) -> HeartbeatReply {
    let report = HeartbeatRequest { secret: SECRET, version: VersionId(version), serial: None, until };
    let frame = bench.ask(AGENT, report);
    let Frame::HeartbeatReply(reply) = frame else { panic!("expected a heartbeat reply, got {frame:?}") };
    reply
}

#[test]
fn nothing_is_answered_before_its_command_is_durable() {
    let mut bench = authority();
    let effects = bench.call(ROTATOR, LeaseRequest { secret: SECRET, latest: None });
    assert!(matches!(effects[..], [Effect::Propose { .. }]), "{effects:?}");
    assert_eq!(bench.call(OTHER, ReadRequest { secret: SECRET }), [], "later requests for the secret wait");
    let rest = bench.commit(effects);
    assert_eq!(replies(&rest).len(), 2, "and are answered in order after the commit");
}

#[test]
fn the_lease_passes_on_only_after_its_end_plus_both_clock_errors() {
    let mut bench = authority();
    assert_eq!(lease(&mut bench, ROTATOR).record.epoch, Epoch(1));
    for (millis, is_granted) in [(9_999, false), (10_500, false), (10_501, true)] {
        bench.at = millis;
        let reply = lease(&mut bench, OTHER);
        assert_eq!((reply.done, reply.record.holder == OTHER), (is_granted, is_granted), "at {millis} ms");
    }
}

#[test]
fn a_renewal_keeps_the_epoch_and_an_expired_holder_gets_a_new_one() {
    let mut bench = authority();
    lease(&mut bench, ROTATOR);
    bench.at = 6_000;
    assert_eq!(lease(&mut bench, ROTATOR).record.epoch, Epoch(1));
    bench.at = 16_001;
    assert_eq!(lease(&mut bench, ROTATOR).record.epoch, Epoch(2));
}

#[test]
fn a_rotation_begins_only_when_due_and_only_under_the_lease() {
    let mut bench = authority();
    lease(&mut bench, ROTATOR);
    assert!(!begin(&mut bench, 1).done, "nobody ordered it");
    assert!(order(&mut bench, OrderKind::Rotate));
    assert!(!begin(&mut bench, 0).done, "an older epoch");
    let reply = begin(&mut bench, 1);
    assert!(reply.done);
    assert_eq!((reply.record.phase, reply.record.txn), (Phase::Draft, TxnId(1)));
    assert!(begin(&mut bench, 1).done, "a repetition is the same command");
    assert_eq!(
        bench.ask(ROTATOR, ReadRequest { secret: SECRET }),
        Frame::RecordReply(RecordReply { done: true, ..reply })
    );
}

#[test]
fn labels_move_at_promote_and_move_back_at_rollback() {
    let mut bench = authority();
    lease(&mut bench, ROTATOR);
    order(&mut bench, OrderKind::Rotate);
    begin(&mut bench, 1);
    for (from, to) in
        [(Phase::Draft, Phase::Staged), (Phase::Staged, Phase::Canary), (Phase::Canary, Phase::Promote)]
    {
        assert!(advance(&mut bench, from, to).done, "{from:?} to {to:?}");
    }
    let labels = |reply: &RecordReply| {
        let version = |label: &Option<tumbler_wire::Labeled>| label.as_ref().map(|label| label.version.0);
        (version(&reply.record.current), version(&reply.record.previous), version(&reply.record.pending))
    };
    assert_eq!(labels(&record(bench.ask(ROTATOR, ReadRequest { secret: SECRET }))), (Some(2), Some(1), None));
    assert!(order(&mut bench, OrderKind::RollBack));
    assert_eq!(labels(&record(bench.ask(ROTATOR, ReadRequest { secret: SECRET }))), (Some(1), None, Some(2)));
    assert!(!order(&mut bench, OrderKind::RollBack), "there is nothing left to roll back");
}

#[test]
fn retire_waits_for_an_acknowledgement_or_the_end_of_the_grant() {
    for acknowledges in [true, false] {
        let mut bench = authority();
        // Not a canary's business: the agent holds version 1 until the labels have moved.
        let first = heartbeat(&mut bench, 0, Wall::ZERO);
        heartbeat(&mut bench, 1, first.until);
        lease(&mut bench, ROTATOR);
        order(&mut bench, OrderKind::Rotate);
        begin(&mut bench, 1);
        advance(&mut bench, Phase::Draft, Phase::Staged);
        advance(&mut bench, Phase::Staged, Phase::Canary);
        assert!(!advance(&mut bench, Phase::Canary, Phase::Promote).done, "the canary has not acknowledged");
        let canary = heartbeat(&mut bench, 1, first.until);
        assert_eq!(canary.version, VersionId(2));
        if acknowledges {
            heartbeat(&mut bench, 2, canary.until);
        } else {
            bench.at = 30_501;
        }
        assert!(advance(&mut bench, Phase::Canary, Phase::Promote).done);
        assert!(advance(&mut bench, Phase::Promote, Phase::Drain).done);
        assert!(advance(&mut bench, Phase::Drain, Phase::Retire).done);
        assert!(!order(&mut bench, OrderKind::RollBack), "retire is the point of no return");
    }
}

#[test]
fn a_report_of_a_grant_that_has_ended_changes_nothing() {
    let mut bench = authority();
    let first = heartbeat(&mut bench, 0, Wall::ZERO);
    heartbeat(&mut bench, 1, first.until);
    let before = record(bench.ask(ROTATOR, ReadRequest { secret: SECRET })).record.revision;
    heartbeat(&mut bench, 1, Wall(first.until.0 - 1));
    assert_eq!(record(bench.ask(ROTATOR, ReadRequest { secret: SECRET })).record.revision, before);
}

#[test]
fn a_revoked_version_is_never_given_and_stays_owed() {
    let mut bench = authority();
    assert!(order(&mut bench, OrderKind::RevokeCurrent));
    let reply = heartbeat(&mut bench, 0, Wall::ZERO);
    assert_eq!((reply.version, reply.serial), (VersionId(0), None), "no record could keep a serial yet");
    assert!(order(&mut bench, OrderKind::RequireFormat2));
    let reply = heartbeat(&mut bench, 0, Wall::ZERO);
    assert_eq!((reply.serial, reply.revoked), (Some(Serial(1)), vec![VersionId(1)]));
    let record = record(bench.ask(ROTATOR, ReadRequest { secret: SECRET })).record;
    assert_eq!((record.owed, record.due), (vec![VersionId(1)], true));
}
