//! What harms of disks, clocks and processes do, and that nothing of it is left once they are healed.

use crate::toy::{self, CLIENT, SERVER, at_ms, plan};
use std::sync::{Arc, Mutex};
use tumbler_plan::{ClockHarm, DiskHarm, FaultAction, LinkHarm, Point, ProcessHarm, Share, Trigger, Until};
use tumbler_types::event::LossCause;
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{Event, NodeId, RecordId, Span, TimerId, Token};
use tumbler_world::{Options, Outcome, run};

const AUTHORITY: NodeId = NodeId(0);

fn at(millis: u64) -> Trigger {
    Trigger::At(at_ms(millis))
}

fn after(millis: u64) -> Until {
    Until::After(Span::from_millis(millis))
}

fn disk(harm: DiskHarm, millis: u64) -> FaultAction {
    FaultAction::Disk { node: SERVER, harm, until: after(millis) }
}

fn crash(millis: u64) -> (Trigger, FaultAction) {
    (at(millis), FaultAction::Crash { node: SERVER, until: after(100) })
}

fn times(outcome: &Outcome, node: NodeId, kind: &str) -> Vec<u64> {
    let own = outcome.trace.iter().filter(|seen| seen.node == node && seen.event.kind() == kind);
    own.map(|seen| seen.at.nanos() / 1_000_000).collect()
}

/// The run, and the number of the call whose record the server finds at each start (0: none).
fn found(faults: Vec<(Trigger, FaultAction)>) -> (Outcome, Vec<u64>) {
    let found = Arc::new(Mutex::new(Vec::new()));
    let seen = found.clone();
    let roles = move |plan: &_, node, build| -> Box<dyn Role> {
        let role = toy::toy(plan, node, build);
        if node == SERVER { Box::new(Finder { role, found: seen.clone() }) } else { role }
    };
    let outcome = run(&plan(faults), &roles, &keeping());
    let found = found.lock().expect("no one panicked").clone();
    (outcome, found)
}

fn keeping() -> Options {
    Options { keep_trace: true, judge: false, ..Options::default() }
}

struct Finder {
    role: Box<dyn Role>,
    found: Arc<Mutex<Vec<u64>>>,
}

impl Role for Finder {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        if let Input::Boot { disk, .. } = &input {
            // The server writes the call's token; a client's calls count from 0.
            let own = disk.iter().find(|record| record.record == RecordId(7));
            let token = own.map(|record| u64::from_le_bytes(record.bytes[..8].try_into().expect("8 bytes")));
            let number = token.map_or(0, |token| (token & 0xffff_ffff) + 1);
            self.found.lock().expect("no one panicked").push(number);
        }
        self.role.handle(now, input)
    }
}

#[test]
fn a_torn_write_is_never_in_force_and_the_next_one_is() {
    let second = Trigger::On {
        pattern: tumbler_plan::Pattern::new(Point::PersistBegins, Some(SERVER)),
        nth: 2,
        after: at_ms(0),
    };
    let (outcome, found) = found(vec![(second, disk(DiskHarm::Torn, 300)), crash(4_500)]);
    assert_eq!(found, [0, 1, 4], "the first call's record stays in force, the fourth is the next");
    assert_eq!(times(&outcome, SERVER, "Crashed"), [2_010, 4_500]);
    assert_eq!(times(&outcome, SERVER, "Replied")[..3], [1_020, 3_020, 4_020]);
}

#[test]
fn a_full_disk_fails_records_until_there_is_room() {
    let (outcome, _) = found(vec![(at(1_500), disk(DiskHarm::Full, 1_000))]);
    assert_eq!(times(&outcome, SERVER, "PersistFailed"), [2_020]);
    assert_eq!(times(&outcome, SERVER, "Persisted")[..3], [1_020, 3_020, 4_020]);
}

/// Proposes an entry each second.
struct Scribe(u64);

impl Role for Scribe {
    fn handle(&mut self, _: Now, input: Input) -> Effects {
        let mut effects = Effects::new();
        if matches!(input, Input::Boot { .. } | Input::Timer { .. }) {
            if matches!(input, Input::Timer { .. }) {
                self.0 += 1;
                effects.push(Effect::Propose { token: Token(self.0), command: vec![1, 2, 3] });
            }
            effects.push(Effect::SetTimer { timer: TimerId(0), after: Span::from_secs(1) });
        }
        effects
    }
}

