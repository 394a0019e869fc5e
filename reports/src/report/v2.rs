//! Version 2 of `report.json`. (Version 1 had sentences for assumptions, and excused nothing.)
//!
//! The JSON Schema beside it (`reports/schema/report.v2.schema.json`) says the same in the words of
//! other tools; a test compares the two. Times are nanoseconds in fields that end in `_ns`.
//!
//! Reading is strict: an unknown field, a count that contradicts another or a verdict that its own
//! findings deny is refused, because a gate believes what is read here.
//!
//! It deliberately computes nothing: verdicts and outcomes are written down where they were decided.

pub use super::reach::{Hits, Reach, ReachedAction, ReachedFault, ReachedWalk, Strayed};

use crate::Check;
use crate::planted::Catch;
use crate::reached::is_sound;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tumbler_plan::{Build, Fingerprint};
use tumbler_types::{Assumption, Bounds, FaultKind, Invariant, Phase, Span, Verdict};

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`Report::SCHEMA`].
    pub schema: u32,
    pub kind: Kind,
    pub build: Build,
    pub verdict: Verdict,
    pub ended: Ended,
    pub totals: Totals,
    pub rechecks: Rechecks,
    /// Each invariant once, in a fixed order.
    pub invariants: Vec<Coverage>,
    /// By name.
    pub scenarios: Vec<Scenario>,
    /// One per fingerprint, in the order in which they were first met.
    pub findings: Vec<Finding>,
    pub rollback_points: Vec<Points>,
    pub planted: Vec<Planted>,
    /// What keeps a pass from meaning anything; empty for a pass.
    pub gaps: Vec<String>,
    /// What every claim here rests on, besides the scenarios' own bounds.
    pub assumptions: Vec<Assumed>,
    /// What is owed of each invariant under each fault.
    pub owed: Vec<OwedRow>,
    /// What broke an invariant that a broken assumption carries, by scenario and invariant.
    pub excused: Vec<Excused>,
    /// None where no run was followed: planted bugs, foreign rotators, reports of before it was counted.
    #[serde(default)]
    pub reached: Option<Reach>,
}

/// One assumption, with what rests on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumed {
    pub assumption: Assumption,
    pub sentence: String,
    /// The bound that it declares, if it is a time: the largest among the scenarios.
    pub bound_ns: Option<Span>,
    pub carries: Vec<Invariant>,
    /// Scenarios that break it on purpose.
    pub broken_in: Vec<String>,
}

/// What is owed of one invariant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwedRow {
    pub invariant: Invariant,
    /// `holds`, `bound`, `reachable` or `calm`, by fault.
    pub faults: BTreeMap<FaultKind, String>,
}

/// Seeds of one scenario in which an invariant was broken and nothing of it was owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excused {
    pub scenario: String,
    pub invariant: Invariant,
    pub seeds: u64,
    /// The first seed and event that show it.
    pub seed: u64,
    pub step: u64,
    pub why: String,
}

/// What was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Scenarios, which are to hold.
    Sweep,
    /// Planted bugs, which are to be caught.
    Planted,
    /// A rotation function of somebody's own, in a world that judges what it can.
    Rotator,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Sweep => "sweep",
            Kind::Planted => "planted",
            Kind::Rotator => "rotator",
        }
    }
}

/// How the run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    Whole,
    /// Enough seeds had failed.
    Stopped,
    Interrupted,
}

impl Ended {
    pub const fn name(self) -> &'static str {
        match self {
            Ended::Whole => "whole",
            Ended::Stopped => "stopped",
            Ended::Interrupted => "interrupted",
        }
    }
}

/// Sums over all seeds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    pub planned: u64,
    pub done: u64,
    /// Those of `done` that a search bred: they are no seed's own runs, and no independent draws.
    #[serde(default)]
    pub bred: u64,
    /// Seeds whose verdict was not pass, expected and known ones included.
    pub failed: u64,
    /// Seeds whose finding stands in the baseline.
    pub known: u64,
    pub distinct_traces: u64,
    pub promoted: u64,
    pub rolled_back: u64,
    pub open: u64,
    pub commands: u64,
    pub faults_planned: u64,
    pub faults_fired: u64,
    pub faults_in_rotation: u64,
}

