//! The search itself: pinned counts, and every planted flaw found by the property that names it.

use std::time::Duration;
use tumbler_checker::{CheckBounds, CheckReport, Verdict, check, check_mutated};
use tumbler_spec::machine::{Machine, Mutation, Property};

const TINY: CheckBounds =
    CheckBounds { rotators: 2, agents: 1, rotations: 1, crashes: 1, zombies: 1, revocations: 0 };

/// The only agent of the others is the canary, which has always acknowledged before `Promote`.
const TWO_AGENTS: CheckBounds =
    CheckBounds { rotators: 2, agents: 2, rotations: 1, crashes: 0, zombies: 0, revocations: 0 };

fn verdict(report: &CheckReport, property: Property) -> &Verdict {
    let found = report.properties.iter().find(|(each, _)| *each == property);
    &found.expect("every property has a verdict").1
}

#[test]
fn the_small_search_holds_reaches_every_mark_and_counts_as_pinned() {
    let report = check(&CheckBounds::small(), 1, None);
    assert!(report.is_exhausted);
    for (property, verdict) in &report.properties {
        assert!(matches!(verdict, Verdict::Holds { .. }), "{}: {verdict:?}", property.id());
    }
    for (mark, is_seen) in &report.reached {
        assert!(is_seen, "{} was not reached", mark.name());
    }
    // A protocol change changes these: look at why before pinning again.
    assert_eq!((report.states, report.edges), (79_885, 727_940));
}

#[test]
fn the_count_does_not_depend_on_threads() {
    let (one, two) = (check(&TINY, 1, None), check(&TINY, 2, None));
    assert_eq!((one.states, one.edges), (two.states, two.edges));
    assert!(two.is_exhausted);
}

#[test]
fn a_search_cut_short_is_inconclusive_with_one_thread_and_with_two() {
    for threads in [1, 2] {
        let report = check(&CheckBounds::large(), threads, Some(Duration::from_millis(50)));
        assert!(!report.is_exhausted);
        for (property, verdict) in &report.properties {
            assert!(matches!(verdict, Verdict::Inconclusive { .. }), "{}: {verdict:?}", property.id());
        }
    }
}

/// The flaw is found by this property, and its path ends in the violation.
fn caught(bounds: CheckBounds, mutation: Mutation, property: Property) {
    let report = check_mutated(&bounds, mutation, 1, None);
    let Verdict::Violated { path } = verdict(&report, property) else {
        panic!("{mutation:?} was not caught by {}: {:?}", property.id(), report.properties);
    };
    // Without the flaw the same steps break nothing, or are not all possible.
    let limits = Machine::new(limits(bounds));
    let mut state = limits.initial().clone();
    for action in path {
        let Some((next, _)) = limits.apply(&state, *action) else { return };
        state = next;
    }
    assert!(property.holds(state.broken), "{mutation:?} makes no difference to {path:?}");
}

fn limits(bounds: CheckBounds) -> tumbler_spec::machine::Limits {
    let CheckBounds { rotators, agents, rotations, crashes, zombies, revocations } = bounds;
    tumbler_spec::machine::Limits { rotators, agents, rotations, crashes, zombies, revocations }
}

macro_rules! flaws {
    ($($test:ident: $mutation:ident in $bounds:expr => $property:ident;)*) => {$(
        #[test]
        fn $test() {
            caught($bounds, Mutation::$mutation, Property::$property);
        }
    )*};
}

flaws! {
    an_ignored_fence_breaks_applied_once: IgnoreFence in TINY => AppliedOnce;
    a_regenerated_value_breaks_applied_once: RegenerateOnUnknown in TINY => AppliedOnce;
    an_effect_before_its_intent_breaks_rollback_possible: EffectBeforeIntent in TINY => RollbackPossible;
    an_early_retire_closes_a_held_version: RetireEarly in TWO_AGENTS => HeldAccepted;
    an_early_discard_closes_a_held_version: DiscardEarly in TINY => HeldAccepted;
    a_rollback_closed_without_a_fence_lets_a_late_set_land: CloseUnfenced in TINY => RestAgrees;
    an_unknown_outcome_taken_for_applied_is_illegal: SkipQuery in TINY => TransitionsLegal;
    a_promise_before_durability_breaks_durable_ack: PromiseEarly in TINY => DurableAck;
    an_acknowledgement_before_durability_breaks_durable_ack: AcknowledgeEarly in TINY => DurableAck;
    a_stale_report_on_record_closes_a_held_version: RecordStale in TINY => HeldAccepted;
    a_granted_revoked_version_is_handed_out: GrantRevoked in CheckBounds::small() => RevokedUndelivered;
    an_expired_grant_that_is_served_breaks_revoked_undelivered: ServeExpired in TINY => RevokedUndelivered;
    a_forgiven_debt_breaks_revoked_refused: ForgiveDebt in CheckBounds::small() => RevokedRefused;
}

#[test]
fn every_mutation_is_planted_somewhere_above() {
    let source = include_str!("search.rs");
    for mutation in Mutation::ALL {
        assert!(source.contains(&format!(": {mutation:?} in ")), "{mutation:?} has no test");
    }
}
