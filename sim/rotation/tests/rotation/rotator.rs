//! The rotator: from a record to the next call.

use crate::bench::{AUTHORITY, Bench, OTHER, ROTATOR, TARGET, has_call, only_call, record, settings, value};
use tumbler_rotation::Rotator;
use tumbler_types::role::v1::{Effect, Input};
use tumbler_types::{LogIndex, NodeId, Phase, Principal, Span, Tag, TimerId, Token, VersionId};
use tumbler_wire::frame::{ApplyReply, ApplyRequest, LoginReply, QueryReply, RecordReply};
use tumbler_wire::{Frame, Record};

fn reply(done: bool, record: Record) -> RecordReply {
    RecordReply { done, index: LogIndex(9), record }
}

/// A rotator that has just read this record.
fn reading(record: Record) -> (Bench<Rotator>, Vec<Effect>) {
    let (mut bench, effects) = Bench::boot(Rotator::new(settings(ROTATOR)), Vec::new());
    let (token, to, frame) = only_call(&effects);
    assert_eq!((to, frame.kind().name()), (AUTHORITY, "read-request"));
    let effects = bench.answer(token, reply(true, record));
    (bench, effects)
}

fn apply(frame: Frame) -> ApplyRequest {
    let Frame::ApplyRequest(request) = frame else {
        panic!("expected an effect at the target, got {frame:?}")
    };
    request
}

#[test]
fn it_rests_when_there_is_nothing_to_do() {
    let (_, effects) = reading(Record { phase: Phase::Idle, pending: None, ..record(Phase::Idle) });
    assert!(!has_call(&effects));
}

#[test]
fn it_leaves_another_rotators_lease_alone() {
    let (_, effects) = reading(Record { holder: OTHER, ..record(Phase::Draft) });
    assert!(!has_call(&effects));
    let (_, effects) = reading(Record { holder: OTHER, lease_left: Span::ZERO, ..record(Phase::Draft) });
    assert_eq!(only_call(&effects).2.kind().name(), "lease-request");
}

#[test]
fn it_does_not_act_on_a_lease_that_could_end_before_an_answer() {
    let (_, effects) = reading(Record { lease_left: Span::from_secs(2), ..record(Phase::Draft) });
    assert_eq!(only_call(&effects).2.kind().name(), "lease-request");
}

#[test]
fn a_draft_is_set_then_seen_at_every_verifier_then_advanced() {
    let (mut bench, effects) = reading(record(Phase::Draft));
    let (token, to, frame) = only_call(&effects);
    let request = apply(frame);
    assert_eq!((to, request.principal, request.value), (TARGET, Principal::Green, value(2)));
    let mut effects = bench.answer(token, ApplyReply { applied: true, last: Some(request.fence) });
    for verifier in [TARGET, NodeId(5)] {
        let (token, to, frame) = only_call(&effects);
        assert_eq!((to, frame.kind().name()), (verifier, "login-request"));
        effects = bench
            .answer(token, LoginReply { refusal: None, blue: Default::default(), green: Default::default() });
    }
    let (_, to, frame) = only_call(&effects);
    assert!(matches!(frame, Frame::AdvanceRequest(advance) if advance.to == Phase::Staged));
    assert_eq!(to, AUTHORITY);
}

#[test]
fn an_unknown_effect_is_queried_and_repeated_with_the_same_value_and_fence() {
    let (mut bench, effects) = reading(record(Phase::Draft));
    let (token, _, frame) = only_call(&effects);
    let first = apply(frame);
    let (token, _, frame) = only_call(&bench.give(Input::Unknown { token }));
    assert_eq!(frame.kind().name(), "query-request");
    let nothing = QueryReply { fence: None, blue: Tag(1), green: Tag::NONE };
    let (_, _, frame) = only_call(&bench.answer(token, nothing));
    assert_eq!(apply(frame), first);
}

#[test]
fn an_unknown_effect_that_the_target_shows_is_not_repeated() {
    let (mut bench, effects) = reading(record(Phase::Draft));
    let (token, _, frame) = only_call(&effects);
    let first = apply(frame);
    let (token, ..) = only_call(&bench.give(Input::Unknown { token }));
    let shown =
        QueryReply { fence: Some(first.fence), blue: Tag(1), green: tumbler_wire::tag::value_tag(&value(2)) };
    assert_eq!(only_call(&bench.answer(token, shown)).2.kind().name(), "login-request");
}

#[test]
fn giving_up_raises_the_fence_even_when_nothing_was_ever_set() {
    let (_, effects) = reading(record(Phase::Discard));
    let request = apply(only_call(&effects).2);
    assert!(request.value.is_empty());
    assert_eq!(request.fence.step, tumbler_types::Step::Discard);
}

#[test]
fn a_refused_command_waits_for_the_next_poll() {
    let (mut bench, effects) = reading(record(Phase::Staged));
    let (token, ..) = only_call(&effects);
    let effects = bench.answer(token, reply(false, record(Phase::Staged)));
    assert!(!has_call(&effects), "it does not spin");
    bench.at = 2_000;
    assert_eq!(only_call(&bench.give(Input::Timer { timer: TimerId(0) })).2.kind().name(), "read-request");
}

