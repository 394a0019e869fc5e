//! What many seeds amount to.
//!
//! Seeds are absorbed in the order of scenario and seed, whatever the order in which workers
//! finished them, so that a sweep is equal for every number of jobs. What it amounts to is decided
//! here and in [`crate::vacuity`], and nowhere else: the gravest verdict of a seed, or Inconclusive
//! if what passed proves too little.
//!
//! It deliberately keeps no row: rows go to the file as they come.

use crate::reached::Sum;
use crate::report::v2::{Excused, First};
use crate::vacuity::{self, Floor, Gap};
use crate::{Baseline, Broken, Check, Exercised, Recheck, Rollback, SeedReport, baseline};
use std::collections::{BTreeMap, BTreeSet};
use tumbler_plan::Fingerprint;
use tumbler_types::{Invariant, Verdict};

/// Sums over the seeds of a sweep.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// Seeds that were asked for.
    pub planned: u64,
    pub done: u64,
    /// Those of them that a search bred.
    pub bred: u64,
    /// Verdicts by scenario.
    pub scenarios: BTreeMap<String, BTreeMap<Verdict, u64>>,
    pub promoted: u64,
    pub rolled_back: u64,
    pub open: u64,
    pub commands: u64,
    pub planned_faults: u64,
    pub faults_fired: u64,
    pub faults_in_rotation: u64,
    pub rechecked: u64,
    pub recheck_differs: u64,
    pub exercised: BTreeMap<Invariant, Exercised>,
    /// The same by scenario.
    pub exercised_in: BTreeMap<String, BTreeMap<Invariant, Exercised>>,
    /// Seeds that broke a check against expectation, by scenario.
    pub broken_in: BTreeMap<(String, Check), Broke>,
    /// What broke an invariant of which nothing was owed, by scenario.
    pub excused: BTreeMap<(String, Invariant), Excused>,
    /// Seeds with a known finding.
    pub known: u64,
    pub rollback: Rollback,
    pub reached: Sum,
    /// In the order in which they were first met.
    pub findings: Vec<Told>,
    /// Seeds that did not have the verdict that their scenario expects, and passed; by scenario.
    pub unmet: BTreeMap<String, Unmet>,
    /// The invariants that can be judged in what was run; none: all.
    pub judged: Option<BTreeSet<Invariant>>,
    /// The gravest verdict of a seed.
    gravest: Gravest,
    /// What it knows does not fail a sweep.
    baseline: Baseline,
    traces: BTreeSet<u64>,
}

/// Seeds of one scenario that passed, and were expected to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unmet {
    pub seeds: u64,
    pub first: u64,
    pub expect: Verdict,
}

/// Seeds that broke one check of one scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broke {
    pub failed: u64,
    pub known: u64,
    /// The first of those that are not known.
    pub first: Option<First>,
}

/// A finding, with the first seed that shows it.
#[derive(Clone, Debug)]
pub struct Told {
    pub fingerprint: Fingerprint,
    pub first: SeedReport,
    /// Seeds with this fingerprint.
    pub count: u64,
    /// The same by scenario.
    pub seeds: BTreeMap<String, u64>,
    /// Stands in the baseline, and so does every check that these seeds broke.
    pub known: bool,
    /// The checks that do not, though the fingerprint does.
    pub beyond: BTreeSet<Check>,
    /// Name of the file that replays the first.
    pub capsule: Option<String>,
    /// The line that replays the first.
    pub replay: Option<String>,
}

#[derive(Clone, Copy, Debug)]
struct Gravest(Verdict);

impl Default for Gravest {
    fn default() -> Self {
        Gravest(Verdict::Pass)
    }
}

impl Sweep {
    pub fn new(planned: u64) -> Self {
        Sweep { planned, ..Sweep::default() }
    }

    /// A sweep that fails by findings outside of a baseline only.
    pub fn against(planned: u64, baseline: Baseline) -> Self {
        Sweep { baseline, ..Sweep::new(planned) }
    }

    /// Stands in the baseline, and may.
    pub fn is_known(&self, report: &SeedReport) -> bool {
        report.row.verdict != Verdict::Nondeterministic
            && report.fingerprint.as_ref().is_some_and(|fingerprint| self.baseline.knows(fingerprint))
            && self.baseline.beyond(report).is_empty()
    }

