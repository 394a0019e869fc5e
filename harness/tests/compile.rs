//! From the model to runs: paths of the machine, compiled.

use std::sync::atomic::AtomicBool;
use tumbler::compile::{End, realize, tour};
use tumbler_checker::Limit;
use tumbler_checker::graph::Graph;
use tumbler_plan::{Plan, Planted};
use tumbler_spec::machine::{Action, Limits, Machine, Mutation};
use tumbler_types::{Invariant, Verdict};
use tumbler_world::{Options, run};

const ROTATOR: Action = Action::Acquire { rotator: 0 };
const OTHER: Action = Action::Acquire { rotator: 1 };
const ASK: Action = Action::Ask { agent: 0 };
const STORE: Action = Action::Store { agent: 0 };
const STOP: Action = Action::Stop { agent: 0 };
const REPORT: Action = Action::Report { agent: 0 };

#[track_caller]
fn realized(path: &[Action]) -> tumbler::compile::Compiled {
    let compiled = realize(&Machine::new(Limits::small()), path, None);
    assert_eq!(compiled.end, End::Realized, "step {} of {path:?}", compiled.realized + 1);
    let outcome = run(&compiled.plan, &tumbler::roles::role, &Options::default());
    let judgement = outcome.judgement.expect("judged");
    assert_eq!(judgement.verdict, Verdict::Pass, "what follows is the system's own: {judgement:?}");
    compiled
}

#[test]
fn a_whole_rotation_is_taken_step_by_step() {
    let mut path = vec![ASK, STORE, REPORT, ROTATOR, Action::Begin, Action::Apply, Action::Query];
    path.extend([Action::Advance, Action::Advance, ASK, STORE, REPORT]);
    path.extend([Action::Advance, Action::Advance, Action::Advance, Action::Apply, Action::Query]);
    path.push(Action::Advance);
    realized(&path);
}

#[test]
fn faults_of_the_path_are_faults_of_the_plan() {
    for path in [
        vec![ASK, Action::LoseReply { agent: 0 }, ASK, STORE, STOP, Action::ExpireGrant { agent: 0 }],
        vec![ASK, STORE, REPORT, STOP, ASK, STORE, STOP, Action::ExpireGrant { agent: 0 }],
        vec![ROTATOR, Action::Begin, Action::Apply, Action::Query, Action::HoldAdvance, OTHER],
        vec![ROTATOR, Action::Begin, Action::Apply, Action::Query, Action::HoldAdvance, Action::Release],
        vec![ROTATOR, Action::Begin, Action::CrashRotator, Action::Apply, Action::Query, Action::Advance],
        vec![ROTATOR, Action::Begin, Action::Apply, OTHER, Action::RollBack, Action::CrashTarget],
        vec![ASK, Action::CrashAgent { agent: 0 }, ASK, STORE, REPORT, Action::Revoke { version: 1 }],
    ] {
        realized(&path);
    }
}

#[test]
fn a_held_call_lands_after_another_rotator_has_taken_over() {
    let path = [ROTATOR, Action::Begin, Action::HoldCall, OTHER, Action::Apply, Action::Release];
    let compiled = realized(&path);
    assert!(compiled.plan.faults.iter().any(|fault| fault.action.kind().name() == "hold"));
}

#[test]
fn what_the_code_never_does_is_said_with_its_step() {
    // The machine lets a rotator repeat an effect whenever it has not heard of it; the code asks first.
    let path = [ROTATOR, Action::Begin, Action::Apply, ASK, STORE, Action::Apply];
    let compiled = realize(&Machine::new(Limits::small()), &path, None);
    assert_eq!(compiled.realized, 5);
    assert!(matches!(compiled.end, End::Unrealizable { .. }), "{:?}", compiled.end);
}

/// The counterexample of a flaw of the machine, with the planted bug that is its twin: the run breaks the
/// same sentence. Without the bug the same schedule passes.
#[test]
fn a_counterexample_becomes_a_run_that_fails() {
    let machine = Machine::mutated(Limits::small(), Mutation::IgnoreFence);
    let path = [ROTATOR, Action::Begin, Action::HoldCall, OTHER, Action::Apply, Action::Release];
    let compiled = realize(&machine, &path, Some(Planted::TargetIgnoresFences));
    assert_eq!(compiled.end, End::Realized);
    let judge = |plan: &Plan| {
        let outcome = run(plan, &tumbler::roles::role, &Options::default());
        outcome.judgement.expect("judged")
    };
    let judgement = judge(&compiled.plan);
    assert_eq!(judgement.verdict, Verdict::Violated);
    assert!(judgement.findings.iter().any(|finding| finding.invariant == Invariant::AppliedOnce));
    let mut sound = compiled.plan.clone();
    sound.planted = None;
    assert_eq!(judge(&sound).verdict, Verdict::Pass);
}

/// Without a rotation there is little to do, and all of it can be had.
#[test]
fn a_tour_takes_every_step_of_a_small_graph() {
    let machine = Machine::new(Limits { rotations: 0, ..Limits::tiny() });
    let graph = Graph::explore(&machine, Limit { bytes: 1 << 20, stop_at: None, stop: None });
    let toured = tour::walk(&machine, &graph, &AtomicBool::new(false));
    let missing = (toured.diverged, toured.unrealizable, toured.behind);
    assert_eq!((toured.realized, missing), (graph.edge_count(), (0, 0, 0)), "{:?}", toured.whys);
    assert!(toured.realized > 50, "{toured:?}");
    let stopped = tour::walk(&machine, &graph, &AtomicBool::new(true));
    assert_eq!((stopped.realized, stopped.behind), (0, graph.edge_count()));
}