#[test]
fn a_node_that_cannot_write_its_log_stops_until_there_is_room() {
    let roles = |plan: &_, node, build| -> Box<dyn Role> {
        if node == AUTHORITY { Box::new(Scribe(0)) } else { toy::toy(plan, node, build) }
    };
    let full = FaultAction::Disk { node: AUTHORITY, harm: DiskHarm::Full, until: after(1_000) };
    let outcome = run(&plan(vec![(at(1_500), full)]), &roles, &keeping());
    assert_eq!(times(&outcome, AUTHORITY, "Crashed"), [2_000]);
    assert_eq!(times(&outcome, AUTHORITY, "Started"), [0, 2_500]);
    assert_eq!(times(&outcome, AUTHORITY, "ProposeBegan")[..3], [1_000, 2_000, 3_500]);
}

#[test]
fn a_stalled_disk_ends_its_writes_when_it_goes_on() {
    let (outcome, _) = found(vec![(at(1_500), disk(DiskHarm::Stall, 1_000))]);
    assert_eq!(times(&outcome, SERVER, "Persisted")[..3], [1_020, 2_500, 3_020]);
    assert_eq!(times(&outcome, CLIENT, "Returned")[..2], [1_030, 3_030], "the second call timed out");
}

/// Writes three records at once, and notes which of them it finds.
struct Writer(Arc<Mutex<Vec<Vec<u32>>>>);

impl Role for Writer {
    fn handle(&mut self, _: Now, input: Input) -> Effects {
        let Input::Boot { disk, .. } = input else { return Effects::new() };
        let own = disk.iter().map(|record| record.record.0).filter(|record| *record >= 10);
        self.0.lock().expect("no one panicked").push(own.collect());
        let write = |record: u32| Effect::Persist {
            token: Token(record.into()),
            record: RecordId(record),
            bytes: vec![1],
        };
        [10, 11, 12].map(write).into_iter().collect()
    }
}

/// What a crash in the midst of three writes leaves of them, over some seeds.
fn survivors(faults: &[(Trigger, FaultAction)]) -> Vec<Vec<u32>> {
    let survivors = |seed| {
        let found = Arc::new(Mutex::new(Vec::new()));
        let seen = found.clone();
        let roles = move |plan: &_, node, build| -> Box<dyn Role> {
            if node == SERVER { Box::new(Writer(seen.clone())) } else { toy::toy(plan, node, build) }
        };
        let crash = FaultAction::Crash { node: SERVER, until: after(100) };
        let mut plan = plan([faults, &[(at(5), crash)]].concat());
        plan.seed = seed;
        let _ = run(&plan, &roles, &keeping());
        let found = found.lock().expect("no one panicked");
        found[1].clone()
    };
    (0..64).map(survivors).collect()
}

#[test]
fn a_reordering_cache_keeps_any_of_the_unsynced_writes_and_an_honest_one_the_first() {
    let is_first = |left: &Vec<u32>| [10, 11, 12].starts_with(left);
    let reordered = survivors(&[(at(1), disk(DiskHarm::Reorder, 1_000))]);
    assert!(reordered.iter().any(|left| !is_first(left)));
    assert!(survivors(&[]).iter().all(is_first));
    let healed = survivors(&[(at(1), disk(DiskHarm::Reorder, 2))]);
    assert!(healed.iter().all(is_first));
}

#[test]
fn a_node_whose_disk_rotted_does_not_start_before_a_good_copy_is_back() {
    let rot = (at(1_500), disk(DiskHarm::Rot, 3_000));
    let (outcome, found) = found(vec![rot, crash(1_700), crash(6_500)]);
    assert_eq!(times(&outcome, SERVER, "Started"), [0, 1_800, 4_500, 6_600]);
    assert_eq!(times(&outcome, SERVER, "Crashed"), [1_700, 1_800, 6_500], "it starts, checks, and stops");
    assert_eq!(found, [0, 1, 6], "nothing is handed out that is not what was written");
}

#[test]
fn what_rotted_and_is_written_anew_is_sound() {
    let (outcome, found) = found(vec![(at(1_500), disk(DiskHarm::Rot, 7_000)), crash(2_500)]);
    // The toy's target has one record more, from before the run: this seed hits the one written anew.
    assert_eq!(found, [0, 2]);
    assert_eq!(times(&outcome, SERVER, "Started"), [0, 2_600]);
}