    /// Takes the next seed; `expect` is the verdict that its scenario names.
    pub fn absorb(&mut self, expect: Verdict, report: &SeedReport) {
        let row = &report.row;
        self.done += 1;
        *self.scenarios.entry(row.scenario.clone()).or_default().entry(row.verdict).or_default() += 1;
        self.promoted += row.promoted;
        self.rolled_back += row.rolled_back;
        self.open += report.open;
        self.commands += report.commands;
        self.planned_faults += report.planned_faults;
        self.faults_fired += row.faults_fired;
        self.faults_in_rotation += row.faults_in_rotation;
        match report.recheck {
            None => {}
            Some(Recheck::Equal) => self.rechecked += 1,
            Some(Recheck::Differs) => {
                self.rechecked += 1;
                self.recheck_differs += 1;
            }
        }
        if let Some(digest) = row.trace_digest {
            let text = digest.to_string();
            self.traces.insert(u64::from_str_radix(&text[..16], 16).expect("a digest is 64 hex digits"));
        }
        for next in &report.exercised {
            add(&mut self.exercised, next);
            add(self.exercised_in.entry(row.scenario.clone()).or_default(), next);
        }
        if let Some(reached) = &report.reached {
            self.reached.absorb(&row.scenario, row.seed, reached);
        }
        self.excuse(report);
        report.points.iter().for_each(|point| self.rollback.absorb(point));
        if row.verdict == expect && expect != Verdict::Pass {
            return;
        }
        if row.verdict == Verdict::Pass && expect != Verdict::Pass {
            let unmet = Unmet { seeds: 0, first: row.seed, expect };
            self.unmet.entry(row.scenario.clone()).or_insert(unmet).seeds += 1;
            return;
        }
        let known = self.is_known(report);
        self.known += u64::from(known);
        if !known && row.verdict.severity() > self.gravest.0.severity() {
            self.gravest = Gravest(row.verdict);
        }
        self.break_checks(report, known);
        if let Some(fingerprint) = &report.fingerprint {
            let beyond = self.baseline.beyond(report);
            let same = |told: &&mut Told| told.fingerprint == *fingerprint && told.known == known;
            let seeds = match self.findings.iter_mut().find(same) {
                Some(told) => {
                    told.count += 1;
                    told.beyond.extend(beyond);
                    &mut told.seeds
                }
                None => {
                    self.findings.push(Told {
                        fingerprint: fingerprint.clone(),
                        first: report.clone(),
                        count: 1,
                        seeds: BTreeMap::new(),
                        known,
                        beyond,
                        capsule: None,
                        replay: None,
                    });
                    &mut self.findings.last_mut().expect("it was pushed").seeds
                }
            };
            *seeds.entry(row.scenario.clone()).or_default() += 1;
        }
    }

    /// Adds what a second look at a finding gave. If that was another digest, the verdict in it is
    /// Nondeterministic, and becomes the sweep's.
    pub fn tell(&mut self, index: usize, report: SeedReport, capsule: String, replay: String) {
        let known = self.is_known(&report);
        if !known && report.row.verdict.severity() > self.gravest.0.severity() {
            self.gravest = Gravest(report.row.verdict);
        }
        let Some(told) = self.findings.get_mut(index) else { return };
        if report.row.verdict == Verdict::Nondeterministic && told.first.row.verdict != report.row.verdict {
            let broke = (report.row.scenario.clone(), Check::Deterministic);
            self.broken_in.entry(broke).or_default().failed += 1;
        }
        told.known = known;
        (told.first, told.capsule, told.replay) = (report, Some(capsule), Some(replay));
    }

    /// Whether an invariant can be judged in what was run.
    pub fn judges(&self, invariant: Invariant) -> bool {
        self.judged.as_ref().is_none_or(|judged| judged.contains(&invariant))
    }

    /// Different traces among the seeds.
    pub fn distinct(&self) -> u64 {
        self.traces.len() as u64
    }

    /// Seeds whose verdict was not pass.
    pub fn failed(&self) -> u64 {
        self.scenarios
            .values()
            .flatten()
            .filter(|(verdict, _)| **verdict != Verdict::Pass)
            .map(|(_, n)| n)
            .sum()
    }

