//! "When rotator-1 has sent set to target-1 for the second time, hold it until rotator-2 has closed":
//! the shipped scenario says exactly that, and these tests show that it is what happens.

use tumbler::roles;
use tumbler_plan::{FaultAction, Plan, Trigger, Until};
use tumbler_types::event::FrameKind;
use tumbler_types::{Command, Event, FaultKind, NodeId, Observed, Phase, Verdict};
use tumbler_world::{Options, run};

const SEEDS: u64 = 12;

fn plan(seed: u64) -> Plan {
    tumbler_scenarios::scenario("second-set-held").expect("shipped").scenario().plan(seed)
}

fn trace(plan: &Plan) -> Vec<Observed> {
    let outcome = run(plan, &roles::role, &Options { keep_trace: true, ..Options::default() });
    let verdict = outcome.judgement.map(|judgement| judgement.verdict);
    assert_eq!(verdict, Some(Verdict::Pass), "seed {}", plan.seed);
    outcome.trace
}

/// Position of the first event that is so.
fn place(trace: &[Observed], is_it: impl Fn(NodeId, Event) -> bool) -> Option<usize> {
    trace.iter().position(|each| is_it(each.node, each.event))
}

fn hold(plan: &mut Plan) -> &mut FaultAction {
    let mut holds = plan.faults.iter_mut().filter(|fault| fault.action.kind() == FaultKind::Hold);
    &mut holds.next().expect("the scenario holds a request").action
}

/// Where it was held, and where it was released.
fn held(trace: &[Observed]) -> Option<(usize, usize)> {
    let begins =
        place(trace, |_, event| matches!(event, Event::Held { frame: FrameKind::ApplyRequest, .. }))?;
    let ends = place(trace, |_, event| matches!(event, Event::Released { .. }))?;
    Some((begins, ends))
}

#[test]
fn the_second_set_is_held_until_the_other_rotator_has_closed() {
    for seed in 0..SEEDS {
        let plan = plan(seed);
        let node = |name: &str| plan.topology.by_name(name).expect("a node of the scenario");
        let (first, second, target) = (node("rotator-1"), node("rotator-2"), node("target-1"));
        let trace = trace(&plan);
        let (begins, ends) = held(&trace).unwrap_or_else(|| panic!("seed {seed} held nothing"));
        assert_eq!(trace[begins].node, first);
        let asked = |each: &&Observed| {
            each.node == first
                && matches!(each.event, Event::Called { to, frame: FrameKind::ApplyRequest, .. } if to == target)
        };
        assert_eq!(trace[..=begins].iter().filter(asked).count(), 2, "seed {seed}: it is the second");
        // Whoever had the lease when the secret came to rest, it was the other one.
        let mut holder = None;
        for each in &trace[..ends] {
            match each.event {
                Event::Committed { command: Command::AcquireLease { rotator, .. }, .. } => {
                    holder = Some(rotator)
                }
                Event::Committed { command: Command::Advance { to: Phase::Idle, .. }, .. } => {
                    assert_eq!(holder, Some(second), "seed {seed}");
                }
                _ => {}
            }
        }
        let closes = trace[begins..ends].iter().rposition(|each| {
            matches!(each.event, Event::Committed { command: Command::Advance { to: Phase::Idle, .. }, .. })
        });
        let closes = begins + closes.unwrap_or_else(|| panic!("seed {seed}: nobody has closed"));
        assert_eq!(trace[closes].at, trace[ends].at, "seed {seed}: released when that was durable");
    }
}

#[test]
fn another_peer_step_count_or_closer_is_not_what_was_meant() {
    let plan = plan(1);
    let agent = plan.topology.by_name("agent-1").expect("a node of the scenario");
    let first = plan.topology.by_name("rotator-1").expect("a node of the scenario");
    let begins = held(&trace(&plan)).expect("it holds").0;
    let edited = |edit: &dyn Fn(&mut Plan)| {
        let mut edited = plan.clone();
        edit(&mut edited);
        held(&trace(&edited))
    };
    let on = |plan: &mut Plan, edit: &dyn Fn(&mut tumbler_plan::Pattern, &mut u32)| {
        for fault in &mut plan.faults {
            if let (FaultKind::Hold, Trigger::On { pattern, nth, .. }) =
                (fault.action.kind(), &mut fault.trigger)
            {
                edit(pattern, nth);
            }
        }
    };
    assert_eq!(edited(&|plan| on(plan, &|pattern, _| pattern.peer = Some(agent))), None);
    assert_eq!(
        edited(&|plan| on(plan, &|pattern, _| pattern.step = Some(tumbler_types::Step::DisableCurrent))),
        None
    );
    assert_eq!(edited(&|plan| on(plan, &|_, nth| *nth = 99)), None);
    assert_eq!(edited(&|plan| plan.faults.retain(|fault| fault.action.kind() != FaultKind::Hold)), None);
    let by_first = edited(&|plan| {
        if let Some(Until::On { pattern, .. }) = hold(plan).until_mut() {
            pattern.peer = Some(first);
        }
    });
    let twice = edited(&|plan| {
        if let Some(Until::On { nth, .. }) = hold(plan).until_mut() {
            *nth = 2;
        }
    });
    let usual = held(&trace(&plan)).expect("it holds").1;
    for (what, other) in [("by the other", by_first), ("the second time", twice)] {
        let (same, later) = other.unwrap_or_else(|| panic!("{what}: nothing was held"));
        assert_eq!(same, begins, "{what}");
        assert!(later > usual, "{what}: {later} and {usual}");
    }
}