/// Seeds that were run twice, and those whose digests differed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rechecks {
    pub done: u64,
    pub differ: u64,
}

/// How often an invariant was put to the test, over all seeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    pub invariant: Invariant,
    pub sentence: String,
    pub exercised: u64,
    pub under_fault: u64,
    /// Seeds in which it was broken and nothing of it was owed.
    pub excused: u64,
    /// The approach that came closest to its own bound.
    pub worst_ns: Option<Span>,
    pub bound_ns: Option<Span>,
}

/// One scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    /// The verdict that it is to have.
    pub expect: Verdict,
    pub seeds: u64,
    /// Seeds by verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// Assumptions that it breaks on purpose.
    pub breaks: Vec<Assumption>,
    pub epsilon_ns: Span,
    pub bounds_ns: Bounds,
    /// Each check once, in a fixed order.
    pub checks: Vec<Checked>,
}

/// What one check of a scenario came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    pub check: Check,
    pub outcome: Outcome,
    /// For an invariant: how often its antecedent was met; else the seeds that were looked at.
    pub exercised: u64,
    pub under_fault: u64,
    pub worst_ns: Option<Span>,
    pub bound_ns: Option<Span>,
    /// Seeds that broke it and were neither expected to nor known.
    pub failed: u64,
    /// Seeds that broke it and are in the baseline.
    pub known: u64,
    /// Seeds that broke it when nothing of it was owed.
    pub excused: u64,
    /// The first seed that failed it.
    #[serde(default)]
    pub first: Option<First>,
}

/// Where a check was broken first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct First {
    pub seed: u64,
    /// Number of the event that shows it.
    pub step: Option<u64>,
    pub why: Option<String>,
}

/// Never rounds up: what was not exercised did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Held,
    Vacuous,
    /// Not exercised where it is owed, and the scenario breaks what it rests on.
    NotOwed,
    /// Broken, by findings of the baseline only.
    Known,
    Broken,
}

impl Outcome {
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Held => "held",
            Outcome::Vacuous => "vacuous",
            Outcome::NotOwed => "not-owed",
            Outcome::Known => "known",
            Outcome::Broken => "broken",
        }
    }
}

/// Findings with one fingerprint, and the first seed that shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub fingerprint: Fingerprint,
    /// The fingerprint in one word, as summaries show it.
    pub name: String,
    /// Stands in the baseline, and so does every check that these seeds broke.
    pub known: bool,
    /// The checks that do not, though the fingerprint does.
    #[serde(default)]
    pub beyond: Vec<Check>,
    /// Seeds that show it, by scenario.
    pub seeds: BTreeMap<String, u64>,
    /// Where it was met first.
    pub scenario: String,
    pub seed: u64,
    /// Number of the event that shows it.
    pub step: Option<u64>,
    pub why: Option<String>,
    /// The published incident that its scenario retells.
    #[serde(default)]
    pub retells: Option<String>,
    /// Name of the capsule's file, which stands beside the report.
    pub capsule: Option<String>,
    /// The line that replays it, from the folder of the report.
    pub replay: String,
}

/// Rollback commands tried in one phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Points {
    pub phase: Phase,
    pub tried: u64,
    pub under_fault: u64,
    pub missed: u64,
}

/// One planted bug.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planted {
    pub planted: String,
    pub scenario: String,
    /// The invariant that must name it.
    pub expect: Invariant,
    /// Named at least once, all seeds ran, and none fails without the bug.
    pub sound: bool,
    /// Seeds that were to be run, with the bug and without.
    pub planned: u64,
    pub seeds: u64,
    pub caught: u64,
    pub caught_first: Option<u64>,
    /// Seeds in which each other invariant fired.
    pub others: BTreeMap<Invariant, u64>,
    pub clean_seeds: u64,
    pub clean_failed: u64,
}

