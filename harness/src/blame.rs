//! Which kinds of fault a failure needs: each is left out in turn, and stays out if the failure does
//! not mind.
//!
//! It exists so that one cause is one finding: in a swarm, what merely happened to fire besides would
//! split it into dozens. The run without a fault is another run, so this is a claim about the schedule
//! and not about the system: another seed may fail for another reason and look alike.

use std::collections::BTreeSet;
use tumbler_plan::Plan;
use tumbler_reports::SeedReport;
use tumbler_types::{FaultId, FaultKind};

/// The kinds of the faults without which the run no longer fails as it did. `again` runs a plan.
pub fn needed(
    plan: &Plan,
    failed: &SeedReport,
    mut again: impl FnMut(&Plan) -> Option<SeedReport>,
) -> BTreeSet<FaultKind> {
    let mut rest = Plan { faults: fired(plan, &failed.fired), ..plan.clone() };
    for kind in kinds(&rest) {
        let mut fewer = rest.clone();
        fewer.faults.retain(|fault| fault.action.kind() != kind);
        let same = |report: SeedReport| {
            (report.row.verdict, report.row.invariant) == (failed.row.verdict, failed.row.invariant)
        };
        if again(&fewer).is_some_and(same) {
            rest = fewer;
        }
    }
    kinds(&rest)
}

fn fired(plan: &Plan, ids: &[FaultId]) -> Vec<tumbler_plan::Fault> {
    plan.faults.iter().filter(|fault| ids.contains(&fault.id)).cloned().collect()
}

fn kinds(plan: &Plan) -> BTreeSet<FaultKind> {
    plan.faults.iter().map(|fault| fault.action.kind()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{judgement, roles};
    use tumbler_plan::Planted;
    use tumbler_types::Verdict;
    use tumbler_world::Options;

    /// The seed's faults are of four kinds; the flaw shows as soon as a request is late.
    #[test]
    fn only_what_the_failure_needs_is_blamed() {
        let scenario = tumbler_scenarios::scenario("zombie-rotator").expect("shipped").scenario();
        let judged = |plan: &Plan| {
            let outcome = tumbler_world::run(plan, &roles::role, &Options::default());
            judgement::report("zombie-rotator", plan, &outcome, None)
        };
        let mut fewer = 0;
        for seed in 0..20 {
            let plan = Plan { planted: Some(Planted::TargetIgnoresFences), ..scenario.plan(seed) };
            let failed = judged(&plan);
            if failed.row.verdict == Verdict::Pass {
                continue;
            }
            let all = kinds(&Plan { faults: fired(&plan, &failed.fired), ..plan.clone() });
            let needed = needed(&plan, &failed, |plan| Some(judged(plan)));
            assert!(needed.is_subset(&all) && !needed.is_empty(), "seed {seed}: {needed:?} of {all:?}");
            fewer += u32::from(needed.len() < all.len());
            let mut only = plan.clone();
            only.faults.retain(|fault| needed.contains(&fault.action.kind()));
            assert_eq!(judged(&only).row.invariant, failed.row.invariant, "seed {seed}");
        }
        assert!(fewer >= 5, "{fewer}");
    }
}
