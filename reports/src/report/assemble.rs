//! A sweep, written down as a report.
//!
//! It exists apart from the form so that the form can be read and judged without a sweep. The
//! verdict and the gaps are the sweep's; an outcome follows from counts, and is decided here once so
//! that no renderer has to.

use super::v2::*;
use crate::finding::decisive;
use crate::planted::Catch;
use crate::reached::Map;
use crate::{Check, Exercised, Floor, PlantedEntry, PlantedReport, Rollback, Sweep, Told};
use std::collections::BTreeMap;
use std::sync::Arc;
use tumbler_plan::Build;
use tumbler_types::{Assumption, Bounds, Invariant, Span, Verdict};

/// What the harness knows and the sweep does not.
#[derive(Clone, Debug)]
pub struct Context {
    /// Of what a sweep was.
    pub kind: Kind,
    pub build: Build,
    pub ended: Ended,
    pub floor: Floor,
    /// By scenario.
    pub claims: BTreeMap<String, Claim>,
    /// The table of assumptions, and what is owed: data of the specification's.
    pub assumptions: Vec<Assumed>,
    pub owed: Vec<OwedRow>,
    /// What could be reached, where runs were followed.
    pub map: Option<Arc<Map>>,
}

/// What a scenario claims, and on which assumptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub expect: Verdict,
    /// Assumptions that it breaks on purpose.
    pub breaks: Vec<Assumption>,
    /// Invariants that these carry.
    pub not_owed: Vec<Invariant>,
    pub epsilon: Span,
    pub bounds: Bounds,
}

/// The report of scenarios that are to hold.
pub fn of_sweep(sweep: &Sweep, context: &Context) -> Report {
    let Context { kind, build, ended, floor, claims, assumptions, owed, map } = context;
    let scenario = |(name, claim): (&String, &Claim)| scenario(sweep, name, claim);
    let points = |phase| {
        let tried = sweep.rollback.tried(phase);
        Points { phase, tried: tried.count, under_fault: tried.under_fault, missed: tried.missed }
    };
    let phases = if sweep.rollback.is_empty() { &[][..] } else { &Rollback::PHASES[..] };
    Report {
        schema: Report::SCHEMA,
        kind: *kind,
        build: build.clone(),
        verdict: sweep.verdict(floor),
        ended: *ended,
        totals: totals(sweep),
        rechecks: Rechecks { done: sweep.rechecked, differ: sweep.recheck_differs },
        invariants: coverage(sweep),
        scenarios: claims.iter().map(scenario).collect(),
        findings: sweep.findings.iter().map(finding).collect(),
        rollback_points: phases.iter().copied().map(points).collect(),
        planted: Vec::new(),
        gaps: sweep.gaps(floor).iter().map(ToString::to_string).collect(),
        assumptions: assumptions.clone(),
        owed: owed.clone(),
        excused: sweep.excused.values().cloned().map(cut).collect(),
        reached: map.as_ref().map(|map| map.reach(&sweep.reached)),
    }
}

fn totals(sweep: &Sweep) -> Totals {
    Totals {
        planned: sweep.planned,
        done: sweep.done,
        bred: sweep.bred,
        failed: sweep.failed(),
        known: sweep.known,
        distinct_traces: sweep.distinct(),
        promoted: sweep.promoted,
        rolled_back: sweep.rolled_back,
        open: sweep.open,
        commands: sweep.commands,
        faults_planned: sweep.planned_faults,
        faults_fired: sweep.faults_fired,
        faults_in_rotation: sweep.faults_in_rotation,
    }
}

/// The report of planted bugs that are to be caught. `runs` is all that was run for it, each run once: a
/// clean one may serve several bugs.
pub fn of_planted(planted: &PlantedReport, runs: &Sweep, context: &Context) -> Report {
    let gaps = planted.entries.iter().filter(|entry| !entry.is_sound()).map(gap);
    Report {
        schema: Report::SCHEMA,
        kind: Kind::Planted,
        build: context.build.clone(),
        verdict: planted.verdict(),
        ended: context.ended,
        totals: totals(runs),
        rechecks: Rechecks::default(),
        invariants: Vec::new(),
        scenarios: Vec::new(),
        findings: Vec::new(),
        rollback_points: Vec::new(),
        planted: planted.entries.iter().map(entry).collect(),
        gaps: gaps.collect(),
        assumptions: context.assumptions.clone(),
        owed: context.owed.clone(),
        excused: Vec::new(),
        reached: None,
    }
}

