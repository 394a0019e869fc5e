//! The baseline: what an earlier report found, and what therefore is nothing new.
//!
//! A seed is known only if its fingerprint is, and every check that it broke was broken then. The fingerprint
//! speaks of what broke first; an invariant that breaks behind it for the first time is new.
//!
//! It deliberately knows no seeds: another seed may show the same.

use crate::report::v2::Report;
use crate::{Broken, Check, SeedReport};
use std::collections::BTreeSet;
use tumbler_plan::Fingerprint;
use tumbler_types::Verdict;

/// What one report found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    pub fingerprints: BTreeSet<Fingerprint>,
    /// In any scenario.
    pub checks: BTreeSet<Check>,
}

impl Baseline {
    pub fn of(report: &Report) -> Baseline {
        let checked = report.scenarios.iter().flat_map(|scenario| &scenario.checks);
        Baseline {
            fingerprints: report.findings.iter().map(|finding| finding.fingerprint.clone()).collect(),
            checks: checked.filter(|each| each.failed + each.known > 0).map(|each| each.check).collect(),
        }
    }

    /// Nondeterminism is never known: it makes every other verdict doubtful.
    pub fn knows(&self, fingerprint: &Fingerprint) -> bool {
        fingerprint.verdict != Verdict::Nondeterministic && self.fingerprints.contains(fingerprint)
    }

    /// Of a seed whose fingerprint is known, the checks that it broke and that nobody had broken.
    pub fn beyond(&self, report: &SeedReport) -> BTreeSet<Check> {
        let known = report.fingerprint.as_ref().is_some_and(|fingerprint| self.knows(fingerprint));
        if known { broken(report).difference(&self.checks).copied().collect() } else { BTreeSet::new() }
    }
}

/// Every check that a seed broke: what decided its verdict, and what else the judges found.
pub fn broken(report: &SeedReport) -> BTreeSet<Check> {
    let row = &report.row;
    report.broken.iter().map(check).chain(Check::of(row.verdict, row.invariant)).collect()
}

/// The check that an event broke.
pub fn check(broken: &Broken) -> Check {
    broken.invariant.map_or(Check::FollowsSpec, Check::Invariant)
}
