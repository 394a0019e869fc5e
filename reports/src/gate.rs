//! The gate: reports against a policy, and every rule that they break.
//!
//! Seeds and counts are summed over the reports, so that shards and suites can be gated together.
//! Reports of different builds do not add up, and neither do two of the same scenario: the same
//! seeds would count twice. The gate trusts its own baseline only: what a run called known is new
//! here unless this baseline holds it.
//!
//! A report that did not end whole, or whose digests differed, is refused whatever the policy says.
//!
//! It deliberately reads nothing but reports and policy, and changes no verdict: it may refuse.
//!
//! Source: FoundationDB's TestHarness2 computed its floor before its total, so that any hit passed;
//! each rule here has been seen to refuse.

use crate::policy::{Floors, PlantedRule};
use crate::report::v2::{Ended, Finding, Kind, Report};
use crate::{Baseline, Check, Policy, escape};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use tumbler_plan::Fingerprint;
use tumbler_types::{Invariant, Verdict};

/// A rule that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub rule: String,
    pub expected: String,
    pub got: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refusal { rule, expected, got } = self;
        write!(f, "{rule}: expected {expected}, got {}", escape::visible(got))
    }
}

/// What the gate says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Decision {
    /// Rules that were looked at.
    pub rules: usize,
    pub refusals: Vec<Refusal>,
}

/// Every rule of the policy, in a fixed order.
pub fn gate(reports: &[Report], policy: &Policy, baseline: &Baseline) -> Decision {
    let mut rules = Rules::default();
    rules.hold(reports);
    rules.demand_verdicts(reports, policy.verdict, baseline);
    let sweeps: Vec<&Report> = reports.iter().filter(|report| report.kind != Kind::Planted).collect();
    let sum = |count: fn(&Report) -> u64| {
        sweeps.iter().fold(0, |sum: u64, report| sum.saturating_add(count(report)))
    };
    rules.at_least(
        "seeds_min",
        policy.seeds_min,
        sum(|report| report.totals.done.saturating_sub(report.totals.bred)),
    );
    rules.at_least(
        "rechecks_min",
        policy.rechecks_min,
        sum(|report| report.rechecks.done.saturating_sub(report.rechecks.differ)),
    );
    if let Some(kind) = policy.kind {
        let other = reports.iter().map(|report| report.kind).find(|other| *other != kind);
        rules.demand("kind", other.is_none(), kind.name(), other.map_or("", Kind::name));
    }
    rules.demand_findings(reports, policy.new_findings_max, baseline);
    rules.demand_planted(reports, policy.planted);
    for invariant in Invariant::ALL {
        let covered = || {
            sweeps
                .iter()
                .flat_map(|report| &report.invariants)
                .filter(|covered| covered.invariant == invariant)
        };
        let Floors { exercised_min, under_fault_min } = policy.floors(invariant);
        let exercised = covered().fold(0, |sum: u64, covered| sum.saturating_add(covered.exercised));
        let under_fault = covered().fold(0, |sum: u64, covered| sum.saturating_add(covered.under_fault));
        rules.at_least(&format!("{} exercised_min", invariant.id()), exercised_min, exercised);
        rules.at_least(&format!("{} under_fault_min", invariant.id()), under_fault_min, under_fault);
    }
    Decision { rules: rules.count, refusals: rules.refusals }
}

/// A report's verdict, but for what the baseline knows: without findings a sweep is as good as its gaps.
fn verdict(report: &Report, baseline: &Baseline) -> Verdict {
    let known = |finding: &Finding| baseline.knows(&finding.fingerprint);
    let is_known = !report.findings.is_empty()
        && report.findings.iter().all(known)
        && beyond(report, baseline).next().is_none()
        && report.rechecks.differ == 0;
    match (is_known, report.gaps.is_empty()) {
        (false, _) => report.verdict,
        (true, true) => Verdict::Pass,
        (true, false) => Verdict::Inconclusive,
    }
}