    /// What the whole amounts to. Never rounds up.
    pub fn verdict(&self, floor: &Floor) -> Verdict {
        if self.gravest.0 != Verdict::Pass {
            return self.gravest.0;
        }
        if vacuity::gaps(self, floor).is_empty() { Verdict::Pass } else { Verdict::Inconclusive }
    }

    /// What keeps a pass from meaning anything.
    pub fn gaps(&self, floor: &Floor) -> Vec<Gap> {
        vacuity::gaps(self, floor)
    }

    /// Each invariant counts once for a seed, however many secrets show it.
    fn excuse(&mut self, report: &SeedReport) {
        let row = &report.row;
        let mut seen: BTreeSet<Invariant> = BTreeSet::new();
        for Broken { invariant, seq, why, .. } in &report.excused {
            let Some(invariant) = invariant.filter(|invariant| seen.insert(*invariant)) else { continue };
            let excused = self.excused.entry((row.scenario.clone(), invariant)).or_insert_with(|| Excused {
                scenario: row.scenario.clone(),
                invariant,
                seeds: 0,
                seed: row.seed,
                step: *seq,
                why: why.clone(),
            });
            excused.seeds += 1;
        }
    }

    /// Every check that a seed broke, once. Of a seed that goes beyond the baseline, only what does is new.
    fn break_checks(&mut self, report: &SeedReport, known: bool) {
        let row = &report.row;
        let beyond = self.baseline.beyond(report);
        for check in baseline::broken(report) {
            let broke = self.broken_in.entry((row.scenario.clone(), check)).or_default();
            if known || (!beyond.is_empty() && !beyond.contains(&check)) {
                broke.known += 1;
                continue;
            }
            broke.failed += 1;
            let event = report.broken.iter().find(|broken| baseline::check(broken) == check);
            broke.first.get_or_insert_with(|| First {
                seed: row.seed,
                step: event.map(|broken| broken.seq),
                why: event.map(|broken| broken.why.clone()),
            });
        }
    }
}

/// Adds the counts, and keeps the approach that came closest to its own bound.
fn add(sums: &mut BTreeMap<Invariant, Exercised>, next: &Exercised) {
    let Some(sum) = sums.get_mut(&next.invariant) else {
        sums.insert(next.invariant, next.clone());
        return;
    };
    sum.count += next.count;
    sum.under_fault += next.under_fault;
    if closeness(next) > closeness(sum) {
        (sum.worst, sum.bound) = (next.worst, next.bound);
    }
}