#[test]
fn a_lying_disk_loses_in_a_crash_what_it_reported_and_an_honest_one_does_not() {
    let lie = || (at(1_500), disk(DiskHarm::Lie, 3_000));
    assert_eq!(found(vec![lie(), crash(3_500)]).1, [0, 1]);
    assert_eq!(found(vec![lie(), crash(5_500)]).1, [0, 5], "it told the truth in the end");
    assert_eq!(found(vec![crash(3_500)]).1, [0, 3]);
}

#[test]
fn a_restored_node_has_what_it_had_and_goes_on_from_there() {
    let restore = disk(DiskHarm::Restore { back: Span::from_millis(1_000) }, 200);
    let (outcome, found) = found(vec![(at(3_500), restore), crash(5_500)]);
    assert_eq!(found, [0, 2, 5]);
    assert_eq!(times(&outcome, SERVER, "Started"), [0, 3_700, 5_600]);
}

#[test]
fn a_drifting_node_is_early_or_late_by_its_rate_and_on_time_afterwards() {
    let called = |ppm| {
        let harm = ClockHarm::Drift { ppm };
        let drift = FaultAction::Clock { node: CLIENT, harm, until: after(3_500) };
        let outcome = run(&plan(vec![(at(500), drift)]), &toy::toy, &keeping());
        times(&outcome, CLIENT, "Called")[..6].to_vec()
    };
    // A timer that was set at another rate is late by its share of the difference, and never early.
    assert_eq!(called(100_000), [1_000, 1_909, 2_818, 3_727, 4_700, 5_700]);
    assert_eq!(called(-100_000), [1_055, 2_166, 3_277, 4_388, 5_388, 6_388]);
    assert_eq!(called(0), [1_000, 2_000, 3_000, 4_000, 5_000, 6_000]);
}

/// Notes what its wall clock shows beyond true time each 250 ms, in milliseconds.
struct Watcher(Arc<Mutex<Vec<i64>>>);

impl Role for Watcher {
    fn handle(&mut self, now: Now, _: Input) -> Effects {
        // A pause would be needed for the two to differ otherwise: it boots at 0 and never sleeps.
        let off = i128::from(now.wall.true_instant().nanos()) - i128::from(now.mono.nanos());
        let millis = i64::try_from(off / 1_000_000).expect("a short run");
        self.0.lock().expect("no one panicked").push(millis);
        [Effect::SetTimer { timer: TimerId(0), after: Span::from_millis(250) }].into_iter().collect()
    }
}

#[test]
fn a_clock_that_steps_stands_still_or_strobes_is_right_again_afterwards() {
    let shown = |fault| {
        let offs = Arc::new(Mutex::new(Vec::new()));
        let seen = offs.clone();
        let roles = move |plan: &_, node, build| -> Box<dyn Role> {
            if node == CLIENT { Box::new(Watcher(seen.clone())) } else { toy::toy(plan, node, build) }
        };
        let outcome = run(&plan(vec![(at(500), fault)]), &roles, &keeping());
        assert_eq!(times(&outcome, CLIENT, "ClockSet"), [500, 1_500]);
        let offs = offs.lock().expect("no one panicked");
        offs[..8].to_vec()
    };
    let harm = |harm| FaultAction::Clock { node: CLIENT, harm, until: after(1_000) };
    assert_eq!(shown(harm(ClockHarm::Freeze)), [0, 0, 0, -250, -500, -750, 0, 0]);
    let strobe = ClockHarm::Strobe { offset_nanos: 90_000_000, period: Span::from_millis(300) };
    assert_eq!(shown(harm(strobe)), [0, 0, 90, 90, 0, 90, 0, 0]);
    for millis in [-80, 80] {
        let step =
            FaultAction::ClockStep { node: CLIENT, offset_nanos: millis * 1_000_000, until: after(1_000) };
        assert_eq!(shown(step), [0, 0, millis, millis, millis, millis, 0, 0]);
    }
}

fn process(node: NodeId, harm: ProcessHarm, millis: u64) -> FaultAction {
    FaultAction::Process { node, harm, until: after(millis) }
}