/// Checks that are broken here and were not in the baseline.
fn beyond<'a>(report: &'a Report, baseline: &'a Baseline) -> impl Iterator<Item = Check> + 'a {
    let checks = report.scenarios.iter().flat_map(|scenario| &scenario.checks);
    checks
        .filter(|each| each.failed > 0 || each.known > 0)
        .map(|each| each.check)
        .filter(|check| !baseline.checks.contains(check))
}

#[derive(Default)]
struct Rules {
    count: usize,
    refusals: Vec<Refusal>,
}

impl Rules {
    fn demand(&mut self, rule: &str, holds: bool, expected: impl Into<String>, got: impl Into<String>) {
        self.count += 1;
        if !holds {
            let (expected, got) = (expected.into(), got.into());
            self.refusals.push(Refusal { rule: rule.to_owned(), expected, got });
        }
    }

    fn at_least(&mut self, rule: &str, floor: u64, got: u64) {
        self.demand(rule, got >= floor, format!("at least {floor}"), got.to_string());
    }

    /// What holds under every policy.
    fn hold(&mut self, reports: &[Report]) {
        self.demand("reports", !reports.is_empty(), "at least one", "none");
        let build = |report: &Report| (report.build.digest, report.build.version.clone());
        let builds: BTreeSet<_> = reports.iter().map(build).collect();
        self.demand("build", builds.len() <= 1, "one build", format!("{} of them", builds.len()));
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let twice = reports
            .iter()
            .flat_map(|report| &report.scenarios)
            .find(|scenario| !seen.insert(&scenario.name))
            .map_or("", |scenario| &scenario.name);
        self.demand("scenarios", twice.is_empty(), "each in one report", format!("{twice} in two"));
        let ended = reports.iter().map(|report| report.ended).find(|ended| *ended != Ended::Whole);
        self.demand("ended", ended.is_none(), "whole", ended.map_or("", Ended::name));
        let short = reports.iter().find(|report| report.totals.done < report.totals.planned);
        let got = short
            .map_or(String::new(), |report| format!("{} of {}", report.totals.done, report.totals.planned));
        self.demand("planned", short.is_none(), "every planned seed", got);
        let differ: u64 = reports.iter().map(|report| report.rechecks.differ).fold(0, u64::saturating_add);
        self.demand("rechecks", differ == 0, "equal digests", format!("{differ} that differ"));
    }

    fn demand_verdicts(&mut self, reports: &[Report], expected: Verdict, baseline: &Baseline) {
        let verdicts = reports.iter().map(|report| verdict(report, baseline));
        let other = verdicts.clone().find(|verdict| *verdict != expected);
        self.demand("verdict", other.is_none(), expected.name(), other.map_or("", Verdict::name));
    }

    fn demand_findings(&mut self, reports: &[Report], max: u64, baseline: &Baseline) {
        let findings = reports.iter().flat_map(|report| &report.findings);
        let new: BTreeSet<&Fingerprint> = findings
            .map(|finding| &finding.fingerprint)
            .filter(|fingerprint| !baseline.knows(fingerprint))
            .collect();
        // Behind findings that are known, a check may be broken that nobody had broken.
        let beyond: BTreeSet<Check> = reports.iter().flat_map(|report| beyond(report, baseline)).collect();
        let (count, first) = match (new.first(), beyond.first()) {
            (Some(first), _) => (new.len(), format!(", the first {first}")),
            (None, Some(check)) => (beyond.len(), format!(", {} is broken and was not", check.id())),
            (None, None) => (0, String::new()),
        };
        self.demand(
            "new_findings_max",
            count as u64 <= max,
            format!("at most {max}"),
            format!("{count}{first}"),
        );
    }

    fn demand_planted(&mut self, reports: &[Report], rule: PlantedRule) {
        let planted = || reports.iter().flat_map(|report| &report.planted);
        if rule == PlantedRule::AllCaught {
            self.demand("planted", planted().next().is_some(), "a report of planted bugs", "none");
        }
        let mut came: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for planted in planted().filter(|planted| !planted.sound) {
            came.entry(planted.came_of().name()).or_default().push(&planted.planted);
        }
        let told: Vec<String> =
            came.iter().map(|(came, bugs)| format!("{came}: {}", bugs.join(", "))).collect();
        self.demand("planted", came.is_empty(), "all caught", told.join("; "));
    }
}
