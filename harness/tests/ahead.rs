//! A step that the spec forbids is followed to what it was forbidden for.

use tumbler::ahead::ahead;
use tumbler::roles;
use tumbler_plan::Plan;
use tumbler_spec::Judges;
use tumbler_types::{Command, Event, Observed, Phase};
use tumbler_world::{Options, run};

/// An accepted run, and the place where its first rotation enters the phase.
fn accepted(phase: Phase) -> (Plan, Vec<Observed>, usize) {
    let plan = tumbler_scenarios::scenario("quiet").expect("shipped").scenario().plan(1);
    let trace = run(&plan, &roles::role, &Options { keep_trace: true, ..Options::default() }).trace;
    let enters = |observed: &Observed| matches!(observed.event, Event::Committed { command: Command::Advance { to, .. }, .. } if to == phase);
    let place = trace.iter().position(enters).expect("it is entered");
    (plan, trace, place)
}

/// The entry after the one at `place`, with another command.
fn next(observed: Observed, command: Command) -> Observed {
    let Event::Committed { index, at, secret, expected, .. } = observed.event else { panic!("no entry") };
    let (index, expected) = (index.next(), expected.next());
    Observed {
        seq: observed.seq + 1,
        event: Event::Committed { index, at, secret, expected, command },
        ..observed
    }
}

#[test]
fn a_rotation_that_is_retired_over_a_holder_leads_to_a_holder_that_is_refused() {
    let (plan, mut trace, place) = accepted(Phase::Staged);
    let Event::Committed { command: Command::Advance { epoch, txn, .. }, .. } = trace[place].event else {
        panic!("no advance")
    };
    let skip = |from, to| Command::Advance { epoch, txn, from, to };
    let forged = next(trace[place], skip(Phase::Staged, Phase::Promote));
    let second = next(forged, skip(Phase::Promote, Phase::Retire));
    trace.truncate(place + 1);
    trace.extend([forged, second]);
    let mut judges = Judges::new(&plan.topology, &plan.timing, &plan.bounds, plan.canaries);
    trace.iter().for_each(|observed| judges.observe(observed));
    assert_eq!(judges.divergence().expect("no such edge").seq, forged.seq);
    let told = ahead(&plan, &trace, second.seq);
    assert_eq!(told, ["held-accepted is broken 1 step on: Apply"], "the holder of v1 is closed out");
}

#[test]
fn a_run_that_goes_on_as_allowed_has_nothing_ahead() {
    let (plan, trace, place) = accepted(Phase::Canary);
    let told = ahead(&plan, &trace, trace[place].seq);
    assert!(told.len() == 1 && told[0].starts_with("nothing that the model breaks, in "), "{told:?}");
}
