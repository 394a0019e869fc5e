//! Rotator and authority where the target mints: attempts, lists, and what comes onto the record.

use crate::bench::{self, AGENT, Bench, ROTATOR, SECRET, genesis, labeled, only_call, settings, value};
use tumbler_rotation::{Authority, Rotator, Settings};
use tumbler_types::event::OrderKind;
use tumbler_types::role::v1::{Effect, Input};
use tumbler_types::{
    Adapter, Attempt, Enforcement, Epoch, LogIndex, NodeId, Phase, Principal, Principals, SecretValue, Span,
    Tag, TimerId, TxnId, VersionId,
};
use tumbler_wire::frame::{
    AttemptRequest, BeginRequest, DeleteReply, FillRequest, LeaseRequest, MintReply, OrderRequest,
    QueryReply, RecordReply,
};
use tumbler_wire::tag::value_tag;
use tumbler_wire::{Frame, Labeled, Record};

fn minting(me: NodeId) -> Settings {
    let mut settings = settings(me);
    settings.topology.adapter =
        Adapter { enforcement: Enforcement::LastWriteWins, principals: Principals::Keys };
    settings.timing.actor_lifetime = Span::from_secs(20);
    settings
}

fn nothing() -> SecretValue {
    SecretValue::new(Vec::new())
}

fn record(phase: Phase, attempt: u32, value: SecretValue) -> Record {
    let pending = Labeled { value, ..labeled(2, Principal::Green).expect("one") };
    Record { pending: Some(pending), attempt: Attempt(attempt), ..bench::record(phase) }
}

fn read(bench: &mut Bench<Rotator>, effects: &[Effect], done: bool, record: Record) -> Vec<Effect> {
    let (token, ..) = only_call(effects);
    bench.answer(token, RecordReply { done, index: LogIndex(9), record })
}

fn listed(bench: &mut Bench<Rotator>, effects: &[Effect], green: Tag) -> Vec<Effect> {
    let (token, _, frame) = only_call(effects);
    assert_eq!(frame.kind().name(), "query-request");
    bench.answer(token, QueryReply { fence: None, blue: value_tag(&value(1)), green })
}

#[track_caller]
fn asks(effects: &[Effect], kind: &str) -> Frame {
    let (_, _, frame) = only_call(effects);
    assert_eq!(frame.kind().name(), kind);
    frame
}

/// A rotator whose mint under attempt 1 is out.
fn mint_out() -> (Bench<Rotator>, Vec<Effect>) {
    let (mut bench, effects) = Bench::boot(Rotator::new(minting(ROTATOR)), Vec::new());
    let effects = read(&mut bench, &effects, true, record(Phase::Draft, 0, nothing()));
    let Frame::AttemptRequest(request) = asks(&effects, "attempt-request") else { unreachable!() };
    assert_eq!(request.attempt, Attempt(1), "an attempt is on record before it is made");
    let effects = read(&mut bench, &effects, true, record(Phase::Draft, 1, nothing()));
    let effects = listed(&mut bench, &effects, Tag::NONE);
    asks(&effects, "mint-request");
    (bench, effects)
}

#[test]
fn a_key_that_was_told_comes_onto_the_record_under_its_attempt() {
    let (mut bench, effects) = mint_out();
    let (token, ..) = only_call(&effects);
    let effects = bench.answer(token, MintReply { principal: Principal::Green, value: value(7) });
    let Frame::FillRequest(request) = asks(&effects, "fill-request") else { unreachable!() };
    assert_eq!((request.attempt, request.value), (Attempt(1), value(7)));
    let effects = read(&mut bench, &effects, true, record(Phase::Draft, 1, value(7)));
    let effects = listed(&mut bench, &effects, value_tag(&value(7)));
    asks(&effects, "login-request");
}

#[test]
fn after_a_mint_without_an_answer_another_attempt_comes_before_anything_is_deleted() {
    let (mut bench, effects) = mint_out();
    let (token, ..) = only_call(&effects);
    let effects = bench.give(Input::Unknown { token });
    let Frame::AttemptRequest(request) = asks(&effects, "attempt-request") else { unreachable!() };
    assert_eq!(request.attempt, Attempt(2));
    let effects = read(&mut bench, &effects, true, record(Phase::Draft, 2, nothing()));
    let effects = listed(&mut bench, &effects, value_tag(&value(7)));
    let Frame::DeleteRequest(request) = asks(&effects, "delete-request") else { unreachable!() };
    assert_eq!(request.key, value_tag(&value(7)));
    let (token, ..) = only_call(&effects);
    let effects = bench.answer(token, DeleteReply { gone: true });
    let effects = listed(&mut bench, &effects, Tag::NONE);
    asks(&effects, "mint-request");
}

