//! Rotator and authority at a target where the last write wins: what waits, and for how long.

use crate::bench::{self, AGENT, Bench, ROTATOR, SECRET, genesis, only_call, settings, value};
use tumbler_rotation::{Authority, Rotator, Settings};
use tumbler_types::event::OrderKind;
use tumbler_types::role::v1::Effect;
use tumbler_types::{
    Adapter, Enforcement, Epoch, LogIndex, NodeId, Phase, Principal, Span, Tag, TimerId, TxnId, VersionId,
};
use tumbler_wire::frame::{
    AdvanceRequest, ApplyReply, BeginRequest, LeaseRequest, LoginReply, OrderRequest, QueryReply,
    ReadRequest, RecordReply,
};
use tumbler_wire::tag::value_tag;
use tumbler_wire::{Frame, Record};

fn last_write_wins(me: NodeId) -> Settings {
    let mut settings = settings(me);
    settings.topology.adapter = Adapter { enforcement: Enforcement::LastWriteWins, ..Adapter::default() };
    settings.timing.actor_lifetime = Span::from_secs(20);
    settings
}

fn record(phase: Phase, left: u64) -> Record {
    Record { quarantine_left: Span::from_secs(left), ..bench::record(phase) }
}

fn read(bench: &mut Bench<Rotator>, effects: &[Effect], record: Record) -> Vec<Effect> {
    let (token, ..) = only_call(effects);
    bench.answer(token, RecordReply { done: true, index: LogIndex(9), record })
}

fn shown(bench: &mut Bench<Rotator>, effects: &[Effect], green: Tag) -> Vec<Effect> {
    let (token, _, frame) = only_call(effects);
    assert_eq!(frame.kind().name(), "query-request");
    bench.answer(token, QueryReply { fence: None, blue: value_tag(&value(1)), green })
}

fn kinds(effects: &[Effect]) -> Vec<&'static str> {
    let calls = effects.iter().filter_map(|effect| match effect {
        Effect::Call { frame, .. } => Some(tumbler_wire::envelope::kind_of(frame).name()),
        _ => None,
    });
    calls.collect()
}

#[test]
fn a_first_effect_waits_for_the_quarantine_and_is_looked_up_before_and_after() {
    let (mut bench, effects) = Bench::boot(Rotator::new(last_write_wins(ROTATOR)), Vec::new());
    let effects = read(&mut bench, &effects, record(Phase::Draft, 1));
    assert_eq!(kinds(&effects), [""; 0], "nothing leaves yet");
    bench.at = 2_000;
    let effects = bench.give(tumbler_types::role::v1::Input::Timer { timer: TimerId(0) });
    let effects = read(&mut bench, &effects, record(Phase::Draft, 0));
    let effects = shown(&mut bench, &effects, Tag::NONE);
    assert_eq!(kinds(&effects), ["apply-request"]);
    let (token, ..) = only_call(&effects);
    let effects = bench.answer(token, ApplyReply { applied: true, last: None });
    let effects = shown(&mut bench, &effects, value_tag(&value(2)));
    assert_eq!(kinds(&effects), ["login-request"]);
}

#[test]
fn a_closing_effect_is_looked_up_again_after_the_quarantine_and_repeated_if_it_was_undone() {
    let (mut bench, effects) = Bench::boot(Rotator::new(last_write_wins(ROTATOR)), Vec::new());
    let mut effects = read(&mut bench, &effects, record(Phase::Discard, 1));
    effects = shown(&mut bench, &effects, Tag::NONE);
    for _ in 0..2 {
        let (token, _, frame) = only_call(&effects);
        assert_eq!(frame.kind().name(), "login-request");
        let refusal = Some(tumbler_types::event::Refusal::WrongValue);
        effects =
            bench.answer(token, LoginReply { refusal, blue: Default::default(), green: Default::default() });
    }
    assert_eq!(kinds(&effects), [""; 0], "all agree, and it is too early to close");
    bench.at = 2_000;
    let effects = bench.give(tumbler_types::role::v1::Input::Timer { timer: TimerId(0) });
    let effects = read(&mut bench, &effects, record(Phase::Discard, 0));
    let effects = shown(&mut bench, &effects, value_tag(&value(2)));
    assert_eq!(kinds(&effects), ["apply-request"], "a late `Set` came in between");
}

/// An authority with a rotation whose `Draft` began at second 20 and was given up at second 30.
fn given_up() -> Bench<Authority> {
    let mut bench = Bench::boot(Authority::new(last_write_wins(NodeId(0))), vec![genesis()]).0;
    bench.ask(AGENT, OrderRequest { secret: SECRET, order: OrderKind::Rotate, txn: None });
    bench.at = 20_000;
    bench.ask(ROTATOR, LeaseRequest { secret: SECRET, latest: None });
    let begun = bench.ask(
        ROTATOR,
        BeginRequest {
            secret: SECRET,
            epoch: Epoch(1),
            txn: TxnId(1),
            version: VersionId(2),
            principal: Principal::Green,
            value: value(2),
        },
    );
    assert_eq!(left(&begun), Span::from_millis(30_500));
    bench.at = 30_000;
    bench.ask(AGENT, OrderRequest { secret: SECRET, order: OrderKind::RollBack, txn: None });
    bench
}

fn left(frame: &Frame) -> Span {
    let Frame::RecordReply(reply) = frame else { panic!("expected a record, got {frame:?}") };
    reply.record.quarantine_left
}

#[test]
fn the_record_counts_the_quarantine_down_from_begin_and_again_from_the_end_of_draft() {
    let mut bench = given_up();
    bench.at = 31_000;
    assert_eq!(left(&bench.ask(ROTATOR, ReadRequest { secret: SECRET })), Span::from_millis(29_500));
}

#[test]
fn a_transaction_does_not_close_before_its_quarantine_is_over() {
    let mut bench = given_up();
    let edge = |from, to| AdvanceRequest { secret: SECRET, epoch: Epoch(1), txn: TxnId(1), from, to };
    bench.ask(ROTATOR, edge(Phase::Revert, Phase::Discard));
    for (at, done) in [(60_499, false), (60_500, true)] {
        bench.at = at;
        let frame = bench.ask(ROTATOR, edge(Phase::Discard, Phase::Idle));
        let Frame::RecordReply(reply) = frame else { panic!("expected a record, got {frame:?}") };
        assert_eq!(reply.done, done, "at {at} ms");
    }
}