/// The part of its bound that was used, in millionths; zero without a bound.
fn closeness(exercised: &Exercised) -> u128 {
    match (exercised.worst, exercised.bound) {
        (Some(worst), Some(bound)) if bound.nanos() > 0 => {
            1 + u128::from(worst.nanos()) * 1_000_000 / u128::from(bound.nanos())
        }
        (Some(_), _) => 1,
        (None, _) => 0,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tumbler_plan::{Digest, Row};
    use tumbler_types::Span;

    pub(crate) fn passed(seed: u64) -> SeedReport {
        let exercised = |invariant| Exercised {
            invariant,
            count: 2,
            under_fault: 1,
            worst: Some(Span::from_millis(100 * (seed + 1))),
            bound: Some(Span::from_secs(5)),
        };
        SeedReport {
            row: Row {
                scenario: "standard".to_owned(),
                seed,
                verdict: Verdict::Pass,
                invariant: None,
                trace_digest: Some(Digest::of(&seed.to_le_bytes())),
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
            recheck: None,
            points: Vec::new(),
            story: None,
            retells: None,
            difference: None,
            reached: None,
        }
    }

    pub(crate) fn failed(seed: u64, verdict: Verdict) -> SeedReport {
        let mut report = passed(seed);
        let invariant = (verdict == Verdict::Violated).then_some(Invariant::AppliedOnce);
        report.row.verdict = verdict;
        report.row.invariant = invariant;
        report.fingerprint =
            Some(Fingerprint { verdict, invariant, role: None, phase: None, faults: BTreeSet::new() });
        report
    }

    fn swept(reports: &[SeedReport]) -> Sweep {
        let mut sweep = Sweep::new(reports.len() as u64);
        reports.iter().for_each(|report| sweep.absorb(Verdict::Pass, report));
        sweep
    }

    #[test]
    fn the_gravest_verdict_of_a_seed_is_that_of_the_sweep() {
        let order = [
            Verdict::Inconclusive,
            Verdict::Stalled,
            Verdict::Crashed,
            Verdict::Diverged,
            Verdict::Violated,
            Verdict::Nondeterministic,
        ];
        let mut reports = vec![passed(0)];
        for (seed, verdict) in order.into_iter().enumerate() {
            reports.insert(0, failed(seed as u64 + 1, verdict));
            assert_eq!(swept(&reports).verdict(&Floor::default()), verdict);
        }
    }

    #[test]
    fn equal_fingerprints_are_one_finding_told_by_the_first_seed() {
        let reports =
            [failed(4, Verdict::Violated), failed(5, Verdict::Violated), failed(6, Verdict::Diverged)];
        let sweep = swept(&reports);
        let told: Vec<(u64, u64)> =
            sweep.findings.iter().map(|told| (told.first.row.seed, told.count)).collect();
        assert_eq!(told, [(4, 2), (6, 1)]);
    }

    #[test]
    fn the_worst_approach_keeps_its_own_bound() {
        let mut other = passed(9);
        other.exercised[0].worst = Some(Span::from_secs(3));
        other.exercised[0].bound = Some(Span::from_secs(100));
        let sweep = swept(&[other, passed(1)]);
        let exercised = &sweep.exercised[&Invariant::AppliedOnce];
        assert_eq!((exercised.count, exercised.under_fault), (4, 2));
        assert_eq!(exercised.bound, Some(Span::from_secs(5)));
    }

    #[test]
    fn known_findings_do_not_fail_a_sweep_and_new_ones_do() {
        let (known, new) = (failed(4, Verdict::Violated), failed(5, Verdict::Diverged));
        let baseline = || Baseline {
            fingerprints: known.fingerprint.iter().cloned().collect(),
            checks: baseline::broken(&known),
        };
        let mut sweep = Sweep::against(3, baseline());
        sweep.absorb(Verdict::Pass, &passed(3));
        sweep.absorb(Verdict::Pass, &known);
        sweep.absorb(Verdict::Pass, &known);
        sweep.tell(0, known.clone(), "a.repro.json".to_owned(), "tumbler replay a.repro.json".to_owned());
        assert_eq!(sweep.verdict(&Floor::default()), Verdict::Pass);
        assert_eq!((sweep.known, sweep.failed(), sweep.findings[0].known), (2, 2, true));
        sweep.absorb(Verdict::Pass, &new);
        assert_eq!(sweep.verdict(&Floor::default()), Verdict::Diverged);

        let mut sweep = Sweep::against(1, baseline());
        sweep.absorb(Verdict::Pass, &known);
        let mut differs = known.clone();
        differs.row.verdict = Verdict::Nondeterministic;
        sweep.tell(0, differs, "a.repro.json".to_owned(), "tumbler replay a.repro.json".to_owned());
        assert_eq!(sweep.verdict(&Floor::default()), Verdict::Nondeterministic);
        assert!(!sweep.findings[0].known);
    }

    #[test]
    fn an_expected_failure_that_passes_is_inconclusive_and_one_that_fails_is_met() {
        let mut sweep = Sweep::new(1);
        sweep.absorb(Verdict::Violated, &failed(1, Verdict::Violated));
        assert_eq!(sweep.verdict(&Floor::default()), Verdict::Pass);
        sweep.absorb(Verdict::Violated, &passed(2));
        assert_eq!(sweep.verdict(&Floor::default()), Verdict::Inconclusive);
        sweep.absorb(Verdict::Violated, &passed(4));
        let gaps: Vec<String> = sweep.gaps(&Floor::default()).iter().map(ToString::to_string).collect();
        let unmet = "expected 2 seeds of standard to be violated, got pass, first seed 2";
        assert!(gaps.iter().any(|gap| gap == unmet), "{gaps:?}");
        sweep.absorb(Verdict::Violated, &failed(3, Verdict::Crashed));
        assert_eq!(sweep.verdict(&Floor::default()), Verdict::Crashed);
    }
}
