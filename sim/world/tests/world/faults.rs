//! What each fault does, seen from outside, with exact latencies.

use crate::toy::{self, CLIENT, SERVER, at_ms, count, first, first_at, kinds, plan, trace};
use std::sync::{Arc, Mutex};
use tumbler_plan::{FaultAction, Point, Trigger, Until};
use tumbler_types::event::{FrameKind, LossCause};
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{Build, Event, Format, NodeId, Span, Tag, TimerId};
use tumbler_wire::Envelope;
use tumbler_world::{Driver, Options, Outcome, run};

const SENDING: Point = Point::Sending(FrameKind::QueryRequest);

fn after(millis: u64) -> Until {
    Until::After(Span::from_millis(millis))
}

#[test]
fn a_quiet_call_takes_two_latencies_and_one_write() {
    let outcome = trace(&plan(vec![]), Options::default());
    assert_eq!(first_at(&outcome, SERVER, "CallArrived"), Some(1_010));
    assert_eq!(first_at(&outcome, SERVER, "Persisted"), Some(1_020));
    assert_eq!(first_at(&outcome, CLIENT, "Returned"), Some(1_030));
    assert_eq!(count(&outcome, |event| matches!(event, Event::CallUnknown { .. })), 0);
}

#[test]
fn a_lost_reply_leaves_the_call_applied_and_unknown() {
    let outcome = trace(&plan(vec![(first(CLIENT, SENDING), FaultAction::LoseReply)]), Options::default());
    assert_eq!(first_at(&outcome, SERVER, "Persisted"), Some(1_020));
    assert_eq!(first_at(&outcome, CLIENT, "CallUnknown"), Some(1_500));
    assert_eq!(first_at(&outcome, CLIENT, "Returned"), Some(2_030), "only the next call returns");
}

#[test]
fn a_lost_request_never_arrives() {
    let outcome = trace(&plan(vec![(first(CLIENT, SENDING), FaultAction::LoseRequest)]), Options::default());
    assert_eq!(first_at(&outcome, SERVER, "CallArrived"), Some(2_010));
    assert_eq!(first_at(&outcome, CLIENT, "CallUnknown"), Some(1_500));
}

#[test]
fn a_held_request_is_applied_after_its_caller_gave_up() {
    let hold = FaultAction::Hold { until: after(2_500) };
    let outcome = trace(&plan(vec![(first(CLIENT, SENDING), hold)]), Options::default());
    assert_eq!(first_at(&outcome, CLIENT, "CallUnknown"), Some(1_500));
    let arrivals: Vec<u64> = kinds(&outcome, SERVER)
        .into_iter()
        .filter(|(_, kind)| *kind == "CallArrived")
        .map(|(at, _)| at)
        .collect();
    assert_eq!(arrivals[..3], [2_010, 3_010, 3_510], "the first request comes third");
    let ended = count(&outcome, |event| matches!(event, Event::Returned { .. }));
    assert_eq!(ended, 8, "a completed call does not complete again");
}

#[test]
fn a_cut_reaches_messages_that_are_already_in_flight() {
    let until = after(100);
    let cut = FaultAction::Partition { left: vec![CLIENT], right: vec![SERVER], symmetric: true, until };
    let outcome = trace(&plan(vec![(Trigger::At(at_ms(1_005)), cut)]), Options::default());
    assert_eq!(count(&outcome, |event| matches!(event, Event::Lost { cause: LossCause::Cut, .. })), 1);
    assert_eq!(first_at(&outcome, SERVER, "CallArrived"), Some(2_010));
}

#[test]
fn an_asymmetric_cut_stops_one_direction_only() {
    let until = after(100);
    let cut = FaultAction::Partition { left: vec![SERVER], right: vec![CLIENT], symmetric: false, until };
    let outcome = trace(&plan(vec![(Trigger::At(at_ms(995)), cut)]), Options::default());
    assert_eq!(first_at(&outcome, SERVER, "Persisted"), Some(1_020), "the request passes");
    assert_eq!(first_at(&outcome, CLIENT, "CallUnknown"), Some(1_500), "the reply does not");
    assert_eq!(first_at(&outcome, CLIENT, "Returned"), Some(2_030), "healed, both do");
}