fn scenario(sweep: &Sweep, name: &str, claim: &Claim) -> Scenario {
    let verdicts = sweep.scenarios.get(name).cloned().unwrap_or_default();
    let seeds = verdicts.values().sum();
    let exercised_in = sweep.exercised_in.get(name);
    let checked = |check| {
        let broke = sweep.broken_in.get(&(name.to_owned(), check)).cloned().unwrap_or_default();
        let none = Exercised {
            invariant: Invariant::AppliedOnce,
            count: if matches!(check, Check::Invariant(_)) { 0 } else { seeds },
            under_fault: 0,
            worst: None,
            bound: None,
        };
        let exercised = match check {
            Check::Invariant(invariant) => exercised_in.and_then(|exercised| exercised.get(&invariant)),
            Check::FollowsSpec | Check::Survives | Check::Deterministic | Check::Conclusive => None,
        };
        let Exercised { invariant: _, count, under_fault, worst, bound } = exercised.unwrap_or(&none);
        let (not_owed, excused) = match check {
            Check::Invariant(invariant) => {
                let excused = sweep.excused.get(&(name.to_owned(), invariant)).map_or(0, |each| each.seeds);
                (claim.not_owed.contains(&invariant), excused)
            }
            Check::FollowsSpec | Check::Survives | Check::Deterministic | Check::Conclusive => (false, 0),
        };
        let outcome = match (broke.failed, broke.known, *count) {
            (1.., _, _) => Outcome::Broken,
            (0, 1.., _) => Outcome::Known,
            (0, 0, 0) if not_owed => Outcome::NotOwed,
            (0, 0, 0) => Outcome::Vacuous,
            (0, 0, 1..) => Outcome::Held,
        };
        Checked {
            check,
            outcome,
            exercised: *count,
            under_fault: *under_fault,
            worst_ns: *worst,
            bound_ns: *bound,
            failed: broke.failed,
            known: broke.known,
            excused,
            first: broke.first.map(|first| First { why: first.why.as_deref().map(without_folders), ..first }),
        }
    };
    Scenario {
        name: name.to_owned(),
        expect: claim.expect,
        seeds,
        verdicts,
        breaks: claim.breaks.clone(),
        epsilon_ns: claim.epsilon,
        bounds_ns: claim.bounds.clone(),
        checks: Check::all().map(checked).collect(),
    }
}

fn coverage(sweep: &Sweep) -> Vec<Coverage> {
    let one = |invariant: Invariant| {
        let found = sweep.exercised.get(&invariant);
        let excused = sweep.excused.values().filter(|each| each.invariant == invariant);
        Coverage {
            invariant,
            sentence: invariant.sentence().to_owned(),
            exercised: found.map_or(0, |exercised| exercised.count),
            under_fault: found.map_or(0, |exercised| exercised.under_fault),
            excused: excused.map(|each| each.seeds).sum(),
            worst_ns: found.and_then(|exercised| exercised.worst),
            bound_ns: found.and_then(|exercised| exercised.bound),
        }
    };
    Invariant::ALL.into_iter().map(one).collect()
}

fn finding(told: &Told) -> Finding {
    let Told { fingerprint, first, count: _, seeds, known, beyond, capsule, replay } = told;
    let mut fingerprint = fingerprint.clone();
    if first.row.verdict == Verdict::Nondeterministic {
        // The second look gave another digest.
        (fingerprint.verdict, fingerprint.invariant) = (Verdict::Nondeterministic, None);
    }
    let broken = decisive(first);
    let last = first.last.as_ref();
    let why = broken.map(|broken| &broken.why).or(last.map(|last| &last.why));
    Finding {
        name: fingerprint.to_string(),
        fingerprint,
        known: *known,
        beyond: beyond.iter().copied().collect(),
        seeds: seeds.clone(),
        scenario: first.row.scenario.clone(),
        seed: first.row.seed,
        step: broken.map(|broken| broken.seq).or(last.map(|last| last.seq)),
        why: why.map(|why| without_folders(why)),
        retells: first.retells.clone(),
        capsule: capsule.clone(),
        replay: match (capsule, replay) {
            // Of a rotator that is not ours: it names the function and each strike.
            (_, Some(lines)) if lines.starts_with("tumbler run ") => {
                without_folders(lines.lines().next().unwrap_or_default())
            }
            (Some(capsule), _) => format!("tumbler replay {capsule}"),
            (None, _) => format!("tumbler replay {} --seed {}", first.row.scenario, first.row.seed),
        },
    }
}

fn entry(entry: &PlantedEntry) -> Planted {
    Planted {
        planted: entry.planted.to_owned(),
        scenario: entry.scenario.clone(),
        expect: entry.expect,
        sound: entry.is_sound(),
        planned: entry.planned,
        seeds: entry.seeds,
        caught: entry.caught,
        caught_first: entry.caught_first,
        others: entry.others.clone(),
        clean_seeds: entry.clean,
        clean_failed: entry.clean_failed.len() as u64,
    }
}

fn gap(entry: &PlantedEntry) -> String {
    let PlantedEntry { planted, expect, scenario, planned, seeds, clean, .. } = entry;
    match entry.came_of() {
        Catch::NotRun => format!("{planted}: only {seeds} + {clean} of {planned} + {planned} seeds ran"),
        Catch::FailsWithout => format!("{scenario} fails without {planted}"),
        Catch::Missed | Catch::Caught => {
            format!("{planted} was missed: {} fired in no seed of {scenario}", expect.id())
        }
    }
}

fn cut(excused: Excused) -> Excused {
    Excused { why: without_folders(&excused.why), ..excused }
}

/// Absolute paths, which differ between machines, cut to their last part.
fn without_folders(text: &str) -> String {
    let word = |word: &str| {
        let path = word.trim_start_matches(['(', '`', '"', '\'']);
        match path.starts_with('/') {
            true => path.rsplit('/').next().unwrap_or(path).to_owned(),
            false => word.to_owned(),
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}