impl Planted {
    pub const fn came_of(&self) -> Catch {
        Catch::of(self.planned, (self.seeds, self.caught), (self.clean_seeds, self.clean_failed))
    }
}

impl Report {
    pub const SCHEMA: u32 = 2;

    /// Reads and validates the text of a report.
    pub fn parse(text: &str) -> Result<Self, ReportError> {
        let damaged = |error: serde_json::Error| {
            let (line, column) = (error.line(), error.column());
            let why = error.to_string();
            let why = why.rfind(" at line ").map_or(why.as_str(), |end| &why[..end]).to_owned();
            ReportError::Damaged { line, column, why }
        };
        let Schema { schema } = serde_json::from_str(text).map_err(damaged)?;
        if schema != Self::SCHEMA {
            return Err(ReportError::UnknownSchema { got: schema, known: Self::SCHEMA });
        }
        let report: Report = serde_json::from_str(text).map_err(damaged)?;
        report.validate().map_err(|what| ReportError::Inconsistent { what })?;
        Ok(report)
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a report holds only plain data");
        text.push('\n');
        text
    }

    /// Sums agree, and nothing is called a pass that its own parts deny.
    fn validate(&self) -> Result<(), String> {
        let same = |what: &str, total: u64, parts: u64| {
            if total == parts { Ok(()) } else { Err(format!("{what} is {total}, and its parts are {parts}")) }
        };
        let within = |what: &str, part: u64, whole: u64| {
            if part <= whole { Ok(()) } else { Err(format!("{what} is {part} of {whole}")) }
        };
        let totals = &self.totals;
        if self.kind != Kind::Planted {
            let verdicts = || self.scenarios.iter().flat_map(|scenario| &scenario.verdicts);
            same("totals.done", totals.done, total(self.scenarios.iter().map(|scenario| scenario.seeds)))?;
            same("totals.done", totals.done, total(verdicts().map(|(_, seeds)| *seeds)))?;
            let not_pass = verdicts().filter(|(verdict, _)| **verdict != Verdict::Pass);
            same("totals.failed", totals.failed, total(not_pass.map(|(_, seeds)| *seeds)))?;
        }
        within("totals.done", totals.done, totals.planned)?;
        within("totals.bred", totals.bred, totals.done)?;
        within("totals.failed", totals.failed, totals.done)?;
        within("totals.known", totals.known, totals.failed)?;
        within("totals.distinct_traces", totals.distinct_traces, totals.done)?;
        within("totals.faults_in_rotation", totals.faults_in_rotation, totals.faults_fired)?;
        within("totals.promoted", totals.promoted, totals.commands)?;
        within("totals.rolled_back", totals.rolled_back, totals.commands)?;
        within("rechecks.done", self.rechecks.done, totals.done)?;
        within("rechecks.differ", self.rechecks.differ, self.rechecks.done)?;
        for Points { phase, tried, under_fault, missed } in &self.rollback_points {
            within(&format!("rollback_points {} under_fault", phase.name()), *under_fault, *tried)?;
            within(&format!("rollback_points {} missed", phase.name()), *missed, *tried)?;
        }
        if let Some(reached) = &self.reached {
            within("reached.followed", reached.followed, totals.done)?;
            if !is_sound(&reached.walk) {
                return Err("what was reached is not what its bits say".to_owned());
            }
        }
        for planted in &self.planted {
            let name = |what: &str| format!("{}+{} {what}", planted.scenario, planted.planted);
            within(&name("seeds"), planted.seeds, planted.planned)?;
            within(&name("clean_seeds"), planted.clean_seeds, planted.planned)?;
            within(&name("caught"), planted.caught, planted.seeds)?;
            within(&name("clean_failed"), planted.clean_failed, planted.clean_seeds)?;
            if planted.sound != (planted.came_of() == Catch::Caught) {
                return Err(format!(
                    "{} is {}, and was {}",
                    name("sound"),
                    planted.sound,
                    planted.came_of().name()
                ));
            }
        }
        self.validate_table()?;
        if !self.scenarios.is_sorted_by(|a, b| a.name < b.name) {
            return Err("scenarios are not in the order of their names".to_owned());
        }
        for (index, coverage) in self.invariants.iter().enumerate() {
            let id = coverage.invariant.id();
            if self.invariants[..index].iter().any(|other| other.invariant == coverage.invariant) {
                return Err(format!("{id} stands there twice"));
            }
            within(&format!("{id} under_fault"), coverage.under_fault, coverage.exercised)?;
            let excused = self.excused.iter().filter(|each| each.invariant == coverage.invariant);
            same(&format!("{id} excused"), coverage.excused, total(excused.map(|each| each.seeds)))?;
            if self.kind == Kind::Planted {
                continue;
            }
            let checks = || {
                let checks = self.scenarios.iter().flat_map(|scenario| &scenario.checks);
                checks.filter(|checked| checked.check == Check::Invariant(coverage.invariant))
            };
            let (exercised, under) = (
                total(checks().map(|checked| checked.exercised)),
                total(checks().map(|checked| checked.under_fault)),
            );
            same(&format!("{id} exercised"), coverage.exercised, exercised)?;
            same(&format!("{id} under_fault"), coverage.under_fault, under)?;
        }
        for scenario in &self.scenarios {
            for Checked { check, exercised, under_fault, failed, known, excused, .. } in &scenario.checks {
                let name = |what: &str| format!("{} {} {what}", scenario.name, check.id());
                within(&name("under_fault"), *under_fault, *exercised)?;
                within(&name("failed"), failed.saturating_add(*known), scenario.seeds)?;
                within(&name("excused"), *excused, scenario.seeds)?;
            }
        }
        self.deny()
    }

