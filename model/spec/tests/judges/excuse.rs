//! Excuses: what a broken assumption carries, over every set of broken assumptions.

use super::*;
use std::collections::BTreeSet;
use tumbler_spec::assumption::carries;

type Break = fn(&mut Run);

/// The smallest breaks of four invariants, two of which clocks carry.
const BREAKS: [(Invariant, Break); 4] = [
    (Invariant::AppliedOnce, |run| {
        run.begin(1).enforce(1, Step::Set, Principal::Green, GREEN).wait(11).lease(2);
        run.enforce(2, Step::Set, Principal::Green, BLUE);
    }),
    (Invariant::RevokedUndelivered, |run| {
        run.revoke(V1).wait(5).hand_out(AGENT, V1);
    }),
    (Invariant::HolderServed, |run| {
        run.wait(1).see(AGENT, Event::Withheld { secret: SECRET, to: WORKLOAD });
    }),
    (Invariant::DurableAck, |run| {
        let index = run.index;
        run.see(AUTHORITY, Event::Answered { index });
        run.see(AUTHORITY, Event::LogRecovered { length: LogIndex(index.0 - 1) });
    }),
];

/// Every set of broken assumptions against every break: 512 runs.
#[test]
fn what_a_broken_assumption_carries_is_excused_and_told_and_nothing_else_is() {
    let mut both = [0, 0];
    for mask in 0..1_u32 << Assumption::ALL.len() {
        let is_broken = |index: usize| mask & (1 << index) != 0;
        let broken: BTreeSet<Assumption> =
            Assumption::ALL.into_iter().enumerate().filter(|(i, _)| is_broken(*i)).map(|(_, a)| a).collect();
        for (invariant, break_it) in BREAKS {
            let mut run = Run::new();
            run.judges = run.judges.clone().breaking(&broken);
            break_it(&mut run);
            let judgement = run.end();
            let ids = |found: &[tumbler_spec::Finding]| -> Vec<Invariant> {
                found.iter().map(|each| each.invariant).collect()
            };
            let (found, excused) = (ids(&judgement.findings), ids(&judgement.excused));
            let is_carried = broken.iter().any(|each| carries(*each).contains(&invariant));
            if is_carried {
                assert_eq!((found, excused), (vec![], vec![invariant]), "{broken:?}");
                assert_eq!(count(&judgement, invariant), 0, "what is not owed is not exercised");
                assert_ne!(judgement.verdict, Verdict::Violated, "{broken:?}");
            } else {
                assert_eq!((found, excused), (vec![invariant], vec![]), "{broken:?}");
                assert_eq!(judgement.verdict, Verdict::Violated, "{broken:?}");
            }
            both[usize::from(is_carried)] += 1;
        }
    }
    assert!(both.iter().all(|runs| *runs > 0), "{both:?}");
}