#[test]
fn a_begin_without_an_answer_is_repeated_with_the_same_value() {
    let due = Record { due: true, pending: None, ..record(Phase::Idle) };
    let (mut bench, effects) = reading(due.clone());
    let (token, _, first) = only_call(&effects);
    assert!(!has_call(&bench.give(Input::Unknown { token })));
    bench.at = 2_000;
    let (token, ..) = only_call(&bench.give(Input::Timer { timer: TimerId(0) }));
    let (_, _, second) = only_call(&bench.answer(token, reply(true, due)));
    assert_eq!(first, second);
    assert!(matches!(first, Frame::BeginRequest(request) if request.value.expose().len() == 16));
}

#[test]
fn a_revoked_pending_version_is_rolled_back_and_a_debt_is_paid_at_the_target() {
    let revoked = Record { revoked: vec![VersionId(2)], owed: vec![VersionId(2)], ..record(Phase::Canary) };
    assert_eq!(only_call(&reading(revoked).1).2.kind().name(), "order-request");
    let owed = Record { revoked: vec![VersionId(1)], owed: vec![VersionId(1)], ..record(Phase::Canary) };
    let request = apply(only_call(&reading(owed).1).2);
    assert_eq!(
        (request.principal, request.fence.step),
        (Principal::Blue, tumbler_types::Step::DisablePrevious)
    );
}

#[test]
fn a_revocation_during_a_rollback_does_not_wait_for_the_drain() {
    let owed = vec![VersionId(1)];
    let revert = Record { revoked: owed.clone(), owed, ready: false, ..record(Phase::Revert) };
    let request = apply(only_call(&reading(revert).1).2);
    assert_eq!(
        (request.principal, request.fence.step),
        (Principal::Blue, tumbler_types::Step::DisablePrevious)
    );
}

#[test]
fn a_late_answer_to_an_older_call_is_ignored() {
    let (mut bench, _) = reading(record(Phase::Draft));
    assert_eq!(bench.answer(Token(1), reply(true, record(Phase::Staged))), []);
}

#[test]
fn a_pending_version_with_other_privileges_is_given_up() {
    let (mut bench, effects) = reading(record(Phase::Draft));
    let (token, _, frame) = only_call(&effects);
    let fence = apply(frame).fence;
    let (token, ..) = only_call(&bench.answer(token, ApplyReply { applied: true, last: Some(fence) }));
    let (blue, green) = (tumbler_types::Privileges::ALL, tumbler_types::Privileges::READ_ONLY);
    assert!(!has_call(&bench.answer(token, LoginReply { refusal: None, blue, green })));
    bench.at = 2_000;
    let (token, ..) = only_call(&bench.give(Input::Timer { timer: TimerId(0) }));
    let (_, to, frame) = only_call(&bench.answer(token, reply(true, record(Phase::Draft))));
    assert_eq!((to, frame.kind().name()), (AUTHORITY, "order-request"));
}

#[test]
fn a_revoked_current_version_is_no_measure_of_privileges() {
    let revoked = Record { revoked: vec![VersionId(1)], ..record(Phase::Draft) };
    let (mut bench, effects) = reading(revoked);
    let (token, _, frame) = only_call(&effects);
    let fence = apply(frame).fence;
    let (token, ..) = only_call(&bench.answer(token, ApplyReply { applied: true, last: Some(fence) }));
    let (blue, green) = (tumbler_types::Privileges::ALL, tumbler_types::Privileges::READ_ONLY);
    let effects = bench.answer(token, LoginReply { refusal: None, blue, green });
    assert_eq!(only_call(&effects).2.kind().name(), "login-request", "on to the replica");
}

/// Whom the target does not hear must not keep the lease from whom it hears.
#[test]
fn a_holder_whom_the_target_does_not_answer_lets_its_lease_go_and_comes_back_later() {
    let (mut bench, effects) = reading(record(Phase::Draft));
    let (mut token, _, _) = only_call(&effects);
    // The effect, and the queries after it, one at each poll.
    for _ in 0..3 {
        let effects = bench.give(Input::Unknown { token });
        token = if has_call(&effects) { only_call(&effects).0 } else { polled(&mut bench) };
    }
    let record = || Record { lease_left: Span::ZERO, ..record(Phase::Draft) };
    let effects = bench.answer(token, reply(true, record()));
    assert!(!has_call(&effects), "its lease is over, and it asks for none");
    bench.at += 15_000;
    let effects = bench.give(Input::Timer { timer: TimerId(0) });
    let (token, _, _) = only_call(&effects);
    let effects = bench.answer(token, reply(true, record()));
    assert_eq!(only_call(&effects).2.kind().name(), "lease-request");
}

/// The token of the next poll's first call at the target, or of the poll itself.
fn polled(bench: &mut Bench<Rotator>) -> Token {
    let effects = bench.give(Input::Timer { timer: TimerId(0) });
    let (token, _, _) = only_call(&effects);
    let effects = bench.answer(token, reply(true, record(Phase::Draft)));
    if has_call(&effects) {
        only_call(&effects).0
    } else {
        only_call(&bench.give(Input::Timer { timer: TimerId(0) })).0
    }
}