    /// The table that every claim rests on is there, whole and once.
    fn validate_table(&self) -> Result<(), String> {
        let assumed: BTreeSet<Assumption> = self.assumptions.iter().map(|each| each.assumption).collect();
        if self.assumptions.is_empty() || assumed.len() < self.assumptions.len() {
            return Err("assumptions are not each assumption once".to_owned());
        }
        let owed: BTreeSet<Invariant> = self.owed.iter().map(|row| row.invariant).collect();
        let whole = self.invariants.iter().all(|coverage| owed.contains(&coverage.invariant));
        if self.owed.is_empty() || owed.len() < self.owed.len() || !whole {
            return Err("owed is not each invariant once".to_owned());
        }
        Ok(())
    }

    /// A pass that is none.
    fn deny(&self) -> Result<(), String> {
        if self.verdict != Verdict::Pass {
            return Ok(());
        }
        let denied = match () {
            () if self.ended != Ended::Whole || self.totals.done < self.totals.planned => "not all of it ran",
            () if self.findings.iter().any(|finding| !finding.known) => {
                "there is a finding that is not known"
            }
            () if self.planted.iter().any(|planted| !planted.sound) => "a planted bug was not caught",
            () if !self.gaps.is_empty() => "it has gaps",
            () if self.rechecks.differ > 0 => "a digest differed",
            () => "",
        };
        if !denied.is_empty() {
            return Err(format!("the verdict is pass, and {denied}"));
        }
        for scenario in &self.scenarios {
            let bad = |checked: &&Checked| checked.outcome == Outcome::Broken || checked.failed > 0;
            if let Some(checked) = scenario.checks.iter().find(bad) {
                let (name, check) = (&scenario.name, checked.check.id());
                return Err(format!("the verdict is pass, and {name} {check} is broken"));
            }
        }
        Ok(())
    }
}

/// Why a report is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    #[error("{line}:{column}: {why}")]
    Damaged { line: usize, column: usize, why: String },
    #[error("1:1: expected report schema {known}, got {got}")]
    UnknownSchema { got: u32, known: u32 },
    #[error("1:1: the parts disagree: {what}")]
    Inconsistent { what: String },
}

/// Saturates: a report that strangers wrote must not overflow a sum.
fn total(parts: impl Iterator<Item = u64>) -> u64 {
    parts.fold(0, u64::saturating_add)
}

/// The one field that must be readable before all others are.
#[derive(Deserialize)]
struct Schema {
    schema: u32,
}
