//! The cases in the simulated world: a toy client that calls a toy server, which writes before it answers.

use crate::real::{AT_ONCE, FAILS, FORMER, NEXT, WAITS};
use crate::toy::{self, CLIENT, SERVER, at_ms, plan};
use tumbler_plan::{DiskHarm, FaultAction, LinkHarm, Pattern, Point, Trigger, Until};
use tumbler_types::event::LossCause;
use tumbler_types::{Event, NodeId, Observed, Span};
use tumbler_world::{Options, Outcome, run};

/// The second call leaves at 2 s, arrives 10 ms later, is durable 10 ms after that, and times out at 2.5 s.
fn traced(faults: Vec<(Trigger, FaultAction)>) -> Outcome {
    let options = Options { keep_trace: true, judge: false, ..Options::default() };
    run(&plan(faults), &toy::toy, &options)
}

fn at(millis: u64) -> Trigger {
    Trigger::At(at_ms(millis))
}

const fn after(millis: u64) -> Until {
    Until::After(Span::from_millis(millis))
}

fn is_at(seen: &Observed, node: NodeId, kind: &str) -> bool {
    seen.node == node && seen.event.kind() == kind
}

/// When the caller of the second call knew how it ended.
fn told(outcome: &Outcome) -> &'static str {
    let is_second = |seen: &Observed| seen.at > at_ms(2_000) && seen.at <= at_ms(2_500);
    let known = outcome.trace.iter().find(|seen| is_second(seen) && is_at(seen, CLIENT, "CallUnknown"));
    match known.map(|seen| seen.at) {
        Some(at) if at == at_ms(2_500) => WAITS,
        Some(_) => AT_ONCE,
        None => "an answer",
    }
}

fn cut(symmetric: bool) -> FaultAction {
    FaultAction::Partition { left: vec![CLIENT], right: vec![SERVER], symmetric, until: after(2_000) }
}

fn crash() -> FaultAction {
    FaultAction::Crash { node: SERVER, until: after(2_000) }
}

pub fn call_across_a_cut() -> &'static str {
    told(&traced(vec![(at(1_500), cut(true))]))
}

pub fn send_into_a_cut() -> &'static str {
    told(&traced(vec![(at(2_005), cut(true))]))
}

pub fn call_a_node_that_is_down() -> &'static str {
    told(&traced(vec![(at(1_500), crash())]))
}

pub fn callee_crashes() -> &'static str {
    told(&traced(vec![(at(2_012), crash())]))
}

pub fn reset() -> &'static str {
    let reset = FaultAction::Reset { left: vec![CLIENT], right: vec![SERVER] };
    told(&traced(vec![(at(2_012), reset)]))
}

pub fn one_way() -> &'static str {
    let there = told(&traced(vec![(at(1_500), cut(false))]));
    // Cut after the request has passed, in its direction alone: the answer comes.
    let back = told(&traced(vec![(at(2_015), cut(false))]));
    match (there, back) {
        (WAITS, "an answer") => "one way ends without a word, the other goes on",
        _ => "both ways end",
    }
}

pub fn queue_full() -> &'static str {
    let harm = LinkHarm::Narrow { bytes_per_second: 1, queue_bytes: 1 };
    let (left, right) = (vec![CLIENT], vec![SERVER]);
    let narrow = FaultAction::Link { left, right, symmetric: false, harm, until: after(2_500) };
    let outcome = traced(vec![(at(500), narrow)]);
    let is_full = |seen: &Observed| matches!(seen.event, Event::Lost { cause: LossCause::Full, .. });
    assert!(outcome.trace.iter().any(is_full));
    told(&outcome)
}

pub fn frames_are_whole() -> &'static str {
    let outcome = traced(Vec::new());
    let count = |kind| outcome.trace.iter().filter(|seen| is_at(seen, SERVER, kind)).count();
    if count("CallArrived") == count("Replied") { "all or nothing" } else { "any part" }
}

/// Whether the second call's record survived a crash after the fault.
fn left(faults: Vec<(Trigger, FaultAction)>) -> &'static str {
    let outcome = traced(faults);
    let kept = outcome
        .trace
        .iter()
        .any(|seen| is_at(seen, SERVER, "Persisted") && seen.at > at_ms(2_000) && seen.at < at_ms(2_500));
    if kept { NEXT } else { FORMER }
}

pub fn record_replaced() -> &'static str {
    left(Vec::new())
}

fn on(point: Point) -> Trigger {
    Trigger::On { pattern: Pattern::new(point, Some(SERVER)), nth: 2, after: at_ms(0) }
}

pub fn torn() -> &'static str {
    left(vec![(on(Point::PersistBegins), disk(DiskHarm::Torn))])
}

fn disk(harm: DiskHarm) -> FaultAction {
    FaultAction::Disk { node: SERVER, harm, until: after(400) }
}

pub fn disk_full() -> &'static str {
    let outcome = traced(vec![(at(1_900), disk(DiskHarm::Full))]);
    let fails = outcome.trace.iter().any(|seen| is_at(seen, SERVER, "PersistFailed"));
    if fails { FAILS } else { "the write is taken" }
}

pub fn crash_after_write() -> &'static str {
    left(vec![(at(2_021), crash())])
}

pub fn crash_before_write() -> &'static str {
    left(vec![(at(2_015), crash())])
}

/// The world's own test `a_reordering_cache_keeps_any_of_the_unsynced_writes…` shows it.
pub fn reordered() -> &'static str {
    "the first few, or any under disk-reorder"
}