#[test]
fn a_paused_node_does_nothing_and_then_goes_on_where_it_stopped() {
    let pause = FaultAction::Pause { node: CLIENT, until: after(3_000) };
    let outcome = trace(&plan(vec![(first(CLIENT, SENDING), pause)]), Options::default());
    let own = kinds(&outcome, CLIENT);
    let paused = own.iter().position(|(_, kind)| *kind == "Paused").expect("it paused");
    let resumed = own.iter().position(|(_, kind)| *kind == "Resumed").expect("it resumed");
    let between: Vec<_> =
        own[paused + 1..resumed].iter().filter(|(_, kind)| *kind != "Unreachable").collect();
    assert_eq!(between, Vec::<&(u64, &str)>::new());
    let next = own[resumed + 1..].iter().find(|(_, kind)| *kind != "Reachable");
    assert_eq!(next, Some(&(4_000, "Called")), "the call that the pause cut off");
}

#[test]
fn a_crashed_incarnation_has_no_further_effect_and_the_next_finds_what_was_durable() {
    for (point, survives) in [(Point::PersistBegins, false), (Point::PersistDone, true)] {
        let crash = FaultAction::Crash { node: SERVER, until: after(300) };
        let found = Arc::new(Mutex::new(Vec::new()));
        let roles = {
            let found = found.clone();
            move |plan: &_, node, build| {
                let role = toy::toy(plan, node, build);
                if node == SERVER { Box::new(Watched { role, found: found.clone() }) } else { role }
            }
        };
        let options = Options { keep_trace: true, judge: false, ..Options::default() };
        let outcome = run(&plan(vec![(first(SERVER, point), crash)]), &roles, &options);
        let found = found.lock().expect("no one panicked").clone();
        assert_eq!(found, [0, usize::from(survives)], "records found at each boot, {point:?}");
        assert_eq!(first_at(&outcome, SERVER, "Replied"), Some(2_020), "the first call is never answered");
        assert_eq!(count(&outcome, |event| matches!(event, Event::Crashed { .. })), 1);
    }
}

struct Watched {
    role: Box<dyn Role>,
    found: Arc<Mutex<Vec<usize>>>,
}

impl Role for Watched {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        if let Input::Boot { disk, .. } = &input {
            let written = disk.iter().filter(|record| record.record.0 == 7).count();
            self.found.lock().expect("no one panicked").push(written);
        }
        self.role.handle(now, input)
    }
}

/// Times at which this kind of event happens at the node.
fn times(outcome: &Outcome, node: NodeId, kind: &str) -> Vec<u64> {
    kinds(outcome, node).into_iter().filter(|(_, other)| *other == kind).map(|(at, _)| at).collect()
}

#[test]
fn a_doubled_request_is_handled_and_answered_twice_and_completes_once() {
    let doubled = vec![(first(CLIENT, SENDING), FaultAction::Duplicate)];
    let outcome = trace(&plan(doubled), Options::default());
    assert_eq!(times(&outcome, SERVER, "CallArrived")[..3], [1_010, 1_020, 2_010]);
    assert_eq!(times(&outcome, SERVER, "Persisted")[..3], [1_020, 1_030, 2_020]);
    assert_eq!(times(&outcome, SERVER, "Replied")[..3], [1_020, 1_030, 2_020]);
    assert_eq!(
        times(&outcome, CLIENT, "Returned")[..2],
        [1_030, 2_030],
        "the second answer completes nothing"
    );
    assert_eq!(count(&outcome, |event| matches!(event, Event::CallUnknown { .. })), 0);
}

#[test]
fn a_doubled_reply_completes_its_call_once() {
    let point = Point::Replying(FrameKind::QueryReply);
    let outcome = trace(&plan(vec![(first(SERVER, point), FaultAction::Duplicate)]), Options::default());
    assert_eq!(times(&outcome, SERVER, "Replied")[..2], [1_020, 2_020]);
    assert_eq!(times(&outcome, CLIENT, "Returned")[..2], [1_030, 2_030]);
}