#[test]
fn who_does_not_know_whether_he_opened_an_attempt_opens_another() {
    let (mut bench, effects) = Bench::boot(Rotator::new(minting(ROTATOR)), Vec::new());
    let effects = read(&mut bench, &effects, true, record(Phase::Draft, 1, nothing()));
    let Frame::AttemptRequest(request) = asks(&effects, "attempt-request") else { unreachable!() };
    assert_eq!(request.attempt, Attempt(2));
    let effects = read(&mut bench, &effects, false, record(Phase::Draft, 2, nothing()));
    assert!(effects.is_empty(), "refused: it waits for the next poll");
    bench.at = 2_000;
    let effects = bench.give(Input::Timer { timer: TimerId(0) });
    let effects = read(&mut bench, &effects, true, record(Phase::Draft, 2, nothing()));
    let Frame::AttemptRequest(request) = asks(&effects, "attempt-request") else { unreachable!() };
    assert_eq!(request.attempt, Attempt(3));
}

#[test]
fn a_key_on_record_that_the_target_does_not_have_ends_the_rotation() {
    let (mut bench, effects) = Bench::boot(Rotator::new(minting(ROTATOR)), Vec::new());
    let effects = read(&mut bench, &effects, true, record(Phase::Draft, 1, value(7)));
    let effects = listed(&mut bench, &effects, Tag::NONE);
    let Frame::OrderRequest(request) = asks(&effects, "order-request") else { unreachable!() };
    assert_eq!(request.order, OrderKind::RollBack);
}

#[test]
fn a_rotation_that_was_given_up_without_a_key_looks_for_one_before_it_closes() {
    let (mut bench, effects) = Bench::boot(Rotator::new(minting(ROTATOR)), Vec::new());
    let effects = read(&mut bench, &effects, true, record(Phase::Discard, 1, nothing()));
    let effects = listed(&mut bench, &effects, value_tag(&value(7)));
    asks(&effects, "delete-request");
    let (token, ..) = only_call(&effects);
    let effects = bench.answer(token, DeleteReply { gone: true });
    let effects = listed(&mut bench, &effects, Tag::NONE);
    asks(&effects, "advance-request");
}

/// An authority with a rotation under attempt 1.
fn opened() -> Bench<Authority> {
    let mut bench = Bench::boot(Authority::new(minting(NodeId(0))), vec![genesis()]).0;
    bench.ask(AGENT, OrderRequest { secret: SECRET, order: OrderKind::Rotate, txn: None });
    bench.ask(ROTATOR, LeaseRequest { secret: SECRET, latest: None });
    assert!(!done(&bench.ask(ROTATOR, begin(value(2)))), "who mints says who has the value first");
    assert!(done(&bench.ask(ROTATOR, begin(nothing()))));
    assert!(done(&bench.ask(ROTATOR, attempt(1))));
    bench
}

fn begin(value: SecretValue) -> BeginRequest {
    let (epoch, txn, version, principal) = (Epoch(1), TxnId(1), VersionId(2), Principal::Green);
    BeginRequest { secret: SECRET, epoch, txn, version, principal, value }
}

fn attempt(number: u32) -> AttemptRequest {
    AttemptRequest { secret: SECRET, epoch: Epoch(1), txn: TxnId(1), attempt: Attempt(number) }
}

fn fill(number: u32, byte: u8) -> FillRequest {
    let (epoch, txn, principal) = (Epoch(1), TxnId(1), Principal::Green);
    FillRequest { secret: SECRET, epoch, txn, attempt: Attempt(number), principal, value: value(byte) }
}

fn done(frame: &Frame) -> bool {
    let Frame::RecordReply(reply) = frame else { panic!("expected a record, got {frame:?}") };
    reply.done
}

#[test]
fn an_attempt_that_is_repeated_is_refused() {
    let mut bench = opened();
    assert!(!done(&bench.ask(ROTATOR, attempt(1))));
    assert!(!done(&bench.ask(ROTATOR, attempt(3))));
    assert!(done(&bench.ask(ROTATOR, attempt(2))));
}

#[test]
fn only_the_open_attempt_s_key_comes_onto_the_record_and_only_once() {
    let mut bench = opened();
    assert!(done(&bench.ask(ROTATOR, attempt(2))));
    assert!(!done(&bench.ask(ROTATOR, fill(1, 7))), "what an earlier attempt minted is nobody's");
    assert!(done(&bench.ask(ROTATOR, fill(2, 8))));
    assert!(done(&bench.ask(ROTATOR, fill(2, 8))), "said twice");
    assert!(!done(&bench.ask(ROTATOR, fill(2, 9))));
    assert!(!done(&bench.ask(ROTATOR, attempt(3))), "there is nothing left to try");
}