#[test]
fn a_slow_node_takes_its_time_for_each_input_and_counts_as_out_of_reach() {
    let slow = process(SERVER, ProcessHarm::Slow { lag: Span::from_millis(100) }, 2_000);
    let (outcome, _) = found(vec![(at(1_500), slow)]);
    // An input, and the end of its write.
    assert_eq!(times(&outcome, SERVER, "Replied")[..4], [1_020, 2_220, 3_220, 4_020]);
    assert_eq!(times(&outcome, SERVER, "Unreachable"), [1_500]);
    assert_eq!(times(&outcome, SERVER, "Reachable").last(), Some(&3_500));
}

#[test]
fn a_looping_node_crashes_after_each_start_until_it_is_mended() {
    let harm = ProcessHarm::CrashLoop { up: Span::from_millis(500), down: Span::from_millis(200) };
    let (outcome, _) = found(vec![(at(1_500), process(SERVER, harm, 1_500))]);
    assert_eq!(times(&outcome, SERVER, "Crashed"), [1_500, 2_200, 2_900]);
    assert_eq!(times(&outcome, SERVER, "Started"), [0, 1_700, 2_400, 3_000]);
}

#[test]
fn a_reconfigured_node_runs_with_the_other_periods_until_it_has_its_own_back() {
    let periods = Arc::new(Mutex::new(Vec::new()));
    let seen = periods.clone();
    let roles = move |plan: &tumbler_plan::Plan, node, build| {
        if node == SERVER {
            seen.lock().expect("no one panicked").push(plan.timing.heartbeat.millis());
        }
        toy::toy(plan, node, build)
    };
    let harm = ProcessHarm::Reconfigure { period: Span::from_millis(70) };
    let plan = plan(vec![(at(1_500), process(SERVER, harm, 1_000))]);
    let outcome = run(&plan, &roles, &keeping());
    let own = plan.timing.heartbeat.millis();
    assert_eq!(*periods.lock().expect("no one panicked"), [own, 70, own]);
    assert_eq!(times(&outcome, SERVER, "Started"), [0, 1_500, 2_500]);
}

#[test]
fn the_run_before_a_harm_is_the_undisturbed_one() {
    let harms = [
        disk(DiskHarm::Full, 500),
        disk(DiskHarm::Rot, 500),
        disk(DiskHarm::Restore { back: Span::from_millis(900) }, 500),
        FaultAction::Clock { node: CLIENT, harm: ClockHarm::Drift { ppm: 150 }, until: after(500) },
        process(SERVER, ProcessHarm::Slow { lag: Span::from_millis(7) }, 500),
    ];
    let quiet = run(&plan(Vec::new()), &toy::toy, &keeping());
    for harm in harms {
        let harmed = run(&plan(vec![(at(2_500), harm)]), &toy::toy, &keeping());
        let is_begin = |seen: &tumbler_types::Observed| matches!(seen.event, Event::FaultBegan { .. });
        let began = harmed.trace.iter().position(is_begin).expect("it fired");
        assert_eq!(harmed.trace[..began], quiet.trace[..began]);
    }
}

fn link(harm: LinkHarm, millis: u64) -> FaultAction {
    let (left, right) = (vec![CLIENT], vec![SERVER]);
    FaultAction::Link { left, right, symmetric: false, harm, until: after(millis) }
}

fn between(faults: Vec<(Trigger, FaultAction)>) -> Outcome {
    run(&plan(faults), &toy::toy, &keeping())
}

/// Causes of what was lost, in order.
fn losses(outcome: &Outcome) -> Vec<LossCause> {
    let cause = |seen: &tumbler_types::Observed| match seen.event {
        Event::Lost { to: SERVER | CLIENT, cause, .. } => Some(cause),
        _ => None,
    };
    outcome.trace.iter().filter_map(cause).collect()
}

const ALL: Share = Share { numerator: 1, denominator: 1 };
const HALF: Share = Share { numerator: 1, denominator: 2 };

#[test]
fn a_slow_link_takes_longer_for_its_share_until_it_is_healed() {
    let extra = Span::from_millis(200);
    let arrived = |share| {
        let outcome = between(vec![(at(1_500), link(LinkHarm::Slow { extra, share }, 4_000))]);
        let (open, server) = (times(&outcome, SERVER, "Reachable"), times(&outcome, SERVER, "CallArrived"));
        assert_eq!(open.last(), Some(&5_500), "a harmed link is no path that anything is owed on");
        server.iter().map(|time| time % 1_000 - 10).collect::<Vec<u64>>()
    };
    let all = arrived(ALL);
    assert!(all[1..5].iter().all(|late| (100..=200).contains(late)), "{all:?}");
    assert_eq!([all[0], all[5]], [0, 0]);
    let some = arrived(Share { numerator: 3, denominator: 4 });
    assert!(some[1..5].contains(&0) && some[1..5].iter().any(|late| *late >= 100), "{some:?}");
}