#[test]
fn the_run_before_a_doubled_request_is_the_undisturbed_one() {
    let point = |nth| Trigger::On {
        pattern: tumbler_plan::Pattern::new(SENDING, Some(CLIENT)),
        nth,
        after: tumbler_types::Instant::ZERO,
    };
    let quiet = trace(&plan(vec![]), Options::default());
    let doubled = trace(&plan(vec![(point(3), FaultAction::Duplicate)]), Options::default());
    let began = doubled.trace.iter().position(|observed| observed.event.kind() == "FaultBegan");
    let began = began.expect("it fired");
    assert_eq!(doubled.trace[..began], quiet.trace[..began]);
    assert_eq!(doubled.trace[began].at, at_ms(3_000));
}

#[test]
fn a_failed_write_says_so_and_leaves_nothing() {
    let outcome = trace(
        &plan(vec![(first(SERVER, Point::PersistBegins), FaultAction::FailPersist)]),
        Options::default(),
    );
    assert_eq!(times(&outcome, SERVER, "PersistFailed"), [1_020]);
    assert_eq!(first_at(&outcome, CLIENT, "CallUnknown"), Some(1_500));
    assert_eq!(times(&outcome, SERVER, "Persisted")[0], 2_020, "the next one is written");
    assert_eq!(times(&outcome, CLIENT, "Returned")[0], 2_030);
}

#[test]
fn a_role_that_panics_ends_the_run_with_its_words() {
    for driver in [Driver::Queue, Driver::Tasks] {
        let plan = plan(vec![]);
        let roles = |plan: &_, node: NodeId, build| {
            if node == SERVER { Box::new(Grenade) } else { toy::toy(plan, node, build) }
        };
        let outcome = run(&plan, &roles, &Options { driver, ..Options::default() });
        let panic = outcome.panic.expect("it panicked");
        assert_eq!((panic.node, panic.message.as_str()), (SERVER, "asked once too often"));
        assert_eq!(outcome.judgement.expect("judged").verdict.exit_code(), 13);
    }
}

struct Grenade;

impl Role for Grenade {
    fn handle(&mut self, _: Now, input: Input) -> Effects {
        assert!(!matches!(input, Input::Called { .. }), "asked once too often");
        Effects::new()
    }
}

#[test]
fn a_redeployed_node_comes_back_as_the_other_build_and_stays_it() {
    let redeploy = FaultAction::Redeploy { node: SERVER, build: Build::Newer, until: after(300) };
    let crash = FaultAction::Crash { node: SERVER, until: after(300) };
    let later = Trigger::At(at_ms(4_000));
    let made = Arc::new(Mutex::new(Vec::new()));
    let roles = {
        let made = made.clone();
        move |plan: &_, node, build| {
            if node == SERVER {
                made.lock().expect("no one panicked").push(build);
            }
            toy::toy(plan, node, build)
        }
    };
    let mut plan = plan(vec![(Trigger::At(at_ms(1_500)), redeploy), (later, crash)]);
    plan.builds.push(tumbler_plan::Deployed { node: SERVER, build: Build::Older });
    let outcome = run(&plan, &roles, &Options { keep_trace: true, judge: false, ..Options::default() });
    assert_eq!(*made.lock().expect("no one panicked"), [Build::Older, Build::Newer, Build::Newer]);
    assert_eq!(times(&outcome, SERVER, "Crashed"), [1_500, 4_000]);
    assert_eq!(times(&outcome, SERVER, "Started"), [0, 1_800, 4_300]);
}

/// The toy's floor is the lowest, so only a raised one takes an old build out, and heal brings it back.
#[test]
fn a_build_below_the_floor_takes_no_part_and_is_given_back_when_all_is_healed() {
    let redeploy = FaultAction::Redeploy { node: CLIENT, build: Build::Older, until: after(300) };
    let mut raised = plan(vec![(Trigger::At(at_ms(1_500)), redeploy)]);
    raised.floor = Format(2);
    let outcome = trace(&raised, Options::default());
    assert_eq!(times(&outcome, CLIENT, "Unreachable"), [1_500], "down first, and then too old");
    assert_eq!(times(&outcome, CLIENT, "Started"), [0, 1_800, 9_000]);
    assert_eq!(times(&outcome, CLIENT, "Reachable").last(), Some(&9_000));
    raised.floor = Format(1);
    let outcome = trace(&raised, Options::default());
    assert_eq!(times(&outcome, CLIENT, "Started"), [0, 1_800]);
    assert_eq!(times(&outcome, CLIENT, "Reachable").last(), Some(&1_800));
}

