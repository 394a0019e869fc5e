//! Sweeps made by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tumbler_plan::{Build, Digest, Fingerprint, Row};
use tumbler_reports::reached::{Map, Place, Reached, Walk};
use tumbler_reports::report::v2::{Assumed, Ended, Kind, OwedRow};
use tumbler_reports::report::{Claim, Context, of_planted, of_sweep};
use tumbler_reports::{
    Baseline, Broken, Exercised, Floor, PlantedEntry, PlantedReport, Recheck, Report, SeedReport, Sweep,
};
use tumbler_types::{Assumption, Bounds, FaultKind, Instant, Invariant, Phase, RoleKind, Span, Verdict};

/// A seed that passes.
pub fn passed(scenario: &str, seed: u64) -> SeedReport {
    let exercised = |invariant| Exercised {
        invariant,
        count: 2,
        under_fault: 1,
        worst: Some(Span::from_millis(100)),
        bound: Some(Span::from_secs(5)),
    };
    SeedReport {
        row: Row {
            scenario: scenario.to_owned(),
            seed,
            verdict: Verdict::Pass,
            invariant: None,
            trace_digest: Some(Digest::of(format!("{scenario} {seed}").as_bytes())),
            events: 1_000,
            virtual_ms: 300_000,
            promoted: 1,
            rolled_back: 0,
            faults_fired: 3,
            faults_in_rotation: 2,
        },
        open: 0,
        commands: 40,
        planned_faults: 4,
        exercised: Invariant::ALL.into_iter().map(exercised).collect(),
        broken: Vec::new(),
        excused: Vec::new(),
        fingerprint: None,
        fired: Vec::new(),
        last: None,
        recheck: Some(Recheck::Equal),
        points: Vec::new(),
        story: None,
        retells: None,
        difference: None,
        reached: Some(reached(seed)),
    }
}

/// Each seed is somewhere else.
fn reached(seed: u64) -> Reached {
    Reached {
        planned: BTreeSet::from([FaultKind::Crash, FaultKind::Hold]),
        faults: BTreeSet::from([(FaultKind::Crash, Phase::Draft)]),
        points: BTreeSet::from(["target persist-begins".to_owned()]),
        probes: BTreeSet::from(["rotation-promoted".to_owned()]),
        walk: Some(Walk { places: vec![Place([0; 4]), Place([seed + 1; 4])], steps: vec![(0, 1)] }),
    }
}

/// Six states, and a step from the first to each other.
pub fn map() -> Map {
    let place = |number| Place([number; 4]);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let action = |number| if number % 2 == 0 { "Apply" } else { "Advance" };
    Map::new(
        "bounds small".to_owned(),
        names(&["target persist-begins", "target persist-done"]),
        names(&["rotation-promoted", "rotation-rolled-back", "late-call-enforced"]),
        &(0..6).map(place).collect(),
        &(1..6).map(|number| ((place(0), place(number)), action(number))).collect(),
    )
}

/// A seed that fails, with this as the reason.
pub fn failed(scenario: &str, seed: u64, verdict: Verdict, why: &str) -> SeedReport {
    let mut report = passed(scenario, seed);
    let invariant = match verdict {
        Verdict::Violated => Some(Invariant::AppliedOnce),
        Verdict::Stalled => Some(Invariant::Converges),
        _ => None,
    };
    report.row.verdict = verdict;
    report.row.invariant = invariant;
    report.broken = vec![Broken {
        invariant,
        seq: 77,
        at: Instant(5),
        node: "target-1".to_owned(),
        secret: "secret-0".to_owned(),
        phase: Phase::Staged,
        why: why.to_owned(),
        allowed: Vec::new(),
        ahead: Vec::new(),
    }];
    report.fingerprint = Some(Fingerprint {
        verdict,
        invariant,
        role: Some(RoleKind::Target),
        phase: Some(Phase::Staged),
        faults: BTreeSet::from([FaultKind::Hold]),
    });
    report
}

/// One assumption of two.
fn assumed() -> Vec<Assumed> {
    vec![Assumed {
        assumption: Assumption::ClockWithinEpsilon,
        sentence: "every wall clock is within 250 ms of true time (ε)".to_owned(),
        bound_ns: Some(Span::from_millis(250)),
        carries: vec![Invariant::RevokedUndelivered, Invariant::HolderServed],
        broken_in: Vec::new(),
    }]
}

pub fn context<'a>(scenarios: impl IntoIterator<Item = &'a str>) -> Context {
    let claim = || Claim {
        expect: Verdict::Pass,
        breaks: Vec::new(),
        not_owed: Vec::new(),
        epsilon: Span::from_millis(250),
        bounds: Bounds {
            undelivered: Span::from_secs(5),
            served: Span::from_secs(5),
            refused: Span::from_secs(30),
            rollback: Span::from_secs(60),
            converge: Span::from_secs(120),
            orphan: Span::ZERO,
        },
    };
    let claims: BTreeMap<String, Claim> =
        scenarios.into_iter().map(|name| (name.to_owned(), claim())).collect();
    let build = Build { version: "0.1.0".to_owned(), digest: Digest::of(b"build") };
    let owed = |invariant| OwedRow { invariant, faults: BTreeMap::new() };
    Context {
        kind: Kind::Sweep,
        build,
        ended: Ended::Whole,
        floor: Floor::default(),
        claims,
        assumptions: assumed(),
        owed: Invariant::ALL.into_iter().map(owed).collect(),
        map: Some(Arc::new(map())),
    }
}

/// The report of these seeds, all of which were planned.
pub fn report(seeds: &[SeedReport]) -> Report {
    known(seeds, Baseline::default())
}

/// The same against a baseline.
pub fn known(seeds: &[SeedReport], baseline: Baseline) -> Report {
    let mut sweep = Sweep::against(seeds.len() as u64, baseline);
    seeds.iter().for_each(|seed| sweep.absorb(Verdict::Pass, seed));
    of_sweep(&sweep, &context(seeds.iter().map(|seed| seed.row.scenario.as_str())))
}

/// Four seeds of two scenarios, all of which pass.
pub fn green() -> Report {
    report(&[passed("quiet", 0), passed("quiet", 1), passed("standard", 0), passed("standard", 1)])
}

/// One planted bug, caught or missed.
pub fn planted(scenario: &str, caught: bool) -> Report {
    let mut entry = PlantedEntry::new("target-ignores-fences", Invariant::AppliedOnce, scenario, 1);
    let verdict = if caught { Verdict::Violated } else { Verdict::Stalled };
    let (bad, clean) = (failed(scenario, 0, verdict, "planted"), passed(scenario, 0));
    entry.absorb_planted(&bad);
    entry.absorb_clean(&clean);
    let mut runs = Sweep::new(2);
    [bad, clean].iter().for_each(|seed| runs.absorb(seed.row.verdict, seed));
    of_planted(&PlantedReport { entries: vec![entry] }, &runs, &context([scenario]))
}