#[test]
fn a_lossy_link_loses_its_share_until_it_is_healed() {
    let outcome = between(vec![(at(1_500), link(LinkHarm::Lossy { share: ALL }, 2_000))]);
    assert_eq!(times(&outcome, SERVER, "CallArrived")[..2], [1_010, 4_010]);
    assert_eq!(losses(&outcome), [LossCause::Dropped; 2]);
    let outcome = between(vec![(at(500), link(LinkHarm::Lossy { share: HALF }, 8_000))]);
    assert!((1..8).contains(&losses(&outcome).len()));
}

#[test]
fn corrupted_frames_are_found_where_they_arrive_and_never_handled() {
    let outcome = between(vec![(at(1_500), link(LinkHarm::Corrupt { share: ALL }, 2_000))]);
    assert_eq!(times(&outcome, SERVER, "CallArrived")[..2], [1_010, 4_010]);
    assert_eq!(times(&outcome, SERVER, "Lost"), [2_010, 3_010]);
    assert_eq!(losses(&outcome), [LossCause::Corrupted; 2]);
}

#[test]
fn a_narrow_link_lets_messages_wait_and_drops_what_does_not_fit() {
    // A query takes some bytes; at 10 B/s each is seconds under way.
    let narrow = |queue_bytes| LinkHarm::Narrow { bytes_per_second: 10, queue_bytes };
    let roomy = between(vec![(at(1_500), link(narrow(1_000), 4_000))]);
    assert_eq!(losses(&roomy), []);
    let arrived = times(&roomy, SERVER, "CallArrived");
    assert!(!arrived.contains(&2_010) && arrived.contains(&6_010), "{arrived:?}");
    let short =
        between(vec![(at(1_500), link(LinkHarm::Narrow { bytes_per_second: 1, queue_bytes: 1 }, 4_000))]);
    assert!(losses(&short).contains(&LossCause::Full));
}

#[test]
fn a_half_open_connection_swallows_calls_until_one_of_them_times_out() {
    let outcome = between(vec![(at(1_500), link(LinkHarm::HalfOpen, 6_000))]);
    assert_eq!(times(&outcome, CLIENT, "CallUnknown"), [2_500], "then it connects anew");
    assert_eq!(times(&outcome, SERVER, "CallArrived")[..3], [1_010, 3_010, 4_010]);
    let back = FaultAction::Link {
        left: vec![SERVER],
        right: vec![CLIENT],
        symmetric: false,
        harm: LinkHarm::HalfOpen,
        until: after(2_000),
    };
    // The server calls nobody: only the end of the connection shows it.
    let outcome = between(vec![(at(1_500), back)]);
    assert_eq!(times(&outcome, CLIENT, "CallUnknown"), [2_500, 3_500]);
    assert_eq!(times(&outcome, CLIENT, "Returned")[..2], [1_030, 4_030]);
}

#[test]
fn a_reset_loses_what_is_in_flight_and_tells_the_caller_at_once_unless_it_is_cut_off() {
    let reset = FaultAction::Reset { left: vec![SERVER], right: vec![CLIENT] };
    let outcome = between(vec![(at(1_005), reset.clone())]);
    assert_eq!(times(&outcome, CLIENT, "CallUnknown"), [1_005]);
    assert_eq!(losses(&outcome), [LossCause::Reset]);
    assert_eq!(times(&outcome, CLIENT, "Returned")[0], 2_030, "the next call has a connection");
    // The request was there already: it takes effect, and its reply belongs to no connection.
    let outcome = between(vec![(at(1_015), reset.clone())]);
    assert_eq!(times(&outcome, CLIENT, "CallUnknown"), [1_015]);
    assert_eq!(times(&outcome, SERVER, "Persisted")[0], 1_020);
    let cut = FaultAction::Partition {
        left: vec![SERVER],
        right: vec![CLIENT],
        symmetric: false,
        until: after(200),
    };
    let outcome = between(vec![(at(1_001), cut), (at(1_005), reset)]);
    assert_eq!(times(&outcome, CLIENT, "CallUnknown"), [1_500], "no reset passes a cut");
}