/// Says hello in an envelope, once a second.
struct Sealed(NodeId);

impl Role for Sealed {
    fn handle(&mut self, _: Now, input: Input) -> Effects {
        let mut effects = Effects::new();
        if matches!(input, Input::Boot { .. } | Input::Timer { .. }) {
            let envelope = Envelope { highest: Format(3), floor: Format(2), speaker: self.0, echo: Tag(1) };
            let frame = envelope.seal(&[3, FrameKind::Replicate as u8]).0;
            effects.push(Effect::Send { to: SERVER, frame });
            effects.push(Effect::SetTimer { timer: TimerId(0), after: Span::from_secs(1) });
        }
        effects
    }
}

#[test]
fn a_stripped_message_arrives_with_other_bytes_and_the_next_does_not() {
    let roles = |plan: &_, node, build| -> Box<dyn Role> {
        if node == CLIENT { Box::new(Sealed(node)) } else { toy::toy(plan, node, build) }
    };
    let strip = |nth| Trigger::On {
        pattern: tumbler_plan::Pattern::new(Point::Sending(FrameKind::Replicate), Some(CLIENT)),
        nth,
        after: tumbler_types::Instant::ZERO,
    };
    let options = Options { keep_trace: true, judge: false, ..Options::default() };
    let outcome = run(&plan(vec![(strip(3), FaultAction::Strip)]), &roles, &options);
    let received: Vec<Tag> = outcome
        .trace
        .iter()
        .filter_map(|observed| match observed.event {
            Event::Received { tag, .. } if observed.node == SERVER => Some(tag),
            _ => None,
        })
        .collect();
    // The first one left before the server had booted.
    assert_ne!(received[1], received[0]);
    assert!(received[2..].iter().all(|tag| *tag == received[0]));
}

/// A pause keeps a clock going and its timers come at once; a sleep stops both.
#[test]
fn timers_and_time_outs_of_nodes_that_slept_come_as_much_later() {
    let sleep = FaultAction::Suspend { nodes: vec![CLIENT], until: after(2_250) };
    let outcome = trace(&plan(vec![(Trigger::At(at_ms(1_500)), sleep)]), Options::default());
    assert_eq!(times(&outcome, CLIENT, "Called")[..4], [1_000, 4_250, 5_250, 6_250]);
    let pause = FaultAction::Pause { node: CLIENT, until: after(2_250) };
    let outcome = trace(&plan(vec![(Trigger::At(at_ms(1_500)), pause)]), Options::default());
    assert_eq!(times(&outcome, CLIENT, "Called")[..4], [1_000, 3_750, 4_750, 5_750]);
    // The reply is lost, and the time-out of 500 ms ends after the sleep in its middle.
    let sleep = FaultAction::Suspend { nodes: vec![CLIENT, NodeId(2)], until: after(1_000) };
    let lost = (first(CLIENT, SENDING), FaultAction::LoseReply);
    let outcome = trace(&plan(vec![lost, (Trigger::At(at_ms(1_200)), sleep)]), Options::default());
    assert_eq!(times(&outcome, CLIENT, "CallUnknown"), [2_500]);
    assert_eq!(times(&outcome, NodeId(2), "Paused"), [1_200], "the group sleeps together");
    // A sleeper that crashes wakes as a new incarnation, whose clock begins anew.
    let sleep = FaultAction::Suspend { nodes: vec![CLIENT], until: after(3_000) };
    let crash = FaultAction::Crash { node: CLIENT, until: after(500) };
    let both = vec![(Trigger::At(at_ms(1_500)), sleep), (Trigger::At(at_ms(2_000)), crash)];
    let outcome = trace(&plan(both), Options::default());
    assert_eq!(times(&outcome, CLIENT, "Called")[..3], [1_000, 3_500, 4_500]);
}
