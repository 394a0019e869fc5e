//! Whether the judges can still see: planted bugs, and who caught them.
//!
//! Each planted bug must be caught by the invariant that it names, in at least one of its seeds,
//! while the same seeds pass without it. One that is missed makes the suite Inconclusive: then a
//! green sweep proves nothing either.
//!
//! It deliberately does not mind other invariants that fire too.

use crate::SeedReport;
use crate::number::count;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use tumbler_types::{Invariant, Verdict};

/// All planted bugs of a suite.
#[derive(Clone, Debug, Default)]
pub struct PlantedReport {
    pub entries: Vec<PlantedEntry>,
}

/// One planted bug.
#[derive(Clone, Debug)]
pub struct PlantedEntry {
    pub planted: &'static str,
    pub expect: Invariant,
    pub scenario: String,
    pub planned: u64,
    /// Seeds run with the bug, and the first in which the named invariant caught it.
    pub seeds: u64,
    pub caught: u64,
    pub caught_first: Option<u64>,
    /// Seeds in which each other invariant fired.
    pub others: BTreeMap<Invariant, u64>,
    /// Seeds run without the bug, and those that did not pass.
    pub clean: u64,
    pub clean_failed: Vec<(u64, Verdict)>,
}

impl PlantedEntry {
    pub fn new(planted: &'static str, expect: Invariant, scenario: &str, planned: u64) -> Self {
        PlantedEntry {
            planted,
            expect,
            scenario: scenario.to_owned(),
            planned,
            seeds: 0,
            caught: 0,
            caught_first: None,
            others: BTreeMap::new(),
            clean: 0,
            clean_failed: Vec::new(),
        }
    }

    pub fn absorb_planted(&mut self, report: &SeedReport) {
        self.seeds += 1;
        let mut fired: Vec<Invariant> = report.broken.iter().filter_map(|broken| broken.invariant).collect();
        fired.extend(report.row.invariant);
        fired.sort();
        fired.dedup();
        for invariant in fired {
            if invariant == self.expect {
                self.caught += 1;
                self.caught_first.get_or_insert(report.row.seed);
            } else {
                *self.others.entry(invariant).or_default() += 1;
            }
        }
    }

    pub fn absorb_clean(&mut self, report: &SeedReport) {
        self.clean += 1;
        if report.row.verdict != Verdict::Pass {
            self.clean_failed.push((report.row.seed, report.row.verdict));
        }
    }

    pub fn is_caught(&self) -> bool {
        self.caught > 0
    }

    /// Caught by name, whole, and passing without the bug.
    pub fn is_sound(&self) -> bool {
        self.is_caught() && self.is_whole() && self.clean_failed.is_empty()
    }

    fn is_whole(&self) -> bool {
        self.seeds == self.planned && self.clean == self.planned
    }
}

impl PlantedReport {
    /// Pass iff everything ran, everything was caught by name, and nothing fails without its bug.
    pub fn verdict(&self) -> Verdict {
        let proven = !self.entries.is_empty() && self.entries.iter().all(PlantedEntry::is_sound);
        if proven { Verdict::Pass } else { Verdict::Inconclusive }
    }

    /// A line per planted bug, then what is wrong.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let caught = self.entries.iter().filter(|entry| entry.is_caught()).count();
        let title = if self.verdict() == Verdict::Pass { "PASS" } else { "INCONCLUSIVE" };
        line(&mut out, format_args!("{title}  {caught}/{} planted bugs caught by name", self.entries.len()));
        let width = |of: fn(&PlantedEntry) -> usize, title: &str| {
            self.entries.iter().map(of).max().unwrap_or(0).max(title.len())
        };
        let planted_width = width(|entry| entry.planted.len(), "planted");
        let by_width = width(|entry| entry.expect.id().len(), "caught by");
        let scenario_width = width(|entry| entry.scenario.len(), "scenario");
        line(
            &mut out,
            format_args!(
                "  {:<planted_width$} {:<by_width$} {:<scenario_width$} seeds",
                "planted", "caught by", "scenario"
            ),
        );
        for entry in &self.entries {
            let by = if entry.is_caught() { entry.expect.id() } else { "MISSED" };
            line(
                &mut out,
                format_args!(
                    "  {:<planted_width$} {:<by_width$} {:<scenario_width$} {}/{}",
                    entry.planted, by, entry.scenario, entry.caught, entry.seeds
                ),
            );
        }
        for entry in &self.entries {
            let PlantedEntry { planted, expect, scenario, planned, seeds, clean, .. } = entry;
            if !entry.is_caught() {
                let others: Vec<String> =
                    entry.others.iter().map(|(invariant, n)| format!("{} {n}", invariant.id())).collect();
                let others = if others.is_empty() { "nothing".to_owned() } else { others.join(", ") };
                let seeds = count(*seeds, "seed");
                line(
                    &mut out,
                    format_args!(
                        "  missed: {planted} in {seeds} of {scenario}\n    expected {}, got {others}",
                        expect.id()
                    ),
                );
            }
            if let Some((seed, verdict)) = entry.clean_failed.first() {
                let failed = entry.clean_failed.len();
                line(
                    &mut out,
                    format_args!(
                        "  {scenario} fails without {planted}: {failed} of {clean}, first seed {seed} ({})",
                        verdict.name()
                    ),
                );
            }
            if !entry.is_whole() {
                line(
                    &mut out,
                    format_args!("  {planted}: only {seeds} + {clean} of {planned} + {planned} ran"),
                );
            }
        }
        out
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("memory");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::tests::{failed, passed};

    fn entry() -> PlantedEntry {
        PlantedEntry::new("target-ignores-fences", Invariant::AppliedOnce, "zombie-rotator", 1)
    }

    #[test]
    fn a_suite_passes_only_if_the_named_invariant_fires_and_the_clean_seed_passes() {
        let mut good = entry();
        good.absorb_planted(&failed(1, Verdict::Violated));
        good.absorb_clean(&passed(1));
        assert_eq!(PlantedReport { entries: vec![good.clone()] }.verdict(), Verdict::Pass);

        let mut missed = entry();
        let mut other = failed(1, Verdict::Violated);
        other.row.invariant = Some(Invariant::DurableAck);
        missed.absorb_planted(&other);
        missed.absorb_clean(&passed(1));
        let report = PlantedReport { entries: vec![good, missed] };
        assert_eq!(report.verdict(), Verdict::Inconclusive);
        assert!(report.text().contains("missed: target-ignores-fences in 1 seed of zombie-rotator"));
        assert!(report.text().contains("expected applied-once, got durable-ack 1"));
        assert!(report.text().lines().all(|line| line.chars().count() <= 80), "{}", report.text());
    }

    #[test]
    fn a_suite_that_fails_without_its_bug_or_did_not_run_is_inconclusive() {
        let mut dirty = entry();
        dirty.absorb_planted(&failed(1, Verdict::Violated));
        dirty.absorb_clean(&failed(1, Verdict::Diverged));
        assert_eq!(PlantedReport { entries: vec![dirty] }.verdict(), Verdict::Inconclusive);
        let mut half = entry();
        half.absorb_planted(&failed(1, Verdict::Violated));
        assert_eq!(PlantedReport { entries: vec![half] }.verdict(), Verdict::Inconclusive);
        assert_eq!(PlantedReport::default().verdict(), Verdict::Inconclusive);
    }
}
