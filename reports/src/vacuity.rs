//! Vacuity: when nothing failed, and that proves too little.
//!
//! A sweep in which no version was revoked says nothing about revocation, however green it is. Each
//! gap is named, and any gap makes a pass Inconclusive.
//!
//! It deliberately softens nothing: a gap beside a failure is listed too, and the failure decides.
//!
//! Source: vacuity checks of Jepsen's `stats`, FoundationDB's code probes, Certora's sanity rules.

use crate::number::grouped;
use crate::sweep::Unmet;
use crate::{Rollback, Sweep};
use std::fmt;
use tumbler_types::{Invariant, Phase, Verdict};

/// What a sweep must at least have shown, besides what every sweep must.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Floor {
    /// Rollback points tried in each phase, half of them under a fault; none: not asked for.
    pub points: Option<u64>,
}

/// One reason why a sweep proves too little.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    NeverExercised(Invariant),
    NothingPromoted,
    NoFaultInRotation,
    FewTraces { distinct: u64, seeds: u64 },
    FewPoints { phase: Phase, count: u64, under_fault: u64, floor: u64 },
    Truncated { done: u64, planned: u64 },
    Unmet { scenario: String, seeds: u64, first: u64, expect: Verdict },
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gap::NeverExercised(invariant) => write!(f, "{} was never exercised", invariant.id()),
            Gap::NothingPromoted => f.write_str("no rotation was promoted"),
            Gap::NoFaultInRotation => f.write_str("no fault began inside a rotation"),
            Gap::FewTraces { distinct, seeds } => {
                write!(f, "only {} distinct traces among {} seeds", grouped(*distinct), grouped(*seeds))
            }
            Gap::FewPoints { phase, count, under_fault, floor } => write!(
                f,
                "expected {floor} rollback points in {}, half under a fault, got {count} ({under_fault} under \
                 fault)",
                phase.name()
            ),
            Gap::Truncated { done, planned } => {
                write!(f, "only {} of {} seeds ran", grouped(*done), grouped(*planned))
            }
            Gap::Unmet { scenario, seeds: 1, first, expect } => {
                write!(f, "expected {scenario} seed {first} to be {}, got pass", expect.name())
            }
            Gap::Unmet { scenario, seeds, first, expect } => {
                let (seeds, expect) = (grouped(*seeds), expect.name());
                write!(f, "expected {seeds} seeds of {scenario} to be {expect}, got pass, first seed {first}")
            }
        }
    }
}

/// Every gap of a sweep, in a fixed order.
pub fn gaps(sweep: &Sweep, floor: &Floor) -> Vec<Gap> {
    let mut gaps = Vec::new();
    if sweep.done < sweep.planned {
        gaps.push(Gap::Truncated { done: sweep.done, planned: sweep.planned });
    }
    for invariant in Invariant::ALL.into_iter().filter(|invariant| sweep.judges(*invariant)) {
        if sweep.exercised.get(&invariant).is_none_or(|exercised| exercised.count == 0) {
            gaps.push(Gap::NeverExercised(invariant));
        }
    }
    if sweep.promoted == 0 {
        gaps.push(Gap::NothingPromoted);
    }
    if sweep.planned_faults > 0 && sweep.faults_in_rotation == 0 {
        gaps.push(Gap::NoFaultInRotation);
    }
    if sweep.distinct() * 2 < sweep.done {
        gaps.push(Gap::FewTraces { distinct: sweep.distinct(), seeds: sweep.done });
    }
    if let Some(floor) = floor.points {
        for phase in Rollback::PHASES {
            let tried = sweep.rollback.tried(phase);
            if tried.count < floor || tried.under_fault * 2 < tried.count {
                let (count, under_fault) = (tried.count, tried.under_fault);
                gaps.push(Gap::FewPoints { phase, count, under_fault, floor });
            }
        }
    }
    for (scenario, unmet) in &sweep.unmet {
        let Unmet { seeds, first, expect } = *unmet;
        gaps.push(Gap::Unmet { scenario: scenario.clone(), seeds, first, expect });
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::tests::passed;
    use crate::{Point, SeedReport};
    use tumbler_types::Instant;

    #[track_caller]
    fn check(change: impl Fn(&mut SeedReport), floor: Floor, expect: &[&str]) {
        let mut sweep = Sweep::new(4);
        for seed in 0..4 {
            let mut report = passed(seed);
            change(&mut report);
            sweep.absorb(Verdict::Pass, &report);
        }
        let got: Vec<String> = sweep.gaps(&floor).iter().map(Gap::to_string).collect();
        assert_eq!(got, expect);
        let verdict = if expect.is_empty() { Verdict::Pass } else { Verdict::Inconclusive };
        assert_eq!(sweep.verdict(&floor), verdict);
    }

    #[test]
    fn each_way_to_prove_nothing_is_named() {
        let none = Floor::default();
        check(|_| {}, none.clone(), &[]);
        check(|report| report.exercised[2].count = 0, none.clone(), &["revoked-refused was never exercised"]);
        check(|report| report.row.promoted = 0, none.clone(), &["no rotation was promoted"]);
        check(
            |report| report.row.faults_in_rotation = 0,
            none.clone(),
            &["no fault began inside a rotation"],
        );
        check(|report| (report.row.faults_in_rotation, report.planned_faults) = (0, 0), none.clone(), &[]);
        check(
            |report| report.row.trace_digest = passed(0).row.trace_digest,
            none,
            &["only 1 distinct traces among 4 seeds"],
        );
    }

    #[test]
    fn a_seed_that_did_not_run_is_a_gap() {
        let mut sweep = Sweep::new(2);
        sweep.absorb(Verdict::Pass, &passed(0));
        assert_eq!(sweep.gaps(&Floor::default()), [Gap::Truncated { done: 1, planned: 2 }]);
    }

    #[test]
    fn rollback_points_have_a_floor_in_every_phase_and_half_under_a_fault() {
        let points = |under: bool| {
            move |report: &mut SeedReport| {
                report.points = Rollback::PHASES
                    .into_iter()
                    .map(|phase| Point {
                        at: Instant(1),
                        phase,
                        under_fault: under || phase != Phase::Drain,
                        missed: None,
                    })
                    .collect();
            }
        };
        check(points(true), Floor { points: Some(4) }, &[]);
        check(
            points(false),
            Floor { points: Some(4) },
            &["expected 4 rollback points in drain, half under a fault, got 4 (0 under fault)"],
        );
        let floor = Floor { points: Some(5) };
        let mut sweep = Sweep::new(1);
        sweep.absorb(Verdict::Pass, &passed(0));
        assert_eq!(sweep.gaps(&floor).len(), Rollback::PHASES.len());
    }
}
