//! The rotator at a target with one principal: what each phase writes, and what it looks at.

use crate::bench::{self, Bench, ROTATOR, only_call, settings, value};
use tumbler_rotation::{Rotator, Settings};
use tumbler_types::event::Refusal;
use tumbler_types::{
    Adapter, LogIndex, NodeId, Phase, Principal, Principals, SecretValue, Span, Step, VersionId,
};
use tumbler_wire::frame::{ApplyReply, LoginReply, RecordReply};
use tumbler_wire::{Frame, Labeled, Record};

fn one_principal(me: NodeId) -> Settings {
    let mut settings = settings(me);
    let principals = Principals::One { outage: Span::from_secs(5) };
    settings.topology.adapter = Adapter { principals, ..Adapter::default() };
    settings
}

fn labeled(version: u8) -> Option<Labeled> {
    let principal = Principal::Blue;
    Some(Labeled { version: VersionId(u32::from(version)), principal, value: value(version) })
}

/// Labels as the phase has them: from version 1 to version 2.
fn record(phase: Phase, revoked: &[u32], owed: &[u32]) -> Record {
    let is_promoted = matches!(phase, Phase::Promote | Phase::Drain | Phase::Retire);
    let versions = |all: &[u32]| all.iter().map(|each| VersionId(*each)).collect();
    Record {
        current: labeled(if is_promoted { 2 } else { 1 }),
        previous: if is_promoted { labeled(1) } else { None },
        pending: if is_promoted || phase == Phase::Idle { None } else { labeled(2) },
        revoked: versions(revoked),
        owed: versions(owed),
        ready: false,
        ..bench::record(phase)
    }
}

/// The effect that the record leads to, and the version that it then looks for.
#[track_caller]
fn check(record: Record, step: Step, written: Option<u8>, seen: u8) {
    let (mut bench, effects) = Bench::boot(Rotator::new(one_principal(ROTATOR)), Vec::new());
    let (token, ..) = only_call(&effects);
    let effects = bench.answer(token, RecordReply { done: true, index: LogIndex(9), record });
    let (token, _, frame) = only_call(&effects);
    let Frame::ApplyRequest(request) = frame else { panic!("expected an effect, got {frame:?}") };
    let value_of = |version: Option<u8>| version.map_or(SecretValue::new(Vec::new()), value);
    assert_eq!((request.fence.step, request.principal), (step, Principal::Blue));
    assert!(request.value == value_of(written), "it writes the value of {written:?}");
    let effects = bench.answer(token, ApplyReply { applied: true, last: Some(request.fence) });
    let (token, _, frame) = only_call(&effects);
    let Frame::LoginRequest(login) = frame else { panic!("expected a login, got {frame:?}") };
    assert!(login.value == value(seen), "it looks at version {seen}");
    // What it hopes for leads on to the replica; the opposite leads nowhere.
    let hoped = if written == Some(seen) { None } else { Some(Refusal::WrongValue) };
    let (_, _, frame) =
        only_call(&bench.answer(
            token,
            LoginReply { refusal: hoped, blue: Default::default(), green: Default::default() },
        ));
    assert_eq!(frame.kind().name(), "login-request");
}

#[test]
fn each_phase_writes_the_version_that_stays() {
    check(record(Phase::Draft, &[], &[]), Step::Set, Some(2), 2);
    check(record(Phase::Retire, &[], &[]), Step::Retire, Some(2), 1);
    check(record(Phase::Revert, &[], &[]), Step::Restore, Some(1), 1);
    check(record(Phase::Discard, &[], &[]), Step::Restore, Some(1), 2);
}

#[test]
fn a_revoked_version_is_written_over_or_closed_and_never_restored() {
    check(record(Phase::Canary, &[1], &[1]), Step::DisablePrevious, Some(2), 1);
    check(record(Phase::Drain, &[1], &[1]), Step::DisablePrevious, Some(2), 1);
    check(record(Phase::Revert, &[1], &[1]), Step::Discard, None, 1);
    check(record(Phase::Discard, &[1], &[]), Step::Discard, None, 2);
    check(record(Phase::Idle, &[1], &[1]), Step::DisableCurrent, None, 1);
}

#[test]
fn nobody_is_a_canary() {
    assert!(!one_principal(ROTATOR).is_canary(NodeId(3)));
    assert!(settings(ROTATOR).is_canary(NodeId(3)));
}
