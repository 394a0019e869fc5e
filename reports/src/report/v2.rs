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
use crate::reached::is_sound;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    /// Stands in the baseline.
    pub known: bool,
    /// Seeds that show it, by scenario.
    pub seeds: BTreeMap<String, u64>,
    /// Where it was met first.
    pub scenario: String,
    pub seed: u64,
    /// Number of the event that shows it.
    pub step: Option<u64>,
    pub why: Option<String>,
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
    pub seeds: u64,
    pub caught: u64,
    pub caught_first: Option<u64>,
    /// Seeds in which each other invariant fired.
    pub others: BTreeMap<Invariant, u64>,
    pub clean_seeds: u64,
    pub clean_failed: u64,
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
        let Totals { planned, done, failed, .. } = self.totals;
        let same = |what: &str, total: u64, parts: u64| {
            if total == parts { Ok(()) } else { Err(format!("{what} is {total}, and its parts are {parts}")) }
        };
        if self.kind == Kind::Sweep {
            let verdicts = || self.scenarios.iter().flat_map(|scenario| &scenario.verdicts);
            same("totals.done", done, total(self.scenarios.iter().map(|scenario| scenario.seeds)))?;
            same("totals.done", done, total(verdicts().map(|(_, seeds)| *seeds)))?;
            let not_pass = verdicts().filter(|(verdict, _)| **verdict != Verdict::Pass);
            same("totals.failed", failed, total(not_pass.map(|(_, seeds)| *seeds)))?;
        }
        if done > planned || self.rechecks.done > done || self.rechecks.differ > self.rechecks.done {
            return Err("more was done than planned".to_owned());
        }
        if self.reached.as_ref().is_some_and(|reached| !is_sound(&reached.walk)) {
            return Err("what was reached is not what its bits say".to_owned());
        }
        if !self.scenarios.is_sorted_by(|a, b| a.name < b.name) {
            return Err("scenarios are not in the order of their names".to_owned());
        }
        for (index, coverage) in self.invariants.iter().enumerate() {
            if self.invariants[..index].iter().any(|other| other.invariant == coverage.invariant) {
                return Err(format!("{} stands there twice", coverage.invariant.id()));
            }
            let exercised =
                self.scenarios.iter().flat_map(|scenario| &scenario.checks).filter_map(|checked| {
                    (checked.check == Check::Invariant(coverage.invariant)).then_some(checked.exercised)
                });
            let excused = self.excused.iter().filter(|each| each.invariant == coverage.invariant);
            let seeds = total(excused.map(|each| each.seeds));
            same(&format!("{} excused", coverage.invariant.id()), coverage.excused, seeds)?;
            if self.kind == Kind::Sweep {
                same(
                    &format!("{} exercised", coverage.invariant.id()),
                    coverage.exercised,
                    total(exercised),
                )?;
            }
        }
        self.deny()
    }

    /// A pass that is none.
    fn deny(&self) -> Result<(), String> {
        if self.verdict != Verdict::Pass {
            return Ok(());
        }
        let broken = self.scenarios.iter().flat_map(|scenario| &scenario.checks);
        let denied = match () {
            () if self.ended != Ended::Whole || self.totals.done < self.totals.planned => "not all of it ran",
            () if self.findings.iter().any(|finding| !finding.known) => {
                "there is a finding that is not known"
            }
            () if broken.clone().any(|checked| checked.outcome == Outcome::Broken) => "a check is broken",
            () if broken.clone().any(|checked| checked.failed > 0) => "a check failed",
            () if self.planted.iter().any(|planted| !planted.sound) => "a planted bug was missed",
            () if !self.gaps.is_empty() => "it has gaps",
            () if self.rechecks.differ > 0 => "a digest differed",
            () => return Ok(()),
        };
        Err(format!("the verdict is pass, and {denied}"))
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
